"""Write a strategy: its tiers in plain words, when they are due next, what would be kept, and the document.

Where it is known in which region it is to run, it is planned, applied and exported from there as well.
"""

from collections.abc import Callable, Iterator
from os import PathLike
from os.path import exists
from typing import Any, TypeVar

import ipywidgets

from snapkit import _html
from snapkit.clock import Clock, SystemClock
from snapkit.ebs import Region, Server, Volume
from snapkit.errors import InvalidRequest, SnapkitError
from snapkit.forms import markup, strategy_markup
from snapkit.forms.editors import Editor, Editors, Refusal
from snapkit.forms.export import ExportForm
from snapkit.forms.fields import Field, Text
from snapkit.forms.form import Form, State
from snapkit.forms.layout import Layout
from snapkit.forms.plan import PlanForm
from snapkit.forms.protect import chosen, offered, targets
from snapkit.forms.tiers import RecoveryEditor, TierEditor, outdate
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.strategy.document import dumps
from snapkit.strategy.kept import kept_days

_SAVE, _USE = "Save strategy", "Use strategy"
_Opened = TypeVar("_Opened", PlanForm, ExportForm)


class StrategyForm(Editor):
    """Writes a strategy, and saves it to a file if one is named; the result is the `Strategy`.

    It stays open when it is saved. In a notebook it is the value of a cell; without a browser its fields are set from
    Python: ``form.tiers[0].schedule.text.value = "every 6h"``, ``form.tiers.add()``, then ``form.submit()``. Made for a
    region, a volume or a server, it has buttons that open a plan, to be approved and applied, and an export.

    Attributes:
        name: of the strategy.
        tiers: editors of its tiers; ``add()`` and ``remove(number)`` change how many there are.
        recovery: the editor of its recovery volume.
        path: the file that it is saved to; empty for none.
        target: the id of the volume or server that is planned for, where it was made for a region.
        opened: the plan or the export that is open; None for none.
        state: how far it is.
        result: the strategy that was submitted last; None before.
        error: what went wrong the last time, in words; empty if nothing.
    """

    def __init__(
        self,
        strategy: Strategy | None = None,
        path: str | PathLike[str] | None = None,
        *,
        of: Region | Volume | Server | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make the form.

        Args:
            strategy: what to begin with; by default what the file holds, or one that is daily where there is none yet.
            path: the TOML file to save it to.
            of: where it is to run: a region, of which a volume or server is chosen, or one of these.
            clock: tells from when on the next runs are, and when what is kept; by default that of the region, or else
                of the world outside.

        Raises:
            StrategyError: the file holds no strategy.
            AwsError: AWS refuses to list the volumes and servers of the region.
        """
        given = strategy or (Strategy.load(path) if path and exists(path) else _daily())
        self._given = given
        self._region = of.region if isinstance(of, Volume | Server) else of
        self._clock = clock or (self._region.clock if self._region else SystemClock())
        self.state = State.READY
        self.result: Strategy | None = None
        self.error = ""
        self.opened: Form | None = None
        self._ended: list[Callable[[StrategyForm], object]] = []
        self._drawn: Strategy | None = None
        self.name = Text("Name", given.name, hint="What the strategy is called.")
        self.tiers = Editors("tier", self._tier, given.tiers, self._changed)
        self.recovery = RecoveryEditor(given.recovery, self._changed)
        self.path = Text(
            "File", str(path or ""), placeholder="strategy.toml", hint="Optional: the TOML file to save to."
        )
        self._targets: dict[str, Volume | Server] = {}
        if self._region is not None:
            self._targets = targets(of) if isinstance(of, Region) else {of.id: of} if of else {}
            self.target = offered(self._targets)
            self.target.value = next(iter(self._targets)) if of is not self._region else None
            self.target.fixed = of is not self._region
        super().__init__(self._changed)
        self._calendar, self._document = ipywidgets.HTML(), ipywidgets.HTML()
        more = ipywidgets.Accordion(
            [self.recovery.widget], titles=("Recovery volume",), selected_index=0 if given.recovery else None
        )
        self._sections = {"tiers": _section("Tiers", self.tiers.widget)}
        self._layout = Layout(
            "Strategy",
            _SAVE,
            [
                self.name,
                self._sections["tiers"],
                _section("", more),
                _section("What it would keep now", self._calendar),
                _section("As a document", self._document),
                self.path,
            ],
        )
        self._layout.submit.on_click(lambda _: self._clicked(self.submit))
        self._layout.cancel.on_click(lambda _: self.cancel())
        self.widget = self._layout.box
        self._room = ipywidgets.VBox()
        self._deeds = [self._button("Plan", self.plan), self._button("Export", self.export)] if self._region else []
        if self._region is not None:
            deeds = ipywidgets.HBox(self._deeds).add_class("snapkit-buttons")
            self.widget.children += (_section("Run it", self.target.widget).widget, deeds, self._room)
        self._refresh()

    # -- what the fields say

    @property
    def strategy(self) -> Strategy:
        """What the fields say now.

        Raises:
            StrategyError: it cannot be.
        """
        return self.make()

    def make(self) -> Strategy:
        """Make the strategy."""
        return Strategy(self.name.value, [each.make() for each in self.tiers], self.recovery.make())

    def checks(self) -> Iterator[Callable[[], object]]:
        """Ask about the name apart."""
        yield lambda: Strategy(self.name.value, _daily().tiers)

    def place(self, error: Refusal) -> str:
        """Find the field; that of the last of two tiers of one name."""
        if error.field == "tier name":
            last = max(number for number, each in enumerate(self.tiers) if each.make().name == error.value)
            return f"tiers[{last}].name"
        return {"strategy file": "path"}.get(error.field, error.field.removeprefix("strategy "))

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by name of the field, as in ``"tiers[0].schedule.text"``; without tiers, of ``"tiers"``."""
        return {name: self._words(name, error) for name, error in self.refusals().items()}

    # -- what people and tests ask of it

    def submit(self) -> Strategy:
        """Take the strategy as the result, and save it if a file is named: whole or not at all.

        Raises:
            InvalidRequest: the form was cancelled before.
            StrategyError: something is wrong with a field, or the file cannot be written.
        """
        self._check_open()
        refused = self.refusals()
        try:
            for error in refused.values():
                raise error
            made, path = self.make(), self.path.value
            if path:
                made.save(path)
        except Exception as error:
            self._fail("Not saved", error, refused)
            raise
        self.result, self.state, self.error = made, State.DONE, ""
        self._given = made
        self._refresh()
        self._layout.tell(f"{made.name}: {f'saved to {path}' if path else 'taken as the result'}", good=True)
        self._end()
        return made

    def cancel(self) -> None:
        """Close it; what was saved stays."""
        if self.state is not State.CANCELLED:
            self.state = State.CANCELLED
            self._refresh()
            self._layout.tell("Closed; what was not saved is gone.")
            self._end()

    def plan(self) -> PlanForm:
        """Open the plan of what the strategy, saved or not, wants of the chosen volume or server now.

        Raises:
            InvalidRequest: nothing is chosen, the form was cancelled, or it was not made for a region.
            StrategyError: something is wrong with a field.
            AwsError: AWS refuses to say what there is.
        """
        return self._open(lambda: PlanForm(self._chosen(), self.make()))

    def export(self) -> ExportForm:
        """Open the export of the strategy, saved or not, to an engine of AWS.

        Raises:
            InvalidRequest: the form was cancelled, or was not made for a region.
            StrategyError: something is wrong with a field.
        """
        return self._open(lambda: ExportForm(self.make(), self._where()))

    def on_end(self, ended: "Callable[[StrategyForm], object]") -> None:
        """Have something called with the form whenever it is saved, and when it is cancelled."""
        self._ended.append(ended)

    # -- how it goes on

    def _button(self, title: str, deed: Callable[[], object]) -> Any:
        button = ipywidgets.Button(description=title, layout={"width": "auto"})
        button.on_click(lambda _: self._clicked(deed))
        return button

    def _clicked(self, deed: Callable[[], object]) -> None:
        try:
            deed()
        except SnapkitError:
            # It is told already; anything else goes on to the log.
            return

    def _open(self, make: Callable[[], _Opened]) -> _Opened:
        """Open another form below."""
        self._check_open()
        refused = self.refusals()
        try:
            for error in refused.values():
                raise error
            opened = make()
        except Exception as error:
            self._fail("Not opened", error, refused)
            raise
        self.error, self.opened, self._room.children = "", opened, [opened.widget]
        opened.on_end(lambda each: self._close() if each.state is State.CANCELLED else None)
        self._refresh()
        return opened

    def _close(self) -> None:
        self.opened, self._room.children = None, []

    def _fail(self, what: str, error: Exception, refused: dict[str, Refusal]) -> None:
        """Tell what went wrong."""
        places = ", ".join(dict.fromkeys(map(self._label, refused)))
        told = str(error) if isinstance(error, SnapkitError) else f"{type(error).__name__}: {error}"
        self.error = f"{what}: see {places}." if refused else told
        self._refresh()

    def _check_open(self) -> None:
        if self.state is State.CANCELLED:
            raise InvalidRequest("form", "Strategy", "is cancelled already", "open another one")

    def _where(self) -> Region:
        if self._region is None:
            raise InvalidRequest("form", "Strategy", "was made for no region", "make it with of=region, say")
        return self._region

    def _chosen(self) -> Volume | Server:
        self._where()
        return chosen(self._targets.get(self.target.value))

    def _changed(self) -> None:
        if self.state is State.DONE:
            self.state = State.READY
            self._layout.tell("")
        if self.opened is not None and self.opened.state is State.READY:
            # It is of what the fields said before.
            self._close()
        self._refresh()

    def _end(self) -> None:
        for ended in self._ended:
            ended(self)

    def _tier(self, given: Tier | None) -> TierEditor:
        if given is None:
            names = {each.name.value for each in self.tiers}
            free = next(name for number in range(1, len(names) + 2) if (name := f"tier {number}") not in names)
            zone = self.tiers[-1].schedule.zone if names else "UTC"
            given = Tier(Schedule("every 1d at 03:00", zone), Retention(last=7, timezone=zone), free)
        return TierEditor(given, self._changed)

    # -- what is shown

    def _refresh(self) -> None:
        """Show what holds now."""
        refused, closed, now = self.refusals(), self.state is State.CANCELLED, self._clock.now()
        for name, field in (self.fields | self._sections).items():
            field.problem = self._words(name, refused[name]) if name in refused else ""
            field.disabled = closed or field.fixed
        if closed:
            self.tiers.close()
            self._close()
        for each in self._deeds:
            each.disabled = closed
        for tier in self.tiers:
            tier.show(now)
        for shown in (self._calendar, self._document):
            outdate(shown, before=bool(refused))
        if not refused and (made := self.make()) != self._drawn:
            self._drawn = made
            self._calendar.value = strategy_markup.calendar(kept_days(made, now))
            self._document.value = strategy_markup.document(dumps(made))
        self._layout.submit.description = _SAVE if self.path.value else _USE
        self._layout.show(
            notice="",
            consequences=[] if closed else list(self._consequences()),
            error=self.error,
            can_submit=not closed,
            can_cancel=not closed,
            busy=False,
        )

    def _consequences(self) -> Iterator[str]:
        path = self.path.value
        if not path:
            yield "No file is named: the strategy is the result of the form, and saved nowhere."
        else:
            yield f"Replaces {path}, which is there already." if exists(path) else f"Makes {path}."
        names = {each.name.value or each.schedule.text.value for each in self.tiers}
        gone = ", ".join(each.name for each in self._given.tiers if each.name not in names)
        if gone:
            yield f"No tier is called {gone} any more: the strategy never deletes snapshots that carry such a name."

    def _words(self, name: str, error: Refusal) -> str:
        return f"{self._label(name)} {error.rule}; {error.remedy}"

    def _label(self, name: str) -> str:
        return (self.fields | self._sections)[name].label

    def _rows(self) -> list[tuple[str, str]]:
        rows = [(self.name.label, self.name.text)]
        rows += [(f"Tier {each.name.text}", each.words) for each in self.tiers]
        rows += [("Recovery volume", self.recovery.words), (self.path.label, self.path.text)]
        rows += [(self.target.label, self.target.text)] if self._region else []
        rows += [("effect", each) for each in self._consequences()]
        rows += [("problem", each) for each in self.problems.values()]
        rows += [("error", self.error)] if self.error else []
        return [*rows, ("state", self.state)]

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(name) for name, _ in rows) + 2
        return "\n".join(["StrategyForm", *(f"  {name:{width}}{told}".rstrip() for name, told in rows)])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show the widget and, where there are none, what the form says: nothing of it depends on the time."""
        saved = _html.table(["field", "value"], self._rows())
        if not self.problems:
            saved += strategy_markup.document(dumps(self.make()))
        return {**self.widget._repr_mimebundle_(), "text/plain": repr(self), "text/html": saved}


def _daily() -> Strategy:
    """Make the strategy to begin with where none is given."""
    return Strategy("daily", [Tier(Schedule("every 1d at 03:00"), Retention(last=14), "daily")])


def _section(label: str, inside: Any) -> Field:
    """Make a field that shows something, or holds other fields."""
    parts = [ipywidgets.HTML(markup.label(label)), inside] if label else [inside]
    section = Field(label, ipywidgets.VBox(parts), [])
    section.widget.add_class("snapkit-section")
    return section
