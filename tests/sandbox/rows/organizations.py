"""Rules about the accounts of an organization."""

from datetime import UTC

from snapkit import Sandbox
from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
API = "AWS Organizations API reference, "


@ROWS.row(API + "ListAccounts")
def the_accounts_of_the_sandbox_are_one_organization(ground: Ground) -> None:
    accounts = ground.client("organizations").list_accounts()["Accounts"]
    assert [account["Id"] for account in accounts] == list(ground.accounts)
    assert {(account["Status"], account["State"]) for account in accounts} == {("ACTIVE", "ACTIVE")}
    assert [account["Name"] for account in accounts] == [f"account {account}" for account in ground.accounts]
    assert [account["JoinedMethod"] for account in accounts] == ["INVITED", "CREATED"]
    assert {account["JoinedTimestamp"].astimezone(UTC) for account in accounts} == {ground.clock.now()}


@ROWS.row(API + "ListAccounts, MaxResults and NextToken")
def accounts_come_in_pages(ground: Ground) -> None:
    organizations = ground.client("organizations")
    first = organizations.list_accounts(MaxResults=1)
    second = organizations.list_accounts(MaxResults=1, NextToken=first["NextToken"])
    assert [page["Accounts"][0]["Id"] for page in (first, second)] == list(ground.accounts)
    assert "NextToken" not in second
    pages = organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 1})
    assert [account["Id"] for page in pages for account in page["Accounts"]] == list(ground.accounts)
    refused("InvalidInputException", lambda: organizations.list_accounts(NextToken="none"))
    refused("InvalidInputException", lambda: organizations.list_accounts(MaxResults=21), "20")


@ROWS.row(API + "DescribeAccount")
def one_account_is_described(ground: Ground) -> None:
    organizations, member = ground.client("organizations"), ground.accounts[1]
    account = organizations.describe_account(AccountId=member)["Account"]
    assert (account["Id"], account["Name"], account["State"]) == (member, f"account {member}", "ACTIVE")
    organization = organizations.describe_organization()["Organization"]["Id"]
    assert account["Arn"] == f"arn:aws:organizations::{ground.accounts[0]}:account/{organization}/{member}"
    refused("AccountNotFoundException", lambda: organizations.describe_account(AccountId="999999999999"))


@ROWS.row(API + "DescribeOrganization")
def every_account_may_describe_the_organization(ground: Ground) -> None:
    shown = [ground.client("organizations", account).describe_organization()["Organization"] for account in (0, 1)]
    assert shown[0] == shown[1]
    assert shown[0]["MasterAccountId"] == ground.accounts[0]
    assert shown[0]["FeatureSet"] == "ALL"


@ROWS.row("AWS Organizations user guide, Managing access permissions")
def only_the_managing_account_may_list(ground: Ground) -> None:
    member = ground.client("organizations", 1)
    for call in (
        member.list_accounts,
        member.list_roots,
        lambda: member.describe_account(AccountId=ground.accounts[1]),
        lambda: member.create_account(Email="a@example.com", AccountName="a"),
    ):
        refused("AccessDeniedException", call)


@ROWS.row(API + "ListRoots, ListAccountsForParent, ListParents")
def the_rest_of_the_api_knows_the_same_accounts(ground: Ground) -> None:
    organizations, member = ground.client("organizations"), ground.accounts[1]
    (root,) = organizations.list_roots()["Roots"]
    assert organizations.list_parents(ChildId=member)["Parents"] == [{"Id": root["Id"], "Type": "ROOT"}]
    children = organizations.list_children(ParentId=root["Id"], ChildType="ACCOUNT")["Children"]
    assert [child["Id"] for child in children] == list(ground.accounts)


@ROWS.row(API + "Organization, Id")
def the_same_accounts_are_always_the_same_organization(ground: Ground) -> None:
    ground.snapshot()
    shown = ground.client("organizations").describe_organization()["Organization"]
    with Sandbox(seed=8, accounts=ground.accounts) as other:
        assert other.client("organizations").describe_organization()["Organization"] == shown
