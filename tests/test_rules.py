"""The rule catalogue: complete, well formed, equal to its documentation, helpful when asked nonsense."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from foretaste.errors import ConfigError
from foretaste.rules import SECTIONS, all_rules, rule
from foretaste.rules.__main__ import pages

DOCS = Path(__file__).resolve().parents[1] / "docs" / "rules"

CODES = {
    "campaign": "FT102 FT103 FT104 FT105 FT201 FT202 FT203 FT204 FT207 FT208 FT209 FT210 FT301 FT303 FT304 "
    "FT401 FT402 FT501 FT502 FT503 FT504 FT505",
    "mislabel": "FT101 FT302",
    "review": "FT205 FT206 FT601 FT602",
    "note": "FT901 FT902 FT903 FT904",
}


def test_every_stable_code_is_in_the_catalogue_and_in_its_family() -> None:
    assert {r.code: r.family for r in all_rules()} == {
        code: family for family, codes in CODES.items() for code in codes.split()
    }


def test_rules_come_in_the_order_of_their_codes() -> None:
    codes = [r.code for r in all_rules()]
    assert codes == sorted(codes)


@pytest.mark.parametrize("found", all_rules(), ids=lambda r: r.code)
def test_every_page_answers_the_five_questions_in_order(found) -> None:
    assert re.findall(r"^## (.+)$", found.page_markdown, re.MULTILINE) == list(SECTIONS)
    assert all(len(found.section(heading)) > 20 for heading in SECTIONS)


@pytest.mark.parametrize("found", all_rules(), ids=lambda r: r.code)
def test_pages_refer_only_to_rules_that_exist(found) -> None:
    for mentioned in re.findall(r"FT\d{3}", found.page_markdown):
        assert rule(mentioned).code == mentioned


def test_a_patch_in_sounds_is_called_a_sound() -> None:
    assert [rule("FT207").title_of(kind) for kind in ("image", "sound")] == ["Shared patch", "Shared sound"]
    assert rule("FT301").title_of("sound") == rule("FT301").title


def test_a_code_is_found_in_any_case_and_with_spaces_around_it() -> None:
    assert rule(" ft201 ") is rule("FT201")


def test_a_mistyped_code_is_answered_with_the_nearest_ones() -> None:
    with pytest.raises(ConfigError, match=r"no rule 'FT240'; did you mean FT204, "):
        rule("FT240")


def test_a_title_instead_of_a_code_is_answered_with_its_code() -> None:
    with pytest.raises(ConfigError, match=r"did you mean .*FT401"):
        rule("bad source")


def test_nonsense_is_answered_with_the_list_of_codes() -> None:
    with pytest.raises(ConfigError, match=r"the codes are FT101, FT102"):
        rule("?")


def test_a_huge_code_does_not_come_back_whole() -> None:
    with pytest.raises(ConfigError) as raised:
        rule("x" * 1_000_000)
    assert len(str(raised.value)) < 400


def test_the_meaning_is_one_paragraph() -> None:
    assert "\n" not in rule("FT204").meaning
    assert rule("FT204").meaning.startswith("Rows that share a combination of values")


def test_the_documentation_shows_the_same_text() -> None:
    written = {path.name: path.read_text("utf-8") for path in DOCS.iterdir()}
    assert written == pages(), "run: python -m foretaste.rules docs/rules"


def test_the_documentation_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "foretaste.rules", str(tmp_path / "pages")], capture_output=True, check=False
    )
    assert done.returncode == 0
    assert (tmp_path / "pages" / "FT101.md").read_text("utf-8") == rule("FT101").page_markdown
