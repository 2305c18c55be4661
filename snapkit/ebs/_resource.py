"""What snapshots, volumes and servers have in common."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from snapkit.errors import InvalidRequest
from snapkit.rules import MOST_TAGS
from snapkit.tags import check_tags, to_aws

if TYPE_CHECKING:
    from snapkit.ebs.region import Region

_ID = re.compile(r"(?:[0-9a-f]{8}|[0-9a-f]{17})")
"""What follows the prefix of an id. Source: EC2 user guide, "Resource IDs": 8 characters before 2016, 17 since."""


def check_id(kind: str, given: object) -> str:
    """Refuse an id that cannot be one, before any call.

    Args:
        kind: snapshot, volume or server.
        given: the id.

    Raises:
        InvalidRequest: it is none.
    """
    prefix = {"snapshot": "snap-", "volume": "vol-", "server": "i-"}[kind]
    if not (isinstance(given, str) and given.startswith(prefix) and _ID.fullmatch(given.removeprefix(prefix))):
        raise InvalidRequest(kind, given, f"is no id of a {kind}", f"give {prefix} and 8 or 17 digits of 0-9, a-f")
    return given


class Resource:
    """Something that AWS keeps: what was last read of it, and the region that it is in.

    Attributes:
        region: where it is.
        raw: what AWS said, as boto3 gave it.
    """

    kind: ClassVar[str]
    id_key: ClassVar[str]

    def __init__(self, region: "Region", raw: Mapping[str, Any]) -> None:
        self.region = region
        self.raw = raw

    @property
    def id(self) -> str:
        """The id."""
        return str(self.raw[self.id_key])

    @property
    def tags(self) -> Mapping[str, str]:
        """All tags."""
        return MappingProxyType({pair["Key"]: pair["Value"] for pair in self.raw.get("Tags", [])})

    @property
    def name(self) -> str:
        """The name, or nothing."""
        return self._tag(self.region.tag_keys.name)

    @property
    def group(self) -> str:
        """The group, or nothing."""
        return self._tag(self.region.tag_keys.group)

    @property
    def billing_code(self) -> str:
        """The billing code, or nothing."""
        return self._tag(self.region.tag_keys.billing_code)

    @property
    def owner(self) -> str:
        """The person that made it, or nothing."""
        return self._tag(self.region.tag_keys.owner)

    def _tag(self, key: str) -> str:
        # Not by way of `tags`: a listing asks three times for each of a hundred thousand.
        for pair in self.raw.get("Tags", ()):
            if pair["Key"] == key:
                return str(pair["Value"])
        return ""

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags.

        Raises:
            InvalidRequest: EC2 would refuse them.
            AwsError: AWS refuses.
        """
        check_tags(tags)
        self.region.allow_tags(self, tags)
        together = {**self.tags, **tags}
        # Those of AWS itself do not count, and cannot be written.
        counted = sum(not key.startswith("aws:") for key in together)
        if counted > MOST_TAGS:
            raise InvalidRequest("tags", counted, f"are more than {MOST_TAGS}", "remove some first")
        self.region.aws.call("CreateTags", self.id, Resources=[self.id], Tags=to_aws(tags))
        self.raw = {**self.raw, "Tags": to_aws(together)}

    def untag(self, tags: Mapping[str, str]) -> None:
        """Remove tags, each only where it still has its value.

        Raises:
            InvalidRequest: one of them decides who may use it.
            AwsError: AWS refuses.

        Source: EC2 API reference, DeleteTags: a tag with a value is deleted only if it has that value.
        """
        self.region.allow_tags(self, dict.fromkeys(tags, ""))
        self.region.aws.call("DeleteTags", self.id, Resources=[self.id], Tags=to_aws(tags))
        left = {key: value for key, value in self.tags.items() if tags.get(key) != value}
        self.raw = {**self.raw, "Tags": to_aws(left)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resource) and (self.id, self.region) == (other.id, other.region)

    def __hash__(self) -> int:
        return hash(self.id)

    def _named(self) -> str:
        return f"{self.id} {self.name!r}" if self.name else self.id
