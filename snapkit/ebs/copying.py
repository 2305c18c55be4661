"""Copies of snapshots, in other regions, for other accounts or under other keys."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from snapkit.ebs.copy_preview import Outlook, check_duration, origin
from snapkit.ebs.deleting import full_size
from snapkit.ebs.taking import HIDDEN_FOR, LOOK_EVERY
from snapkit.errors import InvalidRequest, NotFound
from snapkit.tags import TERM, check_tags
from snapkit.units import MINUTE, Duration

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

NO_VOLUME = "vol-ffffffff"
"""The volume of a copy, which names none. Source: EC2 API reference, Snapshot, VolumeId."""


def copy_to(  # noqa: PLR0913 - one name for each thing that can be chosen
    snapshot: "Snapshot",
    to: "Region | str",
    *,
    name: str | None = None,
    group: str | None = None,
    billing_code: str | None = None,
    description: str = "",
    kms_key: str | None = None,
    encrypted: bool = False,
    duration: Duration | None = None,
    tags: Mapping[str, str | None] | None = None,
) -> "Snapshot":
    """Begin a copy, once; returns at once, and `Snapshot.wait` sees it complete where it was copied to.

    Args:
        snapshot: what to copy.
        to: the region, of the same account where only its name is given.
        name: of the copy, by default that of the snapshot.
        group: that it belongs to, likewise.
        billing_code: that pays for it, likewise.
        description: of it, likewise; where there is none, it says what it is a copy of.
        kms_key: under which the copy is encrypted, whatever the snapshot is; by default encryption is as AWS has it.
        encrypted: whether it is encrypted, under the default key, also where AWS would not do that by itself.
        duration: within which it has to be complete, in steps of 15 minutes up to 48 hours; that costs extra.
        tags: of the copy besides those of the snapshot; None leaves one out.

    Raises:
        InvalidRequest: the snapshot cannot be copied as it is, or an argument cannot be; nothing was begun.
        OutcomeUnknown: no answer came, and nothing was found.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "CreateVolume", snapshot)
    # Volumes are made of snapshots, which know how they are copied.
    from snapkit.ebs.volumes import check_description

    check_description(description)
    seconds = check_duration(duration)
    outlook = Outlook(snapshot, to, kms_key=kms_key, encrypted=encrypted)
    outlook.check_snapshot()
    outlook.check_key()
    outlook.check_in_time(duration)
    region = outlook.region
    written = copy_tags(snapshot, region, name, group, billing_code, tags)
    snapshot.region.allow("Snapshot", "CreateVolume", region.belonging(snapshot.region.owned(written)))
    region.charging.charge_snapshots(written, lambda: [full_size(snapshot)])
    begun = region.taking.begin(
        "CopySnapshot",
        snapshot.id,
        written,
        SourceRegion=snapshot.region.name,
        SourceSnapshotId=snapshot.id,
        Description=description or snapshot.description or f"[Copied {snapshot.id} from {snapshot.region.name}]",
        Encrypted=True if kms_key or encrypted else None,
        KmsKeyId=kms_key,
        CompletionDurationMinutes=None if seconds is None else int(seconds // MINUTE),
    )
    return _found(snapshot, region, str(begun[0]["SnapshotId"]), written)


def advice(reason: str) -> str:
    """Tell what to do about a snapshot that ended in error, from what AWS says of it.

    Source: EBS user guide, "Copy an Amazon EBS snapshot": "Given key ID is not accessible".
    """
    if "key" in reason.lower():
        return (
            "let its maker use the keys of the source and of the copy (kms:DescribeKey, kms:CreateGrant, kms:Decrypt,"
            " kms:GenerateDataKeyWithoutPlaintext, kms:ReEncrypt*), enabled and in the right region, and make another"
        )
    return "see to the reason and take another one"


def copy_tags(
    snapshot: "Snapshot",
    region: "Region",
    name: str | None = None,
    group: str | None = None,
    billing_code: str | None = None,
    more: Mapping[str, str | None] | None = None,
) -> dict[str, str]:
    """Write the tags of a copy: those of the snapshot, less what only holds for itself, and with what is given.

    Raises:
        InvalidRequest: EC2 would refuse them.
    """
    old, new = snapshot.region.tag_keys, region.tag_keys
    own = {old.token, old.source, old.source_volume, old.owner}
    carried = {key: value for key, value in snapshot.tags.items() if not key.lower().startswith("aws:")}
    # Nor is a copy shared with anybody, so that what says until when does not travel either.
    tags: dict[str, str | None] = {
        key: value for key, value in carried.items() if key not in own and not key.startswith(TERM)
    }
    for before, after in ((old.name, new.name), (old.group, new.group), (old.billing_code, new.billing_code)):
        if before in tags:
            tags[after] = tags.pop(before)
    tags |= {**(more or {}), **new.tags(name, group, billing_code)}
    written = {key: value for key, value in tags.items() if value is not None}
    written[new.source] = f"{snapshot.region.name}/{snapshot.id}"
    written[new.source_volume] = origin(snapshot)
    try:
        check_tags(written)
    except InvalidRequest as error:
        remedy = f"{error.remedy}, with tags={{'a key': None}}"
        raise InvalidRequest(error.field, error.value, error.rule, remedy) from None
    return written


def _found(snapshot: "Snapshot", region: "Region", copy_id: str, tags: Mapping[str, str]) -> "Snapshot":
    """Return a copy that was just begun, as soon as look-ups find it."""
    begun, waited = region.clock.now(), 0.0
    while waited < HIDDEN_FOR:
        try:
            return region.snapshots.get(copy_id)
        except NotFound:
            region.clock.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
    shown: dict[str, Any] = {
        "SnapshotId": copy_id,
        "VolumeId": NO_VOLUME,
        "VolumeSize": snapshot.raw["VolumeSize"],
        "State": "pending",
        "StartTime": begun,
        "OwnerId": region.account,
        "Encrypted": snapshot.encrypted,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return type(snapshot)(region, shown)
