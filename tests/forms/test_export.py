"""A strategy for AWS's engines: what they get, what they refuse."""

import json
from pathlib import Path

import pytest

from snapkit.automation import cloudformation, dlm, terraform
from snapkit.errors import StrategyError
from snapkit.forms import ExportForm
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from tests.automation.ground import HOURLY
from tests.ebs.ground import ESCAPED, HOSTILE, Field
from tests.forms.test_form import shown

QUICK = Strategy("quick", [Tier(Schedule("every 15min"), Retention(last=4), "often")])


def test_each_engine_gets_its_document(ground: Field) -> None:
    form = ExportForm(HOURLY, ground.region())
    for engine, export in (("dlm", dlm), ("cloudformation", cloudformation), ("terraform", terraform)):
        form.engine.value = engine
        assert json.loads(form.document.value) == export.export(HOURLY)
        assert form.problems == {}
    assert "&quot;aws_dlm_lifecycle_policy&quot;" in shown(form)
    assert "carries the tag snapkit:policy = hourly" in shown(form)
    assert form.submit() == terraform.export(HOURLY)


def test_it_is_saved_to_a_file_whole_or_not_at_all(ground: Field, tmp_path: Path) -> None:
    form = ExportForm(HOURLY, ground.region())
    form.path.value = str(tmp_path / "nowhere" / "policy.json")
    with pytest.raises(StrategyError, match="cannot be written"):
        form.submit()
    assert "cannot be written" in form.path.problem
    form.path.value = str(tmp_path / "policy.json")
    form.submit()
    assert json.loads((tmp_path / "policy.json").read_text()) == dlm.export(HOURLY)
    assert "lines, saved to" in shown(form)


def test_what_dlm_cannot_is_refused_with_the_nearest(ground: Field) -> None:
    form = ExportForm(QUICK, ground.region())
    (told,) = form.problems.values()
    assert "hour" in told
    assert told in shown(form).replace("&#x27;", "'")
    assert form.document.value == ""
    with pytest.raises(StrategyError):
        form.submit()
    assert form.result is None


def test_markup_shows_as_it_is(ground: Field) -> None:
    form = ExportForm(Strategy(HOSTILE, HOURLY.tiers), ground.region())
    assert HOSTILE not in shown(form)
    assert ESCAPED in shown(form)
