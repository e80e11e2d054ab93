"""Where the lineage graph is, and what verbs that use it share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from foretaste.provenance.lineage import LineageGraph

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


def opened(url: str) -> LineageGraph:
    """The graph, made where it does not exist."""
    from foretaste.provenance.lineage import LineageGraph

    return LineageGraph(url)
