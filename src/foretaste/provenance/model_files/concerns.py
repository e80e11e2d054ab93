"""What an inspection of a model file says: concerns, each with its place and reason, and one verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["dangerous", "malformed", "unknown", "note"]
Verdict = Literal["dangerous", "malformed", "unknown", "safe"]

LEVELS: tuple[Level, ...] = ("dangerous", "malformed", "unknown", "note")
"""From worst to harmless."""
MOST = 1000
"""Concerns kept per file; the rest are counted."""


@dataclass(frozen=True)
class Concern:
    """One thing about a model file that a person should know before loading it.

    Attributes
    ----------
    level : {"dangerous", "malformed", "unknown", "note"}
        ``dangerous`` is known to run code, reach outside the file or hide what is loaded; ``malformed``
        breaks the format; ``unknown`` cannot be judged; a ``note`` does no harm.
    kind : str
        What it is, as a stable slug: ``dangerous-import``.
    reason : str
        One sentence for a person. Text from the file is in it as it stands: make it visible before showing.
    member : str
        The part of an archive it is in, ``a.zip/data.pkl``; empty for the file itself.
    position : int or None
        Byte offset in that part.
    """

    level: Level
    kind: str
    reason: str
    member: str = ""
    position: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "level": self.level,
            "kind": self.kind,
            "reason": self.reason,
            "member": self.member,
            "position": self.position,
        }


@dataclass
class Inspection:
    """What one model file holds, as far as that can be said without loading it.

    Attributes
    ----------
    path, format, sha256 : str
    bytes : int
    concerns : list of Concern
        At most `MOST`.
    omitted : int
        Concerns beyond those.
    imports : dict
        Names a pickle imports, ``module.name``, with how often.
    parts : list of str
        Formats found inside, each once.
    """

    path: str
    format: str = "unknown"
    sha256: str = ""
    bytes: int = 0
    concerns: list[Concern] = field(default_factory=list)
    omitted: int = 0
    imports: dict[str, int] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)

    def add(self, concern: Concern) -> None:
        """Keep a concern, at most `MOST`; a dangerous one always finds a place."""
        if len(self.concerns) < MOST:
            self.concerns.append(concern)
            return
        self.omitted += 1
        if concern.level == "dangerous" and self.verdict != "dangerous":
            self.concerns[-1] = concern

    def holds(self, format: str) -> None:
        """Note a format met inside."""
        if format not in self.parts:
            self.parts.append(format)

    @property
    def verdict(self) -> Verdict:
        """The worst level among the concerns; ``safe`` where there are only notes."""
        levels = {concern.level for concern in self.concerns}
        for level in LEVELS[:3]:
            if level in levels:
                return level  # type: ignore[return-value]
        return "safe"

    def as_json(self) -> dict[str, Any]:
        """As a JSON object, the worst concern first."""
        ordered = sorted(self.concerns, key=lambda concern: LEVELS.index(concern.level))
        return {
            "schema": 1,
            "path": self.path,
            "format": self.format,
            "parts": self.parts,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "verdict": self.verdict,
            "concerns": [concern.as_json() for concern in ordered],
            "omitted": self.omitted,
            "imports": self.imports,
        }


__all__ = ["LEVELS", "MOST", "Concern", "Inspection", "Level", "Verdict"]
