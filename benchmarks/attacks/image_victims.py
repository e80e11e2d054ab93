"""Victims of image attacks: a net from scratch, or a new last layer on the attacker's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from foretaste.learners.convnet import fit_convnet

HEAD_STEPS = 400


@dataclass
class FromScratch:
    """The net of `foretaste.learners.convnet`; images are moved and mirrored only where asked for."""

    epochs: int
    seed: int
    device: str
    shift: int = 0
    mirror: bool = False

    def fit(self, x: Any, y: Any, classes: int) -> FromScratch:
        self.net_ = fit_convnet(
            x, y, classes, epochs=self.epochs, shift=self.shift, mirror=self.mirror,
            random_state=1000 + self.seed, device=self.device,
        )  # fmt: skip
        return self

    def predict(self, x: Any) -> Any:
        return self.net_.predict_log_proba(x).argmax(axis=1)


@dataclass
class LastLayer:
    """A linear layer on the features of a trained net, fitted until it hardly errs: transfer learning."""

    nets: Any

    def fit(self, x: Any, y: Any, classes: int) -> LastLayer:
        import torch

        torch.manual_seed(0)
        inside = self._features(x)
        self.centre_, self.scale_ = inside.mean(dim=0), inside.std(dim=0) + 1e-6
        inside = (inside - self.centre_) / self.scale_
        labels = self.nets.labels(y)
        self.layer_ = torch.nn.Linear(inside.shape[1], classes).to(inside.device)
        optimiser = torch.optim.Adam(self.layer_.parameters(), lr=0.02)
        for _ in range(HEAD_STEPS):
            loss = torch.nn.functional.cross_entropy(self.layer_(inside), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return self

    def predict(self, x: Any) -> Any:
        import torch

        with torch.no_grad():
            found = self.layer_((self._features(x) - self.centre_) / self.scale_)
        return found.argmax(dim=1).cpu().numpy()

    def _features(self, x: Any) -> Any:
        import torch

        images = x if x.ndim == 4 else x[..., None]
        with torch.no_grad():
            parts = [
                self.nets.features(self.nets.tensor(np.ascontiguousarray(images[start : start + 1024])))[0]
                for start in range(0, len(images), 1024)
            ]
        return torch.cat(parts)
