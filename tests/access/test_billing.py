import pytest

from snapkit.access import BillingCode, Quota, State, Verdict, charge, check_charge
from snapkit.errors import InvalidRequest

CODE = BillingCode("CC-42", Quota(soft=100, hard=120))


@pytest.mark.parametrize(
    ("run_rate", "extra", "verdict", "before", "after"),
    [
        (0, 0, Verdict.ALLOWED, State.NORMAL, State.NORMAL),
        (100, 0, Verdict.ALLOWED, State.NORMAL, State.NORMAL),
        (99, 2, Verdict.WARNING, State.NORMAL, State.SOFT_ALARM),
        (110, 10, Verdict.WARNING, State.SOFT_ALARM, State.SOFT_ALARM),
        (110, 10.01, Verdict.REFUSED, State.SOFT_ALARM, State.HARD_ALARM),
        (121, 0, Verdict.REFUSED, State.HARD_ALARM, State.HARD_ALARM),
    ],
)
def test_quotas_compare_the_run_rate_with_what_is_new(
    run_rate: float, extra: float, verdict: Verdict, before: State, after: State
) -> None:
    checked = check_charge(CODE, run_rate, extra)
    assert (checked.verdict, checked.before, checked.after) == (verdict, before, after)


def test_nothing_new_is_charged_above_the_hard_quota() -> None:
    with pytest.raises(InvalidRequest, match=r"'CC-42' would run at \$125.00 a month, above its hard quota of \$120"):
        charge(CODE, 115, 10)
    assert str(charge(CODE, 100, 10)) == "CC-42 would run at $110.00 a month, above its soft quota of $100.00"


def test_a_code_without_quotas_never_alarms() -> None:
    assert check_charge(BillingCode("CC-1"), 1e9).verdict is Verdict.ALLOWED


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf"), "12", True])
def test_an_amount_that_cannot_be_is_refused(amount: float) -> None:
    with pytest.raises(InvalidRequest, match="is no amount"):
        Quota(soft=amount)
    with pytest.raises(InvalidRequest, match="is no amount"):
        check_charge(CODE, amount)


def test_a_soft_quota_above_the_hard_one_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"soft quota 130 is above the hard quota of 120; exchange them"):
        Quota(soft=130, hard=120)


@pytest.mark.parametrize(
    ("run_rate", "extra", "verdict", "reason"),
    [
        ((60, 90), (0, 10), Verdict.ALLOWED, "CC-42 would run at $60.00 to $100.00 a month"),
        (
            (60, 110), (0, 0), Verdict.WARNING,
            "CC-42 would run at $60.00 to $110.00 a month, which may be above its soft quota of $100.00",
        ),
        (
            (60, 800), (0, 0), Verdict.WARNING,
            "CC-42 would run at $60.00 to $800.00 a month, which may be above its hard quota of $120.00",
        ),
        (
            (101, 800), (0, 0), Verdict.WARNING,
            "CC-42 would run at $101.00 to $800.00 a month, above its soft quota of $100.00",
        ),
        (
            (110, 800), (11, 11), Verdict.REFUSED,
            "CC-42 would run at $121.00 to $811.00 a month, above its hard quota of $120.00",
        ),
    ],
)  # fmt: skip
def test_of_a_band_the_low_side_refuses_and_the_high_side_warns(
    run_rate: tuple[float, float], extra: tuple[float, float], verdict: Verdict, reason: str
) -> None:
    checked = check_charge(CODE, run_rate, extra)
    assert (checked.verdict, checked.reason) == (verdict, reason)


def test_a_hard_quota_alone_warns_where_it_may_be_passed() -> None:
    hard = BillingCode("CC-1", Quota(hard=50))
    assert check_charge(hard, (10, 60)).verdict is Verdict.WARNING
    assert check_charge(hard, (10, 50)).verdict is Verdict.ALLOWED
    assert hard.quota.state((51, 60)) is State.HARD_ALARM
    assert Quota(soft=50).state((10, 60)) is State.SOFT_ALARM


def test_a_band_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"run rate \(2, 1\) is no band; give the least first, then the most"):
        check_charge(CODE, (2, 1))
    with pytest.raises(InvalidRequest, match="extra -1 is no amount"):
        check_charge(CODE, 0, (-1, 1))
