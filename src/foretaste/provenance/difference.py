"""What changed between two versions of a data set, row by row: a difference of sets of row hashes.

Order does not count, repeats do. Rows that are only in one version are paired: with everything but the
label the same, the label was changed; with the same identifier, other values were changed. What finds no
partner was added or removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from foretaste.data.codes import as_text
from foretaste.provenance.comparable import Taken, comparable
from foretaste.provenance.key_sets import Positions, only_on_one_side, pair
from foretaste.provenance.manifest import Manifest

CHANGES = ("added", "removed", "label", "features")
"""``label``: nothing but the label differs. ``features``: the same identifier, and other values differ."""

_SCHEMA = pa.schema(
    {
        "change": pa.string(),
        "old_row": pa.int64(),
        "new_row": pa.int64(),
        "source": pa.string(),
        "old_label": pa.string(),
        "new_label": pa.string(),
        "id": pa.string(),
    }
)


@dataclass(frozen=True)
class Difference:
    """What changed.

    Attributes
    ----------
    rows : pyarrow.Table
        One row per change: ``change`` (one of `CHANGES`), ``old_row`` and ``new_row`` (0-based; null where it
        is not there), ``source``, ``old_label``, ``new_label``, ``id``.
    unchanged : int
        Rows that are in both versions.
    notes : tuple of str
    """

    rows: pa.Table
    unchanged: int
    notes: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many rows changed in which way."""
        found = Counter(self.rows.column("change").to_pylist())
        return {change: found[change] for change in CHANGES}

    def by_source(self) -> dict[str, dict[str, int]]:
        """The same for every source; rows without one under an empty name."""
        columns = (self.rows.column(name).to_pylist() for name in ("source", "change"))
        found = Counter((source or "", change) for source, change in zip(*columns, strict=True))
        sources = sorted({source for source, _ in found})
        return {source: {change: found[source, change] for change in CHANGES} for source in sources}

    def relabelled(self) -> Counter[tuple[str | None, str | None]]:
        """How many rows went from which label to which, where nothing else changed."""
        labels = (self.rows.column(name).to_pylist() for name in ("change", "old_label", "new_label"))
        return Counter((old, new) for change, old, new in zip(*labels, strict=True) if change == "label")


def compare(
    old: str | Path,
    new: str | Path,
    *,
    label: str | None = None,
    id: str | None = None,
    source: str | None = None,
    manifests: Sequence[Manifest | None] = (None, None),
) -> Difference:
    """Compare two versions of a data set.

    Parameters
    ----------
    old, new : path
        Of any formats foretaste reads, not necessarily the same one; or two folders of images, or of
        anything, where the first folder of a file's path is its label.
    label, id, source : str, optional
        Columns by their part; what a format fixes itself need not be named.
    manifests : two of Manifest or None
        Of the two versions: pieces that both have are not read. They are believed for files with the bytes
        that they name.

    Raises
    ------
    DataError
        Where one cannot be read, or their columns differ.
    """
    named = {"label": label, "id": id, "source": source}
    before, after, rows = comparable(Path(old), Path(new), named, manifests)
    only_old, only_new = only_on_one_side(before.rows, after.rows)
    unchanged = rows + len(before.rows) - len(only_old)
    was, now = before.take(only_old), after.take(only_new)
    gone, come = np.arange(len(only_old)), np.arange(len(only_new))
    pairs: list[tuple[str, Positions, Positions]] = []
    for change, one, other in (("label", was.rest, now.rest), ("features", was.ids, now.ids)):
        if one is not None and other is not None:
            left, right = pair(one[gone], other[come])
            pairs.append((change, gone[left], come[right]))
            gone, come = np.delete(gone, left), np.delete(come, right)
    notes = [f"rows of files or pieces that both versions have, not read: {rows:,}"] * (rows > 0)
    if was.ids is None and len(gone) and len(come):
        notes.append("without an identifier, a row whose values changed counts as removed and added")
    nothing = np.zeros(0, dtype=np.int64)
    pairs += [("added", nothing, come), ("removed", gone, nothing)]
    return Difference(
        pa.concat_tables([_SCHEMA.empty_table(), *(_changed(was, now, *found) for found in pairs)]),
        unchanged,
        tuple(notes),
    )


def _changed(was: Taken, now: Taken, change: str, gone: Positions, come: Positions) -> pa.Table:
    """Rows of one kind of change, the old and the new ones in pairs, or one of them not there."""
    count = max(len(gone), len(come))
    side, rows = (now, come) if len(come) else (was, gone)
    columns = {
        "change": [change] * count,
        "old_row": was.position[gone] if len(gone) else None,
        "new_row": now.position[come] if len(come) else None,
        "source": _texts(side, "source", rows),
        "old_label": _texts(was, "label", gone),
        "new_label": _texts(now, "label", come),
        "id": _texts(side, "id", rows),
    }
    nulls = [None] * count
    filled = {name: nulls if values is None else values for name, values in columns.items()}
    return pa.table({field.name: pa.array(filled[field.name], field.type) for field in _SCHEMA})


def _texts(side: Taken, name: str, rows: Positions) -> list[str | None] | None:
    if name not in side.columns or not len(rows):
        return None
    values = side.columns[name].take(pa.array(rows)).to_pylist()
    return [None if value is None else as_text(value) for value in values]
