"""Durability: the closed form against textbooks and another way to compute it, both simulations against it."""

from math import exp, fsum, inf, isclose, lgamma, log, log1p, prod, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.storage import durability
from kit.storage.durability import (YEAR, Code, by_parity, by_repair, compare, expected_losses, importance, monte_carlo,
                                    nines, years, zones)

RARE = [Code(6, 3, 0.05, 12), Code(6, 3, 0.02, 6), Code(10, 4, 0.05, 24), Code(1, 2, 0.05, 24), Code(4, 2, 0.02, 8),
        Code(17, 3, 0.01, 5), Code(2, 1, 0.001, 1), Code(8, 5, 0.04, 10)]
FREQUENT = [Code(3, 1, 0.5, 720), Code(2, 2, 0.8, 1500), Code(1, 1, 0.6, 400), Code(4, 0, 0.3, 24),
            Code(6, 3, 0.9, 1000)]

codes = st.builds(Code, st.integers(1, 12), st.integers(0, 5), st.floats(0.001, 0.6), st.floats(0.5, 1000))


def uniformized(code, hours):
    """The same probability by another way: the jump chain, step by step, with Poisson weights."""
    rates = [code.rates(lost) for lost in range(code.parity + 1)]
    rate = max(map(sum, rates))
    chance, mean, total = [1.0] + [0.0] * (code.parity + 1), rate * hours, []
    for step in range(int(mean + 12 * sqrt(mean) + 60)):
        total.append(exp(step * log(mean) - mean - lgamma(step + 1)) * chance[-1])
        after = [0.0] * len(chance)
        after[-1] = chance[-1]
        for lost, (fails, repairs) in enumerate(rates):
            after[lost + 1] += chance[lost] * fails / rate
            after[lost] += chance[lost] * (1 - (fails + repairs) / rate)
            if lost:
                after[lost - 1] += chance[lost] * repairs / rate
        chance = after
    return fsum(total)


# ---------------------------------------------------------------------- the closed form


@given(st.integers(1, 20), st.floats(0.001, 0.9))
def test_without_parity_one_failed_disk_is_a_loss(shards, failures):
    assert Code(shards, 0, failures, 24).loss() == pytest.approx(1 - (1 - failures)**shards, rel=1e-9)


@given(st.floats(0.001, 0.6), st.floats(1, 1000))
def test_a_mirror_as_in_the_textbook(failures, repair):
    """Two disks: the mean time to data loss is (3 lambda + mu) / (2 lambda squared)."""
    rate = -log1p(-failures) / YEAR
    expected = (3 * rate + 1 / repair) / (2 * rate * rate) / YEAR
    assert years(Code(1, 1, failures, repair)) == pytest.approx(expected, rel=1e-12)


def test_one_parity_disk_as_in_the_paper_on_raid():
    """Patterson, Gibson and Katz: MTTF squared / (n (n - 1) MTTR), for quick repairs."""
    code = Code(10, 1, 0.02, 1)
    assert years(code) == pytest.approx(1 / code.failure_rate**2 / (11 * 10 * 1) / YEAR, rel=1e-3)


@given(codes)
def test_the_mean_time_to_data_loss_is_that_of_a_birth_death_chain(code):
    """The double sum for the first passage to a state, term by term."""
    rates = [code.rates(lost) for lost in range(code.parity + 1)]
    hours = sum(prod(rates[k][1] / rates[k - 1][0] for k in range(j + 1, i + 1)) / rates[i][0]
                for i in range(code.parity + 1) for j in range(i + 1))
    assert years(code) == pytest.approx(hours / YEAR, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.builds(Code, st.integers(1, 10), st.integers(0, 4), st.floats(0.01, 0.9), st.floats(20, 1500)))
def test_the_loss_in_a_year_by_another_way(code):
    assert code.loss() == pytest.approx(uniformized(code, YEAR), rel=1e-8)


@pytest.mark.parametrize("code", RARE, ids=str)
def test_when_rare_the_loss_in_a_year_is_a_year_over_the_mean_time(code):
    assert code.loss() == pytest.approx(1 / years(code), rel=0.02) and code.loss() < 1e-5


@given(codes)
def test_more_parity_faster_repair_better_disks(code):
    loss = code.loss()
    assert 0 < loss <= 1
    assert Code(code.data, code.parity + 1, code.failures, code.repair).loss() < loss * (1 + 1e-9)
    assert Code(code.data, code.parity, code.failures, code.repair * 2).loss() >= loss * (1 - 1e-9)
    assert Code(code.data, code.parity, code.failures * 1.5, code.repair).loss() > loss
    assert code.loss(years=2) > loss and (code.parity == 0 or code.loss(lost=1) > loss)


def test_missing_shards_at_first():
    code = Code(6, 3, 0.05, 12)
    assert code.loss(lost=4) == 1 and code.loss(lost=3) > code.loss(lost=2) > code.loss(lost=1) > code.loss()
    race = 6 * code.failure_rate / (6 * code.failure_rate + 3 / 12)  # one more failure before any of three repairs
    assert code.loss(lost=3) == pytest.approx(race, rel=0.01)


# ---------------------------------------------------------------------- (a) the honest simulation


@pytest.mark.parametrize("code", FREQUENT, ids=str)
def test_the_honest_simulation_agrees_where_losses_are_frequent(code):
    """Within four standard errors of the closed form; and its own interval is not wide."""
    estimate, loss = monte_carlo(code, trials=20_000, seed=5), code.loss()
    assert abs(estimate.value - loss) < 4 * sqrt(loss * (1 - loss) / 20_000)
    assert estimate.low < estimate.value < estimate.high and estimate.high - estimate.low < 0.02
    assert estimate.losses / estimate.trials == estimate.value


def test_its_interval_covers_the_truth_about_as_often_as_it_says():
    code = Code(3, 1, 0.5, 720)
    covered = sum(one.low <= code.loss() <= one.high for one in (monte_carlo(code, 500, seed) for seed in range(200)))
    assert 180 <= covered <= 198  # 95 % of 200 is 190


def test_a_repair_that_always_takes_the_mean_of_its_time():
    """A mirror by hand: lost if a disk fails within the fixed time after the other. At least the first failure of the
    year may be so followed, and on average there are no more failures than disks times rate times time."""
    code = Code(1, 1, 0.5, 500)
    estimate = monte_carlo(code, 20_000, seed=2, fixed=True)
    followed = 1 - exp(-code.failure_rate * 500)
    first = 1 - exp(-2 * code.failure_rate * (YEAR - 500))
    assert first * followed < estimate.low and estimate.high < 2 * code.failure_rate * YEAR * followed
    assert estimate != monte_carlo(code, 20_000, seed=2)


def test_it_cannot_show_eleven_nines():
    """No loss seen in 5,000 object-years: below 4 / 5,000 is all it says, and that holds eleven nines and three."""
    code = Code(6, 3, 0.05, 12)
    estimate = monte_carlo(code, trials=5000, seed=1)
    assert (estimate.losses, estimate.value, estimate.low) == (0, 0, 0)
    assert code.loss() < 1e-11 < 7e-4 < estimate.high < 8e-4


# ---------------------------------------------------------------------- (c) importance sampling


@pytest.mark.parametrize("code", RARE + FREQUENT[:3], ids=str)
def test_importance_sampling_agrees_with_the_closed_form(code):
    """Down to 1e-17, within its own interval, widened to four standard errors; and the interval is narrow."""
    estimate, loss = importance(code, trials=10_000, seed=11), code.loss()
    error = (estimate.high - estimate.value) / durability.Z
    assert abs(estimate.value - loss) < 4 * error
    assert error < 0.1 * estimate.value and estimate.losses > 500


def test_the_probabilities_reached_are_tiny():
    losses = sorted(code.loss() for code in RARE)
    assert losses[0] < 1e-17 and sum(loss < 1e-11 for loss in losses) >= 3


@pytest.mark.parametrize("code", [RARE[0], RARE[2], RARE[4]], ids=str)
def test_the_interval_of_importance_sampling_covers_the_truth(code):
    covered = sum(one.low <= code.loss() <= one.high for one in (importance(code, 1000, seed) for seed in range(100)))
    assert covered >= 88  # 95 expected; the normal interval of a skewed mean covers a little less


@pytest.mark.parametrize("bias", [0.3, 0.5, 0.7])
def test_any_bias_gives_the_same_mean(bias):
    code = Code(4, 2, 0.05, 24)
    estimate = importance(code, trials=20_000, seed=3, bias=bias)
    assert estimate.value == pytest.approx(code.loss(), rel=0.1)


def test_without_likelihood_ratios_it_would_be_wrong_by_orders_of_magnitude():
    """What the weights are for: the biased paths lose the object in a good part of the trials."""
    code = RARE[0]
    estimate = importance(code, trials=2000, seed=1)
    assert estimate.losses / estimate.trials > 0.05 > 1e9 * estimate.value


# ---------------------------------------------------------------------- for explorers, and what cannot be


def test_ten_million_objects_lose_one_in_ten_thousand_years():
    assert expected_losses(10_000_000) == pytest.approx(1 / 10_000)
    assert expected_losses(1e12) == pytest.approx(10) and expected_losses(100, nines=2) == pytest.approx(1)


def test_nines():
    assert nines(1e-11) == pytest.approx(11) and nines(0.001) == pytest.approx(3) and nines(0) == inf


def test_a_zone_is_survived_only_by_shards_elsewhere():
    """Data protection in Amazon S3: three zones sustain the loss of one, One Zone doesn't."""
    one, three = zones(Code(6, 6, 0.05, 12), count=3, zone_losses=1e-4)
    assert (one["zones"], one["at_once"], one["survives"]) == (1, 12, False)
    assert (three["zones"], three["at_once"], three["survives"]) == (3, 4, True)
    assert one["loss"] == pytest.approx(1e-4) and one["nines"] == pytest.approx(4)
    assert three["loss"] < 1e-8 and one["disks"] == three["disks"]


def test_shards_that_a_zone_takes_are_missing_until_they_are_rebuilt():
    """With as many gone as there is parity, one failure more in the meantime loses the object."""
    code = Code(6, 3, 0.05, 12)
    three = zones(code, count=3, zone_losses=1e-4)["zone"][1]
    hurried = code.loss(lost=3)
    assert hurried < three / 3e-4 < hurried + 6 * 0.05 * 12 / YEAR * 1.5  # or a disk was missing already
    with_two = zones(code, count=2, zone_losses=1e-4)
    assert not with_two["survives"][1] and with_two["zone"][1] == pytest.approx(2e-4)


def test_the_tables_of_the_explorers():
    parity = by_parity(6, 4, 0.05, 12)
    assert parity["parity"] == [0, 1, 2, 3, 4] and parity["shards"][3] == 9 and parity["overhead"][3] == 1.5
    assert parity["nines"] == sorted(parity["nines"]) and parity["loss"][3] == Code(6, 3, 0.05, 12).loss()
    assert parity["years"] == sorted(parity["years"])
    repair = by_repair(Code(6, 3, 0.05), hours=(1, 12, 100))
    assert repair["loss"][1] == parity["loss"][3] and repair["nines"] == sorted(repair["nines"], reverse=True)
    exact, honest, sampled = compare(Code(6, 3, 0.05, 12), trials=3000)
    assert honest["losses"] == 0 and honest["nines"] == inf and honest["low"] <= exact["loss"] <= honest["high"]
    assert isclose(sampled["loss"], exact["loss"], rel_tol=0.25) and sampled["losses"] > 100


def test_the_same_seed_gives_the_same_estimate():
    code = Code(3, 1, 0.5, 720)
    for estimate in (monte_carlo, importance):
        assert estimate(code, 500, seed=4) == estimate(code, 500, seed=4) != estimate(code, 500, seed=5)


@pytest.mark.parametrize("wrong", [dict(data=0), dict(parity=-1), dict(failures=0), dict(failures=1), dict(repair=0)])
def test_what_is_no_code(wrong):
    with pytest.raises(ValueError):
        Code(**wrong)
    with pytest.raises(ValueError):
        importance(Code(), bias=1)
