"""What replaces a recovery volume: never older data, nor what does not stand by any more, nor that of other volumes."""

import pytest

from snapkit import InvalidRequest
from snapkit.automation import plan, run
from snapkit.automation.recovery_volumes import built
from tests.automation.test_recovery import THERE, at, days, new_volume, strategy
from tests.ebs.ground import ZONE, Field


def test_one_with_newer_data_is_not_replaced_by_an_older_snapshot(own: Field) -> None:
    region = own.region()
    volume = new_volume(region)
    wanted = strategy("every 1h")
    days(wanted, region, at(6.3))
    (ready,) = built(region)
    region.snapshots.find(volume=volume.id)[0].delete()  # of 06:00, whose data only the recovery volume has now
    region.clock.sleep((at(7.01) - region.clock.now()).total_seconds())
    for _ in range(2):
        run(wanted, region, apply=True)
        assert [one.volume.id for one in built(region)] == [ready.volume.id]
        region.clock.sleep("1s")
    days(wanted, region, at(8.2))
    assert [one.moment > ready.moment for one in built(region)] == [True]


@pytest.mark.parametrize("fate", ["gone", "attached"])
def test_nothing_is_deleted_whose_replacement_does_not_stand_by_any_more(fate: str, own: Field) -> None:
    region = own.region()
    volume = new_volume(region)
    days(strategy(), region, at(7.02))
    old, new = built(region)
    (step,) = [each for each in plan(volume, strategy()) if each.what == "delete" and each.on == old.volume.id]
    if fate == "gone":
        new.volume.delete()
    else:
        new.volume.attach(own.instance(zone=THERE))
    with pytest.raises(InvalidRequest, match=f"is needed: {new.volume.id}, which was to replace it"):
        step.do()
    assert old.volume.refresh().state == "available"


def test_a_plan_of_some_volumes_leaves_the_recovery_volumes_of_others_alone(own: Field) -> None:
    region = own.region()
    new_volume(region)
    days(strategy(), region, at(0.2))
    (used,) = built(region)
    used.volume.attach(own.instance(zone=THERE))
    others = [region.volumes.create(ZONE, "1 GiB") for _ in range(2)]
    assert {step.on for step in plan(others, strategy())} == {each.id for each in others}
