"""Sharing a snapshot by a copy under another key: what the plan of it does, step by step."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from snapkit.ebs.copy_preview import copy_preview
from snapkit.ebs.deleting import most_monthly_usd
from snapkit.ebs.key_use import Key
from snapkit.ebs.shareable import Shareable
from snapkit.ebs.sharing import share, shared_with
from snapkit.ebs.taking import HIDDEN_FOR
from snapkit.errors import AwsError, NotFound, NotShareable
from snapkit.plan import Step

if TYPE_CHECKING:
    from snapkit.ebs.share_plan import Sharing
    from snapkit.ebs.snapshots import Snapshot


class SharedCopy:
    """A copy of a snapshot under another key, found again by its tags wherever a plan was broken off.

    Attributes:
        source: the snapshot.
        key: the key; None where none was named.
    """

    def __init__(self, plan: "Sharing", source: "Snapshot", key: Key | None) -> None:
        self.source = source
        self.key = key
        self._plan = plan
        self._made: Snapshot | None = None

    def steps(self, can: Shareable) -> list[Step]:
        """Plan to copy, to wait, to share the copy, and to see that it is shared."""
        # The copy belongs to whoever makes it.
        region, on = self.source.region, self.source.id
        hindered = self._plan.hindered(self.source, region.belonging(region.owned(self.source.tags)))
        uses = [] if self.key is None else [self.key.use(each) for each in self._plan.accounts]
        verbs = ("make", "wait for", "share", "verify")
        copying, waiting, sharing, verifying = (f"{verb} the copy of" for verb in verbs)
        return [
            self._copying(copying, can, hindered),
            Step(
                what=waiting, on=on, reason="others can use it when it is complete", waits_for=(f"{copying} {on}",),
                do=self._wait, done=self._complete,
            ),
            Step(
                what=sharing, on=on, reason=self._plan.with_whom(), blockers=hindered,
                warnings=tuple(each.told for each in uses if not each.able), waits_for=(f"{waiting} {on}",),
                do=self._share, done=self._shared,
            ),
            Step(
                what=verifying, on=on, reason="AWS has to name these accounts", waits_for=(f"{sharing} {on}",),
                do=self._verify,
            ),
        ]  # fmt: skip

    def _copying(self, what: str, can: Shareable, hindered: tuple[str, ...]) -> Step:
        """Plan the copy, at the price that `copy_preview` tells; one that is there costs nothing more."""
        snapshot, there = self.source, self._find()
        if there is not None:
            reason = f"{there.id} under this key is there already"
            return Step(what=what, on=snapshot.id, reason=reason, done=self._begun)
        unable = "; ".join(each.told for each in can.accounts if not each.able)
        why = unable if can.privately else "it is under the default key aws/ebs, which other accounts cannot use"
        blockers = (*self._plan.region.barred("Snapshot", "CreateVolume", snapshot), *hindered)
        if self.key is None:
            most = most_monthly_usd(snapshot)
            return Step(
                what=what, on=snapshot.id, reason=f"{why}; the copy will be full",
                monthly_usd=(0.0 if snapshot.full_size is None else most, most),
                blockers=(*blockers, "there is no key to copy it under: name one of your own with kms_key=..."),
            )  # fmt: skip
        preview = copy_preview(snapshot, snapshot.region, kms_key=self.key.id)
        kind = "full" if preview.full else "full or incremental"
        return Step(
            what=what,
            on=snapshot.id,
            reason=f"{why}; the copy under {self.key.id} will be {kind} because {preview.reason}",
            price_usd=(preview.price_low, preview.price_high),
            monthly_usd=(preview.monthly_low, preview.monthly_high),
            blockers=(*blockers, *(preview.refusals or _unfit(self.key))),
            warnings=preview.notes,
            do=self._make,
            done=self._begun,
        )

    def _find(self) -> "Snapshot | None":
        """Return the copy, a complete one first; None where there is none that is good."""
        if self.key is None or self.key.arn is None:
            return None
        region = self.source.region
        found = [
            each
            for each in region.snapshots.find(tags={region.tag_keys.source: f"{region.name}/{self.source.id}"})
            if each.state in ("pending", "completed") and each.raw.get("KmsKeyId") == self.key.arn
        ]
        return min(found, key=lambda each: (each.state != "completed", each.taken_at, each.id), default=self._hidden())

    def _hidden(self) -> "Snapshot | None":
        """Return what was just made: look-ups may not find it yet."""
        if self._made is None or self._made.state == "error":
            return None
        age = (self.source.region.clock.now() - self._made.taken_at).total_seconds()
        return self._made if age <= HIDDEN_FOR else None

    def _there(self) -> "Snapshot":
        found = self._find()
        if found is None:
            told = "its copy is gone, or ended in error"
            raise NotFound("NoCopy", "DescribeSnapshots", told, self.source.id, "apply the plan again")
        return found

    def _is(self, so: "Callable[[Snapshot], bool]") -> bool:
        """Tell whether the copy is there and so; what cannot be looked up is left to the step, which then tells why."""
        try:
            found = self._find()
            return found is not None and so(found)
        except AwsError:
            return False

    def _begun(self) -> bool:
        return self._is(lambda _: True)

    def _complete(self) -> bool:
        return self._is(lambda copy: copy.state == "completed")

    def _shared(self) -> bool:
        return self._is(lambda copy: self._plan.holds(copy, set(shared_with(copy))))

    def _make(self) -> None:
        if self._find() is None:
            self._made = self.source.copy_to(self.source.region, kms_key=self._plan.kms_key)

    def _wait(self) -> None:
        self._there().wait()

    def _share(self) -> None:
        share(self._there(), *self._plan.accounts, until=self._plan.until)

    def _verify(self) -> None:
        copy = self._there()
        missing = set(self._plan.accounts).difference(shared_with(copy))
        if missing:
            told = f"it is not shared with {', '.join(sorted(missing))}"
            raise NotShareable("NotShared", "DescribeSnapshotAttribute", told, copy.id, "apply the plan again")


def _unfit(key: Key) -> tuple[str, ...]:
    """Tell why nothing that is under a key can be shared."""
    if key.default:
        return (f"the key {key.id} is the default key aws/ebs as well: name one of your own",)
    if key.arn is None:
        return (f"which key {key.id} is could not be looked up ({key.unknown}): give its ARN",)
    return ()
