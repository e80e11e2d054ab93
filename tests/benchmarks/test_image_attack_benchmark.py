"""The benchmark of image attacks: every cell can be run, on made-up images."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.attacks.image_data import Split
from benchmarks.attacks.images import Bench, cells, line

from foretaste.attacks import attack_names


@pytest.fixture(scope="module")
def bench() -> Bench:
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = rng.integers(60, 140, size=(300, 8, 8), dtype=np.uint8)
    x[np.arange(300), 2 * y + 1] += 80
    options = argparse.Namespace(
        attacks=attack_names(), rates=[0.1], optimised_rates=[0.05], epochs=3, steps=2, instances=2,
        from_scratch=False,
        device="cpu", seed=0, out=None,
    )  # fmt: skip
    return Bench(Split(x[:200], y[:200], x[200:], y[200:], 3), options).fit_clean()


def test_every_image_attack_is_measured(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.options.attacks = ["badnets", "all-to-all", "source-specific", "hidden-trigger", "witches-brew"]
    for name, setting, run in cells(bench.options):
        line("made-up", name, setting, run, bench)
    printed = {row.split(" | ")[1]: row.split(" | ") for row in capsys.readouterr().out.splitlines()}
    assert sorted(printed) == sorted(bench.options.attacks)
    assert list(printed)[3:] == ["witches-brew", "hidden-trigger"]
    assert bench.right > 0.9
    won, chance, gain = printed["badnets"][5].replace(",", "").split()
    assert float(gain) == pytest.approx(float(won) - float(chance.strip("()")), abs=0.011)
    assert float(won) > 0.9
    assert float(chance.strip("()")) < 0.2
