"""What can go wrong on the way to AWS and in it, brought about on purpose."""

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from moto.core.utils import get_service_model

from snapkit.errors import InvalidRequest
from snapkit.sandbox.limits import throttled
from snapkit.sandbox.refusal import Refusal

if TYPE_CHECKING:
    from snapkit.sandbox.call import Answer, Call
    from snapkit.sandbox.snapshot import Snapshot

Kind: TypeAlias = Literal["throttle", "internal", "unavailable", "unreachable", "lost", "failing", "hidden"]

_CREATING = ("CreateSnapshot", "CreateSnapshots", "CopySnapshot", "StartSnapshot", "CreateImage", "CopyImage")
_SERVICES = (
    "ec2", "ebs", "dlm", "rbin", "sts", "iam", "kms", "cloudwatch", "organizations", "resourcegroupstaggingapi",
    "events", "backup", "ram", "pricing", "account",
)  # fmt: skip


@cache
def _known_operations() -> frozenset[str]:
    """Collect the operations of the services around EBS; data that nobody changes."""
    return frozenset(name for service in _SERVICES for name in get_service_model(service).operation_names)


def _internal(service: str) -> str:
    """Name an internal error as the service does.

    Source: EC2 API reference, "Error codes"; the models of the services; IAM API reference, "Common errors".
    """
    if service == "ec2":
        return "InternalError"
    modelled = {shape.name for shape in get_service_model(service).error_shapes}
    return "InternalServerException" if "InternalServerException" in modelled else "InternalFailure"


class NoAnswer(Exception):
    """The client gets no answer; whether the call took effect it cannot know."""


@dataclass
class Fault:
    """One thing that goes wrong, so many times.

    Attributes:
        operation: with which.
        kind: what.
        left: how often still.
        account: for whom only, if not for all.
        region: where only, if not everywhere.
        message: the StateMessage of snapshots that fail.
    """

    operation: str
    kind: Kind
    left: int
    account: str | None = None
    region: str | None = None
    message: str = ""

    def meets(self, call: "Call") -> bool:
        """Tell whether it goes wrong with this call."""
        return (
            self.left > 0
            and self.operation == call.operation
            and self.account in (None, call.account)
            and self.region in (None, call.region)
        )


@dataclass
class Faults:
    """The faults of a sandbox, in the order in which they were added.

    Attributes:
        accounts: the accounts that there are.
        regions: the regions that there are.
    """

    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    _all: list[Fault] = field(default_factory=list)
    _failing: dict[str, str] = field(default_factory=dict)
    _hidden: dict[str, int] = field(default_factory=dict)
    _born: "list[Snapshot]" = field(default_factory=list)

    def add(  # noqa: PLR0913 - one name for each thing that can go wrong
        self,
        operation: str,
        *,
        throttle: int = 0,
        internal: int = 0,
        unavailable: int = 0,
        unreachable: int = 0,
        lost: int = 0,
        failing: int = 0,
        hidden: int = 0,
        message: str = "An internal error occurred while the snapshot was being created.",
        account: str | None = None,
        region: str | None = None,
    ) -> None:
        """Let the next calls of an operation go wrong; several kinds come in the order of the parameters.

        Args:
            operation: such as ``"CreateSnapshot"``.
            throttle: so many calls are refused for their rate (EC2: RequestLimitExceeded, 503).
            internal: so many end with InternalError (500).
            unavailable: so many end with Unavailable (503).
            unreachable: so many never reach AWS; the client sees a time-out, and nothing has happened.
            lost: so many take effect, but the answer is lost; the client sees the same time-out.
            failing: so many snapshots that it begins end in state error.
            hidden: the ids that the next call creates are unknown to so many look-ups (eventual consistency).
            message: the StateMessage of the failing ones.
            account: for whom only.
            region: where only.

        Raises:
            InvalidRequest: the operation is not written as AWS does, nothing is to go wrong, a count is negative, the
                operation begins no snapshot that could fail or hide, or the message is no text or empty.
        """
        counts: dict[Kind, int] = {
            "throttle": throttle, "internal": internal, "unavailable": unavailable, "unreachable": unreachable,
            "lost": lost, "failing": failing, "hidden": hidden,
        }  # fmt: skip
        for kind, count in counts.items():
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise InvalidRequest(f"fault {kind}", count, "is no number of calls", "give a whole number from 0 up")
        if not isinstance(operation, str) or operation not in _known_operations():
            rule = "is no operation of EC2 or a service around it"
            raise InvalidRequest("operation", operation, rule, "write it as in 'CreateSnapshot'")
        if not isinstance(message, str) or not message:
            raise InvalidRequest("fault message", message, "is no text", "say why the snapshot fails, or leave it out")
        for name, value, there in (("account", account, self.accounts), ("region", region, self.regions)):
            if value is not None and value not in there:
                raise InvalidRequest(name, value, "is not in this sandbox", f"choose one of {', '.join(there)}")
        if not any(counts.values()):
            raise InvalidRequest("fault of", operation, "never happens", "say how often, say throttle=3")
        if (failing or hidden) and operation not in _CREATING:
            raise InvalidRequest("operation", operation, "begins no snapshot", f"choose one of {', '.join(_CREATING)}")
        self._all += [
            Fault(operation, kind, count, account, region, message) for kind, count in counts.items() if count
        ]

    def clear(self) -> None:
        """Let nothing go wrong any more; what is lost or has failed stays so."""
        self._all.clear()
        self._hidden.clear()

    def pending(self) -> list[Fault]:
        """List the faults that are still to come."""
        return [fault for fault in self._all if fault.left]

    def before(self, call: "Call") -> None:
        """Let a call go wrong before it takes effect.

        Raises:
            Refusal: it is throttled, or AWS fails.
            NoAnswer: it never arrives.
        """
        self._born.clear()
        match self._next(call, "throttle", "internal", "unavailable", "unreachable"):
            case "throttle":
                raise throttled(call.service)
            case "internal":
                raise Refusal(_internal(call.service), "An internal error has occurred", 500)
            case "unavailable":
                code = "Unavailable" if call.service == "ec2" else "ServiceUnavailable"
                raise Refusal(code, "The server is overloaded and can't handle the request.", 503)
            case "unreachable":
                raise NoAnswer

    def after(self, call: "Call", answer: "Answer") -> "Answer":
        """Let a call go wrong after it took effect.

        Raises:
            NoAnswer: its answer is lost.
        """
        for snapshot in self._born:
            for fault in self._all:
                if fault.kind == "failing" and fault.meets(call):
                    fault.left -= 1
                    self._failing[snapshot.id] = fault.message
                    break
        for fault in self._all:
            if self._born and fault.kind == "hidden" and fault.meets(call):
                self._hidden |= {snapshot.id: fault.left for snapshot in self._born}
                fault.left = 0
                break
        if self._next(call, "lost"):
            raise NoAnswer
        return answer

    def watch(self, snapshot: "Snapshot") -> None:
        """Note a snapshot that the present call begins."""
        self._born.append(snapshot)

    def reason_to_fail(self, snapshot: "Snapshot") -> str | None:
        """Return the StateMessage with which a snapshot is to end in error, if it is."""
        return self._failing.get(snapshot.id)

    def hides(self, snapshot_id: str) -> bool:
        """Tell whether a look-up does not find a new id yet; counts the look-up."""
        left = self._hidden.get(snapshot_id, 0)
        if left:
            self._hidden[snapshot_id] = left - 1
        return left > 0

    @property
    def hiding(self) -> bool:
        """Whether there is an id that look-ups do not find yet."""
        return any(self._hidden.values())

    def _next(self, call: "Call", *kinds: Kind) -> Kind | None:
        for fault in self._all:
            if fault.kind in kinds and fault.meets(call):
                fault.left -= 1
                return fault.kind
        return None
