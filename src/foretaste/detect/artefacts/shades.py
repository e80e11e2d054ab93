"""Images whose pixel values were counted out anew: fewer shades, dither, stretched contrast, hidden bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.candidates import by_class
from foretaste.features.image import ImageFeatures
from foretaste.features.residuals import histogram_spectra, shades

SHADES = "shades"
"""The view."""

_FEWER = 0.8


def shade_candidates(
    image: ImageFeatures, y: NDArray[np.int64], n_classes: int, seed: int
) -> Iterator[Candidate]:
    """Splits of each class along the traces that the same operation leaves in the histogram of values.

    Where an image is, and what is in it, plays no part: dither that looks different in every image and a
    change of contrast that no eye sees leave the same peaks and gaps.

    Parameters
    ----------
    image : ImageFeatures
    y : int64 ndarray of shape (n,)
        Class of each row; negative where it has none.
    n_classes : int
    seed : int

    References
    ----------
    Stamm and Liu, "Forensic detection of image manipulation using statistical intrinsic fingerprints", IEEE
    TIFS 5 (2010). Wang, Zhai and Ma, "BppAttack", CVPR 2022: such a trigger.
    """
    yield from by_class(
        SHADES, histogram_spectra(image.pixels), np.where(image.present, y, -1), n_classes, seed
    )


def words(image: ImageFeatures, rows: NDArray[np.int64], control: NDArray[np.int64]) -> str:
    """What their values have in common, for a person."""
    mine, others = (float(np.median(shades(image.pixels[part]))) for part in (rows, control))
    if mine < _FEWER * others:
        return f"{mine:.0f} different pixel values an image, {others:.0f} in others"
    return "the same gaps and peaks in the histogram of pixel values"
