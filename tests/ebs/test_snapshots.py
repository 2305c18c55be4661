"""Snapshots as objects: what they are, their tags, and deleting them."""

from typing import Any

import pytest

from snapkit import InUse, InvalidRequest, NotFound
from snapkit.ebs import Region
from snapkit.tags import TagKeys
from tests.ebs.ground import Field


def test_name_group_and_billing_code_come_from_the_volume_or_are_given(field: Field) -> None:
    volume = field.new_volume(name="v", group="db", billing_code="CC-1")
    plain = volume.take_snapshot()
    given = volume.take_snapshot("s", group="web", billing_code="CC-2", description="why", tags={"stage": "test"})
    assert (plain.name, plain.group, plain.billing_code) == ("v", "db", "CC-1")
    assert (given.name, given.group, given.billing_code, given.description) == ("s", "web", "CC-2", "why")
    assert given.tags["stage"] == "test"
    assert given.refresh().tags["snapkit:group"] == "web"


def test_pain_21_tags_lost_they_are_set_in_the_same_call(field: Field) -> None:
    field.faults("CreateTags", throttle=1)
    field.new_volume(name="v").take_snapshot("s", tags={"a": "b"})
    assert len(field.sandbox.faults.pending()) == 1
    assert field.region().snapshots.find(name="s")[0].tags["a"] == "b"


def test_the_keys_of_the_standard_tags_can_be_others(field: Field) -> None:
    region = Region(field.ec2(), clock=field.region().clock, tag_keys=TagKeys(group="Team", billing_code="CostCenter"))
    volume = region.volumes.create("us-east-1a", "1 GiB", group="db", billing_code="CC-1")
    assert volume.tags == {"Team": "db", "CostCenter": "CC-1"}
    assert len(region.volumes.find(group="db", billing_code="CC-1")) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tags": {f"k{number}": "v" for number in range(51)}}, "tags 51 are more than 48"),
        ({"tags": {"aws:mine": "v"}}, "tag 'aws:mine' is no key"),
        ({"tags": {"": "v"}}, "tag '' is no key"),
        ({"tags": {"k" * 128: "v"}}, "is no key; give 1 to 127 characters"),
        ({"tags": {"k": "v" * 256}}, "is longer than 255 characters; shorten it"),
        ({"tags": {"k": 1}}, "tag k 1 is no text"),
        ({"name": "n" * 256}, "is longer than 255 characters"),
        ({"name": 5}, "5 is no text"),
        ({"description": "d" * 256}, "is longer than 255 characters"),
    ],
)
def test_tags_that_cannot_be_are_refused_before_any_call(field: Field, options: dict[str, Any], words: str) -> None:
    volume = field.new_volume()
    field.faults("CreateSnapshot", throttle=1)
    with pytest.raises(InvalidRequest) as caught:
        volume.take_snapshot(**options)
    assert words in str(caught.value)
    assert len(field.sandbox.faults.pending()) == 1


def test_tags_can_be_set_later_up_to_fifty(field: Field) -> None:
    snapshot = field.new_volume(name="v").take_snapshot()
    snapshot.tag({"snapkit:group": "web"})
    assert (snapshot.group, snapshot.refresh().group) == ("web", "web")
    snapshot.tag({f"k{number}": "v" for number in range(47)})
    assert len(snapshot.refresh().tags) == 50
    with pytest.raises(InvalidRequest, match="tags 51 are more than 50; remove some first"):
        snapshot.tag({"one more": "v"})


def test_equality_is_by_region_and_id(field: Field) -> None:
    region, volume = field.region(), field.new_volume()
    snapshot = volume.take_snapshot()
    one, same = region.snapshots.get(snapshot.id), region.snapshots.get(snapshot.id)
    assert one == same
    assert len({one, same, region.volumes.get(volume.id)}) == 2
    assert one != field.region().snapshots.get(snapshot.id)
    assert one != snapshot.id


def test_what_is_gone_is_not_found(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    snapshot.delete()
    with pytest.raises(NotFound, match=f"DescribeSnapshots of {snapshot.id} .*check the id, the region"):
        snapshot.refresh()


def test_deleting_twice_is_said(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    snapshot.delete()
    with pytest.raises(NotFound):
        snapshot.delete()


def test_a_deletion_whose_answer_was_lost_is_done() -> None:
    from snapkit import Sandbox

    sandbox = Sandbox()
    region = sandbox.region()
    snapshot = region.volumes.create("us-east-1a", "1 GiB").take_snapshot().wait()
    sandbox.faults.add("DeleteSnapshot", lost=1)
    snapshot.delete()
    assert len(region.snapshots.find()) == 0


def test_pain_14_snapshot_in_use_is_said_with_what_to_do(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot.id}}
    field.ec2().register_image(Name="image", RootDeviceName="/dev/xvda", BlockDeviceMappings=[mapping])
    with pytest.raises(InUse, match=rf"{snapshot.id} .*image ami-\w+ stands on it; deregister ami-\w+ first"):
        snapshot.delete()
    assert field.count() == 1
