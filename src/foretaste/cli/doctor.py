"""``foretaste doctor``: what this installation consists of and whether it can work."""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
from importlib import metadata, util
from typing import Annotated, Any

import typer

from foretaste import __version__
from foretaste.cli import problems

OPTIONAL = {
    "psycopg": "lineage in PostgreSQL",
    "blake3": "hashing of big files with BLAKE3 (manifest --hash blake3)",
    "deltalake": "reading and writing of Delta Lake tables",
    "torch": "testing images by what a net trained on them learned (FT501 to FT505)",
    "pandas": "scanning a pandas.DataFrame from Python",
    "polars": "scanning a polars.DataFrame from Python",
}
"""What is used where it is installed, and what cannot be done without it."""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what this installation consists of, what is missing, and what would not work for that."""
    found = examine()
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        for line in _told(found):
            typer.echo(line)
    if found["problems"]:
        problems.complain("; ".join(found["problems"]))
        raise typer.Exit(problems.STATUS)


def examine() -> dict[str, Any]:
    """Versions, libraries and places, as JSON."""
    packages = {name: _version(name) for name in _required()}
    temporary = _writable(tempfile.gettempdir())
    wrong = [f"{name} is missing; run pip install foretaste" for name, found in packages.items() if not found]
    if not temporary:
        wrong.append(f"{tempfile.gettempdir()} cannot be written; set TMPDIR to a folder that can")
    return {
        "schema": 1,
        "foretaste": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": packages,
        "blas": _blas(),
        "optional": [
            {"name": name, "version": _version(name), "without": what} for name, what in OPTIONAL.items()
        ],
        "temporary": {"path": tempfile.gettempdir(), "writable": temporary},
        "problems": wrong,
    }


def _required() -> list[str]:
    """Distributions foretaste depends on, as its own metadata name them."""
    needed = [line for line in metadata.requires("foretaste") or () if "extra ==" not in line]
    return sorted(match[0] for line in needed if (match := re.match(r"[A-Za-z0-9._-]+", line)))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _blas() -> list[dict[str, Any]]:
    """The linear-algebra and thread libraries in this process, as threadpoolctl sees them."""
    if util.find_spec("threadpoolctl") is None:
        return []
    import numpy  # noqa: F401  (loads its BLAS)
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    return [
        {
            "library": library.get("internal_api"),
            "version": library.get("version"),
            "architecture": library.get("architecture"),
            "threads": library.get("num_threads"),
        }
        for library in threadpool_info()
    ]


def _writable(folder: str) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _told(found: dict[str, Any]) -> list[str]:
    rows = [
        ("foretaste", found["foretaste"]),
        ("python", f"{found['python']} on {found['platform']}, {found['cpus']} cores"),
        *((name, version or "MISSING") for name, version in found["packages"].items()),
    ]
    for library in found["blas"]:
        words = [library["library"], library["version"], library["architecture"]]
        rows.append(("blas", f"{' '.join(filter(None, words))}, {library['threads']} threads"))
    for extra in found["optional"]:
        rows.append((extra["name"], extra["version"] or f"not installed; without it no {extra['without']}"))
    place = found["temporary"]
    rows.append(("temporary", f"{place['path']}, {'writable' if place['writable'] else 'NOT writable'}"))
    return [f"{name:<14}{value}" for name, value in rows]
