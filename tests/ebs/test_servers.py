"""Snapshots of all the volumes of a server, of one moment."""

import pytest

from snapkit import InvalidRequest, NotFound, SnapshotFailed
from tests.ebs.ground import Field


def test_all_volumes_are_taken_at_one_moment(field: Field) -> None:
    server = field.new_server(data_volumes=2)
    taken = server.take_snapshots("set", group="db", billing_code="CC-1")
    assert {each.volume_id for each in taken} == set(server.devices.values())
    assert len({each.taken_at for each in taken}) == 1
    assert {(each.name, each.group, each.billing_code) for each in taken} == {("set", "db", "CC-1")}
    assert [each.wait().state for each in taken] == ["completed"] * 3


def test_the_root_and_data_volumes_can_be_left_out(field: Field) -> None:
    server = field.new_server(data_volumes=2)
    root, first, second = (volume.id for volume in server.volumes())
    assert root == server.root_volume_id
    assert server.volumes().to_frame()["device"].tolist() == list(server.devices)
    assert {each.volume_id for each in server.take_snapshots(root=False)} == {first, second}
    assert {each.volume_id for each in server.take_snapshots(leave_out=[first])} == {root, second}
    with pytest.raises(InvalidRequest, match="is no data volume of"):
        server.take_snapshots(leave_out=[root])
    with pytest.raises(InvalidRequest, match="has no volume left"):
        server.take_snapshots(root=False, leave_out=[first, second])


def test_ids_that_are_hidden_at_first_are_given_all_the_same(field: Field) -> None:
    server = field.new_server(data_volumes=1)
    field.faults("CreateSnapshots", hidden=2)
    assert len(server.take_snapshots("set")) == 2


def test_if_one_fails_all_do(field: Field) -> None:
    server = field.new_server(data_volumes=1)
    field.faults("CreateSnapshots", failing=1, message="Something broke.")
    for each in server.take_snapshots():
        with pytest.raises(SnapshotFailed, match="Something broke"):
            each.wait()


def test_a_server_is_read_again(field: Field) -> None:
    server = field.new_server()
    assert repr(server) == f"<Server {server.id}: running in us-east-1a, 1 volume>"
    field.new_volume().attach(server.id)
    assert server.refresh() is server
    assert repr(server) == f"<Server {server.id}: running in us-east-1a, 2 volumes>"


def test_a_server_that_is_not_there_is_not_found(field: Field) -> None:
    with pytest.raises(NotFound):
        field.region().servers.get("i-00000000000000000")
