"""Which snapshots to keep: rules that each count on their own, with a verdict and its reasons for every snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from numbers import Integral
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy.keeper import BUCKETS, Keeper, Rule
from snapkit.strategy.spans import CalendarSpan
from snapkit.strategy.zones import epoch_of, zone_named

Count: TypeAlias = int | Literal["all"]
Told: TypeAlias = tuple[bool, tuple[str, ...]]
"""Whether a snapshot stays, and why, in words."""


class Taken(Protocol):
    """What a strategy asks of a snapshot: real and simulated ones both have it.

    One that lies in the archive, or is on its way there, says so by a ``storage_tier`` of ``"archive"``.
    """

    @property
    def taken_at(self) -> datetime:
        """The moment whose data it holds, with a time zone."""

    @property
    def state(self) -> str:
        """One of ``"pending"``, ``"completed"``, ``"error"``."""

    @property
    def tiers(self) -> Sequence[str]:
        """Names of the tiers that it was taken for."""


AnySnapshot = TypeVar("AnySnapshot", bound=Taken)


@dataclass(frozen=True)
class Verdict(Generic[AnySnapshot]):
    """Whether one snapshot stays where it is, and why, in words.

    Attributes:
        snapshot: which.
        keep: whether it stays.
        reasons: why it does or does not.
        archive: whether one that does not stay is to be archived, and not deleted.
    """

    snapshot: AnySnapshot
    keep: bool
    reasons: tuple[str, ...]
    archive: bool = False

    def words(self) -> tuple[str, str, str]:
        """Say what becomes of it, which one it is by its moment, and why."""
        moment = f"{self.snapshot.taken_at:%Y-%m-%d %H:%M:%S}"
        return "keep" if self.keep else "archive" if self.archive else "delete", moment, "; ".join(self.reasons)

    def __str__(self) -> str:
        what, which, why = self.words()
        return f"{what} {which}: {why}"


@dataclass(frozen=True, kw_only=True, repr=False)
class Retention:
    """Which snapshots of a chain to keep.

    Every rule looks at the complete snapshots on its own, newest first, and a snapshot stays if any rule keeps it:

    - ``last=n`` keeps the newest n.
    - ``hourly=n`` ... ``yearly=n`` keep the newest snapshot of each of the newest n hours, days, ISO weeks, months or
      years that have one. While a rule's count is not filled, the oldest snapshot stays too, so that history grows.
      ``"all"`` never fills.
    - ``within="1y2m3d3h"`` keeps everything younger than that; ``within_hourly=`` ... ``within_yearly=`` keep the
      newest of each hour ... year younger than that, and the oldest one as well. Spans are calendar ones (``m`` is
      months) and are measured back from the newest complete snapshot, so that a schedule that stopped does not empty
      the chain. A month that is too short for the day of the month ends on its last day (unlike restic's, which runs
      over into the next one and so keeps a little less).

    Hours, days, weeks, months and years are those of ``timezone``. An hour that the clocks repeat counts as two
    (unlike restic's).

    Raises:
        StrategyError: no rule is given, or one cannot be.

    Source:
        the behaviour of restic's forget policy, restic documentation, "Removing backup snapshots".
    """

    last: Count | None = None
    hourly: Count | None = None
    daily: Count | None = None
    weekly: Count | None = None
    monthly: Count | None = None
    yearly: Count | None = None
    within: str | None = None
    within_hourly: str | None = None
    within_daily: str | None = None
    within_weekly: str | None = None
    within_monthly: str | None = None
    within_yearly: str | None = None
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse a retention that keeps nothing, and rules that cannot be."""
        zone_named(self.timezone)
        if not self.rules():
            raise StrategyError(
                "retention", "Retention()", "has no rule: it would delete every snapshot", "give one, such as last=7"
            )

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.given().items())
        return f"Retention({given})"

    def given(self) -> dict[str, int | str]:
        """Name the rules that are set, and the time zone unless it is UTC, in the order of the fields."""
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) not in (None, field.default)
        }

    def rules(self) -> list[Rule]:
        """Make fresh rules for a `Keeper`, in the order in which their reasons are told."""
        spans = {bucket: getattr(self, "within" if bucket == "last" else f"within_{bucket}") for bucket in BUCKETS}
        within = [
            Rule(bucket, span=_span("within" if bucket == "last" else f"within_{bucket}", text))
            for bucket, text in spans.items()
            if text is not None
        ]
        counted = [
            Rule(bucket, limit=_limit(bucket, count))
            for bucket in BUCKETS
            if (count := getattr(self, bucket)) is not None
        ]
        young = [rule for rule in within if rule.bucket == "last"]
        return young + counted + [rule for rule in within if rule.bucket != "last"]

    def keeper(self) -> Keeper:
        """Start an empty chain of snapshots under this retention."""
        return Keeper(self.rules(), zone_named(self.timezone))

    def describe(self) -> str:
        """Say in words what it keeps."""
        parts = []
        for name, value in self.given().items():
            if name == "timezone":
                continue
            unit = _WORDS[name.removeprefix("within_")]
            if name == "within":
                parts.append(f"all within {value}")
            elif name.startswith("within_"):
                parts.append(f"one {unit} within {value}")
            elif name == "last":
                parts.append("all" if value == "all" else f"the last {value}")
            else:
                period = unit.split()[-1] if value == 1 else f"{unit.split()[-1]}s"
                parts.append(f"one {unit} for ever" if value == "all" else f"one {unit} for {value} {period}")
        zone = "" if self.timezone == "UTC" else f" ({self.timezone})"
        return f"keep {' and '.join(parts)}{zone}"

    def keep(self, snapshots: Iterable[AnySnapshot]) -> list[Verdict[AnySnapshot]]:
        """Judge every snapshot of one volume, newest first.

        Only complete snapshots are counted. A pending one stays until it is decided; one that ended in error
        protects nothing and does not stay.

        Raises:
            InvalidRequest: a snapshot's ``taken_at`` has no time zone, or its ``state`` is unknown.
        """
        newest_first = sorted(snapshots, key=checked_epoch, reverse=True)
        keeper = self.keeper()
        keeper.extend(
            (number, snapshot.taken_at.timestamp())
            for number, snapshot in reversed(list(enumerate(newest_first)))
            if snapshot.state == "completed"
        )
        judged = keeper.verdicts()
        return [
            Verdict(snapshot, *(judged[number] if number in judged else NOT_COMPLETE[snapshot.state]))
            for number, snapshot in enumerate(newest_first)
        ]


_WORDS = {
    "last": "snapshot",
    "within": "snapshot",
    "hourly": "an hour",
    "daily": "a day",
    "weekly": "a week",
    "monthly": "a month",
    "yearly": "a year",
}
NOT_COMPLETE: Mapping[str, Told] = {
    "pending": (True, ("still pending",)),
    "error": (False, ("ended in error: it protects nothing",)),
}


def checked_epoch(snapshot: Taken) -> float:
    """Read the moment that a snapshot holds [s since 1970], once its state is known to be one."""
    if not all(hasattr(snapshot, name) for name in ("taken_at", "state", "tiers")):
        raise InvalidRequest(
            "snapshot", snapshot, "has no taken_at, state and tiers", "give objects that have all three"
        )
    if snapshot.state not in ("pending", "completed", "error"):
        raise InvalidRequest(
            "snapshot state", snapshot.state, "is none that a retention knows", "use 'pending', 'completed' or 'error'"
        )
    return epoch_of(snapshot.taken_at, "snapshot taken_at")


def _limit(name: str, count: object) -> float:
    if count == "all":
        return float("inf")
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise StrategyError(
            f"retention {name}", count, "is not a whole number of at least 1", "leave the rule out, or write 'all'"
        )
    return int(count)


def _span(name: str, text: object) -> CalendarSpan:
    return CalendarSpan.parse(text, f"retention {name}")
