"""``foretaste row``: prove that a row is in a version of a data set, and check such a proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foretaste.cli import problems
from foretaste.cli.ledger import AsJson, PublicKey

if TYPE_CHECKING:
    from foretaste.provenance.manifest import Manifest
    from foretaste.provenance.row_proof import RowProof

NOT_PROVEN = 1
"""Exit status where a row is not proven."""

verbs = typer.Typer(
    no_args_is_help=True,
    help="Prove that a row is in a version of a data set, in one file that is checked offline.",
    epilog="Proves that the row was there, unchanged; not that it is right.",
)
ManifestFile = Annotated[Path | None, typer.Option(metavar="FILE", help="The manifest of the version.")]


def prove(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="The data set.", show_default=False)],
    row: Annotated[int, typer.Argument(metavar="ROW", help="Which row, from 0.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File for the proof.", show_default=False)],
    manifest: ManifestFile = None,
    ledger: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The ledger to which these data were committed as a version."),
    ] = None,
) -> None:
    """Write a proof that a row is in a version; with --ledger, also that the ledger names the version."""
    from dataclasses import replace

    from foretaste.cli.manifest import read_manifest
    from foretaste.data.atomic import appearing
    from foretaste.provenance.manifest import build_manifest
    from foretaste.provenance.row_proving import prove_recorded, prove_row_of
    from foretaste.report.safe import visible

    tree: Manifest | None = None if manifest is None else read_manifest(manifest)
    recorded, named = None, ""
    if ledger is not None:
        recorded, tree, entry = prove_recorded(ledger, data, tree)
        named = f", which entry {entry} of the ledger names"
    tree = tree or build_manifest(data).manifest
    made = replace(prove_row_of(data, tree, row), ledger=recorded)
    with appearing(out) as path:
        path.write_bytes(made.encode())
    typer.echo(f"row hash     {made.row_hash}")
    typer.echo(f"version      {tree.root}{named}")
    typer.echo(f"{visible(out)} proves that row {row} is in the version")


def check(
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="The proof file.", show_default=False)],
    root: Annotated[
        str | None, typer.Option(metavar="HASH", help="The version's root, as you have it.")
    ] = None,
    manifest: ManifestFile = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ledger's checkpoint, as you have it.")
    ] = None,
    key: PublicKey = None,
    row: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="A file that holds the row: it must have its hash."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof offline: exit with 0 where the row is proven, 1 where it is not."""
    from foretaste.cli.manifest import read_manifest
    from foretaste.errors import ConfigError, IntegrityError
    from foretaste.provenance.row_proof import MOST_BYTES, RowProof
    from foretaste.provenance.row_proving import rows_with
    from foretaste.provenance.tiles import read_bounded
    from foretaste.report.safe import visible

    if root is None and manifest is None and checkpoint is None:
        raise ConfigError(
            "say what to check the proof against: --root, --manifest or --checkpoint, got where you trust it"
        )
    told: list[str] = []
    try:
        read = RowProof.parse(read_bounded(proof, MOST_BYTES))
        if root is not None:
            read.check(root)
        if manifest is not None:
            read.check(read_manifest(manifest).root)
        if checkpoint is not None:
            told += _recorded(read, checkpoint, key)
        if row is not None:
            found = rows_with(row, read.row_hash)
            if not found:
                raise IntegrityError(f"no row of {row} has the hash {read.row_hash}")
            told.append(f"it is row {found[0]} of {row}")
    except IntegrityError as error:
        if as_json:
            typer.echo(json.dumps({"schema": 1, "proven": False, "reason": str(error)}, indent=1))
        else:
            typer.echo(f"NOT PROVEN: {visible(error)}")
        raise typer.Exit(NOT_PROVEN) from None
    if as_json:
        said = {"schema": 1, "proven": True, "row": read.row, "rows": read.version_rows}
        typer.echo(
            json.dumps(said | {"row_hash": read.row_hash, "root": read.root(), "notes": told}, indent=1)
        )
        return
    typer.echo(f"proven: row {read.row} of {read.version_rows} of the version {read.root()}")
    typer.echo(f"row hash {read.row_hash}")
    for line in told:
        typer.echo(visible(line))


def _recorded(read: RowProof, checkpoint: Path, key: Path | None) -> list[str]:
    """What the ledger says about the version."""
    from foretaste.cli.ledger import read_checkpoint, trusted_key
    from foretaste.errors import IntegrityError
    from foretaste.provenance.proof import Proof

    if read.ledger is None:
        raise IntegrityError("the proof does not lead to a ledger; make it with --ledger")
    inner = Proof.parse(read.ledger)
    public, origin = trusted_key(key, checkpoint, inner.key)
    entry = read.check_recorded(read_checkpoint(checkpoint), public)
    what = f"a version of {entry.details.get('dataset')!r}, {entry.time[:19].replace('T', ' ')} UTC"
    return [
        f"entry {inner.index} of the {inner.checkpoint.size} of {public.name} names it as {what}",
        f"signed with {public}, {origin}",
    ]


for _verb in (prove, check):
    verbs.command()(problems.in_one_line(_verb))
