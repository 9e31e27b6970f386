"""Ways to pay: "Amazon EC2 billing and purchasing options"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.compute.purchase import MONTH, break_even, compare, cost, spot_day


@given(st.floats(0.05, 0.9), st.floats(0.01, 5))
def test_a_promise_pays_above_the_break_even(discount, price):
    at = break_even(discount=discount) * MONTH
    promise = cost("savings plan", 0, price, discount)
    assert cost("on-demand", at, price) == pytest.approx(promise)
    assert cost("on-demand", max(0, at - 1), price) < promise + 1e-9
    assert promise == cost("savings plan", MONTH, price, discount)  # paid whether it is used or not


def test_what_is_not_used_costs_nothing_on_demand():
    assert cost("on-demand", 0) == cost("spot", 0) == 0 < cost("savings plan", 0)
    assert len(compare()) == 74 and compare()["hours"][-1] == MONTH


@pytest.mark.parametrize("wrong", [("free", 1), ("spot", -1), ("spot", 800)])
def test_nonsense_is_refused_in_words(wrong):
    with pytest.raises(ValueError, match="there are|a month has"):
        cost(*wrong)


def test_an_interrupted_job_goes_on_from_what_it_saved():
    often, never = spot_day(bid=0.036, checkpoint=0.25), spot_day(bid=0.036, checkpoint=24)
    assert often["done"][-1] == pytest.approx(8) and often["lost"][-1] < never["lost"][-1]
    assert spot_day(bid=10)["lost"][-1] == 0 and len(spot_day(bid=10)) == 96  # eight hours, without a break
    assert spot_day(seed=3) == spot_day(seed=3)
