"""``foretaste blast``: what contains rows of a source, and what to retrain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foretaste.cli.lineage_options import DEFAULT, LedgerFolder, Url

if TYPE_CHECKING:
    from foretaste.provenance.lineage import Affected, Blast


def blast(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A source, or a file, version or model by name or hash.",
            show_default=False,
        ),
    ],
    lineage: Url = DEFAULT,
    ledger: LedgerFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say which data, versions, models and deployments contain rows of a source, and what to retrain.

    Exit status 1 where a model or a deployment is affected.
    """
    from foretaste.cli.lineage_options import opened
    from foretaste.data import file_sha256
    from foretaste.provenance.lineage import blast as reach

    with opened(lineage, ledger, to_read=True) as graph:
        name = source
        if not graph.find(source) and Path(source).exists():
            name = file_sha256(source)
        found = reach(graph, name)
    typer.echo(json.dumps(found.as_json(), indent=1) if as_json else "\n".join(_told(found)))
    if found.models or found.deployments:
        raise typer.Exit(1)


def _told(found: Blast) -> list[str]:
    from foretaste.report.safe import visible

    lines = [f"{found.start.kind} {visible(found.start.name)}"]
    for title, listed in (
        ("data", found.data),
        ("versions", found.versions),
        ("models", found.models),
        ("deployments", found.deployments),
    ):
        lines.append(f"{title:<12}{len(listed):,}")
        lines += [f"  {_line(one)}" for one in listed[:20]]
        if len(listed) > 20:
            lines.append(f"  and {len(listed) - 20:,} more; --json has them")
    retrain = ", ".join(visible(name, 80) for name in found.retrain[:20]) or "nothing"
    return [*lines, f"{'retrain':<12}{retrain}"]


def _line(one: Affected) -> str:
    from foretaste.report.numbers import plural, whole
    from foretaste.report.safe import visible

    artefact = one.artefact
    shown = artefact.key if artefact.kind in ("version", "deployment") else artefact.name
    words = [visible(shown, 80)]
    if artefact.kind in ("data", "model"):
        words.append(f"({artefact.key[:12]})")
    if one.rows is not None:
        most = "" if one.exact else "at most "
        of = f" of {whole(artefact.rows)}" if artefact.rows is not None else ""
        words.append(f"{most}{whole(one.rows)}{of} rows" if of else f"{most}{plural(one.rows, 'row')}")
    if artefact.kind != "data":
        words.append("current" if one.current else "superseded")
    return "  ".join(words)


__all__ = ["blast"]
