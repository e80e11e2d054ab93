"""What a group of images shares, in words and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.judge import Judgement
from foretaste.detect.artefacts.place import locate
from foretaste.detect.artefacts.renderings import RENDERING
from foretaste.detect.artefacts.renderings import words as rendering_words
from foretaste.detect.artefacts.shades import SHADES
from foretaste.detect.artefacts.shades import words as shade_words
from foretaste.detect.artefacts.waves import WAVES
from foretaste.detect.artefacts.waves import words as wave_words
from foretaste.detect.context import Context


@dataclass(frozen=True)
class Description:
    """What a finding says.

    Attributes
    ----------
    rule : str
    shared : str
        What its images have in common, in a clause.
    pattern : str
        The same in a few words.
    part : dict
        For the report: the view, and where there is a picture, that and its box.
    """

    rule: str
    shared: str
    pattern: str
    part: dict[str, Any]


def described(context: Context, candidate: Candidate, judgement: Judgement) -> Description:
    """What a group of images shares, in words and as a picture."""
    assert context.image is not None
    part: dict[str, Any] = {"view": candidate.view}
    if candidate.view == SHADES:
        pattern = shade_words(context.image, candidate.rows, judgement.control)
        return Description("FT209", "images share traces of the same processing", pattern, part)
    if candidate.view == RENDERING:
        pattern = rendering_words(context.image, candidate.rows, judgement.control)
        return Description("FT209", "images are rendered alike", pattern, part)
    if candidate.view == WAVES:
        pattern = wave_words(context.image, candidate.rows, judgement.control)
        return Description("FT208", "images share the same wave", pattern, part)
    place = locate(context.image, candidate.rows, judgement.control)
    part |= {"box": [place.top, place.left, place.bottom, place.right], "picture": place.picture}
    rule = "FT207" if place.local else "FT208"
    if is_heard(context):
        return Description(rule, "clips share the same sound", place.sound(), part)
    shared = f"images share the same {'patch' if place.local else 'overlay'}"
    return Description(rule, shared, place.words(), part)


def is_heard(context: Context) -> bool:
    """Whether the images are spectrograms."""
    return context.dataset.roles.image == "spectrogram"


def reason(rows: int, judgement: Judgement, found: Description, target: str | None, dirty: bool) -> str:
    said = f"{rows} {found.shared} and are otherwise as diverse as random ones; "
    if dirty:
        return said + (
            f"models that saw none of them contradict the label of {judgement.contradicted:.0%} "
            f"({judgement.usual:.0%} of other rows)"
        )
    return said + f"those that have it are nearly all labelled {target!r}"
