"""What is simulated: a volume under a strategy, in a region, or many of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, pairwise
from math import ceil, inf
from numbers import Real
from typing import Any, TypedDict

from simulation.freezing import Freeze
from snapkit import rules
from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.prices import Prices
from snapkit.strategy import Strategy
from snapkit.strategy.zones import epoch_of
from snapkit.timing import PUBLISHED, Timing
from snapkit.units import Duration, Size, bytes_text, seconds_text, to_bytes, to_seconds

_LOOKED_AT = 200
"""So many due times are looked at for the shortest time between two."""


@dataclass(frozen=True)
class Conditions:
    """What all volumes of a region meet: what they share, and what goes wrong.

    Attributes:
        region: its name.
        bandwidth: of all uploads of the region together [bytes/s]; unlimited unless given, for AWS tells none.
        pending: how many snapshots of the account may be pending in the region at once.
        failing: which share of the snapshots ends in error, 0 to 1.
    """

    region: str = "us-east-1"
    bandwidth: float = field(default=inf, kw_only=True)
    pending: int = field(default=rules.PENDING_PER_ACCOUNT, kw_only=True)
    failing: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a region in which nothing could be done."""
        if not isinstance(self.region, str) or not self.region:
            raise InvalidRequest("region", self.region, "is no name", "name one, such as 'eu-west-1'")
        for name, value, good, rule in (
            ("bandwidth", self.bandwidth, lambda given: given > 0, "is not above 0"),
            ("pending", self.pending, lambda given: given >= 1 and given % 1 == 0, "is no whole number from 1"),
            ("failing", self.failing, lambda given: 0 <= given <= 1, "is no share from 0 to 1"),
        ):
            if isinstance(value, bool) or not isinstance(value, Real) or not good(value):
                raise InvalidRequest(name, value, rule, "correct it, or leave it out")


@dataclass(frozen=True, repr=False)
class Scenario:
    """What is simulated: one volume under one strategy.

    Attributes:
        strategy: when to snapshot, what to keep.
        workload: how the volume's blocks are written; its time 0 is `start`. With `Workload.together` it stands for the
            volumes of a server, whose snapshots are taken at once, and are complete, or fail, together.
        horizon: how long to simulate.
        start: the moment the strategy takes over a volume that has no snapshot yet; it takes the first one at once.
        size: size of the volume: more blocks than that never change; the workload's own unless given. Data is taken
            to lie on it as far as the workload reaches, `Workload.size` (assumed): that is what a full snapshot copies.
        volume_type: decides how many snapshots may be pending at once.
        timing: changed bytes to seconds; each replication draws one from its doubt.
        prices: what AWS charges.
        start_within: how long after its due time a snapshot is started at the latest, at any moment of that with equal
            chance; at once unless given. For Data Lifecycle Manager that is ``"1h"``.
        conditions: what the volume meets in its region.
        freeze: until when its file system is frozen for each snapshot; see `Freeze`.
        processes: what else happens, as SimPy processes: each is called with the `simulation.model.VolumeModel` and
            gives a generator of events; see `simulation.incidents`. For a process pool they have to be picklable.

    Source:
        EBS user guide, "Amazon Data Lifecycle Manager": a run starts within one hour after its scheduled time.
        "Create multi-volume Amazon EBS snapshots": where one of a set fails, all of them do.
    """

    strategy: Strategy
    workload: Workload
    horizon: Duration = "90d"
    start: datetime = field(default=datetime(2026, 1, 5, tzinfo=UTC), kw_only=True)
    size: Size | None = field(default=None, kw_only=True)
    volume_type: str = field(default="gp3", kw_only=True)
    timing: Timing = field(default=PUBLISHED, kw_only=True)
    prices: Prices = field(default=Prices(), kw_only=True)
    start_within: Duration = field(default=0.0, kw_only=True)
    conditions: Conditions = field(default=Conditions(), kw_only=True)
    freeze: Freeze | str = field(default=Freeze.NO, kw_only=True)
    processes: Sequence[Callable[[Any], Any]] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a horizon, a start, a size or a volume type that cannot be."""
        if not isinstance(self.strategy, Strategy) or not isinstance(self.workload, Workload):
            wrong = self.workload if isinstance(self.strategy, Strategy) else self.strategy
            raise InvalidRequest("scenario", wrong, "is no part of one", "give Scenario(strategy, workload)")
        seconds = to_seconds(self.horizon, "horizon")
        start = epoch_of(self.start, "start")
        rules.pending_limit(self.volume_type)
        self._check_size()
        if not isinstance(self.timing, Timing) or not isinstance(self.prices, Prices):
            wrong = self.prices if isinstance(self.timing, Timing) else self.timing
            raise InvalidRequest("scenario", wrong, "is no part of one", "give timing=Timing(...), prices=Prices(...)")
        if not isinstance(self.conditions, Conditions):
            raise InvalidRequest("conditions", self.conditions, "are none", "give conditions=Conditions(...)")
        self._check_lateness(start)
        if self.conditions.pending < len(self.workload.members):
            rule = f"is less than the {len(self.workload.members)} volumes that are snapshotted at once"
            raise InvalidRequest("pending", self.conditions.pending, rule, "allow more, or simulate fewer volumes")
        if self.freeze not in list(Freeze):
            raise InvalidRequest("freeze", self.freeze, "is unknown", f"use one of {', '.join(Freeze)}")
        self._check_processes()
        if self.conditions.region in self.strategy.copy_regions:
            rule = "is where the volume itself is"
            raise InvalidRequest("copy region", self.conditions.region, rule, "copy to another one")
        for tier in self.strategy.tiers:
            first = next(tier.schedule.epochs(start), None)
            if first is None:
                rule = f"never comes due after {self.start:%Y-%m-%d %H:%M}"
                raise InvalidRequest("tier", tier.name, rule, "correct its schedule, or leave that tier out")
            if first > start + seconds:
                rule = f"ends before {tier.schedule.describe()} comes due"
                remedy = "simulate a longer time, or leave that tier out"
                raise InvalidRequest("horizon", self.horizon, rule, remedy)

    def __repr__(self) -> str:
        told = f"{self.strategy.name!r} on {self.workload.name!r}, {seconds_text(self.horizon_seconds)}"
        return f"Scenario({told} from {self.start:%Y-%m-%d %H:%M} {self.start.tzname()})"

    def _check_size(self) -> None:
        volumes, horizon = self.workload.members.values(), self.horizon_seconds
        reached = [ceil(volume.allocated(horizon)) * volume.block_size for volume in volumes]
        remedy = "give the volume's real size, such as '100 GiB'"
        if self.size is not None:
            if len(volumes) > 1:
                rule = f"is not that of each of the {len(volumes)} volumes"
                raise InvalidRequest("size", self.size, rule, "leave it out: each has that of its workload")
            if to_bytes(self.size) < reached[0]:
                rule = f"is less than the workload reaches, {bytes_text(reached[0])}"
                raise InvalidRequest("size", bytes_text(to_bytes(self.size)), rule, remedy)
        for size in self.sizes:
            if size > rules.LARGEST_VOLUME:
                rule = f"is more than EBS allows, {bytes_text(rules.LARGEST_VOLUME)}"
                if self.size is None:
                    remedy = "let the workload reach or grow less, or simulate a shorter time"
                raise InvalidRequest("size", bytes_text(size), rule, remedy)

    def _check_processes(self) -> None:
        # Not any iterable: of an iterator the second scenario that is given it would have nothing.
        if isinstance(self.processes, Sequence):
            object.__setattr__(self, "processes", tuple(self.processes))
        if not isinstance(self.processes, tuple) or not all(map(callable, self.processes)):
            raise InvalidRequest("processes", self.processes, "are no list of functions", "give [VolumeDeleted('30d')]")

    def _check_lateness(self, start: float) -> None:
        within = to_seconds(self.start_within, "start_within", zero=True)
        for tier in self.strategy.tiers if within else ():
            times = pairwise(islice(tier.schedule.epochs(start), _LOOKED_AT))
            shortest = min((later - sooner for sooner, later in times), default=inf)
            if within > shortest:
                rule = f"is longer than {tier.schedule.describe()} may leave between two: {seconds_text(shortest)}"
                raise InvalidRequest("start_within", self.start_within, rule, "give less, or snapshot less often")
            if tier.schedule.held:
                rule = "may lead out of the hours and days to which a schedule is held"
                raise InvalidRequest("start_within", self.start_within, rule, "leave out one of them")

    @property
    def horizon_seconds(self) -> float:
        """How long to simulate [s]."""
        return to_seconds(self.horizon)

    @property
    def sizes(self) -> list[int]:
        """The size of its volume, or of each of several [bytes]."""
        if self.size is not None:
            return [to_bytes(self.size)]
        volumes, horizon = self.workload.members.values(), self.horizon_seconds
        return [ceil(volume.allocated(horizon)) * volume.block_size for volume in volumes]

    @property
    def blocks(self) -> int:
        """Blocks of the volume."""
        if self.size is None:
            return ceil(self.workload.allocated(self.horizon_seconds))
        return -(-to_bytes(self.size) // self.workload.block_size)

    def largest(self, t: float) -> float:
        """Tell how much data its volume holds at a moment [s], or the largest of several [bytes]."""
        return max(volume.allocated(t) * volume.block_size for volume in self.workload.members.values())


class ScenarioOptions(TypedDict, total=False):
    """What the scenarios of a study share besides workload and horizon; see `Scenario`."""

    start: datetime
    size: Size | None
    volume_type: str
    timing: Timing
    prices: Prices
    start_within: Duration
    conditions: Conditions
    freeze: Freeze | str
    processes: Sequence[Callable[[Any], Any]]


@dataclass(frozen=True, repr=False)
class Fleet:
    """Many volumes, which share what their regions have.

    Attributes:
        volumes: the scenario of each, by name; all begin at one moment and last equally long.
    """

    volumes: Mapping[str, Scenario]

    def __post_init__(self) -> None:
        """Refuse volumes that cannot be simulated together."""
        if not isinstance(self.volumes, Mapping) or not self.volumes:
            raise InvalidRequest("volumes", self.volumes, "are none", "give a mapping of names to Scenario")
        for name, scenario in self.volumes.items():
            if not isinstance(name, str) or not isinstance(scenario, Scenario):
                raise InvalidRequest("volume", name, f"stands for {scenario!r}, no scenario", "give Scenario(...)")
        first = next(iter(self.volumes.values()))
        regions: dict[str, Conditions] = {}
        for name, each in self.volumes.items():
            if (each.start, each.horizon_seconds) != (first.start, first.horizon_seconds):
                rule = "begins or ends at another moment than the others"
                raise InvalidRequest("volume", name, rule, "give all of them one start and one horizon")
            if regions.setdefault(each.conditions.region, each.conditions) != each.conditions:
                rule = f"meets other conditions in {each.conditions.region} than the volumes before it"
                raise InvalidRequest("volume", name, rule, "give all volumes of a region the same Conditions")

    @property
    def start(self) -> datetime:
        """The moment at which all of them begin."""
        return next(iter(self.volumes.values())).start

    @property
    def horizon_seconds(self) -> float:
        """How long to simulate [s]."""
        return next(iter(self.volumes.values())).horizon_seconds

    def __repr__(self) -> str:
        volumes = "1 volume" if len(self) == 1 else f"{len(self):,} volumes"
        told = f"{volumes}, {seconds_text(self.horizon_seconds)}"
        return f"Fleet({told} from {self.start:%Y-%m-%d %H:%M} {self.start.tzname()})"

    def __iter__(self) -> Iterator[str]:
        return iter(self.volumes)

    def __len__(self) -> int:
        return len(self.volumes)
