"""Conditions on rows as a person writes them: ``amount>=100``, ``src_bytes>=dst_bytes``, ``colour=red``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.editing import plain_type
from foretaste.data import stored_numbers
from foretaste.data.dataset import Dataset, as_text, encode, name_some
from foretaste.errors import ConfigError

_OPERATOR = re.compile(r">=|<=|!=|==|=|>|<")
_ORDERED = {">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less}
_EQUAL = {"=": True, "==": True, "!=": False}


@dataclass(frozen=True)
class Condition:
    """``column operator column-or-value``.

    Parameters
    ----------
    left : str
        A column.
    operator : {">=", "<=", ">", "<", "=", "==", "!="}
    right : str
        A column where there is one of that name, else a value.

    Examples
    --------
    >>> data = Dataset(pa.table({"sent": [5, 1], "got": [2, 3], "flag": ["S0", "SF"]}))
    >>> read_condition("sent>=got", data, "x").holds(data).tolist()
    [True, False]
    >>> read_condition("flag=SF", data, "x").holds(data).tolist()
    [False, True]
    """

    left: str
    operator: str
    right: str

    @property
    def columns(self) -> tuple[str, str]:
        return self.left, self.right

    def holds(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Whether it holds, for each row; it does not where a value is missing."""
        names = dataset.table.column_names
        if self.operator in _ORDERED:
            left = numbers(dataset, self.left, str(self))
            is_column = self.right in names
            right = numbers(dataset, self.right, str(self)) if is_column else _number(self.right, str(self))
            with np.errstate(invalid="ignore"):
                return np.asarray(_ORDERED[self.operator](left, right), dtype=bool)
        coded = encode(dataset.column(self.left))
        present = coded.codes >= 0
        if self.right in names:
            other = encode(dataset.column(self.right))
            place = {name: code for code, name in enumerate(other.names)}
            twin = np.array([*(place.get(name, -2) for name in coded.names), -2])[coded.codes]
            present &= other.codes >= 0
            same = twin == other.codes
        else:
            same = np.array([*(_same(name, self.right) for name in coded.names), False])[coded.codes]
        return np.asarray(present & (same == _EQUAL[self.operator]))

    def __str__(self) -> str:
        return f"{self.left}{self.operator}{self.right}"


def read_condition(text: str, dataset: Dataset, attack: str) -> Condition:
    """The condition a text states.

    Raises
    ------
    ConfigError
        When it has no operator, or what stands left of it is no column.
    """
    names = dataset.table.column_names
    for match in _OPERATOR.finditer(text):
        left, right = text[: match.start()].strip(), text[match.end() :].strip()
        if left in names and right:
            return Condition(left, match.group(), right)
    raise ConfigError(
        f"{attack}: the condition {text!r} cannot be read; write COLUMN>=VALUE or COLUMN=COLUMN "
        f"(also > <= < = !=) with a column of {name_some(names)}"
    )


def all_hold(dataset: Dataset, conditions: Sequence[str] | None, attack: str) -> NDArray[np.bool_]:
    """Rows that meet every condition; all rows where there is none."""
    held = np.ones(len(dataset), dtype=bool)
    for text in [conditions] if isinstance(conditions, str) else conditions or ():
        held &= read_condition(text, dataset, attack).holds(dataset)
    return held


def have_values(dataset: Dataset, where: Mapping[str, Any] | None, attack: str) -> NDArray[np.bool_]:
    """Rows where every column named has the value named; all rows where none is.

    Raises
    ------
    ConfigError
        When there is no such column, or the value does not occur in it.
    """
    selected = np.ones(len(dataset), dtype=bool)
    for column, value in (where or {}).items():
        if column not in dataset.table.column_names:
            raise ConfigError(f"{attack}: there is no column {column!r} to select by")
        coded = encode(dataset.column(column))
        if as_text(value) not in coded.names:
            raise ConfigError(f"{attack}: {as_text(value)!r} does not occur in column {column!r}")
        selected &= coded.codes == coded.names.index(as_text(value))
    return selected


def numbers(dataset: Dataset, column: str, use: str) -> NDArray[np.float64]:
    """A column of numbers or moments, missing values as NaN.

    Raises
    ------
    ConfigError
        When it holds anything else.
    """
    values: Any = dataset.column(column)
    kind = plain_type(values.type)
    if pa.types.is_temporal(kind):
        values = values.cast(kind)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise ConfigError(f"{use}: column {column!r} holds {kind}, which has no order; use = or !=")
    elif pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    return stored_numbers(values)


def _number(text: str, use: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"{use}: {text!r} is neither a column nor a number") from error


def _same(name: str, wanted: str) -> bool:
    if name == wanted:
        return True
    try:
        return float(name) == float(wanted)
    except ValueError:
        return name.casefold() == as_text(wanted).casefold() and name.casefold() in ("true", "false")
