"""Where the lineage graph is, and what verbs that use it share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from foretaste.provenance.lineage import Activity, LineageGraph

DEFAULT = ".foretaste/lineage.db"

Url = Annotated[
    str,
    typer.Option(
        "--lineage",
        metavar="URL",
        envvar="FORETASTE_LINEAGE",
        help="SQLite file, or postgresql://... of the lineage graph.",
    ),
]


LedgerFolder = Annotated[
    Path | None,
    typer.Option(
        "--ledger", metavar="DIR", envvar="FORETASTE_LEDGER", help="Also what this ledger says, and into it."
    ),
]
LedgerKey = Annotated[
    Path | None,
    typer.Option(metavar="FILE", envvar="FORETASTE_LEDGER_KEY", help="The ledger's private key."),
]


def opened(url: str, ledger: Path | None = None, *, to_read: bool = False) -> LineageGraph:
    """The graph, up to date with a ledger; made where it does not exist, unless it is only to be read."""
    from foretaste.errors import DataError
    from foretaste.provenance.lineage import LineageGraph

    if to_read and ledger is None and "://" not in url and not Path(url).is_file():
        raise DataError(
            "there is no lineage graph",
            file=url,
            hint="record something with foretaste run or lineage add, or name a ledger with --ledger",
        )
    graph = LineageGraph(url)
    if ledger is not None:
        from foretaste.provenance.ledger import Ledger
        from foretaste.provenance.lineage.from_ledger import synchronise

        synchronise(graph, Ledger(ledger))
    return graph


def record(graph: LineageGraph, activity: Activity, ledger: Path | None, key: Path | None) -> None:
    """Record an activity in the graph; where there is a ledger, as an entry of it."""
    if ledger is None:
        graph.record(activity)
        return
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.lineage.from_ledger import synchronise, write

    opened_ledger = Ledger(ledger, key=key)
    write(opened_ledger, activity)
    synchronise(graph, opened_ledger)
