"""Copies of snapshots: CopySnapshot.

Replaces moto's, which finds no snapshots of others, is complete at once, keeps the source's volume, ignores Encrypted,
CompletionDurationMinutes and all limits, and takes any text for a key or a region.

Source: EBS user guide, "Copy an Amazon EBS snapshot", "Time-based copies for Amazon EBS snapshots and EBS-backed AMIs";
EC2 API reference, CopySnapshot.
"""

import math
from dataclasses import dataclass, field

from snapkit.rules import BLOCK, COPIES_AT_ONCE
from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.disk import Layer
from snapkit.sandbox.ec2 import Ec2
from snapkit.sandbox.gaps.encryption import accessible, default_key, defaults, managed_key, needs_encrypted, usable_key
from snapkit.sandbox.gaps.snapshots import check_description
from snapkit.sandbox.refusal import Refusal, check_snapshot_id, invalid, snapshot_not_found
from snapkit.sandbox.snapshot import NO_VOLUME, Snapshot, to_copy
from snapkit.units import MIB

STEP, LONGEST = 15, 2880
"""CompletionDurationMinutes [min]. Source: EBS user guide, "Time-based copies"."""

RATE = 500 * MIB
"""Throughput of one time-based copy [bytes/s]; not adjustable. Source: EBS user guide, "Time-based copies", quotas."""

RATE_OF_REGIONS = 2000 * MIB
"""Throughput of all time-based copies from one region to another [bytes/s]. Source: likewise, L-E137849C."""

NO_ACCESS = "Given key ID is not accessible"
"""The StateMessage of a copy whose key cannot be used. Source: EBS user guide, "Copy an Amazon EBS snapshot"."""


@dataclass(frozen=True, kw_only=True)
class _Copy:
    """A copy that was begun.

    Attributes:
        snapshot: the copy.
        source_id: of what.
        source_region: from where.
        rate: throughput that a time-based copy takes up while it is pending [bytes/s].
    """

    snapshot: Snapshot
    source_id: str
    source_region: str
    rate: float


@dataclass
class _Copies:
    """What was copied to an account in a region.

    Attributes:
        of: by image, the last copy and those before it that still exist.
        pending: those that are not complete yet, by id.
    """

    of: dict[Layer, list[Snapshot]] = field(default_factory=dict)
    pending: dict[str, _Copy] = field(default_factory=dict)


@operation("ec2", "CopySnapshot")
def copy_snapshot(call: Call) -> Answer:
    """Begin a copy, in the region of the call, of a snapshot that the caller may restore."""
    source, image = _source(call)
    tags = call.tags("snapshot")
    check_description(call)
    encrypted, key, works = _key(call, source)
    copies = _copies(call.ec2)
    if len(copies.pending) >= COPIES_AT_ONCE:
        raise Refusal(
            "ResourceLimitExceeded",
            f"Too many snapshot copies in progress. The limit is {COPIES_AT_ONCE} for this destination region.",
        )
    first = _same(copies, source.id)
    base = _base(call.ec2, copies, source, image, key=key, first=first)
    changed = to_copy(image, base)
    minutes = _minutes(call)
    rate = _rate(call, copies, changed * BLOCK, minutes)
    copy = call.ec2.add_snapshot(
        volume_id=NO_VOLUME,
        volume_gib=source.volume_gib,
        image=image,
        changed=changed,
        base=base,
        description=call.get("Description", f"[Copied {source.id} from {call.get('SourceRegion')}]"),
        encrypted=encrypted,
        kms_key_id=key,
    )
    copy.transfer_type = "standard" if minutes is None else "time-based"
    copy.completion_minutes = minutes
    if encrypted:
        copy.data_key_id = call.world.new_id("key")
    if tags:
        call.ec2.tags[copy.id] = tags
    copies.of[image] = [*(each for each in copies.of.get(image, ()) if _kept(each)), copy]
    _start(call, copies, source, copy, rate=rate, first=first, works=works)
    return {"SnapshotId": copy.id, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _source(call: Call) -> tuple[Snapshot, Layer]:
    """Find what is to be copied, and its blocks, or refuse."""
    region, snapshot_id = call.get("SourceRegion"), call.get("SourceSnapshotId")
    if region not in call.world.regions:
        raise invalid("SourceRegion", region, "There is no such region.")
    for place in ("DestinationOutpostArn", "DestinationAvailabilityZone"):
        if call.get(place):
            raise Refusal("UnsupportedOperation", f"{place}: the sandbox has neither Outposts nor Local Zones.")
    check_snapshot_id(snapshot_id)
    source = call.world.visible(call.account, region, snapshot_id)
    if source is None or call.world.faults.hides(snapshot_id):
        raise snapshot_not_found(snapshot_id)
    if source.state != "completed" or source.image is None:
        raise Refusal("IncorrectState", f"Snapshot '{snapshot_id}' is not 'completed'.")
    if source.tiering.tier != "standard":
        raise Refusal("IncorrectState", f"Snapshot '{snapshot_id}' is archived. Restore it before it is copied.")
    return source, source.image


def _key(call: Call, source: Snapshot) -> tuple[bool, str | None, bool]:
    """Choose the key of a copy; a bad one is not refused, but lets the copy fail.

    Encryption cannot be taken off: Encrypted=False counts for nothing where the source is encrypted, or copies are
    encrypted by default.

    Returns:
        Whether the copy is encrypted; its key, as the copy shows it; and whether it can be read and written.

    Source: EBS user guide, "Copy an Amazon EBS snapshot", encryption outcomes for snapshot copies.
    """
    always, given = defaults(call.ec2).always, call.get("KmsKeyId")
    encrypted = bool(source.encrypted or always or call.get("Encrypted"))
    if given and (not encrypted or call.params.get("Encrypted") is False):
        raise needs_encrypted()
    if not encrypted:
        return False, None, True
    wanted = given or (managed_key(call.ec2) if source.encrypted and not always else default_key(call.ec2))
    found = usable_key(call, wanted)
    readable = source.kms_key_id is None or accessible(call.world, source.kms_key_id)
    return True, found or wanted, found is not None and readable


def _copies(ec2: Ec2) -> _Copies:
    """Return what was copied to an account in a region; what is no longer pending is dropped."""
    copies: _Copies = ec2.settings.setdefault("copies", _Copies())
    copies.pending = {copy_id: copy for copy_id, copy in copies.pending.items() if copy_id in ec2.pending}
    return copies


def _same(copies: _Copies, source_id: str) -> _Copy | None:
    """Find the last pending copy of the same snapshot, for which the next one waits."""
    return next((copy for copy in reversed(copies.pending.values()) if copy.source_id == source_id), None)


def _base(
    ec2: Ec2, copies: _Copies, source: Snapshot, image: Layer, *, key: str | None, first: _Copy | None
) -> Snapshot | None:
    """Find the snapshot whose blocks need not be copied again; None for a full copy.

    Source: EBS user guide, "Copy an Amazon EBS snapshot", incremental snapshot copying.
    """
    if source.ec2_backend is ec2:
        return source if source.kms_key_id == key else None
    earlier = [copy for layer in image.chain() for copy in copies.of.get(layer, ()) if copy.state != "error"]
    last = max(earlier, key=lambda copy: copy.ordinal, default=None)
    if last is None or not _kept(last) or any(copy.kms_key_id != key for copy in earlier if _kept(copy)):
        return None
    arrived = last.state == "completed" or (first is not None and last is first.snapshot)
    return last if arrived else None


def _kept(copy: Snapshot) -> bool:
    """Tell whether a copy still exists, and was not archived."""
    return copy.id in copy.ec2_backend.snapshots and not copy.doomed and copy.tiering.tier == "standard"


def _minutes(call: Call) -> int | None:
    """Read the completion duration [min]."""
    minutes: int | None = call.get("CompletionDurationMinutes")
    if minutes is not None and (not STEP <= minutes <= LONGEST or minutes % STEP):
        raise invalid(
            "CompletionDurationMinutes", minutes, f"It has to be between {STEP} and {LONGEST}, in steps of {STEP}."
        )
    return minutes


def _rate(call: Call, copies: _Copies, size: int, minutes: int | None) -> float:
    """Find the throughput that a time-based copy gets [bytes/s].

    One copy that is too fast is refused. Where all copies between the two regions leave less than it needs, it takes
    longer than asked for; where they leave nothing, it is refused.

    Source: EBS user guide, "Time-based copies", quotas.
    """
    if minutes is None:
        return 0.0
    least = max(STEP, -(-size // (RATE * 60 * STEP)) * STEP)
    if minutes < least:
        raise invalid(
            "CompletionDurationMinutes",
            minutes,
            f"{size // MIB} MiB at {RATE // MIB} MiB/s need a completion duration of at least {least} minutes.",
        )
    region = call.get("SourceRegion")
    taken = math.fsum(copy.rate for copy in copies.pending.values() if copy.source_region == region)
    left = round(RATE_OF_REGIONS - taken)
    if left <= 0:
        raise Refusal(
            "ResourceLimitExceeded",
            f"The time-based copies in progress from {region} to {call.region} take up all of the "
            f"{RATE_OF_REGIONS // MIB} MiB/s of the cumulative snapshot copy throughput quota.",
        )
    return min(size / (minutes * 60), left)


def _start(
    call: Call, copies: _Copies, source: Snapshot, copy: Snapshot, *, rate: float, first: _Copy | None, works: bool
) -> None:
    """Let a copy end when its time has come; it starts when an earlier one of the same snapshot has ended."""
    copies.pending[copy.id] = _Copy(
        snapshot=copy, source_id=source.id, source_region=call.get("SourceRegion"), rate=rate
    )

    def start(needed: float) -> None:
        if copy.completion_minutes is not None:
            needed = max(copy.completion_minutes * 60.0, copy.changed * BLOCK / (rate or RATE))
        if not works:
            needed = call.world.duration(0.0)
        copy.seconds = (call.world.clock.now() - copy.start_time).total_seconds() + needed
        call.ec2.finish_later([copy], None if works else NO_ACCESS)

    if first is None:
        start(copy.seconds)
    else:
        copy.seconds = math.inf
        call.ec2.after_end(first.snapshot, lambda: start(call.world.duration(copy.changed * BLOCK)))
