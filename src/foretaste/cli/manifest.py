"""``foretaste manifest``: what a version of a data set consists of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from foretaste.provenance.manifest import Manifest

DIFFERENT = 1
"""Exit status where the data are not those of the manifest."""


def manifest(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="A data set, or any file or folder.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for the manifest; one that is there is brought up to date."),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Compare with this manifest; exit with 1 if not the same."),
    ] = None,
    algorithm: Annotated[
        str, typer.Option("--hash", metavar="NAME", help="For bytes of files: sha256 or blake3.")
    ] = "sha256",
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Trust inode, size, modification and change time of files seen before."),
    ] = False,
) -> None:
    """Hash a data set as a tree: rows, shards, data set. Unchanged shards keep their hashes."""
    from foretaste.data.atomic import appearing
    from foretaste.errors import ConfigError
    from foretaste.provenance.blobs import SeenFiles, blob_hash
    from foretaste.provenance.manifest import build_manifest
    from foretaste.report.numbers import plural, whole
    from foretaste.report.safe import visible

    if quick and out is None:
        raise ConfigError("--quick remembers files beside the manifest; name it with --out")
    known = check or (out if out is not None and out.exists() else None)
    previous = None if known is None else read_manifest(known)
    seen = SeenFiles(out.with_name(f"{out.name}.seen")) if quick and out is not None else None
    kind = previous.algorithm if check is not None and previous is not None else algorithm
    built = build_manifest(
        data, previous=previous, algorithm=kind, hash_file=seen.blob_hash if seen else blob_hash
    )
    made = built.manifest
    rows = "no table" if made.rows is None else plural(made.rows, "row")
    kept = (
        f", {whole(len(made.shards) - built.shards_read)} as before, {plural(built.rows_read, 'row')} read"
        if previous is not None and made.rows is not None
        else ""
    )
    typer.echo(f"{made.root}  {visible(data)}  ({rows}, {plural(len(made.shards), 'shard')}{kept})")
    if out is not None:
        with appearing(out) as path:
            path.write_bytes(made.encode())
        if seen is not None:
            seen.save()
    if check is not None and previous is not None and made.root != previous.root:
        for line in _differences(previous, made):
            typer.echo(f"different: {visible(line)}")
        raise typer.Exit(DIFFERENT)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest file; raises `DataError` where it is none."""
    from foretaste.errors import DataError, IntegrityError
    from foretaste.provenance.manifest import Manifest

    try:
        return Manifest.parse(path.read_bytes())
    except FileNotFoundError:
        raise DataError("there is no such manifest", file=path) from None
    except IntegrityError as error:
        raise DataError(str(error), file=path) from None


def _differences(old: Manifest, new: Manifest) -> list[str]:
    before, after = ({shard.name: shard for shard in version.shards} for version in (old, new))
    lines = [f"{name} is not there any more" for name in before.keys() - after.keys()]
    lines += [f"{name} is new" for name in after.keys() - before.keys()]
    both = (name for name in before if name in after and before[name].entry(0) != after[name].entry(0))
    lines += [f"{name} was altered" for name in both]
    return sorted(lines) or ["the order of the shards"]
