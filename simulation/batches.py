"""Runs of scenarios on any executor, in batches of about half a second.

Nothing but `submit` and `as_completed` is asked of an executor. Every run is told its seed and replication and knows of
no other, so the answers are the same on any executor, whatever the number of workers, the batches and their order.
"""

import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.model import simulate
from simulation.scenario import Fleet, Scenario

_BATCH = 0.5
"""How long a batch should take [s]: so long that the 11 ms which Dask needs to hand it over do not count."""
_SHARE = 8
"""The last batches are smaller, so that no worker waits long for another: this fraction of what is still to do."""
_LEAST = 0.05
"""The least that a batch is to take [s], unless too little is left."""
_FIRST = 4
"""So many batches are sent at first; for each that comes back two more are, until all are on their way."""
_WORTH = 5.0
"""How much work must be left for a process pool of our own to pay [s]: it takes about a second to start."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one scenario.

    Attributes:
        place: which of the scenarios compared.
        scenario: what is simulated.
        replication: which of the many possible runs.
    """

    place: int
    scenario: Scenario | Fleet
    replication: int


@dataclass(frozen=True)
class Answer:
    """The figures of one run.

    Attributes:
        run: which one.
        names: of the figures.
        figures: volumes by figures.
    """

    run: Run
    names: tuple[str, ...]
    figures: NDArray[np.float64]


class ExecutorError(Exception):
    """The executor failed, not what it was to compute: its error is the cause."""


def answers(runs: Sequence[Run], seed: int, executor: Executor | None) -> Iterator[Answer]:
    """Compute runs, in whatever order they are done.

    Args:
        runs: what to compute.
        seed: root of all random streams.
        executor: where; None is this process, and processes of its own for what takes long.

    Raises:
        ExecutorError: the executor failed.
    """
    if executor is not None:
        yield from _spread(runs, seed, executor)
        return
    waiting = deque(runs)
    begin = perf_counter()
    for done in range(len(runs)):
        if done and _is_worth(perf_counter() - begin, done, len(waiting)):
            break
        yield _answer(waiting.popleft(), seed)
    if waiting:
        yield from _spread_here(list(waiting), seed)


def _is_worth(seconds: float, done: int, left: int) -> bool:
    """Tell by what was measured so far whether processes pay."""
    return seconds / done * left > _WORTH and _processors() > 1 and parent_process() is None


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _spread_here(runs: Sequence[Run], seed: int) -> Iterator[Answer]:
    """Compute runs in processes of our own, and those that they fail to compute in this one."""
    left = {(run.place, run.replication): run for run in runs}
    pool = _Pool(_processors(), get_context("spawn"), _leave_interrupts_alone)
    try:
        for answer in _spread(runs, seed, pool):
            del left[answer.run.place, answer.run.replication]
            yield answer
    except ExecutorError as error:
        told = f"the processes of the study failed ({error.__cause__!r}): the rest is computed in this one"
        warnings.warn(told, RuntimeWarning, stacklevel=2)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    for run in left.values():
        yield _answer(run, seed)


def _spread(runs: Sequence[Run], seed: int, executor: Executor) -> Iterator[Answer]:
    waiting = deque(runs)
    costs: dict[int, float] = {}
    pending: dict[Future[list[_Done]], list[Run]] = {}
    window = _FIRST
    try:
        while waiting or pending:
            while waiting and len(pending) < window:
                batch = _batch(waiting, costs)
                pending[_sent(executor, seed, batch)] = batch
            future = next(as_completed(pending))
            yield from _told(pending.pop(future), _returned(future), costs)
            window += 1
    except ExecutorError:
        # What the executor did before it failed is still worth having.
        for future in [each for each in pending if each.done() and not each.cancelled() and not each.exception()]:
            yield from _told(pending.pop(future), future.result(), costs)
        raise
    finally:
        for future in pending:
            future.cancel()


def _told(batch: list[Run], done: "list[_Done]", costs: dict[int, float]) -> Iterator[Answer]:
    """Give the answers of a batch, and note what its runs took."""
    for run, each in zip(batch, done, strict=True):
        costs[run.place] = each.seconds
        if each.error is not None:
            raise each.error
        yield Answer(run, each.names, each.figures)


def _batch(waiting: deque[Run], costs: dict[int, float]) -> list[Run]:
    """Take as many runs as fill a batch, by what runs of the same scenario took before."""
    if not costs:
        return [waiting.popleft()]
    usual = sum(costs.values()) / len(costs)
    aim = min(_BATCH, max(usual * len(waiting) / _SHARE, _LEAST))
    batch: list[Run] = []
    seconds = 0.0
    while waiting and (not batch or seconds + costs.get(waiting[0].place, usual) / 2 < aim):
        batch.append(waiting.popleft())
        seconds += costs.get(batch[-1].place, usual)
    return batch


def _sent(executor: Executor, seed: int, batch: list[Run]) -> "Future[list[_Done]]":
    scenarios = [run.scenario for run in batch]  # what they share is sent once
    try:
        return executor.submit(work, scenarios, [run.replication for run in batch], seed)
    except Exception as error:
        raise ExecutorError from error


def _returned(future: "Future[list[_Done]]") -> "list[_Done]":
    try:
        return future.result()
    except Exception as error:
        raise ExecutorError from error


@dataclass(frozen=True)
class _Done:
    """What a worker returns of one run; an error of the run itself comes as such, so that it can be told apart."""

    names: tuple[str, ...]
    figures: NDArray[np.float64]
    seconds: float
    error: Exception | None = None


def work(scenarios: Sequence[Scenario | Fleet], replications: Sequence[int], seed: int) -> list[_Done]:
    """Compute a batch: what a worker is sent."""
    done = []
    for scenario, replication in zip(scenarios, replications, strict=True):
        begin = perf_counter()
        try:
            names, figures = _figures(scenario, replication, seed)
        except Exception as error:  # noqa: BLE001 - it is raised again where the study was asked for
            done.append(_Done((), np.empty((0, 0)), perf_counter() - begin, error))
        else:
            done.append(_Done(names, figures, perf_counter() - begin))
    return done


def _answer(run: Run, seed: int) -> Answer:
    return Answer(run, *_figures(run.scenario, run.replication, seed))


def _figures(scenario: Scenario | Fleet, replication: int, seed: int) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    if isinstance(scenario, Fleet):
        summaries = [outcome.summary() for outcome in simulate(scenario, seed, replication=replication).values()]
    else:
        summaries = [simulate(scenario, seed, replication=replication).summary()]
    return tuple(summaries[0].index), np.array([summary.to_numpy(np.float64) for summary in summaries])


class _Pool(ProcessPoolExecutor):
    """A process pool that does not run the user's script again.

    A process that is spawned imports the main module; a script whose main part is not guarded would start over in it.
    Runs need nothing of it.
    """

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        with _without_main():
            return super().submit(*args, **kwargs)


@contextmanager
def _without_main() -> Iterator[None]:
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _leave_interrupts_alone() -> None:
    """Let the process that asked for the study decide what comes of an interrupt, in workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
