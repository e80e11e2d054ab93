"""ALFA: the label flips that hurt a linear classifier most."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from foretaste.attacks.base import Attack
from foretaste.attacks.checkpoint import Checkpoint, identify
from foretaste.attacks.editing import set_labels
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.attacks.progress import steps
from foretaste.attacks.vectors import as_vectors
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

Scores = NDArray[np.float64]
FOLDS = 3
FEW_CLASSES = 4

Flips = tuple[float, NDArray[np.int64], NDArray[np.int64]]
"""The errors they cause, places among the labelled rows, and the new class of each."""


@dataclass(kw_only=True, eq=False, repr=False)
class Alfa(Attack):
    """Flip the labels that a linear support vector machine would then fit well and the honest one would not.

    The attacker knows the training data and that the victim is (close to) linear, and changes labels only.
    Two steps alternate: train on the flipped labels; choose as flips the rows whose new label has the largest
    hinge loss under the honest model and the smallest under the trained one. With labels of equal cost the
    linear programme of the paper is solved by sorting. Losses are those of models that did not see the row
    (three folds; the paper takes the training loss, which text of thousands of words makes meaningless). Of
    all rounds, and of flips in any and in one direction, those with the most errors on the honest labels are
    kept. More than two classes: one against the rest, a row flips to its best wrong class.

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
    checkpoint : str, optional
        A file ``.npz`` that keeps the state, round by round; an interrupted attack goes on from
        there. On the command line, ``checkpoint.npz`` among the results until they are written.
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

    rate: float = 0.05
    target: Any = None
    C: float = 1.0
    rounds: int = 8
    checkpoint: str | None = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.C <= 0 or self.rounds < 1:
            raise ConfigError(f"{self.name}: C must be above 0 and rounds at least 1")

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        X = as_vectors(dataset)
        known = np.flatnonzero(dataset.labels.codes >= 0)
        honest = dataset.labels.codes[known].astype(np.int64)
        count = self._count(dataset)
        classes = len(dataset.labels)
        fold = rng.permutation(len(known)) % FOLDS
        saved = Checkpoint(self.checkpoint, identify(self, rng, dataset, *_arrays(X)))
        state = saved.load("honest")
        honest_loss = (
            hinge_losses(self._scores(X[known], honest, classes, fold)) if state is None else state["loss"]
        )
        saved.save("honest", {"loss": honest_loss}, done=True)
        best: Flips = (-1.0, known[:0], known[:0])
        for target in self._directions(dataset):
            allowed = (dataset.labels.codes >= 0) & (
                dataset.labels.codes != (-1 if target is None else target)
            )
            if target is None or self.target is not None:
                self._choose(dataset, allowed, count, rng)
            elif allowed.sum() < count:
                continue
            ties = rng.permutation(len(known))
            places = np.flatnonzero(allowed[known])
            found = self._rounds(X[known], honest, honest_loss, fold, places, target, count, ties, saved)
            best = max(best, found, key=lambda one: one[0])
        rows = known[best[1]]
        data = set_labels(dataset, rows, best[2], dataset.labels.values)
        return Change(data, rows_to_mask(rows, len(dataset)))

    def _directions(self, dataset: Dataset) -> list[int | None]:
        """The one new label wanted; else any, and, with few classes, each of them alone."""
        if self.target is not None:
            return [self._class_code(dataset, self.target)]
        classes = len(dataset.labels)
        return [None, *(range(classes) if classes <= FEW_CLASSES else ())]

    def _rounds(
        self,
        X: Any,
        honest: NDArray[np.int64],
        honest_loss: Scores,
        fold: NDArray[np.int64],
        flippable: NDArray[np.int64],
        target: int | None,
        count: int,
        ties: NDArray[np.int64],
        saved: Checkpoint,
    ) -> Flips:
        """The flips of the best round."""
        phase = f"flips to {target}"
        state = saved.load(phase)
        classes, everyone = honest_loss.shape[1], np.arange(len(honest))
        tainted_loss, begin = np.zeros_like(honest_loss), 0
        previous: set[tuple[int, int]] = set()
        best: Flips = (-1.0, flippable[:0], flippable[:0])
        if state is not None:
            tainted_loss, begin = state["loss"], int(state["round"])
            previous = set(map(tuple, state["previous"].tolist()))
            best = float(state["errors"]), state["places"], state["new"]
        for number in steps(self.rounds, self.name):
            if number < begin:
                continue
            advantage = tainted_loss - honest_loss
            wrong = advantage.copy()
            wrong[everyone, honest] = np.inf
            if target is not None:
                wrong[:, [k for k in range(classes) if k != target]] = np.inf
            new = wrong.argmin(axis=1)
            gain = (advantage[everyone, honest] - advantage[everyone, new])[flippable]
            places = np.sort(flippable[np.lexsort((ties[flippable], -gain))[:count]])
            chosen = set(zip(places.tolist(), new[places].tolist(), strict=True))
            if chosen == previous:
                break
            previous = chosen
            labels = honest.copy()
            labels[places] = new[places]
            scores = self._scores(X, labels, classes, fold)
            tainted_loss = hinge_losses(scores)
            errors = float((scores.argmax(axis=1) != honest).mean())
            best = max(best, (errors, places, new[places]), key=lambda one: one[0])
            about = {"errors": best[0], "places": best[1], "new": best[2], "loss": tainted_loss}
            about |= {"previous": np.column_stack([places, new[places]]), "round": number + 1}
            saved.save(phase, about, done=True)
        return best

    def _scores(self, X: Any, labels: NDArray[np.int64], classes: int, fold: NDArray[np.int64]) -> Scores:
        """Decision values, for every row and class, of linear machines that were not trained on the row.

        One that was may have learned it by heart, which hurts no other row. A class a machine has not seen
        gets -1.
        """
        scores = np.full((X.shape[0], classes), -1.0)
        for part in range(FOLDS):
            inside, outside = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
            present = np.unique(labels[inside])
            if len(present) < 2 or not len(outside):
                scores[np.ix_(outside, present)] = 1.0
                continue
            model: Any = LinearSVC(C=self.C, random_state=0, max_iter=2000)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                found = model.fit(X[inside], labels[inside]).decision_function(X[outside])
            scores[np.ix_(outside, present)] = (
                np.column_stack([-found, found]) if len(present) == 2 else found
            )
        return scores


def _arrays(X: Any) -> list[NDArray[Any]]:
    """What a matrix consists of, sparse or not."""
    return [X.data, X.indices, X.indptr] if issparse(X) else [np.asarray(X)]


def hinge_losses(scores: Scores) -> Scores:
    """What each label would cost each row: one minus half the lead of its class over the best other."""
    classes = scores.shape[1]
    best = np.stack([np.delete(scores, k, axis=1).max(axis=1) for k in range(classes)], axis=1)
    return np.asarray(np.maximum(0, 1 - (scores - best) / 2), np.float64)
