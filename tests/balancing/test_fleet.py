"""A fleet held to conservation, to Erlang's C formula, to Pollaczek and Khinchine, and to the power of two choices."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.fleet import ALGORITHMS, OUTCOMES, WORKS, shares, simulate, simulate_zone_failure, summary
from kit.balancing.theory import mean_time_in_system, mean_wait, round_robin_mean_wait, single_server_mean_wait

SERVICE = 0.08


def mean_waited(run):
    return sum(run.requests["wait"]) / len(run.requests)


def test_one_queue_and_many_workers_wait_as_erlang_says():
    run = simulate(rate=40, servers=1, workers=4, duration=3000, seed=2)
    assert mean_waited(run) == pytest.approx(mean_wait(40, 1 / SERVICE, 4), rel=0.10)


def test_taking_turns_waits_as_the_e_n_m_1_queue():
    run = simulate(rate=40, servers=4, duration=3000, seed=3)
    assert mean_waited(run) == pytest.approx(round_robin_mean_wait(40, 1 / SERVICE, 4), rel=0.10)


def test_a_blind_choice_waits_as_one_server_does():
    run = simulate(rate=40, servers=4, algorithm="random", duration=3000, seed=4)
    assert mean_waited(run) == pytest.approx(mean_wait(10, 1 / SERVICE), rel=0.12)


def test_any_work_waits_as_pollaczek_and_khinchine_say():
    run = simulate(rate=8, servers=1, work="mixed", duration=6000, seed=5)
    assert mean_waited(run) == pytest.approx(single_server_mean_wait(8, SERVICE, 10.9 / 1.9 ** 2 * SERVICE ** 2), rel=0.12)


def test_two_random_choices_take_as_long_as_the_supermarket_model_says():
    run = simulate(rate=0.9 * 50 / SERVICE, servers=50, algorithm="power_of_two_choices", duration=200, seed=6)
    latencies = run.requests["latency"]
    assert sum(latencies) / len(latencies) == pytest.approx(SERVICE * mean_time_in_system(0.9, 2), rel=0.10)


STORIES = dict(
    algorithm=st.sampled_from([name for name in ALGORITHMS]), work=st.sampled_from(WORKS), slow=st.sampled_from([0.5, 1.0, 4.0]),
    errors=st.sampled_from([0.0, 0.3]), fail_at=st.none() | st.floats(1, 9), deregister_at=st.none() | st.floats(1, 9),
    recover=st.booleans(), zones=st.integers(1, 3), cross_zone=st.booleans(), delay=st.sampled_from([0, 5]), seed=st.integers(1, 99))


@settings(max_examples=40)
@given(**STORIES)
def test_every_request_ends_exactly_once(algorithm, work, slow, errors, fail_at, deregister_at, recover, zones, cross_zone, delay, seed):
    run = simulate(rate=40, servers=4, duration=10, algorithm=algorithm, work=work, slow=slow, errors=errors, fail_at=fail_at,
                   recover_at=fail_at + 3 if fail_at and recover else None, deregister_at=deregister_at, deregistration_delay=delay,
                   zones=zones, cross_zone=cross_zone, check_interval=5.0, seed=seed)
    numbers = run.requests["request"]
    assert sorted(numbers) == list(range(min(numbers), min(numbers) + len(numbers))) and set(run.requests["outcome"]) <= set(OUTCOMES)
    assert all(latency >= 0 for latency in run.requests["latency"])
    assert run.requests["finished"] == sorted(run.requests["finished"])
    assert sum(value for name, value in summary(run).items() if name in OUTCOMES) == len(numbers) == summary(run)["requests"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_seed_gives_the_same_run_and_every_algorithm_the_same_requests(algorithm):
    run = simulate(algorithm=algorithm, slow=3, seed=9)
    assert run == simulate(algorithm=algorithm, slow=3, seed=9)
    other = simulate(algorithm="round_robin", seed=9)
    assert sorted(run.requests["arrived"]) == sorted(other.requests["arrived"])


def test_a_slow_target_gets_less_only_if_the_balancer_looks_at_the_load():
    turns, least = (shares(simulate(slow=5, algorithm=name)) for name in ("round_robin", "least_outstanding_requests"))
    assert turns["i-4"] == pytest.approx(0.25, abs=0.01) and least["i-4"] < 0.15


def test_the_zone_shares_of_the_guides_example():
    """"How Elastic Load Balancing works": two targets in zone a and eight in zone b, cross-zone off and on."""
    off, on = (shares(simulate(rate=200, servers=(2, 8), zones=2, cross_zone=setting, duration=60)) for setting in (False, True))
    assert off["i-1"] == pytest.approx(0.25, abs=0.02) and off["i-10"] == pytest.approx(0.0625, abs=0.01)
    assert on["i-1"] == pytest.approx(0.10, abs=0.01) and on["i-10"] == pytest.approx(0.10, abs=0.01)


def test_a_crashed_target_refuses_until_health_checks_have_seen_it():
    run = simulate(fail_at=20, check_interval=10)
    refused = [finished for finished, outcome in zip(run.requests["finished"], run.requests["outcome"]) if outcome == "refused"]
    assert refused and min(refused) >= 20 and max(refused) <= 20 + 2 * 10 + 1


def test_errors_that_health_checks_miss_go_on_and_mitigation_lessens_them():
    """"Automatic Target Weights": anomaly mitigation."""
    without, with_ = (simulate(errors=0.8, algorithm="weighted_random", mitigation=on, duration=120) for on in (False, True))
    assert shares(with_)["i-4"] < 0.6 * shares(without)["i-4"]


def test_a_dead_zone_costs_less_with_health_checks_and_dns_than_for_ever():
    run = simulate_zone_failure()
    lost = [arrived for arrived, outcome in zip(run.requests["arrived"], run.requests["outcome"]) if outcome not in ("ok",)]
    assert lost and min(lost) >= 60 - 1 and max(lost) <= 60 + 20 + 60 + 11
    assert any(event == "dns" for event in run.events["event"])


@pytest.mark.parametrize("wrong", [{"algorithm": "luck"}, {"work": "hard"}, {"slow": 0}, {"errors": 2}, {"arrivals": "never"},
                                   {"slow_start": 30, "algorithm": "random"}])
def test_nonsense_is_told_in_words(wrong):
    with pytest.raises(ValueError, match="there are|slow is|slow start goes"):
        simulate(**wrong)
