"""A bar is shown where somebody looks, and nowhere else."""

import asyncio
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import datetime
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from snapkit import NotFound, Sandbox, SnapshotFailed, WaitTimeout
from snapkit.clock import SystemClock
from snapkit.ebs import Region, Snapshot, bars
from snapkit.ebs.estimating import Estimate
from snapkit.ebs.waiting import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Passing:
    """The clock of a sandbox, of which one thinks that its time passes by itself."""

    speed = 1.0

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.sandbox.clock.now()

    def sleep(self, duration: Any) -> None:
        self.slept.append(duration)
        self.sandbox.clock.advance(duration)

    async def asleep(self, duration: Any) -> None:
        self.sleep(duration)


class Shell:
    """What IPython is in the kernel of a notebook."""

    kernel = object()


@contextmanager
def terminal(columns: int = 120) -> Iterator[Terminal]:
    # Not a fixture: pytest puts its own standard error back when a test begins.
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(Terminal()) as screen:
        patch.setenv("COLUMNS", str(columns))
        yield screen


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[bars.NotebookBar]:
    """Pretend to be in a notebook; returns what it displays."""
    import IPython.display

    shown: list[bars.NotebookBar] = []
    monkeypatch.setattr("IPython.get_ipython", Shell)
    monkeypatch.setattr(IPython.display, "display", shown.append)
    return shown


def begun(written: int = 100, **faults: Any) -> tuple[Passing, Snapshot]:
    sandbox = Sandbox()
    volume = sandbox.region().volumes.create("us-east-1a", "8 GiB")
    sandbox.write(volume.id, 0, written)
    if faults:
        sandbox.faults.add("CreateSnapshot", **faults)
    clock = Passing(sandbox)
    region = Region(sandbox.client("ec2"), clock=clock, clients=sandbox.client)
    return clock, region.volumes.get(volume.id).take_snapshot()


def test_a_terminal_shows_a_line_that_moves_every_second() -> None:
    clock, snapshot = begun()
    with terminal() as screen:
        snapshot.wait()
    lines = screen.getvalue().split("\r")
    assert set(clock.slept) == {0.0, 1.0}
    assert len(lines) > 180
    assert lines[1] == f"[....................] {snapshot.id}: pending, 0 %, 0 s so far; no estimate yet"
    assert lines[2].startswith(f"[....................] {snapshot.id}: pending, 0 %, 1 s so far")
    assert re.fullmatch(rf"\[#{{20}}\] {snapshot.id}: completed, 100 %, 3\.\d+ min so far *\n", lines[-1])
    assert max(len(line) for line in lines) < 120


def test_a_shorter_line_leaves_nothing_of_the_longer_one() -> None:
    with terminal() as screen:
        bar = bars.LineBar(screen, 1.0)
        for state in ("pending", "completed"):
            bar.show(Progress("snap-1", state, 50, 60, None, 15))
    first, second = screen.getvalue().split("\r")[1:]
    assert len(first) == len(second)
    assert second.rstrip() == "[##########..........] snap-1: completed, 50 %, 1 min so far"


@pytest.mark.parametrize(("columns", "meter"), [(60, ""), (80, "######........."), (200, "########............")])
def test_a_narrow_terminal_keeps_the_words(columns: int, meter: str) -> None:
    step = Progress("snap-1", "pending", 40, 60, Estimate(100, 120, 180, "on 9 earlier snapshots of vol-1"), 15)
    with terminal(columns) as screen:
        bars.LineBar(screen, 1.0).show(step)
    told = "snap-1: pending, 40 %, 1 min so far; 21.8 s to 2.01 min to go"
    assert screen.getvalue() == "\r" + (f"[{meter}] {told}" if meter else told)[: columns - 1]


def test_a_clock_that_stands_shows_nothing() -> None:
    snapshot = Sandbox().region().volumes.create("us-east-1a", "8 GiB").take_snapshot()
    with terminal() as screen:
        snapshot.wait()
    assert screen.getvalue() == ""


def test_a_log_or_a_pipe_shows_nothing() -> None:
    with redirect_stderr(io.StringIO()) as pipe:
        begun()[1].wait()
        assert bars.bar(SystemClock()) is None
    assert pipe.getvalue() == ""


def test_a_bar_is_not_shown_where_it_is_not_wanted_or_somebody_else_shows_it() -> None:
    steps: list[Progress] = []
    with terminal() as screen:
        begun()[1].wait(show=False)
        clock, snapshot = begun()
        snapshot.wait(on_progress=steps.append)
    assert screen.getvalue() == ""
    assert set(clock.slept) == {0.0, 15.0}
    assert steps[-1].state == "completed"


def test_a_clock_that_runs_fast_is_shown_once_a_second_of_the_world() -> None:
    clock, snapshot = begun()
    clock.speed = 10.0
    with terminal():
        snapshot.wait()
    assert set(clock.slept) == {0.0, 5.0, 10.0}


def test_a_wait_that_ends_early_leaves_its_last_line() -> None:
    _, snapshot = begun()
    with terminal() as screen, pytest.raises(WaitTimeout):
        snapshot.wait("30s")
    assert screen.getvalue().endswith("; no estimate yet\n")


def test_several_waits_at_once_each_show_theirs() -> None:
    _, first = begun()
    second = first.region.volumes.create("us-east-1a", "8 GiB").take_snapshot()

    async def main() -> None:
        await asyncio.gather(first.await_completion(), second.await_completion())

    with terminal() as screen:
        asyncio.run(main())
    for each in (first, second):
        assert f"{each.id}: completed, 100 %" in screen.getvalue()


def test_a_notebook_shows_a_widget_that_ends_green(notebook: list[bars.NotebookBar]) -> None:
    _, snapshot = begun()
    snapshot.wait()
    (bar,) = notebook
    meter, label = bar._box.children
    assert (meter.value, meter.bar_style) == (100, "success")
    assert label.value.startswith(f"{snapshot.id}: completed, 100 %")


def test_a_notebook_shows_what_failed_or_is_gone_in_red_and_what_goes_on_in_yellow(
    notebook: list[bars.NotebookBar],
) -> None:
    _, failing = begun(failing=1)
    with pytest.raises(SnapshotFailed):
        failing.wait()
    _, lasting = begun(16_000)
    with pytest.raises(WaitTimeout):
        lasting.wait("1min")
    _, gone = begun()
    steps = gone.follow()
    next(steps)
    gone.region.clock.sleep("1h")
    gone.region.aws.call("DeleteSnapshot", SnapshotId=gone.id)
    gone.raw = {**gone.raw, "State": "pending", "StartTime": gone.region.clock.now()}
    with pytest.raises(NotFound):
        gone.wait()
    assert [bar._box.children[0].bar_style for bar in notebook] == ["danger", "warning", "danger"]
    assert notebook[1]._box.children[1].value.endswith("; it goes on by itself: wait again, or see region.pending()")
    assert "goes on" not in notebook[2]._box.children[1].value


def test_a_wait_that_is_refused_at_once_shows_nothing(notebook: list[bars.NotebookBar]) -> None:
    clock, snapshot = begun()
    snapshot.wait()
    notebook.clear()
    clock.sandbox.client("ec2").delete_snapshot(SnapshotId=snapshot.id)
    with pytest.raises(Exception, match="it was deleted"):
        snapshot.wait()
    assert notebook == []


def test_what_a_saved_notebook_keeps_is_a_line_of_text(notebook: list[bars.NotebookBar]) -> None:
    bar = bars.NotebookBar(1.0)
    bar.show(Progress("snap-1", "pending", 40, 60, None, 15))
    bundle = bar._repr_mimebundle_()
    assert bundle["text/plain"] == "waiting for snap-1"
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_real_kernel_shows_it_and_the_same_each_time() -> None:
    code = (
        "import snapkit\n"
        "sandbox = snapkit.Sandbox()\n"
        "snapshot = sandbox.region().volumes.create('us-east-1a', '8 GiB').take_snapshot()\n"
        "sandbox.clock.live(2000)\n"
        "snapshot.wait() and None"
    )
    cell = nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call] # it has no types
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call] # likewise
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    snapshot = Sandbox().region().volumes.create("us-east-1a", "8 GiB").take_snapshot()
    assert output.output_type == "display_data"
    assert output.data["text/plain"] == f"waiting for {snapshot.id}"
    assert "application/vnd.jupyter.widget-view+json" in output.data
