"""What happens besides the schedule: by processes of our own, and of a user."""

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from simulation import Outcome, Scenario, Workload, simulate
from simulation.incidents import CopiesExpire, TierRenamed, VolumeDeleted
from simulation.model import VolumeModel
from simulation.region import Events
from snapkit.errors import InvalidRequest
from snapkit.strategy import Archive, Copy, Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.simulation.linear import BLOCK, linear

GIB = 2**30
SLOW = Timing(latency=900, rate=inf, spread=0)


def run(*processes: Any, horizon: str = "10d", workload: Workload | None = None, **options: Any) -> Outcome:
    tier = Tier(Schedule("every 6h"), Retention(last=4), "tier", **options)
    volume = workload or linear("100 GiB")
    return simulate(Scenario(Strategy("s", [tier]), volume, horizon, timing=SLOW, processes=processes))


def test_the_snapshots_of_a_deleted_volume_stay_where_retention_counts() -> None:
    outcome = run(VolumeDeleted("5d"))
    assert outcome.log.started[-1] == 5 * 86_400 - 21_600
    assert outcome.summary()["kept"] == 4
    assert outcome.summary()["missed"] == 20


def test_they_go_but_for_the_last_where_it_goes_by_age() -> None:
    outcome = run(VolumeDeleted("5d", expire="2d"))
    assert outcome.summary()["kept"] == 1
    reasons = outcome.snapshots["reason"].tolist()
    assert reasons[-4:] == ["deleted by hand"] * 3 + ["last snapshot"]
    log = outcome.log
    ages = [log.deleted[number] - log.started[number] for _, _, number in log.incidents if isinstance(number, int)]
    assert ages == [2 * 86_400] * 3


def test_the_snapshots_of_a_renamed_tier_stay_for_ever() -> None:
    outcome = run(TierRenamed("121h", "tier"))
    reasons = outcome.snapshots["reason"].tolist()
    assert reasons.count("of tier, which was renamed") == 4
    assert outcome.summary()["kept"] == 8
    assert run().summary()["kept"] == 4
    with pytest.raises(InvalidRequest, match="tier 'daily' is not in the strategy; name one of tier"):
        run(TierRenamed("5d", "daily"))


def test_copies_that_expire_before_the_next_are_full_ones() -> None:
    copies = [Copy("eu-west-1", Retention(last=2))]
    soon, late = (run(CopiesExpire("eu-west-1", age), copies=copies) for age in ("5h", "7h"))
    assert soon.copies["full"].all()
    assert soon.copies["copied_bytes"].eq(100 * GIB).all()
    assert late.copies["full"].tolist() == [True] + [False] * 39
    assert late.summary()["copies_cost_usd"] < soon.summary()["copies_cost_usd"] / 10
    # At most one is there at a time: all its blocks are stored, whatever it was made of.
    assert max(soon.log.copies["eu-west-1"].stored) == 100 * 2048


def test_a_volume_may_be_deleted_while_a_snapshot_of_it_waits() -> None:
    tier = Tier(Schedule("every 1h"), Retention(last=4))
    timing = Timing(latency=9000, rate=inf, spread=0)
    scenario = Scenario(Strategy("s", [tier]), linear("1 GiB"), "1d", volume_type="st1", timing=timing)
    log = simulate(replace(scenario, processes=[VolumeDeleted("90min")])).log
    assert (log.started, log.completed) == ([0], [9000])


def test_what_is_on_its_way_to_the_archive_does_not_expire() -> None:
    """Some are when the volume is deleted; they get there, and the last of all stays."""
    tier = Tier(Schedule("every 1h"), Retention(last=1), "tier", archive=Archive(Retention(last=99)))
    timing = Timing(latency=7200, rate=inf, spread=0)
    scenario = Scenario(Strategy("s", [tier]), linear("1 GiB"), "1d", timing=timing)
    outcome = simulate(replace(scenario, processes=[VolumeDeleted("10h", expire="1min")]))
    assert outcome.archived["archived_at"].notna().tolist() == [True] * 9
    assert outcome.snapshots["reason"].tolist() == ["archived: not among the last 1"] * 9 + ["last snapshot"]


def test_a_tier_may_be_renamed_at_the_moment_of_a_snapshot() -> None:
    """The one that starts then, and the one that is complete then, come after it."""
    hourly = Tier(Schedule("every 1h"), Retention(last=2), "tier")
    scenario = Scenario(
        Strategy("s", [hourly]), linear("1 GiB"), "12h", timing=Timing(latency=3600, rate=inf, spread=0)
    )
    outcome = simulate(replace(scenario, processes=[TierRenamed("6h", "tier")]))
    told = outcome.snapshots["reason"].tolist()
    assert [place for place, reason in enumerate(told) if "renamed" in reason] == [3, 4, 5]
    assert outcome.snapshots["deleted_at"].isna().tolist() == [False] * 3 + [True] * 3 + [False] * 4 + [True] * 3


def test_a_snapshot_may_be_deleted_at_the_moment_when_its_retention_would() -> None:
    def process(volume: VolumeModel) -> Events:
        yield volume.env.timeout(4 * 3600)
        volume.delete(0)

    hourly = Tier(Schedule("every 1h"), Retention(last=3), "tier")
    timing = Timing(latency=3600, rate=inf, spread=0)
    scenario = Scenario(Strategy("s", [hourly]), linear("1 GiB"), "6h", timing=timing, processes=[process])
    assert simulate(scenario).snapshots["reason"].tolist()[:2] == ["deleted by hand", "not among the last 3"]


def by_hand(volume: VolumeModel) -> Events:
    """Take a snapshot before every change, on the third and sixth day at noon."""
    for day in (3, 6):
        yield volume.env.timeout(day * 86_400 + 40_000 - volume.env.now)
        yield from volume.take()


def test_users_add_processes_of_their_own() -> None:
    outcome = run(by_hand)
    frame = outcome.snapshots
    mine = frame[frame["tiers"] == ""]
    assert mine["reason"].tolist() == ["of no tier"] * 2
    assert mine["deleted_at"].isna().all()
    # What it holds the next one need not copy again.
    after = frame.loc[mine.index[0] + 1]
    assert after["changed_bytes"] == pytest.approx((21_600 - 40_000 % 21_600) / 60 * BLOCK)
    assert outcome.summary()["kept"] == run().summary()["kept"] + 2


def test_a_snapshot_that_is_not_there_cannot_be_deleted() -> None:
    def process(number: int) -> Any:
        def deletion(volume: VolumeModel) -> Events:
            yield volume.env.timeout(60)
            volume.delete(number)

        return deletion

    for number in (0, 7, -1):
        with pytest.raises(InvalidRequest, match=f"snapshot {number} is not complete"):
            run(process(number))


def test_processes_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="processes"):
        run("VolumeDeleted")
    with pytest.raises(InvalidRequest, match="gives no generator of events; write it with yield"):
        run(print)
    with pytest.raises(InvalidRequest, match="region 'eu-west-9' gets no copies"):
        run(CopiesExpire("eu-west-9", "1d"))
    iterator: Any = iter([VolumeDeleted("5d")])
    with pytest.raises(InvalidRequest, match="processes"):  # the second strategy of a study would have none
        replace(run().scenario, processes=iterator)


def test_a_volume_that_grows_is_full_at_its_size() -> None:
    """Each snapshot stores what was added since the one before, the oldest all that was there."""
    workload = Workload.from_table({"1h": 0, "1d": 0}, None, "10 GiB").growing("1 GiB")
    outcome = run(workload=workload)
    frame = outcome.snapshots
    assert frame["changed_bytes"].tolist() == pytest.approx([10 * GIB] + [GIB / 4] * 40)
    assert outcome.summary()["stored_end_bytes"] == pytest.approx(20 * GIB)
    with pytest.raises(InvalidRequest, match="is less than the workload reaches, 20 GiB"):
        Scenario(outcome.scenario.strategy, workload, "10d", size="15 GiB")


def test_a_rewrite_makes_the_next_snapshot_a_full_one() -> None:
    frame = run(workload=linear("100 GiB").rewritten("63h")).snapshots
    assert frame["changed_bytes"][11] == 100 * GIB
    assert set(frame["changed_bytes"][12:]) == {360 * BLOCK}


def test_what_the_retention_lets_go_is_archived() -> None:
    outcome = run(archive=Archive(Retention(daily=100)), horizon="20d")
    archived = outcome.archived
    assert outcome.snapshots["reason"][0].startswith("archived: ")
    assert archived["archived_bytes"].eq(100 * GIB).all()
    kept = archived[archived["deleted_at"].isna()]
    # The first of all stays as the oldest, and besides it the last of each day.
    assert (kept["started"].diff().dropna().dt.total_seconds()[1:] == 86_400).all()
    figures = outcome.summary()
    assert figures["archive_cost_usd"] > 0
    assert figures["history_s"] > 15 * 86_400
    assert run(horizon="20d").summary()["archive_cost_usd"] == 0


def test_what_a_process_deletes_protects_no_more() -> None:
    """By hand: snapshots 6 h apart, each pending for 15 min; the second is deleted after 9 h."""

    def deletion(volume: VolumeModel) -> Events:
        yield volume.env.timeout(9 * 3600)
        volume.delete(1)

    figures = run(deletion, horizon="15h").summary()
    # From 9:00 the first counts again, until the third is complete at 12:15.
    assert figures["rpo_max_s"] == 12.25 * 3600
