"""Every exception that snapkit raises.

    SnapkitError
    +-- InvalidRequest   (also ValueError)  an argument that cannot be, refused before anything is done
    +-- StrategyError    (also ValueError)  a schedule, retention or strategy that cannot be

Every message names the field, the value, the rule it breaks and the remedy.
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
