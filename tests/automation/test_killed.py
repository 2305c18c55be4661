"""Real processes of ``snapkit run`` against a sandbox that is served: killed, side by side, and cut off."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit import Sandbox
from snapkit.automation import run
from snapkit.automation.lease import LEASE
from snapkit.automation.managed import MOMENT
from snapkit.ebs import Region
from tests.automation.ground import AWAY, COPIED, alone, meeting, protected
from tests.automation.processes import Process, Program
from tests.ebs.ground import OTHER

CHANGES = 12
"""Of the run that is disturbed: a lease, two snapshots and copies, four deletions, a share and its tag, the lease."""

State = list[list[Any]]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Ground"]:
    made = Ground(tmp_path_factory.mktemp("runs"))
    yield made
    made.program.close()


class Ground:
    """The program that forks runs, and the story in which they are disturbed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        COPIED.save(folder / "hourly.toml")
        with alone() as sandbox:
            keys = {name.upper(): value for name, value in sandbox.credentials().items()}
        self.program = Program(keys | {"AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": str(folder / "no")})

    def process(self, name: str = "out") -> Process:
        return Process(self.program, self.folder / name)

    def begin(self, process: Process, url: str) -> Process:
        process.begin("run", str(self.folder / "hourly.toml"), "--apply", "--json", "--endpoint", url)
        return process

    def story(self, *disturbed: Callable[[Sandbox, str], object]) -> State:
        """Run each hour, after an outage five times in one; what disturbs does so first. Gives what there is then."""
        with alone() as sandbox:
            home, url = sandbox.region(), sandbox.serve()
            protected(home, 2)
            for _ in range(3):
                run(COPIED, home, apply=True)
                home.clock.sleep("1h")
            home.snapshots.find()[0].share(OTHER, until="1h")
            home.clock.sleep("2h")
            for each in (*disturbed, *[_undisturbed] * (5 - len(disturbed))):
                each(sandbox, url)
                home.clock.sleep("11min")  # the lease of a run that was killed has ended
            return [state(home), state(sandbox.region(AWAY))]


def _undisturbed(sandbox: Sandbox, _: str) -> None:
    run(COPIED, sandbox.region(), apply=True)


def state(region: Region) -> list[Any]:
    """List what there is of snapshots and volumes, but for ids and moments, which a run that comes later has later."""
    passing = (region.tag_keys.token, region.tag_keys.source, MOMENT)
    found = [
        ({key: value for key, value in each.tags.items() if key not in passing}, each.state, each.shared_with())
        for each in region.snapshots.find()
    ]
    return sorted([*map(repr, found), *(f"{each.id} {dict(each.tags)}" for each in region.volumes.find())])


@pytest.fixture(scope="module")
def undisturbed(ground: Ground) -> State:
    return ground.story()


def test_the_run_that_is_disturbed_changes_as_much_as_is_said(ground: Ground, undisturbed: State) -> None:
    changes = list[int]()

    def counted(sandbox: Sandbox, url: str) -> None:
        with meeting(sandbox, changes.append):
            assert ground.begin(ground.process(), url).wait() == 0

    assert ground.story(counted) == undisturbed
    assert changes[-1] == CHANGES
    assert [len(each) for each in undisturbed] == [2 * 2 + 2, 2 + 0]
    assert LEASE not in str(undisturbed)
    assert OTHER not in str(undisturbed)


def killed(ground: Ground, number: int, lost: str | None = None) -> Callable[[Sandbox, str], object]:
    """Let a run be killed after so many changes, before it knows of the last one."""

    def kill(sandbox: Sandbox, url: str) -> None:
        process, counted = ground.process(), list[int]()

        def meet(changes: int) -> None:
            counted.append(changes)
            if changes == number:
                process.kill()

        if lost:
            sandbox.faults.add(lost, lost=1)
        with meeting(sandbox, meet):
            assert ground.begin(process, url).wait() == (-9 if number in counted else 0)
        sandbox.faults.clear()

    return kill


@settings(max_examples=6)
@given(
    st.lists(st.integers(1, CHANGES), min_size=1, max_size=2),
    st.sampled_from([None, "CreateSnapshot", "CopySnapshot", "DeleteSnapshot", "CreateTags"]),
)
def test_killed_at_any_step_what_is_there_in_the_end_is_the_same(
    ground: Ground, undisturbed: State, numbers: list[int], lost: str | None
) -> None:
    assert ground.story(*(killed(ground, each, lost) for each in numbers)) == undisturbed


@settings(max_examples=2)
@given(st.integers(1, CHANGES))
def test_one_process_in_the_middle_of_another_doubles_nothing(ground: Ground, undisturbed: State, number: int) -> None:
    def beside(sandbox: Sandbox, url: str) -> None:
        first, second = ground.process("first"), ground.process("second")

        def meet(changes: int) -> None:
            if changes == number:
                assert ground.begin(second, url).wait() == 0

        with meeting(sandbox, meet):
            assert ground.begin(first, url).wait() == 0

    assert ground.story(beside) == undisturbed


def test_two_processes_at_once_do_no_harm(ground: Ground, undisturbed: State) -> None:
    def race(sandbox: Sandbox, url: str) -> None:
        both = [ground.begin(ground.process(name), url) for name in ("first", "second")]
        assert [each.wait() for each in both] == [0, 0]

    assert ground.story(race) == undisturbed
