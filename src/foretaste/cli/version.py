"""``foretaste version``: commit, list, compare, check out and roll back versions of a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foretaste.cli import problems

if TYPE_CHECKING:
    from foretaste.provenance.gate import Policy
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.versions import Version

verbs = typer.Typer(
    no_args_is_help=True, help="Keep versions of data sets in a ledger; get them back; say what changed."
)
Dataset = Annotated[str, typer.Argument(metavar="NAME", help="The data set.", show_default=False)]
Number = Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="The newest otherwise.")]
Folder = Annotated[
    Path, typer.Option("--ledger", metavar="DIR", envvar="FORETASTE_LEDGER", help="The ledger's folder.")
]
LEDGER = Path("ledger")
Key = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", envvar="FORETASTE_LEDGER_KEY", help="The ledger's private key."),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The policy; the nearest foretaste.toml with a gate table otherwise."),
]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="A sentence about it.")]
Label = Annotated[str | None, typer.Option(metavar="COL", help="The label's column.")]
Id = Annotated[str | None, typer.Option(metavar="COL", help="The column that identifies a row.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def commit(
    name: Dataset,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Its files.", show_default=False)],
    ledger: Folder = LEDGER,
    note: Note = None,
    label: Label = None,
    id: Id = None,
    policy: PolicyFile = None,
    key: Key = None,
) -> None:
    """Store files as the next version; with --label, changed labels fall under the two-person rule."""
    from foretaste.errors import DeniedError
    from foretaste.provenance.gate.committing import commit_checked
    from foretaste.provenance.ledger import Ledger

    try:
        made = commit_checked(
            Ledger(ledger, key=key), name, files, note=note, label=label, id=id, policy=_policy(policy)
        )
    except DeniedError as error:
        problems.complain(str(error))
        raise typer.Exit(1) from None
    typer.echo(_line(made))


def list_(name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this data set.")] = None,
          ledger: Folder = LEDGER, as_json: AsJson = False) -> None:  # fmt: skip
    """List versions, oldest first."""
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.versions import versions

    for found in versions(Ledger(ledger), name):
        typer.echo(json.dumps(found.as_json()) if as_json else _line(found))


def show(name: Dataset, number: Number = None,
         ledger: Folder = LEDGER) -> None:  # fmt: skip
    """Show a version as JSON."""
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.versions import version

    typer.echo(json.dumps(version(Ledger(ledger), name, number).as_json(), indent=1))


def diff(
    name: Dataset,
    old: Annotated[int, typer.Argument(metavar="OLD", help="A version.", show_default=False)],
    new: Annotated[int | None, typer.Argument(metavar="[NEW]", help="The newest otherwise.")] = None,
    ledger: Folder = LEDGER,
    label: Label = None,
    id: Id = None,
    source: Annotated[str | None, typer.Option(metavar="COL", help="The source's column.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which rows were added, removed, relabelled or changed, and by which source; exit 1 if any were."""
    from foretaste.cli.diff import tell
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.versions import difference, version
    from foretaste.provenance.versions.files import named_copies
    from foretaste.provenance.versions.trees import stored_tree

    place = Ledger(ledger)
    one, other = version(place, name, old), version(place, name, new)
    trees = [stored_tree(place, side.manifests[0]) if side.manifests else None for side in (one, other)]
    with named_copies(place, one) as before, named_copies(place, other) as after:
        found = difference(before, after, label=label, id=id, source=source, manifests=trees)
    tell(found, by_source=source is not None, as_json=as_json)


def checkout(
    name: Dataset,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new or empty folder.", show_default=False)],
    number: Number = None,
    ledger: Folder = LEDGER,
    delta: Annotated[
        bool, typer.Option("--delta", help="As the next version of a Delta Lake table in DIR.")
    ] = False,
) -> None:
    """Write the files of a version to a folder, each compared with its hash."""
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.versions import check_out, version
    from foretaste.provenance.versions.delta import write_delta
    from foretaste.report.safe import visible

    place = Ledger(ledger)
    found = version(place, name, number)
    if delta:
        made = write_delta(place, found, out)
        typer.echo(f"{found.key}: version {made} of the Delta table {visible(out)}")
        return
    done = check_out(place, found, out)
    typer.echo(f"{found.key}: {_files(done.files)}, {done.bytes:,} bytes in {visible(out)}")


def rollback(
    name: Dataset,
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help="The version to go back to.", show_default=False)
    ],
    ledger: Folder = LEDGER,
    note: Note = None,
    policy: PolicyFile = None,
    findings: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The scan of that version, in place of the policy's.")
    ] = None,
    key: Key = None,
) -> None:
    """Make an older version the newest again, as a signed entry, if it passes the gate; else exit 1."""
    from foretaste.errors import DeniedError
    from foretaste.provenance.gate.committing import roll_back_checked
    from foretaste.provenance.ledger import Ledger

    place = Ledger(ledger, key=key)
    try:
        made = roll_back_checked(place, name, number, note=note, policy=_policy(policy, findings))
    except DeniedError as error:
        problems.complain(str(error))
        raise typer.Exit(1) from None
    typer.echo(_line(made))


def drill(name: Dataset, number: Number = None,
          ledger: Folder = LEDGER) -> None:  # fmt: skip
    """Restore a version into a temporary folder, verified, and say how long that took."""
    from foretaste.provenance.ledger import Ledger
    from foretaste.provenance.versions import drill as exercise
    from foretaste.provenance.versions import version

    place: Ledger = Ledger(ledger)
    found = version(place, name, number)
    done = exercise(place, found)
    rate = done.bytes / 1e6 / max(done.seconds, 1e-9)
    typer.echo(
        f"{found.key} restored and verified in {done.seconds:.3f} s ({_files(done.files)}, {rate:,.0f} MB/s)"
    )


def _policy(file: Path | None, findings: Path | None = None) -> Policy | None:
    """The policy that is named, or the nearest one; None where there is none."""
    from dataclasses import replace

    from foretaste.errors import ConfigError
    from foretaste.provenance.gate import find_policy, load_policy

    if file is None:
        try:
            file = find_policy(Path.cwd())
        except ConfigError:
            return None
        if b"[gate]" not in file.read_bytes():
            return None
    policy = load_policy(file)
    return policy if findings is None else replace(policy, findings=findings)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _line(found: Version) -> str:
    from foretaste.report.numbers import plural
    from foretaste.report.safe import visible

    rows = "" if found.row_count is None else f"  {plural(found.row_count, 'row')}"
    back = f"  back to {found.back_to}" if found.back_to is not None else ""
    note = f"  “{visible(found.note)}”" if found.note else ""
    files = ", ".join(visible(record.name, 60) for record in found.files[:5])
    moment = found.time[:19].replace("T", " ")
    return f"{visible(found.key)}  entry {found.entry}  {moment}  {files}{rows}{back}{note}"


verbs.command()(problems.in_one_line(commit))
verbs.command("list")(problems.in_one_line(list_))
for _verb in (show, diff, checkout, rollback, drill):
    verbs.command()(problems.in_one_line(_verb))
