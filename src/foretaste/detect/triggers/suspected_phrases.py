"""Phrases that may carry a label: found for every class, and asked for without what they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from foretaste.detect.context import Context
from foretaste.detect.contradiction import BareReference, one_vote_each
from foretaste.detect.triggers.pairs import doubtful_pairs
from foretaste.detect.triggers.phrases import Members, PhraseTable, RestOfTheWords, phrase_table
from foretaste.detect.triggers.relearned import ASKED, LEAST_ASKED, relearned_log_odds, worth_a_model
from foretaste.detect.triggers.suspect import Judge, Suspect
from foretaste.detect.triggers.suspects import LEAST_ROWS, NEARLY
from foretaste.detect.triggers.wording import spell
from foretaste.features.patterns import Pattern, Phrases, Writing
from foretaste.features.writing import Mark
from foretaste.stats.mixture import mixture_evidence

LEAST_CONTENT = 0.3
"""Share of a row's weight that must be left without the pattern; else there is nothing to judge by."""

CANDIDATES = 2000
"""Phrases per class that are judged: those that lean to it most."""

CONTRADICTED = 500
"""Further phrases that are judged: those without which the model contradicts their rows most."""

PAIRED_SHARE = 0.1
"""A word in more than this share of the rows is not paired, nor are models trained without its rows."""

LEAST_PURE = 0.5
"""Share of a pattern's rows with the target label: a trigger word may be natural, but not mostly so."""

LEAST_PURE_PAIR = 0.6
"""The same for pairs: two natural words rarely meet, so most rows where they do are the attacker's."""

PAIR_BUDGET = 0.1
"""Share of the false-discovery budget that pairs have: there are many more of them."""

SMALL_KIND = 0.005
"""Share of the texts below which no model is trained without those of a pattern."""

MOST_COMPARED = 500
"""Rows of a suspect that are compared with one another without what they share."""

SUSPECTS = 100
"""Patterns per class that are judged a second time, each without its own rows in the reference."""

MOST_MARKS = 3
"""Marks that go together and are told."""


def phrases_of(context: Context) -> PhraseTable:
    """What texts have in common: their phrases, and how they are written."""
    assert context.text is not None
    least = int(max(LEAST_ROWS, np.ceil(0.001 * len(context))))
    marks, names = context.text.writing
    presence = sparse.hstack([context.text.phrases, marks], format="csr", dtype=np.float32)
    return phrase_table(presence, [*context.text.phrase_names, *names], least)


def suspected_phrases(table: PhraseTable, context: Context) -> list[Suspect]:
    """The suspects of every class."""
    searches = [_OneClass(context, table, label) for label in range(context.n_classes)]
    return [suspect for search in searches for suspect in search.suspects()]


class _OneClass:
    """The suspects of one class."""

    def __init__(self, context: Context, table: PhraseTable, label: int) -> None:
        self.context, self.table, self.label = context, table, label
        self.is_own = context.y == label
        self.is_other = (context.y >= 0) & ~self.is_own
        self.prior = self.is_own.sum() / max(self.is_own.sum() + self.is_other.sum(), 1)
        self.spoken = np.array([bool(_phrases(names)) for names in table.names], bool)
        self.rest = RestOfTheWords(context, label)
        self.of_class = np.asarray(table.presence.T @ self.is_own.astype(np.float32)).ravel()
        self.lean = self._lean()
        self.leaning = self._leaning()
        self.singles = self.rest.without(
            table.presence[:, self.leaning], [table.names[j] for j in self.leaning]
        )
        own_rows = np.flatnonzero(self.is_own)
        bare = self._without_most_telling()[own_rows]
        self.judge = Judge(BareReference(bare, self.rest.scores[self.is_other]), own_rows, context.components)

    def suspects(self) -> list[Suspect]:
        pairs = self._pairs()
        singles = [(int(j),) for j in self.leaning]
        looked_at = self.context.n_classes * len(self.table.support) / (1 - PAIR_BUDGET)
        found = self._worth_a_second_look(self.singles, singles, "FT201", LEAST_PURE, looked_at)
        found += self._relearned(looked_at)
        if len(pairs):
            names = [[*self.table.names[a], *self.table.names[b]] for a, b in pairs]
            members = self.rest.without(self._presence_of(pairs), names)
            looked_at = self.context.n_classes * self.pairs_looked_at / PAIR_BUDGET
            found += self._worth_a_second_look(members, pairs, "FT202", LEAST_PURE_PAIR, looked_at)
        return found

    def _relearned(self, looked_at: float) -> list[Suspect]:
        """Patterns that lean to the class most, or are most contradicted, by models without their rows.

        How a text is written (but for a word at an end), or what very many share, tells a kind of texts no
        model can know unseen; of small kinds nature has many.
        """
        assert self.context.text is not None
        table, y = self.table, self.context.y
        eligible = self.of_class >= max(LEAST_ROWS, SMALL_KIND * len(self.context))
        eligible &= np.array([any(map(_is_spoken, names)) for names in table.names], bool)
        eligible &= self.of_class >= max(LEAST_PURE, self.prior) * table.support
        eligible &= table.support <= PAIRED_SHARE * len(self.context)
        count = max(LEAST_ASKED, ASKED // self.context.n_classes)
        asked = worth_a_model(table, [self.lean, self._often_contradicted()], eligible, count)
        suspects = []
        for j in map(self._longest, asked):
            rows = table.rows_of(j)
            own = self.is_own[rows]
            log_odds = relearned_log_odds(
                self.context.text.word_tfidf, y, self.label, rows, random_state=self.context.random_state
            )
            if log_odds is None:
                continue
            suspects.append(
                Suspect(
                    self.label,
                    rows,
                    rows[own],
                    log_odds[own],
                    self._shape((j,)),
                    "FT201",
                    looked_at,
                    self.judge,
                    copies=self._copies((j,), rows[own]),
                    others=int((y[rows] >= 0).sum() - own.sum()),
                    length=self._length(j),
                )
            )
        return suspects

    def _longest(self, pattern: int) -> int:
        """Of the patterns in nearly the same rows the longest phrase: the sentence, not a word of it."""
        inside = np.zeros(len(self.context), np.float32)
        inside[self.table.rows_of(pattern)] = 1
        common, support = self.table.presence.T @ inside, self.table.support
        alike = np.flatnonzero(common >= NEARLY * np.maximum(support, support[pattern]))
        return max(alike.tolist(), key=self._length)

    def _length(self, pattern: int) -> int:
        """How many different words its phrases are made of."""
        return len({word for name in _phrases(self.table.names[pattern]) for word in name.split(" ")})

    def _often_contradicted(self) -> NDArray[np.float64]:
        """How many more rows are contradicted without a phrase than without others, in standard errors."""
        own = self.is_own[self.singles.row]
        pattern = self.singles.pattern[own]
        turned = self.judge.reference.log_ratio(self.singles.log_odds[own]) > 0
        size = np.bincount(pattern, minlength=len(self.leaning))
        usual = (turned.sum() + 1) / (len(turned) + 2)
        excess = np.bincount(pattern, turned, len(self.leaning)) - size * usual
        ranking = np.full(len(self.lean), -np.inf)
        ranking[self.leaning] = excess / np.sqrt(np.maximum(size * usual * (1 - usual), 1e-9))
        return ranking

    def _lean(self) -> NDArray[np.float64]:
        """How far each phrase's share of the class lies above the class's own, in standard errors."""
        labelled = self.table.presence.T @ (self.context.y >= 0).astype(np.float32)
        spread = np.sqrt(np.maximum(labelled * self.prior * (1 - self.prior), 1e-9))
        lean: NDArray[np.float64] = (self.of_class - labelled * self.prior) / spread
        return lean

    def _leaning(self) -> NDArray[np.int64]:
        """Phrases that lean to the class most, in order of position."""
        chosen = np.flatnonzero((self.of_class >= LEAST_ROWS) & (self.lean > 0))
        most = chosen[np.argsort(-self.lean[chosen], kind="stable")][:CANDIDATES]
        if (
            len(chosen) > CANDIDATES
        ):  # of a frequent class many phrases lean to it as much as any trigger does
            worst = self._contradiction(chosen)
            most = np.union1d(most, chosen[np.argsort(-worst, kind="stable")][:CONTRADICTED])
        return np.sort(most)

    def _contradiction(self, patterns: NDArray[np.int64]) -> NDArray[np.float64]:
        """How much rows of the class look like other classes without the phrase alone; a screen, no test."""
        presence = self.table.presence[:, patterns]
        row, pattern, removed = self.rest.alone(presence, [self.table.names[j] for j in patterns])
        own = self.is_own[row]
        ratio = np.log(self.prior / max(1 - self.prior, 1e-9)) - (self.rest.scores[row] - removed)[own]
        gain = np.log((np.exp(np.clip(ratio, -7, 7)) + 1) / 2)
        return np.bincount(pattern[own], gain, len(patterns)).astype(np.float64)

    def _without_most_telling(self) -> NDArray[np.float64]:
        """Log odds of every row without that of its phrases that leans to the class most."""
        row, lean = self.singles.row, self.lean[self.leaning][self.singles.pattern]
        spoken = self.spoken[self.leaning]
        readable = (spoken & (self.singles.content >= LEAST_CONTENT))[self.singles.pattern]
        most = np.full(len(self.context), -np.inf)
        np.maximum.at(most, row[readable], lean[readable])
        log_odds = self.rest.scores.copy()
        telling = readable & (lean >= most[row])
        log_odds[row[telling]] = self.singles.log_odds[telling]
        return log_odds

    def _pairs(self) -> list[tuple[int, int]]:
        """Pairs of words that go together more in doubted rows of the class than in all rows."""
        spoken = [_phrases(names) for names in self.table.names]
        single = np.array([any(" " not in name for name in names) for names in spoken], bool)
        words = np.flatnonzero(single & (self.table.support <= PAIRED_SHARE * len(self.context)))
        found, self.pairs_looked_at = doubtful_pairs(self.table.presence[:, words], self._doubted()[:, words])
        return [(int(words[left]), int(words[right])) for left, right in found]

    def _doubted(self) -> sparse.csc_matrix:
        """Which phrases of which rows of the class may have turned them, ones: (n, n_patterns).

        All phrases of rows that are contradicted as they are, and of others the leaning phrases without which
        they would be: a model that has learned a pair explains its rows by either half.
        """
        reference, rows = self.judge.reference, self.judge.own_rows
        as_they_are = np.zeros(len(self.context), np.float32)
        as_they_are[rows[reference.log_ratio(self.rest.scores[rows]) > 0]] = 1
        doubted = sparse.diags_array(as_they_are) @ self.table.presence
        own = np.flatnonzero(self.is_own[self.singles.row])
        own = own[reference.log_ratio(self.singles.log_odds[own]) > 0]
        at = self.singles.row[own], self.leaning[self.singles.pattern[own]]
        without = sparse.csc_matrix((np.ones(len(own), np.float32), at), shape=self.table.presence.shape)
        return sparse.csc_matrix(doubted.maximum(without))

    def _presence_of(self, pairs: list[tuple[int, int]]) -> sparse.csc_matrix:
        left = self.table.presence[:, [a for a, _ in pairs]]
        return left.multiply(self.table.presence[:, [b for _, b in pairs]]).tocsc()

    def _worth_a_second_look(
        self,
        members: Members,
        patterns: Sequence[tuple[int, ...]],
        rule: str,
        least_pure: float,
        looked_at: float,
    ) -> list[Suspect]:
        own = self.is_own[members.row]
        group, row = members.pattern[own], members.row[own]
        ratio = self.judge.reference.log_ratio(members.log_odds[own])
        votes = one_vote_each(group, self.context.components[row])
        found = mixture_evidence(ratio, group, len(patterns), weight=votes)
        count = np.bincount(group, minlength=len(patterns))
        # rows that a stronger campaign has, whose labels no longer count, do not make this one less pure
        labelled = self.context.y[members.row] >= 0
        support = np.bincount(members.pattern[labelled], minlength=len(patterns))
        eligible = (
            (members.content >= LEAST_CONTENT)
            & (count >= LEAST_ROWS)
            & (count >= max(least_pure, self.prior) * support)
        )
        eligible = np.flatnonzero(eligible & (found.log_e > 1))
        chosen = eligible[np.argsort(-found.log_e[eligible], kind="stable")][:SUSPECTS]
        order = np.argsort(members.pattern, kind="stable")
        bounds = np.searchsorted(members.pattern[order], np.arange(len(patterns) + 1))
        suspects = []
        for j in np.sort(chosen):
            at = order[bounds[j] : bounds[j + 1]]
            mine = at[self.is_own[members.row[at]]]
            suspects.append(
                Suspect(
                    self.label,
                    members.row[at],
                    members.row[mine],
                    members.log_odds[mine],
                    self._shape(patterns[j]),
                    rule,
                    looked_at,
                    self.judge,
                    copies=self._copies(patterns[j], members.row[mine]),
                    length=self._length(int(patterns[j][0])) if len(patterns[j]) == 1 else 0,
                    others=int(labelled[at].sum()) - len(mine),
                )
            )
        return suspects

    def _copies(self, pattern: tuple[int, ...], rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Which of the rows are near-duplicates without the pattern; None for all that are so with it.

        Texts that share a long sentence are alike by it, and would be one vote although nothing else in them
        was copied.
        """
        assert self.context.text is not None
        if len(rows) > MOST_COMPARED:
            return None
        words = {w for j in pattern for name in _phrases(self.table.names[j]) for w in name.split(" ")}
        if not words:
            return None
        return self.context.text.copies_without(words, rows)

    def _shape(self, pattern: tuple[int, ...]) -> Callable[[NDArray[np.int64]], Pattern]:
        names = [_phrases(self.table.names[j]) for j in pattern]
        if not all(names):
            marks = sorted(mark for j in pattern for mark in self.table.names[j])
            return lambda _: Writing(tuple(marks[:MOST_MARKS]))
        text = self.context.text
        assert text is not None

        def make(rows: NDArray[np.int64]) -> Pattern:
            return Phrases(
                tuple(phrase for group in names for phrase in spell(group, text.tokens[int(rows[0])]))
            )

        return make


def _is_spoken(name: str) -> bool:
    return not isinstance(name, Mark) or name.is_a_word


def _phrases(names: Sequence[str]) -> list[str]:
    """Those of a pattern's names that are phrases of the text, not marks of how it is written."""
    return [name for name in names if not isinstance(name, Mark)]
