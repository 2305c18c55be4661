"""AWS cron, written another way: a matcher for each date and minute, and random expressions to try it on."""

import random
from calendar import monthrange
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def matches(text: str, value: int, first: int, last: int, names: list[str]) -> bool:
    """Whether one value lies in a list of values, ranges and steps."""

    def number(token: str) -> int:
        return names.index(token.upper()) + first if token.upper() in names else int(token)

    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            low, high = first, last
        elif "-" in span:
            low, high = map(number, span.split("-"))
        else:
            low = number(span)
            high = last if step else low
        if low <= value <= high and (value - low) % int(step or 1) == 0:
            return True
    return False


def weekday_of(day: date) -> int:
    return day.isoweekday() % 7 + 1


def nearest_workday(n: int, length: int, day: date) -> date:
    aimed = day.replace(day=n)
    if aimed.isoweekday() == 6:
        return aimed + timedelta(days=-1 if n > 1 else 2)
    if aimed.isoweekday() == 7:
        return aimed + timedelta(days=1 if n < length else -2)
    return aimed


def date_matches(text: str, day: date) -> bool:
    length = monthrange(day.year, day.month)[1]
    if text == "L":
        return day.day == length
    if text == "LW":
        rest = [day + timedelta(days=n) for n in range(1, length - day.day + 1)]
        return day.isoweekday() <= 5 and all(later.isoweekday() > 5 for later in rest)
    if text.endswith("W"):
        n = int(text[:-1])
        return n <= length and day == nearest_workday(n, length, day)
    return matches(text, day.day, 1, 31, [])


def weekday_matches(text: str, day: date) -> bool:
    if text == "L":
        return day.isoweekday() == 6
    if text.endswith("L"):
        return matches(text[:-1], weekday_of(day), 1, 7, WEEKDAYS) and (day + timedelta(days=7)).month != day.month
    if "#" in text:
        name, nth = text.split("#")
        return matches(name, weekday_of(day), 1, 7, WEEKDAYS) and (day.day - 1) // 7 + 1 == int(nth)
    return matches(text, weekday_of(day), 1, 7, WEEKDAYS)


def day_matches(day_of_month: str, day_of_week: str, day: date) -> bool:
    return weekday_matches(day_of_week, day) if day_of_month == "?" else date_matches(day_of_month, day)


def times_of_day(minutes: str, hours: str) -> list[tuple[int, int]]:
    every = [(hour, minute) for hour in range(24) for minute in range(60)]
    return [(h, m) for h, m in every if matches(hours, h, 0, 23, []) and matches(minutes, m, 0, 59, [])]


def fires(expression: str, wall: datetime) -> bool:
    minutes, hours, day_of_month, month, day_of_week, year = expression.split()
    return (
        matches(minutes, wall.minute, 0, 59, [])
        and matches(hours, wall.hour, 0, 23, [])
        and matches(month, wall.month, 1, 12, MONTHS)
        and matches(year, wall.year, 1970, 2199, [])
        and day_matches(day_of_month, day_of_week, wall.date())
    )


def walked(expression: str, zone: ZoneInfo, a: datetime, b: datetime) -> list[datetime]:
    """Occurrences in (a, b], found by looking at the wall in every minute that passes in UTC."""
    hits, shown = [], set()
    # Times before a count too: one that comes twice around a must not fire again.
    moment = (a - timedelta(hours=3)).replace(second=0, microsecond=0)
    while moment <= b:
        wall = moment.astimezone(zone).replace(tzinfo=None)
        if wall not in shown and moment > a and fires(expression, wall):
            hits.append(moment)
        shown.add(wall)
        moment += timedelta(minutes=1)
    return hits


def seeded(seed: int | str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same cases in every run, and no secrets


def random_field(rng: random.Random, first: int, last: int, names: list[str]) -> str:
    def shown(value: int) -> str:
        name = names[value - first] if names and rng.random() < 0.5 else str(value)
        return name.lower() if rng.random() < 0.3 else name

    def part() -> str:
        low, high = sorted(rng.randint(first, last) for _ in range(2))
        step = rng.randint(1, min(last - first, 30))
        forms = [shown(low), f"{shown(low)}-{shown(high)}", f"{shown(low)}/{step}", f"{low}-{high}/{step}", f"*/{step}"]
        return rng.choice(forms)

    return "*" if rng.random() < 0.3 else ",".join(part() for _ in range(rng.randint(1, 3)))


def random_days(rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.5:
        date_form = rng.choice(["L", "LW", f"{rng.randint(1, 31)}W", random_field(rng, 1, 31, [])])
        return date_form, "?"
    weekday = rng.choice([*WEEKDAYS, *"1234567"])
    nth = rng.randint(1, 5)
    return "?", rng.choice(["L", f"{weekday}L", f"{weekday}#{nth}", random_field(rng, 1, 7, WEEKDAYS)])


def random_expression(rng: random.Random, year: str) -> str:
    day_of_month, day_of_week = random_days(rng)
    month = random_field(rng, 1, 12, MONTHS)
    return f"{random_field(rng, 0, 59, [])} {random_field(rng, 0, 23, [])} {day_of_month} {month} {day_of_week} {year}"
