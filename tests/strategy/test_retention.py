import pickle
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import InvalidRequest, SnapkitError, StrategyError
from snapkit.strategy import Retention
from tests.data import known
from tests.snapshots import START, Plain, at

NOT_A_TIME: Any = pd.NaT
THREE: Any = np.int64(3)
RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def retention_of(policy: dict[str, Any]) -> Retention:
    rules: dict[str, Any] = {
        key.removeprefix("keep_"): "all" if value == -1 else value for key, value in policy.items()
    }
    return Retention(**rules)


def kept(retention: Retention, snapshots: list[Plain]) -> list[Plain]:
    return [verdict.snapshot for verdict in retention.keep(snapshots) if verdict.keep]


def test_restic_goldens_keep_the_same_snapshots_for_the_same_reasons() -> None:
    goldens = known("retention-goldens.json")
    snapshots = [Plain(moment(entry["time"])) for entry in goldens["snapshots"]]
    cases = [case for case in goldens["cases"] if case["policy"] and "keep_tags" not in case["policy"]]
    assert len(cases) == 17
    for case in cases:
        verdicts = [verdict for verdict in retention_of(case["policy"]).keep(snapshots) if verdict.keep]
        assert [verdict.snapshot.taken_at for verdict in verdicts] == [moment(time) for time in case["keep"]], case[
            "id"
        ]
        assert [list(verdict.reasons) for verdict in verdicts] == case["reasons"], case["id"]
        assert len(verdicts) == case["n_keep"]


def test_restic_documentation_examples() -> None:
    for case in known("retention-goldens.json")["documentation_cases"]:
        snapshots = [Plain(moment(time)) for time in case["snapshots"]]
        times = sorted(snapshot.taken_at for snapshot in kept(retention_of(case["policy"]), snapshots))
        assert times == [moment(time) for time in case["keep"]]


def test_borg_example_keeps_nineteen() -> None:
    example = known("retention-goldens.json")["borg_example"]
    days = [datetime.fromisoformat("2015-01-01T12:00:00+00:00").toordinal() + day for day in range(365)]
    dates = [datetime.fromordinal(day).replace(hour=12, tzinfo=START.tzinfo) for day in days]
    snapshots = [Plain(date) for date in dates if f"{date:%Y-%m-%d}" != "2015-12-19"]
    retention = Retention(**dict(example["rules"]))
    assert sorted(f"{snapshot.taken_at:%Y-%m-%d}" for snapshot in kept(retention, snapshots)) == example["keep"]


def test_empty_retention_is_refused() -> None:
    with pytest.raises(
        StrategyError, match=r"retention 'Retention\(\)' has no rule: it would delete every snapshot; give one"
    ):
        Retention()


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "7", "ALL"])
def test_counts_that_cannot_be_are_refused(count: Any) -> None:
    with pytest.raises(StrategyError, match=r"retention daily .* is not a whole number of at least 1"):
        Retention(daily=count)


@pytest.mark.parametrize("span", ["", "7", "7x", "1d1d", "0d", "1w", "-1d", "1.5d", " 1d", 7])
def test_spans_that_cannot_be_are_refused(span: Any) -> None:
    with pytest.raises(StrategyError, match=r"retention within_daily .* is no calendar span; write years, months"):
        Retention(within_daily=span)


def test_unknown_timezone_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"timezone 'Berlin' is no time zone; use an IANA name"):
        Retention(last=1, timezone="Berlin")


def test_days_are_those_of_the_timezone() -> None:
    # 22:30 and 23:30 UTC in winter are one UTC day, but either side of midnight in Berlin.
    snapshots = [at(22.5), at(23.5)]
    assert len(kept(Retention(daily=5, last=1), snapshots)) == 2  # the oldest stays while the count is not filled
    assert [v.reasons for v in Retention(daily=2).keep(snapshots)] == [("daily snapshot",), ("oldest daily snapshot",)]
    berlin = Retention(daily=2, timezone="Europe/Berlin").keep(snapshots)
    assert [v.reasons for v in berlin] == [("daily snapshot",), ("daily snapshot",)]


def test_a_repeated_hour_counts_as_two() -> None:
    # 2026-10-25 in Berlin has 02:00-03:00 twice: at 00:00 and 01:00 UTC.
    snapshots = [Plain(moment(f"2026-10-25T0{hour}:10:00+00:00")) for hour in (0, 1, 2)]
    assert len(kept(Retention(hourly=3, timezone="Europe/Berlin"), snapshots)) == 3


def test_a_month_back_ends_on_the_last_day_of_a_short_month() -> None:
    snapshots = [Plain(moment(f"2026-{day}T12:00:00+00:00")) for day in ("02-28", "03-01", "03-31")]
    assert [snapshot.taken_at.day for snapshot in kept(Retention(within="1m"), snapshots)] == [31, 1]


def test_a_month_back_may_reach_back_further_a_day_later() -> None:
    # 30 March 20:00 goes back to 28 February 20:00, but 31 March 06:00 to 28 February 06:00.
    moments = [moment(f"2026-{text}:00:00+00:00") for text in ("02-28T12", "03-30T20", "03-31T06")]
    assert len(kept(Retention(within="1m"), [Plain(moment) for moment in moments])) == 3
    keeper = Retention(within="1m", last=9).keeper()
    for number, taken_at in enumerate(moments):
        assert keeper.add(number, taken_at.timestamp()) == []
    assert keeper.verdict(0) == (True, ("within 1m", "last snapshot"))


def test_a_day_that_a_zone_left_out_does_not_drop_the_newest() -> None:
    # Samoa went from 29 to 31 December 2011.
    newest = Plain(moment("2011-12-30T10:30:00+00:00"))
    for retention in (
        Retention(within="1d", timezone="Pacific/Apia"),
        Retention(within_daily="1d", timezone="Pacific/Apia"),
    ):
        assert kept(retention, [newest]) == [newest]


def test_hours_of_a_span_are_elapsed_hours_even_when_the_clock_repeats_them() -> None:
    newest = moment("2026-10-25T01:30:00+00:00")
    every_ten = [Plain(newest - timedelta(minutes=10 * k)) for k in range(40)]
    for span, count in (("1h", 6), ("3h", 18)):
        assert len(kept(Retention(within=span, timezone="Europe/Berlin"), every_ten)) == count


def test_a_hundred_thousand_snapshots_are_judged_in_one_pass() -> None:
    verdicts = Retention(hourly="all", daily=30).keep([at(hour / 2) for hour in range(100_000)])
    assert sum(verdict.keep for verdict in verdicts) == 50_001


def test_a_span_longer_than_history_keeps_all() -> None:
    assert len(kept(Retention(within="9999y"), [at(hour) for hour in range(5)])) == 5


def test_a_stopped_schedule_does_not_empty_the_chain() -> None:
    long_ago = [Plain(moment(f"2001-01-0{day}T00:00:00+00:00")) for day in (1, 2, 3)]
    assert [snapshot.taken_at.day for snapshot in kept(Retention(within="2d"), long_ago)] == [3, 2]


def test_pending_stays_and_error_protects_nothing() -> None:
    verdicts = Retention(last=1).keep([at(0), at(1, state="error"), at(2, state="pending")])
    assert [(v.keep, v.reasons) for v in verdicts] == [
        (True, ("still pending",)),
        (False, ("ended in error: it protects nothing",)),
        (True, ("last snapshot",)),
    ]


def test_every_dropped_snapshot_has_a_reason_from_every_rule() -> None:
    verdicts = Retention(last=1, daily=1, within="1h").keep([at(0), at(20), at(24.5), at(30)])
    assert [v.reasons for v in verdicts if not v.keep] == [
        ("not within 1h of the newest", "not among the last 1", "daily: a newer snapshot stands for its day"),
        ("not within 1h of the newest", "not among the last 1", "daily: not in the newest day with a snapshot"),
        ("not within 1h of the newest", "not among the last 1", "daily: not in the newest day with a snapshot"),
    ]


@pytest.mark.parametrize(
    ("snapshot", "message"),
    [
        (Plain(datetime(2026, 1, 1)), "snapshot taken_at .* is not a moment with a time zone"),  # noqa: DTZ001
        (NOT_A_TIME, "snapshot NaT has no taken_at, state and tiers"),
        (Plain(NOT_A_TIME), "snapshot taken_at NaT is not a moment with a time zone"),
        (at(0, state="available"), "snapshot state 'available' is none that a retention knows"),
    ],
)
def test_snapshots_that_cannot_be_judged_are_refused(snapshot: Plain, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        Retention(last=1).keep([snapshot])


def test_no_snapshots_no_verdicts() -> None:
    assert Retention(last=1).keep([]) == []


def test_repr_describe_and_pickle() -> None:
    retention = Retention(last=24, within_weekly="1y", timezone="Europe/Berlin")
    assert repr(retention) == "Retention(last=24, within_weekly='1y', timezone='Europe/Berlin')"
    assert retention.describe() == "keep the last 24 and one a week within 1y (Europe/Berlin)"
    assert (
        Retention(within="2d", last="all", yearly="all").describe()
        == "keep all and one a year for ever and all within 2d"
    )
    assert Retention(last=THREE) == Retention(last=3)
    assert pickle.loads(pickle.dumps(retention)) == retention  # noqa: S301 - our own bytes


def test_errors_survive_another_process() -> None:
    error = StrategyError("retention last", 0, "is wrong", "do better")
    again: SnapkitError = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert str(again) == str(error) == "retention last 0 is wrong; do better"


def test_when_the_oldest_goes_the_next_one_becomes_the_oldest() -> None:
    # within_daily spares the oldest of what is there, so what is there decides, not what once was.
    retention = Retention(last=2, within_daily="3h")
    keeper = retention.keeper()
    left: list[float] = []
    for half_hour in range(7):
        left.append(half_hour / 2)
        for released in keeper.add(half_hour, at(half_hour / 2).taken_at.timestamp()):
            keeper.remove(released)
            left.remove(released / 2)
    assert left == [2.5, 3]  # the one at 0 is three hours old
    assert keeper.add(7, at(3.5).taken_at.timestamp()) == []
    assert keeper.verdict(5) == (True, ("oldest daily within 3h",))
    assert [verdict.keep for verdict in retention.keep([at(2.5), at(3), at(3.5)])] == [True, True, True]


counts = st.one_of(st.none(), st.integers(1, 6), st.just("all"))
spans = st.one_of(st.none(), st.sampled_from(["3h", "1d", "2d12h", "7d", "1m", "1y"]))
zones = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"])
moments = st.lists(st.integers(0, 24 * 60 * 400).map(lambda minutes: at(minutes / 60)), max_size=60)


@st.composite
def retentions(draw: st.DrawFn) -> Retention:
    rules: dict[str, Any] = {name: draw(counts) for name in RULES}
    rules |= {name: draw(spans) for name in ("within", *(f"within_{rule}" for rule in RULES[1:]))}
    if not any(rules.values()):
        rules["last"] = draw(st.integers(1, 6))
    return Retention(**rules, timezone=draw(zones))


def batch_by_the_book(retention: Retention, snapshots: list[Plain]) -> set[int]:
    """The documented rules written as one pass over the whole list, newest first: no increments."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(retention.timezone)
    order = sorted(range(len(snapshots)), key=lambda i: snapshots[i].taken_at, reverse=True)
    keep: set[int] = set()
    rules = retention.rules()
    left = {id(rule): rule.limit for rule in rules}
    seen: dict[int, object] = {}
    for place, i in enumerate(order):
        local = snapshots[i].taken_at.astimezone(zone)
        hour = (local.replace(minute=0, second=0, microsecond=0), local.utcoffset())
        names = (i, hour, local.date(), local.isocalendar()[:2], (local.year, local.month), local.year)
        for rule in rules:
            newest = snapshots[order[0]].taken_at.timestamp()
            start = rule.span.back_from(newest, zone) if rule.span else float("-inf")
            if left[id(rule)] <= 0 or snapshots[i].taken_at.timestamp() <= start:
                continue
            bucket = names[rule.index]
            if id(rule) not in seen or seen[id(rule)] != bucket or (place == len(order) - 1):
                seen[id(rule)] = bucket
                left[id(rule)] -= 1
                keep.add(i)
    return keep


@given(retentions(), moments)
def test_the_fold_equals_one_pass_over_the_list(retention: Retention, snapshots: list[Plain]) -> None:
    by_identity = {id(snapshot): i for i, snapshot in enumerate(snapshots)}
    folded = {by_identity[id(verdict.snapshot)] for verdict in retention.keep(snapshots) if verdict.keep}
    assert folded == batch_by_the_book(retention, snapshots)


@given(retentions(), moments)
def test_the_newest_complete_snapshot_always_stays(retention: Retention, snapshots: list[Plain]) -> None:
    verdicts = retention.keep(snapshots)
    assert not verdicts or verdicts[0].keep


@given(retentions(), moments, st.randoms(use_true_random=False))
def test_a_keeper_that_deletes_as_it_goes_agrees_with_judging_what_is_left(
    retention: Retention, snapshots: list[Plain], random: Any
) -> None:
    # Snapshots complete out of order now and then, and what is released is deleted at once.
    left: dict[int, Plain] = {}
    keeper = retention.keeper()
    arrival = sorted(enumerate(snapshots), key=lambda pair: pair[1].taken_at.timestamp() + random.choice([0, 0, 9000]))
    for key, snapshot in arrival:
        left[key] = snapshot
        released = keeper.add(key, snapshot.taken_at.timestamp())
        dropped = [verdict.snapshot.taken_at for verdict in retention.keep(left.values()) if not verdict.keep]
        assert sorted(left[other].taken_at for other in released) == sorted(dropped)
        for other in released:
            keeper.remove(other)
            del left[other]
