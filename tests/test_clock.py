"""The one seam to time: the system's clock, and that of a sandbox in another process."""

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from snapkit import InvalidRequest, Sandbox
from snapkit.clock import Clock, RemoteClock, SystemClock

START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def served() -> Iterator[tuple[Sandbox, str]]:
    with Sandbox() as sandbox:
        yield sandbox, sandbox.serve()


def test_the_systems_clock_tells_utc() -> None:
    clock: Clock = SystemClock()
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().tzinfo is UTC


def test_the_systems_clock_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    SystemClock().sleep("2min")
    SystemClock().sleep(0)
    asyncio.run(SystemClock().asleep(0.001))
    assert slept == [120, 0]
    with pytest.raises(InvalidRequest):
        SystemClock().sleep(-1)


def test_a_remote_clock_asks_nothing_until_it_is_asked() -> None:
    assert repr(RemoteClock("http://127.0.0.1:9/")) == "<RemoteClock http://127.0.0.1:9/_snapkit/clock>"


def test_a_remote_clock_reads_and_moves_the_sandbox(served: tuple[Sandbox, str]) -> None:
    sandbox, endpoint = served
    clock: Clock = RemoteClock(endpoint)
    remote = RemoteClock(endpoint + "/")
    assert clock.now() == START
    assert remote.advance("90min") == sandbox.clock.now() == START + timedelta(minutes=90)
    assert remote.advance(timedelta(milliseconds=1)) == START + timedelta(minutes=90, milliseconds=1)


def test_a_remote_clock_lives_and_pauses(served: tuple[Sandbox, str]) -> None:
    sandbox, endpoint = served
    remote = RemoteClock(endpoint)
    remote.live(3600)
    assert remote.speed == sandbox.clock.speed == 3600
    remote.pause()
    assert sandbox.clock.speed == 0
    remote.live()
    assert sandbox.clock.speed == 1


def test_a_remote_clock_sleeps_by_moving_a_standing_sandbox_and_by_waiting_for_a_running_one(
    served: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, endpoint = served
    remote, slept = RemoteClock(endpoint), list[float]()
    monkeypatch.setattr(time, "sleep", slept.append)
    remote.sleep("1h")
    asyncio.run(remote.asleep("1h"))
    assert (sandbox.clock.now(), sum(slept)) == (START + timedelta(hours=2), 0)
    remote.live(36_000)
    remote.sleep("1h")
    assert slept[-1] == 0.1
    before = remote.now()
    asyncio.run(remote.asleep("1h"))
    assert remote.now() - before >= timedelta(hours=1)


def test_another_process_moves_the_clock(served: tuple[Sandbox, str]) -> None:
    sandbox, endpoint = served
    ec2 = sandbox.client("ec2")
    taken = ec2.create_snapshot(VolumeId=ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"])
    code = f"""
from snapkit.clock import RemoteClock
clock = RemoteClock({endpoint!r})
print(clock.now().isoformat())
print(clock.advance("1h").isoformat())
import sys
assert not {{"moto", "boto3", "simpy", "werkzeug"}} & set(sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - ours
    assert run.stdout.split() == ["2026-01-05T00:00:00+00:00", "2026-01-05T01:00:00+00:00"]
    assert ec2.describe_snapshots(SnapshotIds=[taken["SnapshotId"]])["Snapshots"][0]["State"] == "completed"


def test_a_proxy_in_the_environment_is_passed_by(served: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert RemoteClock(served[1]).now() == START


@pytest.mark.parametrize("duration", [-1, "soon", None, float("nan")])
def test_what_is_no_duration_is_refused_here(served: tuple[Sandbox, str], duration: Any) -> None:
    for move in (RemoteClock(served[1]).advance, RemoteClock(served[1]).sleep):
        with pytest.raises(InvalidRequest, match="duration"):
            move(duration)
    assert served[0].clock.now() == START


@pytest.mark.parametrize("speed", [0, -1, "fast", None, float("nan"), float("inf"), True])
def test_what_is_no_speed_is_refused(served: tuple[Sandbox, str], speed: Any) -> None:
    with pytest.raises(InvalidRequest, match="speed"):
        RemoteClock(served[1]).live(speed)
    assert served[0].clock.speed == 0


def test_what_only_the_sandbox_can_refuse_is_refused_with_its_words(served: tuple[Sandbox, str]) -> None:
    with pytest.raises(InvalidRequest, match="9999"):
        RemoteClock(served[1]).advance("3000000d")


def test_after_close_nothing_answers() -> None:
    with Sandbox() as sandbox:
        remote = RemoteClock(sandbox.serve())
    with pytest.raises(InvalidRequest, match=r"does not answer.*start one with `snapkit sandbox`"):
        remote.now()


@pytest.mark.parametrize(
    "endpoint", ["", "nonsense", "127.0.0.1:1", "http://127.0.0.1:1", "http://", "ftp://127.0.0.1:1"]
)
def test_what_is_no_endpoint_is_refused_in_a_sentence(endpoint: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^endpoint .* does not answer"):
        RemoteClock(endpoint).now()


class Stranger(BaseHTTPRequestHandler):
    """Some other server, with answers of its own."""

    answer: tuple[int, bytes] = (200, b"")

    def do_GET(self) -> None:
        self.send_response(self.answer[0])
        self.end_headers()
        self.wfile.write(self.answer[1])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    "answer",
    [(404, b"<html>not here</html>"), (404, b"{}"), (500, b"[]"), (200, b"<html>"), (200, b"[1]"), (200, b"{}"),
     (200, b'{"now": 3, "speed": 0}'), (200, b'{"now": "noon", "speed": 0}'), (200, b"null"), (200, b"")],
)  # fmt: skip
def test_another_server_is_told_from_a_sandbox(answer: tuple[int, bytes]) -> None:
    with HTTPServer(("127.0.0.1", 0), type("This", (Stranger,), {"answer": answer})) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(InvalidRequest, match="sandbox"):
                RemoteClock(f"http://127.0.0.1:{server.server_port}").now()
        finally:
            server.shutdown()
            thread.join()


def post(url: str, body: bytes, content_type: str = "application/json") -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, body, {"Content-Type": content_type})  # noqa: S310 - a sandbox
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - likewise
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", ""),
        (b"", ""),
        (b"[1]", "cannot be changed so"),
        (b'"1h"', "cannot be changed so"),
        (b'{"advanced": 1}', "send advance or speed"),
        (b'{"advance": "soon"}', "is not a time span"),
        (b'{"advance": null}', "is not a time span"),
        (b'{"advance": {"hours": 1}}', "is not a time span"),
        (b'{"advance": 1e300}', "duration"),
        (b'{"speed": -1}', "is no number above 0"),
        (b'{"speed": "fast"}', "is no number above 0"),
        (b'{"speed": NaN}', "is no number above 0"),
        (b'{"speed": null}', "is no number above 0"),
        (b'{"speed": false}', "is no number above 0"),
        (b'{"speed": []}', "is no number above 0"),
        (b"\xff\xfe", ""),
    ],
)
def test_a_bad_change_is_answered_with_a_sentence(served: tuple[Sandbox, str], body: bytes, words: str) -> None:
    status, answer = post(f"{served[1]}/_snapkit/clock", body)
    assert status == 400
    assert answer["message"]
    assert words in answer["message"]
    assert (served[0].clock.now(), served[0].clock.speed) == (START, 0)


def test_a_web_page_cannot_move_the_clock(served: tuple[Sandbox, str]) -> None:
    """What a browser sends without asking first is no JSON."""
    assert post(f"{served[1]}/_snapkit/clock", b'{"advance": 1}', "text/plain")[0] == 415
    assert served[0].clock.now() == START


def test_other_routes_of_ours_are_not_there(served: tuple[Sandbox, str]) -> None:
    assert post(f"{served[1]}/_snapkit/elsewhere", b"{}") == (404, {"message": "the clock is at /_snapkit/clock"})


def test_both_changes_may_come_at_once(served: tuple[Sandbox, str]) -> None:
    status, answer = post(f"{served[1]}/_snapkit/clock", b'{"advance": "1h", "speed": 0}')
    assert (status, answer) == (200, {"now": "2026-01-05T01:00:00+00:00", "speed": 0.0})
