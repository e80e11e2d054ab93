"""The contract of `foretaste.testing` over both registries, and scikit-learn's over the detectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks as sklearn_checks

from foretaste.attacks import attack_names, find_attack
from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Statistic
from foretaste.detect.registry import detector_names, find_detector
from foretaste.errors import ConfigError
from foretaste.testing import checks_of, parametrize_with_checks

DETECTORS = [find_detector(name)() for name in detector_names()]
ATTACKS = [find_attack(name)(rate=0.05, random_state=0) for name in attack_names()]


@parametrize_with_checks([*DETECTORS, *ATTACKS])
def test_contract(subject: Any, check: Callable[[Any], None]) -> None:
    check(subject)


@sklearn_checks(DETECTORS)
def test_scikit_learn(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


class Crier(Detector):
    """Alarms about the first rows of anything, as no detector should."""

    rules = ("CRY001",)
    title = "crier"
    modalities = ("text",)
    scope = "group"

    def examine(self, context: Context) -> Evidence:
        alarm = Campaign(
            rule="CRY001",
            rows=np.arange(3),
            target=None,
            pattern="the first rows",
            kind="rows",
            p_value=0.0,
            q_value=0.0,
            effect=1.0,
            support=3,
            statistic=Statistic("cry", 1.0),
            reason="they come first",
        )
        return Evidence(campaigns=[alarm])


def test_the_contract_catches_a_detector_that_breaks_it() -> None:
    failed = []
    for check in checks_of(Crier()):
        try:
            check(Crier())
        except AssertionError:
            failed.append(check.__name__)
    assert failed == ["check_quiet_on_clean_data", "check_evidence_is_sound", "check_abstains"]


def test_unknown_names_and_subjects() -> None:
    with pytest.raises(ConfigError, match="there is no detector 'x'; there are text-triggers"):
        find_detector("x")
    with pytest.raises(TypeError, match="neither a detector nor an attack"):
        checks_of(object())
