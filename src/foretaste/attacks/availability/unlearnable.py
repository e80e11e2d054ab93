"""Unlearnable examples: noise that leaves a net nothing to learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foretaste.attacks.base import Attack
from foretaste.attacks.checkpoint import Checkpoint, identify
from foretaste.attacks.clean_label.base import add_to_images, check_nets
from foretaste.attacks.clean_label.descent import held
from foretaste.attacks.clean_label.networks import one_thread, train_networks
from foretaste.attacks.pixels import images_at
from foretaste.attacks.poisoned import Change, rows_to_mask
from foretaste.attacks.progress import steps as counted
from foretaste.data.dataset import Dataset
from foretaste.errors import ConfigError

KINDS = ("class", "sample")
BATCH = 512
_SHARE_OF_EPSILON = 0.1


@dataclass(kw_only=True, eq=False, repr=False)
class Unlearnable(Attack):
    """Add error-minimising noise to images, after which a net that trains on them learns the noise alone.

    In turn, a new net learns the noisy images for a while, and the noise is moved to lower its loss.

    Parameters
    ----------
    rate : float or None
        Share of all rows that get noise; None, the default, is every row.
    target : label, optional
        Only images of this class get noise; all by default.
    noise : {"class", "sample"}
        One noise for each class, or one for each image.
    epsilon : float
        Most that a value may change, of 255.
    rounds : int
        How often net and noise take turns.
    steps : int
        Of gradient descent on the noise in each round.
    epochs : int
        Of each net.
    checkpoint : str, optional
        A file ``.npz`` that keeps the state after each round; an interrupted attack goes on from there. On
        the command line, ``checkpoint.npz`` among the results until they are written.
    device : str
        A torch device; ``auto`` is an NVIDIA card where there is one.
    random_state : int, optional

    References
    ----------
    Huang, Ma, Erfani, Bailey, Wang: Unlearnable Examples: Making Personal Data Unexploitable, ICLR 2021.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(256, size=(20, 8, 8), dtype=np.uint8)
    >>> attack = Unlearnable(rounds=1, epochs=1, steps=2)
    >>> X, y = attack.fit_resample(images, ["a", "b"] * 10)      # doctest: +SKIP
    >>> int(np.abs(X.astype(int) - images).max()) <= 16, y == ["a", "b"] * 10      # doctest: +SKIP
    (True, True)
    """

    name: ClassVar[str] = "unlearnable"
    goal: ClassVar[str] = "availability"
    access: ClassVar[str] = "data"
    knowledge: ClassVar[str] = "surrogate"
    modalities: ClassVar[tuple[str, ...]] = ("image",)
    rate_optional: ClassVar[bool] = True
    paper: ClassVar[str] = "Huang, Ma, Erfani, Bailey, Wang, ICLR 2021"
    extra: ClassVar[str | None] = "torch"

    rate: float | None = None
    target: Any = None
    noise: str = "class"
    epsilon: float = 16.0
    rounds: int = 6
    steps: int = 10
    epochs: int = 2
    checkpoint: str | None = None
    device: str = "auto"
    random_state: int | None = 0

    def _poison(self, dataset: Dataset, rng: np.random.Generator) -> Change:
        codes = dataset.labels.codes
        allowed = (codes >= 0) & np.asarray(dataset.has_image)
        if self.target is not None:
            allowed &= codes == self._class_code(dataset, self.target)
        count = int(allowed.sum()) if self.rate is None else self._count(dataset)
        rows = self._choose(dataset, allowed, count, rng)
        seed = int(rng.integers(2**31))
        saved = Checkpoint(self.checkpoint, identify(self, seed, dataset))
        original = images_at(dataset, rows)
        state = saved.load("noise")
        delta = np.zeros((len(rows), *np.moveaxis(original[0], 2, 0).shape), np.float32)
        delta, begin = (delta, 0) if state is None else (state["delta"], int(state["round"]))
        with one_thread():
            for number in counted(self.rounds, "noise"):
                if number < begin:
                    continue
                noisy = add_to_images(dataset, rows, delta)
                nets = train_networks(
                    noisy, number=1, epochs=self.epochs, seed=seed + number, device=self.device
                )
                delta = self._lower(nets, original, codes[rows], delta)
                saved.save("noise", {"delta": delta, "round": number + 1}, done=True)
        return Change(add_to_images(dataset, rows, delta), rows_to_mask(rows, len(dataset)))

    def _lower(self, nets: Any, images: Any, codes: Any, delta: Any) -> Any:
        """Noise with which the net has a lower loss."""
        import torch
        from torch.nn.functional import cross_entropy

        size = max(1.0, _SHARE_OF_EPSILON * self.epsilon)
        moved = delta.copy()
        for _ in range(self.steps):
            slopes = np.empty_like(moved)
            for start in range(0, len(images), BATCH):
                part = slice(start, start + BATCH)
                base = nets.tensor(images[part])
                noise = torch.from_numpy(moved[part]).to(base.device).requires_grad_(True)
                (found,) = nets.logits(base + noise)
                loss = cross_entropy(found, nets.labels(codes[part]), reduction="sum")
                slopes[part] = torch.autograd.grad(loss, noise)[0].cpu().numpy()
            if self.noise == "class":
                for code in np.unique(codes):
                    slopes[codes == code] = slopes[codes == code].mean(axis=0)
            moved = np.clip(moved - size * np.sign(slopes), -self.epsilon, self.epsilon)
        if self.noise == "sample":
            base = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float()
            moved = held(base, torch.from_numpy(moved), self.epsilon).numpy()
        return moved

    def _check(self, dataset: Dataset) -> None:
        super()._check(dataset)
        check_nets(self)
        if self.noise not in KINDS:
            raise ConfigError(f"{self.name}: noise is {self.noise!r}; use one of {', '.join(KINDS)}")
        if not 0 < self.epsilon <= 255:
            raise ConfigError(f"{self.name}: epsilon is {self.epsilon!r}; use more than 0, at most 255")
