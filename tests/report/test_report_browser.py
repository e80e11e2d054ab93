"""What a real browser makes of a report full of hostile text. Skipped where there is no Chromium."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from made_up_hostile import hostile

from foretaste.report import render

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_nothing_in_a_hostile_report_runs(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(render(hostile(), "html"))
    done = subprocess.run(
        [
            str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    page_after = done.stdout.decode("utf-8", "replace")
    # Our own script ran: the table is paged. The scripts in the data did not: they would rename the page.
    assert "1–25 of 60 rows" in page_after
    assert "<title>Poisoned · " in page_after
    assert "<img" not in page_after
    assert page_after.count("<script>") == 1
