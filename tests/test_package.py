import subprocess
import sys

import pytest

import simulation
import snapkit
import snapkit.blocks
import snapkit.ebs
import snapkit.strategy
from snapkit import errors


@pytest.mark.parametrize("package", [simulation, snapkit, snapkit.blocks, snapkit.ebs, snapkit.strategy])
def test_public_names_are_sorted_and_there(package: object) -> None:
    names = vars(package)["__all__"]
    assert names == sorted(names)
    assert all(hasattr(package, name) for name in names)
    assert len(set(names)) == len(names)


def test_every_error_stands_in_the_tree_of_the_docstring() -> None:
    for name, thing in vars(errors).items():
        if isinstance(thing, type) and not name.startswith("_"):
            assert issubclass(thing, errors.SnapkitError)
            assert name in (errors.__doc__ or "")


def test_slow_libraries_load_only_when_used() -> None:
    heavy = {"ipywidgets", "matplotlib", "moto", "scipy", "simpy"}
    loaded = loaded_by("import snapkit, snapkit.strategy, snapkit.blocks")
    assert not heavy & loaded
    assert not {"ipywidgets", "matplotlib", "moto"} & loaded_by("import simulation")


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    return set(run.stdout.split())
