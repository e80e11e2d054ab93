"""``clean``, ``explain``, ``report``, ``doctor`` and what the package offers at its top."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from made_up_scan import made_up

import foretaste
from foretaste.report import FORMATS, render
from foretaste.rules import all_rules


@pytest.fixture
def folder(data: Path) -> Path:
    """Findings of ``data``: a campaign in rows 1 and 3, a wrong label in row 5."""
    return made_up(data, campaign=(1, 3), mislabel=(5,)).write(data.parent / "found")


def test_clean_keeps_order_and_format_and_says_what_it_did(run: Any, data: Path, folder: Path) -> None:
    before = data.read_text().splitlines()
    result = run("clean", data, "--findings", folder, "--out", "clean.csv", "--quarantine", "bad.csv")
    assert result.exit_code == 0, result.output
    kept = [line for at, line in enumerate(before[1:]) if at not in (1, 3, 5)]
    assert Path("clean.csv").read_text().splitlines() == [before[0], *kept]
    assert data.read_text().splitlines() == before
    assert "12 rows in: 9 kept, 3 quarantined" in result.stdout
    receipt = json.loads(Path("receipt.json").read_text())
    assert receipt["rows_in"] == receipt["kept"] + receipt["quarantined"]
    assert len(Path("bad.csv").read_text().splitlines()) == 4


def test_clean_can_relabel(run: Any, data: Path, folder: Path) -> None:
    result = run("clean", data, "--findings", folder, "--out", "clean.csv", "--relabel")
    assert "10 kept, 2 quarantined, 1 relabelled" in result.stdout
    assert '5,"c","ham"' in Path("clean.csv").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--findings", "nowhere", "--out", "clean.csv"],
            "nowhere: this folder does not hold a finished scan",
        ),
        (["--findings", "found", "--out", "data.csv"], "the output 'data.csv' is the input"),
        (["--findings", "found", "--out", "clean.parquet"], "'data.csv' is cleaned into the same format"),
    ],
)
def test_clean_refuses_in_one_line(run: Any, data: Path, folder: Path, words: list[str], said: str) -> None:
    result = run("clean", "data.csv", *words)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith(f"foretaste: {said}")


def test_every_rule_is_explained(run: Any) -> None:
    for rule in all_rules():
        result = run("explain", rule.code.lower())
        assert (result.exit_code, result.stdout) == (0, rule.page_markdown)


def test_explain_lists_all_rules_one_per_line(run: Any) -> None:
    lines = run("explain", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [rule.code for rule in all_rules()]


def test_explain_names_the_closest_rule(run: Any) -> None:
    result = run("explain", "FT240")
    assert result.exit_code == 2
    assert result.stderr == "foretaste: there is no rule 'FT240'; did you mean FT204, FT210 or FT201?\n"
    assert run("explain").exit_code == 2


@pytest.mark.parametrize("format", FORMATS)
def test_a_report_rendered_again_is_the_same(run: Any, data: Path, folder: Path, format: str) -> None:
    expected = render(made_up(data, campaign=(1, 3), mislabel=(5,)), format)
    assert run("report", folder, "--format", format).stdout_bytes == expected
    assert run("report", folder, "--format", format, "--out", "again").stdout == ""
    assert Path("again").read_bytes() == expected


def test_a_report_of_what_was_scanned_is_the_same(run: Any, data: Path, found: Any) -> None:
    found(campaign=(1, 3))
    run("scan", data)
    assert (
        run("report", "foretaste-out", "--format", "html").stdout_bytes
        == Path("foretaste-out/report.html").read_bytes()
    )


def test_report_refuses_in_one_line(run: Any, folder: Path) -> None:
    for words in (["nowhere"], [folder, "--format", "pdf"], [folder, "--out", "."]):
        result = run("report", *words)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_doctor(run: Any) -> None:
    assert "scikit-learn" in run("doctor").stdout
    found = json.loads(run("doctor", "--json").stdout)
    assert found["problems"] == []
    assert found["schema"] == 1
    assert found["foretaste"] == foretaste.__version__
    assert all(found["packages"].values())
    assert found["temporary"]["writable"]
    assert found["blas"]


def test_doctor_says_what_is_wrong(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretaste.cli.doctor._writable", lambda folder: False)
    result = run("doctor")
    assert result.exit_code == 2
    assert "set TMPDIR to a folder that can" in result.stderr


def test_version(run: Any) -> None:
    assert run("--version").stdout == f"foretaste {foretaste.__version__}\n"


def test_help_and_the_package_load_nothing_heavy() -> None:
    code = (
        "import sys, foretaste, foretaste.cli.app; dir(foretaste)\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pyarrow', 'jinja2', 'PIL', 'cryptography'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_offers_its_names() -> None:
    assert {"scan", "clean", "Findings", "Dataset", "__version__"} <= set(dir(foretaste))
    assert foretaste.Findings is sys.modules["foretaste.findings"].Findings
    assert callable(foretaste.clean)
    with pytest.raises(AttributeError, match="no attribute 'taste'"):
        foretaste.taste  # noqa: B018


def test_findings_in_one_line_and_in_a_notebook(data: Path) -> None:
    findings = made_up(data, campaign=(1, 3), pattern="<script>x</script>")
    assert repr(findings) == "<Findings: poisoned, 2 of 12 rows flagged, 1 campaigns>"
    assert "<script" not in findings._repr_html_()


def test_what_a_library_tells_its_programmer_is_not_shown_whatever_threads_do_to_filters(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[object] = []
    monkeypatch.setattr(warnings, "showwarning", lambda *told, **_: shown.append(told))
    run("explain", "FT201")
    warnings.resetwarnings()
    warnings.warn("a word to programmers", UserWarning, stacklevel=1)
    assert shown == []
