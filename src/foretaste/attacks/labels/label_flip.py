"""Label flipping: give rows a wrong label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.attacks.base import Attack
from foretaste.attacks.conditions import all_hold, have_values
from foretaste.attacks.editing import set_labels
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.attacks.surrogate import held_out_probabilities
from foretaste.attacks.vectors import clusters
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError, DataError

STRATEGIES = ("random", "boundary", "topic")
TOPICS = 20


@dataclass(kw_only=True, eq=False, repr=False)
class LabelFlip(Attack):
    """Flip labels at random, in one direction, near the boundary, of a topic, or where a condition holds.

    Parameters
    ----------
    rate : float or None
        Share of all rows to flip. None: every row that ``keyword``, ``where`` or ``condition``
        selects.
    target : label, optional
        The new label; any other class, evenly, by default (with ``strategy="boundary"``: the runner-up).
    source_class : label, optional
        Only rows of this class are flipped; with ``target`` this is a class-pair flip.
    strategy : {"random", "boundary", "topic"}
        Boundary: the rows whose class an out-of-fold model is least sure of, among those it has right. Topic:
        whole clusters of similar rows (k-means on latent semantic or standardised vectors, about 20 of them),
        one after the other, so that the wrong labels agree with each other.
    keyword : str, optional
        Only texts that contain it, whatever the case.
    where : mapping, optional
        Only rows with these values, ``{column: value}``.
    condition : sequence of str, optional
        Only rows where all of these hold, such as ``amount>=100`` or ``sent<received``.
    within_source : optional
        Only rows of this source are flipped.
    random_state : int, optional

    References
    ----------
    Biggio, Nelson, Laskov: Support Vector Machines Under Adversarial Label Noise, ACML 2011. Xiao, Xiao,
    Eckert: Adversarial Label Flips Attack on Support Vector Machines, ECAI 2012 (nearest-first flips).

    Examples
    --------
    >>> attack = LabelFlip(rate=0.5, source_class="spam", target="ham", random_state=0)
    >>> attack.fit_resample(["a", "b", "c", "d"], ["spam", "ham", "spam", "ham"])
    (['a', 'b', 'c', 'd'], ['ham', 'ham', 'ham', 'ham'])
    """

    name: ClassVar[str] = "label-flip"
    goal: ClassVar[str] = "availability"
    access: ClassVar[str] = "label"
    modalities: ClassVar[tuple[str, ...]] = ("any",)
    rate_optional: ClassVar[bool] = True
    paper: ClassVar[str] = "Biggio, Nelson, Laskov, ACML 2011; Xiao, Xiao, Eckert, ECAI 2012"

    rate: float | None = 0.05
    target: Any = None
    source_class: Any = None
    strategy: str = "random"
    keyword: str | None = None
    where: Mapping[str, Any] | None = None
    condition: Sequence[str] | None = None
    within_source: Any = None
    random_state: int | None = 0

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        if self.strategy not in STRATEGIES:
            raise ConfigError(
                f"{self.name}: strategy is {self.strategy!r}; use one of {', '.join(STRATEGIES)}"
            )
        if self.rate is None and not any(
            given is not None for given in (self.keyword, self.where, self.condition)
        ):
            raise ConfigError(f"{self.name}: rate may be left out only with keyword or where or condition")
        codes = dataset.labels.codes.astype(np.int64)
        target = None if self.target is None else self._class_code(dataset, self.target)
        allowed = self._selected(dataset) & (codes >= 0) & (codes != (-1 if target is None else target))
        if self.source_class is not None:
            allowed &= codes == self._class_code(dataset, self.source_class, "source_class")
        count = int(allowed.sum()) if self.rate is None else self._count(dataset)
        if count == 0:
            raise DataError(f"{self.name}: no row meets the condition", file=dataset.name, hint="loosen it")
        if self.strategy == "boundary":
            rows, new = self._near_boundary(dataset, allowed, count)
        else:
            if self.strategy == "topic":
                rows = self._whole_topics(dataset, allowed, count, rng)
            else:
                rows = self._choose(dataset, allowed, count, rng)
            step = rng.integers(1, len(dataset.labels), size=count)
            new = (codes[rows] + step) % len(dataset.labels)
        if target is not None:
            new = np.full(len(rows), target)
        return Change(set_labels(dataset, rows, new, dataset.labels.values), rows_to_mask(rows, len(dataset)))

    def _selected(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Rows of the source that meet the keyword and every condition."""
        selected = self._in_source(dataset, self.within_source) & all_hold(dataset, self.condition, self.name)
        if self.keyword is not None:
            if dataset.roles.text is None:
                raise DataError(
                    f"{self.name}: a keyword needs a text column", file=dataset.name, hint="use where"
                )
            texts = dataset.column(dataset.roles.text).cast(pa.large_string())
            found = pc.match_substring(texts, self.keyword, ignore_case=True)
            selected &= pc.fill_null(found, False).to_numpy()
        selected &= have_values(dataset, self.where, self.name)
        return selected

    def _whole_topics(
        self, dataset: Dataset, allowed: NDArray[np.bool_], count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Clusters in random order, all their rows, until there are enough."""
        rows = self._choose(dataset, allowed, int(allowed.sum()), rng)
        topic = clusters(dataset.take(rows), TOPICS, int(rng.integers(2**31)))
        order = rng.permutation(int(topic.max()) + 1)
        return np.sort(rows[np.argsort(order[topic], kind="stable")[:count]])

    def _near_boundary(
        self, dataset: Dataset, allowed: NDArray[np.bool_], count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows a model has right by the smallest margin, and the class that comes second."""
        chances = held_out_probabilities(dataset)
        codes = dataset.labels.codes
        known = np.flatnonzero(codes >= 0)
        given = np.zeros(len(dataset))
        given[known] = chances[known, codes[known]]
        others = chances.copy()
        others[known, codes[known]] = -1.0
        margin = given - others.max(axis=1)
        candidates = np.flatnonzero(allowed & (margin > 0))
        if len(candidates) < count:
            raise DataError(
                f"{self.name} needs {count} rows that a model has right and there are {len(candidates)}",
                file=dataset.name,
                hint="lower the rate",
            )
        rows = np.sort(candidates[np.argsort(margin[candidates], kind="stable")[:count]])
        return rows.astype(np.int64), others[rows].argmax(axis=1)
