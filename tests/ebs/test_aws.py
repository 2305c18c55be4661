"""The seam to AWS: every error is one of snapkit, and pages are of a thousand."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from snapkit import (
    AccessDenied,
    AwsError,
    InUse,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    NotShareable,
    OutcomeUnknown,
    Throttled,
)
from snapkit.ebs._aws import CODES, PAGE, Aws, translated, unanswered
from tests.ebs.ground import Field

KNOWN = {
    "AccessDenied": AccessDenied,
    "ConcurrentSnapshotLimitExceeded": LimitExceeded,
    "IncorrectState": InUse,
    "InvalidSnapshot.InUse": InUse,
    "InvalidSnapshot.NotFound": NotFound,
    "PendingSnapshotLimitExceeded": LimitExceeded,
    "RequestLimitExceeded": Throttled,
    "ResourceNotFoundException": NotFound,
    "SnapshotCreationPerVolumeRateExceeded": Throttled,
    "SnapshotLocked": InUse,
    "UnauthorizedOperation": AccessDenied,
    "VolumeInUse": InUse,
}


def refusal(code: str, operation: str = "DescribeSnapshots", status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "So it is."}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_code_becomes_its_class_and_says_what_to_do(code: str) -> None:
    error = translated(refusal(code), "snap-1")
    assert type(error) is CODES[code]
    assert type(error) is KNOWN.get(code, type(error))
    assert (error.code, error.operation, error.about) == (code, "DescribeSnapshots", "snap-1")
    assert str(error) == f"DescribeSnapshots of snap-1 was refused ({code}): So it is; {error.remedy}"
    assert error.remedy


def test_the_table_holds_what_aws_documents() -> None:
    assert set(KNOWN) <= set(CODES)


def test_other_codes_are_passed_on_with_what_to_do() -> None:
    error = translated(refusal("Surprise"))
    assert type(error) is AwsError
    assert (
        str(error)
        == "DescribeSnapshots was refused (Surprise): So it is; correct what AWS names, or look at its state first"
    )


@pytest.mark.parametrize("code", ["InvalidParameter", "InvalidParameterValue", "OperationNotPermitted"])
def test_what_cannot_be_shared_has_a_class_of_its_own(code: str) -> None:
    assert type(translated(refusal(code, "ModifySnapshotAttribute"))) is NotShareable
    assert type(translated(refusal(code, "CreateSnapshot"))) is AwsError


def test_an_answer_without_a_reason_is_told_as_such() -> None:
    assert "no reason was given" in str(translated(ClientError({}, "DescribeSnapshots")))


def test_the_error_of_boto3_is_the_cause(field: Field) -> None:
    with pytest.raises(NotFound) as caught:
        field.region().snapshots.get("snap-00000000000000000")
    assert isinstance(caught.value.__cause__, ClientError)


@pytest.mark.parametrize(("kind", "may_have"), [("throttle", False), ("internal", True), ("unreachable", True)])
def test_it_is_known_whether_a_failed_call_may_have_taken_effect(field: Field, kind: str, may_have: bool) -> None:
    field.faults("DescribeVolumes", **{kind: 1000})
    with pytest.raises(AwsError) as caught:
        field.region().volumes.find()
    assert unanswered(caught.value) is may_have


def test_what_never_reached_aws_has_no_effect() -> None:
    class Unplugged:
        def describe_volumes(self) -> None:
            raise EndpointConnectionError(endpoint_url="https://ec2")

    with pytest.raises(AwsError, match=r"DescribeVolumes failed .NotReached.: AWS could not be reached") as caught:
        Aws(Unplugged()).call("DescribeVolumes")
    assert not unanswered(caught.value)


def test_parameters_of_the_wrong_kind_are_refused_before_the_call(field: Field) -> None:
    with pytest.raises(InvalidRequest, match="DescribeVolumes 'parameters' cannot be sent"):
        field.region().aws.call("DescribeVolumes", VolumeIds=7)


def test_a_creation_with_a_token_is_sent_again_and_makes_one(field: Field) -> None:
    region = field.region()
    field.faults("CreateVolume", lost=1, internal=1)
    volume = region.volumes.create("us-east-1a", "1 GiB", name="once")
    field.sandbox.faults.clear()
    assert [each.id for each in region.volumes.find()] == [volume.id]


def test_a_creation_that_gets_no_answer_says_so(field: Field) -> None:
    field.faults("CreateVolume", unreachable=1000)
    with pytest.raises(OutcomeUnknown, match="look whether it is there"):
        field.region().volumes.create("us-east-1a", "1 GiB")


def test_pain_6_describe_is_slow_a_thousand_are_asked_for_at_once() -> None:
    asked = []

    class Canned:
        def describe_snapshots(self, **given: object) -> dict[str, object]:
            asked.append(given)
            return {"Snapshots": [{"n": len(asked)}], "NextToken": "more" if len(asked) < 3 else ""}

    assert list(Aws(Canned()).pages("DescribeSnapshots", "Snapshots")) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert asked == [{"MaxResults": PAGE}, *[{"MaxResults": PAGE, "NextToken": "more"}] * 2]
