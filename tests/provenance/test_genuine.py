"""Entries that were compared with the signed root are looked through without reading all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from foretaste.provenance.entries import KINDS, Entry
from foretaste.provenance.genuine import GenuineEntries

TIME = "2026-11-26T17:00:00.000000Z"
NOTES = st.sampled_from(["", "x", '"kind":"run"', "\n", '","kind":"version"']) | st.text(max_size=5)
ENTRIES = st.lists(st.tuples(st.sampled_from(KINDS), NOTES), max_size=12)


@given(ENTRIES, st.integers(0, 12), st.sets(st.sampled_from(KINDS), max_size=3))
def test_entries_of_a_kind_are_found_whatever_others_say(
    said: list[tuple[str, str]], start: int, kinds: set[str]
) -> None:
    made = [Entry(kind, TIME, note=note, details={"kind": note}) for kind, note in said]
    entries = GenuineEntries([entry.encode() for entry in made])
    start = min(start, len(made))
    found = list(entries.of_kinds(*sorted(kinds), start=start))
    assert found == [(n, one) for n, one in enumerate(made) if one.kind in kinds and n >= start]
    assert list(entries) == made


def test_no_text_is_found_across_two_entries() -> None:
    made = [Entry("note", TIME, note="a").encode(), Entry("note", TIME, note="b").encode()]
    entries = GenuineEntries(made)
    assert [number for number, _ in entries.holding('"note":"b"')] == [1]
    assert not list(entries.holding("}{"))
    assert [number for number, _ in entries.holding("note")] == [0, 1]
