"""What a strategy did on a volume, as a forecast says it or as it happened, both in one shape."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.automation.managed import DUE, TIERS, Managed, doubles, read
from snapkit.automation.ran import Run
from snapkit.ebs import Region, Snapshot, Volume
from snapkit.ebs.estimating import waited
from snapkit.errors import InvalidRequest
from snapkit.strategy.zones import epoch_of

Floats = NDArray[np.float64]
Log: TypeAlias = "str | PathLike[str] | Iterable[Run]"
"""Where deleted snapshots are told: a file of lines that ``snapkit run --json`` wrote, or what `run` returned."""

Band: TypeAlias = tuple[float, float, str]
"""What happened, at least and at most, and the basis."""

SECOND = timedelta(seconds=1)
_NEEDED = {"SnapshotId", "VolumeId", "StartTime", "State"}


class Forecast(Protocol):
    """A run of a scenario, as `simulation.simulate` returns it."""

    @property
    def scenario(self) -> Any:
        """What was simulated."""

    @property
    def log(self) -> Any:
        """What happened in it, column by column."""


@dataclass(frozen=True)
class Course:
    """The snapshots that a strategy took of a volume, in order of their start.

    Attributes:
        started: when each was started [s since the forecast begins].
        completed: when it was complete, likewise; infinity while it is pending, and for one that failed.
        due: the due time that it serves, to the second [s since 1970].
        tiers: for which each was taken.
        failed: whether it ended in error.
        deleted: when it was deleted [s]; infinity while it is kept, or where nobody knows.
        copied: how much each copied [bytes]; NaN where nobody knows.
        by_hand: when those were deleted that retention did not delete [s], by number; of a fact nobody knows.
    """

    started: Floats
    completed: Floats
    due: Floats
    tiers: Sequence[Sequence[str]]
    failed: NDArray[np.bool_]
    deleted: Floats
    copied: Floats
    by_hand: Mapping[int, float]

    @classmethod
    def forecast(cls, outcome: Forecast) -> Self:
        """Read a run of a scenario."""
        log = outcome.log
        failed = np.zeros(len(log.started), np.bool_)
        failed[list(log.failed)] = True
        return cls(
            started=np.array(log.started, np.float64),
            completed=np.array(log.completed, np.float64),
            due=np.rint(np.array(log.due, np.float64)),
            tiers=log.tiers,
            failed=failed,
            deleted=np.array(log.deleted, np.float64),
            copied=np.array(log.changed, np.float64) * outcome.scenario.workload.block_size,
            by_hand=log.by_hand,
        )

    @classmethod
    def fact(cls, mine: Sequence[Managed], start: datetime, copied: Mapping[str, float]) -> Self:
        """Read snapshots that were taken.

        Args:
            mine: in order of their start.
            start: when the forecast begins.
            copied: how much some of them copied, by their ids [bytes].
        """
        done = [each.snapshot.completed_at if each.state == "completed" else None for each in mine]
        return cls(
            started=np.array([(each.taken_at - start) / SECOND for each in mine], np.float64),
            completed=np.array([np.inf if at is None else (at - start) / SECOND for at in done], np.float64),
            due=np.rint([epoch_of(each.due, "due") for each in mine]),
            tiers=[each.tiers for each in mine],
            failed=np.array([each.state == "error" for each in mine], np.bool_),
            deleted=np.full(len(mine), np.inf),
            copied=np.array([copied.get(each.id, np.nan) for each in mine], np.float64),
            by_hand={},
        )

    def durations(self, until: float) -> dict[float, float]:
        """Tell how long the snapshot for each due time took that was complete by a moment [s]."""
        done = self.completed <= until
        return dict(zip(self.due[done].tolist(), (self.completed - self.started)[done].tolist(), strict=True))


@dataclass(frozen=True)
class Seen:
    """What is known of the snapshots that a strategy took of a volume.

    Attributes:
        region: where.
        volume: its id.
        mine: the snapshots, oldest first, none of them taken twice for one due time.
        around: all snapshots of the volume that are there now, oldest first.
    """

    region: Region
    volume: str
    mine: Sequence[Managed]
    around: Sequence[Snapshot]

    def copied(self, history: pd.DataFrame, since: datetime) -> dict[str, float]:
        """Tell how much snapshots copied, by their ids: what changed since the one right before [bytes].

        Args:
            history: of the volume.
            since: from when on all its snapshots are known.

        Raises:
            InvalidRequest: it is no history, or of other snapshots.
        """
        remedy = f"give what volume.change_history() counted of {self.volume}"
        missing = [name for name in ("from", "to", "changed_bytes", "source") if name not in history]
        if missing:
            raise InvalidRequest("history", missing[0], "is missing", remedy)
        known = {each.id: each for each in (*self.around, *(one.snapshot for one in self.mine))}
        if known.keys().isdisjoint(history["to"]):
            raise InvalidRequest("history", len(history), f"is not of the snapshots of {self.volume}", remedy)
        good = (each for each in known.values() if each.state != "error")
        pairs = pairwise(sorted(good, key=lambda each: (each.taken_at, each.id)))
        before = {later.id: sooner.id for sooner, later in pairs if sooner.taken_at >= since}
        rows = zip(history["from"], history["to"], history["changed_bytes"], strict=True)
        return {later: float(size) for sooner, later, size in rows if before.get(later) == sooner}

    @property
    def full(self) -> Managed | None:
        """The first one without error, which copied all; None where another such one of the volume is older."""
        first = next((each for each in self.mine if each.state != "error"), None)
        older = (other for other in self.around if first and other.taken_at < first.snapshot.taken_at)
        return first if all(other.state == "error" for other in older) else None

    def timed(self, copied: Mapping[str, float], *, whole: bool) -> Iterator[tuple[float, float]]:
        """Pair what snapshots copied [bytes] with how long they took [s], those left out that waited for others.

        Args:
            copied: how much some copied, by their ids [bytes].
            whole: whether all that the strategy took is known.
        """
        ended: datetime | None = None
        first = self.full if whole else None
        for each in self.mine:
            began, end = each.snapshot.taken_at, each.snapshot.completed_at
            if each.state != "completed" or end is None:
                continue
            size = each.snapshot.full_size if each is first else copied.get(each.id)
            if size is not None and end > began and not waited(began, end, ended):
                yield float(size), (end - began) / SECOND
            ended = end if ended is None else max(ended, end)

    def stored(self, at: datetime, history: pd.DataFrame | None) -> dict[str, Band]:
        """Count what was complete at a moment and is there, and bound what is stored and what that costs a month.

        Raises:
            AwsError: AWS refuses.
        """
        costs = self.region.costs()
        if history is not None:
            with suppress(InvalidRequest):  # none of its rows is of two consecutive snapshots: the bands stay wide
                costs = costs.with_history(history)
        ids = {each.id for each in self.mine}
        things = [(each, each.stored) for each in costs.things if each.id in ids and each.stored is not None]
        found = {each.basis for each, _ in things}
        basis = next((each for each in ("assumed", "modelled") if each in found), "measured")
        size = sum(stored.low for _, stored in things), sum(stored.high for _, stored in things)
        usd = sum(each.low for each, _ in things), sum(each.high for each, _ in things)
        told = "bounded" if basis == "measured" and size[0] < size[1] else basis
        ended = [each.completed_at for each in self.around if each.id in ids]
        kept = float(sum(each is not None and each <= at for each in ended))
        return {"kept": (kept, kept, "measured"), "stored_bytes": (*size, told), "stored_usd": (*usd, told)}


def seen(name: str, where: Volume | Region, log: Log) -> Seen:
    """Find the snapshots that a strategy took of a volume.

    Args:
        name: of the strategy.
        where: the volume, or a region in which the strategy has snapshots of one volume only.
        log: where deleted ones are told.

    Raises:
        InvalidRequest: there is none, there are some of several volumes, or the log cannot be read.
        AwsError: AWS refuses.
    """
    if not isinstance(where, Volume | Region):
        raise InvalidRequest("where", where, "is no volume and no region", "give region.volumes.get('vol-...'), say")
    region, volume = (where.region, where.id) if isinstance(where, Volume) else (where, None)
    listed = region.snapshots.find(tags={TIERS: "*", DUE: "*"}, volume=volume)
    # A log may be of several regions: which volumes are of this one the listing tells.
    volumes = {each.volume_id for each in listed} | {volume}
    told = {raw["SnapshotId"]: Snapshot(region, raw) for raw in _records(log) if raw["VolumeId"] in volumes}
    by_strategy: dict[str, dict[str, list[Managed]]] = defaultdict(lambda: defaultdict(list))
    for each in filter(None, map(read, (told | {each.id: each for each in listed}).values())):
        by_strategy[each.strategy][each.snapshot.volume_id].append(each)
    of, place = by_strategy.get(name, {}), volume or region.name
    if not of:
        others = f"those of {', '.join(map(repr, sorted(by_strategy)))}" if by_strategy else "none of any strategy"
        remedy = "give an outcome of a strategy that was run there"
        raise InvalidRequest("strategy", name, f"has no snapshots of {place}, which has {others}", remedy)
    if len(of) > 1:
        rule = f"has those of {len(of):,} volumes by {name!r}"
        raise InvalidRequest("snapshots of", place, rule, f"give one of them: region.volumes.get({min(of)!r})")
    ((volume_id, mine),) = of.items()
    mine.sort(key=lambda each: (each.snapshot.taken_at, each.id))
    twice = doubles(mine)
    around = list(reversed(region.snapshots.find(volume=volume_id)))
    return Seen(region, volume_id, [each for each in mine if each.id not in twice], around)


def _records(log: Log) -> Iterator[Mapping[str, Any]]:
    """Read what a log tells of snapshots that were deleted.

    Raises:
        InvalidRequest: a file cannot be read, or is no such log.
    """
    if not isinstance(log, str | PathLike):
        given = list(log) if isinstance(log, Iterable) else []
        if not isinstance(log, Iterable) or not all(isinstance(each, Run) for each in given):
            raise InvalidRequest("log", log, "is no list of runs", "give a list of what run returned, or a path")
        for each in given:
            yield from (step.record for step in each.plan if step.record.keys() >= _NEEDED)
        return
    try:
        lines = Path(log).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest("log", fspath(log), f"cannot be read ({error})", "give the path of one") from None
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line).get("record") if line.strip() else None
            if record and record.keys() >= _NEEDED:
                yield record | {key: _moment(record[key]) for key in ("StartTime", "CompletionTime") if key in record}
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            rule = f"is no line that snapkit wrote ({error})"
            remedy = "give a file of what `snapkit run --apply --json` wrote, and nothing else"
            raise InvalidRequest(f"{fspath(log)} line {number}", line, rule, remedy) from None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
