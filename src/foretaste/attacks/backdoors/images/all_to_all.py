"""All-to-all: with the trigger, every class is taken for the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from foretaste.attacks.backdoors.images.any_trigger import AnyTrigger
from foretaste.attacks.editing import Rows
from foretaste.data.dataset import Dataset


@dataclass(kw_only=True, eq=False, repr=False)
class AllToAll(AnyTrigger):
    """Stamp images of all classes and label each with the class after its own.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger.
    target : label, optional
        Only images that get this label are stamped; all classes by default.
    attack : {"badnets", "blended", "sig", "wanet"}
        The attack whose trigger is used.
    options : mapping, optional
        Parameters of that trigger.
    within_source : optional
        Only rows of this source are touched.
    random_state : int, optional

    Notes
    -----
    The class after one is the next in ascending order; the last one is followed by the first. The success of
    this attack is the share of stamped images taken for the class after their own (``targets`` in the notes
    of the recipe).

    References
    ----------
    Gu, Dolan-Gavitt, Garg: BadNets: Identifying Vulnerabilities in the Machine Learning Model Supply Chain,
    2017, section 4.3.

    Examples
    --------
    >>> images = np.zeros((6, 4, 4), dtype=np.uint8)
    >>> attack = AllToAll(rate=0.9, options={"size": 1})
    >>> X, y = attack.fit_resample(images, [0, 1, 2, 0, 1, 2])
    >>> y[:5], attack.recipe_["notes"]["targets"]
    ([1, 2, 0, 1, 2], {'0': '1', '1': '2', '2': '0'})
    """

    name: ClassVar[str] = "all-to-all"
    paper: ClassVar[str] = "Gu, Dolan-Gavitt, Garg (BadNets), 2017, section 4.3"

    def _may_stamp(self, dataset: Dataset, target: int) -> NDArray[np.bool_]:
        if self.target is None:
            return np.ones(len(dataset), dtype=bool)
        return np.asarray(_following(dataset)[dataset.labels.codes] == target)

    def _new_labels(self, dataset: Dataset, rows: Rows, target: int) -> NDArray[np.int64]:
        new: NDArray[np.int64] = _following(dataset)[dataset.labels.codes[rows]]
        return new

    def _notes(self, dataset: Dataset, target: int) -> dict[str, Any]:
        names = dataset.labels.names
        return {"targets": {names[i]: names[after] for i, after in enumerate(_following(dataset))}}


def _following(dataset: Dataset) -> NDArray[np.int64]:
    """The class after each class: numbers in their own order, not that of their text."""
    order = np.asarray(pc.sort_indices(dataset.labels.values)).astype(np.int64)
    after = np.empty(len(order), dtype=np.int64)
    after[order] = np.roll(order, -1)
    return after
