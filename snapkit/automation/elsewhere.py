"""The copies that strategies want in one other region: each snapshot once, the chain incremental, old ones deleted.

What is there already is read from the copies themselves, so that a run that was broken off is simply gone on with.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from snapkit.automation.managed import MOMENT, Managed, read_copy, text
from snapkit.automation.rights import refused
from snapkit.ebs import Region, Snapshot
from snapkit.ebs.deleting import full_size
from snapkit.errors import AwsError
from snapkit.plan import Step
from snapkit.strategy import Strategy, Tier, Verdict


class Elsewhere:
    """The copies in one other region of snapshots of one region.

    Attributes:
        name: of the other region.
        error: why it cannot be read, if so.
        ids: of the copies that there were when it was read last.
        needed: the snapshots of which a copy is in progress or about to begin: they have to stay until it is complete.
    """

    def __init__(self, home: Region, name: str) -> None:
        """Look at a region; nothing is asked of AWS yet."""
        self.name = name
        self.error: AwsError | None = None
        self.ids: set[str] = set()
        self.needed: set[str] = set()
        self._home = home
        self._there = home.beside(name)
        self._copies: dict[str, list[Managed]] = {}
        self._lacking: str | None = None

    def read(self) -> None:
        """Read the copies that there are; where the region does not answer, the reason, and what it told last, stay."""
        keys, home = self._there.tag_keys, self._home.name
        found = defaultdict(list)
        self.error, self.needed, self._lacking = None, set(), None
        try:
            for each in self._there.snapshots.find(tags={keys.source: f"{home}/*", MOMENT: "*"}):
                if (copy := read_copy(each)) is not None:
                    found[each.tags.get(keys.source_volume, "")].append(copy)
        except AwsError as error:
            self.error = error
        else:
            self._copies = found
            self.ids = {copy.id for copies in found.values() for copy in copies}

    def wanted(self, strategy: Strategy, held: Iterable[Managed], now: datetime) -> Iterator[Step]:
        """List the copy of a volume's snapshot that is to begin next, if any.

        One after the other, oldest first, so that each can be incremental to the one before it; what the retention
        there would not keep anyway is left out.

        Args:
            strategy: of the volume.
            held: the snapshots of the volume that the strategy manages.
            now: the moment of the decision.
        """
        there = _there(strategy, self.name)
        held = list(held)
        if there is None or self.error is not None or not held:
            return
        copies = self._of(held[0].snapshot.volume_id, strategy, there)
        good = [copy for copy in copies if copy.state != "error"]
        pending = {self._source(copy) for copy in good if copy.state == "pending"}
        self.needed |= pending
        if pending:
            return
        newest = max((copy.taken_at for copy in good), default=None)
        missing = [
            marked
            for each in held
            if each.state == "completed"
            and each.storage_tier == "standard"
            and (newest is None or each.taken_at > newest)
            if (marked := _marked(each, there)) is not None
        ]
        kept = {verdict.snapshot.id for verdict in there.decide([*good, *missing], now).kept}
        missing = [each for each in missing if each.id in kept]
        if not missing:
            return
        first = min(missing, key=lambda each: each.taken_at)
        self.needed.add(first.id)
        tries = [copy for copy in copies if copy.state == "error" and self._source(copy) == first.id]
        most = max(tier.retries for tier in there.tiers if tier.name in first.tiers)
        yield self._step(strategy, first, [copy.snapshot.raw.get("StateMessage", "") for copy in tries], most)

    def unwanted(self, strategy: Strategy, volume: str, now: datetime) -> Iterator[Verdict[Managed]]:
        """List the copies of a volume's snapshots that the retention there lets go."""
        there = _there(strategy, self.name)
        if there is not None and self.error is None:
            yield from there.decide(self._of(volume, strategy, there), now).delete

    def _of(self, volume: str, strategy: Strategy, there: Strategy) -> list[Managed]:
        copies = (copy for copy in self._copies.get(volume, ()) if copy.strategy == strategy.name)
        return [marked for copy in copies if (marked := _marked(copy, there)) is not None]

    def _source(self, copy: Managed) -> str:
        return copy.snapshot.tags[self._there.tag_keys.source].partition("/")[2]

    def _step(self, strategy: Strategy, each: Managed, failed: list[str], most: int) -> Step:
        snapshot, prices = each.snapshot, self._there.prices
        size = full_size(snapshot)
        keys = [copy.kms_key for tier in strategy.tiers for copy in tier.copies if copy.region == self.name]
        told = f"its copy ended in error {len(failed)} times, last with {failed[-1]!r}" if failed else ""
        given_up = (f"{told}: see to the reason and delete those copies",) if len(failed) > most else ()
        return Step(
            what=f"copy to {self.name}",
            on=snapshot.id,
            reason=f"taken {each.taken_at:%Y-%m-%d %H:%M} UTC for {', '.join(each.tiers)}",
            price_usd=(0.0, prices.transferred(size)),
            monthly_usd=(0.0, prices.monthly(size)),
            blockers=given_up or self._lacks(snapshot),
            warnings=(told,) if told and not given_up else (),
            do=partial(
                snapshot.copy_to,
                self._there,
                kms_key=next((key for key in keys if key), None),
                tags={MOMENT: text(each.taken_at)},
            ),
            done=lambda: self._has(snapshot.volume_id, snapshot.id),
        )

    def _lacks(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Tell which right to copy to there this account lacks; asked once, of the first that is to be copied."""
        if self._lacking is None:
            asked = {"SourceRegion": self._home.name, "SourceSnapshotId": snapshot.id}
            self._lacking = refused(self._there, "CopySnapshot", snapshot.id, asked)
        return (self._lacking,) if self._lacking else ()

    def _has(self, volume: str, snapshot_id: str) -> bool:
        copies = self._copies.get(volume, ())
        return any(copy.state != "error" and self._source(copy) == snapshot_id for copy in copies)


def _there(strategy: Strategy, region: str) -> Strategy | None:
    """Make the strategy of the copies in a region: the same tiers, with the retentions there."""
    tiers = [
        Tier(tier.schedule, copy.retention, tier.name, tier.retries)
        for tier in strategy.tiers
        for copy in tier.copies
        if copy.region == region
    ]
    return Strategy(strategy.name, tiers) if tiers else None


def _marked(each: Managed, there: Strategy) -> Managed | None:
    """Leave out of the tiers of a snapshot those that are not copied; None where that leaves none."""
    tiers = tuple(tier.name for tier in there.tiers if tier.name in each.tiers)
    return replace(each, tiers=tiers) if tiers else None
