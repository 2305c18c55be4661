"""What EC2 asks of IAM for each call: the parts of a request, with the keys of its context."""

from collections.abc import Mapping, Sequence

from snapkit.access import Access, Belonging, principal_tags
from tests.access.evaluator import Request

SNAPSHOT, COPY = "arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0", "arn:aws:ec2:eu-west-1::snapshot/*"
VOLUME = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-0123456789abcdef0"
NEW_VOLUME = "arn:aws:ec2:eu-west-1:111122223333:volume/*"
SERVER = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0"


def tags_of(thing: Belonging) -> dict[str, str]:
    named = {"snapkit:group": thing.group, "snapkit:billing-code": thing.billing_code, "snapkit:owner": thing.owner}
    return {key: value for key, value in named.items() if value}


def principal(access: Access) -> dict[str, str]:
    return {f"aws:PrincipalTag/{key}": value for key, value in principal_tags(access).items()}


def resource(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def requested(tags: Mapping[str, str]) -> dict[str, str | Sequence[str]]:
    return {
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
        **({"aws:TagKeys": list(tags)} if tags else {}),
    }


def parts(access: Access, right: tuple[str, str], thing: Belonging, new: Mapping[str, str]) -> list[Request]:
    """Write the call that a right is for, on a thing, with the tags of what it makes."""
    me, old, tags = principal(access), resource(tags_of(thing)), requested(new)

    def one(action: str, on: str, *more: Mapping[str, str | Sequence[str]]) -> Request:
        context: dict[str, str | Sequence[str]] = dict(me)
        for each in more:
            context.update(each)
        return Request(f"ec2:{action}", on, context)

    def made(action: str, on: str, *more: Mapping[str, str | Sequence[str]]) -> list[Request]:
        tagging = [one("CreateTags", on, tags, {"ec2:CreateAction": action})] if new else []
        return [one(action, on, tags, *more), *tagging]

    new_of_snapshot = made("CreateVolume", NEW_VOLUME, {"ec2:ParentSnapshot": SNAPSHOT})
    whole = [one("CreateSnapshots", SERVER, old), one("CreateSnapshots", VOLUME), *made("CreateSnapshots", COPY)]
    calls = {
        ("Snapshot", "CreateVolume"): [one("CreateVolume", SNAPSHOT, old), *new_of_snapshot],
        ("Snapshot", "Delete"): [one("DeleteSnapshot", SNAPSHOT, old)],
        ("Snapshot", "ShareLocal"): [one("ModifySnapshotAttribute", SNAPSHOT, old, {"ec2:Add/userId": "444455556666"})],
        ("Snapshot", "SharePublic"): [one("ModifySnapshotAttribute", SNAPSHOT, old, {"ec2:Add/group": "all"})],
        ("Volume", "Attach"): [one("AttachVolume", VOLUME, old), one("AttachVolume", SERVER)],
        ("Volume", "Create"): made("CreateVolume", NEW_VOLUME),
        ("Volume", "Delete"): [one("DeleteVolume", VOLUME, old)],
        ("Volume", "Detach"): [one("DetachVolume", VOLUME, old), one("DetachVolume", SERVER)],
        ("Volume", "Snapshot"): [one("CreateSnapshot", VOLUME, old), *made("CreateSnapshot", COPY)],
        ("Server", "Image"): whole,
    }
    return calls[right]
