"""Networks for images in scikit-learn's grammar: the standard one, and a torch module of the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from foretaste.errors import ConfigError, MissingExtraError

BATCH, AT_ONCE = 128, 1024


def standard_images(n_classes: int, seed: int) -> Any:
    """A small convolutional net; without torch, logistic regression on what needs no net."""
    try:
        import torch  # noqa: F401
    except ImportError:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer

        return make_pipeline(FunctionTransformer(_descriptors), LogisticRegression(C=10, max_iter=300))
    return ConvnetClassifier(n_classes, random_state=seed)


def _descriptors(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    from foretaste.features.image import ImageFeatures, grid_means

    features = ImageFeatures(images)
    coarse = grid_means(features.small.astype(np.float32), 8).reshape(len(images), -1) / 255
    return np.concatenate([features.gradients, features.thumbnails, coarse], axis=1)


class ConvnetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """`foretaste.learners.convnet` on uint8 images ``[n, H, W(, C)]``."""

    def __init__(self, n_classes: int, *, random_state: int = 0) -> None:
        self.n_classes = n_classes
        self.random_state = random_state

    def fit(self, X: NDArray[np.uint8], y: NDArray[np.int64]) -> Self:
        """Train for the usual number of epochs."""
        from foretaste.learners.convnet import fit_convnet

        self.net_ = fit_convnet(X, y, self.n_classes, random_state=self.random_state)
        return self

    @property
    def network_(self) -> Any:
        """The torch module."""
        return self.net_.network

    def tensors(self, X: NDArray[np.uint8]) -> Any:
        """What the network takes."""
        import torch

        from foretaste.learners.convnet import prepared

        return prepared(torch.from_numpy(_channels_first(X)).float()).to(self.net_.device)

    def predict(self, X: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Class numbers of shape (n,)."""
        return np.asarray(self.net_.predict_log_proba(X).argmax(axis=1), np.int64)


class TorchClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A torch module made by ``make(shape, n_classes)``, trained with Adam on uint8 images.

    Raises
    ------
    MissingExtraError
        From ``fit``: without torch.
    ConfigError
        Where what was made is no torch module, or does not give a score for each class.
    """

    def __init__(
        self,
        make: Callable[[tuple[int, ...], int], Any],
        n_classes: int,
        *,
        epochs: int = 8,
        random_state: int = 0,
    ) -> None:
        self.make = make
        self.n_classes = n_classes
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: NDArray[np.uint8], y: NDArray[np.int64]) -> Self:
        """Train; the network sees images ``[n, C, H, W]`` from 0 to 1."""
        try:
            import torch
        except ImportError as error:
            raise MissingExtraError("a torch learner", "torch") from error
        torch.manual_seed(self.random_state)
        images, labels = _channels_first(X), torch.from_numpy(np.asarray(y, np.int64))
        self.network_ = self.make(images.shape[1:], self.n_classes)
        if not isinstance(self.network_, torch.nn.Module):
            raise ConfigError(f"the learner gives a {type(self.network_).__name__}, not a torch module")
        self._check(images[:2])
        optimiser = torch.optim.Adam(self.network_.parameters(), lr=2e-3)
        order = np.random.default_rng(self.random_state)
        self.network_.train()
        for _ in range(self.epochs):
            for rows in np.array_split(order.permutation(len(y)), max(1, -(-len(y) // BATCH))):
                scores = self.network_(torch.from_numpy(images[rows]).float() / 255)
                loss = torch.nn.functional.cross_entropy(scores, labels[torch.from_numpy(rows)])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        self.network_.eval()
        return self

    def _check(self, images: NDArray[np.uint8]) -> None:
        import torch

        self.network_.eval()
        with torch.no_grad():
            given = tuple(self.network_(torch.from_numpy(images).float() / 255).shape)
        if given != (len(images), self.n_classes):
            raise ConfigError(
                f"the network of the learner gives {list(given)} for {len(images)} images of "
                f"{self.n_classes} classes; it has to give [{len(images)}, {self.n_classes}]"
            )

    def tensors(self, X: NDArray[np.uint8]) -> Any:
        """What the network takes."""
        import torch

        return torch.from_numpy(_channels_first(X)).float() / 255

    def predict(self, X: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Class numbers of shape (n,)."""
        import torch

        with torch.no_grad():
            parts = [
                self.network_(self.tensors(X[start : start + AT_ONCE])).argmax(dim=1).numpy()
                for start in range(0, len(X), AT_ONCE)
            ]
        return np.concatenate(parts)


def _channels_first(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    axes = images if images.ndim == 4 else images[..., None]
    return np.ascontiguousarray(axes.transpose(0, 3, 1, 2))
