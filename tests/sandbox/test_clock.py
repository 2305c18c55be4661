"""Simulated time: what happens when, whoever looks."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit import InvalidRequest, Sandbox
from snapkit.sandbox.clock import SimulatedClock

START = datetime(2026, 1, 5, tzinfo=UTC)


class Outside:
    """The time of the world outside, which a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    outside = Outside()
    monkeypatch.setattr(time, "monotonic", outside.monotonic)
    monkeypatch.setattr(time, "sleep", outside.sleep)
    return outside


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(START)


def note(clock: SimulatedClock, log: list[tuple[object, float]], name: object) -> Callable[[], None]:
    return lambda: log.append((name, clock.seconds()))


def test_it_stands_until_it_is_moved(clock: SimulatedClock, outside: Outside) -> None:
    outside.now += 3600
    assert clock.now() == START
    assert clock.advance("90min") == clock.now() == START + timedelta(minutes=90)
    assert clock.seconds() == 5400
    assert clock.advance(timedelta(days=1)) == START + timedelta(days=1, minutes=90)
    assert clock.advance(0) == START + timedelta(days=1, minutes=90)


def test_what_is_due_at_the_very_moment_happens(clock: SimulatedClock) -> None:
    log: list[tuple[object, float]] = []
    clock.after(60, note(clock, log, "due"))
    clock.after(60.001, note(clock, log, "later"))
    clock.advance(59.999)
    assert log == []
    clock.advance(0.001)
    assert log == [("due", 60)]
    clock.advance_to(START + timedelta(seconds=60, milliseconds=1))
    assert log == [("due", 60), ("later", 60.001)]


def test_things_happen_in_order_of_time_and_then_of_asking(clock: SimulatedClock) -> None:
    log: list[tuple[object, float]] = []
    for name, due in (("c", 30), ("a", 10), ("b", 20), ("d", 30), ("e", 30)):
        clock.after(due, note(clock, log, name))
    clock.advance(100)
    assert log == [("a", 10), ("b", 20), ("c", 30), ("d", 30), ("e", 30)]
    assert clock.seconds() == 100


def test_what_happens_may_lead_to_more_within_the_same_move(clock: SimulatedClock) -> None:
    log: list[tuple[object, float]] = []

    def daily() -> None:
        log.append(("daily", clock.seconds()))
        clock.after(86400, daily)

    clock.after(86400, daily)
    clock.after(86400 * 1.5, lambda: clock.after(0, note(clock, log, "at once")))
    clock.advance("3d")
    assert log == [("daily", 86400), ("at once", 129600), ("daily", 172800), ("daily", 259200)]


def test_at_takes_a_moment_and_a_past_one_happens_at_the_next_move(clock: SimulatedClock) -> None:
    log: list[tuple[object, float]] = []
    clock.advance(100)
    clock.at(START + timedelta(seconds=150), note(clock, log, "coming"))
    clock.at(START, note(clock, log, "past"))
    assert log == []
    clock.advance(0)
    assert log == [("past", 100)]
    clock.advance(50)
    assert log == [("past", 100), ("coming", 150)]


def test_when_something_goes_wrong_the_clock_can_go_on(clock: SimulatedClock) -> None:
    log: list[tuple[object, float]] = []

    def fail() -> None:
        raise RuntimeError("broken")

    clock.after(10, fail)
    clock.after(20, note(clock, log, "next"))
    with pytest.raises(RuntimeError, match="broken"):
        clock.advance(100)
    clock.live(1)
    clock.pause()
    clock.advance(100)
    assert log == [("next", 20)]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=20))
def test_many_small_moves_are_one_large_one(milliseconds: list[int]) -> None:
    clock = SimulatedClock(START)
    for each in milliseconds:
        clock.advance(each / 1000)
    assert clock.now() == START + timedelta(milliseconds=sum(milliseconds))


@given(st.lists(st.floats(0, 1e6), max_size=20), st.lists(st.floats(0, 1e5), max_size=20))
def test_what_happens_does_not_depend_on_how_often_somebody_looks(dues: list[float], looks: list[float]) -> None:
    logs = []
    for moves in ([sum(looks)], looks):
        clock, log = SimulatedClock(START), list[tuple[object, float]]()
        for number, due in enumerate(dues):
            clock.after(due, note(clock, log, number))
        for move in moves:
            clock.advance(move)
        clock.advance_to(START + timedelta(days=30))
        logs.append(log)
    assert logs[0] == logs[1]


@pytest.mark.parametrize("duration", [-1, "soon", None, True, float("nan"), float("inf"), "-1h", timedelta(-1), [1]])
def test_what_is_no_duration_is_refused(clock: SimulatedClock, duration: Any) -> None:
    for move in (clock.advance, clock.sleep):
        with pytest.raises(InvalidRequest, match="duration"):
            move(duration)
    assert clock.now() == START


def test_time_ends_with_the_year_9999(clock: SimulatedClock, outside: Outside) -> None:
    with pytest.raises(InvalidRequest, match="9999"):
        clock.advance("3000000d")
    assert clock.now() == START
    clock.live(1e15)
    outside.now += 1e6
    assert clock.now().year == 9999


def test_advance_to_takes_moments_of_any_zone_but_no_past_ones(clock: SimulatedClock) -> None:
    moment = datetime(2026, 1, 5, 8, tzinfo=timezone(timedelta(hours=2)))
    assert clock.advance_to(moment) == moment
    assert clock.advance_to(moment) == moment
    with pytest.raises(InvalidRequest, match="is past"):
        clock.advance_to(START)
    for timeless in (datetime(2026, 2, 1), "2026-02-01", None):  # noqa: DTZ001 - the point
        with pytest.raises(InvalidRequest, match="is no time in a zone"):
            clock.advance_to(timeless)  # type: ignore[arg-type]


def test_it_runs_by_itself_at_a_speed_until_it_is_paused(clock: SimulatedClock, outside: Outside) -> None:
    clock.live(600)
    assert clock.speed == 600
    outside.now += 2
    assert clock.seconds() == 1200
    clock.live(60)
    outside.now += 10
    assert clock.seconds() == 1800
    clock.advance("1h")
    assert clock.seconds() == 5400
    outside.now += 1
    assert clock.seconds() == 5460
    clock.pause()
    assert clock.speed == 0
    outside.now += 1000
    assert clock.seconds() == 5460
    clock.live()
    outside.now += 1.5
    assert clock.seconds() == 5461.5


def test_what_happens_while_nobody_looks_sees_its_own_moment(clock: SimulatedClock, outside: Outside) -> None:
    log: list[tuple[object, float]] = []
    clock.after(10, note(clock, log, "a"))
    clock.after(20, lambda: clock.after(5, note(clock, log, "b")))
    clock.live(100)
    outside.now += 3600
    assert log == []
    assert clock.seconds() == 360_000
    assert log == [("a", 10), ("b", 25)]


def test_a_snapshot_that_completes_while_nobody_looks_says_when(outside: Outside) -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    taken = ec2.create_snapshot(VolumeId=ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"])
    sandbox.clock.live(600)
    outside.now += 3600
    shown = ec2.describe_snapshots(SnapshotIds=[taken["SnapshotId"]])["Snapshots"][0]
    assert (shown["CompletionTime"] - taken["StartTime"]).total_seconds() == 180


def test_a_snapshot_is_complete_at_its_completion_time_and_not_a_millisecond_before() -> None:
    for blocks in range(1, 40):
        sandbox = Sandbox()
        ec2 = sandbox.client("ec2")
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        sandbox.write(volume, 0, blocks)
        taken = ec2.create_snapshot(VolumeId=volume)
        done = taken["StartTime"] + timedelta(milliseconds=round(1000 * (180 + blocks * 2**19 / 43.6e6)))
        states = []
        for moment in (done - timedelta(milliseconds=1), done):
            sandbox.clock.advance_to(moment)
            states.append(ec2.describe_snapshots()["Snapshots"][0])
        assert [each["State"] for each in states] == ["pending", "completed"]
        assert states[1]["CompletionTime"] == done


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), "600", None, True])
def test_what_is_no_speed_is_refused(clock: SimulatedClock, speed: Any) -> None:
    with pytest.raises(InvalidRequest, match="speed"):
        clock.live(speed)
    assert clock.speed == 0


def test_a_clock_too_fast_for_the_calendar_stays_at_its_end(clock: SimulatedClock, outside: Outside) -> None:
    clock.live(1e308)
    outside.now += 1000
    assert clock.now().isoformat() == "9999-12-31T23:59:59.999000+00:00"
    clock.pause()


def test_sleep_moves_a_standing_clock_and_waits_for_a_running_one(clock: SimulatedClock, outside: Outside) -> None:
    clock.sleep("1h")
    assert clock.seconds() == 3600
    assert sum(outside.slept) == 0
    clock.live(60)
    clock.sleep("1h")
    assert outside.slept[-1] == 60
    assert clock.seconds() == 7200
    clock.sleep(0)
    assert clock.seconds() == 7200


def test_asleep_leaves_the_event_loop_free(clock: SimulatedClock) -> None:
    async def story() -> list[str]:
        log = []

        async def other() -> None:
            log.append("other")

        task = asyncio.create_task(other())
        await clock.asleep("1h")
        log.append("slept")
        await task
        clock.live(36_000)
        await clock.asleep("30min")
        return log

    assert asyncio.run(story()) == ["other", "slept"]
    assert clock.seconds() >= 5400


def test_threads_may_move_it_and_ask_it_at_once(clock: SimulatedClock) -> None:
    log: list[int] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(200):
                clock.after(1, lambda: log.append(1))
                before = clock.now()
                assert clock.advance(1) >= before + timedelta(seconds=1)
                clock.sleep(0.5)
        except BaseException as failure:  # noqa: BLE001 - a thread's failure must not pass unseen
            failures.append(failure)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert clock.seconds() == 8 * 200 * 1.5
    assert len(log) == 1600


def test_its_repr_tells_time_and_pace(clock: SimulatedClock) -> None:
    assert repr(clock) == "<SimulatedClock 2026-01-05 00:00:00 UTC, standing>"
    clock.live(600)
    assert repr(clock).endswith("x600>")


def test_it_satisfies_the_seam(clock: SimulatedClock) -> None:
    from snapkit.clock import Clock

    seam: Clock = clock
    assert seam.now() == START
