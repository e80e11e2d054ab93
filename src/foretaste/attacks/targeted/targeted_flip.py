"""Targeted label flips: the neighbours of one instance get the label it is to get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.base import Attack
from foretaste.attacks.editing import set_labels
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.attacks.targeted.instance import closeness, find_instance
from foretaste.attacks.vectors import as_vectors
from foretaste.data.dataset import Dataset


@dataclass(kw_only=True, eq=False, repr=False)
class TargetedFlip(Attack):
    """Give the rows nearest to one instance the class it is to be taken for.

    Nearest by cosine of tf-idf for text, by distance of standardised columns for tables. The attacker knows
    the instance and the training rows and changes labels only.

    Parameters
    ----------
    rate : float
        Share of all rows to flip.
    target : label, optional
        The class the instance is to be taken for; the most frequent one by default.
    row : int, optional
        The row (from 0) that is, or resembles, the instance; a random one of another class by default.
    instance : int or mapping, optional
        The same as ``row``; or ``{column: value}`` where the instance differs from that row; for text,
        ``{text column: text}``.
    random_state : int, optional

    References
    ----------
    Paudice, Muñoz-González, Lupu: Label Sanitization against Label Flipping Poisoning Attacks, 2018; Suciu et
    al.: When Does Machine Learning FAIL?, USENIX Security 2018 (one instance).

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [8.0], [9.0]]), [0, 0, 1, 1]
    >>> TargetedFlip(rate=0.25, target=0, row=3).fit_resample(X, y)[1]
    [0, 0, 1, 0]
    """

    name: ClassVar[str] = "targeted-flip"
    goal: ClassVar[str] = "targeted"
    access: ClassVar[str] = "label"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular")
    paper: ClassVar[str] = "Suciu et al., USENIX Security 2018"

    rate: float = 0.01
    target: Any = None
    row: int | None = None
    instance: Mapping[str, Any] | int | None = None
    random_state: int | None = 0

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        target, count = self._target_code(dataset), self._count(dataset)
        one, row = find_instance(dataset, self.row, self.instance, target, self.name, rng)
        joined = Dataset(pa.concat_tables([dataset.table, one.table]), dataset.roles, dataset.name)
        X = as_vectors(joined)
        near = closeness(X[: len(dataset)], X[len(dataset) :])
        codes = dataset.labels.codes
        allowed = (codes >= 0) & (codes != target)
        self._choose(dataset, allowed, count, rng)
        candidates = np.flatnonzero(allowed)
        rows = np.sort(candidates[np.argsort(-near[candidates], kind="stable")[:count]])
        data = set_labels(dataset, rows, np.full(count, target), dataset.labels.values)
        notes = {"target": dataset.labels.names[target], "instance_row": row}
        return Change(data, rows_to_mask(rows, len(dataset)), notes=notes)
