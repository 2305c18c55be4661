"""Share a snapshot with accounts, or with everyone."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from functools import partial

from snapkit.ebs import Snapshot
from snapkit.ebs.accounts import Account
from snapkit.ebs.shareable import Preflight, Shareable
from snapkit.ebs.sharing import EVERYONE, check_confirmation, moment, terms
from snapkit.errors import InvalidRequest, NotPermitted
from snapkit.forms.fields import Choice, Choices, Confirmation, Moment
from snapkit.forms.form import Form
from snapkit.forms.options import named, of_kind

PRIVATE, PUBLIC = "Private", "Public"


class ShareForm(Form):
    """Sets with whom a snapshot is shared; the result is a tuple of the accounts that then have it.

    Private is with the accounts that are ticked and nobody else; what changes is said before it is saved. Public, with
    everyone in AWS, is offered to roles that may, and wants the id of the snapshot typed.

    Attributes:
        share_type: Private or Public.
        accounts: ids of those that have it when it is private.
        until: when the shares that are new end: a moment, or text such as ``"30d"``; None: never.
        confirmation: the id of the snapshot, to make it public.
    """

    def __init__(self, snapshot: Snapshot, accounts: Iterable[Account] | None = None) -> None:
        """Make the form.

        Args:
            snapshot: which.
            accounts: those that the user belongs to; by default `Region.accounts`.

        Raises:
            InvalidRequest: it is no snapshot.
            AwsError: AWS refuses to say with whom it is shared.
        """
        region = of_kind(snapshot, Snapshot).region
        known = region.accounts() if accounts is None else accounts
        self._snapshot = snapshot
        self._had = snapshot.refresh().shared_with()
        names = {each.id: each.name for each in known if each.id != snapshot.account}
        names |= {each: "none of your accounts" for each in self._had if each != EVERYONE and each not in names}
        preflight = Preflight(region, tuple(names))
        self._private, self._public = preflight.privately(snapshot), preflight.publicly(snapshot)
        self._may_open = region.can("Snapshot", "SharePublic", snapshot)
        types = [PRIVATE, PUBLIC] if self._may_open or EVERYONE in self._had else [PRIVATE]
        self.share_type = Choice("Share type", [(each, each) for each in types], self._type_now)
        self.accounts = Choices(
            "Accounts", [(self._shown(each, name), each) for each, name in names.items()], set(self._had) & names.keys()
        )
        self.until = Moment("Until", hint="Optional, for shares that are new: a time span, or a moment with its zone.")
        self.confirmation = Confirmation(
            "Confirmation", hint=f"Type {snapshot.id}: everyone in AWS could then copy it and read all that is on it."
        )
        super().__init__(region, f"{named(snapshot)}: Sharing", "Save sharing preferences")

    @property
    def _type_now(self) -> str:
        return PUBLIC if EVERYONE in self._had else PRIVATE

    def adapt(self) -> None:
        """Show what belongs to the share type."""
        public = self.share_type.value == PUBLIC
        for each in (self.accounts, self.until):
            each.hidden = public
        self.confirmation.hidden = not (public and self._opens)
        if not self._may_open:
            why = NotPermitted("Snapshot: SharePublic", self._snapshot.id)
            self.share_type.hint = f"Public is not offered: {why}."
        else:
            self.share_type.hint = "Private: with your accounts. Public: with everyone in AWS."

    def checks(self) -> Iterable[Callable[[], object]]:
        """List the checks of sharing, as far as they were looked up when the form was made."""
        snapshot = self._snapshot
        if self.share_type.value == PUBLIC:
            if self._opens:
                yield partial(self.region.allow, "Snapshot", "SharePublic", snapshot)
                yield partial(_check, "share type", PUBLIC, self._public, can=self._public.publicly)
                yield lambda: check_confirmation(snapshot, self.confirmation.value)
            return
        yield partial(self.region.allow, "Snapshot", "ShareLocal", snapshot)
        if self._added:
            yield partial(_check, "accounts", self._added, self._private, can=self._private.privately)
        if self.until.value is not None:
            yield lambda: moment(self.region, self.until.value or "")

    def consequences(self) -> Iterable[str]:
        """Say who gets it and who loses it, and whether those who get it can use it."""
        if self.share_type.value == PUBLIC:
            if self._opens:
                yield "Everyone in AWS can then make volumes of it and read all that was ever written to it."
                yield "Copies that others make stay with them when you make it private again."
                yield from map(_sentence, self._public.reasons)
        else:
            if EVERYONE in self._had:
                yield "It is public no more; copies that others have made stay with them."
            if self._removed:
                yield f"Withdrawn from {', '.join(self._removed)}; volumes that they made of it stay."
            if self._added:
                yield f"Shared with {', '.join(self._added)} {self._end_of_new}."
                yield from (_sentence(each.told) for each in self._private.accounts if each.account in self._added)
                yield from map(_sentence, self._private.reasons)
        if not self._changes:
            yield "Nothing changes."

    def deed(self) -> Callable[[], tuple[str, ...]]:
        """Bind the operations: first to share, which may be refused, and then to withdraw."""
        snapshot, added, removed = self._snapshot, self._added, self._removed
        opens, closes, until = self._opens, self._closes, self.until.value
        typed = self.confirmation.value

        def save() -> tuple[str, ...]:
            if opens:
                snapshot.share_publicly(confirm=typed)
            if added:
                snapshot.share(*added, until=until)
            if closes:
                snapshot.unshare(EVERYONE)
            if removed:
                snapshot.unshare(*removed)
            return snapshot.shared_with()

        return save

    def told(self, result: Sequence[str]) -> str:
        """Say with whom it is shared now."""
        users = ["everyone" if each == EVERYONE else each for each in result]
        return f"{self._snapshot.id} is shared with {', '.join(users) or 'nobody'}"

    @property
    def _end_of_new(self) -> str:
        if self.until.value is None:
            return "for good"
        return f"until {moment(self.region, self.until.value).astimezone(UTC):%Y-%m-%d %H:%M} UTC"

    @property
    def _opens(self) -> bool:
        return self.share_type.value == PUBLIC and EVERYONE not in self._had

    @property
    def _closes(self) -> bool:
        return self.share_type.value == PRIVATE and EVERYONE in self._had

    @property
    def _added(self) -> list[str]:
        private = self.share_type.value == PRIVATE
        return [each for each in self.accounts.value if private and each not in self._had]

    @property
    def _removed(self) -> list[str]:
        kept = {EVERYONE, *self.accounts.value}
        return [each for each in self._had if self.share_type.value == PRIVATE and each not in kept]

    @property
    def _changes(self) -> bool:
        return bool(self._opens or self._closes or self._added or self._removed)

    def _shown(self, account: str, name: str) -> str:
        shown = f"{name} ({account})" if name else account
        if account not in self._had:
            return f"{shown}: not shared"
        term = terms(self._snapshot.tags).get(account)
        return f"{shown}: shared until {term.until:%Y-%m-%d %H:%M} UTC" if term else f"{shown}: shared"


def _sentence(told: str) -> str:
    return f"{told[0].upper()}{told[1:]}."


def _check(field: str, value: object, told: Shareable, *, can: bool) -> None:
    if not can:
        raise InvalidRequest(field, value, f"cannot have it: {'; '.join(told.reasons)}", "see snapshot.plan_share()")
