"""The ``foretaste`` command: one module per verb; they parse, call and print."""

from __future__ import annotations


def main() -> None:
    """Entry point of the ``foretaste`` command."""
    from foretaste.cli.app import run

    run()
