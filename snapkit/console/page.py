"""What the pages have in common: a table of an estate, what is chosen in it, and what can be done with that."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

from snapkit import _html
from snapkit.console import layout
from snapkit.console.actions import Action, allowed
from snapkit.console.layout import EVERYWHERE, Layout
from snapkit.console.table import Table
from snapkit.ebs import Estate, Region
from snapkit.ebs.listing import Column, Listing
from snapkit.errors import AwsError, InvalidRequest, SnapkitError
from snapkit.forms.form import State


class Page(ABC):
    """A table of resources with a filter, pages, a selection, and forms that open in place.

    In a notebook it is the value of a cell. Without a browser its controls are set from Python, such as
    ``page.filter.value = "db"``, and what they lead to is read from `shown`, `selected` and `form`.

    Attributes:
        account: the switch of whose resources are listed.
        place: the switch of which region they are listed.
        filter: words that have to stand in a row.
        size: how many rows a page has.
        grid: the rows.
        selected: what is ticked, on whichever page, by id.
        current: what is shown in detail, or nothing.
        form: the form that is open, or nothing.
        error: what went wrong last, in words; empty if nothing.
        done: called with a form that has done something.
    """

    noun: ClassVar[str]
    columns: ClassVar[tuple[Column[Any], ...]]
    sorted_by: ClassVar[str]
    actions: tuple[Action, ...]

    def __init__(self, of: Region | Estate) -> None:
        """List what there is; regions that refuse are named below the table.

        Args:
            of: where.
        """
        self._estate = of if isinstance(of, Estate) else Estate([of])
        self._layout = Layout(self.noun, self.columns, self.sorted_by, "state")
        self.account, self.place = self._layout.account, self._layout.place
        self.filter, self.size, self.grid = self._layout.filter, self._layout.size, self._layout.grid
        self.selected: dict[str, Any] = {}
        self.current: Any = None
        self.form: Any = None
        self.error = ""
        self.done: Callable[[Any], object] = lambda _: None
        self._first = 0
        self._asked: object = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._take(self._find(self._estate))
        self._layout.switch(self.account, _accounts(self._estate))
        places = sorted({region.name for region in self._estate.regions})
        self._layout.switch(self.place, [(each, each) for each in places])
        self._observe()

    # -- what each page says of itself

    @abstractmethod
    def facts(self, item: Any) -> dict[str, str]:
        """Tell what is known of a resource without asking AWS, by name."""

    @abstractmethod
    def asked(self, item: Any) -> dict[str, str]:
        """Ask AWS for more about a resource; called in a thread."""

    @abstractmethod
    def _find(self, estate: Estate) -> Listing[Any]:
        """List the resources of regions; called in a thread when they are listed anew."""

    # -- what people and tests ask of it

    @property
    def widget(self) -> Any:
        """All of it, to be put into something else."""
        return self._layout.box

    @property
    def shown(self) -> list[Any]:
        """The resources that stand in the grid, in order."""
        return [self._table.items[self._table.ids[each]] for each in self.grid.ids]

    @property
    def counted(self) -> str:
        """How many there are, and which of them are shown."""
        found, whole = len(self._found), len(self._table)
        nouns = f"{whole:,} {self.noun}{'' if whole == 1 else 's'}"
        if not found:
            return f"0 of {nouns}"
        last = min(self._first + self.size.value, found)
        return f"{self._first + 1:,} to {last:,} of {f'{found:,} of ' if found < whole else ''}{nouns}"

    @property
    def why(self) -> dict[str, str]:
        """What the person may not do with what is shown in detail, and why."""
        return {} if self.current is None else allowed(self.actions, self.current)[1]

    async def refresh(self) -> None:
        """List all anew; what is chosen and typed stays."""
        self._tell("Listing ...")
        asked = self._asked = object()
        try:
            listing = await asyncio.to_thread(lambda: self._find(self._chosen()))
            # The answer to a later question may have come before.
            if asked is self._asked:
                self._take(listing)
        except Exception as error:
            self._refuse(error)
            raise

    def renew(self) -> None:
        """List all anew beside what else goes on; what goes wrong is told."""
        self._begin(self.refresh())

    def turn(self, pages: int) -> None:
        """Turn so many pages forth, or back; it stops at the ends."""
        last = max(0, len(self._found) - 1) // self.size.value
        self._first = min(max(self._first // self.size.value + pages, 0), last) * self.size.value
        self._show()

    def open(self, title: str, *, many: bool = False) -> None:
        """Open the form of an action in place.

        Args:
            title: of the action.
            many: for all that is selected, not for what is shown in detail.

        Raises:
            InvalidRequest: there is no such action for it.
        """
        for action in self._offered(many=many):
            if action.title != title:
                continue
            if many and action.of_many is not None:
                form = action.of_many(list(self.selected.values()))
                self._show_detail(None)
            else:
                form = action.form(self.current)
            self._place(form)
            return
        raise InvalidRequest("action", title, "is not possible here", "see `why`, or choose another row")

    # -- what is listed and found

    def _chosen(self) -> Estate:
        """Tell of which regions the resources are listed."""
        account, place = self.account.value, self.place.value
        regions = [each for each in self._estate.regions if place in (EVERYWHERE, each.name)]
        regions = [each for each in regions if account in (EVERYWHERE, each.account)]
        if not regions:
            raise InvalidRequest("region", place, f"is none of account {account} here", "choose another one")
        return Estate(regions)

    def _take(self, listing: Listing[Any]) -> None:
        """Show a listing; of what was chosen stays what is still there."""
        table = self._table = Table(listing.items, self.columns)
        self.selected = {each: table.items[table.ids[each]] for each in self.selected if each in table.ids}
        self._search()
        failed = getattr(listing, "failed", {})
        self._failed = "; ".join(f"nothing of {region}: {error}" for region, error in failed.items())
        self._tell("")
        if self.current is not None:
            row = table.ids.get(self.current.id)
            self._show_detail(None if row is None else table.items[row])
        if running_loop() is not None:
            self._begin(_prepare(table))

    def _search(self) -> None:
        order = self.grid.order
        self._found = self._table.found(self.filter.value, order["column"], down=order["down"])
        self.turn(0)

    def _show(self) -> None:
        rows = self._found[self._first : self._first + self.size.value]
        ids = [self._table.items[row].id for row in rows]
        with self.grid.hold_sync():
            self.grid.ids, self.grid.checked = ids, [each for each in ids if each in self.selected]
            self.grid.nothing = "Nothing matches the filter." if len(self._table) else f"There are no {self.noun}s."
            self.grid.rows = self._table.cells(rows)
        self._layout.count.value = self.counted
        self._layout.back.disabled = not self._first
        self._layout.forth.disabled = self._first + self.size.value >= len(self._found)
        self._show_selected()

    def _show_selected(self) -> None:
        self._layout.ticked.value = f"{len(self.selected):,} selected"
        self._layout.clear.disabled = not self.selected
        deeds = [self._deed(each, many=True) for each in self._offered(many=True)]
        self._layout.bulk.children = [self._layout.ticked, self._layout.clear, *deeds]

    # -- what is clicked

    def _observe(self) -> None:
        shown = self._layout
        for control, trait in ((self.filter, "value"), (self.size, "value"), (self.grid, "order")):
            control.observe(lambda _: self._try(self._search_anew), trait)
        for control in (self.account, self.place):
            control.observe(lambda _: self.renew(), "value")
        self.grid.observe(lambda _: self._tick(), "checked")
        self.grid.observe(lambda change: self._try(lambda: self._choose(change["new"])), "current")
        shown.again.on_click(lambda _: self.renew())
        shown.clear.on_click(lambda _: self._clear())
        shown.back.on_click(lambda _: self.turn(-1))
        shown.forth.on_click(lambda _: self.turn(1))

    def _search_anew(self) -> None:
        self._first = 0
        self._search()

    def _tick(self) -> None:
        """Keep what is ticked here beside what is ticked on other pages."""
        for each in self.shown:
            if each.id in self.grid.checked:
                self.selected[each.id] = each
            else:
                self.selected.pop(each.id, None)
        self._show_selected()

    def _clear(self) -> None:
        self.selected.clear()
        self.grid.checked = []
        self._show_selected()

    def _choose(self, item_id: str) -> None:
        if item_id and (self.current is None or item_id != self.current.id):
            self._show_detail(self._table.items[self._table.ids[item_id]])

    def _offered(self, *, many: bool) -> list[Action]:
        """List what may be done, with all that is selected or with what is shown in detail."""
        if many:
            items = self.selected.values()
            return [each for each in self.actions if items and each.of_many and not any(map(each.refused, items))]
        return [] if self.current is None else allowed(self.actions, self.current)[0]

    # -- the detail

    def _show_detail(self, item: Any) -> None:
        if self.current is None or item is None or item.id != self.current.id:
            self._place(None)
        self.current = item
        self.grid.current = "" if item is None else item.id
        shown = self._layout
        layout.show(shown.detail, shown=item is not None)
        if item is None:
            shown.title.value, shown.deeds.children, shown.facts.value = "", [], ""
            return
        shown.title.value = layout.heading(item.name or item.id)
        self._show_deeds()
        self._show_facts()
        self._begin(self._ask(item))

    async def _ask(self, item: Any) -> None:
        """Add what AWS says about a row, unless another one was chosen meanwhile."""
        offered = self._offered(many=False)
        try:
            more = await asyncio.to_thread(self.asked, item)
        except SnapkitError as error:
            more = {"not known": str(error)}
        if item is self.current:
            self._show_facts(more)
            if self._offered(many=False) != offered:
                self._show_deeds()
            # The row may know more by now as well.
            self._show()

    def _show_deeds(self) -> None:
        self._layout.deeds.children = [*map(self._deed, self._offered(many=False)), *layout.absent(self.why)]

    def _show_facts(self, more: dict[str, str] | None = None) -> None:
        self._layout.facts.value = layout.facts(self.facts(self.current) | (more or {}))

    # -- forms

    def _deed(self, action: Action, *, many: bool = False) -> Any:
        button = layout.button(action.title)
        button.on_click(lambda _: self._try(lambda: self.open(action.title, many=many)))
        return button

    def _place(self, form: Any) -> None:
        self._tell("")
        self.form = form
        self._layout.form.children = [] if form is None else [form.widget]
        if form is not None:
            layout.show(self._layout.detail, shown=True)
            form.on_end(self._ended)

    def _ended(self, form: Any) -> None:
        """List anew after something was done; a form that was cancelled goes."""
        if form.state is State.CANCELLED:
            self._place(None)
            return
        self.renew()
        self.done(form)

    # -- what is told

    def _tell(self, text: str) -> None:
        self.error = self._layout.alert.value = ""
        self._layout.status.value = layout.status(text or self._failed)

    def _refuse(self, error: Exception) -> None:
        self.error = str(error) or repr(error)
        self._layout.status.value, self._layout.alert.value = "", layout.alert(error)

    def _try(self, what: Callable[[], None]) -> None:
        """Do what was clicked; a widget swallows what goes wrong, so that it is told."""
        try:
            what()
        except Exception as error:
            self._refuse(error)
            raise

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside: at once where no event loop runs, as in a script."""
        loop = running_loop()
        if loop is None:
            asyncio.run(work)
            return
        task = loop.create_task(work)
        # The loop itself would forget it.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def __repr__(self) -> str:
        regions = ", ".join(sorted({region.name for region in self._estate.regions}))
        told = [f"{type(self).__name__} of {regions}: {self.counted}"]
        told += [f"filter {self.filter.value!r}"] if self.filter.value else []
        told += [f"{len(self.selected)} selected"] if self.selected else []
        told += [f"{self.current.id} in detail"] if self.current is not None else []
        return "; ".join(told)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show the widget and, where there are none, the rows that it shows: the same each time."""
        saved = _html.table([each.title for each in self.columns], self.grid.rows) + _html.note(repr(self))
        return {**self.widget._repr_mimebundle_(), "text/plain": repr(self), "text/html": saved}


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop of a notebook; there is none in a script."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def moment(at: datetime) -> str:
    """Write a moment, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _accounts(estate: Estate) -> list[tuple[str, str]]:
    """List the accounts of an estate, each as it is called and by its id, by now that it is known who answers."""
    known, names = dict[str, Region](), dict[str, str]()
    for region in estate.regions:
        # One that refuses has told so in the listing.
        with suppress(AwsError):
            known.setdefault(region.account, region)
    if len(known) > 1:
        with suppress(SnapkitError):
            names = {each.id: each.name for each in next(iter(known.values())).accounts()}
    return [(f"{names.get(each, '')} {each}".strip(), each) for each in known]


async def _prepare(table: Table[Any]) -> None:
    """Prepare the filter while nobody asks for anything, so that its first letter is answered as fast as the next."""
    for _ in table.prepare():
        await asyncio.sleep(0)
