"""The page of strategies: what runs on which volume, what was missed, and what is wanted now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from snapkit.automation import Assignment, Protection, protections
from snapkit.automation.assigning import assignments
from snapkit.automation.managed import STRATEGY
from snapkit.automation.protecting import allow
from snapkit.automation.protections import IN_ESTATE
from snapkit.console import strategy_detail
from snapkit.console.actions import Action
from snapkit.console.live import LivePage
from snapkit.console.page import moment
from snapkit.ebs import Estate, Region
from snapkit.ebs.listing import Listing
from snapkit.ebs.waiting import Progress
from snapkit.errors import InvalidRequest, NotPermitted, StrategyError
from snapkit.forms import ExportForm, LeaveForm, PlanForm, ProtectForm, StrategyForm
from snapkit.strategy import Strategy

Given = Iterable[Strategy | Assignment] | str | PathLike[str]
"""Strategies, or the folder whose TOML files they are."""


@dataclass(frozen=True)
class _Known:
    """The strategies that there are.

    Attributes:
        assignments: each with what it protects.
        paths: the files that they are from, by name; none where they were given as such.
        broken: why files were not read.
    """

    assignments: tuple[Assignment, ...]
    paths: Mapping[str, Path]
    broken: Sequence[str]


class _Protecting(Action):
    """Something that only those may do who may take snapshots of what is protected."""

    def refused(self, item: Any) -> str:
        """Tell why the person may not do it, or nothing."""
        try:
            if item.target is not None:
                allow(item.target)
        except NotPermitted as error:
            return str(error)
        return ""


class StrategiesPage(LivePage):
    """Which strategy protects which volume of a region or an estate, and how that stands.

    A strategy is planned for what it protects, approved and applied; edited; exported to an engine of AWS; and volumes
    come under it and leave it. The files of a folder are read anew with each listing.
    """

    noun = "protection"
    sorted_by = "strategy"
    columns = tuple(each for each in IN_ESTATE if each.name not in ("because", "recovery"))

    def __init__(self, of: Region | Estate, strategies: Given = ()) -> None:
        """List what is protected.

        Args:
            of: where.
            strategies: those that are run there, or the folder whose TOML files they are.

        Raises:
            InvalidRequest: two of them have one name, or there is no such folder.
        """
        self._given = Path(strategies) if isinstance(strategies, str | PathLike) else list(strategies)
        self._known = _Known((), {}, ())
        self._calendar = ""
        right = "Volume", ("Snapshot",)
        self.actions = (
            _Protecting("Plan", _plan, *right, lambda each: bool(each.strategy and each.target), _plan_many),
            _Protecting("Leave", _leave, *right, lambda each: bool(each.target and STRATEGY in each.target.tags)),
            Action("Protect a volume", self._protect, "Volume", (), lambda each: each.strategy is not None),
            Action("Edit", self._edit, "Volume", (), lambda each: each.strategy is not None),
            Action("Export", _export, "Volume", (), lambda each: each.strategy is not None),
        )
        super().__init__(of)

    def facts(self, item: Protection) -> dict[str, str]:
        """Tell what is known of a protection: how it stands and why, the last snapshot, and what comes next."""
        path = self._known.paths.get(item.called)
        return {
            "strategy": item.called,
            "says": item.strategy.describe() if item.strategy else "",
            "file": str(path or ""),
            "volume": item.volume.id if item.volume else "",
            "through": f"the server {item.server.name or item.server.id}" if item.server else "",
            "state": item.state,
            "because": item.told,
            "last": _last(item),
            "next due": moment(item.due) if item.due else "",
            "recovery": item.recovery,
        }

    def asked(self, item: Protection) -> dict[str, str]:
        """Draw what the strategy would keep, which takes a while."""
        drawn = "" if item.strategy is None else strategy_detail.calendar(item.strategy, item.at)
        if item is self.current:
            self._calendar = drawn
        return {}

    def _find(self, estate: Estate) -> Listing[Protection]:
        self._known = _read(self._given)
        return protections(self._known.assignments, estate)

    def _take(self, listing: Listing[Any]) -> None:
        super()._take(listing)
        self._begun = {each.last.id: each.id for each in listing if each.state == "pending"}
        begun = self._go_along(each.last.snapshot for each in listing if each.state == "pending")
        self.grid.meters = {self._begun[each]: percent for each, percent in begun.items()}
        known = self._known
        told = (
            [] if known.assignments or known.broken else ["No strategy is given: give the page a folder of strategies"]
        )
        self._failed = "; ".join([*told, *known.broken, *([self._failed] if self._failed else [])])
        self._tell("")

    def _moved(self, told: dict[str, Progress]) -> None:
        """Show how far they are; where one has ended, something else is wanted."""
        self.grid.meters = {self._begun[each]: step.percent for each, step in told.items() if step.state == "pending"}
        if any(step.state != "pending" for step in told.values()):
            self.renew()

    def _show_detail(self, item: Any) -> None:
        self._calendar = ""
        super()._show_detail(item)

    def _show_facts(self, more: dict[str, str] | None = None) -> None:
        super()._show_facts(more)
        item = self.current
        self._layout.facts.value += strategy_detail.detail(item) + self._calendar

    # -- the forms

    def _protect(self, item: Protection) -> ProtectForm:
        return ProtectForm(_strategy(item), self._chosen(), self._known.assignments)

    def _edit(self, item: Protection) -> StrategyForm:
        strategy = _strategy(item)
        form = StrategyForm(strategy, self._known.paths.get(strategy.name), of=item.target or item.region)

        def replace_it(form: StrategyForm) -> None:
            """Go on with what was edited, where it is in no file; the form stays open and may save again."""
            nonlocal strategy
            if form.result is not None and not isinstance(self._given, Path):
                self._given = [_exchanged(each, strategy, form.result) for each in self._given]
                strategy = form.result

        form.on_end(replace_it)
        return form


def _read(given: Path | Sequence[Strategy | Assignment]) -> _Known:
    """Read the strategies; files that cannot be read do not hide the others."""
    if not isinstance(given, Path):
        return _Known(assignments(given), {}, ())
    check_folder(given)
    read, broken = dict[Path, Strategy](), list[str]()
    for path in sorted(given.glob("*.toml")):
        try:
            read[path] = Strategy.load(path)
        except StrategyError as error:
            broken.append(str(error))
    return _Known(assignments(read.values()), {each.name: path for path, each in read.items()}, broken)


def check_folder(path: Path) -> None:
    """Refuse what is no folder.

    Raises:
        InvalidRequest: it is none.
    """
    if not path.is_dir():
        raise InvalidRequest(
            "strategies", str(path), "is no folder", "give one that holds a TOML file for each strategy"
        )


def _exchanged(each: Strategy | Assignment, before: Strategy, after: Strategy) -> Strategy | Assignment:
    if isinstance(each, Assignment):
        return replace(each, strategy=after) if each.strategy == before else each
    return after if each == before else each


def _strategy(item: Protection) -> Strategy:
    assert item.strategy is not None  # noqa: S101 - nothing else is offered
    return item.strategy


def _plan(item: Protection) -> PlanForm:
    return _plan_many([item])


def _plan_many(items: Sequence[Protection]) -> PlanForm:
    strategies = {each.called: each.strategy for each in items}
    if len(strategies) > 1 or None in strategies.values():
        rule = "are not all of one strategy that is known"
        raise InvalidRequest("volumes", ", ".join(strategies), rule, "select volumes of one strategy")
    targets = dict.fromkeys(each.target for each in items if each.target is not None)
    return PlanForm(list(targets), _strategy(items[0]))


def _leave(item: Protection) -> LeaveForm:
    assert item.target is not None  # noqa: S101 - likewise
    return LeaveForm(item.target)


def _export(item: Protection) -> ExportForm:
    return ExportForm(_strategy(item), item.region)


def _last(item: Protection) -> str:
    if item.last is None:
        return "none yet" if item.volume else ""
    done = item.last.snapshot.completed_at
    ended = f", {moment(done)}" if done else ""
    return f"{item.last.id}, due {moment(item.last.due)}; {item.last.state}{ended}"
