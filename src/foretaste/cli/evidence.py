"""``foretaste evidence``: what something was made from, in a format that others read."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foretaste.cli.lineage_options import DEFAULT, LedgerFolder, Url
from foretaste.errors import ConfigError, DataError

if TYPE_CHECKING:
    from foretaste.provenance.evidence.past import Past

FORMATS = ("in-toto", "cyclonedx", "croissant", "openlineage", "prov")


def evidence(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="WHAT", help="A file, a hash, a version (train@3) or a deployment.", show_default=False
        ),
    ],
    format: Annotated[str, typer.Option(help="in-toto, cyclonedx, croissant, openlineage or prov.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there, not to stdout.")] = None,
    lineage: Url = DEFAULT,
    ledger: LedgerFolder = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Sign an in-toto statement (DSSE) with this private key."),
    ] = None,
    license: Annotated[str | None, typer.Option(metavar="URL", help="Licence, for Croissant.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Where the data are, for Croissant.")] = None,
) -> None:
    """Say what something was made from, in a format that others read."""
    from foretaste.cli.lineage_options import opened
    from foretaste.data import file_sha256
    from foretaste.data.atomic import appearing
    from foretaste.provenance.evidence.past import past

    if format not in FORMATS:
        raise ConfigError(f"there is no format {format!r}; use one of {', '.join(FORMATS)}")
    if key is not None and format != "in-toto":
        raise ConfigError("--key signs an in-toto statement; write --format in-toto")
    with opened(lineage, ledger, to_read=True) as graph:
        name = file_sha256(subject) if Path(subject).is_file() else subject
        if name != subject and not graph.find(name):
            raise DataError(
                "nothing is recorded about it as it is now", file=subject, hint="record it with foretaste run"
            )
        known = past(graph, name)
        if format == "croissant":
            content = _json(_croissant(known, subject, ledger, license, url))
        else:
            content = _content(known, format, key)
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    with appearing(out) as path:
        path.write_bytes(content)


def _content(known: Past, format: str, key: Path | None) -> bytes:
    if format == "cyclonedx":
        from foretaste.provenance.evidence.cyclonedx import bill

        return _json(bill(known))
    if format == "openlineage":
        from foretaste.provenance.evidence.openlineage import events

        return b"".join(json.dumps(event).encode() + b"\n" for event in events(known))
    if format == "prov":
        from foretaste.provenance.evidence.prov import document

        return _json(document(known))
    from foretaste.provenance.evidence.in_toto import statement

    made = statement(known).encode()
    if key is None:
        return made + b"\n"
    from foretaste.provenance.dsse import sign
    from foretaste.provenance.keys import load_private
    from foretaste.provenance.statement import PAYLOAD_TYPE

    return sign(made, PAYLOAD_TYPE, load_private(key)).encode()


def _croissant(
    known: Past, subject: str, ledger: Path | None, license: str | None, url: str | None
) -> dict[str, Any]:
    from foretaste.provenance.evidence.croissant import metadata

    sources = sorted({artefact.name for artefact in known.artefacts if artefact.kind == "source"})
    published = max((step.time for step in known.steps), default=None)
    with _files(known, subject, ledger) as paths:
        number = known.subject.key.rpartition("@")[2] if known.subject.kind == "version" else "1"
        return metadata(
            paths,
            name=known.subject.name,
            version=f"{number}.0.0",
            license=license,
            url=url,
            creators=sources,
            published=published,
        )


@contextmanager
def _files(known: Past, subject: str, ledger: Path | None) -> Iterator[list[Path]]:
    """The files to describe: the one that was named, or those of a version in the ledger."""
    if Path(subject).is_file():
        yield [Path(subject)]
        return
    if known.subject.kind != "version" or ledger is None:
        raise DataError("Croissant describes a data file or, with --ledger, a version; name one of them")
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.versions import version
    from foretaste.provenance.versions.files import named_copies

    name, _, number = known.subject.key.rpartition("@")
    place = Ledger(ledger)
    with named_copies(place, version(place, name, int(number))) as paths:
        yield paths


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"


__all__ = ["FORMATS", "evidence"]
