"""Views: each says this run's numbers in one sentence and names its units; a title never claims what isn't so."""

import pytest

from kit.balancing import theory, views
from kit.balancing.fleet import simulate, simulate_zone_failure

RUNS = [simulate(), simulate(slow=5), simulate(servers=1), simulate(rate=0), simulate(fail_at=10, recover_at=30),
        simulate(slow=5, algorithm="least_outstanding_requests"), simulate_zone_failure(), simulate_zone_failure(cross_zone=False)]


@pytest.mark.parametrize("view", [views.latency, views.queues, views.outcomes])
@pytest.mark.parametrize("run", RUNS)
def test_every_run_can_be_drawn(view, run):
    figure = view(run)
    assert figure.layout.meta["says"].endswith(".") and figure.layout.title.text
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert len(figure.data) <= 5 and all(len(trace.x) <= 600 for trace in figure.data)


def test_titles_are_what_happens():
    assert "slowest requests of all are its own" in views.latency(simulate(slow=5)).layout.title.text
    assert "alike" in views.latency(simulate()).layout.title.text
    assert "outgrows" in views.queues(simulate(slow=5)).layout.title.text
    assert "alike" in views.queues(simulate()).layout.title.text
    assert "Not one" in views.outcomes(simulate()).layout.title.text


def test_outcomes_count_every_request_once():
    run = simulate_zone_failure()
    assert sum(sum(trace.y) for trace in views.outcomes(run).data) == len(run.requests)


def test_comparison_names_the_best():
    runs = {name: simulate(slow=5, algorithm=name) for name in ("round_robin", "least_outstanding_requests")}
    assert "least_outstanding_requests" in views.compare(runs).layout.title.text


def test_theory_says_how_far_the_simulation_is_from_it():
    curve = [(load, theory.mean_wait(load * 50, 12.5, 4)) for load in (0.5, 0.8)]
    figure = views.theory([(0.5, curve[0][1] * 1.1), (0.8, curve[1][1])], curve)
    assert "within 10 % of the theory" in figure.layout.meta["says"]
