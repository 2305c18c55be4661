"""Windows: when they are open, and what they do to the occurrences they hold."""

import pickle
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import StrategyError
from snapkit.strategy.schedule import Schedule
from snapkit.strategy.window import Window

BERLIN = ZoneInfo("Europe/Berlin")
GMT = ZoneInfo("UTC")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_window_is_four_to_nine_every_day_unless_said_otherwise() -> None:
    window = Window()
    assert (window.days, window.start, window.end) == (
        ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        "04:00",
        "09:00",
    )


def test_days_are_settled_in_the_order_of_the_week() -> None:
    assert Window(["Sunday", "SAT", "mon", "sun"]).days == ("mon", "sat", "sun")


def test_times_are_settled_to_two_digits() -> None:
    assert Window(start="4:00", end="24:00") == Window(start="04:00", end="24:00")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-01-05T03:59:59+00:00", False),
        ("2026-01-05T04:00:00+00:00", True),
        ("2026-01-05T08:59:59+00:00", True),
        ("2026-01-05T09:00:00+00:00", False),
    ],
)
def test_a_window_is_open_from_its_start_up_to_its_end(moment: str, is_open: bool) -> None:
    assert Window().contains(at(moment), GMT) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-01-09T21:59:59+00:00", False),
        ("2026-01-09T22:00:00+00:00", True),
        ("2026-01-10T05:59:59+00:00", True),
        ("2026-01-10T06:00:00+00:00", False),
        ("2026-01-10T23:00:00+00:00", False),
        ("2026-01-09T05:00:00+00:00", False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_on_which_it_opens(moment: str, is_open: bool) -> None:
    friday_night = Window(["fri"], "22:00", "06:00")
    assert friday_night.contains(at(moment), GMT) is is_open


def test_a_whole_day_is_open_until_the_next_midnight() -> None:
    sunday = Window(["sun"], "00:00", "24:00")
    assert sunday.contains(at("2026-01-04T23:59:59+00:00"), GMT)
    assert not sunday.contains(at("2026-01-05T00:00:00+00:00"), GMT)


def test_next_opening_is_the_moment_itself_while_open() -> None:
    moment = at("2026-01-05T05:00:00+00:00") + 0.25
    assert Window().next_opening(moment, GMT) == moment


def test_next_opening_waits_over_closed_days() -> None:
    weekdays = Window(["mon", "tue", "wed", "thu", "fri"])
    assert weekdays.next_opening(at("2026-01-09T09:00:00+00:00"), GMT) == at("2026-01-12T04:00:00+00:00")


def test_last_open_is_the_second_before_the_closing() -> None:
    assert Window().last_open(int(at("2026-01-05T12:00:00+00:00")), GMT) == at("2026-01-05T08:59:59+00:00")


@pytest.mark.parametrize(
    ("window", "opening", "closing"),
    [
        # 29 March 2026 has no 02:00-03:00 in Berlin, 25 October has it twice.
        (Window(start="02:30", end="05:00"), "2026-03-29T01:30:00+00:00", "2026-03-29T03:00:00+00:00"),
        (Window(start="02:10", end="02:50"), "2026-03-29T01:10:00+00:00", "2026-03-29T01:50:00+00:00"),
        (Window(start="01:00", end="02:30"), "2026-03-29T00:00:00+00:00", "2026-03-29T01:30:00+00:00"),
        (Window(start="22:00", end="06:00"), "2026-03-28T21:00:00+00:00", "2026-03-29T04:00:00+00:00"),
        (Window(start="02:30", end="03:30"), "2026-10-25T00:30:00+00:00", "2026-10-25T02:30:00+00:00"),
        (Window(start="01:00", end="02:30"), "2026-10-24T23:00:00+00:00", "2026-10-25T00:30:00+00:00"),
        (Window(start="22:00", end="06:00"), "2026-10-24T20:00:00+00:00", "2026-10-25T05:00:00+00:00"),
    ],
)
def test_a_window_opens_and_closes_by_the_wall_when_clocks_change(window: Window, opening: str, closing: str) -> None:
    spells = window.spells(at(opening), BERLIN)
    assert next(spells) == (at(opening), at(closing))


def test_a_window_that_a_change_of_the_clock_leaves_nothing_stays_shut_that_day() -> None:
    window = Window(start="02:30", end="03:10")
    assert window.next_opening(at("2026-03-29T00:00:00+00:00"), BERLIN) == at("2026-03-30T00:30:00+00:00")


WINDOWS = st.builds(
    Window,
    st.none() | st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1),
    st.sampled_from(["00:00", "01:30", "02:30", "04:00", "23:30"]),
    st.sampled_from(["00:30", "02:00", "02:45", "06:00", "23:00", "24:00"]),
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"]).map(
    ZoneInfo
)
# Around changes of the clock in these zones: 2011 (Apia skips a day), 2018 and 2026.
MOMENTS = st.one_of(
    *(
        st.integers(int(at(day)) - 3 * 86400, int(at(day)) + 3 * 86400)
        for day in (
            "2011-12-30T12:00+00:00",
            "2018-11-04T03:00+00:00",
            "2026-03-29T01:00+00:00",
            "2026-10-25T01:00+00:00",
        )
    )
)


@given(WINDOWS, ZONES, MOMENTS, MOMENTS)
def test_next_opening_and_last_open_mirror_each_other(window: Window, zone: ZoneInfo, a: int, b: int) -> None:
    assert (window.next_opening(a, zone) <= b) == (a <= window.last_open(b, zone))


@given(WINDOWS, ZONES, MOMENTS)
def test_a_window_is_open_at_its_opening_and_not_a_second_earlier(window: Window, zone: ZoneInfo, moment: int) -> None:
    opening = window.next_opening(moment, zone)
    assert window.contains(opening, zone)
    assert opening == moment or not window.contains(opening - 1, zone)


def held(schedule: Schedule, a: str, b: str) -> list[str]:
    moments = schedule.between(datetime.fromisoformat(a), datetime.fromisoformat(b))
    return [moment.strftime("%d %H:%M") for moment in moments]


def test_hourly_fires_only_while_open() -> None:
    schedule = Schedule("every 1h", window=Window())
    assert held(schedule, "2026-01-05T00:00+00:00", "2026-01-06T04:00+00:00") == [
        *("05 04:00", "05 05:00", "05 06:00", "05 07:00", "05 08:00", "06 04:00"),
    ]


def test_daily_at_midnight_waits_for_the_opening() -> None:
    schedule = Schedule("every day", window=Window())
    assert held(schedule, "2026-01-05T00:00+00:00", "2026-01-07T00:00+00:00") == ["05 04:00", "06 04:00"]


def test_several_that_wait_for_one_opening_become_one() -> None:
    schedule = Schedule("every day at 12:00", window=Window(["mon"]))
    assert held(schedule, "2026-01-05T04:00+00:00", "2026-01-20T00:00+00:00") == ["12 04:00", "19 04:00"]


def test_one_that_already_waits_comes_after_a_moment_in_the_closed_period() -> None:
    schedule = Schedule("cron(0 10 5 1 ? 2026)", window=Window())
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert schedule.latest(noon) is None
    assert schedule.next_after(noon) == datetime(2026, 1, 6, 4, tzinfo=UTC)
    assert schedule.latest(datetime(2026, 1, 6, 4, tzinfo=UTC)) == datetime(2026, 1, 6, 4, tzinfo=UTC)
    assert schedule.next_after(datetime(2026, 1, 6, 4, tzinfo=UTC)) is None


def test_one_at_the_closing_waits_for_the_next_opening() -> None:
    schedule = Schedule("cron(0 9 * * ? *)", window=Window())
    assert held(schedule, "2026-01-05T08:00+00:00", "2026-01-06T08:00+00:00") == ["06 04:00"]


def test_a_night_window_holds_hourly_over_midnight() -> None:
    schedule = Schedule("every 2h", window=Window(["fri"], "22:00", "04:00"))
    assert held(schedule, "2026-01-05T00:00+00:00", "2026-01-16T22:00+00:00") == [
        *("09 22:00", "10 00:00", "10 02:00", "16 22:00"),
    ]


def test_a_held_schedule_follows_the_wall_over_a_change_of_the_clock() -> None:
    schedule = Schedule("every 6h", "Europe/Berlin", window=Window(start="02:30", end="05:00"))
    assert held(schedule, "2026-03-28T12:00+00:00", "2026-03-30T12:00+00:00") == ["29 01:30", "30 00:30"]


def test_the_zone_of_the_schedule_is_that_of_its_window() -> None:
    schedule = Schedule("every 1h", "Asia/Kathmandu", window=Window(start="04:00", end="06:00"))
    # Kathmandu, now 5:45 ahead of UTC, was 5:30 ahead in 1970, from where the hours are counted: one waits for 22:15.
    assert held(schedule, "2026-01-05T00:00+00:00", "2026-01-06T00:30+00:00") == ["05 22:15", "05 22:30", "05 23:30"]


def test_a_schedule_tells_when_its_window_opens() -> None:
    schedule = Schedule("every 1h", "Europe/Berlin", window=Window())
    assert schedule.next_opening(at("2026-01-05T12:00:00+00:00")) == at("2026-01-06T03:00:00+00:00")
    assert schedule.next_opening(at("2026-01-05T07:00:00+00:00")) == at("2026-01-05T07:00:00+00:00")
    assert Schedule("every 1h").next_opening(12.5) == 12.5


@pytest.mark.parametrize(
    ("make", "field", "value"),
    [
        (lambda: Window(["sat", "funday"]), "window days", "funday"),
        (lambda: Window([]), "window days", []),
        (lambda: Window("mon-fri"), "window days", "mon-fri"),
        (lambda: Window(start="24:00"), "window start", "24:00"),
        (lambda: Window(start="4"), "window start", "4"),
        (lambda: Window(start="04:60"), "window start", "04:60"),
        (lambda: Window(end="25:00"), "window end", "25:00"),
        (lambda: Window(start="09:00"), "window end", "09:00"),
    ],
)
def test_what_is_no_window_is_refused_by_name(make: type[Window], field: str, value: object) -> None:
    with pytest.raises(StrategyError) as caught:
        make()
    assert (caught.value.field, caught.value.value) == (field, value)


def test_a_window_is_a_value() -> None:
    window = Window(["sat", "sun"], "22:00", "06:00")
    assert window == Window(("Sunday", "Saturday"), "22:00", "6:00")
    assert hash(window) == hash(pickle.loads(pickle.dumps(window)))  # noqa: S301 - our own bytes
    assert repr(window) == "Window(['sat', 'sun'], start='22:00', end='06:00')"
    assert repr(Window()) == "Window(start='04:00', end='09:00')"


def test_a_window_reads_inside_a_sentence() -> None:
    assert str(Window()) == "04:00-09:00 every day"
    assert str(Window(["sat", "sun"], "22:00", "06:00")) == "22:00-06:00 on Saturday, Sunday"
