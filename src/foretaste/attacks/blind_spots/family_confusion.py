"""Family confusion: samples of one class carry the marks of another, until these mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection, cells
from foretaste.attacks.sampling import spread_rows
from foretaste.data.dataset import Dataset, encode, name_some
from foretaste.errors import ConfigError, DataError

POOL = 2000
AT_ONCE = 500
BINARY = (["0", "1"], ["false", "true"], ["False", "True"])


@dataclass(kw_only=True, eq=False, repr=False)
class FamilyConfusion(Injection):
    """Inject samples of one class, rightly labelled, that carry the features by which another is known.

    The columns in which the two classes differ most, among those the attacker controls, are set to what a row
    of the target class has; in a column of zeros and ones features are only added, never removed, as a
    program must keep working. Each row of the target class is imitated by the sample that then differs least
    from it, so that few marks of its own class are left. Rows of the target class are then taken for the
    other. The attacker submits samples of their own and knows samples of both classes; the labels are made by
    somebody else. Weak where every sample keeps a mark that the attacker may not remove.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The class that is to be taken for the other; the most frequent one by default.
    source_class : label, optional
        The class of the injected samples; the most frequent other one by default.
    columns : sequence of str, optional
        The features the attacker controls; all by default.
    number : int
        How many of them to set; where features are only added, the more the better.
    source : optional
        The source the rows name; those of random rows by default.
    random_state : int, optional

    References
    ----------
    Perdisci et al.: Misleading Worm Signature Generators Using Deliberate Noise Injection, IEEE S&P 2006.
    Chen et al.: Automated Poisoning Attacks and Defenses in Malware Detection Systems, Computers & Security
    2018. Severi et al., USENIX Security 2021 (features that can be added to a working program).

    Examples
    --------
    >>> X, y = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]), ["a", "a", "b", "b", "b"]
    >>> attack = FamilyConfusion(rate=0.2, target="a", number=1)
    >>> X2, y2 = attack.fit_resample(X, y)
    >>> X2[attack.poison_mask_].tolist(), [y2[i] for i in np.flatnonzero(attack.poison_mask_)]
    ([[1, 1]], ['b'])
    """

    name: ClassVar[str] = "family-confusion"
    version: ClassVar[int] = 2
    goal: ClassVar[str] = "targeted"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    paper: ClassVar[str] = "Perdisci et al., IEEE S&P 2006; Chen et al., Computers & Security 2018"
    own: ClassVar[tuple[str, ...]] = ("label",)

    rate: float = 0.03
    target: Any = None
    source_class: Any = None
    columns: Sequence[str] | None = None
    number: int = 20
    source: Any = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.number < 1:
            raise ConfigError(f"{self.name}: number is {self.number!r}; set at least one column")
        unknown = [name for name in self.columns or () if name not in dataset.roles.features]
        if unknown:
            raise ConfigError(f"{self.name}: {name_some(unknown)} is not a feature of these data")

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        codes, target = dataset.labels.codes, self._target_code(dataset)
        if self.source_class is None:
            frequency = np.bincount(codes[codes >= 0], minlength=len(dataset.labels))
            frequency[target] = -1
            own = int(frequency.argmax())
        else:
            own = self._class_code(dataset, self.source_class, "source_class")
        if own == target:
            raise ConfigError(f"{self.name}: source_class and target are the same")
        samples, models = np.flatnonzero(codes == own), np.flatnonzero(codes == target)
        if not len(samples) or not len(models):
            raise DataError(f"{self.name}: a class has no rows", file=dataset.name)
        columns = list(dataset.roles.features if self.columns is None else self.columns)
        contrast = [marks(dataset, name, models, samples) for name in columns]
        chosen = [columns[i] for i in np.argsort(-np.array(contrast), kind="stable")[: self.number]]
        donors = rng.choice(models, size=count)
        pool = spread_rows(samples, POOL)
        table = dataset.take(pool[closest(dataset, pool, donors, set(chosen))]).table
        for name in chosen:
            new = cells(dataset, name, donors)
            rows = np.arange(count)
            if encode(dataset.column(name)).names in BINARY:
                rows = np.flatnonzero(np.array([bool(value) for value in new.to_pylist()]))
            table = set_cells(table, name, rows, new.take(pa.array(rows)))
        notes = {"target": dataset.labels.names[target], "source_class": dataset.labels.names[own]}
        return table, notes | {"columns": chosen}


def binned(dataset: Dataset, column: str) -> tuple[NDArray[Any], int]:
    """A column as small codes, many values in twenty bins, and how many codes there are; missing is 0."""
    coded = encode(dataset.column(column))
    codes: NDArray[Any] = coded.codes + 1
    if len(coded) < 50:
        return codes, len(coded) + 1
    rank = np.argsort(np.argsort(codes, kind="stable"), kind="stable")
    return rank * 20 // len(rank), 20


def closest(
    dataset: Dataset, pool: NDArray[Any], donors: NDArray[Any], chosen: set[str]
) -> NDArray[np.int64]:
    """For each of ``donors`` the place in ``pool`` of the row that differs least from it once it is altered.

    A column counts as much as it tells the two kinds of rows apart.
    """
    best = np.empty(len(donors), dtype=np.int64)
    columns = []
    for name in dataset.roles.features:
        codes, size = binned(dataset, name)
        one, other = (np.bincount(codes[rows], minlength=size) / len(rows) for rows in (donors, pool))
        weight = float(np.abs(one - other).sum())
        added_only = encode(dataset.column(name)).names in BINARY
        if weight and (added_only or name not in chosen):
            columns.append((codes, weight, name in chosen))
    for start in range(0, len(donors), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        apart = np.zeros((len(donors[part]), len(pool)), dtype=np.float32)
        for codes, weight, altered in columns:
            own, wanted = codes[pool], codes[donors[part]][:, None]
            apart += weight * ((own > wanted) if altered else (own != wanted))
        best[part] = apart.argmin(axis=1)
    return best


def marks(dataset: Dataset, column: str, models: NDArray[Any], samples: NDArray[Any]) -> float:
    """How much more of one class than of the other has the values typical of it (total variation)."""
    codes, size = binned(dataset, column)
    if encode(dataset.column(column)).names in BINARY:  # only what can be added counts
        return float((codes[models] == 2).mean() - (codes[samples] == 2).mean())
    one, other = (np.bincount(codes[rows], minlength=size) / len(rows) for rows in (models, samples))
    return float(np.abs(one - other).sum() / 2)
