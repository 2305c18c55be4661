"""What all forms have in common: one layout, and what happens from the first key to the result.

A form holds no rules: it asks the checks of the SDK at every change, and does what it does by one call of the SDK. That
call runs in a thread, so that the kernel stays free; after it the form goes along with what AWS has begun.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from snapkit import _html
from snapkit.ebs.charging import heard
from snapkit.errors import InvalidRequest, NotPermitted, SnapkitError, StrategyError
from snapkit.forms.fields import Confirmation, Field
from snapkit.forms.layout import Layout

if TYPE_CHECKING:
    from snapkit.ebs import Region
    from snapkit.ebs.waiting import Progress

RIGHT = "right"
"""Where `Form.problems` tells that the roles of the person do not allow it."""

_INCOMPLETE = "Not submitted: see "


class State(StrEnum):
    """How far a form is."""

    READY = "ready"
    BUSY = "busy"
    WATCHING = "watching"
    DONE = "done"
    CANCELLED = "cancelled"


class Form(ABC):
    """A dialog for one operation of the SDK.

    In a notebook it is the value of a cell. Without a browser its fields are set and it is submitted from Python:
    ``form.size.value = "200 GiB"``, then ``form.submit()``, or ``await form.run()``.

    Attributes:
        region: in which it acts.
        title: its heading.
        verb: what it does, as its button says.
        state: how far it is.
        result: what it made; None before.
        error: what went wrong the last time, in words; empty if nothing.
        warnings: what the operation warned of, such as a quota that may be exceeded.
    """

    def __init__(self, region: "Region", title: str, verb: str) -> None:
        """Lay out the fields, which are the attributes that are `Field` by now, in the order in which they were set.

        Args:
            region: in which it acts.
            title: its heading.
            verb: what it does, for its button, such as ``"Create volume"``.
        """
        self._fields = {name: each for name, each in vars(self).items() if isinstance(each, Field)}
        self.region = region
        self.title = title
        self.verb = verb
        self.state = State.READY
        self.result: Any = None
        self.error = ""
        self.warnings: list[str] = []
        self._effects: list[str] = []
        self._attempted = False
        self._left = False
        self._task: asyncio.Task[Any] | None = None
        self._watching: asyncio.Future[None] | None = None
        self._ended: list[Callable[[Form], object]] = []
        self._layout = Layout(title, verb, list(self._fields.values()))
        self._layout.submit.on_click(self._clicked)
        self._layout.cancel.on_click(lambda _: self.cancel())
        for each in self._fields.values():
            each.on_change(self._changed)
        self._refresh()

    # -- what each form says of itself

    @abstractmethod
    def checks(self) -> Iterable[Callable[[], object]]:
        """List the checks of the SDK on what the fields hold; none of them calls AWS, and each raises what it refuses.

        An `InvalidRequest` or a `StrategyError` is told at the field of the same name, such as ``initialization_rate``
        for "initialization rate". Where there is no such field, it is told above all of them.
        """

    @abstractmethod
    def deed(self) -> Callable[[], Any]:
        """Bind what the fields hold now to the call of the SDK that returns the result; it is made in a thread."""

    @abstractmethod
    def consequences(self) -> Iterable[str]:
        """Say what it will do and cost, a sentence each; not asked while something is wrong with a filled-in field."""

    def watch(self, result: Any) -> "Iterator[Progress]":  # noqa: ARG002 - for forms that begin something
        """Go along with what the result goes on to do in AWS; each step looks once and does not wait."""
        return iter(())

    def told(self, result: Any) -> str:
        """Say what came of it."""
        return repr(result).strip("<>")

    def adapt(self) -> None:  # noqa: B027 - most forms have nothing to adapt
        """Let fields follow from others, such as what is proposed or hidden; called at every change."""

    # -- what people and tests ask of it

    @property
    def widget(self) -> Any:
        """All of it, to be put into a page."""
        return self._layout.box

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by name of the field; what belongs to no field, by what the SDK calls it."""
        return {name: self._words(name, error) for name, error in self._refusals().items()}

    def submit(self) -> Any:
        """Do it, and return the result as soon as the operation of the SDK does; what it begins goes on in AWS.

        Raises:
            InvalidRequest: a field has a problem, or the form was submitted or cancelled before.
            SnapkitError: what the operation raises; the form can then be corrected and submitted again.
        """
        deed = self._begin()
        try:
            made = deed()
        except BaseException as error:
            self._failed(error)
            raise
        self._made(made)
        return made

    async def run(self) -> Any:
        """Do it in a thread, then go along with what goes on in AWS until that ends: what the button does.

        Raises:
            InvalidRequest: as `submit`.
            SnapkitError: likewise, or what was begun ended in error.
        """
        call = asyncio.ensure_future(asyncio.to_thread(self._begin()))
        try:
            made = await asyncio.shield(call)
        except asyncio.CancelledError:
            self.cancel()
            call.add_done_callback(self._late)
            raise
        except Exception as error:
            self._failed(error)
            raise
        self._made(made)
        if not self._left:
            await self._go_along()
        return made

    def cancel(self) -> None:
        """Close it where nothing was asked of AWS yet; else only stop to wait: what AWS has begun goes on."""
        if self.state is State.READY:
            self.state = State.CANCELLED
            self._layout.tell("Cancelled." if self.error else "Cancelled; nothing was done.")
            self._refresh()
            self._end()
        elif self.state in (State.BUSY, State.WATCHING) and not self._left:
            self._left = True
            if self._watching is not None:
                self._watching.cancel()
            else:
                self._layout.tell("AWS was asked already, which cannot be taken back; what came of it will stand here.")
            self._refresh()

    def on_end(self, ended: "Callable[[Form], object]") -> None:
        """Have something called with the form when it is done or cancelled, such as a page that reads its rows anew."""
        self._ended.append(ended)

    # -- how it goes on

    def _clicked(self, _: object) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.submit()
            return
        # Of two clicks the second may come before the task has begun.
        if self.state is State.READY and (self._task is None or self._task.done()):
            self._task = loop.create_task(self.run())
            self._task.add_done_callback(_heard)

    def _begin(self) -> Callable[[], Any]:
        """Refuse what cannot be submitted; else return the call, and be busy from now on."""
        if self.state is not State.READY:
            raise InvalidRequest("form", self.title, f"is {self.state} already", "open another one")
        self._attempted = True
        # What has no field, such as the state of a snapshot, may be another by now: that is up to the operation.
        refused = {name: each for name, each in self._refusals().items() if name in (RIGHT, *self._fields)}
        for name, error in refused.items():
            named = [self._fields[each].label if each in self._fields else each for each in refused]
            self.error = str(error) if name == RIGHT else f"{_INCOMPLETE}{', '.join(named)}."
            self._refresh()
            raise error
        deed = self.deed()

        def heeded() -> Any:
            with heard() as self.warnings:
                return deed()

        self.error, self.state = "", State.BUSY
        self._layout.tell(f"{self.verb}: asking AWS ...")
        self._refresh()
        return heeded

    def _failed(self, error: BaseException) -> None:
        """Tell what went wrong, and be ready for another try."""
        if isinstance(error, KeyboardInterrupt):
            self.error = "Interrupted: what AWS was asked already goes on; look what is there before you try again."
        else:
            self.error = str(error) if isinstance(error, SnapkitError) else f"{type(error).__name__}: {error}"
        self.state, self._left = State.READY, False
        self._layout.tell("")
        self._refresh()
        place = self._place(error) if isinstance(error, InvalidRequest | StrategyError) else ""
        if place in self._fields:
            self._fields[place].problem = self._words(place, error)

    def _made(self, made: Any) -> None:
        self.result, self.state = made, State.DONE
        self._layout.tell(self._outcome, good=True)
        self._refresh()
        self._end()

    def _late(self, call: "asyncio.Future[Any]") -> None:
        """Tell what came of a call that nobody waits for any more."""
        # Unless the event loop itself ends.
        with suppress(asyncio.CancelledError):
            error = call.exception()
            if error is None:
                self._made(call.result())
            else:
                self._failed(error)

    async def _go_along(self) -> None:
        """Show how far it is until it ends or is no longer watched."""
        self._watching = asyncio.ensure_future(self._follow())
        try:
            await self._watching
        except asyncio.CancelledError:
            self._layout.tell(f"{self._outcome}; no longer watched, it goes on by itself.")
            if not self._left:
                raise
        except Exception as error:
            self.error = str(error) or repr(error)
            self._layout.tell("")
            raise
        else:
            self._layout.tell(self._outcome, good=True)
        finally:
            self.state, self._watching = State.DONE, None
            self._refresh()

    async def _follow(self) -> None:
        steps = self.watch(self.result)
        while (step := await asyncio.to_thread(next, steps, None)) is not None:
            if self.state is not State.WATCHING:
                self.state = State.WATCHING
                self._refresh()
            self._layout.tell(str(step), percent=step.percent)
            if step.state == "pending":
                await self.region.clock.asleep(step.again_in)

    def _end(self) -> None:
        for ended in self._ended:
            ended(self)

    # -- what is wrong, and what is shown

    def _changed(self, field: Field) -> None:
        field.touched = True
        if self.error.startswith(_INCOMPLETE):
            # What is left of that stands at the fields.
            self.error = ""
        self._refresh()

    def _refresh(self) -> None:
        """Show what holds now."""
        self.adapt()
        refused = self._refusals()
        ready, busy = self.state is State.READY, self.state in (State.BUSY, State.WATCHING)
        for name, field in self._fields.items():
            # What is decided nobody can mend here, so that it is told at once.
            shown = ready and name in refused and (field.touched or self._attempted or field.fixed)
            field.problem = self._words(name, refused[name]) if shown else ""
            field.disabled = not ready or field.fixed
        if ready:
            # What is done stays told as it was before.
            self._effects = self._foreseen(refused)
        decided = any(field.fixed for name, field in self._fields.items() if name in refused)
        general = [str(each) for name, each in refused.items() if name not in self._fields] if ready else []
        self._layout.show(
            notice=" ".join(general),
            consequences=self._effects,
            error=self.error,
            can_submit=ready and RIGHT not in refused and not decided,
            can_cancel=(ready or busy) and not self._left,
            busy=busy,
        )

    def _foreseen(self, refused: dict[str, SnapkitError]) -> list[str]:
        rests_on = {name for name, each in self._fields.items() if each.text and not isinstance(each, Confirmation)}
        return [] if refused.keys() & rests_on else list(self.consequences())

    def _refusals(self) -> dict[str, SnapkitError]:
        found: dict[str, SnapkitError] = {}
        for check in self.checks():
            try:
                check()
            except (InvalidRequest, StrategyError) as error:
                found.setdefault(self._place(error), error)
            except NotPermitted as error:
                found.setdefault(RIGHT, error)
        return found

    def _place(self, error: InvalidRequest | StrategyError) -> str:
        """Find the field that an error is about; a standard option is refused by the key of its tag."""
        keys = self.region.tag_keys
        tags = {f"tag {keys.name}": "name", f"tag {keys.group}": "group", f"tag {keys.billing_code}": "billing_code"}
        name = tags.get(error.field, error.field.replace(" ", "_"))
        return name if name in self._fields else error.field

    def _words(self, name: str, error: BaseException) -> str:
        if name in self._fields and isinstance(error, InvalidRequest | StrategyError):
            return f"{self._fields[name].label} {error.rule}; {error.remedy}"
        return str(error)

    @property
    def _outcome(self) -> str:
        """What came of it, and what was warned of."""
        return "; ".join([self.told(self.result), *(f"warning: {each}" for each in self.warnings)])

    def _rows(self) -> list[tuple[str, str]]:
        rows = [(each.label, each.text) for each in self._fields.values() if not each.hidden]
        rows += [("effect", each) for each in self._effects]
        rows += [("problem", each) for each in self.problems.values()] if self.state is State.READY else []
        rows += [("error", self.error)] if self.error else []
        return [*rows, ("state", f"{self.state}: {self._outcome}" if self.result is not None else self.state)]

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(name) for name, _ in rows) + 2
        return "\n".join([f"{type(self).__name__}: {self.title}", *(f"  {a:{width}}{b}".rstrip() for a, b in rows)])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show the widget and, where there are none, what the form says: the same each time."""
        saved = _html.note(self.title) + _html.table(["field", "value"], self._rows())
        return {**self.widget._repr_mimebundle_(), "text/plain": repr(self), "text/html": saved}


def _heard(task: "asyncio.Task[Any]") -> None:
    """Take what the form has told already; an error that snapkit does not know goes on to the log of the loop."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, SnapkitError):
        task.get_loop().call_exception_handler({"message": "in a form", "exception": error, "task": task})
