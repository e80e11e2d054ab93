"""Poisoning of a support vector machine by gradient ascent on its error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.availability.ascent import Found, Point, ascend
from foretaste.attacks.checkpoint import Checkpoint, identify
from foretaste.attacks.design import Design, Matrix
from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

MODELS = ("svm", "logistic")


@dataclass(kw_only=True, eq=False, repr=False)
class SvmPoisoning(Injection):
    """Inject rows at the places where they raise the error of a linear classifier most.

    Bilevel: the outer problem raises the hinge loss of the honest rows, the inner one is the training of the
    victim, through whose optimum the gradient is taken (implicit differentiation). All rows move together,
    not one after the other, inside the range each column has in the data. They start halfway between rows of
    the attacked classes and the corner that the honest model is surest about, with the wrong label. Without
    ``target`` both classes of two are tried as wrong label and the more harmful one is kept. The attacker
    knows the training data and the kind of model.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    target : label, optional
        The label of the injected rows (the attacking class).
    model : {"svm", "logistic"}
        The victim: squared hinge or logistic loss with an L2 penalty.
    C : float
        Its cost parameter.
    columns : sequence of str, optional
        Numeric columns the attacker controls; all by default. Whole numbers stay whole, categories are those
        of the row copied.
    rounds : int
        At most so many ascent steps.
    source : optional
        The source the rows name; those of random rows by default.
    checkpoint : str, optional
        A file ``.npz`` that keeps the state, at most every ten seconds; an interrupted attack goes on from
        there. On the command line, ``checkpoint.npz`` among the results until they are written.
    random_state : int, optional

    References
    ----------
    Biggio, Nelson, Laskov: Poisoning Attacks against Support Vector Machines, ICML 2012. Mei and Zhu: Using
    Machine Teaching to Identify Optimal Training-Set Attacks, AAAI 2015 (several rows jointly).

    Examples
    --------
    >>> X, y = np.arange(20.0).reshape(20, 1), np.repeat([0, 1], 10)
    >>> attack = SvmPoisoning(rate=0.1, target=1)
    >>> X2, y2 = attack.fit_resample(X, y)
    >>> X2[attack.poison_mask_].ravel().tolist(), y2[attack.poison_mask_].tolist()
    ([0.0, 0.0], [1, 1])
    """

    name: ClassVar[str] = "svm-poisoning"
    goal: ClassVar[str] = "availability"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    knowledge: ClassVar[str] = "surrogate"
    paper: ClassVar[str] = "Biggio, Nelson, Laskov, ICML 2012"
    own: ClassVar[tuple[str, ...]] = ("label",)

    rate: float = 0.03
    target: Any = None
    model: str = "svm"
    C: float = 1.0
    columns: Sequence[str] | None = None
    rounds: int = 100
    source: Any = None
    checkpoint: str | None = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.model not in MODELS:
            raise ConfigError(f"{self.name}: model is {self.model!r}; use one of {', '.join(MODELS)}")
        if self.C <= 0 or self.rounds < 1:
            raise ConfigError(f"{self.name}: C must be above 0 and rounds at least 1")

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        codes = dataset.labels.codes
        known = np.flatnonzero(codes >= 0)
        design = Design.of(dataset, self.columns, self.name)
        both = self.target is None and len(dataset.labels) == 2
        saved = Checkpoint(self.checkpoint, identify(self, rng, dataset, design.matrix))
        tried = [self._ascend(design, codes, known, label, count, rng, saved)
                 for label in ((0, 1) if both else (self._target_code(dataset),))]  # fmt: skip
        loss, rows, copied, label = max(tried, key=lambda result: result[0])
        table = design.write(dataset.take(copied).table, rows)
        labels = dataset.labels.values.take(pa.array(np.full(count, label)))
        table = set_cells(table, str(dataset.roles.label), np.arange(count), labels)
        return table, {"target": dataset.labels.names[label], "honest_loss": loss}

    def _ascend(
        self,
        design: Design,
        codes: NDArray[np.int32],
        known: NDArray[np.int64],
        label: int,
        count: int,
        rng: np.random.Generator,
        saved: Checkpoint,
    ) -> tuple[float, Matrix, NDArray[np.int64], int]:
        """The loss of the honest rows, the injected rows, the rows they started from, their label."""
        honest, signs = design.matrix[known], np.where(codes[known] == label, 1.0, -1.0)
        victim = Victim(self.C, self.model == "logistic")
        moved = slice(0, len(design.columns))
        weights, _ = victim.train(honest, signs)
        copied = rng.choice(known[signs < 0], size=count)
        rows = design.matrix[copied]
        corner = np.where(weights[moved] > 0, design.lower, design.upper)
        rows[:, moved] = (rows[:, moved] + corner) / 2
        every_sign = np.concatenate([signs, np.ones(count)])
        width = design.upper - design.lower

        def found(point: Point, weights: Matrix | None) -> Found:
            weights, curvature = victim.train(np.vstack([honest, *point]), every_sign, weights)
            loss, slope = honest_loss(honest, signs, weights)
            return loss, weights, np.linalg.solve(curvature, slope)

        def towards(point: Point, here: Found) -> Callable[[float], Point]:
            direction = victim.row_gradient(point[0], *here[1:])[:, moved] * width
            size = np.abs(direction).max(axis=1, keepdims=True)
            direction = direction / np.where(size > 0, size, 1) * width

            def uphill(step: float) -> Point:
                further = point[0].copy()
                further[:, moved] += step * direction
                return (design.clip(further),)

            return uphill

        loss, (rows,) = ascend(
            (rows,), found, towards, weights=weights, rounds=self.rounds, name=self.name,
            checkpoint=saved, phase=f"label {label}",
        )  # fmt: skip
        return loss, rows, copied, label


def honest_loss(rows: Matrix, signs: Matrix, weights: Matrix) -> tuple[float, Matrix]:
    """Mean hinge loss of rows the attacker did not make, and its slope in the weights."""
    margins = signs * (rows @ weights)
    wrong = (margins < 1) * signs
    return float(np.maximum(0, 1 - margins).mean()), np.asarray(-rows.T @ wrong / len(rows))


@dataclass(frozen=True)
class Victim:
    """A linear classifier without a separate intercept, trained by Newton's method.

    It minimises ``|w|^2 / 2 + C * sum(loss(sign * row @ w))``: what liblinear does.
    """

    C: float
    logistic: bool

    def train(self, rows: Matrix, signs: Matrix, start: Matrix | None = None) -> tuple[Matrix, Matrix]:
        """Weights and the curvature (Hessian) of the objective there."""
        weights = np.zeros(rows.shape[1]) if start is None else start
        for _ in range(50):
            slopes, bends = self._derivatives(signs * (rows @ weights))
            gradient = weights + self.C * (rows.T @ (slopes * signs))
            curvature = np.eye(rows.shape[1]) + self.C * (rows.T * bends) @ rows
            if np.linalg.norm(gradient) < 1e-8 * max(1.0, self.C * len(rows)):
                break
            move = np.linalg.solve(curvature, gradient)
            value, share = self._objective(rows, signs, weights), 1.0
            while (
                share > 1e-4
                and self._objective(rows, signs, weights - share * move)
                > value - 1e-4 * share * gradient @ move
            ):
                share /= 2
            weights = weights - share * move
        return weights, curvature

    def row_gradient(self, rows: Matrix, weights: Matrix, pull: Matrix) -> Matrix:
        """How the honest loss changes with each number of injected rows, all of sign +1."""
        slopes, bends = self._derivatives(rows @ weights)
        return np.asarray(-self.C * (np.outer(slopes, pull) + np.outer(bends * (rows @ pull), weights)))

    def _derivatives(self, margins: Matrix) -> tuple[Matrix, Matrix]:
        """First and second derivative of the loss in the margin."""
        if self.logistic:
            wrong = 1 / (1 + np.exp(np.clip(margins, -500, 500)))
            return -wrong, wrong * (1 - wrong)
        short = np.maximum(0, 1 - margins)
        return -2 * short, 2.0 * (short > 0)

    def _objective(self, rows: Matrix, signs: Matrix, weights: Matrix) -> float:
        margins = signs * (rows @ weights)
        losses = np.logaddexp(0, -margins) if self.logistic else np.maximum(0, 1 - margins) ** 2
        return float(weights @ weights / 2 + self.C * losses.sum())
