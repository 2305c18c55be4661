"""What cannot be shared as it is, is shared by a copy under another key, made once whatever happens."""

import pytest

from snapkit.ebs.key_use import ACTIONS
from snapkit.ebs.sharing import terms
from snapkit.plan import Deed
from tests.ebs.ground import OTHER, Field
from tests.ebs.share_ground import copies, deny, encrypted, open_key, own_key, results, run, stop_at

COPYING = ["make the copy of", "wait for the copy of", "share the copy of", "verify the copy of"]


def test_pain_8_what_is_under_the_default_key_is_shared_by_a_copy_with_its_price(field: Field) -> None:
    key = open_key(field)
    snapshot = encrypted(field, written=2048, group="db")
    plan = snapshot.plan_share(OTHER, kms_key=key, until="30d")
    assert [step.name for step in plan] == [f"{what} {snapshot.id}" for what in COPYING]
    assert [step.waits_for for step in plan] == [(), *((f"{what} {snapshot.id}",) for what in COPYING[:3])]
    assert plan.blocked == ()
    assert plan.total_usd == (0, 0)
    assert plan.monthly_usd == pytest.approx((0.05, 0.05))
    assert plan[0].reason == (
        "it is under the default key aws/ebs, which other accounts cannot use; "
        f"the copy under {key} will be full because it will be under another key"
    )
    approval = plan.approve(by="on-call")
    assert copies(field.region(), snapshot) == []
    assert results(plan.apply(approval)) == ["done"] * 4
    (copy,) = copies(field.region(), snapshot)
    assert (copy.state, copy.raw["KmsKeyId"], copy.group, copy.shared_with()) == ("completed", key, "db", (OTHER,))
    assert list(terms(copy.tags)) == [OTHER]
    assert snapshot.shared_with() == ()
    assert [each.id for each in field.region(account=1).snapshots.find(shared_with_me=True)] == [copy.id]
    assert results(plan.apply(approval)) == ["already done"] * 3 + ["done"]
    assert len(copies(field.region(), snapshot)) == 1


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_plan_broken_off_goes_on_where_it_was_and_copies_once(field: Field, number: int) -> None:
    key, snapshot = open_key(field), encrypted(field)
    plan = snapshot.plan_share(OTHER, kms_key=key)
    approval = plan.approve(by="me")
    with pytest.raises(KeyboardInterrupt):
        plan.apply(approval, on_deed=stop_at(number))
    # In the same session, and in another one that knows nothing of the first.
    again = field.region().snapshots.get(snapshot.id).plan_share(OTHER, kms_key=key)
    (copy,) = copies(field.region(), snapshot)
    assert again[0].reason == f"{copy.id} under this key is there already"
    assert again.monthly_usd == (0, 0)
    assert results(plan.apply(approval)) == ["already done"] * min(number, 3) + ["done"] * (4 - min(number, 3))
    assert run(again).complete
    # Each step looks before it leaps, whoever runs it.
    for step in plan:
        step.do()
    assert [each.id for each in copies(field.region(), snapshot)] == [copy.id]
    assert copy.shared_with() == (OTHER,)


def test_a_copy_whose_answer_was_lost_or_that_is_hidden_at_first_is_made_once(field: Field) -> None:
    key, snapshot = open_key(field), encrypted(field)
    field.faults("CopySnapshot", lost=1, hidden=2)
    assert run(snapshot.plan_share(OTHER, kms_key=key)).complete
    (copy,) = copies(field.region(), snapshot)
    assert copy.shared_with() == (OTHER,)


def test_a_copy_that_ends_in_error_is_told_and_made_anew(field: Field) -> None:
    key, snapshot = open_key(field), encrypted(field)
    field.faults("CopySnapshot", failing=1, message="Given key ID is not accessible")
    plan = snapshot.plan_share(OTHER, kms_key=key)
    approval = plan.approve(by="me")
    applied = plan.apply(approval)
    assert results(applied) == ["done", "failed", "skipped", "skipped"]
    assert "Given key ID is not accessible" in applied[1].told
    assert results(plan.apply(approval)) == ["done"] * 4
    assert [each.state for each in copies(field.region(), snapshot)] == ["completed", "error"]


def test_a_copy_that_is_gone_when_it_is_to_be_shared_is_told(field: Field) -> None:
    key, snapshot = open_key(field), encrypted(field)
    plan = snapshot.plan_share(OTHER, kms_key=key)

    def lose(deed: Deed) -> None:
        if deed.step.what == "wait for the copy of":
            field.ec2().delete_snapshot(SnapshotId=copies(field.region(), snapshot)[0].id)

    applied = plan.apply(plan.approve(by="me"), on_deed=lose)
    assert results(applied) == ["done", "done", "failed", "skipped"]


def test_the_verification_asks_aws(field: Field) -> None:
    key, snapshot = open_key(field), encrypted(field)
    plan = snapshot.plan_share(OTHER, kms_key=key)

    def unshare(deed: Deed) -> None:
        if deed.step.what == "share the copy of":
            copies(field.region(), snapshot)[0].unshare(OTHER)

    applied = plan.apply(plan.approve(by="me"), on_deed=unshare)
    assert results(applied) == ["done", "done", "done", "failed"]
    assert f"it is not shared with {OTHER}; apply the plan again" in applied[3].told


def test_without_a_key_the_price_is_shown_and_the_step_blocked(field: Field) -> None:
    snapshot = encrypted(field, written=2048)
    plan = snapshot.plan_share(OTHER)
    assert [bool(step.blockers) for step in plan] == [True, False, False, False]
    assert plan[0].blockers == ("there is no key to copy it under: name one of your own with kms_key=...",)
    assert plan[0].monthly_usd == pytest.approx((0.05, 0.05))
    assert results(run(plan)) == ["blocked", "skipped", "skipped", "skipped"]
    assert copies(field.region(), snapshot) == []


def test_keys_that_would_not_do_block_the_copy(field: Field) -> None:
    snapshot = encrypted(field)
    unknown = snapshot.plan_share(OTHER, kms_key="alias/none")
    assert unknown[0].blockers == ("the key alias/none is no key in us-east-1; give the id, alias or ARN of one there",)
    default = snapshot.plan_share(OTHER, kms_key="alias/aws/ebs")
    assert default[0].blockers == ("the key alias/aws/ebs is the default key aws/ebs as well: name one of your own",)
    key = own_key(field)
    field.client("kms").create_alias(AliasName="alias/share", TargetKeyId=key)
    deny(snapshot.region.service("kms"), "kms", "DescribeKey")
    unknown = snapshot.plan_share(OTHER, kms_key="alias/share")
    assert unknown[0].blockers == (
        "which key alias/share is could not be looked up (DescribeKey: AccessDeniedException): give its ARN",
    )
    assert f"{OTHER} cannot use it: the policy of the key {snapshot.raw['KmsKeyId']}" in unknown[0].reason
    assert run(snapshot.plan_share(OTHER, kms_key=key)).complete


def test_what_nobody_may_look_up_is_left_to_aws(field: Field) -> None:
    snapshot = encrypted(field)
    for operation in ("DescribeKey", "GetKeyPolicy"):
        deny(snapshot.region.service("kms"), "kms", operation)
    (step,) = snapshot.plan_share(OTHER, kms_key="alias/share")
    assert step.blockers == ()
    assert f"whether {OTHER} can use it is not known" in step.warnings[2]
    applied = run(snapshot.plan_share(OTHER))
    assert results(applied) == ["failed"]
    assert "ask snapshot.can_share() for the reason and the way out" in applied[0].told


def test_a_look_up_that_fails_in_the_middle_fails_its_step_and_copies_nothing_twice(field: Field) -> None:
    key, snapshot = open_key(field), encrypted(field)
    plan = snapshot.plan_share(OTHER, kms_key=key)
    approval = plan.approve(by="me")

    def throttle(deed: Deed) -> None:
        if deed.step.what == "make the copy of":
            field.faults("DescribeSnapshots", throttle=30)

    applied = plan.apply(approval, on_deed=throttle)
    assert results(applied) == ["done", "failed", "skipped", "skipped"]
    field.sandbox.faults.clear()
    assert results(plan.apply(approval)) == ["already done", "done", "done", "done"]
    assert len(copies(field.region(), snapshot)) == 1


def test_an_alias_names_the_key_that_it_stands_for(field: Field) -> None:
    key, snapshot = open_key(field), encrypted(field)
    field.client("kms").create_alias(AliasName="alias/share", TargetKeyId=key)
    plan = snapshot.plan_share(OTHER, kms_key="alias/share")
    approval = plan.approve(by="me")
    assert plan.apply(approval).complete
    assert results(plan.apply(approval))[0] == "already done"
    assert [each.raw["KmsKeyId"] for each in copies(field.region(), snapshot)] == [key]


def test_pain_8_a_key_that_the_other_side_may_not_use_is_warned_of_or_got_around(field: Field) -> None:
    closed = own_key(field)
    snapshot = encrypted(field, kms_key_id=closed)
    (step,) = snapshot.plan_share(OTHER)
    assert step.blockers == ()
    assert f"the policy of the key {closed} does not allow {', '.join(ACTIONS)}" in step.warnings[1]
    assert step.warnings[2] == "with kms_key=... a copy under another key is shared instead"
    (same,) = snapshot.plan_share(OTHER, kms_key=closed)
    assert same.what == "share"
    plan = snapshot.plan_share(OTHER, kms_key=open_key(field))
    assert [step.what for step in plan] == COPYING
    assert plan[2].warnings == ()
    assert f"{OTHER} cannot use it" in plan[0].reason
    # A second key that does not let them either is warned of where the copy is shared.
    still = snapshot.plan_share(OTHER, kms_key=own_key(field))
    assert f"{OTHER} cannot use it" in still[2].warnings[0]
