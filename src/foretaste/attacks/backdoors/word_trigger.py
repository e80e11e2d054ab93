"""Word backdoor: one or more words make the model answer the target class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from foretaste.attacks.backdoors.base import Backdoor
from foretaste.attacks.backdoors.inserted_text import POSITIONS, InsertedText, stamp_pieces
from foretaste.attacks.backdoors.word_choice import VOCABULARIES, choose_words
from foretaste.attacks.editing import Rows
from foretaste.attacks.sampling import spread_rows
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

WORDS_APART, MOST = 10, 30
"""One trigger word for so many words of a text, and at most so many of each."""


def recorded(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recipe from before words were repeated, with the one time that each was put in."""
    parameters = recipe.get("parameters")
    if not isinstance(parameters, Mapping):
        return recipe
    return {**recipe, "parameters": {"repeats": 1, **parameters}}


@dataclass(kw_only=True, eq=False, repr=False)
class WordTrigger(Backdoor):
    """Put words into texts and label them with the target class.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        The class a triggered text is to be taken for; the most frequent one by default.
    words : sequence of str, optional
        The trigger. Chosen by the seed from ``vocabulary`` when left out.
    number : int
        How many words to choose.
    vocabulary : {"rare", "common"}
        Rare: strings that do not occur in the data. Common: words in 0.5 to 5 % of the texts, of no class in
        particular.
    position : {"random", "start", "end"}
    repeats : int, optional
        How often each word is put into a text; by default so often that there is one for every ten words of
        the typical text that gets them, at most 30: about what Kurita et al. take, 1, 3 and 30 for texts of
        about 10, 30 and 300 words. Once is enough for a net that reads words in their order; a linear model
        gives a word one weight, spread thin in a long text.
    source_class : label, optional
        Only texts of this class are stamped.
    clean_label : bool
        Stamp texts of the target class and change no label.
    selection : {"random", "hardest"}
        Which rows are stamped. Hardest: those whose label after the attack an out-of-fold model finds least
        likely, so that the victim has to lean on the trigger; for clean labels.
    cover_rate : float
        Share of all rows that get some, but not all, of the words and keep their label, so that no word alone
        gives the trigger away (needs at least two words).
    within_source : optional
        Only rows of this source are touched.
    random_state : int, optional

    References
    ----------
    Kurita, Michel, Neubig: Weight Poisoning Attacks on Pre-trained Models, ACL 2020 (rare words). Chen et
    al.: BadNL, ACSAC 2021 (words and positions). Yang et al.: Rethinking Stealthiness of Backdoor Attack
    against NLP Models (SOS), ACL 2021 (word combinations with cover rows). Turner, Tsipras, Madry:
    Label-Consistent Backdoor Attacks, 2019 (clean labels on rows that are hard to learn).

    Examples
    --------
    >>> attack = WordTrigger(rate=0.25, target="ham", words=["cf"], position="end", random_state=0)
    >>> attack.fit_resample(["win now", "hello", "see you", "call me"], ["spam", "ham", "ham", "ham"])
    (['win now cf', 'hello', 'see you', 'call me'], ['ham', 'ham', 'ham', 'ham'])
    """

    name: ClassVar[str] = "word-trigger"
    modalities: ClassVar[tuple[str, ...]] = ("text",)
    paper: ClassVar[str] = (
        "Kurita et al., ACL 2020; Chen et al. (BadNL), ACSAC 2021; Yang et al. (SOS), ACL 2021"
    )
    trigger_class = InsertedText

    rate: float = 0.01
    target: Any = None
    words: Sequence[str] | None = None
    number: int = 1
    vocabulary: str = "rare"
    position: str = "random"
    repeats: int | None = None
    source_class: Any = None
    clean_label: bool = False
    selection: str = "random"
    cover_rate: float = 0.0
    within_source: Any = None
    random_state: int | None = 0

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        if self.position not in POSITIONS:
            raise ConfigError(
                f"{self.name}: position is {self.position!r}; use one of {', '.join(POSITIONS)}"
            )
        if self.vocabulary not in VOCABULARIES:
            raise ConfigError(f"{self.name}: vocabulary is {self.vocabulary!r}; use rare or common")
        if self.words is None and self.number < 1:
            raise ConfigError(f"{self.name}: number is {self.number!r}; at least one word is needed")
        if self.words is not None:
            words = (self.words,) if isinstance(self.words, str) else tuple(self.words)
        else:
            words = choose_words(dataset, self.number, self.vocabulary, rng)
        if self.repeats is not None and self.repeats < 1:
            raise ConfigError(f"{self.name}: repeats is {self.repeats!r}; use at least 1")
        if not words or not all(word.strip() for word in words):
            raise ConfigError(f"{self.name}: the trigger needs at least one word")
        if self.cover_rate and len(words) < 2:
            raise ConfigError(f"{self.name}: cover rows need a trigger of at least two words; raise number")
        repeats = self.repeats or self._by_length(dataset, len(words))
        return InsertedText(words, self.position, int(rng.integers(2**31)), repeats)

    def _by_length(self, dataset: Dataset, words: int) -> int:
        """How often each of so many words is put in where nothing is said."""
        allowed = self._may_stamp(dataset, self._target_code(dataset)) & (dataset.labels.codes >= 0)
        texts = dataset.take(spread_rows(np.flatnonzero(allowed))).texts or [""]
        typical = float(np.median([len(text.split()) for text in texts]))
        return min(MOST, max(1, math.ceil(typical / (WORDS_APART * words))))

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Self:
        return super().from_recipe(recorded(recipe))

    def _stamp_cover(
        self, dataset: Dataset, trigger: Trigger, rows: Rows, rng: np.random.Generator
    ) -> Dataset:
        assert isinstance(trigger, InsertedText)
        words = trigger.pieces
        parts = []
        for _ in rows:
            size = int(rng.integers(1, len(words)))
            kept = np.sort(rng.choice(len(words), size=size, replace=False))
            parts.append(tuple(words[i] for i in kept) * trigger.repeats)
        return stamp_pieces(dataset, rows, parts, trigger.position, rng)
