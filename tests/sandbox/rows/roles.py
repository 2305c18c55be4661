"""Rules about roles that are assumed."""

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
