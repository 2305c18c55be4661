"""What a chain of snapshots stores, from footprints alone."""

from collections.abc import Callable, Iterator

from snapkit.errors import InvalidRequest


class Lineage:
    """The retained snapshots of one volume in one region, and the blocks that they store together.

    A snapshot stores the blocks changed since the retained one before it; the oldest stores all that was allocated.
    So the chain stores ``full(oldest)`` plus the sum of ``changed(a, b)`` over neighbours, and deleting a snapshot
    joins two gaps into one.

    Attributes:
        stored: blocks that the chain stores; a whole number when all the counts are.
    """

    __slots__ = ("_changed", "_full", "_increments", "_newer", "_newest", "_older", "_oldest", "stored")

    def __init__(
        self, changed: Callable[[float, float], int | float], full: Callable[[float], int | float] | int | float
    ) -> None:
        """Begin with no snapshot.

        Args:
            changed: the distinct blocks written after one moment [s], up to and including another.
            full: the blocks allocated at a moment [s], or a number when that never changes.
        """
        self._changed = changed
        self._full = full if callable(full) else lambda _: full
        self._increments: dict[float, int | float] = {}
        self._older: dict[float, float] = {}
        self._newer: dict[float, float] = {}
        self._oldest = self._newest = float("-inf")
        self.stored: int | float = 0

    @property
    def times(self) -> list[float]:
        """When the retained snapshots were taken [s], oldest first."""
        return list(self)

    @property
    def newest(self) -> float:
        """When the newest one was taken [s]; minus infinity where there is none."""
        return self._newest

    def __len__(self) -> int:
        return len(self._increments)

    def __iter__(self) -> Iterator[float]:
        # Snapshots are added in order of time, and a dict keeps the order of insertion through deletions.
        return iter(self._increments)

    def __contains__(self, t: object) -> bool:
        return t in self._increments

    def add(self, t: float) -> int | float:
        """Take a snapshot at t [s] and return the blocks that it must copy.

        Raises:
            InvalidRequest: t is not later than the newest snapshot.
        """
        newest = self._newest
        if not t > newest:
            raise InvalidRequest("snapshot at", t, f"is not later than the newest, at {newest}", "add in order of time")
        increments = self._increments
        if increments:
            increment = self._changed(newest, t)
            self._newer[newest] = t
            self._older[t] = newest
        else:
            increment = self._full(t)
            self._oldest = t
        increments[t] = increment
        self._newest = t
        self.stored += increment
        return increment

    def increment(self, t: float) -> int | float:
        """Return the blocks changed since the retained snapshot before the one at t [s]; all, for the oldest.

        Raises:
            InvalidRequest: there is no snapshot at t.
        """
        if t not in self._increments:
            raise self._unknown(t)
        return self._increments[t]

    def older(self, t: float) -> float:
        """Tell when the retained snapshot before the one at t was taken [s]; minus infinity for the oldest."""
        return self._older.get(t, float("-inf"))

    def unique(self, t: float) -> int | float:
        """Return the blocks that deleting the snapshot at t [s] would free.

        Raises:
            InvalidRequest: there is no snapshot at t.
        """
        increment = self.increment(t)
        if t == self._newest:
            return increment
        return increment + self._increments[self._newer[t]] - self._joined(t)

    def delete(self, t: float) -> int | float:
        """Delete the snapshot at t [s] and return the blocks that this frees.

        Raises:
            InvalidRequest: there is no snapshot at t.
        """
        increments = self._increments
        if t not in increments:
            raise self._unknown(t)
        freed = increments[t]
        if t == self._newest:
            self._newest = older = self._older.pop(t, float("-inf"))
            self._newer.pop(older, None)
        else:
            joined = self._joined(t)
            newer = self._newer.pop(t)
            freed += increments[newer] - joined
            increments[newer] = joined
            if t == self._oldest:
                self._oldest = newer
                del self._older[newer]
            else:
                older = self._older.pop(t)
                self._newer[older] = newer
                self._older[newer] = older
        del increments[t]
        self.stored -= freed
        return freed

    def _unknown(self, t: float) -> InvalidRequest:
        return InvalidRequest("snapshot at", t, "is not in the chain", "name the time of a retained one")

    def _joined(self, t: float) -> int | float:
        """Return the increment that the next snapshot will have once the one at t is gone."""
        newer = self._newer[t]
        if t == self._oldest:
            return self._full(newer)
        before, after = self._increments[t], self._increments[newer]
        joined = self._changed(self._older[t], newer)
        # Where measured counts meet modelled ones the footprint may break this rule of sets, and blocks would be
        # freed that another snapshot needs, or less than none.
        lowest = before if before > after else after
        highest = before + after
        return lowest if joined < lowest else highest if joined > highest else joined
