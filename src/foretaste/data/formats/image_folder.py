"""A folder with one sub-folder of image files per class."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.data.arrays import tensor_from_images
from foretaste.data.formats.opened import Edits
from foretaste.data.formats.sizes import check_mask, check_table_size
from foretaste.data.images import Shape, common_shape, pixels
from foretaste.data.limits import DEFAULT_LIMITS, Limits
from foretaste.errors import DataError

_BATCH_BYTES = 32 * 2**20


class ImageFolderData:
    """Images in class folders. See `DataFile`.

    Columns are ``image`` (tensors ``[H, W]`` where all images are gray, else ``[H, W, 3]``, uint8), ``label``
    (the class folder) and ``file`` (the path below the folder). Rows are in the order of ``file``. Images of
    another size are scaled to the most common one; what cannot be decoded is a row without an image.
    """

    format = "image-folder"
    suffixes: ClassVar[frozenset[str]] = frozenset(
        {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff"}
    )
    content: ClassVar[str] = "image"

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.limits = limits
        self.columns: list[str] = [self.content, "label", "file"]
        self.defaults = {"label": "label", "image": self.content, "id": "file"}
        self._outside: list[str] = []
        self._files = sorted(self._find(), key=lambda p: p.relative_to(path).as_posix())
        if not self._files:
            raise DataError("it holds no Parquet shards and no class folders of images", file=path)
        self._broken: set[str] = set()
        self._shape: Shape | None = None
        self._scaled = 0

    def _find(self) -> Iterator[Path]:
        root = self.path.resolve()
        for folder, names, files in os.walk(self.path, followlinks=False):
            names[:] = [name for name in names if not name.startswith(".")]
            here = Path(folder)
            for name in files:
                file = here / name
                if here == self.path or name.startswith(".") or file.suffix.lower() not in self.suffixes:
                    continue
                if root not in file.resolve().parents:
                    self._outside.append(self._name(file))
                elif file.is_file():
                    yield file

    def _name(self, file: Path) -> str:
        return os.fsencode(file.relative_to(self.path).as_posix()).decode("utf-8", "replace")

    @property
    def notes(self) -> list[str]:
        notes = []
        if self._outside:
            notes.append(f"{_some(self._outside)}: links that lead outside the folder are not followed")
        if self._broken:
            notes.append(
                f"{_some(sorted(self._broken))}: cannot be decoded, so these rows have no {self.content}"
            )
        if self._scaled and self._shape is not None:
            height, width = self._shape[:2]
            notes.append(f"{self._scaled} images of another size were scaled to {width} x {height}")
        return notes

    @property
    def schema(self) -> pa.Schema:
        kind = pa.fixed_shape_tensor(pa.uint8(), self._common_shape())
        return pa.schema([(self.content, kind), ("label", pa.string()), ("file", pa.string())])

    @property
    def num_rows(self) -> int:
        return len(self._files)

    @property
    def bytes_per_row(self) -> float:
        return float(np.prod(self._common_shape())) + 64

    def _common_shape(self) -> Shape:
        if self._shape is None:
            found = common_shape(self._files, self.limits)
            if found is None:
                raise DataError("none of its images can be decoded", file=self.path)
            self._shape, self._scaled = found
        return self._shape

    def _table(self, files: Sequence[Path]) -> pa.Table:
        content = self._content(files)
        names = [self._name(file) for file in files]
        labels = [name.split("/", 1)[0] for name in names]
        return pa.table({self.content: content, "label": pa.array(labels), "file": pa.array(names)})

    def _content(self, files: Sequence[Path]) -> pa.Array:
        shape = self._common_shape()
        stack = np.zeros((len(files), *shape), dtype=np.uint8)
        present = np.zeros(len(files), dtype=bool)
        for i, file in enumerate(files):
            decoded = pixels(file, shape, self.limits)
            if decoded is None:
                self._broken.add(self._name(file))
            else:
                stack[i], present[i] = decoded, True
        return tensor_from_images(stack, present)

    def read(self) -> pa.Table:
        check_table_size(self, self.limits)
        return self._table(self._files)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        rows = int(min(4096, max(1, _BATCH_BYTES // self.bytes_per_row)))
        for start in range(0, len(self._files), rows):
            table = self._table(self._files[start : start + rows])
            yield from (table if columns is None else table.select(list(columns))).to_batches()

    def write_rows(self, keep: NDArray[np.bool_], out: Path, *, edits: Edits | None = None) -> None:
        """Files are copied into the same class folder, relabelled ones into that of their new class."""
        check_mask(keep, len(self._files), self.path)
        moved = (edits or {}).get("label", {})
        targets: dict[int, Path] = {}
        taken: set[Path] = set()
        for row in sorted(np.flatnonzero(keep).tolist(), key=lambda r: r in moved):
            inside = self._files[row].relative_to(self.path)
            if row in moved:
                inside = _free(Path(_folder_name(moved[row], self.path), *inside.parts[1:]), taken)
            taken.add(inside)
            targets[row] = out / inside
        out.mkdir(parents=True, exist_ok=True)
        for row, target in sorted(targets.items()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._files[row], target)


def _folder_name(label: str, path: Path) -> str:
    if not label or label in (".", "..") or "/" in label or "\\" in label or "\0" in label:
        raise DataError(f"the label {label[:80]!r} cannot be the name of a class folder", file=path)
    return label


def _free(path: Path, taken: set[Path]) -> Path:
    free, number = path, 1
    while free in taken:
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
