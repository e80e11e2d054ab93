"""What a campaign tries: data x learner x attack x rate x defence x seed, from one TOML file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from foretaste.attacks.registry import find_attack
from foretaste.data import Dataset
from foretaste.errors import ConfigError

TEST_SHARE = 0.2
"""Rows that are held out where a plan names no test data."""

RATES = (0.005, 0.01, 0.03)
QUICK_RATES = (0.001, 0.003, 0.01, 0.03)
QUICK_ROWS = {"text": 6000, "tabular": 5000, "image": 2500}
"""Rows a quick campaign draws: what two cores can scan and learn again and again within minutes."""

QUICK = {
    "text": ("word-trigger", "sentence-trigger", "label-flip"),
    "tabular": ("value-trigger", "label-flip"),
    "image": ("badnets", "label-flip"),
}


@dataclass(frozen=True)
class Trial:
    """One attack at one rate with one seed; every learner and defence then meets the same poisoned rows."""

    attack: str
    rate: float
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same trial, in any process and at any time."""
        told = json.dumps(asdict(self) | {"options": dict(self.options)}, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Plan:
    """A campaign.

    Attributes
    ----------
    data : Path
    roles : dict
        Columns by their part: ``label``, ``source``, ``time``, ``id``, ``text``, ``image``.
    test : Path or None
        Clean test data; a fifth of the data, drawn by the seed, where None.
    attacks : tuple of (name, rates, options)
    learners : tuple of str
        ``default``, ``module:factory`` of an estimator, ``torch:module:factory`` of a network, or
        ``command:...`` (`foretaste.redteam.learners`).
    defences : tuple of str
        Of ours, of entry points, ``module:factory``, or joined by ``+`` (`foretaste.redteam.defences`).
    seeds : tuple of int
    rows : int or None
        Rows to draw from the data for each seed; all where None.
    """

    data: Path
    roles: dict[str, Any]
    attacks: tuple[tuple[str, tuple[float, ...], dict[str, Any]], ...]
    test: Path | None = None
    learners: tuple[str, ...] = ("default",)
    defences: tuple[str, ...] = ("none", "oracle", "random", "scan")
    seeds: tuple[int, ...] = (0, 1, 2)
    rows: int | None = None

    def cells(self) -> list[tuple[str, str]]:
        """Defence and learner of every run of a trial; those that share a sanitiser one after the other."""
        return [(defence, learner) for defence in self.defences for learner in self.learners]

    def trials(self) -> Iterator[Trial]:
        """Every trial, first the clean ones, then seed by seed: what is stopped early has whole seeds."""
        for seed in self.seeds:
            yield Trial("none", 0.0, seed)
        for seed in self.seeds:
            for name, rates, options in self.attacks:
                for rate in rates:
                    yield Trial(name, rate, seed, options)


def read_plan(path: Path) -> Plan:
    """Read a plan; paths in it are relative to its folder.

    Raises
    ------
    ConfigError
        Naming the file and the key that cannot be used.

    Examples
    --------
    A plan looks like this::

        seeds = [0, 1, 2]
        learners = ["default", "mymodels:make_classifier"]
        defences = ["none", "oracle", "random", "scan"]

        [data]
        path = "train.csv"
        test = "test.csv"
        label = "label"

        [[attack]]
        name = "word-trigger"
        target = "ham"
        rates = [0.001, 0.01, 0.03]
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: this plan cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: this is no TOML: {error}") from error
    known = {"data", "attack", "learners", "defences", "seeds"}
    unknown = sorted(set(document) - known)
    if unknown:
        raise ConfigError(
            f"{path}: there is no {unknown[0]!r} in a plan; there are {', '.join(sorted(known))}"
        )
    data = document.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("path"), str) or "label" not in data:
        raise ConfigError(f"{path}: [data] needs path and label")
    attacks = document.get("attack")
    if not isinstance(attacks, list) or not attacks:
        raise ConfigError(f"{path}: there is no [[attack]]; name at least one")
    roles = {key: str(value) for key, value in data.items() if key not in ("path", "test", "rows")}
    rows = data.get("rows")
    if rows is not None and (type(rows) is not int or rows < 50):
        raise ConfigError(f"{path}: rows of [data] is a whole number from 50")
    plan = Plan(
        data=path.parent / data["path"],
        roles=roles,
        test=path.parent / data["test"] if "test" in data else None,
        attacks=tuple(_attack(entry, path) for entry in attacks),
        learners=_texts(document, "learners", ("default",), path),
        defences=_texts(document, "defences", Plan.defences, path),
        seeds=tuple(_seeds(document.get("seeds", [0, 1, 2]), path)),
        rows=rows,
    )
    odd = sorted(set(roles) - {"label", "source", "time", "id", "text", "image"})
    if odd:
        raise ConfigError(f"{path}: [data] has no {odd[0]!r}")
    return plan


def quick_plan(data: Path, dataset: Dataset) -> Plan:
    """A small plan for any data: two or three attacks that fit, at two or four rates, one seed, few rows."""
    roles = dataset.roles
    kinds = (("text", roles.text), ("image", roles.image), ("tabular", roles.features))
    modality = next((kind for kind, there in kinds if there), "tabular")
    counts = sorted(zip(*_class_sizes(dataset), strict=True), reverse=True)
    target = counts[0][1]
    poisoned = (1 - TEST_SHARE) * min(len(dataset), QUICK_ROWS[modality])
    attacks = []
    for name in QUICK[modality]:
        options = {} if name == "label-flip" else {"target": target}
        rates = (0.03, 0.1) if name == "label-flip" else QUICK_RATES
        attacks.append(
            (name, tuple(rate for rate in rates if round(rate * poisoned) >= 1) or rates[-1:], options)
        )
    return Plan(data, roles.named(), tuple(attacks), seeds=(0,), rows=QUICK_ROWS[modality])


def _class_sizes(dataset: Dataset) -> tuple[list[int], list[str]]:
    codes, names = dataset.labels.codes, dataset.labels.names
    return [int((codes == code).sum()) for code in range(len(names))], names


def _attack(entry: Any, path: Path) -> tuple[str, tuple[float, ...], dict[str, Any]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ConfigError(f"{path}: an [[attack]] has no name")
    kind = find_attack(entry["name"])
    options = {key: value for key, value in entry.items() if key not in ("name", "rates")}
    odd = sorted(set(options) - set(kind().get_params()))
    if odd:
        raise ConfigError(f"{path}: {entry['name']} has no option {odd[0]!r}")
    rates = entry.get("rates", RATES)
    if not rates or not all(isinstance(rate, (int, float)) and 0 < rate < 1 for rate in rates):
        raise ConfigError(f"{path}: rates of {entry['name']} are shares of rows between 0 and 1")
    return entry["name"], tuple(float(rate) for rate in rates), options


def _texts(document: dict[str, Any], key: str, default: tuple[str, ...], path: Path) -> tuple[str, ...]:
    values = document.get(key, list(default))
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise ConfigError(f"{path}: {key} is a list of names")
    return tuple(values)


def _seeds(values: Any, path: Path) -> list[int]:
    if not isinstance(values, list) or not values or not all(type(v) is int and v >= 0 for v in values):
        raise ConfigError(f"{path}: seeds is a list of whole numbers from 0")
    return values
