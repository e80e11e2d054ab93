"""What detectors of representations have in common: spaces to look at, lines in them, one test for all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.base import Detector
from foretaste.detect.context import Context
from foretaste.detect.evidence import Evidence, Skipped
from foretaste.detect.representations.shared_direction import Bunch, bunch_along, campaigns_of
from foretaste.detect.representations.space import Space
from foretaste.errors import MissingExtraError

LEAST_ROWS = 200

Line = tuple[int, NDArray[np.float64], NDArray[np.bool_] | None]
"""A label, where every row of a space lies, and the rows that are compared (None for all)."""


class NetDetector(Detector):
    """Base of what looks for campaigns in a net that was trained on the suspect images themselves.

    A subclass writes `lines`; each line is put to the test of `shared_direction`.

    Parameters
    ----------
    alpha : float
        Chance of a false alarm in data whose labels follow the content.
    """

    modalities: ClassVar[tuple[str, ...]] = ("image",)
    scope: ClassVar[str] = "group"
    how: ClassVar[str]
    """A clause for the reason: where the rows stand apart."""

    def __init__(self, *, alpha: float = 0.01) -> None:
        self.alpha = alpha

    @abstractmethod
    def lines(self, context: Context, spaces: list[Space]) -> Iterator[tuple[Space, Line]]:
        """Every line to test."""

    def examine(self, context: Context) -> Evidence:
        rule = self.rules[0]
        reason = why_no_net(context)
        if reason:
            return Evidence(skipped=[Skipped(rule, reason)])
        bunches: list[Bunch] = []
        tests = 0
        for space, (label, line, among) in self.lines(context, net_spaces(context)):
            tests += 1
            bunch = bunch_along(space, label, line, among)
            if bunch is not None:
                bunches.append(bunch)
        return Evidence(
            campaigns=campaigns_of(context, rule, bunches, tests=tests, alpha=self.alpha, how=self.how)
        )


def why_no_net(context: Context) -> str:
    """Why no net can be trained on these data; empty where one can."""
    if context.image is None:
        return "there are no images; in texts and tables a net told nothing that was to be trusted"
    known = int((context.y >= 0).sum())
    if context.n_classes < 2 or known < LEAST_ROWS:
        return f"{known} images of {context.n_classes} classes are too few to train a net ({LEAST_ROWS} of 2)"
    if find_spec("torch") is None:
        return str(MissingExtraError("what a net learns from the images", "torch"))
    return ""


def net_spaces(context: Context) -> list[Space]:
    """The blocks of the net, first to last, as spaces; content is gradients and colours."""
    assert context.image is not None
    known = np.flatnonzero(context.y >= 0)
    return [
        Space(
            f"block {block} of the net",
            known,
            context.y[known],
            context.n_classes,
            np.asarray(rows[known], np.float64),
            context.image.standard[known],
            context.image.thumbnails[known],
        )
        for block, rows in enumerate(context.convnet_activations, 1)
    ]
