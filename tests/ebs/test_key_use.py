"""What a key policy lets another account do is read as KMS reads it."""

from typing import Any

import pytest

from snapkit.ebs.key_use import ACTIONS, lacking
from tests.ebs.ground import OTHER, OWN

ROOT = {"AWS": f"arn:aws:iam::{OTHER}:root"}
KEY = f"arn:aws:kms:us-east-1:{OWN}:key/1"
ALL = tuple(ACTIONS)
BUT_GRANT = tuple(each for each in ALL if each != "kms:CreateGrant")
FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
FOR_AWS_IF = {"BoolIfExists": {"kms:GrantIsForAWSResource": True}}
BY_EC2 = {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com", "kms:CallerAccount": [OTHER, OWN]}}
BY_ANY = {"StringLike": {"kms:ViaService": ["s3.*", "ec2.*.amazonaws.com"]}}
BY_S3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
OF_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}


def statement(effect: str = "Allow", action: Any = "kms:*", principal: Any = None, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal or ROOT, "Action": action, "Resource": "*", **more}


CONSOLE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
"""What the console of KMS writes for key users. Source: KMS developer guide, "Default key policy"."""


@pytest.mark.parametrize(
    ("statements", "missing", "unsure"),
    [
        ([], ALL, ()),
        ([statement()], (), ()),
        (statement(), (), ()),
        ([statement(action="*")], (), ()),
        ([statement(action=["KMS:describekey", "kms:Create?rant"])], tuple(a for a in ALL if a not in ALL[:2]), ()),
        ([statement(action=CONSOLE)], ("kms:CreateGrant",), ()),
        # Grants only for resources of AWS are all that EC2 needs, and the condition is that of CreateGrant alone.
        ([statement(action=CONSOLE), statement(action="kms:CreateGrant", Condition=FOR_AWS)], (), ()),
        ([statement(Condition=FOR_AWS)], BUT_GRANT, ()),
        ([statement(Condition=FOR_AWS_IF)], (), ()),
        ([statement(Condition=BY_EC2)], (), ()),
        ([statement(Condition=BY_ANY, principal="*")], (), ()),
        ([statement(Condition=BY_S3)], ALL, ()),
        ([statement(Condition=OF_ORGANIZATION)], (), ALL),
        ([statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], (), ALL),
        ([statement(Condition={**BY_S3, **OF_ORGANIZATION, "StringEquals": {**BY_S3["StringEquals"]}})], ALL, ()),
        ([statement(principal={"AWS": OTHER})], (), ()),
        ([statement(principal={"AWS": [f"arn:aws:iam::{OWN}:root", OTHER]})], (), ()),
        ([statement(principal={"AWS": "*"})], (), ()),
        ([statement(principal={"AWS": f"arn:aws:iam::{OTHER}:role/backup"})], (), ALL),
        ([statement(principal={"Service": "ec2.amazonaws.com"})], ALL, ()),
        ([statement(principal={"AWS": f"arn:aws:iam::{OWN}:root"})], ALL, ()),
        ([statement(Resource=KEY)], (), ()),
        ([statement(Resource=f"{KEY}2")], ALL, ()),
        ([statement(), statement("Deny", "kms:CreateGrant")], ("kms:CreateGrant",), ()),
        ([statement(), statement("Deny", "kms:ReEncryptTo", Condition=OF_ORGANIZATION)], (), ("kms:ReEncrypt*",)),
        ([statement(), statement("Deny", "kms:Decrypt", Condition=BY_S3)], (), ()),
        ([statement(), statement("Deny", principal={"AWS": f"arn:aws:iam::{OTHER}:user/eve"})], (), ALL),
    ],
)
def test_pain_8_policy_of_a_key_is_judged_for_the_six_actions(
    statements: Any, missing: tuple[str, ...], unsure: tuple[str, ...]
) -> None:
    assert lacking({"Statement": statements}, OTHER, "us-east-1", KEY) == (missing, unsure)


def test_all_but_some_actions_or_accounts_are_read() -> None:
    but_grants = {"Effect": "Allow", "Principal": "*", "NotAction": ["kms:CreateGrant"], "Resource": "*"}
    assert lacking({"Statement": [but_grants]}, OTHER, "us-east-1", KEY) == (("kms:CreateGrant",), ())
    others = {"Effect": "Deny", "NotPrincipal": {"AWS": OWN}, "Action": "kms:Decrypt", "Resource": "*"}
    assert lacking({"Statement": [statement(), others]}, OTHER, "us-east-1", KEY) == ((), ("kms:Decrypt",))
