"""Which rows are copies, or near-copies, of one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

NEAR = 0.6
"""Cosine of weighted words, numbers left out of account, above which two texts are near-duplicates."""

NEAR_IMAGE = 0.85
"""Correlation of fine detail above which two images are near-duplicates."""

MOST_COMMON = 0.2
"""A word in more than this share of the texts does not tell whether they are copies."""

MOST_JOINED = 0.1
SMALL = 50


def text_components(
    words: sparse.csr_matrix, neighbours: NDArray[np.int32], identical: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Components of near-duplicate texts.

    Parameters
    ----------
    words : csr matrix of shape (n, n_words)
        Unit rows of weighted words in no order; words in more than a fifth of the rows are left out here.
    neighbours : int ndarray of shape (n, k)
        Candidates for each row, e.g. its nearest rows in a semantic space; only these pairs are compared.
    identical : int ndarray of shape (n,)
        Rows with the same number are joined whatever their words.

    Returns
    -------
    int64 ndarray of shape (n,)
        Number of each row's component, in order of first appearance.
    """
    n = words.shape[0]
    share = np.asarray((words > 0).mean(axis=0)).ravel()
    telling = words[:, share <= MOST_COMMON]
    norm = np.sqrt(np.asarray(telling.multiply(telling).sum(axis=1)).ravel())
    left = np.repeat(np.arange(n), neighbours.shape[1])
    right = neighbours.ravel().astype(np.int64)
    known = right < n
    left, right = left[known], right[known]
    cosine = np.empty(len(left))
    for start in range(0, len(left), 200_000):
        part = slice(start, start + 200_000)
        product = telling[left[part]].multiply(telling[right[part]]).sum(axis=1)
        cosine[part] = np.asarray(product).ravel()
    cosine /= np.maximum(norm[left] * norm[right], 1e-12)
    cosine[(norm[left] <= 0.3) | (norm[right] <= 0.3)] = 0  # hardly a telling word
    return _apart(left, right, 1 - cosine, 1 - NEAR, identical)


def table_components(
    standard: NDArray[np.float32], neighbours: NDArray[np.int32], identical: NDArray[np.int64], n_columns: int
) -> NDArray[np.int64]:
    """Components of rows that agree in nearly all columns.

    Two candidates are joined where their squared distance is at most that of a change in one column in ten
    (at least one column), in units of the columns' variance.
    """
    n = len(standard)
    left = np.repeat(np.arange(n), neighbours.shape[1])
    right = neighbours.ravel().astype(np.int64)
    known = right < n
    left, right = left[known], right[known]
    distance = np.empty(len(left), np.float32)
    for start in range(0, len(left), 100_000):
        part = slice(start, start + 100_000)
        distance[part] = np.square(standard[left[part]] - standard[right[part]]).sum(axis=1)
    return _apart(left, right, distance, 0.02 * n_columns, identical)


def image_components(
    detail: NDArray[np.float32], neighbours: NDArray[np.int32], identical: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Components of images that agree even in their fine detail.

    Different pictures of like things agree in shape and shading; in what is left without these only copies
    do, whatever their brightness and a little noise.

    Parameters
    ----------
    detail : float32 ndarray of shape (n, d)
        Unit rows (`foretaste.features.image.ImageFeatures.detail`).
    """
    n = len(detail)
    left = np.repeat(np.arange(n), neighbours.shape[1])
    right = neighbours.ravel().astype(np.int64)
    known = right < n
    left, right = left[known], right[known]
    distance = np.empty(len(left), np.float32)
    for start in range(0, len(left), 50_000):
        part = slice(start, start + 50_000)
        distance[part] = 1 - (detail[left[part]] * detail[right[part]]).sum(axis=1)
    return _apart(left, right, distance, 1 - NEAR_IMAGE, identical)


def _apart(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    distance: NDArray[np.floating],
    near: float,
    identical: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Components of pairs nearer than ``near``, or nearer than that where chains of pairs would join all.

    In dense data (a few numbers, a small vocabulary) every row is near some other; there only much nearer
    rows are copies. A component may hold a tenth of the rows, or 50, unless they are identical.
    """
    most = max(MOST_JOINED * len(identical), SMALL)
    for _ in range(8):
        close = distance < near
        component = join(left[close], right[close], identical)
        distinct = np.unique(np.stack([component, identical]), axis=1)[0]
        if np.bincount(distinct).max(initial=0) <= most:
            return component
        near /= 2
    return join(left[:0], right[:0], identical)


def join(
    left: NDArray[np.int64], right: NDArray[np.int64], identical: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Connected components of the pairs ``left[i], right[i]`` and of identical rows, by first appearance."""
    n = len(identical)
    _, first, inverse = np.unique(identical, return_index=True, return_inverse=True)
    rows = np.concatenate([left, np.arange(n)])
    columns = np.concatenate([right, first[inverse]])
    graph = sparse.coo_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse]
