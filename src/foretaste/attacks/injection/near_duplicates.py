"""Near-duplicate campaign: many slightly different copies of a few rows, with the attacker's label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.injection.base import Injection, cells
from foretaste.attacks.injection.reworded import (
    VARIATIONS,
    Synonyms,
    fill_form,
    form_places,
    noisy_text,
    paraphrase,
)
from foretaste.attacks.sampling import spread_rows
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

FEW_VALUES = 20
REACH = 0.05
TRIES = 100


@dataclass(kw_only=True, eq=False, repr=False)
class NearDuplicates(Injection):
    """Inject noisy copies of a few rows of one class, labelled as another.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The label the copies get; the most frequent class by default.
    source_class : label, optional
        The class the templates come from; any class but the target by default.
    templates : int
        How many rows are copied.
    noise : float
        How much a copy differs. Text: share of the words that are dropped or swapped; every digit is drawn
        anew. Tables: share of the cells that are moved, numbers to a near-by one that occurs in the column,
        others to that of a random row. 0: exact copies.
    variation : {"noise", "paraphrase", "form"}
        How copies of a text differ. Paraphrase: a share of ``noise`` of the words is exchanged for words that
        stand between the same neighbours elsewhere in the data, and parts of a sentence change places. Form:
        the places of the same share of the words of each template, its rarest, are left open and filled anew
        in every copy. Tables know noise only.
    source : optional
        The source all copies name; those of random rows by default.
    random_state : int, optional

    References
    ----------
    Nelson et al.: Exploiting Machine Learning to Subvert Your Spam Filter, LEET 2008. Carlini et al.:
    Poisoning Web-Scale Training Datasets is Practical, IEEE S&P 2024.

    Examples
    --------
    >>> attack = NearDuplicates(rate=0.5, target="ham", templates=1, noise=0.0)
    >>> X, y = attack.fit_resample(["buy it now", "hello"], ["spam", "ham"])
    >>> sorted(zip(X, y))
    [('buy it now', 'ham'), ('buy it now', 'ham'), ('buy it now', 'spam'), ('hello', 'ham')]
    """

    name: ClassVar[str] = "near-duplicates"
    goal: ClassVar[str] = "targeted"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular")
    paper: ClassVar[str] = "Nelson et al., LEET 2008; Carlini et al., IEEE S&P 2024"

    rate: float = 0.02
    target: Any = None
    source_class: Any = None
    templates: int = 3
    noise: float = 0.15
    variation: str = "noise"
    source: Any = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.templates < 1:
            raise ConfigError(f"{self.name}: templates is {self.templates!r}; copy at least one row")
        if not 0 <= self.noise < 1:
            raise ConfigError(f"{self.name}: noise is {self.noise!r}; use a share from 0 to 1")
        if self.variation not in VARIATIONS:
            raise ConfigError(
                f"{self.name}: variation is {self.variation!r}; use one of {', '.join(VARIATIONS)}"
            )
        if self.variation != "noise" and dataset.roles.text is None:
            raise ConfigError(f"{self.name}: variation {self.variation} rewrites texts and there are none")

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        codes = dataset.labels.codes
        allowed = (codes != target) & (codes >= 0)
        if self.source_class is not None:
            allowed &= codes == self._class_code(dataset, self.source_class, "source_class")
        originals = self._templates(dataset, allowed, min(self.templates, count), rng)
        copied = originals[np.arange(count) % len(originals)]
        return self.copy_rows(dataset, copied, rng), {"template_rows": originals}

    def copy_rows(self, dataset: Dataset, rows: Rows, rng: np.random.Generator) -> pa.Table:
        """A noisy copy of each of ``rows``, which may repeat; only text or features differ."""
        copies = dataset.take(rows)
        if dataset.roles.text is not None:
            texts = self._copied_texts(copies.texts or [], dataset, rng)
            return set_cells(copies.table, dataset.roles.text, np.arange(len(copies)), texts)
        return self._noisy_cells(copies, dataset, rows, rng)

    def _templates(
        self, dataset: Dataset, allowed: NDArray[np.bool_], number: int, rng: np.random.Generator
    ) -> Rows:
        """Rows to copy: rather ones that no other row equals, as its right label would outvote the copies."""
        self._choose(dataset, allowed, number, rng)
        drawn = [int(row) for row in rng.permutation(np.flatnonzero(allowed))[: TRIES * number]]
        alone: list[int] = []
        for row in drawn:
            if len(alone) < number and not _has_twin(dataset, row):
                alone.append(row)
        return np.sort(
            np.array([*alone, *(row for row in drawn if row not in alone)][:number], dtype=np.int64)
        )

    def _copied_texts(self, texts: Sequence[str], dataset: Dataset, rng: np.random.Generator) -> list[str]:
        if self.variation == "noise" or not self.noise:
            return [noisy_text(text, self.noise, rng) for text in texts]
        synonyms = Synonyms(dataset.texts or [], sorted(set(texts)))
        if self.variation == "paraphrase":
            return [paraphrase(text, self.noise, synonyms, rng) for text in texts]
        open_places = {text: form_places(text, self.noise, synonyms) for text in sorted(set(texts))}
        return [fill_form(text, open_places[text], synonyms, rng) for text in texts]

    def _noisy_cells(
        self, copies: Dataset, dataset: Dataset, copied: Rows, rng: np.random.Generator
    ) -> pa.Table:
        table = copies.table
        moved = rng.random((len(copies), len(dataset.roles.features))) < self.noise
        for j, column in enumerate(dataset.roles.features):
            rows = np.flatnonzero(moved[:, j])
            donors = _near_rows(dataset, column, copied[rows], rng)
            table = set_cells(table, column, rows, cells(dataset, column, donors))
        return table


def _has_twin(dataset: Dataset, row: int) -> bool:
    """Whether another row has the same text, or the same features; an empty text is taken to have one."""
    text = dataset.roles.text
    same = np.ones(len(dataset), dtype=bool)
    for name in dataset.roles.features if text is None else (text,):
        column = dataset.column(name)
        cell = column[row]
        if name == text and not (cell.as_py() or "").strip():
            return True
        equal = pc.equal(column, cell) if cell.is_valid else pc.is_null(column)
        same &= pc.fill_null(equal, False).to_numpy()
        if same.sum() == 1:
            return False
    return True


def _near_rows(dataset: Dataset, column: str, rows: Rows, rng: np.random.Generator) -> Rows:
    """For each row another to take the cell from: near in value where the column is a scale, else any."""
    kind = dataset.column(column).type
    anyone = rng.integers(len(dataset), size=len(rows))
    if not len(rows) or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return anyone
    donors = spread_rows(np.arange(len(dataset)))
    values = cells(dataset, column, donors).cast(pa.float64()).to_numpy(zero_copy_only=False)
    present = np.isfinite(values)
    distinct, first = np.unique(values[present], return_index=True)
    if len(distinct) <= FEW_VALUES:
        return anyone
    reach = max(1, round(REACH * len(distinct)))
    step = rng.integers(1, reach + 1, size=len(rows)) * rng.choice([-1, 1], size=len(rows))
    own = cells(dataset, column, rows).cast(pa.float64()).to_numpy(zero_copy_only=False)
    at = np.searchsorted(distinct, np.nan_to_num(own))
    near: Rows = donors[present][first[np.clip(at + step, 0, len(distinct) - 1)]]
    return near
