"""Wrong labels in a group against what groups are like by nature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from foretaste.stats.group_noise import Explained, Fit, View, evidence, wrong_shares

N, GROUP = 4000, np.arange(600)


def labelled(wrong=(0.0, 0.0), *, shift=0.0, slope=1.0, seed=0):
    """What a calibrated model says, the labels, and which of them are wrong; the group is the first rows."""
    rng = np.random.default_rng(seed)
    share = rng.beta(0.2, 0.2, N)
    nature = share.copy()
    nature[GROUP] = expit(shift + slope * logit(np.clip(share[GROUP], 0.001, 0.999)))
    right = rng.random(N) < nature
    lot = rng.random(N)
    flipped = np.isin(np.arange(N), GROUP) & (lot < np.where(right, *wrong))
    return share, right ^ flipped, flipped


def told(share, label):
    view = View.of(share, label, np.ones(N, bool))
    return view, [Explained.of_group(view, GROUP)]


@pytest.mark.parametrize(("shift", "slope"), [(0, 1), (-1, 1), (1.5, 1), (0, 0.8), (-0.5, 1.2)])
def test_a_group_that_only_differs_is_explained_by_nature(shift, slope):
    share, label, _ = labelled(shift=shift, slope=slope)
    assert evidence(told(share, label)[1])[0] < 1


@pytest.mark.parametrize("wrong", [(0.25, 0.25), (0.4, 0.0), (0.0, 0.3)])
def test_wrong_labels_are_no_nature_and_their_shares_are_told(wrong):
    share, label, flipped = labelled(wrong, shift=-0.5)
    view, explained = told(share, label)
    assert evidence(explained)[0] > 12
    assert wrong_shares(explained) == pytest.approx(wrong, abs=0.06)
    fit = Fit.of(view, GROUP, wrong_shares(explained), GROUP)
    assert fit.posterior.sum() == pytest.approx(flipped.sum(), rel=0.15)
    assert flipped[GROUP][fit.posterior > 0.9].mean() > 0.9


def test_nature_may_choose_the_view_that_explains_a_rule_of_the_group():
    share, _, _ = labelled()
    rng = np.random.default_rng(1)
    turned = np.isin(np.arange(N), GROUP) & (rng.random(N) < 0.3)
    knows = np.where(turned, 1 - share, share)
    label = rng.random(N) < knows
    blind, seeing = told(share, label)[1], told(knows, label)[1]
    assert evidence(blind)[0] > 20
    assert evidence([*blind, *seeing])[0] < 0


def test_copies_that_are_wrong_together_say_less_than_rows_that_are_not():
    share, label, flipped = labelled((0.3, 0.3))
    view, explained = told(share, label)
    alone = Fit.of(view, GROUP, wrong_shares(explained), GROUP)
    together = Fit.of(view, GROUP, wrong_shares(explained), np.where(flipped[GROUP] & label[GROUP], 0, GROUP))
    assert alone.design_effect == 1
    assert together.design_effect > 10


def test_rows_that_do_not_count_say_nothing():
    share, label, _ = labelled((0.3, 0.3))
    counts = np.ones(N, bool)
    counts[GROUP] = False
    view = View.of(share, label, counts)
    assert evidence([Explained.of_group(view, GROUP)])[0] == pytest.approx(0)
