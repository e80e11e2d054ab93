"""Threads for independent fits: each fit keeps to its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_limits


def one_thread_each(jobs: int) -> ThreadPoolExecutor:
    """A pool whose threads do not start more of their own.

    OpenMP counts its threads per calling thread, so a limit set outside the pool does not hold inside it;
    threads of several fits that wait for one another in turn stall on a busy machine.
    """
    return ThreadPoolExecutor(max(1, jobs), initializer=lambda: threadpool_limits(1, "openmp"))
