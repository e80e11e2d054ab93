"""The ledger: what is appended stays, what is altered is found and located."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_merkle import naive_root

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance.adding import add_files
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.entries import Entry, FileRecord, now
from foretaste.provenance.keys import load_private
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.merkle import leaf_hash
from foretaste.provenance.tiles import decode_bundle, encode_bundle, tile_path, tiles_of
from foretaste.provenance.verification import verify


def notes(first: int, last: int) -> list[Entry]:
    return [Entry("note", now(), note=f"note {i}") for i in range(first, last)]


def told(folder: Path, **settings: object) -> str:
    return "\n".join(map(str, verify(folder, **settings).problems))  # type: ignore[arg-type]


def test_the_root_is_that_of_an_independent_implementation_at_every_size(ledger: Ledger) -> None:
    entries: list[bytes] = []
    for step in (1, 1, 2, 250, 3, 300):
        more = notes(len(entries), len(entries) + step)
        assert list(ledger.append(more)) == list(range(len(entries), len(entries) + step))
        entries += [entry.encode() for entry in more]
        assert ledger.checkpoint.root == naive_root(entries)
    assert [entry.encode() for entry in ledger.entries()] == entries
    assert [entry.encode() for entry in ledger.entries(start=300)] == entries[300:]
    assert ledger.raw_entry(256) == entries[256]
    files = (path for path in (ledger.folder / "tile").rglob("*") if path.is_file())
    on_disk = {path.relative_to(ledger.folder).as_posix() for path in files}
    assert on_disk == {tile_path(tile) for tile in tiles_of(557)}  # older partial tiles are gone
    assert verify(ledger.folder).intact


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    counted: dict[tuple[object, int], int] = {}
    for level, _, width in tiles_of(70_000):
        counted[level, width] = counted.get((level, width), 0) + 1
    hashes = {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert counted == hashes | {("entries", 256): 273, ("entries", 112): 1}


@settings(max_examples=80)
@given(st.data())
def test_any_flipped_bit_of_any_file_is_found_and_located(
    filled: Ledger, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    files = sorted(path for path in filled.folder.rglob("*") if path.is_file() and path.stat().st_size)
    path = data.draw(st.sampled_from(files))
    at = data.draw(st.integers(0, path.stat().st_size - 1))
    copy = tmp_path_factory.mktemp("flip") / "ledger"
    shutil.copytree(filled.folder, copy)
    flipped = copy / path.relative_to(filled.folder)
    held = bytearray(flipped.read_bytes())
    held[at] ^= 1 << data.draw(st.integers(0, 7))
    flipped.write_bytes(held)
    assert path.relative_to(filled.folder).as_posix() in told(copy)
    shutil.rmtree(copy)


def test_an_intact_copy_of_a_ledger_is_intact(copied: Path) -> None:
    found = verify(copied)
    assert (found.problems, found.notes) == ([], [])
    assert (found.entries, found.files) == (262, 5)


def test_an_altered_entry_is_named(copied: Path) -> None:
    bundle = copied / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b'"note 17"', b'"note 71"'))
    assert told(copied) == "entry 17: it was altered, in tile/entries/000"


def test_an_altered_hash_is_told_from_an_altered_entry(copied: Path) -> None:
    tile = copied / "tile" / "0" / "000"
    held = bytearray(tile.read_bytes())
    held[32 * 17] ^= 1
    tile.write_bytes(held)
    assert told(copied) == "tile/0/000: the hash of entry 17 was altered"


def test_entries_that_changed_places_are_named(copied: Path) -> None:
    bundle = copied / "tile" / "entries" / "000"
    held = bundle.read_bytes()
    bundle.write_bytes(
        held.replace(b'"note 17"', b'"note XX"')
        .replace(b'"note 71"', b'"note 17"')
        .replace(b'"note XX"', b'"note 71"')
    )
    assert "entry 17:" in told(copied)
    assert "entry 71:" in told(copied)


def test_history_rewritten_with_all_its_hashes_is_found_without_the_key(copied: Path, tmp_path: Path) -> None:
    entries = list(Ledger(copied).tiles().entries())
    entries[17] = entries[17].replace(b"note 17", b"forged!")
    forged = Ledger.create(
        tmp_path / "forged", name=Ledger(copied).verifier.name, key=tmp_path / "mallory.pem"
    )
    forged.append_raw(entries)
    shutil.rmtree(copied / "tile")
    shutil.copytree(forged.folder / "tile", copied / "tile")
    assert "history was rewritten" in told(copied)
    shutil.copy(forged.folder / "checkpoint", copied / "checkpoint")
    assert "checkpoint: it is not signed by" in told(copied)


def test_entries_altered_together_with_their_hashes_are_located_by_the_tile_above(copied: Path) -> None:
    bundle, tile = copied / "tile/entries/000", copied / "tile/0/000"
    bundle.write_bytes(bundle.read_bytes().replace(b"note 17", b"forged!"))
    tile.write_bytes(b"".join(map(leaf_hash, decode_bundle(bundle.read_bytes()))))
    assert "tile/1/000.p/1: it was altered, or the entries 0 to 255 were" in told(copied)
    assert "history was rewritten" in told(copied)


def test_only_a_key_or_checkpoint_kept_elsewhere_shows_a_ledger_replaced_as_a_whole(
    copied: Path, filled: Ledger, tmp_path: Path
) -> None:
    forged = Ledger.create(tmp_path / "forged", name=filled.verifier.name, key=tmp_path / "mallory.pem")
    forged.append(notes(0, 3))
    assert verify(forged.folder).intact
    assert "not the key you trust" in told(forged.folder, key=filled.verifier)
    assert "not signed by" in told(forged.folder, checkpoints=[filled.folder / "checkpoint"])


@pytest.mark.parametrize(("forked_at", "what"), [(2, "history was forked"), (5, "")])
def test_a_forked_history_signed_with_the_key_is_found_by_a_checkpoint_kept_elsewhere(
    tmp_path: Path, forked_at: int, what: str
) -> None:
    genuine = Ledger.create(tmp_path / "one", name="log", key=tmp_path / "key.pem")
    genuine.append(notes(0, 5))
    shutil.copy(genuine.folder / "checkpoint", tmp_path / "kept")
    entries = list(genuine.tiles().entries())
    forked = Ledger.create(tmp_path / "two", name="log", key=tmp_path / "key.pem")
    forked.append_raw(entries[:forked_at])
    forked.append(notes(100, 110))
    assert verify(forked.folder).intact
    assert what in told(forked.folder, checkpoints=[tmp_path / "kept"])
    assert bool(what) == bool(told(forked.folder, checkpoints=[tmp_path / "kept"]))


def test_a_truncated_ledger_is_found(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "ledger")
    ledger.append(notes(0, 3))
    shutil.copytree(ledger.folder, tmp_path / "older")
    ledger.append(notes(3, 5))
    shutil.copy(tmp_path / "older" / "checkpoint", ledger.folder / "checkpoint")
    assert "tile/entries/000.p/3: it is missing, but there is one with more entries" in told(ledger.folder)
    shutil.copy(
        tmp_path / "older" / "tile" / "entries" / "000.p" / "3", ledger.folder / "tile" / "entries" / "000.p"
    )
    shutil.copy(tmp_path / "older" / "tile" / "0" / "000.p" / "3", ledger.folder / "tile" / "0" / "000.p")
    assert "tile/entries/000.p/5: it lies beyond the signed entries" in told(ledger.folder)


def test_a_whole_ledger_set_back_to_an_older_state_is_found_by_a_later_checkpoint(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "ledger")
    ledger.append(notes(0, 3))
    shutil.copytree(ledger.folder, tmp_path / "older")
    ledger.append(notes(3, 5))
    assert verify(tmp_path / "older").intact
    assert "entries were cut off" in told(tmp_path / "older", checkpoints=[ledger.folder / "checkpoint"])
    assert verify(ledger.folder, checkpoints=[tmp_path / "older" / "checkpoint"]).intact


def test_removed_and_added_files_are_found(copied: Path) -> None:
    (copied / "data" / "here.csv").unlink()
    (copied / "data" / "poison.csv").write_text("a,label\n3,y\n")
    (copied / "tile" / "0" / "009").write_bytes(bytes(32))
    (copied / "tile" / "1" / "000.p" / "1").unlink()
    (copied / "store" / "ab").mkdir(exist_ok=True)
    (copied / "store" / "ab" / "cd").write_text("stray")
    found = told(copied)
    for path in ("data/here.csv", "data/poison.csv", "tile/0/009", "tile/1/000.p/1", "store/ab/cd"):
        assert f"{path}: " in found


def test_a_link_in_place_of_a_file_is_found(copied: Path, tmp_path: Path) -> None:
    here = copied / "data" / "here.csv"
    shutil.copy(here, tmp_path / "same.csv")
    here.unlink()
    here.symlink_to(tmp_path / "same.csv")
    assert "data/here.csv: " in told(copied)


def test_a_file_in_place_is_what_the_last_entry_about_it_says(ledger: Ledger) -> None:
    path = ledger.folder / "train.csv"
    path.write_text("a\n1\n")
    add_files(ledger, [path])
    path.write_text("a\n2\n")
    assert "train.csv: it was altered" in told(ledger.folder)
    add_files(ledger, [path])
    assert verify(ledger.folder).intact


def test_an_entry_cannot_name_a_file_outside_the_folder(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    record = FileRecord("../secret", "0" * 64, 1, "place")
    ledger.append([Entry("ingest", now(), (record,))])
    assert "outside the ledger's folder" in told(ledger.folder)


def test_nothing_is_signed_on_top_of_an_altered_edge(copied: Path, filled: Ledger) -> None:
    bundle = copied / "tile" / "entries" / "001.p" / "6"
    bundle.write_bytes(bundle.read_bytes().replace(b"note 257", b"note 752"))
    with pytest.raises(IntegrityError, match="run foretaste ledger verify"):
        Ledger(copied, key=filled.key_path).append(notes(0, 1))


def test_a_foreign_private_key_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger.create(tmp_path / "other")
    with pytest.raises(DataError, match="not the private key of"):
        Ledger(ledger.folder, key=other.key_path).append(notes(0, 1))
    with pytest.raises(DataError, match="name it with --key"):
        Ledger(ledger.folder, key=tmp_path / "nowhere.pem").append(notes(0, 1))


def test_the_private_key_is_for_its_owner_only_and_not_in_the_ledger(ledger: Ledger) -> None:
    assert ledger.key_path.stat().st_mode & 0o777 == 0o600
    assert not ledger.key_path.is_relative_to(ledger.folder)
    secret = load_private(ledger.key_path).private_bytes_raw()
    assert all(secret not in path.read_bytes() for path in ledger.folder.rglob("*") if path.is_file())
    ledger.key_path.chmod(0o644)
    with pytest.raises(DataError, match="chmod 600"):
        load_private(ledger.key_path)


def test_an_entry_that_is_too_long_is_refused(ledger: Ledger) -> None:
    with pytest.raises(DataError, match="put what it says into a file"):
        ledger.append([Entry("note", now(), note="x" * 70_000)])
    assert len(ledger) == 0


def test_a_checkpoint_that_claims_astronomic_sizes_ends_soon(copied: Path, filled: Ledger) -> None:
    key = load_private(filled.key_path)
    huge = Checkpoint.sign(filled.verifier.name, 2**62, bytes(32), key)
    (copied / "checkpoint").write_bytes(huge.encode())
    assert "entries from 256 on" in told(copied)


def test_bundles_and_leaves_are_those_of_the_specification(ledger: Ledger) -> None:
    entries = [entry.encode() for entry in notes(0, 2)]
    ledger.append_raw(entries)
    bundle = (ledger.folder / "tile/entries/000.p/2").read_bytes()
    assert bundle == encode_bundle(entries)
    assert bundle[:2] == len(entries[0]).to_bytes(2, "big")
    assert (ledger.folder / "tile/0/000.p/2").read_bytes() == b"".join(map(leaf_hash, entries))
