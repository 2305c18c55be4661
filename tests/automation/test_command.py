"""The command of a timer: what it prints and how it exits."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from snapkit import Sandbox
from snapkit.automation import command
from tests.automation.ground import HOURLY, alone, marks, protected


@pytest.fixture
def file(tmp_path: Path) -> str:
    HOURLY.save(tmp_path / "hourly.toml")
    return str(tmp_path / "hourly.toml")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    sandbox = alone()
    for key, value in sandbox.credentials().items():
        monkeypatch.setenv(key.upper(), value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.serve())
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    yield sandbox
    sandbox.close()


def snapkit(sandbox: Sandbox, *arguments: str) -> int:
    """Run the command against a sandbox that is served."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    endpoint = sandbox._servers[0].url
    return command.main(parser.parse_args(["run", *arguments, "--endpoint", endpoint]))


def test_it_shows_first_and_does_with_apply(served: Sandbox, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    volume = protected(served.region())[0]
    assert snapkit(served, file) == 0
    assert f"take  {volume.id}  planned  for often" in capsys.readouterr().out
    assert marks(served.region()) == []
    assert snapkit(served, file, "--apply", "--json") == 0
    step, end = map(json.loads, capsys.readouterr().out.splitlines())
    assert (step["what"], step["on"], step["result"]) == ("take", volume.id, "done")
    assert end == {"status": 0, "applied": True, "next_due": "2026-01-05T01:00:00+00:00", "pending": 0}
    assert len(marks(served.region())) == 1


def test_a_tag_of_ones_own_says_what_is_protected(
    served: Sandbox, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    served.region().volumes.create("us-east-1a", "1 GiB", tags={"Backup": "often"})
    assert snapkit(served, file, "--tag", "Backup=*") == 0
    assert snapkit(served, file, "--tag", "Backup=never") == 1
    assert "for the tag Backup = never, protects no volume" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tag", "Backup"], "write KEY=VALUE"),
        (["--volume", "snap-1"], "is no id of a volume"),
        (["--region", "nowhere"], "is no name of a region"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_step(
    arguments: list[str], told: str, served: Sandbox, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    protected(served.region())
    assert snapkit(served, file, *arguments) == 2
    assert told in capsys.readouterr().err


def test_an_account_of_two_profiles_is_refused_before_the_first_step(
    served: Sandbox, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    protected(served.region())
    keys = "\n".join(f"{name} = {value}" for name, value in served.credentials().items())
    (tmp_path / "credentials").write_text(f"[one]\n{keys}\n[two]\n{keys}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert snapkit(served, file, "--apply", "--profile", "one", "--profile", "two") == 2
    assert "is reached in two ways; name one profile for each account" in capsys.readouterr().err
    assert marks(served.region()) == []


def test_tags_are_for_one_strategy_only(served: Sandbox, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert snapkit(served, file, file, "--tag", "Backup=*") == 2
    assert "leave those out, and tag each volume" in capsys.readouterr().err


def test_a_sandbox_whose_time_is_not_asked_for_is_refused(
    served: Sandbox, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    protected(served.region())
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    assert command.main(parser.parse_args(["run", file, "--apply"])) == 2  # AWS_ENDPOINT_URL names it
    assert "is not the time of AWS, which is 2026-01-05 00:00:00 UTC" in capsys.readouterr().err
    assert marks(served.region()) == []


def test_a_strategy_that_cannot_be_is_told_with_its_file(
    served: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.toml").write_text('name = "bad"\nretain = 3\n')
    assert snapkit(served, str(tmp_path / "bad.toml")) == 2
    assert "bad.toml, line 2: key 'retain' is not known; the keys are name, tiers, recovery" in capsys.readouterr().err
