"""Nothing is deleted that something needs, and many only by an approved plan."""

import pytest

from snapkit import InUse, InvalidRequest, NotFound, NotPermitted, StalePlan
from snapkit.access import Access
from snapkit.ebs import Snapshot
from snapkit.ebs.deleting import most_monthly_usd
from snapkit.plan import Plan
from tests.ebs.ground import HOSTILE, OTHER, Field
from tests.ebs.test_blockers import calls_of, image_of


def ids(field: Field) -> set[str]:
    return {snapshot.id for snapshot in field.region().snapshots.find()}


def taken(field: Field, count: int = 4) -> list[Snapshot]:
    field.sandbox.fill(field.new_volume().id, count, tags={"Name": HOSTILE})
    return list(field.region().snapshots.find())


def test_pain_14_a_snapshot_in_use_is_refused_before_the_call_with_the_way_out(field: Field) -> None:
    snapshot = taken(field)[0]
    image = image_of(field, snapshot.id)
    field.ec2().lock_snapshot(SnapshotId=snapshot.id, LockMode="governance", LockDuration=3)
    region = field.region()
    with calls_of(region) as calls, pytest.raises(InUse) as caught:
        region.snapshots.get(snapshot.id).delete()
    assert "DeleteSnapshot" not in dict(calls)
    told = str(caught.value)
    for part in (snapshot.id, image, "deregister", "locked (governance)", "unlock it first"):
        assert part in told
    assert snapshot.id in ids(field)


def test_a_warning_does_not_hinder(field: Field) -> None:
    (snapshot,) = taken(field, 1)
    assert snapshot.blockers()
    snapshot.delete()
    assert ids(field) == set()


def test_what_is_gone_already_is_said(field: Field) -> None:
    snapshot = taken(field)[0]
    snapshot.delete()
    with pytest.raises(NotFound, match=snapshot.id):
        snapshot.delete()


def test_a_plan_deletes_what_it_shows_and_nothing_before_it_is_applied(field: Field) -> None:
    region = field.region()
    taken(field)
    newest, *older = region.snapshots.find()
    plan = region.snapshots.plan_delete(older, reason="superseded")
    assert [step.name for step in plan] == [f"delete {snapshot.id}" for snapshot in older]
    assert plan[0].reason.startswith("superseded; frees ")
    approval = plan.approve(by="on-call")
    assert len(ids(field)) == 4
    assert plan.apply(approval).complete
    assert ids(field) == {newest.id}


def test_the_price_is_a_band_from_nothing_to_that_of_the_full_size(field: Field) -> None:
    region = field.region()
    taken(field, 2)
    plan = region.snapshots.plan_delete(region.snapshots.find())
    full = sum(snapshot.full_size or 0 for snapshot in region.snapshots.find())
    assert plan.monthly_usd[0] == pytest.approx(-full / 2**30 * 0.05)
    assert plan.monthly_usd[1] == 0.0
    assert "at most" in plan[0].reason


def test_an_archived_snapshot_saves_what_it_costs(field: Field) -> None:
    region = field.region()
    taken(field, 1)
    snapshot = region.snapshots.find()[0]
    archived = Snapshot(region, {**snapshot.raw, "StorageTier": "archive"})
    assert most_monthly_usd(archived) == pytest.approx(most_monthly_usd(snapshot) / 4)


def test_a_plan_names_blockers_and_deletes_the_rest(field: Field) -> None:
    region = field.region()
    first, second, *_ = taken(field)
    image = image_of(field, first.id)
    plan = region.snapshots.plan_delete([first.id, second.id])
    assert [bool(step.blockers) for step in plan] == [True, False]
    assert image in plan[0].blockers[0]
    applied = plan.apply(plan.approve(by="me"))
    assert [each.result for each in applied] == ["blocked", "done"]
    assert first.id in ids(field)
    assert second.id not in ids(field)


def test_a_plan_goes_on_past_a_deletion_that_aws_refuses(field: Field) -> None:
    region = field.region()
    snapshots = taken(field)
    plan = region.snapshots.plan_delete(snapshots)
    approval = plan.approve(by="me")
    locked = snapshots[1].id

    def lock(deed: object) -> None:
        # Somebody is faster than the plan.
        if not locks:
            locks.append(field.ec2().lock_snapshot(SnapshotId=locked, LockMode="governance", LockDuration=1))

    locks: list[object] = []
    applied = plan.apply(approval, on_deed=lock)
    assert [each.result for each in applied] == ["done", "failed", "done", "done"]
    assert "SnapshotLocked" in applied[1].told
    assert ids(field) == {locked}


def test_a_plan_broken_off_goes_on_where_it_was(field: Field) -> None:
    region = field.region()
    plan = region.snapshots.plan_delete(taken(field))
    approval = plan.approve(by="me")

    def stop(deed: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan.apply(approval, on_deed=stop)
    assert len(ids(field)) == 3
    assert [each.result for each in plan.apply(approval)] == ["already done", "done", "done", "done"]
    assert {each.result for each in plan.apply(approval)} == {"already done"}
    assert ids(field) == set()


def test_a_lost_answer_deletes_all_the_same(field: Field) -> None:
    region = field.region()
    plan = region.snapshots.plan_delete(taken(field))
    field.faults("DeleteSnapshot", lost=1, throttle=1)
    plan.apply(approval := plan.approve(by="me"))
    assert plan.apply(approval).complete
    field.sandbox.faults.clear()
    assert ids(field) == set()


def test_a_plan_made_stale_by_an_image_is_refused_with_the_difference(field: Field) -> None:
    region = field.region()
    snapshots = taken(field)
    plan = region.snapshots.plan_delete(snapshots[1:])
    approval = plan.approve(by="me")
    image = image_of(field, snapshots[2].id)
    with pytest.raises(StalePlan, match=f"{snapshots[2].id}: in the way was nothing, is the image {image}"):
        plan.apply(approval)
    assert len(ids(field)) == 4


def test_a_plan_that_would_by_now_delete_the_last_one_is_refused(field: Field) -> None:
    region = field.region()
    newest, *older = taken(field)
    plan = region.snapshots.plan_delete(older)
    approval = plan.approve(by="me")
    newest.delete()
    with pytest.raises(StalePlan, match="complete snapshots left was yes, is none"):
        plan.apply(approval)


def test_a_newer_snapshot_does_not_make_a_plan_stale(field: Field) -> None:
    region = field.region()
    newest, *older = taken(field)
    plan = region.snapshots.plan_delete(older)
    approval = plan.approve(by="me")
    field.sandbox.fill(newest.volume_id, 1)
    assert plan.apply(approval).complete


def test_what_is_gone_when_the_plan_is_made_is_said_and_left_alone(field: Field) -> None:
    region = field.region()
    first, second, *_ = taken(field)
    first.delete()
    plan = region.snapshots.plan_delete([first, second])
    assert plan[0].reason == "gone already"
    assert [each.result for each in plan.apply(plan.approve(by="me"))] == ["already done", "done"]


def test_shares_are_looked_up_where_asked(field: Field) -> None:
    region = field.region()
    snapshots = taken(field)
    snapshots[0].share(OTHER)
    assert plan_warnings(region.snapshots.plan_delete(snapshots[:2])) == ""
    assert f"shared with {OTHER}" in plan_warnings(region.snapshots.plan_delete(snapshots[:2], shares=True))


def plan_warnings(plan: Plan) -> str:
    return "; ".join(warning for step in plan for warning in step.warnings)


def test_bad_ids_and_other_regions_are_refused_before_any_call(field: Field) -> None:
    region = field.region()
    snapshot = taken(field)[0]
    with pytest.raises(InvalidRequest, match="snap-zz"):
        region.snapshots.plan_delete(["snap-zz"])
    with pytest.raises(InvalidRequest, match=snapshot.id):
        field.region("eu-west-1").snapshots.plan_delete([snapshot])


def test_a_plan_of_nothing_does_nothing(field: Field) -> None:
    plan = field.region().snapshots.plan_delete([])
    assert len(plan.apply(plan.approve(by="me"))) == 0


def test_without_the_right_nothing_is_deleted_and_a_plan_says_so(field: Field) -> None:
    region = field.region()
    snapshot = taken(field)[0]
    region.access = Access("sam", {"web": ""}, [])
    with pytest.raises(NotPermitted, match="Snapshot: Delete"):
        region.snapshots.get(snapshot.id).delete()
    (step,) = region.snapshots.plan_delete([snapshot.id])
    assert "Snapshot: Delete" in step.blockers[0]
    assert len(ids(field)) == 4
