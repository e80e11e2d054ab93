"""How much of a model can go before it gets worse."""

from __future__ import annotations

from collections.abc import Callable


def most_that_can_go(accuracy: Callable[[int], float], count: int, tolerance: float) -> int:
    """The largest number of parts, by bisection, without which accuracy falls by no more than ``tolerance``.

    Parameters
    ----------
    accuracy : callable
        Accuracy once the first ``k`` parts are gone.
    count : int
        Parts there are; one of them always stays.
    tolerance : float, 0 to 1

    Examples
    --------
    >>> most_that_can_go(lambda gone: 1.0 if gone <= 6 else 0.5, 10, 0.01)
    6
    """
    least = accuracy(0) - tolerance
    low, high = 0, max(count - 1, 0)
    while low < high:
        middle = (low + high + 1) // 2
        if accuracy(middle) >= least:
            low = middle
        else:
            high = middle - 1
    return low
