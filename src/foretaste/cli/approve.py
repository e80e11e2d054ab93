"""``foretaste approve``: sign that a file may be used, in a role that the policy gives you."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foretaste.errors import ConfigError, DeniedError


def approve(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The data or model.", show_default=False)],
    by: Annotated[
        str, typer.Option("--as", metavar="NAME", help="You, as the policy calls you.", show_default=False)
    ],
    role: Annotated[str, typer.Option(help="ingest, label, approve or release.")] = "approve",
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your private key; that of NAME in your key folder otherwise."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The policy; the nearest foretaste.toml otherwise.")
    ] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="A sentence about it.")] = None,
    ledger_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", envvar="FORETASTE_LEDGER_KEY", help="The ledger's private key."),
    ] = None,
) -> None:
    """Append your signed approval to the ledger; without the role it is denied, written down, and exit 1."""
    from foretaste.cli import problems
    from foretaste.provenance import gate
    from foretaste.provenance.keys import find_private, load_private
    from foretaste.provenance.ledger import Ledger
    from foretaste.report.safe import visible

    rules = gate.load_policy(policy or gate.find_policy(Path.cwd()))
    if rules.ledger is None:
        raise ConfigError(f"{rules.file}: [gate] names no ledger; write ledger = 'FOLDER'")
    ledger = Ledger(rules.ledger, key=ledger_key)
    subject = gate.subject_of(file)
    rules.access.person(by)
    private = load_private(key or find_private(by))
    try:
        number = gate.approve(ledger, subject, role, by, private, rules.access, note=note)
    except DeniedError as error:
        problems.complain(str(error))
        raise typer.Exit(1) from None
    typer.echo(f"entry {number}: {visible(by)} approves {visible(file)} (sha256:{subject}) as {role}")


__all__ = ["approve"]
