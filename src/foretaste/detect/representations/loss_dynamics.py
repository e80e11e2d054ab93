"""Rows against their content that a net learned before the others (FT505)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from foretaste.detect.context import Context
from foretaste.detect.representations.base import Line, NetDetector
from foretaste.detect.representations.space import Space

EARLY = slice(1, 4)
"""Epochs that count: in the first one the order of rows decides."""


class LossDynamics(NetDetector):
    """Compares how soon a net learned the rows whose content speaks against their label.

    Hard rows and wrong labels are learned late, a trigger is learned first. Only rows with contradicted
    labels are compared, and only a bunch of early ones is reported: the late ones are for the label audit.

    References
    ----------
    Li et al., "Anti-backdoor learning: training clean models on poisoned data", NeurIPS 2021. There, the
    one per cent of rows with the least early loss is isolated, whatever the data.

    Examples
    --------
    >>> LossDynamics().rules
    ('FT505',)
    """

    rules: ClassVar[tuple[str, ...]] = ("FT505",)
    title: ClassVar[str] = "loss dynamics"
    how: ClassVar[str] = "in how soon a net learned them"

    def lines(self, context: Context, spaces: list[Space]) -> Iterator[tuple[Space, Line]]:
        space = spaces[0]
        early = context.convnet.losses[EARLY][:, space.positions].astype(np.float64)
        if not len(early):
            return
        speed = -np.log(early.mean(axis=0) + 1e-3)
        support = space.log_p[np.arange(len(space)), space.y]
        tenth = np.argsort(np.argsort(support, kind="stable"), kind="stable") * 10 // len(support)
        speed -= np.array([np.median(speed[tenth == t]) for t in range(10)])[tenth]  # what content explains
        against = space.said != space.y
        for label in range(space.n_classes):
            if (against & (space.y == label)).sum() >= 2 * space.least:
                yield space, (label, speed, against)
