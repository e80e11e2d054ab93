"""``foretaste claims``: what others say about files, and whether it is so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from foretaste.provenance.importers import Claim


def claims(
    file: Annotated[
        Path,
        typer.Argument(
            help="SHA256SUMS, a .dvc file or dvc.lock, Croissant metadata, a sigstore or model-signing "
            "bundle, or a folder downloaded from Hugging Face.",
            show_default=False,
        ),
    ],
    root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder it is about; that of FILE otherwise.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM of the key that must have signed the bundle.")
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PEM of the authority that must have issued the certificate."),
    ] = None,
    identity: Annotated[
        str | None, typer.Option(metavar="NAME", help="Mail or URI the certificate must be for.")
    ] = None,
    log_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM of the transparency log that must have signed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one claim per line.")] = False,
) -> None:
    """Compare files with what others say about them; exit with 1 where any differs or is not checked."""
    from foretaste.cli import problems
    from foretaste.errors import ConfigError, IntegrityError
    from foretaste.provenance.importers import Trust, read_claims

    if identity is not None and authority is None:
        raise ConfigError("--identity needs --authority: a certificate without one says whatever it likes")
    try:
        found = read_claims(file, root, Trust(public_key, authority, identity, log_key))
    except IntegrityError as error:
        problems.complain(str(error))
        raise typer.Exit(1) from None
    for claim in found:
        typer.echo(json.dumps(claim.as_json()) if as_json else _line(claim))
    if not found or any(claim.matches is not True for claim in found):
        raise typer.Exit(1)


def _line(claim: Claim) -> str:
    from foretaste.report.safe import visible

    state = "not checked" if claim.matches is None else "DIFFERS" if not claim.matches else "matches"
    state = "verified" if claim.verified else state
    by = f"signed by {visible(claim.authenticated, 80)}" if claim.authenticated else "not signed"
    note = f"  ({visible(claim.note, 200)})" if claim.note else ""
    return f"{state:<11}  {visible(claim.path, 120)}  {visible(claim.claim, 80)}, {by}{note}"


__all__ = ["claims"]
