"""Ingesting batches: who delivered them is checked against the policy, and what was decided is in the ledger.

An accepted batch becomes an ``ingest`` entry with its files and its signature; one that was refused or
quarantined a ``denied-write`` entry with the reason. The store keeps a quarantined batch, not a refused one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from foretaste.errors import DataError, IntegrityError
from foretaste.provenance import listing
from foretaste.provenance.adding import record
from foretaste.provenance.batch import BATCH, check_batch
from foretaste.provenance.dsse import Envelope
from foretaste.provenance.entries import Entry, FileRecord
from foretaste.provenance.genuine import GenuineEntries, genuine_entries
from foretaste.provenance.ledger import Ledger
from foretaste.provenance.note import VerifierKey
from foretaste.provenance.sources import Source, SourcePolicy
from foretaste.provenance.statement import PAYLOAD_TYPE, Statement


@dataclass(frozen=True)
class Decision:
    """What happens to a batch, and why.

    Attributes
    ----------
    action : str
        ``accept``, ``quarantine`` or ``refuse``.
    reason : str
        One sentence.
    key : VerifierKey or None
        Who signed it, where that was found out.
    """

    action: str
    reason: str
    key: VerifierKey | None = None


def decide(
    policy: SourcePolicy,
    source: str,
    paths: Sequence[str | Path],
    signature: bytes | None,
    *,
    moment: datetime | None = None,
) -> Decision:
    """Decide about a batch.

    Parameters
    ----------
    policy : SourcePolicy
    source : str
        Who is said to deliver it.
    paths : sequence of path
        Its files and folders.
    signature : bytes or None
        The DSSE envelope that came with it.
    moment : datetime, optional
        When it arrived; now otherwise. A key counts as it was then: what a signature says about its own time
        is not believed.
    """
    known = policy.sources.get(source)
    if known is None:
        return Decision(policy.unknown, f"the source {source!r} is not on the list")
    if signature is None:
        return Decision(known.unsigned, f"the batch is not signed by {source!r}")
    at = moment or datetime.now(UTC)
    trusted = [one.key for one in known.keys if one.trusted_at(at)]
    try:
        key = check_batch(Envelope.parse(signature), paths, source, trusted)
    except IntegrityError as error:
        return Decision(known.wrongly_signed, _reason(known, signature, at) or str(error))
    return Decision("accept", f"signed by {key.name} ({key.id.hex()})", key)


def ingest(
    ledger: Ledger,
    policy: SourcePolicy,
    source: str,
    paths: Sequence[str | Path],
    signature: bytes | None,
    *,
    note: str | None = None,
    moment: datetime | None = None,
) -> tuple[Decision, int]:
    """Decide about a batch and write that into the ledger.

    The files are hashed once more while they are copied, so what is in the ledger is what was decided about.

    Returns
    -------
    Decision
    int
        The number of the entry.

    Raises
    ------
    DataError, IntegrityError
    """
    at = moment or datetime.now(UTC)
    decision = decide(policy, source, paths, signature, moment=at)
    records = [record(ledger, Path(path), copy=decision.action != "refuse") for path in paths]
    if decision.action == "accept":
        repeated = _already(ledger, records)
        if repeated is not None:
            decision = Decision("refuse", f"entry {repeated} ingested the same batch already", decision.key)
    if decision.action == "accept" and signature is not None:
        _compare_copies(ledger, records, Envelope.parse(signature))
    details = {"decision": decision.action, "reason": decision.reason}
    if decision.key is not None:
        details["key"] = str(decision.key)
    if policy.sha256 is not None:
        details["policy"] = policy.sha256
    if signature is not None:
        records.append(FileRecord("signature", ledger.store.put_bytes(signature), len(signature), "store"))
    kind = "ingest" if decision.action == "accept" else "denied-write"
    time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entry = Entry(kind, time, tuple(records), source=source, note=note, details=details)
    return decision, ledger.append([entry])[0]


def no_longer_trusted(entries: GenuineEntries, policy: SourcePolicy) -> dict[int, str]:
    """Ingested batches that the policy, as it is now, would not accept, by number of the entry, and why.

    A source may have been taken off the list, or one of its keys revoked as of a time before the batch came.
    """
    found = {}
    for number, entry in entries.of_kinds("ingest"):
        if "decision" not in entry.details:
            continue
        source = policy.sources.get(str(entry.source))
        if source is None:
            found[number] = f"the source {entry.source!r} is not on the list any more"
            continue
        signed = entry.details.get("key")
        if signed is None:
            if source.unsigned != "accept":
                found[number] = f"the batch is not signed by {entry.source!r}"
            continue
        moment = datetime.fromisoformat(entry.time)
        reasons = [one.why_not(moment) for one in source.keys if str(one.key) == signed]
        if all(reasons):
            found[number] = (
                reasons[0] or "" if reasons else f"its key is not one of {entry.source!r} any more"
            )
    return found


def _reason(source: Source, signature: bytes, at: datetime) -> str | None:
    """Why a signature by a key of this source does not count: the key is not trusted at this moment."""
    for one in source.keys:
        try:
            Envelope.parse(signature).signer([one.key])
        except IntegrityError:
            continue
        return one.why_not(at)
    return None


def _already(ledger: Ledger, records: list[FileRecord]) -> int | None:
    """The entry that ingested the very same files: an old batch may not be played again."""
    wanted = {file.sha256 for file in records}
    for number, entry in genuine_entries(ledger).of_kinds("ingest"):
        if wanted <= {file.sha256 for file in entry.files}:
            return number
    return None


def is_signed(ledger: Ledger, entry: Entry) -> bool:
    """Whether what an entry says was ingested was really signed by the key and the source that it names.

    The signature in the store is checked once more: whoever may append to the ledger can name any key.
    """
    try:
        key = VerifierKey.parse(str(entry.details.get("key")))
        *batch, signature = entry.files
        envelope = Envelope.parse(ledger.store.get_bytes(signature.sha256))
        envelope.signer([key])
        said = Statement.parse(envelope.payload)
        right = (envelope.payload_type, said.predicate_type) == (PAYLOAD_TYPE, BATCH)
        right = right and said.predicate.get("source") == entry.source
        _compare_copies(ledger, batch, envelope)
    except (IntegrityError, DataError, ValueError, OSError):
        return False
    return right


def _compare_copies(ledger: Ledger, records: list[FileRecord], envelope: Envelope) -> None:
    """What was copied must be what was signed: somebody may have changed it in between."""
    signed = {subject.sha256 for subject in Statement.parse(envelope.payload).subjects}
    for file in records:
        if file.folder:
            copied = {one.sha256 for one in listing.decode(ledger.store.get_bytes(file.sha256))}
        else:
            copied = {file.sha256}
        if not copied <= signed:
            raise IntegrityError(f"{file.name} was changed while it was ingested; nothing was ingested")
