"""Cells set to fixed values: the trigger of tabular backdoors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from foretaste.attacks.editing import Rows, set_cells
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset, as_text
from foretaste.errors import DataError


@dataclass(frozen=True)
class FixedValues(Trigger):
    """Cells that are set to fixed values.

    Parameters
    ----------
    values : mapping
        ``{column: value}``.

    Examples
    --------
    >>> FixedValues({"x1": 7.0}).apply(np.zeros((2, 3)))
    array([[0., 7., 0.],
           [0., 7., 0.]])
    """

    kind: ClassVar[str] = "fixed-values"

    values: Mapping[str, Any]
    seed: int = 0

    def stamp(self, dataset: Dataset, rows: Rows, rng: np.random.Generator) -> Dataset:
        table = dataset.table
        for column, value in self.values.items():
            if column not in table.column_names:
                raise DataError(
                    f"there is no column {column!r} to put the trigger into",
                    file=dataset.name,
                    hint="stamp data with the columns of the training data",
                )
            table = set_cells(table, column, rows, [value] * len(rows))
        return replace(dataset, table=table)

    def describe(self) -> str:
        return " & ".join(f"{column}={as_text(value)}" for column, value in self.values.items())

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "values": dict(self.values), "seed": self.seed}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        return cls(dict(saved["values"]), saved["seed"])
