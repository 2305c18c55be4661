"""What is simulated: a volume under a strategy, in a region, or many of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from numbers import Real

from snapkit import rules
from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.prices import Prices
from snapkit.strategy import Strategy
from snapkit.strategy.zones import epoch_of
from snapkit.timing import Timing
from snapkit.units import Duration, Size, bytes_text, to_bytes, to_seconds


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
            ("pending", self.pending, lambda given: given >= 1 and given == int(given), "is no whole number from 1"),
            ("failing", self.failing, lambda given: 0 <= given <= 1, "is no share from 0 to 1"),
        ):
            if isinstance(value, bool) or not isinstance(value, Real) or not good(value):
                raise InvalidRequest(name, value, rule, "correct it, or leave it out")


@dataclass(frozen=True)
class Scenario:
    """What is simulated: one volume under one strategy.

    Attributes:
        strategy: when to snapshot, what to keep.
        workload: how the volume's blocks are written; its time 0 is `start`.
        horizon: how long to simulate.
        start: the moment the strategy takes over a volume that has no snapshot yet; it takes the first one at once.
        size: size of the volume: more blocks than that never change; the workload's own unless given. Data is taken
            to lie on it as far as the workload reaches, `Workload.size` (assumed): that is what a full snapshot copies.
        volume_type: decides how many snapshots may be pending at once.
        timing: changed bytes to seconds.
        prices: what AWS charges.
        start_within: how long after its due time a snapshot is started at the latest, at any moment of that with equal
            chance; at once unless given. For Data Lifecycle Manager that is ``"1h"``.
        conditions: what the volume meets in its region.

    Source:
        EBS user guide, "Amazon Data Lifecycle Manager": a run starts within one hour after its scheduled time.
    """

    strategy: Strategy
    workload: Workload
    horizon: Duration = "90d"
    start: datetime = field(default=datetime(2026, 1, 5, tzinfo=UTC), kw_only=True)
    size: Size | None = field(default=None, kw_only=True)
    volume_type: str = field(default="gp3", kw_only=True)
    timing: Timing = field(default=Timing(), kw_only=True)
    prices: Prices = field(default=Prices(), kw_only=True)
    start_within: Duration = field(default=0.0, kw_only=True)
    conditions: Conditions = field(default=Conditions(), kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a horizon, a start, a size or a volume type that cannot be."""
        if not isinstance(self.strategy, Strategy) or not isinstance(self.workload, Workload):
            wrong = self.workload if isinstance(self.strategy, Strategy) else self.strategy
            raise InvalidRequest("scenario", wrong, "is no part of one", "give Scenario(strategy, workload)")
        seconds = to_seconds(self.horizon, "horizon")
        start = epoch_of(self.start, "start")
        rules.pending_limit(self.volume_type)
        size = self.workload.size if self.size is None else to_bytes(self.size)
        remedy = "give the volume's real size, such as '100 GiB'"
        if size < self.workload.size:
            rule = f"is less than the workload reaches, {bytes_text(self.workload.size)}"
            raise InvalidRequest("size", bytes_text(size), rule, remedy)
        if size > rules.LARGEST_VOLUME:
            rule = f"is more than EBS allows, {bytes_text(rules.LARGEST_VOLUME)}"
            raise InvalidRequest("size", bytes_text(size), rule, remedy)
        if not isinstance(self.timing, Timing) or not isinstance(self.prices, Prices):
            wrong = self.prices if isinstance(self.timing, Timing) else self.timing
            raise InvalidRequest("scenario", wrong, "is no part of one", "give timing=Timing(...), prices=Prices(...)")
        if not isinstance(self.conditions, Conditions):
            raise InvalidRequest("conditions", self.conditions, "are none", "give conditions=Conditions(...)")
        to_seconds(self.start_within, "start_within", zero=True)
        if self.conditions.region in self.strategy.copy_regions:
            rule = "is where the volume itself is"
            raise InvalidRequest("copy region", self.conditions.region, rule, "copy to another one")
        for tier in self.strategy.tiers:
            first = next(tier.schedule.epochs(start), None)
            if first is None or first > start + seconds:
                raise InvalidRequest(
                    "horizon",
                    self.horizon,
                    f"ends before {tier.schedule.describe()} comes due",
                    "simulate a longer time, or leave that tier out",
                )

    @property
    def horizon_seconds(self) -> float:
        """How long to simulate [s]."""
        return to_seconds(self.horizon)

    @property
    def blocks(self) -> int:
        """Blocks of the volume."""
        size = self.workload.size if self.size is None else to_bytes(self.size)
        return -(-size // self.workload.block_size)

    @property
    def full_blocks(self) -> int:
        """Blocks of a full snapshot."""
        return -(-self.workload.size // self.workload.block_size)


@dataclass(frozen=True)
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

    def __iter__(self) -> Iterator[str]:
        return iter(self.volumes)

    def __len__(self) -> int:
        return len(self.volumes)
