"""Which values of which columns can be a trigger."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foretaste.attacks.sampling import spread_rows
from foretaste.data.dataset import Codes, Dataset, encode
from foretaste.errors import DataError

FREQUENCIES = {"rare": (0.001, 0.02), "common": (0.02, 0.5), "stealth": (0.2, 0.8)}
NATURAL_SHARE = 0.0005
TRIES = 200


def choose_values(
    dataset: Dataset,
    columns: Sequence[str],
    number: int,
    frequency: str,
    target: int,
    rng: np.random.Generator,
) -> dict[str, pa.Scalar]:
    """Draw values that occur, that hardly any row has together and that do not speak for the target.

    Values that mark the target class by nature are left out where others remain: they would need no poison.
    Several values are drawn anew while more than 0.05 % of the rows have them all, as those rows would
    contradict the attack; after 200 draws the rarest combination stands.

    Parameters
    ----------
    frequency : {"rare", "common", "stealth"}
        A key of ``FREQUENCIES``: the share of rows each value alone may be in.
    target : int
        Code of the target class.

    Raises
    ------
    DataError
        When fewer than ``number`` columns have a value to use.
    """
    rows = spread_rows(np.arange(len(dataset)))
    part, hits = dataset.take(rows), dataset.labels.codes[rows] == target
    coded = {column: encode(part.column(column)) for column in columns}
    found = {column: _candidates(coded[column], FREQUENCIES[frequency]) for column in columns}
    neutral = {column: _without_lift(coded[column], codes, hits) for column, codes in found.items()}
    for candidates in (neutral, found):
        usable = [column for column in columns if len(candidates[column])]
        if len(usable) >= number:
            break
    else:
        raise DataError(
            f"{len(usable)} columns have a value a trigger of {number} could use",
            file=dataset.name,
            hint="lower number or name the values",
        )
    best: dict[str, int] = {}
    rarest = np.inf
    for _ in range(TRIES):
        drawn = [usable[i] for i in np.sort(rng.choice(len(usable), size=number, replace=False))]
        picked = {column: int(rng.choice(candidates[column])) for column in drawn}
        share = np.mean(np.all([coded[column].codes == code for column, code in picked.items()], axis=0))
        if share < rarest:
            best, rarest = picked, float(share)
        if number == 1 or share <= NATURAL_SHARE:
            break
    return {column: coded[column].values[code] for column, code in best.items()}


def _candidates(coded: Codes, shares: tuple[float, float]) -> NDArray[np.int64]:
    """Codes of the values of one column that are frequent enough and not too frequent."""
    if len(coded) < 2:
        return np.empty(0, dtype=np.int64)
    share = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded)) / len(coded.codes)
    fitting = np.flatnonzero((share >= shares[0]) & (share <= shares[1]))
    kind = coded.values.type
    scale = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if len(fitting) or not scale or share.max() > shares[0]:
        return fitting
    numbers = coded.values.to_numpy(zero_copy_only=False).astype(np.float64)
    low, high = np.quantile(numbers, [0.05, 0.95])
    return np.flatnonzero((numbers >= low) & (numbers <= high))


def _without_lift(coded: Codes, codes: NDArray[np.int64], hits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Those of the values with which the target is not much likelier than without knowing anything."""
    present = coded.codes >= 0
    rows = np.bincount(coded.codes[present], minlength=len(coded))
    targeted = np.bincount(coded.codes[present], weights=hits[present], minlength=len(coded))
    chance = targeted / np.maximum(rows, 1)
    left: NDArray[np.int64] = codes[chance[codes] <= (1 + hits.mean()) / 2]
    return left
