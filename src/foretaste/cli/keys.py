"""``foretaste keys``: who signs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foretaste.cli import problems

verbs = typer.Typer(no_args_is_help=True, help="Make and show the Ed25519 keys that batches are signed with.")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The private key; in your key folder (FORETASTE_KEYS) otherwise."),
    ] = None,
) -> None:
    """Make a key; its public half, one line, is what others need."""
    from foretaste.provenance.keys import default_path, new_key, save_private
    from foretaste.provenance.note import VerifierKey
    from foretaste.report.safe import visible

    key = new_key()
    public = VerifierKey.of(name, key)
    path = out or default_path(public)
    save_private(key, path)
    typer.echo(f"private key  {visible(path)} (never give it away)")
    typer.echo(f"public key   {public}")
    if out is None and (others := len(list(path.parent.glob(f"{path.name.rpartition('+')[0]}+*.pem"))) - 1):
        typer.echo(
            f"note: {visible(name)} had {others} before; from now on say which with --key FILE", err=True
        )


def show(
    file: Annotated[Path, typer.Argument(help="A private or public key.", show_default=False)],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose key it is, where the file does not say.")
    ] = None,
) -> None:
    """Print the public key in one line."""
    from foretaste.errors import ConfigError
    from foretaste.provenance.keys import load_private, load_public
    from foretaste.provenance.note import VerifierKey

    if not file.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----"):
        typer.echo(str(load_public(file, name)))
        return
    if name is None:
        raise ConfigError(f"{file} does not say whose key it is; name them with --name")
    typer.echo(str(VerifierKey.of(name, load_private(file))))


for _verb in (new, show):
    verbs.command()(problems.in_one_line(_verb))
