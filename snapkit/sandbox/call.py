"""One request as an operation sees it, and the table of the operations that the sandbox answers itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from snapkit.rules import LONGEST_KEY, LONGEST_VALUE, MOST_TAGS
from snapkit.sandbox.refusal import Refusal, invalid

if TYPE_CHECKING:
    from snapkit.sandbox.ec2 import Ec2
    from snapkit.sandbox.world import World


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request.

    Attributes:
        world: the sandbox that it was sent to.
        account: who sent it.
        region: where to.
        service: as in the signature, such as ``"ec2"``.
        operation: such as ``"CreateSnapshot"``.
        params: what was given, by the names of the service's model.
    """

    world: "World"
    account: str
    region: str
    service: str
    operation: str
    params: Mapping[str, Any]

    @property
    def ec2(self) -> "Ec2":
        """What EC2 keeps for this account in this region."""
        return self.world.ec2(self.account, self.region)

    @property
    def now(self) -> datetime:
        """The time of the sandbox."""
        return self.world.clock.now()

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter, or the default where it was not given."""
        value = self.params.get(name)
        return default if value is None else value

    def tags(self, resource_type: str) -> dict[str, str]:
        """Read the tags of TagSpecifications, which has to be about one kind of resource.

        Source: EC2 API reference, "TagSpecification".
        """
        tags: dict[str, str] = {}
        for specification in self.get("TagSpecifications", []):
            given = specification.get("ResourceType")
            if given != resource_type:
                raise invalid(
                    "ResourceType", given, f"'{given}' is not a valid taggable resource type for this operation."
                )
            pairs = specification.get("Tags") or []
            for pair in pairs:
                if pair.get("Key") in tags:
                    raise invalid("TagSpecifications", pair["Key"], "Duplicate tag keys found.")
                tags[pair.get("Key")] = pair.get("Value") or ""
        check_tags(tags)
        return tags


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that a user cannot set.

    Source: EC2 user guide, "Tag restrictions": no key that begins with aws:; the lengths stand in `snapkit.rules`.
    """
    for key, value in tags.items():
        if not key or len(key) > LONGEST_KEY:
            raise Refusal("InvalidParameterValue", f"Tag key '{key}' must have between 1 and {LONGEST_KEY} characters")
        if key.lower().startswith("aws:"):
            raise Refusal(
                "InvalidParameterValue",
                f"Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for "
                "internal use",
            )
        if len(value) > LONGEST_VALUE:
            told = f"Tag value of '{key}' exceeds the maximum length of {LONGEST_VALUE} characters"
            raise Refusal("InvalidParameterValue", told)
    if len(tags) > MOST_TAGS:
        raise Refusal("TagLimitExceeded", f"The maximum number of tags for a resource is {MOST_TAGS}.")


Answer: TypeAlias = Mapping[str, Any] | None
Handler: TypeAlias = Callable[[Call], Answer]
Preparation: TypeAlias = Callable[[Call], None]

OPERATIONS: dict[tuple[str, str], Handler] = {}
"""What the sandbox answers itself, by service and operation. moto answers the rest."""

PREPARATIONS: dict[str, Preparation] = {}
"""What is done, by service, before moto answers."""


def operation(service: str, name: str) -> Callable[[Handler], Handler]:
    """Let a function answer an operation."""

    def register(handler: Handler) -> Handler:
        OPERATIONS[service, name] = handler
        return handler

    return register


def preparation(service: str) -> Callable[[Preparation], Preparation]:
    """Let a function prepare every operation of a service that moto answers."""

    def register(prepare: Preparation) -> Preparation:
        PREPARATIONS[service] = prepare
        return prepare

    return register
