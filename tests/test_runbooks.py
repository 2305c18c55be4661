"""Runbooks on an account of their own: a sandbox that another process would serve."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from snapkit import InvalidRequest, Sandbox, StalePlan
from snapkit.ebs import Region

ROOT = Path(__file__).resolve().parents[1]
RUNBOOKS = sorted((ROOT / "notebooks" / "runbooks").glob("*.ipynb"))
NAMES = [path.stem for path in RUNBOOKS]
OWN, OTHER = "111122223333", "444455556666"


class Ground:
    """An account with a server, a volume on it, and a snapshot of that.

    Attributes:
        parameters: of runbooks, so that they work on it.
    """

    def __init__(self, sandbox: Sandbox, endpoint: str) -> None:
        self.sandbox = sandbox
        self.region: Region = sandbox.region()
        ec2 = sandbox.client("ec2")
        place = {"AvailabilityZone": "us-east-1a"}
        run = ec2.run_instances(ImageId="ami-0c0ffee0c0ffee000", MinCount=1, MaxCount=1, Placement=place)
        self.server = self.region.servers.get(run["Instances"][0]["InstanceId"])
        self.volume = self.region.volumes.create("us-east-1a", "2 GiB", name="data").attach(self.server)
        sandbox.write(self.volume.id, 0, 100)
        self.snapshot = self.volume.take_snapshot("by hand").wait()
        self.parameters = {"region": "us-east-1", "endpoint": endpoint, "volume": self.volume.id}

    def given(self, name: str) -> dict[str, str]:
        """Return what a runbook is given here."""
        more = {
            "restore-a-volume": {"server": self.server.id, "seen": "2026-01-05T00:00Z"},
            "share-to-another-account": {"account": OTHER},
            "drill": {"reports": "reports"},
        }
        return self.parameters | more.get(name, {})

    def state(self) -> list[Any]:
        """Tell what there is."""
        there = [each.raw for find in (self.region.volumes.find, self.region.snapshots.find) for each in find()]
        return [json.dumps(each, default=str, sort_keys=True) for each in there] + [self.snapshot.shared_with()]


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ground]:
    monkeypatch.chdir(tmp_path)
    with Sandbox(accounts=[OWN, OTHER]) as sandbox:
        for name, value in sandbox.credentials().items():
            monkeypatch.setenv(name.upper(), value)
        yield Ground(sandbox, sandbox.serve())


def play(name: str, **parameters: str) -> dict[str, Any]:
    """Run the cells of a runbook here; return what they made."""
    made: dict[str, Any] = {}
    for cell in json.loads((ROOT / "notebooks" / "runbooks" / f"{name}.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), made)  # noqa: S102 - our own
            if "parameters" in cell["metadata"].get("tags", ()):
                assert parameters.keys() <= made.keys()
                made |= parameters
    return made


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run", ROOT / "notebooks" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", RUNBOOKS, ids=NAMES)
def test_parameters_are_text_and_nothing_is_approved_beforehand(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    (parameters,) = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    made: dict[str, Any] = {}
    exec("".join(parameters["source"]), {}, made)  # noqa: S102 - our own
    assert all(isinstance(value, str) for value in made.values())
    assert (made["region"], made["profile"], made["endpoint"], made["approval"]) == ("", "", "", "")
    assert made.get("undo", "") == ""


@pytest.mark.parametrize("name", NAMES)
def test_an_account_without_a_region_is_not_taken_for_the_sandbox(name: str) -> None:
    with pytest.raises(InvalidRequest, match="region '' is not named; give one such as eu-west-1"):
        play(name, profile="prod")


@pytest.mark.parametrize("path", RUNBOOKS, ids=NAMES)
def test_without_an_approval_the_plan_is_shown_and_nothing_touched(
    ground: Ground, runner: ModuleType, path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if path.stem == "restore-a-volume":
        ground.volume.detach()
    before = ground.state()
    given = [f"{name}={value}" for name, value in ground.given(path.stem).items()]
    assert runner.main([str(path), *given]) == 0
    printed = capfd.readouterr().out
    assert re.search(r"^Plan of \d+ steps?[;,].*\n  \w+", printed, re.MULTILINE)
    assert "Nothing was done: give" in printed
    assert ground.state() == before
    assert [each.name for each in Path("build").iterdir()] == [f"{path.stem}.html"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "notebook None is not named"),
        (["nosuch.ipynb"], "notebook 'nosuch.ipynb' is not there; give the path of one"),
        (["broken.ipynb"], "notebook 'broken.ipynb' is none that can be read"),
        (["drill", "volum=vol-1"], "parameter 'volum' is none of drill.ipynb; write volume; known: region, profile, "),
        (["drill", "volume"], "parameter 'volume' has no value; write NAME=VALUE"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_sentence(
    runner: ModuleType,
    given: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.ipynb").write_text("none")
    paths = [str(ROOT / "notebooks" / "runbooks" / "drill.ipynb") if each == "drill" else each for each in given[:1]]
    assert runner.main([*paths, *given[1:]]) == 2
    printed = capfd.readouterr()
    assert printed.err.startswith(told)
    assert (printed.err.count("\n"), printed.out) == (1, "")


def test_a_wrong_approval_is_refused_in_one_sentence(
    ground: Ground, runner: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    before = ground.state()
    given = [f"{name}={value}" for name, value in ground.given("automate-a-strategy").items()]
    path = ROOT / "notebooks" / "runbooks" / "automate-a-strategy.ipynb"
    assert runner.main([str(path), *given, "approval=0123456789abcdef"]) == 2
    told = capfd.readouterr().err
    assert re.search(
        r"^the plan no longer fits the account: 0123456789ab was looked at, and .*\n\Z", told, re.MULTILINE
    )
    assert ground.state() == before


@pytest.mark.parametrize("name", NAMES)
def test_another_plan_than_the_one_that_was_looked_at_is_not_applied(ground: Ground, name: str) -> None:
    if name == "restore-a-volume":
        ground.volume.detach()
    given = ground.given(name)
    looked_at = play(name, **given)["plan"]
    ground.sandbox.clock.advance("1d")
    ground.region.volumes.get(ground.volume.id).take_snapshot("newer").wait()
    if name == "restore-a-volume":
        ground.volume.refresh().delete()
    before = ground.state()
    with pytest.raises(StalePlan, match=f"{looked_at.fingerprint[:12]} was looked at"):
        play(name, **given, approval=looked_at.fingerprint)
    assert ground.state() == before


def test_a_strategy_is_automated_and_left_again(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "six.toml").write_text('name = "six"\n[[tiers]]\nschedule = "every 6h"\nretention = {last = 2}\n')
    given = ground.given("automate-a-strategy") | {"strategy": "six.toml"}
    look = play("automate-a-strategy", **given)
    done = play("automate-a-strategy", **given, approval=look["plan"].fingerprint[:12])
    assert ground.volume.refresh().tags["snapkit:strategy"] == "six"
    assert [each.id for each in ground.region.snapshots.find(tags={"snapkit:strategy": "six"})] == [
        each.id for each in done["taken"]
    ]
    play("automate-a-strategy", **given, undo=done["undoing"].fingerprint[:12])
    assert "snapkit:strategy" not in ground.volume.refresh().tags
    assert [each.id for each in ground.region.snapshots.find()] == [ground.snapshot.id]


def test_a_snapshot_is_shared_until_a_midnight_and_taken_back(ground: Ground) -> None:
    given = ground.given("share-to-another-account") | {"period": "7d"}
    look = play("share-to-another-account", **given)
    ground.sandbox.clock.advance("5h")
    play("share-to-another-account", **given, approval=look["plan"].fingerprint)
    assert ground.snapshot.shared_with() == (OTHER,)
    assert ground.snapshot.refresh().tags[f"snapkit:shared-{OTHER}"].endswith("/2026-01-12T00:00:00Z")
    play("share-to-another-account", **given, undo=OTHER)
    assert ground.snapshot.shared_with() == ()


@pytest.mark.parametrize("survives", [True, False])
def test_a_lost_volume_is_recovered_and_detached_again(ground: Ground, *, survives: bool) -> None:
    ground.volume.detach()
    if not survives:
        ground.volume.delete()
    given = ground.given("restore-a-volume")
    look = play("restore-a-volume", **given)
    play("restore-a-volume", **given, approval=look["plan"].fingerprint)
    (serving,) = [each for each in ground.server.refresh().volumes() if each.id != ground.server.root_volume_id]
    assert (serving.id == ground.volume.id) is survives
    play("restore-a-volume", **given, undo=serving.id)
    assert serving.refresh().state == "available"


def test_a_drill_leaves_nothing_but_its_report(ground: Ground) -> None:
    given = ground.given("drill")
    look = play("drill", **given)
    before = ground.state()
    play("drill", **given, approval=look["plan"].fingerprint)
    assert ground.state() == before
    assert sorted(each.suffix for each in Path("reports").iterdir()) == [".html", ".json"]
