"""What a scan runs, what it leaves out, how long each step took: nothing is skipped silently."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped
from foretaste.errors import ConfigError
from foretaste.rules import all_rules

Progress = Callable[[str, int, int], None]


class Detector(Protocol):
    """What a scan needs of a detector."""

    @property
    def rules(self) -> tuple[str, ...]:
        """Codes it may give."""
        ...

    @property
    def title(self) -> str:
        """What it is called in the plan."""
        ...

    def examine(self, context: Context) -> Evidence:
        """All evidence in one data set."""
        ...


@dataclass(frozen=True)
class Choice:
    """The rules a user asked for: those that begin with one of ``select`` (all if empty), none of ``ignore``.

    Raises
    ------
    ConfigError
        Where a code fits no rule.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = [rule.code for rule in all_rules()]
        for code in (*self.select, *self.ignore):
            if not code or not any(name.startswith(code) for name in known):
                raise ConfigError(
                    f"there is no rule that begins with {code[:20]!r}; see foretaste explain --list"
                )

    def wants(self, rule: str) -> bool:
        """Whether this rule is asked for."""
        chosen = not self.select or rule.startswith(self.select)
        return chosen and not (self.ignore and rule.startswith(self.ignore))


@dataclass
class Plan:
    """Runs detectors one by one and keeps the record.

    Attributes
    ----------
    steps : list of dict
        One entry per step as in ``evidence.json``: ``detector``, ``rules``, ``status``, ``reason``,
        ``seconds``, ``rows_per_second``.
    found : list of Evidence
        Of the detectors that ran, in order.
    failed : list of Skipped
        Rules whose detector broke; the scan is incomplete then.
    """

    choice: Choice
    rows: int
    total: int
    progress: Progress | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    found: list[Evidence] = field(default_factory=list)
    failed: list[Skipped] = field(default_factory=list)

    def examine(self, detector: Detector, context: Context) -> Evidence:
        """The evidence of one detector on one context, without the rules nobody asked for."""
        rules = [rule for rule in detector.rules if self.choice.wants(rule)]
        if not rules:
            self._skip(detector, "not asked for (--select, --ignore)")
            return Evidence()
        self._tell(detector.title)
        started = time.perf_counter()
        try:
            evidence = detector.examine(context)
        except Exception as error:
            reason = f"this test broke: {type(error).__name__}: {' '.join(str(error).split())[:160]}"
            self.failed += [Skipped(rule, reason) for rule in rules]
            self._skip(detector, reason)
            return Evidence()
        evidence = _only(evidence, rules)
        self.found.append(evidence)
        reasons = {skip.reason for skip in evidence.skipped}
        if rules[0] in {skip.rule for skip in evidence.skipped} and not _says_anything(evidence):
            self._skip(detector, "; ".join(sorted(reasons)))
        else:
            self._ran(detector.title, rules, time.perf_counter() - started)
        return evidence

    def share(self, title: str, work: Callable[[], object]) -> None:
        """Do work that several detectors share; what breaks here is told by the detector that needs it."""
        self._tell(title)
        started = time.perf_counter()
        try:
            work()
        except Exception:
            return
        self._ran(title, [], time.perf_counter() - started)

    @property
    def ran_anything(self) -> bool:
        """Whether at least one detector could test something."""
        return any(step["status"] == "ran" and step["rules"] for step in self.steps)

    def _tell(self, title: str) -> None:
        if self.progress is not None:
            self.progress(title, len(self.steps), self.total)

    def _ran(self, title: str, rules: Sequence[str], seconds: float) -> None:
        speed = round(self.rows / max(seconds, 1e-3))
        self.steps.append(
            {
                "detector": title,
                "rules": list(rules),
                "status": "ran",
                "reason": "",
                "seconds": round(seconds, 3),
                "rows_per_second": speed,
            }
        )

    def _skip(self, detector: Detector, reason: str) -> None:
        self.steps.append(
            {"detector": detector.title, "rules": list(detector.rules), "status": "skipped", "reason": reason}
        )


def _only(evidence: Evidence, rules: Iterable[str]) -> Evidence:
    wanted = set(rules)

    def of(campaigns: list[Campaign]) -> list[Campaign]:
        return [campaign for campaign in campaigns if campaign.rule in wanted]

    return replace(
        evidence,
        campaigns=of(evidence.campaigns),
        review=of(evidence.review),
        skipped=[skip for skip in evidence.skipped if skip.rule in wanted],
    )


def _says_anything(evidence: Evidence) -> bool:
    return bool(evidence.campaigns or evidence.review or evidence.mislabels is not None)
