"""Block-level writes of a fitted workload: the circle from a trace to a fit to a trace closes."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from snapkit.blocks import Workload
from snapkit.blocks.classes import Classes
from snapkit.blocks.fitted import FittedWorkload
from snapkit.blocks.generation import EXTENT, Layout
from snapkit.blocks.write_clock import Job, Sessions, WriteClock, WriteModel
from snapkit.errors import InvalidRequest
from snapkit.sandbox.writes import Replay
from snapkit.units import DAY, GIB, HOUR, MINUTE

BLOCK = 524288
CLASSES = Classes(((0.5, 3.0), (0.3, 60.0), (0.1, 200.0)), ((0.05, 100.0),), 0.05, 2048.0)
JOBS = (Job(1800.0, 60.0, 5.0, 2.0),)


@cache
def workload(
    following: float = 0.3, steady: float = 0.01, classes: Classes = CLASSES, size: int = GIB
) -> FittedWorkload:
    sessions = Sessions(8.0, 12.0, 2400.0, 8.0, 0.7, 0.5, 400.0)
    clock = WriteClock(JOBS, (sessions,), (0,), 0.0, steady)
    model = WriteModel(clock, classes, ("every day",), following, 4096.0)
    return FittedWorkload(
        model, name="made", source="a test", span=4.0 * DAY, size=size, block_size=BLOCK, assumptions=()
    )


def lengths_of_runs(blocks: np.ndarray) -> np.ndarray:
    """Measure how many neighbours stand together among distinct, sorted blocks."""
    return np.diff(np.concatenate([[0], np.flatnonzero(np.diff(blocks) != 1) + 1, [len(blocks)]]))


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


@pytest.mark.parametrize("following", [0.0, 0.5, 0.9])
def test_writes_follow_each_other_as_often_as_they_should(following: float) -> None:
    layout = Layout.of(Classes(((1.0, 1800.0),), (), 0.0, 2048.0), (), following)
    bursts = np.arange(50.0), np.full(50, 1000.0)
    trace = layout.trace(bursts, 60.0, BLOCK, GIB, np.random.default_rng(1)).iloc[:-1]
    first, length = trace["off"].to_numpy() // BLOCK, trace["len"].to_numpy() // BLOCK
    on = (length - 1).sum() + np.count_nonzero(first[1:] == (first + length)[:-1])
    # Of 50,000 writes in runs of ten or fewer; 0.02 is four standard errors or more.
    assert on / length.sum() == pytest.approx(following, abs=0.02)


@pytest.mark.parametrize("following", [0.0, 0.5])
def test_blocks_of_a_class_lie_in_extents_all_over_the_volume(following: float) -> None:
    layout = Layout.of(Classes(((1.0, 2000.0),), (), 0.0, 100_000.0), (), following)
    _, blocks, lengths = layout._on_volume(*(np.array([each]) for each in (0, 0, 2000)))
    written = np.sort(np.concatenate([np.arange(a, a + n) for a, n in zip(blocks, lengths, strict=True)]))
    assert len(set(written)) == 2000
    assert written.max() < 100_000
    assert lengths_of_runs(written).mean() == pytest.approx(EXTENT / (1 - following), rel=0.15)
    assert np.diff(written).max() < 2000


def test_blocks_stay_on_the_volume_and_jobs_on_theirs() -> None:
    size = GIB - 100_000
    trace = workload(size=size).to_trace("7d")
    assert (trace["off"] + trace["len"]).max() == size
    assert trace["len"].min() > 0
    assert trace["t_us"].is_monotonic_increasing
    assert trace["t_us"].iloc[-1] == 7 * DAY * 10**6
    assert trace["op"].iloc[-1] == "R"
    due = trace[(trace["t_us"] % (1800 * 10**6) == 60 * 10**6) & (trace["op"] == "W")]
    assert len(due) == 7 * 48 * 3
    assert len(set(due["off"])) == 1
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


def test_jobs_that_have_more_blocks_than_the_volume_stay_on_it() -> None:
    jobs = tuple(Job(1800.0, phase, 60.0, 60.0) for phase in (60.0, 120.0))
    layout = Layout.of(Classes(((1.0, 3.0),), (), 0.0, 64.0), jobs, 0.2)
    trace = layout.trace((np.arange(9.0), np.full(9, 5.0)), 3600.0, BLOCK, 64 * BLOCK, np.random.default_rng(1))
    assert (trace["off"] + trace["len"]).max() == 64 * BLOCK
    assert trace["len"].min() > 0


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
