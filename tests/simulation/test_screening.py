"""The closed form against what it stands for: the ledger, brute force, and the model itself."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulation import Scenario, Screening, Workload, screen, simulate, study
from simulation.compared import front
from simulation.lifetimes import Calendar, walked
from simulation.occupancy import occupancy
from snapkit.errors import InvalidRequest, StrategyError
from snapkit.prices import MONTH
from snapkit.strategy import Archive, Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier, Window
from snapkit.timing import Timing
from snapkit.units import DAY, GIB, HOUR

START = datetime(2026, 1, 5, tzinfo=UTC)
ZONES = ["UTC", "UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]
COUNTS = ["last", "hourly", "daily", "weekly", "monthly", "yearly"]
SPANS = ["within", "within_hourly", "within_daily", "within_weekly", "within_monthly", "within_yearly"]


def strategy(name: str, schedule: str, **keep: Any) -> Strategy:
    return Strategy(name, [Tier(Schedule(schedule), Retention(**keep))])


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    elapsed = ["every 15min", "every 1h", "every 2h", "every 7h", "rate(5 hours)"]
    others = ["every 1d at 03:00", "every 6h", "cron(0 3 ? * SUN *)", "cron(0/20 8-18 ? * MON-FRI *)"]
    text = draw(st.sampled_from(elapsed + others))
    anchors = [None, None, "2020-01-01T00:07:13+00:00", "2020-01-01T00:00:05+00:00"]
    windows = [None, None, None, Window(None, "22:00", "06:00"), Window(["sat", "mon"], "22:00", "06:00")]
    anchor = draw(st.sampled_from(anchors)) if text in elapsed else None
    return Schedule(text, draw(st.sampled_from(ZONES)), anchor, draw(st.sampled_from(windows)))


@st.composite
def retentions(draw: st.DrawFn) -> Retention:
    counts = st.dictionaries(st.sampled_from(COUNTS), st.sampled_from([1, 2, 3, 7, 24, 30, "all"]), max_size=3)
    texts = st.sampled_from(["6h", "12h", "1d", "7d", "30d", "1m", "2m3d", "1y"])
    rules: dict[str, Any] = {**draw(counts), **draw(st.dictionaries(st.sampled_from(SPANS), texts, max_size=2))}
    try:
        return Retention(**rules, timezone=draw(st.sampled_from(ZONES)))
    except StrategyError:
        assume(False)
        raise


@st.composite
def strategies(draw: st.DrawFn) -> Strategy:
    tiers = draw(st.lists(st.tuples(schedules(), retentions()), min_size=1, max_size=3))
    return Strategy("any", [Tier(*parts, name=str(number)) for number, parts in enumerate(tiers)])


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 30)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


def fires(any_strategy: Strategy, start: datetime, horizon: float) -> bool:
    end = start + timedelta(seconds=horizon)
    return all((first := tier.schedule.next_after(start)) and first <= end for tier in any_strategy.tiers)


@settings(max_examples=100)
@given(strategies(), MOMENTS, st.sampled_from([3 * DAY, 40 * DAY + 1234]))
def test_columns_tell_what_the_ledger_tells_one_by_one(any_strategy: Strategy, start: datetime, horizon: float) -> None:
    assume(fires(any_strategy, start, horizon))
    epoch = start.timestamp()
    found, known = Calendar(epoch, horizon).lifetimes(any_strategy), walked(any_strategy, epoch, horizon)
    assert found.times.tolist() == known.times.tolist()
    assert found.ends.tolist() == known.ends.tolist()


def test_a_snapshot_that_another_tier_kept_stays_as_the_oldest_within_a_span() -> None:
    """The tier of days let it go when its day had a newer one, and is asked again when the other one lets it go."""
    days = Tier(Schedule("every 6h"), Retention(last=1, within_daily="3d"), "days")
    held = Schedule("every 6h", window=Window(start="04:00", end="09:00"), blackout=["2026-01-12"])
    both = Strategy("both", [days, Tier(held, Retention(hourly=3, daily=2), "held")])
    found, known = Calendar(START.timestamp(), 313 * HOUR).lifetimes(both), walked(both, START.timestamp(), 313 * HOUR)
    assert found.ends.tolist() == known.ends.tolist()
    assert (found.times[27], found.times[found.ends[27]]) == (126 * HOUR, 198 * HOUR)


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=40), st.data(), st.sampled_from([0.0, 3.0, 40.0]), st.booleans()
)
def test_occupancy_is_that_of_brute_force(gaps: list[int], data: st.DataObject, tail: float, own: bool) -> None:
    times = np.cumsum([0, *gaps]).astype(float)
    count = len(times)
    ends = np.array([data.draw(st.integers(k + 1, count)) for k in range(count)])
    horizon = float(times[-1]) + 2.5
    taking = {gap: gap * 0.9 if own else 0.5 for gap in gaps}
    lasting = np.array(
        [0.0, *(min(taking[gap], following) for gap, following in zip(gaps, [*gaps[1:], 9], strict=True))]
    )
    assume(all(lasting[k + 1] == taking[gap] for k, gap in enumerate(gaps)))
    found = occupancy(type(EMPTY)(times, ends), horizon, tail)
    for stay, begin in ((found.whole, 0.0), (found.tail, horizon - tail)):
        stored = float(stay.seconds @ found.gaps[stay.numbers] ** 0.5)
        for delay in stay.delays:
            seconds = taking[int(found.gaps[delay.gap])]
            for seen in [max(min(seconds, delay.high), delay.low) - delay.low]:
                stored += seen * float(delay.counts @ found.gaps[delay.numbers] ** 0.5)
        assert stored == pytest.approx(by_brute_force(times, ends, lasting, begin, horizon), abs=1e-6)


EMPTY = Calendar(START.timestamp(), DAY).lifetimes(strategy("hourly", "every 1h", last=1))


def by_brute_force(times: Any, ends: Any, lasting: Any, begin: float, horizon: float) -> float:
    events = [(times[k], 0, k) for k in range(len(times))]
    events += [(times[end] + lasting[end], 1, k) for k, end in enumerate(ends) if end < len(times)]
    alive: list[int] = []
    total, before, stored = 0.0, 0.0, 0.0
    for at, goes, k in [*sorted(events), (horizon, 2, 0)]:
        total += stored * max(min(at, horizon) - max(before, begin), 0.0)
        before = at
        if goes == 0:
            alive.append(k)
        elif goes == 1:
            alive.remove(k)
        stored = sum((times[b] - times[a]) ** 0.5 for a, b in pairwise(alive))
    return total


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    size, blocks, points = draw(st.integers(200, 900)), draw(st.floats(1, 500)), {60.0: 0.0}
    points[60.0] = blocks
    for shorter, longer in ((60, HOUR), (HOUR, DAY), (DAY, 7 * DAY)):
        blocks *= (longer / shorter) ** draw(st.floats(0.05, 1))
        points[float(longer)] = blocks = min(blocks, size * 2048.0)
    table = Workload.from_table(dict(points), None, f"{size} GiB")
    other = Workload.from_table({HOUR: 100.0, DAY: 2000.0}, None, "10 GiB").growing("2 GiB")
    return draw(st.sampled_from([table, table.growing("9 GiB"), Workload.together({"a": table, "b": other})]))


@settings(max_examples=60)
@given(strategies(), workloads(), MOMENTS, st.sampled_from([3 * DAY, 34 * DAY + 1234]), st.floats(1, 60))
def test_the_closed_form_is_the_model_to_nine_digits(
    any_strategy: Strategy, workload: Workload, start: datetime, horizon: float, latency: float
) -> None:
    assume(fires(any_strategy, start, horizon))
    timing = Timing(latency=latency, rate=3e9, spread=0)
    screened = screen([any_strategy], workload, horizon=horizon, start=start, timing=timing).frame.iloc[0]
    outcome = simulate(Scenario(any_strategy, workload, horizon, start=start, timing=timing))
    figures, started = outcome.summary(), outcome.log.started
    assume(not screened["approximate"])
    assume(len(started) < 2 or figures["full_duration_s"] < started[1] - started[0])
    for name in set(screened.index) & set(figures.index):
        assert screened[name] == pytest.approx(figures[name], rel=1e-9, nan_ok=True), name
    assert screened["stored_mean_bytes"] * horizon == pytest.approx(figures["stored_byte_hours"] * HOUR, rel=1e-9)


def test_means_over_the_weather_are_those_of_many_runs() -> None:
    compared = [strategy("hourly", "every 1h", last=24, daily=7), strategy("six", "every 6h", last=8)]
    workload = Workload.profile("workstation", size="100 GiB")
    timing = Timing(spread=0.3)
    screened = screen(compared, workload, horizon="30d", timing=timing).frame
    simulated = study(compared, workload, horizon="30d", timing=timing, replications=30)
    for name in ("duration_mean_s", "monthly_cost_usd", "rpo_mean_s", "rpo_p95_s"):
        difference = (screened[name] - simulated.frame[name]).abs()
        # The 95th percentile of the losses is that at mean weather, which differs a little from the mean over weathers.
        allowed = 2 * simulated.margins[name] + (0.002 * simulated.frame[name] if name == "rpo_p95_s" else 1e-9)
        assert (difference <= allowed).all(), name


def test_a_first_snapshot_that_outlasts_the_next_costs_little_precision() -> None:
    workload = Workload.profile("workstation", size="1 TiB")  # its full snapshot takes seven hours
    compared = [strategy("hourly", "every 1h", last=24, daily=30)]
    timing = Timing(spread=0)
    screened = screen(compared, workload, horizon="90d", timing=timing).frame.iloc[0]
    figures = simulate(Scenario(compared[0], workload, "90d", timing=timing)).summary()
    assert figures["full_duration_s"] > 6 * HOUR
    for name in ("monthly_cost_usd", "history_s", "kept"):
        assert screened[name] == pytest.approx(figures[name], rel=1e-9), name
    for name in ("cost_usd", "copied_bytes", "snapshots", "rpo_mean_s", "rpo_p95_s"):
        assert screened[name] == pytest.approx(figures[name], rel=1e-3), name
    # Those behind it last until it is complete.
    assert screened["duration_mean_s"] == pytest.approx(figures["duration_mean_s"], rel=0.05)


def test_snapshots_that_outlast_the_interval_are_told() -> None:
    compared = [strategy("often", "every 5min", last=9), strategy("daily", "every 1d", last=9)]
    frame = screen(compared, Workload.profile("workstation"), timing=Timing(latency=400)).frame
    assert frame["approximate"].to_dict() == {"often": 1, "daily": 0}


def test_many_volumes_add_up_and_the_worst_rpo_counts() -> None:
    volumes = {"db": Workload.profile("workstation", size="1 TiB"), "web": Workload.profile("workstation")}
    compared = [strategy("hourly", "every 1h", last=24), strategy("daily", "every 1d", daily=9)]
    screened = screen(compared, volumes, horizon="20d")
    each = [screened.of(name).frame.sort_index() for name in volumes]
    both = screened.frame.sort_index()
    for name in ("monthly_cost_usd", "copied_bytes", "stored_mean_bytes", "snapshots"):
        assert both[name].tolist() == pytest.approx((each[0][name] + each[1][name]).tolist())
    assert both["rpo_p95_s"].tolist() == np.maximum(each[0]["rpo_p95_s"], each[1]["rpo_p95_s"]).tolist()
    assert both["duration_mean_s"].tolist() == pytest.approx(
        ((each[0]["duration_mean_s"] + each[1]["duration_mean_s"]) / 2).tolist()
    )
    alone = screen(compared, volumes["db"], horizon="20d").frame.sort_index()
    pd.testing.assert_frame_equal(alone, each[0], check_exact=True)
    assert repr(screened).endswith("2 strategies on 2 volumes in closed form, 2 on the Pareto front")
    with pytest.raises(InvalidRequest, match="volume 'mail' was not screened; choose one of db, web"):
        screened.of("mail")


def test_a_fleet_too_large_for_one_matrix_is_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    volumes = {str(k): Workload.profile("workstation", size=k * GIB) for k in range(1, 8)}
    compared = [strategy("hourly", "every 1h", last=24, daily=3), strategy("daily", "every 1d", daily=9)]
    whole = screen(compared, volumes, horizon="20d").frame
    monkeypatch.setattr("simulation.screening._AT_ONCE", 30)
    pd.testing.assert_frame_equal(screen(compared, volumes, horizon="20d").frame, whole, rtol=1e-12)


@pytest.fixture(scope="module")
def screened() -> Screening:
    compared = [
        strategy(f"every {hours} h, last {last}, daily {daily}", f"every {hours}h", last=last, daily=daily)
        for hours in (1, 2, 6, 12)
        for last in (4, 24, 96)
        for daily in (1, 7, 30)
    ]
    return screen(compared, Workload.profile("workstation", size="100 GiB"))


def test_the_frame_is_ranked_the_front_first_and_each_group_by_cost(screened: Screening) -> None:
    frame = screened.frame
    assert frame["front"].tolist() == sorted(frame["front"], reverse=True)
    for _, group in frame.groupby("front"):
        assert group["monthly_cost_usd"].is_monotonic_increasing
    assert 1 < frame["front"].sum() < len(frame)


def test_nobody_beats_the_front_and_everybody_else_is_beaten() -> None:
    random = np.random.default_rng(5)
    columns = ["rpo_p95_s", "monthly_cost_usd", "history_s"]
    frame = pd.DataFrame(random.integers(0, 6, (150, 3)).astype(float), columns=columns)
    frame.loc[3, "rpo_p95_s"] = np.nan
    points = frame.fillna(np.inf).to_numpy() * [1, 1, -1]
    beaten = [any(np.all(q <= p) and np.any(q < p) for q in points) for p in points]
    assert front(frame).tolist() == [not each for each in beaten]


def test_the_shortlist_holds_what_the_study_then_chooses(screened: Screening) -> None:
    short = screened.shortlist(rpo="3h", monthly_cost=22, most=5)
    everything = study(screened.strategies, screened.workloads["workstation"], replications=1)
    assert short[0] is everything.best(rpo="3h", monthly_cost=22).strategy
    assert len(short) == 5
    assert len(screened.shortlist(most=50)) == 36


def test_limits_that_none_meets_name_what_comes_nearest(screened: Screening) -> None:
    with pytest.raises(InvalidRequest, match=r"RPO '5min' is met by none: the best loses 1\.0\d h; allow a larger RPO"):
        screened.shortlist(rpo="5min")
    with pytest.raises(InvalidRequest, match=r"budget 1 pays for none that meets the RPO: the cheapest costs \$"):
        screened.shortlist(rpo="2h", monthly_cost=1)
    for most in (-1, 0, 0.5, True, "3"):
        with pytest.raises(InvalidRequest, match=f"most {most!r} is no whole number from 1"):
            screened.shortlist(most=most)  # type: ignore[arg-type]


def test_one_snapshot_only_is_a_chain_as_well() -> None:
    only = screen([strategy("yearly", "cron(0 12 5 1 ? *)", last=2)], Workload.profile("workstation"), horizon="13h")
    figures = only.frame.iloc[0]
    assert figures["snapshots"] == 2
    assert figures["history_s"] == 13 * HOUR
    late = screen([strategy("never", "cron(0 0 7 1 ? 2026)", last=2)], Workload.profile("workstation"), horizon="3d")
    assert late.frame.iloc[0]["snapshots"] == 1
    assert isnan(late.frame.iloc[0]["duration_mean_s"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategies": []}, r"strategies \[\] leave nothing to compare"),
        ({"strategies": [5]}, "strategies 5 is no strategy"),
        ({"strategies": [strategy("a", "every 1h", last=1)] * 2}, "strategy name 'a' stands twice"),
        ({"workload": 5}, "workload 5 is none; give a Workload, or a mapping"),
        ({"workload": {"db": 5}}, "workload 5 is none"),
        ({"workload": []}, r"workload \[\] leaves no volume"),
        ({"workload": [Workload.profile("workstation")] * 2}, "workload name 'workstation' stands twice"),
        ({"horizon": "soon"}, "horizon 'soon' is not a time span"),
        ({"horizon": "30min"}, "horizon '30min' ends before every hour comes due"),
        (
            {"strategies": [strategy("a", "every 1h", last=1), strategy("never", "cron(0 3 1 1 ? 2030)", last=1)]},
            "horizon '90d' ends before at 03:00, on day 1 of the month",
        ),
    ],
)
def test_screenings_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    given_ones = {"strategies": [strategy("hourly", "every 1h", last=9)], "workload": Workload.profile("workstation")}
    with pytest.raises(InvalidRequest, match=message):
        screen(**{**given_ones, **change})


def test_names_with_markup_show_literally() -> None:
    evil = strategy("<img src=x onerror=alert(1)>", "every 1h", last=2)
    shown = screen([evil], Workload.profile("workstation"))._repr_html_()
    assert "<img" not in shown
    assert "&lt;img src=x" in shown


def test_a_workload_that_is_not_stationary_counts_with_its_mean() -> None:
    frame = pd.DataFrame({"t_us": range(0, 20 * DAY * 10**6, 600 * 10**6), "op": "W"})
    frame["off"], frame["len"] = (frame.index * 7919 % 4000) * 524288, 4096
    trace = Workload.from_trace(frame)
    compared = [strategy("hourly", "every 1h", last=24, daily=5)]
    screened = screen(compared, trace, horizon="20d", timing=Timing(spread=0)).frame.iloc[0]
    figures = simulate(Scenario(compared[0], trace, "20d", timing=Timing(spread=0))).summary()
    assert screened["monthly_cost_usd"] == pytest.approx(figures["monthly_cost_usd"], rel=0.02)
    assert screened["copied_bytes"] == pytest.approx(figures["copied_bytes"], rel=0.02)


def test_the_first_snapshot_copies_what_is_there_by_then() -> None:
    late = strategy("late", "cron(0 0 15 1 ? 2026)", last=2)
    workload = Workload.profile("workstation", "100 GiB").growing("10 GiB")
    timing = Timing(spread=0)
    figures = screen([late], workload, horizon="20d", timing=timing).frame.iloc[0]
    assert figures["full_duration_s"] == pytest.approx(timing.seconds(200 * GIB))
    assert figures["copied_bytes"] == pytest.approx(200 * GIB)


def test_a_set_lasts_as_long_as_its_slowest_volume() -> None:
    busy = Workload.from_table({HOUR: 9000.0, DAY: 20_000.0}, None, "10 GiB")
    large = Workload.from_table({HOUR: 30.0, DAY: 400.0}, None, "40 GiB").growing("1 GiB")
    compared = [strategy("hourly", "every 1h", last=24, daily=3), strategy("daily", "every 1d", last=5)]
    options: dict[str, Any] = {"horizon": "20d", "timing": Timing(spread=0)}
    alone = [screen(compared, each, **options).frame.sort_index() for each in (busy, large)]
    screened = screen(compared, Workload.together({"busy": busy, "large": large}), **options).frame.sort_index()
    assert screened["full_duration_s"].tolist() == alone[1]["full_duration_s"].tolist()
    assert screened["duration_mean_s"].tolist() == pytest.approx(alone[0]["duration_mean_s"].tolist())
    assert screened["copied_bytes"].tolist() == (alone[0]["copied_bytes"] + alone[1]["copied_bytes"]).tolist()
    apart = screen(compared, {"busy": busy, "large": large}, **options).frame.sort_index()
    assert (apart["duration_mean_s"] < screened["duration_mean_s"]).all()


def test_only_what_is_exact_is_called_so() -> None:
    disk, daily = Workload.profile("workstation"), [strategy("daily", "every 1d", last=9, weekly=4)]
    frame = pd.DataFrame({"t_us": [0, 10**9], "op": "W", "off": [0, 524288], "len": 512})
    for workload, approximate in (
        (disk.growing("1 GiB"), 0),
        (Workload.together({"a": disk, "b": disk.growing("1 GiB")}), 0),
        (disk.rewritten("30d"), 1),
        (disk.rewritten("30d", 0.1).growing("1 GiB"), 1),
        (Workload.together({"a": disk, "b": disk.rewritten("30d")}), 1),
        (Workload.from_trace(frame), 1),
        (Workload.from_table({HOUR: 1.0, DAY: 1.0, 9 * DAY: 900.0}, None, "10 GiB").growing("1 GiB"), 1),
    ):
        assert screen(daily, workload).frame["approximate"].item() == approximate, workload


def test_a_month_is_the_tail_that_costs_are_told_for() -> None:
    growing = [strategy("all", "every 1d", last="all")]
    workload = Workload.from_table({DAY: 100.0, 2 * DAY: 200.0}, None, "1 GiB")
    figures = screen(growing, workload, horizon=2 * MONTH, timing=Timing(latency=0, rate=float("inf"), spread=0)).frame
    # 2,048 blocks and 100 a day: on the days of the second month 30 to 59 increments are there.
    stored = (2048 + 100 * np.mean(range(30, 60))) * 524288 / GIB
    assert figures["monthly_cost_usd"].item() == pytest.approx(0.05 * stored)


def test_a_footprint_that_grows_faster_than_time_is_told() -> None:
    swelling = Workload.from_table({HOUR: 1.0, DAY: 1.0, 7 * DAY: 900.0}, None, "10 GiB")
    compared = [strategy("hourly", "every 1h", last=24, weekly=4)]
    assert screen(compared, swelling).frame["approximate"].item() == 1
    assert screen(compared, Workload.profile("workstation")).frame["approximate"].item() == 0


def test_copies_archives_and_recovery_volumes_are_left_out_and_told() -> None:
    hourly, few = Schedule("every 1h"), Retention(last=3)
    compared = [
        Strategy("plain", [Tier(hourly, few)]),
        Strategy("copied", [Tier(hourly, few, copies=[Copy("eu-west-1", few)])]),
        Strategy("archived", [Tier(hourly, few, archive=Archive(few))]),
        Strategy("ready", [Tier(hourly, few)], RecoveryVolume(schedule=hourly, zone="us-east-1a")),
    ]
    frame = screen(compared, Workload.profile("workstation")).frame
    assert frame["approximate"].to_dict() == {"plain": 0, "copied": 1, "archived": 1, "ready": 1}
