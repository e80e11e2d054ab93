"""Gradient ascent on the error that injected rows cause, by steps halved until they help; resumable."""

from __future__ import annotations

from collections.abc import Callable

from foretaste.attacks.checkpoint import Checkpoint
from foretaste.attacks.design import Matrix
from foretaste.attacks.progress import steps

SMALLEST_STEP = 1e-3
LARGEST_STEP = 0.5

Point = tuple[Matrix, ...]
"""What moves: the injected rows and, where it does, the response of each."""

Found = tuple[float, Matrix, Matrix]
"""Of a point: the error of the honest rows, the victim's weights, and what the gradient needs besides."""


def ascend(
    start: Point,
    found: Callable[[Point, Matrix | None], Found],
    towards: Callable[[Point, Found], Callable[[float], Point]],
    *,
    weights: Matrix | None = None,
    rounds: int,
    name: str,
    checkpoint: Checkpoint,
    phase: str,
) -> tuple[float, Point]:
    """Move a point uphill for some rounds, or until no step of at least `SMALLEST_STEP` helps.

    Parameters
    ----------
    start : tuple of ndarray
    found : callable
        From a point, and weights to start the training at, to what is there.
    towards : callable
        From a point and what was found there to the points that lie uphill, by the size of the step.
    weights : ndarray, optional
        Where the first training starts.
    rounds : int
    name : str
        Title of the progress bar.
    checkpoint, phase
        Where the state is kept, and under which name.

    Returns
    -------
    float, tuple of ndarray
        The highest error and its point.
    """
    state, point = checkpoint.load(phase), start
    if state is None:
        here, step, begin = found(point, weights), LARGEST_STEP, 0
    else:
        point = tuple(state[f"point {i}"] for i in range(len(start)))
        here = float(state["error"]), state["weights"], state["pull"]
        step, begin = float(state["step"]), int(state["round"])

    def keep(number: int, *, done: bool = False) -> None:
        parts = {f"point {i}": part for i, part in enumerate(point)}
        about = {"error": here[0], "weights": here[1], "pull": here[2], "step": step, "round": number}
        checkpoint.save(phase, parts | about, done=done)

    for number in steps(rounds, name):
        if number < begin:
            continue
        uphill = towards(point, here)
        while step > SMALLEST_STEP:
            further = uphill(step)
            there = found(further, here[1])
            if there[0] > here[0]:
                break
            step /= 2
        else:
            break
        point, here, step = further, there, min(LARGEST_STEP, 1.5 * step)
        keep(number + 1)
    keep(rounds, done=True)
    return here[0], point
