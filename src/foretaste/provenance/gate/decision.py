"""The gate: one policy applied to data and models; they pass, or are blocked with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foretaste import __version__
from foretaste.errors import ConfigError
from foretaste.provenance.gate.checks import CHECKS, Check
from foretaste.provenance.gate.policy import Policy
from foretaste.provenance.gate.subject import Subject


@dataclass(frozen=True)
class Gated:
    """What was decided about one file or folder."""

    path: str
    sha256: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing blocks it."""
        return all(check.status != "block" for check in self.checks)


@dataclass(frozen=True)
class GateReport:
    """What was decided.

    Attributes
    ----------
    policy : str
        The policy file.
    subjects : tuple of Gated
    """

    policy: str
    subjects: tuple[Gated, ...]

    @property
    def passed(self) -> bool:
        """Whether everything passes."""
        return all(subject.passed for subject in self.subjects)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "schema": 1,
            "version": __version__,
            "policy": self.policy,
            "passed": self.passed,
            "subjects": [
                {
                    "path": one.path,
                    "sha256": one.sha256,
                    "passed": one.passed,
                    "checks": [check.as_json() for check in one.checks],
                }
                for one in self.subjects
            ],
        }


def gate(paths: Sequence[str | Path], policy: Policy) -> GateReport:
    """Apply a policy to data sets and model files.

    Parameters
    ----------
    paths : sequence of path
    policy : Policy

    Raises
    ------
    ConfigError, DataError
        Where the policy asks for nothing, or something it needs is not there.
    """
    subjects = []
    for path in paths:
        subject = Subject(Path(path), policy)
        checks = tuple(check for examine in CHECKS for check in examine(subject))
        if not checks:
            raise ConfigError(
                f"{policy.file}: the policy asks nothing of {path}; say in [gate] what it must fulfil"
            )
        subjects.append(Gated(str(path), subject.sha256, checks))
    return GateReport(str(policy.file), tuple(subjects))


__all__ = ["GateReport", "Gated", "gate"]
