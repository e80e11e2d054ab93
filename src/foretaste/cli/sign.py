"""``foretaste sign``: state that files come from you."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sign(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files or folders.", show_default=False)
    ],
    source: Annotated[str, typer.Option(metavar="NAME", help="Who they come from.", show_default=False)],
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The private key; that of NAME in your key folder otherwise."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The signature; FILE.dsse.json beside one file.")
    ] = None,
) -> None:
    """Sign a batch: an in-toto statement with the hash of every file, in a DSSE envelope."""
    from foretaste.data.atomic import appearing
    from foretaste.errors import ConfigError
    from foretaste.provenance.batch import SUFFIX, sign_batch
    from foretaste.provenance.keys import find_private, load_private
    from foretaste.report.safe import visible

    if out is None and len(files) > 1:
        raise ConfigError("there are several files; name the file for their signature with --out")
    place = out or files[0].with_name(f"{files[0].name}{SUFFIX}")
    envelope = sign_batch(files, source, load_private(key or find_private(source)))
    with appearing(place) as path:
        path.write_bytes(envelope.encode())
    typer.echo(f"{visible(place)} states that they come from {visible(source)}; it does not make them good")
