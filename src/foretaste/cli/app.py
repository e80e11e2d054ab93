"""The verbs under one command, and what holds for all of them."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from foretaste import __version__
from foretaste.cli import (
    approve,
    attack,
    blast,
    claims,
    clean,
    demo,
    diff,
    doctor,
    evidence,
    explain,
    gate,
    ingest,
    inspect,
    keys,
    ledger,
    lineage,
    manifest,
    problems,
    redteam,
    report,
    row,
    scan,
    sign,
    version,
)
from foretaste.cli import (
    run as run_command,
)

app = typer.Typer(
    name="foretaste",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"foretaste {__version__}")
        raise typer.Exit


@app.callback()
def foretaste(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="FORETASTE_DEBUG", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Taste the data before the model does: find, explain and remove training-data poisoning."""
    problems.show_tracebacks(debug)
    if not debug:
        # what a library wants to tell its programmer is not for the user; filters alone are undone by threads
        warnings.simplefilter("ignore")
        warnings.showwarning = _say_nothing


def _say_nothing(*_: object, **__: object) -> None: ...


for _verb in (
    scan.scan,
    clean.clean,
    explain.explain,
    report.report,
    attack.attack,
    redteam.redteam,
    demo.demo,
    doctor.doctor,
    inspect.inspect,
    sign.sign,
    ingest.ingest,
    manifest.manifest,
    diff.diff,
    run_command.run,
    blast.blast,
    gate.gate,
    approve.approve,
    evidence.evidence,
    claims.claims,
):
    app.command(**getattr(_verb, "command_settings", {}))(problems.in_one_line(_verb))
app.add_typer(ledger.verbs, name="ledger")
app.add_typer(keys.verbs, name="keys")
app.add_typer(lineage.verbs, name="lineage")
app.add_typer(row.verbs, name="row")
app.add_typer(version.verbs, name="version")


def run() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # file names need not be text
    app()


__all__ = ["app", "run"]
