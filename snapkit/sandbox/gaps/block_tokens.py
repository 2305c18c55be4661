"""What the EBS direct APIs list: blocks, tokens that name their content, and tokens of pages.

Source: EBS user guide, "Read EBS snapshots with the EBS direct APIs", "Frequently asked questions for EBS direct APIs".
"""

import base64
import binascii
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapkit.sandbox.call import Call
from snapkit.sandbox.disk import Blocks, Layer
from snapkit.sandbox.refusal import Refusal

BLOCK_TOKENS_LAST = timedelta(days=7)
"""Source: EBS user guide, "Frequently asked questions for EBS direct APIs"."""

PAGE_TOKENS_LAST = timedelta(minutes=60)
"""Source: likewise."""

LEAST_RESULTS, MOST_RESULTS = 100, 10_000
"""Source: EBS direct APIs reference, MaxResults. The FAQ: who asks for fewer than 100 gets at least 100."""

_TOKEN = 32
_LISTINGS_KEPT = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Listing:
    """Blocks of one snapshot, or those in which two differ.

    Attributes:
        blocks: ascending.
        first: the serial of the layer in which the first snapshot has each block, -1 where it has none. Empty for a
            listing of one snapshot.
        second: likewise of the second snapshot, or of the only one.
    """

    blocks: Blocks
    first: NDArray[np.int64]
    second: NDArray[np.int64]


@dataclass
class Listings:
    """The last few listings, so that the pages of a large one are not computed each from the beginning."""

    _kept: "OrderedDict[tuple[int | None, int], Listing]" = field(default_factory=OrderedDict)

    def of(self, first: Layer | None, second: Layer) -> Listing:
        """Return the blocks of an image, or those in which two images differ."""
        key = (first.serial if first else None, second.serial)
        if key not in self._kept:
            self._kept[key] = _changed(first, second) if first else _all(second)
            if len(self._kept) > _LISTINGS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def _all(image: Layer) -> Listing:
    blocks, serials = image.contents()
    return Listing(blocks, np.empty(0, np.int64), serials)


def _changed(first: Layer, second: Layer) -> Listing:
    """Compare two images: a block differs where another layer wrote it last."""
    held = (first.contents(), second.contents())
    extent = max((int(blocks[-1]) + 1 for blocks, _ in held if len(blocks)), default=0)
    dense = np.full((2, extent), -1, np.int64)
    for row, (blocks, serials) in zip(dense, held, strict=True):
        row[blocks] = serials
    differing = np.flatnonzero(dense[0] != dense[1])
    return Listing(differing.astype(np.uint32), dense[0, differing], dense[1, differing])


def related(first: Layer, second: Layer) -> bool:
    """Tell whether two images have a common ancestor."""
    roots = [list(image.chain())[-1] for image in (first, second)]
    return roots[0] is roots[1]


def block_tokens(
    snapshot_id: str, blocks: NDArray[Any], serials: NDArray[np.int64], expires: datetime
) -> list[str | None]:
    """Make the tokens of blocks of a snapshot, None where it has no such block.

    A token says when it expires, and stands for snapshot, block and content; nothing can be read from it.
    """
    names = np.array([int(snapshot_id.removeprefix("snap-"), 16) & 0xFFFF_FFFF_FFFF_FFFF], np.uint64)
    moment = np.array([(expires - _EPOCH) // timedelta(milliseconds=1)], np.uint64)
    mixed = _mix(_mix(_mix(names ^ moment) ^ blocks.astype(np.uint64)) ^ serials.astype(np.uint64))
    rows = np.empty((len(blocks), 3), ">u8")
    rows[:, 0], rows[:, 1], rows[:, 2] = moment, mixed, _mix(mixed)
    written = base64.b64encode(rows.tobytes()).decode()
    tokens = [written[start : start + _TOKEN] for start in range(0, len(written), _TOKEN)]
    return [token if serial >= 0 else None for token, serial in zip(tokens, serials.tolist(), strict=True)]


def token_is(token: str, snapshot_id: str, block: int, serial: int, now: datetime) -> bool:
    """Tell whether a token is one of this block in this snapshot, and has not expired."""
    try:
        moment = int.from_bytes(base64.b64decode(token, validate=True)[:8], "big")
        expires = _EPOCH + timedelta(milliseconds=moment)
    except (binascii.Error, ValueError, OverflowError):
        return False
    made = block_tokens(snapshot_id, np.array([block]), np.array([serial], np.int64), expires)
    return made == [token] and now < expires


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64-bit numbers, each to another one.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64).
    """
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def serial_of(image: Layer, block: int) -> int:
    """Find the serial of the layer that wrote a block last, -1 where none did."""
    for layer in image.chain():
        place = int(np.searchsorted(layer.blocks, block))
        if place < len(layer.blocks) and layer.blocks[place] == block:
            return layer.serial
    return -1


def page_of(call: Call, listing: Listing, of: list[str]) -> tuple[slice, str | None]:
    """Cut a page out of a listing.

    Args:
        call: its NextToken, StartingBlockIndex and MaxResults are read; a token overrides the index.
        listing: the whole one.
        of: the ids of its snapshots, which the token is for.

    Returns:
        Which part is shown, and the token for the next page, if there is one.
    """
    size, start = call.get("MaxResults", MOST_RESULTS), call.get("StartingBlockIndex", 0)
    if size > MOST_RESULTS or start < 0:
        name, value = ("MaxResults", size) if size > MOST_RESULTS else ("StartingBlockIndex", start)
        raise Refusal("ValidationException", f"{value} is no valid value of {name}.", Reason="INVALID_PARAMETER_VALUE")
    if call.get("NextToken") is not None:
        start = _read(call, call.get("NextToken"), of)
    begin = int(np.searchsorted(listing.blocks, start))
    end = begin + max(size, LEAST_RESULTS)
    if end >= len(listing.blocks):
        return slice(begin, None), None
    until = (call.now + PAGE_TOKENS_LAST).timestamp()
    body = json.dumps([call.operation, call.account, *of, int(listing.blocks[end]), until])
    return slice(begin, end), base64.b64encode(body.encode()).decode()


def _read(call: Call, token: str, of: list[str]) -> int:
    """Read at which block a page begins."""
    try:
        *about, start, until = json.loads(base64.b64decode(token, validate=True))
        valid = about == [call.operation, call.account, *of] and call.now.timestamp() < until and start in range(2**32)
    except (ValueError, TypeError, RecursionError):
        valid, start = False, 0
    if not valid:
        raise Refusal(
            "ValidationException", "The page token is not valid, or it has expired.", Reason="INVALID_PAGE_TOKEN"
        )
    return int(start)
