"""Calendar spans such as "1y2m3d3h", measured back from a moment."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from snapkit.errors import StrategyError
from snapkit.units import DAY, HOUR

_PART = re.compile(r"([0-9]{1,6})([ymdh])")


@dataclass(frozen=True)
class CalendarSpan:
    """Years, months, days and hours, as people count them: a month back from 31 March is the end of February."""

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0

    @classmethod
    def parse(cls, text: object, field: str) -> "CalendarSpan":
        """Read text such as ``"1y2m3d3h"``, its parts in any order.

        Raises:
            StrategyError: it is no such text, repeats a unit, or spans no time.
        """
        parts = _PART.findall(text) if isinstance(text, str) and _PART.sub("", text) == "" else []
        amounts = {unit: int(amount) for amount, unit in parts}
        if len(amounts) < len(parts) or not any(amounts.values()):
            raise StrategyError(
                field, text, "is no calendar span", "write years, months, days and hours as in '1y2m3d3h' (m is months)"
            )
        return cls(*(amounts.get(unit, 0) for unit in "ymdh"))

    def __str__(self) -> str:
        amounts = zip((self.years, self.months, self.days, self.hours), "ymdh", strict=True)
        return "".join(f"{amount}{unit}" for amount, unit in amounts if amount)

    @property
    def about(self) -> float:
        """How long it is [s], where a month counts as 30 days and a year as 365."""
        return (self.years * 365 + self.months * 30 + self.days) * DAY + self.hours * HOUR

    def back_from(self, epoch: float, zone: ZoneInfo | None) -> float:
        """Go back from a moment [s since 1970]: days and longer on the zone's calendar, then hours elapsed.

        A zone of None is UTC. A span that reaches back before the first year has no beginning: minus infinity.
        """
        start = epoch - self.hours * HOUR
        if not (self.years or self.months) and (zone is None or not self.days):
            return start - self.days * DAY
        try:
            local = datetime.fromtimestamp(epoch, zone or UTC)
            # The same time on the wall that many days ago; of a time that comes twice, the one of the same offset.
            day = local.replace(tzinfo=None) - relativedelta(years=self.years, months=self.months, days=self.days)
            return day.replace(tzinfo=local.tzinfo, fold=local.fold).timestamp() - self.hours * HOUR
        except (ValueError, OverflowError):
            return float("-inf")
