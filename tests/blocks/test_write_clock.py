"""The write clock: sessions, jobs, regimes, and paths that do not depend on what was asked before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit.blocks.classes import Classes
from snapkit.blocks.exact import TraceIndex
from snapkit.blocks.jobs import find_jobs
from snapkit.blocks.write_clock import Job, Path, Sessions, WriteClock, of_jobs
from snapkit.units import DAY, HOUR

SESSIONS = Sessions(6.0, 8.0, 3000.0, 5.0, 0.6, 0.5, 500.0)
QUIET = Sessions(0.5, 3.0, 600.0, 5.0, 0.6, 0.5, 500.0)
CLOCK = WriteClock((), (SESSIONS, QUIET), (1, 1, 0, 0, 0, 0, 0), midnight=5 * HOUR, steady=0.0)
CLASSES = Classes(((0.5, 0.6), (0.4, 30.0)), ((0.08, 200.0),), 0.02, 1000)

moments = st.lists(st.floats(0, 40 * DAY), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(moments)
def test_a_path_does_not_depend_on_what_was_asked_before(asked: list[float]) -> None:
    one, other = Path(CLOCK, (3, 1, 4)), Path(CLOCK, (3, 1, 4))
    answers = [one.between(0.0, each) for each in asked]
    assert list(other.writes(np.array(asked)) - other.writes(np.zeros(1))) == answers
    assert [other.between(0.0, each) for each in reversed(asked)] == answers[::-1]


def test_paths_of_other_keys_differ() -> None:
    keys = [(seed, 1, replication) for seed in range(3) for replication in range(3)]
    assert len({Path(CLOCK, key).between(0.0, 90.0 * DAY) for key in keys}) == 9


def test_a_path_has_the_writes_of_its_sessions() -> None:
    days = 7 * 300
    times, sizes = CLOCK.draw(np.arange(days), np.random.default_rng(1))
    assert times.min() >= -CLOCK.midnight
    regime = np.array(CLOCK.week)[((times + CLOCK.midnight) // DAY).astype(int) % 7]
    # Bursts that run past midnight count for the day after; both kinds have their own level all the same.
    per_day = [np.count_nonzero(regime == kind) / (days * CLOCK.week.count(kind) / 7) for kind in (0, 1)]
    # The standard error of a day's bursts, 8 sqrt(2 * 6), over 1500 days is 0.7; six of them.
    assert per_day[0] == pytest.approx(48, abs=4)
    assert per_day[1] == pytest.approx(1.5, abs=1.5)
    assert sizes.min() >= 1
    assert np.array_equal(sizes, np.rint(sizes))


def test_bursts_are_what_the_path_adds_up() -> None:
    path = Path(CLOCK, (0, 0, 0))
    times, sizes = path.bursts(3.0 * DAY)
    assert (np.diff(times) >= 0).all()
    assert sizes.sum() == path.between(0.0, 3.0 * DAY)
    middle = float(times[len(times) // 2])
    assert path.between(0.0, middle) == sizes[times <= middle].sum()


def test_working_hours_hold_all_beginnings() -> None:
    sessions = Sessions(20.0, 1.0, 1.0, 1.0, 0.1, 0.1, 10.0, hours=(8.0 * HOUR, 10.0 * HOUR))
    times, _ = WriteClock((), (sessions,), (0,)).draw(np.arange(50), np.random.default_rng(2))
    assert (times % DAY >= 8 * HOUR).all()
    assert (times % DAY < 18 * HOUR).all()


def test_a_steady_stream_is_never_ending() -> None:
    still = Sessions(0.0, 1.0, 1.0, 1.0, 0.1, 0.1, 1.0)
    path = Path(WriteClock((), (still,), (0,), steady=0.25), (0,))
    assert path.between(100.0, 180.0) == 20.0
    assert path.writes(np.array([400.0 * DAY]))[0] == 0.25 * 400 * DAY


def test_jobs_count_in_windows_that_they_begin_in() -> None:
    job = Job(every=600.0, phase=100.0, writes=3.0, blocks=2.0)
    starts, ends = np.array([0.0, 100.0, 99.0, 0.0]), np.array([99.0, 699.0, 100.0, 1300.0])
    assert list(job.runs(starts, ends)) == [0, 0, 1, 3]
    assert list(of_jobs([job, job], starts, ends)) == [0, 0, 4, 4]


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_classes_never_shrink_and_never_exceed_their_parts(some: float, more: float) -> None:
    whole, parts = CLASSES(some + more), (CLASSES(some), CLASSES(more))
    assert max(parts) <= whole * (1 + 1e-12)
    assert whole <= sum(parts) * (1 + 1e-12)


def test_classes_follow_their_formula() -> None:
    n = 100.0
    random = 0.6 * -np.expm1(-n * 0.5 / 0.6) + 30 * -np.expm1(-n * 0.4 / 30)
    assert CLASSES(n) == pytest.approx(random + 8 + 2, rel=1e-12)
    assert CLASSES(0.0) == 0
    assert CLASSES(1e9) == 1000
    assert CLASSES(1e-6) / 1e-6 == pytest.approx(1, rel=1e-5)
    assert CLASSES.blocks == pytest.approx(230.6)


def test_classes_are_found_again() -> None:
    truth = Classes(((0.7, 40.0), (0.3, 400.0)), (), 0.0, 1000)
    counts = np.unique(np.rint(np.geomspace(1, 20_000, 30)))
    counted = [(np.array([n]), np.ones(1), float(truth(n)), 20.0) for n in counts]
    found = Classes.fit(counted, 1000)
    assert found.of(counts) == pytest.approx(truth.of(counts), rel=0.01)
    assert sum(share for share, _ in (*found.random, *found.sweeps)) + found.ramp == pytest.approx(1)


def test_a_sweep_is_told_from_chance() -> None:
    counts = np.unique(np.rint(np.geomspace(1, 20_000, 40)))
    counted = [(np.array([n]), np.ones(1), float(min(n, 3000.0)), 20.0) for n in counts]
    found = Classes.fit(counted, 10_000)
    assert found.of(counts) == pytest.approx(np.minimum(counts, 3000), rel=0.1)
    assert found.sweeps


def test_without_windows_every_write_hits_a_block_of_its_own() -> None:
    assert Classes.fit([], 50)(20) == pytest.approx(20, rel=0.6)
    assert Classes.fit([], 50)(1e9) <= 50


def indexed(times: list[float], blocks: list[int], span: float) -> TraceIndex:
    order = np.argsort(times, kind="stable")
    stamps = np.rint(np.array(times)[order] * 1e6).astype(np.int64)
    return TraceIndex(stamps, np.array(blocks, np.int64)[order], round(span * 1e6))


def test_periodic_jobs_are_found_among_sessions() -> None:
    random = np.random.default_rng(5)
    jobs = [(30.0 + 1800 * k + float(random.uniform(0, 2)), block) for k in range(192) for block in (7, 8)]
    nightly = [(19 * HOUR + DAY * day + second, 100 + second) for day in range(4) for second in range(40)]
    noise = [(float(t), int(random.integers(1000))) for t in random.uniform(34 * HOUR, 40 * HOUR, 500)]
    times, blocks = (list(column) for column in zip(*[*jobs, *nightly, *noise], strict=True))
    found, rest = find_jobs(indexed(times, blocks, 4.0 * DAY), [(0.0, 4.0 * DAY)])
    assert [(job.every, job.writes, job.blocks) for job in found] == [(1800, 2, 2), (DAY, 40, 40)]
    assert abs(found[0].phase - 31) < 1.5
    assert len(rest) == pytest.approx(500, abs=30)


def test_a_nightly_job_is_found_though_no_day_was_seen_from_end_to_end() -> None:
    random = np.random.default_rng(8)
    nightly = [(3 * HOUR + DAY * day + second, 100 + second) for day in range(6) for second in range(40)]
    noise = [(float(t), int(random.integers(1000))) for t in random.uniform(0, 6 * DAY, 300)]
    times, blocks = (list(column) for column in zip(*[*nightly, *noise], strict=True))
    seen = [(4.0 * HOUR * piece, 4.0 * HOUR * (piece + 1)) for piece in range(36) if (piece + piece // 6) % 3]
    found, _ = find_jobs(indexed(times, blocks, 6.0 * DAY), seen)
    assert [(job.every, job.writes, job.blocks) for job in found] == [(DAY, 40, 40)]
    assert abs(found[0].phase - 3 * HOUR - 20) < 2
    # Two nights are too few.
    assert find_jobs(indexed(times, blocks, 6.0 * DAY), seen[:6])[0] == []


def test_chance_makes_no_job() -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        for count in (30, 3000, 100_000):
            times = random.uniform(0, 2 * DAY, count).tolist()
            blocks = random.integers(0, 500, count).tolist()
            assert find_jobs(indexed(times, blocks, 2.0 * DAY), [(0.0, 2.0 * DAY)])[0] == []


def test_what_hits_other_blocks_each_time_is_no_job() -> None:
    times = [7.0 + 600 * k for k in range(576)]
    found, rest = find_jobs(indexed(times, [k % 50 for k in range(576)], 4.0 * DAY), [(0.0, 4.0 * DAY)])
    assert found == []
    assert len(rest) == 576
