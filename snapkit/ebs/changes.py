"""Which blocks a snapshot has, and in which it differs from another one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from snapkit import _html
from snapkit.ebs._resource import Resource
from snapkit.ebs.block_lists import PAGE, RANGES, SAMPLED, Blocks, Reading
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK
from snapkit.units import bytes_text, usd_text

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot

_KINDS = ("changed", "new", "gone")
_SURE = 0.95
_CENTS = 0.0001


@dataclass(frozen=True)
class Preview:
    """What it takes to list blocks, told without any request of the direct APIs.

    Attributes:
        requests: how many at most; where the list is short it takes one.
        price_usd: of so many [USD].
        known: whether the bound follows from the data that AWS says the snapshots hold, and not only from the size of
            the volume.
        lists: how many lists.
    """

    requests: int
    price_usd: float
    known: bool
    lists: int = 1

    def __str__(self) -> str:
        basis = "by the data that AWS says they hold" if self.known else "assumed: every block of the volume"
        least = f"{self.lists:,} to " if self.requests > self.lists else ""
        what = "request" if self.requests == 1 else "requests"
        return f"{least}{self.requests:,} {what}, {_price_text(self.price_usd)} at most ({basis})"

    def __repr__(self) -> str:
        return f"<Preview: {self}>"

    def _repr_html_(self) -> str:
        return _html.note(str(self))


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class BlockList:
    """The blocks of a snapshot that hold data.

    Attributes:
        snapshot_id: which snapshot.
        blocks: their numbers, ascending; of a sample, those in its ranges.
        count: how many there are; of a sample, an estimate.
        band: between which bounds the count lies: the count itself, or of a sample about 95 %.
        source: ``"measured"``, or ``"modelled"`` from a sample.
        size: of the volume [bytes].
        requests: how many it took, over all attempts.
        price_usd: of those [USD].
    """

    snapshot_id: str
    blocks: Blocks
    count: float
    band: tuple[float, float]
    source: Literal["measured", "modelled"]
    size: int
    requests: int
    price_usd: float

    @property
    def bytes(self) -> float:
        """How much that is [bytes]."""
        return self.count * BLOCK

    def to_frame(self) -> pd.DataFrame:
        """Make a frame, one row per block."""
        return pd.DataFrame({"block": self.blocks, "offset_bytes": self.blocks.astype(np.int64) * BLOCK})

    def __len__(self) -> int:
        return len(self.blocks)

    def __repr__(self) -> str:
        return f"<{self._told()}>"

    def _repr_html_(self) -> str:
        return _html.note(self._told())

    def _told(self) -> str:
        return f"Blocks of {self.snapshot_id}: {self._counted()}"

    def _counted(self) -> str:
        took = f"{self.requests:,} {'request' if self.requests == 1 else 'requests'}, {_price_text(self.price_usd)}"
        if self.source == "measured":
            return f"{self.count:,.0f} blocks, {bytes_text(self.bytes)}; {took}"
        low, high = self.band
        return f"about {self.count:,.0f} blocks ({low:,.0f} to {high:,.0f}), modelled from a sample; {took}"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Changes(BlockList):
    """The blocks in which a snapshot differs from another one.

    Attributes:
        since: the id of the other one.
        new: the blocks that only this one has.
        gone: the blocks that only the other one has.
    """

    since: str
    new: Blocks
    gone: Blocks

    def to_frame(self) -> pd.DataFrame:
        """Make a frame, one row per block; ``kind`` is changed, new or gone."""
        codes = np.isin(self.blocks, self.new) + 2 * np.isin(self.blocks, self.gone)
        return super().to_frame().assign(kind=pd.Categorical.from_codes(codes.astype(np.int8), pd.Index(_KINDS)))

    def _told(self) -> str:
        return f"Changes of {self.snapshot_id} since {self.since}: {self._counted()}"


def blocks(snapshot: "Snapshot", *, sample: float | None = None, progress: Reading | None = None) -> BlockList:
    """List the blocks of a snapshot that hold data; see `blocks_preview` first.

    Arguments and errors are those of `changed_blocks`.
    """
    stride = _stride(sample)
    _check(snapshot)
    reading = progress if progress is not None else Reading()
    reading.begin((snapshot.id,), snapshot.size // BLOCK, stride)
    region = snapshot.region
    region.snapshots.block_lists.read("ListSnapshotBlocks", reading, SnapshotId=snapshot.id)
    found = np.sort(np.concatenate([page.blocks for page in reading.pages]))
    count, band = _counted(reading, found)
    return BlockList(
        snapshot_id=snapshot.id,
        blocks=found,
        count=count,
        band=band,
        source="modelled" if reading.length else "measured",
        size=snapshot.size,
        requests=reading.requests,
        price_usd=region.prices.requests(lists=reading.requests),
    )


def changed_blocks(
    snapshot: "Snapshot", since: "Snapshot | str", *, sample: float | None = None, progress: Reading | None = None
) -> Changes:
    """List the blocks in which a snapshot differs from another one; see `changes_preview` first.

    Args:
        snapshot: this one.
        since: the other one, or its id: mostly an earlier one of the same volume.
        sample: which share of the volume to look at, such as 0.1 for every tenth range; the count is then an estimate
            with a band. A list that fits on one page is read whole.
        progress: a `Reading`, empty at first; given again after an interruption, what it has is not asked for twice.

    Raises:
        InvalidRequest: one of them is not complete, or archived, or an argument cannot be.
        AwsError: AWS refuses, for instance because they are not related, or one is public.
    """
    stride = _stride(sample)
    since = _other(snapshot, since)
    _check_pair(since, snapshot)
    reading = progress if progress is not None else Reading()
    size = max(since.size, snapshot.size)
    reading.begin((since.id, snapshot.id), size // BLOCK, stride)
    region = snapshot.region
    region.snapshots.block_lists.read(
        "ListChangedBlocks", reading, FirstSnapshotId=since.id, SecondSnapshotId=snapshot.id
    )
    found = np.concatenate([page.blocks for page in reading.pages])
    order = np.argsort(found, kind="stable")
    first = np.concatenate([page.first for page in reading.pages])[order]
    second = np.concatenate([page.second for page in reading.pages])[order]
    found = found[order]
    count, band = _counted(reading, found)
    return Changes(
        snapshot_id=snapshot.id,
        since=since.id,
        blocks=found,
        new=found[~first],
        gone=found[~second],
        count=count,
        band=band,
        source="modelled" if reading.length else "measured",
        size=size,
        requests=reading.requests,
        price_usd=region.prices.requests(lists=reading.requests),
    )


def changes_preview(snapshot: "Snapshot", since: "Snapshot | str", *, sample: float | None = None) -> Preview:
    """Tell how many requests `changed_blocks` takes at most, and what they cost; lists nothing yet."""
    return preview([_other(snapshot, since), snapshot], sample)


def blocks_preview(snapshot: "Snapshot", *, sample: float | None = None) -> Preview:
    """Tell how many requests `blocks` takes at most, and what they cost; lists nothing yet."""
    return preview([snapshot], sample)


def preview(snapshots: Sequence["Snapshot"], sample: float | None = None) -> Preview:
    """Bound what a list of the blocks of one snapshot, or of those in which two differ, takes; calls nothing."""
    stride = _stride(sample)
    if len(snapshots) == 1:
        _check(snapshots[0])
    else:
        _check_pair(*snapshots)
    most = max(each.size for each in snapshots) // BLOCK
    sizes = [each.full_size for each in snapshots]
    held = [-(-size // BLOCK) for size in sizes if size is not None]
    known = len(held) == len(sizes)
    listed = min(most, sum(held)) if known else most
    requests = _requests(listed, most, stride)
    return Preview(requests, snapshots[0].region.prices.requests(lists=requests), known)


def together(previews: Sequence[Preview]) -> Preview:
    """Add up what several lists take."""
    return Preview(
        sum(each.requests for each in previews),
        math.fsum(each.price_usd for each in previews),
        all(each.known for each in previews),
        len(previews),
    )


def _requests(listed: int, blocks: int, stride: int) -> int:
    """Bound the requests for a list: full pages, and one more that ends each range; see `Reading.took`."""
    pages = max(1, -(-listed // PAGE))
    if pages == 1:
        return 1
    if stride > 1:
        ranges = SAMPLED
        length = -(-blocks // (SAMPLED * stride))
        return 1 + ranges * max(1, -(-min(length, listed) // PAGE))
    in_range = blocks / RANGES / PAGE
    again = min(RANGES, math.ceil(in_range / 8)) if in_range > RANGES else 0
    return pages + min(RANGES, math.ceil(blocks / PAGE / 4)) + min(pages, RANGES) * again


def _counted(reading: Reading, found: Blocks) -> tuple[float, tuple[float, float]]:
    """Count the blocks of a whole list, or estimate them from a sample, with a band of about 95 %."""
    if not reading.length:
        return float(len(found)), (float(len(found)), float(len(found)))
    from scipy.stats import t

    ranges = reading.sampled()
    starts, ends = (np.array(each) for each in zip(*ranges, strict=True))
    counts = np.searchsorted(found, ends) - np.searchsorted(found, starts)
    seen = float((ends - starts).sum())
    estimate = len(found) / seen * reading.blocks
    spread = float(np.std(counts, ddof=1)) if len(ranges) > 1 else math.inf
    many = reading.blocks / reading.length
    half = float(t.ppf((1 + _SURE) / 2, max(1, len(ranges) - 1))) * many * spread / math.sqrt(len(ranges))
    half *= math.sqrt(max(0.0, 1 - len(ranges) / many))
    # Where nothing was found, up to three in what was looked at could have been missed (rule of three).
    high = max(estimate + half, 3 / seen * reading.blocks)
    return estimate, (max(float(len(found)), estimate - half), min(high, len(found) + reading.blocks - seen))


def _price_text(price: float) -> str:
    return usd_text(price) if price >= _CENTS else f"under {usd_text(_CENTS)}"


def _stride(sample: float | None) -> int:
    """Read of how many ranges one is to be looked at.

    Raises:
        InvalidRequest: it is no share.
    """
    if sample is None:
        return 1
    if isinstance(sample, bool) or not isinstance(sample, int | float) or not 0.0001 <= sample <= 1:
        raise InvalidRequest("sample", sample, "is no share from 0.0001 to 1", "give 0.1 for every tenth range")
    return max(1, round(1 / sample))


def _other(snapshot: "Snapshot", since: "Snapshot | str") -> "Snapshot":
    if not isinstance(since, str | Resource):
        raise InvalidRequest("since", since, "is no snapshot", "give one of region.snapshots.find(), or its id")
    return snapshot.region.snapshots.get(since) if isinstance(since, str) else since


def _check_pair(since: "Snapshot", snapshot: "Snapshot") -> None:
    if since.id == snapshot.id:
        raise InvalidRequest("since", since.id, "is the snapshot itself", "give an earlier one")
    if since.region.name != snapshot.region.name:
        told = f"is in {since.region.name}, not in {snapshot.region.name}"
        raise InvalidRequest("since", since.id, told, "compare snapshots of one region")
    _check(since, "since")
    _check(snapshot)


def _check(snapshot: "Snapshot", what: str = "snapshot") -> None:
    """Refuse what the direct APIs cannot read.

    Source: EBS user guide, "Frequently asked questions for EBS direct APIs": complete ones only; "Archive Amazon EBS
        snapshots": no archived ones.
    """
    if snapshot.state != "completed":
        remedy = "wait() for it" if snapshot.state == "pending" else "choose a complete one"
        raise InvalidRequest(what, snapshot.id, f"is {snapshot.state}, not completed", f"{remedy}, then refresh()")
    if snapshot.tier != "standard":
        raise InvalidRequest(what, snapshot.id, "is archived", "restore it from the archive first, then refresh()")
