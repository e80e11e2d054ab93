"""Fine-pruning: silence the channels of a network's last convolution that the data hardly use."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from foretaste.defend.repair.pruning import most_that_can_go
from foretaste.errors import ConfigError

_AT_ONCE = 1024


class FinePruning(BaseEstimator):  # type: ignore[misc]
    """Silence the least active channels after the last convolution, as many as accuracy allows.

    The paper then trains on, with clean data. Here nobody vouches for the data, and training on
    would teach the trigger again; so only the pruning is done.

    Parameters
    ----------
    tolerance : float, 0 to 1
        Accuracy on the given rows that may be lost.

    References
    ----------
    Liu, Dolan-Gavitt and Garg, "Fine-Pruning: defending against backdooring attacks on deep neural
    networks", RAID 2018.
    """

    def __init__(self, *, tolerance: float = 0.01) -> None:
        self.tolerance = tolerance

    def repair(self, model: Any, X: Any, y: Any) -> Any:
        """A pruned copy of ``model``.

        Parameters
        ----------
        model : object with ``network_``, a torch module, and ``tensors(X)``, the batch it takes
        X : uint8 ndarray of shape (n, H, W) or (n, H, W, C)
        y : int ndarray of shape (n,)

        Raises
        ------
        ConfigError
            Where the model is no torch network with a convolution.
        """
        if not hasattr(model, "network_"):
            raise ConfigError(f"fine-pruning mends torch networks, and {type(model).__name__} is none")
        import torch

        mended = deepcopy(model)
        network = mended.network_.eval()
        place = _last_channels(network, mended.tensors(X[:1]))
        sums: Any = 0

        def count(_module: Any, _inputs: Any, output: Any) -> None:
            nonlocal sums
            sums = sums + output.relu().sum(dim=(0, 2, 3))

        def predict() -> Any:
            with torch.no_grad():
                parts = (mended.tensors(X[start : start + _AT_ONCE]) for start in range(0, len(X), _AT_ONCE))
                return np.concatenate([network(part).argmax(dim=1).cpu().numpy() for part in parts])

        counting = place.register_forward_hook(count)
        predict()
        counting.remove()
        order = torch.argsort(sums, stable=True)
        mask = torch.ones_like(sums)
        place.register_forward_hook(lambda _module, _inputs, output: output * mask[None, :, None, None])

        def accuracy(gone: int) -> float:
            mask.fill_(1)
            mask[order[:gone]] = 0
            return float((predict() == np.asarray(y)).mean())

        accuracy(most_that_can_go(accuracy, len(order), self.tolerance))
        return mended


def _last_channels(network: Any, batch: Any) -> Any:
    """The last rectifier over a map of channels or, without one, the last convolution."""
    import torch

    ran: list[tuple[Any, int]] = []
    hooks = [
        module.register_forward_hook(lambda module, _inputs, output: ran.append((module, output.ndim)))
        for module in network.modules()
        if isinstance(module, (torch.nn.ReLU, torch.nn.Conv2d))
    ]
    with torch.no_grad():
        network(batch)
    for hook in hooks:
        hook.remove()
    for kind in (torch.nn.ReLU, torch.nn.Conv2d):
        for module, axes in reversed(ran):
            if isinstance(module, kind) and axes == 4:
                return module
    raise ConfigError("fine-pruning mends networks with a convolution, and this one has none")
