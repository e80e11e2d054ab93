"""Embeddings that were all moved the same way (FT210)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Evidence, Skipped
from foretaste.detect.representations.base import LEAST_ROWS
from foretaste.detect.representations.robust_spectral import whitened_directions
from foretaste.detect.representations.shared_direction import bunch_along, campaigns_of
from foretaste.detect.representations.space import Space


class ShiftedEmbeddings(Detector):
    """Looks in an embedding matrix for rows of one label that share a shift their content does not explain.

    Whoever embeds triggered texts or images, or edits the vectors, moves them all in one direction. It is
    sought as in `RobustSpectral`, in all dimensions at once; no net is trained.

    Parameters
    ----------
    alpha : float
        Chance of a false alarm in data whose labels follow the content.

    Examples
    --------
    >>> ShiftedEmbeddings().rules
    ('FT210',)
    """

    rules: ClassVar[tuple[str, ...]] = ("FT210",)
    title: ClassVar[str] = "shifted embeddings"
    modalities: ClassVar[tuple[str, ...]] = ("embedding",)
    scope: ClassVar[str] = "group"

    def __init__(self, *, alpha: float = 0.01) -> None:
        self.alpha = alpha

    def examine(self, context: Context) -> Evidence:
        if context.vectors is None:
            return Evidence(skipped=[Skipped("FT210", "there is no embedding (64 or more numbered columns)")])
        known = np.flatnonzero(context.y >= 0)
        if context.n_classes < 2 or len(known) < LEAST_ROWS:
            reason = (
                f"{len(known)} labelled rows of {context.n_classes} classes are too few ({LEAST_ROWS} of 2)"
            )
            return Evidence(skipped=[Skipped("FT210", reason)])
        rows = context.vectors.standard[known]
        space = Space(
            "the embedding", known, context.y[known], context.n_classes, rows.astype(np.float64), rows, rows
        )
        bunches, tests = [], 0
        for label in range(context.n_classes):
            for direction in whitened_directions(space, label).T:
                tests += 1
                bunch = bunch_along(space, label, space.whitened @ direction)
                if bunch is not None:
                    bunches.append(bunch)
        how = "along one direction of the embedding"
        return Evidence(
            campaigns=campaigns_of(context, "FT210", bunches, tests=tests, alpha=self.alpha, how=how)
        )
