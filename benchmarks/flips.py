"""How plain flipped labels are: the best that any ranking of the rows could list, were its threshold known.

    python -m benchmarks.flips [--attack flip] [--datasets nsl_kdd sms_spam]

For every model of the label audit, for the same models taught without the rows the audit's pool doubts most
(as many as were flipped), for the pool of them all, and for a forest that is told in training which rows were
flipped and sees what all models think of a row: the highest recall at a false-discovery rate of at most 8 %.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from benchmarks.detection.cells import make_cell
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_limits

from foretaste.detect.context import Context
from foretaste.stats.calibration import pool_opinions

TOLERATED = 0.08
LEAST_LISTED = 5


def main() -> None:
    """Print the recalls, one line per data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--attack", default="flip-boundary")
    parser.add_argument("--rate", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--datasets", nargs="+", default=["sms_spam", "enron1_spam", "nsl_kdd", "tuandromd"])
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in chosen.datasets:
        train, truth = make_cell(name, chosen.attack, chosen.rate, chosen.seed, rows=chosen.rows)
        context = Context(train, random_state=0, jobs=1)
        with threadpool_limits(1):
            recalls = best_recalls(context, np.asarray(truth["mask"]))
        print(f"{name}: " + ", ".join(f"{who} {recall:.2f}" for who, recall in recalls.items()), flush=True)


def best_recalls(context: Context, flipped: NDArray[np.bool_]) -> dict[str, float]:
    """The highest recall within the tolerated share of right labels, by whose opinion."""
    known = np.flatnonzero(context.y >= 0)
    y, wrong, row = context.y[known], flipped[known], np.arange(len(known))
    opinions = {name: context.opinion(name)[known] for name in context.models}
    pool, _ = pool_opinions(list(opinions.values()), y)
    doubted = known[np.argsort(pool[row, y], kind="stable")[: wrong.sum()]]
    taught = context.beside_copies().without(doubted)
    opinions |= {f"{name} taught without": taught.opinion(name)[known] for name in taught.models}
    opinions["pool"] = pool
    opinions["pool taught without"], _ = pool_opinions(
        [opinion for name, opinion in opinions.items() if name != "pool"], y
    )
    found = {name: best_recall(-opinion[row, y], wrong) for name, opinion in opinions.items()}
    seen = np.stack([y, *(opinion[row, y] for opinion in opinions.values())], axis=1)
    forest = RandomForestClassifier(200, min_samples_leaf=3, random_state=0)
    told = cross_val_predict(forest, seen, wrong, cv=5, method="predict_proba")[:, 1]
    return found | {"told the truth": best_recall(told, wrong)}


def best_recall(score: NDArray[np.float64], wrong: NDArray[np.bool_]) -> float:
    """Recall of the longest list, highest scores first, with at most the tolerated share of right labels.

    Examples
    --------
    >>> best_recall(np.arange(20.0), np.arange(20) >= 10)
    1.0
    """
    hits = np.cumsum(wrong[np.argsort(-score, kind="stable")])
    listed = np.arange(1, len(hits) + 1)
    within = hits[(hits >= (1 - TOLERATED) * listed) & (listed >= LEAST_LISTED)]
    return float(within.max(initial=0) / wrong.sum())


if __name__ == "__main__":
    main()
