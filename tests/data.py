"""Where the real traces and known answers lie, which are not part of the project."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[1]


def data_path(name: str) -> Path:
    """Find a data file; without the data the test is skipped, but in CI it fails."""
    folder = Path(os.environ.get("SNAPKIT_DATA", _ROOT.parent / "shared" / "data"))
    if not (folder / name).exists():
        reason = f"no {name} in {folder}: set SNAPKIT_DATA to the folder of real traces and known answers"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder / name


def known(name: str) -> Any:
    """Read a JSON data file."""
    return json.loads(data_path(name).read_text())
