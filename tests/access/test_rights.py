import pytest

from snapkit.access import ACTIONS, Access, Belonging, Qualifier, Right, Role
from snapkit.errors import InvalidRequest, NotPermitted

ADA = Access(
    "ada",
    {"db": "operator", "web": "reader", "lab": ""},
    [
        Role("operator", ["Snapshot: Delete: THIS_GROUP", "Volume: Snapshot: GROUP", "Volume: Attach: BILLING"]),
        Role("reader", ["snapshot: share_local: mine", "Server: ANY: ANY"]),
        Role("admin", ["ANY: ANY: ANY"]),
    ],
    ["CC-42"],
)


@pytest.mark.parametrize(
    ("resource", "action", "about", "expected"),
    [
        ("Snapshot", "Delete", Belonging(group="db"), True),
        ("Snapshot", "Delete", Belonging(group="web"), False),
        ("Volume", "Snapshot", Belonging(group="lab"), True),
        ("Volume", "Snapshot", Belonging(group="other"), False),
        ("Volume", "Snapshot", Belonging(), False),
        ("Volume", "Attach", Belonging(billing_code="CC-42"), True),
        ("Volume", "Attach", Belonging(billing_code="CC-43"), False),
        ("Snapshot", "ShareLocal", Belonging(owner="ada"), True),
        ("snapshot", "share_local", Belonging(owner="ada"), True),
        ("Snapshot", "ShareLocal", Belonging(owner="bob"), False),
        ("Server", "Image", Belonging(), True),
        ("Snapshot", "SharePublic", Belonging("db", "CC-42", "ada"), False),
    ],
)
def test_rights_add_up_over_groups_and_hold_where_their_qualifier_says(
    resource: str, action: str, about: Belonging, expected: bool
) -> None:
    assert ADA.can(resource, action, about) is expected


def test_a_missing_right_is_named_with_the_thing() -> None:
    with pytest.raises(NotPermitted, match=r"do not allow Snapshot: SharePublic for snap-1; ask for a role") as caught:
        ADA.allow("snapshot", "share_public", Belonging("db"), "snap-1")
    assert caught.value.right == "Snapshot: SharePublic"
    ADA.allow("snapshot", "delete", Belonging("db"), "snap-1")


def test_any_stands_for_every_action_and_every_resource() -> None:
    assert set(Right("Volume", "ANY").covers()) == {("Volume", action) for action in ACTIONS["Volume"]}
    assert len(set(Right("ANY", "ANY").covers())) == 10


def test_a_right_reads_back_from_its_text() -> None:
    right = Right("snapshot", "create_volume", Qualifier.THIS_GROUP)
    assert str(right) == "Snapshot: CreateVolume: THIS_GROUP"
    assert Right.of(str(right)) == right == Right.of("SNAPSHOT:createvolume:this_group")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Snapshot: Delete", r"right 'Snapshot: Delete' is not of three parts; write it as"),
        ("Snapshots: Delete: ANY", r"resource 'Snapshots' is not known; use one of Snapshot, Volume, Server, ANY"),
        ("Snapshot: Attach: ANY", r"action on a snapshot 'Attach' is not known; use one of CreateVolume, "),
        ("ANY: Delete: ANY", r"action 'Delete' is not known; use one of ANY"),
        ("Snapshot: Delete: OURS", r"qualifier 'OURS' is not known; use one of ANY, GROUP"),
    ],
)
def test_a_right_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        Right.of(text)


def test_a_group_may_only_give_a_role_that_there_is() -> None:
    with pytest.raises(InvalidRequest, match=r"role of group db 'adnim' is not known; write it down, or use: admin"):
        Access("ada", {"db": "adnim"}, [Role("admin", ["ANY: ANY: ANY"])])


@pytest.mark.parametrize(("user", "group"), [("", "db"), ("ada", " ")])
def test_an_empty_name_is_refused_for_it_would_match_what_has_none(user: str, group: str) -> None:
    with pytest.raises(InvalidRequest, match=r"is no text; give the (user|group) a name"):
        Access(user, {group: ""}, [])


def test_a_person_shows_every_right_with_its_group_and_escapes_names() -> None:
    shown = Access("<b>", {"<i>": "r"}, [Role("r", ["Volume: Delete: GROUP"])])._repr_html_()
    assert "&lt;b&gt; may charge to no billing code" in shown
    assert "&lt;i&gt;</td>" in shown
    assert "<i>" not in shown
