"""How far a snapshot is, how long it will still take, and waiting for it.

`follow` looks and never waits, so that one and the same wait has several drivers: `wait` blocks, `await_completion`
leaves the event loop free, and a dialog goes at its own pace. Nothing about a wait is kept: one that was interrupted is
picked up by another one, in a new process too, as `Region.pending` lists what is in progress.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from snapkit.ebs import bars
from snapkit.ebs._aws import unanswered
from snapkit.ebs.copying import advice
from snapkit.ebs.estimating import Estimate, band_text, estimate
from snapkit.ebs.taking import HIDDEN_FOR
from snapkit.errors import AwsError, NotFound, SnapshotFailed, Throttled, WaitTimeout
from snapkit.units import Duration, seconds_text, to_seconds

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot

POLL = 15.0
"""Time between two looks at a snapshot [s]; longer where an estimate says that the end is far, or AWS refuses."""

LONGEST_POLL = 300.0
"""Longest time between two looks [s]."""

_MOST_FAILED = 10
_GOES_ON = "it goes on by itself: wait again, or see region.pending()"


@dataclass(frozen=True)
class Progress:
    """How far a snapshot is.

    Attributes:
        snapshot_id: which.
        state: pending, completed or error.
        percent: what AWS reports; it may jump.
        elapsed: since it was begun [s].
        estimate: of the whole duration, if there is one.
        again_in: when to look again [s].
        unseen: how many looks in a row have failed, the last one included; what is told is from before them.
    """

    snapshot_id: str
    state: str
    percent: int
    elapsed: float
    estimate: Estimate | None
    again_in: float
    unseen: int = 0

    @property
    def remaining(self) -> tuple[float, float] | None:
        """Between which bounds the rest will last [s], if there is an estimate; see `Estimate.rest`."""
        return None if self.estimate is None else self.estimate.rest(self.elapsed)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    @property
    def brief(self) -> str:
        """How far it is, without what the estimate rests on."""
        told = f"{self.snapshot_id}: {self.state}, {self.percent} %, {seconds_text(self.elapsed)} so far"
        if self.state != "pending":
            return told
        if self.unseen:
            told += f", {self.unseen} {'look' if self.unseen == 1 else 'looks'} failed"
        if self.estimate is None:
            return f"{told}; no estimate yet"
        if self.elapsed > self.estimate.high:
            return f"{told}; longer than usual"
        return f"{told}; {band_text(*self.estimate.rest(self.elapsed))} to go"

    def __str__(self) -> str:
        if self.state != "pending" or self.estimate is None:
            return self.brief
        if self.elapsed > self.estimate.high:
            return f"{self.brief} ({self.estimate})"
        return f"{self.brief}, {self.estimate.source} {self.estimate.basis}"


Told: TypeAlias = Callable[[Progress], object]


def follow(snapshot: "Snapshot") -> Iterator[Progress]:
    """Go along with a snapshot: each step looks at it once, and none of them waits.

    Between two steps let `Progress.again_in` seconds pass. The last step tells that it is complete. What passes does
    not end it: a new id that is still hidden, a lost answer, throttles however long they last.

    Raises:
        SnapshotFailed: it ended in error.
        NotFound: it was deleted.
        AwsError: AWS refused for good, or could not be reached ten times in a row.
    """
    begun, looks, asked = snapshot.taken_at, _Looks(), False
    guess: Estimate | None = None
    while True:
        looks.look(snapshot)
        if snapshot.state == "error":
            reason = str(snapshot.raw.get("StateMessage") or "AWS gave no reason")
            told = f"ended in error: {reason.rstrip('.')}; {advice(reason)}"
            raise SnapshotFailed(snapshot.id, told, reason)
        if snapshot.state == "pending" and looks.seen and not asked:
            guess, asked = _estimate(snapshot), True
        yield progress(dict(snapshot.raw), snapshot.region.clock.now(), guess, begun, unseen=looks.failed)
        if snapshot.state == "completed":
            return


def wait(
    snapshot: "Snapshot", timeout: Duration | None = None, on_progress: Told | None = None, *, show: bool = True
) -> "Snapshot":
    """Return a snapshot when it is complete.

    Args:
        snapshot: which.
        timeout: how long to wait at most [s]; by default as long as it takes.
        on_progress: called with each `Progress`, instead of the bar.
        show: whether to show a bar in a terminal or notebook; see `snapkit.ebs.bars`.

    Raises:
        WaitTimeout: it takes longer; it goes on, and `region.pending()` finds it again.
        SnapshotFailed: it ended in error.
        NotFound: it was deleted meanwhile.
        AwsError: AWS refused for good, or could not be reached ten times in a row.
    """
    with _told(snapshot, on_progress, show=show) as (tell, tick):
        for pause in _pauses(snapshot, timeout, tell, tick):
            snapshot.region.clock.sleep(pause)
    return snapshot


async def await_completion(
    snapshot: "Snapshot", timeout: Duration | None = None, on_progress: Told | None = None, *, show: bool = True
) -> "Snapshot":
    """Return a snapshot when it is complete, as `wait` does, leaving the event loop free meanwhile."""
    with _told(snapshot, on_progress, show=show) as (tell, tick):
        for pause in _pauses(snapshot, timeout, tell, tick):
            await snapshot.region.clock.asleep(pause)
    return snapshot


def progress(
    raw: "dict[str, object]", now: datetime, guess: Estimate | None, begun: datetime, *, unseen: int = 0
) -> Progress:
    """Tell how far a snapshot is from what AWS says of it."""
    elapsed = max(timedelta(), now - begun).total_seconds()
    text = str(raw.get("Progress") or "0%").rstrip("%")
    rest = (guess.low - elapsed) / 4 if guess else 0.0
    return Progress(
        snapshot_id=str(raw["SnapshotId"]),
        state=str(raw["State"]),
        percent=int(text) if text.isdigit() else 0,
        elapsed=elapsed,
        estimate=guess,
        again_in=min(LONGEST_POLL, max(POLL * 2.0 ** min(unseen, 5), rest)),
        unseen=unseen,
    )


@dataclass
class _Looks:
    """Looks at a snapshot, one after the other.

    Attributes:
        seen: whether one of them has found it.
        hidden: how many have not found it yet.
        failed: how many have failed in a row for what passes.
    """

    seen: bool = False
    hidden: int = 0
    failed: int = 0

    def look(self, snapshot: "Snapshot") -> None:
        """Read it again, unless AWS cannot tell just now."""
        try:
            snapshot.refresh()
        except NotFound as error:
            age = (snapshot.region.clock.now() - snapshot.taken_at).total_seconds()
            # Counted as well, for a clock that is behind.
            if self.seen or age > HIDDEN_FOR or self.hidden >= _MOST_FAILED:
                raise _gone(snapshot, error) from error
            self.hidden += 1
        except Throttled:
            # AWS is there, and wants to be asked later: that may last as long as it will.
            self.failed += 1
        except AwsError as error:
            passing = error.code in ("NotReached", "NoAnswer") or unanswered(error)
            if not passing or self.failed >= _MOST_FAILED:
                raise
            self.failed += 1
        else:
            self.seen, self.failed = True, 0
            if snapshot.state == "recoverable":
                raise _gone(snapshot, NotFound("Recoverable", "DescribeSnapshots", "it lies in the recycle bin"))


def _gone(snapshot: "Snapshot", error: NotFound) -> NotFound:
    remedy = "it was deleted, or is no longer shared with this account; see region.snapshots.in_recycle_bin()"
    return NotFound(error.code, error.operation, error.told, snapshot.id, remedy)


def _estimate(snapshot: "Snapshot") -> Estimate | None:
    """Estimate its duration; a wait goes on without."""
    try:
        return estimate(snapshot)
    except AwsError:
        return None


def _pauses(snapshot: "Snapshot", timeout: Duration | None, tell: Told, tick: float) -> Iterator[float]:
    """Go along with a snapshot; yields how long to wait [s] each time.

    Args:
        snapshot: which.
        timeout: how long to go along at most.
        tell: called with each step, and after each tick in between.
        tick: the longest pause [s].
    """
    now = snapshot.region.clock.now
    longest = None if timeout is None else to_seconds(timeout, "timeout", zero=True)
    begun, waited = now(), 0.0
    for step in snapshot.follow():
        tell(step)
        if step.state == "completed":
            return
        left = step.again_in
        if longest is not None:
            # A clock that is set back does not lengthen the wait by more than it takes to ask.
            rest = longest - max(waited, (now() - begun).total_seconds())
            if rest <= 0:
                raise WaitTimeout(snapshot.id, f"is still {step.state} at {step.percent} %; {_GOES_ON}")
            left = min(left, rest)
        waited, passed = waited + left, 0.0
        while left > tick:
            yield tick
            left -= tick
            passed += tick
            tell(replace(step, elapsed=step.elapsed + passed))
        yield left


@contextmanager
def _told(snapshot: "Snapshot", on_progress: Told | None, *, show: bool) -> Iterator[tuple[Told, float]]:
    """Choose who is told of each step and how often [s]; what interrupts a wait says that the snapshot goes on."""
    bar = bars.bar(snapshot.region.clock) if show and on_progress is None else None
    gone = False
    try:
        if bar is None:
            yield on_progress or (lambda _: None), LONGEST_POLL
        else:
            yield bar.show, bar.tick
    except NotFound:
        gone = True
        raise
    except (AwsError, KeyboardInterrupt, asyncio.CancelledError) as error:
        error.add_note(f"{snapshot.id}: {_GOES_ON}")
        raise
    finally:
        if bar is not None:
            state = "error" if gone else snapshot.state
            bar.close(state, _GOES_ON if state == "pending" else "")
