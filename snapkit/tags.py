"""The tags in which snapkit keeps what AWS has no field for, and what AWS lets a tag be."""

from collections.abc import Mapping
from dataclasses import dataclass

from snapkit.errors import InvalidRequest
from snapkit.rules import LONGEST_KEY, LONGEST_VALUE, MOST_TAGS


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
        check_tags(more or {})
        tags = dict(more or {}) | {key: value for key, value in options.items() if value}
        check_tags(tags)
        return tags


TERM = "snapkit:shared-"
"""What the tags begin with that say until when a snapshot is shared; the id of the account follows."""

STANDARD = TagKeys()
"""The keys where no others were chosen."""


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags that EC2 would refuse, before any call.

    Raises:
        InvalidRequest: there are too many, or one is too long or reserved.

    Source: EC2 user guide, "Tag restrictions"; two places are left for the tags that snapkit itself writes.
    """
    if not isinstance(tags, Mapping):
        raise InvalidRequest("tags", tags, "are no mapping", 'give {"Team": "storage"}, say')
    if len(tags) > MOST_TAGS - 2:
        rule = f"are more than {MOST_TAGS - 2} ({MOST_TAGS}, less two for snapkit's own)"
        raise InvalidRequest("tags", len(tags), rule, "leave some out")
    for key, value in tags.items():
        for text in (key, value):
            if not isinstance(text, str):
                raise InvalidRequest(f"tag {key}", text, "is no text", "give keys and values as text")
        if not 1 <= len(key) <= LONGEST_KEY or key.lower().startswith("aws:"):
            raise InvalidRequest(
                "tag", key, "is no key", f"give 1 to {LONGEST_KEY} characters that do not begin with aws:"
            )
        if len(value) > LONGEST_VALUE:
            raise InvalidRequest(f"tag {key}", value, f"is longer than {LONGEST_VALUE} characters", "shorten it")


def to_aws(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Write tags as requests have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
