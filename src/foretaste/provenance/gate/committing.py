"""Committing and rolling back under a policy: two people for many labels, the gate on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from foretaste.errors import DataError
from foretaste.provenance.gate.approvals import approvals, deny, subject_of
from foretaste.provenance.gate.compared import TWO, drift_since, label_changes
from foretaste.provenance.gate.decision import gate
from foretaste.provenance.gate.policy import Policy
from foretaste.provenance.gate.subject import Subject
from foretaste.provenance.genuine import genuine_entries
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.versions.difference import difference
from foretaste.provenance.versions.files import named_copies
from foretaste.provenance.versions.history import Version, commit, roll_back, version, versions
from foretaste.provenance.versions.pointers import pointers


def commit_checked(
    ledger: Ledger,
    dataset: str,
    paths: Sequence[Path],
    *,
    note: str | None = None,
    label: str | None = None,
    id: str | None = None,
    policy: Policy | None = None,
) -> Version:
    """Commit a version; where labels are compared, too many changed ones need two signatures.

    Raises
    ------
    DeniedError
        Where two people with the role ``label`` have not signed every file; the attempt is in the ledger.
    """
    details: dict[str, Any] = {}
    if policy is not None:
        label, id = label or policy.label, id or policy.id
    earlier = versions(ledger, dataset)
    if label is not None and earlier:
        with named_copies(ledger, earlier[-1]) as before:
            found = difference(before, list(paths), label=label, id=id)
        changed = details["label_changes"] = found.counts()["label"]
        limit = None if policy is None else policy.access.two_person_above
        if policy is not None and limit is not None and changed > limit:
            _require_two(ledger, dataset, paths, changed, policy)
    known: dict[str, str] = {}
    for path in paths:
        known |= pointers(path)
    made = commit(ledger, dataset, paths, note=note, pointers=known, details=details)
    if policy is not None and _is_of(policy, ledger) and earlier:
        _compare(paths, policy)
    return made


def _require_two(ledger: Ledger, dataset: str, paths: Sequence[Path], changed: int, policy: Policy) -> None:
    entries = genuine_entries(ledger)
    for path in paths:
        subject = subject_of(path)
        signed = approvals(entries, subject, policy.access, ledger.verifier.name)
        by = sorted({one.by for one in signed if one.role == "label"})
        if len(by) < TWO:
            who = f"{', '.join(by)} signed" if by else "nobody signed"
            deny(
                ledger,
                f"{changed:,} labels of {dataset} change and {who} {path.name}; two people must",
                subject,
            )


def _is_of(policy: Policy, ledger: Ledger) -> bool:
    return policy.ledger is not None and policy.ledger.resolve() == ledger.folder.resolve()


def _compare(paths: Sequence[Path], policy: Policy) -> None:
    """Measure now what the gate will ask for, so that it need not read both versions when it is asked."""
    for path in paths:
        subject = Subject(path, policy)
        with suppress(DataError):  # the gate says what is wrong
            if policy.max_drift is not None:
                drift_since(subject)
            if policy.access.two_person_above is not None and not subject.is_model:
                label_changes(subject)


def roll_back_checked(
    ledger: Ledger, dataset: str, number: int, *, note: str | None = None, policy: Policy | None = None
) -> Version:
    """Roll back, if the content of the older version passes the gate as it is today.

    Raises
    ------
    DeniedError
        Where it does not; the attempt is in the ledger.
    """
    target = version(ledger, dataset, number)
    if policy is not None and policy.ledger is not None and not _is_of(policy, ledger):
        raise DataError(f"the policy is for the ledger {policy.ledger}, not for {ledger.folder}")
    if policy is not None:
        with named_copies(ledger, target) as paths:
            report = gate(paths, policy)
        for one in report.subjects:
            reasons = [check.reason for check in one.checks if check.status == "block"]
            if reasons:
                deny(ledger, f"{target.key} does not pass the gate: {reasons[0]}", one.sha256)
    return roll_back(ledger, dataset, number, note=note)


__all__ = ["commit_checked", "roll_back_checked"]
