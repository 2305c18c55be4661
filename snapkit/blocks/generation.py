"""Block-level writes of a fitted workload."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from snapkit.blocks.classes import Classes
from snapkit.blocks.exact import Floats, Ints
from snapkit.blocks.write_clock import Job
from snapkit.errors import InvalidRequest

PURPOSE = 11
"""Tells the chances of blocks from those of moments, in the key of a stream."""
PLACES = 12
"""The key of the stream that lays extents out."""
EXTENT = 1.7
"""How many times as long as runs of writes extents are, on average.

Source: written blocks that are neighbours, over 1 / (1 - following): 2.0 on the root disk of the 96 h workstation trace
(hplajw, DiskSim 4.0), 1.4 in 242 s of an MSR Cambridge server volume (Narayanan et al., FAST'08), *measured* 2026-11;
the geometric mean. That other disks are like them is *assumed*.
"""
LONGEST_RUN = 4096
"""Blocks of one write at most: a request's length is counted in 32 bits, and blocks have 512 KiB."""


@dataclass(frozen=True)
class Layout:
    """Which blocks the classes and the jobs of a workload have.

    They are numbered one behind the other, and lie all over the volume, in extents of neighbouring blocks as files do:
    most blocks that are written as often are no neighbours.

    Attributes:
        shares: of the writes that each class takes; the last one is the ramp.
        first: the first number of each. Shape: (classes + 1,).
        rooms: how many blocks each has; the ramp has all the rest.
        swept: whether each is swept from end to end, as the ramp is, or hit at random.
        jobs: every job with its first number.
        going_on: how likely a run of writes goes on with the next number.
        lying: the block of the volume that bears each number. Shape: (blocks,).
    """

    shares: Floats
    first: Ints
    rooms: Ints
    swept: np.ndarray
    jobs: tuple[tuple[Job, int], ...]
    going_on: float
    lying: Ints

    @classmethod
    def of(cls, classes: Classes, jobs: Sequence[Job], following: float) -> "Layout":
        """Give every class whole blocks, in all as many as they have together, the often written ones first.

        Where they lie depends on the size of the volume and on how writes follow each other only.
        """
        both = [(*each, False) for each in classes.random] + [(*each, True) for each in classes.sweeps]
        both.sort(key=lambda each: -each[0] / each[1])
        shares = np.array([each[0] for each in both] + [classes.ramp])
        whole = np.floor(np.cumsum([each[1] for each in both]) + 0.5).astype(np.int64)
        rooms = np.diff(np.append(whole, 0)[: len(both)], prepend=0)
        of_jobs = [max(round(job.blocks), 1) for job in jobs]
        free = max(int(classes.most), 1) - sum(of_jobs)
        rooms = np.diff(np.minimum(np.cumsum(rooms), max(free - 1, 0)), prepend=0)
        begin = int(rooms.sum())
        first = np.append(np.cumsum(rooms) - rooms, begin + sum(of_jobs)).astype(np.int64)
        rooms = np.append(rooms, max(int(classes.most) - begin - sum(of_jobs), 1)).astype(np.int64)
        # What has no whole block leaves its writes to the next class; the ramp has always one.
        for number in np.flatnonzero(rooms[:-1] == 0).tolist():
            shares[number + 1] += shares[number]
            shares[number] = 0.0
        places = begin + np.cumsum([0, *of_jobs])[: len(jobs)]
        swept = np.array([each[2] for each in both] + [True])
        pairs = tuple((job, int(place)) for job, place in zip(jobs, places, strict=True))
        following = min(following, 0.98)
        extent = EXTENT / (1 - following)
        # Where an extent ends its run breaks off, so numbers have to go on more often than blocks.
        going_on = following / (1 - 1 / extent)
        # Jobs that share blocks may have more than the volume, one by one.
        lying = np.minimum(_laid_out(int(first[-1] + rooms[-1]), extent), max(int(classes.most), 1) - 1)
        return cls(shares / shares.sum(), first, rooms, swept, pairs, going_on, lying)

    def trace(
        self, bursts: tuple[Floats, Floats], span: float, block_size: int, size: int, random: np.random.Generator
    ) -> pd.DataFrame:
        """Draw the writes of bursts and of the jobs; see `FittedWorkload.to_trace`.

        Raises:
            InvalidRequest: there is none.
        """
        parts = [self._of_sessions(*bursts, random), *(self._of_job(job, first, span) for job, first in self.jobs)]
        times, numbers, lengths = (np.concatenate(column) for column in zip(*parts, strict=True))
        if not len(times):
            raise InvalidRequest("span", span, "has no write in it", "give a longer span")
        times, blocks, lengths = self._on_volume(times, numbers, lengths)
        order = np.argsort(times, kind="stable")
        end = size - size % 512 - 512 if size > 512 else 0
        return pd.DataFrame(
            {
                "t_us": np.append(times[order], round(span * 1e6)),
                "op": pd.Categorical(["W"] * len(order) + ["R"], categories=["R", "W"]),
                "off": np.append(blocks[order] * block_size, end),
                # The last block of a volume may be a part of one.
                "len": np.append(np.minimum(lengths * block_size, size - blocks * block_size)[order], min(512, size)),
            }
        )

    def _on_volume(self, times: Ints, numbers: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints]:
        """Cut runs of numbers where extents end, and tell where each piece lies; see `_of_sessions`."""
        run = np.repeat(np.arange(len(numbers)), lengths)
        blocks = self.lying[np.arange(len(run)) + (numbers - np.cumsum(lengths) + lengths)[run]]
        begins = np.flatnonzero((np.diff(run, prepend=-1) != 0) | (np.diff(blocks, prepend=-1) != 1))
        return times[run[begins]], blocks[begins], np.diff(np.append(begins, len(blocks)))

    def _of_sessions(self, times: Floats, sizes: Floats, random: np.random.Generator) -> tuple[Ints, Ints, Ints]:
        """Cut bursts into runs, and give each a class and a place in it: the time [us], first number and blocks.

        A size that is no whole number is rounded up or down by chance.
        """
        counts = np.floor(sizes + random.random(len(sizes))).astype(np.int64)
        burst = np.repeat(np.arange(len(counts)), counts)
        begins = random.random(len(burst)) >= self.going_on
        begins |= np.diff(burst, prepend=-1) != 0
        first = np.flatnonzero(begins)
        lengths = np.diff(np.append(first, len(burst)))
        kind = random.choice(len(self.shares), len(first), p=self.shares)
        lengths = np.minimum(lengths, self.rooms[kind])
        place = np.floor(random.random(len(first)) * (self.rooms[kind] - lengths + 1)).astype(np.int64)
        for number in np.flatnonzero(self.swept).tolist():
            those = np.flatnonzero(kind == number)
            passed = np.cumsum(lengths[those]) - lengths[those]
            place[those] = np.minimum(passed % self.rooms[number], self.rooms[number] - lengths[those])
        return np.rint(times[burst[first]] * 1e6).astype(np.int64), self.first[kind] + place, lengths

    def _of_job(self, job: Job, first: int, span: float) -> tuple[Ints, Ints, Ints]:
        """Write the blocks of a job from first to last, as often as it takes, each time that it is due."""
        blocks, writes = max(round(job.blocks), 1), max(round(job.writes), 1)
        lengths = np.full(-(-writes // blocks), blocks)
        lengths[-1] = writes - blocks * (len(lengths) - 1)
        due = job.phase + job.every * np.arange(np.ceil(-job.phase / job.every), (span - job.phase) / job.every)
        due = np.rint(due[(due > 0) & (due <= span)] * 1e6).astype(np.int64)
        moments = np.repeat(due.astype(np.int64), len(lengths))
        return moments, np.full(len(moments), first, np.int64), np.tile(lengths, len(due)).astype(np.int64)


def _laid_out(blocks: int, extent: float) -> Ints:
    """Cut numbers into extents of a mean length, lay these out in another order, and tell the block of each number."""
    random = np.random.default_rng(PLACES)
    first = np.append(0, np.flatnonzero(random.random(blocks - 1) < 1 / extent) + 1)
    lengths = np.diff(first, append=blocks)
    order = random.permutation(len(first))
    places = np.empty_like(first)
    places[order] = np.cumsum(lengths[order]) - lengths[order]
    lying = np.repeat(places - first, lengths)
    lying += np.arange(blocks)
    return lying


def with_writes(trace: pd.DataFrame, seconds: Floats, first: Ints, blocks: Ints, block_size: int) -> pd.DataFrame:
    """Add writes to a trace; its last record stays the last.

    Args:
        trace: such as `FittedWorkload.to_trace` gives.
        seconds: when each write comes [s], not after the last record. Shape: (writes,).
        first: its first block. Shape: (writes,).
        blocks: how many blocks it has. Shape: (writes,).
        block_size: of the blocks [bytes].
    """
    added = pd.DataFrame(
        {
            "t_us": np.rint(seconds * 1e6).astype(np.int64),
            "op": pd.Categorical(["W"] * len(first), categories=["R", "W"]),
            "off": first * block_size,
            "len": blocks * block_size,
        }
    )
    return pd.concat([added, trace]).sort_values("t_us", kind="stable", ignore_index=True)
