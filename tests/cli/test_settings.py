"""Settings: flags over the nearest configuration file over defaults; what is wrong is named."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.cli.settings import SETTINGS, Settings, memory_bytes, resolve
from foretaste.errors import ConfigError


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "foretaste.toml").write_text('label = "y"\nfail-on = "mislabel"\nfdr = 0.1\nmemory = "1GB"\n')
    settings = resolve({"label": "z", "fdr": None, "select": []}, None, tmp_path)
    assert (settings["label"], settings.origins["label"]) == ("z", "flag")
    assert (settings["fdr"], settings.origins["fdr"]) == (0.1, str(tmp_path / "foretaste.toml"))
    assert settings["fail_on"] == "mislabel"
    assert settings["memory"] == 10**9
    assert (settings["seed"], settings.origins["seed"]) == (0, "default")


def test_the_nearest_file_is_found_upwards(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.foretaste]\nlabel = "far"\nout = "results"\n')
    (deep.parent / "pyproject.toml").write_text('[project]\nname = "x"\n')  # does not mention foretaste
    settings = resolve({}, None, deep)
    assert settings["label"] == "far"
    assert settings["out"] == str(tmp_path / "results")  # relative to the file that says so
    (deep.parent / "foretaste.toml").write_text('label = "near"\n')
    assert resolve({}, None, deep)["label"] == "near"
    assert resolve({}, tmp_path / "pyproject.toml", deep)["label"] == "far"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("lable = 'y'", "there is no setting 'lable'; did you mean 'label'?"),
        ("fail_om = 'y'", "there is no setting 'fail_om'; did you mean 'fail-on'?"),
        ("xyzzy = 1", "there is no setting 'xyzzy'; there are label, source"),
        ("label = 3", "label is 3; use text"),
        ("fdr = 'low'", "fdr is 'low'; use a rate above 0 and at most 0.5"),
        ("seed = true", "seed is True; use a whole number from 0"),
        ("quiet = 1", "quiet is 1; use true or false"),
        ("select = [1]", "select is [1]; use a list of text"),
        ("memory = 2.5", "memory is 2.5; write it like '2GB'"),
        ("memory = '2 bananas'", "memory: '2 bananas' is no amount of memory"),
        ("fail-on = 'x'", "fail-on is 'x'; use one of campaign, mislabel, never"),
        ("fail-on = 'never'\nfail_on = 'never'", "'fail_on' is set twice"),
        ("label = ", "this is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "foretaste.toml"
    file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        resolve({}, None, tmp_path)
    assert str(caught.value).startswith(f"{file}: {said}")


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2 * 10**9), ("512 MiB", 2**29), ("1.5g", 1_500_000_000), (2**20, 2**20)]
)
def test_sizes(text: Any, size: int) -> None:
    assert memory_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-2GB", "2XB", "1000", "1e9", "2GB2"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ConfigError, match="no amount of memory"):
        memory_bytes(text)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.lists(st.text(alphabet="FT0123", min_size=1)),
)
def test_the_settings_shown_are_toml_that_says_the_same(label: str, rules: list[str]) -> None:
    values = {name: default for name, (_, default) in SETTINGS.items()} | {"label": label, "select": rules}
    shown = Settings(values, dict.fromkeys(values, "a file\nwith = 'a line'\x1b[2J"), None).as_toml()
    read = {key.replace("-", "_"): value for key, value in tomllib.loads(shown).items()}
    assert read == {name: value for name, value in values.items() if value is not None}
    assert all(letter.isprintable() for line in shown.split("\n") for letter in line)


def test_show_config_needs_no_data_and_scans_nothing(run: Any, tmp_path: Path) -> None:
    (tmp_path / "foretaste.toml").write_text('source = "who"\n')
    result = run("scan", "--show-config", "--label", "y", "--quiet")
    assert result.exit_code == 0
    assert tomllib.loads(result.stdout)["source"] == "who"
    assert f'source = "who"  # {tmp_path / "foretaste.toml"}' in result.stdout
    assert 'label = "y"  # flag' in result.stdout
    assert "quiet = true  # flag" in result.stdout
    assert "fdr = 0.05  # default" in result.stdout
    assert "# time is not set" in result.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "foretaste.toml"]
