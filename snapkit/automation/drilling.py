"""Drills: a snapshot is restored, compared block by block with what came of it, and everything cleaned up again.

What a drill makes carries a tag that names the drill and says by when it is over:

    snapkit:drill = 5f0c31d2/2026-01-05T09:00:00Z

So a later drill finds what one that was killed left behind, and deletes it once that moment has passed.

A drill shows that a volume can be made of the snapshot, in which time, and that its blocks are those of the snapshot.
The blocks that the sample names are really read, all of them are loaded. It mounts nothing: whether a database starts
from them it does not tell.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from snapkit.automation.drill_blocks import BlockComparison
from snapkit.automation.drill_leftovers import DRILL, leftovers, made, new_tag
from snapkit.automation.drill_report import DrillReport
from snapkit.automation.managed import text
from snapkit.automation.rights import refused
from snapkit.ebs import Snapshot, Volume
from snapkit.ebs.blockers import is_copy
from snapkit.ebs.deleting import full_size
from snapkit.ebs.initializing import await_initialized
from snapkit.ebs.restoring import LAZY_RATES, initialized
from snapkit.ebs.settling import wait_until
from snapkit.ebs.volume_kinds import check_kind
from snapkit.ebs.volumes import check_source, check_zone
from snapkit.errors import InvalidRequest, NotFound, SnapkitError
from snapkit.plan import Plan, State, Step
from snapkit.units import GIB, HOUR, bytes_text, seconds_text

LASTS = 6 * HOUR
"""How long a drill may take [s], besides four times the longest that the blocks should need to load: *assumed*."""

_Made = TypeVar("_Made", Snapshot, Volume)

SAMPLE = 300
"""Of how many blocks the data are compared: enough to find a damage of 1 % of them with 95 %."""


_TYPE = "gp3"


class Drill(Plan):
    """A plan of a drill.

    Attributes:
        report: what came of it, once it was applied.
    """

    def __init__(self, work: "_Work") -> None:
        super().__init__(work.steps(), work(), reread=work, clock=work.region.clock)
        self._work = work

    @property
    def report(self) -> DrillReport | None:
        """What came of it; nothing before it was applied."""
        return self._work.report


def drill(
    target: Volume | Snapshot,
    *,
    zone: str | None = None,
    initialization_rate: int | None = None,
    sample: int = SAMPLE,
    directory: str | Path = "drills",
) -> Drill:
    """Plan to prove that a snapshot can be restored; nothing is done before the plan is approved and applied.

    A gp3 volume is made of it and, when all blocks are there, a snapshot of that. The lists of blocks of both have to
    be the same, and the data of a sample of blocks. Where AWS can list which blocks were written since, those are
    compared as well. Then volume and snapshot are deleted, whatever happened before, and a report is written.

    Args:
        target: a volume, for its newest complete snapshot; or a snapshot.
        zone: where to restore; by default that of the volume, and for a snapshot the first of its region.
        initialization_rate: of the restored volume [MiB/s]; by default none is paid for.
        sample: of how many blocks the data are compared.
        directory: where the report is written, as a page and a line of JSON.

    Returns:
        The plan. What earlier drills that were killed left behind in the region is deleted first.

    Raises:
        InvalidRequest: the volume has no complete snapshot, it is archived, or an argument cannot be.
        AwsError: AWS refuses.
    """
    if not isinstance(target, Volume | Snapshot):
        raise InvalidRequest("target", target, "is nothing to restore", "give a volume, or a snapshot")
    if isinstance(sample, bool) or not isinstance(sample, int) or sample < 1:
        raise InvalidRequest("sample", sample, "is no number of blocks", f"give {SAMPLE}, say")
    snapshot = _newest(target) if isinstance(target, Volume) else target.refresh()
    check_source(snapshot)
    wanted = zone or (target.zone if isinstance(target, Volume) else snapshot.region.zones[0])
    check_zone(snapshot.region, wanted)
    check_kind(_TYPE, snapshot.size // GIB, {"initialization_rate": initialization_rate}, empty=False)
    return Drill(_Work(snapshot, wanted, initialization_rate, sample, _checked(Path(directory))))


class _Work:
    """A drill under way: what it has made and seen.

    Attributes:
        region: where.
        report: what came of it, once it is over.
    """

    def __init__(self, snapshot: Snapshot, zone: str, rate: int | None, sample: int, directory: Path) -> None:
        self.region = snapshot.region
        self.report: DrillReport | None = None
        self._snapshot = snapshot
        self._zone = zone
        self._rate = rate
        self._directory = directory
        self._comparison = BlockComparison(snapshot, sample)
        # The slowest way for the blocks to arrive is that nobody hurries them.
        self._longest = LASTS + 4 * full_size(snapshot) / LAZY_RATES[_TYPE][0]
        there = leftovers(self.region)
        self._left = {each: one for each, one in there.items() if one.over}
        self._others = tuple(str(one) for one in there.values() if not one.over)
        self._lacking = tuple(self._missing_rights())
        self._tag: dict[str, str] = {}
        self._begun_at = self._asked_at = self.region.clock.now()
        self._volume: Volume | None = None
        self._taken: Snapshot | None = None
        self._available: float | None = None
        self._initialized: float | None = None
        self._kept_for = 0.0
        self._troubles: dict[str, str] = {}
        self._behind: tuple[str, ...] = ()
        self._clean = self._written = False

    def __call__(self) -> State:
        """Read what the drill rests on: its snapshot, and what earlier ones left behind."""
        found = self.region.snapshots.find(ids=[self._snapshot.id])
        there = leftovers(self.region)
        # What others have begun since does not concern this one, nor does what it has made itself.
        self._left = {each: there[each] for each in self._left if each in there}
        known = {each.id: {"state": each.state, "tier": each.tier} for each in found}
        return known | {each: {"server": one.server or "none"} for each, one in self._left.items()}

    def steps(self) -> Sequence[Step]:
        """List what is to be done; what does not wait for others is done whatever became of them."""
        snapshot, prices = self._snapshot, self.region.prices
        lists, gets = self._comparison.most_requests
        size, full = bytes_text(snapshot.size), bytes_text(full_size(snapshot))
        assumed = "" if snapshot.full_size is not None else ", assumed"
        once = self._initialization_usd()
        rate = f"at {self._rate} MiB/s" if self._rate else "at the default rate"
        return (
            *(left.step(partial(self._gone, each)) for each, left in self._left.items()),
            self._step(
                "read",
                f"taken {snapshot.taken_at:%Y-%m-%d %H:%M} UTC of {snapshot.volume_id}; its list of blocks, and the "
                f"data of up to {self._comparison.sample:,}",
                self._read,
                lambda: self._comparison.blocks is not None,
                blockers=self._lacking,
            ),
            self._step(
                "restore",
                f"as a {_TYPE} volume of {size} in {self._zone}, deleted after {seconds_text(self._longest)} at most",
                self._restore,
                lambda: self._over or (self._volume is not None and self._available is not None),
                after="read",
                price_usd=(once, once + prices.gp3(snapshot.size, self._longest)),
            ),
            self._step(
                "initialize the volume of",
                f"until all of its {full}{assumed} are there, {rate}",
                self._initialize,
                lambda: self._over or (self._volume is not None and self._initialized is not None),
                after="restore",
            ),
            self._step(
                "snapshot the volume of",
                "by which it can be read; of another key or account, all of it is stored once more",
                self._take,
                lambda: self._over or (self._taken is not None and self._taken.state == "completed"),
                after="initialize the volume of",
                price_usd=(0.0, prices.stored(full_size(snapshot) * self._longest)),
            ),
            self._step(
                "compare with",
                f"both lists of blocks, and data by SHA-256; with the reading {lists + gets:,} requests at most",
                self._compare,
                lambda: self._over,
                after="snapshot the volume of",
                price_usd=(prices.requests(lists=3), prices.requests(lists=lists, gets=gets)),
            ),
            self._step(
                "clean up after",
                "what the drill made, whatever came of it",
                self._clean_up,
                lambda: self._clean,
                warnings=self._others,
            ),
            self._step("report on", f"in {self._directory}", self._write, lambda: self._written),
        )

    def _step(
        self, what: str, reason: str, do: Callable[[], object], done: Callable[[], bool], after: str = "", **more: Any
    ) -> Step:
        on = self._snapshot.id
        waits_for = (f"{after} {on}",) if after else ()
        do = partial(self._noting, f"{what} {on}", do)
        return Step(what=what, on=on, reason=reason, waits_for=waits_for, do=do, done=done, **more)

    def _noting(self, name: str, do: Callable[[], object]) -> None:
        """Do a step; what goes wrong is for the report as well."""
        self._troubles.pop(name, None)
        try:
            do()
        except SnapkitError as error:
            self._troubles[name] = str(error)
            raise
        except BaseException as error:
            error.add_note(
                "what the drill made is still there: apply the plan again to go on, or let a later drill clean"
            )
            raise

    def _missing_rights(self) -> Iterator[str]:
        """Tell which rights are missing: by the roles of the person, and by IAM."""
        region, snapshot = self.region, self._snapshot
        new = region.belonging(region.owned(snapshot.tags))
        wanted = (("Snapshot", "CreateVolume"), ("Volume", "Snapshot"), ("Volume", "Delete"), ("Snapshot", "Delete"))
        for kind, action in wanted:
            source = snapshot if action == "CreateVolume" else new
            yield from region.barred(kind, action, new, source)
        params = {"SnapshotId": snapshot.id, "AvailabilityZone": self._zone, "VolumeType": _TYPE}
        if told := refused(region, "CreateVolume", snapshot.id, params):
            yield told

    def _read(self) -> None:
        self._begun_at = self.region.clock.now()
        self._comparison.read(f"{self._snapshot.id} {text(self._begun_at)}")

    def _restore(self) -> None:
        if self._tag:
            self._clean_up()  # what a restore that was interrupted has made
        self._asked_at = self.region.clock.now()
        self._tag = new_tag(self._asked_at + timedelta(seconds=self._longest))
        self._available = self._initialized = None
        self._clean = self._written = False
        volume = self._volume = self._snapshot.create_volume(
            self._zone,
            name=f"drill of {self._snapshot.id}",
            volume_type=_TYPE,
            initialization_rate=self._rate,
            tags=self._tag,
        )
        wait_until(volume, lambda: volume.state == "available", "the drill goes no further")
        self._available = self._since()

    def _initialize(self) -> None:
        await_initialized(_there(self._volume), self._rest())
        self._initialized = self._since()

    def _take(self) -> None:
        self._taken = self._taken or _there(self._volume).take_snapshot(tags=self._tag)
        self._taken.wait(self._rest())

    def _compare(self) -> None:
        self._comparison.compare(_there(self._taken))

    def _clean_up(self) -> None:
        """Delete what carries the tag of this drill, and nothing else."""
        self._behind = tuple(each.id for each in (self._taken, self._volume) if each is not None)
        self._written = False
        failed, behind = None, list[str]()
        for thing in self._made():
            try:
                thing.delete()
            except NotFound:
                continue
            except SnapkitError as error:
                failed = failed or error
                behind.append(thing.id)
        self._behind = tuple(behind)
        if failed is not None:
            raise failed
        if self._tag:
            self._kept_for += self._since()
        self._volume = self._taken = None
        self._clean = True

    def _made(self) -> Iterable[Snapshot | Volume]:
        """List what the drill made; also what only its tag tells, because an answer was lost."""
        if not self._tag:
            return ()
        known: tuple[Snapshot | Volume | None, ...] = (self._taken, self._volume)
        return (made(self.region, self._tag[DRILL]) | {each.id: each for each in known if each is not None}).values()

    def _write(self) -> None:
        snapshot, found = self._snapshot, self._comparison
        kept = self.region.prices.gp3(snapshot.size, self._kept_for + (0.0 if self._clean else self._since()))
        self.report = DrillReport(
            snapshot_id=snapshot.id,
            volume_id=snapshot.volume_id,
            taken_at=snapshot.taken_at,
            size=snapshot.size,
            region=self.region.name,
            zone=self._zone,
            begun_at=self._begun_at,
            ended_at=self.region.clock.now(),
            initialization_rate=self._rate,
            available_after=self._available,
            initialized_after=self._initialized,
            blocks=found.blocks,
            sampled=found.sampled,
            compared=found.compared,
            different=found.different,
            changes_listed=found.changes_listed,
            seed=found.seed,
            price_usd=found.price_usd + kept + (self._initialization_usd() if self._tag else 0.0),
            troubles=(*self._lacking, *(f"{name}: {told}" for name, told in self._troubles.items())),
            left=self._behind,
        )
        self.report.write(self._directory)
        self._written = True

    def _initialization_usd(self) -> float:
        return initialized(self._snapshot, self._rate).price_usd if self._rate else 0.0

    def _gone(self, leftover: str) -> bool:
        return leftover not in self._left

    @property
    def _over(self) -> bool:
        return self._comparison.compared is not None

    def _since(self) -> float:
        return (self.region.clock.now() - self._asked_at).total_seconds()

    def _rest(self) -> float:
        return max(0.0, self._longest - self._since())


def _newest(volume: Volume) -> Snapshot:
    """Find the newest snapshot of a volume that one can be made of.

    Raises:
        InvalidRequest: there is none.
    """
    found = volume.region.snapshots.find(volume=volume.id, state="completed")
    usable = [each for each in found if each.tier == "standard" and not is_copy(each)]
    if not usable:
        rule = "has no complete snapshot" if not found else "has complete snapshots in the archive only"
        raise InvalidRequest("volume", volume.id, rule, "take one and wait for it, or give another snapshot")
    return usable[0]


def _checked(directory: Path) -> Path:
    """Refuse a directory that cannot be written to.

    Raises:
        InvalidRequest: it cannot.
    """
    there = next(each for each in (directory, *directory.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        rule = f"cannot be written to, as {there} cannot" if there != directory else "cannot be written to"
        raise InvalidRequest("directory", str(directory), rule, "give one that can")
    return directory


def _there(thing: _Made | None) -> _Made:
    assert thing is not None  # noqa: S101 - for the type checker: who asks waits for it
    return thing
