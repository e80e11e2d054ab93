"""The verdict on a terminal: counts, campaigns with their trigger, sources, what was skipped, what is next.

No text from the data is ever parsed as rich markup; control characters have been made visible before it gets
here, so that nothing in the data can move the cursor, set a title or hide a line. Without colour, in a pipe,
or on a terminal that knows only ASCII, the same words are there.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from foretaste.report.campaigns import Campaign
from foretaste.report.model import Report, not_covered
from foretaste.report.numbers import plural, probability, share, whole
from foretaste.report.safe import visible
from foretaste.report.tables import Source

WIDTH = 100
_TONE = {"clean": "green", "noisy": "yellow", "poisoned": "red", "incomplete": "magenta"}
_CAMPAIGNS, _SOURCES, _REVIEW, _SKIPPED = 10, 5, 5, 8


def render(report: Report, files: Sequence[str] = ()) -> bytes:
    """The verdict as plain UTF-8 text, 100 columns wide, without colour, for `show`'s arguments."""
    out = io.StringIO()
    show(report, Console(file=out, width=WIDTH, color_system=None, force_terminal=False), files)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    return "\n".join([*lines, ""]).encode("utf-8", "replace")


def show(report: Report, console: Console, files: Sequence[str] = ()) -> None:
    """Print the verdict.

    Parameters
    ----------
    report : Report
        What `foretaste.report.model.build` computed.
    console : rich.console.Console
        Where; its width, colours and encoding are respected.
    files : sequence of str
        Paths to name at the end, the report first.
    """
    out = _Printer(console)
    tone = _TONE[report.verdict]
    out.line((report.verdict_words.upper(), f"bold {tone}"), (f"  {report.name}", "dim"))
    out.line((report.headline, "bold"))
    out.line((_counts(report), ""))
    if report.campaigns:
        out.title("Campaigns")
        out.table(
            ["rule", "what ties the rows together", "label", "rows", "q", "from"],
            [_campaign(campaign) for campaign in report.campaigns[:_CAMPAIGNS]],
            right=frozenset({3, 4}),
        )
        out.more(len(report.campaigns) - _CAMPAIGNS, "more campaign")
    if report.sources:
        out.title("Sources, worst first")
        shown = report.sources[: max(_SOURCES, min(len(report.bad_sources), 20))]
        heads = ["source", "rows", "flagged", "excess", "interval", "p", ""]
        out.table(heads, [_source(source) for source in shown], right=frozenset({1, 2, 3, 4, 5}))
        out.more(len(report.sources) - len(shown), "more source")
    if report.review:
        out.title("For a person to look at (not flagged)")
        shown_items = [
            [(item.code, "cyan"), (_short(item.name, 40), ""), (item.reason, "dim")]
            for item in report.review[:_REVIEW]
        ]
        out.table([], shown_items)
        out.more(len(report.review) - _REVIEW, "more pattern")
    skipped = not_covered(report.plan, report.gaps)
    if skipped:
        out.title("Not covered")
        out.table([], [[(_short(name, 48), ""), (reason, "dim")] for name, reason in skipped[:_SKIPPED]])
        out.more(len(skipped) - _SKIPPED, "more")
    if report.floors:
        out.title("Would have found (planted in a copy)")
        for line in report.floors_in_words[:_SKIPPED]:
            out.line((f"  {line}", "dim"))
    out.title("Next")
    for number, step in enumerate(report.steps, start=1):
        out.line((f"  {number}. ", f"bold {tone}"), (step.text, ""))
        if step.command:
            out.command(step.command)
    for at, path in enumerate(files):
        out.line(
            ("\nReport  " if at == 0 else "        ", "dim"), (visible(path, 400), "bold" if at == 0 else "")
        )


class _Printer:
    """Prints text that is never markup, in characters the console can encode."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._encoding = console.encoding or "utf-8"

    def text(self, *parts: tuple[str, str]) -> Text:
        return Text.assemble(*((self._encodable(text), style) for text, style in parts))

    def line(self, *parts: tuple[str, str]) -> None:
        text = self.text(*parts)
        indent = len(text.plain) - len(text.plain.lstrip(" "))
        text = text[indent:] if indent else text
        self._console.print(Padding(text, (0, 0, 0, indent)), highlight=False)

    def title(self, words: str) -> None:
        self._console.print()
        self.line((words, "bold underline"))

    def more(self, number: int, what: str) -> None:
        if number > 0:
            words = plural(number, what) if what != "more" else f"{number} more"
            self.line((f"  and {words}; see report.html", "dim"))

    def command(self, command: str) -> None:
        """A command on one line of its own, never wrapped: it is there to be copied."""
        self._console.print(self.text((f"     {command}", "cyan")), highlight=False, soft_wrap=True)

    def table(
        self, heads: list[str], rows: list[list[tuple[str, str]]], right: frozenset[int] = frozenset()
    ) -> None:
        """A borderless table; without ``heads`` it has no header line."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
        table.show_header = bool(heads)
        for at, head in enumerate(heads or [""] * len(rows[0])):
            table.add_column(head, justify="right" if at in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(self.text(cell) for cell in row))
        self._console.print(Padding(table, (0, 0, 0, 2)))

    def _encodable(self, text: str) -> str:
        """Characters this console cannot write become ASCII, so that printing never fails."""
        plain = str.maketrans("–−×→⟨⟩≈“”⁻⁰¹²³⁴⁵⁶⁷⁸⁹…", '--x><>~""-0123456789.')
        try:
            text.encode(self._encoding)
            return text
        except (UnicodeEncodeError, LookupError):
            return text.translate(plain).encode("ascii", "backslashreplace").decode()


def _counts(report: Report) -> str:
    counts = report.counts
    parts = [plural(counts.rows, "row"), f"{whole(counts.flagged)} flagged"]
    found = report.mislabels
    if found and found.abstained:
        parts.append("wrong labels not counted")
    elif found:
        interval = f" ({whole(found.low)} to {whole(found.high)})" if found.low is not None else ""
        parts.append(f"about {whole(found.estimate)}{interval} labels wrong at random")
    if report.fdr is not None:
        parts.append(f"false-discovery rate {share(report.fdr)}")
    return ", ".join(parts)


def _campaign(campaign: Campaign) -> list[tuple[str, str]]:
    names = ", ".join(_short(source.source, 18) for source in campaign.sources[:2])
    rest = len(campaign.sources) - 2
    return [
        (f"{campaign.code} {campaign.title}", "cyan"),
        (_short(campaign.pattern, 60), "bold"),
        (_short(campaign.target, 20), ""),
        (whole(campaign.size), ""),
        (probability(campaign.q_value), ""),
        (f"{names} and {rest} more" if rest > 0 else names, ""),
    ]


def _source(source: Source) -> list[tuple[str, str]]:
    interval = f"{share(source.low_share)} to {share(source.high_share)}" if source.low is not None else ""
    words = ("BAD", "bold red") if source.flagged else ("", "") if source.judged else ("not judged", "dim")
    return [
        (_short(source.source, 32), "bold" if source.flagged else ""),
        (whole(source.rows), ""),
        (whole(source.flagged_rows), ""),
        (share(source.excess_share), ""),
        (interval, "dim"),
        (probability(source.p_value), ""),
        words,
    ]


def _short(text: str, width: int) -> str:
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"
