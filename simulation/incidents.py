"""What may happen to a volume and its schedules: processes for `Scenario.processes`, and patterns for others.

Each is a plain SimPy process: called with the `simulation.model.VolumeModel`, it gives a generator of events.
"""

from dataclasses import dataclass

from simulation.model import VolumeModel
from simulation.region import Events
from snapkit.errors import InvalidRequest
from snapkit.units import HOUR, Duration, to_seconds


@dataclass(frozen=True)
class VolumeDeleted:
    """The volume is deleted: no more snapshots are taken of it, and what retention goes by never moves on.

    Where retention counts, all that are there stay, and are paid for, until somebody deletes them. Where it goes by age
    in Data Lifecycle Manager, they are deleted one after the other, but for the last.

    Attributes:
        at: when, since the start.
        expire: the age at which they go even so; they stay unless given.

    Source:
        EBS user guide, "Considerations for Amazon Data Lifecycle Manager policies", volume deletion.
    """

    at: Duration
    expire: Duration | None = None

    def __call__(self, volume: VolumeModel) -> Events:
        """Stop, and delete what gets too old."""
        yield volume.env.timeout(to_seconds(self.at, "at"))
        volume.stop()
        started, age = volume.log.started, None if self.expire is None else to_seconds(self.expire, "expire")
        while age is not None:
            yield volume.env.timeout(HOUR)
            for number in volume.there[:-1]:
                if started[number] + age <= volume.env.now:
                    volume.delete(number)


@dataclass(frozen=True)
class TierRenamed:
    """A tier gets another name: its snapshots carry the old one, and nobody deletes them any more.

    Attributes:
        at: when, since the start.
        tier: the tier.

    Source:
        EBS user guide, "Considerations for Amazon Data Lifecycle Manager policies", schedule names; snapkit never
        deletes a snapshot with a tier that its strategy does not have.
    """

    at: Duration
    tier: str

    def __call__(self, volume: VolumeModel) -> Events:
        """Rename it."""
        yield volume.env.timeout(to_seconds(self.at, "at"))
        volume.forget(self.tier)


@dataclass(frozen=True)
class CopiesExpire:
    """Copies are deleted by their age, the newest too: where that comes before the next, the next is a full one.

    Attributes:
        region: where the copies are.
        age: at which they go.

    Source:
        EBS user guide, "Copy an Amazon EBS snapshot": a copy is incremental only if the most recent one still exists.
        That age-based rules for copies spare none is *assumed*.
    """

    region: str
    age: Duration

    def __call__(self, volume: VolumeModel) -> Events:
        """Delete those that are old enough, every hour."""
        if self.region not in volume.copies:
            told = ", ".join(volume.copies) or "none, or leave this out"
            raise InvalidRequest("region", self.region, "gets no copies", f"name one that does: {told}")
        age, copies = to_seconds(self.age, "age"), volume.copies[self.region]
        while True:
            yield volume.env.timeout(HOUR)
            for key, at in enumerate(copies.log.completed):
                if at + age <= volume.env.now < copies.log.deleted[key]:
                    copies.delete(key)
