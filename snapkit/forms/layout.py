"""The one layout of all forms: heading, fields, consequences, error, buttons, progress and result."""

from collections.abc import Sequence
from typing import Any

import ipywidgets

from snapkit.forms import markup
from snapkit.forms.fields import Field


class Layout:
    """Widgets from top to bottom, in the order in which the keyboard goes through them.

    Each text keeps its place, so that nothing moves when it appears.

    Attributes:
        box: all of them.
        submit: the button that does it.
        cancel: the other one.
    """

    def __init__(self, title: str, verb: str, fields: Sequence[Field]) -> None:
        self._notice, self._consequences, self._error, self._status = (ipywidgets.HTML() for _ in range(4))
        self._bar = ipywidgets.IntProgress(max=100, layout={"width": "160px", "visibility": "hidden"})
        self.submit = ipywidgets.Button(description=verb, button_style="primary", layout={"width": "auto"})
        self.cancel = ipywidgets.Button(description="Cancel", layout={"width": "auto"})
        self._foreseen: Sequence[str] = ()
        self._more_fields = [each for each in fields if each.more]
        more = ipywidgets.VBox([each.widget for each in self._more_fields])
        self._more = ipywidgets.Accordion([more], titles=("More",), selected_index=None).add_class("snapkit-more")
        buttons = ipywidgets.HBox([self.submit, self.cancel, self._bar]).add_class("snapkit-buttons")
        children = [ipywidgets.HTML(markup.title(title)), self._notice]
        children += [each.widget for each in fields if not each.more]
        children += [self._more] if self._more_fields else []
        told = ipywidgets.VBox([self._error, self._status], layout={"min_height": "36px", "overflow": "visible"})
        children += [self._consequences, buttons, told]
        self._consequences.layout.min_height = "44px"
        self.box: Any = ipywidgets.VBox(children).add_class("snapkit-form")

    def show(
        self,
        *,
        notice: str,
        consequences: Sequence[str],
        error: str,
        can_submit: bool,
        can_cancel: bool,
        busy: bool,
    ) -> None:
        """Show what holds now.

        Args:
            notice: what is wrong with no field in particular.
            consequences: what will happen, a sentence each.
            error: what went wrong.
            can_submit: whether the first button can be pressed.
            can_cancel: whether the second one can.
            busy: whether something is going on, for which the second button only stops to wait.
        """
        self._notice.value, self._error.value = markup.alert(notice), markup.alert(error)
        self._foreseen = consequences or self._foreseen
        self._consequences.value = markup.sentences(self._foreseen, away=not consequences)
        self.submit.disabled, self.cancel.disabled = not can_submit, not can_cancel
        self.cancel.description = "Stop waiting" if busy else "Cancel"
        self._bar.layout.visibility = "visible" if busy else "hidden"
        if any(each.problem for each in self._more_fields):
            self._more.selected_index = 0

    def tell(self, text: str, *, good: bool = False, percent: int = 0) -> None:
        """Tell how far it is [%], or what came of it."""
        self._status.value = markup.status(text, good=good)
        self._bar.value = percent
