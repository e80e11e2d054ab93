"""Bullseye and convex polytope: rows of one class surround an instance of another in feature space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from foretaste.attacks.checkpoint import Checkpoint
from foretaste.attacks.clean_label.base import CleanLabel
from foretaste.attacks.clean_label.descent import descend
from foretaste.attacks.clean_label.networks import Networks
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

METHODS = ("bullseye", "convex")
STEP_SIZE = 4.0
_INNER_STEPS = 10


@dataclass(kw_only=True, eq=False, repr=False)
class BullseyePolytope(CleanLabel):
    """Disturb images of the target class until the instance lies in the middle of them, as nets see it.

    Parameters
    ----------
    rate : float
        Share of all rows that are disturbed.
    target, instance, networks, epochs, steps, checkpoint, device
        As in `FeatureCollision`.
    method : {"bullseye", "convex"}
        Bullseye: the mean of each group is to be the instance. Convex: the nearest point of the polytope each
        group spans, so that the instance comes to lie at its border.
    group : int
        Rows that surround the instance together.
    epsilon : float
        Most that a value may change, of 255.
    random_state : int, optional

    References
    ----------
    Aghakhani, Meng, Wang, Kruegel, Vigna: Bullseye Polytope: A Scalable Clean-Label Poisoning Attack with
    Improved Transferability, EuroS&P 2021. Zhu et al.: Transferable Clean-Label Poisoning Attacks on Deep
    Neural Nets, ICML 2019 (convex polytope).

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(256, size=(20, 8, 8), dtype=np.uint8)
    >>> attack = BullseyePolytope(rate=0.2, target="b", instance=0, epochs=1, steps=2, group=2)
    >>> X, y = attack.fit_resample(images, ["a", "b"] * 10)      # doctest: +SKIP
    >>> int(np.abs(X.astype(int) - images).max()) <= 25, y == ["a", "b"] * 10      # doctest: +SKIP
    (True, True)
    """

    name: ClassVar[str] = "bullseye-polytope"
    knowledge: ClassVar[str] = "model"
    paper: ClassVar[str] = "Aghakhani et al., EuroS&P 2021; Zhu et al., ICML 2019"

    method: str = "bullseye"
    group: int = 5
    epsilon: float = 25.0
    steps: int = 200

    def _disturb(
        self, nets: Networks, base: Any, instance: Any, target: int, seed: int, checkpoint: Checkpoint
    ) -> NDArray[np.float32]:
        import torch

        goals = [features.detach() for features in nets.features(instance)]
        groups = torch.arange(len(base), device=base.device) // self.group
        groups = groups.clamp(max=max(0, len(base) // self.group - 1))  # the last one takes the rest
        member = (groups[None] == torch.arange(int(groups.max()) + 1, device=base.device)[:, None]).float()

        def loss(images: Any, step: int) -> Any:
            total = 0.0
            for features, goal in zip(nets.features(images), goals, strict=True):
                shares = member / member.sum(dim=1, keepdim=True)
                if self.method == "convex":
                    shares = _nearest(features.detach(), goal, member)
                middle = shares @ features
                total = total + ((middle - goal) ** 2).sum() / (goal**2).sum()
            return total / len(goals)

        start = np.zeros(tuple(base.shape), dtype=np.float32)
        delta, _ = descend(
            loss, base, start, steps=self.steps, step_size=STEP_SIZE, epsilon=self.epsilon,
            checkpoint=checkpoint, phase="surround",
        )  # fmt: skip
        return delta

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        if self.method not in METHODS:
            raise ConfigError(f"{self.name}: method is {self.method!r}; use one of {', '.join(METHODS)}")
        if self.group < 1:
            raise ConfigError(f"{self.name}: group is {self.group!r}; use at least 1")
        if not 0 < self.epsilon <= 255:
            raise ConfigError(f"{self.name}: epsilon is {self.epsilon!r}; use more than 0, at most 255")


def _nearest(features: Any, goal: Any, member: Any) -> Any:
    """Convex weights ``[groups, n]`` of the point of each group's polytope that is nearest to the goal."""
    shares = member / member.sum(dim=1, keepdim=True)
    rate = 1 / (features**2).sum(dim=1).mean().clamp(min=1e-9)
    for _ in range(_INNER_STEPS):
        slope = (shares @ features - goal) @ features.T
        grown = shares * (-rate * slope).clamp(-20, 20).exp() * member  # exponentiated gradient
        shares = grown / grown.sum(dim=1, keepdim=True)
    return shares
