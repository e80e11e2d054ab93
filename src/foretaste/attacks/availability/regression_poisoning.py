"""Poisoning of linear regression: optimised (OptP) and statistical (StatP)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.availability.ascent import Found, Point, ascend
from foretaste.attacks.checkpoint import Checkpoint, identify
from foretaste.attacks.conditions import numbers
from foretaste.attacks.design import Design, Matrix
from foretaste.attacks.editing import set_cells
from foretaste.attacks.injection.base import Injection
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError, DataError

METHODS = ("optp", "statp")


@dataclass(kw_only=True, eq=False, repr=False)
class RegressionPoisoning(Injection):
    """Inject rows that raise the squared error of ridge regression on everybody else's rows.

    OptP: gradient ascent on the error of the honest rows through the closed form of ridge regression, over
    features and response together, from real rows with the response at the opposite end (BFlip) and from
    StatP's rows, the better of the two. StatP: rows drawn from the normal distribution with the mean and
    covariance of the data, every number rounded to the end of its range that is nearer, the response at the
    end that is farther from what an honest model predicts; for it the attacker needs no more than these
    moments and answers of a model. Every number stays inside the range it has in the data.

    Parameters
    ----------
    rate : float
        Share of the rows after the attack that are injected.
    method : {"optp", "statp"}
    penalty : float
        Penalty on the squared weights relative to the mean squared error, of standardised features.
    columns : sequence of str, optional
        Numeric columns the attacker controls; all by default.
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
    Jagielski, Oprea, Biggio, Liu, Nita-Rotaru, Li: Manipulating Machine Learning: Poisoning Attacks and
    Countermeasures for Regression Learning, IEEE S&P 2018.

    Examples
    --------
    >>> X = np.arange(40.0).reshape(40, 1)
    >>> attack = RegressionPoisoning(rate=0.1, method="statp")
    >>> X2, y2 = attack.fit_resample(X, 2 * X.ravel())
    >>> sorted(set(zip(X2[attack.poison_mask_].ravel().tolist(), y2[attack.poison_mask_].tolist())))
    [(0.0, 78.0), (39.0, 0.0)]
    """

    name: ClassVar[str] = "regression-poisoning"
    goal: ClassVar[str] = "availability"
    modalities: ClassVar[tuple[str, ...]] = ("tabular",)
    knowledge: ClassVar[str] = "surrogate"
    paper: ClassVar[str] = "Jagielski et al., IEEE S&P 2018"
    own: ClassVar[tuple[str, ...]] = ("label",)
    quantity: ClassVar[bool] = True

    rate: float = 0.03
    method: str = "optp"
    penalty: float = 1e-3
    columns: Sequence[str] | None = None
    rounds: int = 100
    source: Any = None
    checkpoint: str | None = None
    random_state: int | None = 0

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.method not in METHODS:
            raise ConfigError(f"{self.name}: method is {self.method!r}; use one of {', '.join(METHODS)}")
        if self.penalty <= 0 or self.rounds < 1:
            raise ConfigError(f"{self.name}: penalty must be above 0 and rounds at least 1")
        kind = dataset.column(str(dataset.roles.label)).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise DataError(
                f"{self.name} predicts numbers and the label holds {kind}",
                file=dataset.name,
                column=dataset.roles.label,
                hint="name a numeric column with --label",
            )

    def _make_rows(
        self, dataset: Dataset, count: int, target: int, rng: np.random.Generator
    ) -> tuple[pa.Table, dict[str, Any]]:
        label = str(dataset.roles.label)
        response = numbers(dataset, label, self.name)
        known = np.flatnonzero(np.isfinite(response))
        centre, scale = response[known].mean(), response[known].std()
        y = (response[known] - centre) / scale
        design = Design.of(dataset, self.columns, self.name)
        saved = Checkpoint(self.checkpoint, identify(self, rng, dataset, design.matrix))
        rows, copied = self._statistical(design, known, count, rng)
        values = _far_end(rows @ fit_ridge(design.matrix[known], y, self.penalty), y)
        if self.method == "optp":
            real = rng.choice(known, size=count)
            flipped = _far_end((response[real] - centre) / scale, y)
            starts = [(rows, values, copied), (design.matrix[real], flipped, real)]
            tried = [
                (
                    *self._ascend(design, design.matrix[known], y, (first, answers), saved, f"start {i}"),
                    donors,
                )
                for i, (first, answers, donors) in enumerate(starts)
            ]
            _, (rows, values), copied = max(tried, key=lambda result: result[0])
        table = design.write(dataset.take(copied).table, rows)
        new = values * scale + centre
        whole = pa.types.is_integer(dataset.column(label).type)
        cells = pa.array(np.rint(new).astype(np.int64) if whole else new)
        honest = [fit_ridge(design.matrix[known], y, self.penalty)]
        honest.append(
            fit_ridge(np.vstack([design.matrix[known], rows]), np.concatenate([y, values]), self.penalty)
        )
        before, after = (float(((design.matrix[known] @ weights - y) ** 2).mean()) for weights in honest)
        return set_cells(table, label, np.arange(count), cells), {"error_multiple": after / before}

    def _statistical(
        self, design: Design, known: NDArray[np.int64], count: int, rng: np.random.Generator
    ) -> tuple[Matrix, NDArray[np.int64]]:
        """Rows at corners of the box, and the real rows whose categories they keep."""
        width = len(design.columns)
        seen = design.matrix[known, :width]
        copied = rng.choice(known, size=count)
        spread = np.atleast_2d(np.cov(seen, rowvar=False))
        drawn = rng.multivariate_normal(seen.mean(axis=0), spread, size=count, method="eigh")
        rows = design.matrix[copied]
        nearer_low = drawn < (design.lower + design.upper) / 2
        rows[:, :width] = np.where(nearer_low, design.lower, design.upper)
        return rows, copied

    def _ascend(
        self, design: Design, honest: Matrix, y: Matrix, start: Point, saved: Checkpoint, phase: str
    ) -> tuple[float, Point]:
        """The honest rows' error, the injected rows and their responses."""
        moved = slice(0, len(design.columns))
        width, reach = design.upper - design.lower, y.max() - y.min()
        total = len(honest) + len(start[0])

        def found(point: Point, _: Matrix | None) -> Found:
            every_row, every_value = np.vstack([honest, point[0]]), np.concatenate([y, point[1]])
            weights = fit_ridge(every_row, every_value, self.penalty)
            missed = honest @ weights - y
            slope = 2 * honest.T @ missed / len(honest)
            pull = np.linalg.solve(_normal(every_row, self.penalty), slope)
            return float((missed**2).mean()), weights, pull

        def towards(point: Point, here: Found) -> Callable[[float], Point]:
            (rows, values), (_, weights, pull) = point, here
            off, lever = rows @ weights - values, rows @ pull
            by_row = -(np.outer(off, pull) + np.outer(lever, weights))[:, moved] / total * width
            by_value = lever / total * reach
            size = np.maximum(np.abs(by_row).max(axis=1), np.abs(by_value))
            size = np.where(size > 0, size, 1)

            def uphill(step: float) -> Point:
                further = rows.copy()
                further[:, moved] += step * by_row / size[:, None] * width
                answers = np.clip(values + step * by_value / size * reach, y.min(), y.max())
                return design.clip(further), answers

            return uphill

        return ascend(
            start, found, towards, rounds=self.rounds, name=self.name, checkpoint=saved, phase=phase
        )


def fit_ridge(rows: Matrix, values: Matrix, penalty: float) -> Matrix:
    """Weights of ridge regression with the penalty relative to the mean squared error."""
    return np.asarray(np.linalg.solve(_normal(rows, penalty), rows.T @ values / len(rows)))


def _normal(rows: Matrix, penalty: float) -> Matrix:
    return np.asarray(rows.T @ rows / len(rows) + penalty * np.eye(rows.shape[1]))


def _far_end(values: Matrix, y: Matrix) -> Matrix:
    """The end of the range of ``y`` that is farther from each value."""
    far: Matrix = np.where(values > (y.min() + y.max()) / 2, y.min(), y.max())
    return far
