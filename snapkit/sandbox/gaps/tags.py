"""Tags of all resources of EC2: CreateTags, DeleteTags, DescribeTags.

Replaces moto's, which set what is reserved for AWS, keep tags of what is gone, know no pages, and scan all tags of all
resources for each.

An account may tag a snapshot that is shared with it; each account sees the tags that it set itself.

Source: EC2 API reference of the three operations; EC2 user guide, "Tag your Amazon EC2 resources".
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from moto.core.exceptions import ServiceException
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from snapkit.rules import MOST_TAGS
from snapkit.sandbox.call import Answer, Call, check_tags, operation
from snapkit.sandbox.filters import select
from snapkit.sandbox.gaps.recycle_bin import IN_BIN
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import (
    Refusal,
    check_instance_id,
    check_snapshot_id,
    invalid,
    missing,
    snapshot_not_found,
)

MOST_RESOURCES = 1000
"""In one call. Source: EC2 API reference, CreateTags."""

_LONGEST_ID = 48


class Tag(NamedTuple):
    """A tag of a resource."""

    resource_id: str
    resource_type: str
    key: str
    value: str


@operation("ec2", "CreateTags")
def create_tags(call: Call) -> Answer:
    """Add tags to resources, or change their values; all or none."""
    resources, pairs = _resources(call), call.get("Tags", [])
    if not pairs:
        raise missing("tagSet")
    tags = {pair.get("Key", ""): pair.get("Value") or "" for pair in pairs}
    if len(tags) < len(pairs):
        raise invalid("tagSet", pairs[-1].get("Key"), "Duplicate tag keys found.")
    check_tags(tags)
    for resource in resources:
        kept = {key for key in call.ec2.tags.get(resource, {}) if not key.startswith("aws:")}
        if len(kept | tags.keys()) > MOST_TAGS:
            raise Refusal("TagLimitExceeded", f"The maximum number of tags for {resource} is {MOST_TAGS}.")
    for resource in resources:
        call.ec2.tags[resource] = {**call.ec2.tags.get(resource, {}), **tags}
    return None


@operation("ec2", "DeleteTags")
def delete_tags(call: Call) -> Answer:
    """Take tags off resources: all that a user set, those with a key, or those with a key and a value."""
    resources, pairs = _resources(call), call.get("Tags", [])
    for pair in pairs:
        check_tags({pair.get("Key", ""): pair.get("Value") or ""})
    for resource in resources:
        tags = call.ec2.tags.pop(resource, {})
        left = {
            key: value
            for key, value in tags.items()
            if key.startswith("aws:") or (pairs and not any(_meets(pair, key, value) for pair in pairs))
        }
        if left:
            call.ec2.tags[resource] = left
    return None


@operation("ec2", "DescribeTags")
def describe_tags(call: Call) -> Answer:
    """List tags, those of a resource together."""
    if any(given.get("Name") == "tag-key" for given in call.get("Filters", [])):
        raise Refusal("InvalidParameterValue", "The filter 'tag-key' is invalid")
    found = select(
        call,
        _all(call),
        {
            "key": lambda tag: tag.key,
            "resource-id": lambda tag: tag.resource_id,
            "resource-type": lambda tag: tag.resource_type,
            "value": lambda tag: tag.value,
        },
        lambda tag: {tag.key: tag.value},
    )
    found.sort(key=_place)
    shown, token = page(call, found, _place)
    return {
        "Tags": [
            {"ResourceId": tag.resource_id, "ResourceType": tag.resource_type, "Key": tag.key, "Value": tag.value}
            for tag in shown
        ],
        "NextToken": token,
    }


def _all(call: Call) -> Iterable[Tag]:
    for resource, tags in call.ec2.tags.items():
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource), "").replace("_", "-")
        for key, value in tags.items():
            yield Tag(resource, kind, key, value)


def _place(tag: Tag) -> int:
    """Tell where a tag stands: by the text of the id, and in an order of the keys that never changes."""
    return int.from_bytes(tag.resource_id.encode().ljust(_LONGEST_ID, b"\0") + _digest(tag.key))


@lru_cache(maxsize=4096)
def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=8).digest()


def _meets(pair: Mapping[str, str], key: str, value: str) -> bool:
    return pair.get("Key") == key and pair.get("Value") in (None, value)


def _resources(call: Call) -> list[str]:
    """Read which resources are meant, each of which has to exist."""
    resources = list(dict.fromkeys(call.get("Resources", [])))
    if not resources:
        raise missing("resourceIdSet")
    if len(resources) > MOST_RESOURCES:
        raise invalid("resourceIdSet", len(resources), f"At most {MOST_RESOURCES} resources can be named.")
    for resource in resources:
        _check_exists(call, resource)
    return resources


def _check_exists(call: Call, resource: str) -> None:
    """Refuse an id in the way of its kind of resource; what is in the recycle bin can be tagged as well."""
    kind = EC2_PREFIX_TO_RESOURCE.get(resource.rpartition("-")[0])
    if kind is None:
        raise Refusal("InvalidID", f"The ID '{resource}' is not valid")
    if IN_BIN in call.ec2.tags.get(resource, {}):
        return
    if kind == "snapshot":
        check_snapshot_id(resource)
        if call.world.visible(call.account, call.region, resource) is None or call.world.faults.hides(resource):
            raise snapshot_not_found(resource)
    elif kind == "volume":
        call.ec2.volume(resource)
    elif kind == "instance":
        check_instance_id(resource)
        if call.ec2.get_instance_by_id(resource) is None:
            raise Refusal("InvalidInstanceID.NotFound", f"The instance ID '{resource}' does not exist")
    else:
        try:
            call.ec2.do_resources_exist([resource])
        except ServiceException as error:
            raise Refusal(error.code, error.message) from None
