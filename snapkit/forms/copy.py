"""Copy a snapshot, to another region or in place."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from snapkit.ebs import Region, Snapshot
from snapkit.ebs.copy_preview import Outlook, check_duration, destinations
from snapkit.ebs.copying import copy_tags
from snapkit.ebs.volumes import check_description
from snapkit.ebs.waiting import Progress
from snapkit.errors import InvalidRequest, SnapkitError
from snapkit.forms.fields import Choice, Quantity, Switch, Text
from snapkit.forms.form import Form
from snapkit.forms.options import StandardOptions, named, of_kind


class CopyForm(Form):
    """Copies a snapshot; the result is the `Snapshot` that is the copy.

    Whether the copy will be in full rests on what is there already, which is looked up when a region or another key is
    chosen, once for each.

    Attributes:
        to: the region to copy to.
        name: of the copy.
        group: that it belongs to.
        billing_code: that pays for it.
        description: of it.
        encrypted: whether it is encrypted; always, where the snapshot is.
        kms_key: under which key, if not the default one there.
        duration: within which it has to be complete, such as ``"2 h"``; empty: as long as it takes.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        """Make the form.

        Args:
            snapshot: a complete one.

        Raises:
            InvalidRequest: it is no snapshot.
            AwsError: AWS refuses to list the regions, or the tags in use.
        """
        here, *away = destinations(of_kind(snapshot, Snapshot).region)
        self._snapshot = snapshot
        self._looked: dict[tuple[str, str, bool], Outlook | SnapkitError] = {}
        self._options = StandardOptions(snapshot, snapshot.name)
        self.to = Choice(
            "To region",
            [*((name, name) for name in away), (f"{here}, where it is", here)],
            none="choose one",
            hint="Required. What the copy will be is looked up there.",
        )
        self.name, self.group = self._options.name, self._options.group
        self.billing_code = self._options.billing_code
        own = f"Optional. Left empty, it is that of the snapshot, {snapshot.description}."
        self.description = Text("Description", lines=2, hint=own if snapshot.description else "Optional.")
        self.encrypted = Switch(
            "Encryption",
            "Encrypted",
            value=snapshot.encrypted,
            more=True,
            hint="As the snapshot is." if snapshot.encrypted else "The snapshot is not encrypted; the copy can be.",
        )
        self.encrypted.fixed = snapshot.encrypted
        self.kms_key = Text(
            "KMS key",
            more=True,
            eager=False,
            hint="Optional: ID, alias or ARN of a key there. Left empty, it is the default one.",
        )
        self.duration = Quantity(
            "Duration",
            "h",
            more=True,
            hint="Optional: complete within this time, in steps of 15 min up to 48 h, for a fee. Left empty, it takes "
            "as long as it takes.",
        )
        super().__init__(snapshot.region, f"{named(snapshot)}: Copy", "Copy snapshot")

    def adapt(self) -> None:
        """Look up what the copy rests on, where that is not known yet."""
        self.kms_key.hidden = not self.encrypted.value
        if self.to.value and self._wanted not in self._looked:
            self._looked[self._wanted] = self._look()

    def checks(self) -> Iterable[Callable[[], object]]:
        """List the checks of `Snapshot.copy_to`."""
        snapshot, region = self._snapshot, self.region
        yield partial(region.allow, "Snapshot", "CreateVolume", snapshot)
        yield self._check_to
        yield from self._options.checks()
        yield lambda: region.allow("Snapshot", "CreateVolume", self._options.belonging)
        yield lambda: check_description(self.description.value)
        yield lambda: check_duration(self.duration.value or None)
        if outlook := self._outlook:
            yield partial(self._check_tags, outlook.region)
            yield outlook.check_snapshot
            yield outlook.check_key
            yield lambda: outlook.check_in_time(self.duration.value or None)

    def consequences(self) -> Iterator[str]:
        """Say whether it will be in full, what it costs, and what that rests on."""
        if outlook := self._outlook:
            preview = outlook.preview(self.duration.value or None)
            yield f"As far as is known, {preview.told}."
            yield from (f"Note: {each}." for each in preview.notes)
        elif self.to.value:
            yield f"What the copy would be could not be looked up: {self._looked[self._wanted]}."

    def deed(self) -> Callable[[], Snapshot]:
        """Bind `Snapshot.copy_to`."""
        given: dict[str, Any] = {
            **self._options.chosen,
            "description": self.description.value,
            "encrypted": self.encrypted.value,
            "kms_key": self._key or None,
            "duration": self.duration.value or None,
        }
        outlook = self._outlook
        return partial(self._snapshot.copy_to, outlook.region if outlook else self.to.value, **given)

    def watch(self, result: Snapshot) -> Iterator[Progress]:
        """Follow the copy."""
        return result.follow()

    @property
    def _key(self) -> str:
        return self.kms_key.value if self.encrypted.value else ""

    @property
    def _wanted(self) -> tuple[str, str, bool]:
        """What decides what the copy rests on."""
        return self.to.value, self._key, self.encrypted.value

    @property
    def _outlook(self) -> Outlook | None:
        looked = self._looked.get(self._wanted)
        return looked if isinstance(looked, Outlook) else None

    def _look(self) -> Outlook | SnapkitError:
        to, key, encrypted = self._wanted
        try:
            outlook = Outlook(self._snapshot, to, kms_key=key or None, encrypted=encrypted)
            # All of it now: the checks, asked at every key that is pressed, look up nothing.
            outlook.preview()
        except SnapkitError as error:
            return error
        return outlook

    def _check_tags(self, region: Region) -> None:
        chosen = self._options.chosen
        copy_tags(self._snapshot, region, chosen["name"], chosen["group"], chosen["billing_code"])

    def _check_to(self) -> None:
        if not self.to.value:
            raise InvalidRequest("to", None, "is missing", "choose one")
