"""Send a snapshot to the archive, and restore it from there."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from snapkit.ebs import Snapshot
from snapkit.ebs.archiving import (
    RESTORE_DAYS,
    archive_preview,
    check_confirmation,
    check_days,
    check_fit,
    check_restorable,
    tier_status,
)
from snapkit.ebs.deleting import full_size
from snapkit.forms.fields import Confirmation, Number, Switch
from snapkit.forms.form import Form
from snapkit.forms.options import named, of_kind
from snapkit.rules import LONGEST_RETRIEVAL
from snapkit.units import seconds_text, usd_text


class ArchiveForm(Form):
    """Sends a snapshot to the archive, after it has said when that pays off; the result is the `Snapshot`.

    Attributes:
        confirmation: the id of the snapshot.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        """Make the form.

        Args:
            snapshot: a complete one.

        Raises:
            InvalidRequest: it is no snapshot.
            AwsError: AWS refuses to say what it would cost and save.
        """
        self._snapshot = of_kind(snapshot, Snapshot)
        self._preview = archive_preview(snapshot)
        self.confirmation = Confirmation(
            "Confirmation", hint=f"Type {snapshot.id}: at least 90 days are billed, and each restore."
        )
        super().__init__(snapshot.region, f"{named(snapshot)}: Archive", "Archive snapshot")

    def checks(self) -> Iterator[Callable[[], object]]:
        """List the checks of `Snapshot.archive`, as they were looked up when the form was made."""
        yield partial(self.region.allow, "Snapshot", "Delete", self._snapshot)
        yield partial(check_fit, self._snapshot, self._preview.refusals)
        yield lambda: check_confirmation(self._snapshot, self.confirmation.value)

    def consequences(self) -> Iterator[str]:
        """Say what it costs and saves, when it pays off, and what changes."""
        yield from map(_sentence, (*self._preview.told, *self._preview.notes))
        longest = seconds_text(LONGEST_RETRIEVAL)
        yield f"Nothing can be made of it before it is restored, which takes up to {longest}."

    def deed(self) -> Callable[[], Snapshot]:
        """Bind `Snapshot.archive`."""
        return partial(self._snapshot.archive, confirm=self.confirmation.value)

    def told(self, result: Snapshot) -> str:
        """Say that it is on its way."""
        return f"{result.id} is on its way to the archive; tier_status() tells how far it is"


class RestoreFromArchiveForm(Form):
    """Restores a snapshot from the archive, for some days or for ever; the result is the `Snapshot`.

    Attributes:
        permanent: whether it stays in the standard tier.
        days: for how many days, if not.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        """Make the form.

        Args:
            snapshot: an archived one, or one that is restored for some days.

        Raises:
            InvalidRequest: it is no snapshot.
            AwsError: AWS refuses to say where it lies.
        """
        self._snapshot = of_kind(snapshot, Snapshot)
        self._status = tier_status(snapshot)
        self.permanent = Switch("Permanently", "Leave it in the standard tier for good")
        self.days = Number("Days", hint="Required, from {} to {}: it then goes back by itself.".format(*RESTORE_DAYS))
        super().__init__(snapshot.region, f"{named(snapshot)}: Restore from Archive", "Restore snapshot")

    def adapt(self) -> None:
        """Ask for days only where it goes back."""
        self.days.hidden = self.permanent.value

    def checks(self) -> Iterator[Callable[[], object]]:
        """List the checks of `Snapshot.restore_from_archive`; where it lies was looked up when the form was made."""
        yield partial(self.region.allow, "Snapshot", "Delete", self._snapshot)
        yield partial(check_restorable, self._snapshot, self._status)
        if not self.permanent.value:
            yield lambda: check_days(self.days.value)

    def consequences(self) -> Iterator[str]:
        """Say how long it takes, and what it costs once and by the month."""
        snapshot, prices = self._snapshot, self.region.prices
        if self._status.restored_until is not None:
            yield f"Now it is restored until {self._status.restored_until:%Y-%m-%d %H:%M} UTC; that changes."
        once = usd_text(prices.retrieved(full_size(snapshot)))
        yield f"Restores {snapshot.id} within {seconds_text(LONGEST_RETRIEVAL)}, for {once} at most."
        standard = usd_text(prices.monthly(full_size(snapshot)))
        if self.permanent.value:
            yield f"It then costs up to {standard} a month in the standard tier, and nothing in the archive."
        else:
            archived = usd_text(prices.archived_monthly(full_size(snapshot)))
            yield f"Meanwhile it is paid for in both tiers: up to {standard} a month besides {archived} in the archive."

    def deed(self) -> Callable[[], Snapshot]:
        """Bind `Snapshot.restore_from_archive`."""
        given: dict[str, Any] = {"permanent": True} if self.permanent.value else {"days": self.days.value}
        return partial(self._snapshot.restore_from_archive, **given)

    def told(self, result: Snapshot) -> str:
        """Say that it is on its way."""
        return f"{result.id} is on its way from the archive; tier_status() tells how far it is"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
