"""What a group of images shares, in words and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from foretaste.detect.artefacts.borrowed import SHAPES, Borrowed, Search
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
from foretaste.detect.evidence import Campaign, Statistic

MOST_COMPARED = 2000
"""Images of other classes that a group is compared with for its picture."""


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


def borrowed_campaign(context: Context, group: Borrowed, search: Search, alpha: float) -> Campaign:
    """A group that copies of the other classes explain, as a finding."""
    assert context.image is not None
    rows, label, evidence = group.rows, group.label, group.copies.evidence
    likely = context.without(rows).log_probability[rows].argmax(axis=1)
    others = np.flatnonzero((context.y >= 0) & (context.y != label) & context.image.present)
    place = locate(context.image, rows, others[:: max(len(others) // MOST_COMPARED, 1)])
    p_value = max(float(np.exp(-evidence)), 1e-300)
    classes = len(np.unique(likely[likely != label]))
    contradicted, target = float((likely != label).mean()), context.classes[label]
    box = [place.top, place.left, place.bottom, place.right]
    return Campaign(
        rule="FT207" if place.local else "FT208",
        rows=rows,
        target=target,
        pattern=f"the same change of shapes in images of {classes} classes",
        kind="image",
        p_value=p_value,
        q_value=min(1.0, p_value * search.tested),
        effect=contradicted,
        support=len(rows),
        statistic=Statistic(
            "log evidence for other classes' images",
            evidence,
            search.natural,
            float(np.log(search.tested / alpha)),
        ),
        reason=f"{len(rows)} images labelled {target!r} are changed in the same way and are otherwise as "
        f"manifold as all other classes together; models that saw none of them take {contradicted:.0%} of "
        f"them for one of {classes} other classes",
        parts=[{"view": SHAPES, "box": box, "picture": place.picture}],
    )
