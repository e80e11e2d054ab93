"""Nearest neighbours by tiled matrix products: numpy only, bounded memory, deterministic."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

MOST_EXACT = 20_000
"""Rows that are all compared with one another; of more, each is compared with those of the cells near it."""

_QUERIES, _CORPUS = 1024, 8192

_CELL = 400  # rows of a cell, on average
_VISITED = 12  # cells each row is compared with
_TAUGHT = 30  # rows per cell that the centres are learned from
_ROUNDS = 5

Found = tuple[NDArray[np.int32], NDArray[np.float32]]


def nearest_neighbours(
    X: NDArray[np.floating], k: int, *, jobs: int = 2, most_exact: int = MOST_EXACT
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The ``k`` rows most similar to each row, itself excluded, by inner product.

    Give unit rows for cosine similarity. The corpus is visited in tiles; only entries above the worst
    similarity kept so far are merged, so after the first tiles a block costs little more than its product.
    More than ``most_exact`` rows are first divided into cells of like rows, and each row is compared with
    those of the cells it is nearest to: copies are found, and nearly always the nearest others.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows to compare, computed in float32.
    k : int
        Neighbours per row; at most n - 1 are returned.
    jobs : int
        Threads; each works on its own block of queries with one BLAS thread.
    most_exact : int
        Rows up to which all are compared with all.

    Returns
    -------
    indices : int32 ndarray of shape (n, k)
        Most similar first; equal similarities in order of row. n where there are fewer.
    similarities : float32 ndarray of shape (n, k)

    References
    ----------
    Sivic and Zisserman, "Video Google", ICCV 2003; Jegou, Douze and Schmid, "Product quantization for nearest
    neighbor search", IEEE TPAMI 33 (2011): the inverted file.
    """
    X = np.ascontiguousarray(X, dtype=np.float32)
    n = len(X)
    k = min(k, n - 1)
    if k <= 0:
        return np.empty((n, 0), np.int32), np.empty((n, 0), np.float32)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(max(1, jobs)) as pool:
        if n > most_exact:
            return _near_cells(X, k, pool)
        blocks = list(pool.map(lambda start: _block(X, start, k), range(0, n, _QUERIES)))
    return np.concatenate([b[0] for b in blocks]), np.concatenate([b[1] for b in blocks])


def _block(X: NDArray[np.float32], start: int, k: int) -> Found:
    queries = np.arange(start, min(start + _QUERIES, len(X)))
    found = _nothing(len(queries), k, len(X))
    for tile in range(0, len(X), _CORPUS):
        corpus = np.arange(tile, min(tile + _CORPUS, len(X)))
        found = _merge(found, X, queries, corpus)
    return found


def _nothing(n: int, k: int, absent: int) -> Found:
    return np.full((n, k), absent, np.int32), np.full((n, k), -np.inf, np.float32)


def _merge(
    found: Found, X: NDArray[np.float32], queries: NDArray[np.int64], corpus: NDArray[np.int64]
) -> Found:
    """The best of what was found for these rows and of what is in the corpus, whose rows ascend."""
    index, best = found
    k = best.shape[1]
    scores = X[queries] @ X[corpus].T
    own = np.minimum(np.searchsorted(corpus, queries), len(corpus) - 1)
    inside = corpus[own] == queries
    scores[np.flatnonzero(inside), own[inside]] = -np.inf
    hit_row, hit_column = np.nonzero(scores > best[:, -1:])
    if not len(hit_row):
        return found
    counts = np.bincount(hit_row, minlength=len(queries))
    width = int(counts.max())
    if width > 4 * k:  # early tiles: nearly everything survives, select within the tile first
        width = min(k, scores.shape[1])
        chosen = np.sort(np.argpartition(-scores, width - 1, axis=1)[:, :width], axis=1)
        new_score = np.take_along_axis(scores, chosen, 1)
        new_index = np.where(np.isneginf(new_score), len(X), corpus[chosen]).astype(np.int32)
    else:
        slot = np.arange(len(hit_row)) - np.repeat(np.cumsum(counts) - counts, counts)
        new_score = np.full((len(queries), width), -np.inf, np.float32)
        new_index = np.full((len(queries), width), len(X), np.int32)
        new_score[hit_row, slot] = scores[hit_row, hit_column]
        new_index[hit_row, slot] = corpus[hit_column]
    score = np.concatenate([best, new_score], axis=1)
    where = np.concatenate([index, new_index], axis=1)
    order = np.argsort(-score, axis=1, kind="stable")[:, :k]  # what is there is in order: a merge
    return np.take_along_axis(where, order, 1), np.take_along_axis(score, order, 1)


def _near_cells(X: NDArray[np.float32], k: int, pool: ThreadPoolExecutor) -> Found:
    members = _cells(X)
    centres = np.stack([X[rows].mean(axis=0) for rows in members])
    visits = np.concatenate(list(pool.map(lambda at: _nearest(X[at], centres), _parts(len(X)))))
    index, best = _nothing(len(X), k, len(X))
    for cell_of in visits.T:  # each row's nearest cell first
        order = np.argsort(cell_of, kind="stable")
        ends = np.cumsum(np.bincount(cell_of, minlength=len(members)))

        def visit(cell: int, order: NDArray[np.int64] = order, ends: NDArray[np.int64] = ends) -> None:
            rows = order[(ends[cell - 1] if cell else 0) : ends[cell]]
            for start in range(0, len(rows), _CORPUS):
                part = rows[start : start + _CORPUS]
                index[part], best[part] = _merge((index[part], best[part]), X, part, members[cell])

        list(pool.map(visit, range(len(members))))
    order = np.lexsort((index, -best), axis=1)
    return np.take_along_axis(index, order, 1), np.take_along_axis(best, order, 1)


def _cells(X: NDArray[np.float32]) -> list[NDArray[np.int64]]:
    """Rows of every cell, ascending: those nearest to one of many centres, which k-means finds in a sample.

    Cells of far more rows than others, in data with many alike, are cut.
    """
    rng = np.random.default_rng(0)
    count = len(X) // _CELL
    taught = X[np.sort(rng.permutation(len(X))[: _TAUGHT * count])]
    centres = taught[rng.permutation(len(taught))[:count]]
    for _ in range(_ROUNDS):
        cell = np.concatenate([_nearest(taught[at], centres, 1)[:, 0] for at in _parts(len(taught))])
        size = np.bincount(cell, minlength=count)
        order = np.argsort(cell, kind="stable")
        full = np.flatnonzero(size)
        sums = np.add.reduceat(taught[order], (np.cumsum(size) - size)[full], axis=0)
        centres = centres.copy()
        centres[full] = sums / size[full, None]
    cell = np.concatenate([_nearest(X[at], centres, 1)[:, 0] for at in _parts(len(X))])
    order = np.argsort(cell, kind="stable")
    pieces = np.split(order, np.cumsum(np.bincount(cell, minlength=count))[:-1])
    return [
        part for rows in pieces if len(rows) for part in np.array_split(rows, -(-len(rows) // (4 * _CELL)))
    ]


def _nearest(
    queries: NDArray[np.float32], centres: NDArray[np.float32], count: int = _VISITED
) -> NDArray[np.int64]:
    """The centres nearest to each row, nearest first, shape (n, count)."""
    distance = np.square(centres).sum(axis=1) / 2 - queries @ centres.T
    count = min(count, len(centres))
    some = np.argpartition(distance, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(distance, some, 1), axis=1, kind="stable")
    return np.take_along_axis(some, order, 1)


def _parts(n: int) -> list[slice]:
    return [slice(start, start + _CORPUS) for start in range(0, n, _CORPUS)]
