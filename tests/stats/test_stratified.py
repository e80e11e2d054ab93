"""Exact tails of stratified sums, and what they say about groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import binom, norm
from scipy.stats import t as student

from foretaste.stats.between_groups import PRIOR_SPREAD, NaturalSpread
from foretaste.stats.integer_sums import log_tail
from foretaste.stats.stratified import LEVELS, Comparison, Strata


def convolved(pmf, size):
    total = np.array([1.0])
    for row, count in zip(pmf, size, strict=True):
        for _ in range(count):
            total = np.convolve(total, row)
    return total


@given(st.integers(1, 400), st.floats(0.001, 0.999), st.data())
def test_one_stratum_of_two_outcomes_is_binomial(n, p, data):
    value = data.draw(st.integers(0, n))
    upper, mid = log_tail(np.array([[1 - p, p]]), np.array([n]), value)
    expected = binom.logsf(value - 1, n, p)
    if expected > -600:
        assert_allclose(upper, expected, rtol=1e-7, atol=1e-9)
        exact_mid = np.log(binom.sf(value, n, p) + binom.pmf(value, n, p) / 2)
        assert_allclose(mid, exact_mid, rtol=1e-6, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_strata_and_levels_match_plain_convolution(seed):
    rng = np.random.default_rng(seed)
    strata, levels = rng.integers(1, 5), rng.integers(2, 9)
    pmf = rng.dirichlet(np.full(levels, 0.4), strata)
    pmf[rng.random(pmf.shape) < 0.3] = 0
    pmf[:, 0] += 1e-3
    pmf /= pmf.sum(axis=1, keepdims=True)
    size = rng.integers(0, 50, strata)
    mass = convolved(pmf, size)
    value = int(rng.integers(0, len(mass)))
    tail = mass[value:].sum()
    if tail > 1e-12:
        assert_allclose(log_tail(pmf, size, value)[0], np.log(tail), rtol=1e-6, atol=1e-8)


def test_tails_are_exact_far_out():
    upper, _ = log_tail(np.array([[0.999, 0.001]]), np.array([800]), 30)
    assert_allclose(upper, binom.logsf(29, 800, 0.001), rtol=1e-9)
    assert log_tail(np.array([[0.99, 0.01]]), np.array([100_000]), 5000)[0] < -4000


def test_sums_too_long_to_convolve_are_close():
    n, p = 40_000_000, 0.3
    upper, _ = log_tail(np.array([[1 - p, p]]), np.array([n]), int(n * p + 6 * np.sqrt(n * p * (1 - p))))
    assert_allclose(upper, binom.logsf(int(n * p + 6 * np.sqrt(n * p * (1 - p))) - 1, n, p), rtol=1e-3)


def test_values_that_cannot_or_must_be_reached():
    pmf, size = np.array([[0.5, 0.0, 0.5]]), np.array([3])
    assert log_tail(pmf, size, 7) == (-np.inf, -np.inf)
    assert log_tail(pmf, size, 0) == (0.0, pytest.approx(np.log1p(-1 / 16)))
    assert log_tail(pmf, size, -1)[0] == 0.0


def strata_of(group, outcome, stratum=None, n_groups=None):
    stratum = np.zeros(len(group), int) if stratum is None else stratum
    shape = (int(stratum.max()) + 1, 2)
    return Strata(
        group,
        n_groups or int(group.max()) + 1,
        stratum,
        outcome,
        wrong=np.tile([0.05, 0.95], (shape[0], 1)),
        prior=np.tile([0.9, 0.1], (shape[0], 1)),
    )


def test_a_group_is_compared_with_the_rest_of_its_stratum():
    group = np.repeat([0, 1, 2], [20, 40, 40])
    outcome = np.zeros(100, int)
    outcome[:6] = 1  # 6 of 20 in group 0
    outcome[[30, 70]] = 1
    comparison = Comparison(strata_of(group, outcome), np.zeros(3, bool))
    natural = (2 + 0.1) / 81
    assert_allclose(comparison.tail(0)[0], binom.logsf(5, 20, natural), rtol=1e-9)
    assert comparison.share[0] == pytest.approx((6 - 20 * natural) / (20 * (0.95 - natural)))
    set_aside = Comparison(strata_of(group, outcome), np.array([True, False, False]))
    assert set_aside.tail(0) == comparison.tail(0)
    assert set_aside.tail(1)[0] > comparison.tail(1)[0] - 3  # group 0 no longer makes group 1 look good


def test_bounds_enclose_the_share_and_grow_with_confidence():
    group = np.repeat([0, 1], [100, 400])
    outcome = np.zeros(500, int)
    outcome[:40] = 1
    comparison = Comparison(strata_of(group, outcome), np.zeros(2, bool))
    low, high = comparison.bound(0), comparison.bound(0, upper=True)
    assert 0.25 < low < comparison.share[0] < high < 0.55
    assert comparison.bound(0, level=0.001) < low


def test_p_values_are_not_too_small_when_groups_do_not_matter():
    rng = np.random.default_rng(0)
    p_values = []
    for _ in range(60):
        group, stratum = rng.integers(0, 5, 500), rng.integers(0, 3, 500)
        outcome = (rng.random(500) < np.array([0.02, 0.1, 0.3])[stratum]).astype(int)
        comparison = Comparison(strata_of(group, outcome, stratum), np.zeros(5, bool))
        p_values += [comparison.p_value(g, NaturalSpread.exactly(1e-9)) for g in range(5)]
    p_values = np.array(p_values)
    for level in (0.02, 0.1, 0.5):
        assert (p_values <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / 300)
    assert (p_values <= 0.5).mean() > 0.3  # and not idle either


def test_natural_spread_makes_a_group_less_surprising():
    group = np.repeat([0, 1], [200, 800])
    outcome = np.zeros(1000, int)
    outcome[:30] = 1
    outcome[200:240] = 1
    comparison = Comparison(strata_of(group, outcome), np.zeros(2, bool))
    p = [comparison.p_value(0, NaturalSpread.exactly(spread)) for spread in (1e-9, 0.01, 0.05)]
    assert 0 < p[0] < p[1] < p[2] < 1


def test_the_p_value_is_the_tail_averaged_over_the_natural_spread():
    group = np.repeat([0, 1], [200, 800])
    outcome = np.zeros(1000, int)
    outcome[:30] = 1
    outcome[200:240] = 1
    comparison = Comparison(strata_of(group, outcome), np.zeros(2, bool))
    for natural in (NaturalSpread.exactly(0.02), NaturalSpread.of(np.zeros(0), np.zeros(0))):
        widened = natural.widened(float(comparison.reference_error[0]))
        edges = np.linspace(0, 0.4, 401)
        mass = -np.diff(np.exp(widened.log_beyond(edges)))
        tail = [np.exp(comparison.tail(0, float(share))[0]) for share in (edges[1:] + edges[:-1]) / 2]
        expected = (mass * tail).sum() + np.exp(widened.log_beyond(edges[-1:])[0])
        expected += np.exp(comparison.tail(0)[0]) / 2  # a share below that of the rest counts as none
        assert comparison.p_value(0, natural) == pytest.approx(expected, rel=0.02)


def test_few_rows_are_weighed_for_the_large_share_they_need():
    rng = np.random.default_rng(0)
    doubt = np.array([0.02, 0.1, 0.25, 0.4])  # how often the content of a stratum is contradicted
    wrong, natural = np.stack([doubt, 1 - doubt], axis=1), np.stack([1 - doubt, doubt], axis=1)
    group = np.repeat([0, 1, 2], [60, 2000, 8000])
    stratum = rng.integers(0, 4, len(group))
    outcome = (rng.random(len(group)) < doubt[stratum]).astype(int)
    comparison = Comparison(Strata(group, 3, stratum, outcome, wrong, natural), np.zeros(3, bool))
    assert comparison.error[0] > 3 * comparison.error[1]

    def worth_of_the_surest(which):  # beside that of a contradiction where one row in ten has one
        level = comparison._against_rest(which).level[:, 1]
        return level[0] / level[1]

    assert worth_of_the_surest(0) < worth_of_the_surest(1)


def test_natural_spread_is_what_the_groups_show():
    rng = np.random.default_rng(1)
    error = np.full(200, 0.01)
    assert NaturalSpread.of(rng.normal(size=200), error).typical < 2 * PRIOR_SPREAD
    wide = rng.normal(size=200) * np.sqrt(1 + (0.04 / 0.01) ** 2)
    assert NaturalSpread.of(wide, error).typical == pytest.approx(0.04, rel=0.25)
    bad = rng.normal(size=200)
    bad[:60] += 30
    assert NaturalSpread.of(bad, error).typical < 0.01


def test_before_any_group_was_seen_a_share_is_students_t():
    natural = NaturalSpread.of(np.zeros(0), np.zeros(0))
    shares = np.array([0.005, 0.01, 0.03])
    assert_allclose(np.exp(natural.log_beyond(shares)), student.sf(shares / PRIOR_SPREAD, 4), rtol=0.02)


def test_groups_of_which_little_is_known_leave_the_spread_as_it_was_taken_to_be():
    prior = NaturalSpread.of(np.zeros(0), np.zeros(0)).typical
    chance = norm.ppf((np.arange(9) + 0.5) / 9)
    assert NaturalSpread.of(chance, np.full(9, 0.1)).typical == pytest.approx(prior, rel=0.1)
    assert NaturalSpread.of(chance * 1.3, np.full(9, 0.1)).typical < 1.5 * prior
    assert NaturalSpread.of(chance * 5, np.full(9, 0.1)).typical > 0.2


def test_levels_are_whole_and_bounded():
    group = np.repeat([0, 1], 50)
    comparison = Comparison(strata_of(group, np.zeros(100, int)), np.zeros(2, bool))
    level = comparison._against_rest(0).level
    assert level.min() >= 0
    assert level.max() <= LEVELS
