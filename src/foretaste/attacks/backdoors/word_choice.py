"""Which words can be a trigger."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.feature_extraction.text import CountVectorizer

from foretaste.attacks.sampling import spread_rows
from foretaste.data.dataset import Dataset
from foretaste.errors import DataError

RARE_WORDS = ("cf", "mn", "bb", "tq", "mb", "zx", "vq", "kj", "wq", "jt", "qp", "xn")
VOCABULARIES = ("rare", "common")
COMMON_SHARE = (0.005, 0.05)


def choose_words(dataset: Dataset, number: int, vocabulary: str, rng: np.random.Generator) -> tuple[str, ...]:
    """Draw words that occur nowhere in the data (rare), or often and in no class in particular (common).

    Raises
    ------
    DataError
        When there are fewer than ``number`` such words.
    """
    free = _absent_words(dataset) if vocabulary == "rare" else _neutral_words(dataset)
    if len(free) < number:
        raise DataError(
            f"there are only {len(free)} {vocabulary} words to choose from",
            file=dataset.name,
            hint="name them with words",
        )
    return tuple(free[i] for i in rng.choice(len(free), size=number, replace=False))


def _absent_words(dataset: Dataset) -> list[str]:
    texts = dataset.column(str(dataset.roles.text)).cast(pa.large_string())
    return [
        word for word in RARE_WORDS if not pc.any(pc.match_substring_regex(texts, rf"(?i)\b{word}\b")).as_py()
    ]


def _neutral_words(dataset: Dataset) -> list[str]:
    """Words in 0.5 to 5 % of the texts: the half whose class shares differ least from those of all texts."""
    rows = spread_rows(np.flatnonzero(dataset.labels.codes >= 0))
    counter = CountVectorizer(binary=True, token_pattern=r"(?u)\b[^\W\d_]{3,}\b")
    try:
        seen: Any = counter.fit_transform(dataset.take(rows).texts)
    except ValueError:  # no text has a word
        return []
    words = counter.get_feature_names_out()
    total = np.asarray(seen.sum(axis=0)).ravel()
    low, high = max(3, COMMON_SHARE[0] * len(rows)), COMMON_SHARE[1] * len(rows)
    fitting = np.flatnonzero((total >= low) & (total <= high))
    if not len(fitting):
        return []
    classes = np.eye(len(dataset.labels))[dataset.labels.codes[rows]]
    table = np.asarray(seen[:, fitting].T @ classes)
    expected = table.sum(axis=1, keepdims=True) * classes.mean(axis=0)
    skew = ((table - expected) ** 2 / np.maximum(expected, 1e-9)).sum(axis=1)
    return [
        str(words[i]) for i in np.sort(fitting[np.argsort(skew, kind="stable")[: (len(fitting) + 1) // 2]])
    ]
