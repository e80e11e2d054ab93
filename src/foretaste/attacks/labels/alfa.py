"""ALFA: the label flips that hurt a linear classifier most."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from foretaste.attacks.base import Attack
from foretaste.attacks.editing import set_labels
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.attacks.vectors import as_vectors
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

Scores = NDArray[np.float64]


class Alfa(Attack):
    """Flip the labels that a linear support vector machine would then fit well and the honest one would not.

    The attacker knows the training data and that the victim is (close to) linear, and changes labels only.
    Two steps alternate: train on the flipped labels; choose as flips the rows whose new label has the largest
    hinge loss under the honest model and the smallest under the trained one. With labels of equal cost the
    linear programme of the paper is solved by sorting. Of all rounds the one with the most errors on the
    honest labels is kept. More than two classes: one against the rest, a row flips to its best wrong class.

    Parameters
    ----------
    rate : float
        Share of all rows to flip.
    target : label, optional
        The only new label; the best wrong class of each row by default.
    C : float
        Cost parameter of the support vector machine; the larger, the closer it follows single rows.
    rounds : int
        At most so many rounds; it stops before where nothing changes.
    random_state : int, optional

    References
    ----------
    Xiao, Xiao, Eckert: Adversarial Label Flips Attack on Support Vector Machines, ECAI 2012. Xiao et al.:
    Support Vector Machines under Adversarial Label Contamination, Neurocomputing 2015.

    Examples
    --------
    >>> X, y = np.arange(20.0).reshape(20, 1), np.repeat([0, 1], 10)
    >>> flipped = Alfa(rate=0.1).fit_resample(X, y)[1]
    >>> int((flipped != y).sum())
    2
    """

    name: ClassVar[str] = "alfa"
    goal: ClassVar[str] = "availability"
    access: ClassVar[str] = "label"
    modalities: ClassVar[tuple[str, ...]] = ("text", "tabular")
    knowledge: ClassVar[str] = "surrogate"
    paper: ClassVar[str] = "Xiao, Xiao, Eckert, ECAI 2012"

    def __init__(
        self,
        *,
        rate: float = 0.05,
        target: Any = None,
        C: float = 1.0,
        rounds: int = 8,
        random_state: int | None = 0,
    ) -> None:
        self.rate = rate
        self.target = target
        self.C = C
        self.rounds = rounds
        self.random_state = random_state

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.C <= 0 or self.rounds < 1:
            raise ConfigError(f"{self.name}: C must be above 0 and rounds at least 1")

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        X = as_vectors(dataset)
        known = np.flatnonzero(dataset.labels.codes >= 0)
        honest = dataset.labels.codes[known].astype(np.int64)
        count = self._count(dataset)
        target = None if self.target is None else self._class_code(dataset, self.target)
        flippable = np.flatnonzero(honest != (-1 if target is None else target))
        self._choose(dataset, rows_to_mask(known[flippable], len(dataset)), count, rng)
        places, new = self._optimise(X[known], honest, flippable, target, count, rng)
        rows = known[places]
        data = set_labels(dataset, rows, new, dataset.labels.values)
        return Change(data, rows_to_mask(rows, len(dataset)))

    def _optimise(
        self,
        X: Any,
        honest: NDArray[np.int64],
        flippable: NDArray[np.int64],
        target: int | None,
        count: int,
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places among the labelled rows, and their new class."""
        classes, everyone = int(honest.max()) + 1, np.arange(len(honest))
        seed = int(rng.integers(2**31))
        ties = rng.permutation(len(flippable))
        honest_loss = hinge_losses(self._scores(X, honest, classes, seed))
        tainted_loss = np.zeros_like(honest_loss)
        best: tuple[float, NDArray[np.int64], NDArray[np.int64]] | None = None
        previous: set[tuple[int, int]] = set()
        for _ in range(self.rounds):
            advantage = tainted_loss - honest_loss
            wrong = advantage.copy()
            wrong[everyone, honest] = np.inf
            if target is not None:
                wrong[:, [k for k in range(classes) if k != target]] = np.inf
            new = wrong.argmin(axis=1)
            gain = (advantage[everyone, honest] - advantage[everyone, new])[flippable]
            places = np.sort(flippable[np.lexsort((ties, -gain))[:count]])
            chosen = set(zip(places.tolist(), new[places].tolist(), strict=True))
            if chosen == previous:
                break
            previous = chosen
            labels = honest.copy()
            labels[places] = new[places]
            scores = self._scores(X, labels, classes, seed)
            tainted_loss = hinge_losses(scores)
            errors = float((scores.argmax(axis=1) != honest).mean())
            if best is None or errors > best[0]:
                best = errors, places, new[places]
        assert best is not None
        return best[1], best[2]

    def _scores(self, X: Any, labels: NDArray[np.int64], classes: int, seed: int) -> Scores:
        """Decision values of a linear machine for every row and class; a class nobody has gets -1."""
        scores = np.full((X.shape[0], classes), -1.0)
        present = np.unique(labels)
        if len(present) < 2:
            scores[:, present] = 1.0
            return scores
        model: Any = LinearSVC(C=self.C, random_state=seed, max_iter=2000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = model.fit(X, labels).decision_function(X)
        scores[:, present] = np.column_stack([-found, found]) if len(present) == 2 else found
        return scores


def hinge_losses(scores: Scores) -> Scores:
    """What each label would cost each row: one minus half the lead of its class over the best other."""
    classes = scores.shape[1]
    best = np.stack([np.delete(scores, k, axis=1).max(axis=1) for k in range(classes)], axis=1)
    return np.asarray(np.maximum(0, 1 - (scores - best) / 2), np.float64)
