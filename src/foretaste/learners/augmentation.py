"""Images moved and mirrored at random, differentiably: what most training of image nets does to them."""

from __future__ import annotations

from typing import Any

import numpy as np


def jittered(images: Any, shift: int, mirror: bool, rng: np.random.Generator) -> Any:
    """Every image moved by whole pixels, and one in two mirrored left to right.

    Parameters
    ----------
    images : tensor ``[n, C, H, W]``
    shift : int
        Each is moved by up to so many pixels down or up and left or right; its edge pixels are repeated.
    mirror : bool
    rng : numpy.random.Generator

    Examples
    --------
    >>> import torch
    >>> image = torch.arange(9.0).reshape(1, 1, 3, 3)
    >>> jittered(image, 1, False, np.random.default_rng(0))[0, 0].tolist()      # one pixel down
    [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    import torch

    number, channels, height, width = images.shape
    by = torch.from_numpy(rng.integers(-shift, shift + 1, size=(number, 2)))
    flipped = torch.from_numpy(rng.random(number) < (0.5 if mirror else 0.0))
    down = (torch.arange(height)[None] - by[:, :1]).clamp(0, height - 1)
    right = (torch.arange(width)[None] - by[:, 1:]).clamp(0, width - 1)
    right = torch.where(flipped[:, None], right.flip(1), right)
    rows = down[:, None, :, None].expand(number, channels, height, width)
    columns = right[:, None, None, :].expand(number, channels, height, width)
    return images.gather(2, rows.to(images.device)).gather(3, columns.to(images.device))
