"""How long a campaign still takes, from the runs of the same kind that are finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from foretaste.redteam.trial import Line

Kind = tuple[str, str, str]
"""Attack, defence and learner of a run."""


class Remaining:
    """Mean seconds of a run: of its attack, defence and learner, else of any attack, else of all runs.

    Examples
    --------
    >>> clock = Remaining(jobs=2)
    >>> clock.finished({"attack": "a", "defence": "scan", "learner": "default", "seconds": 30.0})
    >>> clock.left([[("a", "scan", "default")], [("b", "scan", "default")]])
    30.0
    >>> in_words(30.0)
    'less than a minute left'
    """

    def __init__(self, jobs: int = 1) -> None:
        self.jobs = jobs
        self._seconds: dict[tuple[str, ...], list[float]] = defaultdict(list)

    def finished(self, line: Line) -> None:
        """Count a run; one that failed says nothing about the others."""
        if line.get("error") is None and line.get("seconds") is not None:
            for key in _keys((line["attack"], line["defence"], line["learner"])):
                self._seconds[key].append(float(line["seconds"]))

    def left(self, missing: Sequence[Sequence[Kind]]) -> float | None:
        """Seconds until all is done, the runs of a trial by one job; None before any run is finished."""
        if not self._seconds:
            return None
        trials = [sum(self._usual(kind) for kind in kinds) for kinds in missing]
        return max(sum(trials) / self.jobs, max(trials, default=0.0))

    def _usual(self, kind: Kind) -> float:
        known = next(self._seconds[key] for key in _keys(kind) if key in self._seconds)
        return sum(known) / len(known)


def _keys(kind: Kind) -> tuple[tuple[str, ...], ...]:
    return kind, kind[1:], ()


def in_words(seconds: float | None) -> str:
    """For a person who waits.

    Examples
    --------
    >>> in_words(None), in_words(200), in_words(9000)
    ('', 'about 3 min left', 'about 2 h 30 min left')
    """
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute left"
    return f"about {minutes} min left" if minutes < 90 else f"about {minutes // 60} h {minutes % 60} min left"
