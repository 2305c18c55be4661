"""Copying: what it will be before it is begun, and each refusal at its field."""

from typing import Any

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.ebs import Snapshot
from snapkit.errors import NotPermitted, OutcomeUnknown
from snapkit.forms.copy import CopyForm
from tests.ebs.ground import ESCAPED, HOSTILE, Field
from tests.forms.test_form import shown

AWAY = "eu-west-1"


def taken(ground: Field, written: int = 2048, gib: int = 8, **options: Any) -> Snapshot:
    return ground.new_volume(gib, written=written).take_snapshot(**options).wait()


def form_of(snapshot: Snapshot, to: str = AWAY) -> CopyForm:
    form = CopyForm(snapshot)
    form.to.value = to
    return form


def new_key(ground: Field, region: str = AWAY) -> str:
    return str(ground.client("kms", region=region).create_key()["KeyMetadata"]["Arn"])


def test_a_region_has_to_be_chosen(ground: Field) -> None:
    form = CopyForm(taken(ground))
    assert form.problems == {"to": "To region is missing; choose one"}
    assert [each for _, each in form.to._options][-1] == "us-east-1", "in place comes last"
    with pytest.raises(InvalidRequest):
        form.submit()


def test_the_copy_is_what_was_said_and_has_the_options(ground: Field) -> None:
    snapshot = taken(ground, name="gold", group="db", billing_code="CC-1")
    form = form_of(snapshot)
    assert form.name.value == "gold"
    assert "this copy will be full because no copy of" in shown(form)
    assert "1 GiB, $0.02 once and $0.05 a month" in shown(form)
    assert "Note: transfer at $0.02 per GiB is assumed." in shown(form)
    form.name.value, form.group.value, form.description.value = "gold away", "web", "for the audit"
    copy = form.submit()
    assert (copy.region.name, copy.name, copy.group, copy.billing_code) == (AWAY, "gold away", "web", "CC-1")
    assert copy.description == "for the audit"
    assert repr(form).endswith(f"done: {repr(copy).strip('<>')}")


def test_the_next_copy_is_said_to_be_incremental_with_a_band(ground: Field) -> None:
    volume = ground.new_volume(written=2048)
    base = volume.take_snapshot().wait().copy_to(AWAY).wait()
    form = form_of(volume.take_snapshot().wait())
    assert "this copy will be incremental because" in shown(form)
    assert f"{base.id}, under the same key, is there to build on" in shown(form)
    assert "0 to 1 GiB, $0.00 to $0.02 once" in shown(form)


def test_keys_that_are_pressed_ask_nothing_of_aws(ground: Field) -> None:
    form, calls = form_of(taken(ground)), list[str]()
    for region in (form.region, form.region.beside(AWAY)):
        region.aws.client.meta.events.register("before-call.ec2", lambda model, **_: calls.append(model.name))
    form.name.value, form.duration.value = "x", "0.5"
    assert calls == []
    assert "1 GiB, $0.0380 once" in shown(form), "a fee of $0.018 per GiB besides the transfer"


def test_durations_are_refused_at_their_field(ground: Field) -> None:
    form = form_of(taken(ground, 900_000 * 2, 1024))
    form.duration.value = "20 min"
    assert "is not in steps of 15 minutes" in form.problems["duration"]
    form.duration.value = "15 min"
    assert "is too short for 879 GiB" in form.problems["duration"]
    form.duration.value = "1"
    assert form.problems == {}
    assert form.submit().raw["CompletionDurationMinutes"] == 60


def test_the_copy_can_be_encrypted_where_the_snapshot_is_not(ground: Field) -> None:
    form = form_of(taken(ground))
    assert form.kms_key.hidden
    form.encrypted.value = True
    assert not form.kms_key.hidden
    assert ", the default here." in shown(form)
    assert form.submit().encrypted


def test_a_key_that_is_not_there_is_told_at_its_field(ground: Field) -> None:
    form, key = form_of(taken(ground)), new_key(ground)
    form.encrypted.value, form.kms_key.value = True, new_key(ground, "us-west-2")
    assert form.problems == {"kms_key": "KMS key is no key in eu-west-1; give the id, alias or ARN of one there"}
    form.kms_key.value = key
    assert form.problems == {}
    assert form.submit().raw["KmsKeyId"] == key


def test_in_place_nothing_is_copied(ground: Field) -> None:
    snapshot = taken(ground)
    form = form_of(snapshot, "us-east-1")
    assert "where no data is copied: 0 B, $0.00 once" in shown(form)
    assert form.submit().region is snapshot.region


def test_what_is_encrypted_stays_so(ground: Field) -> None:
    form = form_of(ground.new_volume(encrypted=True).take_snapshot().wait())
    assert form.encrypted.disabled
    assert form.encrypted.value is True


def test_a_pending_snapshot_is_refused_with_the_way_out(ground: Field) -> None:
    form = form_of(ground.new_volume().take_snapshot())
    assert "is still pending; wait for it with snapshot.wait()" in shown(form)
    with pytest.raises(InvalidRequest, match="still pending"):
        form.submit()
    assert form.state == "ready"
    ground.clock.advance("1d")
    assert form.submit().state == "pending", "it may well be complete by then"


def test_a_region_that_cannot_be_asked_leaves_it_to_aws(ground: Field) -> None:
    snapshot = taken(ground)
    ground.faults("GetEbsEncryptionByDefault", unreachable=60, region=AWAY)
    form = form_of(snapshot)
    assert "What the copy would be could not be looked up: GetEbsEncryptionByDefault" in shown(form)
    assert form.problems == {}
    assert form.submit().region.name == AWAY


def test_a_role_that_may_not_is_told_so(ground: Field) -> None:
    snapshot = taken(ground, group="db")
    snapshot.region.access = Access("ada", {"db": "viewer"}, [Role("viewer", [])])
    with pytest.raises(NotPermitted, match="Snapshot: CreateVolume"):
        form_of(snapshot).submit()


def test_a_lost_answer_tells_what_is_known(ground: Field) -> None:
    form = form_of(taken(ground))
    ground.faults("CopySnapshot", lost=1)
    ground.faults("DescribeSnapshots", unreachable=200, region=AWAY)
    with pytest.raises(OutcomeUnknown):
        form.submit()
    assert "look for that tag once more" in form.error
    assert form.state == "ready"


def test_markup_shows_as_it_is(ground: Field) -> None:
    form = form_of(taken(ground, name=HOSTILE, group=HOSTILE, description=HOSTILE))
    form.submit()
    for html in (shown(form), form._repr_mimebundle_()["text/html"]):
        assert HOSTILE not in html
        assert ESCAPED in html
