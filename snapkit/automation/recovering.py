"""The recovery volumes that strategies want: built on schedule, and replaced once the next one is ready.

What is there is read from the volumes themselves, so that a run that was broken off is simply gone on with. A due time
is met once, by a volume of the newest complete snapshot that the strategy took; where there is none newer than that of
the last volume, it is met as soon as there is. After an outage one is built, and not all that were missed. One is built
after the other. Of two for one due time, as of two runs at once, the later one goes.

What was built under another strategy, or for a volume that no strategy protects now, stays and is told: it may be all
that is left of a volume, and a strategy that was changed by mistake shall not delete it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from snapkit.automation.managed import DUE, MOMENT, Managed, text
from snapkit.automation.recovery_volumes import (
    RECOVERS,
    RECOVERY,
    Built,
    build,
    built,
    is_recovery_volume,
    lacking,
    monthly_usd,
    price,
    release,
)
from snapkit.ebs import Region, Volume
from snapkit.ebs.volumes import check_source, check_zone
from snapkit.errors import AwsError, InvalidRequest, NotFound
from snapkit.plan import Step
from snapkit.rules import INITIALIZATION_RATES
from snapkit.strategy import RecoveryVolume
from snapkit.units import usd_text

if TYPE_CHECKING:
    from snapkit.automation.deciding import Protected

RATE = INITIALIZATION_RATES[0]
"""At which rate one is initialized [MiB/s]: the lowest, which is the cheapest, as the one before it stays meanwhile."""

LOOK_AGAIN = timedelta(minutes=5)
"""When to look again at one that is not ready.

Source: EBS user guide, "Amazon EBS volume status checks": they run every 5 minutes.
"""


@dataclass(frozen=True)
class _Build:
    """A recovery volume to build.

    Attributes:
        each: the volume and its strategy.
        recovery: what the strategy asks for.
        due: for which due time.
        source: of which snapshot.
    """

    each: "Protected"
    recovery: RecoveryVolume
    due: datetime
    source: Managed

    @property
    def given(self) -> dict[str, Any]:
        """What `build` is to be given."""
        volume = self.each.volume
        tags = {RECOVERS: volume.id, RECOVERY: self.each.strategy.name, DUE: text(self.due)}
        return {
            "snapshot": self.source.snapshot,
            "zone": self.recovery.zone,
            "original": volume,
            "tags": tags | {MOMENT: text(self.source.taken_at)},
            "rate": RATE if self.recovery.initialized else None,
        }


@dataclass(frozen=True)
class _Want:
    """What is wanted of the recovery volumes of one volume.

    Attributes:
        each: the volume and its strategy.
        recovery: what the strategy asks for.
        mine: those there are, in the order in which they were made.
        best: the one that is ready with the newest data, if any.
        making: one that is not ready yet, if any.
        due: the due time that none meets yet, if any.
        opens: from when one may be built.
        build: the one to build now, if any.
    """

    each: "Protected"
    recovery: RecoveryVolume
    mine: tuple[Built, ...]
    best: Built | None
    making: Built | None
    due: datetime | None
    opens: datetime
    build: _Build | None


class Recovering:
    """The recovery volumes of one region, and what strategies want of them."""

    def __init__(self, region: Region, protected: "Sequence[Protected]", *, whole: bool) -> None:
        """Look at volumes; nothing is asked of AWS yet.

        Args:
            region: where.
            protected: the volumes.
            whole: whether to look at the recovery volumes of others as well.
        """
        self._region = region
        self._protected = protected
        self._whole = whole
        self._now = region.clock.now()
        self._built: dict[str, list[Built]] = {}
        self._wants: list[_Want] = []
        self._unread: dict[str, str] = {}

    def read(self, held: Mapping[str, Sequence[Managed]], now: datetime) -> None:
        """Read what there is, and decide for each volume.

        Where AWS does not tell, nothing is built or deleted, and snapshots are taken all the same.

        Args:
            held: by volume, the snapshots that its strategy manages.
            now: the moment of the decision.
        """
        wanted = [(each, each.strategy.recovery) for each in self._protected if each.strategy.recovery]
        if not (wanted or self._whole):
            return
        alone = len(self._protected) == 1 and not self._whole
        initialized = {each.strategy.name for each, recovery in wanted if recovery.initialized}
        self._now, self._built, self._wants, self._unread = now, {}, [], {}
        try:
            ones = built(self._region, self._protected[0].volume.id if alone else "*", initialized)
        except AwsError as error:
            self._unread = {each.volume.id: str(error) for each, _ in wanted}
            return
        mine = {each.volume.id for each in self._protected}
        for one in ones:
            if self._whole or one.of in mine:
                self._built.setdefault(one.of, []).append(one)
        self._wants = [self._want(each, recovery, held[each.volume.id]) for each, recovery in wanted]

    def _want(self, each: "Protected", recovery: RecoveryVolume, held: Sequence[Managed]) -> _Want:
        mine = self._mine(each)
        here = _counted(mine, recovery)
        making = next((one for one in here if not one.ready), None)
        slot = recovery.schedule.latest(self._now)
        due = None if slot is None or any(_due(one) >= slot for one in here) else slot
        opens = datetime.fromtimestamp(recovery.schedule.next_opening(self._now.timestamp()), UTC)
        newest = max((one for one in held if one.state == "completed"), key=lambda one: one.taken_at, default=None)
        build = None
        if due and newest and not making and opens <= self._now:
            known = any(one.moment >= newest.taken_at for one in here)
            build = None if known else _Build(each, recovery, due, newest)
        best = max((one for one in here if one.ready), key=lambda one: one.moment, default=None)
        return _Want(each, recovery, tuple(mine), best, making, due, opens, build)

    def builds(self) -> Iterator[Step]:
        """List those to build now, and those that serve and lose their marks."""
        for volume, told in self._unread.items():
            reason = "recovery volumes are wanted, and cannot be read"
            yield Step(what="build recovery volume", on=volume, reason=reason, blockers=(told,))
        asked: tuple[str, ...] | None = None
        for want in self._wants:
            barred = self._no_zone(want.recovery.zone)
            if want.build is not None:
                barred = barred or _unusable(want.build.source)
                if not barred:
                    # One dry run stands for all, as in snapkit.automation.rights.
                    asked = barred = lacking(**want.build.given) if asked is None else asked
                yield self._building(want, want.build, barred)
            elif barred:
                reason = f"recovery volumes are wanted in {want.recovery.zone}"
                yield Step(what="build recovery volume", on=want.each.volume.id, reason=reason, blockers=barred)
        for one in self._all():
            if one.volume.server_id:
                yield Step(
                    what="release",
                    on=one.volume.id,
                    reason=f"it is attached to {one.volume.server_id}: a recovery volume of {one.of} no more",
                    do=partial(release, one.volume),
                    done=partial(self._is_gone, one.volume.id),
                )

    def deletions(self) -> Iterator[Step]:
        """List those that another one has replaced, or that could not be made."""
        for want in self._wants:
            for one in want.mine:
                best, instead = want.best, None
                if one.volume.state == "error":
                    reason = f"recovery volume of {one.of} that could not be made"
                elif best is not None and one is not best and one.moment <= best.moment:
                    instead = best.volume
                    reason = f"recovery volume of {one.of}, replaced by {instead.id}, which is ready"
                else:
                    continue
                saved = monthly_usd(one.volume)
                yield Step(
                    what="delete",
                    on=one.volume.id,
                    reason=reason,
                    monthly_usd=None if saved is None else -saved,
                    blockers=self._region.barred("Volume", "Delete", one.volume),
                    record=one.volume.raw,
                    do=partial(_delete, one.volume, instead),
                    done=partial(self._is_gone, one.volume.id),
                )

    def next_due(self) -> datetime | None:
        """Tell when to look again, given that what is wanted now is built now; None for never."""
        times = []
        for want in self._wants:
            if want.build or want.making:
                times.append(self._now + LOOK_AGAIN)
            elif want.due and want.opens > self._now:
                times.append(want.opens)
            elif (due := want.recovery.schedule.next_after(self._now)) is not None:
                times.append(due)
        return min(times, default=None)

    def told(self, volume: str) -> str:
        """Tell how the recovery volume of a volume stands; nothing where none is wanted."""
        if volume in self._unread:
            return f"not known: {self._unread[volume]}"
        for want in self._wants:
            if want.each.volume.id == volume:
                ready = (
                    f"{want.best.volume.id}, with data of {want.best.moment:%Y-%m-%d %H:%M} UTC" if want.best else ""
                )
                making = f"{want.making.volume.id} is {want.making.told}" if want.making else ""
                return "; ".join(filter(None, (ready, making))) or "none yet"
        return ""

    def notes(self, away: Set[str]) -> Iterator[str]:
        """Tell what waits, and what strategies left behind, a sentence each; not of volumes left to another run."""
        for want in self._wants:
            if want.due and want.making:
                told = f"{want.making.volume.id}, which is {want.making.told}"
                yield f"the recovery volume of {want.each.volume.id} for {want.due:%Y-%m-%d %H:%M} UTC waits for {told}"
        kept = {one.volume.id for want in self._wants for one in want.mine}
        left = defaultdict(list)
        for one in self._all():
            if one.volume.id not in kept and not one.volume.server_id and one.of not in away:
                left[one.strategy].append(one)
        for strategy, ones in sorted(left.items()):
            by = f" by {strategy!r}" if strategy else ""
            monthly = usd_text(sum(monthly_usd(one.volume) or 0.0 for one in ones))
            names = ", ".join(sorted({one.of for one in ones}))
            many, stay = ("", "stays as it is") if len(ones) == 1 else ("s", "stay as they are")
            yield (
                f"{len(ones):,} recovery volume{many}{by} of {names}, which no strategy of this run keeps ready, "
                f"{stay}, for {monthly} a month; see the tag {RECOVERS}"
            )

    def _building(self, want: _Want, new: _Build, barred: tuple[str, ...]) -> Step:
        once, monthly = price(new.source.snapshot, want.each.volume, rate=new.given["rate"])
        taken = f"of {new.source.id}, taken {new.source.taken_at:%Y-%m-%d %H:%M} UTC"
        replaced = f"; it replaces {want.best.volume.id} once it is ready" if want.best else ""
        return Step(
            what="build recovery volume",
            on=want.each.volume.id,
            reason=f"in {want.recovery.zone} {taken}, due at {new.due:%Y-%m-%d %H:%M} UTC{replaced}",
            price_usd=once,
            monthly_usd=monthly,
            blockers=barred,
            do=partial(build, **new.given),
            done=lambda: any(_due(one) >= new.due for one in _counted(self._mine(want.each), want.recovery)),
        )

    def _no_zone(self, zone: str) -> tuple[str, ...]:
        """Tell why nothing can be built in a zone."""
        try:
            check_zone(self._region, zone)
        except (InvalidRequest, AwsError) as error:
            return (f"recovery {error}",)
        return ()

    def _all(self) -> Iterator[Built]:
        for ones in self._built.values():
            yield from ones

    def _mine(self, each: "Protected") -> list[Built]:
        """List those that the strategy of a volume wanted and nobody uses, in the order in which they were made."""
        ones = (one for one in self._built.get(each.volume.id, ()) if one.strategy == each.strategy.name)
        return [one for one in ones if one.due is not None and not one.volume.server_id]

    def _is_gone(self, volume_id: str) -> bool:
        return not self._unread and all(one.volume.id != volume_id for one in self._all())


def _counted(mine: Iterable[Built], recovery: RecoveryVolume) -> list[Built]:
    """Leave out those in another zone, as of a strategy that was changed, and those that could not be made."""
    return [one for one in mine if one.volume.zone == recovery.zone and one.volume.state != "error"]


def _unusable(source: Managed) -> tuple[str, ...]:
    """Tell why no volume can be made of a snapshot."""
    if source.storage_tier != "standard" and source.snapshot.tier == "standard":
        return (f"{source.id} is on its way to the archive; take another snapshot",)
    try:
        check_source(source.snapshot)
    except InvalidRequest as error:
        return (str(error),)
    return ()


def _due(one: Built) -> datetime:
    assert one.due is not None  # noqa: S101 - for the type checker: those of a strategy have one
    return one.due


def _delete(volume: Volume, instead: Volume | None) -> None:
    """Delete a recovery volume, unless it was attached meanwhile, is one no more, or what replaces it is gone."""
    try:
        volume.refresh()
    except NotFound:
        return
    if RECOVERS not in volume.tags:
        raise InvalidRequest("volume", volume.id, "is no recovery volume any more", "nothing has to be done")
    if instead is not None and not _stands_by(instead):
        rule = f"is needed: {instead.id}, which was to replace it, does not stand by any more"
        raise InvalidRequest("volume", volume.id, rule, "nothing has to be done: the next run builds another")
    volume.delete()


def _stands_by(volume: Volume) -> bool:
    try:
        return is_recovery_volume(volume.refresh())
    except NotFound:
        return False
