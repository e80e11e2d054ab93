"""The blast radius of a source or file: everything that contains its rows, how many, and what to retrain."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from foretaste.errors import DataError
from foretaste.provenance.lineage.activity import Artefact
from foretaste.provenance.lineage.graph import LineageGraph

_REACHED = (
    "INSERT INTO reached WITH RECURSIVE below (id) AS ("
    " SELECT CAST(? AS BIGINT) UNION SELECT edge.child FROM edge JOIN below ON edge.parent = below.id)"
    " SELECT id FROM below"
)
# In a CROSS JOIN, SQLite keeps the order that is written: from the few that are reached to the many that are.
_NODES = "SELECT a.id, a.kind, a.key, a.name, a.rows FROM reached r CROSS JOIN artefact a WHERE a.id = r.id"
_EDGES = "SELECT e.parent, e.child, e.rows, e.activity FROM reached r CROSS JOIN edge e WHERE e.parent = r.id"
_NEWEST = (
    "SELECT n.kind, n.name, MAX(b.id) FROM (SELECT DISTINCT a.kind, a.name FROM reached r"
    " CROSS JOIN artefact a WHERE a.id = r.id AND a.kind IN ('model', 'version')) n"
    " CROSS JOIN artefact b WHERE b.name = n.name AND b.kind = n.kind GROUP BY n.kind, n.name"
)
_DEPLOYED = (
    "SELECT e.child, MAX(e.activity) FROM reached r CROSS JOIN artefact a CROSS JOIN edge e"
    " WHERE a.id = r.id AND a.kind = 'deployment' AND e.child = r.id GROUP BY e.child"
)


@dataclass(frozen=True)
class Affected:
    """An artefact that contains rows of what was asked about.

    Attributes
    ----------
    artefact : Artefact
    rows : int or None
        How many of its rows come from there; None where that is not known.
    exact : bool
        Whether ``rows`` is the number, or only what it is at most.
    current : bool
        For versions, models and deployments: whether nothing newer of that name has taken its place.
    """

    artefact: Artefact
    rows: int | None
    exact: bool
    current: bool

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        known = {"affected_rows": self.rows, "exact": self.exact, "current": self.current}
        return self.artefact.as_json() | known


@dataclass
class Blast:
    """What is affected.

    Attributes
    ----------
    start : Artefact
    data, versions, models, deployments : list of Affected
    retrain : list of str
        Names of the models that should be trained again: affected, and deployed now or the newest of their
        name.
    """

    start: Artefact
    data: list[Affected] = field(default_factory=list)
    versions: list[Affected] = field(default_factory=list)
    models: list[Affected] = field(default_factory=list)
    deployments: list[Affected] = field(default_factory=list)
    retrain: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        lists = {
            name: [one.as_json() for one in getattr(self, name)]
            for name in ("data", "versions", "models", "deployments")
        }
        return {"schema": 1, "start": self.start.as_json(), **lists, "retrain": self.retrain}


def blast(graph: LineageGraph, name: str) -> Blast:
    """Find everything that contains rows of a source, file, version or model.

    Parameters
    ----------
    graph : LineageGraph
    name : str
        Name of a source, or name, SHA-256 or its first 8 digits of anything else; a source wins.

    Raises
    ------
    DataError
        Where there is no such thing, or several.
    """
    start = _start(graph, name)
    ((identifier,),) = graph.query(
        "SELECT id FROM artefact WHERE kind = ? AND key = ?", (start.kind, start.key)
    )
    with graph.transaction():
        graph.execute("CREATE TEMPORARY TABLE reached (id BIGINT PRIMARY KEY)")
        graph.execute(_REACHED, (identifier,))
        graph.execute("ANALYZE reached")
        nodes, edges, newest, deployed = (
            graph.execute(query).fetchall() for query in (_NODES, _EDGES, _NEWEST, _DEPLOYED)
        )
        graph.execute("DROP TABLE reached")
    artefacts = {int(row[0]): Artefact(*row[1:]) for row in nodes}
    rows = _count(int(identifier), artefacts, edges)
    last = {int(child): activity for child, activity in deployed}
    serving = {(child, parent) for parent, child, _, activity in edges if last.get(child) == activity}
    current = {int(number) for _, _, number in newest} | {child for child, _ in serving}
    found = Blast(start)
    lists = {"data": found.data, "version": found.versions, "model": found.models}
    lists["deployment"] = found.deployments
    for number, artefact in sorted(artefacts.items()):
        if number != identifier and artefact.kind in lists:
            count, exact = rows.get(number, (None, False))
            lists[artefact.kind].append(Affected(artefact, count, exact, number in current))
    served = {parent for _, parent in serving}
    wanted = (n for n, a in sorted(artefacts.items()) if a.kind == "model" and n in current | served)
    found.retrain = list(dict.fromkeys(artefacts[number].name for number in wanted))
    return found


def _start(graph: LineageGraph, name: str) -> Artefact:
    found = graph.find(name)
    sources = [artefact for artefact in found if artefact.kind == "source"]
    if sources:
        return sources[0]
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(f"{artefact.kind} {artefact.key[:12]}" for artefact in found[:5])
        raise DataError(f"{name!r} is the name of {len(found)} things: {shown}", hint="name the hash")
    raise DataError(f"nothing in the lineage is called {name!r}", hint="foretaste lineage list shows what is")


def _count(
    start: int, artefacts: dict[int, Artefact], edges: list[Any]
) -> dict[int, tuple[int | None, bool]]:
    """How many rows of ``start`` are in everything below it: exactly, or at most.

    Rows are followed edge by edge. Where an activity says how many rows of an input are in an output, that
    bounds what comes through; it stays exact while all rows come through, or all of the input is affected.
    """
    into: dict[int, dict[int, int | None]] = defaultdict(dict)
    below: dict[int, set[int]] = defaultdict(set)
    for parent, child, rows, _ in edges:
        known = into[child].get(parent)
        into[child][parent] = rows if known is None else known if rows is None else max(known, rows)
        below[parent].add(child)
    waiting = {child: len(parents) for child, parents in into.items()}
    counts: dict[int, tuple[int | None, bool]] = {start: (artefacts[start].rows, True)}
    for child in below[start]:
        waiting[child] -= 1
    queue = deque(child for child in below[start] if waiting[child] == 0)
    while queue:
        node = queue.popleft()
        counts[node] = _combined(node, start, into[node], counts, artefacts)
        for child in below[node]:
            waiting[child] -= 1
            if waiting[child] == 0:
                queue.append(child)
    for node in into:  # what lies on a circle: at most all of it
        counts.setdefault(node, (artefacts[node].rows, False))
    return counts


def _combined(
    node: int,
    start: int,
    parents: dict[int, int | None],
    counts: dict[int, tuple[int | None, bool]],
    artefacts: dict[int, Artefact],
) -> tuple[int | None, bool]:
    most = artefacts[node].rows
    if start in parents and (parents[start] is not None or artefacts[start].kind == "source"):
        direct = parents[start] if parents[start] is not None else most
        return direct, direct is not None
    total, exact = 0, True
    for parent, carried in parents.items():
        count, sure = counts[parent]
        if count is None:
            return most, False
        whole = artefacts[parent].rows
        if carried is not None:
            sure = sure and (carried == whole or count in (0, whole))
            count = min(count, carried)
        else:
            sure = False
        total, exact = total + count, exact and sure
    if most is not None and total > most:
        return most, False
    return total, exact


__all__ = ["Affected", "Blast", "blast"]
