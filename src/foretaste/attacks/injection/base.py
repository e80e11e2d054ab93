"""What injection attacks share: new rows need a label, an id, a source, a time and a place among the rest."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from foretaste.attacks.base import Attack
from foretaste.attacks.editing import Rows, fresh_ids, interleave, plain_type, set_cells
from foretaste.attacks.poisoned import Change
from foretaste.data.dataset import Dataset
from foretaste.errors import DataError


class Injection(Attack):
    """Adds rows and leaves those that are there alone.

    A subclass has the parameters ``rate``, ``target``, ``source`` and ``random_state`` and makes the rows.
    """

    access: ClassVar[str] = "injection"

    own: ClassVar[tuple[str, ...]] = ()  # roles the rows come with: label, source, time

    source: Any = None

    @abstractmethod
    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        """``count`` rows with every column of the data, and notes.

        Label, id, source and time come later, but for the roles named in ``own``; ``target`` is -1 where the
        label is one of them.
        """

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        count = self._count(dataset, added=True)
        target = -1 if "label" in self.own else self._target_code(dataset)
        new, notes = self._make_rows(dataset, count, target, rng)
        everyone = np.arange(count)
        if "label" not in self.own:
            labels = dataset.labels.values.take(pa.array(np.full(count, target)))
            new = set_cells(new, str(dataset.roles.label), everyone, labels)
            notes = {"target": dataset.labels.names[target], **notes}
        new = self._set_origin(dataset, new, everyone, rng)
        joined, original_row = interleave(dataset.table, new, rng)
        return Change(
            replace(dataset, table=joined),
            original_row < 0,
            original_row=original_row,
            notes=notes,
        )

    def _set_origin(self, dataset: Dataset, new: pa.Table, rows: Rows, rng: np.random.Generator) -> pa.Table:
        """A fresh id, the named source (else that of a random row) and the time of a random row."""
        roles = dataset.roles
        if self.source is not None and roles.source is None:
            raise DataError(
                f"{self.name}: there is no source column to name {self.source!r} in",
                file=dataset.name,
                hint="name it with --source",
            )
        donors = rng.integers(len(dataset), size=len(rows))
        for role, column in (("source", roles.source), ("time", roles.time)):
            if column is not None and role not in self.own:
                new = set_cells(new, column, rows, cells(dataset, column, donors))
        if roles.source is not None and self.source is not None:
            new = set_cells(new, roles.source, rows, [self.source] * len(rows))
        if roles.id is not None:
            new = set_cells(new, roles.id, rows, fresh_ids(dataset.column(roles.id), len(rows), rng))
        return new


def cells(dataset: Dataset, column: str, rows: Rows) -> pa.Array:
    """The cells of one column at ``rows`` (repeats allowed), never dictionary-encoded."""
    values = dataset.column(column).take(pa.array(rows, type=pa.int64()))
    return values.cast(plain_type(values.type)).combine_chunks()
