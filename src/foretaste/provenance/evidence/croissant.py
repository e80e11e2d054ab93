"""What files of a data set hold, as Croissant metadata with hashes.

Reference: Croissant Format Specification 1.0, MLCommons (http://mlcommons.org/croissant/1.0).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from foretaste.data import open_file
from foretaste.errors import DataError
from foretaste.provenance.store import sha256_of

_CR = "http://mlcommons.org/croissant/"
_FORMATS = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".jsonl": "application/jsonlines",
    ".parquet": "application/x-parquet",
    ".npz": "application/octet-stream",
}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": _CR,
    "rai": f"{_CR}RAI/",
    "dct": "http://purl.org/dc/terms/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
}
_TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet",
    "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
    "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
    "transform",
)  # fmt: skip
_CONTEXT |= {name: f"cr:{name}" for name in _TERMS}


def metadata(
    paths: Sequence[Path],
    *,
    name: str,
    version: str = "1.0.0",
    license: str | None = None,
    url: str | None = None,
    creators: Sequence[str] = (),
    published: str | None = None,
) -> dict[str, Any]:
    """The metadata of data files as JSON-LD.

    Parameters
    ----------
    paths : sequence of Path
        Files, not folders.
    name, version, license, url, published
        Of the data set; what is None is left out.
    creators : sequence of str
        Sources.

    Raises
    ------
    DataError
        Where a file cannot be read.
    """
    made: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": f"{_CR}1.0",
        "name": name,
        "description": f"Data set {name}, {len(paths)} files, described by foretaste.",
        "version": version,
        "distribution": [],
        "recordSet": [],
    }
    made |= {key: value for key, value in (("license", license), ("url", url)) if value is not None}
    if creators:
        made["creator"] = [{"@type": "sc:Organization", "name": one} for one in creators]
    if published is not None:
        made["datePublished"] = published[:10]
    ids: set[str] = set()
    for path in paths:
        if path.is_dir():
            raise DataError("Croissant describes files here, not folders", file=path)
        sha256, size = sha256_of(path)
        identifier = _id(path.name, ids)
        made["distribution"].append(
            {
                "@type": "cr:FileObject",
                "@id": identifier,
                "name": path.name,
                "contentUrl": path.name,
                "contentSize": f"{size} B",
                "encodingFormat": _FORMATS.get(path.suffix.lower(), "application/octet-stream"),
                "sha256": sha256,
            }
        )
        made["recordSet"].append(_records(path, identifier, ids))
    return made


def _records(path: Path, file: str, ids: set[str]) -> dict[str, Any]:
    base = _id(path.stem, ids)
    fields = [
        {
            "@type": "cr:Field",
            "@id": _id(f"{base}/{column.name}", ids),
            "name": column.name,
            "dataType": _data_type(column.type),
            "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
        }
        for column in open_file(path).schema
    ]
    return {"@type": "cr:RecordSet", "@id": base, "name": path.stem, "field": fields}


def _id(name: str, taken: set[str]) -> str:
    """An identifier like the name, without spaces, that nothing else has."""
    plain = re.sub(r"[^\w./-]+", "_", name)
    found = plain
    while found in taken:
        found = f"{plain}_{len(taken)}"
    taken.add(found)
    return found


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind):
        return "sc:Float"
    return "sc:Date" if pa.types.is_temporal(kind) else "sc:Text"


__all__ = ["metadata"]
