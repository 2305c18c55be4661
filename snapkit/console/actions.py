"""What can be done with rows: each opens a form of `snapkit.forms`, and is absent where the role does not allow it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from snapkit.ebs._resource import Resource
from snapkit.errors import NotPermitted


@dataclass(frozen=True)
class Action:
    """Something that can be done with a row.

    Attributes:
        title: what it is called on its button.
        form: makes the form, of the resource.
        resource: of the right that it needs, such as ``"Snapshot"``.
        rights: the actions on that, any of which suffices.
        fits: whether it makes sense for the resource as it is.
        of_many: makes the form of several resources, where there is one.
    """

    title: str
    form: Callable[[Any], Any]
    resource: str
    rights: tuple[str, ...]
    fits: Callable[[Any], bool] = lambda _: True
    of_many: Callable[[list[Any]], Any] | None = None

    def refused(self, item: Resource) -> str:
        """Tell why the person may not do it with a resource, or nothing."""
        told = ""
        for right in self.rights:
            try:
                item.region.allow(self.resource, right, item)
            except NotPermitted as error:
                told = told or str(error)
            else:
                return ""
        return told


def allowed(actions: Iterable[Action], item: Resource) -> tuple[list[Action], dict[str, str]]:
    """Tell what can be done with a resource.

    Args:
        actions: those that there are.
        item: the resource.

    Returns:
        What may be done, and why the rest may not, by title.
    """
    refused = {each.title: each.refused(item) for each in actions}
    absent = {title: why for title, why in refused.items() if why}
    return [each for each in actions if each.title not in absent and each.fits(item)], absent
