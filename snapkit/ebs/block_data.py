"""What blocks of a snapshot hold, as checksums: read with the EBS direct APIs, and checked on arrival."""

import base64
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from snapkit.ebs.block_lists import Pacer
from snapkit.errors import AwsError, Throttled

if TYPE_CHECKING:
    from snapkit.ebs._aws import Aws
    from snapkit.ebs.snapshots import Snapshot

LISTED = 1000
"""For how many blocks tokens are asked for at once: a longer page takes longer, a shorter one serves fewer."""

_TRIES = 5


def digests(snapshot: "Snapshot", blocks: Sequence[int]) -> dict[int, str]:
    """Read blocks of a snapshot, and give the SHA-256 of each; those that hold no data are left out.

    A block takes one request, and at most one more for its token, see `snapkit.prices.Prices`. What arrives is checked
    against the checksum that AWS sends with it.

    Args:
        snapshot: a complete one in the standard tier.
        blocks: their numbers.

    Returns:
        By block, its digest in hexadecimal digits.

    Raises:
        AwsError: AWS refuses, or a block arrives damaged time and again.

    Source: EBS direct APIs reference, GetSnapshotBlock: SHA-256, in Base64.
    """
    aws = snapshot.region.service("ebs")
    return {block: _digest(snapshot, aws, block, token) for block, token in _tokens(snapshot, aws, sorted(blocks))}


def _tokens(snapshot: "Snapshot", aws: "Aws", blocks: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Go through the blocks that hold data, each with the token by which it is read."""
    pacer, known, end = Pacer(snapshot.region.clock), dict[int, str](), -1
    for block in blocks:
        if block > end:
            pacer.wait()
            where = {"SnapshotId": snapshot.id, "StartingBlockIndex": block, "MaxResults": LISTED}
            answer = _patiently(snapshot, aws, "ListSnapshotBlocks", **where)
            known = {each["BlockIndex"]: each["BlockToken"] for each in answer.get("Blocks", [])}
            more = bool(answer.get("NextToken")) and bool(known)
            end = max(known) if more else snapshot.size  # beyond the last page there is nothing
        if block in known:
            yield block, known[block]


def _digest(snapshot: "Snapshot", aws: "Aws", block: int, token: str) -> str:
    about = f"block {block} of {snapshot.id}"
    told = ""
    for _ in range(_TRIES):
        where = {"SnapshotId": snapshot.id, "BlockIndex": block, "BlockToken": token}
        answer = _patiently(snapshot, aws, "GetSnapshotBlock", **where)
        try:
            found = sha256(answer["BlockData"].read())
        except BotoCoreError as error:
            told = f"it did not arrive whole ({error})"
            continue
        if base64.b64encode(found.digest()).decode() == answer["Checksum"]:
            return found.hexdigest()
        told = "its data do not have the checksum that AWS tells"
    remedy = "try again; if that stays so, the snapshot is damaged: restore from another one, and ask AWS"
    raise AwsError("DamagedBlock", "GetSnapshotBlock", f"{told}, {_TRIES} times", about, remedy)


def _patiently(snapshot: "Snapshot", aws: "Aws", operation: str, **params: Any) -> dict[str, Any]:
    """Call an operation, waiting where others of this account use up its rate."""
    for tries in range(1, _TRIES + 1):
        try:
            return aws.call(operation, snapshot.id, **params)
        except Throttled:
            if tries == _TRIES:
                raise
            snapshot.region.clock.sleep(2.0 ** (tries - 1))
    raise AssertionError("every last try returns or raises")  # pragma: no cover
