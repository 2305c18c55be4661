"""Locking: what cannot be undone is said before, and wants the id typed."""

from datetime import UTC, datetime, timedelta

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.ebs import Snapshot
from snapkit.errors import NotPermitted
from snapkit.forms.lock import LockForm, UnlockForm
from tests.ebs.ground import ESCAPED, HOSTILE, Field
from tests.forms.test_form import shown


def taken(ground: Field, name: str = "gold") -> Snapshot:
    return ground.new_volume().take_snapshot(name=name).wait()


def test_a_governance_lock_is_told_before_and_after(ground: Field) -> None:
    snapshot = taken(ground)
    form = LockForm(snapshot)
    assert form.problems == {"until": "Until is missing; give '30d', say, or a moment with its zone"}
    assert form.cool_off.hidden
    assert form.confirmation.hidden
    form.until.value = "30d"
    end = f"{ground.clock.now() + timedelta(days=30):%Y-%m-%d %H:%M} UTC"
    words = f"{snapshot.id} is locked until {end}, in governance mode: whoever has the permission can take the lock off"
    assert f"Then {words}." in shown(form)
    lock = form.submit()
    assert (lock.state, str(lock)) == ("governance", words)
    assert repr(form).endswith(f"done: {words}")


def test_a_moment_will_do_as_well(ground: Field) -> None:
    form = LockForm(taken(ground))
    form.until.value = datetime(2026, 3, 1, tzinfo=UTC)
    assert "until 2026-03-01 00:00 UTC" in shown(form)
    assert form.submit().expires_at == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("12h", "Until is not in whole days from 1 to 36,500; give '30d', say"),
        ("soon", "Until is not a time span; write a time"),
        ("2020-01-01 00:00+00:00", "Until is not in the future; give a later moment"),
        ("2030-01-01", "Until is no moment with a time zone"),
    ],
)
def test_an_end_that_cannot_be_is_told_at_its_field(ground: Field, given: str, told: str) -> None:
    form = LockForm(taken(ground))
    form.until.value = given
    assert form.problems["until"].startswith(told)
    assert form.until.problem == form.problems["until"]


def test_compliance_wants_the_id_typed_and_says_that_nobody_can_undo_it(ground: Field) -> None:
    snapshot = taken(ground)
    form = LockForm(snapshot)
    form.lock_mode.value, form.until.value = "compliance", "30d"
    assert "in compliance mode: nobody can take the lock off or shorten it." in shown(form)
    assert "That cannot be undone: to keep it costs up to" in shown(form)
    form.confirmation.value = "yes"
    assert f"Confirmation is not {snapshot.id}, which then nobody, AWS included" in form.problems["confirmation"]
    with pytest.raises(InvalidRequest, match="type the id"):
        form.submit()
    assert snapshot.lock_state() is None
    form.confirmation.value = snapshot.id
    assert form.submit().state == "compliance"


def test_a_cool_off_is_part_of_what_is_told(ground: Field) -> None:
    snapshot = taken(ground)
    form = LockForm(snapshot)
    form.lock_mode.value, form.until.value, form.cool_off.value = "compliance", "30d", "73"
    assert form.problems["cool_off"].startswith("Cool off is not in whole hours from 1 to 72")
    form.cool_off.value = "24"
    assert "the lock can be taken off until 2026-01-06" in shown(form)
    form.confirmation.value = snapshot.id
    assert form.submit().state == "compliance-cooloff"


def test_governance_leaves_out_what_only_compliance_has(ground: Field) -> None:
    form = LockForm(taken(ground))
    form.lock_mode.value, form.until.value, form.cool_off.value = "compliance", "30d", "24"
    form.lock_mode.value = "governance"
    assert form.problems == {}
    assert form.submit().cool_off_ends_at is None


def test_a_compliance_lock_can_only_be_extended(ground: Field) -> None:
    snapshot = taken(ground)
    held = snapshot.lock("compliance", duration="30d", confirm=snapshot.id)
    form = LockForm(snapshot)
    assert f"Now {held}." in shown(form)
    assert form.lock_mode.value == "compliance"
    form.until.value = "29d"
    assert form.problems["until"].startswith("Until is no later end than that of the compliance lock")
    form.until.value, form.lock_mode.value = "90d", "governance"
    assert form.problems["lock_mode"].startswith("Lock mode cannot replace compliance")
    form.lock_mode.value, form.confirmation.value = "compliance", snapshot.id
    assert form.submit().expires_at == ground.clock.now() + timedelta(days=90)


def test_a_lock_on_a_pending_snapshot_begins_when_it_is_complete(ground: Field) -> None:
    form = LockForm(ground.new_volume().take_snapshot())
    form.until.value = "1d"
    assert "for a time that begins when it is complete" in shown(form)
    assert form.submit().expires_at is None


def test_a_role_that_may_not_is_told_so(ground: Field) -> None:
    snapshot = taken(ground)
    snapshot.region.access = Access("ada", {"db": "viewer"}, [Role("viewer", [])])
    form = LockForm(snapshot)
    form.until.value = "1d"
    with pytest.raises(NotPermitted, match="Snapshot: Delete"):
        form.submit()


def test_markup_shows_as_it_is(ground: Field) -> None:
    form = LockForm(taken(ground, HOSTILE))
    form.until.value = "1d"
    form.submit()
    for html in (shown(form), form._repr_mimebundle_()["text/html"]):
        assert HOSTILE not in html
        assert ESCAPED in html


def test_a_governance_lock_is_taken_off(ground: Field) -> None:
    snapshot = taken(ground)
    held = snapshot.lock(duration="30d")
    form = UnlockForm(snapshot)
    assert f"Now {held}." in shown(form)
    assert form.submit() is snapshot
    assert snapshot.lock_state() is None
    assert repr(form).endswith(f"done: {snapshot.id} is not locked any more")


def test_what_cannot_be_taken_off_is_told_at_once_and_by_the_operation(ground: Field) -> None:
    snapshot = taken(ground)
    assert "is not locked" in shown(UnlockForm(snapshot))
    snapshot.lock("compliance", duration="30d", confirm=snapshot.id)
    form = UnlockForm(snapshot)
    assert "its cooling-off period being over" in shown(form)
    with pytest.raises(InvalidRequest, match="nobody can take the lock off"):
        form.submit()
    assert snapshot.lock_state() is not None
