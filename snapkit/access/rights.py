"""Who may do what: rights, the roles that bundle them, and a person's access, which sums them up.

A right is a resource, an action and a qualifier, such as ``Snapshot: Delete: GROUP``. A person belongs to groups, each
group may give a role, and the rights of all these roles add up. What is checked here is advice, given before a call is
made; the wall is IAM, for which `Access.to_iam` writes the same rules.

Source: enStratus, "Roles" and "Example roles" (2012), whose resources, actions and qualifiers these are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from os import PathLike
from types import MappingProxyType
from typing import Any, Protocol

from snapkit import _html
from snapkit.access.billing import BillingCode
from snapkit.errors import InvalidRequest, NotPermitted

ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Snapshot": ("CreateVolume", "Delete", "ShareLocal", "SharePublic"),
        "Volume": ("Attach", "Create", "Delete", "Detach", "Snapshot"),
        "Server": ("Image",),
    }
)
"""What can be done with each resource.

A snapshot is made with Volume: Snapshot, or with Server: Image where it is one of a whole server; a volume is made of a
snapshot with Snapshot: CreateVolume alone.
"""

ANY = "ANY"
"""Every resource, or every action of a resource."""


class Qualifier(StrEnum):
    """On which things a right holds.

    Attributes:
        ANY: on all.
        GROUP: on those of any group that the person belongs to.
        THIS_GROUP: on those of the group through which the person has the role.
        BILLING: on those charged to a billing code that the person may use.
        MINE: on those that the person owns, by the owner tag.
    """

    ANY = "ANY"
    GROUP = "GROUP"
    THIS_GROUP = "THIS_GROUP"
    BILLING = "BILLING"
    MINE = "MINE"


class Tagged(Protocol):
    """What a right asks of a thing; what is not set is empty."""

    @property
    def group(self) -> str:
        """The group that it belongs to."""
        ...

    @property
    def billing_code(self) -> str:
        """The billing code that pays for it."""
        ...

    @property
    def owner(self) -> str:
        """The person that made it."""
        ...


@dataclass(frozen=True)
class Belonging:
    """What something belongs to, or will when it is made."""

    group: str = ""
    billing_code: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Right:
    """One thing that one may do.

    Attributes:
        resource: Snapshot, Volume, Server or ANY.
        action: one of `ACTIONS`, or ANY.
        qualifier: on which things.
    """

    resource: str
    action: str
    qualifier: Qualifier = Qualifier.ANY

    def __post_init__(self) -> None:
        resource, action = named(self.resource, self.action)
        object.__setattr__(self, "resource", resource)
        object.__setattr__(self, "action", action)
        object.__setattr__(self, "qualifier", Qualifier(_one_of("qualifier", str(self.qualifier), list(Qualifier))))

    @classmethod
    def of(cls, text: str) -> "Right":
        """Read a right from text such as ``"Snapshot: Delete: GROUP"``.

        Raises:
            InvalidRequest: there is no such resource, action or qualifier.
        """
        parts = [part.strip() for part in text.split(":")] if isinstance(text, str) else []
        if len(parts) != 3:
            raise InvalidRequest("right", text, "is not of three parts", 'write it as "Snapshot: Delete: GROUP"')
        return cls(parts[0], parts[1], Qualifier(_one_of("qualifier", parts[2], list(Qualifier))))

    def covers(self) -> Iterator[tuple[str, str]]:
        """List the resources and actions that it stands for."""
        for resource in ACTIONS if self.resource == ANY else (self.resource,):
            for action in ACTIONS[resource] if self.action == ANY else (self.action,):
                yield resource, action

    def __str__(self) -> str:
        return f"{self.resource}: {self.action}: {self.qualifier}"


@dataclass(frozen=True)
class Role:
    """Rights under a name.

    Attributes:
        name: of the role.
        rights: what it allows; may be given as text.
    """

    name: str
    rights: tuple[Right, ...]

    def __init__(self, name: str, rights: Iterable[Right | str]) -> None:
        object.__setattr__(self, "name", name)
        given = (right if isinstance(right, Right) else Right.of(right) for right in rights)
        object.__setattr__(self, "rights", tuple(dict.fromkeys(given)))


@dataclass(frozen=True)
class Access:
    """What one person may do.

    Attributes:
        user: the person, as the owner tag has it.
        groups: the groups that the person belongs to, each with the role that it gives, or ``""`` for none.
        roles: the roles, by name.
        billing_codes: what the person may charge to, by code.
    """

    user: str
    groups: Mapping[str, str]
    roles: Mapping[str, Role]
    billing_codes: Mapping[str, BillingCode]

    def __init__(
        self,
        user: str,
        groups: Mapping[str, str],
        roles: Iterable[Role],
        billing_codes: Iterable[BillingCode | str] = (),
    ) -> None:
        """Say who a person is and what that allows.

        Args:
            user: the person.
            groups: each with the role that it gives, or ``""``.
            roles: all roles that a group gives, and others.
            billing_codes: with their quotas, or as text without.

        Raises:
            InvalidRequest: a name is empty, or a group gives a role that there is not.
        """
        codes = [code if isinstance(code, BillingCode) else BillingCode(code) for code in billing_codes]
        by_name = {role.name: role for role in roles}
        for field, names in (("user", (user,)), ("group", groups), ("role", by_name)):
            for name in names:
                if not isinstance(name, str) or not name.strip():
                    raise InvalidRequest(field, name, "is no text", f"give the {field} a name")
        for group, role in groups.items():
            if role and role not in by_name:
                known = ", ".join(by_name) or "none is there"
                raise InvalidRequest(f"role of group {group}", role, "is not known", f"write it down, or use: {known}")
        object.__setattr__(self, "user", user)
        object.__setattr__(self, "groups", MappingProxyType(dict(groups)))
        object.__setattr__(self, "roles", MappingProxyType(by_name))
        object.__setattr__(self, "billing_codes", MappingProxyType({code.code: code for code in codes}))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Access":
        """Read it from a TOML file; see `snapkit.access.document`."""
        from snapkit.access.document import load  # the document knows the access, not the other way round

        return load(path)

    def save(self, path: str | PathLike[str]) -> None:
        """Write it to a TOML file."""
        from snapkit.access.document import save  # the document knows the access, not the other way round

        save(self, path)

    def to_iam(self, role: str | None = None, **options: Any) -> dict[str, Any]:
        """Write the rights of a role, or of all that the person has, as an IAM policy; see `snapkit.access.iam`."""
        from snapkit.access.iam import to_iam  # likewise

        return to_iam(self, role, **options)

    def rights(self) -> Iterator[tuple[str, Right]]:
        """List all rights, each with the group that it comes through."""
        for group, role in self.groups.items():
            for right in self.roles[role].rights if role else ():
                yield group, right

    def can(self, resource: str, action: str, about: Tagged) -> bool:
        """Tell whether the person may do something.

        Args:
            resource: such as ``"Snapshot"``.
            action: one of `ACTIONS`, such as ``"SharePublic"``; ``"share_public"`` is the same.
            about: the thing, or what something to be made will belong to.

        Raises:
            InvalidRequest: there is no such resource or action.
        """
        asked = named(resource, action)
        return any(
            asked in right.covers() and self._holds(right.qualifier, group, about) for group, right in self.rights()
        )

    def allow(self, resource: str, action: str, about: Tagged, shown: str) -> None:
        """Return only if the person may do something.

        Args:
            resource: as for `can`.
            action: as for `can`.
            about: as for `can`.
            shown: the thing, for the error.

        Raises:
            NotPermitted: no role allows it.
        """
        if not self.can(resource, action, about):
            raise NotPermitted(": ".join(named(resource, action)), shown)

    def _holds(self, qualifier: Qualifier, through: str, about: Tagged) -> bool:
        match qualifier:
            case Qualifier.ANY:
                return True
            case Qualifier.GROUP:
                return about.group in self.groups
            case Qualifier.THIS_GROUP:
                return about.group == through
            case Qualifier.BILLING:
                return about.billing_code in self.billing_codes
            case Qualifier.MINE:
                return about.owner == self.user

    def _repr_html_(self) -> str:
        rows = [(group, self.groups[group], right.resource, right.action, right.qualifier)
                for group, right in self.rights()]  # fmt: skip
        told = f"{self.user} may charge to {', '.join(self.billing_codes) or 'no billing code'}"
        return _html.note(told) + _html.table(("group", "role", "resource", "action", "on"), rows)


def named(resource: str, action: str) -> tuple[str, str]:
    """Spell a resource and an action as `ACTIONS` does, from any case and with or without underscores.

    Raises:
        InvalidRequest: there is no such resource or action.
    """
    found = _one_of("resource", resource, [*ACTIONS, ANY])
    if found == ANY:
        return ANY, _one_of("action", action, [ANY])
    return found, _one_of(f"action on a {found.lower()}", action, [*ACTIONS[found], ANY])


def _one_of(field: str, given: object, known: list[str]) -> str:
    plain = given.replace("_", "").casefold() if isinstance(given, str) else ""
    for each in known:
        if each.replace("_", "").casefold() == plain:
            return str(each)
    raise InvalidRequest(field, given, "is not known", f"use one of {', '.join(known)}")
