"""Looking up all that costs in a region or an estate, and what each of it costs a month."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from snapkit.ebs._aws import IDS
from snapkit.ebs.blockers import DENIED, FAST_RESTORES_PAGE
from snapkit.ebs.costs import Cost, Costs
from snapkit.ebs.deleting import full_size
from snapkit.ebs.storing import NOT_TOLD, stored
from snapkit.errors import AwsError, InvalidRequest
from snapkit.prices import MONTH

if TYPE_CHECKING:
    from snapkit.ebs.estate import Estate
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot
    from snapkit.ebs.volumes import Volume

_PAID = ("enabling", "optimizing", "enabled")
"""The states in which fast snapshot restore is paid for: see `snapkit.ebs.restoring.FastRestore`."""


def find(region: "Region") -> Costs:
    """Tell what the snapshots, volumes and fast snapshot restores of an account in a region cost a month from now on.

    It takes a listing of each, and a look at the snapshots that volumes were made from. Volumes or fast restores that
    this account may not list are left out, and named in `Costs.failed`.

    Raises:
        AwsError: AWS refuses to list the snapshots, or something else for another reason than a missing permission.
    """
    failed: dict[str, AwsError] = {}
    snapshots = list(region.snapshots.find())
    mine = {each.id: each for each in snapshots}
    volumes = _volumes(region, failed)
    foreign = _foreign(region, list((volumes or {}).values()), mine)
    things = [Cost.of_stored(each) for each in stored(snapshots, volumes, foreign)]
    things += [_of_archived(each) for each in snapshots if each.tier == "archive" or each.raw.get("RestoreExpiryTime")]
    priced = {volume.id: _of_volume(volume) for volume in (volumes or {}).values()}
    things += [each for each in priced.values() if each is not None]
    things += _of_fast_restores(region, mine, failed)
    lacking = [volume_id for volume_id, each in priced.items() if each is None]
    remarks = [f"not included: {', '.join(lacking)}, of a type that has no price here"] if lacking else []
    return Costs(things, failed=failed, remarks=remarks)


def across(estate: "Estate") -> Costs:
    """Tell what an estate costs a month, each region as `find` does; regions that refuse are named.

    A region that is in the estate twice counts once.
    """
    found: dict[str, Costs] = {}
    failed: dict[str, AwsError] = {}
    for _, label, answer in estate._ask(find):
        if isinstance(answer, AwsError):
            failed[label] = answer
        else:
            found[label] = answer
            failed |= {f"{what} of {label}": error for what, error in answer.failed.items()}
    remarks = [remark for each in found.values() for remark in each.remarks]
    return Costs([thing for each in found.values() for thing in each.things], failed=failed, remarks=remarks)


def _volumes(region: "Region", failed: dict[str, AwsError]) -> "dict[str, Volume] | None":
    """List all volumes, those that a service manages too; None where this account may not."""
    from snapkit.ebs.volumes import Volume  # a volume knows the region, which knows its costs

    try:
        raws = list(region.aws.pages("DescribeVolumes", "Volumes", IncludeManagedResources=True))
    except AwsError as error:
        if error.code not in DENIED:
            raise
        failed["volumes"] = error
        return None
    return {raw["VolumeId"]: Volume(region, raw) for raw in raws if raw["State"] not in ("deleting", "deleted")}


def _foreign(region: "Region", volumes: "Sequence[Volume]", mine: "Mapping[str, Snapshot]") -> set[str]:
    """Find which of the snapshots that volumes were made from belong to other accounts, as far as they can be seen."""
    origins = sorted({volume.snapshot_id for volume in volumes} - {"", *mine})
    seen: set[str] = set()
    for start in range(0, len(origins), IDS):
        narrow = [{"Name": "snapshot-id", "Values": origins[start : start + IDS]}]
        seen |= {raw["SnapshotId"] for raw in region.aws.pages("DescribeSnapshots", "Snapshots", Filters=narrow)}
    return seen


def _of_archived(snapshot: "Snapshot") -> Cost:
    """Price a snapshot in the archive, which shares its blocks with none; also while it is temporarily restored."""
    most = snapshot.region.prices.archived_monthly(full_size(snapshot))
    if snapshot.full_size is None:
        return Cost.of(snapshot, "archived snapshots", 0.0, most, basis="assumed", why=NOT_TOLD)
    return Cost.of(snapshot, "archived snapshots", most, most)


def _of_volume(volume: "Volume") -> Cost | None:
    """Price a volume; nothing where there is no price for its type."""
    iops, throughput = (int(volume.raw.get(name) or 0) for name in ("Iops", "Throughput"))
    try:
        monthly = volume.region.prices.volume(volume.volume_type, volume.size, MONTH, iops=iops, throughput=throughput)
    except InvalidRequest:
        return None
    return Cost.of(volume, "volumes", monthly, monthly)


def _of_fast_restores(region: "Region", mine: "Mapping[str, Snapshot]", failed: dict[str, AwsError]) -> Iterator[Cost]:
    """Price what this account has enabled, each zone by itself, also for snapshots that others share with it."""
    monthly = region.prices.fast_restored(MONTH)
    try:
        states = [{"Name": "state", "Values": list(_PAID)}]
        for raw in region.aws.pages(
            "DescribeFastSnapshotRestores", "FastSnapshotRestores", size=FAST_RESTORES_PAGE, Filters=states
        ):
            snapshot = mine.get(raw["SnapshotId"])
            if snapshot is not None:
                yield Cost.of(snapshot, "fast snapshot restore", monthly, monthly)
            else:
                yield Cost(
                    region=region, what="fast snapshot restore", id=str(raw["SnapshotId"]), low=monthly, high=monthly
                )
    except AwsError as error:
        if error.code not in DENIED:
            raise
        failed["fast snapshot restores"] = error
