"""``foretaste scan``: look for poison in a data set."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foretaste.cli import problems
from foretaste.cli.folders import check_folder, finishing
from foretaste.cli.settings import SETTINGS, Settings, resolve
from foretaste.errors import ConfigError

if TYPE_CHECKING:
    from foretaste.findings import Findings

ALWAYS = ("html", "sarif")
"""Report formats every scan writes."""

_COLUMNS, _DECISION, _OUTPUT, _RUNNING = "Columns", "Decision", "Output", "Running"
Progress = Callable[[str, int, int], None]


def scan(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A .csv, .tsv, .jsonl (each also .gz), .parquet, .arrow or .npz file, a folder of Parquet "
            "shards, or a folder with one sub-folder of images per class.",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COL", help="Column with the label.", rich_help_panel=_COLUMNS)
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Column that says who a row comes from.", rich_help_panel=_COLUMNS),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Column that says when a row came.", rich_help_panel=_COLUMNS),
    ] = None,
    id: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Column that identifies a row.", rich_help_panel=_COLUMNS),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="Column of free text; found by itself otherwise.", rich_help_panel=_COLUMNS
        ),
    ] = None,
    image: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of images.", rich_help_panel=_COLUMNS)
    ] = None,
    trusted: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Rows known to be right: models learn from them too.",
            rich_help_panel=_DECISION,
        ),
    ] = None,
    fdr: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="False-discovery rate of each family (0.05 by default).",
            rich_help_panel=_DECISION,
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE", help="Only these rules; FT2 is all that begin so.", rich_help_panel=_DECISION
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="Not these rules.", rich_help_panel=_DECISION)
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL",
            help="Exit with 1 from which finding on: campaign, mislabel or never (campaign by default).",
            rich_help_panel=_DECISION,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Folder for the results (foretaste-out by default).", rich_help_panel=_OUTPUT
        ),
    ] = None,
    format: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT",
            help="One more report: junit, json, markdown, csv or terminal.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only the verdict, in one line.", rich_help_panel=_OUTPUT)
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Seed; the same gives the same bytes.", rich_help_panel=_RUNNING),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Threads; all cores otherwise.", rich_help_panel=_RUNNING)
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory that may be used, such as 2GB.", rich_help_panel=_RUNNING),
    ] = None,
    decoys: Annotated[
        bool | None,
        typer.Option(
            "--decoys/--no-decoys",
            help="Plant known attacks in a copy to measure what would have been found (on by default).",
            show_default=False,
            rich_help_panel=_RUNNING,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings from this file instead of the nearest foretaste.toml or pyproject.toml.",
            rich_help_panel=_RUNNING,
        ),
    ] = None,
    show_config: Annotated[
        bool,
        typer.Option(
            "--show-config", help="Print the settings and where each came from.", rich_help_panel=_RUNNING
        ),
    ] = False,
) -> None:
    """Look for poison in a data set and write what was found, with reasons, to a folder.

    Exit status: 0 nothing found, 1 findings at or above --fail-on, 2 an error or an incomplete scan.
    """
    given = locals()
    flags = {name: given[name] for name in SETTINGS if name != "quiet"} | {"quiet": quiet or None}
    settings = resolve(flags, config, Path.cwd())
    if show_config:
        typer.echo(settings.as_toml(), nl=False)
        return
    if data is None:
        raise ConfigError("no data are named; write foretaste scan DATA --label COLUMN")
    out_folder = Path(settings["out"])
    check_folder(out_folder, data, ("findings.parquet", "summary.json"))
    findings = run(data, settings)
    reports = write(findings, out_folder, settings["format"])
    _show(findings, out_folder, reports, settings["quiet"])
    raise typer.Exit(_status(findings, settings["fail_on"]))


def run(data: Path, settings: Settings) -> Findings:
    """Scan with these settings; the findings say by which command they can be had again."""
    from foretaste._scan import scan as look

    used: dict[str, Any] = {
        name: settings[name] for name in ("label", "source", "time", "id", "text", "image")
    }
    used |= {name: settings[name] for name in ("trusted", "fdr", "seed", "memory", "jobs", "decoys")}
    used |= {name: tuple(settings[name]) for name in ("select", "ignore")}
    with progress_bar(settings["quiet"]) as progress:
        findings = look(data, **used, progress=progress)
    findings.evidence["command"] = command(data, settings)
    return findings


def command(data: Path, settings: Settings) -> str:
    """The command line that does the same again, whatever a configuration file says by then."""
    words = ["foretaste", "scan", str(data)]
    for name, (_, default) in SETTINGS.items():
        value = settings[name]
        if name in ("quiet", "jobs", "memory", "format") or (value == default and name != "out"):
            continue
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{name.replace('_', '-')}")
            continue
        for item in value if isinstance(value, list) else [value]:
            words += [f"--{name.replace('_', '-')}", f"{item}"]
    return shlex.join(words)


def write(findings: Findings, out: Path, formats: list[str]) -> list[Path]:
    """Write findings and reports; reports of an earlier scan that are not written anew are taken away."""
    from foretaste.report import FORMATS, render

    extra = {FORMATS[name]: render(findings, name) for name in dict.fromkeys((*ALWAYS, *formats))}
    with finishing():
        findings.write(out, extra)
        for name in set(FORMATS.values()) - set(extra):
            (out / name).unlink(missing_ok=True)
    return [out / name for name in extra]


def _show(findings: Findings, out: Path, reports: list[Path], quiet: bool) -> None:
    from rich.console import Console

    from foretaste.report.model import build
    from foretaste.report.terminal import render, show

    report = build(findings)
    try:
        if quiet:
            typer.echo(f"{findings.verdict}: {report.headline}")
        else:
            console = Console()
            files = list(map(str, reports))
            if console.is_terminal:
                show(report, console, files)
            else:
                typer.echo(render(report, files).decode(), nl=False)
    except BrokenPipeError:  # the findings are written; the exit status must still tell
        problems.close_output()
    if findings.verdict == "incomplete":
        problems.complain(f"incomplete: {_why(findings)}; the other results are in {out}")


def _why(findings: Findings) -> str:
    if findings.summary.get("incomplete"):
        return str(findings.summary["incomplete"])
    skipped: list[dict[str, Any]] = findings.summary.get("skipped") or []
    reasons = [f"{item.get('rule')} {item.get('reason')}" for item in skipped]
    return reasons[0] if len(reasons) == 1 else f"{len(reasons)} tests did not run: {', '.join(reasons)}"


def _status(findings: Findings, fail_on: str) -> int:
    """The exit status of the contract."""
    if findings.verdict == "incomplete":
        return problems.STATUS
    sources = findings.sources
    bad_source = sources is not None and any(sources.column("flagged").to_pylist())
    campaign = findings.groups.num_rows > 0 or bad_source
    found = {"campaign": campaign, "mislabel": campaign or bool(findings.flagged.any()), "never": False}
    return int(found[fail_on])


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Progress | None]:
    """A bar on stderr, where a person is watching."""
    import sys

    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def advance(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        yield advance
