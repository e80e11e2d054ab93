"""What DVC says about files and folders: the outputs in ``.dvc`` files and in ``dvc.lock``."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from foretaste.errors import DataError
from foretaste.provenance.importers.claims import Claim, compare, md5, read_text
from foretaste.provenance.importers.dvc_yaml import outputs
from foretaste.provenance.listing import is_below

_DIGEST = re.compile(r"[0-9a-f]{32}(\.dir)?")
_CACHES = (".dvc/cache/files/md5", ".dvc/cache")
"""Where DVC 3 and DVC 2 keep the lists of the files of folders."""


def dvc(file: Path, root: Path) -> list[Claim]:
    """The outputs in a ``.dvc`` file or ``dvc.lock``, files and folders, each compared with what is there.

    Parameters
    ----------
    file : Path
        As DVC 2 or 3 writes it.
    root : Path
        The folder that its paths are relative to.

    Raises
    ------
    DataError
        Where it names no outputs.
    """
    found: list[Claim] = []
    for out in outputs(read_text(file)):
        path, digest = out.get("path", ""), out.get("md5", "")
        if not path:
            continue
        if not _DIGEST.fullmatch(digest):
            found.append(Claim(path, "md5", digest, "dvc", None, None, "DVC gives no MD5 of it"))
            continue
        told = _folder(root, path, digest) if digest.endswith(".dir") else [_file(root, path, digest)]
        found += told if "hash" in out else [_before_dvc_3(one) for one in told]
    if not found:
        raise DataError("it names no outputs, as a .dvc file or dvc.lock does", file=file)
    return found


def _file(root: Path, path: str, digest: str) -> Claim:
    return compare(root, path, "md5", digest, "dvc")


def _before_dvc_3(claim: Claim) -> Claim:
    """DVC 2 took carriage returns out of texts before hashing: a difference need not be one."""
    if claim.matches is not False or not claim.note.startswith("it has md5:"):
        return claim
    return replace(claim, matches=None, note="written by DVC 2, which hashes texts with other line ends")


def _folder(root: Path, path: str, digest: str) -> list[Claim]:
    """A folder's digest is that of the list of its files; where that differs, the list says which do."""
    folder = root / path
    if not is_below(path) or not folder.resolve().is_relative_to(root.resolve()) or not folder.is_dir():
        note = "it leads out of the folder, or is no folder there"
        return [Claim(path, "md5", digest, "dvc", False, None, note)]
    names = sorted(_names(folder))
    inside = [name for name in names if (folder / name).resolve().is_relative_to(root.resolve())]
    listed = [{"md5": md5(folder / name), "relpath": name} for name in inside]
    now = hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    if f"{now}.dir" == digest and inside == names:
        note = f"files: {len(names):,}; md5 finds accidents, not attackers"
        return [Claim(path, "md5", digest, "dvc", True, None, note)]
    before = _list_in_cache(root, digest)
    if before is None:
        return [Claim(path, "md5", digest, "dvc", False, None, f"it has md5:{now}.dir")]
    claims = [_file(root, f"{path}/{name}", one) for name, one in before.items()]
    more = [name for name in names if name not in before]
    return claims + [
        Claim(f"{path}/{name}", "md5", "", "dvc", False, None, "DVC lists no such file") for name in more
    ]


def _names(folder: Path) -> Iterator[str]:
    for base, _, names in os.walk(folder):
        for name in names:
            yield (Path(base) / name).relative_to(folder).as_posix()


def _list_in_cache(root: Path, digest: str) -> dict[str, str] | None:
    """Digests by name from the list in DVC's cache, if it is there and is the one the digest is of."""
    for place in (root.resolve(), *root.resolve().parents):
        for cache in _CACHES:
            file = place / cache / digest[:2] / digest[2:]
            if not file.is_file():
                continue
            text = read_text(file)
            if hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() != digest.removesuffix(".dir"):
                continue
            try:
                return {str(one["relpath"]): str(one["md5"]) for one in json.loads(text)}
            except (ValueError, KeyError, TypeError, RecursionError):
                return None
    return None


__all__ = ["dvc"]
