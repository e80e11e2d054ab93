"""What is done to the data before training: nothing, an oracle, chance, a scan, or a sanitiser of yours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste._scan import scan
from foretaste.data import Dataset
from foretaste.errors import ConfigError

GROUP = "foretaste.defences"


@dataclass(frozen=True)
class Defended:
    """What a defence keeps and says.

    Attributes
    ----------
    kept : bool ndarray of shape (n,)
        Rows to train on.
    patterns : list of str
        Triggers it names.
    sources : list of str
        Sources it names as bad.
    reviewed : int
        Things it asks a person to look at: campaigns and patterns to review.
    verdict : str
    """

    kept: NDArray[np.bool_]
    patterns: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    reviewed: int = 0
    verdict: str = ""


Defence = Callable[[Dataset, NDArray[np.bool_], int], Defended]
"""``(poisoned data, truth, seed)``: only ``oracle`` and ``random`` look at the truth."""


def none(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Defended:
    """Train on what came in."""
    return Defended(np.ones(len(data), bool))


def oracle(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Defended:
    """Take out exactly the poisoned rows: the best any filter can do."""
    return Defended(~truth)


def random(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Defended:
    """Take out as many rows as were poisoned, by chance: what a filter has to beat."""
    kept = np.ones(len(data), bool)
    kept[np.random.default_rng(seed).choice(len(data), int(truth.sum()), replace=False)] = False
    return Defended(kept)


def by_scan(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Defended:
    """``foretaste scan`` on defaults, and ``clean``: flagged rows go."""
    found = scan(data, seed=0, jobs=1, decoys=False)
    sources = []
    if found.sources is not None:
        lines = found.sources.to_pylist()
        sources = [line["source"] for line in lines if line["flagged"]]
    patterns = [pattern or "" for pattern in found.groups.column("pattern").to_pylist()]
    reviewed = len(patterns) + len(found.evidence.get("review") or [])
    return Defended(~found.flagged, patterns, sources, reviewed, found.verdict)


BUILT_IN: dict[str, Defence] = {"none": none, "oracle": oracle, "random": random, "scan": by_scan}


def find_defence(name: str) -> Defence:
    """A defence by name; others come from the entry-point group ``foretaste.defences``.

    An entry point is a class or factory of something with ``fit_resample(X, y)`` that sets
    ``sample_indices_``, as the samplers of imbalanced-learn do; ``X`` is an Arrow table without the label.

    Raises
    ------
    ConfigError
        Where there is none of that name.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    for point in entry_points(group=GROUP, name=name):
        return _sanitiser(point.load())
    known = [*BUILT_IN, *(point.name for point in entry_points(group=GROUP))]
    raise ConfigError(f"there is no defence {name!r}; there are {', '.join(known)}")


def _sanitiser(make: Any) -> Defence:
    def defend(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Defended:
        sampler = make()
        label = str(data.roles.label)
        sampler.fit_resample(data.table.drop_columns([label]), data.column(label).to_pylist())
        kept = np.zeros(len(data), bool)
        kept[np.asarray(sampler.sample_indices_)] = True
        return Defended(kept)

    return defend
