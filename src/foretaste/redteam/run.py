"""Run a campaign: in parallel, one line per run, and only what is missing when it is run again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from foretaste.data.atomic import appearing
from foretaste.errors import ForetasteError
from foretaste.redteam.defences import find_defence
from foretaste.redteam.learners import find_learner
from foretaste.redteam.log import RunLog
from foretaste.redteam.plan import Plan, Trial
from foretaste.redteam.remaining import Remaining, in_words
from foretaste.redteam.trial import SCHEMA, Cell, Line, run_trial

Progress = Callable[[str, int, int], None]


def run_campaign(
    plan: Plan, out: Path, *, jobs: int | None = None, progress: Progress | None = None
) -> pa.Table:
    """Run what a plan asks for and ``out`` does not hold yet.

    Finished runs are in ``runs.jsonl``; killed at any time, the next call runs only what is missing there.
    ``results.parquet`` is written at the end.

    Parameters
    ----------
    plan : Plan
    out : Path
        Folder of the campaign.
    jobs : int, optional
        Processes; the machine's cores otherwise.
    progress : callable, optional
        Called as ``progress(what, done, total)``, in runs; ``what`` ends with the time that is left.

    Returns
    -------
    pyarrow.Table
        One row per run (`foretaste.redteam.trial.SCHEMA`).

    Raises
    ------
    ConfigError
        Where there is no such learner or defence.
    ForetasteError
        Where a process of the campaign was killed.
    """
    trials = list(plan.trials())
    with Workers(plan, out, jobs=jobs).open() as workers:
        found = workers.run(plan, trials, progress)
    table = pa.Table.from_pylist([line for lines in found for line in lines], schema=SCHEMA)
    with appearing(out / "results.parquet") as path:
        pq.write_table(table, path)
    return table


class Workers:
    """Processes that run trials, and the log that knows what they have done.

    Parameters
    ----------
    plan : Plan
    out : Path
    jobs : int, optional
    """

    def __init__(self, plan: Plan, out: Path, *, jobs: int | None = None) -> None:
        for name in plan.learners:
            find_learner(name)  # a wrong name is told before the first hour of work
        for name in plan.defences:
            find_defence(name)
        out.mkdir(parents=True, exist_ok=True)
        self.log = RunLog(out / "runs.jsonl", plan)
        self.jobs = jobs or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    @contextmanager
    def open(self) -> Iterator[Workers]:
        """Start on demand; on an error or an interruption nothing that waits is begun."""
        if self.jobs > 1:
            self._pool = ProcessPoolExecutor(self.jobs, get_context("spawn"), initializer=_start_worker)
        try:
            yield self
        except BrokenProcessPool:
            raise ForetasteError(
                "a process of the campaign was killed, perhaps for want of memory; what is finished is kept: "
                "the same command goes on, with fewer --jobs it needs less memory"
            ) from None
        except KeyboardInterrupt:
            raise ForetasteError("interrupted; what is finished is kept, the same command goes on") from None
        finally:
            if self._pool is not None:
                self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, plan: Plan, trials: Sequence[Trial], progress: Progress | None = None) -> list[list[Line]]:
        """The lines of each trial, run or remembered."""
        cells = plan.cells()
        missing = {trial.key: (trial, self.log.missing(trial, cells)) for trial in trials}
        clock = Remaining(self.jobs)
        for trial in trials:
            for cell in cells:
                if line := self.log.find(trial, cell):
                    clock.finished(line)
        total = len(trials) * len(cells)

        def tell(trial: Trial | None) -> None:
            if progress is not None:
                kinds = [[(t.attack, *cell) for cell in cells] for t, cells in missing.values() if cells]
                left = in_words(clock.left(kinds)) if kinds else ""
                what = f"{trial.attack} {100 * trial.rate:g} %, seed {trial.seed}" if trial else "starting"
                progress(f"{what}; {left}" if left else what, total - sum(map(len, kinds)), total)

        tell(None)
        for trial, lines in self._finished(plan, [both for both in missing.values() if both[1]]):
            self.log.add(trial, lines)
            missing[trial.key] = trial, []
            for line in lines:
                clock.finished(line)
            tell(trial)
        return [[self.log.find(trial, cell) or {} for cell in cells] for trial in trials]

    def _finished(
        self, plan: Plan, asked: Sequence[tuple[Trial, Sequence[Cell]]]
    ) -> Iterator[tuple[Trial, list[Line]]]:
        """Trials as they are done: here one by one, or in the processes."""
        if self._pool is None:
            with threadpool_limits(1):
                yield from ((trial, run_trial(plan, trial, cells)) for trial, cells in asked)
            return
        waiting = {self._pool.submit(run_trial, plan, trial, cells): trial for trial, cells in asked}
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def _start_worker() -> None:
    """One thread for each process; and a killed campaign takes its processes along."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interruption ends it without a word
    os.environ["OMP_NUM_THREADS"] = "1"
    threadpool_limits(1)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
