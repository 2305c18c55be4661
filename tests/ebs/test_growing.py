"""Volumes made larger, and how their file systems follow."""

import pytest

from snapkit import AwsError, InUse, InvalidRequest
from snapkit.units import GIB
from tests.ebs.ground import Field


def test_a_volume_has_its_new_size_when_it_is_returned(field: Field) -> None:
    volume = field.new_volume(8)
    assert volume.modification() is None
    assert volume.resize("10 GiB") is volume
    assert volume.size == 10 * GIB
    change = volume.modification()
    assert change is not None
    assert (change.state, change.before, change.after) == ("optimizing", 8 * GIB, 10 * GIB)
    assert repr(change) == f"<Modification of {volume.id} from 8 GiB to 10 GiB: optimizing, {change.percent} %>"


def test_a_volume_only_grows_and_up_to_what_its_type_has(field: Field) -> None:
    volume = field.new_volume(8)
    field.faults("ModifyVolume", throttle=1)
    with pytest.raises(InvalidRequest, match="is not above 8 GiB; a volume can only grow"):
        volume.resize("8 GiB")
    with pytest.raises(InvalidRequest, match="size '65 TiB' is not from 1 to 65,536 GiB, as gp3 volumes are"):
        volume.resize("65 TiB")
    with pytest.raises(InvalidRequest, match="is not in whole GiB"):
        volume.resize("8.5 GiB")
    assert len(field.sandbox.faults.pending()) == 1


def test_a_second_change_waits_for_the_first_with_the_way_out(field: Field) -> None:
    volume = field.new_volume(8)
    volume.resize("9 GiB")
    with pytest.raises(InUse, match=r"wait until the change before is complete; volume.modification\(\) tells"):
        volume.resize("10 GiB")
    for gib in (10, 11, 12):
        field.clock.advance("1h")
        volume.resize(f"{gib} GiB")
    field.clock.advance("1h")
    with pytest.raises(AwsError, match="a volume can be changed 4 times within 24 hours: wait"):
        volume.resize("13 GiB")
    field.clock.advance("1d")
    assert volume.resize("13 GiB").size == 13 * GIB


def test_a_refusal_of_another_kind_is_passed_on(field: Field) -> None:
    volume = field.new_volume(8)
    volume.region.volumes.get(volume.id).delete()
    with pytest.raises(AwsError, match=f"ModifyVolume of {volume.id}"):
        volume.resize("9 GiB")
    with pytest.raises(AwsError, match=f"DescribeVolumesModifications of {volume.id}"):
        volume.modification()


def test_how_the_file_system_follows_is_told_for_this_very_volume(field: Field) -> None:
    volume = field.new_volume(8)
    assert "On the server, once it is attached:" in volume.grow_hint()
    server = field.new_server()
    hint = volume.attach(server).resize("9 GiB").grow_hint()
    assert hint.splitlines()[:2] == [
        f"{volume.id} has 9 GiB; its file system keeps its size until you grow it.", f"On {server.id}, as /dev/sdf:",
    ]  # fmt: skip
    assert f"the serial vol{volume.id.removeprefix('vol-')}\n" in hint
    for command in ("growpart", "xfs_growfs", "resize2fs"):
        assert command in hint
