"""Witches' Brew: training on the disturbed rows moves the weights as training on the wrong label would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.checkpoint import Checkpoint
from foretaste.attacks.clean_label.base import CleanLabel
from foretaste.attacks.clean_label.descent import descend
from foretaste.attacks.clean_label.networks import Networks
from foretaste.attacks.editing import Rows
from foretaste.attacks.pixels import images_at
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError
from foretaste.learners.augmentation import jittered
from foretaste.learners.convnet import prepared

STEP_SIZE = 0.1
"""Share of ``epsilon`` that one step may go."""

SELECTIONS = ("aligned", "random")
AT_ONCE = 512


@dataclass(kw_only=True, eq=False, repr=False)
class WitchesBrew(CleanLabel):
    """Disturb images of the target class until they move weights as a wrong label of the instance would.

    The gradient of the disturbed images, rightly labelled, is turned towards that of the instance with the
    target label; the victim trains from scratch.

    Parameters
    ----------
    rate : float
        Share of all rows that are disturbed.
    target, instance, steps, checkpoint, device
        As in `FeatureCollision`.
    epochs : int
        How long the attacker's nets are trained.
    networks : int
        How many nets the attacker trains on the data. Each step matches the gradient of one of them, in turn:
        what fools a single net need not fool the next one trained.
    selection : {"aligned", "random"}
        Which images of the target class are disturbed. Aligned: those whose gradient, in the last layer, has
        the largest part along that of the instance to begin with. Random: any, as in the paper.
    epsilon : float
        Most that a value may change, of 255.
    restarts : int
        Starts from random perturbations; the one that ends best is taken.
    shift, mirror
        Images are moved by up to so many pixels, and one in two mirrored, while nets are trained and,
        differentiably, before each gradient; ``mirror=False`` where left and right mean something. Nets that
        remember their images have nothing in common that a gradient could be turned along.
    random_state : int, optional

    Attributes
    ----------
    alignment_ : float
        Cosine of the angle between both gradients at the end, for the net of the last step.

    References
    ----------
    Geiping et al.: Witches' Brew: Industrial Scale Data Poisoning via Gradient Matching, ICLR 2021. Souri et
    al.: Sleeper Agent, NeurIPS 2022 (rows chosen by their gradient).

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(256, size=(20, 8, 8), dtype=np.uint8)
    >>> attack = WitchesBrew(rate=0.2, target="b", instance=0, epochs=1, steps=2, restarts=1)
    >>> X, y = attack.fit_resample(images, ["a", "b"] * 10)      # doctest: +SKIP
    >>> int(np.abs(X.astype(int) - images).max()) <= 16, y == ["a", "b"] * 10      # doctest: +SKIP
    (True, True)
    """

    name: ClassVar[str] = "witches-brew"
    version: ClassVar[int] = 3
    paper: ClassVar[str] = "Geiping et al., ICLR 2021"

    epsilon: float = 16.0
    epochs: int = 12
    networks: int = 3
    selection: str = "aligned"
    restarts: int = 1
    shift: int = 2
    mirror: bool = True

    def _disturb(
        self, nets: Networks, base: Any, instance: Any, target: int, seed: int, checkpoint: Checkpoint
    ) -> NDArray[np.float32]:
        import torch
        from torch.nn.functional import cross_entropy

        device = base.device
        label = torch.full((len(base),), target, device=device)
        weights = [[p.requires_grad_(True) for p in net.network.parameters()] for net in nets.nets]

        def slope(which: int, images: Any, labels: Any, create: bool) -> Any:
            loss = cross_entropy(nets.nets[which].network(prepared(images)), labels)
            return torch.autograd.grad(loss, weights[which], create_graph=create)

        wanted = [slope(which, instance, label[:1], create=False) for which in range(len(weights))]

        def restart(number: int) -> tuple[NDArray[np.float32], float]:
            def loss(images: Any, step: int) -> Any:
                which = step % len(weights)
                draw = np.random.default_rng([seed, number, step])
                moved = jittered(images, self.shift, self.mirror, draw)
                return 1 - _cosine(slope(which, moved, label, create=True), wanted[which])

            draw = np.random.default_rng([seed, number])
            start = draw.uniform(-self.epsilon, self.epsilon, size=tuple(base.shape)).astype(np.float32)
            return descend(
                loss, base, start, steps=self.steps, step_size=STEP_SIZE * self.epsilon,
                epsilon=self.epsilon, checkpoint=checkpoint, phase=f"brew {number + 1}", signed=True,
            )  # fmt: skip

        delta, loss = min((restart(number) for number in range(self.restarts)), key=lambda found: found[1])
        self.alignment_ = 1 - loss
        for own in weights:
            for parameter in own:
                parameter.requires_grad_(False)
        return delta

    def _augmentation(self) -> dict[str, Any]:
        return {"shift": self.shift, "mirror": self.mirror}

    def _base_rows(
        self,
        dataset: Dataset,
        allowed: NDArray[np.bool_],
        drawn: Rows,
        nets: Networks,
        instance: Any,
        target: int,
    ) -> Rows:
        if self.selection == "random":
            return drawn
        candidates = np.flatnonzero(allowed)
        along = _along(nets.tensor(images_at(dataset, candidates)), instance, nets, target)
        return np.sort(candidates[np.argsort(-along, kind="stable")[: len(drawn)]])

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.selection not in SELECTIONS:
            raise ConfigError(
                f"{self.name}: selection is {self.selection!r}; use one of {', '.join(SELECTIONS)}"
            )
        if not 0 < self.epsilon <= 255:
            raise ConfigError(f"{self.name}: epsilon is {self.epsilon!r}; use more than 0, at most 255")
        if self.restarts < 1 or self.shift < 0:
            raise ConfigError(f"{self.name}: restarts must be at least 1 and shift at least 0")


def _along(images: Any, instance: Any, nets: Networks, target: int) -> NDArray[np.float64]:
    """How far the last layers' gradients of images go along those of the instance, all labelled target.

    Such a gradient is the outer product of the error and the features, so the inner product of two of them is
    that of the errors times that of the features; it is scaled so that nets count alike.
    """
    import torch

    with torch.no_grad():
        parts = [nets.features(part) for part in (*images.split(AT_ONCE), instance)]
        total = torch.zeros(len(images), device=images.device)
        for net, seen in zip(nets.nets, zip(*parts, strict=True), strict=True):
            features = torch.cat(seen)
            errors = torch.softmax(net.network[-1](features), dim=1)
            errors[:, target] -= 1
            inner = (features[:-1] @ features[-1]) * (errors[:-1] @ errors[-1])
            total += inner / (inner.abs().mean() + 1e-12)
    found: NDArray[np.float64] = total.double().cpu().numpy()
    return found


def _cosine(own: Any, goal: Any) -> Any:
    together = sum((a * b).sum() for a, b in zip(own, goal, strict=True))
    lengths = [sum((a * a).sum() for a in one).sqrt() for one in (own, goal)]
    return together / (lengths[0] * lengths[1] + 1e-12)
