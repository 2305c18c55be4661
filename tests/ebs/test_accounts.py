"""Accounts are gathered from wherever they are known, each once, with where from."""

from pathlib import Path
from typing import Any

import pytest

from snapkit import InvalidRequest, connect
from tests.ebs.ground import HOSTILE, OTHER, OWN, Field

CONFIG = """
[profile audit]
role_arn = arn:aws:iam::777788889999:role/reader
[profile far]
role_arn = arn:aws-cn:iam::222233334444:role/x
[profile plain]
region = eu-west-1
aws_secret_access_key = made-up
[profile sso]
sso_account_id = 444455556666
"""
PROFILES = {"audit": "777788889999", "far": "222233334444", "sso": OTHER}


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the user have profiles."""
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def test_the_organization_is_asked_where_allowed(field: Field) -> None:
    accounts = field.region().accounts()
    assert {each.id: each.source for each in accounts} == {OWN: "this account, organization", OTHER: "organization"}
    assert all(each.name for each in accounts)
    assert accounts.notes == ()


def test_a_refusal_of_the_organization_is_no_error_but_said(field: Field) -> None:
    accounts = field.region(account=1).accounts()
    assert [(each.id, each.source) for each in accounts] == [(OTHER, "this account")]
    assert "the organization was not asked to the end: ListAccounts was refused (AccessDenied" in repr(accounts)


def test_profiles_and_the_address_book_are_merged(field: Field, tmp_path: Path) -> None:
    region = field.region()
    region.profiles = {"audit": "777788889999", "sso": OTHER}
    book = tmp_path / "accounts.toml"
    book.write_text(f"[[account]]\nid = '777788889999'\nname = '{HOSTILE}'\n[[account]]\nid = '999900001111'\n")
    accounts = region.accounts(book=book)
    by_id = {each.id: each for each in accounts}
    assert by_id["777788889999"].name == HOSTILE
    assert by_id["777788889999"].source == "address book, profile audit"
    assert by_id[OTHER].source == "organization, profile sso"
    assert by_id["999900001111"].source == "address book"
    assert len(by_id) == len(accounts) == 4
    assert "<img" not in accounts._repr_html_()


@pytest.mark.usefixtures("configured")
def test_connect_reads_the_accounts_of_profiles_and_no_secret() -> None:
    region = connect("eu-west-1", aws_access_key_id="made-up", aws_secret_access_key="made-up")  # noqa: S106
    assert region.profiles == region.beside("us-east-1").profiles == PROFILES


@pytest.mark.usefixtures("configured")
def test_a_sandbox_knows_none_of_the_profiles_of_the_user(field: Field) -> None:
    assert {each.id for each in field.region().accounts()} == {OWN, OTHER}
    if field.endpoint is not None:
        keys: dict[str, Any] = field.sandbox.credentials()
        region = connect("us-east-1", endpoint=field.endpoint, **keys)
        assert {each.id for each in region.accounts()} == {OWN, OTHER}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[account]]\nid = 111122223333\n", "account 1 of book.toml 111122223333 is no id of an account"),
        ("[[account]]\nname = 'x'\n", "account 1 of book.toml None is no id"),
        ("[[account]]\nid = '111122223333'\nname = 5\n", "5 is no name"),
        ("account = 5\n", "has no list of accounts"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_bad_address_book_is_refused(field: Field, tmp_path: Path, text: str, words: str) -> None:
    book = tmp_path / "book.toml"
    book.write_text(text)
    with pytest.raises(InvalidRequest) as caught:
        field.region().accounts(book=book)
    assert words in str(caught.value)


def test_a_missing_address_book_is_refused(field: Field, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        field.region().accounts(book=tmp_path / "none.toml")
