"""E-values of groups labelled against their content, and decisions by them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.stats.mixture import e_bh, lowest_share, mixture_evidence, natural_share, share_posterior


def log_ratios(rng: np.random.Generator, n: int, shift: float) -> np.ndarray:
    """Log likelihood ratios of N(shift, 1) against N(0, 1) at draws from N(0, 1)."""
    return shift * rng.normal(size=n) - shift**2 / 2


def test_under_the_null_an_e_value_is_one_on_average() -> None:
    rng = np.random.default_rng(0)
    groups, size = 4000, 12
    ratio = log_ratios(rng, groups * size, 0.7)
    found = mixture_evidence(ratio, np.repeat(np.arange(groups), size), groups)
    assert np.exp(found.log_e).mean() == pytest.approx(1.0, abs=0.15)
    assert (found.log_e >= np.log(20)).mean() <= 0.05


def test_natural_noise_is_no_evidence() -> None:
    rng = np.random.default_rng(1)
    groups, size = 1000, 40
    wrong = rng.random(groups * size) < 0.1
    ratio = 2 * (rng.normal(size=groups * size) + 2 * wrong) - 2
    group = np.repeat(np.arange(groups), size)
    told = mixture_evidence(ratio, group, groups, noise=0.1)
    untold = mixture_evidence(ratio, group, groups)
    assert (told.log_e >= np.log(20)).mean() <= 0.05
    assert (untold.log_e >= np.log(20)).mean() > 0.15


def test_the_share_is_found() -> None:
    rng = np.random.default_rng(2)
    wrong = rng.random(600) < 0.7
    ratio = 3 * (rng.normal(size=600) + 3 * wrong) - 4.5
    found = mixture_evidence(ratio, np.zeros(600, int), 1)
    assert found.log_e[0] > 100
    assert found.share[0] == pytest.approx(0.7, abs=0.1)
    assert natural_share(ratio) == pytest.approx(wrong.mean(), abs=0.05)


def test_copies_with_one_vote_count_once() -> None:
    ratio = np.array([1.5, -0.5, 2.0])
    once = mixture_evidence(ratio, np.zeros(3, int), 1)
    copied = mixture_evidence(np.repeat(ratio, 5), np.zeros(15, int), 1, weight=np.full(15, 0.2))
    assert copied.log_e == pytest.approx(once.log_e)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=30), st.floats(0.01, 1.0))
def test_a_posterior_is_a_probability_that_grows_with_the_ratio(ratios: list[float], share: float) -> None:
    ordered = np.sort(np.array(ratios))
    posterior = share_posterior(ordered, share)
    assert ((posterior >= 0) & (posterior <= 1)).all()
    assert (np.diff(posterior) >= -1e-12).all()


@given(st.lists(st.floats(-5, 40), max_size=25), st.integers(0, 1000), st.sampled_from([0.01, 0.05, 0.5]))
def test_e_bh_is_the_step_up_of_its_paper(log_e: list[float], more: int, alpha: float) -> None:
    values = np.array(log_e)
    tested = len(values) + more
    rejected, q = e_bh(values, tested, alpha)
    ordered = np.sort(np.exp(values))[::-1]
    ranks = [k for k in range(1, len(values) + 1) if ordered[k - 1] >= tested / (alpha * k) * (1 + 1e-9)]
    assert rejected.sum() >= max(ranks, default=0)
    assert ((q >= 0) & (q <= 1)).all()
    if len(values):
        order = np.argsort(-values, kind="stable")
        assert (np.diff(q[order]) >= -1e-12).all()


def test_e_bh_keeps_its_promise_among_dependent_groups() -> None:
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(300):
        shared = log_ratios(rng, 10, 0.8)
        log_e = np.array([mixture_evidence(shared, np.zeros(10, int), 1).log_e[0]] * 20)
        false += e_bh(log_e, 20, 0.1)[0].any()
    assert false / 300 <= 0.1


def test_lowest_share_needs_evidence() -> None:
    assert lowest_share(np.full(3, 0.5)) == 0.0
    assert lowest_share(np.full(50, -4.0)) == 0.0
    assert lowest_share(np.full(100, 4.0)) >= 0.9
