"""The nets an attacker trains to stand for the victim's, and gradients through them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.checkpoint import Checkpoint
from foretaste.attacks.pixels import Images
from foretaste.data.dataset import Dataset
from foretaste.learners.convnet import Convnet, fit_convnet, prepared, restore_convnet


@dataclass(frozen=True)
class Networks:
    """Trained nets, in the mode in which they predict.

    Tensors are float ``[n, C, H, W]`` with values from 0 to 255.
    """

    nets: tuple[Convnet, ...]

    def tensor(self, images: Images) -> Any:
        """Images ``[n, H, W, C]`` as a tensor where the nets are."""
        import torch

        rolled = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        return torch.from_numpy(rolled).to(self.nets[0].device).float()

    def labels(self, codes: NDArray[Any]) -> Any:
        """Classes as a tensor where the nets are."""
        import torch

        return torch.from_numpy(np.asarray(codes, dtype=np.int64)).to(self.nets[0].device)

    def logits(self, batch: Any) -> list[Any]:
        """The last layer of each net."""
        inside = prepared(batch)
        return [net.network(inside) for net in self.nets]

    def features(self, batch: Any) -> list[Any]:
        """What the last layer of each net sees, ``[n, d]``."""
        inside = prepared(batch)
        return [net.network[:-1](inside) for net in self.nets]


def train_networks(
    dataset: Dataset,
    *,
    number: int,
    epochs: int,
    seed: int,
    device: str,
    without: int | None = None,
    shift: int = 0,
    mirror: bool = False,
    checkpoint: Checkpoint | None = None,
) -> Networks:
    """Train ``number`` nets on the data, from seeds ``seed``, ``seed + 1``, ...

    Parameters
    ----------
    without : int, optional
        A row that is not learned from.
    shift, mirror
        As in `fit_convnet`.
    checkpoint : Checkpoint, optional
        Keeps each net once it is trained; those it has are not trained again.
    """
    images = dataset.images
    assert images is not None
    codes = np.where(np.asarray(dataset.has_image), dataset.labels.codes, -1)
    if without is not None:
        codes[without] = -1
    nets = []
    for i in range(number):
        state = None if checkpoint is None else checkpoint.load(f"net {i + 1}")
        if state is not None:
            net = restore_convnet(state, images, len(dataset.labels), device=device)
        else:
            net = fit_convnet(
                images, codes, len(dataset.labels), epochs=epochs, shift=shift, mirror=mirror,
                random_state=(seed + i) % 2**31, device=device,
            )  # fmt: skip
            if checkpoint is not None:
                checkpoint.save(f"net {i + 1}", net.state(), done=True)
        net.network.eval()
        net.network.requires_grad_(False)
        nets.append(net)
    return Networks(tuple(nets))


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: the same bytes whatever the number of cores."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
