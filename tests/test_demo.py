"""What `make demo` runs, as people run it: another process, in a folder of their own."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.data import data_path

ROOT = Path(__file__).resolve().parents[1]
STORY = ROOT / "notebooks" / "protect-a-volume.ipynb"
CHOICE = ROOT / "notebooks" / "choose-a-strategy.ipynb"


def run(folder: Path, *parameters: str, notebook: Path = CHOICE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(notebook), *parameters]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own


def chosen(output: str) -> str:
    found = re.search(r"^chosen  (.*?)  ", output, re.MULTILINE)
    assert found is not None, output
    return found[1]


def report(folder: Path, name: str) -> str:
    """Return the one report that there is; it needs nothing from elsewhere."""
    assert [path.name for path in (folder / "build").iterdir()] == [f"{name}.html"]
    html = (folder / "build" / f"{name}.html").read_text()
    assert not re.search(r"""(src|href)=["']https?:|(url|import)\(["']?https?:|@import|cdnjs""", html)
    return html


def test_the_demo_tells_the_whole_story_as_the_readme_shows_and_writes_a_report(tmp_path: Path) -> None:
    result = run(tmp_path, notebook=STORY)
    assert (result.returncode, result.stderr) == (0, "")
    headings = re.findall(r"^(.+)\n-+$", result.stdout, re.MULTILINE)
    steps = ["What is there", "What a snapshot copies", "Side by side", "The choice", "The forecast", "The plan"]
    assert headings == ["Connect", *steps, "Thirty days", "Forecast and fact", "Check"]
    block = (ROOT / "README.md").read_text().split("```console\n$ make demo\n")[1].split("```")[0]
    printed = result.stdout.splitlines()
    for line in block.splitlines():
        assert line == "..." or line in printed, line
    assert result.stdout.endswith("report: build/protect-a-volume.html\n")
    assert report(tmp_path, "protect-a-volume").count("<img") == 4


def test_rpo_alone_and_budget_alone_flip_what_the_story_chooses() -> None:
    made: dict[str, Any] = {}
    sources = [
        "".join(cell["source"]) for cell in json.loads(STORY.read_text())["cells"] if cell["cell_type"] == "code"
    ]
    (choosing,) = [source for source in sources if source.startswith("choice = ")]
    for source in sources[: sources.index(choosing)]:
        exec(source, made)  # noqa: S102 - our own

    def chosen_with(**parameters: str) -> str:
        asked = made | parameters
        exec(choosing, asked)  # noqa: S102 - our own
        return str(asked["choice"].strategy.name)

    assert chosen_with() == "every 2 h, four weeks"
    assert chosen_with(rpo="8h") == "every 6 h, two months"
    assert chosen_with(budget="5") == "hourly, two days"


def test_choosing_prints_the_curve_the_strategies_and_the_choice_and_writes_a_report(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    for words in (
        "What a snapshot copies",
        "1 h            5,194.78",
        "Side by side",
        "RPO p95",
        "measured x 321",
        "modelled",
        "The choice",
    ):
        assert words in result.stdout
    assert chosen(result.stdout) == "hourly, two weeks"
    assert result.stdout.endswith("report: build/choose-a-strategy.html\n")
    assert report(tmp_path, "choose-a-strategy").count("<img") == 3


def test_rpo_alone_and_budget_alone_flip_the_choice(tmp_path: Path) -> None:
    assert chosen(run(tmp_path, "rpo=8h").stdout) == "every 6 h"
    assert chosen(run(tmp_path, "budget=12").stdout) == "hourly, two days"


def test_choosing_takes_a_real_trace(tmp_path: Path) -> None:
    trace = data_path("workstation-root-disk-96h.csv.gz").resolve()
    result = run(tmp_path, f"trace={trace}", "device=0", "span=96h", "budget=1")
    assert (result.returncode, result.stderr) == (0, "")
    for words in ("1 min              1.04", "1 h               16.21", "24 h              94.00"):
        assert words in result.stdout


HEADER = b"t_us,dev,op,off,len\n"
WRITE = HEADER + b"1,0,W,0,512\n"


@pytest.mark.parametrize(
    ("content", "parameters", "sentence"),
    [
        (None, [], r"trace file 'trace.csv' does not exist; a trace is CSV text"),
        (b"", [], r"trace file 'trace.csv' is empty; a trace is CSV text"),
        (b"t_us,op,off\n1,W,0\n", [], r"trace.csv columns \['t_us', 'op', 'off'\] lack len; a trace has the columns"),
        (gzip.compress(HEADER * 999)[:-9], [], r"trace file 'trace.csv.gz' is a broken gzip file, cut short"),
        (WRITE + b"2,0,W,many,512\n", [], r"trace.csv line 3, column off 'many' is not a whole number; off is"),
        (WRITE + b"2,0,W,-8,512\n", [], r"trace.csv line 3, column off -8 is negative; off is"),
        (WRITE + b"0,0,W,0,512\n", [], r"trace.csv line 3, column t_us 0 is earlier than 1 on the line before; sort"),
        (HEADER + b"1,0,R,0,512\n", [], r"trace.csv column op 'R' stands for every record: nothing is written; record"),
        (
            WRITE + b"2,1,W,0,512\n",
            [],
            r"devices of trace 2 are there to choose from: 0 \(1 write\), 1 \(1 write\); name one with device= ",
        ),
        (WRITE + b"2,1,W,0,512\n", ["device=7"], r"device '7' is not in trace; it has the devices 0"),
    ],
    ids=["missing", "empty", "column", "gzip", "text", "negative", "order", "no writes", "devices", "device"],
)
def test_a_bad_trace_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes | None, parameters: list[str], sentence: str
) -> None:
    path = tmp_path / ("trace.csv.gz" if content and content[:2] == b"\x1f\x8b" else "trace.csv")
    if content is not None:
        path.write_bytes(content)
    result = run(tmp_path, f"trace={path.name}", *parameters)
    assert result.returncode == 2
    assert re.match(sentence, result.stderr)
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stdout + result.stderr
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        ("rpo=soon", "RPO 'soon' is not a time span; write a time such as"),
        ("rpo=1s", "RPO '1s' is met by no strategy: the nearest, every 15 min, loses up to"),
        ("budget=plenty", "budget 'plenty' is not an amount of money; write an amount"),
        ("budget=0.01", "budget '0.01' pays for no strategy that meets an RPO of 2 h: the cheapest, hourly, two days"),
        ("size=big", "size 'big' is not a size; write a size such as"),
    ],
)
def test_a_bad_parameter_is_refused_in_one_sentence(tmp_path: Path, parameter: str, sentence: str) -> None:
    result = run(tmp_path, parameter)
    assert result.returncode == 2
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_keep_to_one_form(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    parts = ["**Purpose.**", "## You need", "## Connect", "## Steps", "## Check", "## Undo"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "NBVAL" not in text.upper()
    for cell in cells:
        assert "execution" not in cell["metadata"]
        assert "print(" not in "".join(cell["source"])
        assert len(cell.get("outputs", [])) <= 1
