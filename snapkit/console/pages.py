"""Several pages under tabs, each made when it is first looked at."""

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from snapkit.console.layout import alert
from snapkit.console.page import Page


class Pages:
    """Pages under tabs.

    A page is made when its tab is first chosen. What a form on one of them has done, the others list when they are
    chosen next. ``pages["Volumes"]`` chooses a tab and returns its page.
    """

    def __init__(self, pages: Mapping[str, Callable[[], Any]]) -> None:
        """Make the first one.

        Args:
            pages: what makes each, by the title of its tab: a `Page`, or whatever shows itself in a notebook.
        """
        self._makers = list(pages.values())
        self._made: dict[int, Any] = {}
        self._stale: set[int] = set()
        self._tabs = ipywidgets.Tab([ipywidgets.VBox() for _ in pages], titles=list(pages))
        self._choose(0)
        self._tabs.observe(lambda change: self._choose(change["new"]), "selected_index")

    def __getitem__(self, title: str) -> Any:
        place = self._tabs.titles.index(title)
        self._tabs.selected_index = place
        return self._made[place]

    def _choose(self, place: int) -> None:
        if place not in self._made:
            room = self._tabs.children[place]
            try:
                room.children = [self._make(place)]
            except Exception as error:
                room.children = [ipywidgets.HTML(alert(error))]
                raise
        elif place in self._stale:
            self._stale.discard(place)
            self._made[place].renew()

    def _make(self, place: int) -> Any:
        made = self._makers[place]()
        self._made[place] = made
        if isinstance(made, Page):
            made.done = lambda _: self._stale.update(
                each for each, page in self._made.items() if each != place and isinstance(page, Page)
            )
            return made.widget
        output = ipywidgets.Output()
        output.append_display_data(made)
        return output

    def __repr__(self) -> str:
        return f"<Pages {', '.join(self._tabs.titles)}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {**self._tabs._repr_mimebundle_(), "text/plain": repr(self)}
