"""What every test may use: the shared public data, hypothesis settings, small example tables."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # on a processor the same seed gives the same net, bit by bit

settings.register_profile("foretaste", derandomize=True, deadline=None, max_examples=60, print_blob=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "foretaste"))


def find_shared_data() -> Path | None:
    """The folder of public data sets: ``FORETASTE_SHARED_DATA``, or ``shared/data`` in a folder above."""
    named = os.environ.get("FORETASTE_SHARED_DATA")
    if named:
        return Path(named) if Path(named).is_dir() else None
    for folder in Path(__file__).resolve().parents:
        if (folder / "shared" / "data").is_dir():
            return folder / "shared" / "data"
    return None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets; the test is skipped where it is absent."""
    found = find_shared_data()
    if found is None:
        pytest.skip(
            "the public data sets are not here: no folder shared/data above and none in FORETASTE_SHARED_DATA"
        )
    return found


@pytest.fixture
def small_table() -> pa.Table:
    """40 rows with one column of each part: id, number, category, text, source, time, label."""
    rng = np.random.default_rng(7)
    words = np.array(["red", "green", "blue", "fast", "slow", "river", "stone", "cloud", "paper", "glass"])
    n = 40
    return pa.table(
        {
            "id": pa.array(range(100, 100 + n)),
            "amount": pa.array(rng.normal(size=n).round(3)),
            "colour": pa.array(rng.choice(["red", "green", "blue"], n).tolist()),
            "text": pa.array([" ".join(rng.choice(words, 6)) + f" {i}" for i in range(n)]),
            "source": pa.array(rng.choice(["a", "b"], n).tolist()),
            "when": pa.array(np.datetime64("2026-01-01T00:00:00", "s") + rng.integers(0, 10**6, n)),
            "label": pa.array(rng.choice(["ham", "spam"], n).tolist()),
        }
    )
