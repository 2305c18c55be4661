"""Volumes are deleted only when nothing uses them, and what is lost is told before."""

import pytest

from snapkit import InUse, NotFound
from tests.ebs.ground import Field


def test_deleting_in_use_is_refused_before_the_call_with_the_way_out(field: Field) -> None:
    server = field.new_server()
    volume = field.new_volume().attach(server)
    field.faults("DeleteVolume", throttle=1)
    told = f"DeleteVolume of {volume.id} was refused .*it is attached to {server.id} as /dev/sdf; unmount .*detach"
    with pytest.raises(InUse, match=told):
        volume.delete()
    assert len(field.sandbox.faults.pending()) == 1
    field.sandbox.faults.clear()
    volume.detach().delete()
    with pytest.raises(NotFound):
        volume.refresh()


def test_a_volume_attached_since_it_was_read_is_refused_by_aws(field: Field) -> None:
    volume = field.new_volume()
    field.region().volumes.get(volume.id).attach(field.new_server())
    with pytest.raises(InUse, match=volume.id):
        volume.delete()


def test_a_volume_detached_since_it_was_read_goes(field: Field) -> None:
    volume = field.new_volume().attach(field.new_server())
    field.region().volumes.get(volume.id).detach()
    volume.delete()
    assert len(field.region().volumes.find(name=volume.name, state="available")) == 0


def test_evidence_says_what_uses_it_and_where_else_its_data_is(field: Field) -> None:
    volume = field.new_volume()
    made = "made 2026-01-05 00:00 UTC"
    assert volume.evidence() == ("attached to no server", "no complete snapshot of it: its data is nowhere else", made)
    server = field.new_server()
    volume.attach(server)
    snapshot = volume.take_snapshot().wait()
    field.clock.advance("1h")
    pending = volume.take_snapshot()
    assert volume.evidence() == (
        f"attached to {server.id} as /dev/sdf: in use",
        f"the newest complete snapshot of it is {snapshot.id} of {snapshot.taken_at:%Y-%m-%d %H:%M} UTC: "
        "what was written since is lost",
        f"still pending: {pending.id}",
        made,
    )
    clone = snapshot.create_volume(volume.zone)
    assert clone.evidence()[-1].endswith(f"UTC from {snapshot.id}")


def test_evidence_says_that_the_newest_snapshot_is_in_the_archive(field: Field) -> None:
    volume = field.new_volume()
    snapshot = volume.take_snapshot().wait()
    snapshot.archive(confirm=snapshot.id)
    field.clock.advance("3d")
    assert ", in the archive: what was written since is lost" in volume.evidence()[1]
