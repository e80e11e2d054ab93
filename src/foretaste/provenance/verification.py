"""Verifying a whole ledger: every entry, tile and file in its folder, and what was altered.

What it cannot see by itself: that everything, the signed checkpoint included, was replaced by an older state,
or by one that whoever has the private key made anew. A checkpoint that was kept elsewhere shows that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import keys
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.contents import check_contents
from foretaste.provenance.durable import locked
from foretaste.provenance.ledger import CHECKPOINT, KEY_FILE, LOCK, PENDING
from foretaste.provenance.note import MOST_BYTES, VerifierKey
from foretaste.provenance.tiles import TileFolder, read_bounded
from foretaste.provenance.tree_check import check_tree


@dataclass(frozen=True)
class Problem:
    """Something that was altered: where (an entry, a file), and in what way."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class Verification:
    """What was found.

    Attributes
    ----------
    entries, files : int
        How many were checked.
    problems : list of Problem
        Empty where everything is intact.
    notes : list of str
        What is worth knowing and no alteration.
    """

    entries: int = 0
    files: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """The result for a program."""
        altered = [{"where": problem.where, "what": problem.what} for problem in self.problems]
        counted = {"schema": 1, "intact": self.intact, "entries": self.entries, "files": self.files}
        return {**counted, "altered": altered, "notes": self.notes}

    def found(self, where: str, what: str) -> None:
        """Note down an alteration."""
        self.problems.append(Problem(where, what))


def verify(
    folder: str | Path, *, checkpoints: Sequence[str | Path] = (), key: VerifierKey | None = None
) -> Verification:
    """Check everything a ledger holds and points to inside its folder.

    Parameters
    ----------
    folder : path
    checkpoints : sequence of path
        Checkpoints of this ledger that were kept elsewhere: its history must begin with each of them.
    key : VerifierKey, optional
        The ledger's public key, kept elsewhere; the one in its folder otherwise.

    Raises
    ------
    DataError
        Where the folder is no ledger, or a checkpoint kept elsewhere is none.
    """
    place = Path(folder)
    if not (place / KEY_FILE).exists() and not (place / CHECKPOINT).exists():
        raise DataError("this is no ledger", file=place, hint="make one with foretaste ledger init")
    result = Verification()
    key = _check_key(place, key, result)
    with locked(place / LOCK, alone=False):  # a writer would change tiles while they are compared
        current = _check_checkpoint(place / CHECKPOINT, key, result)
        if current is not None:
            result.entries = current.size
            pending = _check_pending(place / PENDING, key, current, result)
            signed = not result.problems
            ahead = None if pending is None else pending.size
            reached, genuine = check_tree(place, current.size, current.root, ahead, result.found)
            if reached == current.size and not genuine and signed:
                result.found("entries", "they are not those that the checkpoint signs: history was rewritten")
            tree = TileFolder(place, current.size)
            for path in checkpoints:
                _check_kept(Path(path), tree, current, key, result)
    if current is not None:
        result.files = check_contents(place, TileFolder(place, reached), result.found, result.notes)
    return result


def _check_key(place: Path, trusted: VerifierKey | None, result: Verification) -> VerifierKey | None:
    try:
        key = keys.load_public(place / KEY_FILE)
        if read_bounded(place / KEY_FILE, MOST_BYTES) != f"{key}\n".encode():
            raise DataError("it is not in its exact form")
    except FileNotFoundError:
        result.found(KEY_FILE, "the public key is missing")
        return trusted
    except (DataError, IntegrityError):
        result.found(KEY_FILE, "the public key was altered")
        return trusted
    if trusted is not None and key != trusted:
        result.found(KEY_FILE, f"it is not the key you trust, {trusted.name} ({trusted.id.hex()})")
        return trusted
    return key


def _check_checkpoint(path: Path, key: VerifierKey | None, result: Verification) -> Checkpoint | None:
    try:
        data = read_bounded(path, MOST_BYTES)
    except FileNotFoundError:
        result.found(CHECKPOINT, "it is missing")
        return None
    except IntegrityError as error:
        result.found(CHECKPOINT, str(error))
        return None
    try:
        current = Checkpoint.parse(data, key)
    except IntegrityError as error:
        result.found(CHECKPOINT, str(error))
        try:
            return Checkpoint.parse(data)  # unsigned, yet it says where to look for more
        except IntegrityError:
            return None
    unknown = [line.name for line in current.note.signatures if key is not None and not line.by(key)]
    if unknown:
        result.found(CHECKPOINT, f"it has signatures that the ledger did not make, by {', '.join(unknown)}")
    return current


def _check_pending(
    path: Path, key: VerifierKey | None, current: Checkpoint, result: Verification
) -> Checkpoint | None:
    """An append that a killed writer announced and did not finish."""
    if not path.exists():
        return None
    try:
        pending = Checkpoint.parse(read_bounded(path, MOST_BYTES), key)
        if pending.size < current.size:
            raise IntegrityError("it announces fewer entries than there are")
    except IntegrityError as error:
        result.found(PENDING, str(error))
        return None
    result.notes.append(
        f"an append of {pending.size - current.size} entries was not finished; the next one settles it"
    )
    return pending


def _check_kept(
    path: Path, tree: TileFolder, current: Checkpoint, key: VerifierKey | None, result: Verification
) -> None:
    """A checkpoint that was kept elsewhere."""
    try:
        kept = Checkpoint.parse(read_bounded(path, MOST_BYTES))
    except IntegrityError as error:
        raise DataError(str(error), file=path) from None
    try:
        if key is not None:
            kept = Checkpoint.parse(kept.encode(), key)
        if kept.size > tree.size:
            raise IntegrityError(
                f"it has {kept.size} entries, the ledger only {tree.size}: entries were cut off or replaced"
            )
        if kept.size and tree.subtree(0, kept.size) != kept.root:
            raise IntegrityError(
                f"its first {kept.size} entries are not those of the ledger: history was forked"
            )
    except IntegrityError as error:
        result.found(f"checkpoint kept at {path}", str(error))
