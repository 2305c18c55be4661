"""Known answers for the evaluator, from the examples of the IAM user guide."""

from typing import Any

import pytest

from tests.access.evaluator import Request, allowed


def judged(condition: dict[str, Any], context: dict[str, Any], effect: str = "Allow") -> bool:
    policy = {"Statement": [{"Effect": effect, "Action": "ec2:*", "Resource": "*", "Condition": condition}]}
    return allowed([policy], [Request("ec2:StartInstances", "arn:aws:ec2:eu-west-1:1:instance/i-1", context)])


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"aws:PrincipalTag/job": "iamuser-admin"}}, {"aws:principaltag/JOB": "iamuser-admin"}, True),
        ({"StringEquals": {"aws:PrincipalTag/job": "a"}}, {}, False),
        ({"StringEquals": {"aws:PrincipalTag/job": ["a", "b"]}}, {"aws:PrincipalTag/job": "b"}, True),
        ({"StringEquals": {"aws:PrincipalTag/job": "a*"}}, {"aws:PrincipalTag/job": "ab"}, False),
        ({"StringNotEquals": {"aws:PrincipalTag/job": "a"}}, {}, True),
        ({"StringNotEquals": {"aws:PrincipalTag/job": ["a", "b"]}}, {"aws:PrincipalTag/job": "b"}, False),
        ({"StringLike": {"k": "a?c*"}}, {"k": "abcde"}, True),
        ({"StringLike": {"k": "a?c*"}}, {"k": "acde"}, False),
        ({"StringLike": {"k": "a${*}"}}, {"k": "ab"}, False),
        ({"StringLike": {"k": "a${*}"}}, {"k": "a*"}, True),
        ({"StringLike": {"k": "*${aws:username}*"}}, {"k": "my ada", "aws:username": "ada"}, True),
        ({"StringLike": {"k": "*${aws:username}*"}}, {"k": "my ada"}, False),
        ({"StringNotLike": {"k": "${aws:username}"}}, {"k": "my ada"}, False),
        ({"StringEquals": {"k": "${aws:PrincipalTag/team, 'company'}"}}, {"k": "company"}, True),
        (
            {"StringEquals": {"k": "${aws:PrincipalTag/team, 'company'}"}},
            {"k": "a", "aws:PrincipalTag/team": "a"},
            True,
        ),
        ({"Null": {"k": "true"}}, {}, True),
        ({"Null": {"k": "true"}}, {"k": "a"}, False),
        ({"Null": {"k": "false"}}, {"k": "a"}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "False"}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["c", "b"]}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["c"]}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {}, False),
        ({"ForAllValues:StringLike": {"aws:TagKeys": "a*"}}, {"aws:TagKeys": ["a", "ab"]}, True),
        ({"ForAllValues:StringLike": {"aws:TagKeys": "a*"}}, {"aws:TagKeys": ["a", "b"]}, False),
        ({"ForAllValues:StringLike": {"aws:TagKeys": "a*"}}, {}, True),
        ({"Null": {"k": "false"}, "StringEquals": {"k": "a"}}, {"k": "b"}, False),
    ],
)
def test_a_condition_is_met_as_iam_says(condition: dict[str, Any], context: dict[str, Any], expected: bool) -> None:
    assert judged(condition, context) is expected


def test_nothing_is_allowed_that_is_not_named_and_a_denial_wins() -> None:
    request = Request("ec2:DeleteVolume", "arn:aws:ec2:eu-west-1:1:volume/vol-1")
    yes = {"Statement": [{"Effect": "Allow", "Action": ["ec2:DeleteVolume"], "Resource": "arn:aws:ec2:*:*:volume/*"}]}
    no = {"Statement": [{"Effect": "Deny", "Action": "ec2:Delete*", "Resource": "*"}]}
    assert allowed([yes], [request])
    assert not allowed([], [request])
    assert not allowed([yes, no], [request])
    assert not allowed([yes], [request, Request("ec2:DeleteVolume", "arn:aws:ec2:eu-west-1::snapshot/snap-1")])
