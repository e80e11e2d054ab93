"""``foretaste explain``: what a rule means and what to do about it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from foretaste.errors import ConfigError


def explain(
    code: Annotated[
        str | None, typer.Argument(help="Code of a rule, such as FT201.", show_default=False)
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="All rules, one per line.")] = False,
) -> None:
    """Explain a rule: what it means, when it is wrong, how to respond, where it comes from."""
    from foretaste.rules import all_rules, rule

    if list_:
        for known in all_rules():
            typer.echo(f"{known.code}  {known.family:<8}  {known.severity:<8}  {known.title}")
        return
    if code is None:
        raise ConfigError("no rule is named; write foretaste explain CODE, or foretaste explain --list")
    page = rule(code).page_markdown
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        console = Console()
        console.print(Markdown(page), width=min(console.width, 100))
    else:
        typer.echo(page, nl=False)
