"""The accounts that the user belongs to, gathered from wherever they are known."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from snapkit.ebs.listing import Column, Listing
from snapkit.errors import AwsError, InvalidRequest

if TYPE_CHECKING:
    from snapkit.ebs.region import Region

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/")
_ID = re.compile(r"\d{12}", re.ASCII)


@dataclass(frozen=True)
class Account:
    """An account.

    Attributes:
        id: twelve digits.
        name: what it is called, or nothing.
        source: where it is known from, such as ``"organization, profile prod"``.
    """

    id: str
    name: str
    source: str


class Accounts(Listing[Account]):
    """Accounts in order of their names.

    Attributes:
        notes: what could not be asked, and why, a sentence each.
    """

    def __init__(self, items: list[Account], notes: tuple[str, ...] = ()) -> None:
        super().__init__(items, COLUMNS, noun="account")
        self.notes = notes

    def _counted(self) -> str:
        return "; ".join((super()._counted(), *self.notes))


def is_account(given: object) -> TypeGuard[str]:
    """Tell whether something is written as the id of an account."""
    return isinstance(given, str) and _ID.fullmatch(given) is not None


def check_accounts(accounts: Sequence[object]) -> tuple[str, ...]:
    """Return ids of accounts, each once.

    Raises:
        InvalidRequest: one is no id of an account, or there are none.
    """
    if isinstance(accounts, str) or not accounts:
        rule = "is one text, no list" if accounts else "are none"
        raise InvalidRequest("accounts", accounts, rule, "give ids of twelve digits, such as ['111122223333']")
    ids: dict[str, None] = {}
    for account in accounts:
        if not is_account(account):
            raise InvalidRequest("account", account, "is no id of an account", "give twelve digits, as text")
        ids[account] = None
    return tuple(ids)


def organization(region: "Region") -> Iterator[dict[str, Any]]:
    """Go through the accounts of the organization, as AWS describes them.

    Raises:
        AwsError: AWS refuses: only the management account or a delegated administrator may list them.
        InvalidRequest: the region has no client of Organizations.
    """
    return region.service("organizations").pages("ListAccounts", "Accounts", size=None)


def gather(region: "Region", *, book: str | Path | None = None) -> Accounts:
    """List the accounts that the user belongs to, each once, with where it is known from.

    Known are the account of the region; those of the organization, where its management account or a delegated
    administrator asks; those that the profiles name with which `snapkit.ebs.connect` made it; and those of an address
    book.

    Args:
        region: whose account asks.
        book: a TOML file, with ``id`` and ``name`` under ``[[account]]``.

    Raises:
        InvalidRequest: the address book cannot be read.
        AwsError: AWS does not say whose credentials these are.
    """
    notes: list[str] = []
    known = [(region.account, "", "this account")]
    known += [] if book is None else list(_of_book(Path(book)))
    known += _of_organization(region, notes)
    known += [(account, profile, f"profile {profile}") for profile, account in region.profiles.items()]
    names: dict[str, str] = {}
    sources: dict[str, list[str]] = {}
    for account, name, source in known:
        names[account] = names.get(account) or name
        if source not in sources.setdefault(account, []):
            sources[account].append(source)
    accounts = [Account(account, names[account], ", ".join(sources[account])) for account in sources]
    return Accounts(sorted(accounts, key=lambda each: (each.name.casefold(), each.id)), tuple(notes))


def _of_book(book: Path) -> Iterator[tuple[str, str, str]]:
    remedy = "write [[account]] with id = '111122223333' and name = 'production'"
    try:
        entries = tomllib.loads(book.read_text(encoding="utf-8")).get("account", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidRequest("address book", str(book), f"cannot be read ({error})", remedy) from error
    if not isinstance(entries, list):
        raise InvalidRequest("address book", str(book), "has no list of accounts", remedy)
    for number, entry in enumerate(entries, 1):
        field = f"account {number} of {book.name}"
        account = entry.get("id") if isinstance(entry, dict) else None
        if not is_account(account):
            raise InvalidRequest(field, account, "is no id of an account", remedy)
        name = entry.get("name", "")
        if not isinstance(name, str):
            raise InvalidRequest(field, name, "is no name", remedy)
        yield account, name, "address book"


def _of_organization(region: "Region", notes: list[str]) -> list[tuple[str, str, str]]:
    found = []
    try:
        for each in organization(region):
            # An account that was closed cannot use what is shared with it.
            if each.get("State", each.get("Status", "ACTIVE")) == "ACTIVE":
                found.append((str(each["Id"]), str(each.get("Name", "")), "organization"))  # noqa: PERF401 - kept so far
    except AwsError as error:
        notes.append(f"the organization was not asked to the end: {error}")
    return found


def of_profiles(config: Mapping[str, Any]) -> dict[str, str]:
    """Read from the AWS configuration, as botocore reads it, which accounts the roles and sign-ons of profiles name.

    Returns:
        The ids by profile, and nothing else: a configuration may hold secrets.
    """
    found = {}
    for profile, given in sorted(config.get("profiles", {}).items()):
        role = _ROLE.match(str(given.get("role_arn", "")))
        named = role[1] if role else str(given.get("sso_account_id", ""))
        if is_account(named):
            found[profile] = named
    return found


COLUMNS: tuple[Column[Account], ...] = (
    Column("ID", lambda each: each.id, "id", lambda each: each.id),
    Column("name", lambda each: each.name, "name", lambda each: each.name),
    Column("source", lambda each: each.source, "source", lambda each: each.source),
)
"""What one looks for when a snapshot is to be shared."""
