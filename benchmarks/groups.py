"""Wrong labels in one group only: what a whole scan says.

    python -m benchmarks.groups --datasets ames_housing adult --seeds 0 1 --rows 4000

The group is drawn by the seed: a value of a category that 5 to 35 % of the rows have, or a word of 3 to 12 %
of texts. ``both`` flips a quarter of its labels, ``one way`` gives 40 % of its rows of the rarer class the
other label. One line a scan: whether the group was named in a campaign or for review, recall and
false-discovery rate of the flagged rows, and the number of wrong labels as counted. `ames_housing` is
labelled by whether a price is above the median.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from benchmarks.detection.data import load_split, shared_data

from foretaste._scan import scan
from foretaste.attacks import LabelFlip
from foretaste.data.dataset import Dataset, Roles
from foretaste.features.text import tokenize

DATASETS = ("ames_housing", "adult", "nsl_kdd", "german_credit", "sms_spam", "hate_offensive_davidson")
KINDS = {"none": 0.0, "both": 0.25, "one way": 0.4}


def data(name: str, seed: int, rows: int) -> Dataset:
    """Training rows drawn by the seed."""
    if name != "ames_housing":
        return load_split(name, seed, rows=rows)[0]
    table = pq.read_table(shared_data() / "ames_housing" / "ames_housing.parquet")
    price = table.column("SalePrice").to_numpy()
    label = pa.array(np.where(price > np.median(price), "high", "low"))
    table = table.drop_columns(["SalePrice", "Order", "PID"]).append_column("price", label)
    order = np.sort(np.random.default_rng(seed).permutation(len(table))[:rows])
    features = tuple(name for name in table.column_names if name != "price")
    return Dataset(table.take(pa.array(order)), Roles(label="price", features=features), name)


def groups(train: Dataset) -> Iterator[tuple[str, dict[str, Any]]]:
    """Groups that could be attacked: what a scan would call them, and how `LabelFlip` selects them."""
    n = len(train)
    if train.texts is not None:
        words: dict[str, int] = {}
        for text in train.texts:
            for word in {w for w in tokenize(text) if re.fullmatch(r"[a-z]{4,}", w)}:
                words[word] = words.get(word, 0) + 1
        for word in sorted(w for w, count in words.items() if 0.03 * n <= count <= 0.12 * n):
            yield word, {"keyword": word}
        return
    for column in train.roles.features:
        values = train.column(column)
        if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
            continue
        for found in pc.value_counts(values.combine_chunks()).to_pylist():
            if found["values"] is not None and 0.05 * n <= found["counts"] <= 0.35 * n:
                yield f"{column}={found['values']}", {"where": {column: found["values"]}}


def poison(train: Dataset, kind: str, seed: int) -> tuple[Dataset, np.ndarray, str]:
    """The data with a share of one group's labels wrong, which ones, and the group's name."""
    if kind == "none":
        return train, np.zeros(len(train), bool), ""
    there = list(groups(train))
    name, where = there[int(np.random.default_rng(seed).integers(len(there)))]
    names, codes = train.labels.names, train.labels.codes
    order = np.argsort(-np.bincount(codes[codes >= 0], minlength=len(names)), kind="stable")
    if kind == "one way":
        where |= {"source_class": names[order[-1]], "target": names[order[0]]}
    all_of_it = LabelFlip(rate=None, random_state=seed, **where).poison(train).mask.sum()
    rate = max(round(KINDS[kind] * all_of_it), 1) / len(train)
    done = LabelFlip(rate=rate, random_state=seed, **where).poison(train)
    return done.data, done.mask, name


def line(name: str, kind: str, seed: int, rows: int) -> str:
    """One scan, as a row of the table."""
    train, wrong, group = poison(data(name, seed, rows), kind, seed)
    started = time.process_time()
    found = scan(train.table, label=train.roles.label, text=train.roles.text, decoys=False)
    seconds = time.process_time() - started
    named = bool(group) and group in found.groups.column("pattern").to_pylist()
    family = np.array(found.rows.column("family").to_pylist(), dtype=object)
    of_review = found.rows.filter(pa.array(family == "review"))
    reasons = [reason.replace("'", "") for reason in set(of_review.column("reason").to_pylist()) if reason]
    listed = bool(group) and any(re.search(f"rows with {re.escape(group)} (seem|in)", r) for r in reasons)
    own = sum(rule == "FT105" for rule in found.groups.column("rule").to_pylist())
    other = own - named + sum("seem to have a wrong label" in reason for reason in reasons) - listed
    hits, flags = int((found.flagged & wrong).sum()), int(found.flagged.sum())
    recall = f"{hits / wrong.sum():.2f}" if wrong.any() else "-"
    count = found.summary["mislabels"]
    said = "campaign" if named else "review" if listed else "no" if group else "-"
    told = [count[end] for end in ("estimate", "low", "high")]
    shown = "-" if None in told else "{:.0f} ({:.0f} to {:.0f})".format(*told)
    fdr = f"{(flags - hits) / flags:.2f}" if flags else "-"
    return (
        f"| {name} | {kind} | {seed} | {group or '-'} | {wrong.sum()} | {found.verdict} | {said} | {other} "
        f"| {recall} / {fdr} | {shown} | {seconds:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.groups", description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), metavar="NAME")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], metavar="N")
    parser.add_argument("--rows", type=int, default=4000, metavar="N", help="training rows, at most")
    options = parser.parse_args()
    print(
        "| data | labels flipped | seed | group | wrong | verdict | group named | other groups | recall/FDR "
        "| counted wrong at random | CPU s |"
    )
    print("|---" * 11 + "|")
    for name in options.datasets:
        for kind in options.kinds:
            for seed in options.seeds:
                print(line(name, kind, seed, options.rows), flush=True)


if __name__ == "__main__":
    main()
