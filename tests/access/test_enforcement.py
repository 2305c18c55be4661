"""What a region does with an access: refuses before any call, and says who owns what is made."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from snapkit import Sandbox
from snapkit.access import Access, Belonging, Role
from snapkit.ebs import Region, Server, Snapshot, Volume
from snapkit.errors import InvalidRequest, NotPermitted

ZONE = "us-east-1a"
SHARE = "Snapshot: ShareLocal: THIS_GROUP"
NOBODY = Access("bob", {"web": ""}, [])


class Things:
    """One of each, made without an access, and seen through one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.open = sandbox.region()
        self.calls: list[str] = []
        made = self.open.volumes.create(ZONE, "1 GiB", group="db", billing_code="CC-42")
        sandbox.write(made.id, 0, 10)
        self.ids = (made.id, made.take_snapshot().wait().id)

    def region(self, access: Access | None) -> Region:
        region = self.sandbox.region(access=access)
        region.aws.client.meta.events.register("before-call.ec2", self._note)
        return region

    def _note(self, model: Any, **_: Any) -> None:
        if not model.name.startswith(("Describe", "Get")):
            self.calls.append(model.name)

    def seen(self, access: Access | None) -> tuple[Volume, Snapshot]:
        region = self.region(access)
        return region.volumes.get(self.ids[0]), region.snapshots.get(self.ids[1])


@pytest.fixture
def things() -> Iterator[Things]:
    with Sandbox() as sandbox:
        yield Things(sandbox)


OPERATIONS: dict[str, tuple[str, Callable[[Volume, Snapshot], object]]] = {
    "take_snapshot": ("Volume: Snapshot", lambda volume, _: volume.take_snapshot()),
    "attach": ("Volume: Attach", lambda volume, _: volume.attach("i-0123456789abcdef0")),
    "detach": ("Volume: Detach", lambda volume, _: volume.detach()),
    "resize": ("Volume: Create", lambda volume, _: volume.resize("2 GiB")),
    "create": ("Volume: Create", lambda volume, _: volume.region.volumes.create(ZONE, "1 GiB", group="db")),
    "delete volume": ("Volume: Delete", lambda volume, _: volume.delete()),
    "create_volume": ("Snapshot: CreateVolume", lambda _, snapshot: snapshot.create_volume(ZONE)),
    "delete snapshot": ("Snapshot: Delete", lambda _, snapshot: snapshot.delete()),
    "share": ("Snapshot: ShareLocal", lambda _, snapshot: snapshot.share("444455556666")),
    "unshare": ("Snapshot: ShareLocal", lambda _, snapshot: snapshot.unshare("444455556666")),
    "make_private": ("Snapshot: ShareLocal", lambda _, snapshot: snapshot.make_private()),
    "copy_to": ("Snapshot: CreateVolume", lambda _, snapshot: snapshot.copy_to("us-east-1")),
    "enable_fast_restore": ("Snapshot: CreateVolume", lambda _, snapshot: snapshot.enable_fast_restore([ZONE])),
    "disable_fast_restore": ("Snapshot: CreateVolume", lambda _, snapshot: snapshot.disable_fast_restore([ZONE])),
    "lock": ("Snapshot: Delete", lambda _, snapshot: snapshot.lock(duration="1d")),
    "unlock": ("Snapshot: Delete", lambda _, snapshot: snapshot.unlock()),
    "archive": ("Snapshot: Delete", lambda _, snapshot: snapshot.archive(confirm=snapshot.id)),
    "restore_from_archive": ("Snapshot: Delete", lambda _, snapshot: snapshot.restore_from_archive(7)),
    "restore_from_recycle_bin": ("Snapshot: Delete", lambda _, snapshot: snapshot.restore_from_recycle_bin()),
    "share_publicly": ("Snapshot: SharePublic", lambda _, snapshot: snapshot.share_publicly(confirm=snapshot.id)),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_the_right_nothing_is_called(things: Things, operation: str) -> None:
    right, run = OPERATIONS[operation]
    with pytest.raises(NotPermitted) as caught:
        run(*things.seen(NOBODY))
    assert caught.value.right == right
    assert things.calls == []


@pytest.mark.parametrize(
    "operation",
    [
        "take_snapshot",
        "resize",
        "create",
        "create_volume",
        "share",
        "make_private",
        "copy_to",
        "lock",
        "enable_fast_restore",
    ],
)
def test_with_the_right_it_is_done(things: Things, operation: str) -> None:
    right, run = OPERATIONS[operation]
    run(*things.seen(Access("ada", {"db": "one"}, [Role("one", [f"{right}: THIS_GROUP"])])))
    assert things.calls


def test_a_server_is_imaged_with_a_right_of_its_own(things: Things) -> None:
    region = things.region(NOBODY)
    raw = {"InstanceId": "i-0123456789abcdef0", "BlockDeviceMappings": []}
    with pytest.raises(NotPermitted, match="Server: Image for i-0123456789abcdef0"):
        Server(region, raw).take_snapshots()


def test_a_form_may_ask_beforehand(things: Things) -> None:
    _, snapshot = things.seen(NOBODY)
    assert not snapshot.region.can("snapshot", "share_public", snapshot)
    assert things.open.can("snapshot", "share_public", snapshot)
    assert not snapshot.region.can("volume", "create", Belonging(group="web"))
    with pytest.raises(InvalidRequest, match="action on a snapshot 'share'"):
        things.open.can("snapshot", "share", snapshot)


def test_what_a_person_makes_is_theirs(things: Things) -> None:
    roles = [Role("own", ["Snapshot: ANY: MINE", "Volume: Create: MINE", "Volume: Snapshot: MINE"])]
    region = things.region(Access("ada", {"lab": "own"}, roles))
    volume = region.volumes.create(ZONE, "1 GiB")
    snapshot = volume.take_snapshot(tags={"snapkit:owner": "bob"})
    assert volume.refresh().tags["snapkit:owner"] == snapshot.tags["snapkit:owner"] == "ada"
    snapshot.wait().delete()
    with pytest.raises(NotPermitted, match="Snapshot: Delete"):
        region.snapshots.get(things.ids[1]).delete()


def test_the_tags_that_rights_rest_on_stay(things: Things) -> None:
    volume, _ = things.seen(NOBODY)
    with pytest.raises(InvalidRequest, match=r"tag 'snapkit:group' of vol-\w+ decides who may use it, and stays"):
        volume.tag({"snapkit:group": "web"})
    assert things.calls == []
    volume.tag({"purpose": "test", "snapkit:group": "db"})
    assert things.calls == ["CreateTags"]


def test_another_region_of_the_account_has_the_same_access(things: Things) -> None:
    assert things.region(NOBODY).beside("eu-west-1").access is NOBODY


def test_nobody_gains_a_right_by_giving_a_thing_to_another_group(things: Things) -> None:
    roles = [Role("keep", ["Volume: Snapshot: THIS_GROUP", "Snapshot: CreateVolume: GROUP"]), Role("share", [SHARE])]
    volume, snapshot = things.seen(Access("ada", {"db": "keep", "web": "share"}, roles))
    with pytest.raises(NotPermitted, match="Volume: Snapshot for a new volume"):
        volume.take_snapshot(group="web")
    for give in (
        lambda: snapshot.create_volume(ZONE, group="pay"),
        lambda: snapshot.copy_to("us-east-1", tags={"snapkit:group": "pay"}),
    ):
        with pytest.raises(NotPermitted, match="Snapshot: CreateVolume for a new snapshot"):
            give()
    assert things.calls == []
    assert snapshot.create_volume(ZONE).group == "db"
