"""What stands between poisoned data and the model: sanitisers before, trainers in, repairs after training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste._scan import scan
from foretaste.data import Dataset
from foretaste.defend.repair import FeaturePruning, FinePruning
from foretaste.defend.train import PartitionEnsemble
from foretaste.errors import ConfigError
from foretaste.redteam.learners import load, seeded

GROUP = "foretaste.defences"


@dataclass(frozen=True)
class Sanitised:
    """What a sanitiser keeps and says.

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


Sanitise = Callable[[Dataset, NDArray[np.bool_], int], Sanitised]
"""``(poisoned data, truth, seed)``: only ``oracle`` and ``random`` look at the truth."""


def none(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Sanitised:
    """Train on what came in."""
    return Sanitised(np.ones(len(data), bool))


def oracle(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Sanitised:
    """Take out exactly the poisoned rows: the best any filter can do."""
    return Sanitised(~truth)


def random(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Sanitised:
    """Take out as many rows as were poisoned, by chance: what a filter has to beat."""
    kept = np.ones(len(data), bool)
    kept[np.random.default_rng(seed).choice(len(data), int(truth.sum()), replace=False)] = False
    return Sanitised(kept)


def by_scan(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Sanitised:
    """``foretaste scan`` on defaults, and ``clean``: flagged rows go."""
    found = scan(data, seed=0, jobs=1, decoys=False)
    sources = []
    if found.sources is not None:
        lines = found.sources.to_pylist()
        sources = [line["source"] for line in lines if line["flagged"]]
    patterns = [pattern or "" for pattern in found.groups.column("pattern").to_pylist()]
    reviewed = len(patterns) + len(found.evidence.get("review") or [])
    return Sanitised(~found.flagged, patterns, sources, reviewed, found.verdict)


@dataclass(frozen=True)
class Defence:
    """Up to one of each: a sanitiser, a trainer, a repair.

    Attributes
    ----------
    name : str
    sanitiser : str
        Its name; ``none`` where every row stays.
    sanitise : callable
    trained : callable
        ``(plain estimator, seed)`` to the estimator that is trained in its place.
    repaired : callable
        ``(model, X, y)`` to the mended model.
    """

    name: str
    sanitiser: str = "none"
    sanitise: Sanitise = none
    trained: Callable[[Any, int], Any] = lambda plain, seed: plain
    repaired: Callable[[Any, Any, Any], Any] = lambda model, X, y: model


SANITISERS: dict[str, Sanitise] = {"none": none, "oracle": oracle, "random": random, "scan": by_scan}
OBJECTS: dict[str, Callable[[], Any]] = {
    "partition-ensemble": PartitionEnsemble,
    "feature-pruning": FeaturePruning,
    "fine-pruning": FinePruning,
}


def find_defence(name: str) -> Defence:
    """A defence by name.

    Parameters
    ----------
    name : str
        One of ours; that of an entry point in the group ``foretaste.defences``; ``module:factory``; or a
        sanitiser, a trainer and a repair joined by ``+``. Entry point and factory are a class, or a callable
        without arguments, that gives one of

        - a sanitiser: ``fit_resample(X, y)`` sets ``sample_indices_``, as in imbalanced-learn; ``X`` is an
          Arrow table without the label, ``y`` a list;
        - a trainer: a classifier with ``fit(X, y)`` and ``predict(X)``; where it has a parameter
          ``estimator``, that is set to the learner it trains;
        - a repair: ``repair(model, X, y)`` returns the mended model.

    Raises
    ------
    ConfigError
        Where there is none of that name, it is none of the three, or two of a kind are joined.

    Examples
    --------
    >>> find_defence("scan+partition-ensemble").sanitiser
    'scan'
    """
    parts: dict[str, Any] = {}
    for part in name.split("+"):
        for key, value in _part(part.strip()).items():
            if key in parts:
                raise ConfigError(
                    f"the defence {name!r} joins two of a kind; join a sanitiser, a trainer, a repair"
                )
            parts[key] = value
    return Defence(name, **parts)


def _part(name: str) -> dict[str, Any]:
    if name in SANITISERS:
        return {"sanitiser": name, "sanitise": SANITISERS[name]}
    make = OBJECTS.get(name) or _others(name)
    made = _make(name, make)
    if hasattr(made, "fit_resample"):
        return {"sanitiser": name, "sanitise": _sampler(name, make)}
    if hasattr(made, "repair"):
        return {"repaired": made.repair}
    if hasattr(made, "fit") and hasattr(made, "predict"):
        return {"trained": lambda plain, seed: _trainer(make(), plain, seed)}
    raise ConfigError(
        f"the defence {name!r} gives a {type(made).__name__} that has neither fit_resample (a sanitiser), "
        "nor fit and predict (a trainer), nor repair"
    )


def _others(name: str) -> Callable[[], Any]:
    if ":" in name:
        return load(name, "defence")
    points = entry_points(group=GROUP)
    for point in points:
        if point.name == name:
            try:
                return point.load()  # type: ignore[no-any-return]
            except Exception as error:  # a package of others may fail in any way
                raise ConfigError(
                    f"the defence {name!r} ({point.value}) cannot be loaded: {error}"
                ) from error
    known = dict.fromkeys([*SANITISERS, *OBJECTS, *sorted(point.name for point in points)])
    raise ConfigError(f"there is no defence {name!r}; there are {', '.join(known)}, or name module:factory")


def _make(name: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:
        raise ConfigError(f"the defence {name!r} cannot be made without arguments: {error}") from error


def _trainer(made: Any, plain: Any, seed: int) -> Any:
    if "estimator" in getattr(made, "get_params", dict)():
        made.set_params(estimator=plain)
    return seeded(made, seed)


def _sampler(name: str, make: Callable[[], Any]) -> Sanitise:
    def sanitise(data: Dataset, truth: NDArray[np.bool_], seed: int) -> Sanitised:
        sampler = seeded(make(), seed)
        label = str(data.roles.label)
        sampler.fit_resample(data.table.drop_columns([label]), data.column(label).to_pylist())
        if not hasattr(sampler, "sample_indices_"):
            raise ConfigError(f"the sanitiser {name!r} does not set sample_indices_, the rows it keeps")
        rows = np.asarray(sampler.sample_indices_)
        if rows.dtype.kind not in "iu" or (len(rows) and not 0 <= rows.min() <= rows.max() < len(data)):
            raise ConfigError(
                f"sample_indices_ of the sanitiser {name!r} are not row numbers below {len(data)}"
            )
        kept = np.zeros(len(data), bool)
        kept[rows] = True
        return Sanitised(kept)

    return sanitise
