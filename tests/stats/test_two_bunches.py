"""Second bunches on a line, and how many of unlike events happen."""

import numpy as np
import pytest
from scipy.stats import binom

from foretaste.stats.bimodality import split_line
from foretaste.stats.poisson_binomial import tail_probability
from foretaste.stats.spectral import centred, quantum_entropy_scores, top_directions, whitener


@pytest.mark.parametrize("draw", ["standard_normal", "standard_exponential", "random", "standard_cauchy"])
def test_one_bunch_of_any_shape_is_not_cut_into_two_far_apart(draw):
    rng = np.random.default_rng(0)
    apart = [split_line(getattr(rng, draw)(size=1000), 12).separation for _ in range(20)]
    assert np.median(apart) < 4


@pytest.mark.parametrize(("share", "distance"), [(0.02, 7), (0.05, 6), (0.3, 6)])
def test_a_second_bunch_is_found_with_its_members(share, distance):
    rng = np.random.default_rng(1)
    count = int(1000 * share)
    line = np.r_[rng.standard_normal(1000), rng.standard_normal(count) - distance]
    found = split_line(line, 12)
    assert found.separation == pytest.approx(distance, abs=0.8)
    assert found.small[1000:].mean() > 0.85
    assert found.small[:1000].mean() < 0.01


def test_equal_or_few_values_have_no_second_bunch():
    assert split_line(np.ones(100), 12).separation == 0
    assert split_line(np.arange(20.0), 12).separation == 0


def test_the_tail_of_equal_events_is_that_of_the_binomial():
    for count in (0, 3, 10, 25):
        assert tail_probability(np.full(25, 0.3), count) == pytest.approx(binom.sf(count - 1, 25, 0.3))


def test_unlike_events_by_hand():
    assert tail_probability(np.array([0.1, 0.5]), 2) == pytest.approx(0.05)
    assert tail_probability(np.array([0.1, 0.5]), 1) == pytest.approx(1 - 0.9 * 0.5)
    assert tail_probability(np.zeros(0), 1) == 0


def test_whitened_rows_have_unit_variance_and_the_planted_direction_stands_out():
    rng = np.random.default_rng(2)
    scale = np.geomspace(1, 30, 10)
    rows = rng.standard_normal((2000, 10)) * scale
    matrix = whitener(rows - rows.mean(axis=0))
    assert np.allclose(np.var(rows @ matrix, axis=0), 1, atol=0.01)
    rows[:40, 0] += 8  # in the direction with the least variance
    white = (rows - rows.mean(axis=0)) @ matrix
    along = white @ top_directions(white, 1)[:, 0]
    assert set(np.argsort(-np.abs(along))[:40]) == set(range(40))
    assert set(np.argsort(-quantum_entropy_scores(white))[:40]) == set(range(40))


def test_both_gram_matrices_give_the_same_directions():
    rows = np.random.default_rng(3).standard_normal((30, 20)) * np.geomspace(1, 5, 20)
    wide, tall = rows[:15], np.r_[rows[:15], np.zeros((10, 20))]
    assert np.allclose(top_directions(wide, 3), top_directions(tall, 3), atol=1e-8)


def test_groups_are_centred_each_on_its_own_mean():
    rows = np.array([[0.0], [2.0], [10.0], [14.0], [99.0]])
    assert centred(rows, np.array([0, 0, 1, 1, -1])).ravel().tolist() == [-1, 1, -2, 2, 92.5]
