"""Reading with the EBS direct APIs: ListSnapshotBlocks, ListChangedBlocks, GetSnapshotBlock.

Replaces moto's, which know no blocks of EC2's own snapshots, list changes of the first snapshot only, end in a KeyError
for whatever they do not know, and check nothing.

Source: EBS user guide, "Read EBS snapshots with the EBS direct APIs"; EBS direct APIs reference.
"""

from snapkit.rules import BLOCK
from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import BLOCKS_PER_GIB
from snapkit.sandbox.gaps import block_writes  # noqa: F401 - lets its operations answer
from snapkit.sandbox.gaps.block_access import checksum_of, readable, refusal_of
from snapkit.sandbox.gaps.block_tokens import (
    BLOCK_TOKENS_LAST,
    Listings,
    block_tokens,
    page_of,
    related,
    serial_of,
    token_is,
)


@operation("ebs", "ListSnapshotBlocks")
def list_snapshot_blocks(call: Call) -> Answer:
    """List the blocks that hold data."""
    snapshot, image = readable(call, call.get("SnapshotId"))
    listing = _listings(call).of(None, image)
    part, token = page_of(call, listing, [snapshot.id])
    expires = call.now + BLOCK_TOKENS_LAST
    blocks = listing.blocks[part]
    tokens = block_tokens(snapshot.id, blocks, listing.second[part], expires)
    return {
        "Blocks": [
            {"BlockIndex": block, "BlockToken": own} for block, own in zip(blocks.tolist(), tokens, strict=True)
        ],
        "ExpiryTime": expires,
        "VolumeSize": snapshot.volume_gib,
        "BlockSize": BLOCK,
        "NextToken": token,
    }


@operation("ebs", "ListChangedBlocks")
def list_changed_blocks(call: Call) -> Answer:
    """List the blocks in which two snapshots of one lineage differ.

    Source: EBS direct APIs reference, ListChangedBlocks: either id without the other is an error, although the model of
        the service calls only the second one required.
    """
    if not call.get("FirstSnapshotId"):
        raise refusal_of("INVALID_PARAMETER_VALUE", "FirstSnapshotId has to be given with SecondSnapshotId.")
    first, base = readable(call, call.get("FirstSnapshotId"))
    second, image = readable(call, call.get("SecondSnapshotId"))
    if not related(base, image):
        raise refusal_of("UNRELATED_SNAPSHOTS", f"{first.id} and {second.id} have no common ancestor.")
    listing = _listings(call).of(base, image)
    part, token = page_of(call, listing, [first.id, second.id])
    expires = call.now + BLOCK_TOKENS_LAST
    blocks = listing.blocks[part]
    before = block_tokens(first.id, blocks, listing.first[part], expires)
    after = block_tokens(second.id, blocks, listing.second[part], expires)
    return {
        "ChangedBlocks": [
            {"BlockIndex": block, "FirstBlockToken": old, "SecondBlockToken": new}
            for block, old, new in zip(blocks.tolist(), before, after, strict=True)
        ],
        "ExpiryTime": expires,
        "VolumeSize": second.volume_gib,
        "BlockSize": BLOCK,
        "NextToken": token,
    }


@operation("ebs", "GetSnapshotBlock")
def get_snapshot_block(call: Call) -> Answer:
    """Read a block, by a token of one of the lists."""
    snapshot, image = readable(call, call.get("SnapshotId"))
    block = call.get("BlockIndex")
    if not 0 <= block < snapshot.volume_gib * BLOCKS_PER_GIB:
        raise refusal_of("INVALID_BLOCK", f"The block {block} does not lie on a volume of {snapshot.volume_gib} GiB.")
    if not token_is(call.get("BlockToken"), snapshot.id, block, serial_of(image, block), call.now):
        raise refusal_of(
            "INVALID_BLOCK_TOKEN", f"The token is none of block {block} of {snapshot.id}, or it has expired."
        )
    data = image.read(block)
    assert data is not None  # noqa: S101 - for the type checker: only a block that holds data has a token
    return {"DataLength": BLOCK, "BlockData": data, "Checksum": checksum_of(data), "ChecksumAlgorithm": "SHA256"}


def _listings(call: Call) -> Listings:
    kept: Listings = call.ec2.settings.setdefault("direct", Listings())
    return kept
