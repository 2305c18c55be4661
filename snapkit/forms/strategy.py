"""Write a strategy: its tiers in plain words, when they are due next, what would be kept, and the document."""

from collections.abc import Callable, Iterator
from os import PathLike
from os.path import exists
from typing import Any

import ipywidgets

from snapkit import _html
from snapkit.clock import Clock, SystemClock
from snapkit.errors import InvalidRequest, SnapkitError
from snapkit.forms import markup, strategy_markup
from snapkit.forms.editors import Editor, Editors, Refusal
from snapkit.forms.fields import Field, Text
from snapkit.forms.form import State
from snapkit.forms.layout import Layout
from snapkit.forms.tiers import RecoveryEditor, TierEditor, outdate
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.strategy.document import dumps
from snapkit.strategy.kept import kept_days

_SAVE, _USE = "Save strategy", "Use strategy"


class StrategyForm(Editor):
    """Writes a strategy, and saves it to a file if one is named; the result is the `Strategy`.

    It stays open when it is saved. In a notebook it is the value of a cell; without a browser its fields are set from
    Python: ``form.tiers[0].schedule.text.value = "every 6h"``, ``form.tiers.add()``, then ``form.submit()``.

    Attributes:
        name: of the strategy.
        tiers: editors of its tiers; ``add()`` and ``remove(number)`` change how many there are.
        recovery: the editor of its recovery volume.
        path: the file that it is saved to; empty for none.
        state: how far it is.
        result: the strategy that was submitted last; None before.
        error: what went wrong the last time, in words; empty if nothing.
    """

    def __init__(
        self,
        strategy: Strategy | None = None,
        path: str | PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Make the form.

        Args:
            strategy: what to begin with; by default what the file holds, or one that is daily where there is none yet.
            path: the TOML file to save it to.
            clock: tells from when on the next runs are, and when what is kept; by default that of the world outside.

        Raises:
            StrategyError: the file holds no strategy.
        """
        given = strategy or (Strategy.load(path) if path and exists(path) else _daily())
        self._given = given
        self._clock = clock or SystemClock()
        self.state = State.READY
        self.result: Strategy | None = None
        self.error = ""
        self._ended: list[Callable[[StrategyForm], object]] = []
        self._drawn: Strategy | None = None
        self.name = Text("Name", given.name, hint="What the strategy is called.")
        self.tiers = Editors("tier", self._tier, given.tiers, self._changed)
        self.recovery = RecoveryEditor(given.recovery, self._changed)
        self.path = Text(
            "File", str(path or ""), placeholder="strategy.toml", hint="Optional: the TOML file to save to."
        )
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
        self._layout.submit.on_click(self._clicked)
        self._layout.cancel.on_click(lambda _: self.cancel())
        self.widget = self._layout.box
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
        if self.state is State.CANCELLED:
            raise InvalidRequest("form", "Strategy", "is cancelled already", "open another one")
        refused = self.refusals()
        try:
            for error in refused.values():
                raise error
            made, path = self.make(), self.path.value
            if path:
                made.save(path)
        except Exception as error:
            places = ", ".join(dict.fromkeys(map(self._label, refused)))
            told = str(error) if isinstance(error, SnapkitError) else f"{type(error).__name__}: {error}"
            self.error = f"Not saved: see {places}." if refused else told
            self._refresh()
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

    def on_end(self, ended: "Callable[[StrategyForm], object]") -> None:
        """Have something called with the form whenever it is saved, and when it is cancelled."""
        self._ended.append(ended)

    # -- how it goes on

    def _clicked(self, _: object) -> None:
        try:
            self.submit()
        except SnapkitError:
            # It is told already; anything else goes on to the log.
            return

    def _changed(self) -> None:
        if self.state is State.DONE:
            self.state = State.READY
            self._layout.tell("")
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
            field.disabled = closed
        if closed:
            self.tiers.close()
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
