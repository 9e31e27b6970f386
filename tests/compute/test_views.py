"""Views: each says this run's numbers in one sentence and names its units."""

import pytest

from kit.compute import burst, purchase, traffic_day, views


@pytest.mark.parametrize("fleet", traffic_day.FLEETS)
def test_a_day_can_be_drawn(fleet):
    day = traffic_day.simulate(fleet=fleet)
    figure = views.traffic_day(day)
    assert f"${day['cost'][-1]:.2f}" in figure.layout.meta["says"] and figure.layout.yaxis.title.text == "servers"


def test_the_title_of_a_day_is_what_happens():
    assert "all day" in views.traffic_day(traffic_day.simulate(fleet="fixed")).layout.title.text
    assert "follow" in views.traffic_day(traffic_day.simulate(fleet="target")).layout.title.text
    assert "Too few" in views.traffic_day(traffic_day.simulate(fleet="step", steep=8, boot=600, target=70)).layout.title.text


def test_fleets_are_compared_by_cost_and_refusals():
    table = traffic_day.compare(steep=8, boot=600, target=70)
    figure = views.fleets(table)
    assert len(figure.data) == 5 and "The cheapest is step scaling." in figure.layout.meta["says"]


@pytest.mark.parametrize("options, title", [({}, "run out"), ({"load": 8}, "last"), ({"load": 100, "unlimited": True}, "on credit")])
def test_burst_says_what_becomes_of_the_credits(options, title):
    figure = views.burst(burst.simulate(**options))
    assert title in figure.layout.title.text and "credits" in figure.layout.meta["says"]


def test_the_crossing_point_is_where_the_discount_says():
    assert "Above 440 hours a month" in views.purchase(purchase.compare(discount=0.4)).layout.meta["says"]
    assert "never dearer" in views.purchase(purchase.compare(discount=0.0)).layout.meta["says"]
