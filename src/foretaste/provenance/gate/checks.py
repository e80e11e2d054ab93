"""The checks of a gate: each looks at one demand of the policy and says pass or block, with the reason."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from foretaste.errors import ConfigError, DataError, IntegrityError
from foretaste.provenance.checkpoint import Checkpoint
from foretaste.provenance.gate.compared import TWO, drift_since, label_changes, signers
from foretaste.provenance.gate.policy import Policy
from foretaste.provenance.gate.subject import Subject
from foretaste.provenance.ingest import is_signed, no_longer_trusted
from foretaste.provenance.model_files import inspect_model
from foretaste.provenance.note import MOST_BYTES
from foretaste.provenance.sources import SourcePolicy
from foretaste.provenance.tiles import read_bounded
from foretaste.rules import rule

Status = Literal["pass", "block", "skip"]
_SUMMARY_BYTES = 2**26
_CODE = (".py", ".ipynb", ".sh", ".R", ".jl", ".sql", ".toml", ".yaml", ".yml", ".cfg", ".ini", ".lock")
"""Endings of what a step may read without a source: programs and their settings."""


@dataclass(frozen=True)
class Check:
    """One demand of the policy: whether it is fulfilled, and why not."""

    name: str
    status: Status
    reason: str

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"check": self.name, "status": self.status, "reason": self.reason}


def model_file(subject: Subject) -> Iterator[Check]:
    """Loading the model runs nothing."""
    if not subject.is_model:
        return
    found = inspect_model(subject.path, allowed=frozenset(subject.policy.allow_imports))
    bad = [one for one in found.concerns if one.level in ("dangerous", "malformed", "unknown")]
    if found.verdict == "unknown" and subject.policy.allow_unknown_models:
        yield Check(
            "model-file", "pass", f"what it imports is not known, which the policy allows: {bad[0].reason}"
        )
    elif found.verdict == "safe":
        yield Check("model-file", "pass", f"loading it as {found.format} runs nothing")
    else:
        worst = next(one for one in bad if one.level == found.verdict)
        yield Check("model-file", "block", f"the model file is {found.verdict}: {worst.reason}")


def recorded(subject: Subject) -> Iterator[Check]:
    """The ledger is what was signed and names the subject."""
    if subject.policy.ledger is None:
        return
    try:
        number = subject.recorded
    except IntegrityError as error:
        yield Check("ledger", "block", str(error))
        return
    yield Check("ledger", "pass", f"its {len(subject.entries):,} entries are those that were signed")
    if number is None:
        yield Check("recorded", "block", f"no entry of the ledger names sha256:{subject.sha256}")
    else:
        yield Check("recorded", "pass", f"entry {number} names it")


def sources(subject: Subject) -> Iterator[Check]:
    """Rows come from sources that are allowed, were signed, and are still trusted."""
    policy = subject.policy
    if not (policy.allowed_sources or policy.sources or policy.require_signatures):
        return
    origins = subject.origins
    named = sorted(one.key for one in origins if one.kind == "source")
    roots = [one.name for one in origins if one.kind == "data" and not one.known]
    lost = [name for name in roots if not name.endswith(_CODE)]
    if lost or not named:
        what = f"{lost[0]!r} came from nowhere that is recorded" if lost else "no source of it is recorded"
        yield Check("sources", "block", what)
    elif policy.allowed_sources:
        bad = [name for name in named if name not in policy.allowed_sources]
        said = f"{', '.join(bad)} may not deliver" if bad else f"it comes from {', '.join(named)}"
        yield Check("sources", "block" if bad else "pass", said)
    keys = {one.key for one in origins if one.kind == "data"}
    ingested = {
        number: entry
        for number, entry in subject.entries.of_kinds("ingest")
        if any(record.sha256 in keys for record in entry.files)
    }
    if policy.require_signatures:
        bare = [number for number, entry in ingested.items() if not is_signed(subject.ledger, entry)]
        said = (
            f"what entry {bare[0]} ingested was not signed by its source"
            if bare
            else "every batch was signed"
        )
        yield Check("signatures", "block" if bare or not ingested else "pass", said)
    if policy.sources is not None:
        distrusted = no_longer_trusted(subject.entries, SourcePolicy.read(policy.sources))
        hit = [f"entry {number}: {why}" for number, why in distrusted.items() if number in ingested]
        said = hit[0] if hit else "every batch would be accepted today as well"
        yield Check("trusted-sources", "block" if hit else "pass", said)


def findings(subject: Subject) -> Iterator[Check]:
    """A finished scan of exactly these data found no more than the policy lets through."""
    policy = subject.policy
    if policy.findings is None or subject.is_model:
        return
    summary = _summary(policy.findings)
    if summary.get("data", {}).get("sha256") not in (subject.data_sha256, subject.sha256):
        yield Check("scan", "block", f"the scan in {policy.findings} is of other data; scan these")
        return
    if summary.get("verdict") == "incomplete":
        yield Check("scan", "block", "the scan did not finish")
        return
    yield Check("scan", "pass", f"scanned: {summary.get('verdict')}")
    counts = dict.fromkeys(policy.max_findings, 0)
    for code, count in summary.get("rules", {}).items():
        severity = _severity(code)
        if severity in counts:
            counts[severity] += int(count)
    for severity, most in policy.max_findings.items():
        said = f"{counts[severity]:,} findings of severity {severity}, at most {most:,} are let through"
        yield Check(f"findings-{severity}", "block" if counts[severity] > most else "pass", said)
    if policy.max_flagged is not None:
        share = summary.get("flagged", 0) / max(1, summary.get("rows", 0))
        said = f"{share:.2%} of rows are flagged, at most {policy.max_flagged:.2%} are let through"
        yield Check("flagged-rows", "block" if share > policy.max_flagged else "pass", said)


def approved(subject: Subject) -> Iterator[Check]:
    """Enough people with the role have signed; two of them for many changed labels."""
    policy = subject.policy
    if policy.approvals:
        by = sorted({one.by for one in subject.approvals if one.role == policy.approval_role})
        said = f"approved by {', '.join(by) or 'nobody'}"
        said += f"; {policy.approvals} with the role {policy.approval_role} must"
        yield Check("approvals", "pass" if len(by) >= policy.approvals else "block", said)
    if policy.access.two_person_above is None or policy.ledger is None or subject.is_model:
        return
    yield from relabelled(subject, policy.access.two_person_above)


def relabelled(subject: Subject, limit: int) -> Iterator[Check]:
    """Many labels changed only with two people."""
    by = sorted(signers(subject, subject.sha256, "label"))
    if len(by) >= TWO:
        yield Check("label-changes", "pass", f"{', '.join(by)} signed for its labels")
        return
    try:
        found = label_changes(subject)
    except (DataError, IntegrityError) as error:
        yield Check("label-changes", "block", f"labels cannot be compared: {error}")
        return
    if found is None:
        yield Check("label-changes", "skip", "there is no earlier version to compare with")
        return
    changed, version = found
    said = f"{changed:,} labels were changed since {version.key}"
    said += f"; {', '.join(by) or 'nobody'} signed for that, two people must" if changed > limit else ""
    yield Check("label-changes", "block" if changed > limit else "pass", said)


def drifted(subject: Subject) -> Iterator[Check]:
    """The data did not move further from the last accepted version than the policy allows."""
    policy = subject.policy
    if policy.max_drift is None or subject.is_model:
        return
    try:
        found = drift_since(subject)
    except (DataError, IntegrityError) as error:
        yield Check("drift", "block", f"it cannot be compared with the last accepted version: {error}")
        return
    if found is None:
        yield Check("drift", "skip", "there is no earlier version to compare with")
        return
    moved, version = found
    said = f"column {moved.column!r} moved by {moved.distance:.3f} from {version.key}"
    said += f", at most {policy.max_drift:g} is let through"
    yield Check("drift", "block" if moved.distance > policy.max_drift else "pass", said)


def witnessed(subject: Subject) -> Iterator[Check]:
    """Witnesses signed, long enough ago, a state of the ledger that already had the subject."""
    policy = subject.policy
    if policy.witnessed_checkpoint is None:
        return
    try:
        kept = Checkpoint.parse(
            read_bounded(policy.witnessed_checkpoint, MOST_BYTES), subject.ledger.verifier
        )
        times = kept.witnessed(policy.witnesses)
        tree = subject.ledger.tiles()
        if kept.size > tree.size or (kept.size and tree.subtree(0, kept.size) != kept.root):
            raise IntegrityError(
                "the ledger does not continue what the witnesses signed: history was changed"
            )
    except (IntegrityError, OSError) as error:
        yield Check("witness", "block", str(error))
        return
    old = [name for name, moment in times.items() if time.time() - moment >= policy.witness_age]
    if len(old) < policy.witness_count:
        said = f"{len(old)} witnesses signed at least {policy.witness_age} s ago, {policy.witness_count} must"
        yield Check("witness", "block", said)
    elif subject.recorded is None or subject.recorded >= kept.size:
        yield Check("witness", "block", "what the witnesses signed does not have this entry yet")
    else:
        yield Check(
            "witness", "pass", f"{', '.join(sorted(old))} signed a state that has entry {subject.recorded}"
        )


CHECKS: tuple[Callable[[Subject], Iterator[Check]], ...] = (
    model_file, recorded, sources, findings, approved, drifted, witnessed,
)  # fmt: skip
"""In the order in which they are told."""


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / "summary.json"
    try:
        with path.open("rb") as stream:
            summary = json.loads(stream.read(_SUMMARY_BYTES))
    except OSError:
        raise ConfigError(f"{folder} does not hold a finished scan; run foretaste scan first") from None
    except ValueError:
        raise ConfigError(f"{path} is not sound JSON; scan again") from None
    if not isinstance(summary, dict) or not isinstance(summary.get("rules", {}), dict):
        raise ConfigError(f"{path} is not the summary of a scan; scan again")
    return summary


def _severity(code: str) -> str:
    try:
        return rule(code).severity
    except ConfigError:
        return "critical"  # what is not known cannot be let through as harmless


__all__ = ["CHECKS", "Check", "Policy"]
