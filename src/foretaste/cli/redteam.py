"""``foretaste redteam``: attack your own pipeline before someone else does."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from foretaste.cli.problems import complain
from foretaste.cli.scan import progress_bar
from foretaste.errors import ConfigError, ForetasteError


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
    defence: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="none, oracle, random, scan, partition-ensemble, feature-pruning, fine-pruning, "
            "module:factory, or joined by +; repeatable.",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Repeat with this many draws of rows and poison (0 ... N-1)."),
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

    Killed at any time, the same command goes on where it stopped. Exit status: 0 when the campaign ran, 2
    when no run has figures.
    """
    from foretaste.data import Dataset
    from foretaste.redteam.adaptive import adapt, against_scan
    from foretaste.redteam.plan import quick_plan, read_plan
    from foretaste.redteam.run import Workers, run_campaign
    from foretaste.redteam.summary import summarise
    from foretaste.report.campaign_page import render

    if plan is None:
        raise ConfigError("name a plan, or write foretaste redteam --quick DATA --label COLUMN")
    if quick:
        asked = quick_plan(plan, Dataset.read(plan, label=label, text=text, source=source))
    elif label or text or source:
        raise ConfigError("--label, --text and --source go with --quick; a plan names its own columns")
    elif plan.suffix != ".toml":
        raise ConfigError(
            f"{plan} is no plan (.toml); for data write foretaste redteam --quick {plan} --label COLUMN"
        )
    else:
        asked = read_plan(plan)
    asked = replace(
        asked, learners=tuple(learner or asked.learners), defences=tuple(defence or asked.defences)
    )
    if seeds:
        asked = replace(asked, seeds=tuple(range(seeds)))
    attempts = []
    with progress_bar(quiet=False) as progress:
        runs = run_campaign(asked, out, jobs=jobs, progress=progress)
        if adaptive:
            known = against_scan(asked)
            with Workers(known, out, jobs=jobs).open() as workers:
                for name in dict.fromkeys(name for name, _, _ in asked.attacks):
                    attempts += adapt(
                        known,
                        name,
                        trials=adaptive,
                        run=lambda trials: [lines[0] for lines in workers.run(known, trials)],
                        progress=progress,
                    )
    if attempts:
        _write_json(
            out / "adaptive.json", {"schema": 1, "attempts": [asdict(attempt) for attempt in attempts]}
        )
    summary = summarise(runs)
    _write_json(out / "summary.json", summary.document())
    (out / "report.html").write_bytes(render(summary, asked.data.name, attempts))
    for line in summary.words:
        typer.echo(line)
    for error, count in summary.errors[:3]:
        complain(f"{count} of {summary.runs} runs have no figures: {error}")
    if not summary.clean_accuracy and not summary.curves:
        raise ForetasteError("no run has any figures")
    typer.echo(f"\nReport  {out / 'report.html'}\n        {out / 'results.parquet'}")


def _write_json(path: Path, document: dict[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
