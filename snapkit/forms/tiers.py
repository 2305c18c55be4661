"""What a strategy consists of, to be filled in: schedules, retentions, copies, tiers, a recovery volume."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

import ipywidgets

from snapkit.errors import StrategyError
from snapkit.forms import markup, strategy_markup
from snapkit.forms.editors import Editor, Editors, Refusal
from snapkit.forms.fields import Field, Number, Switch, Text
from snapkit.strategy import Archive, Copy, RecoveryVolume, Retention, Schedule, Tier, Window
from snapkit.strategy.zones import zone_named

_SCHEDULES = ("every 1h", "every 6h", "every 1d at 03:00", "cron(0 3 ? * SUN *)", "cron(0 3 1 * ? *)", "rate(12 hours)")
_COUNTS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
_SHOWN = ("schedule.text", "schedule.timezone")
"""Fields of a schedule that need no opening of a pane."""
_RARE = ("within_hourly", "within_daily", "within_weekly", "within_monthly", "within_yearly", "timezone")
"""What is shown of a retention only where it is given."""
_SURE = Tier(Schedule("every 1d"), Retention(last=1), "tier")
_RENAMED = "Marks its snapshots: a strategy keeps for ever those that carry a name which no tier of it has."
_WINDOW = "Optional: what is due outside waits until it opens."
_ARCHIVE = "Of what the retention lets go, kept in the archive; left empty, it is deleted"


class ScheduleEditor(Editor):
    """Fields for a `Schedule`.

    Attributes:
        text: such as ``"every 1d at 03:00"``.
        timezone: the zone of its times on the wall.
        opens, closes, days: its window; all empty for none, days as in ``"sat, sun"``.
        blackout: its blackout days, as in ``"2026-12-24, 2026-12-31/2027-01-01"``.
        anchor: from where it counts.
    """

    def __init__(self, given: Schedule | None, changed: Callable[[], None]) -> None:
        """Begin with a schedule, or with nothing."""
        window = given.window if given else None
        week = Window().days
        self.text = Text(
            "Schedule",
            given.text if given else "",
            options=_SCHEDULES,
            hint="As in 'every 6h', 'every 1d at 03:00', 'rate(12 hours)' or 'cron(0 3 ? * SUN *)'.",
        )
        # Its refusals are the longest, and nothing is to move when one appears.
        self.text.widget.add_class("snapkit-wordy")
        self.timezone = Text(
            "Time zone",
            given.timezone if given else "UTC",
            options=_zones(),
            hint="Of the times on the wall and of the days that are kept.",
        )
        self.opens = Text("Window opens", window.start if window else "", placeholder=Window().start, hint=_WINDOW)
        self.closes = Text("Window closes", window.end if window else "", placeholder=Window().end)
        self.days = Text(
            "Days of the window",
            ", ".join(window.days) if window and window.days != week else "",
            placeholder=", ".join(week),
            hint="Left empty, every day.",
        )
        self.blackout = Text(
            "Blackout days",
            ", ".join(given.blackout) if given else "",
            placeholder="2026-12-24, 2026-12-31/2027-01-01",
            hint="Optional: what is due on them waits until they are over.",
        )
        self.anchor = Text(
            "Anchor",
            given.anchor.isoformat() if given and given.anchor else "",
            placeholder="2026-01-05T03:00:00+00:00",
            hint="Optional: from where 'every' and 'rate' count.",
        )
        super().__init__(changed)
        self.widget = _stack(self.text, self.timezone)
        self.rare = _stack(self.opens, self.closes, self.days, self.blackout, self.anchor)

    @property
    def empty(self) -> bool:
        """Whether nothing is given but a time zone."""
        return not any(each.value for each in (self.text, self.opens, self.closes, self.days, self.blackout))

    @property
    def zone(self) -> str:
        """The time zone; UTC while it is none."""
        try:
            return zone_named(self.timezone.value).key
        except StrategyError:
            return "UTC"

    def checks(self) -> Iterable[Callable[[], object]]:
        """Ask about the text, the zone and the window apart."""
        yield lambda: Schedule(self.text.value)
        yield lambda: zone_named(self.timezone.value)
        yield self._window

    def place(self, error: Refusal) -> str:
        """Find the field; what is wrong with a part of the text is wrong with the text."""
        places = {"window start": "opens", "window end": "closes", "window days": "days"}
        return places.get(error.field, error.field if error.field in ("timezone", "blackout", "anchor") else "text")

    def make(self) -> Schedule:
        """Make the schedule."""
        return Schedule(
            self.text.value,
            self.timezone.value,
            self.anchor.value or None,
            self._window(),
            _listed(self.blackout.value),
        )

    def _window(self) -> Window | None:
        given: dict[str, Any] = {"days": _listed(self.days.value), "start": self.opens.value, "end": self.closes.value}
        given = {name: value for name, value in given.items() if value}
        return Window(**given) if given else None


class RetentionEditor(Editor):
    """Fields for a `Retention`, called as its rules are.

    Those of spans with a unit, and of a time zone of its own, are shown only where one is given.
    """

    last: Field
    hourly: Field
    daily: Field
    weekly: Field
    monthly: Field
    yearly: Field
    within: Field
    within_hourly: Field
    within_daily: Field
    within_weekly: Field
    within_monthly: Field
    within_yearly: Field
    timezone: Field

    def __init__(self, given: Retention | None, zone: Callable[[], str], changed: Callable[[], None]) -> None:
        """Begin with a retention, or with nothing.

        Args:
            given: the retention.
            zone: tells the time zone unless the retention has its own.
            changed: is called when a field changes.
        """
        self._zone = zone
        for name in (*_COUNTS, "within", *_RARE):
            field = Number(_label(name)) if name in _COUNTS else Text(_label(name))
            value = getattr(given, name) if given else None
            if value is not None and (name, value) != ("timezone", zone()):
                field.value = value
            if name in _RARE:
                field.hidden = not field.value
                field.on_change(_uncover)
            setattr(self, name, field)
        self.last.hint = "How many to keep, or 'all'; within: a span such as '1y2m3d3h'. Any rule keeps a snapshot."
        super().__init__(changed)
        self.widget = ipywidgets.HBox([each.widget for each in self.fields.values()]).add_class("snapkit-counts")

    @property
    def empty(self) -> bool:
        """Whether no rule is given."""
        return not any(each.text for each in self.fields.values())

    def place(self, error: Refusal) -> str:
        """Find the rule; what is wrong with all of them is told at the first."""
        name = error.field.removeprefix("retention ")
        return name if name in self.fields else "last"

    def make(self) -> Any:
        """Make the retention."""
        rules: dict[str, Any] = {name: each.value if each.text else None for name, each in self.fields.items()}
        return Retention(**{**rules, "timezone": rules["timezone"] or self._zone()})


class ArchiveEditor(RetentionEditor):
    """Fields for an `Archive`: those of its retention; all empty for none."""

    def make(self) -> Any:
        """Make the archive, or None."""
        return None if self.empty else Archive(super().make())


class CopyEditor(Editor):
    """Fields for a `Copy`.

    Attributes:
        region: where to.
        kms_key: under which the copies are encrypted.
        retention: which of them to keep there.
    """

    def __init__(self, given: Copy | None, zone: Callable[[], str], changed: Callable[[], None]) -> None:
        """Begin with a copy, or with one to nowhere; see `RetentionEditor`."""
        self.region = Text("Region", given.region if given else "", placeholder="eu-west-1")
        self.kms_key = Text("KMS key", (given.kms_key or "") if given else "", hint="Optional: ID or ARN.")
        self.retention = RetentionEditor(
            given.retention if given else Retention(last=7, timezone=zone()), zone, changed
        )
        super().__init__(changed)
        self.widget = ipywidgets.VBox([self.region.widget, self.retention.widget, self.kms_key.widget])

    def checks(self) -> Iterable[Callable[[], object]]:
        """Ask about the region and the key apart."""
        yield lambda: Copy(self.region.value, _SURE.retention, self.kms_key.value or None)

    def place(self, error: Refusal) -> str:
        """Find the field."""
        return error.field.removeprefix("copy ")

    def make(self) -> Copy:
        """Make the copy."""
        return Copy(self.region.value, self.retention.make(), self.kms_key.value or None)


class TierEditor(Editor):
    """Fields for a `Tier`, with what they say in plain words and the next runs.

    Attributes:
        name: how its snapshots are marked.
        schedule: when they are due.
        retention: which of them to keep.
        retries, retry_delay: what is done after an error.
        archive: where they go when the retention lets them go; all empty for nowhere.
        copies: where else they go.
    """

    def __init__(self, given: Tier, changed: Callable[[], None]) -> None:
        """Begin with a tier."""
        self.name = Text("Tier", given.name, hint=_RENAMED)
        self.schedule = ScheduleEditor(given.schedule, changed)
        self.retention = RetentionEditor(given.retention, self._zone, changed)
        self.retries = Number("Retries", hint="How often a due time whose snapshot ended in error is tried again.")
        self.retries.value = int(given.retries)
        self._delay = given.retry_delay
        self.retry_delay = Text("Retry delay", str(given.retry_delay), hint="After the start of the failed one.")
        self.archive = ArchiveEditor(given.archive.retention if given.archive else None, self._zone, changed)
        self.copies = Editors("copy", lambda copy: CopyEditor(copy, self._zone, changed), given.copies, changed)
        super().__init__(changed)
        self._told = ipywidgets.HTML()
        self._panes = {
            "Window, blackout days, anchor": (("schedule.",), self.schedule.rare),
            "Copies in other regions": (("copies[",), self.copies.widget),
            "Archive": (("archive.",), ipywidgets.VBox([ipywidgets.HTML(markup.label(_ARCHIVE)), self.archive.widget])),
            "Retries": (("retries", "retry_delay"), _stack(self.retries, self.retry_delay)),
        }
        panes = [pane for _, pane in self._panes.values()]
        self._more = ipywidgets.Accordion(panes, titles=tuple(self._panes), selected_index=None)
        stays = ipywidgets.HTML(markup.label("What stays"))
        parts = [self.name.widget, self.schedule.widget, stays, self.retention.widget, self._told, self._more]
        self.widget = ipywidgets.VBox(parts)

    def checks(self) -> Iterable[Callable[[], object]]:
        """Ask about the name and the retries apart."""
        yield lambda: Tier(_SURE.schedule, _SURE.retention, self.name.value)
        yield lambda: Tier(_SURE.schedule, _SURE.retention, retries=self._retries)
        yield lambda: Tier(_SURE.schedule, _SURE.retention, retry_delay=self._retry_delay)

    def place(self, error: Refusal) -> str:
        """Find the field; that of the last of two copies to one region."""
        if error.field == "copy region":
            last = max(number for number, each in enumerate(self.copies) if each.region.value == error.value)
            return f"copies[{last}].region"
        return error.field.removeprefix("tier ")

    def make(self) -> Tier:
        """Make the tier."""
        return Tier(
            self.schedule.make(),
            self.retention.make(),
            self.name.value,
            retries=self._retries,
            retry_delay=self._retry_delay,
            copies=[each.make() for each in self.copies],
            archive=self.archive.make(),
        )

    @property
    def words(self) -> str:
        """What the fields say, in plain words; nothing while they cannot be."""
        return "" if self.refusals() else self.make().describe()

    def show(self, now: datetime) -> None:
        """Say in words what the fields say, and when it is due next; while they cannot be, what they said before."""
        refused = self.refusals()
        outdate(self._told, before=bool(refused))
        if not refused:
            self._told.value = strategy_markup.tier(self.make(), now)
        if self._more.selected_index is None:
            for number, (names, _) in enumerate(self._panes.values()):
                if any(name.startswith(names) and name not in _SHOWN for name in refused):
                    self._more.selected_index = number

    def _zone(self) -> str:
        return self.schedule.zone

    @property
    def _retries(self) -> Any:
        return Tier.retries if self.retries.value is None else self.retries.value

    @property
    def _retry_delay(self) -> Any:
        # One that was given as a number stays one.
        text = self.retry_delay.value
        return self._delay if text == str(self._delay) else text or Tier.retry_delay


class RecoveryEditor(Editor):
    """Fields for a `RecoveryVolume`: without schedule and zone there is none.

    Attributes:
        schedule: when a new one is made.
        zone: the availability zone it is made in.
        initialized: whether every block is loaded before it counts as ready.
        delay: how long to wait before a lost volume is recovered.
    """

    def __init__(self, given: RecoveryVolume | None, changed: Callable[[], None]) -> None:
        """Begin with a recovery volume, or with none."""
        self.schedule = ScheduleEditor(given.schedule if given else None, changed)
        self.schedule.text.hint = "When a new one is made; left empty, with the zone, there is none."
        self.zone = Text("Availability zone", given.zone if given else "", placeholder="us-east-1a")
        words = "Every block is loaded before it counts as ready"
        self.initialized = Switch("Initialized", words, value=bool(given and given.initialized))
        self._delay = given.delay if given else RecoveryVolume.delay
        self.delay = Text("Delay", str(self._delay), hint="How long to wait before a lost volume is recovered.")
        super().__init__(changed)
        rows = _stack(self.zone, self.initialized, self.delay)
        self.widget = ipywidgets.VBox([self.schedule.widget, rows, self.schedule.rare])

    def refusals(self) -> dict[str, Refusal]:
        """Tell what cannot be; nothing where there is none."""
        return {} if self._empty else super().refusals()

    def checks(self) -> Iterable[Callable[[], object]]:
        """Ask about the zone and the delay apart."""
        yield lambda: RecoveryVolume(schedule=_SURE.schedule, zone=self.zone.value)
        yield lambda: RecoveryVolume(schedule=_SURE.schedule, zone="any", delay=self._wait)

    def place(self, error: Refusal) -> str:
        """Find the field."""
        return error.field.removeprefix("recovery ")

    def make(self) -> RecoveryVolume | None:
        """Make the recovery volume, or None."""
        if self._empty:
            return None
        return RecoveryVolume(
            schedule=self.schedule.make(), zone=self.zone.value, initialized=self.initialized.value, delay=self._wait
        )

    @property
    def words(self) -> str:
        """What the fields say, in plain words; nothing where there is none, or while it cannot be."""
        made = None if self.refusals() else self.make()
        return f"{made.schedule.describe()} in {made.zone}" if made else ""

    @property
    def _empty(self) -> bool:
        return self.schedule.empty and not self.zone.value

    @property
    def _wait(self) -> Any:
        text = self.delay.value
        return self._delay if text == str(self._delay) else text or RecoveryVolume.delay


def outdate(widget: Any, *, before: bool) -> None:
    """Dim a widget where it shows what was before, as what the fields say now cannot be."""
    (widget.add_class if before else widget.remove_class)("snapkit-before")


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _stack(*fields: Field) -> Any:
    return ipywidgets.VBox([each.widget for each in fields])


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _label(rule: str) -> str:
    span, _, unit = rule.partition("_")
    return {"timezone": "Zone of these rules"}.get(rule, f"{unit} {span}".strip().capitalize())


def _uncover(field: Field) -> None:
    field.hidden = False
