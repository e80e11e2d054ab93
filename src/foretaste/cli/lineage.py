"""``foretaste lineage``: tell the lineage graph what no command line shows, and list what it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from foretaste.cli import problems
from foretaste.cli.lineage_options import DEFAULT, LedgerFolder, LedgerKey, Url

verbs = typer.Typer(
    no_args_is_help=True,
    help="Keep track of what became of data: sources, files, versions, models, deployments.",
    epilog="The graph is an index for looking things up; what is to be proven belongs into a ledger.",
)


def add(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Data from that source.", show_default=False)
    ],
    source: Annotated[str, typer.Option(metavar="NAME", help="Who they come from.", show_default=False)],
    lineage: Url = DEFAULT,
) -> None:
    """Record that files came from a source."""
    from foretaste.cli.lineage_options import opened
    from foretaste.provenance.lineage.told import ingested
    from foretaste.report.safe import visible

    with opened(lineage) as graph:
        for file in files:
            activity = ingested(file, source)
            graph.record(activity)
            (made,) = activity.outputs
            typer.echo(f"{visible(made.name)}  sha256:{made.key}  from {visible(source)}")


def deploy(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The model file.", show_default=False)],
    deployment: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Where it serves, such as production/fraud.", show_default=False),
    ],
    lineage: Url = DEFAULT,
    ledger: LedgerFolder = None,
    ledger_key: LedgerKey = None,
) -> None:
    """Record that a model serves in a deployment from now on, in place of the one before."""
    from foretaste.cli.lineage_options import opened, record
    from foretaste.provenance.lineage.told import deployed
    from foretaste.report.safe import visible

    with opened(lineage, ledger) as graph:
        activity = deployed(model, deployment)
        if not graph.find(activity.inputs[0].key):
            typer.echo("note: nothing is recorded about how this model was made", err=True)
        record(graph, activity, ledger, ledger_key)
    typer.echo(f"{visible(deployment)} serves {visible(model)} (sha256:{activity.inputs[0].key})")


def list_(
    kind: Annotated[str | None, typer.Option(help="Only source, data, version, model or deployment.")] = None,
    lineage: Url = DEFAULT,
    ledger: LedgerFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one per line.")] = False,
) -> None:
    """List what the graph holds."""
    from foretaste.cli.lineage_options import opened
    from foretaste.errors import ConfigError
    from foretaste.provenance.lineage.activity import KINDS
    from foretaste.report.numbers import plural
    from foretaste.report.safe import visible

    if kind is not None and kind not in KINDS:
        raise ConfigError(f"there is no kind {kind!r}; use one of {', '.join(KINDS)}")
    with opened(lineage, ledger, to_read=True) as graph:
        for artefact in graph.listed(kind):
            if as_json:
                typer.echo(json.dumps(artefact.as_json()))
                continue
            rows = "" if artefact.rows is None else f"  {plural(artefact.rows, 'row')}"
            key = artefact.key[:12] if artefact.kind in ("data", "model") else artefact.key
            typer.echo(f"{artefact.kind:<12}{visible(key, 60):<26}  {visible(artefact.name, 80)}{rows}")


verbs.command()(problems.in_one_line(add))
verbs.command()(problems.in_one_line(deploy))
verbs.command("list")(problems.in_one_line(list_))
