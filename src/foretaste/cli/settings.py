"""The settings of a scan: flags over ``foretaste.toml`` or ``[tool.foretaste]`` over defaults."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foretaste.errors import ConfigError

OTHER_TABLES = ("gate", "access")
FAIL_ON = ("campaign", "mislabel", "never")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {f"{letter}I": 2 ** (10 * power) for power, letter in enumerate("KMGT", start=1)}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """What a scan is run with.

    Attributes
    ----------
    values : dict
        By name, with underscores; None where there is neither a value nor a default.
    origins : dict
        Where each value came from: ``flag``, ``default`` or the configuration file.
    file : Path or None
        The configuration file that was read.
    """

    values: dict[str, Any]
    origins: dict[str, str]
    file: Path | None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def as_toml(self) -> str:
        """Every setting as a line of TOML with where it came from; one without a value is a comment."""
        lines = ["# the settings foretaste scan would use here"]
        for name, value in self.values.items():
            key = name.replace("_", "-")
            line = f"# {key} is not set" if value is None else f"{key} = {_toml(value)}"
            lines.append(f"{line}  # {_inert(self.origins[name])}" if value is not None else line)
        return "\n".join(lines) + "\n"


def resolve(flags: Mapping[str, Any], file: Path | None, folder: Path) -> Settings:
    """Settle every setting.

    Parameters
    ----------
    flags : mapping
        What the command line says, None or empty where it says nothing.
    file : Path or None
        The configuration file to read; found upwards from ``folder`` where None.
    folder : Path

    Raises
    ------
    ConfigError
        Naming file and key, or the flag, that cannot be used.
    """
    table, found = _read(file) if file is not None else _find(folder.resolve())
    configured = _checked(table, found)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, (check, default) in SETTINGS.items():
        flag = flags.get(name)
        if flag is not None and flag != []:
            values[name], origins[name] = check(flag, f"--{name.replace('_', '-')}"), "flag"
        elif name in configured:
            values[name], origins[name] = configured[name], str(found)
        else:
            values[name], origins[name] = default, "default"
    return Settings(values, origins, found)


def memory_bytes(text: str | int) -> int:
    """A size such as ``2GB``, ``512 MiB`` or a number of bytes, in bytes.

    Examples
    --------
    >>> memory_bytes("1.5GiB")
    1610612736
    """
    match = _SIZE.fullmatch(str(text))
    size = int(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if size < 2**20:
        raise ConfigError(f"{text!r} is no amount of memory; write it like 2GB")
    return size


def _find(folder: Path) -> tuple[dict[str, Any], Path | None]:
    for place in (folder, *folder.parents):
        if (place / "foretaste.toml").is_file():
            return _read(place / "foretaste.toml")
        if (place / "pyproject.toml").is_file():
            document = _load(place / "pyproject.toml")
            if "foretaste" in document.get("tool", {}):
                return document["tool"]["foretaste"], place / "pyproject.toml"
    return {}, None


def _read(file: Path) -> tuple[dict[str, Any], Path]:
    document = _load(file)
    if file.name == "pyproject.toml":
        document = document.get("tool", {}).get("foretaste", {})
    return document, file


def _load(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: this is not TOML: {error}") from error


def _checked(table: Any, file: Path | None) -> dict[str, Any]:
    """The settings of a configuration file, by name with underscores."""
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.foretaste is no table; write [tool.foretaste]")
    checked: dict[str, Any] = {}
    for key, value in table.items():
        if key in OTHER_TABLES and isinstance(value, dict):
            continue  # the policy of foretaste gate
        name = key.replace("-", "_")
        if name not in SETTINGS:
            close = difflib.get_close_matches(name, SETTINGS, n=1)
            known = ", ".join(known.replace("_", "-") for known in SETTINGS)
            hint = f"did you mean {close[0].replace('_', '-')!r}?" if close else f"there are {known}"
            raise ConfigError(f"{file}: there is no setting {key!r}; {hint}")
        if name in checked:
            raise ConfigError(f"{file}: {key!r} is set twice; keep one of the spellings")
        checked[name] = SETTINGS[name][0](value, f"{file}: {key}")
        if name in ("out", "trusted") and file is not None:
            checked[name] = str(file.parent / checked[name])  # a path in a file is relative to that file
    return checked


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where} is {_shown(value)}; use text")
    return value


def _texts(value: Any, where: str) -> list[str]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not all(isinstance(item, str) for item in listed):
        raise ConfigError(f"{where} is {_shown(value)}; use a list of text")
    return [part.strip() for item in listed for part in item.split(",") if part.strip()]


def _one_of(choices: tuple[str, ...]) -> Callable[[Any, str], str]:
    def check(value: Any, where: str) -> str:
        if value not in choices:
            raise ConfigError(f"{where} is {_shown(value)}; use one of {', '.join(choices)}")
        return str(value)

    return check


def _formats(value: Any, where: str) -> list[str]:
    from foretaste.report import FORMATS

    return [_one_of(tuple(FORMATS))(name, where) for name in _texts(value, where)]


def _share(value: Any, where: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 0.5:
        raise ConfigError(f"{where} is {_shown(value)}; use a rate above 0 and at most 0.5, such as 0.05")
    return float(value)


def _whole(least: int) -> Callable[[Any, str], int]:
    def check(value: Any, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ConfigError(f"{where} is {_shown(value)}; use a whole number from {least}")
        return value

    return check


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where} is {_shown(value)}; use true or false")
    return value


def _memory(value: Any, where: str) -> int:
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise ConfigError(f"{where} is {_shown(value)}; write it like '2GB'")
    try:
        return memory_bytes(value)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return repr(value) if isinstance(value, (int, float)) else f'"{_inert(value)}"'


def _inert(text: str) -> str:
    """Text as it may stand in a TOML string, and on any terminal."""
    return "".join(
        letter if letter.isprintable() and letter not in '"\\' else f"\\U{ord(letter):08X}" for letter in text
    )


Check = Callable[[Any, str], Any]

SETTINGS: dict[str, tuple[Check, Any]] = {
    "label": (_text, None),
    "source": (_text, None),
    "time": (_text, None),
    "id": (_text, None),
    "text": (_text, None),
    "image": (_text, None),
    "trusted": (_text, None),
    "fdr": (_share, 0.05),
    "out": (_text, "foretaste-out"),
    "fail_on": (_one_of(FAIL_ON), "campaign"),
    "select": (_texts, []),
    "ignore": (_texts, []),
    "seed": (_whole(0), 0),
    "jobs": (_whole(1), None),
    "memory": (_memory, None),
    "format": (_formats, []),
    "decoys": (_flag, True),
    "quiet": (_flag, False),
}
"""Every setting: how it is checked, and its default. The names are those of the long flags."""
