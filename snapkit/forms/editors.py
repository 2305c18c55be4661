"""Fields that together make up one part of a strategy, such as a retention; nested as the parts of a strategy are."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeAlias, TypeVar

import ipywidgets

from snapkit.errors import InvalidRequest, StrategyError
from snapkit.forms.fields import Field

Refusal: TypeAlias = InvalidRequest | StrategyError

_NARROW = {"width": "auto", "align_self": "flex-start"}


class Editor(ABC):
    """Fields, and other editors, that make up one object of the SDK, which says what cannot be.

    Attributes:
        widget: all of it.
    """

    widget: Any

    def __init__(self, changed: Callable[[], None]) -> None:
        """Have something called whenever a field changes; the fields are the attributes that are `Field` by now."""
        for each in self._own().values():
            each.on_change(lambda _: changed())

    @abstractmethod
    def make(self) -> Any:
        """Make what the fields say.

        Raises:
            StrategyError: it cannot be.
        """

    def checks(self) -> Iterable[Callable[[], object]]:
        """List what the SDK can be asked about single fields, so that each is told what is wrong with it."""
        return ()

    @abstractmethod
    def place(self, error: Refusal) -> str:
        """Name the field that an error of its own is about."""

    @property
    def fields(self) -> dict[str, Field]:
        """All fields by name; those of an editor in it as in ``"schedule.text"`` or ``"copies[0].region"``."""
        nested = {f"{name}.{key}": each for name, part in self._parts() for key, each in part.fields.items()}
        return self._own() | nested

    def refusals(self) -> dict[str, Refusal]:
        """Tell what cannot be, by name of the field."""
        found = {f"{name}.{key}": each for name, part in self._parts() for key, each in part.refusals().items()}
        for check in self.checks():
            self._ask(check, found)
        if not found:
            self._ask(self.make, found)
        return found

    def _ask(self, check: Callable[[], object], found: dict[str, Refusal]) -> None:
        try:
            check()
        except (InvalidRequest, StrategyError) as error:
            found.setdefault(self.place(error), error)

    def _own(self) -> dict[str, Field]:
        return {name: each for name, each in vars(self).items() if isinstance(each, Field)}

    def _parts(self) -> "Iterator[tuple[str, Editor]]":
        for name, each in vars(self).items():
            if isinstance(each, Editor):
                yield name, each
            elif isinstance(each, Editors):
                yield from ((f"{name}[{number}]", part) for number, part in enumerate(each))


_Made = TypeVar("_Made", bound=Editor)


class Editors(Generic[_Made]):
    """Several editors of one kind; one more can be added, and each be taken away.

    Attributes:
        widget: all of them, and the buttons.
    """

    def __init__(
        self, noun: str, make: Callable[[Any], _Made], given: Iterable[Any], changed: Callable[[], None]
    ) -> None:
        """Begin with some.

        Args:
            noun: what each is, such as ``"tier"``.
            make: makes an editor of what it is to begin with; None for one that is new.
            given: what the first ones begin with.
            changed: is called when one was added or taken away.
        """
        self._noun, self._make, self._changed = noun, make, changed
        self._editors: list[_Made] = []
        self._boxes = ipywidgets.VBox().add_class("snapkit-parts")
        more = ipywidgets.Button(description=f"Add a {noun}", icon="plus", layout=_NARROW)
        more.on_click(lambda _: self.add())
        self._buttons = [more]
        self.widget: Any = ipywidgets.VBox([self._boxes, more])
        for each in given:
            self._append(each)

    def __iter__(self) -> Iterator[_Made]:
        return iter(self._editors)

    def __len__(self) -> int:
        return len(self._editors)

    def __getitem__(self, number: int) -> _Made:
        return self._editors[number]

    def add(self) -> _Made:
        """Add a new one, and return it."""
        made = self._append(None)
        self._changed()
        return made

    def remove(self, number: int) -> None:
        """Take one away.

        Raises:
            InvalidRequest: there is no such one.
        """
        if number not in range(len(self._editors)):
            remedy = f"give a number from 0 to {len(self._editors) - 1}" if self._editors else "add one first"
            raise InvalidRequest(self._noun, number, "is not here", remedy)
        del self._editors[number]
        self._boxes.children = [each for place, each in enumerate(self._boxes.children) if place != number]
        del self._buttons[number + 1]
        self._changed()

    def close(self) -> None:
        """Let none be added or taken away any more."""
        for each in self._buttons:
            each.disabled = True
        for editor in self._editors:
            for part in vars(editor).values():
                if isinstance(part, Editors):
                    part.close()

    def _append(self, given: Any) -> _Made:
        made = self._make(given)
        less = ipywidgets.Button(description=f"Remove this {self._noun}", icon="trash", layout=_NARROW)
        less.on_click(lambda _: self.remove(self._editors.index(made)))
        self._editors.append(made)
        self._buttons.append(less)
        self._boxes.children = [*self._boxes.children, ipywidgets.VBox([made.widget, less]).add_class("snapkit-part")]
        return made
