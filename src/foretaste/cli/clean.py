"""``foretaste clean``: take the flagged rows out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def clean(
    data: Annotated[Path, typer.Argument(help="The data that were scanned.", show_default=False)],
    findings: Annotated[Path, typer.Option(help="Folder of the scan's results.", show_default=False)],
    out: Annotated[
        Path, typer.Option(help="File for the rows that stay, in the same format.", show_default=False)
    ],
    quarantine: Annotated[
        Path | None,
        typer.Option(help="File for the rows taken out, with the reason; beside --out otherwise."),
    ] = None,
    relabel: Annotated[
        bool, typer.Option("--relabel", help="Keep rows for which a better label is known, under that label.")
    ] = False,
) -> None:
    """Write the rows that stay, the rows that go, and a receipt; the data themselves are never touched."""
    from foretaste.defend.sanitise.clean import clean as take_out

    receipt = take_out(data, findings, out, quarantine, relabel)
    for line in _told(receipt, out):
        typer.echo(line)


def _told(receipt: dict[str, Any], out: Path) -> list[str]:
    from foretaste.report.numbers import plural, whole
    from foretaste.report.safe import visible

    changed = len(receipt["relabelled"])
    lines = [
        f"{plural(receipt['rows_in'], 'row')} in: {whole(receipt['kept'])} kept, "
        f"{whole(receipt['quarantined'])} quarantined"
        + (f", {whole(changed)} relabelled" if changed else ""),
        f"kept        {visible(out)}",
        f"quarantine  {visible(receipt['quarantine']['path'])}",
        f"receipt     {visible(out.parent / 'receipt.json')}",
    ]
    return lines + [f"note: {visible(note)}" for note in receipt["notes"]]
