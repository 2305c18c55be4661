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
