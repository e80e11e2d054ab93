"""Checking the parameters of an attack by the types of their defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from foretaste.errors import ConfigError


def check_types(attack: Any) -> None:
    """Refuse a parameter of another kind than its default or, where that is None, its annotation.

    ``rate`` and ``random_state`` are not looked at.

    Raises
    ------
    ConfigError
        Naming the attack, the parameter and what it must be.
    """
    for name, parameter in inspect.signature(type(attack)).parameters.items():
        value, kind = getattr(attack, name), type(parameter.default)
        if parameter.default is None:
            kind = _NAMED.get(str(parameter.annotation).split(" |")[0], kind)
        if name in ("rate", "random_state") or kind not in _KINDS:
            continue
        if value is None and "None" in str(parameter.annotation):
            continue
        wanted, fits = _KINDS[kind]
        if not fits(value):
            raise ConfigError(f"{attack.name}: {name} is {value!r}; use {wanted}")


def is_share(value: Any) -> bool:
    """A number between 0 and 1, neither of them."""
    return isinstance(value, (float, np.floating)) and bool(0 < value < 1)


def is_whole(value: Any) -> bool:
    """A whole number, not a truth value."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Any number, not a truth value."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


_NAMED: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
_KINDS: dict[type, tuple[str, Callable[[Any], bool]]] = {
    bool: ("True or False", lambda value: isinstance(value, bool)),
    int: ("a whole number", is_whole),
    float: ("a number", is_number),
    str: ("text", lambda value: isinstance(value, str)),
}
