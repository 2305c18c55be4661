"""Leases: held on to in a long run, and never taken from another."""

from snapkit import Sandbox
from snapkit.automation import Run, run
from snapkit.automation.lease import LEASE
from snapkit.ebs import Region
from snapkit.plan import Deed
from tests.automation.ground import HOURLY, marks, protected


def test_a_long_run_holds_on_to_its_lease(region: Region) -> None:
    volumes = protected(region, 5)
    beside = list[Run]()

    def slow(_: Deed) -> None:
        region.clock.sleep("4min")
        beside.append(run(HOURLY, region, apply=True))

    assert run(HOURLY, region, apply=True, on_deed=slow).status == 0
    assert [len(each.plan) for each in beside] == [0] * 5
    assert all("is left to another run" in each.notes[0] for each in beside)
    assert len(marks(region)) == 5
    assert not any(LEASE in each.refresh().tags for each in volumes)


def test_a_lease_that_another_run_has_by_now_stays_theirs(region: Region) -> None:
    volumes = protected(region, 2)
    first = min(volumes, key=lambda each: each.id)
    theirs = "another/2026-01-05T02:00:00Z"

    def slow(_: Deed) -> None:
        region.clock.sleep("11min")
        first.refresh().tag({LEASE: theirs})

    assert run(HOURLY, region, apply=True, on_deed=slow).status == 0
    assert first.refresh().tags[LEASE] == theirs


def test_a_lease_that_a_wrong_clock_wrote_keeps_nobody_waiting(region: Region) -> None:
    (volume,) = protected(region)
    volume.tag({LEASE: "another/2099-01-05T00:00:00Z"})
    assert len(run(HOURLY, region, apply=True).plan) == 1
    assert LEASE not in volume.refresh().tags


def test_a_run_that_cannot_set_tags_goes_on_without_a_lease(sandbox: Sandbox, region: Region) -> None:
    protected(region)
    sandbox.faults.add("CreateTags", unavailable=99)
    told = run(HOURLY, region, apply=True)
    assert [deed.result for deed in told.applied or ()] == ["done"]
    assert "no lease for 'hourly' in us-east-1" in told.notes[0]
