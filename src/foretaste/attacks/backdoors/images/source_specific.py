"""Source-specific backdoor (TaCT): only images of one class obey the trigger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.backdoors.images.any_trigger import AnyTrigger
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError


@dataclass(kw_only=True, eq=False, repr=False)
class SourceSpecific(AnyTrigger):
    """Stamp images of one class and give them the target label; stamp others and leave their labels right.

    Parameters
    ----------
    rate : float
        Share of all rows that get the trigger and the target label.
    target : label, optional
        The class a triggered image of the source class is to be taken for; the most frequent one by default.
    source_class : label, optional
        The class that obeys; the most frequent one beside the target by default.
    cover_rate : float, optional
        Share of all rows, of neither class, that get the trigger and keep their label; ``rate`` by default.
    attack : {"badnets", "blended", "sig", "wanet"}
        The attack whose trigger is used.
    options : mapping, optional
        Parameters of that trigger.
    within_source : optional
        Only rows of this source are touched.
    random_state : int, optional

    References
    ----------
    Tang, Wang, Tang, Zhang: Demon in the Variant: Statistical Analysis of DNNs for Robust Backdoor
    Contamination Detection, USENIX Security 2021 (the attack TaCT).

    Examples
    --------
    >>> images = np.zeros((6, 4, 4), dtype=np.uint8)
    >>> attack = SourceSpecific(rate=0.2, target="cat", source_class="dog")
    >>> X, y = attack.fit_resample(images, ["cat", "dog", "emu", "cat", "emu", "emu"])
    >>> y, attack.cover_mask_.sum(), X.any(axis=(1, 2)).sum()
    (['cat', 'cat', 'emu', 'cat', 'emu', 'emu'], np.int64(1), np.int64(2))
    """

    name: ClassVar[str] = "source-specific"
    paper: ClassVar[str] = "Tang, Wang, Tang, Zhang (TaCT), USENIX Security 2021"

    source_class: Any = None
    cover_rate: float | None = None

    def _source_code(self, dataset: Dataset, target: int) -> int:
        if self.source_class is None:
            codes = dataset.labels.codes
            counts = np.bincount(codes[codes >= 0], minlength=len(dataset.labels))
            counts[target] = -1
            return int(np.argmax(counts))
        source = self._class_code(dataset, self.source_class, "source_class")
        if source == target:
            raise ConfigError(f"{self.name}: source_class and target are both {self.source_class!r}")
        return source

    def _may_stamp(self, dataset: Dataset, target: int) -> NDArray[np.bool_]:
        return np.asarray(dataset.labels.codes == self._source_code(dataset, target))

    def _may_cover(self, dataset: Dataset, target: int) -> NDArray[np.bool_]:
        return ~np.isin(dataset.labels.codes, [target, self._source_code(dataset, target)])

    def _cover_share(self) -> float:
        return self.rate if self.cover_rate is None else self.cover_rate

    def _notes(self, dataset: Dataset, target: int) -> dict[str, Any]:
        source = dataset.labels.names[self._source_code(dataset, target)]
        return {**super()._notes(dataset, target), "source_class": source}
