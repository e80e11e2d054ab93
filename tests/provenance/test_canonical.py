"""Canonical JSON: the bytes are those of the standard library's encoder, whichever way they are made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.errors import DataError
from foretaste.provenance import canonical
from foretaste.provenance.entries import KINDS, Entry, FileRecord

TIME = "2026-11-26T17:00:00.000000Z"
TEXT = st.text(max_size=8)
KEYS = st.text(st.characters(max_codepoint=127), max_size=5)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.builds(
    FileRecord, TEXT, TEXT, st.integers(0, 2**53 - 1), st.sampled_from(["store", "place"]), st.booleans()
)


def by_the_library(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@given(VALUES)
def test_the_bytes_are_sorted_without_spaces_and_read_back(value: Any) -> None:
    assert canonical.encode(value) == by_the_library(value)
    assert canonical.decode(canonical.encode(value), "it") == value


@given(
    st.sampled_from(KINDS), st.lists(RECORDS, max_size=3), st.none() | TEXT, st.none() | TEXT,
    st.dictionaries(KEYS, VALUES, max_size=3),
)  # fmt: skip
def test_an_entry_is_written_as_its_object_would_be(
    kind: str, files: list[FileRecord], source: str | None, note: str | None, details: dict[str, Any]
) -> None:
    value: dict[str, Any] = {"schema": 1, "kind": kind, "time": TIME}
    value |= {"files": [file.as_json() for file in files]} if files else {}
    value |= {key: said for key, said in (("source", source), ("note", note)) if said is not None}
    value |= {"details": details} if details else {}
    made = Entry(kind, TIME, tuple(files), source, note, details)
    assert made.encode() == by_the_library(value) == canonical.encode(value)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        float("nan"),
        2**53,
        -(2**53),
        {1: 2},
        {"a": 1, 2: 3},
        {"ä": 1},
        b"x",
        {1, 2},
        "\ud800",
        nested(5000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_one_form_is_refused(value: Any) -> None:
    with pytest.raises(DataError):
        canonical.encode(value)
    with pytest.raises(DataError):
        Entry("note", TIME, details={"value": value}).encode()
