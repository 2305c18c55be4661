"""Fields: values in and out, as from Python and as typed."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from snapkit import InvalidRequest
from snapkit.forms.fields import Choice, Choices, Field, Moment, Number, Quantity, Switch, Text


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (Text("Name"), "  db ", "db"),
        (Quantity("Size", "GiB"), "200", "200 GiB"),
        (Quantity("Size", "GiB"), "1.5", "1.5 GiB"),
        (Quantity("Size", "GiB"), "2 TiB", "2 TiB"),
        (Quantity("Size", "GiB"), "much", "much"),
        (Quantity("Size", "GiB"), "", ""),
        (Number("IOPS"), "4000", 4000),
        (Number("IOPS"), "", None),
        (Number("IOPS"), "many", "many"),
        (Moment("Until"), "30d", "30d"),
        (Moment("Until"), "", None),
        (Moment("Until"), "2026-02-04 12:00+01:00", datetime(2026, 2, 4, 12, tzinfo=timezone(timedelta(hours=1)))),
    ],
    ids=lambda each: getattr(each, "label", None),
)
def test_what_is_typed(field: Any, typed: str, value: object) -> None:
    field._inputs[0].value = typed
    assert field.value == value


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        (Quantity("Size", "GiB"), "200 GiB", "200"),
        (Quantity("Size", "GiB"), 200, "200"),
        (Quantity("Size", "GiB"), "1 TiB", "1 TiB"),
        (Number("IOPS"), 4000, "4000"),
        (Number("IOPS"), None, ""),
        (Moment("Until"), datetime(2026, 2, 4, tzinfo=UTC), "2026-02-04 00:00:00+00:00"),
        (Moment("Until"), None, ""),
    ],
    ids=lambda each: getattr(each, "label", None),
)
def test_what_is_set_from_python_comes_back(field: Any, value: Any, shown: str) -> None:
    field.value = value
    assert field._inputs[0].value == shown
    assert field.value == ("200 GiB" if value == 200 else value)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        (Text("Name"), 5, "Name 5 is no text"),
        (Quantity("Size", "GiB"), None, "Size None is no amount"),
        (Number("IOPS"), 1.5, "IOPS 1.5 is no whole number"),
        (Moment("Until"), 3, "Until 3 is no moment"),
        (Choice("Zone", [("a", "a")], none="-"), "b", "zone 'b' is not offered here; choose from: a"),
        (Choices("Accounts", [("one", "1"), ("two", "2")]), ["1", "3"], "accounts '3' is not offered here"),
    ],
    ids=lambda each: getattr(each, "label", None),
)
def test_what_a_field_cannot_show_is_refused(field: Any, value: Any, told: str) -> None:
    before = field.value
    with pytest.raises(InvalidRequest, match=told):
        field.value = value
    assert field.value == before


def test_choices_keep_their_order_and_take_one_or_several() -> None:
    field = Choices("Accounts", [("one", "1"), ("two", "2"), ("three", "3")], ["3"])
    field.value = ["2", "1"]
    assert (field.value, field.text) == (("1", "2"), "one; two")
    field.value = "3"
    assert field.value == ("3",)


def test_a_change_is_told_and_a_field_can_be_disabled_and_hidden() -> None:
    changed = list[Field]()
    field = Switch("Encryption", "Encrypted")
    field.on_change(changed.append)
    field.value = True
    assert changed == [field]
    assert field.text == "yes"
    field.disabled = field.hidden = True
    assert (field.disabled, field.hidden) == (True, True)
    field.hidden = False
    assert not field.hidden


def test_labels_belong_to_their_inputs() -> None:
    # ipywidgets ties the description of an input to it as its label element; one that is empty leaves it without.
    for field in (Text("Name"), Text("Notes", lines=3), Quantity("Size", "GiB"), Choice("Zone", [("a", "a")], "a")):
        assert field._inputs[0].description.startswith(field.label)
    assert [each.description for each in Choices("Accounts", [("one", "1")])._inputs] == ["one"]
