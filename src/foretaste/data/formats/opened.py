"""What every format offers: a file or folder that is opened but not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Edits = Mapping[str, Mapping[int, str]]
"""``{column: {row: text}}``: cells to write differently; the text is that of another value of the column."""


@runtime_checkable
class DataFile(Protocol):
    """A file or folder of rows, opened but not read.

    Attributes
    ----------
    path : pathlib.Path
    format : str
        ``csv``, ``tsv``, ``jsonl``, ``parquet``, ``parquet-folder``, ``arrow``, ``npz``,
        ``image-folder`` or ``sound-folder``.
    defaults : dict
        Roles that the format itself fixes, ``{role: column}`` (`label` is ``y`` in an ``.npz``).
    """

    path: Path
    format: str
    defaults: dict[str, str]

    @property
    def columns(self) -> list[str]:
        """Names, after repeats were made unique; costs one streaming pass in JSONL."""

    @property
    def notes(self) -> list[str]:
        """What was noticed so far, one clause each; complete once `read` or `batches` ran to its end."""

    @property
    def schema(self) -> pa.Schema:
        """Plain types of all columns; costs one streaming pass in CSV and JSONL."""

    @property
    def num_rows(self) -> int | None:
        """Rows, where that is known without reading everything; else None."""

    @property
    def bytes_per_row(self) -> float | None:
        """Estimated bytes one row takes in memory, where that can be told without reading everything."""

    def read(self) -> pa.Table:
        """All rows in order, plain types."""

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Rows in order, piece by piece, in bounded memory; the same values as `read`."""

    def write_rows(self, keep: NDArray[np.bool_], out: Path, *, edits: Edits | None = None) -> None:
        """Write the rows where ``keep [N]`` is true, in order and unchanged, to ``out`` in this same format.

        ``edits`` replaces single cells of a column by the text of another value of that column.
        """
