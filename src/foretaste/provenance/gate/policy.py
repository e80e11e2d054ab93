"""The policy of a gate: the tables ``[gate]`` and ``[access]`` of ``foretaste.toml``."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from foretaste.errors import ConfigError, IntegrityError
from foretaste.provenance.gate.access import Access, parse_access
from foretaste.provenance.note import VerifierKey

SEVERITIES = ("critical", "high", "medium", "low", "info")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Policy:
    """What data and models must fulfil. What is None or empty is not asked for.

    Attributes
    ----------
    ledger : Path or None
        The ledger in which data and models must be recorded.
    dataset : str or None
        Name of the data set whose versions new data are compared with.
    label, id : str or None
        Its columns with the label and with what identifies a row, for changed labels.
    allowed_sources : tuple of str
        The only sources that rows may come from.
    sources : Path or None
        The policy of sources (`foretaste.provenance.sources`), as it is now: what it would not accept any
        more is blocked.
    require_signatures : bool
        Whether everything ingested must have come with a signature of its source that was verified.
    findings : Path or None
        The folder of a scan of exactly these data.
    max_findings : mapping of str to int
        By severity, how many findings are let through.
    max_flagged : float or None
        Largest share of flagged rows.
    approvals : int
        How many people must have approved.
    approval_role : str
    max_drift : float or None
        Largest drift from the last version with the approvals that are asked for, 0 to 1
        (`foretaste.provenance.gate.drift`).
    witnesses : tuple of VerifierKey
    witnessed_checkpoint : Path or None
        A checkpoint of the ledger with cosignatures of the witnesses.
    witness_count : int
    witness_age : int
        Seconds that must have passed since they signed.
    allow_imports : tuple of str
        Names that model files may import besides those known to be harmless.
    allow_unknown_models : bool
        Whether model files that cannot be judged are let through.
    access : Access
    file : Path or None
        Where the policy was read.
    """

    ledger: Path | None = None
    dataset: str | None = None
    label: str | None = None
    id: str | None = None
    allowed_sources: tuple[str, ...] = ()
    sources: Path | None = None
    require_signatures: bool = False
    findings: Path | None = None
    max_findings: Mapping[str, int] = field(default_factory=dict)
    max_flagged: float | None = None
    approvals: int = 0
    approval_role: str = "approve"
    max_drift: float | None = None
    witnesses: tuple[VerifierKey, ...] = ()
    witnessed_checkpoint: Path | None = None
    witness_count: int = 1
    witness_age: int = 0
    allow_imports: tuple[str, ...] = ()
    allow_unknown_models: bool = False
    access: Access = field(default_factory=Access)
    file: Path | None = None


def load_policy(file: str | Path) -> Policy:
    """Read the policy of a file.

    Raises
    ------
    ConfigError
        Where it is missing or no TOML, has no ``[gate]``, or a key or value that cannot be used.
    """
    path = Path(file)
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: the policy cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this is not TOML: {error}") from None
    table = document.get("gate")
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: there is no table [gate]; write one with what must be fulfilled")
    values: dict[str, Any] = {"file": path}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in _CHECKS:
            close = difflib.get_close_matches(name, _CHECKS, n=1)
            known = ", ".join(one.replace("_", "-") for one in _CHECKS)
            hint = f"did you mean {close[0].replace('_', '-')!r}?" if close else f"there are {known}"
            raise ConfigError(f"{path}: [gate] has no {key!r}; {hint}")
        values[name] = _CHECKS[name](value, f"{path}: {key}")
        if isinstance(values[name], Path):
            values[name] = path.parent / values[name]
    if "access" in document:
        values["access"] = parse_access(document["access"], str(path))
    policy = Policy(**values)
    if policy.ledger is None and (wanting := _need_ledger(policy)):
        raise ConfigError(f"{path}: {wanting} needs a ledger; name it with ledger = 'FOLDER'")
    return policy


def find_policy(folder: Path) -> Path:
    """The nearest ``foretaste.toml`` upwards; raises `ConfigError` where there is none."""
    for place in (folder.resolve(), *folder.resolve().parents):
        if (place / "foretaste.toml").is_file():
            return place / "foretaste.toml"
    raise ConfigError("there is no foretaste.toml here or above; name the policy with --policy FILE")


def _need_ledger(policy: Policy) -> str | None:
    asked = {
        "allowed-sources": policy.allowed_sources,
        "sources": policy.sources,
        "require-signatures": policy.require_signatures,
        "approvals": policy.approvals,
        "max-drift": policy.max_drift is not None,
        "witnessed-checkpoint": policy.witnessed_checkpoint,
    }
    return next((name for name, wanted in asked.items() if wanted), None)


def _wrong(value: Any, where: str, use: str) -> ConfigError:
    return ConfigError(f"{where} is {str(value)[:60]!r}; use {use}")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(value, where, "text")
    return value


def _path(value: Any, where: str) -> Path:
    return Path(_text(value, where))


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(value, where, "a list of text")
    return tuple(value)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, where, "true or false")
    return value


def _whole(value: Any, where: str) -> int:
    if type(value) is not int or value < 0:
        raise _wrong(value, where, "a whole number from 0")
    return value


def _share(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _wrong(value, where, "a number from 0 to 1")
    return float(value)


def _severities(value: Any, where: str) -> dict[str, int]:
    if not isinstance(value, dict) or not set(value) <= set(SEVERITIES):
        raise _wrong(value, where, f"a table of {', '.join(SEVERITIES)}")
    return {name: _whole(count, f"{where}.{name}") for name, count in value.items()}


def seconds(value: Any, where: str) -> int:
    """A span of time such as ``36h`` in seconds.

    Examples
    --------
    >>> seconds("2d", "witness-age")
    172800
    """
    match = re.fullmatch(r"(\d{1,9})([smhd])", value) if isinstance(value, str) else None
    if match is None:
        raise _wrong(value, where, "a span such as '90s', '30m', '36h' or '2d'")
    return int(match[1]) * _UNITS[match[2]]


def _keys(value: Any, where: str) -> tuple[VerifierKey, ...]:
    try:
        return tuple(VerifierKey.parse(text) for text in _texts(value, where))
    except IntegrityError as error:
        raise ConfigError(f"{where}: this is no public key: {error}") from None


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "ledger": _path,
    "dataset": _text,
    "label": _text,
    "id": _text,
    "allowed_sources": _texts,
    "sources": _path,
    "require_signatures": _flag,
    "findings": _path,
    "max_findings": _severities,
    "max_flagged": _share,
    "approvals": _whole,
    "approval_role": _text,
    "max_drift": _share,
    "witnesses": _keys,
    "witnessed_checkpoint": _path,
    "witness_count": _whole,
    "witness_age": seconds,
    "allow_imports": _texts,
    "allow_unknown_models": _flag,
}
assert set(_CHECKS) | {"access", "file"} == {one.name for one in fields(Policy)}

__all__ = ["SEVERITIES", "Policy", "find_policy", "load_policy", "seconds"]
