"""Block-level writes of a fitted workload: the circle from a trace to a fit to a trace closes."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from snapkit.blocks import Workload
from snapkit.blocks.classes import Classes
from snapkit.blocks.fitted import FittedWorkload
from snapkit.blocks.generation import Layout
from snapkit.blocks.write_clock import Job, Sessions, WriteClock, WriteModel
from snapkit.errors import InvalidRequest
from snapkit.sandbox.writes import Replay
from snapkit.units import DAY, GIB, HOUR, MINUTE

BLOCK = 524288
CLASSES = Classes(((0.5, 3.0), (0.3, 60.0), (0.1, 200.0)), ((0.05, 100.0),), 0.05, 2048.0)
JOBS = (Job(1800.0, 60.0, 5.0, 2.0),)


@cache
def workload(following: float = 0.3, steady: float = 0.01) -> FittedWorkload:
    sessions = Sessions(8.0, 12.0, 2400.0, 8.0, 0.7, 0.5, 400.0)
    clock = WriteClock(JOBS, (sessions,), (0,), 0.0, steady)
    model = WriteModel(clock, CLASSES, ("every day",), following, 4096.0)
    return FittedWorkload(
        model, name="made", source="a test", span=4.0 * DAY, size=GIB, block_size=BLOCK, assumptions=()
    )


@pytest.mark.parametrize(("following", "tolerance"), [(0.0, 0.05), (0.3, 0.08), (0.8, 0.2)])
def test_the_trace_of_a_fit_has_its_curve(following: float, tolerance: float) -> None:
    fit = workload(following)
    trace = Workload.from_trace(fit.to_trace("14d"), span="14d")
    assert trace.size == fit.size
    for length in (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR):
        starts = np.arange(0, 14 * DAY, float(length))
        # The same path: what remains is which blocks are hit, and that they are whole.
        assert trace.changed(length) == pytest.approx(fit.changed_within(starts, starts + length).mean(), rel=tolerance)


def test_windows_without_a_session_are_the_same_in_the_trace() -> None:
    fit = workload(steady=0.0)
    trace = Workload.from_trace(fit.to_trace("7d"), span="7d")
    starts = np.arange(0, 7 * DAY, 300.0)
    modelled = fit.changed_within(starts, starts + 300)
    counted = np.array([trace.changed_between(float(a), float(a + 300)) for a in starts])
    assert np.array_equal(modelled == 0, counted == 0)


def test_runs_are_as_long_as_they_should_be() -> None:
    for following in (0.0, 0.5):
        trace = workload(following, 0.0).to_trace("14d")
        writes = trace[(trace["op"] == "W") & (trace["off"] >= 100 * BLOCK)]
        # Runs of one class of 200 blocks go on with this chance, but for the ends of bursts.
        wide = writes[writes["off"] < 250 * BLOCK]["len"] // BLOCK
        assert wide.mean() == pytest.approx(1 / (1 - following), rel=0.15)


def test_blocks_stay_on_the_volume_and_jobs_on_theirs() -> None:
    trace = workload().to_trace("7d")
    assert (trace["off"] + trace["len"]).max() <= GIB
    assert trace["t_us"].is_monotonic_increasing
    assert trace["t_us"].iloc[-1] == 7 * DAY * 10**6
    assert trace["op"].iloc[-1] == "R"
    due = trace[(trace["t_us"] % (1800 * 10**6) == 60 * 10**6) & (trace["op"] == "W")]
    assert len(due) == 7 * 48 * 3
    assert set(due["off"] // BLOCK) == {363}
    assert due["len"].sum() // BLOCK == 7 * 48 * 5


def test_equal_paths_are_written_down_equally() -> None:
    pd.testing.assert_frame_equal(workload().to_trace("2d"), workload().sampled(0).to_trace("2d"))
    assert not workload().to_trace("2d").equals(workload().sampled(1).to_trace("2d"))


def test_a_volume_smaller_than_the_classes_holds_what_it_can() -> None:
    small = Classes(((0.6, 5.5), (0.4, 900.0)), (), 0.0, 64.0)
    layout = Layout.of(small, JOBS, 0.2)
    assert (layout.first + layout.rooms).max() <= 64
    assert layout.shares.sum() == pytest.approx(1)
    assert list(layout.rooms[:2]) == [6, 55]


def test_nothing_to_write_is_refused() -> None:
    sessions = Sessions(0.001, 1.0, 1.0, 1.0, 0.1, 0.1, 1.0)
    model = WriteModel(WriteClock((), (sessions,), (0,)), CLASSES, (), 0.0, 4096.0)
    empty = FittedWorkload(model, name="e", source="", span=60.0, size=GIB, block_size=BLOCK, assumptions=())
    with pytest.raises(InvalidRequest, match="has no write in it"):
        empty.to_trace("1h")


def test_the_sandbox_takes_the_trace() -> None:
    trace = workload().to_trace("2d")
    replay, counted = Replay(trace, span="2d"), Workload.from_trace(trace, span="2d")
    assert replay.extent == GIB // BLOCK
    for a, b in ((0.0, 3600.0), (3600.0, 90_000.0)):
        assert len(replay.between(a, b)) == counted.changed_between(a, b)
