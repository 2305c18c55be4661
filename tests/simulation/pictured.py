"""What the tests of pictures share: strategies to draw, and how to read what is drawn."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from simulation import Workload
from snapkit._picture import Picture
from snapkit.strategy import Retention, Schedule, Strategy, Tier

WORKLOAD = Workload.profile("workstation", size="100 GiB")


def strategy(name: str, schedule: str, **keep: Any) -> Strategy:
    return Strategy(name, [Tier(Schedule(schedule), Retention(**keep))])


HOURLY = strategy("hourly", "every 1h", last=24)
TWO_TIERS = Strategy(
    "two tiers",
    [
        Tier(Schedule("every 1h"), Retention(last=24), "hourly"),
        Tier(Schedule("cron(0 3 * * ? *)"), Retention(daily=30), "nightly"),
    ],
)


def words(picture: Picture) -> str:
    """Join everything that is written."""
    parts = []
    for axes in picture.axes:
        parts += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), *(each.get_text() for each in axes.texts)]
        if legend := axes.get_legend():
            parts += [each.get_text() for each in legend.get_texts()]
    return "\n".join(parts)


def bars(axes: Axes) -> list[Rectangle]:
    return [each for each in axes.patches if isinstance(each, Rectangle)]
