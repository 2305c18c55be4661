import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.access import ACTIONS, Access, Belonging, Qualifier, Right, Role, policies, principal_tags, to_iam
from snapkit.access.iam import LONGEST, size
from snapkit.errors import InvalidRequest
from tests.access import calls
from tests.access.evaluator import Request, allowed

PAIRS = [(resource, action) for resource, actions in ACTIONS.items() for action in actions]
NAMES = ["ada", "db", "web", "a b"]
ODD = ["", "*", "?", "d?", "db:web", ":db:", "DB", "[db]", "${aws:PrincipalTag/snapkit:user}", "ελ", "nobody"]

names = st.sampled_from(NAMES)
values = st.sampled_from(NAMES + ODD) | st.text(max_size=5)
things = st.builds(Belonging, values, values, values)
qualified = st.sampled_from(list(Qualifier))
rights = st.builds(lambda pair, on: Right(pair[0], pair[1], on), st.sampled_from(PAIRS), qualified) | st.builds(
    lambda resource, on: Right(resource, "ANY", on), st.sampled_from([*ACTIONS, "ANY"]), qualified
)


@st.composite
def people(draw: st.DrawFn) -> Access:
    roles = [Role(name, draw(st.lists(rights, max_size=4))) for name in ("reader", "operator")]
    groups = draw(st.dictionaries(names, st.sampled_from(["", "reader", "operator"]), max_size=3))
    return Access(draw(names), groups, roles, draw(st.lists(names, max_size=2, unique=True)))


def agree(access: Access, pair: tuple[str, str], thing: Belonging) -> bool:
    # Something new is owned by whoever makes it; everything else may be anyone's.
    new = Belonging(thing.group, thing.billing_code, access.user)
    about = new if pair == ("Volume", "Create") else thing
    call = calls.parts(access, pair, thing, calls.tags_of(new))
    return allowed(policies(access), call) == access.can(*pair, about)


@given(access=people(), pair=st.sampled_from(PAIRS), thing=things)
def test_what_the_client_allows_and_what_iam_allows_are_the_same(
    access: Access, pair: tuple[str, str], thing: Belonging
) -> None:
    assert agree(access, pair, thing)


@pytest.mark.parametrize("qualifier", list(Qualifier))
@pytest.mark.parametrize("pair", PAIRS)
def test_each_right_means_the_same_to_both_on_every_kind_of_value(pair: tuple[str, str], qualifier: Qualifier) -> None:
    role = Role("one", [Right(pair[0], pair[1], qualifier)])
    access = Access("ada", {"db": "one", "web": "", "a b": "one"}, [role], ["db", "web"])
    for value in NAMES + ODD:
        for thing in (Belonging(value, "", ""), Belonging("", value, ""), Belonging("", "", value)):
            assert agree(access, pair, thing), thing


@given(access=people(), pair=st.sampled_from(PAIRS), thing=things)
def test_the_policies_of_single_roles_add_up_to_that_of_the_person(
    access: Access, pair: tuple[str, str], thing: Belonging
) -> None:
    held = sorted(set(access.groups.values()) - {""})
    each = [part for role in held for part in policies(access, role)]
    call = calls.parts(access, pair, thing, {})
    assert allowed(each, call) == allowed(policies(access), call)


@given(people())
def test_no_policy_is_longer_than_iam_takes(access: Access) -> None:
    assert all(size(part) <= LONGEST for part in policies(access))


ALL = Access("ada", {"db": "all"}, [Role("all", ["ANY: ANY: ANY"])], ["CC-1"])


def denied(access: Access, action: str, context: Mapping[str, Any], on: str = calls.SNAPSHOT) -> bool:
    asked = Request(f"ec2:{action}", on, {**calls.principal(access), **context})
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return not allowed([everything, *policies(access)], [asked])


@pytest.mark.parametrize("key", ["snapkit:owner", "snapkit:group", "snapkit:billing-code", "Snapkit:OWNER"])
@pytest.mark.parametrize("action", ["CreateTags", "DeleteTags"])
def test_nobody_changes_the_tags_that_rights_rest_on(action: str, key: str) -> None:
    assert denied(ALL, action, {"aws:TagKeys": ["Name", key]})
    assert not denied(ALL, action, {"aws:TagKeys": ["Name"]})


@pytest.mark.parametrize("action", ["CreateTags", "DeleteTags"])
def test_who_may_share_may_write_until_when_and_nothing_else(action: str) -> None:
    ada = Access("ada", {"db": "local"}, [Role("local", ["Snapshot: ShareLocal: GROUP"])])

    def may(group: str, *tags: str) -> bool:
        context = {**calls.principal(ada), "aws:ResourceTag/snapkit:group": group, "aws:TagKeys": tags}
        context = {key: value for key, value in context.items() if value}
        return allowed(policies(ada), [Request(f"ec2:{action}", calls.SNAPSHOT, context)])

    assert may("db", "snapkit:shared-444455556666", "snapkit:shared-777788889999")
    assert not may("db", "snapkit:shared-444455556666", "Name")
    assert not may("web", "snapkit:shared-444455556666")
    assert not may("db")


def test_nobody_removes_all_tags_at_once() -> None:
    assert denied(ALL, "DeleteTags", {})


def test_nobody_makes_things_in_the_name_of_another() -> None:
    asked = {"ec2:CreateAction": "CreateSnapshot", "aws:TagKeys": ["snapkit:owner"]}
    assert denied(ALL, "CreateTags", {**asked, "aws:RequestTag/snapkit:owner": "bob"}, calls.COPY)
    assert not denied(ALL, "CreateTags", {**asked, "aws:RequestTag/snapkit:owner": "ada"}, calls.COPY)


def test_a_principal_without_tags_owns_nothing() -> None:
    mine = Access("ada", {"db": "own"}, [Role("own", ["Snapshot: ANY: MINE"])])
    asked = Request("ec2:DeleteSnapshot", calls.SNAPSHOT, {"aws:ResourceTag/snapkit:owner": "ada"})
    assert not allowed(policies(mine), [asked])


SHARING = [Role("local", ["Snapshot: ShareLocal: ANY"]), Role("public", ["Snapshot: SharePublic: ANY"])]
LOCAL = Access("ada", {"db": "local"}, SHARING)
PUBLIC = Access("ada", {"db": "public"}, SHARING)


@pytest.mark.parametrize(
    ("context", "locally", "publicly"),
    [
        ({"ec2:Add/userId": "111122223333"}, True, False),
        ({"ec2:Remove/userId": "111122223333"}, True, False),
        ({"ec2:Remove/group": "all"}, True, False),
        ({"ec2:Add/group": "all"}, False, True),
        ({"ec2:Add/group": "all", "ec2:Add/userId": "111122223333"}, False, False),
        ({"ec2:Add/group": "all", "ec2:Remove/userId": "111122223333"}, False, False),
        ({"ec2:Add/group": "all", "ec2:Remove/group": "all"}, False, False),
    ],
)
def test_sharing_is_told_apart_by_what_is_added_and_removed(
    context: Mapping[str, str], locally: bool, publicly: bool
) -> None:
    for access, expected in ((LOCAL, locally), (PUBLIC, publicly)):
        asked = Request("ec2:ModifySnapshotAttribute", calls.SNAPSHOT, context)
        assert allowed(policies(access), [asked]) is expected


def test_public_sharing_is_denied_whatever_else_allows_it_unless_a_role_has_the_right() -> None:
    assert denied(Access("ada", {"db": "local"}, SHARING[:1]), "ModifySnapshotAttribute", {"ec2:Add/group": "all"})
    assert not denied(PUBLIC, "ModifySnapshotAttribute", {"ec2:Add/group": "all"})


def test_an_empty_volume_takes_another_right_than_one_from_a_snapshot() -> None:
    restore = Access("ada", {"db": "r"}, [Role("r", ["Snapshot: CreateVolume: ANY"])])
    assert allowed(policies(restore), calls.parts(restore, ("Snapshot", "CreateVolume"), Belonging(), {}))
    assert not allowed(policies(restore), calls.parts(restore, ("Volume", "Create"), Belonging(), {}))


def test_a_copy_needs_the_right_to_read_its_source() -> None:
    own = Access("ada", {"db": "r"}, [Role("r", ["Snapshot: CreateVolume: MINE"])])

    def copy(owner: str) -> list[Request]:
        me = calls.principal(own)
        source = Request("ec2:CopySnapshot", calls.SNAPSHOT, {**me, "aws:ResourceTag/snapkit:owner": owner})
        made = {**me, **calls.requested({"snapkit:owner": "ada"})}
        return [source, Request("ec2:CopySnapshot", calls.COPY, made)]

    assert allowed(policies(own), copy("ada"))
    assert not allowed(policies(own), copy("bob"))


def test_nothing_new_is_given_to_a_group_without_the_right_there() -> None:
    ada = Access("ada", {"db": "r", "web": ""}, [Role("r", ["Volume: Snapshot: THIS_GROUP"])])

    def taken(group: str) -> list[Request]:
        me = calls.principal(ada)
        volume = Request("ec2:CreateSnapshot", calls.VOLUME, {**me, "aws:ResourceTag/snapkit:group": "db"})
        new = calls.requested({"snapkit:group": group, "snapkit:owner": "ada"})
        return [volume, Request("ec2:CreateSnapshot", calls.COPY, {**me, **new})]

    assert allowed(policies(ada), taken("db"))
    assert not allowed(policies(ada), taken("web"))


def test_a_policy_is_json_with_the_keys_that_the_region_uses() -> None:
    from snapkit.tags import TagKeys

    access = Access("ada", {"db": "r"}, [Role("r", ["Volume: Delete: THIS_GROUP"])])
    text = json.dumps(to_iam(access, "r", keys=TagKeys(group="team"), partition="aws-cn"))
    assert '"aws:ResourceTag/team": ["db"]' in text
    assert "arn:aws-cn:ec2:*:*:volume/*" in text
    assert access.to_iam("r") == to_iam(access)


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"role 'al' is not known; use one of all"):
        ALL.to_iam("al")


def test_a_policy_that_is_too_long_says_how_to_get_its_parts() -> None:
    # THIS_GROUP names its groups, so many of them make a policy long.
    access = Access("ada", {f"group {i:05d}": "r" for i in range(400)}, [Role("r", ["ANY: ANY: THIS_GROUP"])])
    with pytest.raises(InvalidRequest, match=r"6144 characters of a managed policy; take the \d+ parts"):
        access.to_iam("r")
    assert all(size(part) <= LONGEST for part in policies(access))


def test_groups_that_no_policy_can_hold_are_refused() -> None:
    access = Access("ada", {f"group {i:05d}": "r" for i in range(1000)}, [Role("r", ["ANY: ANY: THIS_GROUP"])])
    with pytest.raises(InvalidRequest, match=r"groups 'THIS_GROUP' of one role .* use GROUP"):
        policies(access)


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (Access("ada", {"d:b": ""}, []), r"group 'd:b' cannot stand in a tag of IAM"),
        (Access("ada", {}, [], ["*"]), r"billing code '\*' cannot stand in a tag of IAM"),
        (Access("<ada>", {}, []), r"user '<ada>' cannot stand in a tag of IAM"),
        (Access("ada", {f"group {i}": "" for i in range(40)}, []), r"snapkit:groups .* 256 characters"),
    ],
)
def test_names_that_iam_cannot_hold_are_refused(access: Access, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        principal_tags(access)
