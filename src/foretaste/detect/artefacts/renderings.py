"""Images that are rendered alike: a filter, a blur, a compression, a noise went over all of them (FT209)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foretaste.detect.artefacts.candidate import Candidate
from foretaste.detect.artefacts.candidates import by_class
from foretaste.features.image import ImageFeatures, box_mean
from foretaste.features.residuals import detail

RENDERING = "rendering"
"""The view."""

_EXPLAINED = 0.5


def rendering_candidates(
    rendered: NDArray[np.float32], image: ImageFeatures, y: NDArray[np.int64], n_classes: int, seed: int
) -> Iterator[Candidate]:
    """Splits within each class along what a change of tones, colours or sharpness leaves in all images.

    Parameters
    ----------
    rendered : float32 ndarray of shape (n, d)
        `renderings` of all images.
    image : ImageFeatures
    y : int64 ndarray of shape (n,)
        Class of each row; negative where it has none.
    n_classes : int
    seed : int

    References
    ----------
    Liu et al., "ABS: scanning neural networks for back-doors by artificial brain stimulation", CCS 2019:
    photo filters as triggers.
    """
    yield from by_class(RENDERING, rendered, np.where(image.present, y, -1), n_classes, seed)


def is_rendering(image: ImageFeatures, rows: NDArray[np.int64], control: NDArray[np.int64]) -> bool:
    """Whether the mean picture of rows differs from that of others as another rendering of it would.

    That is a matter of how bright a pixel of the picture is, and how bright its surroundings are, wherever it
    lies. A pattern that was laid over images says where.
    """
    mine, others = (image.small[part].mean(axis=0, dtype=np.float32) for part in (rows, control))
    soft = box_mean(others[None], 1)[0]
    level = others / 255
    known = np.stack([np.ones_like(level), level, level**2, (others - soft) / 255], axis=-1)
    left = 0.0
    mark = mine - others
    for channel in range(mark.shape[2]):
        columns, values = known[:, :, channel].reshape(-1, known.shape[-1]), mark[:, :, channel].ravel()
        fitted = np.linalg.lstsq(columns, values, rcond=None)[0]
        left += float(np.square(values - columns @ fitted).sum())
    return left < (1 - _EXPLAINED) * float(np.square(mark, dtype=np.float64).sum())


def words(image: ImageFeatures, rows: NDArray[np.int64], control: NDArray[np.int64]) -> str:
    """What sets their rendering apart most plainly, for a person."""
    most, said = 1.0, "the same change of tones, colours or detail"
    for name, values in _plain(image).items():
        mine, others = values[rows], values[control]
        apart = abs(float(np.median(mine) - np.median(others))) / (float(others.std()) + 1e-6)
        if apart > most:
            most = apart
            said = f"{name} {np.median(mine):.0f}, {np.median(others):.0f} in others"
    return said


def _plain(image: ImageFeatures) -> dict[str, NDArray[np.float32]]:
    """Plain measures of rendering, in grey levels, of every image."""
    plane = image.luminance
    small = image.small
    return {
        "brightness": plane.mean(axis=(1, 2)),
        "contrast": plane.std(axis=(1, 2)),
        "lightest": plane.max(axis=(1, 2)),
        "darkest": plane.min(axis=(1, 2)),
        "saturation": (small.max(axis=3) - small.min(axis=3)).mean(axis=(1, 2), dtype=np.float32),
        "finest detail": np.abs(detail(plane)).mean(axis=(1, 2)),
    }
