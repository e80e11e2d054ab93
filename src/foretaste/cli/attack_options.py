"""The parameters of an attack as options of a command line, and its results as files."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from foretaste.attacks import Attack, Poisoned, catalogue, find_attack, replay
from foretaste.cli.attack_folder import is_class_folder, write_class_folder
from foretaste.data.atomic import appearing
from foretaste.data.dataset import Dataset
from foretaste.data.formats import write_table
from foretaste.errors import ConfigError

OURS = ("rate", "target", "random_state")
"""Parameters that are options of the command itself."""

RATE = 0.01
"""Share of rows that is poisoned where none is given."""

_RENAMED = {"source": "as_source"}
"""Parameters whose name means something else on the command line: there ``--source`` is a column."""


def listing() -> list[str]:
    """One line per attack, its name first, grouped by goal and access."""
    rows = [
        (entry.name, entry.goal, entry.access, entry.knowledge, "/".join(entry.modalities), entry.summary)
        for entry in sorted(catalogue(), key=lambda entry: (entry.goal, entry.access, entry.name))
    ]
    widths = [max(map(len, cells)) + 2 for cells in zip(*rows, strict=True)][:-1]
    return ["".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)) for row in rows]


def find(name: str) -> type[Attack]:
    """The attack of that name; an unknown one is answered with the closest."""
    try:
        return find_attack(name)
    except ConfigError:
        names = [entry.name for entry in catalogue()]
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names)}"
        raise ConfigError(f"there is no attack {name!r}; {hint}") from None


def parameters(kind: type[Attack]) -> dict[str, inspect.Parameter]:
    """The parameters that only this attack has, by the name of their option."""
    found = dict(inspect.signature(kind).parameters)
    return {_RENAMED.get(name, name): parameter for name, parameter in found.items() if name not in OURS}


def describe(kind: type[Attack]) -> str:
    """What the attack does and takes."""
    lines = [f"  --{name.replace('_', '-')}  {_usage(own)}" for name, own in parameters(kind).items()]
    return "\n".join([f"{kind.name}: {inspect.getdoc(kind)}", "", "On the command line:", *lines, ""])


def split(kind: type[Attack], words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Sort what follows the name of the attack into paths and parameters.

    Raises
    ------
    ConfigError
        Where the attack has no such option, or an option lacks its value.
    """
    known = parameters(kind)
    paths: list[str] = []
    given: dict[str, Any] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("-") or word == "-":
            paths.append(word)
            continue
        option, equals, value = word.partition("=")
        name = option.lstrip("-").replace("-", "_")
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = (
                f"did you mean --{close[0].replace('_', '-')}?"
                if close
                else f"its options: foretaste attack {kind.name}"
            )
            raise ConfigError(f"{kind.name} has no option {option!r}; {hint}")
        if isinstance(known[name].default, bool) and not equals:
            given[known[name].name] = True
            continue
        if not equals and not left:
            raise ConfigError(f"{option} needs a value; write {option} {_usage(known[name])}")
        _add(given, known[name], value if equals else left.pop(0), option)
    return paths, given


def build(kind: type[Attack], given: dict[str, Any], seed: int, recipe: Path | None) -> Attack:
    """The attack with these parameters, or the one a recipe describes."""
    if "target" in given and "target" not in inspect.signature(kind).parameters:
        raise ConfigError(f"{kind.name} has no target class; leave out --target")
    if recipe is None:
        chosen = kind.rate_optional and given.keys() & {"keyword", "where", "condition"}  # all they select
        everything = chosen or inspect.signature(kind).parameters["rate"].default is None
        rate = {"rate": None if everything else RATE}
        return kind(**(rate | given), random_state=seed)
    again = replay(_recipe(recipe))
    if type(again) is not kind:
        raise ConfigError(f"{recipe}: the recipe is for {again.name}, not for {kind.name}; name that attack")
    return again


def stamped(attack: Attack, dataset: Dataset, recipe: Path | None) -> Poisoned:
    """Test data with the trigger in every row and their labels as they were.

    The trigger is that of the recipe where one is given. Without one it is what the parameters say; an attack
    that chooses its trigger from the data would choose another one from test data.
    """
    saved = None if recipe is None else _recipe(recipe)
    make = getattr(attack, "trigger_for", None)
    if saved is not None:
        trigger = type(attack).load_trigger(saved)
    else:
        trigger = make(dataset) if make is not None else None
    if trigger is None:
        raise ConfigError(f"{attack.name} has no trigger to stamp; leave out --trigger-only")
    everything = np.ones(len(dataset), dtype=bool)
    labels = dataset.column(dataset.roles.label).combine_chunks() if dataset.roles.label else None
    plan = {"schema": 1, "attack": attack.name, "version": attack.version, "trigger_only": True}
    plan |= {"parameters": {} if saved is None else saved["parameters"], "trigger": trigger.to_dict()}
    if saved is None:
        chosen = attack.get_params(deep=False)
        chosen |= {"checkpoint": None} if "checkpoint" in chosen else {}
        plan["parameters"] = json.loads(json.dumps(chosen, default=str))
    return Poisoned(
        data=trigger.apply(dataset),
        mask=everything,
        cover=~everything,
        original_row=np.arange(len(dataset)),
        original_label=pa.nulls(len(dataset)) if labels is None else labels,
        trigger=trigger,
        recipe=plan,
    )


def write(result: Poisoned, before: Dataset, data: Path, out: Path) -> Path:
    """Write the poisoned data in the format of ``data``, the truth and the recipe; return its place."""
    out.mkdir(parents=True, exist_ok=True)
    suffixes = "".join(data.suffixes[-2:] if data.suffix.lower() == ".gz" else data.suffixes[-1:])
    place = out / f"poisoned{suffixes if data.is_file() else ''}"
    if place.is_dir():
        raise ConfigError(f"{place} is already there; name another --out or remove it")
    if is_class_folder(before, data):
        result = write_class_folder(result, before, data, place)
    else:
        write_table(result.data.table, place)
    with appearing(out / "truth.parquet") as new:
        pq.write_table(result.truth(), new, compression="zstd")
    with appearing(out / "recipe.json") as new:
        new.write_text(json.dumps(result.recipe, indent=1) + "\n", "utf-8")
    return place


def _recipe(path: Path) -> dict[str, Any]:
    try:
        recipe = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: this is not a recipe: {error}") from error
    if not isinstance(recipe, dict):
        raise ConfigError(f"{path}: this is not a recipe; name the recipe.json of an attack")
    return recipe


def _add(given: dict[str, Any], parameter: inspect.Parameter, text: str, option: str) -> None:
    """Put the text of an option among the parameters, as the kind of value its annotation says."""
    name = parameter.name
    annotation = str(parameter.annotation)
    if "Mapping" in annotation:
        key, equals, value = text.partition("=")
        row = name not in given and "int" in annotation and text.isdecimal()
        if row:
            given[name] = int(text)
        elif not equals or isinstance(given.get(name), int):
            raise ConfigError(f"{option} is {text!r}; write {option} {_usage(parameter)}")
        else:
            given.setdefault(name, {})[key] = _value(value)
    elif "Sequence" in annotation:
        given.setdefault(name, []).append(text)
    elif "str" in annotation or annotation == "Any":
        given[name] = text
    else:
        given[name] = _value(text)


def _value(text: str) -> Any:
    """A number, truth value or null where the text is one, else the text."""
    if text.lower() in ("none", "null"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _usage(parameter: inspect.Parameter) -> str:
    annotation = str(parameter.annotation)
    if "Mapping" in annotation:
        return f"{'ROW or ' if 'int' in annotation else ''}NAME=VALUE (may be repeated)"
    if "Sequence" in annotation:
        return "TEXT (may be repeated)"
    if isinstance(parameter.default, bool):
        return "(no value)"
    default = (
        "" if parameter.default in (None, inspect.Parameter.empty) else f" ({parameter.default} by default)"
    )
    if "float" in annotation or "int" in annotation:
        return f"NUMBER{default}"
    return f"TEXT{default}"
