"""The page of volumes."""

from snapkit.console.actions import Action
from snapkit.console.page import Page, moment
from snapkit.ebs import Estate, Volume
from snapkit.ebs.columns import WHERE
from snapkit.ebs.listing import Listing
from snapkit.ebs.volumes import COLUMNS
from snapkit.forms import AttachForm, DetachForm, MakeSnapshotForm
from snapkit.units import bytes_text


class VolumesPage(Page):
    """The volumes of a region or an estate: found, snapshotted, attached, detached."""

    noun = "volume"
    sorted_by = "name"
    columns = (*COLUMNS[:2], *WHERE, *COLUMNS[2:])
    actions = (
        Action("Make snapshot", MakeSnapshotForm, "Volume", ("Snapshot",)),
        Action("Attach", AttachForm, "Volume", ("Attach",), lambda volume: not volume.server_id),
        Action("Detach", DetachForm, "Volume", ("Detach",), lambda volume: bool(volume.server_id)),
    )

    def facts(self, item: Volume) -> dict[str, str]:
        """Tell what is known of a volume: what it is, where it is, where it comes from."""
        return {
            "ID": item.id,
            "state": item.state,
            "attached": f"to {item.server_id} as {item.device}" if item.server_id else "to no server",
            "zone": item.zone,
            "size": f"{bytes_text(item.size)} {item.volume_type}",
            "speed": _speed(item),
            "stored": f"{'' if item.encrypted else 'not '}encrypted",
            "made": moment(item.created_at),
            "made from": item.snapshot_id,
        }

    def asked(self, item: Volume) -> dict[str, str]:
        """Look up its snapshots."""
        found = item.region.snapshots.find(volume=item.id)
        if not found:
            return {"snapshots": "none"}
        return {
            "snapshots": f"{len(found):,}, the newest {found[0].id}, {found[0].state}, of {moment(found[0].taken_at)}"
        }

    def _find(self, estate: Estate) -> Listing[Volume]:
        return estate.volumes.find()


def _speed(volume: Volume) -> str:
    iops, throughput = volume.raw.get("Iops"), volume.raw.get("Throughput")
    return ", ".join([f"{iops} IOPS"] * bool(iops) + [f"{throughput} MiB/s"] * bool(throughput))
