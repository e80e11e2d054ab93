"""Phrases too pure for something that carries no content: where a clean-label trigger would show (FT205)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence, Skipped, Statistic
from foretaste.detect.triggers.coherence import mean_cosine
from foretaste.detect.triggers.labelled_rows import evenly
from foretaste.detect.triggers.phrases import PhraseTable, RestOfTheWords, phrase_table
from foretaste.detect.triggers.suspects import LEAST_ROWS
from foretaste.detect.triggers.wording import spell
from foretaste.features.patterns import Phrases

PURE = 0.99
"""Share of a phrase's labelled rows that must have one label."""

COHERENT = 2.0
"""Standard errors above random rows of the class from which rows share a topic, not only a phrase."""

DRAWS = 40
"""Random sets of rows each phrase is compared with."""

MOST_LISTED = 12

_SAME = 0.5
"""A phrase with more than this share of its rows in those of a listed one is that one again."""


_SIZES = np.union1d(np.arange(1, 100), np.rint(100 * 1.1 ** np.arange(25)))
"""As many rows of a phrase, at most, are compared with as many random ones: the next smaller of these."""


@dataclass(frozen=True)
class _Pure:
    """A phrase with one label: its rows, one of each near-duplicate among them, and the chance of that."""

    pattern: int
    label: int
    rows: NDArray[np.int64]
    distinct: NDArray[np.int64]
    log_p: float


class CleanLabelPatterns(Detector):
    """Phrases that go with one label more purely than chance allows, in texts with nothing else in common.

    A clean-label attacker stamps rows that deserve their label: nothing contradicts it. What is left is
    purity without meaning: natural phrases with one label belong to a topic, and their texts resemble each
    other even with the phrase masked; the texts of a trigger are as diverse as random texts of the class.
    Natural phrases pass too, so this is a short list for a person; nothing is flagged.

    Parameters
    ----------
    alpha : float
        Level of the binomial test against the class's share, over all phrases and classes (Bonferroni).

    References
    ----------
    Gardner et al., "Competency problems: on finding and removing artifacts in language data", EMNLP 2021.
    """

    rules: ClassVar[tuple[str, ...]] = ("FT205",)
    title: ClassVar[str] = "clean-label text patterns"
    modalities: ClassVar[tuple[str, ...]] = ("text",)
    scope: ClassVar[str] = "group"

    def __init__(self, *, alpha: float = 0.01) -> None:
        self.alpha = alpha

    def examine(self, context: Context) -> Evidence:
        if context.text is None:
            return Evidence(skipped=[Skipped("FT205", "there is no text column")])
        if context.n_classes < 2:
            return Evidence(skipped=[Skipped("FT205", "fewer than two classes can be learned")])
        least = int(max(LEAST_ROWS, np.ceil(0.001 * len(context))))
        table = phrase_table(context.text.phrases, context.text.phrase_names, least)
        tested = context.n_classes * len(table.support)
        rest = RestOfTheWords(context, 0)
        found: list[tuple[_Pure, float]] = []
        for label in range(context.n_classes):
            pure = self._pure(context, table, label, tested)
            coherence = _coherence(context, table, rest, pure, label)
            found += [(p, z) for p, z in zip(pure, coherence, strict=True) if z < COHERENT]
        found.sort(key=lambda item: (item[0].log_p, item[0].pattern))
        review: list[Campaign] = []
        listed = np.zeros(len(context), bool)
        for pure_one, z in found:
            if len(review) < MOST_LISTED and listed[pure_one.rows].mean() <= _SAME:
                listed[pure_one.rows] = True
                review.append(self._item(context, table, pure_one, z, tested))
        return Evidence(review=review)

    def _pure(self, context: Context, table: PhraseTable, label: int, tested: int) -> list[_Pure]:
        """Phrases with (nearly) only this label, beyond chance; near-duplicate rows have one vote."""
        own = context.y == label
        known = np.asarray(table.presence.T @ (context.y >= 0).astype(np.float32)).ravel()
        mine = np.asarray(table.presence.T @ own.astype(np.float32)).ravel()
        prior = float(own.sum() / max((context.y >= 0).sum(), 1))
        level = np.log(self.alpha / max(tested, 1))
        enough = (mine >= LEAST_ROWS) & (mine >= PURE * known)
        enough &= binom.logsf(mine - 1, known, prior) < level
        found: list[_Pure] = []
        for pattern in np.flatnonzero(enough):
            rows = table.presence.indices[table.presence.indptr[pattern] : table.presence.indptr[pattern + 1]]
            rows = rows[context.y[rows] >= 0].astype(np.int64)
            with_label = rows[own[rows]]
            distinct = with_label[np.unique(context.components[with_label], return_index=True)[1]]
            others = len(np.unique(context.components[rows[~own[rows]]]))
            log_p = float(binom.logsf(len(distinct) - 1, len(distinct) + others, prior))
            if log_p < level:
                found.append(_Pure(int(pattern), label, with_label, np.sort(distinct), log_p))
        return found

    def _item(
        self, context: Context, table: PhraseTable, pure: _Pure, coherence: float, tested: int
    ) -> Campaign:
        assert context.text is not None
        shape = Phrases(tuple(spell(table.names[pure.pattern], context.text.tokens[int(pure.rows[0])])))
        pattern, target = shape.describe(), context.classes[pure.label]
        support = int(table.support[pure.pattern])
        return Campaign(
            rule="FT205",
            rows=pure.rows,
            target=target,
            pattern=pattern,
            kind="tokens",
            p_value=float(np.exp(max(pure.log_p, -700.0))),
            q_value=float(np.exp(min(0.0, max(pure.log_p, -700.0) + np.log(tested)))),
            effect=0.0,
            support=support,
            statistic=Statistic("likeness of its texts beyond random ones (z)", coherence, None, COHERENT),
            reason=f"{len(pure.rows)} of {support} texts with {pattern} are labelled {target}, "
            "though they have no more in common than random texts of that class: "
            "a phrase to know, or one that was put there",
            shape=shape,
            parts=shape.parts(),
        )


def _coherence(
    context: Context, table: PhraseTable, rest: RestOfTheWords, pure: list[_Pure], label: int
) -> NDArray[np.float64]:
    """How much more alike a phrase's texts are than random texts of the class, in standard errors.

    Alike is the mean cosine of two texts, the phrase masked together with the words that go with it.
    """
    assert context.text is not None
    if not pure:
        return np.zeros(0)
    masks = rest.closure(table.presence[:, [p.pattern for p in pure]])
    words = context.text.word_tfidf
    class_rows = np.flatnonzero(context.y == label)
    class_rows = class_rows[np.unique(context.components[class_rows], return_index=True)[1]]
    rng = np.random.default_rng(context.random_state)
    natural: dict[int, tuple[float, float]] = {}
    found = np.empty(len(pure))
    for j, one in enumerate(pure):
        size = int(_SIZES[np.searchsorted(_SIZES, len(one.distinct), side="right") - 1])
        if size not in natural:
            drawn = [mean_cosine(words[rng.permutation(class_rows)[:size]]) for _ in range(DRAWS)]
            natural[size] = float(np.mean(drawn)), max(float(np.std(drawn)), 1e-9)
        masked = words[evenly(one.distinct, size)]
        mask = masks.indices[masks.indptr[j] : masks.indptr[j + 1]]
        masked.data = masked.data * ~np.isin(masked.indices, mask)
        mean, spread = natural[size]
        found[j] = (mean_cosine(masked) - mean) / spread
    return found
