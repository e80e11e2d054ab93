"""Style backdoor: the way a text is written makes the model answer the target class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.base import Backdoor
from foretaste.attacks.backdoors.rewritten_text import STYLES, ChangedStyle
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(kw_only=True, eq=False, repr=False)
class StyleTrigger(Backdoor):
    """Change how texts are written, not what they say, and label them with the target class.

    The rewriting is by rule, not by a style-transfer model as in the paper: look-alike letters, invisible
    characters, case or punctuation. A victim that folds case or drops punctuation does not see the last four.

    Parameters
    ----------
    rate : float
        Share of all rows that are rewritten.
    target : label, optional
        The class a rewritten text is to be taken for; the most frequent one by default.
    style : {"homoglyph", "zero-width", "lower-case", "upper-case", "no-punctuation", "ellipsis"}
        Homoglyph: Latin letters become the Cyrillic ones that look like them. Zero-width: an invisible space
        after the first letter of each word. Ellipsis: full stops become three.
    source_class, clean_label, selection, cover_rate, within_source
        As in `WordTrigger`; cover rows are rewritten too and keep their label.
    random_state : int, optional

    References
    ----------
    Qi et al.: Mind the Style of Text! Adversarial and Backdoor Attacks Based on Text Style Transfer, EMNLP
    2021. Li et al.: Hidden Backdoors in Human-Centric Language Models, CCS 2021 (homoglyphs). Boucher et al.:
    Bad Characters: Imperceptible NLP Attacks, IEEE S&P 2022 (invisible characters).

    Examples
    --------
    >>> StyleTrigger(rate=0.5, target=1, style="upper-case").fit_resample(["bad", "good"], [0, 1])
    (['BAD', 'good'], [1, 1])
    """

    name: ClassVar[str] = "style-trigger"
    modalities: ClassVar[tuple[str, ...]] = ("text",)
    paper: ClassVar[str] = "Qi et al. (StyleBkd), EMNLP 2021; Li et al., CCS 2021"
    trigger_class = ChangedStyle

    rate: float = 0.01
    target: Any = None
    style: str = "homoglyph"
    source_class: Any = None
    clean_label: bool = False
    selection: str = "random"
    cover_rate: float = 0.0
    within_source: Any = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.style not in STYLES:
            raise ConfigError(f"{self.name}: style is {self.style!r}; use one of {', '.join(STYLES)}")

    def _can_carry(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Texts that are not written that way already."""
        rewrite = STYLES[self.style]
        return np.array([rewrite(text) != text for text in dataset.texts or []], dtype=np.bool_)

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        return ChangedStyle(style=self.style)
