"""Cron expressions, against a matcher written another way, against pyawscron, and by hand."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyawscron import awscron

from snapkit.errors import StrategyError
from snapkit.strategy.cron import Cron
from snapkit.strategy.schedule import Schedule
from tests.strategy.walker import (
    MONTHS,
    day_matches,
    matches,
    random_expression,
    random_field,
    seeded,
    times_of_day,
    walked,
)

# The package carries no types.
AWSCron: Any = awscron.AWSCron


def schedule_or_none(expression: str, timezone: str = "UTC") -> Schedule | None:
    """The schedule, or None where no day fits, such as the 31st of February."""
    try:
        return Schedule(f"cron({expression})", timezone)
    except StrategyError as error:
        if not error.rule.startswith("never fires"):
            raise
        return None


def test_days_agree_with_a_matcher_that_looks_at_each_date() -> None:
    rng = seeded(1)
    for _ in range(1500):
        expression = random_expression(rng, "*")
        _, _, day_of_month, _, day_of_week, _ = expression.split()
        if schedule_or_none(expression) is None:
            continue
        cron = Cron.parse(expression)
        for _ in range(6):
            year, month = rng.randint(1970, 2199), rng.randint(1, 12)
            length = monthrange(year, month)[1]
            expected = [d for d in range(1, length + 1) if day_matches(day_of_month, day_of_week, date(year, month, d))]
            assert list(cron.days(year, month)) == expected, (expression, year, month)


def test_fields_agree_with_a_matcher_that_tries_each_value() -> None:
    rng = seeded(2)
    for _ in range(1500):
        minutes, hours = random_field(rng, 0, 59, []), random_field(rng, 0, 23, [])
        months, years = random_field(rng, 1, 12, MONTHS), random_field(rng, 1970, 2199, [])
        cron = Cron.parse(f"{minutes} {hours} * {months} ? {years}")
        assert list(cron.minutes) == [n for n in range(60) if matches(minutes, n, 0, 59, [])]
        assert list(cron.hours) == [n for n in range(24) if matches(hours, n, 0, 23, [])]
        assert list(cron.months) == [n for n in range(1, 13) if matches(months, n, 1, 12, MONTHS)]
        assert list(cron.years) == [n for n in range(1970, 2200) if matches(years, n, 1970, 2199, [])]


CLOCK_CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 28, 20, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 20, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 3, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 2, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 9, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 10, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 3, 22, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 2, 17, 22, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 2, 27, 12, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 5, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 4, 20, tzinfo=UTC)),
]


@pytest.mark.parametrize(("timezone", "around"), CLOCK_CHANGES)
def test_occurrences_agree_with_a_walk_over_every_minute_across_a_change_of_the_clock(
    timezone: str, around: datetime
) -> None:
    rng = seeded(f"{timezone}{around}")
    zone = ZoneInfo(timezone)
    for _ in range(25):
        expression = random_expression(rng, "*")
        if rng.random() < 0.8:
            minutes, hours, *_ = expression.split()
            expression = f"{minutes} {hours} * * ? *"
        schedule = schedule_or_none(expression, timezone)
        if schedule is None:
            continue
        a = around + timedelta(minutes=rng.randint(-120, 500))
        b = a + timedelta(minutes=rng.randint(0, 1500))
        assert schedule.between(a, b) == walked(expression, zone, a, b), (expression, a, b)


def test_occurrences_in_utc_agree_with_a_walk_over_every_date() -> None:
    rng = seeded(3)
    for _ in range(400):
        year = rng.choice(["*", "*/4", "2024-2028", "2000,2028", str(rng.randint(2020, 2030))])
        expression = random_expression(rng, year)
        schedule = schedule_or_none(expression)
        if schedule is None:
            continue
        a = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randint(0, 10 * 365 * 86400))
        minutes, hours, day_of_month, month, day_of_week, _ = expression.split()
        expected = [
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
            for day in (a.date() + timedelta(days=n) for n in range(60))
            if matches(year, day.year, 1970, 2199, []) and matches(month, day.month, 1, 12, MONTHS)
            if day_matches(day_of_month, day_of_week, day)
            for hour, minute in times_of_day(minutes, hours)
        ]
        b = a + timedelta(days=59)
        assert schedule.between(a, b) == [moment for moment in expected if a < moment <= b], (expression, a)


def test_occurrences_agree_with_pyawscron() -> None:
    """On what pyawscron reads: no L as weekday, no LW, no day that some months lack, no ranges in lists."""
    rng = seeded(4)
    dates = ["*", "L", "1W", "15W", "28W", "2-26/4", "10-20", "1,15,28"]
    weekdays = ["*", "MON-FRI", "SUN", "2,4,7", "FRIL", "1L", "TUE#1", "7#4", "3-6"]
    for _ in range(300):
        days = (rng.choice(dates), "?") if rng.random() < 0.5 else ("?", rng.choice(weekdays))
        hours = rng.choice(["*", "0", "3-7", "1,13", "*/6", "2/5"])
        minutes = rng.choice(["0", "*/15", "5,35", "10-12"])
        expression = f"{minutes} {hours} {days[0]} * {days[1]} *"
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randint(0, 525600))
        schedule, theirs = Schedule(f"cron({expression})"), AWSCron(expression)
        moment = start
        for _ in range(4):
            expected = theirs.occurrence(moment).next()
            assert schedule.next_after(moment) == expected, (expression, moment)
            moment = expected


@pytest.mark.parametrize(
    ("fields", "year", "month", "days"),
    [
        ("L * ?", 2024, 2, (29,)),
        ("L * ?", 2100, 2, (28,)),
        ("LW * ?", 2026, 1, (30,)),  # the 31st is a Saturday
        ("LW * ?", 2026, 5, (29,)),  # the 31st is a Sunday
        ("LW * ?", 2026, 3, (31,)),
        ("1W * ?", 2026, 8, (3,)),  # the 1st is a Saturday
        ("1W * ?", 2026, 2, (2,)),  # the 1st is a Sunday
        ("15W * ?", 2026, 8, (14,)),
        ("15W * ?", 2026, 2, (16,)),
        ("31W * ?", 2026, 5, (29,)),
        ("31W * ?", 2026, 4, ()),
        ("28W * ?", 2026, 2, (27,)),
        ("? * L", 2026, 8, (1, 8, 15, 22, 29)),
        ("? * 6L", 2026, 7, (31,)),
        ("? * friL", 2026, 7, (31,)),
        ("? * 3#2", 2026, 7, (14,)),
        ("? * TUE#5", 2026, 7, ()),
        ("? * TUE#5", 2026, 6, (30,)),
        ("? * SUN,sat", 2026, 2, (1, 7, 8, 14, 15, 21, 22, 28)),
        ("29/2 * ?", 2026, 2, ()),
        ("29/2 * ?", 2026, 1, (29, 31)),
    ],
)
def test_day_forms_name_the_days_of_the_calendar(fields: str, year: int, month: int, days: tuple[int, ...]) -> None:
    assert Cron.parse(f"0 0 {fields} *").days(year, month) == days


def test_a_leap_day_waits_for_its_year() -> None:
    schedule = Schedule("cron(0 0 29 2 ? *)")
    assert schedule.next_after(datetime(2096, 2, 29, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)


def test_nothing_comes_after_the_last_year() -> None:
    schedule = Schedule("cron(0 12 1 1 ? 2020,2024)")
    assert schedule.next_after(datetime(2024, 1, 1, 12, tzinfo=UTC)) is None
    assert schedule.latest(datetime.max.replace(tzinfo=UTC)) == datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert schedule.latest(datetime(2020, 1, 1, tzinfo=UTC)) is None


def test_the_years_of_aws_are_reached_on_both_ends() -> None:
    schedule = Schedule("cron(59 23 * * ? *)")
    assert schedule.next_after(datetime(1900, 1, 1, tzinfo=UTC)) == datetime(1970, 1, 1, 23, 59, tzinfo=UTC)
    assert schedule.latest(datetime(2500, 1, 1, tzinfo=UTC)) == datetime(2199, 12, 31, 23, 59, tzinfo=UTC)


REFUSED = [
    ("60 0 * * ? *", "minutes", "60", "0-59"),
    ("-1 0 * * ? *", "minutes", "-1", "no value"),
    ("0 24 * * ? *", "hours", "24", "0-23"),
    ("0 0 0 * ? *", "day-of-month", "0", "1-31"),
    ("0 0 32 * ? *", "day-of-month", "32", "1-31"),
    ("0 0 0W * ? *", "day-of-month", "0W", "1-31"),
    ("0 0 32W * ? *", "day-of-month", "32W", "1-31"),
    ("0 0 * 13 ? *", "month", "13", "1-12 or JAN-DEC"),
    ("0 0 * 0 ? *", "month", "0", "1-12"),
    ("0 0 * JUNE ? *", "month", "JUNE", "no value"),
    ("0 0 ? * 0 *", "day-of-week", "0", "1-7 or SUN-SAT"),
    ("0 0 ? * 8 *", "day-of-week", "8", "1-7"),
    ("0 0 ? * JAN *", "day-of-week", "JAN", "SUN-SAT"),
    ("0 0 ? * 8L *", "day-of-week", "8L", "1-7"),
    ("0 0 ? * 3#0 *", "day-of-week", "3#0", "#1-#5"),
    ("0 0 ? * 3#6 *", "day-of-week", "3#6", "#1-#5"),
    ("0 0 ? * 8#1 *", "day-of-week", "8#1", "1-7"),
    ("0 0 * * ? 1969", "year", "1969", "1970-2199"),
    ("0 0 * * ? 2200", "year", "2200", "1970-2199"),
    ("MON 0 * * ? *", "minutes", "MON", "0-59"),
    ("0 0 MON * ? *", "day-of-month", "MON", "1-31"),
    ("1,,2 0 * * ? *", "minutes", "1,,2", "empty item"),
    (", 0 * * ? *", "minutes", ",", "empty item"),
    ("1- 0 * * ? *", "minutes", "1-", "no value"),
    ("1-2-3 0 * * ? *", "minutes", "1-2-3", "no value"),
    ("*/0 0 * * ? *", "minutes", "*/0", "step of 1-59"),
    ("*/60 0 * * ? *", "minutes", "*/60", "step of 1-59"),
    ("0 */24 * * ? *", "hours", "*/24", "step of 1-23"),
    ("*/ 0 * * ? *", "minutes", "*/", "no value"),
    ("/5 0 * * ? *", "minutes", "/5", "no value"),
    ("30-10 0 * * ? *", "minutes", "30-10", "30-59,0-10"),
    ("0 0 ? * FRI-MON *", "day-of-week", "FRI-MON", "FRI-SAT,SUN-MON"),
    ("0 0 ? * SAT-SUN *", "day-of-week", "SAT-SUN", "SAT,SUN"),
    ("0 0 * NOV-FEB ? *", "month", "NOV-FEB", "NOV-DEC,JAN-FEB"),
    ("? 0 * * ? *", "minutes", "?", "write *"),
    ("0 ? * * ? *", "hours", "?", "write *"),
    ("0 0 * ? ? *", "month", "?", "write *"),
    ("0 0 * * ? ?", "year", "?", "write *"),
    ("0 0 ?,1 * ? *", "day-of-month", "?,1", "write *"),
    ("L 0 * * ? *", "minutes", "L", "day-of-month"),
    ("0 0 1,L * ? *", "day-of-month", "1,L", "alone"),
    ("0 0 1W,15W * ? *", "day-of-month", "1W,15W", "alone"),
    ("0 0 L-3 * ? *", "day-of-month", "L-3", "no value"),
    ("0 0 1-15W * ? *", "day-of-month", "1-15W", "no value"),
    ("0 0 W * ? *", "day-of-month", "W", "no value"),
    ("0 0 FRIL * ? *", "day-of-month", "FRIL", "day-of-week"),
    ("0 0 ? * 15W *", "day-of-week", "15W", "day-of-month"),
    ("0 0 ? * LW *", "day-of-week", "LW", "day-of-month"),
    ("0 0 ? * MON#1,TUE#1 *", "day-of-week", "MON#1,TUE#1", "alone"),
    ("0 0 ? * MON,FRIL *", "day-of-week", "MON,FRIL", "alone"),
    ("0 0 ? * # *", "day-of-week", "#", "no value"),
    ("0 0 * * * *", "day-of-week", "*", "write cron(0 0 * * ? *)"),
    ("0 0 1 * * *", "day-of-week", "*", "write cron(0 0 1 * ? *)"),
    ("0 0 * * MON *", "day-of-week", "MON", "write cron(0 0 ? * MON *)"),
    ("0 0 1 * MON *", "day-of-week", "MON", "a second schedule"),
    ("0 0 ? * ? *", "day-of-week", "?", "write cron(0 0 * * ? *)"),
    ("0 0 30 2 ? *", "schedule", "cron(0 0 30 2 ? *)", "never fires"),
    ("0 0 31 4 ? *", "schedule", "cron(0 0 31 4 ? *)", "never fires"),
    ("0 0 29 2 ? 2100", "schedule", "cron(0 0 29 2 ? 2100)", "never fires"),
    ("0 0 31W APR,JUN ? *", "schedule", "cron(0 0 31W APR,JUN ? *)", "never fires"),
    ("", "schedule", "cron()", "has 0 fields"),
    ("0 0 0 * * ? *", "schedule", "cron(0 0 0 * * ? *)", "has 7 fields"),
    ("٣ 0 * * ? *", "minutes", "٣", "no value"),
    ("00000000005 0 * * ? *", "minutes", "00000000005", "no value"),
]


@pytest.mark.parametrize(("expression", "field", "value", "words"), REFUSED)
def test_refusal_names_field_value_and_remedy(expression: str, field: str, value: str, words: str) -> None:
    with pytest.raises(StrategyError) as caught:
        Schedule(f"cron({expression})")
    assert (caught.value.field, caught.value.value) == (field, value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("five", "correction"),
    [
        ("0 3 * * *", "write cron(0 3 * * ? *)"),
        ("0 3 1 * *", "write cron(0 3 1 * ? *)"),
        ("0 3 * * 0", "write cron(0 3 ? * SUN *)"),
        ("0 3 * * 7", "write cron(0 3 ? * SUN *)"),
        ("*/15 9-17 * * 1-5", "write cron(*/15 9-17 ? * MON-FRI *)"),
        ("0 3 * * */2", "write cron(0 3 ? * */2 *)"),
        ("0 3 * * mon", "write cron(0 3 ? * MON *)"),
        ("0 3 ? * MON", "write cron(0 3 ? * MON *)"),
        ("0 3 1 * 1", "append * for the year and write ? for one of the days"),
        ("0 3 * * 5-7", "append * for the year and write ? for one of the days"),
    ],
)
def test_five_unix_fields_are_shown_as_six(five: str, correction: str) -> None:
    with pytest.raises(StrategyError) as caught:
        Schedule(f"cron({five})")
    assert "AWS cron has six, minutes first and year last" in str(caught.value)
    assert correction in str(caught.value)
    assert "unix day numbers 0-6 are SUN-SAT, or 1-7, in AWS" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("0 3 * * ? *", "at 03:00"),
        ("0 * * * ? *", "every hour"),
        ("0/15 8-17 ? * MON-FRI *", "every 15 minutes, between 08:00 and 17:59, Monday through Friday"),
        ("0 3 ? * 1 *", "at 03:00, only on Sunday"),
        ("0 3 ? * L *", "at 03:00, only on Saturday"),
        ("0 3 ? * 6L *", "at 03:00, on the last Friday of the month"),
        ("0 3 ? * TUE#2 *", "at 03:00, on the second Tuesday of the month"),
        ("0 3 L * ? *", "at 03:00, on the last day of the month"),
        ("0 0 1 1 ? 2000/4", "at 00:00, on day 1 of the month, only in January, every 4 years, 2000 through 2199"),
    ],
)
def test_description_reads_inside_a_sentence(fields: str, words: str) -> None:
    assert Cron.parse(fields).describe() == words


def test_every_expression_that_is_taken_can_be_described() -> None:
    rng = seeded(5)
    for _ in range(400):
        schedule = schedule_or_none(random_expression(rng, random_field(rng, 1970, 2199, [])))
        if schedule is not None:
            assert schedule.describe().endswith(" (UTC)")
