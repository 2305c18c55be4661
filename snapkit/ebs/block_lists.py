"""Reading long lists of blocks with the EBS direct APIs: in ranges, several at a time, paced, and resumable."""

import json
import math
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from threading import BoundedSemaphore, Lock, local
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snapkit.clock import Clock
from snapkit.errors import AwsError, InvalidRequest, Throttled

if TYPE_CHECKING:
    from snapkit.ebs._aws import Aws
    from snapkit.ebs.region import Region

PAGE = 10_000
"""Most blocks that one request lists. Source: EBS direct APIs reference, MaxResults."""

RATE = 50.0
"""Most ListChangedBlocks requests of an account in a second, and as many ListSnapshotBlocks.

Source: Service Quotas, Amazon EBS, L-DB2FBAA1 and L-18E976AB; not adjustable.
"""

THREADS = 16
"""Requests under way at once: enough for the full rate where each takes 0.3 s."""

RANGES = 16
"""Into how many ranges a list is split at most, and a long one of those again."""

SAMPLED = 20
"""How many ranges a sample has: enough to tell how much they differ."""

_GAP = 1.02 / RATE  # a little below the quota, because requests do not all take the same time on the way
_FIRST, _LONG = 4, 16  # pages still to come from which on a list, or a range of it, is split
_TRIES = 5
_LISTS = {"ListChangedBlocks": "ChangedBlocks", "ListSnapshotBlocks": "Blocks"}
_REMEDIES = {
    "INVALID_SNAPSHOT_ID": "only a complete snapshot in the standard tier that is not public can be read: wait() for "
    "it, restore it from the archive, make_private() it, or read a private copy",
    "UNRELATED_SNAPSHOTS": "compare snapshots of one volume, or of volumes and copies that were made from one snapshot",
}

Blocks = NDArray[np.uint32]


class Pacer:
    """Spaces requests, so that no second has more of them than AWS takes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._free: datetime | None = None

    def wait(self) -> None:
        """Return when the next request may be sent.

        Who waits keeps the others waiting, so that a clock that stands moves by the same time whichever comes first.
        """
        gap = timedelta(seconds=_GAP)
        with self._lock:
            now = self._clock.now()
            # The clock of a machine may be set back: nobody waits longer than one gap because of that.
            slot = now if self._free is None else min(max(now, self._free), now + gap)
            self._free = slot + gap
            if slot > now:
                self._clock.sleep((slot - now).total_seconds())


@dataclass(frozen=True)
class Part:
    """A range of a volume that is still to be listed.

    Attributes:
        start: its first block.
        end: the block after its last one.
        depth: how often it was split: 0 for a whole list; from 2 on it is not split again.
        token: of the next page; without one it is asked for by its start.
    """

    start: int
    end: int
    depth: int = 0
    token: str = field(default="", repr=False)


@dataclass
class Page:
    """Blocks that were listed.

    Attributes:
        blocks: their numbers.
        first: whether the earlier snapshot has each of them.
        second: whether the later one has it.
    """

    blocks: Blocks
    first: NDArray[np.bool_]
    second: NDArray[np.bool_]

    @classmethod
    def of(cls, listed: list[dict[str, Any]]) -> "Page":
        """Read what AWS listed."""
        many = len(listed)
        return cls(
            np.fromiter((each["BlockIndex"] for each in listed), np.uint32, many),
            np.fromiter(("FirstBlockToken" in each for each in listed), np.bool_, many),
            np.fromiter(("SecondBlockToken" in each or "BlockToken" in each for each in listed), np.bool_, many),
        )

    def up_to(self, end: int) -> "Page":
        """Leave out the blocks from one on."""
        many = int(np.searchsorted(self.blocks, end))
        return Page(self.blocks[:many], self.first[:many], self.second[:many])


@dataclass(repr=False)
class Reading:
    """How far a list of blocks is read. Give it again after an interruption, and what it has is not asked for twice.

    Attributes:
        about: what is listed; empty until it is used.
        parts: what is still to be listed.
        pages: what was listed.
        requests: how many were sent.
        blocks: how many blocks the volume has.
        stride: of how many ranges one is sampled; 1 for all of them.
        length: of a sampled range [blocks].
    """

    about: tuple[str, ...] = ()
    parts: list[Part] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    requests: int = 0
    blocks: int = 0
    stride: int = 1
    length: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to be listed."""
        return bool(self.about) and not self.parts

    @property
    def share(self) -> float:
        """How much of what is to be listed was listed, from 0 to 1."""
        whole = sum(end - start for start, end in self.sampled()) if self.length else self.blocks
        return 1.0 - sum(part.end - part.start for part in self.parts) / whole if whole else 0.0

    def begin(self, about: tuple[str, ...], blocks: int, stride: int) -> None:
        """Begin, or go on.

        Raises:
            InvalidRequest: it belongs to another list.
        """
        if not self.about:
            self.about, self.blocks, self.stride, self.parts = about, blocks, stride, [Part(0, blocks)]
        elif (self.about, self.blocks) != (about, blocks):
            told = f"belongs to {' and '.join(self.about)}, not to {' and '.join(about)}"
            raise InvalidRequest("progress", self, told, "give a new Reading()")
        elif self.stride != stride:
            told = f"belongs to {_sampled(self.stride)}, not to {_sampled(stride)}"
            raise InvalidRequest("progress", self, told, "give a new Reading()")

    def __repr__(self) -> str:
        if not self.about:
            return "<Reading: not begun>"
        requests = f"{self.requests:,} {'request' if self.requests == 1 else 'requests'}"
        return f"<Reading of {' and '.join(self.about)}: {100 * self.share:.0f} % listed, {requests}>"

    def sampled(self) -> list[tuple[int, int]]:
        """List the ranges of a sample: every so manieth of the volume, as (start, end)."""
        first = min(self.stride // 2 * self.length, self.blocks // 2)
        starts = range(first, self.blocks, self.stride * self.length)
        return [(start, min(start + self.length, self.blocks)) for start in starts]

    def took(self, part: Part, page: Page, token: str) -> list[Part]:
        """Note a page of a part; returns what of the part is then still to be listed."""
        self.requests += 1
        reached = part.end
        if token:
            reached = int(page.blocks[-1]) + 1 if len(page.blocks) else part.start
        rest = self._rest(part, min(reached, part.end), token)
        if self.length or not (part.depth == 0 and self.stride > 1 and rest):
            self.pages.append(page.up_to(part.end))
        else:  # the first page told only that it is not the last
            self.length = -(-self.blocks // (SAMPLED * self.stride))
            rest = [Part(start, end, 2) for start, end in self.sampled()]
        self.parts.remove(part)
        self.parts += rest
        return rest

    def _rest(self, part: Part, reached: int, token: str) -> list[Part]:
        if reached >= part.end:
            return []
        going_on = replace(part, start=reached, token=token)
        covered = reached - part.start
        pages = (part.end - reached) / covered if covered else 0.0
        per_range = {0: _FIRST, 1: _LONG // 2}.get(part.depth)
        if per_range is None or pages <= (_FIRST, _LONG)[part.depth]:
            return [going_on]
        many = min(RANGES, math.ceil(pages / per_range))
        cuts = np.linspace(reached, part.end, many + 1).astype(int).tolist()
        others = [Part(*bounds, part.depth + 1) for bounds in pairwise(cuts[1:])]
        return [replace(going_on, end=cuts[1], depth=part.depth + 1), *others]


class BlockLists:
    """Lists blocks of the snapshots of one region, within the rates that its account has."""

    def __init__(self, region: "Region") -> None:
        self._region = region
        self._lock = Lock()
        self._pacers: dict[str, Pacer] = {}
        self._under_way: BoundedSemaphore | None = None

    def read(self, operation: str, reading: Reading, **params: str) -> None:
        """Read a list to its end; what was read stays in the reading whatever happens.

        Args:
            operation: ``"ListChangedBlocks"`` or ``"ListSnapshotBlocks"``.
            reading: begun.
            params: of the operation, besides those of its pages.

        Raises:
            AwsError: AWS refuses.
        """
        with self._lock:
            pacer = self._pacers.setdefault(operation, Pacer(self._region.clock))
            aws = self._region.service("ebs")
            under_way = self._under_way = self._under_way or BoundedSemaphore(_connections(aws.client))
        # Which requests are sent depends on the blocks only, not on which answer comes first: see `Reading.took`.
        with _lean(aws.client, operation) as mine:

            def step(part: Part) -> list[Part]:
                with under_way:
                    page, token = self._page(aws, pacer, mine, operation, part, params)
                with self._lock:
                    return reading.took(part, page, token)

            while len(reading.parts) == 1:
                step(reading.parts[0])
            if reading.parts:
                _together(step, list(reading.parts))

    def _page(
        self, aws: "Aws", pacer: Pacer, mine: local, operation: str, part: Part, params: dict[str, str]
    ) -> tuple[Page, str]:
        about = " and ".join(params.values())
        where: dict[str, Any] = {"NextToken": part.token} if part.token else {"StartingBlockIndex": part.start}
        for tries in range(1, _TRIES + 1):
            pacer.wait()
            mine.asks = True
            try:
                answer = aws.call(operation, about, MaxResults=PAGE, **where, **params)
                page = answer.get("SnapkitPage") or Page.of(answer.get(_LISTS[operation], []))
                return page, str(answer.get("NextToken") or "")
            except Throttled:
                if tries == _TRIES:
                    raise
                self._region.clock.sleep(2.0 ** (tries - 1))  # others of this account list blocks as well
            except AwsError as error:
                reason = reason_of(error)
                if reason == "INVALID_PAGE_TOKEN" and "NextToken" in where:
                    where = {"StartingBlockIndex": part.start}  # it lasts 60 minutes
                elif reason in _REMEDIES:
                    raise type(error)(error.code, operation, error.told, about, _REMEDIES[reason]) from error.__cause__
                else:
                    raise
            finally:
                mine.asks = False
        raise AssertionError("every last try returns or raises")  # pragma: no cover


def _sampled(stride: int) -> str:
    return "the whole list" if stride == 1 else f"a sample of one range in {stride:,}"


def _together(step: Any, parts: list[Part]) -> None:
    """Take steps from several parts at once; a failed one lets those under way end, and begins no more."""
    with ThreadPoolExecutor(THREADS, "snapkit-blocks") as pool:
        running = {pool.submit(step, part) for part in parts}
        try:
            while running:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for each in ended:
                    running |= {pool.submit(step, part) for part in each.result()}
        except BaseException:
            for each in running:
                each.cancel()
            raise


def _connections(client: Any) -> int:
    """Count the requests that a client can have under way; with more, it would open a connection for each anew."""
    config = getattr(getattr(client, "meta", None), "config", None)
    return min(THREADS, int(getattr(config, "max_pool_connections", THREADS)))


def reason_of(error: AwsError) -> str:
    """Tell which reason the EBS direct APIs gave, such as ``"UNRELATED_SNAPSHOTS"``; nothing where they gave none."""
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Reason", ""))


@contextmanager
def _lean(client: Any, operation: str) -> Iterator[local]:
    """Let pages that this reader asks for be read without botocore's parser, which takes five times as long.

    A page of 10,000 blocks takes that parser 34 ms, and only one thread at a time runs it: with 50 pages a second it
    would be the bottleneck. Other users of the client, in other threads, get what they always got.
    """
    mine, events = local(), getattr(getattr(client, "meta", None), "events", None)

    def read(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
        if getattr(mine, "asks", False) and response_dict.get("status_code") == 200:
            told = json.loads(response_dict["body"])
            customized_response_dict["SnapkitPage"] = Page.of(told.pop(_LISTS[operation], None) or [])
            response_dict["body"] = json.dumps(told).encode()

    if events is None:
        yield mine
        return
    events.register(f"before-parse.ebs.{operation}", read)
    try:
        yield mine
    finally:
        events.unregister(f"before-parse.ebs.{operation}", read)
