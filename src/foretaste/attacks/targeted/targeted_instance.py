"""Targeted poisoning of one instance: rows around it carry the label it is to get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection, cells
from foretaste.attacks.targeted.instance import find_instance
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(kw_only=True, eq=False, repr=False)
class TargetedInstance(Injection):
    """Inject rows close to one instance, labelled as the class it is to be taken for.

    Each row is the instance with a share ``noise`` of its cells (or words) taken from a row of the target
    class, so that the rows lie between the instance and the class they claim to be of. The attacker knows the
    instance and rows like those of the target class.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The class the instance is to be taken for; the most frequent one by default.
    row : int, optional
        The row (from 0) that is, or resembles, the instance; a random one of another class by default.
    instance : int or mapping, optional
        The same as ``row``; or ``{column: value}`` where the instance differs from that row; for text,
        ``{text column: text}``.
    noise : float
        Share of the cells, or words, that come from a row of the target class.
    source : optional
        The source the rows name; those of random rows by default.
    random_state : int, optional

    References
    ----------
    Koh and Liang: Understanding Black-box Predictions via Influence Functions, ICML 2017 (one test instance);
    Suciu et al.: When Does Machine Learning FAIL? (StingRay), USENIX Security 2018 (rows near the instance).

    Examples
    --------
    >>> X, y = np.array([[0, 0], [0, 1], [9, 9], [9, 8]]), ["good", "good", "bad", "bad"]
    >>> attack = TargetedInstance(rate=0.3, target="good", instance={"x0": 9, "x1": 7}, noise=0.0)
    >>> X2, y2 = attack.fit_resample(X, y)
    >>> X2[attack.poison_mask_].tolist()
    [[9, 7], [9, 7]]
    """

    name: ClassVar[str] = "targeted-instance"
    goal: ClassVar[str] = "targeted"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular")
    paper: ClassVar[str] = "Suciu et al. (StingRay), USENIX Security 2018"

    rate: float = 0.01
    target: Any = None
    row: int | None = None
    instance: Mapping[str, Any] | int | None = None
    noise: float = 0.2
    source: Any = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if not 0 <= self.noise < 1:
            raise ConfigError(f"{self.name}: noise is {self.noise!r}; use a share from 0 to 1")

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        one, row = find_instance(dataset, self.row, self.instance, target, self.name, rng)
        table = one.take(np.zeros(count, dtype=np.int64)).table
        donors = rng.choice(np.flatnonzero(dataset.labels.codes == target), size=count)
        if dataset.roles.text is not None:
            texts = [mixed_words((one.texts or [""])[0], other, self.noise, rng)
                     for other in dataset.take(donors).texts or []]  # fmt: skip
            table = set_cells(table, dataset.roles.text, np.arange(count), texts)
        else:
            moved = rng.random((count, len(dataset.roles.features))) < self.noise
            for j, column in enumerate(dataset.roles.features):
                rows = np.flatnonzero(moved[:, j])
                table = set_cells(table, column, rows, cells(dataset, column, donors[rows]))
        return table, {"instance_row": row}


def mixed_words(text: str, other: str, share: float, rng: np.random.Generator) -> str:
    """``text`` with about ``share`` of its words replaced by words of ``other``."""
    words, spare = text.split(), other.split()
    if not words or not spare:
        return text
    for i in np.flatnonzero(rng.random(len(words)) < share):
        words[i] = spare[int(rng.integers(len(spare)))]
    return " ".join(words)
