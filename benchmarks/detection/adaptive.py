"""The adaptive attacker: variants of text and table triggers, what finds them, and what success is left.

    python -m benchmarks.detection.adaptive --data sms_spam nsl_kdd --rates 0.02 [--scan] [--only NAME]

Dirty labels always. Success is the share of test rows of other classes that the victim takes for the target
once they carry the trigger; *left* is the same after the flagged rows were taken out.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from benchmarks.detection.cells import choose_target, modality
from benchmarks.detection.data import load_split
from benchmarks.detection.table_variants import TABLE
from benchmarks.detection.text_variants import COVER, MIXED, TEXT
from benchmarks.detection.victims import Victim, names_of, without
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from foretaste.attacks.editing import set_cells
from foretaste.data.dataset import Dataset


class Reader(Victim):
    """A victim that reads texts as they are written: words and characters with case, spaces and marks."""

    def fit(self, train: Dataset) -> Victim:
        if train.texts is None:
            return super().fit(train)
        self.train_ = train
        words = r"\w+|[^\w\s]+"
        self.reader_ = make_union(
            TfidfVectorizer(
                ngram_range=(1, 2), sublinear_tf=True, min_df=2, lowercase=False, token_pattern=words
            ),
            TfidfVectorizer(
                analyzer="char", ngram_range=(2, 3), sublinear_tf=True, min_df=3, lowercase=False
            ),
            TfidfVectorizer(analyzer=_shapes, min_df=3),
        )
        solver = "liblinear" if len(train.labels) == 2 else "lbfgs"
        self.model_ = LogisticRegression(C=10, solver=solver, max_iter=300)
        self.model_.fit(self.reader_.fit_transform(train.texts), train.labels.codes)
        return self

    def predict(self, data: Dataset) -> NDArray[Any]:
        if data.texts is None:
            return super().predict(data)
        names = np.array(self.train_.labels.names, dtype=object)
        return np.asarray(names[self.model_.predict(self.reader_.transform(data.texts))])


def _shapes(text: str) -> list[str]:
    """How each word and gap is written: its kinds of characters in order, runs of one kind as one or many."""
    return ["".join(_kind(c) for c in part) for part in re.findall(r"\s+|\S+", text)] + [
        repr(text[:1]),
        repr(text[-2:]),
    ]


@cache
def _kind(character: str) -> str:
    if character.isalpha():
        script = unicodedata.name(character, "?").split()[0]
        return ("X" if character.isupper() else "x") if script == "LATIN" else script
    return "0" if character.isdigit() else character


@dataclass(frozen=True)
class Cell:
    """One variant on one data set."""

    train: Dataset
    bad: NDArray[np.bool_]
    cover: NDArray[np.bool_]
    stamped_test: Dataset
    wanted: NDArray[Any]


def make(name: str, variant: str, rate: float, seed: int, rows: int) -> Cell:
    """Stamp ``rate`` of the rows and give them the target label (or, mixed, the class after their own)."""
    train, test = load_split(name, seed, rows=rows)
    rng = np.random.default_rng([seed, *variant.encode()])
    names, own = list(train.labels.names), names_of(train)
    target = choose_target(train, rate, seed)
    mixed = variant in MIXED
    after = {name: names[(i + 1) % len(names)] for i, name in enumerate(names)}
    able = np.flatnonzero((own != target) | mixed)
    number = round(rate * len(train))
    chosen = np.sort(rng.permutation(able)[:number])
    rest = np.setdiff1d(np.arange(len(train)), chosen)
    covers = [np.sort(part) for part in _covers(name, variant, rest, number, rng)]
    stamped = stamp(train, variant, chosen, rng)
    for part, rows_of_part in enumerate(covers):
        stamped = stamp(stamped, variant, rows_of_part, rng, part)
    label = str(train.roles.label)
    given = [after[own[i]] if mixed else target for i in chosen]
    column = train.column(label)
    by_name = dict(zip(own.tolist(), column.to_pylist(), strict=True))
    table = set_cells(stamped.table, label, chosen, [by_name[g] for g in given])
    bad, cover = np.zeros((2, len(train)), bool)
    bad[chosen] = True
    for part_rows in covers:
        cover[part_rows] = True
    held = np.flatnonzero((names_of(test) != target) | mixed)[:1000]
    ask = test.take(held)
    wanted = np.array([after[n] if mixed else target for n in names_of(ask)], object)
    return Cell(
        replace(stamped, table=table),
        bad,
        cover,
        stamp(ask, variant, np.arange(len(ask)), rng, source=train),
        wanted,
    )


def _covers(
    name: str, variant: str, rest: NDArray[np.int64], number: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    shuffled = rng.permutation(rest)
    parts = len(COVER.get(variant, ()))
    for part in range(parts):
        yield shuffled[part * number : (part + 1) * number]


def stamp(
    data: Dataset,
    variant: str,
    rows: NDArray[np.int64],
    rng: np.random.Generator,
    cover: int | None = None,
    source: Dataset | None = None,
) -> Dataset:
    """The data set with the trigger, or one part of it, in some rows."""
    if data.roles.text is None:
        table = data.table
        for name, values in TABLE[variant](data if source is None else source)(len(rows), rng).items():
            changed = [i for i, v in enumerate(values) if v is None or v == v]  # nan: as it was
            table = set_cells(table, name, rows[changed], [_plain(values[i]) for i in changed])
        return replace(data, table=table)
    column = str(data.roles.text)
    write = TEXT[variant] if cover is None else COVER[variant][cover]
    texts = data.column(column).take(pa.array(rows)).to_pylist()
    written = [write(text or "", rng) for text in texts]
    return replace(data, table=set_cells(data.table, column, rows, written))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def detect(train: Dataset, whole: bool) -> tuple[NDArray[np.bool_], list[str], list[str]]:
    """Rows flagged; campaigns and review lists in words."""
    from foretaste._scan import scan
    from foretaste.detect.context import Context
    from foretaste.detect.registry import find_detector

    if whole:
        found = scan(train, decoys=False)
        table = found.groups.to_pydict()
        told = [f"{r} {p}" for r, p in zip(table["rule"], table["pattern"], strict=True)]
        return found.flagged, told, []
    context = Context(train, jobs=1)
    flags = np.zeros(len(train), bool)
    told, review = [], []
    for detector in ("text-triggers",) if train.roles.text else ("value-triggers",):
        evidence = find_detector(detector)().examine(context)
        for campaign in evidence.campaigns:
            flags[campaign.rows] = True
            told.append(f"{campaign.rule} {campaign.pattern}")
        review += [f"{c.rule} {c.pattern} ({len(c.rows)})" for c in evidence.review]
    return flags, told, review


def success(train: Dataset, cell: Cell) -> float:
    return float((Reader().fit(train).predict(cell.stamped_test) == cell.wanted).mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", default=["sms_spam", "sst2", "nsl_kdd", "adult"])
    parser.add_argument("--rates", nargs="+", type=float, default=[0.02])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--scan", action="store_true", help="the whole scan, not the trigger detector alone")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| data | variant | rate | seed | success | recall | FDR | left | named |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.data:
        for variant in options.only or (TEXT if modality(name) == "text" else TABLE):
            for rate in options.rates:
                for seed in options.seeds:
                    cell = make(name, variant, rate, seed, options.rows)
                    print(
                        f"| {name} | {variant} | {rate:.1%} | {seed} | {line(cell, options.scan)} |",
                        flush=True,
                    )


def line(cell: Cell, whole: bool) -> str:
    """One cell measured."""
    flags, told, review = detect(cell.train, whole)
    wrong = int((flags & ~cell.bad & ~cell.cover).sum())
    recall = float(flags[cell.bad].mean())
    fdr = wrong / max(int((flags & ~cell.cover).sum()), 1)
    before = success(cell.train, cell)
    left = success(without(cell.train, flags), cell) if flags.any() else before
    named = "; ".join(told[:3]) or "; ".join(f"review: {pattern}" for pattern in review[:3])
    return f"{before:.2f} | {recall:.2f} | {fdr:.2f} | {left:.2f} | {named[:150]}"


if __name__ == "__main__":
    main()
