"""The subject of a gate compared with versions that were accepted: drift, and labels that changed.

Both are measured here, on the bytes. What an entry says about them counts for nothing: whoever may append to
the ledger could write a small number there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from foretaste.data import open_file
from foretaste.errors import DataError
from foretaste.provenance.gate.approvals import approvals, subject_of
from foretaste.provenance.gate.drift import Drift, file_drift
from foretaste.provenance.gate.memory import remembered
from foretaste.provenance.gate.subject import Subject
from foretaste.provenance.versions.difference import difference
from foretaste.provenance.versions.files import named_copies
from foretaste.provenance.versions.history import Version

TWO = 2
"""People who must sign for many changed labels."""


def accepted(subject: Subject, role: str, count: int) -> Iterator[Version]:
    """The versions of the data set of whose files each was signed by so many people with that role now, the
    newest first; and the first of all, where counting starts."""
    listed = subject.dataset_versions
    for version in reversed(listed):
        if version is listed[0] or all(
            len(signers(subject, record.sha256, role)) >= count for record in version.files
        ):
            yield version


def signers(subject: Subject, sha256: str, role: str) -> set[str]:
    """Who approved a file in a role."""
    policy, origin = subject.policy, subject.ledger.verifier.name
    return {one.by for one in approvals(subject.entries, sha256, policy.access, origin) if one.role == role}


def drift_since(subject: Subject) -> tuple[Drift, Version] | None:
    """How far the subject moved from the newest accepted version that is another one; None without any.

    Raises
    ------
    DataError
        Where they cannot be compared.
    """
    policy = subject.policy
    for version in accepted(subject, policy.approval_role, policy.approvals):
        if not _holds(version, subject):

            def measure(before: list[Path]) -> list[str]:
                moved = file_drift(subject.path, before)
                return [moved.column, repr(moved.distance)]

            column, distance = _measured("drift 1", subject, version, measure)
            return Drift(column, float(distance)), version
    return None


def label_changes(subject: Subject) -> tuple[int, Version] | None:
    """The fewest labels that differ from a version that two people signed, or the first; None without any.

    Versions are looked at from the newest on, until one differs in no more labels than one person may change.

    Raises
    ------
    DataError
        Where the policy does not say which column the label is, or they cannot be compared.
    """
    limit, found = subject.policy.access.two_person_above or 0, None
    for version in accepted(subject, "label", TWO):
        changed = 0 if _holds(version, subject) else _relabelled(subject, version)
        if found is None or changed < found[0]:
            found = changed, version
        if changed <= limit:
            break
    return found


def _relabelled(subject: Subject, version: Version) -> int:
    policy, path = subject.policy, subject.path
    table = None if path.is_dir() and not any(path.rglob("*.parquet")) else open_file(path)
    if table is not None and policy.label is None and table.defaults.get("label") is None:
        raise DataError("the policy does not say which column the label is", hint="add label = to [gate]")

    def measure(before: list[Path]) -> list[str]:
        alike = before
        if table is not None:
            alike = [one for one in before if set(open_file(one).columns) == set(table.columns)]
        if not alike:
            raise DataError("its columns are those of no file there")
        rows = difference(alike, [path], label=policy.label, id=policy.id).rows
        columns = (rows.column(name).to_pylist() for name in ("change", "old_label", "new_label"))
        changes = zip(*columns, strict=True)
        return [str(sum(what in ("label", "features") and old != new for what, old, new in changes))]

    (changed,) = _measured("label changes 1", subject, version, measure)
    return int(changed)


def _measured(
    what: str, subject: Subject, version: Version, measure: Callable[[list[Path]], list[str]]
) -> list[str]:
    """Measure against the verified files of a version, or remember; the subject must stay what it is."""

    def now() -> list[str]:
        with named_copies(subject.ledger, version) as before:
            found = measure(before)
        if subject_of(subject.path) != subject.sha256:
            raise DataError("it changed while it was compared", file=subject.path)
        return found

    question = {
        "what": what,
        "subject": [subject.path.name, subject.sha256],
        "version": [[record.name, record.sha256] for record in version.files],
        "label": subject.policy.label or "",
        "id": subject.policy.id or "",
    }
    return remembered(question, now)


def _holds(version: Version, subject: Subject) -> bool:
    return any(record.sha256 == subject.sha256 for record in version.files)


__all__ = ["TWO", "accepted", "drift_since", "label_changes", "signers"]
