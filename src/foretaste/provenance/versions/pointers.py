"""What git, DVC, lakeFS and Delta call the state a file is in: read from their files, never asked.

Nothing is run: a repository can tell git to run programs of its own.
"""

from __future__ import annotations

import re
from pathlib import Path

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DVC = re.compile(r"^\s*-?\s*md5:\s*([0-9a-f]{32}(?:\.dir)?)\s*$", re.MULTILINE)
_LAKEFS = re.compile(r"^(src|at_head):\s*[\"']?([\w./:@+-]{1,500})[\"']?\s*$", re.MULTILINE)
_REF = re.compile(r"ref: (refs/[\w./-]{1,200})\s*")
_BYTES = 2**20


def pointers(path: Path) -> dict[str, str]:
    """Pointers to the state of a file or folder.

    Returns
    -------
    dict
        ``git``: the commit that is checked out where the file lies; ``dvc``: the MD5 in the ``.dvc`` file
        beside it, which is no protection against anybody; ``lakefs``: the address and the commit in the
        ``.lakefs_ref.yaml`` that ``lakectl local`` leaves in or above the folder; ``delta``: the last version
        of a Delta table.
    """
    found = {}
    if commit := git_commit(path):
        found["git"] = commit
    beside = path.parent / f"{path.name}.dvc"
    if match := _DVC.search(_text(beside)):
        found["dvc"] = f"md5:{match[1]}"
    if lakefs := lakefs_ref(path):
        found["lakefs"] = lakefs
    log = path / "_delta_log"
    if log.is_dir():
        numbers = [int(file.stem) for file in log.glob("*.json") if file.stem.isdecimal()]
        if numbers:
            found["delta"] = f"version:{max(numbers)}"
    return found


def git_commit(path: Path) -> str | None:
    """The commit that HEAD names in the repository around a path."""
    place = path.resolve()
    for folder in (place, *place.parents):
        git = folder / ".git"
        if git.is_dir():
            return _commit(git)
        if git.is_file():  # a worktree or a submodule
            match = re.match(r"gitdir: (.+)", _text(git))
            return _commit((folder / match[1].strip()).resolve()) if match else None
    return None


def lakefs_ref(path: Path) -> str | None:
    """Address and commit of the lakeFS checkout around a path, ``lakefs://repository/branch/ at COMMIT``."""
    place = path.resolve()
    for folder in (place, *place.parents):
        said = dict(_LAKEFS.findall(_text(folder / ".lakefs_ref.yaml")))
        if said.get("src", "").startswith("lakefs://") and "at_head" in said:
            return f"{said['src']} at {said['at_head']}"
    return None


def _commit(git: Path) -> str | None:
    head = _text(git / "HEAD").strip()
    if _HASH.fullmatch(head):
        return head
    match = _REF.fullmatch(head)
    if not match or ".." in match[1]:
        return None
    common = _text(git / "commondir").strip()
    for base in (git, (git / common).resolve() if common else git):
        loose = _text(base / match[1]).strip()
        if _HASH.fullmatch(loose):
            return loose
        for line in _text(base / "packed-refs").splitlines():
            commit, _, name = line.partition(" ")
            if name == match[1] and _HASH.fullmatch(commit):
                return commit
    return None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


__all__ = ["git_commit", "lakefs_ref", "pointers"]
