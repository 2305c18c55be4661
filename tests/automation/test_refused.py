"""What a run refuses before its first step, and what it does not claim of volumes that are left to another one."""

from datetime import datetime, timedelta

import pytest

from snapkit import InvalidRequest
from snapkit.automation import Assignment, plan, run
from snapkit.automation.lease import LEASE
from snapkit.automation.managed import STRATEGY
from snapkit.strategy import Strategy
from tests.automation.ground import HOURLY, marks, protected
from tests.ebs.ground import Field

OTHERS = Strategy("others", HOURLY.tiers)
TWO = "is protected by two strategies, 'hourly', which {} snapkit:strategy names, and 'others'; take the tag off"


def test_the_tag_of_another_strategy_than_the_one_that_is_run_is_refused(own: Field) -> None:
    region = own.region()
    volume = protected(region)[0]
    volume.tag({"Backup": "yes"})
    for given in (Assignment(OTHERS, volumes=(volume.id,)), Assignment(OTHERS, tags={"Backup": "*"})):
        with pytest.raises(InvalidRequest, match=f"{volume.id}.*{TWO.format('its tag')}"):
            run(given, region, apply=True)
    assert marks(region) == []
    assert len(plan(volume, OTHERS)) == 1  # by hand it is allowed
    assert len(run(Assignment(HOURLY, volumes=(volume.id,)), region).plan) == 1


def test_the_tag_of_a_server_is_that_of_its_volumes(own: Field) -> None:
    region, server = own.region(), own.new_server(data_volumes=1)
    volume = server.volumes()[1]
    server.tag({STRATEGY: "hourly"})
    told = TWO.format(f"the tag of its server {server.id}")
    with pytest.raises(InvalidRequest, match=f"{volume.id}.*{told}"):
        run(Assignment(OTHERS, volumes=(volume.id,)), region)
    server.tag({STRATEGY: "others"})
    volume.tag({STRATEGY: "hourly"})
    with pytest.raises(InvalidRequest, match=f"{volume.id}.*{TWO.format('its tag')}"):
        run(OTHERS, region)


@pytest.mark.parametrize(("off", "good"), [(-7200, False), (-280, True), (280, True), (7200, False)])
def test_a_clock_that_is_off_that_of_aws_is_refused(own: Field, off: float, good: bool) -> None:
    class Off:
        def now(self) -> datetime:
            return clock.now() + timedelta(seconds=off)

    region = own.region()
    protected(region)
    clock, region.clock = region.clock, Off()  # type: ignore[assignment] # it never waits
    if good:
        assert run(HOURLY, region).status == 0
        return
    with pytest.raises(InvalidRequest, match="is not the time of AWS, which is 2026-01-05 00:00:00 UTC; set the clock"):
        run(HOURLY, region)


def test_what_is_left_to_another_run_is_not_said_to_be_protected_by_none(own: Field) -> None:
    region = own.region()
    volume = protected(region)[0]
    run(HOURLY, region, apply=True)
    volume.tag({LEASE: "another/2026-01-05T00:10:00Z"})
    (note,) = run(HOURLY, region, apply=True).notes
    assert "is left to another run" in note
