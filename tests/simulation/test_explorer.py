"""The explorer, driven without a browser: what the controls make up, its figures, pictures and refusals."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from simulation import Conditions, Workload, screen
from simulation.explorer import StrategyExplorer, explorer
from snapkit import InvalidRequest
from snapkit.errors import StrategyError
from snapkit.strategy import Archive, Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier, Window
from snapkit.timing import Doubt, Timing
from snapkit.units import DAY, HOUR

WORKLOAD = Workload.from_table(
    {60: 20, HOUR: 200, DAY: 900, 7 * DAY: 2500, 90 * DAY: 9000}, None, "60 GiB", name="<db>"
)
CALM = Timing(latency=60, rate=100e6, spread=0)
SVG = "{http://www.w3.org/2000/svg}"


def explore(**options: Any) -> StrategyExplorer:
    return StrategyExplorer(WORKLOAD, **{"horizon": "20d", "timing": CALM, **options})


def breaks(volume: Any) -> Any:
    raise RuntimeError("no such luck")


def figure(frame: pd.DataFrame, name: str, column: str = "closed_form") -> float:
    return float(frame[column].to_dict()[name])


def pictures(shown: StrategyExplorer) -> list[ET.Element]:
    text = shown._pictures.value.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ')
    return list(ET.fromstring(text))  # noqa: S314 - our own text


def words(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


def test_closed_form_is_that_of_screening() -> None:
    shown = explore()
    shown.interval.value, shown.weekly.value = "6 h", 2
    row = screen([shown.strategy], WORKLOAD, horizon="20d", timing=CALM).frame.iloc[0]
    figures = shown.figures["closed_form"]
    for name in ("duration_mean_s", "rpo_p95_s", "kept", "history_s", "stored_mean_bytes", "monthly_cost_usd"):
        assert figures[name] == row[name]


def test_controls_make_up_the_strategy() -> None:
    shown = explore(horizon="30d")
    shown.interval.value = "8 h"
    shown.last.value, shown.daily.value, shown.weekly.value, shown.monthly.value = 0, 7, 4, 3
    shown.copy_to.value, shown.copies_kept.value = " eu-west-1 ", 5
    shown.recovery.value, shown.recovery_loaded.value = "1 d", True
    retention, copy = Retention(daily=7, weekly=4, monthly=3), Copy("eu-west-1", Retention(last=5))
    recovery = RecoveryVolume(schedule=Schedule("every 1 d"), zone="us-east-1b", initialized=True)
    tier = Tier(Schedule("every 8 h"), retention, "explored", copies=[copy])
    assert shown.strategy == shown.scenario.strategy == Strategy("explored", [tier], recovery)


@pytest.mark.parametrize(
    "given",
    [
        Strategy("db", [Tier(Schedule("every 1h"), Retention(last=24, yearly=2), retries=5)]),
        Strategy("night", [Tier(Schedule("every 15min", "Europe/Berlin", window=Window()), Retention(daily=9))]),
        Strategy(
            "far",
            [Tier(Schedule("rate(6 hours)"), Retention(last=3), copies=[Copy("eu-west-1", Retention(last=2), "key")])],
            RecoveryVolume(schedule=Schedule("every 1d"), zone="us-east-1c", delay="5min"),
        ),
    ],
    ids=lambda given: given.name,
)
def test_a_given_strategy_stays_itself_until_a_control_is_moved(given: Strategy) -> None:
    shown = explore(strategy=given)
    assert shown.strategy == given
    shown.last.value = 50
    (tier,) = shown.strategy.tiers
    assert (tier.retention.last, tier.name, tier.retries) == (50, given.tiers[0].name, given.tiers[0].retries)
    assert tier.schedule is given.tiers[0].schedule


@pytest.mark.parametrize(
    "tiers",
    [
        [Tier(Schedule("every 1h"), Retention(last=3)), Tier(Schedule("every 1d"), Retention(last=3))],
        [Tier(Schedule("every 7h"), Retention(last=3))],
        [Tier(Schedule("every 1h"), Retention(last=1000))],
        [Tier(Schedule("every 1h"), Retention(last="all"))],
        [Tier(Schedule("every 1h"), Retention(last=3), copies=[Copy("eu-west-1", Retention(daily=3))])],
    ],
)
def test_a_strategy_that_the_controls_cannot_express_is_refused(tiers: list[Tier]) -> None:
    with pytest.raises(InvalidRequest, match="strategy 'any' is not one that the controls can express; give one tier"):
        explore(strategy=Strategy("any", tiers))


def test_closed_form_with_copies_and_recovery_volume_is_what_the_simulation_says() -> None:
    shown = explore(horizon="40d", strategy=Strategy("s", [Tier(Schedule("every 8h"), Retention(last=9, daily=9))]))
    shown.copy_to.value, shown.recovery.value = "eu-west-1", "12 h"
    for loaded in (False, True):
        shown.recovery_loaded.value = loaded
        figures = asyncio.run(shown.confirm())
        assert np.allclose(figures["closed_form"], figures["simulated"], rtol=2e-3)
        assert "agrees with the closed form" in shown._status.value
        assert "copies and recovery volumes are taken to be made at once" in shown._status.value
    assert figure(figures, "rto_p95_s", "simulated") == 660


def test_percentile_of_durations_is_that_of_the_weather() -> None:
    shown = explore(horizon="60d", timing=Timing(latency=60, rate=100e6, spread=0.3))
    figures = asyncio.run(shown.confirm())
    closed, simulated, margin = (
        figure(figures, "duration_p95_s", each) for each in ("closed_form", "simulated", "margin")
    )
    assert abs(closed - simulated) < 2 * margin < 0.05 * simulated


def test_snapshots_that_outlast_the_interval_are_told() -> None:
    shown = explore(timing=Timing(latency=60, rate=5e6, spread=0))
    assert "approximate, for the first snapshot, 3.6 h, outlasts the interval" in shown._status.value
    shown = StrategyExplorer(WORKLOAD.rewritten("5d"), horizon="20d", timing=CALM)
    assert "approximate, for snapshots overlap, hours differ" in shown._status.value


def test_nothing_is_known_where_no_snapshot_is_complete_before_the_horizon() -> None:
    shown = explore(timing=Timing(latency=60, rate=100.0, spread=0))
    assert "no snapshot is complete before the horizon" in shown._status.value
    figures = asyncio.run(shown.confirm())
    for name in ("duration_mean_s", "rpo_p95_s", "rto_p95_s", "history_s"):
        assert figures.loc[name].isna().all()
    assert figures.loc["kept", ["closed_form", "simulated"]].eq(0).all()
    assert shown._table.value.count("unknown") == 2 * 5


def test_what_the_closed_form_leaves_out_is_told() -> None:
    archived = Strategy("s", [Tier(Schedule("every 1 h"), Retention(last=2), archive=Archive(Retention(last=2)))])
    doubtful = Timing(latency=60, rate=100e6, spread=0, doubt=Doubt(rate=0.2))
    told = explore(strategy=archived, timing=doubtful, conditions=Conditions(failing=0.1))._status.value
    for each in ("latency and rate count with their means", "what the region limits", "the archive is left out"):
        assert each in told
    assert "the first snapshot is still kept, so costs go on growing" in explore(horizon="5d")._status.value
    assert "means over all chances" in explore()._status.value


def test_late_starts_are_left_to_the_simulation_which_differs() -> None:
    shown = explore()
    shown.start_within.value = float(HOUR)
    assert "snapshots are taken to start on time" in shown._status.value
    figures = asyncio.run(shown.confirm())
    assert figure(figures, "rpo_p95_s", "simulated") > figure(figures, "rpo_p95_s") + 600
    assert "differs from the closed form by more than the margin in" in shown._status.value
    assert "RPO p95" in shown._status.value.split("margin in")[1]


def test_starts_later_than_the_next_due_time_are_refused() -> None:
    shown = explore(start_within="1h")
    with pytest.raises(InvalidRequest, match="start_within"):
        shown.interval.value = "15 min"
    shown.start_within.value = 0.0
    assert not shown.error.value


def test_what_cannot_be_is_told_raised_and_leaves_no_figures() -> None:
    shown = explore()
    shown.daily.value = 0
    with pytest.raises(StrategyError, match="would delete every snapshot"):
        shown.last.value = 0
    assert "would delete every snapshot" in shown.error.value
    assert shown.figures.isna().all(axis=None)
    assert shown._pictures.value == shown._status.value == ""
    assert repr(shown).splitlines()[1].startswith("refused            retention 'Retention()' has no rule")
    with pytest.raises(StrategyError):
        asyncio.run(shown.confirm())
    shown.last.value = 1
    assert not shown.error.value
    assert figure(shown.figures, "kept") == 1


def test_markup_shows_as_it_is() -> None:
    shown = explore(conditions=Conditions("<i>"))
    with pytest.raises(InvalidRequest, match="is where the volume itself is"):
        shown.copy_to.value = "<i>"
    assert "&lt;i&gt;" in shown.error.value
    assert "<i>" not in shown.error.value + shown._repr_mimebundle_()["text/html"]


def test_intervals_are_no_longer_than_the_horizon() -> None:
    assert explore(
        horizon="3h", strategy=Strategy("s", [Tier(Schedule("every 1h"), Retention(last=2))])
    ).interval.options == (
        "15 min",
        "30 min",
        "1 h",
        "2 h",
        "3 h",
    )
    often = Strategy("s", [Tier(Schedule("every 5min"), Retention(last=2))])
    with pytest.raises(InvalidRequest, match="horizon '5 min' is shorter than every interval"):
        explore(horizon="5min", strategy=often)


def test_controls_without_a_say_are_disabled() -> None:
    shown = explore()
    assert shown.copies_kept.disabled
    assert shown.recovery_zone.disabled
    shown.copy_to.value, shown.recovery.value = "eu-west-1", "6 h"
    assert not any(each.disabled for each in (shown.copies_kept, shown.recovery_zone, shown.recovery_loaded))


def test_limits_are_held_against_the_figures() -> None:
    shown = explore(rpo="2h", monthly_cost=1000)
    assert "meets 2 h" in shown._table.value
    shown.interval.value = "1 d"
    assert "misses 2 h" in shown._table.value
    assert "meets $1,000.00" in shown._table.value
    assert "RPO 2 h" in words(pictures(shown)[1])
    assert "budget $4.00" in words(pictures(explore(monthly_cost=4))[1])
    assert not any(each.startswith("budget") for each in words(pictures(shown)[1])), "it is far above all"
    assert "limit" not in explore()._table.value


def test_pictures_hold_what_is_chosen_and_all_else() -> None:
    shown = explore()
    shown.interval.value = "2 h"
    duration, cost, kept = pictures(shown)
    rings = [each for each in cost.iter(f"{SVG}circle") if len(each)]
    assert [ring[0].text for ring in rings] == list(shown.interval.options)
    assert any(each.startswith("2 h, $") for each in words(cost))
    (strokes,) = [each.get("d", "") for each in kept.iter(f"{SVG}path") if each.get("d", "").count("M") > 1]
    assert strokes.count("M") == figure(shown.figures, "kept")
    for picture in (duration, cost, kept):
        assert picture.get("role") == "img"
        assert picture.get("aria-label", "").startswith(words(picture)[0])


def test_what_stays_is_counted_also_while_the_last_snapshot_is_pending() -> None:
    shown = explore(start=datetime(2026, 1, 5, 0, 0, 30, tzinfo=UTC), horizon="10d 29s")
    for interval in shown.interval.options:
        shown.interval.value = interval
        assert words(pictures(shown)[2])[1].startswith(f"{figure(shown.figures, 'kept'):.0f} snapshots")


def test_no_picture_is_blank() -> None:
    never = pictures(explore(timing=Timing(latency=60, rate=100.0, spread=0)))
    assert "no snapshot is complete before the horizon" in words(never[1])
    assert "no snapshot" in words(never[2])
    idle = explore(horizon="1d")
    idle.interval.value = "1 d"
    assert all(len(words(each)) > 2 for each in pictures(idle))


def test_what_a_saved_notebook_keeps_depends_on_the_controls_alone() -> None:
    shown = explore()
    before = shown._repr_mimebundle_()
    asyncio.run(shown.confirm())
    after = shown._repr_mimebundle_()
    assert before == after
    assert before["text/plain"] == repr(explore())
    assert repr(shown).startswith(
        "StrategyExplorer of '<db>', in closed form\n"
        "strategy           every hour, keep the last 24 and one a day for 14 days\n"
        "a snapshot takes   "
    )
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} == set(after)


def test_controls_that_rest_are_simulated_and_the_kernel_stays_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "PAUSE", 0.05)

    async def main() -> tuple[StrategyExplorer, int]:
        shown, ticks = explore(horizon="60d"), 0
        for interval in ("2 h", "4 h", "6 h"):
            shown.interval.value = interval
            await asyncio.sleep(0.001)
        assert "0 of 5 runs" in shown._status.value
        while shown.figures["simulated"].isna().any():
            await asyncio.sleep(0.002)
            ticks += 1
        return shown, ticks

    shown, ticks = asyncio.run(asyncio.wait_for(main(), 60))
    figures = shown.figures
    assert ticks > explorer.RUNS
    assert np.allclose(figures["closed_form"], figures["simulated"], rtol=1e-3)
    assert "simulated" in words(pictures(shown)[1])[1]


def test_a_change_while_it_is_simulated_begins_anew() -> None:
    async def main() -> StrategyExplorer:
        shown = explore()
        confirmed = asyncio.create_task(shown.confirm())
        await asyncio.sleep(0.01)
        shown.interval.value = "12 h"
        assert shown.figures["simulated"].isna().all()
        assert figure(await confirmed, "rpo_p95_s", "simulated") > 11 * HOUR
        return shown

    assert asyncio.run(main()).interval.value == "12 h"


def test_two_that_wait_share_one_simulation() -> None:
    async def main() -> tuple[pd.DataFrame, pd.DataFrame]:
        shown = explore()
        return await asyncio.gather(shown.confirm(), shown.confirm())

    one, other = asyncio.run(main())
    assert one.notna().all(axis=None)
    assert one.equals(other)


def test_what_is_refused_while_it_is_simulated_stays_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "PAUSE", 0.0)

    async def main() -> StrategyExplorer:
        shown = explore(processes=[breaks])
        shown._repr_mimebundle_()
        await asyncio.sleep(0.001)
        with pytest.raises(InvalidRequest):
            shown.copy_to.value = "us-east-1"
        shown._repr_mimebundle_()
        await asyncio.sleep(0.2)
        return shown

    assert "is where the volume itself is" in asyncio.run(main()).error.value


def test_an_error_while_it_is_simulated_is_told_and_raised() -> None:
    shown = explore(processes=[breaks])
    assert "what happens in it, is left out" in shown._status.value
    with pytest.raises(RuntimeError, match="no such luck"):
        asyncio.run(shown.confirm())
    assert "no such luck" in shown.error.value
    assert shown.figures.isna().all(axis=None)


def test_a_real_kernel_shows_it_and_simulates() -> None:
    sources = (
        "from simulation import Workload\n"
        "from simulation.explorer import StrategyExplorer\n"
        "shown = StrategyExplorer(Workload.profile('workstation'), horizon='5d')\n"
        "shown",
        "(await shown.confirm())['simulated'].notna().all().item()",
    )
    cells = [nbformat.v4.new_code_cell(each) for each in sources]  # type: ignore[no-untyped-call] # it has no types
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call] # likewise
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    (first,), (second,) = (cell.outputs for cell in notebook.cells)
    assert first.data["text/plain"] == repr(StrategyExplorer(Workload.profile("workstation"), horizon="5d"))
    assert "application/vnd.jupyter.widget-view+json" in first.data
    assert second.data["text/plain"] == "True"
