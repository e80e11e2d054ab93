"""What the detectors of one scan share: features, folds, out-of-fold predictions; each computed once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from foretaste.data import Dataset
from foretaste.features.duplicates import image_components, table_components, text_components
from foretaste.features.image import ImageFeatures
from foretaste.features.table import TableFeatures, group_rows
from foretaste.features.text import TextFeatures
from foretaste.features.vectors import VectorFeatures
from foretaste.learners.convnet import Convnet, fit_convnet
from foretaste.learners.linear import LinearFolds, linear_folds, logistic_folds, naive_bayes_folds
from foretaste.learners.nearest import neighbour_vote
from foretaste.learners.subspace_forest import SubspaceForest, grow_forest
from foretaste.learners.trees import boosting_folds
from foretaste.stats.calibration import pool_opinions
from foretaste.stats.folds import enough_folds, grouped_folds
from foretaste.stats.neighbours import nearest_neighbours

SMALLEST_CLASS = 8
"""A class with fewer rows than this cannot be learned out of fold; its rows are not judged by label."""

MOST_CLASSES = 100

EPOCHS = 8

MOST_IMAGES_SEEN = 200_000
"""Images a net sees in training, all epochs together: more of them get fewer epochs."""

_FROM_LABELS = ("words", "forest", "log_probability", "convnet", "convnet_activations")
"""Properties that depend on the labels."""

_FROM_FEATURES = ("table", "identical", "embedding", "neighbours", "components", "folds", *_FROM_LABELS)

Opinion = Callable[[], NDArray[np.float64]]


class Context:
    """One data set as the detectors see it.

    Parameters
    ----------
    dataset : Dataset
        With a label role.
    random_state : int
        Seed of everything random in the scan.
    jobs : int
        Threads.
    trusted : bool ndarray of shape (n,), optional
        Rows known to be right.

    Attributes
    ----------
    classes : list of str
        Names of the classes that are judged, at most `MOST_CLASSES`, each with `SMALLEST_CLASS` rows or more.
    label_index : int64 ndarray of shape (n,)
        Index into ``classes``; -1 where the label is missing or its class is not judged.
    y : int64 ndarray of shape (n,)
        The same for the rows that may train a model; -1 also for those left out (`without`).
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        random_state: int = 0,
        jobs: int = 2,
        trusted: NDArray[np.bool_] | None = None,
    ) -> None:
        self.dataset = dataset
        self.trusted = trusted
        self.random_state = random_state
        self.jobs = jobs
        labels = dataset.labels
        counts = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels))
        judged = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
        judged = np.sort(judged[counts[judged] >= SMALLEST_CLASS])
        index = np.full(len(labels) + 1, -1, np.int64)
        index[judged] = np.arange(len(judged))
        self.class_codes = judged
        self.classes = [labels.names[code] for code in judged]
        self.label_index = index[labels.codes]
        there = dataset.has_image
        if there is not None and not there.all() and self.text is None and self.table is None:
            self.label_index[~there] = -1  # a row without its only content cannot be judged by it
        self.y = self.label_index
        self._opinions: dict[str, NDArray[np.float64]] = {}
        self._grown: SubspaceForest | None = None

    def without(self, rows: NDArray[np.int64]) -> Context:
        """The same rows, but no model is trained on these: their labels count as missing.

        What does not depend on labels is shared; what does is computed anew, but for where the forest splits.
        """
        other = copy.copy(self)
        other._opinions = {}
        for name in _FROM_LABELS:
            other.__dict__.pop(name, None)
        other.y = self.y.copy()
        other.y[rows] = -1
        return other

    def beside_copies(self) -> Context:
        """The same rows, but a row's near-duplicates may teach the models that judge it; only it may not.

        The forest stays as it is.
        """
        other = copy.copy(self)
        other._opinions = {}
        for name in ("folds", *_FROM_LABELS):
            other.__dict__.pop(name, None)
        other.components = np.arange(len(self))
        return other

    def with_table(self, table: TableFeatures, components: NDArray[np.int64]) -> Context:
        """The same rows with other features, and with these components, which no fold may divide."""
        other = copy.copy(self)
        other._opinions, other._grown = {}, None
        for name in _FROM_FEATURES:
            other.__dict__.pop(name, None)
        other.table, other.components = table, components
        return other

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_classes(self) -> int:
        return len(self.classes)

    @cached_property
    def text(self) -> TextFeatures | None:
        texts = self.dataset.texts
        return None if texts is None else TextFeatures(texts, random_state=self.random_state)

    @cached_property
    def table(self) -> TableFeatures | None:
        roles = self.dataset.roles
        alone = set(() if self.vectors is None else self.vectors.names)
        features = tuple(name for name in roles.features if name not in alone)
        if not features:
            return None
        return TableFeatures.from_dataset(replace(self.dataset, roles=replace(roles, features=features)))

    @cached_property
    def vectors(self) -> VectorFeatures | None:
        return VectorFeatures.from_dataset(self.dataset)

    @cached_property
    def image(self) -> ImageFeatures | None:
        images = self.dataset.images
        return None if images is None else ImageFeatures(images, self.dataset.has_image)

    @property
    def has_content(self) -> bool:
        """Whether there is anything to judge labels by: text, feature columns, images or an embedding."""
        return any(part is not None for part in (self.text, self.table, self.image, self.vectors))

    @cached_property
    def source(self) -> NDArray[np.int32] | None:
        """Source code of each row, -1 where missing; None without a source column."""
        sources = self.dataset.sources
        return None if sources is None else sources.codes

    @cached_property
    def identical(self) -> NDArray[np.int64]:
        """The same number for rows with the same tokens, the same feature values and the same pixels."""
        parts = []
        if self.text is not None:
            joined = np.array([" ".join(tokens) for tokens in self.text.tokens], dtype=object)
            parts.append(np.unique(joined, return_inverse=True)[1].astype(np.float64))
        if self.table is not None:
            parts.append(self.table.identical.astype(np.float64))
        if self.image is not None:
            parts.append(self.image.identical.astype(np.float64))
        if self.vectors is not None:
            parts.append(self.vectors.identical.astype(np.float64))
        return group_rows(np.stack(parts, axis=1)) if parts else np.arange(len(self))

    @cached_property
    def embedding(self) -> NDArray[np.float32]:
        """Unit rows in which near means alike: semantic coordinates, standardised features, descriptors."""
        parts = []
        if self.text is not None:
            parts.append(self.text.semantic)
        if self.table is not None:
            standard = self.table.standard
            length = np.sqrt(np.square(standard).sum(axis=1, keepdims=True))
            parts.append(standard / np.maximum(length, 1e-9))
        if self.image is not None:
            parts.append(self.image.semantic)
        if self.vectors is not None:
            parts.append(self.vectors.semantic)
        if not parts:
            return np.ones((len(self), 1), np.float32)
        joined = np.concatenate(parts, axis=1)
        length = np.sqrt(np.square(joined).sum(axis=1, keepdims=True))
        return np.asarray(joined / np.maximum(length, 1e-9), np.float32)

    @cached_property
    def neighbours(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Indices and cosines of the 40 most similar rows of each row."""
        return nearest_neighbours(self.embedding, 40, jobs=self.jobs)

    @cached_property
    def components(self) -> NDArray[np.int64]:
        """Near-duplicate component of each row."""
        candidates = self.neighbours[0][:, :15]
        if self.text is not None:
            return text_components(self.text.template_tfidf, candidates, self.identical)
        if self.table is not None:
            return table_components(self.table.standard, candidates, self.identical, len(self.table.columns))
        if self.image is not None:
            return image_components(self.image.detail, candidates, self.identical)
        return self.identical

    @cached_property
    def folds(self) -> NDArray[np.int64]:
        """Fold of each row; near-duplicates share one."""
        return grouped_folds(self.components, self.y, enough_folds(len(self)), self.random_state)

    @cached_property
    def words(self) -> LinearFolds:
        """Linear models of weighted words, out of fold. Needs text."""
        assert self.text is not None
        return linear_folds(self.text.word_tfidf, self.y, self.n_classes, self.folds)

    @cached_property
    def forest(self) -> SubspaceForest:
        """Out-of-bag subspace forest of the features. Needs a table."""
        assert self.table is not None
        if self._grown is not None:
            return self._grown.taught(self.y, self.n_classes)
        n_trees = 200 if len(self.table.columns) < 100 else 120
        self._grown = grow_forest(
            self.table.matrix,
            self.y,
            self.n_classes,
            self.components,
            n_trees=n_trees,
            random_state=self.random_state,
            jobs=self.jobs,
        )
        return self._grown

    @cached_property
    def convnet(self) -> Convnet:
        """A small net trained on all images, suspects included. Needs images, and torch.

        One thread: with more it would not be the same on every machine.
        """
        assert self.image is not None
        epochs = max(2, min(EPOCHS, MOST_IMAGES_SEEN // len(self)))
        return fit_convnet(
            self.image.small, self.y, self.n_classes, epochs=epochs, random_state=self.random_state
        )

    @cached_property
    def convnet_activations(self) -> list[NDArray[np.float32]]:
        """What each block of the net makes of every image, shape (n, channels)."""
        assert self.image is not None
        return self.convnet.activations(self.image.small)

    def opinion(self, name: str) -> NDArray[np.float64]:
        """Log probabilities of every row by one of the ``models``, which saw neither it nor its
        near-duplicates.
        """
        if name not in self._opinions:
            log_p = self.models[name]()
            self._opinions[name] = log_p - logsumexp(log_p, axis=1, keepdims=True)
        return self._opinions[name]

    @property
    def models(self) -> dict[str, Opinion]:
        """The models there are for these data, by name, to be asked when first needed."""
        y, folds, k = self.y, self.folds, self.n_classes
        text, table, image, vectors = self.text, self.table, self.image, self.vectors
        found: dict[str, Opinion] = {}
        if text is not None:
            found["words"] = lambda: self.words.log_probability
            found["characters"] = lambda: linear_folds(text.character_tfidf, y, k, folds).log_probability
            found["naive Bayes"] = lambda: naive_bayes_folds(text.word_tfidf, y, k, folds)
        if table is not None:
            found["forest"] = self._forest_opinion
            found["boosting"] = lambda: boosting_folds(
                table.matrix, y, k, folds, random_state=self.random_state, jobs=self.jobs
            )
            found["linear"] = lambda: logistic_folds(table.standard, y, k, folds)
        if image is not None:
            found["gradients"] = lambda: logistic_folds(image.standard, y, k, folds, C=0.3)
        if vectors is not None:
            found["embedding"] = lambda: logistic_folds(vectors.standard, y, k, folds, C=0.01)
        found["neighbours"] = lambda: neighbour_vote(*self.neighbours, y, k, self.components)
        return found

    def _forest_opinion(self) -> NDArray[np.float64]:
        forest = self.forest.predict()
        share = np.clip(np.where(np.isnan(forest), 1.0 / self.n_classes, forest), 5e-3, 1)
        return np.asarray(np.log(share / share.sum(axis=1, keepdims=True)), np.float64)

    @cached_property
    def log_probability(self) -> NDArray[np.float64]:
        """The models' pooled opinion: out-of-fold log probabilities, shape (n, n_classes)."""
        return pool_opinions([self.opinion(name) for name in self.models], self.y)[0]
