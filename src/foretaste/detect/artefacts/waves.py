"""Images that share a wave along rows or columns, wherever its crests lie (FT208)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.candidates import by_class
from foretaste.features.image import ImageFeatures
from foretaste.features.residuals import profile_spectra

WAVES = "waves"


def wave_candidates(
    image: ImageFeatures, y: NDArray[np.int64], n_classes: int, seed: int
) -> Iterator[Candidate]:
    """Splits within each class along what its waves have in common; arguments as of `candidates`.

    References
    ----------
    Barni, Kallas and Tondi, "A new backdoor attack in CNNs by training set corruption without label
    poisoning", ICIP 2019: a wave as a trigger; here each image may show another phase of it.
    """
    spectra = np.concatenate(profile_spectra(image.luminance), axis=1)
    yield from by_class(WAVES, spectra, np.where(image.present, y, -1), n_classes, seed)


def words(image: ImageFeatures, rows: NDArray[np.int64], control: NDArray[np.int64]) -> str:
    """Which wave they share, for a person."""
    found = []
    for spectra, way in zip(
        profile_spectra(image.luminance), ("left to right", "top to bottom"), strict=True
    ):
        excess = spectra[rows].mean(axis=0) - spectra[control].mean(axis=0)
        found.append((float(excess.max()), int(excess.argmax()) + 1, way))
    _, periods, way = max(found)
    return f"wave of {periods} periods from {way}"
