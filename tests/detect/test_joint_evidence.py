"""What models and originals say of large groups of copies, in one statistic."""

from __future__ import annotations

import numpy as np
import pytest

from foretaste.detect.duplicates.evidence import CopyEvidence
from foretaste.detect.duplicates.groups import CopyGroups
from foretaste.detect.duplicates.joint_evidence import joint_surprise
from foretaste.detect.duplicates.originals import Originals

SMALL, LARGE = 300, 12
NATURAL = 0.06


def nature(seed: int = 0, often: float = 1.0) -> tuple[CopyGroups, np.ndarray, Originals]:
    """Groups of one label: pairs, and large ones; rows of another class beside doubted ones ``often``."""
    rng = np.random.default_rng(seed)
    size = np.append(np.full(SMALL, 2), np.full(LARGE, 10))
    component = np.repeat(np.arange(len(size)), size)
    groups = CopyGroups.of(component, np.zeros(len(component), np.int64), 1)
    content = rng.normal(-2, 1.2, len(size))
    there = rng.random(len(size)) < NATURAL * np.where(content > 0, often, 1)
    seen = np.full(len(size), float(there[:SMALL].sum()))
    return groups, content, Originals(there, np.full(len(size), NATURAL), seen, np.zeros(len(size), int))


def surprise(groups: CopyGroups, content: np.ndarray, copied: Originals) -> float:
    everyone = np.arange(len(content))
    return joint_surprise(groups, content, copied, everyone, everyone)


def test_groups_that_are_contradicted_and_copied_are_rarer_than_either() -> None:
    groups, content, copied = nature()
    copied.there[SMALL:] = False
    doubted, beside = content.copy(), Originals(copied.there.copy(), *list(vars(copied).values())[1:])
    doubted[-3:] = 2.0
    beside.there[-3:] = True
    both = surprise(groups, doubted, beside)
    assert both < 0.002
    assert surprise(groups, doubted, copied) > 5 * both
    assert surprise(groups, content, beside) > 5 * both


@pytest.mark.parametrize("often", [1.0, 6.0])
def test_what_nature_does_is_not_surprising(often: float) -> None:
    found = np.array([surprise(*nature(seed, often)) for seed in range(30)])
    assert (found < 0.05).mean() <= 0.1
    assert (found < 0.5).mean() <= 0.6


def test_rows_of_another_class_beside_contradicted_groups_say_less_where_that_is_natural() -> None:
    p_values = []
    for often in (1.0, 8.0):
        groups, content, copied = nature(1, often)
        copied.there[SMALL:] = False
        content[-2:], copied.there[-2:] = 2.5, True
        p_values.append(surprise(groups, content, copied))
    assert p_values[1] > 2 * p_values[0]


def test_little_known_nature_makes_nothing_surprising() -> None:
    groups, content, copied = nature()
    few = np.arange(SMALL - 40, SMALL + LARGE)
    content[-3:], copied.there[-3:] = 2.0, True
    assert joint_surprise(groups, content, copied, few, few) == 1.0
    assert joint_surprise(groups, content, copied, few[:40], np.arange(SMALL + LARGE)) == 1.0


def test_a_campaign_that_each_opinion_misses_is_found_by_both() -> None:
    groups, content, copied = nature(1)
    copied.there[SMALL:] = False
    content[-2:], copied.there[-2:] = 2.5, True
    evidence = CopyEvidence(groups, content, content > 0, copied)
    level = 0.002
    assert min(one.campaign.p_value for one in evidence.opinions(0, 0.05)) > level
    found = evidence.campaign(0, level, 0.05)
    assert found is not None
    assert np.flatnonzero(found.posterior).tolist() == [SMALL + LARGE - 2, SMALL + LARGE - 1]
