"""Let a strategy protect a volume or a server, and leave it again, by the tag ``snapkit:strategy``."""

from collections.abc import Iterable

from snapkit.automation.assigning import Assignment, assignments, check_single
from snapkit.automation.deciding import Protected
from snapkit.automation.managed import STRATEGY, check_marks
from snapkit.ebs import Server, Volume
from snapkit.errors import InvalidRequest
from snapkit.strategy import Strategy


def protect(target: Volume | Server, strategy: Strategy, others: Iterable[Strategy | Assignment] = ()) -> None:
    """Let a strategy protect a volume, or the volumes of a server: it is tagged with the name of the strategy.

    Nothing is taken before the strategy is run.

    Args:
        target: a volume; or a server, whose volumes are then taken at one and the same moment.
        strategy: which.
        others: what else is run, to find volumes that are protected by tags or ids of another assignment.

    Raises:
        InvalidRequest: the target or the strategy is none, or another strategy protects it, or one of the volumes.
        NotPermitted: no role of the person allows to take snapshots of it.
        StrategyError: the names of the strategy do not fit in tags.
        AwsError: AWS refuses.
    """
    _check_target(target)
    check_marks(strategy)
    allow(target)
    region, target = target.region, target.refresh()
    volumes = list(target.volumes()) if isinstance(target, Server) else [target]
    beside: list[Volume | Server] = [target, *volumes]
    if isinstance(target, Volume) and target.server_id:
        beside += region.servers.find([target.server_id])
    for each in beside:
        other = each.tags.get(STRATEGY, strategy.name)
        if other != strategy.name:
            rule = f"is protected by {other!r} already"
            raise InvalidRequest(each.kind, each.id, rule, f"let it leave {other!r} first")
    elsewhere = [each for assignment in assignments(others) for each in assignment.matching(region)]
    ids = {volume.id for volume in volumes}
    check_single([each for each in elsewhere if each.volume.id in ids] + [Protected(one, strategy) for one in volumes])
    target.tag({STRATEGY: strategy.name})


def leave(target: Volume | Server) -> None:
    """End what `protect` began: what was taken stays, and no strategy deletes it any more.

    Raises:
        InvalidRequest: the target is none, or no tag of its own says that it is protected.
        NotPermitted: no role of the person allows to take snapshots of it.
        AwsError: AWS refuses.
    """
    _check_target(target)
    allow(target)
    check_leave(target.refresh())
    target.untag({STRATEGY: target.tags[STRATEGY]})


def check_leave(target: Volume | Server) -> None:
    """Refuse what, as it was read last, carries no tag that says that it is protected.

    Raises:
        InvalidRequest: it does not.
    """
    if STRATEGY not in target.tags:
        remedy = "let its server leave, or change the assignment that names it"
        raise InvalidRequest(target.kind, target.id, f"carries no tag {STRATEGY}", remedy)


def allow(target: Volume | Server) -> None:
    """Return only if the person may take snapshots of something, and so say what is to protect it.

    Raises:
        NotPermitted: no role allows it.
    """
    resource, action = ("Server", "Image") if isinstance(target, Server) else ("Volume", "Snapshot")
    target.region.allow(resource, action, target)


def _check_target(target: object) -> None:
    if not isinstance(target, Volume | Server):
        remedy = "give one of region.volumes.find() or region.servers.find()"
        raise InvalidRequest("target", target, "is no volume or server", remedy)
