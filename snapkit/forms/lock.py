"""Lock a snapshot, so that it cannot be deleted, and take the lock off again."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from snapkit.ebs import Snapshot
from snapkit.ebs.deleting import most_monthly_usd
from snapkit.ebs.keeping import (
    COOL_OFF_HOURS,
    MODES,
    Lock,
    check_change,
    check_confirmation,
    check_cool_off,
    check_lockable,
    check_term,
    check_unlockable,
    foreseen,
    lock_state,
)
from snapkit.errors import InvalidRequest
from snapkit.forms.fields import Choice, Confirmation, Moment, Quantity
from snapkit.forms.form import Form
from snapkit.forms.options import named, of_kind
from snapkit.units import usd_text

COMPLIANCE = "compliance"


class LockForm(Form):
    """Locks a snapshot, or changes the lock that there is; the result is the `Lock`.

    Attributes:
        lock_mode: governance, which whoever has the permission can take off; or compliance, which nobody can.
        until: when it ends: a moment, or how long from now in whole days, such as ``"30d"``.
        cool_off: of a compliance lock, how long it can still be taken off, such as ``"24 h"``; empty: not at all.
        confirmation: of a compliance lock, the id of the snapshot.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        """Make the form.

        Args:
            snapshot: a complete or pending one.

        Raises:
            InvalidRequest: it is no snapshot.
            AwsError: AWS refuses to say how it is locked.
        """
        self._snapshot = of_kind(snapshot, Snapshot)
        self._held = lock_state(snapshot)
        self.lock_mode = Choice(
            "Lock mode",
            [(mode, mode) for mode in MODES],
            COMPLIANCE if self._held is not None and self._held.state == COMPLIANCE else MODES[0],
            hint="Governance: whoever has the permission can take it off. Compliance: nobody can.",
        )
        self.until = Moment("Until", hint="Required: so many days, such as 30d; or a moment with its zone.")
        hours = "from {} to {} h".format(*COOL_OFF_HOURS)
        self.cool_off = Quantity(
            "Cool off", "h", hint=f"Optional, {hours}: the lock can be taken off that long. Left empty, not at all."
        )
        self.confirmation = Confirmation(
            "Confirmation", hint=f"Type {snapshot.id}: nobody, AWS included, can then delete it before the lock ends."
        )
        super().__init__(snapshot.region, f"{named(snapshot)}: Lock", "Lock snapshot")

    def adapt(self) -> None:
        """Show what belongs to the mode."""
        for each in (self.cool_off, self.confirmation):
            each.hidden = self.lock_mode.value != COMPLIANCE

    def checks(self) -> Iterator[Callable[[], object]]:
        """List the checks of `Snapshot.lock`; the lock that there is was looked up when the form was made."""
        yield partial(self.region.allow, "Snapshot", "Delete", self._snapshot)
        yield partial(check_lockable, self._snapshot)
        yield self._hours
        yield self._check_change
        if self.lock_mode.value == COMPLIANCE:
            yield lambda: check_confirmation(self._snapshot, self.confirmation.value)

    def consequences(self) -> Iterator[str]:
        """Say what is locked now, what will be, and what cannot be undone."""
        snapshot, mode = self._snapshot, self.lock_mode.value
        if self._held is not None:
            yield f"Now {self._held}."
        if self.until.value is not None:
            then = foreseen(snapshot, mode, days=self._days(), until=self._moment, hours=self._hours())
            yield f"Then {then}."
        if mode == COMPLIANCE:
            most = usd_text(most_monthly_usd(snapshot))
            what = "What has cooled off" if self._hours() else "That"
            yield f"{what} cannot be undone: to keep it costs up to {most} a month until then, whatever happens."
        yield "Volumes can be made of it and it can be shared as before. The lock itself costs nothing."

    def deed(self) -> Callable[[], Lock]:
        """Bind `Snapshot.lock`."""
        mode = self.lock_mode.value
        given: dict[str, Any] = {"until": self._moment} if self._moment else {"duration": self.until.value}
        if mode == COMPLIANCE:
            given |= {"cool_off": self.cool_off.value or None, "confirm": self.confirmation.value}
        return partial(self._snapshot.lock, mode, **given)

    def told(self, result: Lock) -> str:
        """Say how it is locked now."""
        return str(result)

    @property
    def _moment(self) -> datetime | None:
        return self.until.value if isinstance(self.until.value, datetime) else None

    def _days(self) -> int | None:
        """Read for how many days, if it is to be counted in days."""
        given = self.until.value
        if given is None:
            raise InvalidRequest("until", None, "is missing", "give '30d', say, or a moment with its zone")
        if isinstance(given, datetime):
            return check_term(self._snapshot, until=given)
        return check_term(self._snapshot, duration=given)

    def _hours(self) -> int | None:
        mode = self.lock_mode.value
        return check_cool_off(mode, self.cool_off.value or None) if mode == COMPLIANCE else None

    def _check_change(self) -> None:
        snapshot, mode = self._snapshot, self.lock_mode.value
        try:
            check_change(snapshot, self._held, mode, days=self._days(), until=self._moment, hours=self._hours())
        except InvalidRequest as error:
            if error.field not in ("duration", "end"):
                raise
            # Both are given in the one field.
            raise InvalidRequest("until", error.value, error.rule, error.remedy) from None


class UnlockForm(Form):
    """Takes the lock off a snapshot; the result is the `Snapshot`."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Make the form.

        Args:
            snapshot: one that is locked, other than in compliance mode after its cooling-off period.

        Raises:
            InvalidRequest: it is no snapshot.
            AwsError: AWS refuses to say how it is locked.
        """
        self._snapshot = of_kind(snapshot, Snapshot)
        self._held = lock_state(snapshot)
        super().__init__(snapshot.region, f"{named(snapshot)}: Unlock", "Take the lock off")

    def checks(self) -> Iterator[Callable[[], object]]:
        """List the checks of `Snapshot.unlock`; the lock was looked up when the form was made."""
        yield partial(self.region.allow, "Snapshot", "Delete", self._snapshot)
        yield partial(check_unlockable, self._snapshot, self._held)

    def consequences(self) -> Iterator[str]:
        """Say how it is locked, and what it is without."""
        if self._held is not None:
            yield f"Now {self._held}."
            yield "Without the lock it can be deleted at once, by people and by what deletes on a schedule."

    def deed(self) -> Callable[[], Snapshot]:
        """Bind `Snapshot.unlock`."""

        def unlock() -> Snapshot:
            self._snapshot.unlock()
            return self._snapshot

        return unlock

    def told(self, result: Snapshot) -> str:
        """Say that it is unlocked."""
        return f"{result.id} is not locked any more"
