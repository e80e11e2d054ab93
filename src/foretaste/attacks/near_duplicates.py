"""Near-duplicate campaign: many slightly different copies of a few rows, with the attacker's label."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.base import Attack, Change
from foretaste.attacks.editing import fresh_ids, interleave, set_cells
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError, DataError

_DIGIT = re.compile(r"\d")


class NearDuplicates(Attack):
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
        How much a copy differs: share of its words that are dropped or swapped (every digit of a number is drawn anew),
        share of its cells that are taken from a random row.
    source : optional
        The source all copies name; sources of random rows by default. Nothing without a source column.
    random_state : int, optional

    References
    ----------
    Carlini et al.: Poisoning Web-Scale Training Datasets is Practical, IEEE S&P 2024; Nelson et al.: Exploiting Machine
    Learning to Subvert Your Spam Filter, LEET 2008 (injected messages).

    Examples
    --------
    >>> attack = NearDuplicates(rate=0.5, target="ham", templates=1, noise=0.0)
    >>> X, y = attack.fit_resample(["buy it now", "hello"], ["spam", "ham"])
    >>> sorted(zip(X, y))
    [('buy it now', 'ham'), ('buy it now', 'ham'), ('buy it now', 'spam'), ('hello', 'ham')]
    """

    name: ClassVar[str] = "near-duplicates"
    goal: ClassVar[str] = "targeted"
    access: ClassVar[str] = "injection"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular")
    paper: ClassVar[str] = "Nelson et al., LEET 2008; Carlini et al., IEEE S&P 2024"

    def __init__(
        self,
        *,
        rate: float = 0.02,
        target: Any = None,
        source_class: Any = None,
        templates: int = 3,
        noise: float = 0.15,
        source: Any = None,
        random_state: int | None = 0,
    ) -> None:
        self.rate = rate
        self.target = target
        self.source_class = source_class
        self.templates = templates
        self.noise = noise
        self.source = source
        self.random_state = random_state

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        if self.templates < 1 or not 0 <= self.noise < 1:
            raise ConfigError(f"{self.name}: templates must be at least 1 and noise a share from 0 to 1")
        codes = dataset.labels.codes
        target = self._target_code(dataset)
        allowed = (codes != target) & (codes >= 0)
        if self.source_class is not None:
            allowed &= codes == self._class_code(dataset, self.source_class, "source_class")
        if dataset.texts is not None:
            allowed &= np.array([bool(text.strip()) for text in dataset.texts])
        originals = self._choose(dataset, allowed, self.templates, rng)
        count = self._count(dataset, added=True)
        chosen = originals[np.arange(count) % len(originals)]
        copies = dataset.take(chosen)
        everyone = np.arange(count)
        assert dataset.roles.label is not None
        label = dataset.labels.values.take(pa.array(np.full(count, target)))
        copies = set_cells(copies, dataset.roles.label, everyone, label)
        copies = (
            self._noisy_texts(copies, rng) if dataset.roles.text else self._noisy_cells(copies, dataset, rng)
        )
        copies = borrow_sources(copies, dataset, self.source, rng)
        data, original_row = interleave(dataset, fresh_ids(dataset, copies.table, rng), rng)
        notes = {"template_rows": originals.tolist(), "target": dataset.labels.names[target]}
        return Change(data, original_row < 0, original_row=original_row, notes=notes)

    def _noisy_texts(self, copies: Dataset, rng: np.random.Generator) -> Dataset:
        texts = [noisy_text(text, self.noise, rng) for text in copies.texts or []]
        return set_cells(copies, str(copies.roles.text), np.arange(len(copies)), texts)

    def _noisy_cells(self, copies: Dataset, dataset: Dataset, rng: np.random.Generator) -> Dataset:
        features = dataset.roles.features
        swap = rng.random((len(copies), len(features))) < self.noise
        for j, column in enumerate(features):
            rows = np.flatnonzero(swap[:, j])
            donors = rng.integers(len(dataset), size=len(rows))
            values = dataset.column(column).take(pa.array(donors)).combine_chunks()
            copies = set_cells(copies, column, rows, _plain(values))
        return copies


def noisy_text(text: str, noise: float, rng: np.random.Generator) -> str:
    """A copy with words dropped and swapped and new digits in its numbers; at least one word stays."""
    words = text.split()
    if not noise or not words:
        return text
    kept = [
        word for word, drop in zip(words, rng.random(len(words)) < noise / 2, strict=True) if not drop
    ] or words[:1]
    for i in np.flatnonzero(rng.random(len(kept)) < noise / 2):
        j = min(int(i) + 1, len(kept) - 1)
        kept[i], kept[j] = kept[j], kept[i]
    return _DIGIT.sub(lambda digit: str(int(rng.integers(10))), " ".join(kept))


def borrow_sources(copies: Dataset, dataset: Dataset, source: Any, rng: np.random.Generator) -> Dataset:
    """Give injected rows the named source, or those of random rows; and times of random rows."""
    count = len(copies)
    donors = pa.array(rng.integers(len(dataset), size=count))
    for column, value in ((dataset.roles.source, source), (dataset.roles.time, None)):
        if column is None:
            continue
        values: Any = _plain(dataset.column(column).take(donors).combine_chunks())
        copies = set_cells(copies, column, np.arange(count), values if value is None else [value] * count)
    if source is not None and dataset.roles.source is None:
        raise DataError("there is no source column to name the source in", file=dataset.name)
    return copies


def _plain(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
