"""What snapshots, volumes and servers have in common."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from snapkit.errors import InvalidRequest

if TYPE_CHECKING:
    from snapkit.ebs.region import Region

_ID = re.compile(r"(?:[0-9a-f]{8}|[0-9a-f]{17})")
"""What follows the prefix of an id. Source: EC2 user guide, "Resource IDs": 8 characters before 2016, 17 since."""

MOST_TAGS = 50
"""Source: EC2 user guide, "Tag restrictions"."""


@dataclass(frozen=True)
class TagKeys:
    """The tags in which the three standard options are kept.

    Attributes:
        name: of the name.
        group: of the group.
        owner: of the person that made it, written where a region has an access.
        billing_code: of the billing code.
        token: by which a creation whose answer was lost is found again.
        source: of a copy: what it is a copy of, as ``region/snapshot``.
        source_volume: of a copy: the volume that its source was taken of.
    """

    name: str = "Name"
    group: str = "snapkit:group"
    owner: str = "snapkit:owner"
    billing_code: str = "snapkit:billing-code"
    token: str = "snapkit:token"  # noqa: S105 - the key of a tag
    source: str = "snapkit:source"
    source_volume: str = "snapkit:source-volume"

    def tags(
        self,
        name: str | None,
        group: str | None,
        billing_code: str | None,
        more: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Write the standard options, and other tags, as tags.

        Raises:
            InvalidRequest: EC2 would refuse them.
        """
        options = {self.name: name, self.group: group, self.billing_code: billing_code}
        tags = dict(more or {}) | {key: value for key, value in options.items() if value}
        check_tags(tags)
        return tags


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that EC2 would refuse, before any call.

    Raises:
        InvalidRequest: there are too many, or one is too long or reserved.

    Source: EC2 user guide, "Tag restrictions"; two places are left for the tags that snapkit itself writes.
    """
    if len(tags) > MOST_TAGS - 2:
        rule = f"are more than {MOST_TAGS - 2} ({MOST_TAGS}, less two for snapkit's own)"
        raise InvalidRequest("tags", len(tags), rule, "leave some out")
    for key, value in tags.items():
        for text in (key, value):
            if not isinstance(text, str):
                raise InvalidRequest(f"tag {key}", text, "is no text", "give keys and values as text")
        if not 1 <= len(key) <= 127 or key.lower().startswith("aws:"):
            raise InvalidRequest("tag", key, "is no key", "give 1 to 127 characters that do not begin with aws:")
        if len(value) > 255:
            raise InvalidRequest(f"tag {key}", value, "is longer than 255 characters", "shorten it")


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


def to_aws(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Write tags as requests have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resource) and (self.id, self.region) == (other.id, other.region)

    def __hash__(self) -> int:
        return hash(self.id)

    def _named(self) -> str:
        return f"{self.id} {self.name!r}" if self.name else self.id
