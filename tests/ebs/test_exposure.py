"""What others can restore is told, and what the region lets be public."""

from typing import Any

import pytest

from snapkit import Sandbox
from tests.ebs.ground import ESCAPED, HOSTILE, OTHER, Field
from tests.ebs.test_blockers import calls_of

STRANGER = "999988887777"


def snapshots(field: Field, count: int = 3, **options: Any) -> list[str]:
    return field.sandbox.fill(field.new_volume(**options).id, count, tags={"Name": HOSTILE})


def test_pain_20_public_and_private_shares_are_told_the_farthest_first(field: Field) -> None:
    region = field.region()
    private, public, _ = (region.snapshots.get(each) for each in snapshots(field))
    private.share(OTHER, STRANGER)
    public.share_publicly(confirm=public.id)
    found = region.exposure()
    assert [(each.snapshot.id, each.public, each.accounts) for each in found] == [
        (public.id, True, ()), (private.id, False, (OTHER, STRANGER)),
    ]  # fmt: skip
    assert found[0].told == "public: everyone in AWS"
    assert found[1].told == "shared with 2 accounts, 1 outside the organization"
    assert found[1].outside == (STRANGER,)
    assert HOSTILE not in found._repr_html_()
    assert ESCAPED in found._repr_html_()


def test_who_belongs_to_the_user_can_be_said(field: Field) -> None:
    region = field.region()
    snapshot = region.snapshots.get(snapshots(field)[0])
    snapshot.share(STRANGER)
    assert region.exposure(known=[STRANGER])[0].outside == ()


def test_where_nobody_knows_the_organization_nothing_is_called_inside(field: Field) -> None:
    # Only the account that manages an organization may list it.
    made = field.volume(account=1)
    (snapshot_id,) = field.sandbox.fill(made, 1)
    region = field.region(account=1)
    region.snapshots.get(snapshot_id).share(STRANGER)
    (found,) = region.exposure()
    assert found.outside is None
    assert found.told == "shared with 1 account"
    assert region.exposure().to_frame()["outside"].isna().all()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "us-east-1 lets snapshots be made public"),
        ("block-new-sharing", "lets no more snapshots be made public"),
        ("block-all-sharing", "us-east-1 blocks all public sharing"),
    ],
)
def test_the_block_of_the_region_is_told_even_where_nothing_is_exposed(
    field: Field, state: str | None, told: str
) -> None:
    if state:
        field.ec2().enable_snapshot_block_public_access(State=state)
    found = field.region().exposure()
    assert found.block_public_access == (state or "unblocked")
    assert told in repr(found)


def test_what_is_public_but_hidden_by_the_block_is_still_told(field: Field) -> None:
    region = field.region()
    snapshot = region.snapshots.get(snapshots(field)[0])
    snapshot.share_publicly(confirm=snapshot.id)
    field.ec2().enable_snapshot_block_public_access(State="block-all-sharing")
    (found,) = region.exposure()
    assert (found.public, found.hidden) == (True, True)
    assert found.told == "public, hidden by the region's block"


def test_what_nobody_can_share_is_not_looked_up(field: Field) -> None:
    snapshots(field, 2)
    field.sandbox.fill(field.volume(Encrypted=True), 2)
    region = field.region()
    with calls_of(region) as calls:
        region.exposure()
    assert sum(name == "DescribeSnapshotAttribute" for name, _ in calls) == 2


def test_without_private_shares_one_call_tells_all_that_is_public(field: Field) -> None:
    region = field.region()
    private, public, _ = (region.snapshots.get(each) for each in snapshots(field))
    private.share(OTHER)
    public.share_publicly(confirm=public.id)
    with calls_of(region) as calls:
        found = region.exposure(private=False)
    assert [each.snapshot.id for each in found] == [public.id]
    assert "DescribeSnapshotAttribute" not in dict(calls)
    assert "shares with accounts were not looked up" in repr(found)


def test_many_look_ups_with_throttles_lose_none() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        volume = region.volumes.create("us-east-1a", "8 GiB")
        made = sandbox.fill(volume.id, 40)
        for each in made[::2]:
            region.snapshots.get(each).share(STRANGER)
        sandbox.faults.add("DescribeSnapshotAttribute", throttle=2)
        assert {each.snapshot.id for each in region.exposure()} == set(made[::2])


def test_since_and_until_come_from_tags(field: Field) -> None:
    region = field.region()
    snapshot = region.snapshots.get(snapshots(field)[0])
    snapshot.share(OTHER)
    snapshot.tag({"snapkit:shared-until": "2026-02-01"})
    assert region.exposure()[0].until == "2026-02-01"
