"""Deleting volumes, with what speaks for it and against."""

from typing import TYPE_CHECKING

from snapkit.ebs.blockers import is_copy
from snapkit.errors import InUse

if TYPE_CHECKING:
    from snapkit.ebs.volumes import Volume


def evidence(volume: "Volume") -> tuple[str, ...]:
    """Tell what speaks for deleting a volume, and against, a sentence each: is it in use, is its data elsewhere?

    Raises:
        AwsError: AWS refuses to say.
    """
    volume.refresh()
    server = f"attached to {volume.server_id} as {volume.device}: in use" if volume.server_id else ""
    taken = [each for each in volume.region.snapshots.find(volume=volume.id) if not is_copy(each)]
    complete = [each for each in taken if each.state == "completed"]
    if complete:
        newest = complete[0]
        archived = ", in the archive" if newest.tier == "archive" else ""
        moment = f"{newest.taken_at:%Y-%m-%d %H:%M} UTC"
        data = (
            f"the newest complete snapshot of it is {newest.id} of {moment}{archived}: what was written since is lost"
        )
    else:
        data = "no complete snapshot of it: its data is nowhere else"
    made = f"made {volume.created_at:%Y-%m-%d %H:%M} UTC" + (
        f" from {volume.snapshot_id}" if volume.snapshot_id else ""
    )
    pending = [each.id for each in taken if each.state == "pending"]
    waiting = (f"still pending: {', '.join(pending)}",) if pending else ()
    return (server or "attached to no server", data, *waiting, made)


def delete(volume: "Volume") -> None:
    """Delete a volume; see `evidence` first. Only the recycle bin can bring it back, where a rule keeps it there.

    Raises:
        InUse: it is attached; nothing was done.
        AwsError: AWS refuses.
    """
    volume.region.allow("Volume", "Delete", volume)
    if volume.server_id and volume.refresh().server_id:
        told = f"it is attached to {volume.server_id} as {volume.device}"
        remedy = "unmount its file systems, and detach() it first"
        raise InUse("VolumeInUse", "DeleteVolume", told, volume.id, remedy)
    volume.region.aws.remove("DeleteVolume", volume.id, VolumeId=volume.id)
