"""``foretaste diff``: what changed between two versions of a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from foretaste.provenance.difference import Difference

CHANGED = 1
"""Exit status where anything changed, as that of diff."""

_MOST_LABELS = 10
_WORDS = {
    "added": "added",
    "removed": "removed",
    "label": "with another label",
    "features": "with other values",
}


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The version before.", show_default=False)],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="The version after, in any format.", show_default=False)
    ],
    label: Annotated[str | None, typer.Option(metavar="COL", help="Column with the label.")] = None,
    id: Annotated[str | None, typer.Option(metavar="COL", help="Column that identifies a row.")] = None,
    source: Annotated[str | None, typer.Option(metavar="COL", help="Column with the source.")] = None,
    manifests: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="OLD NEW", help="Their manifests: pieces that both have are not read."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Parquet file for the changed rows.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say which rows were added, removed, relabelled or changed, per source; exit with 1 if any."""
    from foretaste.cli.manifest import read_manifest
    from foretaste.data.atomic import appearing
    from foretaste.provenance.difference import compare

    trees = [read_manifest(file) for file in manifests] if manifests else (None, None)
    found = compare(old, new, label=label, id=id, source=source, manifests=trees)
    if out is not None:
        import pyarrow.parquet as pq

        with appearing(out) as path:
            pq.write_table(found.rows, path)
    tell(found, by_source=source is not None, as_json=as_json)


def tell(found: Difference, *, by_source: bool, as_json: bool) -> None:
    """Print a difference; exit with 1 where there is any."""
    from foretaste.report.numbers import plural, whole
    from foretaste.report.safe import visible

    counts, sources = found.counts(), found.by_source()
    if as_json:
        told = {"schema": 1, "unchanged": found.unchanged, **counts, "sources": sources, "notes": found.notes}
        typer.echo(json.dumps(told, indent=1))
    else:
        typer.echo(f"{whole(found.unchanged):>12}  unchanged")
        for change, count in counts.items():
            typer.echo(f"{whole(count):>12}  {_WORDS[change]}")
        for name, by_change in sources.items() if by_source else ():
            told_changes = ", ".join(f"{whole(n)} {_WORDS[change]}" for change, n in by_change.items() if n)
            typer.echo(f"from {visible(name) or 'no source'}: {told_changes}")
        for (before, after), count in found.relabelled().most_common(_MOST_LABELS):
            typer.echo(f"label {visible(before)} → {visible(after)}: {plural(count, 'row')}")
        for note in found.notes:
            typer.echo(f"note: {visible(note)}")
    if any(counts.values()):
        raise typer.Exit(CHANGED)
