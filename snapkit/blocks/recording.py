"""What one device was asked to write while a trace was recorded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import pandas as pd

from snapkit.blocks.exact import TraceIndex
from snapkit.blocks.records import Place, checked, is_write, no_writes
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK
from snapkit.units import GIB, Duration, Size, bytes_text, seconds_text, to_bytes, to_seconds

if TYPE_CHECKING:
    from snapkit.blocks.workload import Workload

Ints: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_CHUNK = 2**16
_MOST = 2**32 - 1


@dataclass(frozen=True)
class Recording:
    """Requests in order of time, the writes of one device among them, and how long was listened.

    Attributes:
        times: when each request came [microseconds]. Shape: (requests,).
        offsets: where it begins [bytes]. Shape: (requests,).
        lengths: how far it reaches [bytes]. Shape: (requests,).
        written: which ones are writes of the device within the span. Shape: (requests,).
        span_us: how long the recording lasted [microseconds].
        extent: the end of the farthest request to the device, reads and later ones too [bytes].
    """

    times: Ints
    offsets: Ints
    lengths: Ints
    written: Flags
    span_us: int
    extent: int

    @classmethod
    def of(cls, frame: pd.DataFrame, device: object, span: Duration | None) -> Self:
        """Find the writes of a device in a trace.

        Raises:
            InvalidRequest: the frame is no block trace, the device is not in it or not chosen, or it is not written
                to in the span.
        """
        place = Place()
        records = checked(frame, place)
        times, offsets, lengths = (records[name].to_numpy() for name in ("t_us", "off", "len"))
        span_us = int(times[-1]) if span is None else round(to_seconds(span, "span") * 1e6)
        if span_us == 0:
            rule = "is no length of time: the last record comes at the first moment"
            raise InvalidRequest(
                "span of the trace", 0, rule, "say how long it was recorded with span= (make demo: SPAN=)"
            )
        of_device, written = _of_device(records, device, place), is_write(records)
        if of_device is not None:
            written &= of_device
            if not written.any():
                raise no_writes(Place(f"device {device}"), "R")
        written[int(times.searchsorted(span_us, "right")) :] = False
        if not written.any():
            raise InvalidRequest("span", span, "ends before the first write", "give a longer span")
        return cls(times, offsets, lengths, written, span_us, _extent(offsets, lengths, of_device))

    def touches(self, block_size: int) -> tuple[Ints, Ints]:
        """Split the writes into touches of single blocks.

        Args:
            block_size: the unit [bytes].

        Returns:
            The time [microseconds] and the block of every touch. Shape: (touches,) each.

        Raises:
            InvalidRequest: there are more touches than an index can number.
        """
        total = sum(int(counts.sum()) for _, _, counts in self._blocks(block_size))
        if total > _MOST:
            remedy = f"choose blocks larger than {block_size} bytes, or a shorter span"
            raise InvalidRequest("trace", total, f"blocks written are more than {_MOST}", remedy)
        times, blocks = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
        end = 0
        for time, first, counts in self._blocks(block_size):
            start, end = end, end + int(counts.sum())
            if end - start == len(counts):
                times[start:end], blocks[start:end] = time, first
            else:
                times[start:end] = np.repeat(time, counts)
                begin = np.cumsum(counts) - counts
                blocks[start:end] = np.repeat(first - begin, counts) + np.arange(end - start)
        return times, blocks

    def _blocks(self, size: int) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Yield the time, the first block and the number of blocks of the writes, in chunks."""
        for start in range(0, len(self.times), _CHUNK):
            part = slice(start, start + _CHUNK)
            written = self.written[part]
            # Picking by a mask copies, which costs more than all the rest here.
            picked = slice(None) if written.all() else written
            offsets = self.offsets[part][picked]
            first = offsets // size
            last = (offsets + (self.lengths[part][picked] - 1)) // size
            yield self.times[part][picked], first, last - first + 1


def from_trace(
    _cls: "type[Workload]",
    frame: pd.DataFrame,
    block_size: Size = BLOCK,
    device: object = None,
    span: Duration | None = None,
) -> "Workload":
    """Know every write of a recording.

    Args:
        frame: columns ``t_us`` (microseconds since the start), ``op`` (R or W), ``off`` [bytes], ``len`` [bytes]
            and optionally ``dev``, in order of time, such as `read_trace` gives.
        block_size: the unit to count in [bytes].
        device: which of several devices.
        span: how long the recording lasted, by default until its last record, on whatever device; later writes
            are left out.

    Raises:
        InvalidRequest: the frame is no block trace, the device is not in it, or nothing is written in the span.
    """
    unit = to_bytes(block_size, "block_size")
    recording = Recording.of(frame, device, span)
    seconds = recording.span_us / 1e6
    size = -(-recording.extent // GIB) * GIB
    times, blocks = recording.touches(unit)
    made = _cls(
        TraceIndex(times, blocks, recording.span_us),
        name="trace" if device is None else f"trace of device {device}",
        source=f"block trace with {int(recording.written.sum()):,} writes in {seconds_text(seconds)}",
        span=seconds,
        size=size,
        block_size=unit,
        assumptions=(f"Data lies as far as the requests reach, {bytes_text(size)}: a full snapshot copies that.",),
    )
    made.write_size = int(recording.lengths.sum(where=recording.written)) / len(times)
    return made


def _of_device(frame: pd.DataFrame, device: object, place: Place) -> Flags | None:
    """Tell the records of one device; None stands for all of them.

    Raises:
        InvalidRequest: there are several devices and none was chosen, or the chosen one is not there.
    """
    if "dev" not in frame.columns:
        if device is None:
            return None
        raise InvalidRequest("device", device, f"cannot be chosen: {place.source} has no column dev", "leave it out")
    codes, names = frame["dev"].cat.codes.to_numpy(), frame["dev"].cat.categories.tolist()
    writes = np.bincount(codes[is_write(frame)], minlength=len(names))
    present = np.bincount(codes, minlength=len(names)) > 0
    listing = [
        f"{name} ({count:,} {'write' if count == 1 else 'writes'})" for name, count in zip(names, writes, strict=True)
    ]
    listing = [text for text, there in zip(listing, present, strict=True) if there]
    shown = ", ".join(listing[:10]) + (f" and {len(listing) - 10} more" if len(listing) > 10 else "")
    if device is None:
        if len(listing) == 1:
            return None
        rule = f"are there to choose from: {shown}"
        raise InvalidRequest(
            f"devices of {place.source}", len(listing), rule, "name one with device= (make demo: DEVICE=)"
        )
    chosen = [code for code, name in enumerate(names) if present[code] and str(name) in (str(device), f"{device}.0")]
    if not chosen:
        raise InvalidRequest("device", device, f"is not in {place.source}", f"it has the devices {shown}")
    return np.asarray(codes == chosen[0])


def _extent(offsets: Ints, lengths: Ints, of_device: Flags | None) -> int:
    farthest = 0
    for start in range(0, len(offsets), _CHUNK):
        part = slice(start, start + _CHUNK)
        ends = offsets[part] + lengths[part]
        farthest = max(farthest, int(ends.max(initial=0, where=True if of_device is None else of_device[part])))
    return farthest
