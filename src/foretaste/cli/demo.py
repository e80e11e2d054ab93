"""``foretaste demo``: poison real data, find the poison, take it out, measure the model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foretaste.cli.folders import check_folder

if TYPE_CHECKING:
    from foretaste.demonstration import Measured, Story
    from foretaste.findings import Findings


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for data, findings and report.")] = Path(
        "foretaste-demo"
    ),
) -> None:
    """Poison real data, find the poison, take it out, and show the model before and after. No network."""
    from foretaste import demonstration
    from foretaste.data.formats import open_file, write_table
    from foretaste.defend.sanitise.clean import clean

    data, findings_folder, cleaned = out / "digits.csv", out / "findings", out / "digits.clean.csv"
    check_folder(out, data, (data.name,))
    started = time.perf_counter()
    story = demonstration.poisoned_digits()
    write_table(story.train.table, data)
    _planted(story, data)

    _step(f"foretaste scan {data} --label digit --source annotator --out {findings_folder}")
    findings = _scan(data, findings_folder)
    _found(story, findings)

    _step(f"foretaste clean {data} --findings {findings_folder} --out {cleaned}")
    receipt = clean(data, findings, cleaned)
    typer.echo(f"  {receipt['kept']:,} rows kept, {receipt['quarantined']:,} quarantined with their reasons")

    _step("the same small neural network, trained three times")
    right = story.train.table.filter(~(story.backdoored | story.mislabelled))
    _measured("as it came in", demonstration.measure(story.train.table, story))
    _measured("after foretaste clean", demonstration.measure(open_file(cleaned).read(), story))
    _measured("if one knew the poison", demonstration.measure(right, story))
    typer.echo(f"\nReport  {findings_folder / 'report.html'}   ({time.perf_counter() - started:.0f} s)")


def _scan(data: Path, out: Path) -> Findings:
    """What ``foretaste scan`` does with these flags and no configuration file."""
    from foretaste.cli.scan import run, write
    from foretaste.cli.settings import SETTINGS, Settings

    values = {name: default for name, (_, default) in SETTINGS.items()}
    values |= {"label": "digit", "source": "annotator", "out": str(out)}
    findings = run(data, Settings(values, dict.fromkeys(values, "default"), None))
    write(findings, out, [])
    return findings


def _planted(story: Story, data: Path) -> None:
    rows = len(story.train)
    typer.echo(f"{rows:,} handwritten digits as a table of 64 pixels, labelled by 8 annotators: {data}")
    typer.echo("planted")
    typer.echo(
        f"  a backdoor: {story.trigger.describe()} means 8, in {int(story.backdoored.sum())} rows "
        f"({story.backdoored.mean():.1%})"
    )
    typer.echo(
        f"  a bad source: annotator-5 mislabels {int(story.mislabelled.sum())} rows "
        f"({story.mislabelled.mean():.1%})"
    )


def _found(story: Story, findings: Findings) -> None:
    from foretaste.report.safe import visible

    typer.echo(f"  verdict {findings.verdict}, {int(findings.flagged.sum())} rows flagged")
    for group in findings.groups.to_pylist():
        typer.echo(f"  {group['rule']}  {visible(group['pattern'], 60)}  ({group['size']} rows)")
    planted = story.backdoored | story.mislabelled
    wrong = int((findings.flagged & ~planted).sum())
    for name, truth in (("backdoor", story.backdoored), ("bad source", story.mislabelled)):
        typer.echo(f"  {name:<11} {int(findings.flagged[truth].sum())} of {int(truth.sum())} rows flagged")
    typer.echo(f"  innocent    {wrong} of {int((~planted).sum()):,} rows flagged")


def _step(words: str) -> None:
    typer.echo(f"\n$ {words}" if words.startswith("foretaste") else f"\n{words}")


def _measured(name: str, measured: Measured) -> None:
    typer.echo(
        f"  {name:<24}accuracy {measured.accuracy:6.1%}   attack success {measured.attack_success:6.1%}"
    )
