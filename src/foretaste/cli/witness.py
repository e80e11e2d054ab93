"""``foretaste ledger witness``: countersign somebody else's ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

REFUSED = 1
"""Exit status where the ledger does not continue what was countersigned before."""


def witness(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="The countersigned checkpoint, kept where the ledger's owner cannot change it; "
            "one that is there must be continued.",
            show_default=False,
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="The witness.", show_default=False)],
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The witness's private key; that of NAME in your key folder otherwise."
        ),
    ] = None,
) -> None:
    """Check that the history of a ledger only grew, and countersign it with the time."""
    from foretaste.data.atomic import appearing
    from foretaste.errors import IntegrityError
    from foretaste.provenance.checkpoint import Checkpoint
    from foretaste.provenance.keys import find_private, load_private
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.note import COSIGNATURE, MOST_BYTES, VerifierKey
    from foretaste.provenance.tiles import read_bounded
    from foretaste.provenance.witness import witness as countersign
    from foretaste.report.safe import visible

    private = load_private(key or find_private(name))
    try:
        previous = Checkpoint.parse(read_bounded(out, MOST_BYTES)) if out.exists() else None
        made = countersign(Ledger(folder), name, private, previous)
    except IntegrityError as error:
        typer.echo(f"NOT COUNTERSIGNED: {visible(error)}")
        raise typer.Exit(REFUSED) from None
    with appearing(out) as path:
        path.write_bytes(made.encode())
    grown = made.size if previous is None else made.size - previous.size
    typer.echo(f"{visible(out)}: {made.size} entries of {visible(made.origin)} countersigned, {grown} new")
    typer.echo(f"witness key  {VerifierKey.of(name, private, COSIGNATURE)}")
