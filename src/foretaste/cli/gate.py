"""``foretaste gate``: may these data be trained on, may this model be used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from foretaste.errors import ConfigError


def gate(
    files: Annotated[
        list[Path], typer.Argument(metavar="DATA|MODEL...", help="Data or model files.", show_default=False)
    ],
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The policy; the nearest foretaste.toml otherwise."),
    ] = None,
    findings: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The scan of these data, in place of the policy's.")
    ] = None,
    format: Annotated[str, typer.Option(help="terminal, json, sarif or junit.")] = "terminal",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there, not to stdout.")] = None,
) -> None:
    """Apply the gate policy of foretaste.toml: exit with 0 where all pass, 1 where any is blocked."""
    from dataclasses import replace

    from foretaste.data.atomic import appearing
    from foretaste.provenance.gate import find_policy, load_policy
    from foretaste.provenance.gate import gate as decide
    from foretaste.report.gate import FORMATS

    if format not in FORMATS:
        raise ConfigError(f"there is no format {format!r}; use one of {', '.join(FORMATS)}")
    rules = load_policy(policy or find_policy(Path.cwd()))
    if findings is not None:
        rules = replace(rules, findings=findings)
    report = decide(files, rules)
    content = FORMATS[format](report)
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        with appearing(out) as path:
            path.write_bytes(content)
    if not report.passed:
        raise typer.Exit(1)


__all__ = ["gate"]
