"""The few kinds of fields that forms are made of.

A field reads and writes plain values, so that it can be filled in from Python as in a browser. It refuses only what it
cannot show; whether a value will do, the form asks the SDK.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import ipywidgets

from snapkit.errors import InvalidRequest
from snapkit.forms import markup


class Field:
    """One thing to fill in: its label and input, with a line beside it that helps or tells what is wrong.

    Attributes:
        label: what it is called.
        more: whether it stands behind "More".
        fixed: whether it is decided, and only shown.
        touched: whether somebody has changed it.
        widget: all of it.
    """

    def __init__(self, label: str, control: Any, inputs: Sequence[Any], *, hint: str = "", more: bool = False) -> None:
        """Put it together.

        Args:
            label: what it is called.
            control: the label and the inputs.
            inputs: the widgets in it that hold a value.
            hint: what it is for.
            more: whether it stands behind "More".
        """
        self.label = label
        self.more = more
        self.fixed = False
        self.touched = False
        self._hint = hint
        self._problem = ""
        self._inputs = inputs
        self._note = ipywidgets.HTML().add_class("snapkit-note")
        control.add_class("snapkit-control")
        self.widget = ipywidgets.HBox([control, self._note]).add_class("snapkit-field")
        self._tell()

    @property
    def value(self) -> Any:
        """What it holds."""
        return self._inputs[0].value

    @value.setter
    def value(self, given: Any) -> None:
        self._inputs[0].value = given

    @property
    def text(self) -> str:
        """What it holds, for people."""
        return "" if self.value is None else str(self.value)

    @property
    def hint(self) -> str:
        """What it is for."""
        return self._hint

    @hint.setter
    def hint(self, text: str) -> None:
        self._hint = text
        self._tell()

    @property
    def problem(self) -> str:
        """What is shown to be wrong with it, or nothing."""
        return self._problem

    @problem.setter
    def problem(self, words: str) -> None:
        self._problem = words
        self._tell()

    @property
    def disabled(self) -> bool:
        """Whether it cannot be changed now."""
        return all(each.disabled for each in self._inputs)

    @disabled.setter
    def disabled(self, off: bool) -> None:
        for each in self._inputs:
            each.disabled = off

    @property
    def hidden(self) -> bool:
        """Whether it is not shown, as it has no say."""
        return "snapkit-hidden" in self.widget._dom_classes

    @hidden.setter
    def hidden(self, away: bool) -> None:
        (self.widget.add_class if away else self.widget.remove_class)("snapkit-hidden")

    def on_change(self, changed: Callable[["Field"], None]) -> None:
        """Have something called whenever the value changes."""
        for each in self._inputs:
            each.observe(lambda _: changed(self), "value")

    def _tell(self) -> None:
        self._note.value = markup.note(self._hint, self._problem)
        # A note cannot be tied to its input; what a screen reader says of it is the tooltip.
        for each in self._inputs:
            each.tooltip = self._problem or self._hint or None


class _Entry(Field):
    """Something to type."""

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        hint: str = "",
        more: bool = False,
        options: Iterable[str] = (),
        lines: int = 1,
        placeholder: str = "",
        eager: bool = True,
    ) -> None:
        """Make one; anything but the options will do as well.

        Args:
            label: what it is called.
            value: what it holds first.
            hint: what it is for.
            more: whether it stands behind "More".
            options: what is proposed.
            lines: how many are shown.
            placeholder: what is shown while it is empty.
            eager: whether each key that is pressed counts, or only what stands when the field is left.
        """
        known = {"value": value, "description": label, "placeholder": placeholder, "continuous_update": eager}
        if lines > 1:
            box = ipywidgets.Textarea(**known, rows=lines)
        else:
            box = ipywidgets.Combobox(**known, options=tuple(options))
        super().__init__(label, ipywidgets.VBox([box]), [box], hint=hint, more=more)

    def propose(self, options: Iterable[str], placeholder: str = "") -> None:
        """Propose other values than before."""
        (box,) = self._inputs
        box.options, box.placeholder = tuple(options), placeholder

    @property
    def _typed(self) -> str:
        return str(self._inputs[0].value).strip()


class Text(_Entry):
    """A line of text, or several lines."""

    @property
    def value(self) -> str:
        """The text, without blanks around it."""
        return self._typed

    @value.setter
    def value(self, given: str) -> None:
        if not isinstance(given, str):
            raise InvalidRequest(self.label, given, "is no text", "give text")
        self._inputs[0].value = given


class Confirmation(Text):
    """What has to be typed before something that cannot be undone; what that will do is told all the while."""


class Quantity(_Entry):
    """An amount with a unit, such as a size or a time span: a bare number is in the unit of the field."""

    def __init__(self, label: str, unit: str, value: str = "", *, hint: str = "", more: bool = False) -> None:
        """Make one; the unit, such as ``"GiB"`` or ``"d"``, is one that `snapkit.units` knows."""
        super().__init__(f"{label} ({unit})", value, hint=hint, more=more)
        self.label = label
        self._unit = unit

    @property
    def value(self) -> str:
        """The amount with its unit, such as ``"200 GiB"``; empty where none is given."""
        text = self._typed
        return f"{text} {self._unit}" if text.replace(".", "", 1).isdigit() else text

    @value.setter
    def value(self, given: str | float) -> None:
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise InvalidRequest(self.label, given, "is no amount", f"give one such as '8 {self._unit}'")
        self._inputs[0].value = str(given).removesuffix(f" {self._unit}")


class Number(_Entry):
    """A whole number, or nothing."""

    def __init__(
        self, label: str, unit: str = "", *, hint: str = "", more: bool = False, placeholder: str = ""
    ) -> None:
        """Make one; the unit is only shown."""
        named = f"{label} ({unit})" if unit else label
        super().__init__(named, hint=hint, more=more, placeholder=placeholder)
        self.label = label

    @property
    def value(self) -> int | str | None:
        """The number; None where it is empty, and the text itself where it is no number, for the SDK to refuse."""
        text = self._typed
        try:
            return int(text) if text else None
        except ValueError:
            return text

    @value.setter
    def value(self, given: int | str | None) -> None:
        if isinstance(given, bool) or not isinstance(given, int | str | None):
            raise InvalidRequest(self.label, given, "is no whole number", "give one, or None")
        self._inputs[0].value = "" if given is None else str(given)


class Moment(_Entry):
    """A moment, or how long from now; or nothing."""

    def __init__(self, label: str, *, hint: str = "", more: bool = False) -> None:
        """Make one."""
        super().__init__(label, hint=hint, more=more, placeholder="30d, or 2026-02-04 12:00+00:00")

    @property
    def value(self) -> datetime | str | None:
        """The moment; text such as ``"30d"`` is a time span, for the SDK to read; None where it is empty."""
        text = self._typed
        try:
            return datetime.fromisoformat(text) if text else None
        except ValueError:
            return text

    @value.setter
    def value(self, given: datetime | str | None) -> None:
        if not isinstance(given, datetime | str | None):
            raise InvalidRequest(self.label, given, "is no moment", "give '30d', or datetime(..., tzinfo=UTC)")
        self._inputs[0].value = "" if given is None else str(given)


class Choice(Field):
    """One of several."""

    def __init__(
        self,
        label: str,
        options: Iterable[tuple[str, Any]],
        value: Any = None,
        *,
        hint: str = "",
        more: bool = False,
        none: str = "",
    ) -> None:
        """Make one.

        Args:
            label: what it is called.
            options: what can be chosen, each as it is shown and as it is meant.
            value: what is chosen first.
            hint: what it is for.
            more: whether it stands behind "More".
            none: how it is shown that nothing is chosen; empty where something always is.
        """
        self._options = ([(none, None)] if none else []) + list(options)
        box = ipywidgets.Dropdown(options=self._options, description=label)
        super().__init__(label, ipywidgets.VBox([box]), [box], hint=hint, more=more)
        self.value = value

    @property
    def value(self) -> Any:
        """What is chosen; None where nothing is."""
        return self._inputs[0].value

    @value.setter
    def value(self, given: Any) -> None:
        _offered(self.label, given, self._options)
        # Not by its value: None would leave the box blank.
        self._inputs[0].index = [each for _, each in self._options].index(given)

    @property
    def text(self) -> str:
        """What is chosen, as it is shown; empty where nothing is."""
        return "" if self.value is None else str(self._inputs[0].label)


class Choices(Field):
    """Any of several, at once."""

    def __init__(
        self,
        label: str,
        options: Iterable[tuple[str, Any]],
        value: Iterable[Any] = (),
        *,
        hint: str = "",
        more: bool = False,
    ) -> None:
        """Make one; the arguments are those of `Choice`."""
        self._options, chosen = list(options), set(value)
        boxes = [
            ipywidgets.Checkbox(value=each in chosen, description=shown, indent=False) for shown, each in self._options
        ]
        # Many would push all else off the page.
        scrolled = ipywidgets.VBox(boxes, layout={"max_height": "220px", "overflow": "auto"})
        control = ipywidgets.VBox([ipywidgets.HTML(markup.label(label)), scrolled])
        super().__init__(label, control, boxes, hint=hint, more=more)
        self.widget.add_class("snapkit-section").add_class("snapkit-choices")

    @property
    def value(self) -> tuple[Any, ...]:
        """What is chosen, in the order in which it is shown."""
        return tuple(each for (_, each), box in zip(self._options, self._inputs, strict=True) if box.value)

    @value.setter
    def value(self, given: Iterable[Any]) -> None:
        chosen = [given] if isinstance(given, str) else list(given)
        for each in chosen:
            _offered(self.label, each, self._options)
        for (_, each), box in zip(self._options, self._inputs, strict=True):
            box.value = each in chosen

    def show(self, labels: Iterable[str]) -> None:
        """Show each otherwise; what each means stays."""
        self._options = [(shown, each) for shown, (_, each) in zip(labels, self._options, strict=True)]
        for (shown, _), box in zip(self._options, self._inputs, strict=True):
            box.description = shown

    @property
    def text(self) -> str:
        """What is chosen, as it is shown."""
        return "; ".join(shown for shown, each in self._options if each in self.value)


class Switch(Field):
    """Yes or no."""

    def __init__(self, label: str, words: str, *, value: bool = False, hint: str = "", more: bool = False) -> None:
        """Make one; the words stand beside the box, and say what a tick means."""
        box = ipywidgets.Checkbox(value=value, description=words, indent=False)
        control = ipywidgets.VBox([ipywidgets.HTML(markup.label(label)), box])
        super().__init__(label, control, [box], hint=hint, more=more)

    @property
    def text(self) -> str:
        """Yes or no."""
        return "yes" if self.value else "no"


def _offered(label: str, given: object, options: Sequence[tuple[str, Any]]) -> None:
    known = [each for _, each in options]
    if given not in known:
        offered = ", ".join(str(each) for each in known if each is not None) or "nothing at all"
        raise InvalidRequest(label.lower(), given, "is not offered here", f"choose from: {offered}")
