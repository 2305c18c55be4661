"""The volumes of a server, whose snapshots are taken at once: they are complete, and fail, together."""

from math import inf
from typing import Any

import pytest

from simulation import Conditions, Fleet, Scenario, Workload, simulate
from snapkit.errors import InvalidRequest
from snapkit.strategy import Archive, Copy, Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.simulation.linear import BLOCK, linear

GIB = 2**30
HOURLY = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=3), "tier", retries=0)])
SERVER = Workload.together({"root": linear("1 GiB"), "data": linear("4 GiB", 3)})
STEADY = Timing(latency=60, rate=4e6, spread=0)


def server(**options: Any) -> Scenario:
    return Scenario(HOURLY, SERVER, "6h", **{"timing": STEADY, **options})


def test_a_set_holds_what_all_change_and_is_complete_when_the_slowest_is() -> None:
    frame = simulate(server()).snapshots
    assert frame["changed_bytes"].tolist() == [5 * GIB, *[240 * BLOCK] * 6]
    assert frame["duration_s"][0] == pytest.approx(60 + 4 * GIB / 4e6)
    assert frame["duration_s"][1:6].tolist() == pytest.approx([60 + 180 * BLOCK / 4e6] * 5)


def test_the_uploads_of_a_set_share_what_the_region_has() -> None:
    frame = simulate(server(conditions=Conditions(bandwidth=4e6))).snapshots
    # Both run at half the rate until the small one is sent, then the large one alone: as long as 5 GiB one by one.
    assert frame["duration_s"][0] == pytest.approx(60 + 5 * GIB / 4e6)


def test_a_set_takes_as_many_places_as_it_has_volumes() -> None:
    conditions = Conditions(pending=3)
    fleet = Fleet({name: server(conditions=conditions) for name in ("a", "b")})
    outcomes = simulate(fleet)
    first, second = (outcomes[name].log for name in ("a", "b"))
    assert first.started[0] == 0
    assert second.started[0] == first.completed[0]
    assert outcomes.pending["us-east-1"].max() == 1  # sets, of two volumes each


def test_a_set_fails_where_one_of_its_volumes_does() -> None:
    """Within four standard deviations: a false alarm once in 16,000, and never with this seed."""
    timing, conditions = Timing(latency=60, rate=inf, spread=0), Conditions(failing=0.1)
    frame = simulate(Scenario(HOURLY, SERVER, "60d", timing=timing, conditions=conditions), 1).snapshots
    share = (frame["state"] == "error").mean()
    assert abs(share - 0.19) < 4 * (0.19 * 0.81 / len(frame)) ** 0.5


def test_what_a_failed_set_has_not_sent_the_next_one_sends_of_each_volume() -> None:
    timing = Timing(latency=0, rate=4 * GIB / 7200, spread=0)
    scenario = server(timing=timing, conditions=Conditions(failing=0.3))
    outcome = next(
        each
        for each in (simulate(scenario, seed) for seed in range(99))
        if each.snapshots["state"].tolist()[:2] == ["error", "completed"]
    )
    assert outcome.log.failed[0] == 7200
    assert outcome.snapshots["changed_bytes"][1] == 5 * GIB
    assert outcome.log.completed[1] == pytest.approx(7200 + (4 * GIB - 180 * BLOCK) / timing.rate)


def test_the_volumes_of_a_set_are_copied_and_archived_side_by_side() -> None:
    few = Retention(last=2)
    tier = Tier(Schedule("every 6h"), few, "tier", copies=[Copy("eu-west-1", few)], archive=Archive(few))
    outcome = simulate(Scenario(Strategy("s", [tier]), SERVER, "2d", timing=STEADY))
    copies, archived = outcome.copies, outcome.archived
    first, second = (copies["completed"] - copies["begun"]).dt.total_seconds()[:2]
    assert (first, second) == pytest.approx((60 + 4 * GIB / 4e6, 60 + 3 * 360 * BLOCK / 4e6), abs=2e-3)
    assert copies["copied_bytes"][:2].tolist() == [5 * GIB, 4 * 360 * BLOCK]
    archiving = (archived["archived_at"] - archived["begun"]).dt.total_seconds()
    assert archiving[0] == pytest.approx(60 + 4 * GIB / 4e6, abs=2e-3)
    assert archived["archived_bytes"][0] == 5 * GIB


def test_servers_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="pending"):
        server(conditions=Conditions(pending=1))
    with pytest.raises(InvalidRequest, match="size '5 GiB' is not that of each of the 2 volumes"):
        server(size="5 GiB")
