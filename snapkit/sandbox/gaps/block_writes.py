"""Writing with the EBS direct APIs: StartSnapshot, PutSnapshotBlock, CompleteSnapshot.

Replaces moto's, which give children nothing of their parent, leave a phantom volume behind, and check nothing.

Source: EBS user guide, "Write EBS snapshots with the EBS direct APIs"; EBS direct APIs reference.
"""

import hashlib
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snapkit.rules import BLOCK, LARGEST_VOLUME, LONGEST_DESCRIPTION, PENDING_PER_ACCOUNT
from snapkit.sandbox.call import Answer, Call, check_tags, operation
from snapkit.sandbox.disk import Layer
from snapkit.sandbox.ec2 import BLOCKS_PER_GIB, Ec2
from snapkit.sandbox.gaps.block_access import checksum_of, readable, refusal_of, visible
from snapkit.sandbox.gaps.encryption import default_key, defaults, usable_key
from snapkit.sandbox.refusal import Refusal
from snapkit.sandbox.snapshot import NO_VOLUME, Snapshot
from snapkit.units import GIB

TIMEOUT_MINUTES, TIMEOUTS = 60, range(10, 4321)
"""How long a snapshot waits for its next block, or for its completion. Source: EBS direct APIs, StartSnapshot."""


@dataclass
class Draft:
    """A snapshot that is being written.

    Attributes:
        parent: the image that it begins with.
        timeout: how long it waits for the next block, or for its completion [s].
        touched: when it was begun or last written [s of the sandbox's clock].
        blocks: what was written so far.
        count: how many blocks were written, once it is sealed.
    """

    parent: Layer | None
    timeout: float
    touched: float
    blocks: dict[int, bytes] = field(default_factory=dict)
    count: int | None = None


@dataclass
class Drafts:
    """What was begun by an account in a region.

    Attributes:
        open: by the id of the snapshot; sealed ones as well.
        begun: parameters and answer of StartSnapshot, by client token.
    """

    open: dict[str, Draft] = field(default_factory=dict)
    begun: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)


@operation("ebs", "StartSnapshot")
def start_snapshot(call: Call) -> Answer:
    """Begin a snapshot that is written block by block; a repeated request with the same token begins no other one.

    Source: EBS user guide, "Ensure idempotency in StartSnapshot API requests".
    """
    token, begun = call.get("ClientToken"), _drafts(call).begun
    asked = {name: value for name, value in call.params.items() if name != "ClientToken"}
    if token in begun:
        before, answer = begun[token]
        if before != asked:
            raise Refusal("ConflictException", f"The client token {token} was used with other parameters.", 409)
        return answer
    parent = _parent(call)
    size = _size(call, parent)
    tags = _tags(call)
    key = _key(call, parent)
    minutes = call.get("Timeout", TIMEOUT_MINUTES)
    if minutes not in TIMEOUTS:
        raise refusal_of("INVALID_PARAMETER_VALUE", f"Timeout has to be between 10 and 4320 minutes, not {minutes}.")
    if len(call.get("Description", "")) > LONGEST_DESCRIPTION:
        raise refusal_of("INVALID_PARAMETER_VALUE", f"Description has at most {LONGEST_DESCRIPTION} characters.")
    if len(call.ec2.pending) >= PENDING_PER_ACCOUNT:
        raise Refusal(
            "ConcurrentLimitExceededException", f"At most {PENDING_PER_ACCOUNT} snapshots of an account are pending."
        )
    snapshot = call.ec2.add_snapshot(
        volume_id=NO_VOLUME, volume_gib=size, image=None, changed=0, description=call.get("Description", ""),
        encrypted=key is not None, kms_key_id=key,
    )  # fmt: skip
    snapshot.seconds = math.inf
    if tags:
        call.ec2.tags[snapshot.id] = tags
    draft = Draft(parent.image if parent else None, minutes * 60.0, call.world.clock.seconds())
    _drafts(call).open[snapshot.id] = draft
    _expire(call.ec2, snapshot, draft)
    answer = {
        "SnapshotId": snapshot.id,
        "OwnerId": snapshot.owner_id,
        "Status": snapshot.state,
        "StartTime": snapshot.start_time,
        "VolumeSize": size,
        "BlockSize": BLOCK,
        "ParentSnapshotId": parent.id if parent else None,
        "KmsKeyArn": key,
        "Description": call.get("Description"),
        "Tags": [{"Key": name, "Value": value} for name, value in tags.items()],
    }
    if token:
        begun[token] = (asked, answer)
    return answer


@operation("ebs", "PutSnapshotBlock")
def put_snapshot_block(call: Call) -> Answer:
    """Write a block of a snapshot that was begun here; one written before is overwritten."""
    snapshot, draft = _open(call)
    if draft.count is not None:
        raise refusal_of("INVALID_SNAPSHOT_ID", f"{snapshot.id} was completed; no block can be written to it.")
    block, data, size = call.get("BlockIndex"), call.get("BlockData"), snapshot.volume_gib
    if not 0 <= block < size * BLOCKS_PER_GIB:
        raise refusal_of("INVALID_BLOCK", f"The block {block} does not lie on a volume of {size} GiB.")
    if call.get("DataLength") != BLOCK or len(data) != BLOCK:
        raise refusal_of("INVALID_BLOCK", f"A block has {BLOCK} bytes, not {len(data)}.")
    if not 0 <= call.get("Progress", 0) <= 100:
        raise refusal_of("INVALID_PARAMETER_VALUE", f"Progress is a percentage, not {call.get('Progress')}.")
    checksum = checksum_of(data)
    _check_checksum(call, checksum, f"block {block}")
    draft.blocks[block] = bytes(data)
    draft.touched = call.world.clock.seconds()
    return {"Checksum": checksum, "ChecksumAlgorithm": "SHA256"}


@operation("ebs", "CompleteSnapshot")
def complete_snapshot(call: Call) -> Answer:
    """Seal a snapshot that was begun here; it is complete a while later. Repeated, it tells the state."""
    snapshot, draft = _open(call)
    count = len(draft.blocks) if draft.count is None else draft.count
    if call.get("ChangedBlocksCount") != count:
        raise refusal_of(
            "INVALID_PARAMETER_VALUE",
            f"ChangedBlocksCount is {call.get('ChangedBlocksCount')}, but {snapshot.id} was written {count} blocks.",
        )
    if draft.count is not None:
        return {"Status": snapshot.state}
    if call.get("ChecksumAggregationMethod", "LINEAR") != "LINEAR":
        raise refusal_of("INVALID_PARAMETER_VALUE", "The only aggregation method is LINEAR.")
    if call.get("Checksum") is not None:
        _check_checksum(call, _aggregated(draft.blocks), snapshot.id)
    _seal(call, snapshot, draft)
    return {"Status": snapshot.state}


def _seal(call: Call, snapshot: Snapshot, draft: Draft) -> None:
    """Make an image of what was written, and let the snapshot end when that is stored."""
    world, clock = call.world, call.world.clock
    blocks = np.array(sorted(draft.blocks), np.uint32)
    held = draft.parent.contents()[0] if draft.parent else np.empty(0, np.uint32)
    full = len(held) + int(np.count_nonzero(~np.isin(blocks, held, assume_unique=True)))
    image = Layer(draft.parent, blocks, full, world.serials.next(), draft.blocks)
    snapshot.image, snapshot.changed = image, len(blocks)
    image.holders[snapshot] = None
    draft.count, draft.blocks = len(blocks), {}
    wait = world.duration(len(blocks) * BLOCK)
    snapshot.seconds = (clock.now() - snapshot.start_time).total_seconds() + wait
    clock.after(wait, lambda: call.ec2.finish(snapshot))


def _expire(ec2: Ec2, snapshot: Snapshot, draft: Draft) -> None:
    """Let a snapshot end in error when nobody has written to it for too long, or completed it.

    Source: EBS direct APIs reference, StartSnapshot, Timeout.
    """
    clock = ec2.world.clock

    def look() -> None:
        if draft.count is None and clock.seconds() < draft.touched + draft.timeout:
            wait()
        elif draft.count is None:
            ec2.finish(snapshot, "The snapshot was not completed before its timeout.")

    def wait() -> None:
        clock.after(draft.touched + draft.timeout - clock.seconds(), look)

    wait()


def _open(call: Call) -> tuple[Snapshot, Draft]:
    """Find a snapshot that was begun here and has not failed."""
    snapshot = visible(call, call.get("SnapshotId"))
    draft = _drafts(call).open.get(snapshot.id)
    if draft is None:
        raise refusal_of("INVALID_SNAPSHOT_ID", f"{snapshot.id} was not begun with StartSnapshot.")
    if draft.count is None and snapshot.state != "pending":
        raise refusal_of("INVALID_SNAPSHOT_ID", f"{snapshot.id} is in state {snapshot.state}, not pending.")
    return snapshot, draft


def _parent(call: Call) -> Snapshot | None:
    parent_id = call.get("ParentSnapshotId")
    if parent_id is None:
        return None
    if call.get("Encrypted") is not None:
        raise refusal_of("INVALID_PARAMETER_VALUE", "Encrypted cannot be given together with ParentSnapshotId.")
    parent, _ = readable(call, parent_id)
    if parent.owner_id != call.account:
        raise Refusal(
            "AccessDeniedException", f"The parent {parent_id} belongs to another account.", 403,
            Reason="UNAUTHORIZED_ACCOUNT",
        )  # fmt: skip
    return parent


def _size(call: Call, parent: Snapshot | None) -> int:
    """Read the VolumeSize [GiB]; a child has room for all of its parent."""
    size, most = int(call.get("VolumeSize")), LARGEST_VOLUME // GIB
    if not 1 <= size <= most:
        raise refusal_of("INVALID_VOLUME_SIZE", f"VolumeSize has to be between 1 and {most} GiB, not {size}.")
    if parent is not None and size < parent.volume_gib:
        raise refusal_of(
            "INVALID_VOLUME_SIZE", f"VolumeSize is {size} GiB, less than the {parent.volume_gib} of {parent.id}."
        )
    return size


def _tags(call: Call) -> dict[str, str]:
    pairs = call.get("Tags", [])
    tags = {pair.get("Key", ""): pair.get("Value", "") for pair in pairs}
    try:
        check_tags(tags)
    except Refusal as refusal:
        raise refusal_of("INVALID_TAG", refusal.message) from None
    if len(tags) < len(pairs):
        raise refusal_of("INVALID_TAG", "A key of a tag is given more than once.")
    return tags


def _key(call: Call, parent: Snapshot | None) -> str | None:
    """Choose the KMS key, None for no encryption.

    Source: EBS user guide, "Encryption outcomes for EBS direct APIs".
    """
    asked, arn, by_default = call.get("Encrypted"), call.get("KmsKeyArn"), defaults(call.ec2).always
    if parent is not None:
        if arn is not None:
            raise refusal_of("INVALID_PARAMETER_VALUE", "A child has the key of its parent; do not give KmsKeyArn.")
        if by_default and not parent.encrypted:
            raise refusal_of(
                "INVALID_PARAMETER_VALUE", f"Encryption by default is on, and {parent.id} is not encrypted."
            )
        return parent.kms_key_id
    if asked is False and by_default:
        raise refusal_of("INVALID_PARAMETER_VALUE", "Encryption by default is on; no unencrypted snapshot can be made.")
    if not asked and not by_default:
        if arn is not None:
            raise refusal_of("INVALID_PARAMETER_VALUE", "KmsKeyArn is for encrypted snapshots; give Encrypted as well.")
        return None
    if arn is None:
        return default_key(call.ec2)
    found = usable_key(call, arn)
    if found is None:
        raise refusal_of("INVALID_CUSTOMER_KEY", f"'{arn}' is no ARN of a symmetric, enabled key in {call.region}.")
    return found


def _check_checksum(call: Call, checksum: str, of: str) -> None:
    if call.get("ChecksumAlgorithm", "SHA256") != "SHA256":
        raise refusal_of("INVALID_PARAMETER_VALUE", "The only checksum algorithm is SHA256.")
    if call.get("Checksum") != checksum:
        raise refusal_of("INVALID_PARAMETER_VALUE", f"The checksum of {of} is {checksum}, not {call.get('Checksum')}.")


def _aggregated(blocks: dict[int, bytes]) -> str:
    """Make the LINEAR checksum: that of the checksums of all blocks, in ascending order."""
    return checksum_of(b"".join(hashlib.sha256(blocks[block]).digest() for block in sorted(blocks)))


def _drafts(call: Call) -> Drafts:
    kept: Drafts = call.ec2.settings.setdefault("block_writes", Drafts())
    return kept
