"""How long a snapshot will take, from how long the earlier ones of its volume or of its region took."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from statistics import NormalDist, median, stdev
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from snapkit.blocks import Workload
from snapkit.ebs._aws import PAGE
from snapkit.ebs.blockers import is_copy
from snapkit.rules import BLOCK
from snapkit.timing import Timing
from snapkit.units import MINUTE, Size, seconds_text, to_bytes

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

MOST_LISTED = 5 * PAGE
"""How many snapshots of a region are listed at most for an estimate."""

FRESH = timedelta(hours=1)
"""How long what a region's snapshots took is kept before it is listed again."""

_FEWEST = 4
_ALIKE = 3.0
_TOGETHER = timedelta(seconds=10)
"""One that ends so soon after the one that it builds on ended with it."""
_NEWEST = 100
_LINES = 1000
_NORMAL = NormalDist()
_OUTER = _NORMAL.inv_cdf(0.9)

Copied: TypeAlias = Callable[[float, int], float]
"""How much [bytes] a snapshot copies so long [s] after the one before it, of a volume with so much data [bytes]."""


@dataclass(frozen=True)
class Estimate:
    """How long a snapshot will take.

    Attributes:
        low: one in ten takes less [s].
        likely: half of them take less [s].
        high: nine in ten take less [s].
        basis: what it rests on.
        source: modelled, from how long others took; or assumed, where there are too few of them.
    """

    low: float
    likely: float
    high: float
    basis: str
    source: Literal["modelled", "assumed"] = "modelled"

    def rest(self, elapsed: float) -> tuple[float, float]:
        """Tell between which bounds the rest of one will last [s] that is not complete after so long [s].

        One in ten of those that have lasted so long ends before the first bound, nine in ten before the second; the
        logarithms of the durations are taken to be normal.
        """
        if self.low <= 0 or self.high <= self.low:
            return max(0.0, self.low - elapsed), max(0.0, self.high - elapsed)
        middle, spread = math.log(self.likely), math.log(self.high / self.likely) / _OUTER
        # Beyond one in a million the tail says nothing any more.
        left = max(1e-6, _NORMAL.cdf((middle - math.log(elapsed)) / spread)) if elapsed > 0 else 1.0
        low, high = (math.exp(middle - spread * _NORMAL.inv_cdf(left * share)) - elapsed for share in (0.9, 0.1))
        return max(0.0, low), max(0.0, high)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def __str__(self) -> str:
        return f"{band_text(self.low, self.high)}, {self.source} {self.basis}"


def band_text(low: float, high: float) -> str:
    """Write a band of durations [s] for people, or one where both bounds read the same."""
    bounds = dict.fromkeys((seconds_text(low), seconds_text(high)))
    return " to ".join(bounds)


@dataclass(frozen=True)
class Past:
    """What a listing tells of an earlier snapshot.

    Attributes:
        line: the volume that it was taken of; of a copy, that of its source.
        began: when it was begun.
        seconds: how long it took [s]; None while it is pending.
        size: the size of its volume [bytes].
        full: the size of all its blocks [bytes], where AWS tells it.
    """

    line: str
    began: datetime
    seconds: float | None
    size: int
    full: int | None


class Durations:
    """How long the snapshots of a region took: listed when it is asked for, and not again soon."""

    def __init__(self, region: "Region") -> None:
        self._region = region
        self._lines: dict[str, tuple[datetime, tuple[Past, ...]]] = {}
        self._all: dict[bool, tuple[datetime, tuple[Past, ...]]] = {}

    def of_line(self, snapshot: "Snapshot") -> tuple[Past, ...]:
        """List what was begun before a snapshot of the same volume, or copies of snapshots of one volume."""
        line, kept = line_of(snapshot), self._lines.get(line_of(snapshot))
        # What was listed after it was begun has all that came before it.
        if kept is None or kept[0] < snapshot.taken_at:
            key = f"tag:{snapshot.region.tag_keys.source_volume}" if is_copy(snapshot) else "volume-id"
            kept = self._region.clock.now(), self._listed(snapshot, [{"Name": key, "Values": [line]}])
            self._lines.pop(line, None)
            self._lines[line] = kept
            if len(self._lines) > _LINES:
                self._lines.pop(next(iter(self._lines)), None)
        return tuple(each for each in kept[1] if each.began < snapshot.taken_at)

    def of_region(self, snapshot: "Snapshot") -> tuple[Past, ...]:
        """List snapshots of this account, or its copies if that is one: at most 5,000, those that AWS lists first."""
        now, copied = self._region.clock.now(), is_copy(snapshot)
        kept = self._all.get(copied)
        # A long list is kept for others as well, a short one only until there is something new.
        lasts = FRESH if kept and len(kept[1]) > PAGE else timedelta()
        if kept is None or kept[0] + lasts < snapshot.taken_at:
            filters = [{"Name": "transfer-type", "Values": ["standard", "time-based"]}] if copied else None
            kept = self._all[copied] = now, self._listed(snapshot, filters)
        return kept[1]

    def _listed(self, like: "Snapshot", filters: list[dict[str, Any]] | None) -> tuple[Past, ...]:
        raws = self._region.aws.pages("DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters)
        found = (type(like)(self._region, raw) for raw in islice(raws, MOST_LISTED))
        alike = (each for each in found if each.state != "error" and is_copy(each) == is_copy(like) and line_of(each))
        return tuple(sorted(map(_past, alike), key=lambda each: each.began))


def estimate(snapshot: "Snapshot", changed: "Size | Workload | None" = None) -> Estimate | None:
    """Estimate how long a snapshot takes in all from how long others took; None where there are too few.

    A `Timing` is fitted to four or more earlier snapshots of its volume that copied a third to three times as much, or
    else to as many of the region, of which at most 5,000 are listed. AWS does not tell how much each copied. The oldest
    one of a volume is taken to have copied all its blocks, and a later one as many of them as the disk of the profile
    ``"workstation"`` writes in the time since the one before it. Copies are compared with copies.

    Measured on the demo, of four seeds, where 684 snapshots could be estimated from those before them: the band holds
    80 in 100, as it says, from 75 to 84 by the seed; the middle is off by 16 % in the median. The demo's volumes are
    written as that profile says, and its durations spread as `Timing` does: no proof for others. The first snapshot of
    a volume is known least, since AWS tells the size of its data only when it is complete.

    Args:
        snapshot: which.
        changed: how much it copies, such as ``"20 GiB"``, where that is known; it is then timed as the oldest snapshots
            of other volumes were, or, where there are fewer than four, by the defaults of `Timing`: assumed. Or the
            workload of its volume, instead of the profile.

    Raises:
        InvalidRequest: what changed is no size.
        AwsError: AWS refuses.
    """
    promised = snapshot.raw.get("CompletionDurationMinutes")
    if promised:
        return Estimate(0.0, promised * MINUTE, promised * MINUTE, "by the completion duration asked for", "assumed")
    if not line_of(snapshot):
        return None
    durations = snapshot.region.snapshots.durations
    if changed is not None and not isinstance(changed, Workload):
        return of_size(to_bytes(changed, "changed"), durations.of_region(snapshot))
    return predict(
        _past(snapshot),
        durations.of_line(snapshot),
        lambda: durations.of_region(snapshot),
        "copies" if is_copy(snapshot) else "snapshots",
        as_profile if changed is None else as_workload(changed),
    )


def predict(
    this: Past, before: Sequence[Past], region: Callable[[], Sequence[Past]], noun: str, grows: Copied
) -> Estimate | None:
    """Estimate how long a snapshot takes from those before it of its volume, or else from those of its region."""
    full = this.full or next((each.full for each in reversed(before) if each.full), None)
    gap = (this.began - before[-1].began).total_seconds() if before else None
    if gap is not None:
        size = grows(gap, full or this.size)
        alike = [each for each in _timed(before, grows)[1] if size / _ALIKE <= each[0] <= size * _ALIKE][-_NEWEST:]
        if len(alike) >= _FEWEST:
            return _fitted(alike, size, f"{noun} of {this.line}")
    others = [each for each in region() if each.began < this.began]
    first, later = _timed(others, grows)
    if len(first) + len(later) < _FEWEST:
        return None
    shares = [each.full / each.size for each in others if each.full] or [1.0]
    size = full or this.size * median(shares)
    unsure = 0.0 if full or len(shares) < 2 else stdev(map(math.log, shares)) * _outer(len(shares), 1)
    return _fitted([*first, *later], size if gap is None else grows(gap, int(size)), f"{noun} of this region", unsure)


def of_size(size: int, others: Sequence[Past]) -> Estimate:
    """Estimate how long a snapshot takes that copies so much, from the oldest ones of all volumes."""
    first, _ = _timed(others, as_profile)
    if len(first) >= _FEWEST:
        return _fitted(first, size, "first snapshots of volumes in this region")
    timing = Timing()
    middle, factor = timing.seconds(size), math.exp(_OUTER * timing.spread)
    return Estimate(middle / factor, middle, middle * factor, f"by {timing.basis}", "assumed")


def as_profile(gap: float, full: int) -> float:
    """Take as much to have changed as on the disk of a profile; see `estimate`."""
    disk = _profile()
    return full * min(1.0, disk.footprint(gap) * BLOCK / disk.size)


def as_workload(workload: Workload) -> Copied:
    """Take as much to have changed as a workload says."""
    return lambda gap, full: min(full, workload.footprint(gap) * workload.block_size)


@cache
def _profile() -> Workload:
    """Read the profile once; nobody changes it."""
    return Workload.profile("workstation")


def line_of(snapshot: "Snapshot") -> str:
    """Name the volume on whose snapshots this one follows on: of a copy that of its source, or else the copy itself.

    What was written through the EBS direct APIs follows on none, and takes as long as its writer does.
    """
    if not is_copy(snapshot):
        return snapshot.volume_id
    itself = snapshot.id if "TransferType" in snapshot.raw else ""
    return snapshot.tags.get(snapshot.region.tag_keys.source_volume) or itself


def waited(began: datetime, end: datetime, before: datetime | None) -> bool:
    """Tell whether one ended with the one that it builds on: it waited for that, and tells nothing of what it copied.

    Args:
        began: when it was begun.
        end: when it was complete.
        before: when those before it were complete; None where there are none.
    """
    return before is not None and began < before and end <= before + _TOGETHER


def _past(snapshot: "Snapshot") -> Past:
    done = snapshot.completed_at if snapshot.state == "completed" else None
    # One that had a time to be complete by says nothing of others.
    timed = done is not None and "CompletionDurationMinutes" not in snapshot.raw
    seconds = (done - snapshot.taken_at).total_seconds() if timed and done else 0.0
    took = seconds if seconds > 0 else None
    return Past(line_of(snapshot), snapshot.taken_at, took, snapshot.size, snapshot.full_size)


def _timed(pasts: Iterable[Past], grows: Copied) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Pair what each copied [bytes] with how long it took [s]: the first of each line, and the later ones."""
    first, later, last = list[tuple[float, float]](), list[tuple[float, float]](), dict[str, datetime]()
    ended = dict[str, datetime]()
    for each in pasts:
        gap = (each.began - last[each.line]).total_seconds() if each.line in last else None
        last[each.line] = each.began
        if each.seconds is None:
            continue
        end, before = each.began + timedelta(seconds=each.seconds), ended.get(each.line)
        ended[each.line] = end if before is None else max(end, before)
        if not waited(each.began, end, before):
            full = each.size if each.full is None else each.full
            (first if gap is None else later).append((full if gap is None else grows(gap, full), each.seconds))
    return first, later


def _fitted(known: Sequence[tuple[float, float]], size: float, of: str, unsure: float = 0.0) -> Estimate:
    """Fit a timing, and take its band as wide as so few snapshots allow: by Student's t.

    Args:
        known: how much each copied [bytes], and how long it took [s].
        size: how much this one copies [bytes].
        of: which they are.
        unsure: how far the logarithm of that size is off, up to nine times in ten.
    """
    timing = Timing.fit(*zip(*known, strict=True))
    count = len(known)
    # Below the least that is known the line may lead anywhere, even to no time at all.
    middle = timing.seconds(max(size, min(each for each, _ in known)))
    copying = 1 - timing.latency / middle
    factor = math.exp(math.hypot(timing.spread * _outer(count, 2), unsure * copying))
    return Estimate(middle / factor, middle, middle * factor, f"on {count} earlier {of}")


def _outer(count: int, parameters: int) -> float:
    """Tell how many standard deviations off the next one is, up to nine times in ten, after so few: Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(max(1, count - parameters), 0.9)) * math.sqrt(1 + parameters / count)
