import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from simulation import Scenario, Study, Workload, study
from simulation.batches import Answer, Run, _spread_here, answers
from snapkit.errors import InvalidRequest
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.units import Duration

STRATEGIES = [
    Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=24))]),
    Strategy("daily", [Tier(Schedule("every 1d"), Retention(daily=9))]),
    Strategy("quick", [Tier(Schedule("every 5min"), Retention(last=9))]),
]
WORKLOAD = Workload.profile("workstation", size="10 GiB")
OPTIONS: dict[str, Any] = {"horizon": "8d", "replications": 4, "seed": 3}


@pytest.fixture(scope="module")
def here() -> Study:
    return study(STRATEGIES, WORKLOAD, **OPTIONS)


def same(one: Study, other: Study) -> bool:
    return pickle.dumps(one.runs.to_numpy().tobytes()) == pickle.dumps(other.runs.to_numpy().tobytes()) and (
        one.runs.index.equals(other.runs.index) and one.runs.columns.equals(other.runs.columns)
    )


class Backwards(Executor):
    """Holds everything back, and computes the last first."""

    def __init__(self) -> None:
        self.sent: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self.batches: list[int] = []

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.sent.append((future, function, args))
        self.batches.append(len(args[0]))
        timer = threading.Timer(0.02, self.compute)
        timer.start()
        return future

    def compute(self) -> None:
        while self.sent:
            future, function, args = self.sent.pop()
            future.set_result(function(*args))


class Mortal(Executor):
    """Computes so many batches, then dies."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.left:
            self.left -= 1
            future.set_result(function(*args))
        else:
            future.set_exception(BrokenExecutor("the worker was killed"))
        return future


class Looked(Workload):
    """Is looked at for every snapshot anew."""

    @property
    def stationary(self) -> bool:
        return False


class Deadly(Looked):
    """Kills the worker that looks at it too often."""

    looks = 0

    def changed_between(self, a: Duration, b: Duration) -> int | float:
        Deadly.looks += 1
        if parent_process() is not None and Deadly.looks > 4000:
            os._exit(7)
        return super().changed_between(a, b)


class Wrong(Workload):
    def changed_between(self, a: Duration, b: Duration) -> int | float:
        raise ArithmeticError("the workload is wrong")


class Interrupted(Looked):
    """Somebody stops the study while it looks at this."""

    looks = 0
    allowed = 4000

    def changed_between(self, a: Duration, b: Duration) -> int | float:
        self.looks += 1
        if self.looks > self.allowed:
            raise KeyboardInterrupt
        return super().changed_between(a, b)


def of(kind: type[Workload]) -> Workload:
    made = kind.__new__(kind)
    made.__dict__.update(WORKLOAD.__dict__)
    return made


@pytest.fixture
def dask() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()


@pytest.mark.parametrize("workers", [1, 3])
def test_the_bytes_are_the_same_for_any_number_of_threads(here: Study, workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        assert same(study(STRATEGIES, WORKLOAD, **OPTIONS, executor=pool), here)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_the_bytes_are_the_same_in_other_processes(here: Study, method: str) -> None:
    with ProcessPoolExecutor(2, get_context(method)) as pool:
        assert same(study(STRATEGIES, WORKLOAD, **OPTIONS, executor=pool), here)


@pytest.mark.filterwarnings("ignore")  # what Dask warns of is its own affair
def test_the_bytes_are_the_same_on_a_dask_cluster_of_two_processes(here: Study, dask: Executor) -> None:
    assert same(study(STRATEGIES, WORKLOAD, **OPTIONS, executor=dask), here)


def test_the_bytes_are_the_same_in_any_order(here: Study) -> None:
    executor = Backwards()
    assert same(study(STRATEGIES, WORKLOAD, **OPTIONS, executor=executor), here)
    assert sum(executor.batches) == len(here.runs)
    assert max(executor.batches) > 1


def test_a_precision_takes_the_same_replications_on_any_executor() -> None:
    options: dict[str, Any] = {"horizon": "3d", "replications": 3, "precision": 0.004, "most": 24}
    alone = study(STRATEGIES, WORKLOAD, **options)
    assert alone.frame["replications"].max() > 3
    with ThreadPoolExecutor(2) as pool:
        assert same(study(STRATEGIES, WORKLOAD, **options, executor=pool), alone)


def test_an_executor_that_dies_leaves_partial_results_marked_as_such(here: Study) -> None:
    with pytest.warns(RuntimeWarning, match=r"partial: the executor failed: BrokenExecutor\('the worker was killed'\)"):
        partial = study(STRATEGIES, WORKLOAD, **OPTIONS, executor=Mortal(3))
    assert 0 < len(partial.runs) < len(here.runs)
    assert repr(partial).endswith(f"partial, {len(partial.runs)} of 12 runs: {partial.stopped}")
    assert "partial" in partial._repr_html_()
    pd.testing.assert_frame_equal(partial.runs, here.runs.loc[partial.runs.index], check_exact=True)


def test_a_process_that_is_killed_leaves_partial_results() -> None:
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
        pytest.warns(RuntimeWarning, match="partial: the executor failed: BrokenProcessPool"),
    ):
        partial = study(STRATEGIES, of(Deadly), **OPTIONS, executor=pool)
    assert 0 < len(partial.runs) < 12
    assert "executor failed" in partial.stopped


def test_what_a_dead_executor_left_of_some_strategies_only_can_still_be_chosen_from() -> None:
    with pytest.warns(RuntimeWarning, match="partial"):
        partial = study(STRATEGIES, WORKLOAD, **OPTIONS, executor=Mortal(1))
    assert [each.name for each in partial.strategies] == ["hourly"]
    assert "none of daily, quick: " in repr(partial)
    assert all("was not run" in partial.best(rpo="2h").losers[name] for name in ("daily", "quick"))
    assert partial.best(rpo="2h").strategy.name == "hourly"


def test_an_executor_that_is_dead_at_once_is_an_error() -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    for executor in (pool, Mortal(0)):
        with pytest.raises(InvalidRequest, match=r"executor .* failed before the first run was done"):
            study(STRATEGIES, WORKLOAD, **OPTIONS, executor=executor)


def test_an_error_of_the_model_is_told_as_such_on_any_executor() -> None:
    with ThreadPoolExecutor(2) as pool:
        for executor in (None, pool):
            with pytest.raises(ArithmeticError, match="the workload is wrong"):
                study(STRATEGIES, of(Wrong), **OPTIONS, executor=executor)


def test_a_study_that_is_interrupted_keeps_what_it_has(here: Study) -> None:
    with pytest.warns(RuntimeWarning, match="the study is partial: interrupted"):
        partial = study(STRATEGIES, of(Interrupted), **OPTIONS)
    assert partial.stopped == "interrupted"
    pd.testing.assert_frame_equal(partial.runs, here.runs.loc[partial.runs.index], check_exact=True)


def test_an_interrupt_before_anything_is_known_stays_one() -> None:
    workload = of(Interrupted)
    workload.allowed = 0  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        study(STRATEGIES, workload, **OPTIONS)


def runs(workload: Workload) -> list[Run]:
    scenarios = [Scenario(each, workload, OPTIONS["horizon"]) for each in STRATEGIES]
    return [Run(place, each, k) for k in range(OPTIONS["replications"]) for place, each in enumerate(scenarios)]


def told(found: Iterator[Answer]) -> dict[tuple[int, int], bytes]:
    return {(each.run.place, each.run.replication): each.figures.tobytes() for each in found}


def test_what_takes_long_is_spread_over_processes_of_our_own(here: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.batches._WORTH", 0.0)
    monkeypatch.setattr("simulation.batches._processors", lambda: 2)
    assert same(study(STRATEGIES, WORKLOAD, **OPTIONS), here)


def test_what_processes_of_our_own_fail_to_compute_is_computed_here() -> None:
    with pytest.warns(RuntimeWarning, match="the rest is computed in this one"):
        found = told(_spread_here(runs(of(Deadly)), 3))
    assert found == told(answers(runs(WORKLOAD), 3, None))


SCRIPT = """
from simulation import Scenario, Workload
from simulation.batches import Run, _spread_here
from snapkit.strategy import Retention, Schedule, Strategy, Tier

print("once")
hourly = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=24))])
scenario = Scenario(hourly, Workload.profile("workstation"), "2d")
print(len(list(_spread_here([Run(0, scenario, k) for k in range(8)], 0))))
"""


def test_a_script_without_a_guard_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    assert done.stdout.split() == ["once", "8"]
    assert done.stderr == ""


def test_progress_is_told_on_the_standard_error_stream_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    study(STRATEGIES[:2], WORKLOAD, horizon="3d", replications=2)
    assert capsys.readouterr().err == ""
    study(STRATEGIES[:2], WORKLOAD, horizon="3d", replications=2, progress=True)
    assert capsys.readouterr().err.endswith("[##############################] 4 of 4 runs\n")
