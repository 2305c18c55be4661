"""Which strategy protects which volumes.

A volume or a server that carries the tag ``snapkit:strategy`` is protected by the strategy of that name; those of a
server are taken at one and the same moment. An `Assignment` says it by other tags, or by ids.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from snapkit.automation.deciding import Protected
from snapkit.automation.drill_leftovers import is_of_drill
from snapkit.automation.managed import STRATEGY, check_marks
from snapkit.automation.recovery_volumes import is_recovery_volume
from snapkit.ebs import Region, Server
from snapkit.ebs._resource import check_id
from snapkit.errors import InvalidRequest
from snapkit.strategy import Strategy


@dataclass(frozen=True)
class Assignment:
    """A strategy, and what it protects.

    Attributes:
        strategy: the strategy.
        tags: of the volumes and servers that it protects, values by key, which all have to be there; ``*`` stands for
            anything. Without any of tags, volumes and servers: ``snapkit:strategy`` with its name.
        volumes: ids of volumes that it protects besides.
        servers: ids of servers whose volumes it protects besides.

    A run refuses volumes whose tag ``snapkit:strategy``, or that of their server, names another strategy.
    """

    strategy: Strategy
    tags: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse ids that are none, and names that do not fit in tags."""
        check_marks(self.strategy)
        for kind, ids in (("volume", self.volumes), ("server", self.servers)):
            object.__setattr__(self, f"{kind}s", tuple(ids))
            for each in ids:
                check_id(kind, each)
        if not (self.tags or self.volumes or self.servers):
            object.__setattr__(self, "tags", {STRATEGY: self.strategy.name})

    def matching(self, region: Region) -> list[Protected]:
        """Find what it protects in a region, each volume once; those of servers with their server.

        Recovery volumes and those of drills are left out, whatever tags they carry.

        Raises:
            AwsError: AWS refuses.
        """
        servers = list(region.servers.find(tags=self.tags)) if self.tags else []
        servers += region.servers.find(self.servers) if self.servers else []
        volumes = list(region.volumes.find(tags=self.tags)) if self.tags else []
        volumes += region.volumes.find(self.volumes) if self.volumes else []
        volumes = [volume for volume in volumes if not (is_recovery_volume(volume) or is_of_drill(volume))]
        there: dict[str, Server] = {server.id: server for server in servers if server.state in ALIVE}
        found = [Protected(volume, self.strategy, server) for server in there.values() for volume in server.volumes()]
        found += [Protected(volume, self.strategy) for volume in volumes]
        return list({each.volume.id: each for each in reversed(found)}.values())[::-1]

    def __str__(self) -> str:
        parts = [f"the tag {key} = {value}" for key, value in self.tags.items()]
        return f"{self.strategy.name!r}, for {', '.join([*parts, *self.volumes, *self.servers])}"


ALIVE = ("pending", "running", "stopping", "stopped")
"""States of servers that have volumes to protect."""


def settled(given: "Strategy | Assignment | Iterable[Strategy | Assignment]") -> tuple[Assignment, ...]:
    """Read what is to be run: strategies stand for themselves by their tag.

    Raises:
        InvalidRequest: there is none, or two have one name.
    """
    made = assignments(given)
    if not made:
        raise InvalidRequest("strategies", [], "are none", "give at least one")
    return made


def assignments(given: "Strategy | Assignment | Iterable[Strategy | Assignment]") -> tuple[Assignment, ...]:
    """Read what is or could be run, if anything.

    Raises:
        InvalidRequest: two have one name.
    """
    many = [given] if isinstance(given, Strategy | Assignment) else list(given)
    if not all(isinstance(each, Strategy | Assignment) for each in many):
        raise InvalidRequest("strategies", many, "are none", "give strategies or assignments of them")
    made = tuple(each if isinstance(each, Assignment) else Assignment(each) for each in many)
    names = [each.strategy.name for each in made]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequest("strategy", name, "is given twice", "give each strategy a name of its own")
    return made


def check_single(protected: Iterable[Protected]) -> None:
    """Refuse volumes that two strategies protect.

    Raises:
        InvalidRequest: one is.
    """
    for error in doubly(protected).values():
        raise error


def check_tags(region: Region, protected: Iterable[Protected]) -> None:
    """Refuse volumes of which the tag of another strategy says that it protects them, as in a run of its own.

    Args:
        region: where they are.
        protected: the volumes, as they were read last.

    Raises:
        InvalidRequest: its own tag, or that of its server, names another one.
        AwsError: AWS refuses.
    """
    many = list(protected)
    attached = any(each.server is None and each.volume.server_id for each in many)
    tagged = {each.id: each for each in region.servers.find(tags={STRATEGY: "*"})} if attached else {}
    for each in many:
        for thing in (each.volume, each.server or tagged.get(each.volume.server_id)):
            other = thing.tags.get(STRATEGY, each.strategy.name) if thing else each.strategy.name
            if thing and other != each.strategy.name:
                told = "its tag" if thing is each.volume else f"the tag of its server {thing.id}"
                rule = f"is protected by two strategies, {other!r}, which {told} {STRATEGY} names, and "
                remedy = f"take the tag off (automation.leave), or leave it out of {each.strategy.name!r}"
                raise InvalidRequest("volume", each.volume.id, f"{rule}{each.strategy.name!r}", remedy)


def doubly(protected: Iterable[Protected]) -> dict[str, InvalidRequest]:
    """Find the volumes that two strategies protect, each with what refuses it."""
    found: dict[str, str] = {}
    refused: dict[str, InvalidRequest] = {}
    for each in protected:
        other = found.setdefault(each.volume.id, each.strategy.name)
        if other != each.strategy.name:
            rule = f"is protected by two strategies, {other!r} and {each.strategy.name!r}"
            remedy = "take one of the two off it, or make one of both"
            refused.setdefault(each.volume.id, InvalidRequest("volume", each.volume.id, rule, remedy))
    return refused
