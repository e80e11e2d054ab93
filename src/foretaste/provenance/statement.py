"""in-toto statements: something is said about files that are named by their hashes.

Reference: in-toto Attestation Framework, Statement v1, https://in-toto.io/Statement/v1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foretaste.errors import IntegrityError

TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""Type of the bytes in a DSSE envelope."""


@dataclass(frozen=True)
class Subject:
    """A file by its name and its SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Statement:
    """A statement.

    Parameters
    ----------
    subjects : tuple of Subject
        What it is about.
    predicate_type : str
        A URI that says what kind of statement it is.
    predicate : mapping
        What is said, as JSON.

    Examples
    --------
    >>> made = Statement((Subject("a.csv", "00" * 32),), "urn:example", {"colour": "red"})
    >>> Statement.parse(made.encode()) == made
    True
    """

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    def encode(self) -> bytes:
        """The statement as JSON."""
        subjects = [{"name": one.name, "digest": {"sha256": one.sha256}} for one in self.subjects]
        value = {"_type": TYPE, "subject": subjects, "predicateType": self.predicate_type}
        return json.dumps({**value, "predicate": dict(self.predicate)}, ensure_ascii=False).encode()

    @classmethod
    def parse(cls, data: bytes) -> Statement:
        """Read a statement; subjects without a SHA-256 are left out.

        Raises
        ------
        IntegrityError
            Where it is none.
        """
        try:
            value = json.loads(data)
            subjects = tuple(_subjects(value["subject"]))
            read = cls(subjects, value["predicateType"], value.get("predicate") or {})
            if value["_type"] != TYPE or not isinstance(read.predicate_type, str):
                raise TypeError
            if not isinstance(read.predicate, dict):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise IntegrityError("this is no in-toto statement v1") from None
        return read


def _subjects(listed: Sequence[Mapping[str, Any]]) -> list[Subject]:
    found = []
    for one in listed:
        sha256 = one["digest"].get("sha256")
        if isinstance(sha256, str):
            found.append(Subject(str(one.get("name", "")), sha256.lower()))
    return found
