"""Which column plays which part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["label", "source", "time", "id", "text", "image", "feature", "unused"]


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column plays which part. ``features`` are the columns a model may learn from, text aside."""

    label: str | None = None
    source: str | None = None
    time: str | None = None
    id: str | None = None
    text: str | None = None
    image: str | None = None
    features: tuple[str, ...] = ()

    def named(self) -> dict[str, str]:
        """The single-column roles in use, ``{role: column}``."""
        pairs = {name: getattr(self, name) for name in ("label", "source", "time", "id", "text", "image")}
        return {role: column for role, column in pairs.items() if column is not None}


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """What was decided about one column and why.

    Attributes
    ----------
    column : str
    role : str
        ``label``, ``source``, ``time``, ``id``, ``text``, ``image``, ``feature`` or ``unused``.
    rule : str or None
        ``FT901`` equals the label, ``FT902`` constant, ``FT903`` row identifier, ``FT904`` other; None where
        there is nothing to remark.
    note : str
        One clause for a person; empty where there is nothing to say.
    """

    column: str
    role: Role
    rule: str | None = None
    note: str = ""
