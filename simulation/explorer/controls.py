"""Sliders and choices that make up a strategy."""

from dataclasses import replace
from typing import Any

import ipywidgets

from snapkit.errors import InvalidRequest
from snapkit.strategy import Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier
from snapkit.units import HOUR, Duration, seconds_text, to_seconds

INTERVALS = ("15 min", "30 min", "1 h", "2 h", "3 h", "4 h", "6 h", "8 h", "12 h", "1 d")
_RECOVERIES = ("none", "1 h", "6 h", "12 h", "1 d", "7 d")
_REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-central-1", "eu-west-1", "ap-northeast-1", "ap-southeast-2")
_COUNTS = {"last": 200, "daily": 90, "weekly": 52, "monthly": 36}
"""How far each slider of the retention goes."""
_NAMED = {"description_width": "96px"}
_WIDE = "320px"


class Controls:
    """The widgets, and the strategy that they make up.

    What has no control, such as a window, a time zone or retries, stays as it is in the strategy that one begins with.

    Attributes:
        interval: time between snapshots, such as ``"1 h"``.
        last: how many of the last snapshots to keep; 0 for no such rule.
        daily: for how many days to keep one a day; 0 for no such rule.
        weekly: likewise for weeks.
        monthly: likewise for months.
        start_within: how long after its due time a snapshot is started at the latest [s].
        copy_to: the region of the copies; empty for none.
        copies_kept: how many of the last copies to keep there.
        recovery: time between recovery volumes, such as ``"1 d"``, or ``"none"``.
        recovery_zone: in which availability zone they are made.
        recovery_loaded: whether every block is loaded before one counts as ready.
    """

    def __init__(self, given: Strategy, horizon: float, region: str, late: Duration) -> None:
        """Set the controls to a strategy.

        Args:
            given: the strategy to begin with.
            horizon: intervals are no longer than that [s].
            region: where the volume is.
            late: the choice of `start_within` besides none, and then the first; an hour, not chosen, where it is 0.

        Raises:
            InvalidRequest: the controls cannot express the strategy, or the horizon is shorter than every interval.
        """
        self._given = given
        self._intervals = [each for each in INTERVALS if to_seconds(each) <= horizon]
        if not self._intervals:
            remedy = "give a longer one, such as '90d'"
            raise InvalidRequest("horizon", seconds_text(horizon), "is shorter than every interval", remedy)
        tier, recovery = given.tiers[0], given.recovery
        copy = tier.copies[0] if tier.copies else None
        near = [each for each in self._intervals if self._every(each, tier.schedule) == tier.schedule]
        self.interval = ipywidgets.SelectionSlider(
            options=self._intervals, value=near[0] if near else self._intervals[0], description="every"
        )
        self.last, self.daily, self.weekly, self.monthly = (
            _count(name, getattr(tier.retention, name), most) for name, most in _COUNTS.items()
        )
        seconds = to_seconds(late, "start_within", zero=True)
        within = seconds or HOUR
        self.start_within = ipywidgets.Dropdown(
            options=[("on time", 0.0), (f"within {seconds_text(within)} of it", within)],
            value=seconds,
            description="starts",
            tooltip="Amazon Data Lifecycle Manager starts within one hour after the scheduled time.",
        )
        self.copy_to = ipywidgets.Combobox(
            options=[each for each in _REGIONS if each != region],
            value=copy.region if copy else "",
            placeholder="no region",
            description="copies to",
            continuous_update=False,
        )
        self.copies_kept = _count("copies kept", copy.retention.last if copy else 7, _COUNTS["last"], least=1)
        often = ["none"]
        if recovery is not None:
            often += [each for each in _RECOVERIES[1:] if self._every(each, recovery.schedule) == recovery.schedule]
        self.recovery = ipywidgets.Dropdown(options=_RECOVERIES, value=often[-1], description="made every")
        self.recovery_zone = ipywidgets.Text(
            value=recovery.zone if recovery else f"{region}b", description="in zone", continuous_update=False
        )
        self.recovery_loaded = ipywidgets.Checkbox(
            value=recovery.initialized if recovery else False, description="loaded before it is ready"
        )
        for control in self.controls:
            control.style = _NAMED
            control.layout.width = _WIDE
            control.layout.margin = "1px 0"
        if self.strategy != given:
            remedy = f"give one tier that is due every {', '.join(self._intervals)}, with counts that the sliders reach"
            raise InvalidRequest("strategy", given.name, "is not one that the controls can express", remedy)

    @property
    def controls(self) -> tuple[Any, ...]:
        """All of them, in the order in which they are shown."""
        return (
            self.interval,
            self.start_within,
            self.last,
            self.daily,
            self.weekly,
            self.monthly,
            self.copy_to,
            self.copies_kept,
            self.recovery,
            self.recovery_zone,
            self.recovery_loaded,
        )

    @property
    def strategy(self) -> Strategy:
        """The strategy that the controls make up: the very object that is simulated.

        Raises:
            StrategyError: there is none, such as one that keeps nothing.
        """
        return self.strategy_at(self.interval.value)

    def strategy_at(self, interval: str) -> Strategy:
        """Make the same strategy with another time between its snapshots."""
        tier, copies, recovery = self._given.tiers[0], list[Copy](), None
        counts: dict[str, Any] = {name: getattr(self, name).value or None for name in _COUNTS}
        if region := self.copy_to.value.strip():
            copy = next(iter(tier.copies), Copy(region, Retention(last=1)))
            kept = replace(copy.retention, last=self.copies_kept.value)
            copies = [replace(copy, region=region, retention=kept)]
        if self.recovery.value != "none":
            zone = self.recovery_zone.value.strip()
            volume = self._given.recovery or RecoveryVolume(schedule=Schedule("every 1 d"), zone=zone)
            often = self._every(self.recovery.value, volume.schedule)
            recovery = replace(volume, schedule=often, zone=zone, initialized=self.recovery_loaded.value)
        schedule = self._every(interval, tier.schedule)
        retention = replace(tier.retention, **counts)
        return replace(
            self._given,
            tiers=[replace(tier, schedule=schedule, retention=retention, copies=copies)],
            recovery=recovery,
        )

    def _arrange(self) -> Any:
        """Lay them out under headings."""
        blocks = {
            "How often": (self.interval, self.start_within),
            "What stays": (self.last, self.daily, self.weekly, self.monthly),
            "Copies": (self.copy_to, self.copies_kept),
            "Recovery volume": (self.recovery, self.recovery_zone, self.recovery_loaded),
        }
        rows: list[Any] = []
        for heading, controls in blocks.items():
            rows += [ipywidgets.HTML(f"<b>{heading}</b>"), *controls]
        return ipywidgets.VBox(rows, layout={"flex": "0 0 auto", "margin": "0 24px 8px 0"})

    def _enable(self) -> None:
        """Let those be set that have a say."""
        self.copies_kept.disabled = not self.copy_to.value.strip()
        self.recovery_zone.disabled = self.recovery_loaded.disabled = self.recovery.value == "none"

    def _every(self, interval: str, like: Schedule) -> Schedule:
        """Make a schedule like another one: that one itself where it says the same in other words."""
        made = Schedule(f"every {interval}", like.timezone, like.anchor, like.window, like.blackout)
        return like if made.describe() == like.describe() else made


def explored() -> Strategy:
    """Make the strategy to begin with where none is given."""
    return Strategy("explored", [Tier(Schedule("every 1 h"), Retention(last=24, daily=14), "explored")])


def _count(name: str, given: int | str | None, most: int, least: int = 0) -> Any:
    # What the slider does not reach becomes something else, so that it is told.
    value = least if given is None else given if isinstance(given, int) and least <= given <= most else most
    return ipywidgets.IntSlider(value=value, min=least, max=most, description=name)
