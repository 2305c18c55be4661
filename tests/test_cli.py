"""The command, as people run it: another process, ended by a key or a signal."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO

import boto3
import pytest

import snapkit
from snapkit import cli
from snapkit.clock import RemoteClock

RUN = [sys.executable, "-W", "error", "-c", "import sys; from snapkit.cli import main; sys.exit(main())"]


def run(*words: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [*RUN[:-1], code, *words] if code else [*RUN, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - ours


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command until it has said everything."""
    process = subprocess.Popen(  # noqa: S603 - ours
        [*RUN, "sandbox", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, said(process.stdout)
    finally:
        process.kill()
        process.communicate()


def said(stream: IO[str] | None) -> str:
    assert stream is not None
    text = ""
    while not text.endswith('.advance("1h")\n'):
        line = stream.readline()
        assert line, text
        text += line
    return text


def endpoint(text: str) -> str:
    found = re.search(r"answers at (http://127\.0\.0\.1:\d+) until Ctrl-C", text)
    assert found is not None, text
    return found[1]


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_stops_cleanly(way: signal.Signals) -> None:
    with serving("--seed", "5") as (process, text):
        url = endpoint(text)
        assert "2026-01-05 00:00:00 UTC, and stands until it is moved" in text
        row = re.search(r"^  (\d{12})  staging +(AKIA\w{16})  (\S{40})$", text, re.MULTILINE)
        assert row is not None, text
        ec2 = boto3.client("ec2", "us-east-1", endpoint_url=url, aws_access_key_id=row[2], aws_secret_access_key=row[3])
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        taken = ec2.create_snapshot(VolumeId=volume)
        assert taken["OwnerId"] == row[1]
        assert RemoteClock(url).advance("1h") == datetime(2026, 1, 5, 1, tzinfo=UTC)
        assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["State"] == "completed"
        process.send_signal(way)
        rest, errors = process.communicate(timeout=30)
        assert (process.returncode, rest, errors) == (0, "", "")
    assert volume == snapkit.Sandbox(5).client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]


def test_what_it_says_to_type_works() -> None:
    with serving("--demo", "--speed", "600") as (_, text):
        assert "passes 600 times as fast as outside" in text
        code = "\n".join(line.strip() for line in text[text.index("in Python:\n") + 11 :].splitlines())
        exec(code, {})  # noqa: S102 - what people would type
        exports = dict(re.findall(r"(AWS_\w+)=(\S+)", text))
        ec2 = boto3.client(
            "ec2",
            exports["AWS_DEFAULT_REGION"],
            endpoint_url=exports["AWS_ENDPOINT_URL"],
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        )
        assert ec2.describe_snapshots(OwnerIds=["self"], MaxResults=5)["Snapshots"]
        first = RemoteClock(endpoint(text)).now()
        time.sleep(0.05)
        assert RemoteClock(endpoint(text)).now() - first >= timedelta(seconds=30)


def test_it_stops_in_this_process_and_leaves_the_signals_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), threading.active_count()
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert cli.main(["sandbox"]) == 0
    shown = capsys.readouterr()
    assert "answers at http://127.0.0.1:" in shown.out
    assert shown.err == ""
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), threading.active_count()) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "snapkit: the following arguments are required: command; see snapkit --help"),
        (["banana"], "snapkit: argument command: invalid choice: 'banana'"),
        (["sandbox", "--port", "http"], "snapkit sandbox: argument --port: invalid int value: 'http'; see"),
        (["sandbox", "--port", "70000"], "snapkit: port 70000 is no number of a port; choose another one"),
        (["sandbox", "--speed", "fast"], "snapkit sandbox: argument --speed: invalid float value: 'fast'; see"),
        (["sandbox", "--speed", "0"], "snapkit: speed 0.0 is no number above 0; give simulated seconds"),
        (["sandbox", "--speed", "nan"], "snapkit: speed nan is no number above 0"),
        (["sandbox", "--seed", "-1"], "snapkit: seed -1 is no whole number from 0 up; give one"),
        (["sandbox", "--banana"], "snapkit: unrecognized arguments: --banana; see snapkit --help"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = cli.main(words)
    except SystemExit as end:
        code = end.code
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert shown.err.startswith(sentence)
    assert shown.err.count("\n") == 1


def test_a_port_that_is_taken_is_refused_in_one_sentence() -> None:
    with serving() as (_, text):
        port = endpoint(text).rpartition(":")[2]
        refused = run("sandbox", "--port", port)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.fullmatch(rf"snapkit: port {port} cannot be served on \(.*\); choose another one.*\n", refused.stderr)


def test_without_moto_the_remedy_is_told() -> None:
    code = """
import sys
from snapkit.cli import main
class Without:
    def find_spec(self, name, path, target=None):
        if name == "moto":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Without())
sys.exit(main(["sandbox"]))
"""
    refused = run(code=code)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "snapkit: snapkit.Sandbox stands on moto; install it with: pip install 'snapkit[sandbox]'\n"
    )


def test_it_tells_its_version_and_helps(capsys: pytest.CaptureFixture[str]) -> None:
    for words, shown in ((["--version"], f"snapkit {snapkit.__version__}\n"), (["sandbox", "--help"], "--speed SPEED")):
        with pytest.raises(SystemExit) as end:
            cli.main(words)
        assert end.value.code == 0
        assert shown in capsys.readouterr().out


def test_help_does_not_wait_for_moto() -> None:
    code = """
import sys
from snapkit.cli import main
try:
    main(["--help"])
except SystemExit:
    print("moto" in sys.modules)
"""
    assert run(code=code).stdout.endswith("False\n")
