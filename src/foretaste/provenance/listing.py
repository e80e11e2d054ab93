"""The list of the files of a folder: their relative names, sizes and hashes, in canonical JSON."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import canonical


@dataclass(frozen=True)
class Listed:
    """One file of a folder."""

    name: str
    sha256: str
    size: int


def encode(files: list[Listed]) -> bytes:
    """The bytes of a list, sorted by name."""
    ordered = sorted(files, key=lambda file: file.name.encode())
    listed = [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in ordered]
    return canonical.encode({"files": listed, "kind": "files", "schema": 1})


def decode(data: bytes) -> list[Listed]:
    """Read a list; raises `IntegrityError` where it is none or a name leads out of the folder."""
    value = canonical.decode(data, "the list of files")
    try:
        if (value["kind"], value["schema"]) != ("files", 1):
            raise TypeError
        files = [Listed(**file) for file in value["files"]]
        if not all(_sound(file) for file in files) or encode(files) != data:
            raise TypeError
    except (TypeError, KeyError, AttributeError):
        raise IntegrityError("the list of files is none of this version of foretaste") from None
    return files


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """Relative name and path of every file below a folder, in the order of the names.

    Raises
    ------
    DataError
        Where something is neither file nor folder, a link, or has a name that is not Unicode.
    """
    found = []
    for base, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(base) / name
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise DataError("it is neither a file nor a folder (links are not followed)", file=path)
        found += [(Path(base) / name).relative_to(folder).as_posix() for name in names]
    return [(text_name(name), folder / name) for name in sorted(found, key=os.fsencode)]


def text_name(name: str) -> str:
    """A file name as text; raises `DataError` where it is not Unicode."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"the file name {name!r} is not Unicode", hint="rename the file") from None
    return name


def is_below(name: str) -> bool:
    """Whether a relative name stays below the folder it is relative to."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _sound(file: Any) -> bool:
    return (
        isinstance(file.name, str)
        and is_below(file.name)
        and isinstance(file.sha256, str)
        and isinstance(file.size, int)
    )
