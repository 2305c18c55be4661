"""Rules about roles that are assumed."""

from datetime import timedelta
from functools import partial

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()


@ROWS.row("AWS STS API reference, AssumeRole")
def a_role_of_another_account_acts_as_that_account(ground: Ground) -> None:
    arn = f"arn:aws:iam::{ground.accounts[1]}:role/operators"
    taken = ground.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
    assert taken["AssumedRoleUser"]["Arn"].startswith(f"arn:aws:sts::{ground.accounts[1]}:assumed-role/operators/")


@ROWS.row("AWS STS API reference, AssumeRole, errors")
def what_is_no_role_of_an_account_here_cannot_be_assumed(ground: Ground) -> None:
    for code, arn in (
        ("AccessDenied", "arn:aws:iam::999999999999:role/operators"),
        ("ValidationError", "arn:aws:iam::444455556666:user/operators"),
        ("ValidationError", "arn:aws:iam::x:role/operators"),
        ("ValidationError", "b" * 25),
    ):
        assume = partial(ground.client("sts").assume_role, RoleArn=arn, RoleSessionName="test")
        refused(code, assume, arn)


@ROWS.row("AWS STS API reference, GetSessionToken")
def a_session_of_ones_own_lasts_as_long_as_asked_for(ground: Ground) -> None:
    sts = ground.client("sts", 1)
    first, second = (sts.get_session_token(DurationSeconds=each)["Credentials"] for each in (900, 129_600))
    assert first["AccessKeyId"].startswith("ASIA")
    assert second["Expiration"] - first["Expiration"] >= timedelta(seconds=129_600 - 900)
    refused("ValidationError", partial(sts.get_session_token, DurationSeconds=129_601), "129601")
