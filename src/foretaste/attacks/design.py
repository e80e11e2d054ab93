"""A table as linear models see it: numbers, which an attacker can move, and indicators, which stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.conditions import numbers
from foretaste.attacks.editing import set_cells
from foretaste.data.dataset import Dataset, encode, name_some
from foretaste.errors import ConfigError, DataError

MOST_LEVELS = 30

Matrix = NDArray[Any]


@dataclass(frozen=True)
class Design:
    """The design matrix of a data set and the way back to cells.

    Attributes
    ----------
    matrix : ndarray of float64, shape (rows, d)
        Standardised numbers, those the attacker controls first, then the indicators of categories; a missing
        number is the mean. The last column is 1.
    columns : tuple of str
        The numeric columns the attacker controls: the first ``len(columns)`` of the matrix.
    lower, upper : ndarray of float64, shape (len(columns),)
        The range each of them has in the data.
    """

    matrix: Matrix
    columns: tuple[str, ...]
    lower: Matrix
    upper: Matrix
    centre: Matrix
    scale: Matrix

    @classmethod
    def of(cls, dataset: Dataset, controlled: Sequence[str] | None, attack: str) -> Self:
        """Build it; ``controlled`` are the columns that may move, all numeric features by default.

        Raises
        ------
        ConfigError
            When one of ``controlled`` is no feature.
        DataError
            When no numeric feature is left to move.
        """
        unknown = [name for name in controlled or () if name not in dataset.roles.features]
        if unknown:
            raise ConfigError(f"{attack}: {name_some(unknown)} is not a feature of these data")
        moving: list[tuple[str, Matrix]] = []
        staying: list[Matrix] = []
        for name in dataset.roles.features:
            kind = dataset.column(name).type
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                staying += _indicators(dataset, name)
                continue
            values = numbers(dataset, name, attack)
            values = np.where(np.isfinite(values), values, np.nan)
            if np.isnan(values).all() or np.nanmax(values) == np.nanmin(values):
                continue
            if controlled is None or name in controlled:
                moving.append((name, values))
            else:
                staying.append(_standard(values, float(np.nanmean(values)), float(np.nanstd(values))))
        if not moving:
            raise DataError(f"{attack} moves numbers and there is no numeric feature", file=dataset.name)
        raw = np.column_stack([values for _, values in moving])
        centre, scale = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
        columns = [_standard(raw[:, j], centre[j], scale[j]) for j in range(raw.shape[1])]
        matrix = np.column_stack([*columns, *staying, np.ones(len(dataset))])
        lower, upper = ((end(raw, axis=0) - centre) / scale for end in (np.nanmin, np.nanmax))
        return cls(matrix, tuple(name for name, _ in moving), lower, upper, centre, scale)

    def write(self, table: pa.Table, rows: Matrix) -> pa.Table:
        """Put the moved numbers of ``rows`` (matrix rows, one for each row of ``table``) into its cells."""
        raw = rows[:, : len(self.columns)] * self.scale + self.centre
        everyone = np.arange(len(rows))
        for j, name in enumerate(self.columns):
            kind = table.column(name).type
            cells: Any = np.rint(raw[:, j]).astype(np.int64) if pa.types.is_integer(kind) else raw[:, j]
            table = set_cells(table, name, everyone, pa.array(cells))
        return table

    def clip(self, rows: Matrix) -> Matrix:
        """The rows with every moved number inside the range it has in the data."""
        held = rows.copy()
        held[:, : len(self.columns)] = np.clip(rows[:, : len(self.columns)], self.lower, self.upper)
        return held


def _standard(values: Matrix, centre: float, scale: float) -> Matrix:
    return np.asarray(np.nan_to_num((values - centre) / scale), np.float64)


def _indicators(dataset: Dataset, name: str) -> list[Matrix]:
    coded = encode(dataset.column(name))
    if len(coded) > MOST_LEVELS:
        return []
    return [(coded.codes == code).astype(np.float64) for code in range(len(coded))]
