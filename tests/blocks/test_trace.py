"""Reading a block trace: what is accepted, and how each fault is named."""

import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapkit.blocks import Workload, read_trace
from snapkit.errors import InvalidRequest
from tests.data import data_path

HEADER = "t_us,op,off,len\n"
GOOD = HEADER + "0,W,0,512\n5,r,4096,512\n9,w,8192,512\n"


def written(folder: Path, content: str | bytes, name: str = "trace.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InvalidRequest) as caught:
        read_trace(path)
    return str(caught.value)


def frame_refusal(frame: object, **options: object) -> str:
    with pytest.raises(InvalidRequest) as caught:
        Workload.from_trace(frame, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_plain_and_compressed_files_read_alike(tmp_path: Path) -> None:
    plain = read_trace(written(tmp_path, GOOD))
    packed = read_trace(str(written(tmp_path, gzip.compress(GOOD.encode()), "trace.csv.gz")))
    pd.testing.assert_frame_equal(plain, packed)
    assert plain["op"].tolist() == ["W", "R", "W"]
    assert plain["t_us"].tolist() == [0, 5, 9]
    assert [str(kind) for kind in plain.dtypes] == ["int64", "category", "int64", "int64"]


def test_other_columns_are_left_out_and_order_does_not_matter(tmp_path: Path) -> None:
    frame = read_trace(written(tmp_path, "len,host,t_us,dev,off,op\n512,a,0,1,0,W\n512,b,7,0,0,R\n"))
    assert list(frame.columns) == ["t_us", "op", "off", "len", "dev"]
    assert frame["dev"].tolist() == [1, 0]


def test_devices_that_are_not_all_numbers_stay_text(tmp_path: Path) -> None:
    frame = read_trace(written(tmp_path, "t_us,dev,op,off,len\n0,0,W,0,512\n1,sda,W,0,512\n"))
    assert frame["dev"].tolist() == ["0", "sda"]


@pytest.mark.parametrize("tail", ["\n", "\n\n", "\r\n"])
def test_blank_lines_at_the_end_are_no_records(tmp_path: Path, tail: str) -> None:
    assert len(read_trace(written(tmp_path, GOOD + tail))) == 3


def test_a_byte_order_mark_and_whole_numbers_with_a_point_are_read(tmp_path: Path) -> None:
    frame = read_trace(written(tmp_path, "\ufeff" + HEADER + "0,W,0,512\n5.0,W,4096.,512\n"))
    assert frame["t_us"].tolist() == [0, 5]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["is empty"]),
        ("\n", ["is empty"]),
        ("\n" + GOOD, ["begins with a blank line"]),
        (HEADER, ["trace.csv", "0 is the number of its records"]),
        ("t_us,op,off\n1,W,0\n", ["columns ['t_us', 'op', 'off'] lack len"]),
        ("t_us,op,off,len,off\n1,W,0,5,0\n", ["name off more than once"]),
        (b"\xff\xfe\x00\x01" * 9, ["is not text"]),
        (HEADER.encode() + b"1,W,0,5\n2,W,\xff,5\n", ["is not text"]),
        (HEADER + "0,W,0,512\nx,W,0,512\n", ["line 3, column t_us 'x' is not a whole number; ", "microseconds"]),
        (HEADER + "0,W,0,512\n1,W,,512\n", ["line 3, column off '' is missing", "bytes"]),
        (HEADER + "0,W,0,512\n1,W,0\n", ["line 3 '1,W,0' has 3 of the 4 fields"]),
        (HEADER + "0,W,0,512\n1,W,0,512,7\n", ["line 3 '1,W,0,512,7' has 5 of the 4 fields"]),
        (HEADER + "0,W,0,512,7\n1,W,0,512,7\n", ["line 2 '0,W,0,512,7' has 5 of the 4 fields"]),
        (HEADER + "0,W,0,512\n\n1,W,0,512\n", ["line 3 '' has 0 of the 4 fields"]),
        (HEADER + '0,W,0,512\n1,"W,0,512\n', ["line 3", "has 2 of the 4 fields"]),
        (HEADER + "0,W,0,512\n1,W,0,512.5\n", ["line 3, column len '512.5' is not a whole number"]),
        (HEADER + "0,W,0,512\n1,W,-8,512\n", ["line 3, column off -8 is negative"]),
        (HEADER + "0,W,0,-512\n", ["line 2, column len -512 is negative"]),
        (HEADER + "-1,W,0,512\n", ["line 2, column t_us -1 is negative"]),
        (HEADER + "0,R,0,0\n0,W,0,0\n", ["line 3, column len 0 is no length for a write"]),
        (HEADER + "0,W,0,1\n0,X,0,512\n", ["line 3, column op 'X' is neither R nor W"]),
        (HEADER + "0,W,0,1\n0,,0,512\n", ["line 3, column op '' is missing"]),
        (HEADER + "7,W,0,1\n9,W,0,1\n8,W,0,1\n", ["line 4, column t_us 8 is earlier than 9 on the line before"]),
        (HEADER + "0,R,0,512\n", ["column op 'R' stands for every record"]),
        (HEADER + f"0,W,{10**19},512\n", ["line 2, column off", "is more than 4,611,686,018,427,387,904"]),
        (
            HEADER + f"0,W,{2**62 + 1},512\n",
            ["line 2, column off 4611686018427387905 is more than 4,611,686,018,427,387,904"],
        ),
        (HEADER + f"0,W,{'9' * 5000},512\n", ["line 2, column off", "is more than 4,611,686,018,427,387,904"]),
        (HEADER + "0,W,0,4294967296\n", ["line 2, column len 4294967296 is more than 4,294,967,295"]),
        (HEADER + "0,W,0,512\n1,W,0,1e50\n", ["line 3, column len '1e50' is more than 4,294,967,295"]),
        (HEADER + "0,W,0,512\n1e3,W,0,5_1\n", ["line 3, column len '5_1' is not a whole number"]),
        (HEADER + "0,W,0," + "5" * 200_000 + "\n", ["is not CSV (field larger than field limit"]),
        ('t_us,op,off,len,"x\n0,W,0,512,1\n', ["0 is the number of its records"]),
        ("t_us,dev,op,off,len\n0,,W,0,512\n", ["line 2, column dev '' is missing"]),
    ],
)
def test_a_fault_in_a_file_is_named_with_its_place(tmp_path: Path, content: str | bytes, parts: list[str]) -> None:
    message = refusal(written(tmp_path, content))
    assert str(tmp_path / "trace.csv") in message
    for part in parts:
        assert part in message


def test_files_that_cannot_be_opened_say_why(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "nothing.csv")
    assert "is a directory" in refusal(tmp_path)
    assert "cannot be read (Not a directory)" in refusal(written(tmp_path, GOOD) / "below")


def test_broken_gzip_files_say_so(tmp_path: Path) -> None:
    rows = "".join(f"{t},W,{t * 7919 % 10**9},512\n" for t in range(20_000))
    packed = gzip.compress((HEADER + rows).encode())
    damaged = packed[:9000] + bytes(64) + packed[9064:]
    assert "is no gzip file" in refusal(written(tmp_path, GOOD, "plain.gz"))
    for name, content in (("short.gz", packed[:-9]), ("half.gz", packed[:9000]), ("damaged.gz", damaged)):
        message = refusal(written(tmp_path, content, name))
        assert "gzip" in message or "line" in message


def test_a_fault_far_into_a_file_has_the_right_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small chunks, so that a short file already has several.
    monkeypatch.setattr("snapkit.blocks.trace._CHUNK", 1000)
    rows = [f"{t},W,0,512" for t in range(5000)]
    assert len(read_trace(written(tmp_path, HEADER + "\n".join(rows)))) == 5000
    rows[4321] = "4321,W,0,none"
    assert "line 4323, column len 'none'" in refusal(written(tmp_path, HEADER + "\n".join(rows)))
    rows[4321] = "4321,D,0,512"
    assert "line 4323, column op 'D'" in refusal(written(tmp_path, HEADER + "\n".join(rows)))


pieces = st.sampled_from(
    ["0", "7", "W", "r", ",", ",", ",", "\n", "\n0,W,0,512\n", '"', "-", ".5", "é", " ", "\0", "\r"]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(pieces, max_size=30).map("".join), st.booleans(), st.integers(0, 200))
def test_no_content_escapes_as_another_error(tmp_path: Path, tail: str, packed: bool, cut: int) -> None:
    content = (GOOD + tail).encode()
    path = written(tmp_path, gzip.compress(content)[: cut or None] if packed else content, "a.gz" if packed else "a")
    with suppress(InvalidRequest):
        assert len(read_trace(path)) >= 3


def frame(**changes: object) -> pd.DataFrame:
    columns: dict[str, object] = {"t_us": [0, 5, 9], "op": ["W", "r", "w"], "off": [0, 0, 4096], "len": [512] * 3}
    return pd.DataFrame(columns | changes)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"t_us": [0.0, np.nan, 9.0]}, "trace row 1, column t_us nan is missing"),
        ({"t_us": [0.0, 2.5, 9.0]}, "trace row 1, column t_us 2.5 is not a whole number"),
        ({"t_us": [0.0, np.inf, 9.0]}, "trace row 1, column t_us inf is more than 4,611,686,018,427,387,904"),
        ({"t_us": [5, 0, 9]}, "trace row 1, column t_us 0 is earlier than 5 on the row before"),
        ({"off": [0, None, 9]}, "trace row 1, column off nan is missing"),
        ({"off": [0, "x", 9]}, "trace row 1, column off 'x' is not a whole number"),
        ({"off": [0, 2**63, 9]}, "trace row 1, column off 9223372036854775808 is more than 4,611,686,018,427,387,904"),
        ({"off": [0, 2**70, 9]}, f"trace row 1, column off {2**70} is more than 4,611,686,018,427,387,904"),
        ({"off": [True, False, True]}, "trace row 0, column off True is not a whole number"),
        ({"off": pd.array([1, None, 2], dtype="Int64")}, "trace row 1, column off <NA> is missing"),
        ({"len": pd.to_datetime(["2020-01-01"] * 3)}, "column len Timestamp"),
        ({"op": ["W", None, "R"]}, "trace row 1, column op"),
        ({"op": [[], "W", "R"]}, "trace column op"),
        ({"op": [1, 0, 1]}, "trace row 1, column op 0 is neither R nor W"),
        ({"dev": [0, None, 1]}, "trace row 1, column dev nan is missing"),
    ],
)
def test_a_fault_in_a_frame_is_named_with_its_row(changes: dict[str, object], part: str) -> None:
    assert part in frame_refusal(frame(**changes))


def test_what_is_no_trace_at_all_is_refused() -> None:
    assert "is not a data frame" in frame_refusal([1, 2])
    assert "lack op, len" in frame_refusal(frame().drop(columns=["op", "len"]))
    assert "0 is the number of its records" in frame_refusal(frame().iloc[:0])


def test_frames_with_other_types_of_whole_numbers_are_read() -> None:
    plain = Workload.from_trace(frame())
    for kind in ("float64", "uint64", "int32", "Int64", "object", "str"):
        columns = {name: frame()[name].astype(kind) for name in ("t_us", "off", "len")}
        other = Workload.from_trace(frame(**columns).set_index(pd.Index([7, 7, 7])))
        assert other.changed_between(0, other.span) == plain.changed_between(0, plain.span) == 1


def test_several_devices_need_a_choice() -> None:
    two = frame(dev=[0, 1, 0])
    assert "devices of trace 2 are there to choose from: 0 (2 writes), 1 (0 writes)" in frame_refusal(two)
    assert "'sdb' is not in trace; it has the devices 0 (2 writes)" in frame_refusal(two, device="sdb")
    assert "column op 'R' stands for every record" in frame_refusal(two, device=1)
    assert "has no column dev" in frame_refusal(frame(), device=0)
    for column, device in (("int64", 0), ("int64", "0"), ("float64", 0), ("str", 0)):
        chosen = Workload.from_trace(two.astype({"dev": column}), device=device)
        assert chosen.changed_between(0, 9e-6) == 1
    assert Workload.from_trace(frame(dev=["a"] * 3)).changed_between(0, 9e-6) == 1
    many = pd.DataFrame({"t_us": 1, "op": "W", "off": 0, "len": 1, "dev": range(30)})
    assert "and 20 more" in frame_refusal(many)


def test_the_workstation_file_reads_whole() -> None:
    records = read_trace(data_path("workstation-root-disk-96h.csv.gz"))
    root = records[records["dev"] == 0]
    assert len(root) == 25_902
    assert (root["op"] == "W").sum() == 18_845
