"""Let a strategy protect a volume or a server, and leave it again."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from snapkit.automation import Assignment, leave, protect
from snapkit.automation.assigning import ALIVE
from snapkit.automation.managed import STRATEGY
from snapkit.automation.protecting import allow, check_leave
from snapkit.ebs import Estate, Region, Server, Volume
from snapkit.errors import InvalidRequest
from snapkit.forms.fields import Choice
from snapkit.forms.form import Form
from snapkit.forms.options import named, of_kind
from snapkit.strategy import Strategy


class ProtectForm(Form):
    """Lets a strategy protect a volume or a server; the result is the `Volume` or `Server`.

    Attributes:
        target: the id of the volume or the server.
    """

    def __init__(
        self, strategy: Strategy, where: Region | Estate, others: Iterable[Strategy | Assignment] = ()
    ) -> None:
        """Make the form.

        Args:
            strategy: which.
            where: the region or the estate whose volumes and servers are offered.
            others: what else is run there; see `snapkit.automation.protect`.

        Raises:
            AwsError: AWS refuses to list them.
        """
        self._strategy, self._others = strategy, tuple(others)
        self._targets = targets(where)
        self.target = offered(self._targets)
        region = where if isinstance(where, Region) else where.regions[0]
        super().__init__(region, f"{strategy.name}: Protect a volume", "Protect")

    def checks(self) -> Iterator[Callable[[], object]]:
        """List what does not ask AWS: that something is chosen, and that the person may."""
        target = self._targets.get(self.target.value)
        yield partial(chosen, target)
        if target is not None:
            yield partial(allow, target)

    def consequences(self) -> Iterator[str]:
        """Say what changes, and what does not yet."""
        target = self._targets.get(self.target.value)
        if target is not None:
            yield f"Sets the tag {STRATEGY} = {self._strategy.name} of {named(target)}."
            yield f"Nothing is taken before the strategy is run: {self._strategy.describe()}."

    def deed(self) -> Callable[[], Volume | Server]:
        """Bind `snapkit.automation.protect`."""
        target = self._targets[self.target.value]
        return partial(_after, target, partial(protect, target, self._strategy, self._others))

    def told(self, result: Volume | Server) -> str:
        """Say that it is protected."""
        return f"{named(result)} is protected by {self._strategy.name}"


class LeaveForm(Form):
    """Ends the protection of a volume or a server; the result is the `Volume` or `Server`."""

    def __init__(self, target: Volume | Server) -> None:
        """Make the form.

        Args:
            target: a volume, or a server whose volumes are protected through it; it is read again.

        Raises:
            InvalidRequest: it is no volume or server.
            AwsError: AWS refuses to tell its tags.
        """
        self._target = of_kind(target, Volume, Server).refresh()
        self._called = target.tags.get(STRATEGY, "")
        super().__init__(target.region, f"{named(target)}: Leave {self._called}".rstrip(), "Leave")

    def checks(self) -> Iterator[Callable[[], object]]:
        """List the checks of `snapkit.automation.leave`."""
        yield partial(allow, self._target)
        yield partial(check_leave, self._target)

    def consequences(self) -> Iterator[str]:
        """Say what ends, and what stays."""
        if self._called:
            yield f"Takes the tag {STRATEGY} = {self._called} off {named(self._target)}."
            if isinstance(self._target, Server):
                many = len(self._target.devices)
                yield f"That ends the protection of {f'all its {many} volumes' if many != 1 else 'its one volume'}."
            yield "No more snapshots are taken for it; those that there are stay, and no strategy deletes them."

    def deed(self) -> Callable[[], Volume | Server]:
        """Bind `snapkit.automation.leave`."""
        return partial(_after, self._target, partial(leave, self._target))

    def told(self, result: Volume | Server) -> str:
        """Say that it is over."""
        return f"{named(result)} is no longer protected by {self._called}"


def targets(where: Region | Estate) -> dict[str, Volume | Server]:
    """List what a strategy can protect, by id: servers first, then volumes, each by name.

    Raises:
        AwsError: AWS refuses to list them.
    """
    servers = [each for each in where.servers.find() if each.state in ALIVE]
    found: list[Volume | Server] = [*sorted(servers, key=_order), *sorted(where.volumes.find(), key=_order)]
    return {each.id: each for each in found}


def offered(known: dict[str, Volume | Server]) -> Choice:
    """Make the field that one of them is chosen in."""
    several = len({each.region for each in known.values()}) > 1
    shown = [(_label(each, several=several), each.id) for each in known.values()]
    hint = "Required. The volumes of a server are taken at one and the same moment."
    return Choice("Volume or server", shown, none="choose one" if known else "there is none", hint=hint)


def chosen(target: Volume | Server | None) -> Volume | Server:
    """Return what is chosen.

    Raises:
        InvalidRequest: nothing is.
    """
    if target is None:
        raise InvalidRequest("target", None, "is not chosen", "choose a volume or a server")
    return target


def _label(each: Volume | Server, *, several: bool) -> str:
    where = f", {each.region.account} {each.region.name}" if several else ""
    return f"{each.kind} {named(each)}{where}"


def _order(each: Volume | Server) -> tuple[str, str]:
    return each.name, each.id


def _after(target: Volume | Server, what: Callable[[], None]) -> Volume | Server:
    what()
    return target
