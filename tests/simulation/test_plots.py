"""What the pictures of workloads, strategies and studies hold, and that their colours are told apart."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex, to_rgb

from simulation import Study, Workload, plots, screen, study
from snapkit._picture import THEMES, Picture
from snapkit.errors import InvalidRequest
from snapkit.strategy import Retention, Schedule, Strategy, Tier, Window
from snapkit.timing import Doubt, Timing
from tests.simulation.pictured import HOURLY, TWO_TIERS, WORKLOAD, bars, strategy, words

AT = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
GRANDFATHER = strategy("grandfather", "every 1h", hourly=24, daily=14, weekly=8, monthly=12)


def lightness(colour: str) -> float:
    """Compute L* of CIELAB, 0 for black and 100 for white: what is left of a colour in grey."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    luminance = float(np.dot([0.2126, 0.7152, 0.0722], parts))
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


@pytest.mark.parametrize("name", list(THEMES))
def test_colours_stay_apart_in_grey(name: str) -> None:
    theme = THEMES[name]
    page = lightness(theme.paper)
    distances = [abs(lightness(shade) - page) for shade in theme.shades]
    assert np.all(np.diff(distances) < -10)
    assert distances[-1] > 10
    assert abs(lightness(theme.text) - page) > 75
    assert abs(lightness(theme.ink) - lightness(theme.pale)) > 25
    for colour in (theme.ink, theme.limit):
        assert abs(lightness(colour) - page) > 50


def test_a_theme_colours_the_page_and_everything_written() -> None:
    dark = THEMES["dark"]
    picture = plots.duration(WORKLOAD, theme="dark")
    assert picture.get_facecolor()[:3] == pytest.approx(to_rgb(dark.paper))
    for axes in picture.axes:
        assert axes.get_facecolor()[:3] == pytest.approx(to_rgb(dark.paper))
        written = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()]
        legend = axes.get_legend()
        assert legend is not None
        assert {to_hex(text.get_color()) for text in (*written, *legend.get_texts())} == {dark.text}
    with pytest.raises(InvalidRequest, match="theme 'sepia' is none; use one of light, dark"):
        plots.curve(WORKLOAD, theme="sepia")


def test_the_curve_tells_measured_from_modelled() -> None:
    lines = plots.curve(Workload.profile("workstation")).axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["modelled", "measured"]
    assert np.max(lines[1].get_xdata()) <= 96 * 3600 < np.max(lines[0].get_xdata())


def test_durations_are_those_of_the_timing_with_a_band_of_its_spread() -> None:
    timing = Timing(latency=60, rate=1e7, spread=0.5)
    above, below = plots.duration(WORKLOAD, timing).axes
    points = np.asarray(above.get_lines()[0].get_xydata())
    sizes = [WORKLOAD.changed(float(interval)) * WORKLOAD.block_size for interval in points[:, 0]]
    assert points[:, 1].tolist() == pytest.approx([timing.seconds(size) for size in sizes])
    (band,) = above.collections
    edges = np.asarray(band.get_paths()[0].vertices)
    last = edges[edges[:, 0] == points[-1, 0]][:, 1]
    assert last.max() / last.min() == pytest.approx(np.exp(2 * 1.2816 * 0.5), rel=0.03)
    assert above.get_ylabel() == "from start to completion"
    assert below.get_ylabel() == "copied [GiB]"
    assert "as long as the interval: overlap above" in words(above.get_figure(root=True))  # type: ignore[arg-type]


def test_doubts_of_the_timing_widen_the_band() -> None:
    def width(timing: Timing) -> float:
        (band,) = plots.duration(WORKLOAD, timing).axes[0].collections
        edges = np.asarray(band.get_paths()[0].vertices)
        last = edges[edges[:, 0] == edges[:, 0].max()][:, 1]
        return float(np.log(last.max() / last.min()))

    sure, unsure = Timing(latency=0, spread=0.3), Timing(latency=0, spread=0.3, doubt=Doubt(rate=0.4))
    assert width(sure) == pytest.approx(2 * 1.2816 * 0.3, rel=0.03)
    assert width(unsure) == pytest.approx(2 * 1.2816 * 0.5, rel=0.15)  # 3-4-5: independent, in quadrature


def test_durations_without_spread_have_no_band_and_those_of_no_time_are_told_in_words() -> None:
    assert not plots.duration(WORKLOAD, Timing(spread=0)).axes[0].collections
    assert "every snapshot completes at once" in words(plots.duration(WORKLOAD, Timing(latency=0, rate=np.inf)))


def test_a_disk_that_nobody_writes_to_is_told_in_words() -> None:
    idle = Workload.from_table({"1h": 0.0, "60d": 0.0}, None, "10 GiB")
    assert "nothing is ever written" in words(plots.curve(idle))
    assert "nothing is ever written" in words(plots.duration(idle))


def cells(picture: Picture) -> dict[str, int]:
    """Count the days, or months, by what keeps their snapshots."""
    filled = [each for each in picture.axes[0].collections if isinstance(each, PolyCollection)]
    return {str(each.get_label()): len(each.get_paths()) for each in filled if each.get_hatch() is not None}


def test_a_calendar_has_a_cell_for_each_day_coloured_by_the_rule_that_keeps_it() -> None:
    picture = plots.calendar(GRANDFATHER, AT)
    # 24 hours lie on two days, 14 days less those two; of 8 weeks and 12 months those that lie further back.
    assert cells(picture) == {"hourly snapshot": 2, "daily snapshot": 12, "weekly snapshot": 5, "monthly snapshot": 11}
    counts = [text.get_text() for text in picture.axes[0].texts]
    assert counts == ["11", "13"]
    assert picture.axes[0].get_title() == "What grandfather keeps on 23 November 2026: 52 snapshots"
    labels = [label.get_text() for label in picture.axes[0].get_yticklabels()]
    assert (labels[0], labels[-1]) == ("Nov 2026", "Dec 2025")


class Held:
    """A snapshot as a strategy sees it."""

    state = "completed"

    def __init__(self, taken_at: datetime, *tiers: str) -> None:
        self.taken_at = taken_at
        self.tiers = tiers


def test_a_calendar_keeps_what_the_strategy_decides_to_keep() -> None:
    since = datetime(2026, 10, 1, tzinfo=UTC)
    hours = pd.date_range(since, AT, freq="h")
    taken = [Held(hour.to_pydatetime(), *(["hourly", "nightly"] if hour.hour == 3 else ["hourly"])) for hour in hours]
    kept = TWO_TIERS.decide(taken, AT).kept
    picture = plots.calendar(TWO_TIERS, AT, since=since)
    assert f": {len(kept)} snapshots" in picture.axes[0].get_title()
    assert sum(cells(picture).values()) == len({each.snapshot.taken_at.date() for each in kept})
    assert list(cells(picture)) == ["hourly", "nightly"]


def test_a_calendar_of_years_has_a_cell_for_each_month() -> None:
    picture = plots.calendar(strategy("long", "every 1d", daily=30, monthly=36, yearly=5), AT)
    assert [label.get_text() for label in picture.axes[0].get_xticklabels()][:2] == ["Jan", "Feb"]
    assert cells(picture) == {"daily snapshot": 2, "monthly snapshot": 34, "yearly snapshot": 1}


def test_a_calendar_reaches_back_as_far_as_the_longest_rule() -> None:
    assert len(plots.calendar(strategy("within", "every 1d", within="1y6m"), AT).axes[0].get_yticks()) == 19
    assert "400 snapshots" in words(plots.calendar(strategy("last", "every 1d", last=400), AT))
    assert "366 snapshots" in words(plots.calendar(strategy("all", "every 1d", last="all"), AT))


def test_due_times_between_windows_share_a_snapshot_in_the_calendar() -> None:
    window = Window(start="02:10", end="03:00")
    nightly = Strategy("nights", [Tier(Schedule("every 1h", window=window), Retention(last=40))])
    picture = plots.calendar(nightly, AT)
    assert cells(picture) == {"last snapshot": 40}
    assert not picture.axes[0].texts


def test_a_calendar_without_snapshots_says_so_and_impossible_moments_are_refused() -> None:
    never = strategy("never", "cron(0 3 1 1 ? 2030)", last=2)
    assert "nothing was due since 2025-11-22: nothing is kept" in words(plots.calendar(never, AT))
    with pytest.raises(InvalidRequest, match=r"since .* is after .*; give an earlier moment"):
        plots.calendar(HOURLY, AT, since=datetime(2027, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidRequest, match=r"at .* time zone"):
        plots.calendar(HOURLY, AT.replace(tzinfo=None))


STRATEGIES = [
    HOURLY,
    strategy("hourly, deep", "every 1h", last=24, daily=30),
    strategy("every 2 h, dear", "every 2h", last=300),
    strategy("daily $x_1$", "every 1d", daily=20),
]


@pytest.fixture(scope="module")
def compared() -> Study:
    return study(STRATEGIES, WORKLOAD, horizon="30d", replications=2, seed=4)


def test_a_study_shows_bars_of_durations_and_every_strategy_by_name(compared: Study) -> None:
    picture = compared.plot(rpo="2h", monthly_cost=40)
    durations, costs = picture.axes
    names = [each.name for each in STRATEGIES]
    assert [label.get_text() for label in durations.get_yticklabels()] == names
    assert [bar.get_width() for bar in bars(durations)[:4]] == pytest.approx(compared.frame["duration_p95_s"] / 60)
    told = [text.get_text() for text in costs.texts]
    assert [text.split(" (")[0] for text in told] == names
    assert not any(text.get_parse_math() for text in costs.texts)
    assert {"RPO 2 h", "budget $40.00", "on the front", "beaten"} <= set(costs.get_legend_handles_labels()[1])


def test_names_on_the_front_do_not_overlap(compared: Study) -> None:
    picture = plots.front(compared, "2h", 40, chosen="hourly, deep")
    picture.draw_without_rendering()
    (axes,) = picture.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(STRATEGIES)
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])
    assert any(line.get_label() == "chosen" for line in axes.get_lines())


def test_limits_and_choices_that_cannot_be_are_refused(compared: Study) -> None:
    with pytest.raises(InvalidRequest, match="RPO 'soon' is not a time span"):
        plots.front(compared, "soon")
    with pytest.raises(InvalidRequest, match="budget -1"):
        plots.study(compared, monthly_cost=-1)
    with pytest.raises(InvalidRequest, match="chosen 'weekly' was not compared; name one"):
        plots.front(compared, chosen="weekly")


def test_the_front_of_many_strategies_numbers_a_few_and_draws_all() -> None:
    many = [
        strategy(f"every {minutes} min, last {last}, daily {daily}", f"every {minutes}min", last=last, daily=daily)
        for minutes in (15, 30, 60, 120, 240, 360)
        for last in (4, 12, 24, 96)
        for daily in (1, 7, 14, 30, 60)
    ]
    screening = screen(many, WORKLOAD)
    picture = plots.front(screening, chosen=many[50].name)
    (axes,) = picture.axes
    beaten, best = (each.get_offsets() for each in axes.collections)
    assert len(np.asarray(beaten)) + len(np.asarray(best)) == len(many)
    assert len(np.asarray(best)) == screening.frame["front"].sum()
    *numbers, listed = (text.get_text() for text in axes.texts)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert listed.splitlines()[0].startswith(f"1.  {many[50].name}")
    assert len(listed.splitlines()) == len(numbers) <= 12


def test_the_line_joins_those_that_nobody_beats_in_cost_and_rpo() -> None:
    often, seldom = strategy("often", "every 15min", last=200), strategy("seldom", "every 1d", last=2)
    screening = screen([often, seldom], WORKLOAD)
    (axes,) = plots.front(screening).axes
    (line,) = (line for line in axes.get_lines() if line.get_label() == "front of both")
    expected = screening.frame.loc[["often", "seldom"], ["rpo_p95_s", "monthly_cost_usd"]]
    assert np.asarray(line.get_xydata()).tolist() == expected.to_numpy().tolist()
    assert "beaten" not in words(axes.get_figure(root=True))  # type: ignore[arg-type]


def test_a_budget_far_above_the_costs_leaves_them_apart(compared: Study) -> None:
    assert plots.front(compared, monthly_cost=10_000.0).axes[0].get_yscale() == "log"


def test_a_study_in_which_nothing_completes_says_so() -> None:
    slow = study([HOURLY], WORKLOAD, horizon="2d", replications=1, timing=Timing(latency=1e9))
    told = words(plots.study(slow))
    assert "no strategy has a complete snapshot in every run" in told
    assert "no snapshot after the first one" in told


def test_strategies_without_figures_or_cost_are_drawn_or_told_of(compared: Study) -> None:
    runs = compared.runs.copy()
    runs.loc["hourly", ["rpo_p95_s", "duration_p95_s"]] = np.nan
    runs["monthly_cost_usd"] = 0.0
    picture = plots.study(replace(compared, runs=runs))
    told = words(picture)
    assert "1 without a complete snapshot" in told
    assert "none after the first complete in time" in told
    assert picture.axes[1].get_ylim() == (0, 1)


def test_every_picture_says_in_a_sentence_what_it_shows(compared: Study) -> None:
    assert repr(plots.front(compared)) == "<Picture: monthly cost against RPO of 4 strategies, 3 on the front>"
    drawn = plots.calendar(GRANDFATHER, AT)._repr_png_()
    assert b"52 snapshots that grandfather keeps" in drawn
    assert drawn == plots.calendar(GRANDFATHER, AT)._repr_png_()
