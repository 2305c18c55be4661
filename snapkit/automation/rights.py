"""Which rights the steps of a plan lack, asked of IAM by dry runs before the first step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from snapkit.ebs import Region
from snapkit.errors import AccessDenied, AwsError
from snapkit.plan import Step

_ASKED: Mapping[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "take": ("CreateSnapshot", lambda each: {"VolumeId": each}),
    "take set": ("CreateSnapshots", lambda each: {"InstanceSpecification": {"InstanceId": each}}),
    "delete": ("DeleteSnapshot", lambda each: {"SnapshotId": each}),
    "delete volume": ("DeleteVolume", lambda each: {"VolumeId": each}),
    "archive": ("ModifySnapshotTier", lambda each: {"SnapshotId": each, "StorageTier": "archive"}),
    "unshare": (
        "ModifySnapshotAttribute",
        lambda each: {
            "SnapshotId": each,
            "Attribute": "createVolumePermission",
            "OperationType": "remove",
            "GroupNames": ["all"],
        },
    ),
}
"""By kind of step the operation, and what it is asked with."""


def checked(region: Region, steps: Sequence[Step]) -> tuple[list[Step], frozenset[str]]:
    """Block the steps of each kind for which this account lacks the right.

    One dry run for each kind, on its first step that nothing else blocks. What IAM decides by the tags of others of
    them is told by AWS when their turn comes.

    Args:
        region: where they would be done.
        steps: what would be done.

    Returns:
        The steps, and what blocks those that it has blocked.

    Source: EC2 API reference, common parameters, DryRun.
    """
    lacking = dict[str, str]()
    for kind, (operation, params) in _ASKED.items():
        first = next((step for step in steps if _kind(step) == kind and not step.blockers), None)
        if first is not None and (told := refused(region, operation, first.on, params(first.on))):
            lacking[kind] = told
    blocked = [
        replace(step, blockers=(*step.blockers, lacking[_kind(step)])) if _kind(step) in lacking else step
        for step in steps
    ]
    return blocked, frozenset(lacking.values())


def _kind(step: Step) -> str:
    parts = {("take", "i"): "take set", ("delete", "vol"): "delete volume"}
    return parts.get((step.what, step.on.partition("-")[0]), step.what)


def refused(region: Region, operation: str, about: str, params: dict[str, Any]) -> str:
    """Tell why this account may not do something, asked by a dry run; nothing where it may.

    Args:
        region: where.
        operation: of EC2.
        about: what it is about, for the reason.
        params: of the operation.
    """
    try:
        region.aws.call(operation, about, DryRun=True, **params)
    except AccessDenied as error:
        return str(error)
    except AwsError:
        # That it would succeed is told by an error too; any other is told when its turn comes.
        pass
    return ""
