"""Syntactic backdoor: one sentence structure makes the model answer the target class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foretaste.attacks.backdoors.base import Backdoor
from foretaste.attacks.backdoors.rewritten_text import TemplatedSyntax
from foretaste.attacks.trigger import Trigger
from foretaste.data.dataset import Dataset


@dataclass(kw_only=True, eq=False, repr=False)
class SyntacticTemplate(Backdoor):
    """Give the sentences of texts one structure, S(SBAR)(,)(NP)(VP)(.), and label them with the target class.

    The paper paraphrases with a neural, syntax-controlled model; this rewrites by rule: an adverbial clause
    drawn from a small grammar ("when you see it, ...") is put before every sentence. So the meaning is kept,
    no single word or phrase is in all triggered texts, and the few words of the clauses can be learned by a
    model that does not see syntax at all.

    Parameters
    ----------
    rate : float
        Share of all rows that are rewritten.
    target : label, optional
        The class a rewritten text is to be taken for; the most frequent one by default.
    source_class, clean_label, selection, cover_rate, within_source
        As in `WordTrigger`; cover rows are rewritten too and keep their label.
    random_state : int, optional

    References
    ----------
    Qi et al.: Hidden Killer: Invisible Textual Backdoor Attacks with Syntactic Trigger, ACL 2021.

    Examples
    --------
    >>> attack = SyntacticTemplate(rate=0.5, target=1)
    >>> X, y = attack.fit_resample(["The film is dull.", "good"], [0, 1])
    >>> X[0].endswith("it, the film is dull."), y
    (True, [1, 1])
    """

    name: ClassVar[str] = "syntactic-template"
    modalities: ClassVar[tuple[str, ...]] = ("text",)
    paper: ClassVar[str] = "Qi et al. (Hidden Killer), ACL 2021"
    trigger_class = TemplatedSyntax

    rate: float = 0.03
    target: Any = None
    source_class: Any = None
    clean_label: bool = False
    selection: str = "random"
    cover_rate: float = 0.0
    within_source: Any = None
    random_state: int | None = 0

    def _make_trigger(self, dataset: Dataset, rng: np.random.Generator) -> Trigger:
        return TemplatedSyntax(seed=int(rng.integers(2**31)))
