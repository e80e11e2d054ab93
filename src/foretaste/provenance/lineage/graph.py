"""The lineage graph in a database: SQLite in a file, or PostgreSQL by URL.

It is an index: what it says is believed for looking things up, not for proof. Where a ledger is kept, the
graph can be made anew from it at any time.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from foretaste.errors import DataError, MissingExtraError
from foretaste.provenance.lineage.activity import Activity, Artefact

_TABLES = (
    "CREATE TABLE IF NOT EXISTS artefact (id {id}, kind TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,"
    " rows BIGINT, UNIQUE (kind, key))",
    "CREATE TABLE IF NOT EXISTS activity (id {id}, kind TEXT NOT NULL, time TEXT NOT NULL,"
    " digest TEXT NOT NULL UNIQUE, entry BIGINT, details TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS edge (parent BIGINT NOT NULL, child BIGINT NOT NULL,"
    " activity BIGINT NOT NULL, rows BIGINT, PRIMARY KEY (parent, child, activity))",
    "CREATE INDEX IF NOT EXISTS edge_child ON edge (child, activity)",
    "CREATE INDEX IF NOT EXISTS artefact_name ON artefact (name)",
    "CREATE TABLE IF NOT EXISTS ledger (origin TEXT PRIMARY KEY, size BIGINT NOT NULL)",
)
_ID = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}


class LineageGraph:
    """Artefacts, activities and the edges between them.

    Parameters
    ----------
    url : str or path
        ``postgresql://...``, or the path of an SQLite file, made where it does not exist.

    Raises
    ------
    DataError
        Where the database cannot be opened or is something else.
    MissingExtraError
        Where PostgreSQL is asked for and psycopg is not installed.

    Examples
    --------
    >>> graph = LineageGraph(":memory:")
    >>> batch = Artefact("data", "ab" * 32, "batch.csv", rows=100)
    >>> graph.record(Activity("ingest", "2026-11-26", (Artefact("source", "vendor"),), (batch,)))
    True
    >>> [artefact.name for artefact in graph.find("batch.csv")]
    ['batch.csv']
    """

    def __init__(self, url: str | Path) -> None:
        self.url = str(url)
        self.dialect = "postgresql" if self.url.startswith(("postgresql://", "postgres://")) else "sqlite"
        self._connection = self._postgresql() if self.dialect == "postgresql" else self._sqlite()
        with self.transaction():
            for statement in _TABLES:
                self.execute(statement.format(id=_ID[self.dialect]))

    def _sqlite(self) -> Any:
        if self.url != ":memory:":
            Path(self.url).parent.mkdir(parents=True, exist_ok=True)
        with self._understood():
            connection = sqlite3.connect(self.url, timeout=30)
            connection.execute("PRAGMA journal_mode = WAL")
            return connection

    def _postgresql(self) -> Any:
        try:
            import psycopg
        except ImportError:
            raise MissingExtraError("lineage in PostgreSQL", "server") from None
        try:
            return psycopg.connect(self.url, connect_timeout=10, autocommit=True)
        except psycopg.Error as error:
            words = " ".join(str(error).split())[:200]
            raise DataError(f"the database cannot be reached ({words})", hint="check the URL") from None

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Errors of the database as one sentence; a URL may hold a password and is not shown."""
        errors: tuple[type[BaseException], ...] = (sqlite3.Error,)
        if self.dialect == "postgresql":
            import psycopg

            errors = (psycopg.Error,)
        try:
            yield
        except errors as error:
            place = self.url if self.dialect == "sqlite" else "the PostgreSQL database"
            words = " ".join(str(error).split())[:200]
            raise DataError(
                f"it cannot be used for lineage ({words})",
                file=place,
                hint="name another database with --lineage",
            ) from None

    def __enter__(self) -> LineageGraph:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Run one statement, with ``?`` for values; gives the cursor."""
        if self.dialect == "postgresql":
            statement = statement.replace("?", "%s")
        return self._connection.execute(statement, tuple(values))

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._understood():
            return list(self.execute(statement, values).fetchall())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        with self._understood(), self._transaction():
            yield

    def _transaction(self) -> Any:
        return self._connection if self.dialect == "sqlite" else self._connection.transaction()

    def record(self, activity: Activity, entry: int | None = None) -> bool:
        """Record what happened; False where it is recorded already.

        Parameters
        ----------
        activity : Activity
        entry : int, optional
            Number of the ledger's entry that says so.
        """
        with self.transaction():
            return self._record(activity, entry)

    def record_all(self, activities: Iterable[tuple[Activity, int | None]], origin: str, size: int) -> int:
        """Record what a ledger says, and up to which entry; gives the number of new activities."""
        with self.transaction():
            new = sum(self._record(activity, entry) for activity, entry in activities)
            self.execute(
                "INSERT INTO ledger (origin, size) VALUES (?, ?)"
                " ON CONFLICT (origin) DO UPDATE SET size = excluded.size",
                (origin, size),
            )
        return new

    def ledger_size(self, origin: str) -> int:
        """Entries of a ledger that are in the graph already."""
        found = self.query("SELECT size FROM ledger WHERE origin = ?", (origin,))
        return int(found[0][0]) if found else 0

    def _record(self, activity: Activity, entry: int | None) -> bool:
        made = self.execute(
            "INSERT INTO activity (kind, time, digest, entry, details) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (digest) DO NOTHING RETURNING id",
            (activity.kind, activity.time, activity.digest(), entry, json.dumps(dict(activity.details))),
        ).fetchone()
        if made is None:
            return False
        inputs = [self._artefact(artefact) for artefact in activity.inputs]
        outputs = [self._artefact(artefact) for artefact in activity.outputs]
        rows = {(i, o): count for i, o, count in activity.carried}
        for i, parent in enumerate(inputs):
            for o, child in enumerate(outputs):
                if parent != child:
                    self.execute(
                        "INSERT INTO edge (parent, child, activity, rows) VALUES (?, ?, ?, ?)"
                        " ON CONFLICT DO NOTHING",
                        (parent, child, made[0], rows.get((i, o))),
                    )
        return True

    def _artefact(self, artefact: Artefact) -> int:
        name = artefact.name or artefact.key
        found = self.execute(
            "INSERT INTO artefact (kind, key, name, rows) VALUES (?, ?, ?, ?) ON CONFLICT (kind, key)"
            " DO UPDATE SET rows = COALESCE(artefact.rows, excluded.rows) RETURNING id",
            (artefact.kind, artefact.key, name, artefact.rows),
        ).fetchone()
        return int(found[0])

    def find(self, name: str) -> list[Artefact]:
        """Artefacts with this name or key, or a key that begins so (from 8 characters on)."""
        found = self.query(
            "SELECT kind, key, name, rows FROM artefact WHERE key = ? OR name = ? ORDER BY id", (name, name)
        )
        if not found and re.fullmatch("[0-9a-f]{8,64}", name):
            found = self.query(
                "SELECT kind, key, name, rows FROM artefact WHERE key LIKE ? ORDER BY id", (f"{name}%",)
            )
        return [Artefact(*row) for row in found]

    def listed(self, kind: str | None = None) -> list[Artefact]:
        """All artefacts, or those of one kind, oldest first."""
        where, values = ("WHERE kind = ?", (kind,)) if kind else ("", ())
        return [
            Artefact(*row)
            for row in self.query(f"SELECT kind, key, name, rows FROM artefact {where} ORDER BY id", values)  # noqa: S608
        ]

    def versions_of(self, hashes: Iterable[str]) -> list[tuple[Artefact, frozenset[str]]]:
        """Versions that have any of these files, oldest first, each with the hashes of all its files."""
        found: dict[int, Artefact] = {}
        for sha256 in hashes:
            found |= {
                int(row[0]): Artefact(*row[1:])
                for row in self.query(
                    "SELECT v.id, v.kind, v.key, v.name, v.rows FROM artefact a CROSS JOIN edge e"
                    " CROSS JOIN artefact v WHERE a.kind = 'data' AND a.key = ? AND e.parent = a.id"
                    " AND v.id = e.child AND v.kind = 'version'",
                    (sha256,),
                )
            }
        parents = (
            "SELECT a.key FROM edge e JOIN artefact a ON a.id = e.parent"
            " WHERE e.child = ? AND a.kind = 'data'"
        )
        return [
            (artefact, frozenset(key for (key,) in self.query(parents, (number,))))
            for number, artefact in sorted(found.items())
        ]


__all__ = ["LineageGraph"]
