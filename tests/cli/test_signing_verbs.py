"""``foretaste keys``, ``sign`` and ``ingest``, as a person types them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _vendor(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor with a key, a policy that lists it, a ledger."""
    monkeypatch.setenv("FORETASTE_KEYS", str(tmp_path / "keys"))
    monkeypatch.delenv("FORETASTE_LEDGER_KEY", raising=False)
    made = run("keys", "new", "vendor")
    public = made.stdout.splitlines()[1].split()[-1]
    Path("sources.toml").write_text(f'schema = 1\n[[source.vendor.key]]\nkey = "{public}"\n')
    assert run("ledger", "init", "L").exit_code == 0


def test_a_signed_batch_is_ingested_and_an_altered_one_refused(run: Run, data: Path) -> None:
    signed = run("sign", data, "--source", "vendor")
    assert signed.exit_code == 0, signed.stderr
    assert "does not make them good" in signed.stdout
    done = run("ingest", "L", data, "--source", "vendor")
    assert (done.exit_code, done.stdout[:28]) == (0, "accepted: signed by vendor (")
    data.write_text(data.read_text().replace("spam", "ham"))
    refused = run("ingest", "L", data, "--source", "vendor")
    assert refused.exit_code == 1
    assert refused.stdout == (
        "REFUSED: data.csv is not what 'vendor' signed: it was altered or added; entry 1\n"
    )
    assert "denied-write  from vendor" in run("ledger", "log", "L").stdout
    assert run("ledger", "verify", "L", "--policy", "sources.toml").exit_code == 0


def test_unsigned_and_unknown_batches_are_refused(run: Run, data: Path) -> None:
    assert (
        "REFUSED: the batch is not signed by 'vendor'"
        in run("ingest", "L", data, "--source", "vendor").stdout
    )
    assert "is not on the list" in run("ingest", "L", data, "--source", "mallory").stdout


def test_verify_names_batches_whose_key_was_revoked(run: Run, data: Path) -> None:
    run("sign", data, "--source", "vendor", "--out", "s.json")
    run("ingest", "L", data, "--source", "vendor", "--signature", "s.json")
    with Path("sources.toml").open("a") as policy:
        policy.write("revoked = 2020-01-01\n")
    found = run("ledger", "verify", "L", "--policy", "sources.toml")
    assert found.exit_code == 1
    assert "not trusted any more: entry 0: the key vendor" in found.stdout
    assert "was revoked as of 2020-01-01" in found.stdout


def test_a_private_key_shows_its_public_half_and_is_not_overwritten(run: Run) -> None:
    made = run("keys", "new", "other", "--out", "other.pem")
    public = made.stdout.splitlines()[1].split()[-1]
    assert run("keys", "show", "other.pem", "--name", "other").stdout == f"{public}\n"
    assert Path("other.pem").stat().st_mode & 0o777 == 0o600
    again = run("keys", "new", "other", "--out", "other.pem")
    assert (again.exit_code, again.stderr) == (2, "foretaste: other.pem: File exists; name another place\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sign", "data.csv", "--source", "nobody"), "make one with foretaste keys new"),
        (("sign", "a", "b", "--source", "vendor"), "name the file for their signature with --out"),
        (("keys", "new", "a b"), "cannot be the name of a key"),
        (("ingest", "L", "data.csv", "--source", "v", "--policy", "nowhere.toml"), "nowhere.toml"),
        (("keys", "show", "other.csv"), "this is no public key"),
    ],
)
def test_errors_say_in_one_line_what_to_do(run: Run, data: Path, words: tuple[str, ...], says: str) -> None:
    Path("other.csv").write_text("a,b\n")
    said = run(*words)
    assert said.exit_code == 2
    assert says in said.stderr
    assert said.stderr.count("\n") == 1
