import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.lib import pretty as ipython

from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy import Archive, Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier, Window
from tests.snapshots import START, Plain, at

HOURLY = Tier(Schedule("every 1h"), Retention(last=3), "hourly")
DAILY = Tier(Schedule("every 1d at 00:00"), Retention(daily=2), "daily")
ONE = Strategy("one", [HOURLY])
TWO = Strategy("two", [HOURLY, DAILY])


def anything(value: Any) -> Any:
    """Give a value past the type checker, as a user without one would."""
    return value


def shown(thing: Any) -> str:
    """Write a value as a notebook does."""
    write: Any = ipython.pretty
    return str(write(thing))


def now(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_an_unprotected_volume_is_snapshotted_at_once() -> None:
    none: list[Plain] = []
    decision = ONE.decide(none, now(0.5))
    assert decision.take is not None
    assert (decision.take.due, decision.take.tiers) == (now(0), ("hourly",))
    assert decision.take.reason == "every hour was due at 2026-01-05 00:00:00 UTC"
    assert decision.next_due == now(1)


def test_a_slot_is_filled_once() -> None:
    decision = ONE.decide([at(1, state="pending", tiers=["hourly"])], now(1.5))
    assert decision.take is None
    assert decision.next_due == now(2)


def test_after_an_outage_one_snapshot_is_taken_not_ten() -> None:
    decision = ONE.decide([at(0, tiers=["hourly"])], now(10.25))
    assert decision.take is not None
    assert decision.take.due == now(10)
    assert decision.next_due == now(11)


def test_two_tiers_due_at_once_share_one_snapshot() -> None:
    taken = [at(hour, tiers=["hourly", "daily"] if hour == 0 else ["hourly"]) for hour in range(24)]
    decision = TWO.decide(taken, now(24))
    assert decision.take is not None
    assert decision.take.tiers == ("hourly", "daily")
    assert TWO.decide(taken[:5], now(5)).take.tiers == ("hourly",)  # type: ignore[union-attr]


def test_a_snapshot_stays_while_any_of_its_tiers_keeps_it() -> None:
    taken = [at(hour, tiers=["hourly", "daily"] if hour % 24 == 0 else ["hourly"]) for hour in range(30)]
    decision = TWO.decide(taken, now(29.5))
    assert [verdict.snapshot for verdict in decision.delete] == [
        at(h, tiers=["hourly"]) for h in range(26, 0, -1) if h != 24
    ]
    assert [verdict.reasons for verdict in decision.kept] == [
        ("hourly: last snapshot",),
        ("hourly: last snapshot",),
        ("hourly: last snapshot",),
        ("daily: daily snapshot",),
        ("daily: daily snapshot",),
    ]
    assert decision.delete[0].reasons == ("hourly: not among the last 3",)


def test_a_slot_that_ended_in_error_is_tried_again_within_the_retry_rule() -> None:
    failed = [at(0, tiers=["hourly"]), at(1, state="error", tiers=["hourly"])]
    waiting = ONE.decide(failed, now(1.1))
    assert waiting.take is None
    assert waiting.next_due == now(1.25)  # 15 minutes after the failed one was started
    again = ONE.decide(failed, now(1.25))
    assert again.take is not None
    assert again.take.reason.endswith("ended in error, try 2 of 3 after 15 min")
    second = [*failed, at(1.25, state="error", tiers=["hourly"])]
    assert ONE.decide(second, now(1.5)).take is not None
    third = [*failed, at(1.25, state="error", tiers=["hourly"]), at(1.5, state="error", tiers=["hourly"])]
    given_up = ONE.decide(third, now(1.9))
    assert given_up.take is None
    assert given_up.next_due == now(2)
    assert ONE.decide(third, now(2)).take is not None


def test_a_failed_snapshot_goes_once_a_younger_one_is_complete() -> None:
    failed = at(1, state="error", tiers=["hourly"])
    assert ONE.decide([at(0, tiers=["hourly"]), failed], now(1.5)).delete == ()
    later = ONE.decide([at(0, tiers=["hourly"]), failed, at(1.25, tiers=["hourly"])], now(1.5))
    assert [(v.snapshot, v.reasons) for v in later.delete] == [(failed, ("ended in error: it protects nothing",))]


def test_a_failed_snapshot_of_two_tiers_counts_until_both_have_a_younger_one() -> None:
    tiers = [
        Tier(Schedule("every 1h"), Retention(last=24), "hourly", retries=0),
        Tier(Schedule("every 1d"), Retention(daily=7), "daily", retries=0),
    ]
    strategy = Strategy("no second try", tiers)
    failed = at(0, state="error", tiers=["hourly", "daily"])
    taken = [at(-24, tiers=["hourly", "daily"]), failed, at(1, tiers=["hourly"])]
    decision = strategy.decide(taken, now(1.5))
    assert (decision.take, decision.delete) == (None, ())
    later = strategy.decide([*taken, at(24, tiers=["hourly", "daily"])], now(24.5))
    assert [verdict.snapshot for verdict in later.delete] == [failed]


def test_snapshots_of_others_are_never_deleted() -> None:
    foreign = [at(hour, tiers=tiers) for hour, tiers in enumerate([(), ("nightly",), ("hourly", "nightly")])]
    mine = [at(hour, tiers=["hourly"]) for hour in range(3, 9)]
    decision = ONE.decide([*foreign, *mine], now(9))
    assert [verdict.snapshot for verdict in decision.delete] == mine[2::-1]
    assert [verdict.reasons for verdict in decision.kept[-3:]] == [
        ("not of this strategy: nightly",),
        ("not of this strategy: nightly",),
        ("not of this strategy: no tier",),
    ]


def test_an_overdue_snapshot_waits_for_the_window() -> None:
    tier = Tier(Schedule("every 1d at 05:00", window=Window(start="04:00", end="09:00")), Retention(last=3), "nightly")
    strategy = Strategy("nightly", [tier])
    late = strategy.decide([at(-19, tiers=["nightly"])], now(15))
    assert late.take is None
    assert late.next_due == now(28)  # 04:00 of the next day, an hour before its own due time
    assert strategy.decide([at(-19, tiers=["nightly"])], now(28)).take is not None


def test_a_schedule_of_the_past_wants_nothing_more() -> None:
    strategy = Strategy("past", [Tier(Schedule("cron(0 3 1 1 ? 2020)"), Retention(last=1), "past")])
    decision = strategy.decide([at(0, tiers=["past"])], now(1))
    assert (decision.take, decision.next_due) == (None, None)
    assert str(decision).endswith("never ask again")


def test_a_schedule_of_the_future_is_not_due_yet() -> None:
    strategy = Strategy("future", [Tier(Schedule("cron(0 3 1 1 ? 2030)"), Retention(last=1), "future")])
    none: list[Plain] = []
    decision = strategy.decide(none, now(0))
    assert decision.take is None
    assert decision.next_due is not None
    assert decision.next_due.year == 2030


def test_a_decision_reads_as_a_list_with_a_reason_on_every_line() -> None:
    taken = [at(hour, tiers=["hourly"]) for hour in range(4)]
    assert str(ONE.decide(taken, now(4))).splitlines() == [
        "take for hourly: every hour was due at 2026-01-05 04:00:00 UTC",
        "delete 2026-01-05 00:00:00: not among the last 3",
        "keep 2026-01-05 03:00:00: last snapshot",
        "keep 2026-01-05 02:00:00: last snapshot",
        "keep 2026-01-05 01:00:00: last snapshot",
        "ask again at 2026-01-05 05:00:00 UTC",
    ]


def test_a_decision_and_a_strategy_show_themselves_in_a_notebook() -> None:
    evil = Strategy("<b>", [Tier(Schedule("every 1h"), Retention(last=3), "<script>")])
    assert "<script>" not in evil._repr_html_()
    assert "&lt;script&gt;" in evil._repr_html_()
    assert shown(evil) == "<b>\n  <script>: every hour, keep the last 3"
    decision = ONE.decide([at(hour, tiers=["hourly"]) for hour in range(4)], now(4))
    assert shown(decision) == str(decision)
    html = decision._repr_html_()
    assert html.count("<tr>") == 7
    for words in (
        "not among the last 3",
        "last snapshot",
        "every hour was due",
        "ask again at 2026-01-05 05:00:00 UTC",
    ):
        assert words in html
    idle = ONE.decide([at(4, tiers=["hourly"])], now(4))
    assert "take nothing" in idle._repr_html_()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Strategy("", [HOURLY]), "strategy name '' is no name"),
        (lambda: Strategy("x", []), r"strategy tiers \[\] has nothing to do"),
        (lambda: Strategy("x", [HOURLY, HOURLY]), "tier name 'hourly' stands twice"),
        (lambda: Strategy("x", anything(HOURLY)), "strategy tiers .* is no list of tiers; give a list of Tier"),
        (lambda: Strategy("x", anything(["hourly"])), "strategy tiers .* is no list of tiers"),
        (lambda: Strategy("x", [HOURLY], recovery=anything(5)), "strategy recovery 5 is no RecoveryVolume"),
        (lambda: Tier(anything("every 1h"), Retention(last=1)), "tier 'every 1h' is no part of one; give Tier"),
        (lambda: Tier(Schedule("every 1h"), anything(None)), "tier None is no part of one"),
        (lambda: Tier(Schedule("every 1h"), Retention(last=1), anything(5)), "tier name 5 is no name"),
        (
            lambda: RecoveryVolume(schedule=Schedule("every 1d"), zone="a", initialized=anything("yes")),
            "recovery initialized 'yes' is neither true nor false",
        ),
        (lambda: Tier(Schedule("every 1h"), Retention(last=1), retries=-1), "tier retries -1 is not a whole number"),
        (
            lambda: Tier(Schedule("every 1h"), Retention(last=1), retry_delay="soon"),
            "tier retry_delay 'soon' is not a time",
        ),
        (lambda: RecoveryVolume(schedule=Schedule("every 1d"), zone=""), "recovery zone '' is no availability zone"),
    ],
)
def test_strategies_that_cannot_be_are_refused(make: Any, message: str) -> None:
    with pytest.raises((StrategyError, InvalidRequest), match=message):
        make()


def test_naive_now_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"now .* is not a moment with a time zone"):
        ONE.decide([], datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_tier_is_named_after_its_schedule_unless_named() -> None:
    assert Tier(Schedule("every 6h"), Retention(last=1)).name == "every 6h"


def test_a_tier_says_how_often_it_tries_again_where_that_is_not_as_usual() -> None:
    said = [
        Tier(Schedule("every 1h"), Retention(last=3), retries=tries, retry_delay=delay).describe()
        for tries, delay in ((2, "900s"), (0, "15min"), (1, "15min"), (5, "1h"))
    ]
    assert [each.removeprefix("every hour, keep the last 3") for each in said] == [
        *("", ", no retries", ", 1 retry after 15 min", ", 5 retries after 1 h")
    ]


def test_a_strategy_shows_all_that_its_tiers_do_in_a_notebook() -> None:
    away, vault = Copy("eu-west-1", Retention(last=7)), Archive(Retention(monthly=12))
    html = Strategy("s", [Tier(Schedule("every 1h"), Retention(last=3), copies=[away], archive=vault)])._repr_html_()
    for words in ("2 retries after 15 min", f"{away.describe()}; {vault.describe()}"):
        assert words in html


def test_a_tier_says_where_else_its_snapshots_go() -> None:
    away = Copy("eu-west-1", Retention(last=7))
    tier = Tier(Schedule("every 1h"), Retention(last=3), copies=[away])
    assert tier.describe() == "every hour, keep the last 3, copied to eu-west-1 (keep the last 7)"
    other = Tier(Schedule("every 1d"), Retention(last=3), copies=[Copy("eu-north-1", Retention(last=1)), away])
    assert Strategy("s", [tier, other]).copy_regions == ("eu-west-1", "eu-north-1")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Copy("", Retention(last=1)), "copy region '' is no region"),
        (lambda: Copy("eu-west-1", 7), "copy retention 7 is none"),  # type: ignore[arg-type]
        (lambda: Copy("eu-west-1", Retention(last=1), ""), "copy kms_key '' is no key"),
        (lambda: Tier(Schedule("every 1h"), Retention(last=1), copies=["eu-west-1"]), "is no list of copies"),  # type: ignore[list-item]
        (lambda: Tier(Schedule("every 1h"), Retention(last=1), copies=3), "tier copies 3 is no list of copies"),  # type: ignore[arg-type]
        (
            lambda: Tier(Schedule("every 1h"), Retention(last=1), copies=[Copy("a", Retention(last=1))] * 2),
            "copy region 'a' stands twice in one tier",
        ),
    ],
)
def test_copies_that_cannot_be_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        make()


def test_strategies_are_values() -> None:
    assert pickle.loads(pickle.dumps(TWO)) == TWO  # noqa: S301 - our own bytes
    assert hash(replace(TWO, name="two")) == hash(TWO)
    assert repr(ONE) == (
        "Strategy(name='one', tiers=(Tier(schedule=Schedule('every 1h'), retention=Retention(last=3), name='hourly', "
        "retries=2, retry_delay='15min', copies=(), archive=None),), recovery=None)"
    )
    assert TWO.describe() == "every hour, keep the last 3; every day at 00:00 (UTC), keep one a day for 2 days"


tiers = st.lists(st.sampled_from(["hourly", "daily", "other"]), max_size=2, unique=True).map(tuple)
snapshots = st.lists(
    st.builds(
        lambda quarter, state, tiers: at(quarter / 4, state=state, tiers=tiers),
        st.integers(0, 400),
        st.sampled_from(["completed", "completed", "pending", "error"]),
        tiers,
    ),
    max_size=40,
)


@given(snapshots, st.integers(0, 500))
def test_decide_never_deletes_the_last_complete_snapshot_nor_a_pending_one(taken: list[Plain], quarter: int) -> None:
    decision = TWO.decide(taken, now(quarter / 4))
    gone = [verdict.snapshot for verdict in decision.delete]
    assert all(snapshot.state != "pending" for snapshot in gone)
    assert all(set(snapshot.tiers) <= {"hourly", "daily"} for snapshot in gone)
    complete = [snapshot for snapshot in taken if snapshot.state == "completed"]
    left = [verdict.snapshot for verdict in decision.kept if verdict.snapshot.state == "completed"]
    if complete:
        assert max(complete, key=lambda s: s.taken_at).taken_at == max(left, key=lambda s: s.taken_at).taken_at
    for name in ("hourly", "daily"):
        assert any(name in s.tiers for s in left) or not any(name in s.tiers for s in complete)


@given(snapshots, st.integers(0, 500))
def test_deciding_again_after_doing_it_changes_nothing(taken: list[Plain], quarter: int) -> None:
    moment = now(quarter / 4)
    taken = [snapshot for snapshot in taken if snapshot.taken_at <= moment]
    first = TWO.decide(taken, moment)
    done = [verdict.snapshot for verdict in first.kept]
    if first.take:
        done.append(Plain(moment, "pending", first.take.tiers))
    second = TWO.decide(done, moment)
    assert second.take is None
    assert second.delete == ()
    assert second.next_due == first.next_due
