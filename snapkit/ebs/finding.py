"""What `find` looks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from snapkit.ebs._resource import check_id
from snapkit.errors import InvalidRequest
from snapkit.units import Duration, Size, to_bytes, to_seconds

if TYPE_CHECKING:
    from snapkit.ebs._resource import Resource
    from snapkit.ebs.region import Region

_STATE_FILTERS = {"snapshot": "status", "volume": "status", "server": "instance-state-name"}

_STATES = {
    "snapshot": ("pending", "completed", "error", "recoverable", "recovering"),
    "volume": ("creating", "available", "in-use", "deleting", "deleted", "error"),
    "server": ("pending", "running", "shutting-down", "terminated", "stopping", "stopped"),
}
"""Source: EC2 API reference, Snapshot, Volume and InstanceState."""

_NOT_OF = {"volume": ("volume",), "server": ("larger_than", "smaller_than")}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Filters of a listing; those that are given all have to hold.

    Attributes:
        name: the name; ``*`` stands for anything.
        group: the group, likewise.
        billing_code: the billing code, likewise.
        state: such as ``"completed"``.
        volume: id of the volume, of snapshots and servers.
        tags: values by key, likewise.
        older_than: how long ago it was made at least, such as ``"30d"``.
        newer_than: how long ago it was made at most.
        larger_than: the size of its volume, at least.
        smaller_than: the size of its volume, at most.
        text: stands somewhere in its id, name, description or tags, in any case.
    """

    region: "Region"
    name: str | None = None
    group: str | None = None
    billing_code: str | None = None
    state: str | None = None
    volume: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    older_than: Duration | None = None
    newer_than: Duration | None = None
    larger_than: Size | None = None
    smaller_than: Size | None = None
    text: str | None = None

    @classmethod
    def of(cls, region: "Region", given: Mapping[str, Any], kind: str = "snapshot") -> Self:
        """Read filters of a listing of snapshots, volumes or servers.

        Raises:
            InvalidRequest: there is no such filter, or its value cannot be.
        """
        known = sorted(set(cls.__dataclass_fields__) - {"region", *_NOT_OF.get(kind, ())})
        for name in given:
            if name not in known:
                raise InvalidRequest("filter", name, "is not known", f"use one of {', '.join(known)}")
        wanted = cls(region=region, **given)
        texts = {name: given.get(name) for name in ("name", "group", "billing_code", "text")}
        for name, value in (texts | {f"tag {key}": value for key, value in wanted.tags.items()}).items():
            if not isinstance(value, str | None):
                raise InvalidRequest(name, value, "is no text", "give text; * stands for anything")
        if wanted.volume is not None:
            check_id("volume", wanted.volume)
        states = _STATES[kind]
        if wanted.state is not None and wanted.state not in states:
            raise InvalidRequest("state", wanted.state, f"is no state of a {kind}", f"use one of {', '.join(states)}")
        wanted._check_quantities()
        return wanted

    def _check_quantities(self) -> None:
        for name in ("older_than", "newer_than"):
            if getattr(self, name) is not None:
                to_seconds(getattr(self, name), name, zero=True)
        for name in ("larger_than", "smaller_than"):
            if getattr(self, name) is not None:
                to_bytes(getattr(self, name), name)

    def filters(self, kind: str) -> list[dict[str, Any]]:
        """Write what AWS can filter, so that it need not be sent."""
        keys = self.region.tag_keys
        by_tag = {keys.name: self.name, keys.group: self.group, keys.billing_code: self.billing_code, **self.tags}
        asked = {f"tag:{key}": value for key, value in by_tag.items()} | {_STATE_FILTERS[kind]: self.state}
        if kind == "snapshot":
            asked["volume-id"] = self.volume
        return [{"Name": name, "Values": [value]} for name, value in asked.items() if value is not None]

    def among(self, raws: list[dict[str, Any]], kind: "type[Resource]") -> list[dict[str, Any]]:
        """Choose from what AWS said of resources of a class those that pass the filters that AWS does not have."""
        return [raw for raw in raws if self.meets(kind(self.region, raw))] if self._tests else raws

    def meets(self, resource: "Resource") -> bool:
        """Tell whether a resource passes the filters that AWS does not have."""
        return all(test(resource) for test in self._tests)

    @cached_property
    def _tests(self) -> tuple[Callable[["Resource"], bool], ...]:
        """What remains to be tested; read once, since a listing may have a hundred thousand."""
        tests: list[Callable[[Resource], bool]] = []
        if self.older_than is not None or self.newer_than is not None:
            now = self.region.clock.now()
            oldest, newest = _before(now, self.newer_than), _before(now, self.older_than)
            tests.append(
                lambda each: (oldest is None or _made(each) >= oldest) and (newest is None or _made(each) <= newest)
            )
        if self.larger_than is not None:
            least = to_bytes(self.larger_than)
            tests.append(lambda each: _size(each) >= least)
        if self.smaller_than is not None:
            most = to_bytes(self.smaller_than)
            tests.append(lambda each: _size(each) <= most)
        if self.volume is not None:
            tests.append(lambda each: each.kind == "snapshot" or self.volume in getattr(each, "devices").values())  # noqa: B009
        if self.text is not None:
            text = self.text.casefold()
            tests.append(lambda each: text in _said(each).casefold())
        return tuple(tests)


def _before(now: datetime, ago: Duration | None) -> datetime | None:
    return None if ago is None else now - timedelta(seconds=to_seconds(ago, zero=True))


def _made(resource: "Resource") -> datetime:
    made: datetime = getattr(resource, "taken_at", None) or getattr(resource, "created_at")  # noqa: B009
    return made


def _size(resource: "Resource") -> int:
    return int(getattr(resource, "size"))  # noqa: B009


def _said(resource: "Resource") -> str:
    tags = (part for pair in resource.tags.items() for part in pair)
    return " ".join((resource.id, str(resource.raw.get("Description", "")), *tags))
