"""Sharing: the whole state at once, the preflight in words, and public only to those who may."""

from datetime import UTC, datetime
from typing import Any

import pytest

from snapkit import InvalidRequest, NotShareable
from snapkit.access import Access, Role
from snapkit.ebs import Snapshot
from snapkit.ebs.accounts import Account
from snapkit.errors import NotPermitted
from snapkit.forms import ShareForm
from tests.ebs.ground import OTHER, OWN, Field
from tests.forms.test_form import buttons, shown

THIRD = "777788889999"
MINE = [Account(OWN, "production", "book"), Account(OTHER, "<i>staging</i>", "book"), Account(THIRD, "audit", "book")]


def taken(ground: Field, **options: Any) -> Snapshot:
    return ground.new_volume(**options).take_snapshot().wait()


def form_of(snapshot: Snapshot) -> ShareForm:
    return ShareForm(snapshot, MINE)


def test_every_account_shows_its_state(ground: Field) -> None:
    snapshot = taken(ground)
    snapshot.share(THIRD, until="30d")
    snapshot.share("123456789012")
    form = form_of(snapshot)
    assert [each for each, _ in form.accounts._options] == [
        f"<i>staging</i> ({OTHER}): not shared",
        f"audit ({THIRD}): shared until 2026-02-04 00:03 UTC",
        "none of your accounts (123456789012): shared",
    ]
    assert form.accounts.value == (THIRD, "123456789012")
    assert form.share_type.value == "Private"
    assert buttons(form)[0].description == "Save sharing preferences"


def test_saving_sets_the_whole_state(ground: Field) -> None:
    snapshot = taken(ground)
    snapshot.share(THIRD)
    form = form_of(snapshot)
    form.accounts.value = [OTHER]
    assert f"Withdrawn from {THIRD}; volumes that they made of it stay." in shown(form)
    assert f"Shared with {OTHER} for good." in shown(form)
    assert f"{OTHER} can use it." in shown(form)
    assert "Others find it in us-east-1 only." in shown(form)
    assert form.submit() == (OTHER,)
    assert ground.region(account=1).snapshots.get(snapshot.id).account == OWN
    assert repr(form).endswith(f"done: {snapshot.id} is shared with {OTHER}")


def test_what_stays_keeps_its_end(ground: Field) -> None:
    snapshot = taken(ground)
    snapshot.share(THIRD, until="30d")
    before = snapshot.refresh().tags
    form = form_of(snapshot)
    form.accounts.value = [OTHER, THIRD]
    assert set(form.submit()) == {OTHER, THIRD}
    assert snapshot.refresh().tags == before


def test_new_shares_can_end(ground: Field) -> None:
    snapshot = taken(ground)
    form = form_of(snapshot)
    form.accounts.value, form.until.value = [OTHER], datetime(2026, 3, 1, tzinfo=UTC)
    assert "until 2026-03-01 00:00 UTC" in shown(form)
    form.submit()
    assert snapshot.refresh().tags[f"snapkit:shared-{OTHER}"].endswith("/2026-03-01T00:00:00Z")
    late = form_of(snapshot)
    late.until.value = datetime(2020, 1, 1, tzinfo=UTC)
    assert late.problems["until"].startswith("Until is not in the future; give '30d'")


def test_nothing_ticked_and_nothing_shared_changes_nothing(ground: Field) -> None:
    form = form_of(taken(ground))
    assert "Nothing changes." in shown(form)
    assert form.submit() == ()
    assert "is shared with nobody" in shown(form)


def test_public_wants_the_id_typed_and_names_the_risk(ground: Field) -> None:
    snapshot = taken(ground)
    form = form_of(snapshot)
    assert form.confirmation.hidden
    form.share_type.value = "Public"
    assert not form.confirmation.hidden
    assert form.accounts.hidden
    assert "Everyone in AWS can then make volumes of it" in shown(form)
    form.confirmation.value = "yes"
    assert f"Confirmation is not {snapshot.id}" in form.problems["confirmation"]
    assert "Everyone in AWS can then make volumes of it" in shown(form), "the risk stays in sight"
    with pytest.raises(InvalidRequest, match="type the id"):
        form.submit()
    form.confirmation.value = snapshot.id
    assert form.submit() == ("all",)


def test_public_no_more_and_the_accounts_stay(ground: Field) -> None:
    snapshot = taken(ground)
    snapshot.share(THIRD)
    snapshot.share_publicly(confirm=snapshot.id)
    form = form_of(snapshot)
    assert form.share_type.value == "Public"
    assert "Nothing changes." in shown(form)
    form.share_type.value = "Private"
    assert "It is public no more; copies that others have made stay with them." in shown(form)
    assert form.submit() == (THIRD,)


def test_public_is_not_offered_to_a_role_that_may_not(ground: Field) -> None:
    snapshot = taken(ground)
    snapshot.region.access = Access("ada", {"db": "operator"}, [Role("operator", ["Snapshot: ShareLocal: ANY"])])
    form = form_of(snapshot)
    assert [each for each, _ in form.share_type._options] == ["Private"]
    assert "your roles do not allow Snapshot: SharePublic" in shown(form)
    form.accounts.value = [OTHER]
    assert form.submit() == (OTHER,)


def test_a_role_that_may_not_share_is_told_so(ground: Field) -> None:
    snapshot = taken(ground)
    snapshot.region.access = Access("ada", {"db": "viewer"}, [Role("viewer", [])])
    with pytest.raises(NotPermitted, match="Snapshot: ShareLocal"):
        form_of(snapshot).submit()


def test_public_is_refused_with_the_reason(ground: Field) -> None:
    ground.ec2().enable_snapshot_block_public_access(State="block-all-sharing")
    form = form_of(taken(ground, encrypted=True))
    form.share_type.value = "Public"
    told = form.problems["share_type"]
    assert "an encrypted snapshot cannot be public" in told
    assert "us-east-1 blocks public sharing (block-all-sharing)" in told
    assert told == form.share_type.problem


def test_what_cannot_be_shared_at_all_is_told_at_the_accounts(ground: Field) -> None:
    form = form_of(taken(ground, encrypted=True))
    assert form.problems == {}
    form.accounts.value = [OTHER]
    assert "encrypted under the default key aws/ebs, which other accounts cannot use" in form.problems["accounts"]
    with pytest.raises(InvalidRequest, match="default key"):
        form.submit()


def test_a_key_that_the_other_account_may_not_use_is_told_before_saving(ground: Field) -> None:
    key = ground.client("kms").create_key()["KeyMetadata"]["Arn"]
    form = form_of(taken(ground, encrypted=True, kms_key_id=key))
    form.accounts.value = [OTHER]
    assert form.problems == {}
    assert f"{OTHER} cannot use it: the policy of the key" in shown(form)


def test_a_block_that_came_meanwhile_is_told_by_aws(ground: Field) -> None:
    snapshot = taken(ground)
    form = form_of(snapshot)
    form.share_type.value, form.confirmation.value = "Public", snapshot.id
    ground.ec2().enable_snapshot_block_public_access(State="block-new-sharing")
    with pytest.raises(NotShareable, match="block-new-sharing"):
        form.submit()
    assert form.state == "ready"
    assert "block-new-sharing" in form.error


def test_markup_in_names_of_accounts_is_literal(ground: Field) -> None:
    form = form_of(taken(ground))
    form.accounts.value = [OTHER]
    html = form._repr_mimebundle_()["text/html"]
    assert "<i>" not in html
    assert "&lt;i&gt;staging&lt;/i&gt;" in html
    assert not any(each.description_allow_html for each in form.accounts._inputs)
