"""Create Volume from Snapshot: every rule at its field, prices, and what is made."""

from typing import Any

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, BillingCode, Quota, Role
from snapkit.ebs import Snapshot
from snapkit.errors import NotPermitted
from snapkit.forms import CreateVolumeForm
from tests.ebs.ground import ZONE, Field
from tests.forms.test_form import shown


def taken(ground: Field, gib: int = 8, **options: Any) -> Snapshot:
    return ground.new_volume(gib, **{"group": "db", "billing_code": "CC-42", **options}).take_snapshot().wait()


def test_it_begins_with_what_the_original_had(ground: Field) -> None:
    form = CreateVolumeForm(taken(ground))
    assert (form.size.value, form.group.value, form.billing_code.value) == ("8 GiB", "db", "CC-42")
    assert form.zone.value is None
    assert form.volume_type.value == "gp3"
    assert [shown for shown, _ in form.zone._options[1:]] == list(form.region.zones)


def test_what_is_filled_in_is_made(ground: Field) -> None:
    form = CreateVolumeForm(taken(ground))
    form.name.value, form.size.value, form.zone.value, form.group.value = "clone", "20 GiB", ZONE, "web"
    form.volume_type.value, form.iops.value, form.initialization_rate.value = "io2", 400, 200
    form.encrypted.value = True
    volume = form.submit().refresh()
    assert (volume.name, volume.size, volume.zone, volume.group) == ("clone", 20 * 2**30, ZONE, "web")
    assert (volume.volume_type, volume.raw["Iops"], volume.encrypted) == ("io2", 400, True)
    assert volume.billing_code == "CC-42"


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"zone": None}, "zone", "Zone is missing; choose one of us-east-1a"),
        ({"size": "5 GiB"}, "size", "Size is below the 8 GiB of snap-"),
        ({"size": "lots"}, "size", "Size is not a size; write a size such as"),
        ({"size": ""}, "size", "Size is not a size"),
        ({"size": 99999}, "size", "Size is not from 1 to 65,536 GiB, as gp3 volumes are"),
        ({"volume_type": "st1"}, "size", "Size is not from 125"),
        ({"volume_type": "io2"}, "iops", "IOPS are missing, which io2 volumes need"),
        ({"iops": "many"}, "iops", "IOPS is no whole number from 3,000"),
        ({"volume_type": "gp2", "iops": 3000}, "iops", "IOPS cannot be given for gp2 volumes"),
        ({"throughput": 1000}, "throughput", "Throughput is more than the 750 MiB/s that its IOPS allow"),
        ({"initialization_rate": 7}, "initialization_rate", "Initialization rate is no whole number from 100 to 300"),
        ({"kms_key": "alias/own"}, "kms_key", "KMS key is given for a volume that is not to be encrypted"),
        ({"name": "x" * 256}, "name", "Name is longer than 255 characters"),
        ({"billing_code": "x" * 256}, "billing_code", "Billing code is longer than 255 characters"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_each_rule_stands_at_its_field(ground: Field, given: dict[str, Any], field: str, told: str) -> None:
    form = CreateVolumeForm(taken(ground))
    form.zone.value = ZONE
    assert form.problems == {}
    for name, value in given.items():
        getattr(form, name).value = value
    assert list(form.problems) == [field]
    assert form.problems[field].startswith(told)
    with pytest.raises(InvalidRequest):
        form.submit()
    assert getattr(form, field).problem == form.problems[field]
    assert form.state == "ready"


def test_a_field_that_nobody_has_touched_does_not_complain_before_submit(ground: Field) -> None:
    form = CreateVolumeForm(taken(ground))
    assert "zone" in form.problems
    assert form.zone.problem == ""
    with pytest.raises(InvalidRequest, match="zone"):
        form.submit()
    assert form.zone.problem == form.problems["zone"]
    assert form.error == "Not submitted: see Zone."


def test_each_of_several_problems_is_told_at_its_field(ground: Field) -> None:
    form = CreateVolumeForm(taken(ground))
    form.size.value, form.iops.value, form.throughput.value, form.initialization_rate.value = "much", "many", 900, 1
    assert list(form.problems) == ["size", "zone", "iops", "throughput", "initialization_rate"]


def test_a_problem_behind_more_opens_it(ground: Field) -> None:
    form = CreateVolumeForm(taken(ground))
    assert form._layout._more.selected_index is None
    form.iops.value = 1
    assert form._layout._more.selected_index == 0


def test_price_and_speed_are_told_before(ground: Field) -> None:
    form = CreateVolumeForm(taken(ground, 100))
    assert "Creates a gp3 volume of 100 GiB, for $8.00 a month." in shown(form)
    assert "a block is slow the first time that it is read" in shown(form)
    form.size.value, form.iops.value, form.initialization_rate.value = 200, 4000, 300
    assert "Creates a gp3 volume of 200 GiB, for $21.00 a month." in shown(form)
    assert "has full speed after" in shown(form)
    form.size.value = 1
    assert "a month" not in repr(form)


def test_an_encrypted_snapshot_makes_encrypted_volumes_only(ground: Field) -> None:
    form = CreateVolumeForm(taken(ground, encrypted=True))
    assert form.encrypted.value
    assert form.encrypted.disabled
    form.zone.value = ZONE
    assert form.submit().encrypted


def test_a_snapshot_that_is_not_complete_yet_is_told_and_the_operation_decides(ground: Field) -> None:
    snapshot = ground.new_volume().take_snapshot()
    form = CreateVolumeForm(snapshot)
    form.zone.value = ZONE
    assert "is pending, not completed; wait() for it" in shown(form)
    with pytest.raises(InvalidRequest, match="pending, not completed"):
        form.submit()
    ground.clock.advance("1h")
    assert form.submit().size == snapshot.size


def test_a_quota_is_told_at_the_billing_code_once_it_was_looked_up(ground: Field) -> None:
    codes = [BillingCode("CC-1", Quota(soft=0.5, hard=1)), BillingCode("CC-2")]
    access = Access("ada", {"db": "operator"}, [Role("operator", ["Snapshot: CreateVolume: ANY"])], codes)
    snapshot = ground.sandbox.region(access=access).snapshots.get(taken(ground, 100, billing_code="CC-1").id)
    form = CreateVolumeForm(snapshot)
    form.zone.value = ZONE
    assert "CC-1, whose quota warns above $0.50 and refuses above $1.00 a month" in repr(form)
    with pytest.raises(InvalidRequest, match="above its hard quota"):
        form.submit()
    assert "above its hard quota of $1.00; charge another code" in form.billing_code.problem
    form.billing_code.value = "CC-2"
    assert form.submit().billing_code == "CC-2"


def test_a_role_that_may_not_is_told_so(ground: Field) -> None:
    snapshot = taken(ground)
    snapshot.region.access = Access("ada", {"db": "viewer"}, [Role("viewer", ["Snapshot: ShareLocal: ANY"])])
    form = CreateVolumeForm(snapshot)
    form.zone.value = ZONE
    with pytest.raises(NotPermitted, match="Snapshot: CreateVolume"):
        form.submit()
