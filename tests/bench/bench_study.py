"""What screening costs against the model, and what workers are worth to a study.

1,000 strategies x 1,000 volumes are screened for a year of hourly snapshots, from `Strategy` objects to a ranked frame,
in the time in which the model runs so many of the million pairs. Some of these pairs are compared figure by figure.

A study is computed with ten times the replications, for its memory.

A study of about 20 s is computed by one worker and by two, of a process pool and of a Dask cluster.
"""

import random
import statistics
import tracemalloc
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from itertools import pairwise
from multiprocessing import get_context
from time import perf_counter
from typing import Any

import numpy as np

from simulation import Scenario, Workload, screen, simulate, study
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from snapkit.units import DAY, HOUR

ROUNDS = 3
PAIRS = 5
CALM = Timing(latency=60, rate=2e8, spread=0)
FIGURES = ("monthly_cost_usd", "copied_bytes", "duration_mean_s", "rpo_p95_s", "history_s", "kept")


def strategies(count: int) -> list[Strategy]:
    """Make hourly strategies, all different."""
    chance = random.Random(0)  # noqa: S311
    kept: dict[tuple[int, int, int], None] = {}
    while len(kept) < count:
        kept[chance.randint(2, 96), chance.randint(2, 60), chance.randint(1, 24)] = None
    hourly = Schedule("every 1h")
    return [
        Strategy(f"{last}, {daily}, {monthly}", [Tier(hourly, Retention(last=last, daily=daily, monthly=monthly))])
        for last, daily, monthly in kept
    ]


def volumes(count: int) -> dict[str, Workload]:
    """Make volumes, all different."""
    chance = random.Random(1)  # noqa: S311
    made = {}
    for number in range(count):
        points = {60: chance.uniform(1, 300)}
        for shorter, longer in pairwise((60, HOUR, DAY, 7 * DAY, 70 * DAY)):
            points[longer] = points[shorter] * (longer / shorter) ** chance.uniform(0.2, 0.8)
        made[f"volume {number}"] = Workload.from_table(points, None, f"{chance.randint(100, 600)} GiB")
    return made


def screening() -> None:
    """Print in the time of how many simulated pairs a million pairs are screened."""
    compared, fleet = strategies(1000), volumes(1000)
    chance = random.Random(2)  # noqa: S311
    in_pairs = []
    for _ in range(ROUNDS):
        begin = perf_counter()
        screened = screen(compared, fleet, horizon="365d", timing=CALM)
        frame = screened.frame
        spent = perf_counter() - begin
        assert not frame["approximate"].any()
        assert frame["monthly_cost_usd"][frame["front"]].is_monotonic_increasing
        chosen = [(chance.choice(compared), chance.choice(list(fleet))) for _ in range(PAIRS)]
        begin = perf_counter()
        outcomes = [simulate(Scenario(one, fleet[name], "365d", timing=CALM)) for one, name in chosen]
        pair = (perf_counter() - begin) / PAIRS
        for (one, name), outcome in zip(chosen, outcomes, strict=True):
            figures, row = outcome.summary(), screened.of(name).frame.loc[one.name]
            assert all(np.isclose(figures[each], row[each], rtol=1e-9) for each in FIGURES)
        in_pairs.append(spent / pair)
    told = f"{statistics.median(in_pairs):.0f} simulated ones (limit 100)"
    print(f"screening: 1,000 x 1,000 pairs, a year of hourly snapshots, take the time of {told}")


def workers() -> None:
    """Print how much faster two workers are than one."""
    compared = [each for text in ("every 15min", "every 1h") for each in _at(text)]
    options: dict[str, Any] = {"horizon": "90d", "replications": 40}
    fleet = volumes(1)["volume 0"]
    for what, limit in (("a process pool", 1.8), ("Dask", 1.6)):
        ratios, busy = [], []
        with ExitStack() as stack:
            pools = [stack.enter_context(_pool(what, count)) for count in (1, 2)]
            for made in pools:  # so that all workers are there and have loaded what they need
                study(compared, fleet, horizon="2d", replications=40, executor=made)
            for _ in range(ROUNDS):
                spent, runs = [], []
                watched = [_Watched(pool) for pool in pools]
                for pool in watched:
                    begin = perf_counter()
                    runs.append(study(compared, fleet, **options, executor=pool).runs)
                    spent.append(perf_counter() - begin)
                busy.append(watched[1].seconds / spent[1] / 2)
                assert runs[0].to_numpy().tobytes() == runs[1].to_numpy().tobytes()
                ratios.append(spent[0] / spent[1])
        told = f"{statistics.median(ratios):.2f} times as fast as one (at least {limit})"
        share = f"each computes {statistics.median(busy):.0%} of the time"
        print(f"study of {spent[0]:.0f} s: two workers of {what} are {told}; {share}")


def memory() -> None:
    """Print how much more memory ten times the replications take."""
    compared, volume, peaks = _at("every 1h"), volumes(1)["volume 0"], []
    study(compared, volume, horizon="10d", replications=2, executor=_Here())
    for count in (30, 300):
        tracemalloc.start()
        study(compared, volume, horizon="10d", replications=count, executor=_Here())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    told = f"{peaks[0] / 1e6:.1f} MB with 30 replications, {peaks[1] / 1e6:.1f} MB with 300"
    print(f"study: at most {told}: {(peaks[1] - peaks[0]) / 270 / len(compared):,.0f} bytes a run more")


class _Here(Executor):
    """Computes in this process."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Compute at once."""
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


def _at(text: str) -> list[Strategy]:
    kept = (Retention(last=24), Retention(last=24, daily=30))
    return [Strategy(f"{text}, {keep.describe()}", [Tier(Schedule(text), keep)]) for keep in kept]


def _pool(what: str, count: int) -> AbstractContextManager[Executor]:
    if what == "a process pool":
        return ProcessPoolExecutor(count, get_context("spawn"))
    return _Dask(count)


class _Watched(Executor):
    """Adds up what the workers of an executor compute: on a busy machine it tells more than the ratio."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.seconds = 0.0

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Pass it on, and note what it took."""
        future = self._executor.submit(function, *args, **kwargs)
        future.add_done_callback(self._add)
        return future

    def _add(self, future: Future[Any]) -> None:
        self.seconds += sum(each.seconds for each in future.result())


class _Dask(AbstractContextManager[Executor]):
    """A Dask cluster on this machine."""

    def __init__(self, count: int) -> None:
        distributed: Any = import_module("distributed")  # loads a web server, which no other benchmark needs
        self._cluster = distributed.LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0")
        self._client = distributed.Client(self._cluster)

    def __enter__(self) -> Executor:
        executor: Executor = self._client.get_executor(pure=False)
        return executor

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._cluster.close()


def main() -> None:
    """Measure all."""
    screening()
    memory()
    workers()


if __name__ == "__main__":
    main()
