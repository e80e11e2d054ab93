"""Gradient descent on what is added to images: bounded, resumable, the same from the same seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.checkpoint import Checkpoint
from foretaste.attacks.progress import steps as counted

Loss = Callable[[Any, int], Any]
"""From the disturbed images and the number of the step to a scalar tensor."""

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8
_DECAY_AT = (3 / 8, 5 / 8, 7 / 8)
_DECAY = 0.1


def descend(
    loss: Loss,
    base: Any,
    start: NDArray[np.float32],
    *,
    steps: int,
    step_size: float,
    epsilon: float | None,
    checkpoint: Checkpoint,
    phase: str,
    signed: bool = False,
    decay: bool = True,
) -> tuple[NDArray[np.float32], float]:
    """Adam on a perturbation of images.

    Parameters
    ----------
    loss : callable
    base : tensor ``[n, C, H, W]``
        The images, from 0 to 255; with the perturbation they stay there.
    start : float32 ndarray of the same shape
    step_size : float
        In steps of brightness.
    epsilon : float or None
        Most that a value may change.
    checkpoint, phase
        Where the state is kept, and under which name.
    signed : bool
        Give Adam the sign of the gradient, as in gradient matching.
    decay : bool
        Divide the step by ten after 3/8, 5/8 and 7/8 of the steps.

    Returns
    -------
    float32 ndarray, float
        The last perturbation and the loss before it.
    """
    import torch

    device = base.device
    state = checkpoint.load(phase)
    delta = torch.from_numpy(start if state is None else state["delta"]).to(device)
    first, second = (
        torch.zeros_like(delta) if state is None else torch.from_numpy(state[name]).to(device)
        for name in ("first", "second")
    )
    begin = 0 if state is None else int(state["step"])
    value = np.inf if state is None else float(state["loss"])
    if begin >= steps:
        return delta.cpu().numpy(), value
    for step in counted(steps, phase):
        if step < begin:
            continue
        delta.requires_grad_(True)
        now = loss(base + delta, step)
        (slope,) = torch.autograd.grad(now, delta)
        delta = delta.detach()
        with torch.no_grad():
            slope = slope.sign() if signed else slope
            first = _FIRST * first + (1 - _FIRST) * slope
            second = _SECOND * second + (1 - _SECOND) * slope * slope
            mean = first / (1 - _FIRST ** (step + 1))
            spread = (second / (1 - _SECOND ** (step + 1))).sqrt() + _TINY
            size = step_size
            if decay:
                size *= _DECAY ** sum(step >= share * steps for share in _DECAY_AT)
            delta = held(base, delta - size * mean / spread, epsilon)
        value = float(now.detach())
        checkpoint.save(
            phase,
            {
                "delta": delta.cpu().numpy(),
                "first": first.cpu().numpy(),
                "second": second.cpu().numpy(),
                "step": step + 1,
                "loss": value,
            },
            done=step + 1 == steps,
        )
    return delta.cpu().numpy(), value


def held(base: Any, delta: Any, epsilon: float | None) -> Any:
    """The perturbation within its bound, and the images with it from 0 to 255."""
    if epsilon is not None:
        delta = delta.clamp(-epsilon, epsilon)
    return (base + delta).clamp(0, 255) - base
