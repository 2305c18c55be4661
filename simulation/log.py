"""What happens in a run, written down as it happens."""

from simulation.archives import ArchiveLog
from simulation.copies import CopyLog

_LATER = float("inf")


class Log:
    """What happened in a run, column by column; times are seconds from the scenario's start.

    Attributes:
        started: when each snapshot was started: the moment whose data it holds [s].
        due: the due time that it serves [s since 1970].
        tiers: the tiers it was taken for.
        changed: the blocks that it copies.
        completed: when it completed [s]; infinity while pending, and for one that failed.
        failed: when those ended in error that did [s], by number.
        deleted: when it was deleted [s]; infinity while it is kept.
        stored_at: when the stored amount changed [s].
        stored: blocks stored from each of those moments on; a snapshot's count from its start.
        copies: what became of the copies, by the region that they are in.
        archive: what became of those that were archived.
        incidents: what no retention did, in order: how many snapshots had been started by then and how many had ended,
            and the number of the one that was deleted, or the tier that was renamed.
        frozen: from when to when the file system was frozen [s].
        chain: what each snapshot stores that is there at the end, by its start: the first all its blocks, every other
            those changed since the one before it.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.started: list[float] = []
        self.due: list[float] = []
        self.tiers: list[tuple[str, ...]] = []
        self.changed: list[float] = []
        self.completed: list[float] = []
        self.failed: dict[int, float] = {}
        self.deleted: list[float] = []
        self.stored_at: list[float] = []
        self.stored: list[float] = []
        self.copies: dict[str, CopyLog] = {}
        self.archive = ArchiveLog()
        self.incidents: list[tuple[int, int, int | str]] = []
        self.frozen: list[tuple[float, float]] = []
        self.chain: dict[float, float] = {}

    @property
    def by_hand(self) -> dict[int, float]:
        """When those were deleted that no retention deleted [s], by number."""
        return {which: self.deleted[which] for *_, which in self.incidents if not isinstance(which, str)}

    def take(self, now: float, due: float, tiers: tuple[str, ...], changed: float, stored: float) -> int:
        """Note that a snapshot was started, and give it a number."""
        self.started.append(now)
        self.due.append(due)
        self.tiers.append(tiers)
        self.changed.append(changed)
        self.completed.append(_LATER)
        self.deleted.append(_LATER)
        self.stored_at.append(now)
        self.stored.append(stored)
        return len(self.started) - 1

    def store(self, now: float, blocks: float) -> None:
        """Note how many blocks are stored from now on."""
        self.stored_at.append(now)
        self.stored.append(blocks)
