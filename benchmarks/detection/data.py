"""Real data for the benchmark, from the shared folder beside the checkout (never from the repository)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from foretaste.data.dataset import Dataset, Roles

DEFAULT_ROWS = 8000
IMAGE_ROWS = 2500
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Kind:
    """Where a data set lies and what its columns are; rows with the same values of ``together`` are kin."""

    file: str
    label: str
    text: str | None = None
    image: str | None = None
    drop: tuple[str, ...] = ()
    test_file: str | None = None
    prepare: Callable[[pa.Table], pa.Table] | None = None
    together: tuple[str, ...] = ()

    @property
    def modality(self) -> str:
        return "text" if self.text is not None else "tabular" if self.image is None else "image"

    @property
    def usual_rows(self) -> int:
        """Training rows, unless asked otherwise."""
        return DEFAULT_ROWS if self.image is None else IMAGE_ROWS


def _wine_classes(table: pa.Table) -> pa.Table:
    """Wine quality as three classes of useful size: up to 5, 6, from 7."""
    quality = table.column("quality")
    names = pc.if_else(pc.less_equal(quality, 5), "low", pc.if_else(pc.equal(quality, 6), "middle", "high"))
    return table.set_column(table.column_names.index("quality"), "quality", names)


def _known_label(table: pa.Table) -> pa.Table:
    return table.filter(pc.is_valid(table.column("label")))


KINDS: dict[str, Kind] = {
    # the first table
    "sms_spam": Kind("sms_spam/sms_spam.parquet", "label", "text"),
    "enron1_spam": Kind("enron1_spam/enron1_spam.parquet", "label", "text"),
    "sst2": Kind("sst2/train.parquet", "label", "text", test_file="sst2/test.parquet"),
    "nsl_kdd": Kind("nsl_kdd/train20.parquet", "label", drop=("attack", "difficulty", "difficulty_level")),
    "adult": Kind("adult/train.parquet", "income", test_file="adult/test.parquet"),
    "tuandromd": Kind("tuandromd/tuandromd.parquet", "Label"),
    # unseen variation: nothing may be tuned on these
    "hate_offensive_davidson": Kind("hate_offensive_davidson/davidson.parquet", "label", "text"),
    "ag_news": Kind("ag_news/ag_news.parquet", "label", "text"),
    "youtube_spam": Kind("youtube_spam/youtube_spam.parquet", "label", "text"),
    "url_phishtank": Kind("url_phishtank/urls.parquet", "label", "url", prepare=_known_label),
    "deceptive_opinion_spam": Kind("deceptive_opinion_spam/deceptive.parquet", "deceptive", "text"),
    "creditcard_fraud_sample": Kind("creditcard_fraud_sample/creditcard.parquet", "Class"),
    "german_credit": Kind("german_credit/german_credit.parquet", "label"),
    "wine_quality": Kind("wine_quality/wine_quality.parquet", "quality", prepare=_wine_classes),
    "wine_colour": Kind("wine_quality/wine_quality.parquet", "colour"),
    # images
    "fashion_mnist": Kind("fashion_mnist/train.npz", "y", image="x", test_file="fashion_mnist/test.npz"),
    "cifar10_train10k": Kind("cifar10_train10k/train.npz", "y", image="x"),
    "gtsrb": Kind("gtsrb/gtsrb.npz", "y", image="x", together=("y", "track")),
}


def shared_data() -> Path:
    """The folder with the shared data: ``FORETASTE_SHARED_DATA`` or ``shared/data`` in a folder above.

    Raises
    ------
    FileNotFoundError
        When there is none.
    """
    named = os.environ.get("FORETASTE_SHARED_DATA")
    if named:
        return Path(named)
    for folder in Path(__file__).resolve().parents:
        if (folder / "shared" / "data" / "INDEX.md").exists():
            return folder / "shared" / "data"
    raise FileNotFoundError("no folder shared/data above this checkout; set FORETASTE_SHARED_DATA")


def load(name: str, *, deduplicate: bool = False) -> Dataset:
    """All rows of one data set (without its test file), with roles; nothing is sampled.

    Parameters
    ----------
    name : str
        A key of ``KINDS``.
    deduplicate : bool
        Keep the first of rows that are equal in every column.
    """
    return _read(name, KINDS[name].file, deduplicate)


def load_split(
    name: str, seed: int, *, rows: int | None = DEFAULT_ROWS, deduplicate: bool = False
) -> tuple[Dataset, Dataset]:
    """Training and test part, drawn anew for each seed.

    Parameters
    ----------
    rows : int or None
        At most this many training rows; None for all. The test part is as the data set gives it, or a fifth;
        rows that are kin (frames of one physical sign) are never in both.
    """
    kind = KINDS[name]
    rng = np.random.default_rng([seed, *name.encode()])
    data = load(name, deduplicate=deduplicate)
    order = rng.permutation(len(data))
    if kind.test_file is not None:
        test = _read(name, kind.test_file, False)
        test = test.take(np.sort(rng.permutation(len(test))[:5000]))
    else:
        held = round(TEST_SHARE * len(order))
        if kind.together:
            order, held = _kin_first(order, _kin(kind), held)
        test = data.take(np.sort(order[:held][:5000]))
        order = order[held:]
    return data.take(np.sort(order[:rows])), test


def _read(name: str, file: str, deduplicate: bool) -> Dataset:
    kind = KINDS[name]
    if kind.image is not None:
        table = Dataset.read(shared_data() / file, label=kind.label).table.select([kind.label, kind.image])
        return Dataset(table, Roles(label=kind.label, image=kind.image), name=name)
    table = pq.read_table(shared_data() / file)
    if kind.prepare is not None:
        table = kind.prepare(table)
    if kind.text is not None:
        table = table.select([kind.label, kind.text])
        roles = Roles(label=kind.label, text=kind.text)
    else:
        table = table.drop_columns([column for column in kind.drop if column in table.column_names])
        roles = Roles(label=kind.label, features=tuple(c for c in table.column_names if c != kind.label))
    data = Dataset(table, roles, name=name)
    return data.take(_first_of_equal(table)) if deduplicate else data


def _kin(kind: Kind) -> np.ndarray:
    """The number of each row's family."""
    with np.load(shared_data() / kind.file, allow_pickle=False) as arrays:
        values = np.column_stack([arrays[name] for name in kind.together])
    return np.unique(values, axis=0, return_inverse=True)[1].ravel()


def _kin_first(order: np.ndarray, family: np.ndarray, least: int) -> tuple[np.ndarray, int]:
    """The order with whole families drawn to its front, ``least`` rows or some more; and how many."""
    _, first = np.unique(family[order], return_index=True)
    drawn = family[order[np.sort(first)]]
    enough = int(np.searchsorted(np.cumsum(np.bincount(family)[drawn]), least)) + 1
    front = np.isin(family[order], drawn[:enough])
    return np.concatenate([order[front], order[~front]]), int(front.sum())


def _first_of_equal(table: pa.Table) -> np.ndarray:
    numbered = table.append_column("__row", pa.array(np.arange(table.num_rows)))
    first = numbered.group_by(table.column_names).aggregate([("__row", "min")]).column("__row_min")
    return np.sort(first.to_numpy())
