"""Which values a tag has already, to choose from."""

from typing import TYPE_CHECKING

from snapkit.ebs.blockers import if_allowed

if TYPE_CHECKING:
    from snapkit.ebs.region import Region


def in_use(region: "Region", key: str) -> tuple[str, ...]:
    """List the values that a tag has on the volumes and servers of a region, in order; snapshots are too many.

    Args:
        region: where.
        key: of the tag.

    Returns:
        Each value once; none where this account may not look.

    Raises:
        AwsError: AWS refuses, other than for a missing permission.
    """
    asked = [{"Name": "key", "Values": [key]}, {"Name": "resource-type", "Values": ["instance", "volume"]}]
    found = if_allowed(lambda: {str(each["Value"]) for each in region.aws.pages("DescribeTags", "Tags", Filters=asked)})
    return tuple(sorted((found or set()) - {""}))
