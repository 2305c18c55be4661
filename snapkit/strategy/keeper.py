"""The one definition of retention: learn snapshots one by one, tell which are no longer kept."""

from collections import deque
from collections.abc import Container, Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from snapkit.strategy.spans import CalendarSpan
from snapkit.units import DAY, HOUR

BUCKETS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
_UNITS = dict(zip(BUCKETS, ("snapshot", "hour", "day", "week", "month", "year"), strict=True))
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NOBODY = -1
"""No snapshot's number."""


class Rule:
    """One rule: the newest snapshot of each bucket, of so many buckets or of those in a span.

    Attributes:
        bucket: what the rule counts, one of `BUCKETS`; each snapshot is a bucket of its own to ``"last"``.
        limit: how many buckets it keeps.
        span: how far back from the newest snapshot it keeps; None for any distance.
        held: the snapshot that stands for each bucket, oldest first.
    """

    __slots__ = ("bucket", "held", "index", "limit", "open_bucket", "span", "start")

    def __init__(self, bucket: str, *, limit: float = float("inf"), span: CalendarSpan | None = None) -> None:
        self.bucket = bucket
        self.index = BUCKETS.index(bucket)
        self.limit = limit
        self.span = span
        self.clear()

    def clear(self) -> None:
        """Forget every snapshot."""
        self.held: deque[int] = deque()
        self.open_bucket: float = float("-inf")
        self.start = float("-inf")

    def reason(self) -> str:
        """Say why it keeps the snapshots that it keeps."""
        if self.span is None:
            return f"{self.bucket} snapshot"
        return f"within {self.span}" if self.bucket == "last" else f"{self.bucket} within {self.span}"

    def oldest_reason(self) -> str:
        """Say why it keeps the oldest snapshot, which stands for no bucket."""
        return f"oldest {self.reason()}"

    def refusal(self, *, stood_for: bool) -> str:
        """Say why it does not keep a snapshot whose bucket a newer one stands for, or is beyond the rule's reach."""
        if stood_for:
            return f"{self.bucket}: a newer snapshot stands for its {_UNITS[self.bucket]}"
        if self.span is not None:
            return f"not within {self.span} of the newest"
        if self.bucket == "last":
            return f"not among the last {self.limit:.0f}"
        units = _UNITS[self.bucket] if self.limit == 1 else f"{self.limit:.0f} {_UNITS[self.bucket]}s"
        return f"{self.bucket}: not in the newest {units} with a snapshot"


class Keeper:
    """Which snapshots of one chain the rules keep, a few operations a rule for each new snapshot.

    Snapshots are known by number, from 0, and come oldest first; one that comes late (it completed after a younger
    one) is put in its place, at the price of counting all anew. A snapshot that is no longer kept stays in the count
    until it is removed: it may be the oldest, which an unfilled rule keeps.
    """

    def __init__(self, rules: Iterable[Rule], zone: ZoneInfo) -> None:
        self._rules = list(rules)
        self._spans = [(rule, rule.span) for rule in self._rules if rule.span is not None]
        self._zone = None if zone.key == "UTC" else zone
        self._restart()

    def _restart(self) -> None:
        for rule in self._rules:
            rule.clear()
        self._times: dict[int, float] = {}
        self._holds: dict[int, int] = {}
        self._unfilled = len(self._rules) - len(self._spans)
        self._newest = float("-inf")
        self._oldest = _NOBODY
        self._added = 0
        self._calendar = [float("-inf")] * len(BUCKETS)

    def add(self, key: int, taken_at: float) -> list[int]:
        """Count one more complete snapshot.

        Args:
            key: its number, new to this keeper.
            taken_at: the moment whose data it holds [s since 1970].

        Returns:
            The snapshots that are no longer kept because of it.
        """
        if taken_at < self._newest:
            return self._insert(key, taken_at, [])
        released = self._count(key, taken_at)
        if self._spans:
            if self._reach_back():
                return self._insert(key, taken_at, released)
            released += self._drop_outlived()
        if self._oldest != _NOBODY and not self._holds[self._oldest]:
            self._drop_oldest(released)
        return released

    def extend(self, snapshots: Iterable[tuple[int, float]]) -> None:
        """Count many snapshots, oldest first; spans are measured back from the last one only.

        Args:
            snapshots: the number of each, and the moment whose data it holds [s since 1970].
        """
        for key, taken_at in snapshots:
            self._count(key, taken_at)
        if self._times:
            self._reach_back()
            self._drop_outlived()
            if self._oldest != _NOBODY and not self._holds[self._oldest]:
                self._drop_oldest([])

    def _count(self, key: int, taken_at: float) -> list[int]:
        if not self._times:
            self._oldest = key
        self._times[key] = self._newest = taken_at
        self._added += 1
        buckets = self._buckets(taken_at)
        holds, oldest = self._holds, self._oldest
        holds[key] = len(self._rules)
        released: list[int] = []
        for rule in self._rules:
            held = rule.held
            bucket = buckets[rule.index]
            if bucket == rule.open_bucket:
                gone = held[-1]
                held[-1] = key
            else:
                rule.open_bucket = bucket
                held.append(key)
                if len(held) <= rule.limit:
                    self._unfilled -= len(held) == rule.limit
                    continue
                gone = held.popleft()
            holds[gone] -= 1
            if not holds[gone] and gone != oldest:
                released.append(gone)
        return released

    def _reach_back(self) -> bool:
        """Measure the spans back from the newest snapshot; tell whether one begins earlier than it did before.

        A day later can be a month back to an earlier moment: 30 March 20:00 goes back to 28 February 20:00,
        31 March 06:00 to 28 February 06:00.
        """
        moved_back = False
        for rule, span in self._spans:
            start = span.back_from(self._newest, self._zone)
            moved_back = moved_back or start < rule.start
            rule.start = start
        return moved_back

    def _drop_outlived(self) -> list[int]:
        released = []
        for rule, _ in self._spans:
            # Where a zone leaves out a whole day, a day back from the newest is the newest itself, and it stays.
            while len(rule.held) > 1 and self._times[rule.held[0]] <= rule.start:
                gone = rule.held.popleft()
                self._holds[gone] -= 1
                if not self._holds[gone] and gone != self._oldest:
                    released.append(gone)
        return released

    def _drop_oldest(self, released: list[int]) -> None:
        """Let the oldest go, which stands for no bucket, unless an unfilled rule or a span spares it."""
        if not self._spares_oldest():
            released.append(self._oldest)
            self._oldest = _NOBODY

    def _spares_oldest(self) -> bool:
        if self._unfilled:
            return True
        taken_at = self._times[self._oldest]
        return any(taken_at > rule.start for rule, _ in self._spans)

    def _insert(self, key: int, taken_at: float, released: list[int]) -> list[int]:
        before = {other for other in self._times if not self.keeps(other)}.difference(released)
        self._times[key] = taken_at
        self._recount()
        return [other for other in self._times if not self.keeps(other) and other not in before]

    def _recount(self) -> None:
        times = sorted(self._times.items(), key=lambda item: item[1])
        self._restart()
        self.extend(times)

    def remove(self, key: int) -> None:
        """Forget a snapshot that was deleted."""
        oldest = self._oldest
        was_first = oldest in (key, _NOBODY) and key == next(iter(self._times))
        del self._times[key]
        if self._holds.pop(key):
            self._recount()
        elif was_first and self._times:
            self._oldest = next(iter(self._times))
            if not self._holds[self._oldest] and not self._spares_oldest():
                self._oldest = _NOBODY

    def discard(self, key: int) -> None:
        """Forget a snapshot that it may know."""
        if key in self._times:
            self.remove(key)

    def keeps(self, key: int) -> bool:
        """Tell whether a snapshot is kept."""
        return bool(self._holds[key]) or key == self._oldest

    def verdict(self, key: int) -> tuple[bool, tuple[str, ...]]:
        """Tell of one snapshot whether it is kept and why, in words."""
        return self._judge(key, [rule.held for rule in self._rules], self._reaches())

    def verdicts(self) -> dict[int, tuple[bool, tuple[str, ...]]]:
        """Tell the same of every snapshot, oldest first."""
        held, reaches = [set(rule.held) for rule in self._rules], self._reaches()
        return {key: self._judge(key, held, reaches) for key in self._times}

    def _reaches(self) -> list[float]:
        """Number the oldest bucket of each rule."""
        return [self._buckets(self._times[rule.held[0]])[rule.index] for rule in self._rules if rule.held]

    def _judge(
        self, key: int, held: Sequence[Container[int]], reaches: Sequence[float]
    ) -> tuple[bool, tuple[str, ...]]:
        buckets = self._buckets(self._times[key])
        reasons, refusals = [], []
        for rule, keys, reach in zip(self._rules, held, reaches, strict=True):
            if key in keys:
                reasons.append(rule.reason())
            elif key == self._oldest and self._keeps_oldest(rule):
                reasons.append(rule.oldest_reason())
            else:
                refusals.append(rule.refusal(stood_for=rule.bucket != "last" and buckets[rule.index] >= reach))
        return bool(reasons), tuple(reasons or refusals)

    def _keeps_oldest(self, rule: Rule) -> bool:
        if rule.span is None:
            return len(rule.held) < rule.limit
        return rule.bucket != "last" and self._times[self._oldest] > rule.start

    def _buckets(self, taken_at: float) -> Sequence[float]:
        """Number the snapshot itself and its hour, day, ISO week, month and year in the zone, until called again."""
        buckets = self._calendar
        buckets[0] = self._added
        if self._zone is None:
            buckets[1], day = taken_at // HOUR, taken_at // DAY
        else:
            ahead = datetime.fromtimestamp(taken_at, self._zone).utcoffset()
            offset = ahead.total_seconds() if ahead else 0.0
            # A repeated hour has another offset from UTC, but no repeated number: hours are counted elapsed.
            buckets[1], day = (taken_at + offset % HOUR) // HOUR, (taken_at + offset) // DAY
        if day != buckets[2]:
            on = date.fromordinal(int(day) + _EPOCH_DAY)
            # Day 0 was a Thursday, and ISO weeks begin on Monday.
            buckets[2:] = day, (day + 3) // 7, on.year * 12.0 + on.month, on.year
        return buckets
