"""One volume under a strategy, step by step: which tiers are due, which snapshots are no longer kept."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from snapkit.errors import InvalidRequest

if TYPE_CHECKING:
    from snapkit.strategy.strategy import Strategy, Tier

_NEVER = float("-inf")
_NO_MORE = float("inf")


class Lane:
    """One tier on one volume: the slot that is open now, what filled it, and what is kept.

    Attributes:
        tier: the tier.
        alone: its name, as the tiers of a snapshot that is for it alone.
        keeper: its complete snapshots.
        slot: the last due time at or before now [s since 1970]; minus infinity before the first.
        upcoming: the next due time [s since 1970]; infinity when there is none left.
        filled: when its newest snapshot was started that did not end in error [s since 1970].
        failures: when those were started that did [s since 1970].
        unhindered: whether no window, blackout day or failure can hold a slot back.
    """

    __slots__ = (
        "_next_opening",
        "_slots",
        "alone",
        "failures",
        "filled",
        "keeper",
        "slot",
        "tier",
        "unhindered",
        "upcoming",
    )

    def __init__(self, tier: "Tier", now: float) -> None:
        self.tier = tier
        self.alone = (tier.name,)
        self.keeper = tier.retention.keeper()
        latest = tier.schedule.latest_epoch(now)
        self.slot = _NEVER if latest is None else latest
        self._next_opening = tier.schedule.next_opening
        self._slots = tier.schedule.epochs(now)
        self.upcoming: float = next(self._slots, _NO_MORE)
        self.filled = _NEVER
        self.failures: list[float] = []
        self.unhindered = not tier.schedule.held

    def advance(self, now: float) -> None:
        """Move on to the slot that is open now."""
        while self.upcoming <= now:
            self.slot = self.upcoming
            self.upcoming = next(self._slots, _NO_MORE)

    def tries(self) -> list[float]:
        """List the starts of the snapshots for this slot that ended in error [s since 1970]."""
        return [at for at in self.failures if at >= self.slot]

    def ready(self, now: float) -> float:
        """Tell from when on the open slot, not yet filled, may be [s since 1970]; infinity when it was given up."""
        at = now
        if self.failures and (tries := self.tries()):
            if len(tries) > self.tier.retries:
                return _NO_MORE
            at = max(now, tries[-1] + self.tier.retry_seconds)
        return self._next_opening(at)


class Ledger:
    """What a strategy knows of one volume's snapshots, kept up to date one event at a time.

    `Strategy.decide` folds a list of snapshots into one; the simulator drives one directly. Time only moves forward.
    """

    def __init__(self, strategy: "Strategy", now: float) -> None:
        """Start with no snapshots at a moment [s since 1970]."""
        self.lanes = {tier.name: Lane(tier, now) for tier in strategy.tiers}
        self._lanes = list(self.lanes.values())
        self._entries: dict[int, tuple[float, list[Lane]]] = {}

    def due(self, now: float) -> list[Lane]:
        """List the tiers that want a snapshot now; one snapshot serves them all."""
        lanes = []
        for lane in self._lanes:
            if lane.upcoming <= now:
                lane.advance(now)
            if lane.filled < lane.slot and (lane.unhindered or lane.ready(now) == now):
                lanes.append(lane)
        return lanes

    def next_due(self, now: float) -> float:
        """Tell when to ask again, given that what is due now is taken now [s since 1970]; infinity for never."""
        soonest = _NO_MORE
        for lane in self._lanes:
            if lane.upcoming < soonest:
                soonest = lane.upcoming
            if lane.filled < lane.slot and now < (ready := lane.ready(now)) < soonest:
                soonest = ready
        return soonest

    def start(self, key: int, taken_at: float, lanes: list[Lane]) -> None:
        """Note that a snapshot was started for some tiers."""
        self._entries[key] = (taken_at, lanes)
        for lane in lanes:
            if taken_at > lane.filled:
                lane.filled = taken_at

    def complete(self, key: int) -> list[int]:
        """Note that a snapshot completed.

        Returns:
            The snapshots that no tier keeps any more because of it.
        """
        taken_at, lanes = self._entries[key]
        if len(self.lanes) == 1:
            return lanes[0].keeper.add(key, taken_at) if lanes else []
        dropped = dict.fromkeys(other for lane in lanes for other in lane.keeper.add(key, taken_at))
        return [other for other in dropped if not any(lane.keeper.keeps(other) for lane in self._entries[other][1])]

    def archives(self, key: int) -> tuple[str, ...]:
        """Name the tiers of a snapshot that archive it, and do not delete it, when no tier keeps it any more."""
        return tuple(lane.tier.name for lane in self._entries[key][1] if lane.tier.archive)

    def complete_all(self, keys: Iterable[int]) -> None:
        """Note that many snapshots completed, oldest first, as if all at once."""
        entries = [(key, *self._entries[key]) for key in keys]
        for lane in self._lanes:
            lane.keeper.extend((key, taken_at) for key, taken_at, lanes in entries if lane in lanes)

    def fail(self, key: int) -> None:
        """Note that a snapshot ended in error: its slot is open again."""
        taken_at, lanes = self._entries.pop(key)
        for lane in lanes:
            lane.failures.append(taken_at)
            lane.unhindered = False
            lane.filled = max((at for at, others in self._entries.values() if lane in others), default=_NEVER)

    def forget(self, tier: str) -> None:
        """Note that a tier goes by another name now: snapshots that carry the old one stay for ever.

        Raises:
            InvalidRequest: there is no such tier.
        """
        if tier not in self.lanes:
            raise InvalidRequest("tier", tier, "is not in the strategy", f"name one of {', '.join(self.lanes)}")
        for key, (taken_at, lanes) in self._entries.items():
            if self.lanes[tier] in lanes:
                for lane in lanes:
                    lane.keeper.discard(key)
                self._entries[key] = (taken_at, [])

    def verdict(self, key: int) -> tuple[bool, tuple[str, ...]]:
        """Tell of one complete snapshot whether a tier keeps it and why, in words."""
        return self._join({lane.tier.name: lane.keeper.verdict(key) for lane in self._entries[key][1]})

    def verdicts(self) -> dict[int, tuple[bool, tuple[str, ...]]]:
        """Tell the same of every complete snapshot."""
        told: dict[int, dict[str, tuple[bool, tuple[str, ...]]]] = {}
        for name, lane in self.lanes.items():
            for key, verdict in lane.keeper.verdicts().items():
                told.setdefault(key, {})[name] = verdict
        return {key: self._join(verdicts) for key, verdicts in told.items()}

    def _join(self, told: dict[str, tuple[bool, tuple[str, ...]]]) -> tuple[bool, tuple[str, ...]]:
        keep = any(kept for kept, _ in told.values())
        chosen = [(name, reason) for name, (kept, why) in told.items() if kept is keep for reason in why]
        return keep, tuple(reason if len(self.lanes) == 1 else f"{name}: {reason}" for name, reason in chosen)

    def delete(self, key: int) -> None:
        """Note that a complete snapshot was deleted."""
        for lane in self._entries.pop(key)[1]:
            lane.keeper.remove(key)
