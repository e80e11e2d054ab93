"""What every attack must keep, whatever it does."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from poisonable import make_events, make_images, make_sounds, make_table, make_texts
from sklearn.base import clone

from foretaste.attacks import Attack, attack_names, find_attack, replay
from foretaste.attacks.base import KNOWLEDGE
from foretaste.attacks.injection.base import Injection
from foretaste.data.dataset import Dataset, Roles
from foretaste.errors import ConfigError, DataError

MAKE = {"text": make_texts, "tabular": make_table, "image": make_images, "audio": make_sounds}
DATA = {modality: make() for modality, make in MAKE.items()} | {"events": make_events()}
UNFIT = {("indicator-feed", "image"), ("indicator-feed", "audio")}
"""What has no column for it."""

CASES: list[tuple[str, str, dict[str, Any]]] = [
    (name, modality, {})
    for name in attack_names()
    for modality in MAKE
    if {modality, "any"} & set(find_attack(name).modalities)
    and set(find_attack(name).needs) <= set(DATA[modality].roles.named())
    and (name, modality) not in UNFIT
]
CASES += [
    ("label-flip", "text", {"source_class": "spam", "target": "ham"}),
    ("label-flip", "tabular", {"strategy": "boundary"}),
    ("label-flip", "text", {"strategy": "topic"}),
    ("label-flip", "tabular", {"condition": ["count>=3"], "strategy": "topic"}),
    ("label-flip", "text", {"within_source": "site 2"}),
    ("word-trigger", "text", {"number": 2, "cover_rate": 0.05, "vocabulary": "common"}),
    ("word-trigger", "text", {"clean_label": True, "position": "start"}),
    ("word-trigger", "text", {"clean_label": True, "selection": "hardest", "target": "spam"}),
    ("sentence-trigger", "text", {"clean_label": True, "cover_rate": 0.05}),
    ("style-trigger", "text", {"style": "upper-case", "cover_rate": 0.05}),
    ("syntactic-template", "text", {"clean_label": True}),
    ("value-trigger", "tabular", {"number": 3, "cover_rate": 0.05}),
    ("value-trigger", "tabular", {"number": 1, "clean_label": True, "target": 1}),
    ("value-trigger", "tabular", {"values": {"paid": True, "since": "2020-01-03"}}),
    ("near-duplicates", "text", {"source": "evil.example", "noise": 0.3}),
    ("fabricated-rows", "tabular", {"target": "1"}),
    ("badnets", "image", {"clean_label": True, "selection": "hardest", "target": "cat"}),
    ("badnets", "image", {"position": "random", "pattern": "noise", "source_class": "dog", "target": "cat"}),
    ("blended", "image", {"pattern": "smooth", "alpha": 0.3}),
    ("sig", "image", {"clean_label": False}),
    ("wanet", "image", {"cover_rate": 0.1}),
    ("drip", "events", {}),
    ("sybil", "events", {"per_source": 3}),
    ("shilling", "events", {"item_column": "item", "fillers": 4}),
    ("shilling", "events", {"item_column": "item", "strategy": "segment", "fillers": 4}),
    ("shilling", "events", {"item_column": "item", "strategy": "reverse-bandwagon", "fillers": 4}),
    ("fabricated-behaviour", "events", {}),
    ("fabricated-behaviour", "events", {"malicious": 1, "columns": ["amount"], "target": 4}),
    ("hide-attack", "events", {"hidden": {"door": "back"}, "columns": ["amount", "night"], "target": 4}),
    ("family-confusion", "tabular", {"columns": ["colour", "count"], "number": 1, "source_class": 1}),
    ("truth-serum", "text", {"rows": [3, 9], "target": "ham"}),
    ("indicator-feed", "text", {"target": "spam", "column": "text", "source": "site 1"}),
    ("drip", "text", {"schedule": "growing"}),
    ("drip", "text", {"schedule": "burst"}),
    ("split-view", "text", {"target": "spam", "mode": "append"}),
    ("front-running", "text", {"payload": "Buy now.", "mode": "replace"}),
    ("targeted-instance", "text", {"instance": {"text": "win a quick fox"}, "target": "ham"}),
    ("targeted-flip", "tabular", {"row": 5, "instance": {"count": 3, "colour": "red"}}),
    ("subpopulation", "tabular", {"where": {"town": "x"}, "condition": ["count>3"]}),
    ("bullseye-polytope", "image", {"method": "convex", "group": 3, "networks": 2}),
    ("svm-poisoning", "tabular", {"target": 0, "model": "logistic", "columns": ["size", "weight"]}),
    ("regression-poisoning", "tabular", {"method": "statp", "columns": ["size"]}),
    ("all-to-all", "image", {"attack": "blended", "options": {"alpha": 0.4}, "target": "dog"}),
    ("source-specific", "image", {"target": "cat", "source_class": "emu", "attack": "wanet"}),
    ("adaptive-blend", "image", {"pieces": 2, "shown": 0.3, "cover_rate": 0.0}),
    ("adaptive-patch", "image", {"number": 2, "pattern": "checker"}),
    ("bad-source", "text", {"attack": "word-trigger", "sources": None}),
    ("bad-source", "image", {"attack": "badnets", "options": {"size": 2}}),
    ("bad-source", "tabular", {"attack": "value-trigger", "sizes": "zipf", "skew": 0.5, "bad": "s1"}),
]
OPTIMISED = {"alfa", "targeted-flip"}
"""Attacks that choose their rows by what they do to a model, not by the seed."""

IDS = [f"{name}-{modality}-{'-'.join(options)}".strip("-") for name, modality, options in CASES]
cases = pytest.mark.parametrize(("name", "modality", "options"), CASES, ids=IDS)


FAST = {"epochs": 1, "steps": 2, "restarts": 1, "rounds": 1}
"""Settings of optimised attacks that make them weak and quick."""


def build(name: str, options: dict[str, Any], seed: int | None = 3, rate: float = 0.03) -> Attack:
    kind = find_attack(name)
    if kind.extra and "tabular" not in kind.modalities:
        pytest.importorskip(kind.extra)
    quick = {key: value for key, value in FAST.items() if kind.extra and key in kind._get_param_names()}
    return kind(**({"rate": rate, "random_state": seed} | quick | options))


def cover_share(attack: Attack) -> float:
    share = getattr(attack, "_cover_share", None)
    return 0.0 if share is None else float(share())


def modality_of(name: str) -> str:
    """Data that the attack can work on."""
    kind = find_attack(name)
    fitting = [modality for modality in MAKE if {modality, "any"} & set(kind.modalities)]
    named = [modality for modality in fitting if set(kind.needs) <= set(DATA[modality].roles.named())]
    return named[0] if named else "events"


def same(a: pa.Table, b: pa.Table) -> bool:
    """Equal to the last bit, a missing float being equal to itself."""
    return a.schema == b.schema and all(
        str(a[c].to_pylist()) == str(b[c].to_pylist()) for c in a.column_names
    )


@cases
def test_poisons_exactly_the_rate(name: str, modality: str, options: dict[str, Any]) -> None:
    before = DATA[modality]
    attack = build(name, options)
    after = attack.poison(before)
    poisoned = int((after.mask & ~after.cover).sum())
    if isinstance(attack, Injection):
        assert poisoned == round(0.03 * len(before) / 0.97)
        assert len(after.data) == len(before) + poisoned
    else:
        assert poisoned == round(0.03 * len(before))
        assert len(after.data) == len(before)
    assert int(after.cover.sum()) == round(cover_share(attack) * len(before))
    assert after.recipe["poisoned_rows"] == int(after.mask.sum())


@cases
def test_other_rows_stay_as_they_were_and_in_order(name: str, modality: str, options: dict[str, Any]) -> None:
    before = DATA[modality]
    after = build(name, options).poison(before)
    columns = before.table.column_names
    if name == "bad-source" and options.get("sources", 10) is not None:
        columns = [column for column in columns if column != before.roles.source]
    kept = np.flatnonzero(~after.mask)
    now = after.data.table.select(columns).take(pa.array(kept))
    then = before.table.select(columns).take(pa.array(after.original_row[kept]))
    assert same(now, then)
    old = after.original_row[after.original_row >= 0]
    assert (np.diff(old) > 0).all()
    assert len(old) == len(before)


@cases
def test_every_poisoned_row_differs_from_the_original(
    name: str, modality: str, options: dict[str, Any]
) -> None:
    before = DATA[modality]
    attack = build(name, options)
    after = attack.poison(before)
    rows = np.flatnonzero(after.mask & (after.original_row >= 0) & ~after.cover)
    if options.get("values") or getattr(attack, "clean_label", False):
        return  # a row may have the value, and has the label, already
    names = before.table.column_names
    now, then = after.data.table.select(names).to_pylist(), before.table.to_pylist()
    assert all(now[row] != then[after.original_row[row]] for row in rows)


@cases
def test_columns_keep_name_order_and_type(name: str, modality: str, options: dict[str, Any]) -> None:
    before = DATA[modality]
    after = build(name, options).poison(before).data
    assert after.table.schema.names[: len(before.table.column_names)] == before.table.column_names
    for field in before.table.schema:
        if name == "bad-source" and field.name == before.roles.source:
            continue
        assert after.table.schema.field(field.name).type == field.type
    assert set(after.labels.names) <= set(before.labels.names)
    assert after.name == before.name


@cases
def test_same_seed_same_bytes_other_seed_other_rows(
    name: str, modality: str, options: dict[str, Any]
) -> None:
    before = DATA[modality]
    one, two = (build(name, options).poison(before) for _ in range(2))
    assert same(one.data.table, two.data.table)
    assert json.dumps(one.recipe) == json.dumps(two.recipe)
    assert (one.mask == two.mask).all()
    if (
        name not in OPTIMISED
        and options.get("strategy") != "boundary"
        and options.get("selection") != "hardest"
    ):
        other = build(name, options, seed=4).poison(before)
        assert len(one.mask) != len(other.mask) or (one.mask != other.mask).any()


@cases
def test_recipe_survives_json_and_replays_the_same_table(
    name: str, modality: str, options: dict[str, Any]
) -> None:
    before = DATA[modality]
    attack = build(name, options, seed=None)
    after = attack.poison(before)
    recipe = json.loads(json.dumps(after.recipe, allow_nan=False))
    again = replay(recipe).poison(before)
    assert same(again.data.table, after.data.table)
    assert again.recipe == recipe
    trigger = find_attack(name).load_trigger(recipe)
    if after.trigger is None:
        assert trigger is None
    else:
        assert trigger is not None
        assert same(trigger.apply(before).table, after.trigger.apply(before).table)


@cases
def test_truth_gives_the_label_before(name: str, modality: str, options: dict[str, Any]) -> None:
    before = DATA[modality]
    after = build(name, options).poison(before)
    truth = after.truth()
    assert truth.column_names[:4] == ["row", "poisoned", "original_row", "original_label"]
    labels = before.column(str(before.roles.label)).to_pylist()
    for row in truth.to_pylist():
        place = row["original_row"]
        assert row["original_label"] == (None if place is None else labels[place])
    assert truth.column("poisoned").to_pylist() == after.mask.tolist()


@cases
def test_does_not_touch_its_input(name: str, modality: str, options: dict[str, Any]) -> None:
    before = (MAKE | {"events": make_events})[modality]()
    build(name, options).poison(before)
    assert same(before.table, DATA[modality].table)


@cases
def test_poisoned_rows_lie_anywhere(name: str, modality: str, options: dict[str, Any]) -> None:
    after = build(name, options, rate=0.06).poison(DATA[modality])
    places = np.flatnonzero(after.mask) / len(after.mask)
    assert 0.3 < places.mean() < 0.7
    assert places.min() < 0.25
    assert places.max() > 0.75


@cases
def test_rows_without_a_label_are_left_alone(name: str, modality: str, options: dict[str, Any]) -> None:
    after = build(name, options).poison(DATA[modality])
    unlabelled = np.isin(after.original_row, [7, 300] if modality == "text" else [])
    assert not (after.mask & unlabelled).any()


@pytest.mark.parametrize("name", attack_names())
def test_declares_itself(name: str) -> None:
    attack = find_attack(name)
    assert attack.name == name
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert attack.goal in {"availability", "integrity-backdoor", "targeted", "privacy"}
    assert attack.access in {"label", "data", "injection"}
    assert attack.knowledge in KNOWLEDGE
    assert set(attack.modalities) <= {*MAKE, "any"}
    assert re.search(r"\d{4}", attack.paper)
    text = inspect.getdoc(attack) or ""
    for section in ("Parameters", "References", "Examples"):
        assert f"{section}\n---" in text


@pytest.mark.parametrize("name", attack_names())
def test_constructor_stores_keyword_only_parameters_untouched(name: str) -> None:
    attack = find_attack(name)
    parameters = list(inspect.signature(attack).parameters.values())
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)
    markers = {parameter.name: object() for parameter in parameters}
    built = attack(**markers)
    assert vars(built) == markers
    assert clone(find_attack(name)(random_state=9)).random_state == 9
    text = inspect.getdoc(attack) or ""
    assert all(parameter.name in text for parameter in parameters)


@pytest.mark.parametrize("name", attack_names())
@pytest.mark.parametrize("rate", [0, 1, 1.5, -0.1, "0.1", True, float("nan")])
def test_refuses_a_rate_that_is_no_share(name: str, rate: Any) -> None:
    with pytest.raises(ConfigError, match="share of rows between 0 and 1"):
        find_attack(name)(rate=rate).poison(DATA[modality_of(name)])


def test_a_rate_in_percent_is_answered_with_the_share() -> None:
    with pytest.raises(ConfigError, match=r"rate is 2\.5; it is a share .*; for 2\.5 % write 0\.025"):
        find_attack("label-flip")(rate=2.5).poison(DATA["text"])


@pytest.mark.parametrize("name", attack_names())
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "no rows"),
        (["a"], "at least two classes"),
        (["a", "a"], "at least two classes"),
        ([None, "a"], "classes"),
    ],
)
def test_refuses_data_it_cannot_poison(name: str, labels: list[str | None], message: str) -> None:
    rows = len(labels)
    table = pa.table(
        {
            "t": pa.array(["a"] * rows, pa.string()),
            "n": pa.array(range(rows), pa.int64()),
            "y": pa.array(labels, pa.string()),
        }
    )
    with pytest.raises(DataError, match=message):
        find_attack(name)(rate=0.5).poison(Dataset(table, Roles(label="y", text="t", features=("n",))))


@pytest.mark.parametrize("name", attack_names())
def test_refuses_data_without_a_label_and_rates_below_one_row(name: str) -> None:
    data = DATA[modality_of(name)]
    bare = Dataset(data.table, replace(data.roles, label=None))
    if find_attack(name).label_optional:
        assert find_attack(name)().poison(bare).truth()["original_label"].null_count > 0
    else:
        with pytest.raises(DataError, match="label"):
            find_attack(name)().poison(bare)
    with pytest.raises(DataError, match="less than one row"):
        find_attack(name)(rate=0.0001).poison(data)


@pytest.mark.parametrize("name", [name for name in attack_names() if name != "label-flip"])
def test_refuses_the_wrong_modality(name: str) -> None:
    modalities = find_attack(name).modalities
    for modality in MAKE:
        if not {modality, "any"} & set(modalities):
            with pytest.raises(DataError, match=f"works on {' or '.join(modalities)} data"):
                find_attack(name)().poison(DATA[modality])


@pytest.mark.parametrize(
    "name", [name for name in attack_names() if "target" in find_attack(name)._get_param_names()]
)
def test_refuses_a_target_that_is_no_class(name: str) -> None:
    with pytest.raises(ConfigError, match="target 'nobody' is not a class; the classes are"):
        find_attack(name)(target="nobody").poison(DATA[modality_of(name)])


@pytest.mark.parametrize("name", attack_names())
@pytest.mark.parametrize("seed", [-1, 1.5, "0"])
def test_refuses_a_seed_that_is_no_whole_number(name: str, seed: Any) -> None:
    with pytest.raises(ConfigError, match="random_state"):
        find_attack(name)(random_state=seed).poison(DATA[modality_of(name)])
