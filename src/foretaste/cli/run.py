"""``foretaste run``: run a command and write down what went in and what came out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foretaste.cli.lineage_options import DEFAULT, LedgerFolder, LedgerKey, Url

if TYPE_CHECKING:
    from foretaste.provenance.lineage import Activity


def run(
    command: Annotated[
        list[str],
        typer.Argument(metavar="-- COMMAND...", help="The command and its words.", show_default=False),
    ],
    into: Annotated[
        list[Path] | None,
        typer.Option(
            "--in", metavar="FILE", help="An input that the command line does not name; repeatable."
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", metavar="FILE", help="An output that the command line does not name; repeatable."
        ),
    ] = None,
    rows: Annotated[
        bool,
        typer.Option("--rows/--no-rows", help="Compare data row by row, to know how many come from where."),
    ] = True,
    lineage: Url = DEFAULT,
    ledger: LedgerFolder = None,
    ledger_key: LedgerKey = None,
) -> None:
    """Run a command; record inputs, outputs, words, environment, exit status; exit as the command does."""
    from datetime import UTC, datetime

    from foretaste.cli.lineage_options import opened, record
    from foretaste.provenance.lineage.capture import capture, with_versions

    with opened(lineage, ledger) as graph:
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        done = capture(command, time=time, inputs=into or [], outputs=out or [], rows=rows)
        done = with_versions(done, graph.versions_of(artefact.key for artefact in done.inputs))
        record(graph, done, ledger, ledger_key)
    for line in _told(done):
        typer.echo(line, err=True)  # stdout belongs to the command
    if done.details["exit"]:
        raise typer.Exit(done.details["exit"] % 256)


def _told(done: Activity) -> list[str]:
    from foretaste.report.numbers import plural
    from foretaste.report.safe import visible

    lines = []
    for title, artefacts in (("in", done.inputs), ("out", done.outputs)):
        for artefact in artefacts:
            rows = "" if artefact.rows is None else f", {plural(artefact.rows, 'row')}"
            lines.append(
                f"{title:<4}{visible(artefact.name, 100)}  ({artefact.kind} {artefact.key[:12]}{rows})"
            )
    if not done.outputs:
        lines.append("note: no output was seen; name it with --out")
    return lines


run.command_settings = {  # type: ignore[attr-defined]
    "context_settings": {"ignore_unknown_options": True, "allow_interspersed_args": False}
}

__all__ = ["run"]
