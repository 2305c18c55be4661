"""Every exception that snapkit raises.

    SnapkitError
    +-- InvalidRequest   (also ValueError)   an argument that cannot be, refused before anything is done
    +-- StrategyError    (also ValueError)   a schedule, retention or strategy that cannot be
    +-- NotPermitted                         the user's roles do not allow it; names the missing right
    +-- StalePlan                            the account changed since the plan was approved
    +-- AwsError                             AWS refused a call: .code .operation, the botocore error as its cause
    |   +-- NotFound                         there is no such thing, or this account may not see it
    |   +-- AccessDenied                     IAM, or a setting of the account, does not allow it
    |   +-- Throttled                        too many requests in a time
    |   +-- LimitExceeded                    a quota is used up
    |   +-- InUse                            something else needs it
    |   +-- NotShareable                     it cannot be shared as it is
    |   +-- OutcomeUnknown                   no answer came, and whether the call took effect could not be found out
    +-- WaitError                            a wait that did not end well: .snapshot_id
        +-- WaitTimeout  (also TimeoutError) it lasted longer than was allowed; the snapshot goes on
        +-- SnapshotFailed                   it ended in error: .reason

Every message says what happened, to what, and what to do next.
"""


class SnapkitError(Exception):
    """Base of every error raised on purpose by snapkit."""


class _RefusalError(SnapkitError, ValueError):
    """A value refused by a rule that is known beforehand."""

    def __init__(self, field: str, value: object, rule: str, remedy: str) -> None:
        """Compose the sentence ``<field> <value> <rule>; <remedy>``.

        Args:
            field: what was being set, as the user knows it, with its file or row where there is one.
            value: what was given.
            rule: the rule that the value breaks, as the rest of the sentence.
            remedy: what to do instead.
        """
        super().__init__(field, value, rule, remedy)
        self.field = field
        self.value = value
        self.rule = rule
        self.remedy = remedy

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 120:
            shown = f"{shown[:117]}..."
        return f"{self.field} {shown} {self.rule}; {self.remedy}"


class InvalidRequest(_RefusalError):
    """An argument that cannot be: refused before anything is done."""


class StrategyError(_RefusalError):
    """A schedule, a retention or a strategy that cannot be."""


class NotPermitted(SnapkitError):
    """The user's roles do not allow it.

    Attributes:
        right: the right that is missing, such as ``"Snapshot: SharePublic"``.
    """

    def __init__(self, right: str, about: str) -> None:
        super().__init__(right, about)
        self.right = right
        self.about = about

    def __str__(self) -> str:
        return f"your roles do not allow {self.right} for {self.about}; ask for a role with that right"


class StalePlan(SnapkitError):
    """The account changed since the plan was approved.

    Attributes:
        differences: what changed, a sentence each.
    """

    def __init__(self, differences: tuple[str, ...]) -> None:
        super().__init__(differences)
        self.differences = differences

    def __str__(self) -> str:
        return f"the plan no longer fits the account: {'; '.join(self.differences)}. Make it anew and approve it again"


class AwsError(SnapkitError):
    """AWS refused a call.

    Attributes:
        code: the error code of AWS.
        operation: such as ``"CreateSnapshot"``.
        told: what AWS said.
        about: which resource it was about.
        remedy: what to do next.
    """

    def __init__(self, code: str, operation: str, told: str, about: str = "", remedy: str = "") -> None:
        super().__init__(code, operation, told, about, remedy)
        self.code = code
        self.operation = operation
        self.told = told
        self.about = about
        self.remedy = remedy

    def __str__(self) -> str:
        about = f" of {self.about}" if self.about else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        what = "failed" if self.code in ("NoAnswer", "NotReached") else "was refused"
        return f"{self.operation}{about} {what} ({self.code}): {self.told.rstrip('.')}{remedy}"


class NotFound(AwsError):
    """There is no such thing, or this account may not see it."""


class AccessDenied(AwsError):
    """IAM, or a setting of the account, does not allow it."""


class Throttled(AwsError):
    """There were too many requests in a time."""


class LimitExceeded(AwsError):
    """A quota is used up."""


class InUse(AwsError):
    """Something else needs it."""


class NotShareable(AwsError):
    """It cannot be shared as it is."""


class OutcomeUnknown(AwsError):
    """No answer came, and whether the call took effect could not be found out.

    Attributes:
        token: the value of the tag ``snapkit:token`` by which what it made can be found later.
    """

    token: str = ""

    def __str__(self) -> str:
        about = f" of {self.about}" if self.about else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"what became of {self.operation}{about} is unknown: {self.told.rstrip('.')}{remedy}"


class WaitError(SnapkitError):
    """A wait that did not end well.

    Attributes:
        snapshot_id: the snapshot that was waited for, or the volume.
    """

    def __init__(self, snapshot_id: str, told: str) -> None:
        super().__init__(snapshot_id, told)
        self.snapshot_id = snapshot_id
        self.told = told

    def __str__(self) -> str:
        return f"{self.snapshot_id} {self.told}"


class WaitTimeout(WaitError, TimeoutError):
    """It lasted longer than was allowed; the snapshot goes on."""


class SnapshotFailed(WaitError):
    """It ended in error.

    Attributes:
        reason: the StateMessage of AWS.
    """

    def __init__(self, snapshot_id: str, told: str, reason: str) -> None:
        super().__init__(snapshot_id, told)
        self.args = (snapshot_id, told, reason)
        self.reason = reason
