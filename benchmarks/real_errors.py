"""Wrong labels that people made: what a scan says of them, beside confident learning.

    python -m benchmarks.real_errors [--rows 4000]

* ``cifar10n``: labels by crowd workers, one of three, their majority, or a wrong one where there is one
  (Wei et al., ICLR 2022), for images of CIFAR-10 whose right label is known.
* ``label_errors``: which labels of test sets are wrong, by published out-of-fold probabilities; the truth is
  what five workers said of the rows confident learning had doubted (Northcutt et al., NeurIPS 2021), so
  recall is among these only.
* ``youtube_spam``: comments by real spammers, rightly labelled: nothing is to be found.

cleanlab 2.9 is given the same out-of-fold probabilities as the label audit.
"""

from __future__ import annotations

import argparse

import numpy as np
import pyarrow.parquet as pq
from benchmarks.detection.data import load, shared_data
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from foretaste._scan import scan
from foretaste.data import from_arrays
from foretaste.detect.context import Context
from foretaste.detect.rows.label_audit import LabelAudit
from foretaste.stats.label_noise import plateau, wrong_label_posterior


def main() -> None:
    """Print one line per set of labels and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=4000)
    chosen = parser.parse_args()
    print(f"{'labels':<28}{'wrong':>6}  {'method':<14}{'flagged':>8}{'recall':>8}{'FDR':>6}  told")
    crowd(chosen.rows)
    for name in ("cifar10", "20news"):
        confirmed(name)
    found = scan(load("youtube_spam").table, label="label", text="text", decoys=False)
    told("youtube_spam", np.zeros(len(found.flagged), bool), "foretaste", found.flagged, found.verdict)


def crowd(rows: int) -> None:
    """Labels of CIFAR-10N."""
    with np.load(shared_data() / "cifar10_train10k" / "train.npz") as arrays:
        x, index = arrays["x"][:rows], arrays["orig_index"][:rows]
    items = pq.read_table(shared_data() / "cifar10n" / "items.parquet").take(index)
    right = items.column("clean_label").to_numpy()
    for labels in ("aggregate_label", "random_label1", "worst_label"):
        y = items.column(labels).to_numpy()
        context = Context(from_arrays(x, y.astype(str)), random_state=0, jobs=1)
        found = LabelAudit().examine(context).mislabels
        flags = np.zeros(len(y), bool)
        if found is not None:
            flags[found.rows] = True
        reason = "abstains" if found is None else f"{found.estimate:.0f} wrong; {found.reason}"
        told(f"cifar10n {labels}", y != right, "foretaste", flags, reason)
        likely = np.exp(context.log_probability)
        told("", y != right, "cleanlab", find_label_issues(context.y, likely / likely.sum(1, keepdims=True)))


def confirmed(name: str) -> None:
    """Labels that people looked at, by published probabilities."""
    with np.load(shared_data() / "label_errors" / f"{name}_test.npz") as arrays:
        y, likely = arrays["original_labels"], arrays["pyx"].astype(np.float64)
    asked = pq.read_table(shared_data() / "label_errors" / "mturk.parquet").to_pylist()
    asked = [row for row in asked if row["dataset"] == name]
    seen = np.array([int(row["id"]) for row in asked])
    wrong = np.zeros(len(y), bool)
    wrong[seen[[row["confirmed_error"] for row in asked]]] = True
    known = np.isin(np.arange(len(y)), seen)
    likely /= likely.sum(axis=1, keepdims=True)
    log_p = np.log(np.maximum(likely, 1e-12))
    posterior = wrong_label_posterior(likely, y, plateau(log_p, y).rates)
    count = round(float(posterior.sum()))
    flags = np.isin(np.arange(len(y)), np.argsort(log_p[np.arange(len(y)), y], kind="stable")[:count])
    told(f"label_errors {name}", wrong, "foretaste", flags & known, f"{count} counted wrong")
    told("", wrong, "cleanlab", find_label_issues(y, likely) & known)


def told(
    labels: str, wrong: NDArray[np.bool_], method: str, flags: NDArray[np.bool_], reason: str = ""
) -> None:
    """One line."""
    hit = int((flags & wrong).sum())
    recall, fdr = hit / max(int(wrong.sum()), 1), 1 - hit / max(int(flags.sum()), 1) if flags.any() else 0.0
    counts = f"{int(wrong.sum()):>6}  {method:<14}{int(flags.sum()):>8}"
    print(f"{labels:<28}{counts}{recall:>8.2f}{fdr:>6.2f}  {reason}", flush=True)


if __name__ == "__main__":
    main()
