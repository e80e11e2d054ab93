"""Who may deliver data: sources, their keys over time, and what happens to batches that are not signed right.

The policy is a TOML file::

    schema = 1
    unknown = "refuse"                 # sources that are not listed: refuse (default) or quarantine

    [source.vendor-a]
    unsigned = "refuse"                # batches without a signature: refuse (default), quarantine, accept
    wrongly-signed = "quarantine"      # refuse (default) or quarantine; never accept
    [[source.vendor-a.key]]
    key = "vendor-a+1a2b3c4d+AbCd..."  # as foretaste keys new prints it
    from = 2026-01-01                  # optional: not trusted before
    until = 2027-01-01                 # optional: not trusted from then on (rotation)
    revoked = 2026-06-01T12:00:00Z     # optional: not trusted from then on, and what came since is suspect
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from foretaste.errors import ConfigError, IntegrityError
from foretaste.provenance.note import VerifierKey

ACTIONS = ("refuse", "quarantine", "accept")


@dataclass(frozen=True)
class SourceKey:
    """A key of a source, and when it is trusted."""

    key: VerifierKey
    start: datetime | None = None
    until: datetime | None = None
    revoked: datetime | None = None

    def trusted_at(self, moment: datetime) -> bool:
        """Whether a batch that arrives at this moment may be signed with it."""
        return self.why_not(moment) is None

    def why_not(self, moment: datetime) -> str | None:
        """Why it is not trusted at a moment; None where it is."""
        name = f"the key {self.key.name} ({self.key.id.hex()})"
        if self.start is not None and moment < self.start:
            return f"{name} is trusted only from {self.start:%Y-%m-%d %H:%M} UTC on"
        if self.revoked is not None and moment >= self.revoked:
            return f"{name} was revoked as of {self.revoked:%Y-%m-%d %H:%M} UTC"
        if self.until is not None and moment >= self.until:
            return f"{name} was trusted only until {self.until:%Y-%m-%d %H:%M} UTC"
        return None


@dataclass(frozen=True)
class Source:
    """A source that is known, its keys, and what happens to batches that are not signed right."""

    name: str
    keys: tuple[SourceKey, ...] = ()
    unsigned: str = "refuse"
    wrongly_signed: str = "refuse"


@dataclass(frozen=True)
class SourcePolicy:
    """Which sources may deliver data.

    Attributes
    ----------
    sources : mapping
        By name: the allow-list.
    unknown : str
        ``refuse`` or ``quarantine`` what comes from anybody else.
    sha256 : str or None
        Of the file it was read from.
    """

    sources: Mapping[str, Source] = field(default_factory=dict)
    unknown: str = "refuse"
    sha256: str | None = None

    @classmethod
    def read(cls, path: str | Path) -> SourcePolicy:
        """Read a policy file; raises `ConfigError` naming the file and the key that cannot be used."""
        file = Path(path)
        try:
            data = file.read_bytes()
            document = tomllib.loads(data.decode())
        except FileNotFoundError:
            raise ConfigError(
                f"{file}: there is no list of sources; write one (docs/provenance.md) or name another"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: this is not TOML: {error}") from None
        if document.get("schema") != 1:
            raise ConfigError(f"{file}: it does not begin with schema = 1")
        check = _Checked(file, document, ("schema", "unknown", "source"))
        listed = check.table("source")
        sources = {name: _source(file, name, listed[name]) for name in listed}
        unknown = check.action("unknown", ("refuse", "quarantine"))
        return cls(sources, unknown, hashlib.sha256(data).hexdigest())


def _source(file: Path, name: str, value: Any) -> Source:
    where = f"source.{name}"
    check = _Checked(file, value, ("unsigned", "wrongly-signed", "key"), where)
    keys = value.get("key", [])
    if not isinstance(keys, list):
        raise ConfigError(f"{file}: {where}.key is no list; write [[{where}.key]]")
    return Source(
        name,
        tuple(_key(file, key, f"{where}.key") for key in keys),
        check.action("unsigned", ACTIONS),
        check.action("wrongly-signed", ("refuse", "quarantine")),
    )


def _key(file: Path, value: Any, where: str) -> SourceKey:
    check = _Checked(file, value, ("key", "from", "until", "revoked"), where)
    try:
        key = VerifierKey.parse(str(value.get("key", "")))
    except IntegrityError as error:
        raise ConfigError(f"{file}: {where}.key: {error}") from None
    return SourceKey(key, check.moment("from"), check.moment("until"), check.moment("revoked"))


class _Checked:
    """A table of the policy, its values taken out by type."""

    def __init__(self, file: Path, table: Any, known: tuple[str, ...], where: str = "") -> None:
        self.file = file
        self.where = f"{where}." if where else ""
        if not isinstance(table, dict):
            raise ConfigError(f"{file}: {where} is no table")
        self.values = table
        for key in table:
            if key not in known:
                raise ConfigError(
                    f"{file}: there is no setting {self.where}{key}; there are {', '.join(known)}"
                )

    def action(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.values.get(key, "refuse")
        if value not in allowed:
            raise ConfigError(f"{self.file}: {self.where}{key} is {value!r}; use {' or '.join(allowed)}")
        return str(value)

    def table(self, key: str) -> dict[str, Any]:
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise ConfigError(f"{self.file}: {self.where}{key} is no table")
        return value

    def moment(self, key: str) -> datetime | None:
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC)
        raise ConfigError(f"{self.file}: {self.where}{key} is {value!r}; write a date such as 2026-06-01")
