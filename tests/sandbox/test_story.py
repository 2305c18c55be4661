"""A script that somebody wrote for AWS runs against a served sandbox, unchanged."""

import os
import subprocess
import sys
from pathlib import Path

from snapkit import Sandbox

STORY = Path(__file__).with_name("story.py")


def test_a_plain_boto3_script_runs_through_a_whole_story(tmp_path: Path) -> None:
    with Sandbox(accounts=["111122223333", "444455556666"]) as sandbox:
        keys = sandbox.credentials()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": sandbox.serve(speed=200_000),
            "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
        }
        ran = subprocess.run(  # noqa: S603 - our own file
            [sys.executable, "-W", "error", str(STORY), "444455556666"],
            env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "taken 100%",
        "shared True",
        "restored 8 GiB",
        "copied completed",
        "locked governance",
        "not deleted SnapshotLocked",
        "archived archive",
    ]
    assert ran.returncode == 0
