"""Which groups were copied from rows with another label: more of them than nature puts beside such rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma

from foretaste.detect.duplicates.campaign import CopyCampaign, cauchy_combination
from foretaste.detect.duplicates.groups import LEAST_COPIES
from foretaste.detect.duplicates.originals import KNOWN, Originals
from foretaste.stats.mixture import share_posterior

TELLING = tuple(0.25 / 2.0 ** np.arange(7))
"""How often nature may put a row of another class there, where one that is there is looked at."""

_FACTORS = 64
_MOST_SEEN = 1e6


def copied_from_others(
    found: Originals,
    size: NDArray[np.int64],
    log_ratio: NDArray[np.float64],
    doubted: NDArray[np.bool_],
    fdr: float,
) -> tuple[CopyCampaign, NDArray[np.float64]] | None:
    """The groups of one label whose originals have another, as a campaign; and each group's posterior.

    How many of the large groups have such a row, against what is natural for each: among all, and among those
    whose label models doubt. What is natural is known as well as the number of natural rows allows. No
    model need contradict a group: what was copied may look like the campaign's class.

    Parameters
    ----------
    found : Originals
    size : int64 ndarray of shape (g,)
    log_ratio : float64 ndarray of shape (g,)
        By content: another class against the label.
    doubted : bool ndarray of shape (g,)
        Groups that models rather take for another class.
    fdr : float
        Tolerated share of natural rows.
    """
    large = size >= LEAST_COPIES
    looked = [large & (found.natural <= most) for most in TELLING]
    looked = [group for groups in looked for group in (groups, groups & doubted)]
    p_values = [_surprise(found.of(groups), int((groups & found.there).sum())) for groups in looked]
    if min(p_values) >= 1:
        return None
    there = large & found.there
    expected = np.where(there, _expected_beside(found.natural, large, there), 1.0)
    sure = expected <= fdr
    share = max(float(sure.sum()), 0.5) / float(large.sum())
    posterior = share_posterior(log_ratio + np.log(KNOWN) - np.log(found.natural), share)
    core = sure & (posterior > fdr)
    posterior[core] = np.maximum(posterior[core], 1 - expected[core])
    posterior[~there] = 0.0
    surest = int(np.where(posterior > 0, found.natural, 1.0).argmin())
    # a campaign makes all its copies one way: hardly changed, or changed
    posterior[found.unchanged * found.unchanged[surest] < 0] = 0.0
    order = np.argsort(-posterior, kind="stable")
    error = np.cumsum((1 - posterior[order]) * size[order]) / np.cumsum(size[order])
    posterior[order[error > fdr]] = 0.0
    core = posterior > 0
    campaign = CopyCampaign(
        np.flatnonzero(core),
        cauchy_combination(p_values, len(looked)),
        LEAST_COPIES,
        0.0,
        float(found.natural[large].sum()),
        int(size[there & ~core].max(initial=0)),
        "the row they agree on is in the data with another label",
    )
    return campaign, posterior


def _expected_beside(
    natural: NDArray[np.float64], large: NDArray[np.bool_], there: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """For each group that is there, how many natural ones to expect in its place: the local false discovery
    rate.

    References
    ----------
    Strimmer, "A unified approach to false discovery rate estimation", BMC Bioinformatics 9 (2008): by the
    Grenander estimator, the slopes of the least concave majorant of what is seen over what is expected.
    """
    groups = np.flatnonzero(there)
    groups = groups[np.argsort(natural[groups], kind="stable")]
    all_large = np.sort(natural[large])
    up_to = np.append(0.0, np.cumsum(all_large))
    up_to = up_to[np.searchsorted(all_large, natural[groups], side="right")]
    found = np.ones(len(natural))
    start = 0
    while start < len(groups):
        before = (start, up_to[start - 1] if start else 0.0)
        seen = np.arange(start, len(groups)) + 1 - before[0]
        rate = (up_to[start:] - before[1]) / seen
        end = start + len(rate) - int(rate[::-1].argmin())
        found[groups[start:end]] = rate.min()
        start = end
    return found


def _surprise(found: Originals, count: int) -> float:
    """Probability of that many originals of another class or more, each there as often as is natural.

    One number of natural rows says what is natural for all groups: they are wrong together, by a factor that
    has a gamma distribution.
    """
    if not count:
        return 1.0
    shape = min(float(found.seen.min()) + 0.5, _MOST_SEEN)
    factors = gamma.ppf((np.arange(_FACTORS) + 0.5) / _FACTORS, shape) / shape
    chances = np.zeros((_FACTORS, count + 1))  # of so many; the last: or more
    chances[:, 0] = 1.0
    for natural in found.natural:
        there = np.minimum(factors * natural, 1.0)[:, None]
        moved = chances * there
        chances -= moved
        chances[:, 1:] += moved[:, :-1]
        chances[:, -1] += moved[:, -1]
    return float(chances[:, -1].mean())


__all__ = ["copied_from_others"]
