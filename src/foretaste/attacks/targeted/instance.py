"""The one row an attacker cares about: named by its number or its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.editing import set_cells
from foretaste.attacks.parameters import is_whole
from foretaste.data.dataset import Dataset, name_some
from foretaste.errors import ConfigError, DataError


def find_instance(
    dataset: Dataset,
    row: int | None,
    instance: Mapping[str, Any] | int | None,
    avoid: int,
    attack: str,
    rng: np.random.Generator,
) -> tuple[Dataset, int]:
    """A data set of one row, and the number of the row it came from.

    Parameters
    ----------
    row : int, optional
        Its number; a random row that is not of class ``avoid`` by default.
    instance : int or mapping, optional
        The number of the row; or ``{column: value}``, cells that differ from that row; for text, the text
        column alone.

    Raises
    ------
    ConfigError
        When there is no such row or column.
    DataError
        When every row is of class ``avoid``.
    """
    if instance is not None and not isinstance(instance, Mapping):
        if row is not None or not is_whole(instance):
            raise ConfigError(f"{attack}: instance is {instance!r}; give one row, or {{column: value}}")
        row, instance = int(instance), None
    if row is None:
        codes = dataset.labels.codes
        others = np.flatnonzero((codes >= 0) & (codes != avoid))
        if not len(others):
            raise DataError(f"{attack}: every row is of the target class", file=dataset.name)
        row = int(rng.choice(others))
    if not 0 <= row < len(dataset):
        raise ConfigError(f"{attack}: row is {row}; the rows are 0 to {len(dataset) - 1}")
    if not instance and dataset.labels.codes[row] == avoid:
        raise ConfigError(f"{attack}: row {row} is of the target class already; name another row or target")
    one = dataset.take([row])
    known = [*dataset.roles.features, *([dataset.roles.text] if dataset.roles.text else [])]
    for column, value in (instance or {}).items():
        if column not in known:
            raise ConfigError(f"{attack}: {column!r} is no column of content; they are {name_some(known)}")
        one = replace(one, table=set_cells(one.table, column, np.array([0]), [value]))
    return one, row


def closeness(X: Any, one: Any) -> NDArray[np.float64]:
    """How near each row of a matrix is to one other: cosine for sparse ones, else minus the distance."""
    if isinstance(X, np.ndarray):
        return np.asarray(-((X - one) ** 2).sum(axis=1), np.float64)
    return np.asarray((X @ one.T).toarray().ravel(), np.float64)
