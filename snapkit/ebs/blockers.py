"""What stands in the way of deleting a snapshot, in words, and the way out.

Everything is looked up for many snapshots at once: a thousand take as many calls as one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from snapkit.ebs._aws import IDS
from snapkit.ebs._resource import Resource
from snapkit.errors import AwsError, InvalidRequest

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

Found = TypeVar("Found")

FAST_RESTORES_PAGE = 200
"""Source: EC2 API reference, DescribeFastSnapshotRestores, MaxResults."""

BACKUP_TAG = "aws:backup:source-resource"
"""What AWS Backup tags. Source: AWS Backup developer guide, "Tags copied onto backups"."""

BACKUP_DESCRIPTION = "This snapshot is created by the AWS Backup service."
"""How AWS Backup describes its snapshots. Source: seen in the EC2 console; *assumed* to stay so."""

POLICY_TAG = "aws:dlm:lifecycle-policy-id"
"""What Data Lifecycle Manager tags. Source: EBS user guide, "Automate backups with Amazon Data Lifecycle Manager"."""

POLICY_DESCRIPTION = "Created for policy: "
"""How Data Lifecycle Manager begins its descriptions. Source: seen in the EC2 console; *assumed* to stay so."""


@dataclass(frozen=True)
class Blocker:
    """Something that stands in the way of deleting a snapshot.

    Attributes:
        snapshot_id: which snapshot.
        reason: what it is, as the rest of a sentence about the snapshot.
        remedy: the way out.
        hard: whether the snapshot cannot be deleted before; if not, it is a warning.
    """

    snapshot_id: str
    reason: str
    remedy: str
    hard: bool = True

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}"


def blockers(
    snapshots: "Snapshot | Sequence[Snapshot]", *, shares: Mapping[str, Sequence[str]] | None = None
) -> tuple[Blocker, ...]:
    """Tell what stands in the way of deleting snapshots of one region, all of them together.

    Hard: an image that stands on it, a disabled one too; fast snapshot restore; a lock; that AWS Backup manages it;
    that it belongs to another account; that the roles of the user do not allow it. Warnings: that Data Lifecycle
    Manager counts it, that it is shared, that no complete snapshot of its volume would be left, that it is pending;
    and what this account is not allowed to look up.

    Args:
        snapshots: one, or those that are to be deleted together.
        shares: with whom each is shared, if that was looked up: see `snapkit.ebs.exposure.shares_of`. Without it only
            public ones are known, and with whom a snapshot was last seen to be shared; AWS tells the rest one at a
            time.

    Returns:
        In the order of the snapshots, hard ones first.

    Raises:
        AwsError: AWS refuses, other than for a missing permission.

    Source:
        EBS user guide, "Delete an Amazon EBS snapshot", "Amazon EBS snapshot lock". A snapshot of AWS Backup:
        InvalidParameterValue, "managed by the AWS Backup service and cannot be deleted via EC2 APIs" (Cloud Custodian
        issue 9459). Fast snapshot restore: InvalidSnapshot.InUse (aws-nuke issue 453, 2020); by now the user guide says
        that it ends by itself. As somebody pays for it, it counts as a hard one.
    """
    asked = [snapshots] if isinstance(snapshots, Resource) else list(snapshots)
    if not asked:
        return ()
    region, ids = asked[0].region, [snapshot.id for snapshot in asked]
    found: dict[str, list[Blocker]] = defaultdict(list)
    looks: tuple[tuple[str, Callable[[], Iterator[Blocker]]], ...] = (
        ("images stand on it", lambda: images(region, ids)),
        ("fast snapshot restore is on", lambda: fast_restores(region, ids)),
        ("it is locked", lambda: locks(region, ids)),
        ("it is public", lambda: _shares(region, asked, shares)),
        # Last: what cannot be deleted is left of its volume.
        ("others are left of its volume", lambda: _last_ones(asked, deletable(found, ids))),
    )
    for blocker in _told_by_itself(region, asked):
        found[blocker.snapshot_id].append(blocker)
    for what, look in looks:
        try:
            seen = list(look())
        except AwsError as error:
            if error.code not in DENIED:
                raise
            told = f"whether {what} could not be looked up ({error.operation}: {error.code})"
            seen = [Blocker(each, told, "AWS will tell", hard=False) for each in ids]
        for blocker in seen:
            found[blocker.snapshot_id].append(blocker)
    return tuple(blocker for each in ids for blocker in sorted(found[each], key=lambda blocker: not blocker.hard))


DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
"""The codes by which AWS says that a permission is missing. Source: EC2 API reference, "Error codes"."""


def if_allowed(look: Callable[[], Found]) -> Found | None:
    """Look something up; nothing where this account may not.

    Raises:
        AwsError: AWS refuses, other than for a missing permission.
    """
    try:
        return look()
    except AwsError as error:
        if error.code not in DENIED:
            raise
        return None


def images(region: "Region", ids: Sequence[str]) -> Iterator[Blocker]:
    """Find the images that stand on snapshots."""
    for image_id, snapshot_id, state in images_on(region, ids):
        disabled = " (disabled)" if state == "disabled" else ""
        told = f"the image {image_id}{disabled} stands on it"
        yield Blocker(snapshot_id, told, f"deregister {image_id} first, if nobody starts servers from it")


def images_on(region: "Region", ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Find the images of this account that stand on snapshots: image, snapshot, and state of the image.

    Source: EC2 API reference, DescribeImages: disabled ones are left out unless IncludeDisabled is given.
    """
    wanted = set(ids)
    # AWS takes so many values in a filter; beyond that one listing of all is less than many calls.
    narrow = [{"Name": "block-device-mapping.snapshot-id", "Values": list(ids)}] if len(ids) <= IDS else None
    for image in region.aws.pages("DescribeImages", "Images", Owners=["self"], IncludeDisabled=True, Filters=narrow):
        on = {str(device.get("Ebs", {}).get("SnapshotId")) for device in image.get("BlockDeviceMappings", [])}
        for snapshot_id in sorted(on & wanted):
            yield str(image["ImageId"]), snapshot_id, str(image.get("State", ""))


def fast_restores(region: "Region", ids: Sequence[str]) -> Iterator[Blocker]:
    """Find the snapshots for which fast restore is on."""
    on: dict[str, list[str]] = defaultdict(list)
    states = [{"Name": "state", "Values": ["enabling", "optimizing", "enabled"]}]
    for each in region.aws.pages(
        "DescribeFastSnapshotRestores", "FastSnapshotRestores", size=FAST_RESTORES_PAGE, Filters=states
    ):
        on[each["SnapshotId"]].append(each["AvailabilityZone"])
    for snapshot_id in ids:
        if zones := ", ".join(sorted(on[snapshot_id])):
            yield Blocker(snapshot_id, f"fast snapshot restore is on in {zones}", "disable it there first")


def locks(region: "Region", ids: Sequence[str]) -> Iterator[Blocker]:
    """Find the snapshots that are locked."""
    wanted = set(ids)
    for each in region.aws.pages("DescribeLockedSnapshots", "Snapshots"):
        state, snapshot_id = str(each["LockState"]), str(each["SnapshotId"])
        if snapshot_id not in wanted or state == "expired":
            continue
        end = f" until {each['LockExpiresOn']:%Y-%m-%d %H:%M} UTC" if each.get("LockExpiresOn") else ""
        remedy = "wait until then: nobody can unlock it" if state == "compliance" else "unlock it first"
        yield Blocker(snapshot_id, f"it is locked ({state}){end}", remedy)


def deletable(found: Mapping[str, Sequence[Blocker]], ids: Sequence[str]) -> frozenset[str]:
    """Tell which snapshots can be deleted, of those in whose way certain things were found."""
    return frozenset(each for each in ids if not any(blocker.hard for blocker in found.get(each, ())))


def _last_ones(asked: "Sequence[Snapshot]", going: frozenset[str]) -> Iterator[Blocker]:
    """Warn where none of the complete snapshots of a volume would be left."""
    kept = complete_ones(asked[0].region, volumes_of(asked))
    for snapshot in asked:
        others = kept.get(snapshot.volume_id, frozenset()) - going - {snapshot.id}
        if snapshot.state == "completed" and not is_copy(snapshot) and not others:
            other = ", with the others that go" if len(going - {snapshot.id}) else ""
            told = f"no complete snapshot of {snapshot.volume_id} is left without it{other}"
            yield Blocker(snapshot.id, told, "take another one first, or be sure that none is needed", hard=False)


def volumes_of(snapshots: "Sequence[Snapshot]") -> tuple[str, ...]:
    """List the volumes that snapshots were taken of; copies were taken of none."""
    return tuple(sorted({snapshot.volume_id for snapshot in snapshots if not is_copy(snapshot)}))


def complete_ones(region: "Region", volumes: Sequence[str]) -> dict[str, frozenset[str]]:
    """Find the complete snapshots of volumes, by volume; those that have none are left out."""
    if not volumes:
        return {}
    filters = [{"Name": "status", "Values": ["completed"]}]
    # A request takes so many values; beyond that all of the account are listed.
    if len(volumes) < IDS:
        filters.append({"Name": "volume-id", "Values": list(volumes)})
    found: dict[str, set[str]] = defaultdict(set)
    for raw in region.aws.pages("DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters):
        found[raw["VolumeId"]].add(raw["SnapshotId"])
    return {volume: frozenset(found[volume]) for volume in volumes if volume in found}


def _shares(
    region: "Region", asked: "Sequence[Snapshot]", shares: Mapping[str, Sequence[str]] | None
) -> Iterator[Blocker]:
    remedy = "volumes that others made of it stay, but they can make no more"
    ids = [snapshot.id for snapshot in asked]
    if shares is None:
        wanted = set(ids)
        # What a listing or `shared_with` has told costs no call; AWS tells the rest one snapshot at a time.
        known = {snapshot.id: snapshot.known_shares for snapshot in asked if snapshot.known_shares}
        public = region.aws.pages("DescribeSnapshots", "Snapshots", OwnerIds=["self"], RestorableByUserIds=["all"])
        shares = {**{raw["SnapshotId"]: ("all",) for raw in public if raw["SnapshotId"] in wanted}, **known}
    for snapshot_id in ids:
        others = [other for other in shares.get(snapshot_id, ()) if other != "all"]
        if "all" in shares.get(snapshot_id, ()):
            yield Blocker(snapshot_id, "it is public", remedy, hard=False)
        if others:
            yield Blocker(snapshot_id, f"it is shared with {', '.join(others)}", remedy, hard=False)


def _told_by_itself(region: "Region", asked: "Sequence[Snapshot]") -> Iterator[Blocker]:
    account = account_of(region)
    for snapshot in asked:
        if account not in (None, snapshot.account):
            yield Blocker(snapshot.id, f"it belongs to {snapshot.account}", "only its owner can delete it")
        if not region.can("Snapshot", "Delete", snapshot):
            yield Blocker(snapshot.id, "your roles do not allow Snapshot: Delete", "ask for a role with that right")
        if snapshot.state == "pending":
            told = "it is still pending"
            yield Blocker(
                snapshot.id, told, "it goes when it is complete, and counts as pending until then", hard=False
            )
        manager = managed_by(snapshot)
        if manager == "AWS Backup":
            yield Blocker(snapshot.id, "AWS Backup manages it", "delete the recovery point in its backup vault")
        elif manager:
            told = "delete it only if the policy no longer does: it counts what it keeps"
            yield Blocker(snapshot.id, f"{manager} made it", told, hard=False)


def managed_by(snapshot: "Snapshot") -> str:
    """Tell which service of AWS manages a snapshot, or nothing."""
    if BACKUP_TAG in snapshot.tags or snapshot.description.startswith(BACKUP_DESCRIPTION):
        return "AWS Backup"
    if POLICY_TAG in snapshot.tags:
        return f"Data Lifecycle Manager ({snapshot.tags[POLICY_TAG]})"
    if snapshot.description.startswith(POLICY_DESCRIPTION):
        policy = snapshot.description.removeprefix(POLICY_DESCRIPTION).split(" ")[0]
        return f"Data Lifecycle Manager ({policy})"
    return ""


NO_VOLUME = "vol-ffffffff"
"""The volume of what was made from none. Source: EBS user guide, "Copy an Amazon EBS snapshot"."""


def is_copy(snapshot: "Snapshot") -> bool:
    """Tell whether a snapshot was taken of no volume, so that its volume id says nothing.

    Source: EBS user guide, "Copy an Amazon EBS snapshot": the volume id of a copy is arbitrary and not to be used;
    EC2 API reference, Snapshot: TransferType is of copies only.
    """
    return (
        snapshot.volume_id == NO_VOLUME
        or "TransferType" in snapshot.raw
        or snapshot.region.tag_keys.source in snapshot.tags
    )


def account_of(region: "Region") -> str | None:
    """Return the account of a region, or nothing where it cannot be asked for."""
    try:
        return region.account
    except InvalidRequest:
        return None
