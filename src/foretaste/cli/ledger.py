"""``foretaste ledger``: an append-only log of what happened to data, that shows every change to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foretaste.cli import problems
from foretaste.cli.witness import witness

if TYPE_CHECKING:
    from foretaste.provenance.checkpoint import Checkpoint
    from foretaste.provenance.entries import Entry
    from foretaste.provenance.note import VerifierKey
    from foretaste.provenance.verification import Verification

ALTERED = 1
"""Exit status where something was altered or is not proven."""

verbs = typer.Typer(
    no_args_is_help=True,
    help="Keep an append-only, signed log of data; prove that nothing in it was changed.",
    epilog="Proves integrity and order, not goodness: a poisoned file that was added stays poisoned.",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder.", show_default=False)]
PrivateKey = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        envvar="FORETASTE_LEDGER_KEY",
        help="The private key; in your key folder (FORETASTE_KEYS) otherwise.",
    ),
]
PublicKey = Annotated[
    Path | None, typer.Option("--key", metavar="FILE", help="The ledger's public key, kept elsewhere.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def init(
    folder: Folder,
    name: Annotated[
        str | None, typer.Option(help="Unique name in its checkpoints, such as example.org/training-data.")
    ] = None,
    key: PrivateKey = None,
) -> None:
    """Make a ledger without entries, and a key for it."""
    from foretaste.provenance.ledger import KEY_FILE, Ledger
    from foretaste.report.safe import visible

    made = Ledger.create(folder, name=name, key=key)
    typer.echo(f"ledger       {visible(folder)}, called {visible(made.verifier.name)}")
    typer.echo(f"private key  {visible(made.key_path)} (who has it can sign another history; keep it safe)")
    typer.echo(f"public key   {visible(folder / KEY_FILE)}: {made.verifier}")
    typer.echo(
        "Keep a copy of the public key, and of the checkpoint now and then, where nobody can change it."
    )


def add(
    folder: Folder,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files or folders.", show_default=False)
    ],
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Who they come from.")] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="A sentence about them.")] = None,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="What happened: ingest, clean, train, ...")
    ] = "ingest",
    copy: Annotated[
        bool, typer.Option("--copy/--no-copy", help="Keep copies in the ledger, or only hashes.")
    ] = True,
    key: PrivateKey = None,
) -> None:
    """Add files, one entry each: copied into the ledger, or left where they are if inside DIR."""
    from foretaste.provenance.adding import add_files
    from foretaste.provenance.ledger import Ledger
    from foretaste.report.safe import visible

    ledger = Ledger(folder, key=key)
    for number in add_files(ledger, files, kind=kind, source=source, note=note, copy=copy):
        (record,) = ledger.entry(number).files
        typer.echo(f"{number}  sha256:{record.sha256}  {visible(record.name)}")


def log(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one entry per line.")] = False,
) -> None:
    """Show the entries; what is shown is not verified."""
    from foretaste.provenance.ledger import Ledger

    for number, entry in enumerate(Ledger(folder).entries()):
        if as_json:
            typer.echo(json.dumps({"entry": number, **json.loads(entry.encode())}))
        else:
            typer.echo(_line(number, entry))


def verify(
    folder: Folder,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="A checkpoint kept elsewhere, which history must begin with; may be repeated.",
        ),
    ] = None,
    key: PublicKey = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also name ingested batches that this source policy no longer trusts."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry, tile and file; exit with 1 and say where something was altered."""
    from foretaste.provenance.keys import load_public
    from foretaste.provenance.verification import verify as check_all
    from foretaste.report.safe import visible

    trusted = None if key is None else load_public(key)
    found = check_all(folder, checkpoints=checkpoint or [], key=trusted)
    suspect = _not_trusted(folder, policy) if policy is not None and found.intact else {}
    if as_json:
        typer.echo(json.dumps({**found.as_json(), "not_trusted": suspect}, indent=1))
    else:
        for line in _told(found, kept=bool(checkpoint)):
            typer.echo(line)
        for number, reason in suspect.items():
            typer.echo(f"not trusted any more: entry {number}: {visible(reason)}")
    if suspect or not found.intact:
        raise typer.Exit(ALTERED)


def prove(
    folder: Folder,
    entry: Annotated[int, typer.Argument(metavar="ENTRY", help="Number of the entry.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File for the proof.", show_default=False)],
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Prove it for this checkpoint instead of the current one."),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An earlier checkpoint, which the one who checks holds: also prove that history only grew.",
        ),
    ] = None,
) -> None:
    """Write a proof that an entry is in the ledger: one file that can be checked offline."""
    from foretaste.data.atomic import appearing
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.proof import prove as make
    from foretaste.report.safe import visible

    ledger = Ledger(folder)
    against, earlier = (None if file is None else read_checkpoint(file) for file in (checkpoint, since))
    proof = make(ledger, entry, against, since=earlier)
    with appearing(out) as path:
        path.write_bytes(proof.encode())
    typer.echo(
        f"{visible(out)} proves entry {entry} of {proof.checkpoint.size} in {visible(ledger.verifier.name)}"
    )


def check(
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="The proof file.", show_default=False)],
    checkpoint: Annotated[
        Path,
        typer.Option(metavar="FILE", help="The ledger's checkpoint, as you have it.", show_default=False),
    ],
    key: PublicKey = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof offline: exit with 0 where the entry is proven, 1 where it is not."""
    from foretaste.errors import IntegrityError
    from foretaste.provenance.proof import MOST_BYTES, Proof
    from foretaste.provenance.tiles import read_bounded
    from foretaste.report.safe import visible

    try:
        read = Proof.parse(read_bounded(proof, MOST_BYTES))
        public, origin = trusted_key(key, checkpoint, read.key)
        entry = read.check(read_checkpoint(checkpoint), public)
    except IntegrityError as error:
        if as_json:
            typer.echo(json.dumps({"schema": 1, "proven": False, "reason": str(error)}, indent=1))
        else:
            typer.echo(f"NOT PROVEN: {visible(error)}")
        raise typer.Exit(ALTERED) from None
    if as_json:
        told: dict[str, Any] = {"schema": 1, "proven": True, "entry": read.index}
        told |= {"size": read.checkpoint.size, "origin": public.name, "key": str(public), "key_from": origin}
        typer.echo(json.dumps(told | {"content": json.loads(entry.encode())}, indent=1))
        return
    typer.echo(f"proven: entry {read.index} is among the {read.checkpoint.size} of {visible(public.name)}")
    typer.echo(_line(read.index, entry))
    typer.echo(f"signed with {public}, {origin}")


def _not_trusted(folder: Path, policy: Path) -> dict[int, str]:
    """Ingested batches that the policy of today would not let in, and why."""
    from foretaste.provenance.genuine import genuine_entries
    from foretaste.provenance.ingest import no_longer_trusted
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.sources import SourcePolicy

    return no_longer_trusted(genuine_entries(Ledger(folder)), SourcePolicy.read(policy))


def trusted_key(named: Path | None, checkpoint: Path, carried: str) -> tuple[VerifierKey, str]:
    """The key to check with and where it is from: the option, a file beside the checkpoint, or the proof."""
    from foretaste.provenance.keys import load_public
    from foretaste.provenance.ledger import KEY_FILE
    from foretaste.provenance.note import VerifierKey

    beside = checkpoint.parent / KEY_FILE
    if named is not None:
        return load_public(named, VerifierKey.parse(carried).name), "the key you named"
    if beside.is_file():
        return load_public(beside), "the key beside the checkpoint"
    return VerifierKey.parse(
        carried
    ), "the key in the proof itself; compare it with one you got elsewhere (--key)"


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint, whoever signed it."""
    from foretaste.errors import IntegrityError
    from foretaste.provenance.checkpoint import Checkpoint
    from foretaste.provenance.note import MOST_BYTES
    from foretaste.provenance.tiles import read_bounded

    try:
        return Checkpoint.parse(read_bounded(path, MOST_BYTES))
    except IntegrityError as error:
        raise IntegrityError(f"{path}: {error}") from None


def _line(number: int, entry: Entry) -> str:
    from foretaste.report.safe import visible

    words = [f"{number:>6}", entry.time[:19].replace("T", " "), f"{entry.kind:<12}"]
    words += [f"from {visible(entry.source)}"] if entry.source is not None else []
    words += [f"{visible(file.name)} (sha256:{file.sha256[:12]})" for file in entry.files]
    return "  ".join(words + ([f"“{visible(entry.note)}”"] if entry.note is not None else []))


def _told(found: Verification, *, kept: bool) -> list[str]:
    from foretaste.report.numbers import plural
    from foretaste.report.safe import visible

    checked = f"{plural(found.entries, 'entry', 'entries')}, {plural(found.files, 'file')}"
    if found.intact:
        lines = [f"intact: {checked}"]
        if not kept:
            lines.append(
                "note: only a checkpoint kept elsewhere (--checkpoint) shows a ledger replaced as a whole"
            )
    else:
        lines = [f"ALTERED in {plural(len(found.problems), 'place')} ({checked} looked at)"]
        lines += [f"altered: {visible(problem, 1000)}" for problem in found.problems]
    return lines + [f"note: {visible(note, 1000)}" for note in found.notes]


for _verb in (init, add, log, verify, prove, check, witness):
    verbs.command()(problems.in_one_line(_verb))
