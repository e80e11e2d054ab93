"""What a contestant says about one data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.data.dataset import Dataset


@dataclass(frozen=True)
class Verdict:
    """What a detector says.

    ``flags`` and ``scores`` run over the rows (higher is more suspicious); ``family`` tells alarms from mere
    mislabels where the detector makes that difference; ``groups`` are the row numbers of each campaign.
    """

    flags: NDArray[np.bool_]
    scores: NDArray[np.float64] | None = None
    family: list[str | None] | None = None
    patterns: list[str] = field(default_factory=list)
    groups: list[NDArray[np.int64]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    verdict: str = ""


Contestant = Callable[[Path, Dataset, dict[str, Any]], Verdict]
