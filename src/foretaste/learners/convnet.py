"""A small convolutional net for images, trained on the spot. Needs the extra ``torch``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.errors import DataError, MissingExtraError
from foretaste.learners.augmentation import jittered

CHANNELS = (24, 48, 72)

LARGEST_SIDE = 40
"""Larger images are scaled down to this many pixels: a shared artefact does not need more, and time does."""

_BATCH = 128
_AT_ONCE = 1024


@dataclass(frozen=True)
class Convnet:
    """A trained net, and what it was like to train it.

    Attributes
    ----------
    network : torch.nn.Sequential
        Three blocks of convolution, normalisation, rectifier and pooling, then a linear layer.
    shape : tuple of int
        Height, width and channels of the images it takes.
    n_classes : int
    losses : float32 ndarray of shape (epochs, n)
        Cross-entropy of each training row when its batch came up in each epoch; NaN for rows without a label.
    device : str
    """

    network: Any
    shape: tuple[int, int, int]
    n_classes: int
    losses: NDArray[np.float32]
    device: str

    def predict_log_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Log probabilities of the classes for images ``[n, H, W(, C)]``; shape (n, n_classes)."""
        from torch.nn.functional import log_softmax

        parts = [log_softmax(x, dim=1) for x in self._through(images, slice(None))]
        return np.concatenate([part.cpu().numpy() for part in parts]).astype(np.float64)

    def activations(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """The maximum over the image of every channel, one array of shape (n, channels) per block.

        The maximum, not the mean: a trigger covers a small part of an image.
        """
        found: list[list[NDArray[np.float32]]] = [[] for _ in CHANNELS]
        for batch in self._through(images, slice(0)):
            for block, kept in enumerate(found):
                batch = self.network[block](batch)
                kept.append(batch.amax(dim=(2, 3)).cpu().numpy())
        return [np.concatenate(kept) for kept in found]

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights, statistics and losses as arrays by their names, for `restore_convnet`."""
        return {"losses": self.losses} | {
            name: value.cpu().numpy() for name, value in self.network.state_dict().items()
        }

    def _through(self, images: NDArray[np.uint8], blocks: slice) -> Iterator[Any]:
        """Batches of images after some blocks of the network."""
        import torch

        _check(images)
        if _three_axes(images) != self.shape:
            raise DataError(f"images of {_three_axes(images)} were given to a net for {self.shape}")
        self.network.eval()
        with torch.no_grad():
            for start in range(0, len(images), _AT_ONCE):
                yield self.network[blocks](_tensor(images[start : start + _AT_ONCE], self.device))


def fit_convnet(
    images: NDArray[np.uint8],
    y: NDArray[np.integer],
    n_classes: int,
    *,
    epochs: int = 8,
    shift: int = 0,
    mirror: bool = False,
    random_state: int = 0,
    device: str = "auto",
    jobs: int = 1,
) -> Convnet:
    """Train the net by stochastic gradient descent with one cycle of the learning rate.

    Parameters
    ----------
    images : uint8 ndarray of shape (n, H, W) or (n, H, W, C)
    y : int ndarray of shape (n,)
        Labels from 0 to ``n_classes - 1``; rows with a negative one are never trained on.
    n_classes : int
    epochs : int
    shift, mirror
        How images are moved and mirrored anew in every epoch, as in `augmentation.jittered`; not at all by
        default. It takes more epochs, and nets remember their images less and resemble each other more.
    random_state : int
        The same seed and number of threads give the same net on a processor.
    device : str
        A torch device; ``auto`` is an NVIDIA card where there is one, else the processor.
    jobs : int
        Threads.

    Raises
    ------
    MissingExtraError
        Without torch.
    DataError
        Where these are no images, or fewer than two rows have a label.

    References
    ----------
    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates"
    (2018).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> net = fit_convnet((X * 15).astype("uint8").reshape(-1, 8, 8), y, 10, epochs=2, device="cpu")
    >>> net.losses.shape, [a.shape[1] for a in net.activations((X * 15).astype("uint8").reshape(-1, 8, 8))]
    ((2, 1797), [24, 48, 72])
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("a convolutional net for images", "torch") from error
    from torch.nn.functional import cross_entropy

    _check(images)
    known = np.flatnonzero(y >= 0)
    if len(known) < 2 or len(y) != len(images):
        raise DataError(f"{len(images)} images with {len(known)} labels cannot train a net")
    device, shape = _device(device), _three_axes(images)
    order = np.random.default_rng(random_state)
    losses = np.full((epochs, len(y)), np.nan, np.float32)
    with _seeded(random_state, jobs):
        network = _build(shape, n_classes).to(device, memory_format=torch.channels_last)
        optimiser = torch.optim.SGD(
            network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4
        )
        steps = epochs * len(_batches(known))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.1, total_steps=steps + 1)
        labels = torch.from_numpy(np.asarray(y, np.int64)).to(device)
        for epoch in range(epochs):
            network.train()
            for rows in _batches(order.permutation(known)):
                batch = _tensor(images[rows], device)
                scores = network(jittered(batch, shift, mirror, order) if shift or mirror else batch)
                loss = cross_entropy(scores, labels[torch.from_numpy(rows).to(device)], reduction="none")
                losses[epoch, rows] = loss.detach().cpu().numpy()
                optimiser.zero_grad(set_to_none=True)
                loss.mean().backward()
                optimiser.step()
                schedule.step()
    return Convnet(network, shape, n_classes, losses, device)


def restore_convnet(
    state: Mapping[str, NDArray[Any]], images: NDArray[np.uint8], n_classes: int, *, device: str = "auto"
) -> Convnet:
    """The net that `Convnet.state` was taken from, which was trained on images like these."""
    import torch

    device, shape = _device(device), _three_axes(images)
    network = _build(shape, n_classes).to(device, memory_format=torch.channels_last)
    network.load_state_dict({name: torch.from_numpy(v) for name, v in state.items() if name != "losses"})
    return Convnet(network, shape, n_classes, state["losses"], device)


def _device(name: str) -> str:
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def _build(shape: tuple[int, int, int], n_classes: int) -> Any:
    from torch import nn

    blocks, width = [], shape[2]
    for channels in CHANNELS:
        blocks.append(
            nn.Sequential(
                nn.Conv2d(width, channels, 3, padding=1, bias=False),
                nn.MaxPool2d(2, ceil_mode=True),  # first: the rest then costs a quarter
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            )
        )
        width = channels
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, n_classes))


def _batches(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Parts of about the same size, at most `_BATCH`: a row left alone has no spread to normalise by."""
    return np.array_split(rows, max(1, -(-len(rows) // _BATCH)))


def _tensor(images: NDArray[np.uint8], device: str) -> Any:
    import torch

    axes = images if images.ndim == 4 else images[..., None]
    return prepared(torch.from_numpy(np.ascontiguousarray(axes)).to(device).permute(0, 3, 1, 2).float())


def prepared(batch: Any) -> Any:
    """What the net takes, from a float tensor ``[n, C, H, W]`` of values from 0 to 255; differentiable."""
    from torch.nn.functional import adaptive_avg_pool2d

    batch = batch.sub(127.5).div(64.0)
    side = max(batch.shape[2:])
    if side > LARGEST_SIDE:
        batch = adaptive_avg_pool2d(batch, [max(1, s * LARGEST_SIDE // side) for s in batch.shape[2:]])
    return batch


def _three_axes(images: NDArray[np.uint8]) -> tuple[int, int, int]:
    height, width, *channels = images.shape[1:]
    return (height, width, channels[0] if channels else 1)


def _check(images: NDArray[np.uint8]) -> None:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape[1:]:
        raise DataError(f"images are uint8 [n, H, W] or [n, H, W, C], not {images.dtype} {images.shape}")


@contextmanager
def _seeded(random_state: int, jobs: int) -> Iterator[None]:
    """Torch with a seed and threads of its own; afterwards as it was."""
    import torch

    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_state)
        torch.set_num_threads(max(1, jobs))
        try:
            yield
        finally:
            torch.set_num_threads(threads)
