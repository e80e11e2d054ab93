"""Exact nearest neighbours by tiled matrix products: numpy only, bounded memory, deterministic."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

_QUERIES, _CORPUS = 1024, 8192


def nearest_neighbours(
    X: NDArray[np.floating], k: int, *, jobs: int = 2
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The ``k`` rows most similar to each row, itself excluded, by inner product.

    Give unit rows for cosine similarity. The corpus is visited in tiles; only entries above the worst
    similarity kept so far are merged, so after the first tiles a block costs little more than its product.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows to compare, computed in float32.
    k : int
        Neighbours per row; at most n - 1 are returned.
    jobs : int
        Threads; each works on its own block of queries with one BLAS thread.

    Returns
    -------
    indices : int32 ndarray of shape (n, k)
        Most similar first; equal similarities in order of row.
    similarities : float32 ndarray of shape (n, k)
    """
    X = np.ascontiguousarray(X, dtype=np.float32)
    n = len(X)
    k = min(k, n - 1)
    if k <= 0:
        return np.empty((n, 0), np.int32), np.empty((n, 0), np.float32)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(max(1, jobs)) as pool:
        blocks = list(pool.map(lambda start: _block(X, start, k), range(0, n, _QUERIES)))
    return np.concatenate([b[0] for b in blocks]), np.concatenate([b[1] for b in blocks])


def _block(X: NDArray[np.float32], start: int, k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    queries = X[start : start + _QUERIES]
    rows = np.arange(len(queries))
    best = np.full((len(queries), k), -np.inf, np.float32)
    index = np.full((len(queries), k), len(X), np.int32)
    for tile in range(0, len(X), _CORPUS):
        scores = queries @ X[tile : tile + _CORPUS].T
        own = start + rows - tile
        inside = (own >= 0) & (own < scores.shape[1])
        scores[rows[inside], own[inside]] = -np.inf
        hit_row, hit_column = np.nonzero(scores > best[:, -1:])
        if not len(hit_row):
            continue
        counts = np.bincount(hit_row, minlength=len(queries))
        width = int(counts.max())
        if width > 4 * k:  # early tiles: nearly everything survives, select within the tile first
            width = min(k, scores.shape[1])
            chosen = np.argpartition(-scores, width - 1, axis=1)[:, :width]
            new_score = np.take_along_axis(scores, chosen, 1)
            new_index = (chosen + tile).astype(np.int32)
        else:
            slot = np.arange(len(hit_row)) - np.repeat(np.cumsum(counts) - counts, counts)
            new_score = np.full((len(queries), width), -np.inf, np.float32)
            new_index = np.full((len(queries), width), len(X), np.int32)
            new_score[hit_row, slot] = scores[hit_row, hit_column]
            new_index[hit_row, slot] = hit_column + tile
        score = np.concatenate([best, new_score], axis=1)
        where = np.concatenate([index, new_index], axis=1)
        order = np.lexsort((where, -score), axis=1)[:, :k]
        best, index = np.take_along_axis(score, order, 1), np.take_along_axis(where, order, 1)
    return index, best
