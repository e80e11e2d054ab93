"""Running a command and writing down what went in, what came out, with what command and environment."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from foretaste import __version__
from foretaste.data import file_sha256
from foretaste.errors import ConfigError, DataError
from foretaste.provenance.lineage.activity import Activity, Artefact
from foretaste.provenance.lineage.carried import DataShape, carried_rows, shape

MODELS = frozenset(
    {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".safetensors", ".onnx", ".skops", ".keras"}
    | {".h5", ".gguf", ".bin", ".model"}
)
"""Endings of file names that are taken for models."""
_SECRET = re.compile(r"(?i)pass(?:word|wd)?|secret|token|api.?key|credential|auth")
_PACKAGES = 500


@dataclass(frozen=True)
class _Seen:
    """A file before the command ran: its hash and, for data, its rows."""

    sha256: str
    shape: DataShape | None


def capture(
    command: Sequence[str],
    *,
    time: str,
    inputs: Sequence[Path] = (),
    outputs: Sequence[Path] = (),
    rows: bool = True,
) -> Activity:
    """Run a command and say what it read and wrote.

    Files named in the command line count by themselves: those that are new or changed afterwards are outputs,
    the others inputs. Whether a file that was written over had been read before cannot be seen: it is an
    output only, unless ``inputs`` names it as well, as for training that goes on from a checkpoint.

    Parameters
    ----------
    command : sequence of str
    time : str
        When, as the record says it.
    inputs, outputs : sequence of Path
        Files and folders that the command line does not name.
    rows : bool
        Whether data files are compared row by row.

    Returns
    -------
    Activity
        Of kind ``train`` where a model came out, else ``run``; ``details["exit"]`` is the exit status.

    Raises
    ------
    ConfigError
        Where the command cannot be started or an input is not there.
    """
    if not command:
        raise ConfigError("there is no command; write foretaste run -- COMMAND ...")
    for path in inputs:
        if not _there(path):
            raise ConfigError(f"the input {str(path)!r} is no file or folder")
    named = _named(command)
    before = {path: _seen(path, rows) for path in dict.fromkeys((*named, *inputs, *outputs)) if _there(path)}
    try:
        status = subprocess.run(list(command), check=False).returncode
    except OSError as error:
        raise ConfigError(f"{command[0]!r} cannot be started ({error.strerror}); check its name") from None
    after = {path: _seen(path, rows) for path in dict.fromkeys((*named, *outputs)) if _there(path)}
    missing = [str(path) for path in outputs if path not in after]
    if missing and status == 0:
        raise DataError("the command ended without writing this output", file=missing[0])
    written = {p: seen for p, seen in after.items() if p not in before or before[p].sha256 != seen.sha256}
    read = {p: seen for p, seen in before.items() if p in inputs or (p not in outputs and p not in written)}
    return _activity(list(command), status, time, read, written)


def _activity(
    command: list[str], status: int, time: str, read: dict[Path, _Seen], written: dict[Path, _Seen]
) -> Activity:
    ins, outs = list(read.items()), list(written.items())
    carried = []
    for o, (path, seen) in enumerate(outs):
        if seen.shape is not None and path.suffix.lower() not in MODELS:
            found = carried_rows([one.shape for _, one in ins], seen.shape)
            carried += [(i, o, count) for i, count in found.items()]
    details: dict[str, Any] = {"command": redacted(command), "exit": status, "folder": Path.cwd().name}
    details["environment"] = environment()
    made = tuple(_artefact(path, seen) for path, seen in outs)
    kind = "train" if any(artefact.kind == "model" for artefact in made) else "run"
    return Activity(kind, time, tuple(_artefact(p, s) for p, s in ins), made, tuple(carried), details)


def _artefact(path: Path, seen: _Seen) -> Artefact:
    kind = "model" if path.suffix.lower() in MODELS else "data"
    return Artefact(kind, seen.sha256, path.name, None if seen.shape is None else seen.shape.rows)


def _named(command: Sequence[str]) -> list[Path]:
    """Files that a command line names, there or not; folders only where they are given apart."""
    program = shutil.which(command[0])
    found = []
    for word in command[1:] if program else command:
        for part in {word, word.partition("=")[2]}:
            path = Path(part)
            plausible = part and not part.startswith("-") and len(part) < 4096 and "\0" not in part
            if plausible and not path.is_dir() and (path.is_file() or path.suffix):
                found.append(path)
    return found


def _there(path: Path) -> bool:
    """Whether it is something to hash; a pipe or a device would never end."""
    return path.is_file() or path.is_dir()


def _seen(path: Path, rows: bool) -> _Seen:
    sha256 = file_sha256(path)
    table = rows and (path.is_dir() or path.suffix.lower() not in MODELS)
    return _Seen(sha256, shape(path) if table else None)


def redacted(command: Sequence[str]) -> list[str]:
    """The command line without what looks like a secret.

    Examples
    --------
    >>> redacted(["fetch", "--token", "abc", "--password=x", "data.csv"])
    ['fetch', '--token', '***', '--password=***', 'data.csv']
    """
    shown, hide = [], False
    for word in command:
        name, equals, _ = word.partition("=")
        if hide:
            shown.append("***")
        elif equals and _SECRET.search(name):
            shown.append(f"{name}=***")
        else:
            shown.append(re.sub(r"://[^/@\s]+@", "://***@", word))
        hide = not hide and not equals and word.startswith("-") and bool(_SECRET.search(word))
    return shown


def environment() -> dict[str, Any]:
    """Python, platform and installed packages; no environment variables, which may hold secrets."""
    packages = sorted({f"{d.metadata['Name']}=={d.version}" for d in metadata.distributions()})
    digest = hashlib.sha256("\n".join(packages).encode()).hexdigest()
    return {
        "foretaste": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages[:_PACKAGES],
        "packages_sha256": digest,
    }


def with_versions(activity: Activity, versions: Sequence[tuple[Artefact, frozenset[str]]]) -> Activity:
    """The activity with files replaced by the version of a data set that consists of them, the newest first.

    Parameters
    ----------
    activity : Activity
    versions : sequence of (version, hashes of its files), oldest first
    """
    left = {artefact.key for artefact in activity.inputs}
    chosen = []
    for version, files in reversed(versions):
        if files and files <= left and not activity.carried:
            chosen.append(version)
            left -= files
    kept = tuple(artefact for artefact in activity.inputs if artefact.key in left)
    return replace(activity, inputs=(*kept, *chosen)) if chosen else activity


__all__ = ["MODELS", "capture", "environment", "redacted", "with_versions"]
