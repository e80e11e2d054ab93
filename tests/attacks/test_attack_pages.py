"""The documentation of the attacks: made from the docstrings, and up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from foretaste.attacks.pages import ACCESS, GOALS, pages
from foretaste.attacks.registry import BUILT_IN, catalogue

DOCS = Path(__file__).resolve().parents[2] / "docs" / "attacks"


def test_the_documentation_shows_the_same_text() -> None:
    written = {path.name: path.read_text("utf-8") for path in DOCS.iterdir()}
    assert written == pages(), "run: python -m foretaste.attacks docs/attacks"


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_page_says_what_is_assumed_and_shows_an_example(name: str) -> None:
    text = pages()[f"{name}.md"]
    assert text.startswith(f"# {name}\n\n")
    for piece in ("| goal | ", "| access | ", "| knowledge | ", "## Parameters", "## References", ">>> "):
        assert piece in text
    assert "``" not in text


def test_goals_and_access_are_explained() -> None:
    for entry in catalogue():
        assert entry.goal in GOALS
        assert entry.access in ACCESS


def test_the_documentation_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "foretaste.attacks", str(tmp_path / "pages")], capture_output=True, check=False
    )
    assert done.returncode == 0
    assert (tmp_path / "pages" / "README.md").read_text("utf-8") == pages()["README.md"]
