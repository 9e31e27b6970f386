"""Views: each says this run's numbers in one sentence and names its units."""

import pytest

from kit.compute import burst, cold_starts, lambda_cost, purchase, traffic_day, views


@pytest.mark.parametrize("fleet", traffic_day.FLEETS)
def test_a_day_can_be_drawn(fleet):
    day = traffic_day.simulate(fleet=fleet)
    figure = views.traffic_day(day)
    assert f"${day['cost'][-1]:.2f}" in figure.layout.meta["says"] and figure.layout.yaxis.title.text == "servers"


def test_the_title_of_a_day_is_what_happens():
    assert "all day" in views.traffic_day(traffic_day.simulate(fleet="fixed")).layout.title.text
    assert "follow" in views.traffic_day(traffic_day.simulate(fleet="target")).layout.title.text
    assert "Too few" in views.traffic_day(traffic_day.simulate(fleet="step", steep=8, boot=600, target=70)).layout.title.text


@pytest.mark.parametrize("fleet", traffic_day.FLEETS)
def test_a_day_has_few_points_and_loses_no_work_and_no_server(fleet):
    day = traffic_day.simulate(fleet=fleet)
    work, servers = views.traffic_day(day).data
    assert len(work.x) == 288 and sum(work.y) * 5 == pytest.approx(sum(
        many * cpu / 100 for many, cpu in zip(day["capacity"], day["cpu"])))
    there = dict(zip(servers.x, servers.y))
    shown, at = [], None
    for minute in day["minute"]:
        at = there.get(minute / 60, at)
        shown.append(at)
    assert shown == day["capacity"]


def test_a_fleet_that_never_changes_is_one_number_and_one_that_changes_once_does_follow():
    fixed = views.traffic_day(traffic_day.simulate(fleet="fixed"))
    assert fixed.layout.meta["says"].startswith("20 servers are in service all day;")
    scheduled = traffic_day.simulate(fleet="scheduled")
    assert len(set(scheduled["capacity"])) == 2
    assert views.traffic_day(scheduled).layout.title.text == (
        f"Servers follow the traffic, from {min(scheduled['capacity'])} to {max(scheduled['capacity'])}")


def test_a_mark_at_nothing_refused_is_not_cut_by_its_axis():
    figure = views.fleets(traffic_day.compare())
    assert min(y for trace in figure.data for y in trace.y) == 0 and all(trace.cliponaxis is False for trace in figure.data)


def test_fleets_are_compared_by_cost_and_refusals():
    table = traffic_day.compare(steep=8, boot=600, target=70)
    figure = views.fleets(table)
    assert figure.layout.title.text == "The cheapest is step scaling, and it refuses 1.94 %"
    assert views.fleets(traffic_day.compare(steep=1, noise=0)).layout.title.text.endswith("refuses nobody")
    assert len(figure.data) == 5 and "The cheapest is step scaling." in figure.layout.meta["says"]


@pytest.mark.parametrize("options, title", [({}, "run out"), ({"load": 8}, "last"), ({"load": 100, "unlimited": True}, "on credit")])
def test_burst_says_what_becomes_of_the_credits(options, title):
    figure = views.burst(burst.simulate(**options))
    assert title in figure.layout.title.text and "credits" in figure.layout.meta["says"]


def test_the_crossing_point_is_where_the_discount_says():
    assert "Above 440 hours a month" in views.purchase(purchase.compare(discount=0.4)).layout.meta["says"]
    assert "never dearer" in views.purchase(purchase.compare(discount=0.0)).layout.meta["says"]
    assert "440 hours" in views.purchase(purchase.compare(discount=0.4)).layout.title.text
    assert views.purchase(purchase.compare(discount=0.0)).layout.title.text == "No promise pays here"


def test_cold_starts_are_counted_in_words():
    run = cold_starts.simulate(rate=5, duration=1, limit=3, seconds=60)
    figure = views.cold_starts(run)
    assert f"{run.throttled} were refused" in figure.layout.meta["says"] and "refused" in figure.layout.title.text
    assert "warm" in views.cold_starts(cold_starts.simulate(rate=2, provisioned=9, seconds=60)).layout.title.text
    assert views.cold_starts(cold_starts.simulate(rate=0)).layout.meta["says"].startswith("Of 0 requests")


@pytest.mark.parametrize("rate", [0, 0.002, 2, 20])
def test_cold_starts_stand_on_the_same_axis_however_few_they_are(rate):
    assert views.cold_starts(cold_starts.simulate(rate=rate, seconds=300)).layout.xaxis.range == (0, 300)


def test_the_memory_curve_names_the_cheapest():
    table = lambda_cost.curve(cpu_seconds=1.5, waiting=0.0)
    assert "128 MB takes" in views.memory_curve(table).layout.meta["says"]
    says = views.memory_curve(lambda_cost.curve(0.0, 1.0)).layout.meta["says"]
    assert says.startswith("Cheapest is 128 MB at") and says.count("128 MB") == 1 and "3,072 MB takes 1.00 s" in says
    assert "only costs more" in views.memory_curve(lambda_cost.curve(0.0, 1.0)).layout.title.text


def test_the_lines_cross_where_the_model_says():
    table = lambda_cost.against_server(0.2, 512, 7.59)
    crossing = lambda_cost.crossing(0.2, 512, 7.59)
    assert f"From about {(crossing // 2e5 + 1) * 0.2:.1f} million" in views.function_or_server(table).layout.meta["says"]
    assert "stays cheaper" in views.function_or_server(lambda_cost.against_server(0.02, 128, 100)).layout.title.text
