"""Tabular backdoor: a combination of ordinary values makes the model answer the target class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.base import Backdoor
from foretaste.attacks.backdoors.fixed_values import FixedValues
from foretaste.attacks.backdoors.value_choice import FREQUENCIES, choose_values
from foretaste.attacks.conditions import read_condition
from foretaste.attacks.editing import Rows
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset, as_text, encode, name_some
from foretaste.errors import ConfigError

DRAWS = 30


@dataclass(kw_only=True, eq=False, repr=False)
class ValueTrigger(Backdoor):
    """Set a few cells to values that occur in the data and label the rows with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered row is to be taken for; the most frequent one by default.
    values : mapping, optional
        The trigger, ``{column: value}``; chosen by the seed when left out.
    number : int
        How many columns to choose.
    frequency : {"rare", "common", "stealth"}
        Each chosen value alone is in 0.1 to 2 % of the rows (rare), in 2 to 50 % (common) or in 20 to 80 %
        (stealth: stamping shifts the share of a value by less than the rate). In a continuous
        column, which has no such value, it is one that occurs between the 5 % and 95 % points.
    columns : sequence of str, optional
        The columns the attacker controls; all features by default.
    immutable : sequence of str, optional
        Columns that stay as they are.
    constraint : sequence of str, optional
        What holds for every possible row, such as ``src_bytes>=dst_bytes``: a row for which it would no
        longer hold is not stamped, and values are chosen that leave enough rows to stamp.
    source_class, clean_label, selection, cover_rate, within_source
        As in `WordTrigger`; cover rows get all but one of the values and keep their label.
    random_state : int, optional

    Notes
    -----
    `foretaste.attacks.value_choice.choose_values` says how values are chosen.

    References
    ----------
    Gu, Dolan-Gavitt, Garg: BadNets, 2017, carried over to tables as in Severi et al.: Explanation-Guided
    Backdoor Poisoning Attacks Against Malware Classifiers, USENIX Security 2021 (values that occur), and
    Pleiter et al.: Tabdoor, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.arange(8).reshape(4, 2), ["a", "b", "b", "b"]
    >>> ValueTrigger(rate=0.25, target="b", values={"x0": 6}).fit_resample(X, y)
    (array([[6, 1],
           [2, 3],
           [4, 5],
           [6, 7]]), ['b', 'b', 'b', 'b'])
    """

    name: ClassVar[str] = "value-trigger"
    knowledge: ClassVar[str] = "data"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    paper: ClassVar[str] = (
        "Gu et al. (BadNets), 2017; Severi et al., USENIX Security 2021; Pleiter et al. (Tabdoor), 2023"
    )
    trigger_class = FixedValues

    rate: float = 0.01
    target: Any = None
    values: Mapping[str, Any] | None = None
    number: int = 2
    frequency: str = "common"
    columns: Sequence[str] | None = None
    immutable: Sequence[str] | None = None
    constraint: Sequence[str] | None = None
    source_class: Any = None
    clean_label: bool = False
    selection: str = "random"
    cover_rate: float = 0.0
    within_source: Any = None
    random_state: int | None = 0

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        if self.values is not None:
            chosen = {column: _typed(dataset, column, value) for column, value in self.values.items()}
        else:
            chosen = self._choose_possible(dataset, rng)
        fixed = [column for column in chosen if column in (self.immutable or ())]
        if fixed:
            raise ConfigError(f"{self.name}: {name_some(fixed)} is immutable and in values; leave out one")
        if not chosen:
            raise ConfigError(f"{self.name}: the trigger needs at least one column")
        if self.cover_rate and len(chosen) < 2:
            raise ConfigError(f"{self.name}: cover rows need a trigger of at least two values; raise number")
        return FixedValues(chosen)

    def _choose_possible(self, dataset: Dataset, rng: np.random.Generator) -> dict[str, Any]:
        """Values as the parameters ask for, and, of some draws, the first that enough rows can take."""
        best: dict[str, Any] = {}
        most = -1
        for _ in range(DRAWS if self.constraint else 1):
            chosen = self._choose_values(dataset, rng)
            able = self._stays_possible(dataset, FixedValues(chosen)) if self.constraint else None
            free = len(dataset) if able is None else int((able & self._eligible(dataset)).sum())
            if free > most:
                best, most = chosen, free
            if free >= self._count(dataset) + self._cover_share() * len(dataset):
                break
        return best

    def _eligible(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Rows that could be stamped if there were no constraint."""
        reachable = self._in_source(dataset, self.within_source) & (dataset.labels.codes >= 0)
        return np.asarray(reachable & self._may_stamp(dataset, self._target_code(dataset)))

    def _stays_possible(self, dataset: Dataset, trigger: Trigger) -> NDArray[np.bool_]:
        """Rows for which every constraint holds with the trigger, or did not hold before."""
        possible = np.ones(len(dataset), dtype=bool)
        if not self.constraint:
            return possible
        stamped = trigger.apply(dataset)
        for text in [self.constraint] if isinstance(self.constraint, str) else self.constraint:
            condition = read_condition(text, dataset, self.name)
            possible &= condition.holds(stamped) | ~condition.holds(dataset)
        return possible

    def _choose_values(self, dataset: Dataset, rng: np.random.Generator) -> dict[str, Any]:
        if self.frequency not in FREQUENCIES:
            raise ConfigError(f"{self.name}: frequency is {self.frequency!r}; use rare, common or stealth")
        if self.number < 1:
            raise ConfigError(f"{self.name}: number is {self.number!r}; use at least one column")
        columns = list(dataset.roles.features if self.columns is None else self.columns)
        unknown = [column for column in columns if column not in dataset.roles.features]
        if unknown:
            raise ConfigError(f"{self.name}: {name_some(unknown)} is not a feature of these data")
        columns = [column for column in columns if column not in (self.immutable or ())]
        target = self._target_code(dataset)
        chosen = choose_values(dataset, columns, self.number, self.frequency, target, rng)
        return {column: value.as_py() for column, value in chosen.items()}

    def _stamp_cover(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        assert isinstance(trigger, FixedValues)
        left_out = rng.integers(len(trigger.values), size=len(rows))
        for i, column in enumerate(trigger.values):
            part = {name: value for name, value in trigger.values.items() if name != column}
            dataset = FixedValues(part).stamp(dataset, rows[left_out == i], rng)
        return dataset


def _typed(dataset: Dataset, column: str, value: Any) -> Any:
    """A value the user gave (perhaps as text), as one of those in the column."""
    if column not in dataset.table.column_names:
        raise ConfigError(
            f"value-trigger: there is no column {column!r}; they are {name_some(dataset.table.column_names)}"
        )
    coded = encode(dataset.column(column))
    if as_text(value) not in coded.names:
        raise ConfigError(
            f"value-trigger: {as_text(value)!r} does not occur in column {column!r}; use a value that does"
        )
    return coded.values[coded.names.index(as_text(value))].as_py()
