"""Look at a model file without loading it: what it is, what it would import and call, what does not fit."""

from __future__ import annotations

import mmap
import os
import posixpath
from collections.abc import Collection
from pathlib import Path

from foretaste.data import file_sha256
from foretaste.errors import DataError
from foretaste.provenance.model_files.archives import examine_packed, examine_tar, examine_zip
from foretaste.provenance.model_files.arrays import MAGIC, examine_npy
from foretaste.provenance.model_files.concerns import Inspection
from foretaste.provenance.model_files.described import examine_description, examine_hdf5
from foretaste.provenance.model_files.onnx import examine_onnx, is_onnx
from foretaste.provenance.model_files.part import Part
from foretaste.provenance.model_files.pickles import examine_maybe_pickle, examine_pickle, pickle_ends
from foretaste.provenance.model_files.safetensors import examine_safetensors, is_safetensors
from foretaste.provenance.model_files.zip_members import is_zip

PICKLES = frozenset(
    {".pkl", ".pickle", ".p", ".pt", ".pth", ".ckpt", ".bin", ".joblib", ".sav", ".model", ".dat"}
)
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_NUMBERS = {b"GGUF": "GGUF", b"lmgg": "GGML"}

_CONTAINERS = frozenset({"zip", "tar", "gzip", "bzip2", "xz", "zlib", "pickle", "npy"})


def inspect_model(path: str | os.PathLike[str], *, allowed: Collection[str] = ()) -> Inspection:
    """Inspect a model file. Nothing in it is imported, unpickled or run.

    Parameters
    ----------
    path : path
        Pickle (protocols 0 to 5), PyTorch checkpoint, joblib, ``.npy``/``.npz``, safetensors, ONNX, skops,
        Keras, and zip, tar and packed files of them.
    allowed : collection of str
        Names that may be imported besides those known to be harmless: ``module.name`` or ``module.*``.

    Returns
    -------
    Inspection

    Raises
    ------
    DataError
        Where the file cannot be read.

    References
    ----------
    E. Sultanik, "Never a dill moment: exploiting machine learning pickle files", Trail of Bits, 2021.

    Examples
    --------
    >>> import pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "model.pkl"
    ...     _ = file.write_bytes(b"cposix\\nsystem\\n(S'id'\\ntR.")
    ...     found = inspect_model(file)
    >>> found.verdict, found.concerns[1].reason
    ('dangerous', "it calls posix.system('id'), which runs commands of the operating system")
    """
    place = Path(path)
    if place.is_dir():
        raise DataError("it is a folder, not a model file", file=place, hint="name the files in it")
    if place.exists() and not place.is_file():
        raise DataError("it is not a regular file", file=place)
    try:
        size = place.stat().st_size
        inspection = Inspection(str(path), bytes=size, sha256=file_sha256(place))
        with place.open("rb") as stream:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
            try:
                expected = "pickle" if place.suffix.lower() in PICKLES else place.suffix.lower().lstrip(".")
                _look(Part(data, 0, size, "", 0, inspection, _look, allowed, expected=expected or "file"))
            finally:
                if isinstance(data, mmap.mmap):
                    data.close()
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror or error})", file=place) from error
    named = [name for name in inspection.parts if name not in _CONTAINERS]
    inspection.format = (named or inspection.parts or ["unknown"])[-1 if named else 0]
    return inspection


def _look(part: Part) -> None:
    """Recognise a part by its first bytes, not by its name, and examine it."""
    head = part.bytes(0, 512)
    if not len(part) and part.depth == 0:
        part.report("malformed", "empty", "it is empty")
    elif part.expected == "tensor":
        examine_maybe_pickle(part)
    elif head[:1] == b"\x80" and head[1:2] <= b"\x05":
        examine_pickle(part)
        if is_zip(part):
            examine_zip(part)
    elif _known(part, head):
        # Magic numbers can be opcodes as well, "GGUF" for one: a loader that takes no notice of them may run
        # what another one takes for numbers.
        examine_maybe_pickle(part)
    else:
        _other(part)


def _known(part: Part, head: bytes) -> bool:
    """Examine what is no pickle by its first bytes; False where they say nothing."""
    if head[:4] == b"PK\x03\x04" or is_zip(part):
        if head[:2] != b"PK":
            reason = "something else stands before this zip archive; another loader may read that instead"
            part.report("malformed", "prefixed-archive", reason)
        examine_zip(part)
    elif head[:6] == MAGIC:
        examine_npy(part)
    elif packed := next((kind for magic, kind in _PACKED.items() if head.startswith(magic)), None):
        examine_packed(part, packed)
    elif head[:4] == b"\x89HDF":
        examine_hdf5(part)
    elif head[:4] in _NUMBERS or head[4:8] == b"TFL3":
        part.inspection.holds(_NUMBERS.get(head[:4], "TensorFlow Lite"))
    elif head[257:262] == b"ustar":
        examine_tar(part)
    elif is_onnx(part) or part.expected == "onnx":
        examine_onnx(part)
    elif _zlib(head):
        examine_packed(part, "zlib")
    elif is_safetensors(part) or part.expected == "safetensors":
        examine_safetensors(part)
    else:
        return False
    return True


def _zlib(head: bytes) -> bool:
    return head[:1] == b"x" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0


def _other(part: Part) -> None:
    """What no first byte tells: pickles of protocol 0, descriptions in JSON, or something else."""
    if part.expected == "member":
        if posixpath.basename(part.member) in ("schema.json", "config.json"):
            examine_description(part)
        elif posixpath.splitext(part.member)[1].lower() in PICKLES:
            examine_pickle(part)
        else:
            examine_maybe_pickle(part)
    elif part.expected == "pickle" or (len(part) and pickle_ends(part)):
        examine_pickle(part)
    else:
        examine_maybe_pickle(part)
        part.report(
            "unknown",
            "unknown-format",
            "it is in no format that is known here, so only its hash says anything",
        )


__all__ = ["PICKLES", "inspect_model"]
