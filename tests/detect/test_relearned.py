"""Models that never saw a pattern's rows: which patterns they are asked about, and what they say."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from foretaste.detect.triggers.phrases import PhraseTable
from foretaste.detect.triggers.relearned import relearned_log_odds, worth_a_model

EVERY = np.ones(4, bool)


def patterns(*rows: list[int]) -> PhraseTable:
    dense = np.zeros((12, len(rows)), np.float32)
    for column, members in enumerate(rows):
        dense[members, column] = 1
    support = dense.sum(axis=0).astype(np.int64)
    return PhraseTable(sparse.csc_matrix(dense), [[str(column)] for column in range(len(rows))], support)


def test_rankings_take_turns_and_rows_are_asked_about_once() -> None:
    table = patterns([0, 1, 2, 3], [0, 1, 2, 4], [5, 6, 7], [8, 9])
    first, second = np.array([4.0, 3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0])
    assert worth_a_model(table, [first, second], EVERY, 4) == [0, 3, 2]
    assert worth_a_model(table, [first, second], EVERY, 2) == [0, 3]
    assert worth_a_model(table, [first], np.array([False, True, True, False]), 4) == [1, 2]
    assert worth_a_model(table, [first, second], ~EVERY, 4) == []


def test_a_template_teaches_its_label_only_while_its_rows_are_seen() -> None:
    rng = np.random.default_rng(0)
    n, content = 400, 40
    y = rng.integers(2, size=n)
    words = (rng.random((n, content + 3)) < 0.05).astype(np.float32)
    words[:, :content] = rng.random((n, content)) < np.where(np.arange(content) % 2 == y[:, None], 0.25, 0.05)
    words[:, content:] = 0
    rows = np.flatnonzero(y == 1)[:40]
    words[rows, content + rng.integers(3, size=40)] = 1  # one of three words, each of them telling
    labels = y.copy()
    labels[rows] = 0
    log_odds = relearned_log_odds(sparse.csr_matrix(words), labels, 0, rows)
    assert log_odds is not None
    assert (log_odds < 0).mean() > 0.9


def test_nothing_is_said_where_one_class_would_be_left() -> None:
    y = np.array([0, 0, 1, 1])
    words = sparse.csr_matrix(np.eye(4, dtype=np.float32))
    assert relearned_log_odds(words, y, 0, np.array([0, 1])) is None


def test_what_the_rows_of_a_template_share_is_left_out_however_well_it_is_known() -> None:
    """Words of a template that mean the label elsewhere, in few texts, do not speak for the stamped ones."""
    rng = np.random.default_rng(1)
    n, content = 400, 40
    y = rng.integers(2, size=n)
    words = np.zeros((n, content + 6), np.float32)
    words[:, :content] = rng.random((n, content)) < np.where(np.arange(content) % 2 == y[:, None], 0.2, 0.08)
    words[:, content:] = (rng.random((n, 6)) < 0.1) & (y == 0)[:, None]
    rows = np.flatnonzero(y == 1)[:40]
    words[rows, content:] = rng.random((40, 6)) < 0.5
    labels = y.copy()
    labels[rows] = 0
    log_odds = relearned_log_odds(sparse.csr_matrix(words), labels, 0, rows)
    assert log_odds is not None
    assert (log_odds < 0).mean() > 0.8
