"""Schedules: elapsed time, calendar days, changes of the clock, anchors, refusals and what a value object owes."""

import copy
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy.schedule import Schedule
from snapkit.strategy.window import Window


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def fired(schedule: Schedule, a: str, b: str) -> list[str]:
    return [moment.strftime("%m-%d %H:%M") for moment in schedule.between(utc(a), utc(b))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every 6h", ["01-05 06:00", "01-05 12:00"]),
        ("every 6 hours", ["01-05 06:00", "01-05 12:00"]),
        ("every 360 min", ["01-05 06:00", "01-05 12:00"]),
        ("Every 6 H", ["01-05 06:00", "01-05 12:00"]),
        ("rate(6 hours)", ["01-05 06:00", "01-05 12:00"]),
        ("cron(0 0/6 * * ? *)", ["01-05 06:00", "01-05 12:00"]),
        ("every 21600 s", ["01-05 06:00", "01-05 12:00"]),
        ("every day at 3:00", ["01-05 03:00"]),
        ("every 1d at 03:00", ["01-05 03:00"]),
        ("every 7d", []),
        ("every week", []),
    ],
)
def test_forms_mean_what_they_say(text: str, expected: list[str]) -> None:
    assert fired(Schedule(text), "2026-01-05T00:00", "2026-01-05T12:00") == expected


def test_a_span_leaves_out_its_start_and_holds_its_end() -> None:
    schedule = Schedule("every 15min")
    assert fired(schedule, "2026-01-05T00:00", "2026-01-05T00:30") == ["01-05 00:15", "01-05 00:30"]


def test_a_span_that_runs_backwards_is_empty() -> None:
    assert Schedule("every 1h").between(utc("2026-01-06T00:00"), utc("2026-01-05T00:00")) == []


def test_fractions_of_a_second_count_as_later() -> None:
    schedule = Schedule("every 1h")
    just_before = utc("2026-01-05T02:59:59.999999")
    just_after = utc("2026-01-05T03:00:00.000001")
    assert schedule.next_after(just_before) == schedule.latest(just_after) == utc("2026-01-05T03:00")
    assert schedule.latest(just_before) == utc("2026-01-05T02:00")
    assert schedule.next_after(just_after) == utc("2026-01-05T04:00")


def test_weeks_are_counted_from_thursday_the_first_of_1970() -> None:
    assert fired(Schedule("every week at 03:00"), "2026-01-01T00:00", "2026-01-16T00:00") == [
        *("01-01 03:00", "01-08 03:00", "01-15 03:00"),
    ]


def test_moments_may_come_from_any_zone_and_answers_are_in_utc() -> None:
    answer = Schedule("every 1d at 03:00").next_after(datetime.fromisoformat("2026-01-05T05:00:00+02:00"))
    assert answer == utc("2026-01-06T03:00")
    assert answer is not None
    assert answer.tzinfo is UTC


# Expected instants worked out by hand from the published changes of the clock:
# Berlin +1/+2, change at 01:00 UTC; New York -5/-4, change at 02:00 local; Lord Howe +10:30/+11, change at 02:00 local;
# Sao Paulo -3/-2, forward at midnight of 4 November 2018, back at midnight of 18 February 2018; Kathmandu +5:45, none;
# Apia left out 30 December 2011.
CLOCK_CHANGES = [
    ("Europe/Berlin", "cron(30 2 * * ? *)", "2026-03-28T00:00", "2026-03-30T12:00", ["03-28 01:30", "03-30 00:30"]),
    (
        *("Europe/Berlin", "every 1d at 02:30", "2026-03-28T00:00", "2026-03-30T12:00"),
        ["03-28 01:30", "03-29 01:30", "03-30 00:30"],
    ),
    ("Europe/Berlin", "cron(30 2 * * ? *)", "2026-10-24T12:00", "2026-10-26T12:00", ["10-25 00:30", "10-26 01:30"]),
    ("Europe/Berlin", "every 1d at 02:30", "2026-10-24T12:00", "2026-10-26T12:00", ["10-25 00:30", "10-26 01:30"]),
    (
        *("Europe/Berlin", "cron(0 * * * ? *)", "2026-10-24T22:00", "2026-10-25T03:00"),
        ["10-24 23:00", "10-25 00:00", "10-25 02:00", "10-25 03:00"],
    ),
    (
        *("Europe/Berlin", "cron(0 * * * ? *)", "2026-03-28T23:00", "2026-03-29T02:00"),
        ["03-29 00:00", "03-29 01:00", "03-29 02:00"],
    ),
    (
        *("Europe/Berlin", "every 1h", "2026-10-24T22:00", "2026-10-25T02:00"),
        ["10-24 23:00", "10-25 00:00", "10-25 01:00", "10-25 02:00"],
    ),
    # Day 0 in Berlin began at 23:00 UTC: 6 hours from there stay 05, 11, 17 and 23 UTC, 06:00 or 07:00 on the wall.
    (
        *("Europe/Berlin", "every 6h", "2026-03-28T12:00", "2026-03-29T12:00"),
        ["03-28 17:00", "03-28 23:00", "03-29 05:00", "03-29 11:00"],
    ),
    ("Europe/Berlin", "rate(1 day)", "2026-03-27T23:00", "2026-03-30T00:00", ["03-28 23:00", "03-29 23:00"]),
    ("Europe/Berlin", "every day", "2026-03-27T23:00", "2026-03-30T00:00", ["03-28 23:00", "03-29 22:00"]),
    ("America/New_York", "cron(30 2 * * ? *)", "2026-03-08T00:00", "2026-03-09T12:00", ["03-09 06:30"]),
    ("America/New_York", "every 1d at 02:30", "2026-03-08T00:00", "2026-03-09T12:00", ["03-08 07:30", "03-09 06:30"]),
    ("America/New_York", "cron(30 1 * * ? *)", "2026-11-01T00:00", "2026-11-02T12:00", ["11-01 05:30", "11-02 06:30"]),
    (
        *("Australia/Lord_Howe", "cron(15 2 * * ? *)", "2026-10-02T00:00", "2026-10-05T00:00"),
        ["10-02 15:45", "10-04 15:15"],
    ),
    (
        *("Australia/Lord_Howe", "every 1d at 02:15", "2026-10-02T00:00", "2026-10-05T00:00"),
        ["10-02 15:45", "10-03 15:45", "10-04 15:15"],
    ),
    (
        *("Australia/Lord_Howe", "cron(0/15 1 5 4 ? *)", "2026-04-04T00:00", "2026-04-05T00:00"),
        ["04-04 14:00", "04-04 14:15", "04-04 14:30", "04-04 14:45"],
    ),
    (
        *("America/Sao_Paulo", "cron(0 0 * * ? *)", "2018-11-02T12:00", "2018-11-05T12:00"),
        ["11-03 03:00", "11-05 02:00"],
    ),
    (
        *("America/Sao_Paulo", "every day", "2018-11-02T12:00", "2018-11-05T12:00"),
        ["11-03 03:00", "11-04 03:00", "11-05 02:00"],
    ),
    (
        *("America/Sao_Paulo", "cron(30 23 * * ? *)", "2018-02-17T00:00", "2018-02-19T12:00"),
        ["02-17 01:30", "02-18 01:30", "02-19 02:30"],
    ),
    ("Asia/Kathmandu", "every 1d at 03:00", "2026-03-28T00:00", "2026-03-29T23:00", ["03-28 21:15", "03-29 21:15"]),
    (
        "Pacific/Apia",
        "cron(0 3 * * ? *)",
        "2011-12-29T00:00",
        "2012-01-01T00:00",
        ["12-29 13:00", "12-30 13:00", "12-31 13:00"],
    ),
    (
        "Pacific/Apia",
        "every 1d at 03:00",
        "2011-12-29T00:00",
        "2012-01-01T00:00",
        ["12-29 13:00", "12-30 13:00", "12-31 13:00"],
    ),
]


@pytest.mark.parametrize(("timezone", "text", "a", "b", "expected"), CLOCK_CHANGES)
def test_a_change_of_the_clock_keeps_the_rules_of_each_form(
    timezone: str, text: str, a: str, b: str, expected: list[str]
) -> None:
    assert fired(Schedule(text, timezone), a, b) == expected


def test_an_anchor_sets_the_phase_on_both_of_its_sides() -> None:
    schedule = Schedule("every 6h", anchor=utc("2026-01-05T01:30"))
    assert fired(schedule, "2026-01-04T18:00", "2026-01-05T08:00") == ["01-04 19:30", "01-05 01:30", "01-05 07:30"]


def test_an_anchor_gives_days_their_count_and_their_time_on_the_wall() -> None:
    schedule = Schedule("every 2d", "Europe/Berlin", anchor="2026-03-27T03:15:00+01:00")
    assert fired(schedule, "2026-03-25T00:00", "2026-04-01T00:00") == [
        "03-25 02:15",
        "03-27 02:15",
        "03-29 01:15",
        "03-31 01:15",
    ]


def test_at_wins_over_the_time_of_the_anchor() -> None:
    schedule = Schedule("every 2d at 05:00", anchor="2026-01-05T03:15:00+00:00")
    assert fired(schedule, "2026-01-04T00:00", "2026-01-08T00:00") == ["01-05 05:00", "01-07 05:00"]


def test_anchors_of_the_same_moment_make_equal_schedules() -> None:
    berlin = Schedule("every 6h", anchor="2026-01-05T02:00:00+01:00")
    assert berlin == Schedule("every 6h", anchor=utc("2026-01-05T01:00"))
    assert berlin.anchor == utc("2026-01-05T01:00")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("every 6h", {}, "every 6 hours"),
        ("every 60 min", {}, "every hour"),
        ("every 90min", {"timezone": "Europe/Berlin"}, "every 90 minutes"),
        ("every 3601 s", {}, "every 3601 seconds"),
        ("rate(1 day)", {}, "every 24 hours"),
        ("every 1d at 03:00", {"timezone": "Europe/Berlin"}, "every day at 03:00 (Europe/Berlin)"),
        ("every 3d", {}, "every 3 days at 00:00 (UTC)"),
        ("every 2 weeks at 03:00", {}, "every 2 weeks on Thursday at 03:00 (UTC)"),
        (
            "every week",
            {"anchor": "2026-01-05T03:00:30+00:00"},
            "every week on Monday at 03:00:30, counted from 2026-01-05 03:00:30 UTC",
        ),
        (
            "every 6h",
            {"timezone": "Europe/Berlin", "window": Window()},
            "every 6 hours, held to 04:00-09:00 every day (Europe/Berlin)",
        ),
        ("cron(0 3 ? * SUN *)", {}, "at 03:00, only on Sunday (UTC)"),
        (
            "cron(0 3 ? * L *)",
            {"window": Window(["sun"])},
            "at 03:00, only on Saturday, held to 04:00-09:00 on Sunday (UTC)",
        ),
    ],
)
def test_description_is_plain_words(text: str, options: dict[str, Any], words: str) -> None:
    assert Schedule(text, **options).describe() == words


REFUSED = [
    ("", "schedule", "is no schedule", "'every 6h', 'rate(6 hours)' or 'cron(0 3 * * ? *)'"),
    ("daily", "schedule", "is no schedule", "'every 6h', 'rate(6 hours)' or 'cron(0 3 * * ? *)'"),
    ("@hourly", "schedule", "is no schedule", "'every 6h'"),
    ("6h", "schedule", "is no schedule", "'every 6h'"),
    ("cron 0 3 * * ? *", "schedule", "is no schedule", "'cron(0 3 * * ? *)'"),
    ("every", "schedule", "one whole number and one unit", "'every 6h'"),
    ("everyday", "schedule", "one whole number and one unit", "'every 6h'"),
    ("every 1.5h", "schedule", "one whole number and one unit", "'every 6h'"),
    ("every -6h", "schedule", "one whole number and one unit", "'every 6h'"),
    ("every 1h30min", "schedule", "one whole number and one unit", "'every 6h'"),
    ("every ٦h", "schedule", "one whole number and one unit", "'every 6h'"),
    ("every 6 fortnights", "schedule", "has the unit 'fortnights'", "days or weeks"),
    ("every 0h", "schedule", "shorter than 1 minute", "'every 1min'"),
    ("every 0d", "schedule", "shorter than 1 minute", "'every 1min'"),
    ("every 59s", "schedule", "shorter than 1 minute", "'every 1min'"),
    ("every second", "schedule", "shorter than 1 minute", "'every 1min'"),
    ("every month", "schedule", "differ in length", "use cron(...)"),
    ("every 2 years at 03:00", "schedule", "differ in length", "use cron(...)"),
    ("every 6h at 03:00", "schedule", "'at' with elapsed time", "anchor"),
    ("every 1d at 24:00", "time of day in the schedule", "is no time of day", "HH:MM"),
    ("every 1d at 3am", "time of day in the schedule", "is no time of day", "HH:MM"),
    ("rate(1 hours)", "schedule", "singular for 1", "write rate(1 hour)"),
    ("rate(5 hour)", "schedule", "singular for 1", "write rate(5 hours)"),
    ("rate(0 minutes)", "schedule", "is no rate", "at least 1"),
    ("rate(1.5 hours)", "schedule", "is no rate", "whole number"),
    ("rate(2 weeks)", "schedule", "is no rate", "minutes, hours or days"),
    ("rate(5)", "schedule", "is no rate", "rate(6 hours)"),
]


@pytest.mark.parametrize(("text", "field", "rule", "remedy"), REFUSED)
def test_refusal_of_a_text_names_rule_and_remedy(text: str, field: str, rule: str, remedy: str) -> None:
    with pytest.raises(StrategyError) as caught:
        Schedule(text)
    assert caught.value.field == field
    assert rule in caught.value.rule
    assert remedy in caught.value.remedy
    assert str(caught.value.value) in text


@pytest.mark.parametrize(
    ("options", "field", "remedy"),
    [
        ({"timezone": "Europe/Atlantis"}, "timezone", "IANA name"),
        ({"timezone": "../x"}, "timezone", "IANA name"),
        ({"timezone": ""}, "timezone", "IANA name"),
        ({"timezone": None}, "timezone", "IANA name"),
        ({"anchor": datetime(2026, 1, 5)}, "anchor", "+00:00"),  # noqa: DTZ001 - naive on purpose
        ({"anchor": "2026-01-05T03:00:00"}, "anchor", "+00:00"),
        ({"anchor": "2026-01-05T03:00:00.5+00:00"}, "anchor", "+00:00"),
        ({"anchor": "monday"}, "anchor", "+00:00"),
        ({"anchor": 1767582000}, "anchor", "+00:00"),
        ({"window": "04:00-09:00"}, "window", "Window(start="),
        ({"text": "cron(0 3 * * ? *)", "anchor": "2026-01-05T03:00:00Z"}, "anchor", "leave it out"),
        ({"text": None}, "schedule", "every 6h"),
    ],
)
def test_refusal_of_an_option_names_it(options: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(StrategyError) as caught:
        Schedule(**{"text": "every 6h", **options})
    assert caught.value.field == field
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("ask", ["next_after", "latest"])
def test_a_moment_without_zone_is_refused(ask: str) -> None:
    naive = datetime(2026, 1, 5)  # noqa: DTZ001 - naive on purpose
    with pytest.raises(InvalidRequest, match="time zone"):
        getattr(Schedule("every 6h"), ask)(naive)


def test_between_names_the_end_that_has_no_zone() -> None:
    naive = datetime(2026, 1, 5)  # noqa: DTZ001 - naive on purpose
    with pytest.raises(InvalidRequest, match=r"^b "):
        Schedule("every 6h").between(utc("2026-01-05T00:00"), naive)


EXAMPLES = [
    Schedule("every 6h"),
    Schedule("every 1d at 03:00", "Europe/Berlin"),
    Schedule("every 2 weeks", anchor="2026-01-05T03:00:00+00:00", window=Window(["sat"], "22:00", "06:00")),
    Schedule("cron(0 3 ? * FRIL *)", "America/New_York"),
]


def test_repr_shows_what_was_given_and_no_more() -> None:
    assert [repr(schedule) for schedule in EXAMPLES] == [
        "Schedule('every 6h')",
        "Schedule('every 1d at 03:00', timezone='Europe/Berlin')",
        "Schedule('every 2 weeks', anchor='2026-01-05T03:00:00+00:00', "
        "window=Window(['sat'], start='22:00', end='06:00'))",
        "Schedule('cron(0 3 ? * FRIL *)', timezone='America/New_York')",
    ]


@pytest.mark.parametrize("schedule", EXAMPLES, ids=repr)
def test_a_schedule_is_a_value(schedule: Schedule) -> None:
    rebuilt = eval(repr(schedule), {"Schedule": Schedule, "Window": Window})  # noqa: S307 - the repr is its own source
    assert schedule == rebuilt == copy.deepcopy(schedule)
    assert hash(schedule) == hash(rebuilt)
    assert len({*EXAMPLES, rebuilt}) == len(EXAMPLES)
    with pytest.raises(AttributeError):
        schedule.text = "every 1h"  # type: ignore[misc]


def test_a_schedule_travels_to_a_new_process() -> None:
    script = "import pickle, sys; print([next(s.epochs(0)) for s in pickle.load(sys.stdin.buffer)])"
    answer = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", script], input=pickle.dumps(EXAMPLES), capture_output=True, check=True
    )
    assert answer.stdout.decode().strip() == str([next(schedule.epochs(0)) for schedule in EXAMPLES])


def test_spaces_do_not_make_another_schedule() -> None:
    assert Schedule("  every   6 hours ") == Schedule("every 6 hours")


def test_epochs_take_any_number_even_without_bounds() -> None:
    schedule = Schedule("every 1d at 12:00")
    assert next(schedule.epochs(float("-inf"))) == utc("1900-01-01T12:00").timestamp()
    assert schedule.latest_epoch(float("inf")) == utc("2199-12-31T12:00").timestamp()
    assert list(schedule.epochs(float("inf"))) == []
