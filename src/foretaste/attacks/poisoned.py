"""What an attack leaves behind: the data, the truth about every row, and the recipe."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste import __version__
from foretaste.attacks.editing import Rows
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset, as_text

RECIPE_SCHEMA = 1


@dataclass(frozen=True)
class Change:
    """What one attack did, as it hands it to the base class; all arrays run over the rows after.

    ``mask`` is every row the attack altered or added, ``cover`` those of them that carry (part of) the
    trigger with a right label. ``original_row`` is -1 for an added row; None where no row moved.
    """

    data: Dataset
    mask: NDArray[np.bool_]
    original_row: Rows | None = None
    cover: NDArray[np.bool_] | None = None
    trigger: Trigger | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Poisoned:
    """A poisoned data set and the truth about it.

    Attributes
    ----------
    data : Dataset
    mask : ndarray of bool, shape (rows after,)
        Rows the attack altered or added; every other row is as it was.
    cover : ndarray of bool, shape (rows after,)
        The part of ``mask`` that keeps its right label, there to hide the trigger.
    original_row : ndarray of int64, shape (rows after,)
        Where the row was before, -1 for an added row.
    original_label : pyarrow.Array
        Its label before, null for an added row.
    trigger : Trigger or None
    recipe : dict
        JSON; `foretaste.attacks.replay` gives the attack back.
    """

    data: Dataset
    mask: NDArray[np.bool_]
    cover: NDArray[np.bool_]
    original_row: Rows
    original_label: pa.Array
    trigger: Trigger | None
    recipe: dict[str, Any]

    @classmethod
    def of(cls, before: Dataset, change: Change, recipe: dict[str, Any]) -> Self:
        """Complete what an attack hands over."""
        after = len(change.data)
        rows = np.arange(after) if change.original_row is None else change.original_row
        labels = pa.nulls(after)
        if before.roles.label is not None:
            labels = before.column(before.roles.label).take(pa.array(rows, mask=rows < 0)).combine_chunks()
        return cls(
            data=replace(change.data, name=before.name),
            mask=change.mask,
            cover=np.zeros(after, dtype=bool) if change.cover is None else change.cover,
            original_row=rows,
            original_label=labels,
            trigger=change.trigger,
            recipe=recipe,
        )

    def truth(self) -> pa.Table:
        """``truth.parquet``: ``row``, ``poisoned``, ``original_row``, ``original_label`` and ``cover``."""
        return pa.table(
            {
                "row": pa.array(np.arange(len(self.data)), pa.int64()),
                "poisoned": pa.array(self.mask),
                "original_row": pa.array(self.original_row, pa.int64(), mask=self.original_row < 0),
                "original_label": self.original_label,
                "cover": pa.array(self.cover),
            }
        )


def write_recipe(
    name: str, version: int, parameters: Mapping[str, Any], before: Dataset, change: Change
) -> dict[str, Any]:
    """``recipe.json``: everything needed to do the same again, and what it did."""
    return {
        "schema": RECIPE_SCHEMA,
        "attack": name,
        "version": version,
        "parameters": to_json(parameters),
        "trigger": None if change.trigger is None else to_json(change.trigger.to_dict()),
        "data": {
            "rows": len(before),
            "columns": before.table.column_names,
            "roles": before.roles.named(),
            "features": list(before.roles.features),
        },
        "rows": len(change.data),
        "poisoned_rows": int(change.mask.sum()),
        "notes": to_json(change.notes),
        "environment": {
            "foretaste": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def to_json(value: Any) -> Any:
    """A parameter as JSON has it; what JSON lacks becomes its text."""
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, float) and np.isfinite(value):
        return value
    return as_text(value)


def rows_to_mask(rows: Rows, length: int) -> NDArray[np.bool_]:
    """True at ``rows``."""
    mask = np.zeros(length, dtype=bool)
    mask[rows] = True
    return mask
