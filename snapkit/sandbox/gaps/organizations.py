"""The accounts of the sandbox as one organization, which the first account manages.

Replaces moto's, which begins without an organization, makes up the ids of accounts, and skips accounts in ListAccounts
that joined at the same moment. What is not answered here, moto answers about the same organization.

Source: AWS Organizations API reference, ListAccounts, DescribeAccount, DescribeOrganization.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.moto_api._internal import mock_random
from moto.organizations.models import FakeAccount, FakeOrganization, OrganizationsBackend, organizations_backends
from moto.organizations.utils import DEFAULT_RCP_POLICY_ID, DEFAULT_SCP_POLICY_ID, make_random_create_account_status_id
from moto.utilities.utils import get_partition

from snapkit.sandbox.call import Answer, Call, operation, preparation
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal

MOST_ACCOUNTS_A_PAGE = 20
"""Source: AWS Organizations API reference, ListAccounts, MaxResults."""


class Member(FakeAccount):
    """An account of the sandbox; moto's own constructor would make up an id, and a role in that account."""

    def __init__(self, organization: FakeOrganization, account_id: str, name: str, joined: datetime) -> None:
        self.type = "ACCOUNT"
        self.region = organization.region
        self.organization_id = organization.id
        self.master_account_id = organization.master_account_id
        self.parent_id = organization.root_id
        self.create_account_status_id = make_random_create_account_status_id()
        self.id = account_id
        self.create_time = joined
        self.joined_method = "CREATED"
        self.attached_policies = []
        self.tags = {}
        self.status = self.state = "ACTIVE"
        self.name = name
        self.email = _email(account_id)


@operation("organizations", "ListAccounts")
def list_accounts(call: Call) -> Answer:
    """List the accounts of the organization; only who manages it may."""
    prepare(call)
    size = call.get("MaxResults", MOST_ACCOUNTS_A_PAGE)
    if not 1 <= size <= MOST_ACCOUNTS_A_PAGE:
        raise Refusal(
            "InvalidInputException", f"MaxResults has to be between 1 and {MOST_ACCOUNTS_A_PAGE}, not {size}."
        )
    places = list(enumerate(_organized(call).accounts))
    try:
        shown, token = page(
            replace(call, params={**call.params, "MaxResults": size}),
            places,
            lambda item: item[0],
            least=1,
            most=MOST_ACCOUNTS_A_PAGE,
        )
    except Refusal as refusal:
        raise Refusal("InvalidInputException", refusal.message, Reason="INVALID_NEXT_TOKEN") from None
    return {"Accounts": [_shown(account) for _, account in shown], "NextToken": token}


@operation("organizations", "DescribeAccount")
def describe_account(call: Call) -> Answer:
    """Show an account of the organization; only who manages it may."""
    prepare(call)
    for account in _organized(call).accounts:
        if account.id == call.get("AccountId"):
            return {"Account": _shown(account)}
    raise Refusal("AccountNotFoundException", "You specified an account that doesn't exist.")


@operation("organizations", "DescribeOrganization")
def describe_organization(call: Call) -> Answer:
    """Show the organization; every account of it may."""
    organization = _organized(call).org
    assert organization is not None  # noqa: S101 - for the type checker: see _organized
    answer: Mapping[str, Any] = organization.describe()
    return answer


@preparation("organizations")
def prepare(call: Call) -> None:
    """Let the organization exist, and turn away all but the account that manages it.

    Source: AWS Organizations user guide, "Managing access permissions": member accounts may describe the organization.
    """
    backend = _organized(call)
    if call.account != backend.account_id:
        raise Refusal("AccessDeniedException", "You don't have permissions to access this resource.")


def _organized(call: Call) -> OrganizationsBackend:
    """Return what moto keeps for the managing account, with an organization of all accounts."""
    world = call.world
    manager = next(iter(world.accounts))
    backend = organizations_backends[manager][get_partition(call.region)]
    if backend.org is not None:
        return backend
    joined = (call.now - timedelta(seconds=world.clock.seconds())).replace(tzinfo=None)
    # The ids of organization and root are not to depend on what else was made before.
    state = mock_random.getstate()
    mock_random.seed(int(manager))
    backend.create_organization(region=call.region)
    organization = backend.org
    assert organization is not None  # noqa: S101 - for the type checker: it was made just now
    organization.master_account_email = _email(manager)
    first = backend.accounts[0]
    first.name, first.email, first.create_time, first.joined_method = (
        world.accounts[manager],
        _email(manager),
        joined,
        "INVITED",
    )
    for account, name in list(world.accounts.items())[1:]:
        backend.accounts.append(Member(organization, account, name, joined))
        for policy_id in (DEFAULT_SCP_POLICY_ID, DEFAULT_RCP_POLICY_ID):
            backend.attach_policy(PolicyId=policy_id, TargetId=account)
    mock_random.setstate(state)
    return backend


def _shown(account: FakeAccount) -> dict[str, Any]:
    return {**account.describe(), "JoinedTimestamp": account.create_time.replace(tzinfo=UTC)}


def _email(account: str) -> str:
    return f"{account}@example.com"
