"""Embedding matrices: recognised as such, and searched for rows that were all moved one way."""

import numpy as np
import pyarrow as pa
import pytest

import foretaste
from foretaste.data import Dataset, from_arrays
from foretaste.detect.context import Context
from foretaste.detect.representations.shifted_embeddings import ShiftedEmbeddings
from foretaste.features.vectors import embedding_columns

N, D = 1500, 128


def embeddings(seed=0):
    """Three classes of unit vectors; each class has topics of its own, one of them small and tight."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, N)
    scale = np.geomspace(2, 0.3, D)
    classes, topics = rng.normal(size=(3, D)) * 0.5, rng.normal(size=(3, 4, D)) * 0.6
    topic = rng.choice(4, N, p=[0.5, 0.3, 0.17, 0.03])
    x = (
        classes[y]
        + topics[y, topic]
        + rng.normal(size=(N, D)) * scale * np.where(topic == 3, 0.5, 1)[:, None]
    )
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def shifted(share=0.02, strength=0.5, seed=0):
    x, y = embeddings(seed)
    rng = np.random.default_rng(seed + 1)
    rows = np.sort(rng.choice(np.flatnonzero(y != 1), round(share * N), replace=False))
    direction = rng.normal(size=D)
    x[rows] += (strength * direction / np.linalg.norm(direction)).astype(np.float32)
    y[rows] = 1
    return x, y, rows


def test_finds_rows_that_share_a_shift_and_the_label_they_push():
    x, y, rows = shifted()
    (campaign,) = ShiftedEmbeddings().examine(Context(from_arrays(x, y.astype(str)))).campaigns
    assert campaign.target == "1"
    assert len(np.intersect1d(campaign.rows, rows)) >= 0.9 * len(rows)
    assert len(np.setdiff1d(campaign.rows, rows)) <= 0.1 * len(rows)


@pytest.mark.parametrize("seed", range(4))
def test_natural_topics_are_no_campaign(seed):
    x, y = embeddings(seed)
    assert not ShiftedEmbeddings().examine(Context(from_arrays(x, y.astype(str)))).campaigns


def test_a_small_kind_of_rows_with_wrong_labels_is_not_taken_for_a_trigger():
    x, y = embeddings()
    rng = np.random.default_rng(5)
    rows = rng.choice(np.flatnonzero(y == 0), 40, replace=False)
    x[rows] = 0.2 * x[rows] + 0.8 * x[rows[0]]  # one topic, nearly the same text
    y[rows] = 2
    assert not ShiftedEmbeddings().examine(Context(from_arrays(x, y.astype(str)))).campaigns


def test_random_flips_are_no_campaign():
    x, y = embeddings()
    rows = np.random.default_rng(3).choice(N, 60, replace=False)
    y[rows] = (y[rows] + 1) % 3
    assert not ShiftedEmbeddings().examine(Context(from_arrays(x, y.astype(str)))).campaigns


def test_what_is_an_embedding_and_what_is_a_table():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(100, 70))
    named = pa.table({f"sensor {chr(97 + j % 26)}{chr(97 + j // 26)}": real[:, j] for j in range(70)})
    indicators = (real > 0).astype(float)
    assert len(embedding_columns(from_arrays(real))) == 70
    assert len(embedding_columns(from_arrays(np.maximum(real, 0)))) == 70
    assert embedding_columns(from_arrays(real[:, :40])) == ()
    assert embedding_columns(from_arrays(indicators)) == ()
    assert embedding_columns(Dataset.from_table(named)) == ()


def test_other_columns_beside_an_embedding_stay_a_table():
    x, y = embeddings()
    table = pa.table({**{f"e{j}": x[:, j] for j in range(D)}, "price": np.arange(N) % 97 + 0.5, "label": y})
    context = Context(Dataset.from_table(table, label="label"))
    assert context.table.names == ["price"]
    assert context.vectors.rows.shape == (N, D)


def test_a_scan_of_an_npz_names_the_campaign_and_judges_labels(tmp_path):
    x, y, rows = shifted()
    np.savez(tmp_path / "vectors.npz", x=x, y=y)
    found = foretaste.scan(tmp_path / "vectors.npz", jobs=1, select=["FT210", "FT101"])
    assert found.verdict == "poisoned"
    flagged = np.flatnonzero(found.rows.column("rule").to_pylist() == np.array("FT210"))
    assert len(np.intersect1d(flagged, rows)) >= 0.9 * len(rows)
