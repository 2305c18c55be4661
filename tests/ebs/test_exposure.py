"""What others can restore is told, and what the region lets be public."""

from typing import Any

import pytest

from snapkit import Sandbox
from snapkit.ebs.exposure import shares_of
from tests.ebs.ground import ESCAPED, HOSTILE, OTHER, Field
from tests.ebs.share_ground import deny
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


def test_pain_20_exposure_shows_since_and_until_when_and_what_is_overdue(field: Field) -> None:
    region = field.region()
    snapshot = region.snapshots.get(snapshots(field)[0])
    snapshot.share(OTHER, until="2d")
    snapshot.share(STRANGER, until="30d")
    region.snapshots.get(snapshot.id).share("777766665555")
    (found,) = region.exposure()
    assert found.until == found.terms[OTHER].until
    assert set(found.terms) == {OTHER, STRANGER}
    assert (found.overdue, len(found.accounts)) == ((), 3)
    field.clock.advance("3d")
    listed = region.exposure()
    assert listed[0].overdue == (OTHER,)
    assert listed[0].told == "shared with 3 accounts, 2 outside the organization, 1 longer than it ought to be"
    assert ">2026-01-07 00:00<" in listed._repr_html_()
    frame = listed.to_frame()
    assert frame["overdue"][0] == OTHER
    assert (frame["until"] - frame["since"])[0].days == 2
    snapshot.share(OTHER)
    assert region.exposure()[0].overdue == ()


def test_a_share_for_good_has_no_until(field: Field) -> None:
    region = field.region()
    region.snapshots.get(snapshots(field)[0]).share(OTHER)
    frame = region.exposure().to_frame()
    assert frame["until"].isna().all()
    assert str(frame["until"].dtype) == "datetime64[ms, UTC]"
    assert (region.exposure()[0].since, region.exposure()[0].overdue) == (None, ())


def test_what_may_not_be_looked_up_is_told_and_the_rest_is_there(field: Field) -> None:
    region = field.region()
    private, public, _ = (region.snapshots.get(each) for each in snapshots(field))
    private.share(OTHER)
    public.share_publicly(confirm=public.id)
    field.sandbox.fill(field.volume(Encrypted=True), 1)
    for service, operation in (
        ("ec2", "DescribeSnapshotAttribute"),
        ("ec2", "GetSnapshotBlockPublicAccessState"),
        ("kms", "DescribeKey"),
        ("organizations", "ListAccounts"),
    ):
        deny(region.aws if service == "ec2" else region.service(service), service, operation)
    found = region.exposure()
    assert [each.snapshot.id for each in found] == [public.id]
    assert found[0].outside is None
    assert "with which accounts they are shared this account may not look up" in repr(found)
    assert "whether us-east-1 blocks public sharing is not known" in repr(found)


def test_a_snapshot_that_is_deleted_meanwhile_is_left_out(field: Field) -> None:
    region = field.region()
    kept, gone, _ = (region.snapshots.get(each) for each in snapshots(field))
    kept.share(OTHER)
    gone.delete()
    assert shares_of(region, [gone.id, kept.id]) == {kept.id: (OTHER,)}
