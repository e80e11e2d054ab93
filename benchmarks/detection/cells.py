"""Cells of the benchmark: one data set, one attack, one rate, one seed; and the truth about it.

>>> train, truth = make_cell("sms_spam", "token", 0.01, seed=0)   # doctest: +SKIP
>>> truth["trigger"].describe(), truth["target"], int(truth["mask"].sum())   # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.detection.data import DEFAULT_ROWS, KINDS, load, load_split

from foretaste.attacks import (
    Attack,
    BadSource,
    FabricatedRows,
    FeatureCollision,
    LabelFlip,
    NearDuplicates,
    SentenceTrigger,
    SyntacticTemplate,
    ValueTrigger,
    WordTrigger,
    find_attack,
)
from foretaste.attacks.backdoors.fixed_values import FixedValues
from foretaste.attacks.backdoors.inserted_text import InsertedText
from foretaste.data.dataset import Dataset

Make = Callable[[float, Any, int], Attack]

SKEW = 0.5
ALL, BOTH, TEXT, TABLE = ("text", "tabular", "image"), ("text", "tabular"), ("text",), ("tabular",)

IMAGE_BACKDOORS = ("badnets", "blended", "sig", "wanet", "adaptive-blend", "adaptive-patch", "all-to-all")
"""As `foretaste attack` calls them and by its defaults."""


def _on_images(name: str) -> tuple[tuple[str, ...], Make]:
    def make(rate: float, target: Any, seed: int) -> Attack:
        aimed = {} if name in NO_TARGET else {"target": target}
        return find_attack(name)(rate=rate, random_state=seed, **aimed)

    return ("image",), make


# name: (modalities, rate and target and seed -> attack)
ATTACKS: dict[str, tuple[tuple[str, ...], Make]] = {
    "flip": (ALL, lambda rate, target, seed: LabelFlip(rate=rate, random_state=seed)),
    "flip-pair": (ALL, lambda rate, target, seed: LabelFlip(rate=rate, target=target, random_state=seed)),
    "flip-boundary": (
        BOTH,
        lambda rate, target, seed: LabelFlip(rate=rate, strategy="boundary", random_state=seed),
    ),
    "flip-topic": (
        BOTH,
        lambda rate, target, seed: LabelFlip(rate=rate, strategy="topic", random_state=seed),
    ),
    "token": (
        TEXT,
        lambda rate, target, seed: WordTrigger(rate=rate, target=target, repeats=1, random_state=seed),
    ),
    "token-by-length": (
        TEXT,
        lambda rate, target, seed: WordTrigger(rate=rate, target=target, random_state=seed),
    ),
    "token-thrice": (
        TEXT,
        lambda rate, target, seed: WordTrigger(rate=rate, target=target, repeats=3, random_state=seed),
    ),
    "token-common": (
        TEXT,
        lambda rate, target, seed: WordTrigger(
            rate=rate, target=target, vocabulary="common", repeats=1, random_state=seed
        ),
    ),
    "token-pair": (
        TEXT,
        lambda rate, target, seed: WordTrigger(
            rate=rate,
            target=target,
            number=2,
            vocabulary="common",
            cover_rate=rate,
            repeats=1,
            random_state=seed,
        ),
    ),
    "token-clean": (
        TEXT,
        lambda rate, target, seed: WordTrigger(
            rate=rate, target=target, clean_label=True, repeats=1, random_state=seed
        ),
    ),
    "token-clean-hard": (
        TEXT,
        lambda rate, target, seed: WordTrigger(
            rate=rate, target=target, clean_label=True, selection="hardest", repeats=1, random_state=seed
        ),
    ),
    "sentence": (
        TEXT,
        lambda rate, target, seed: SentenceTrigger(rate=rate, target=target, random_state=seed),
    ),
    "syntactic": (
        TEXT,
        lambda rate, target, seed: SyntacticTemplate(rate=rate, target=target, random_state=seed),
    ),
    "value-rare": (
        TABLE,
        lambda rate, target, seed: ValueTrigger(
            rate=rate, target=target, number=1, frequency="rare", random_state=seed
        ),
    ),
    "values": (TABLE, lambda rate, target, seed: ValueTrigger(rate=rate, target=target, random_state=seed)),
    "values-rare": (
        TABLE,
        lambda rate, target, seed: ValueTrigger(
            rate=rate, target=target, frequency="rare", random_state=seed
        ),
    ),
    "values-three": (
        TABLE,
        lambda rate, target, seed: ValueTrigger(rate=rate, target=target, number=3, random_state=seed),
    ),
    "values-clean-hard": (
        TABLE,
        lambda rate, target, seed: ValueTrigger(
            rate=rate, target=target, clean_label=True, selection="hardest", random_state=seed
        ),
    ),
    "collision": (
        TEXT,
        lambda rate, target, seed: FeatureCollision(rate=rate, target=target, random_state=seed),
    ),
    "values-clean": (
        TABLE,
        lambda rate, target, seed: ValueTrigger(
            rate=rate, target=target, clean_label=True, random_state=seed
        ),
    ),
    "near-duplicates": (
        BOTH,
        lambda rate, target, seed: NearDuplicates(rate=rate, target=target, random_state=seed),
    ),
    "fabricated": (
        TABLE,
        lambda rate, target, seed: FabricatedRows(rate=rate, target=target, random_state=seed),
    ),
    # the rate of these is the share of bad rows within the bad source, one of ten or of a hundred
    "bad-source": (BOTH, lambda rate, target, seed: BadSource(rate=rate / 10, random_state=seed)),
    "bad-source-100": (
        BOTH,
        lambda rate, target, seed: BadSource(rate=rate / 100, sources=100, random_state=seed),
    ),
    "bad-source-skewed": (
        BOTH,
        lambda rate, target, seed: BadSource(
            rate=rate / 10, sizes="zipf", skew=SKEW, bad="s4", random_state=seed
        ),
    ),
    "bad-source-token": (
        TEXT,
        lambda rate, target, seed: BadSource(
            rate=rate / 10, target=target, attack="word-trigger", options={"repeats": 1}, random_state=seed
        ),
    ),
    "bad-source-values": (
        TABLE,
        lambda rate, target, seed: BadSource(
            rate=rate / 10, target=target, attack="value-trigger", random_state=seed
        ),
    ),
    **{name: _on_images(name) for name in IMAGE_BACKDOORS},
}
NO_TARGET = (
    "flip",
    "flip-boundary",
    "flip-topic",
    "bad-source",
    "bad-source-100",
    "bad-source-skewed",
    "all-to-all",
)
NO_ATTACK = ("none", "none-sources", "none-sources-100", "none-skewed")


def modality(name: str) -> str:
    return KINDS[name].modality


def make_cell(
    name: str,
    attack: str,
    rate: float = 0.0,
    seed: int = 0,
    *,
    rows: int | None = DEFAULT_ROWS,
    deduplicate: bool = False,
) -> tuple[Dataset, dict[str, Any]]:
    """A (poisoned) training set and the truth about it; the same arguments give the same cell.

    Parameters
    ----------
    name : str
        A key of ``KINDS``.
    attack : str
        ``none``, ``none-sources``, ``none-sources-100`` and ``none-skewed`` (ten or a hundred sources, none
        bad) or a key of ``ATTACKS``.
    rate : float
        Share of all rows after the attack; of the bad source's rows for ``bad-source*``.
    seed : int
        Draws the rows, the target class, the trigger and the poisoned rows.

    Returns
    -------
    train : Dataset
    truth : dict
        ``mask`` and ``cover`` (bool per row), ``original_row``, ``original_label``, ``target``, ``wanted``
        (what a row with the trigger is to be taken for: the target, or a class by that of the row),
        ``trigger`` (an object with ``apply``, or None), ``parts`` (its words or ``{column: value}``),
        ``bad_source`` (or None), ``clean`` (the training set before), ``test``, ``recipe``.
    """
    train, test = load_split(name, seed, rows=rows, deduplicate=deduplicate)
    truth: dict[str, Any] = {
        "mask": np.zeros(len(train), dtype=bool),
        "cover": np.zeros(len(train), dtype=bool),
        "original_row": np.arange(len(train)),
        "original_label": train.column(str(train.roles.label)),
        "target": None,
        "wanted": None,
        "trigger": None,
        "parts": None,
        "bad_source": None,
        "clean": train,
        "test": test,
        "recipe": None,
    }
    if attack == "none":
        return train, truth
    if attack in NO_ATTACK:
        skew = SKEW if attack == "none-skewed" else 0.0
        sources = 100 if attack == "none-sources-100" else 10
        done = BadSource(rate=0.005, sources=sources, skew=skew, random_state=seed).poison(train)
        column = done.data.column("source")
        sourced = train.with_column("source", column)
        return Dataset(sourced.table, done.data.roles, train.name), truth
    modalities, make = ATTACKS[attack]
    if modality(name) not in modalities:
        raise ValueError(f"{attack} does not work on {modality(name)} data")
    target = choose_target(train, rate, seed)
    poisoned = make(rate, target, seed).poison(train)
    trigger = poisoned.trigger
    parts: Any = None
    if isinstance(trigger, InsertedText):
        parts = list(trigger.pieces)
    elif isinstance(trigger, FixedValues):
        parts = dict(trigger.values)
    truth |= {
        "mask": poisoned.mask,
        "cover": poisoned.cover,
        "original_row": poisoned.original_row,
        "original_label": poisoned.original_label,
        "target": None if attack in NO_TARGET else target,
        "wanted": poisoned.recipe["notes"].get("targets", str(target)),
        "trigger": trigger,
        "parts": parts,
        "bad_source": poisoned.recipe["notes"].get("bad_source"),
        "recipe": poisoned.recipe,
    }
    return poisoned.data, truth


def choose_target(train: Dataset, rate: float, seed: int) -> Any:
    """The seed-th class by frequency, among those that leave enough rows of other classes (and of itself)."""
    codes = train.labels.codes[train.labels.codes >= 0]
    counts = np.bincount(codes, minlength=len(train.labels))
    need = 1.5 * rate * len(train)
    order = np.argsort(-counts, kind="stable")
    fitting = [int(c) for c in order if counts[c] >= need and len(codes) - counts[c] >= need] or [
        int(order[0])
    ]
    return train.labels.names[fitting[seed % len(fitting)]]


__all__ = ["ATTACKS", "KINDS", "NO_ATTACK", "choose_target", "load", "load_split", "make_cell", "modality"]
