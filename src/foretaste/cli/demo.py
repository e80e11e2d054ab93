"""``foretaste demo``: poison, find, clean, measure."""

from __future__ import annotations


def demo() -> None:
    """Poison real data, find the poison, take it out, and show the model before and after."""
