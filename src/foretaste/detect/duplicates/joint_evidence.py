"""What models say of the large groups of one label and where these were copied from, in one statistic.

Each by itself is found in nature now and then. Groups that models contradict, and that have a row of another
class in their middle, are rare: chance must do both at once, and to several of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.duplicates.campaign import FEWEST, OTHERS, natural_share
from foretaste.detect.duplicates.groups import LEAST_COPIES, CopyGroups
from foretaste.detect.duplicates.originals import Originals
from foretaste.stats.mixture import mixture_evidence

KNOTS = np.arange(-2.0, 6.5, 0.5)
"""Log likelihood ratios of "another class" between which groups are not told apart."""

SHARES = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8])
"""Shares of the large groups that a campaign may be."""

STRONG = 0.3
"""How strongly models contradict a campaign: the density of its groups goes as this power, less one, of the
share of natural groups that are contradicted as much."""

MOST_DRAWS, DRAWS_AT_ONCE, ENOUGH = 10_000, 500, 20
"""Draws of nature; none are added once so many of them say as much as the data."""

_CELLS_AT_ONCE = 500_000  # draws times groups, so that memory does not grow with the groups


def joint_surprise(
    groups: CopyGroups,
    content: NDArray[np.float64],
    copied: Originals,
    own: NDArray[np.int64],
    evidence: NDArray[np.int64],
    *,
    random_state: int = 0,
) -> float:
    """Probability that nature says as much against the groups of one label.

    The statistic is the log likelihood ratio of a mixture in which some of the large groups are copies,
    whichever. Nature is drawn: how strongly models contradict a group, from what they say of groups smaller
    than `LEAST_COPIES`, as well as that is known; and whether there is a row of another class, with the
    chance of each group, all of them wrong by one factor, and more often beside groups that are contradicted
    if that is so among the smaller ones.

    Parameters
    ----------
    groups : CopyGroups
    content : float64 ndarray of shape (g,)
        Log likelihood ratio of "another class" against its own label.
    copied : Originals
    own : int64 ndarray
        Positions of the groups of the label.
    evidence : int64 ndarray
        Positions of the groups of all labels, for what is natural.
    random_state : int
        Seed of the draws.

    References
    ----------
    Besag and Clifford, "Sequential Monte Carlo p-values", Biometrika 78 (1991). Vovk and Wang, "E-values:
    calibration, combination and applications", Annals of Statistics 49 (2021): p-values as likelihood ratios.
    """
    size = groups.size[own]
    asked = own[size >= LEAST_COPIES]
    small = evidence[groups.size[evidence] < LEAST_COPIES]
    if not len(asked) or len(small) < FEWEST:
        return 1.0
    everywhere = content[evidence], groups.size[evidence]
    known = [natural_share(content[own], size, LEAST_COPIES, knot, everywhere) for knot in KNOTS.tolist()]
    beyond = np.minimum.accumulate([min(share, 1.0) for _, share in known])
    worth = min(count / share for count, share in known)
    chance = -np.diff(np.concatenate([[1.0], beyond, [0.0]]))
    gain = np.log(STRONG) - (1 - STRONG) * np.log(np.append(1.0, beyond))
    there, missing = copied.of(asked).log_ratios
    factor = _more_often_beside_doubt(groups, content, copied, small)

    place = np.searchsorted(KNOTS, content[asked])
    said = _mixed(gain[place] + np.where(copied.there[asked], there, missing))
    rng = np.random.default_rng(random_state)
    shape = float(copied.seen[asked].min()) + 0.5
    natural, doubt = copied.natural[asked], np.append(-np.inf, KNOTS) >= 0
    at_once = max(1, min(DRAWS_AT_ONCE, _CELLS_AT_ONCE // len(asked)))
    draws = as_much = 0
    while draws < MOST_DRAWS and as_much < ENOUGH:
        weight = rng.gamma(np.maximum(chance * worth, 1e-9), size=(at_once, len(chance)))
        up_to = np.cumsum(weight, axis=1)
        drawn = rng.random((at_once, len(asked))) * up_to[:, -1:]
        place = np.stack([np.searchsorted(a, b) for a, b in zip(up_to, drawn, strict=True)])
        wrong = rng.gamma(shape, size=(at_once, 1)) / shape if np.isfinite(shape) else 1.0
        often = natural * wrong * np.where(doubt[place], factor, 1.0)
        found = np.where(rng.random(place.shape) < often, there, missing)
        as_much += int((_mixed(gain[place] + found) >= said - 1e-9).sum())
        draws += at_once
    return (as_much + 1) / (draws + 1)


def _mixed(log_ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log evidence of "a share of the groups are copies", whatever the share; over the last axis."""
    draws = np.atleast_2d(log_ratio)
    draw = np.repeat(np.arange(len(draws)), draws.shape[1])
    return mixture_evidence(draws.ravel(), draw, len(draws), shares=SHARES).log_e


def _more_often_beside_doubt(
    groups: CopyGroups, content: NDArray[np.float64], copied: Originals, small: NDArray[np.int64]
) -> float:
    """How many times as often a row of another class is beside small groups that are contradicted."""
    small = small[groups.size[small] >= 2]
    there, doubted = copied.there[small], content[small] > 0
    everywhere = (there.sum() + 0.5) / (len(small) + 1)
    beside = (there[doubted].sum() + OTHERS * everywhere) / (doubted.sum() + OTHERS)
    return max(float(beside / everywhere), 1.0)


__all__ = ["joint_surprise"]
