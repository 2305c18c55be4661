"""The price list gives the documented answers."""

from dataclasses import replace

import pytest

from snapkit.errors import InvalidRequest
from snapkit.prices import MONTH, Prices
from snapkit.units import DAY, GIB, HOUR, MINUTE

PRICES = Prices()


def test_archive_of_100_gib_costs_a_dollar_and_a_quarter_a_month_and_three_to_restore() -> None:
    assert PRICES.archived(100 * GIB, 120 * DAY) == pytest.approx(4 * 1.25)
    assert PRICES.retrieved(100 * GIB) == pytest.approx(3.0)


def test_archive_deleted_on_day_40_is_billed_fifty_days_more() -> None:
    assert PRICES.archived(100 * GIB, 40 * DAY) == pytest.approx(1.25 * (40 + 50) / 30)


@pytest.mark.parametrize(("snapshots", "zones", "monthly"), [(1, 1, 540.0), (2, 3, 3240.0)])
def test_fast_restore_costs_what_the_documented_examples_say(snapshots: int, zones: int, monthly: float) -> None:
    assert snapshots * PRICES.fast_restored(MONTH, zones) == pytest.approx(monthly)


def test_fast_restore_of_a_minute_is_billed_as_an_hour() -> None:
    assert PRICES.fast_restored(MINUTE) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("minutes", "fee"),
    [(15, 0.020), (30, 0.018), (45, 0.018), (60, 0.016), (105, 0.016), (120, 0.014), (225, 0.014), (240, 0.012),
     (465, 0.012), (480, 0.010), (945, 0.010), (960, 0.005), (2880, 0.005)],
)  # fmt: skip
def test_time_based_copy_costs_by_its_duration(minutes: int, fee: float) -> None:
    assert PRICES.timed_copy(GIB, minutes * MINUTE) == pytest.approx(fee)


def test_time_based_copy_faster_than_15_minutes_has_no_price() -> None:
    with pytest.raises(InvalidRequest, match="shorter than any"):
        PRICES.timed_copy(GIB, 14 * MINUTE)


def test_100_000_direct_calls_cost_the_documented_cents() -> None:
    assert PRICES.requests(lists=100_000) == pytest.approx(0.06)
    assert PRICES.requests(gets=100_000) == pytest.approx(0.30)
    assert PRICES.requests(puts=100_000) == pytest.approx(0.60)


def test_initialization_at_300_costs_36_ten_thousandths_a_gib() -> None:
    assert PRICES.initialized(GIB, 300) == pytest.approx(0.0036)


def test_gp3_for_half_a_day_matches_the_published_example() -> None:
    # 2,000 GB for 12 h at EUR 0.09394 is EUR 3.13133 (aws.eu/ebs/pricing).
    assert Prices(gp3_storage=0.09394).gp3(2000 * GIB, 12 * HOUR) == pytest.approx(3.13133, abs=1e-5)


def test_gp3_charges_only_what_is_above_the_baseline() -> None:
    plain = PRICES.gp3(100 * GIB, MONTH)
    assert PRICES.gp3(100 * GIB, MONTH, iops=2000, throughput=100) == pytest.approx(plain)
    assert PRICES.gp3(100 * GIB, MONTH, iops=4000, throughput=225) == pytest.approx(plain + 5 + 4)


@pytest.mark.parametrize("name", ["archive_storage", "fast_restore", "transfer", "initialization", "gp3_iops"])
def test_no_price_can_be_negative(name: str) -> None:
    with pytest.raises(InvalidRequest, match=name.replace("_", " ")):
        replace(PRICES, **{name: -0.01})  # type: ignore[arg-type] # a name at a time


def test_copy_fees_have_to_be_in_order() -> None:
    with pytest.raises(InvalidRequest, match="not in order"):
        Prices(copy_fees=((HOUR, 0.016), (15 * MINUTE, 0.02)))


@pytest.mark.parametrize(
    ("volume_type", "given", "monthly"),
    [
        ("gp2", {"iops": 300}, 10.0),
        ("gp3", {"iops": 4000, "throughput": 225}, 8 + 5 + 4),
        ("io1", {"iops": 1000}, 12.5 + 65),
        ("io2", {"iops": 1000}, 12.5 + 65),
        ("io2", {"iops": 70_000}, 12.5 + 32_000 * 0.065 + 32_000 * 0.0455 + 6_000 * 0.03185),
        ("st1", {}, 4.5),
        ("sc1", {}, 1.5),
        ("standard", {}, 5.0),
    ],
)
def test_a_volume_costs_by_its_type(volume_type: str, given: dict[str, int], monthly: float) -> None:
    assert PRICES.volume(volume_type, 100 * GIB, MONTH, **given) == pytest.approx(monthly)
    assert PRICES.volume(volume_type, 100 * GIB, MONTH / 2, **given) == pytest.approx(monthly / 2)


def test_a_volume_of_an_unknown_type_has_no_price() -> None:
    with pytest.raises(InvalidRequest, match="volume type 'gp9' has no price; choose one of gp3, gp2, io1"):
        PRICES.volume("gp9", GIB, MONTH)


def test_prices_of_io2_iops_have_to_be_in_order() -> None:
    with pytest.raises(InvalidRequest, match=r"price of io2 iops .* is not in order; give pairs from 0 IOPS"):
        Prices(io2_iops=((32_000, 0.0455), (0, 0.065)))


def test_a_month_in_the_archive_costs_a_quarter() -> None:
    assert PRICES.archived_monthly(100 * GIB) == pytest.approx(PRICES.monthly(100 * GIB) / 4)
