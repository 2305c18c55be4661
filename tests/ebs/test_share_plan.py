"""Sharing many, with accounts or with everyone, and no longer: each by a plan that is shown and approved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from snapkit import AwsError, InvalidRequest, StalePlan
from snapkit.access import Access, Role
from snapkit.ebs.sharing import terms
from tests.ebs.ground import HOSTILE, OTHER, OWN, Field
from tests.ebs.share_ground import THIRD, allow, copies, deny, encrypted, open_key, results, run, term_of
from tests.ebs.test_blockers import calls_of


def test_what_can_be_shared_as_it_is_takes_one_step(field: Field) -> None:
    snapshot = field.new_volume(name=HOSTILE).take_snapshot().wait()
    plan = snapshot.plan_share(OTHER, until="30d", kms_key=open_key(field))
    (step,) = plan
    end = field.clock.now() + timedelta(days=30)
    assert (step.name, step.reason) == (f"share {snapshot.id}", f"with {OTHER} until {end:%Y-%m-%d %H:%M} UTC")
    assert (step.blockers, step.warnings) == ((), ("others find it in us-east-1 only",))
    assert (plan.total_usd, plan.monthly_usd) == ((0, 0), (0, 0))
    assert snapshot.shared_with() == ()
    assert HOSTILE not in plan._repr_html_()
    approval = plan.approve(by="on-call")
    assert results(plan.apply(approval)) == ["done"]
    assert snapshot.shared_with() == (OTHER,)
    assert list(terms(snapshot.refresh().tags)) == [OTHER]
    assert results(plan.apply(approval)) == ["already done"]


def test_a_key_that_changed_since_makes_the_plan_stale(field: Field) -> None:
    key = open_key(field)
    snapshot = encrypted(field, kms_key_id=key)
    plan = snapshot.plan_share(OTHER)
    assert plan[0].warnings == ("others find it in us-east-1 only",)
    approval = plan.approve(by="me")
    allow(field, key, "kms:DescribeKey")
    with pytest.raises(StalePlan, match=f"{snapshot.id}: sharing was can be shared privately"):
        plan.apply(approval)
    assert snapshot.shared_with() == ()


def test_many_are_planned_together_and_copies_begun_before_any_is_waited_for(field: Field) -> None:
    region, key = field.region(), open_key(field)
    plain = field.new_volume().take_snapshot().wait()
    one, two = (encrypted(field) for _ in range(2))
    with calls_of(region) as calls:
        plan = region.snapshots.plan_share([plain, one.id, two.id, one], [OTHER, THIRD, OTHER], kms_key=key)
    assert [step.name for step in plan][:3] == [
        f"share {plain.id}", f"make the copy of {one.id}", f"make the copy of {two.id}",
    ]  # fmt: skip
    assert len(plan) == 9
    assert not {"CopySnapshot", "ModifySnapshotAttribute", "CreateTags"} & {name for name, _ in calls}
    assert run(plan).complete
    for each in (plain, *copies(region, one), *copies(region, two)):
        assert set(each.shared_with()) == {OTHER, THIRD}


def test_what_is_not_there_is_archived_or_of_another_account_is_blocked(field: Field) -> None:
    gone, archived, foreign = (field.new_volume().take_snapshot().wait() for _ in range(3))
    gone.delete()
    archived.archive(confirm=archived.id)
    field.clock.advance("1d")
    foreign.share(OTHER)
    plan = field.region().snapshots.plan_share([gone, archived], [OTHER])
    assert [step.blockers for step in plan] == [
        ("it is gone, or never was: leave it out",), ("it is archived: restore it first",),
    ]  # fmt: skip
    assert results(run(plan)) == ["blocked", "blocked"]
    there = field.region(account=1).snapshots
    for other in (there.plan_share([foreign.id], [THIRD]), there.plan_make_private([foreign.id])):
        assert other[0].blockers == (f"it belongs to {OWN}, and only the owner can share it",)


def test_bad_arguments_are_refused_before_any_call(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    away = field.region("eu-west-1").snapshots
    with calls_of(snapshot.region) as calls:
        for accounts, until, words in (
            ([], None, "are none"),
            (["1"], None, "is no id of an account"),
            ([OTHER], datetime(2020, 1, 1, tzinfo=UTC), "is not in the future"),
        ):
            with pytest.raises(InvalidRequest, match=words):
                snapshot.plan_share(*accounts, until=until)
        with pytest.raises(InvalidRequest, match="is one text, no list; give ids"):
            snapshot.region.snapshots.plan_share([snapshot], OTHER)
        with pytest.raises(InvalidRequest, match="snap-zz"):
            snapshot.region.snapshots.plan_make_private(["snap-zz"])
    assert calls == []
    with pytest.raises(InvalidRequest, match="owns the snapshot"):
        snapshot.plan_share(OWN)
    with pytest.raises(InvalidRequest, match="plan each region by itself"):
        away.plan_share_publicly([snapshot])


def test_a_missing_right_is_shown_as_a_blocker_before_anything_is_approved(field: Field) -> None:
    key, under_default = open_key(field), encrypted(field, group="web")
    plain = field.new_volume(group="web").take_snapshot().wait()
    region = field.region()
    region.access = Access("sam", {"web": "reader"}, [Role("reader", ["Snapshot: CreateVolume: GROUP"])])
    missing = "your roles do not allow Snapshot: {}; ask for a role with that right"
    plans = region.snapshots
    shared = plans.plan_share([plain.id, under_default.id], [OTHER], kms_key=key)
    assert [step.blockers for step in shared] == [
        (missing.format("ShareLocal"),), (missing.format("ShareLocal"),), (), (missing.format("ShareLocal"),), (),
    ]  # fmt: skip
    assert plans.plan_share_publicly([plain.id])[0].blockers == (missing.format("SharePublic"),)
    assert plans.plan_make_private([plain.id])[0].blockers == (missing.format("ShareLocal"),)
    assert set(results(run(shared))) == {"blocked", "skipped"}
    assert copies(region, under_default) == []
    region.access = Access("sam", {"web": "sharer"}, [Role("sharer", ["Snapshot: ShareLocal: GROUP"])])
    (copying, *_) = plans.plan_share([under_default.id], [OTHER], kms_key=key)
    assert copying.blockers == (missing.format("CreateVolume"),)
    # Who makes the copy owns it.
    region.access = Access(
        "sam", {"web": "mine"}, [Role("mine", ["Snapshot: CreateVolume: ANY", "Snapshot: ANY: MINE"])]
    )
    assert plans.plan_share([under_default.id], [OTHER], kms_key=key).blocked == ()
    assert run(plans.plan_share([under_default.id], [OTHER], kms_key=key)).complete


def test_more_ends_than_there_is_room_for_block_the_share(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot(tags={f"key {number}": "x" for number in range(46)}).wait()
    accounts = [str(number) * 12 for number in range(2, 6)]
    (step,) = snapshot.plan_share(*accounts, until="1d")
    assert step.blockers == (
        f"the accounts need a tag each for their end, 1 more than {snapshot.id} has room for; share with fewer",
    )
    assert snapshot.plan_share(*accounts).blocked == ()


def test_pain_20_exposure_many_are_made_public_by_a_plan_and_private_by_another(field: Field) -> None:
    region = field.region()
    one, two, secret = (*(field.new_volume().take_snapshot().wait() for _ in range(2)), encrypted(field))
    two.share(OTHER, until="3d")
    plan = region.snapshots.plan_share_publicly([one, two, secret])
    assert plan[0].reason.endswith("UTC; everyone in AWS can then read it")
    assert plan[2].blockers == ("an encrypted snapshot cannot be public",)
    approval = plan.approve(by="me")
    assert results(plan.apply(approval)) == ["done", "done", "blocked"]
    assert results(plan.apply(approval)) == ["already done", "already done", "blocked"]
    assert {each.snapshot.id for each in region.exposure() if each.public} == {one.id, two.id}
    plan = region.snapshots.plan_make_private([each.snapshot for each in region.exposure()] + [secret])
    assert {step.on: step.reason for step in plan} == {
        one.id: "shared with everyone",
        two.id: f"shared with {OTHER}, everyone",
        secret.id: "shared with nobody",
    }
    approval = plan.approve(by="me")
    assert sorted(results(plan.apply(approval))) == ["already done", "done", "done"]
    assert set(results(plan.apply(approval))) == {"already done"}
    assert len(region.exposure()) == 0
    assert terms(two.refresh().tags) == {}


def test_a_region_that_blocks_public_sharing_by_now_makes_the_plan_stale(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    plan = snapshot.region.snapshots.plan_share_publicly([snapshot])
    approval = plan.approve(by="me")
    field.ec2().enable_snapshot_block_public_access(State="block-new-sharing")
    with pytest.raises(StalePlan, match="us-east-1 blocks public sharing"):
        plan.apply(approval)
    assert snapshot.region.snapshots.plan_share_publicly([snapshot])[0].blockers == (
        "us-east-1 blocks public sharing (block-new-sharing)",
    )


def test_a_plan_to_make_private_is_stale_when_more_was_shared_since(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    snapshot.share(OTHER)
    plan = snapshot.region.snapshots.plan_make_private([snapshot])
    approval = plan.approve(by="me")
    snapshot.share(THIRD)
    with pytest.raises(StalePlan, match=f"shared with was {OTHER}, is {OTHER}, {THIRD}"):
        plan.apply(approval)


def test_where_shares_may_not_be_looked_up_plans_say_so_and_act(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    snapshot.share(OTHER)
    region = field.region()
    deny(region.aws, "ec2", "DescribeSnapshotAttribute")
    plan = region.snapshots.plan_make_private([snapshot.id])
    assert plan[0].reason == "shared with whom this account may not look up"
    assert results(run(plan)) == ["done"]
    assert results(run(region.snapshots.plan_share([snapshot.id], [THIRD]))) == ["done"]
    assert [each.id for each in field.region(account=1).snapshots.find(shared_with_me=True)] == []


def test_throttles_in_a_plan_fail_one_step_or_none(field: Field) -> None:
    snapshots = [field.new_volume().take_snapshot().wait() for _ in range(3)]
    plan = field.region().snapshots.plan_share(snapshots, [OTHER], until="2d")
    approval = plan.approve(by="me")
    field.faults("ModifySnapshotAttribute", throttle=1, lost=1)
    first = plan.apply(approval)
    # A client of boto3 tries again by itself, that of one try does not.
    assert results(first) == (["done"] * 3 if field.endpoint is None else ["failed", "failed", "done"])
    assert plan.apply(approval).complete
    assert all(each.shared_with() == (OTHER,) for each in snapshots)
    assert all(list(terms(each.refresh().tags)) == [OTHER] for each in snapshots)


def test_pain_20_exposure_shares_end_by_a_plan_when_their_time_has_come(field: Field) -> None:
    region = field.region()
    one, two, three = (field.new_volume().take_snapshot().wait() for _ in range(3))
    one.share(OTHER, until="2d")
    one.share(THIRD, until="30d")
    two.share(OTHER, until="1d")
    three.share(OTHER)
    assert len(region.snapshots.plan_expire()) == 0
    field.clock.advance("36h")
    assert [step.on for step in region.snapshots.plan_expire()] == [two.id]
    assert len(region.snapshots.plan_expire(field.clock.now() + timedelta(days=1))) == 2
    field.clock.advance("36h")
    plan = region.snapshots.plan_expire()
    end = term_of(one)
    reasons = {step.on: step.reason for step in plan}
    assert reasons[one.id] == f"shared with {OTHER} until {end.until:%Y-%m-%d %H:%M} UTC"
    approval = plan.approve(by="runner")
    assert results(plan.apply(approval)) == ["done", "done"]
    assert results(plan.apply(approval)) == ["already done", "already done"]
    assert (one.shared_with(), two.shared_with(), three.shared_with()) == ((THIRD,), (), (OTHER,))
    assert list(terms(one.refresh().tags)) == [THIRD]
    assert len(region.snapshots.plan_expire()) == 0


def test_a_share_that_got_more_time_since_makes_the_plan_stale(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    snapshot.share(OTHER, until="1d")
    field.clock.advance("2d")
    plan = snapshot.region.snapshots.plan_expire()
    approval = plan.approve(by="runner")
    snapshot.share(OTHER, until="5d")
    with pytest.raises(StalePlan, match="is nothing"):
        plan.apply(approval)
    assert snapshot.shared_with() == (OTHER,)


def test_an_end_that_cannot_be_read_is_told_and_ended_by_nobody(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    snapshot.share(THIRD, OTHER, until="1d")
    snapshot.tag({f"snapkit:shared-{OTHER}": HOSTILE})
    plan = snapshot.region.snapshots.plan_expire()
    told = f"until when {OTHER} has it the tag snapkit:shared-{OTHER} does not tell: share it anew with until=..."
    assert (plan[0].reason, plan[0].blockers) == ("shared until nobody knows when", (told,))
    assert results(run(plan)) == ["blocked"]
    field.clock.advance("2d")
    plan = snapshot.region.snapshots.plan_expire()
    assert (plan[0].blockers, plan[0].warnings) == ((), (told,))
    assert results(run(plan)) == ["done"]
    assert snapshot.shared_with() == (OTHER,)
    assert HOSTILE not in plan._repr_html_()


def test_shares_that_were_ended_elsewhere_only_lose_their_tag(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    snapshot.share(OTHER, until="1d")
    field.ec2().reset_snapshot_attribute(SnapshotId=snapshot.id, Attribute="createVolumePermission")
    field.clock.advance("2d")
    assert results(run(snapshot.region.snapshots.plan_expire())) == ["done"]
    assert terms(snapshot.refresh().tags) == {}


@pytest.mark.parametrize("end", ["unshare", "delete"])
def test_shares_that_another_run_ends_after_they_were_listed_need_nothing(field: Field, end: str) -> None:
    region, snapshot = field.region(), field.new_volume().take_snapshot().wait()
    snapshot.share(OTHER, until="1d")
    field.clock.advance("2d")
    ended = list[str]()

    def listed(**_: Any) -> None:
        if not ended:
            ended.append(end)
            snapshot.unshare(OTHER) if end == "unshare" else snapshot.delete()

    region.aws.client.meta.events.register("after-call.ec2.DescribeSnapshots", listed)
    assert len(region.snapshots.plan_expire()) == 0
    assert ended == [end]


def test_the_moment_needs_a_time_zone(field: Field) -> None:
    with pytest.raises(InvalidRequest, match="has no time zone"):
        field.region().snapshots.plan_expire(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_an_expiry_broken_off_between_the_share_and_its_tag_is_finished(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    snapshot.share(OTHER, until="1d")
    field.clock.advance("2d")
    plan = snapshot.region.snapshots.plan_expire()
    approval = plan.approve(by="runner")
    field.faults("DeleteTags", internal=9)
    assert results(plan.apply(approval)) == ["failed"]
    field.sandbox.faults.clear()
    assert snapshot.shared_with() == ()
    assert results(plan.apply(approval)) == ["done"]
    assert terms(snapshot.refresh().tags) == {}


def test_without_permission_to_list_nothing_is_planned_silently(field: Field) -> None:
    region = field.region()
    deny(region.aws, "ec2", "DescribeSnapshots")
    with pytest.raises(AwsError, match="DescribeSnapshots"):
        region.snapshots.plan_expire()
