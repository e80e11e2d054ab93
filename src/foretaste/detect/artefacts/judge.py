"""Nature or artefact: does what a group of images shares carry content, and do their labels follow it?

Images that share a motif, a sign, a track are near one another in content as well. Images that share an
artefact are, once that artefact is taken out, as different as images drawn at random from the same classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom, norm

from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.diversity import FROM_ALL, Diversity, agreement
from foretaste.detect.context import Context

DRAWS = 5

COHERENT = 0.15
"""Share of a group's content-neighbours that lie in the group, beyond chance, from which on it is a motif."""

ONE_LABEL = 0.9
"""Share of the rows with the artefact that have one label, from which on the artefact decides it."""

FEWEST_OTHERS = 3
"""With fewer other classes, all of them are not manifold enough to be told from a kind."""

CONTRADICTED = 1 / 3
"""Share of the rows, of those that could, whose content contradicts their label beyond what is usual.

Half of the rows with an artefact may be covers, whose labels are right (Qi et al., ICLR 2023)."""


@dataclass(frozen=True)
class Judgement:
    """What is known about one candidate.

    Attributes
    ----------
    coherence : float
        How much nearer in content its rows are than random rows of the classes they look like: 0 not at all,
        1 all neighbours of each are in the group. Where it is high, nature explains labels that are wrong.
    kinship : float
        The same, beside rows with the same labels. Where it is high, nature explains labels that agree.
    contradicted, usual : float
        Share of its rows whose content, by models that saw none of them, contradicts their label; and of
        other rows with the same labels.
    dirty_p, clean_p : float
        Chance of as many contradicted rows, and of labels that agree so well; 1 where nature explains them.
    target : int
        Most frequent label; -1 where the labels are as mixed as in other rows.
    control : int64 ndarray
        Other rows of the classes its content looks like.
    sources : float
        How far the rows that contradict their label are from all other classes (`agreement`).
    likely : int64 ndarray of shape (n,)
        The class that the content of each row of the data looks like.
    """

    coherence: float
    kinship: float
    contradicted: float
    usual: float
    dirty_p: float
    clean_p: float
    target: int
    control: NDArray[np.int64]
    sources: float
    likely: NDArray[np.int64]

    @property
    def p_value(self) -> float:
        """Of both questions, together."""
        return min(2 * min(self.dirty_p, self.clean_p), 1.0)


def expected_error(separation: float, share: float) -> float:
    """Share of wrong rows in a group cut out so, were both sides normal with the same spread.

    Examples
    --------
    >>> round(expected_error(4.0, 0.1), 3), round(expected_error(2.65, 0.5), 2)
    (0.05, 0.09)
    """
    if separation <= 0 or not 0 < share < 1:
        return 1.0
    shift = np.log((1 - share) / share) / separation
    wrong = (1 - share) * norm.sf(separation / 2 + shift)
    right = share * norm.sf(-separation / 2 + shift)
    return float(wrong / max(wrong + right, 1e-300))


class Judge:
    """Judges the candidates of one context.

    Parameters
    ----------
    context : Context
        With images and at least two classes.
    """

    def __init__(self, context: Context) -> None:
        assert context.image is not None
        self.context = context
        self.known = np.flatnonzero((context.y >= 0) & context.image.present)
        self.diversity = Diversity(context.image, self.known)

    def judge(self, candidate: Candidate) -> Judgement:
        """Ask whether a group's content hangs together, and what its labels say."""
        context, rows = self.context, candidate.rows
        log_p = context.without(rows).log_probability
        likely = log_p.argmax(axis=1)
        controls = self._controls(rows, likely)
        rng = np.random.default_rng(context.random_state)
        coherence = self.diversity.coherence(rows, controls, rng)
        kinship = self.diversity.coherence(rows, self._controls(rows, context.y), rng)
        labels = context.y[rows]
        wrong = (likely != context.y) & (context.y >= 0)
        rest = np.setdiff1d(self.known, rows)
        size = np.bincount(context.y[rest], minlength=context.n_classes)
        odd = np.bincount(context.y[rest], wrong[rest], context.n_classes)
        rate = np.asarray(beta.ppf(0.95, odd + 1, size - odd + 1))  # no class's rate is known exactly
        target = int(np.bincount(labels[labels >= 0], minlength=context.n_classes).argmax())
        every = _excess(wrong[rows], rate[labels])
        one = _excess(wrong[rows[labels == target]], rate[labels[labels == target]])
        p_value, contradicted, usual = min(every, one)
        sources = self._sources(likely[rows[wrong[rows]]], target)
        if coherence > COHERENT and sources < FROM_ALL:  # what is from all classes is no motif
            p_value = 1.0
        count, agreeing = len(rows) + len(candidate.elsewhere), int((labels == target).sum())
        prior = float((context.y[self.known] == target).mean())
        agree = kinship <= COHERENT and agreeing >= ONE_LABEL * count
        clean = float(binom.sf(agreeing - 1, count, prior)) if agree else 1.0
        mixed = agreeing < max(0.5, min(2 * prior, ONE_LABEL)) * len(rows)
        return Judgement(
            coherence,
            kinship,
            contradicted,
            usual,
            min(2 * p_value, 1.0),
            clean,
            -1 if mixed else target,
            controls[0],
            sources,
            np.asarray(likely, np.int64),
        )

    def _sources(self, likely: NDArray[np.int64], target: int) -> float:
        """How far these classes are all but the target, in proportion to their sizes."""
        size = np.bincount(self.context.y[self.known], minlength=self.context.n_classes).astype(np.float64)
        size[target] = 0
        others = likely[likely != target]
        if not len(others) or (size > 0).sum() < FEWEST_OTHERS:
            return 0.0
        share = np.bincount(others, minlength=len(size)) / len(others)
        return agreement(share, size / size.sum(), len(others))

    def _controls(self, rows: NDArray[np.int64], classes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Draws of other rows of the same classes, by their labels or by what they look like.

        At most half of those there are, so that some are left to be told from.
        """
        rng = np.random.default_rng(self.context.random_state)
        outside = np.setdiff1d(self.known, rows)
        draws = []
        for _ in range(DRAWS):
            drawn = []
            for label in np.unique(classes[rows]):
                pool = outside[classes[outside] == label]
                wanted = int((classes[rows] == label).sum())
                drawn.append(rng.choice(pool, min(wanted, -(-len(pool) // 2)), replace=False))
            draws.append(np.sort(np.concatenate(drawn)).astype(np.int64))
        return draws


def _excess(wrong: NDArray[np.bool_], usual: NDArray[np.float64]) -> tuple[float, float, float]:
    """Chance of so many wrong ones (1 where they are few), their share, and the share to expect."""
    if not len(wrong):
        return 1.0, 0.0, 0.0
    share, expected = float(wrong.mean()), float(usual.mean())
    if share - expected < CONTRADICTED * (1 - expected):
        return 1.0, share, expected
    return float(binom.sf(int(wrong.sum()) - 1, len(wrong), expected)), share, expected
