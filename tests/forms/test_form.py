"""What all forms have in common, driven without a browser: with Make Snapshot, and on an event loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from snapkit import InvalidRequest, Sandbox
from snapkit.access import Access, Role
from snapkit.errors import AccessDenied, NotPermitted, OutcomeUnknown, SnapshotFailed
from snapkit.forms import (
    ArchiveForm,
    AttachForm,
    CopyForm,
    CreateVolumeForm,
    DetachForm,
    LeaveForm,
    LockForm,
    MakeSnapshotForm,
    RestoreFromArchiveForm,
    ShareForm,
    UnlockForm,
)
from tests.ebs.ground import ESCAPED, HOSTILE, Field


def form_of(ground: Field, **options: Any) -> MakeSnapshotForm:
    return MakeSnapshotForm(ground.new_volume(**{"name": "data", "group": "db", **options}))


def shown(form: Any) -> str:
    """Return all HTML that a form shows."""
    return "".join(each.value for each in _widgets(form.widget) if type(each).__name__ == "HTML")


def _widgets(widget: Any) -> Any:
    yield widget
    for each in getattr(widget, "children", ()):
        yield from _widgets(each)


def buttons(form: Any) -> list[Any]:
    return [each for each in _widgets(form.widget) if type(each).__name__ == "Button"]


def hold_calls(ground: Field, form: Any, operation: str) -> threading.Event:
    """Let calls of an operation wait until the event is set."""
    let_go = threading.Event()

    def wait(**_: Any) -> None:
        let_go.wait(10)

    form.region.aws.client.meta.events.register(f"before-call.ec2.{operation}", wait)
    return let_go


def test_a_cell_and_its_result(ground: Field) -> None:
    form = form_of(ground)
    form.name.value = "before upgrade"
    assert form.submit() is form.result
    assert form.result.name == "before upgrade"
    assert form.result.group == "db"
    assert form.result.state == "pending"
    assert repr(form).endswith(f"done: {repr(form.result).strip('<>')}")
    with pytest.raises(InvalidRequest, match="is done already; open another one"):
        form.submit()
    assert ground.count() == 1


def test_the_button_does_it_on_the_event_loop_while_another_task_runs(ground: Field) -> None:
    async def main() -> tuple[MakeSnapshotForm, int]:
        form, ticks = form_of(ground), 0
        let_go = hold_calls(ground, form, "CreateSnapshot")
        submit, cancel = buttons(form)
        submit.click()
        submit.click()
        for _ in range(20):
            await asyncio.sleep(0.002)
            ticks += 1
        assert form.state == "busy"
        assert submit.disabled
        assert form.name.disabled
        assert cancel.description == "Stop waiting"
        let_go.set()
        while form.result is None or form.result.state != "completed" or form.state != "done":
            await asyncio.sleep(0.002)
        return form, ticks

    form, ticks = asyncio.run(asyncio.wait_for(main(), 20))
    assert ticks == 20
    assert ground.count() == 1, "two clicks submit once"
    assert "completed" in shown(form)


def test_progress_is_shown_while_the_clock_runs(ground: Field) -> None:
    async def main() -> set[str]:
        form, told = form_of(ground), set()
        ground.clock.live(2000)
        task = asyncio.create_task(form.run())
        while not task.done():
            await asyncio.sleep(0.001)
            told |= {each for each in ("pending", "completed") if f"{each}, " in shown(form)}
        assert task.result() is form.result
        return told

    assert asyncio.run(asyncio.wait_for(main(), 20)) == {"pending", "completed"}


def test_a_click_without_an_event_loop_does_it_as_well(ground: Field) -> None:
    form = form_of(ground)
    buttons(form)[0].click()
    assert form.result.state == "pending"


def test_cancel_before_closes_the_form(ground: Field) -> None:
    form, ended = form_of(ground), list[str]()
    form.on_end(lambda each: ended.append(each.state))
    buttons(form)[1].click()
    assert "nothing was done" in shown(form)
    assert ended == ["cancelled"]
    with pytest.raises(InvalidRequest, match="is cancelled already"):
        form.submit()


def test_cancel_while_aws_is_asked_tells_what_came_of_it(ground: Field) -> None:
    async def main() -> MakeSnapshotForm:
        form = form_of(ground)
        let_go = hold_calls(ground, form, "CreateSnapshot")
        task = asyncio.create_task(form.run())
        await asyncio.sleep(0.01)
        form.cancel()
        assert "cannot be taken back" in shown(form)
        assert form.state == "busy", "or a second click would make a second snapshot"
        let_go.set()
        await task
        return form

    form = asyncio.run(asyncio.wait_for(main(), 20))
    assert form.result.state == "pending", "it was not waited for"
    assert form.result.id in shown(form)


def test_a_run_that_is_cancelled_from_outside_keeps_its_result(ground: Field) -> None:
    async def main() -> MakeSnapshotForm:
        form = form_of(ground)
        let_go = hold_calls(ground, form, "CreateSnapshot")
        task = asyncio.create_task(form.run())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        let_go.set()
        while form.result is None:
            await asyncio.sleep(0.002)
        return form

    assert asyncio.run(asyncio.wait_for(main(), 20)).state == "done"


def test_a_call_that_nobody_waits_for_and_that_fails_is_told(ground: Field) -> None:
    async def main() -> MakeSnapshotForm:
        form = form_of(ground)
        ground.faults("CreateSnapshot", lost=1)
        ground.faults("DescribeSnapshots", unreachable=60)
        let_go = hold_calls(ground, form, "CreateSnapshot")
        task = asyncio.create_task(form.run())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        let_go.set()
        while not form.error:
            await asyncio.sleep(0.002)
        return form

    form = asyncio.run(asyncio.wait_for(main(), 20))
    assert "what became of CreateSnapshot" in form.error
    assert form.state == "ready"


def test_an_interrupt_is_told_and_raised(ground: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    form = form_of(ground)
    monkeypatch.setattr(form._of, "take_snapshot", interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        form.submit()
    assert "Interrupted: what AWS was asked already goes on" in shown(form)


def test_cancel_while_it_is_pending_stops_only_the_wait(ground: Field) -> None:
    async def main() -> MakeSnapshotForm:
        form = form_of(ground)
        ground.clock.live(0.001)
        task = asyncio.create_task(form.run())
        while form.state != "watching":
            await asyncio.sleep(0.001)
        buttons(form)[1].click()
        assert await task is form.result
        return form

    form = asyncio.run(asyncio.wait_for(main(), 20))
    assert f"{form.result.id}" in shown(form)
    assert "no longer watched, it goes on by itself" in shown(form)
    assert form.result.refresh().state == "pending"


def test_a_run_that_is_cancelled_from_outside_while_it_watches(ground: Field) -> None:
    async def main() -> MakeSnapshotForm:
        form = form_of(ground)
        ground.clock.live(0.001)
        task = asyncio.create_task(form.run())
        while form.state != "watching":
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return form

    form = asyncio.run(asyncio.wait_for(main(), 20))
    assert form.state == "done"
    assert "no longer watched" in shown(form)


def test_an_error_of_aws_is_told_raised_and_can_be_tried_again(ground: Field) -> None:
    form = form_of(ground)
    form.region.aws.client.meta.events.register_first(
        "before-call.ec2.CreateSnapshot", refused := Once(_denied(form)), unique_id="once"
    )
    with pytest.raises(AccessDenied, match="ask for the permission"):
        form.submit()
    assert refused.called
    assert 'role="alert"' in shown(form)
    assert "UnauthorizedOperation" in form.error
    assert not form.name.disabled
    form.submit()
    assert form.error == ""
    assert ground.count() == 1


def test_an_error_behind_the_button_is_told(ground: Field) -> None:
    async def main() -> MakeSnapshotForm:
        form = form_of(ground)
        ground.faults("CreateSnapshot", failing=1, message="disk on fire")
        buttons(form)[0].click()
        while form.state != "done" or not form.error:
            await asyncio.sleep(0.002)
        return form

    form = asyncio.run(asyncio.wait_for(main(), 20))
    assert "disk on fire" in shown(form)
    with pytest.raises(SnapshotFailed):
        form.result.wait()


def test_a_bug_is_told_and_reaches_the_log_of_the_loop(ground: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(**_: Any) -> None:
        raise RuntimeError("<no such luck>")

    async def main() -> tuple[MakeSnapshotForm, list[Any]]:
        logged = list[Any]()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context["exception"]))
        form = form_of(ground)
        monkeypatch.setattr(form._of, "take_snapshot", breaks, raising=False)
        buttons(form)[0].click()
        while not logged:
            await asyncio.sleep(0.002)
        return form, logged

    form, logged = asyncio.run(asyncio.wait_for(main(), 20))
    assert isinstance(logged[0], RuntimeError)
    assert "RuntimeError: &lt;no such luck&gt;" in shown(form)
    assert form.state == "ready"


def test_a_lost_answer_tells_what_is_known(ground: Field) -> None:
    form = form_of(ground)
    ground.faults("CreateSnapshot", lost=1)
    ground.faults("DescribeSnapshots", unreachable=60)
    with pytest.raises(OutcomeUnknown):
        form.submit()
    assert "what became of CreateSnapshot" in form.error
    assert "look for that tag once more" in form.error
    assert form.state == "ready"


def test_problems_stand_at_their_fields_before_anything_is_asked(ground: Field) -> None:
    form = form_of(ground)
    form.description.value = "x" * 256
    form.name.value = "y" * 256
    assert form.problems == {
        "name": "Name is longer than 255 characters; shorten it",
        "description": "Description is longer than 255 characters; shorten it",
    }
    assert form.description.problem == form.problems["description"]
    assert "Captures" not in repr(form), "no price for what cannot be"
    assert 'style="visibility: hidden"' in shown(form), "its place is kept"
    with pytest.raises(InvalidRequest, match="Name"):
        form.submit()
    assert "Not submitted: see Name, Description." in shown(form)
    form.name.value = "short"
    assert form.error == ""
    assert form.description.problem, "what is left stands at its field"
    assert ground.count() == 0


def test_a_role_that_may_not_is_told_so_at_once(ground: Field) -> None:
    volume = ground.new_volume(group="db")
    volume.region.access = Access("ada", {"web": "operator"}, [Role("operator", ["Volume: Snapshot: GROUP"])])
    form = MakeSnapshotForm(volume)
    assert "your roles do not allow Volume: Snapshot" in shown(form)
    assert buttons(form)[0].disabled
    with pytest.raises(NotPermitted):
        form.submit()
    assert form.problems["right"] == form.error


def test_markup_shows_as_it_is(ground: Field) -> None:
    form = form_of(ground, name=HOSTILE, group=HOSTILE)
    form.submit()
    bundle = form._repr_mimebundle_()
    for html in (shown(form), bundle["text/html"]):
        assert HOSTILE not in html
        assert ESCAPED in html
    assert not any(getattr(each, "description_allow_html", False) for each in _widgets(form.widget))


def test_a_kernel_shows_the_same_text_as_another_run() -> None:
    sources = (
        "from snapkit import Sandbox\nfrom snapkit.forms import MakeSnapshotForm\n"
        "sandbox = Sandbox()\nvolume = sandbox.region().volumes.create('us-east-1a', '8 GiB', name='data')\n"
        "form = MakeSnapshotForm(volume)\nform",
        "await form.run()\nform",
    )
    cells = [nbformat.v4.new_code_cell(each) for each in sources]  # type: ignore[no-untyped-call] # it has no types
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call] # likewise
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    with Sandbox() as sandbox:
        form = MakeSnapshotForm(sandbox.region().volumes.create("us-east-1a", "8 GiB", name="data"))
        for cell in notebook.cells:
            data, bundle = cell.outputs[-1].data, form._repr_mimebundle_()
            assert (data["text/plain"], data["text/html"]) == (bundle["text/plain"], bundle["text/html"])
            assert "application/vnd.jupyter.widget-view+json" in data
            if form.result is None:
                asyncio.run(form.run())
    assert "completed" in repr(form)


class Once:
    """Do something the first time that it is called."""

    def __init__(self, do: Callable[..., Any]) -> None:
        self.called = False
        self._do = do

    def __call__(self, **known: Any) -> Any:
        if self.called:
            return None
        self.called = True
        return self._do(**known)


def _denied(form: Any) -> Callable[..., Any]:
    def answer(**_: Any) -> Any:
        from botocore.exceptions import ClientError

        told = {"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}
        raise ClientError(told, "CreateSnapshot")

    return answer


@pytest.mark.parametrize(
    ("form", "told"),
    [
        *((each, "is no snapshot; give region.snapshots.get") for each in (ArchiveForm, CopyForm, CreateVolumeForm)),
        *((each, "is no snapshot") for each in (LockForm, RestoreFromArchiveForm, ShareForm, UnlockForm)),
        *((each, "is no volume; give region.volumes.get") for each in (AttachForm, DetachForm)),
        *((each, "is no volume or server; give region.volumes.get") for each in (LeaveForm, MakeSnapshotForm)),
    ],
)
def test_a_form_says_what_it_is_for(form: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=f"'x' {told}"):
        form("x")


def test_a_form_of_a_snapshot_is_none_of_a_volume(ground: Field) -> None:
    with pytest.raises(InvalidRequest, match=r"snapshot <Volume .* is no snapshot"):
        CreateVolumeForm(ground.new_volume())  # type: ignore[arg-type]
