"""Answers as they are written, against those of moto's serializer and of botocore's own reading."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import create_parser
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from snapkit import Sandbox
from snapkit.sandbox.answering import written
from snapkit.sandbox.call import Call

BEGUN = datetime(2026, 1, 5, 3, tzinfo=UTC)
SNAPSHOT = {
    "SnapshotId": "snap-1",
    "Description": "<b> & 'c' \" ]]>",
    "Encrypted": True,
    "VolumeSize": 8,
    "FullSnapshotSizeInBytes": 2**40,
    "StartTime": BEGUN,
    "Progress": "",
    "Tags": [{"Key": "<k>", "Value": "a & b\u2028ü"}, {"Key": "empty", "Value": ""}],
}


def answer(operation: str, result: Mapping[str, Any] | None) -> str:
    with Sandbox() as sandbox:
        call = Call(
            world=sandbox._world, account=sandbox.accounts[0], region="us-east-1", service="ec2", operation=operation,
            params={},
        )  # fmt: skip
        reply = written(call, None, result)
    assert (reply.status, reply.headers) == (200, {"Content-Type": "text/xml"})
    return reply.body.decode()


def read(operation: str, body: str) -> dict[str, Any]:
    shape = get_service_model("ec2").operation_model(operation).output_shape
    told: dict[str, Any] = create_parser("ec2").parse({"body": body.encode(), "headers": {}, "status_code": 200}, shape)
    told.pop("ResponseMetadata")
    return told


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("DescribeSnapshots", {"Snapshots": [SNAPSHOT, {**SNAPSHOT, "Tags": []}], "NextToken": None}),
        ("DescribeSnapshots", {"Snapshots": []}),
        ("CreateSnapshot", SNAPSHOT),
        ("CreateSnapshot", {"SnapshotId": "snap-1", "Unheard": 1, "Tags": None, "Encrypted": False}),
        ("DeleteSnapshot", None),
        ("DescribeSnapshotAttribute", {"SnapshotId": "snap-1", "CreateVolumePermissions": [{"Group": "all"}, {}]}),
    ],
)
def test_answers_of_ec2_read_as_those_of_motos_serializer(operation: str, result: dict[str, Any] | None) -> None:
    theirs = get_serializer_class("ec2", "ec2")(
        operation_model=get_service_model("ec2").operation_model(operation), context=SerializationContext("request-1")
    )
    ours = answer(operation, result)
    expected = read(operation, str(theirs.serialize(result or {})["body"]))
    # What is empty stays in a list of ours, as in one of AWS; moto leaves it out.
    found = read(operation, ours)
    found["CreateVolumePermissions"] = [each for each in found.get("CreateVolumePermissions", []) if each]
    expected.setdefault("CreateVolumePermissions", [])
    assert found == expected


def test_times_of_ec2_are_written_to_the_millisecond_and_read_as_utc() -> None:
    body = answer("CreateSnapshot", {"StartTime": BEGUN.replace(microsecond=123_999)})
    assert "<startTime>2026-01-05T03:00:00.123Z</startTime>" in body
    with Sandbox() as sandbox:
        client = sandbox.client("ec2")
        made = client.create_volume(AvailabilityZone="us-east-1a", Size=1)["CreateTime"]
    assert (made, made.tzinfo) == (datetime(2026, 1, 5, tzinfo=UTC), UTC)
