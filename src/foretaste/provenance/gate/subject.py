"""What stands before the gate, and what the ledger knows about it, each looked up once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from foretaste.data import file_sha256
from foretaste.errors import DataError
from foretaste.provenance import listing
from foretaste.provenance.entries import Entry
from foretaste.provenance.gate.approvals import Approval, approvals, subject_of
from foretaste.provenance.gate.policy import Policy
from foretaste.provenance.genuine import GenuineEntries, genuine_entries
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.lineage.capture import MODELS
from foretaste.provenance.lineage.from_ledger import synchronise
from foretaste.provenance.lineage.graph import LineageGraph
from foretaste.provenance.versions.history import Version, versions

_ABOVE = (
    "WITH RECURSIVE above (id) AS (SELECT id FROM artefact WHERE kind IN ('data', 'model') AND key = ?"
    " UNION SELECT edge.parent FROM edge JOIN above ON edge.child = above.id)"
    " SELECT a.kind, a.key, a.name, (SELECT COUNT(*) FROM edge e WHERE e.child = a.id)"
    " FROM above JOIN artefact a ON a.id = above.id"
)


@dataclass(frozen=True)
class Origin:
    """Something the subject was made from, and whether anything is recorded about where that came from."""

    kind: str
    key: str
    name: str
    known: bool


class Subject:
    """A data set or model file, and its past.

    Parameters
    ----------
    path : Path
    policy : Policy
    """

    def __init__(self, path: Path, policy: Policy) -> None:
        self.path, self.policy = path, policy

    @property
    def is_model(self) -> bool:
        """Whether it is a model file, by its name."""
        return not self.path.is_dir() and self.path.suffix.lower() in MODELS

    @cached_property
    def sha256(self) -> str:
        """As entries and approvals name it."""
        return subject_of(self.path)

    @cached_property
    def data_sha256(self) -> str:
        """As a scan names it."""
        return file_sha256(self.path) if self.path.is_dir() else self.sha256

    @cached_property
    def ledger(self) -> Ledger:
        """The policy's."""
        assert self.policy.ledger is not None
        return Ledger(self.policy.ledger)

    @cached_property
    def entries(self) -> GenuineEntries:
        """All entries, compared with the signed root."""
        return genuine_entries(self.ledger)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The hashes of the subject: its own, or those of the files in the folder."""
        if not self.path.is_dir():
            return frozenset({self.sha256})
        return frozenset(file_sha256(file) for _, file in listing.files_below(self.path))

    @cached_property
    def recorded(self) -> int | None:
        """The last entry that names the subject, other than approvals of it."""
        for number, entry in reversed(list(self.entries.holding(self.sha256))):
            if any(record.sha256 == self.sha256 for record in entry.files) and entry.kind != "denied-write":
                return number
            outputs = _outputs(entry)
            if self.sha256 in outputs:
                return number
        return None

    @cached_property
    def origins(self) -> list[Origin]:
        """Everything the subject was made from, itself included, back to the sources."""
        found: dict[tuple[str, str], Origin] = {}
        with LineageGraph(":memory:") as graph:
            synchronise(graph, self.ledger, rows=False, entries=self.entries)
            for key in self.keys:
                for kind, sha256, name, parents in graph.query(_ABOVE, (key,)):
                    found[kind, sha256] = Origin(kind, sha256, name, parents > 0)
        return list(found.values())

    @cached_property
    def approvals(self) -> list[Approval]:
        """Valid approvals."""
        return approvals(self.entries, self.sha256, self.policy.access, self.ledger.verifier.name)

    @cached_property
    def dataset_versions(self) -> list[Version]:
        """Versions of the policy's data set, or of the only one there is, the oldest first.

        Raises
        ------
        DataError
            Where there are several and the policy names none.
        """
        listed = versions(self.ledger, entries=self.entries)
        names = sorted({version.dataset for version in listed})
        if self.policy.dataset is None and len(names) > 1:
            held = f"the ledger holds {len(names)} data sets ({', '.join(names[:3])})"
            raise DataError(held, hint="name one with dataset = in [gate]")
        wanted = self.policy.dataset or "".join(names)
        return [version for version in listed if version.dataset == wanted]


def _outputs(entry: Entry) -> set[Any]:
    lineage = entry.details.get("lineage")
    listed = lineage.get("outputs") if isinstance(lineage, dict) else None
    return {one.get("key") for one in listed if isinstance(one, dict)} if isinstance(listed, list) else set()


__all__ = ["Origin", "Subject"]
