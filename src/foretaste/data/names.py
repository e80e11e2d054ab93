"""Column names: showing a few, finding the one that was meant, making them unique."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from foretaste.errors import DataError


def name_some(names: Sequence[str], limit: int = 8) -> str:
    """``a, b, c and 12 more``: at most ``limit`` of the names."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def require_column(name: str, columns: Sequence[str], *, use: str, file: object = None) -> str:
    """Return ``name`` where it is one of ``columns``, else raise `DataError` with the closest match.

    Examples
    --------
    >>> require_column("labl", ["label", "text"], use="label", file="a.csv")
    Traceback (most recent call last):
    foretaste.errors.DataError: a.csv: there is no column 'labl' to use as label; did you mean 'label'?
    """
    if name in columns:
        return name
    folded = {column.casefold().strip(): column for column in reversed(columns)}
    close = difflib.get_close_matches(name.casefold().strip(), list(folded)[:2000], n=1)
    if close:
        hint = f"did you mean {folded[close[0]]!r}?"
    elif columns:
        hint = f"its columns are {name_some(columns)}"
    else:
        hint = "it has no columns"
    raise DataError(f"there is no column {name!r} to use as {use}", file=file, hint=hint)


def unique_names(names: Sequence[str]) -> tuple[list[str], str | None]:
    """Names with every repeat numbered and every empty one filled in, and a note where that changed anything.

    Examples
    --------
    >>> unique_names(["a", "b", "a"])
    (['a', 'b', 'a.1'], "column names made unique: 'a' at position 2 is 'a.1'")
    """
    taken = set(names)
    seen: set[str] = set()
    result: list[str] = []
    changes: list[str] = []
    for position, name in enumerate(names):
        chosen = name
        if not name:
            chosen = f"column {position}"
        if chosen in seen or (chosen != name and chosen in taken):
            number = 1
            while f"{chosen}.{number}" in seen or f"{chosen}.{number}" in taken:
                number += 1
            chosen = f"{chosen}.{number}"
        if chosen != name:
            changes.append(f"{name!r} at position {position} is {chosen!r}")
        seen.add(chosen)
        result.append(chosen)
    if not changes:
        return result, None
    shown = ", ".join(changes[:5]) + (f" and {len(changes) - 5} more" if len(changes) > 5 else "")
    return result, f"column names made unique: {shown}"
