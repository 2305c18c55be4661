"""What must hold between the answers of any schedule, whatever its text, zone, window and blackout days."""

import itertools
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from snapkit.strategy.schedule import Schedule
from snapkit.strategy.window import Window
from tests.strategy.test_schedule import utc

TEXTS = st.sampled_from(
    [
        *("every 15min", "every 1h", "every 7h", "rate(1 day)", "every 1d at 02:30", "every 3d at 00:00", "every week"),
        *("cron(0 * * * ? *)", "cron(0/20 1-3 * * ? *)", "cron(30 2 * * ? *)", "cron(0 0 L * ? *)"),
        *("cron(0 12 ? * MON-FRI *)", "cron(59 23 29 2 ? *)", "cron(15 3 1W 3/2 ? 2018-2026/4)"),
    ]
)
ZONES = st.sampled_from(
    [
        *("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"),
        *("Asia/Kathmandu", "Pacific/Apia"),
    ]
)
WINDOWS = st.none() | st.builds(
    Window,
    st.none() | st.lists(st.sampled_from(["mon", "wed", "fri", "sat", "sun"]), min_size=1),
    st.sampled_from(["00:00", "02:30", "04:00", "22:00"]),
    st.sampled_from(["01:30", "02:45", "06:00", "24:00"]),
)
DAYS = ["2011-12-29", "2011-12-30/2011-12-31", "2018-11-04", "2026-03-28/2026-03-30", "2026-10-25", "2026-10-27"]
BLACKOUTS = st.lists(st.sampled_from(DAYS), max_size=4)
SCHEDULES = st.builds(Schedule, TEXTS, ZONES, st.none(), WINDOWS, BLACKOUTS)
CHANGES = [utc(day) for day in ("2011-12-30T10:00", "2018-11-04T03:00", "2026-03-29T01:00", "2026-10-25T01:00")]
MOMENTS = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes), st.sampled_from(CHANGES), st.integers(-6000, 6000)
)


@given(SCHEDULES, MOMENTS)
def test_the_next_is_the_latest_at_its_own_moment_and_not_before(schedule: Schedule, t: datetime) -> None:
    upcoming = schedule.next_after(t)
    if upcoming is not None:
        assert upcoming > t
        assert schedule.latest(upcoming) == upcoming
        assert schedule.latest(upcoming - timedelta(seconds=1)) == schedule.latest(t)


@given(SCHEDULES, MOMENTS, st.integers(0, 4000), st.integers(0, 4000))
def test_neighbouring_spans_share_nothing_and_miss_nothing(
    schedule: Schedule, a: datetime, first: int, second: int
) -> None:
    b, c = a + timedelta(minutes=first), a + timedelta(minutes=first + second)
    whole = schedule.between(a, c)
    assert whole == schedule.between(a, b) + schedule.between(b, c)
    assert whole == sorted(set(whole))


@given(SCHEDULES, MOMENTS)
def test_between_walks_from_next_to_next_and_latest_back(schedule: Schedule, a: datetime) -> None:
    found = schedule.between(a, a + timedelta(days=3))
    moment = a
    for expected in found:
        moment = schedule.next_after(moment) or moment
        assert moment == expected
    for expected in reversed(found):
        assert schedule.latest(moment) == expected
        moment = expected - timedelta(seconds=1)


@given(SCHEDULES, MOMENTS)
def test_a_held_schedule_fires_where_its_own_occurrences_are_let_in(schedule: Schedule, t: datetime) -> None:
    free = Schedule(schedule.text, schedule.timezone)
    span = (t - timedelta(days=16), t + timedelta(days=3))
    let_in = {schedule.next_opening(moment.timestamp()) for moment in free.between(*span)}
    expected = sorted(epoch for epoch in let_in if t.timestamp() < epoch <= span[1].timestamp())
    assert [moment.timestamp() for moment in schedule.between(t, span[1])] == expected


def test_an_elapsed_day_held_to_a_window_keeps_up_for_years() -> None:
    schedule = Schedule("rate(1 day)", "Europe/Berlin", window=Window())
    first, *_, last = itertools.islice(schedule.epochs(utc("2026-01-01T00:00").timestamp()), 3650)
    assert round((last - first) / 86400) == 3649
