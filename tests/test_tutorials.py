"""The tutorials are run: every command on them, in order, with the exit status and output they show."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from foretaste.cli.app import app

DOCS = Path(__file__).resolve().parents[1] / "docs"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who types what a tutorial says, in a folder of their own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.public: dict[str, str] = {}

    def file(self, name: str, content: str) -> None:
        for who, key in self.public.items():
            content = content.replace(f"PUBLIC KEY OF {who}", key)
        (self.folder / name).write_text(content)

    def console(self, text: str, place: str | None) -> None:
        self.monkeypatch.chdir(self.folder / (place or "."))
        for session in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, shown = session.partition("\n")
            status, output = self.run(shlex.split(command))
            expected = re.search(r"^\[exit status (\d)\]\n", shown, re.MULTILINE)
            shown = re.sub(r"^\[exit status \d\]\n", "", shown, flags=re.MULTILINE)
            refused = "REFUSED" in shown and not expected
            assert status == (int(expected[1]) if expected else 1 if refused else 0), f"{command}\n{output}"
            if shown.strip():
                assert matches(shown, output), f"$ {command}\nshown:\n{shown}\nsaid:\n{output}"

    def run(self, words: list[str]) -> tuple[int, str]:
        if words[0] == "foretaste":
            words = [sys.executable if word == "python" else word for word in words]
            result = CliRunner().invoke(app, words[1:])
            if words[1:3] == ["keys", "new"]:
                self.public[words[3]] = result.stdout.split()[-1]
            return result.exit_code, result.output
        words[0] = sys.executable if words[0] == "python" else words[0]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def matches(shown: str, said: str) -> bool:
    """Whether an output is as shown; an ellipsis stands for anything, alone on a line for any lines."""
    pattern = ""
    for line in shown.strip("\n").split("\n"):
        if line == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.split("…"))) + r"\n"
    return re.fullmatch(pattern + (r"(?:.*\n)*" if shown.rstrip().endswith("…") else ""), said) is not None


@pytest.mark.parametrize("page", sorted(DOCS.glob("tutorial-*.md")), ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("FORETASTE_LEDGER", "FORETASTE_LEDGER_KEY", "FORETASTE_LINEAGE"):
        monkeypatch.delenv(name, raising=False)
    reader = Reader(tmp_path, monkeypatch)
    for kind, name, content in BLOCK.findall(page.read_text("utf-8")):
        if kind == "console":
            reader.console(content, name or None)
        elif name:
            reader.file(name, content)
