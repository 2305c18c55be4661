"""A file system that is frozen for a snapshot: nothing is written until it thaws."""

from bisect import bisect_right
from enum import StrEnum

CALL = 1.0
"""How long CreateSnapshot takes to return [s]: *assumed*; AWS publishes no figure."""


class Freeze(StrEnum):
    """Until when the file system is frozen for a snapshot.

    Attributes:
        NO: it is not frozen: the snapshot holds what a crash would leave.
        CALL: until CreateSnapshot returns, which is enough: a snapshot holds the data of the moment of the call.
        COMPLETE: until the snapshot is complete, as careful guides of 2012 had it.

    Source:
        EBS user guide, "Create Amazon EBS snapshots" (point in time); enStratus, "Snapshots" (until complete).
    """

    NO = "no"
    CALL = "call"
    COMPLETE = "complete"


class WriteTime:
    """The time that passes for what writes to a volume: it stands still while the file system is frozen.

    Attributes:
        spells: from when to when it was frozen [s], a spell that goes on without its end.
    """

    def __init__(self) -> None:
        """Begin with a file system that is not frozen."""
        self.spells: list[tuple[float, float]] = []
        self._begins: list[float] = []
        self._reached: list[float] = []

    @property
    def frozen(self) -> bool:
        """Whether it is frozen now."""
        return bool(self.spells) and self.spells[-1][1] == float("inf")

    def freeze(self, now: float) -> None:
        """Let nothing be written from now on, if that is not so already."""
        if not self.frozen:
            self._reached.append(self.at(now))
            self._begins.append(now)
            self.spells.append((now, float("inf")))

    def thaw(self, now: float) -> None:
        """Let writes go on."""
        if self.frozen:
            self.spells[-1] = (self.spells[-1][0], now)

    def at(self, t: float) -> float:
        """Tell for how long writes went on until a moment [s]."""
        spell = bisect_right(self._begins, t) - 1
        if spell < 0:
            return t
        # From where it stood: never less for a later moment, as a difference of sums may be by rounding.
        return self._reached[spell] + max(0.0, t - self.spells[spell][1])
