from pathlib import Path

import pytest
from hypothesis import given

from snapkit.access import Access, BillingCode, Quota, Role
from snapkit.access.document import dumps, loads
from snapkit.errors import InvalidRequest
from tests.access.test_iam import people

TEXT = """
user = "ada"

[groups]
db = "operator"
web = ""

[roles]
operator = ["Snapshot: ANY: THIS_GROUP", "Volume: Snapshot: GROUP"]

[billing_codes]
CC-42 = { soft = 100, hard = 120 }
CC-7 = {}
"""
ADA = Access(
    "ada",
    {"db": "operator", "web": ""},
    [Role("operator", ["Snapshot: ANY: THIS_GROUP", "Volume: Snapshot: GROUP"])],
    [BillingCode("CC-42", Quota(100, 120)), "CC-7"],
)


def test_a_document_says_who_a_person_is() -> None:
    assert loads(TEXT) == ADA


def test_a_saved_access_loads_as_the_same_access(tmp_path: Path) -> None:
    ADA.save(tmp_path / "access.toml")
    assert Access.load(tmp_path / "access.toml") == ADA
    assert [entry.name for entry in tmp_path.iterdir()] == ["access.toml"]


@given(people())
def test_every_access_reads_back_from_its_text(access: Access) -> None:
    assert loads(dumps(access)) == access


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user = ada", r"access file 'my.toml' is not TOML: .*line 1.*; correct that line"),
        ("", r"my.toml: user None is no text; write user = "),
        ('user = "a"\ngroup = {}', r"my.toml: key 'group' is not known; did you mean 'groups'\?"),
        ('user = "a"\ngroups = ["db"]', r"my.toml: groups \['db'\] is no table; write its keys under \[groups\]"),
        ('user = "a"\ngroups = {db = 1}', r"my.toml: groups.db 1 is no role; write db = \"role\""),
        ('user = "a"\ngroups = {db = "r"}', r"my.toml: role of group db 'r' is not known; write it down"),
        ('user = "a"\nroles = {r = "x"}', r"my.toml: roles.r 'x' is no list of rights; write "),
        ('user = "a"\nroles = {r = ["x"]}', r"my.toml: roles.r\[0\]: right 'x' is not of three parts; write it as"),
        ('user = "a"\nbilling_codes = {c = 1}', r"my.toml: billing_codes.c 1 is no quota; write { soft = 100"),
        (
            'user = "a"\nbilling_codes = {c = {sift = 1}}',
            r"billing_codes.c: key 'sift' is not known; did you mean 'soft'",
        ),
        ('user = "a"\nbilling_codes = {c = {soft = -1}}', r"billing_codes.c: soft quota -1 is no amount; give USD"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_place(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        loads(text, "my.toml")


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"none.toml' cannot be read \(No such file"):
        Access.load(tmp_path / "none.toml")
    with pytest.raises(InvalidRequest, match=r"a.toml' cannot be written \(No such file"):
        ADA.save(tmp_path / "none" / "a.toml")
