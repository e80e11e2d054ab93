"""``foretaste redteam``: attack your own pipeline before someone else does."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from foretaste.cli.scan import progress_bar
from foretaste.errors import ConfigError


def redteam(
    plan: Annotated[
        Path | None,
        typer.Argument(help="A plan (.toml), or with --quick the data themselves.", show_default=False),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small plan for these data: how poisonable am I?")
    ] = False,
    label: Annotated[
        str | None, typer.Option(metavar="COL", help="With --quick: the column with the label.")
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="COL", help="With --quick: the text column.")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="COL", help="With --quick: the source column.")
    ] = None,
    learner: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="default, module:factory, torch:module:factory or 'command:...'; repeatable."
        ),
    ] = None,
    adaptive: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Let an attacker who knows the scan make N attempts with each attack."
        ),
    ] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for runs and report.")] = Path(
        "foretaste-redteam"
    ),
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes; all cores otherwise.")
    ] = None,
) -> None:
    """Poison the data in many ways, train on what each defence leaves, and say how much poison it takes.

    Killed at any time, the same command goes on where it stopped. Exit status: 0 when the campaign ran.
    """
    from foretaste.data import Dataset
    from foretaste.redteam import adapt, quick_plan, read_plan, run_campaign
    from foretaste.redteam.summary import summarise
    from foretaste.report.campaign_page import render

    if plan is None:
        raise ConfigError("name a plan, or write foretaste redteam --quick DATA --label COLUMN")
    if quick:
        asked = quick_plan(plan, Dataset.read(plan, label=label, text=text, source=source))
    else:
        if label or text or source:
            raise ConfigError("--label, --text and --source go with --quick; a plan names its own columns")
        asked = read_plan(plan)
    if learner:
        asked = replace(asked, learners=tuple(learner))
    with progress_bar(quiet=False) as progress:
        runs = run_campaign(asked, out, jobs=jobs, progress=progress)
        attempts = []
        for name in dict.fromkeys(name for name, _, _ in asked.attacks) if adaptive else ():
            attempts += adapt(asked, name, trials=adaptive, progress=progress)
    if attempts:
        told = {"schema": 1, "attempts": [asdict(attempt) for attempt in attempts]}
        (out / "adaptive.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    summary = summarise(runs)
    (out / "report.html").write_bytes(render(summary, asked.data.name, attempts))
    for line in summary.words:
        typer.echo(line)
    if summary.errors:
        typer.echo(f"{len(summary.errors)} kinds of run failed, the first: {summary.errors[0]}", err=True)
    typer.echo(f"\nReport  {out / 'report.html'}\n        {out / 'results.parquet'}")
