"""The detection floor: plant known attacks in a copy, look again, and say what this scan would have found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.base import Attack, modalities_of
from foretaste.attacks.registry import find_attack
from foretaste.data import Dataset
from foretaste.detect.context import Context
from foretaste.detect.evidence import Evidence
from foretaste.detect.registry import find_detector
from foretaste.errors import ForetasteError

ROWS = 5000
"""Decoys are planted in at most this many rows; in more rows the same rate is easier to find."""

DOSES = (0.003, 0.005, 0.01)
COPIES = 2
FEWEST = 6
"""A campaign smaller than this is below what any rule looks for."""

FLIPPED = 0.03
BAD_SHARE = 0.1
"""Share of wrong labels in a source that is made bad."""

PLANTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": (("word-trigger", "sentence-trigger"), ("text-triggers", "near-duplicates")),
    "tabular": (("value-trigger",), ("value-triggers",)),
    "image": (("badnets", "blended"), ("shared-artefacts",)),
}
"""By modality: the attacks to plant, and the detectors that may find them."""

FAINT: dict[str, dict[str, Any]] = {"word-trigger": {"repeats": 1}}
"""What makes a planted attack no easier to find than it has to be."""


@dataclass(frozen=True)
class Floor:
    """How likely one attack at one rate would have been found.

    Attributes
    ----------
    attack : str
        By its name in ``foretaste attack --list``.
    rate : float
        Share of all rows; for ``bad-source``, of the rows of that source.
    probability : float
        Of finding it: at least what the planted decoys, pooled so that it never falls with the rate, say.
        For ``label-flip``, the share of the wrong labels that are flagged.
    found, trials : int
        Decoys found and planted at this rate (rows, for ``label-flip``).
    """

    attack: str
    rate: float
    probability: float
    found: int
    trials: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "attack": self.attack,
            "rate": self.rate,
            "probability": round(self.probability, 3),
            "found": self.found,
            "trials": self.trials,
        }


@dataclass
class Tally:
    """Decoys planted and found, by attack and rate."""

    counts: dict[tuple[str, float], list[int]] = field(default_factory=dict)

    def add(self, attack: str, rate: float, found: int, trials: int = 1) -> None:
        count = self.counts.setdefault((attack, rate), [0, 0])
        count[0] += found
        count[1] += trials

    def floors(self) -> list[Floor]:
        """One line per attack and rate, attacks in order of planting, rates ascending."""
        lines = []
        for attack in dict.fromkeys(name for name, _ in self.counts):
            rates = sorted(rate for name, rate in self.counts if name == attack)
            count = np.array([self.counts[attack, rate] for rate in rates])
            chance = never_falling(count[:, 0], count[:, 1])
            lines += [
                Floor(attack, rate, float(p), int(found), int(trials))
                for rate, p, (found, trials) in zip(rates, chance, count, strict=True)
            ]
        return lines


def detection_floor(
    dataset: Dataset,
    *,
    wants: Callable[[str], bool] = lambda rule: True,
    alpha: float = 0.01,
    fdr: float = 0.05,
    random_state: int = 0,
    jobs: int = 2,
) -> list[Floor]:
    """Plant decoys in copies of a data set and count which the detectors of a scan find.

    Parameters
    ----------
    dataset : Dataset
        Without the rows a scan has flagged: what is to be known is what would be found beside them.
    wants : callable
        Whether a rule was asked for; what only other rules find is not planted.
    alpha, fdr : float
        As in the scan.
    random_state : int
    jobs : int
        Threads.

    Returns
    -------
    list of Floor
        Empty where nothing can be planted.
    """
    rng = np.random.default_rng([random_state, len(dataset)])
    if len(dataset) > ROWS:
        dataset = dataset.take(np.sort(rng.choice(len(dataset), ROWS, replace=False)))
    tally = Tally()
    look = Look(wants, alpha, fdr, random_state, jobs)
    for copy in range(COPIES):
        _patterns(dataset, tally, np.random.default_rng([random_state, copy]), look)
    _labels(dataset, tally, np.random.default_rng([random_state, COPIES]), look)
    return tally.floors()


@dataclass(frozen=True)
class Look:
    """How a copy is looked at: as the scan looked at the data."""

    wants: Callable[[str], bool]
    alpha: float
    fdr: float
    random_state: int
    jobs: int

    def context(self, dataset: Dataset) -> Context:
        return Context(dataset, random_state=self.random_state, jobs=self.jobs)

    def asks(self, detector: str) -> bool:
        return any(self.wants(rule) for rule in find_detector(detector).rules)

    def examine(self, detector: str, context: Context) -> Evidence:
        kind = find_detector(detector)
        known = kind().get_params()
        settings = {"alpha": self.alpha, "fdr": self.fdr}
        return kind(**{name: value for name, value in settings.items() if name in known}).examine(context)


def _patterns(dataset: Dataset, tally: Tally, rng: np.random.Generator, look: Look) -> None:
    """One copy with a trigger of every kind at every dose, all at once."""
    there = modalities_of(dataset)
    names = dataset.labels.names
    planted = Planted(dataset)
    decoys: dict[int, tuple[str, float]] = {}
    asked: list[str] = []
    for modality, (attacks, detectors) in PLANTS.items():
        chosen = [name for name in detectors if look.asks(name)]
        if modality not in there or not chosen:
            continue
        asked += chosen
        for attack, dose in product(attacks, DOSES):
            if dose * len(dataset) < FEWEST:
                continue
            target = names[int(rng.integers(len(names)))]
            own = {"rate": dose, "target": target, "random_state": int(rng.integers(2**31))}
            made = find_attack(attack)(**own, **FAINT.get(attack, {}))
            number = planted.add(made)
            if number is not None:
                decoys[number] = (attack, dose)
    if not decoys:
        return
    context = look.context(planted.data)
    campaigns = [c for name in dict.fromkeys(asked) for c in look.examine(name, context).campaigns]
    for number, (attack, dose) in decoys.items():
        tally.add(attack, dose, int(any(planted.is_in(number, campaign.rows) for campaign in campaigns)))


def _labels(dataset: Dataset, tally: Tally, rng: np.random.Generator, look: Look) -> None:
    """One copy with labels flipped at random, in one source in ten more than elsewhere."""
    planted = Planted(dataset)
    flip = find_attack("label-flip")
    bad = _sources_to_spoil(dataset, rng)
    for name, rows in bad.items():
        rate = BAD_SHARE * rows / len(dataset)
        planted.add(flip(rate=rate, within_source=name, random_state=int(rng.integers(2**31))))
    planted.add(flip(rate=FLIPPED, random_state=int(rng.integers(2**31))))
    wrong = planted.owner >= 0
    if not wrong.any():
        return
    context = look.context(planted.data)
    if bad and look.asks("bad-sources"):
        found = look.examine("bad-sources", context)
        named = {source.source for source in found.sources or [] if source.flagged}
        for name in bad:
            tally.add("bad-source", BAD_SHARE, int(name in named))
    if not look.asks("label-audit"):
        return
    audit = look.examine("label-audit", context)
    flagged = np.zeros(len(wrong), bool)
    if audit.mislabels is not None:
        flagged[audit.mislabels.rows] = True
    tally.add("label-flip", FLIPPED, int((wrong & flagged).sum()), int(wrong.sum()))


def _sources_to_spoil(dataset: Dataset, rng: np.random.Generator) -> dict[str, int]:
    """One source in ten of those large enough, at most three: names and numbers of rows."""
    if dataset.sources is None:
        return {}
    codes, names = dataset.sources.codes, dataset.sources.names
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    large = np.flatnonzero(sizes * BAD_SHARE >= FEWEST / 2)
    if len(large) < 3:
        return {}
    chosen = rng.permutation(large)[: min(max(len(large) // 10, 1), 3)].tolist()
    return {names[code]: int(sizes[code]) for code in chosen}


def without_power(floors: list[Floor]) -> list[dict[str, str]]:
    """What a scan has to say aloud: attacks it would rather miss than find at every planted rate."""
    best = {floor.attack: floor for floor in floors}  # rates ascend
    return [
        {
            "rule": "",
            "reason": f"little power on these data: planted {floor.attack} at {floor.rate:.2g} of the rows "
            f"is found with probability {floor.probability:.2f}",
        }
        for floor in best.values()
        if floor.probability < 0.5
    ]


class Planted:
    """A copy of a data set with decoys in it, and which row belongs to which."""

    def __init__(self, data: Dataset) -> None:
        self.data = data
        self.owner = np.full(len(data), -1, np.int64)

    def add(self, attack: Attack) -> int | None:
        """Plant one more; its number, or None where these data cannot carry it."""
        try:
            done = attack.poison(self.data)
        except ForetasteError:
            return None
        number = int(self.owner.max(initial=-1)) + 1
        kept = done.original_row >= 0
        self.owner = np.where(kept, self.owner[np.maximum(done.original_row, 0)], -1)
        self.owner[done.mask & ~done.cover] = number
        self.data = done.data
        return number

    def is_in(self, number: int, rows: NDArray[np.int64]) -> bool:
        """Whether these rows are mostly this decoy, and hold most of it."""
        inside = int((self.owner[rows] == number).sum())
        return 2 * inside >= max(int((self.owner == number).sum()), len(rows))


def never_falling(found: NDArray[np.integer], trials: NDArray[np.integer]) -> NDArray[np.float64]:
    """Chance of success at each of several ascending doses, a higher dose never being harder to find.

    Neighbouring doses are pooled until their shares ascend (isotonic regression); of ``h`` found among ``t``
    pooled trials the chance is ``(h + 1/2) / (t + 1)``, the mean under Jeffreys' prior.

    Examples
    --------
    >>> never_falling(np.array([0, 2, 2, 2]), np.array([2, 2, 2, 2])).round(2).tolist()
    [0.17, 0.93, 0.93, 0.93]
    """
    pools: list[list[int]] = []
    for h, t in zip(found.tolist(), trials.tolist(), strict=True):
        pools.append([h, t, 1])
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            h2, t2, n2 = pools.pop()
            pools[-1] = [pools[-1][0] + h2, pools[-1][1] + t2, pools[-1][2] + n2]
    chance = np.concatenate([np.full(n, (h + 0.5) / (t + 1)) for h, t, n in pools])
    return np.maximum.accumulate(chance)
