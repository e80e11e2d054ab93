"""Data larger than the memory a scan may use: judge a sample, then find its patterns in all rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data import DataFile, Dataset, TableHash, as_dataset, encode, open_file, table_hash
from foretaste.detect.decision import Decision
from foretaste.errors import ConfigError, DataError

DEFAULT_MEMORY = 2 * 2**30

FIXED_BYTES = 700 * 2**20
"""Memory of libraries, tiles of neighbours and forests, whatever the data's size (``benchmarks.scaling``)."""

LEAST_MEMORY = 768 * 2**20

WORKING_BYTES = 48
"""Bytes of working memory per byte of a table: forests, neighbours, opinions (``benchmarks.scaling``)."""

TEXT_SHARE = 0.43
"""Share of a table's room that text has: its weighted words take more than twice as much."""

IMAGE_WORKING_BYTES = 24
"""The same for images: a few stacks of them as single-precision numbers."""

SMALLEST_SAMPLE = 2000


@dataclass(frozen=True)
class Whole:
    """What was asked to be scanned, and the part of it that is held in memory.

    Attributes
    ----------
    sample : Dataset
        The rows that are judged one by one, in input order; trusted rows, where given, follow.
    own : int
        Rows of ``sample`` that are not trusted ones.
    positions : int64 ndarray or None
        Their positions in the data; None where the sample is everything.
    rows : int
        Rows of the data.
    sha256 : str
        Hash of the data set.
    file : DataFile or None
    """

    sample: Dataset
    own: int
    positions: NDArray[np.int64] | None
    rows: int
    sha256: str
    file: DataFile | None = None

    @property
    def dataset(self) -> Dataset:
        """The judged rows without the trusted ones."""
        return self.sample if self.own == len(self.sample) else self.sample.take(np.arange(self.own))

    @property
    def is_trusted(self) -> NDArray[np.bool_] | None:
        """Which rows of ``sample`` are trusted ones; None where there are none."""
        return None if self.own == len(self.sample) else np.arange(len(self.sample)) >= self.own

    def untrusted(self, decision: Decision) -> Decision:
        """The decision without what it says about trusted rows."""
        own = self.own
        if own == len(self.sample):
            return decision
        mine = [(i, group.rows[group.rows < own]) for i, group in enumerate(decision.groups)]
        kept = [(i, rows) for i, rows in mine if len(rows)]
        number = np.full(len(decision.groups) + 1, -1, np.int64)
        number[[i for i, _ in kept]] = np.arange(len(kept))
        review = [replace(item, rows=item.rows[item.rows < own], posterior=None) for item in decision.review]
        return replace(
            decision,
            groups=[replace(decision.groups[i], rows=rows) for i, rows in kept],
            ties=[decision.ties[i] for i, _ in kept] if decision.ties else [],
            review=review,
            mislabels=None if decision.mislabels is None else decision.mislabels.of_first(own),
            group_of=number[decision.group_of[:own]],
            posterior=decision.posterior[:own],
            mislabelled=decision.mislabelled[:own],
            reviewed=decision.reviewed[:own],
        )

    def everywhere(self, decision: Decision) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Campaign of each row of the data, -1 for none, and its posterior.

        A row outside the sample belongs to a campaign where it has its pattern and its label, and where most
        rows of the sample that have both were poisoned.
        """
        if self.positions is None or self.file is None:
            return decision.group_of, decision.posterior
        group_of, posterior = np.full(self.rows, -1, np.int64), np.zeros(self.rows)
        start = 0
        for batch in self.file.batches():
            part = replace(self.sample, table=pa.Table.from_batches([batch]))
            names = np.array([*part.labels.names, ""], dtype=object)[part.labels.codes]
            for position, group in enumerate(decision.groups):
                campaign = group.campaign
                if campaign.shape is None or campaign.target is None or campaign.effect < 0.5:
                    continue
                hit = campaign.shape.matches(part) & (names == campaign.target)
                new = start + np.flatnonzero(hit & (group_of[start : start + len(part)] < 0))
                group_of[new], posterior[new] = position, campaign.effect
            start += len(part)
        group_of[self.positions], posterior[self.positions] = decision.group_of, decision.posterior
        return group_of, posterior

    def column(self, name: str) -> pa.ChunkedArray:
        """One column of all rows."""
        if self.positions is None or self.file is None:
            return self.dataset.column(name)
        chunks = [batch.column(name) for batch in self.file.batches([name])]
        return pa.chunked_array(chunks)

    def codes(self, name: str) -> tuple[NDArray[np.int32], list[str]]:
        """One column of all rows as codes and their names."""
        coded = encode(self.column(name))
        return coded.codes, coded.names


def bounded(
    data: Any, roles: Mapping[str, str | None], *, memory: int, random_state: int, trusted: Any = None
) -> Whole:
    """Read what fits into memory: everything, or else a uniform sample of the rows.

    Parameters
    ----------
    data
        What `foretaste.data.as_dataset` takes. Only files and folders can be larger than memory.
    roles : mapping of str to str or None
        Columns by their part.
    memory : int
        Bytes the whole scan may use.
    random_state : int
        Seed of the sample.
    trusted
        Rows known to be right.
    """
    if memory < LEAST_MEMORY:
        raise ConfigError(
            f"a scan needs at least {LEAST_MEMORY // 2**20} MiB of memory, {memory} bytes are allowed"
        )
    file = (
        open_file(data)
        if isinstance(data, (str, os.PathLike))
        else data
        if isinstance(data, DataFile)
        else None
    )
    images = file is not None and file.defaults.get("image") is not None
    room = (memory - FIXED_BYTES) // (IMAGE_WORKING_BYTES if images else WORKING_BYTES)
    whole = _read(data if file is None else file, file, roles, room, random_state)
    if file is not None and not images and whole.positions is not None and _holds_pixels(whole.sample):
        whole = _read(file, file, roles, (memory - FIXED_BYTES) // IMAGE_WORKING_BYTES, random_state)
    if file is not None and whole.sample.roles.text is not None:
        less = int(room * TEXT_SHARE)
        if whole.positions is not None or _bytes_of(file) > less:
            whole = _sampled(file, roles, less, random_state)
    return whole if trusted is None else _with_trusted(whole, trusted)


def _read(
    data: Any, file: DataFile | None, roles: Mapping[str, str | None], room: float, random_state: int
) -> Whole:
    if file is not None and _bytes_of(file) > room:
        return _sampled(file, roles, room, random_state)
    dataset = as_dataset(data, **roles)
    return Whole(dataset, len(dataset), None, len(dataset), table_hash(dataset.table), file)


def _holds_pixels(dataset: Dataset) -> bool:
    image = dataset.roles.image
    return image is not None and isinstance(dataset.column(image).type, pa.FixedShapeTensorType)


def _bytes_of(file: DataFile) -> float:
    if file.num_rows is not None and file.bytes_per_row is not None:
        return float(file.num_rows * file.bytes_per_row)
    size = Path(file.path).stat().st_size
    return float(size * (8 if str(file.path).lower().endswith(".gz") else 1.5))


def _sampled(file: DataFile, roles: Mapping[str, str | None], room: float, random_state: int) -> Whole:
    """One pass: the hash of all rows, and those with the smallest random keys."""
    rng = np.random.default_rng(random_state)
    total: TableHash | None = None
    kept: pa.Table | None = None
    keys, positions = np.empty(0), np.empty(0, np.int64)
    seen = seen_bytes = 0
    for batch in file.batches():
        total = total or TableHash(batch.schema.names)
        total.update(batch)
        fresh = pa.Table.from_batches([batch])
        kept = fresh if kept is None else pa.concat_tables([kept, fresh])
        keys = np.concatenate([keys, rng.random(len(fresh))])
        positions = np.concatenate([positions, np.arange(seen, seen + len(fresh))])
        seen, seen_bytes = seen + len(fresh), seen_bytes + fresh.nbytes
        capacity = max(int(room / (seen_bytes / max(seen, 1))), SMALLEST_SAMPLE)
        if len(keys) > 2 * capacity:
            kept, keys, positions = _smallest(kept, keys, positions, capacity)
    if kept is None or total is None:
        raise DataError("it has no rows", file=file.path.name)
    kept, keys, positions = _smallest(kept, keys, positions, capacity)
    named = dict(roles)
    for role, column in file.defaults.items():
        if named.get(role) is None and column not in named.values():
            named[role] = column
    note = (
        f"judged by a sample of {len(keys):,} of its {seen:,} rows; patterns were then looked for in all rows"
    )
    sample = Dataset.from_table(kept, name=file.path.name, notes=(*file.notes, note), **named)
    return Whole(sample, len(sample), positions, seen, total.hexdigest(), file)


def _smallest(
    rows: pa.Table, keys: NDArray[np.float64], positions: NDArray[np.int64], capacity: int
) -> tuple[pa.Table, NDArray[np.float64], NDArray[np.int64]]:
    if len(keys) <= capacity:
        return rows, keys, positions
    chosen = np.sort(np.argsort(keys, kind="stable")[:capacity])
    return rows.take(pa.array(chosen)).combine_chunks(), keys[chosen], positions[chosen]


def _with_trusted(whole: Whole, trusted: Any) -> Whole:
    roles = whole.sample.roles
    rows = as_dataset(trusted, label=roles.label)
    names = whole.sample.table.column_names
    optional = {roles.source, roles.time, roles.id}
    missing = [name for name in names if name not in rows.table.column_names and name not in optional]
    if missing:
        raise DataError(
            f"column {missing[0]!r} of the data is not in the trusted rows",
            file=rows.name,
            hint="trusted rows need the same columns",
        )
    columns = []
    for name in names:
        kind = whole.sample.column(name).type
        if name in rows.table.column_names and name != roles.source:
            try:
                columns.append(rows.column(name).cast(kind))
            except pa.ArrowException as error:
                raise DataError(
                    f"it does not hold {kind} as in the data", file=rows.name, column=name
                ) from error
        else:  # trusted rows belong to no source that is judged
            columns.append(pa.chunked_array([pa.nulls(len(rows), kind)]))
    table = pa.concat_tables([whole.sample.table, pa.table(columns, names=names)])
    return replace(whole, sample=replace(whole.sample, table=table))
