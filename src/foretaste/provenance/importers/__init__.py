"""Importers of what others claim about files, each claim compared with the file.

Examples
--------
>>> import hashlib, tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "a.csv").write_text("x")
>>> _ = (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(b'x').hexdigest()}  a.csv\\n")
>>> [(claim.path, claim.verified) for claim in read_claims(folder / "SHA256SUMS")]
[('a.csv', True)]
"""

from __future__ import annotations

import json
from pathlib import Path

from foretaste.errors import DataError
from foretaste.provenance.importers.claims import Claim, read_text
from foretaste.provenance.importers.dvc import dvc
from foretaste.provenance.importers.plain import croissant, hugging_face, is_croissant, sums
from foretaste.provenance.importers.sigstore import Trust, bundle


def read_claims(file: Path, root: Path | None = None, trust: Trust | None = None) -> list[Claim]:
    """Read the claims in a file and compare them with the files they are about.

    Parameters
    ----------
    file : Path
        A checksum list, a ``.dvc`` file or ``dvc.lock``, Croissant metadata, a sigstore or model-signing
        bundle; or the folder of a download from Hugging Face.
    root : Path, optional
        The folder the claims are about; that of the file otherwise.
    trust : Trust, optional
        Whose signatures count.

    Raises
    ------
    DataError
        Where it is none of these.
    IntegrityError
        Where a signature is wrong.
    """
    if file.is_dir():
        return hugging_face(file, root or file)
    place = root or file.parent
    if file.suffix == ".dvc" or file.name == "dvc.lock":
        return dvc(file, place)
    text = read_text(file)
    if not text.lstrip().startswith("{"):
        return sums(file, place)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError("it begins like JSON and is none", file=file) from None
    if is_croissant(document):
        return croissant(file, place)
    if "verificationMaterial" in document:
        return bundle(file, place, trust or Trust())
    raise DataError("it is no checksum list, DVC pointer, Croissant metadata or sigstore bundle", file=file)


__all__ = ["Claim", "Trust", "read_claims"]
