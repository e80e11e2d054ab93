"""``foretaste ingest``: let a batch into the ledger, if who delivered it may."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

REFUSED = 1
"""Exit status where the batch was refused or quarantined."""


def ingest(
    folder: Annotated[
        Path, typer.Argument(metavar="LEDGER", help="The ledger's folder.", show_default=False)
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="The batch: files or folders.", show_default=False)
    ],
    source: Annotated[str, typer.Option(metavar="NAME", help="Who delivers it.", show_default=False)],
    policy: Annotated[
        Path, typer.Option(metavar="FILE", help="Which sources may deliver, and their public keys.")
    ] = Path("sources.toml"),
    signature: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The signature; FILE.dsse.json beside one file, if it is there."),
    ] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="A sentence about it.")] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            envvar="FORETASTE_LEDGER_KEY",
            help="The ledger's private key; in your key folder (FORETASTE_KEYS) otherwise.",
        ),
    ] = None,
) -> None:
    """Check a batch against the policy and write the decision into the ledger; exit with 1 if refused."""
    from foretaste.provenance.batch import SUFFIX
    from foretaste.provenance.dsse import MOST_BYTES
    from foretaste.provenance.ingest import ingest as take_in
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.sources import SourcePolicy
    from foretaste.provenance.tiles import read_bounded
    from foretaste.report.safe import visible

    beside = files[0].with_name(f"{files[0].name}{SUFFIX}")
    if signature is None and len(files) == 1 and beside.exists():
        signature = beside
    signed = None if signature is None else read_bounded(signature, MOST_BYTES)
    ledger = Ledger(folder, key=key)
    decision, number = take_in(ledger, SourcePolicy.read(policy), source, files, signed, note=note)
    done = {"accept": "accepted", "quarantine": "QUARANTINED", "refuse": "REFUSED"}[decision.action]
    typer.echo(f"{done}: {visible(decision.reason)}; entry {number}")
    if decision.action != "accept":
        raise typer.Exit(REFUSED)
