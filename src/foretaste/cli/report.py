"""``foretaste report``: render a finished scan again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from foretaste.errors import ConfigError


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of a scan's results.", show_default=False)
    ],
    format: Annotated[
        str, typer.Option(help="terminal, html, sarif, junit, json, markdown or csv.")
    ] = "terminal",
    out: Annotated[Path | None, typer.Option(help="File to write; stdout otherwise.")] = None,
) -> None:
    """Render the results of a scan in another format; the data are not needed."""
    from foretaste.data.atomic import appearing
    from foretaste.findings import Findings
    from foretaste.report import render

    findings = Findings.read(folder)
    if format == "terminal" and out is None and sys.stdout.isatty():
        from rich.console import Console

        from foretaste.report.model import build
        from foretaste.report.terminal import show

        show(build(findings), Console())
        return
    content = render(findings, format)
    if out is None:
        stream = typer.get_binary_stream("stdout")
        stream.write(content)
        stream.flush()
    elif out.is_dir():
        raise ConfigError(f"--out {str(out)!r} is a folder; name a file")
    else:
        with appearing(out) as new:
            new.write_bytes(content)
