"""Blackout days: what they are, and what they do to the occurrences they hold."""

import pickle
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit.errors import StrategyError
from snapkit.strategy import Ledger, Retention, Schedule, Strategy, Tier, Window
from snapkit.strategy.blackout import Blackout
from tests.snapshots import START, Plain, at

GMT = ZoneInfo("UTC")
HOLIDAYS = ["2026-12-24/2026-12-26"]


def fired(schedule: Schedule, a: str, b: str) -> list[str]:
    moments = schedule.between(datetime.fromisoformat(f"{a}+00:00"), datetime.fromisoformat(f"{b}+00:00"))
    return [moment.strftime("%m-%d %H:%M") for moment in moments]


def test_days_in_a_row_become_one_span_whatever_their_order_and_form() -> None:
    mixed: list[date | str] = ["2026-12-26", date(2026, 12, 24), "2027-01-01", "2026-12-24/2026-12-25"]
    assert Blackout(mixed, GMT).days == ("2026-12-24/2026-12-26", "2027-01-01")
    assert str(Blackout(mixed, GMT)) == "2026-12-24 to 2026-12-26, 2027-01-01"


def test_what_falls_on_blackout_days_comes_once_when_they_are_over() -> None:
    schedule = Schedule("every 6h", blackout=HOLIDAYS)
    assert fired(schedule, "2026-12-23T12:00", "2026-12-27T06:00") == ["12-23 18:00", "12-27 00:00", "12-27 06:00"]


def test_the_days_are_those_of_the_zone_of_the_schedule() -> None:
    schedule = Schedule("every 6h", "Asia/Tokyo", blackout=["2026-12-24"])
    # Tokyo is nine hours ahead: its 24 December lasts from 15:00 to 15:00 in UTC.
    assert fired(schedule, "2026-12-23T08:00", "2026-12-24T22:00") == ["12-23 09:00", "12-24 15:00", "12-24 21:00"]


def test_a_window_that_opens_on_a_blackout_day_is_open_once_that_is_over() -> None:
    schedule = Schedule("every 2h", window=Window(["wed", "thu"], "22:00", "04:00"), blackout=["2026-12-24"])
    # Wednesday's night is cut at midnight, Thursday's begins there.
    assert fired(schedule, "2026-12-23T12:00", "2026-12-30T12:00") == ["12-23 22:00", "12-25 00:00", "12-25 02:00"]


def test_what_waits_for_the_end_of_the_blackout_waits_for_the_window_too() -> None:
    schedule = Schedule("every 1d at 05:00", window=Window(), blackout=HOLIDAYS)
    assert fired(schedule, "2026-12-23T00:00", "2026-12-28T12:00") == ["12-23 05:00", "12-27 04:00", "12-27 05:00",
                                                                       "12-28 05:00"]  # fmt: skip


def test_the_latest_before_a_blackout_stays_the_latest_throughout() -> None:
    schedule = Schedule("every 1d", blackout=HOLIDAYS)
    noon = datetime(2026, 12, 26, 12, tzinfo=UTC)
    assert schedule.latest(noon) == datetime(2026, 12, 23, tzinfo=UTC)
    assert schedule.next_after(noon) == datetime(2026, 12, 27, tzinfo=UTC)
    assert schedule.next_opening(noon.timestamp()) == datetime(2026, 12, 27, tzinfo=UTC).timestamp()


def test_days_that_a_zone_leaves_out_between_two_blackout_days_open_nothing() -> None:
    # Samoa went from 29 December 2011 to the 31st.
    schedule = Schedule("every 6h", "Pacific/Apia", blackout=["2011-12-29", "2011-12-31"])
    apia = ZoneInfo("Pacific/Apia")
    moments = schedule.between(datetime(2011, 12, 28, 12, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC))
    assert {moment.astimezone(apia).day for moment in moments} == {28, 1}


def test_an_overdue_snapshot_and_a_retry_wait_for_the_end_of_the_blackout() -> None:
    schedule = Schedule("every 1h", blackout=["2026-01-06"])
    strategy = Strategy("held", [Tier(schedule, Retention(last=3), "hourly")])
    none: list[Plain] = []
    first = strategy.decide(none, START + timedelta(hours=30))
    assert (first.take, first.next_due) == (None, START + timedelta(hours=48))
    failed = [at(23, tiers=["hourly"], state="error")]
    again = strategy.decide(failed, START + timedelta(hours=24))
    assert (again.take, again.next_due) == (None, START + timedelta(hours=48))
    lane = Ledger(strategy, START.timestamp()).lanes["hourly"]
    assert not lane.unhindered


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["every 1h", "every 5h", "cron(0/40 1-4 * * ? *)", "every 1d at 02:30"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    st.none() | st.builds(Window, st.sampled_from([None, ["fri", "sun"]]), st.just("04:00"), st.just("09:00")),
    st.lists(st.integers(0, 9), max_size=4),
)
def test_a_walk_over_every_ten_minutes_meets_the_same_occurrences(
    text: str, timezone: str, window: Window | None, days: list[int]
) -> None:
    """Around the end of daylight saving in Berlin, and a week before it in New York."""
    zone, first = ZoneInfo(timezone), date(2026, 10, 21)
    blackout = {first + timedelta(days=day) for day in days}
    schedule = Schedule(text, timezone, window=window, blackout=sorted(blackout))
    begin, end = datetime(2026, 10, 10, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
    due = {moment.timestamp() for moment in Schedule(text, timezone).between(begin, end)}
    expected, waiting = [], False
    for epoch in range(int(begin.timestamp()), int(end.timestamp()), 600):
        waiting = waiting or epoch in due
        day = datetime.fromtimestamp(epoch, zone).date()
        if waiting and day not in blackout and (window is None or window.contains(epoch, zone)):
            expected.append(epoch)
            waiting = False
    # What was due before the walk began may wait as well: only what comes well after that is compared.
    settled = datetime(2026, 10, 20, tzinfo=UTC)
    found = schedule.between(settled, end - timedelta(seconds=1))
    assert [each.timestamp() for each in found] == [each for each in expected if each > settled.timestamp()]


def test_a_schedule_with_blackout_days_is_a_value() -> None:
    schedule = Schedule("every 1d at 03:00", "Europe/Berlin", blackout=["2026-12-24", "2026-12-25", "2027-01-01"])
    assert repr(schedule) == (
        "Schedule('every 1d at 03:00', timezone='Europe/Berlin', blackout=['2026-12-24/2026-12-25', '2027-01-01'])"
    )
    assert eval(repr(schedule)) == schedule  # noqa: S307 - our own text
    assert pickle.loads(pickle.dumps(schedule)) == schedule  # noqa: S301 - our own bytes
    assert schedule != Schedule("every 1d at 03:00", "Europe/Berlin")
    assert schedule.describe() == ("every day at 03:00, held over 2026-12-24 to 2026-12-25, 2027-01-01 (Europe/Berlin)")
    assert schedule.held
    assert not Schedule("every 1d at 03:00", "Europe/Berlin").held


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ("2026-12-24", r"blackout '2026-12-24' is no list of days; list them"),
        (5, "blackout 5 is no list of days"),
        (["xmas"], r"blackout 'xmas' is no day; write dates as in '2026-12-24'"),
        ([5], "blackout 5 is no day"),
        (["2026-12-24/"], "blackout '2026-12-24/' is no day"),
        ([datetime(2026, 12, 24, 3, tzinfo=UTC)], "is no day"),
        (["2026-12-26/2026-12-24"], "ends before it begins"),
        (["2200-01-01"], "lies outside the years 1900 to 2199"),
    ],
)
def test_what_is_no_blackout_is_refused(days: list[str], message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        Schedule("every 1h", blackout=days)
