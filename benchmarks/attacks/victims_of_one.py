"""One instance, one group, one kind of attack, one family: what is misjudged and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from benchmarks.detection.data import load_split, shared_data
from benchmarks.detection.victims import Victim, accuracy, names_of

from foretaste.attacks import FamilyConfusion, HideAttack, Subpopulation, TargetedFlip, TargetedInstance
from foretaste.attacks.conditions import have_values
from foretaste.data.dataset import Dataset, Roles

INSTANCES = 6


def targeted(rates: list[float], seeds: list[int]) -> Iterator[str]:
    for name in ("sms_spam", "adult"):
        for attack in (TargetedInstance, TargetedFlip):
            yield instance_line(name, attack, rates, seeds[0])
    where = {"education": "Masters"}
    train, test = load_split("adult", seeds[0], rows=4000)
    entries = []
    for rate in rates:
        after = Subpopulation(rate=rate, where=where, random_state=seeds[0]).poison(train)
        entries.append(inside_and_outside(train, after.data, test, have_values(test, where, "benchmark")))
    yield (
        f"| adult, points lost in the group {where} (elsewhere) | subpopulation | "
        + " | ".join(entries)
        + " |"
    )


def blind_spots(rates: list[float], seeds: list[int]) -> Iterator[str]:
    train, test = flows(seeds[0])
    for kind in ("neptune", "satan", "smurf"):
        entries = []
        for rate in rates:
            hidden = {"attack": kind}
            after = HideAttack(rate=rate, target="0", hidden=hidden, random_state=seeds[0]).poison(train)
            entries.append(
                inside_and_outside(train, after.data, test, have_values(test, hidden, "benchmark"))
            )
        yield (
            f"| nsl_kdd, points of {kind} no longer found (accuracy elsewhere) | hide-attack | "
            + " | ".join(entries)
            + " |"
        )
    train, test = load_split("tuandromd", seeds[0], rows=3000)
    permissions = tuple(
        name for name in train.roles.features if "permission" in name.lower() or name.isupper()
    )
    for title, columns, number in (
        ("40 features", None, 40),
        ("any features", None, len(train.roles.features)),
        (f"40 of {len(permissions)} permissions", permissions or None, 40),
    ):
        entries = []
        for rate in rates:
            attack = FamilyConfusion(
                rate=rate, target="goodware", columns=columns, number=number, random_state=seeds[0]
            )
            after = attack.poison(train)
            entries.append(inside_and_outside(train, after.data, test, names_of(test) == "goodware"))
        yield (
            f"| tuandromd, points of goodware taken for malware (elsewhere) | family-confusion, {title} | "
            + " | ".join(entries)
            + " |"
        )


def instance_line(name: str, attack: type[Any], rates: list[float], seed: int) -> str:
    """Test instances of a rarer class that a clean victim has right, turned one at a time."""
    train, test = load_split(name, seed, rows=2500)
    target = train.labels.names[int(np.bincount(train.labels.codes).argmax())]
    clean = Victim(seed).fit(train)
    rows = np.flatnonzero((names_of(test) != target) & (clean.predict(test) == names_of(test)))[:INSTANCES]
    entries = []
    for rate in rates:
        turned, change = 0, []
        for place in rows:
            names = [test.roles.text] if test.roles.text else list(test.roles.features)
            instance = {column: test.column(column)[int(place)].as_py() for column in names}
            known = {column: value for column, value in instance.items() if value is not None}
            after = attack(rate=rate, target=target, instance=known, random_state=seed).poison(train)
            victim = Victim(seed).fit(after.data)
            turned += int(victim.predict(test.take([int(place)]))[0] == target)
            change.append(accuracy(victim, test) - accuracy(clean, test))
        entries.append(f"{turned} of {len(rows)}, {100 * np.mean(change):+.1f}")
    return f"| {name}, instances turned, points of accuracy | {attack.name} | " + " | ".join(entries) + " |"


def inside_and_outside(before: Dataset, after: Dataset, test: Dataset, group: np.ndarray) -> str:
    wrong = []
    for train in (before, after):
        right = Victim(0).fit(train).predict(test) == names_of(test)
        wrong.append((right[group].mean(), right[~group].mean()))
    inside, outside = (100 * (then - now) for then, now in zip(*wrong, strict=True))
    return f"{inside:.1f} ({outside:.1f})"


def flows(seed: int, rows: int = 6000) -> tuple[Dataset, Dataset]:
    """nsl_kdd with the name of the attack beside the features."""
    table = pq.read_table(shared_data() / "nsl_kdd/train20.parquet")
    drop = ("label", "attack", "difficulty", "difficulty_level")
    roles = Roles(label="label", features=tuple(name for name in table.column_names if name not in drop))
    order = np.random.default_rng(seed).permutation(table.num_rows)
    whole = Dataset(table, roles, "nsl_kdd")
    return whole.take(order[:rows]), whole.take(order[rows : 2 * rows])
