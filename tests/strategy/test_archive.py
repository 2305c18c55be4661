"""The archive tier: what goes there, what stays there, and how a strategy says so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import StrategyError
from snapkit.strategy import Archive, ArchiveLedger, Ledger, Retention, Schedule, Strategy, Tier
from tests.snapshots import START, Plain

ARCHIVING = Tier(Schedule("every 1h"), Retention(last=2), "hourly", archive=Archive(Retention(last=3)))
DAILY = Tier(Schedule("every 1d"), Retention(daily=2), "daily", archive=Archive(Retention(daily=3)))
PLAIN = Tier(Schedule("every 6h"), Retention(last=3), "plain")
ONE = Strategy("one", [ARCHIVING])
MIXED = Strategy("mixed", [ARCHIVING, DAILY, PLAIN])


@dataclass(frozen=True)
class Kept(Plain):
    """A snapshot that tells where it lies."""

    storage_tier: str = "standard"


def at(hour: float, *, archived: bool = False, tiers: tuple[str, ...] = ("hourly",), state: str = "completed") -> Kept:
    return Kept(START + timedelta(hours=hour), state, tiers, "archive" if archived else "standard")


def test_what_the_retention_lets_go_is_archived_and_not_deleted() -> None:
    decision = ONE.decide([at(hour) for hour in range(4)], START + timedelta(hours=3))
    assert [verdict.snapshot for verdict in decision.archive] == [at(1), at(0)]
    assert decision.delete == ()
    assert [str(verdict) for verdict in decision.archive] == [
        "archive 2026-01-05 01:00:00: not among the last 2; archive: last snapshot",
        "archive 2026-01-05 00:00:00: not among the last 2; archive: last snapshot",
    ]
    assert "archive 2026-01-05 01:00:00" in str(decision)
    assert decision._repr_html_().count("archive</td>") == 2


def test_the_retention_there_counts_what_is_there_and_what_is_on_its_way() -> None:
    taken = [at(0, archived=True), at(1, archived=True), at(2, archived=True), at(3), at(4), at(5)]
    decision = ONE.decide(taken, START + timedelta(hours=5))
    assert [verdict.snapshot for verdict in decision.archive] == [at(3)]
    assert [(each.snapshot, each.reasons) for each in decision.delete] == [
        (at(0, archived=True), ("archive: not among the last 3",))
    ]
    assert [verdict.reasons for verdict in decision.kept] == [("last snapshot",)] * 2 + [
        ("archive: last snapshot",)
    ] * 2


def test_one_that_the_archive_would_not_keep_is_deleted_at_once() -> None:
    decision = ONE.decide([at(hour) for hour in range(7)], START + timedelta(hours=6))
    assert [verdict.snapshot for verdict in decision.archive] == [at(4), at(3), at(2)]
    assert [(verdict.snapshot, verdict.reasons) for verdict in decision.delete] == [
        (at(1), ("not among the last 2", "archive: not among the last 3")),
        (at(0), ("not among the last 2", "archive: not among the last 3")),
    ]


def test_archived_snapshots_do_not_fill_the_standard_tier() -> None:
    decision = ONE.decide([at(0, archived=True), at(1, archived=True), at(2)], START + timedelta(hours=2))
    assert (decision.archive, decision.delete) == ((), ())


def test_a_snapshot_of_two_tiers_goes_when_neither_keeps_it_to_the_archive_of_any() -> None:
    both = ("plain", "hourly")
    taken = [at(hour, tiers=both if hour == 0 else ("hourly",)) for hour in range(4)]
    first = MIXED.decide(taken, START + timedelta(hours=3))
    assert [verdict.snapshot for verdict in first.archive] == [at(1)]
    assert first.kept[-1].reasons == ("plain: last snapshot",)
    taken += [at(hour, tiers=("plain",)) for hour in (6, 12, 18)]
    later = MIXED.decide(taken, START + timedelta(hours=18))
    assert [verdict.snapshot for verdict in later.archive] == [at(1), at(0, tiers=both)]
    assert later.archive[-1].reasons == (
        *("hourly: not among the last 2", "plain: not among the last 3", "hourly, archive: last snapshot"),
    )


def test_a_tier_without_an_archive_deletes_and_leaves_alone_what_was_archived_before() -> None:
    without = Strategy("one", [replace(ARCHIVING, archive=None)])
    decision = without.decide([at(0, archived=True), at(1), at(2), at(3)], START + timedelta(hours=3))
    assert [verdict.snapshot for verdict in decision.delete] == [at(1)]
    assert decision.kept[-1].reasons == ("in the archive, and none of its tiers archives any more",)


def test_archived_snapshots_of_others_stay() -> None:
    strange = [at(0, archived=True, tiers=("other",)), at(1, archived=True, tiers=("hourly", "other")), at(1, tiers=())]
    decision = ONE.decide([*strange, *(at(hour) for hour in range(2, 8))], START + timedelta(hours=8))
    assert not set(strange) & {verdict.snapshot for verdict in (*decision.delete, *decision.archive)}


snapshots = st.lists(
    st.builds(
        lambda quarter, state, tiers, archived: at(quarter / 4, state=state, tiers=tuple(tiers), archived=archived),
        st.integers(0, 400),
        st.sampled_from(["completed", "completed", "completed", "pending", "error"]),
        st.lists(st.sampled_from(["hourly", "daily", "plain", "other"]), max_size=2, unique=True),
        st.booleans(),
    ),
    max_size=40,
)


@given(snapshots, st.integers(400, 500))
def test_deciding_again_after_doing_it_changes_nothing(taken: list[Kept], quarter: int) -> None:
    moment = START + timedelta(hours=quarter / 4)
    first = MIXED.decide(taken, moment)
    done = [verdict.snapshot for verdict in first.kept]
    done += [replace(verdict.snapshot, storage_tier="archive") for verdict in first.archive]
    if first.take:
        done.append(Kept(moment, "pending", first.take.tiers))
    second = MIXED.decide(done, moment)
    assert (second.take, second.delete, second.archive, second.next_due) == (None, (), (), first.next_due)


@given(snapshots, st.integers(400, 500))
def test_the_newest_complete_one_of_a_tier_stays_in_the_standard_tier(taken: list[Kept], quarter: int) -> None:
    decision = MIXED.decide(taken, START + timedelta(hours=quarter / 4))
    gone = [verdict.snapshot for verdict in (*decision.delete, *decision.archive)]
    for name in ("hourly", "daily", "plain"):
        there = [each for each in taken if each.state == "completed" and name in each.tiers]
        there = [each for each in there if each.storage_tier == "standard"]
        newest = max((each.taken_at for each in there), default=None)
        assert not there or any(each.taken_at == newest and each not in gone for each in there)
    assert all(verdict.snapshot.storage_tier == "standard" for verdict in decision.archive)
    assert len(gone) + len(decision.kept) == len(taken)


@given(st.lists(st.tuples(st.sampled_from([1, 1, 2, 24]), st.integers(0, 5)), min_size=20, max_size=60))
def test_the_ledgers_agree_with_decide_at_every_step(steps: list[tuple[int, int]]) -> None:
    """Also where snapshots complete, and leave for the archive, out of order."""
    clock, ledger, archive = START.timestamp(), Ledger(MIXED, START.timestamp()), ArchiveLedger(MIXED)
    known: dict[int, Kept] = {}
    ends: dict[int, float] = {}
    for number, (hours, takes) in enumerate(steps):
        for ended in [key for key, end in ends.items() if end <= clock]:
            del ends[ended]
            known[ended] = replace(known[ended], state="completed")
            for left in ledger.complete(ended):
                if tiers := ledger.archives(left):
                    known[left] = replace(known[left], storage_tier="archive")
                    for gone in archive.add(left, known[left].taken_at.timestamp(), tiers):
                        del known[gone]
                else:
                    del known[left]
                ledger.delete(left)
        decision = MIXED.decide(known.values(), START.fromtimestamp(clock, START.tzinfo))
        assert (decision.archive, decision.delete) == ((), ())
        if lanes := ledger.due(clock):
            moment = START.fromtimestamp(clock, START.tzinfo)
            known[number] = Kept(moment, "pending", tuple(lane.tier.name for lane in lanes))
            ledger.start(number, clock, lanes)
            ends[number] = clock + takes * 3000
        clock += 3600 * hours


def test_an_archive_says_what_it_keeps() -> None:
    assert ARCHIVING.describe() == "every hour, keep the last 2, then archived (keep the last 3)"
    assert (ONE.archives, Strategy("plain", [PLAIN]).archives) == (True, False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Archive(7), "archive retention 7 is none"),  # type: ignore[arg-type]
        (lambda: Archive(Retention(within="30d")), "deletes before 90 days, for which each snapshot is paid anyway"),
        (lambda: Archive(Retention(within="2m", within_daily="80d")), "deletes before 90 days"),
        (lambda: replace(PLAIN, archive=Retention(last=1)), "is no Archive"),  # type: ignore[arg-type]
    ],
)
def test_archives_that_cannot_be_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        make()


@pytest.mark.parametrize("kept", [Retention(within="3m"), Retention(within="30d", last=1), Retention(within="1y2d")])
def test_an_archive_keeps_for_90_days_or_longer_or_so_many(kept: Retention) -> None:
    assert Archive(kept).retention is kept
