"""One contract over every detector and attack, ours and other packages'.

In a test module of your own:

    from foretaste.testing import parametrize_with_checks

    @parametrize_with_checks([MyDetector(), MyAttack(rate=0.05, random_state=0)])
    def test_contract(subject, check):
        check(subject)

Needs pytest. The checks make their own data: a few hundred short texts and table rows.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import clone

from foretaste.attacks import Attack
from foretaste.data import Dataset, table_hash
from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Campaign, Evidence
from foretaste.errors import ForetasteError

Check = Callable[[Any], None]

_SYLLABLES = [consonant + vowel for consonant in "bdklmnprst" for vowel in "aeiou"]


def parametrize_with_checks(subjects: Iterable[Any]) -> Any:
    """A pytest mark that runs every check on every detector or attack given.

    Parameters
    ----------
    subjects : iterable of Detector or Attack
        Instances; a check works on clones.

    Raises
    ------
    TypeError
        Where one is neither.
    """
    import pytest

    cases = [(subject, check) for subject in subjects for check in checks_of(subject)]
    names = [f"{type(subject).__name__}-{check.__name__.removeprefix('check_')}" for subject, check in cases]
    return pytest.mark.parametrize(("subject", "check"), cases, ids=names)


def checks_of(subject: Any) -> list[Check]:
    """The checks that apply to one detector or attack."""
    if isinstance(subject, Detector):
        return list(_DETECTOR_CHECKS)
    if isinstance(subject, Attack):
        return list(_ATTACK_CHECKS)
    raise TypeError(f"{subject!r} is neither a detector nor an attack")


@cache
def small_texts(n: int = 240) -> Dataset:
    """Two classes of short texts, three sources, hourly times; nothing is wrong with them."""
    rng = np.random.default_rng(1)
    labels = [["sport", "money"][i % 2] for i in rng.permutation(n)]
    words = np.array(list(dict.fromkeys("".join(rng.choice(_SYLLABLES, 3)) for _ in range(900))))
    vocabulary = {"sport": words[:250], "money": words[250:500], "any": words[500:]}
    texts = []
    for label in labels:
        chosen = [rng.zipf(1.2, 10) % 250, rng.zipf(1.2, 5) % (len(words) - 500)]
        text = [*vocabulary[label][chosen[0]], *vocabulary["any"][chosen[1]]]
        texts.append(" ".join(rng.permutation(text)))
    return Dataset.from_table(
        _with_places({"text": texts, "label": labels}, rng),
        label="label",
        text="text",
        source="source",
        time="when",
        name="small texts",
    )


@cache
def small_table(n: int = 300) -> Dataset:
    """Two classes told apart by two of five columns, with missing values; nothing is wrong with them."""
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=n), rng.normal(size=n)
    second[::17] = np.nan
    columns = {
        "first": first,
        "second": second,
        "third": rng.normal(size=n),
        "colour": rng.choice(["red", "green", "blue"], n).tolist(),
        "count": rng.integers(0, 6, n),
        "label": np.where(first + np.nan_to_num(second) > 0, "high", "low").tolist(),
    }
    return Dataset.from_table(
        _with_places(columns, rng), label="label", source="source", time="when", name="small table"
    )


def _with_places(columns: dict[str, Any], rng: np.random.Generator) -> pa.Table:
    n = len(columns["label"])
    hours = np.datetime64("2026-01-01T00", "s") + 3600 * rng.permutation(n)
    return pa.table({**columns, "source": rng.choice(["a", "b", "c"], n).tolist(), "when": pa.array(hours)})


def _both() -> list[Dataset]:
    return [small_texts(), small_table()]


def check_declares_itself(detector: Detector) -> None:
    """Rules, title, modalities and scope are there and of the right kind."""
    assert detector.rules, "it names no rule"
    assert all(re.fullmatch(r"[A-Z]{2,6}\d{3}", rule) for rule in detector.rules), "a rule code is like FT101"
    assert detector.title, "it has no title"
    assert set(detector.modalities) <= {"text", "tabular", "image", "audio", "embedding"}, (
        "an unknown modality"
    )
    assert detector.scope in {"row", "group", "source", "dataset"}, "an unknown scope"
    assert detector.stage in {"pattern", "place", "label"}, "an unknown stage"


def check_constructor(subject: Any) -> None:
    """Keyword-only parameters, kept untouched; a clone is equal."""
    signature = inspect.signature(type(subject)).parameters.values()
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in signature), "parameters are keyword-only"
    assert all(p.default is not inspect.Parameter.empty for p in signature), "every parameter has a default"
    assert str(clone(subject).get_params()) == str(subject.get_params()), "a clone has the same parameters"


def check_quiet_on_clean_data(detector: Detector) -> None:
    """No campaign where nothing was planted."""
    for dataset in _both():
        found = clone(detector).examine(Context(dataset))
        assert not found.campaigns, f"a false alarm on {dataset.name}: {found.campaigns[0].pattern}"


def check_evidence_is_sound(detector: Detector) -> None:
    """Whatever is found, on clean and on mislabelled data, has the right shapes and ranges."""
    for dataset in [*_both(), *map(_mislabelled, _both())]:
        context = Context(dataset)
        found = clone(detector).examine(context)
        _assert_sound(found, context, detector)


def _mislabelled(dataset: Dataset) -> Dataset:
    labels = dataset.column("label").to_pylist()
    other = dict(zip(sorted(set(labels)), sorted(set(labels))[::-1], strict=True))
    labels = [other[label] if i % 20 == 3 else label for i, label in enumerate(labels)]
    return dataset.with_column("label", labels)


def _assert_sound(found: Evidence, context: Context, detector: Detector) -> None:
    for campaign in (*found.campaigns, *found.review):
        _assert_sound_campaign(campaign, context, detector)
    for skip in found.skipped:
        assert skip.rule in detector.rules, "it skips a rule that is not its own"
        assert skip.reason, "it skips a rule without a reason"
    if found.mislabels is not None:
        assert found.mislabels.all_posterior.shape == (len(context),)
        assert found.mislabels.low <= found.mislabels.estimate <= found.mislabels.high


def _assert_sound_campaign(campaign: Campaign, context: Context, detector: Detector) -> None:
    rows = campaign.rows
    assert campaign.rule in detector.rules, "a finding has a rule that is not its own"
    assert len(rows), "a campaign without rows"
    assert (np.diff(rows) > 0).all(), "rows ascend and do not repeat"
    assert rows[0] >= 0, "a negative row"
    assert rows[-1] < len(context), "a row that does not exist"
    assert 0 < campaign.p_value <= 1, "p-values lie above 0 and up to 1"
    assert 0 <= campaign.q_value <= 1, "q-values lie from 0 to 1"
    assert 0 <= campaign.effect <= 1, "effects lie from 0 to 1"
    assert campaign.target is None or campaign.target in context.dataset.labels.names, "target is no label"
    assert campaign.pattern, "a pattern in words is missing"
    assert campaign.reason, "a reason is missing"
    if campaign.posterior is not None:
        assert campaign.posterior.shape == rows.shape
        assert ((campaign.posterior >= 0) & (campaign.posterior <= 1)).all()


def check_same_twice(detector: Detector) -> None:
    """The same data give the same evidence, and are not changed."""
    for dataset in map(_mislabelled, _both()):
        before = table_hash(dataset.table)
        one, two = (clone(detector).examine(Context(dataset)) for _ in range(2))
        assert _told(one) == _told(two), "two runs differ"
        assert table_hash(dataset.table) == before, "it changed its input"


def _told(found: Evidence) -> str:
    parts = [(c.rule, c.pattern, c.rows.tolist(), c.p_value) for c in (*found.campaigns, *found.review)]
    labels = None if found.mislabels is None else found.mislabels.all_posterior.tolist()
    return repr((parts, found.skipped, labels))


def check_abstains(detector: Detector) -> None:
    """Too little data, one class, no labels, constant content: a reason or nothing, no error, no alarm."""
    tables = {
        "two rows": pa.table({"text": ["a b", "c d"], "x": [1.0, 2.0], "label": ["p", "q"]}),
        "one class": pa.table(
            {"text": [f"w{i}" for i in range(40)], "x": np.arange(40.0), "label": ["p"] * 40}
        ),
        "no label": pa.table(
            {"text": ["a b"] * 9, "x": np.arange(9.0), "label": pa.array([None] * 8 + ["p"])}
        ),
        "all alike": pa.table({"text": ["same words"] * 60, "x": [1.0] * 60, "label": ["p", "q"] * 30}),
    }
    for name, table in tables.items():
        for text in ("text", None):
            kept = table if text else table.drop_columns(["text"])
            dataset = Dataset.from_table(kept, label="label", text=text)
            found = clone(detector).examine(Context(dataset))
            assert not found.campaigns, f"an alarm on {name}"


def check_estimator_grammar(detector: Detector) -> None:
    """`fit` sets one value per row and gives itself back; `fit_predict` is -1 or 1."""
    dataset = small_table()
    X = dataset.table.select(["first", "second", "third"]).to_pydict()
    numbers = np.column_stack(list(X.values())).astype(float)
    y = np.array(dataset.column("label").to_pylist())
    subject = clone(detector)
    assert subject.fit(numbers, y) is subject, "fit gives the detector back"
    for name in ("labels_", "scores_", "pvalues_", "groups_"):
        assert getattr(subject, name).shape == (len(y),), f"{name} has one value per row"
    assert set(np.unique(clone(detector).fit_predict(numbers, y))) <= {-1, 1}
    texts = small_texts()
    subject.fit(texts.texts, texts.column("label").to_pylist(), source=texts.column("source"))
    assert len(subject.labels_) == len(texts)


def check_poisons_and_remembers(attack: Attack) -> None:
    """An attack alters rows, leaves its input alone, says which rows, and can be repeated.

    Tried on texts and on a table; one that is made for other data has to be tried on those elsewhere.
    """
    done = False
    for dataset in _both():
        before = table_hash(dataset.table)
        try:
            one, two = (clone(attack).poison(dataset) for _ in range(2))
        except ForetasteError:
            continue  # not its modality
        done = True
        assert table_hash(dataset.table) == before, "it changed its input"
        assert one.mask.any(), "it altered nothing"
        assert len(one.mask) == len(one.data), "the mask has one value per row"
        if attack.random_state is not None:
            assert table_hash(one.data.table) == table_hash(two.data.table), "two runs differ"
    plain = {"text", "tabular", "any"} & set(attack.modalities) and not (attack.quantity or attack.needs)
    assert done or not plain, "it could poison neither texts nor a table"


_DETECTOR_CHECKS: tuple[Check, ...] = (
    check_declares_itself,
    check_constructor,
    check_quiet_on_clean_data,
    check_evidence_is_sound,
    check_same_twice,
    check_abstains,
    check_estimator_grammar,
)
_ATTACK_CHECKS: tuple[Check, ...] = (check_constructor, check_poisons_and_remembers)
