"""Checkpoints, archives, safetensors, ONNX, skops, Keras: what is inside is looked at, what lies is said."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_pickles import MALICIOUS, Harm

from foretaste.errors import DataError
from foretaste.provenance.model_files import inspect_model

BAD = MALICIOUS["GLOBAL"]


def verdict(path: Path) -> str:
    return inspect_model(path).verdict


def kinds(path: Path) -> set[str]:
    return {concern.kind for concern in inspect_model(path).concerns}


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_pytorch_checkpoints_of_both_formats(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(5, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3))
    for new in (True, False):
        torch.save(net.state_dict(), tmp_path / "state.pt", _use_new_zipfile_serialization=new)
        found = inspect_model(tmp_path / "state.pt")
        assert (found.verdict, found.format) == ("safe", "PyTorch checkpoint")
        torch.save(net, tmp_path / "net.pt", _use_new_zipfile_serialization=new)
        assert verdict(tmp_path / "net.pt") == "safe"
        torch.save(
            {"net": net.state_dict(), "x": Harm()}, tmp_path / "bad.pt", _use_new_zipfile_serialization=new
        )
        assert verdict(tmp_path / "bad.pt") == "dangerous"
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(net))
    found = inspect_model(tmp_path / "plain.pkl")
    assert [concern.reason for concern in found.concerns] == [
        "it imports torch.storage._load_from_bytes, which is not known to be harmless"
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["m/data.pkl", "notes.txt", "m/data/7", "x.zip"])
def test_a_pickle_in_an_archive_is_found_whatever_its_name(tmp_path: Path, name: str, method: int) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.pkl", BAD)
    content = inner.getvalue() if name == "x.zip" else BAD
    assert verdict(zipped(tmp_path / "model.pt", {"m/version": b"3", name: content}, method)) == "dangerous"


def test_flags_and_checksums_that_stop_zipfile_do_not_stop_us(tmp_path: Path) -> None:
    path = zipped(tmp_path / "model.pt", {"m/data.pkl": BAD}, zipfile.ZIP_STORED)
    sound = path.read_bytes()
    at = sound.index(b"PK\x01\x02")
    for offset, value in (
        (8, b"\x01\x00"),
        (16, b"\0\0\0\0"),
        (10, b"\x08\x00"),
    ):  # encrypted; checksum; method
        path.write_bytes(sound[: at + offset] + value + sound[at + offset + len(value) :])
        found = inspect_model(path)
        assert found.verdict in ("dangerous", "malformed")
        assert "bad-member" in {concern.kind for concern in found.concerns}
    path.write_bytes(sound.replace(b"m/data.pkl", b"m/data.txt", 1))  # the local header lies
    assert {"bad-member", "dangerous-import"} <= kinds(path)
    path.write_bytes(BAD + sound)  # a pickle for one loader, an archive for the other
    assert {"prefixed-archive", "dangerous-import"} <= kinds(path)


def test_magic_numbers_that_are_opcodes_hide_nothing(tmp_path: Path) -> None:
    call = b"cos\nsystem\n(S'touch pwned'\ntR."
    for name, content in (
        ("m.gguf", b"GGUF\x03\0\0\0\0" + call),
        ("m.bz2", b"BZh9" + b"1" + bytes(10) + call),
    ):
        (tmp_path / name).write_bytes(content)
        assert verdict(tmp_path / name) in ("dangerous", "malformed"), name
    archive = zipped(tmp_path / "a.zip", {"weights": b"x"}).read_bytes()
    payload = b"cmylab\nrun\n(tR"  # known to nobody, and it never ends
    start = len(payload)
    shifted = bytearray(payload + archive)
    at = shifted.index(b"PK\x05\x06")
    (offset,) = struct.unpack_from("<I", shifted, at + 16)
    struct.pack_into("<I", shifted, at + 16, offset + start)  # offsets that make up for what stands before
    directory = shifted.index(b"PK\x01\x02")
    struct.pack_into("<I", shifted, directory + 42, start)
    (tmp_path / "b.zip").write_bytes(bytes(shifted))
    assert verdict(tmp_path / "b.zip") == "malformed"


def test_a_checkpoint_larger_than_what_may_be_unpacked_is_no_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foretaste.provenance.model_files.part.UNPACKED_BYTES", 2**16)
    members = {"m/data.pkl": pickle.dumps({"w": 1})} | {f"m/data/{i}": bytes(2**15) for i in range(8)}
    assert verdict(zipped(tmp_path / "m.pt", members, zipfile.ZIP_STORED)) == "safe"
    assert "too-large" in kinds(zipped(tmp_path / "m.pt", members | {"x": bytes(2**17)}))


def test_two_members_of_one_name_and_paths_that_lead_outside(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(1))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("data.pkl", pickle.dumps(2))
    assert kinds(tmp_path / "a.zip") == {"duplicate-member"}
    for name in ("../../etc/cron.d/x", "/etc/passwd", "C:\\x", "a/..\\..\\b"):
        assert "path-escape" in kinds(zipped(tmp_path / "b.zip", {name: b"x"}))
    assert kinds(zipped(tmp_path / "c.zip", {"lib/libhook.so.1": b"\x7fELF"})) == {"code-member"}


def test_tar_archives_and_packed_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "m.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("model/weights.bin")
        member.size = len(BAD)
        archive.addfile(member, io.BytesIO(BAD))
        link = tarfile.TarInfo("model/link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../../etc/passwd"
        archive.addfile(link)
    assert {"dangerous-import", "path-escape", "link"} <= kinds(tmp_path / "m.tar.gz")
    (tmp_path / "m.pkl.gz").write_bytes(gzip.compress(pickle.dumps([1, 2])))
    assert verdict(tmp_path / "m.pkl.gz") == "safe"


def test_bombs_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretaste.provenance.model_files.archives.MEMBER_BYTES", 2**20)
    zeros = bytes(2**24)
    assert "too-large" in kinds(zipped(tmp_path / "a.zip", {"data.pkl": zeros}))
    (tmp_path / "b.gz").write_bytes(gzip.compress(zeros))
    assert "too-large" in kinds(tmp_path / "b.gz")
    content = pickle.dumps(1)
    for _ in range(8):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("deeper.zip", content)
        content = inner.getvalue()
    (tmp_path / "c.zip").write_bytes(content)
    assert "too-deep" in kinds(tmp_path / "c.zip")


def test_numpy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(5))
    assert kinds(tmp_path / "a.npy") == set()
    np.save(tmp_path / "o.npy", np.array([{"a": 1}, None], dtype=object))
    assert (verdict(tmp_path / "o.npy"), kinds(tmp_path / "o.npy")) == ("safe", {"object-array"})
    np.savez(tmp_path / "o.npz", x=np.arange(3), y=np.array([Harm()], dtype=object))
    found = inspect_model(tmp_path / "o.npz")
    assert (found.verdict, {c.member for c in found.concerns}) == ("dangerous", {"y.npy"})
    (tmp_path / "b.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff{")
    assert verdict(tmp_path / "b.npy") == "malformed"


def safetensors(header: Any, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


SOUND = {"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}


def test_sound_safetensors(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(safetensors(SOUND, bytes(16)))
    found = inspect_model(tmp_path / "m.safetensors")
    assert (found.verdict, found.format, found.concerns) == ("safe", "safetensors", [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (safetensors(SOUND, bytes(15)), "take 16 bytes and the file has 15"),
        (safetensors(SOUND, bytes(17)), "take 16 bytes and the file has 17"),
        (safetensors({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 16]}}, bytes(16)), "needs 12"),
        (
            safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [4, 20]}}, bytes(20)),
            "leave a gap",
        ),
        (safetensors({"w": {"dtype": "X", "shape": [4], "data_offsets": [0, 4]}}, bytes(4)), "unknown type"),
        (safetensors({"w": {"dtype": "U8", "shape": [-4], "data_offsets": [0, 4]}}, bytes(4)), "no counts"),
        (safetensors(b'{"w":1,"w":2}'), "twice"),
        (safetensors(b"{" + b"[" * 100_000), "not sound JSON"),
        (struct.pack("<Q", 2**40) + b"{}", "claims"),
        (
            safetensors(
                {
                    "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                    "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]},
                },
                bytes(6),
            ),
            "overlap",
        ),
    ],
)
def test_safetensors_that_lie(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    found = inspect_model(tmp_path / "m.safetensors")
    assert found.verdict == "malformed"
    assert said in found.concerns[0].reason


def test_a_pickle_called_safetensors_is_a_pickle(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(BAD)
    assert verdict(tmp_path / "m.safetensors") == "dangerous"


def field(number: int, content: bytes | int) -> bytes:
    """One Protocol Buffers field, short enough for one-byte lengths or not."""
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def onnx(domain: str = "", location: str | None = None) -> bytes:
    node = field(1, b"x") + field(2, b"y") + field(4, b"Relu") + field(7, domain.encode())
    tensor = field(1, 2) + field(2, 1) + field(8, b"w")
    if location is not None:
        tensor += field(13, field(1, b"location") + field(2, location.encode())) + field(14, 1)
    graph = field(1, node) + field(2, b"g") + field(5, tensor)
    return field(1, 8) + field(2, b"test") + field(7, graph) + field(8, field(2, 17))


@pytest.mark.parametrize(
    ("content", "expected", "said"),
    [
        (onnx(), "safe", set()),
        (onnx("ai.onnx.ml", "weights.bin"), "safe", {"external-data"}),
        (onnx("evil.ops"), "unknown", {"custom-operator"}),
        (onnx("", "../../.ssh/id_rsa"), "dangerous", {"path-escape"}),
        (onnx("", "/etc/passwd"), "dangerous", {"path-escape"}),
        (onnx()[:-3], "malformed", {"bad-onnx"}),
        (b"\x08" + b"\xff" * 20, "malformed", {"bad-onnx"}),
    ],
)
def test_onnx(tmp_path: Path, content: bytes, expected: str, said: set[str]) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    assert (verdict(tmp_path / "m.onnx"), kinds(tmp_path / "m.onnx")) == (expected, said)


def test_onnx_nested_without_end_is_malformed(tmp_path: Path) -> None:
    graph = b""
    for _ in range(200):
        graph = field(1, field(5, field(6, graph)))
    (tmp_path / "m.onnx").write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 17)))
    assert kinds(tmp_path / "m.onnx") == {"bad-onnx"}


def test_skops_names_are_judged(tmp_path: Path) -> None:
    def schema(module: str, name: str, loader: str = "ObjectNode") -> dict[str, bytes]:
        node = {"__module__": module, "__class__": name, "__loader__": loader, "content": {}}
        return {
            "schema.json": json.dumps(
                {"content": node, "__module__": "builtins", "__class__": "dict"}
            ).encode()
        }

    sound = zipped(tmp_path / "a.skops", schema("sklearn.linear_model._logistic", "LogisticRegression"))
    assert (verdict(sound), inspect_model(sound).format) == ("safe", "skops")
    assert verdict(zipped(tmp_path / "b.skops", schema("os", "system", "FunctionNode"))) == "dangerous"
    assert (
        verdict(zipped(tmp_path / "c.skops", schema("operator", "methodcaller", "OperatorFuncNode")))
        == "dangerous"
    )
    assert verdict(zipped(tmp_path / "d.skops", schema("mylab", "Net"))) == "unknown"


def test_keras_lambda_layers_are_code(tmp_path: Path) -> None:
    def config(name: str, module: str = "keras.layers") -> dict[str, bytes]:
        layer = {"module": module, "class_name": name, "config": {"name": "x"}}
        whole = {"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]}}
        return {"config.json": json.dumps(whole).encode(), "metadata.json": b"{}"}

    assert verdict(zipped(tmp_path / "a.keras", config("Dense"))) == "safe"
    assert kinds(zipped(tmp_path / "b.keras", config("Lambda"))) == {"lambda-layer"}
    assert verdict(zipped(tmp_path / "c.keras", config("system", "os"))) == "dangerous"
    (tmp_path / "d.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100) + b'{"class_name": "Lambda"}')
    assert verdict(tmp_path / "d.h5") == "dangerous"


def test_what_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is a folder"):
        inspect_model(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="not a regular file"):
        inspect_model(tmp_path / "pipe")
    with pytest.raises(DataError, match="cannot be read"):
        inspect_model(tmp_path / "nothing.pkl")
