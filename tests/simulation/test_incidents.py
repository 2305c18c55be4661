"""What happens besides the schedule: by processes of our own, and of a user."""

from math import inf
from typing import Any

import pytest

from simulation import Outcome, Scenario, Workload, simulate
from simulation.incidents import CopiesExpire, TierRenamed, VolumeDeleted
from simulation.model import Volume
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
    ages = [outcome.log.deleted[number] - outcome.log.started[number] for number in outcome.log.by_hand]
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


def by_hand(volume: Volume) -> Events:
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
    def process(volume: Volume) -> Events:
        yield volume.env.timeout(60)
        volume.delete(0)

    with pytest.raises(InvalidRequest, match="snapshot 0 is not complete"):
        run(process)


def test_processes_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="processes"):
        run("VolumeDeleted")


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
