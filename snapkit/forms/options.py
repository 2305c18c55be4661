"""The three standard options of everything that is created: name, group, billing code."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from snapkit.ebs.tagging import in_use
from snapkit.errors import InvalidRequest
from snapkit.forms.fields import Text
from snapkit.units import usd_text

if TYPE_CHECKING:
    from snapkit.access import Belonging
    from snapkit.ebs import Server, Snapshot, Volume


_Of = TypeVar("_Of")


class StandardOptions:
    """The fields for name, group and billing code, and their checks.

    Attributes:
        name: of what is made.
        group: that it belongs to: at first that of what it is made of.
        billing_code: that pays for it, likewise.
    """

    def __init__(self, of: "Snapshot | Volume | Server", name: str = "") -> None:
        """Make the fields; proposed are the groups and billing codes of the person, or else those in use here.

        Args:
            of: what it is made of.
            name: that it is to have at first.
        """
        region = of.region
        keys, access = region.tag_keys, region.access
        groups = access.groups if access else in_use(region, keys.group)
        codes = access.billing_codes if access and access.billing_codes else in_use(region, keys.billing_code)
        self._of = of
        self.name = Text("Name", name, hint=_inherited(of.kind, name))
        self.group = Text("Group", of.group, hint=_inherited(of.kind, of.group), options=groups)
        self.billing_code = Text(
            "Billing code", of.billing_code, hint=_inherited(of.kind, of.billing_code), options=codes
        )

    @property
    def chosen(self) -> dict[str, str | None]:
        """What is chosen, as the operations take it."""
        return {
            "name": self.name.value or None,
            "group": self.group.value or None,
            "billing_code": self.billing_code.value or None,
        }

    @property
    def belonging(self) -> "Belonging":
        """What something made with them will belong to."""
        region, of = self._of.region, self._of
        group, code = self.group.value or of.group, self.billing_code.value or of.billing_code
        return region.belonging(region.owned(region.tag_keys.tags(None, group, code)))

    def checks(self) -> "Iterator[Callable[[], object]]":
        """List what the SDK asks of them, each by itself, so that each is told at its field."""
        region, keys = self._of.region, self._of.region.tag_keys
        yield lambda: keys.tags(self.name.value, None, None)
        yield lambda: keys.tags(None, self.group.value, None)
        yield lambda: keys.tags(None, None, self.billing_code.value)
        yield lambda: region.charging.check(self.belonging.billing_code)

    def consequences(self) -> "Iterator[str]":
        """Say what is asked of the billing code before anything is made."""
        code = self._of.region.charging.check(self.belonging.billing_code)
        if code is not None:
            limits = (("warns above", code.quota.soft), ("refuses above", code.quota.hard))
            told = " and ".join(f"{word} {usd_text(limit)}" for word, limit in limits if limit is not None)
            yield f"Charged to {code.code}, whose quota {told} a month: its run rate is looked up before."


def of_kind(given: _Of, *kinds: "type[Snapshot | Volume | Server]") -> _Of:
    """Return what a form is for.

    Raises:
        InvalidRequest: it is nothing of these kinds.
    """
    if not isinstance(given, kinds):
        words = " or ".join(each.kind for each in kinds)
        remedy = f"give {' or '.join(f'region.{each.kind}s.get(...)' for each in kinds)}"
        raise InvalidRequest(kinds[0].kind, given, f"is no {words}", remedy)
    return given


def named(of: "Snapshot | Volume | Server") -> str:
    """Name something in a heading, as people know it."""
    return f"{of.name} ({of.id})" if of.name else of.id


def _inherited(kind: str, value: str) -> str:
    return f"Optional. Left empty, it is that of the {kind}, {value}." if value else "Optional."
