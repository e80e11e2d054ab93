"""What can go wrong, in one sentence a person can act on."""

from __future__ import annotations


class ForetasteError(Exception):
    """Base of every error foretaste raises on purpose; its text is one sentence for a person."""


class DataError(ForetasteError, ValueError):
    """The data cannot be read or used: says which file, column and row, and what to do.

    Parameters
    ----------
    problem : str
        What is wrong, as a clause: ``"column 'labl' does not exist"``.
    file, column, row : optional
        Where. Rows are counted from 0, as in ``findings.parquet``.
    hint : str, optional
        What to do about it.

    Examples
    --------
    >>> print(DataError("the label is empty", file="a.csv", column="y", row=3, hint="fill or drop it"))
    a.csv, column 'y', row 3: the label is empty; fill or drop it
    """

    def __init__(
        self,
        problem: str,
        *,
        file: object = None,
        column: str | None = None,
        row: int | None = None,
        hint: str | None = None,
    ) -> None:
        where = [str(file)] if file is not None else []
        if column is not None:
            where.append(f"column {column!r}")
        if row is not None:
            where.append(f"row {row}")
        text = f"{', '.join(where)}: {problem}" if where else problem
        super().__init__(f"{text}; {hint}" if hint else text)


class ConfigError(ForetasteError, ValueError):
    """A setting or a flag has a value that cannot be used."""


class MissingExtraError(ForetasteError, ImportError):
    """A feature needs an optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the optional extra {extra!r}; run: pip install 'foretaste[{extra}]'"
        )


class IncompleteScanError(ForetasteError):
    """A scan stopped before every planned test had run; nothing it found may be called complete."""


class IntegrityError(ForetasteError):
    """Something is not what was recorded or signed: it was altered, or somebody else made it."""


class DeniedError(ForetasteError):
    """Somebody may not do what was asked for; the attempt is written down where a ledger is kept."""
