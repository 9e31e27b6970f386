"""CPU credits: "Key concepts for burstable performance instances", "Unlimited mode concepts", "Standard mode concepts"."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.burst import T2, T3, break_even, credits, simulate

BURSTABLE = [f"{family}.{size}" for family, sizes in (("t2", T2), ("t3", T3), ("t3a", T3), ("t4g", T3)) for size in sizes]


def test_given_a_server_at_its_baseline_then_it_neither_saves_nor_spends():
    """"Key concepts", "CPU credits and baseline utilization"."""
    table = simulate("t3.micro", load=10, idle=10, hours=24)
    assert max(table["credits"]) == pytest.approx(0, abs=1e-6) and table["cpu"] == pytest.approx([10] * len(table))


@pytest.mark.parametrize("name", ["t3.nano", "t3.micro", "t4g.large"])
def test_given_an_idle_day_then_it_has_saved_the_most(name):
    """"Key concepts": the most that is saved is what 24 hours bring; what comes after is lost."""
    table = simulate(name, load=0, idle=0, hours=30)
    assert max(table["credits"]) == table["credits"][-1] == pytest.approx(credits(name).most)
    assert table["credits"][12] == pytest.approx(credits(name).an_hour, rel=0.02)  # after an hour


def test_given_no_credits_left_then_a_standard_server_falls_to_its_baseline():
    table = simulate("t3.micro", load=100, idle=0, busy_from=2, busy_hours=10, hours=12)
    assert table["cpu"][-2] == pytest.approx(10) and max(table["cpu"]) == 100
    assert sum(got > 99 for got in table["cpu"]) * 5 == pytest.approx(2 * 12 / (2 - 0.2), abs=6)  # minutes: saved / (spent - earned)


def test_given_unlimited_then_it_goes_on_and_pays():
    """"Unlimited mode concepts": what exceeds 24 hours' earnings is charged at $0.05 a vCPU-hour."""
    table = simulate("t3.micro", load=100, idle=100, hours=24, unlimited=True)
    assert set(table["cpu"]) == {100}
    spent_beyond = 24 * 60 * (2 - 0.2) - 288
    assert table["charged"][-1] == pytest.approx(0.05 * spent_beyond / 60, rel=0.01)


def test_given_the_server_ends_then_what_it_owes_is_charged_too():
    """"Unlimited mode concepts": surplus credits are charged when the instance is stopped or terminated."""
    owing, ended = (simulate("t3.micro", load=100, idle=100, hours=1, unlimited=True, ends=ends) for ends in (False, True))
    assert owing["charged"][-1] == 0 < owing["surplus"][-1] and ended["surplus"][-1] == 0
    assert ended["charged"][-1] == pytest.approx(0.05 * owing["surplus"][-1] / 60)


def test_given_forty_per_cent_a_whole_day_then_ten_are_charged():
    """"Unlimited mode concepts": a t3.large (baseline 30 %) at 40 % on average pays for the additional 10 %."""
    table = simulate("t3.large", load=40, idle=40, hours=24, unlimited=True, ends=True)
    assert table["charged"][-1] == pytest.approx(0.10 * 2 * 24 * 0.05, rel=0.01)
    assert simulate("t3.large", load=30, idle=30, hours=24, unlimited=True, ends=True)["charged"][-1] == pytest.approx(0, abs=1e-9)


def test_launch_credits_stand_above_the_limit_and_are_spent_first():
    """"Standard mode concepts": an idle t2.micro reaches 174 = 30 + 144; once the 30 are spent, it can't exceed 144."""
    assert max(simulate("t2.micro", load=0, idle=0, hours=25)["credits"]) == pytest.approx(174)
    table = simulate("t2.micro", load=100, idle=0, busy_from=23, busy_hours=1, hours=46)  # the hour of work spends all 30
    assert table["credits"][23 * 12] == pytest.approx(30 + 138, abs=2) and max(table["credits"][24 * 12:]) == pytest.approx(144)


@pytest.mark.parametrize("name, expected", [("t2.micro", 30), ("t2.large", 60), ("t2.xlarge", 120), ("t2.2xlarge", 240), ("t3.micro", 0), ("t4g.micro", 0)])
def test_launch_credits_are_thirty_a_vcpu_on_t2_only(name, expected):
    """The table of "Standard mode concepts"; "T3 and T4g instances never receive launch credits"."""
    assert simulate(name, load=0, idle=0, hours=0)["credits"][0] == pytest.approx(expected + credits(name).an_hour / 60)
    assert simulate(name, load=0, idle=0, hours=0, unlimited=True)["credits"][0] == pytest.approx(credits(name).an_hour / 60)


def test_the_guides_break_even():
    """"Unlimited mode concepts": at 42.5 % a t3.large costs as much as an m5.large, $0.0835 and $0.096 an hour."""
    assert break_even("t3.large", 0.0835, 0.096) == pytest.approx(42.5)
    day = simulate("t3.large", load=42.5, idle=42.5, hours=24, unlimited=True, ends=True)["charged"][-1]
    assert 24 * 0.0835 + day == pytest.approx(24 * 0.096, rel=0.001)


def test_arm_pays_less_for_its_surplus():
    mine, other = (simulate(name, load=100, idle=100, hours=24, unlimited=True)["charged"][-1] for name in ("t4g.micro", "t3.micro"))
    assert mine == pytest.approx(0.8 * other)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.sampled_from(BURSTABLE), st.floats(0, 100), st.floats(0, 100), st.booleans(), st.floats(0, 1), st.integers(1, 5))
def test_credits_are_neither_made_nor_lost_below_the_limit(name, load, idle, unlimited, varies, seed):
    row, table = credits(name), simulate(name, load=load, idle=idle, hours=6, unlimited=unlimited, varies=varies, seed=seed)
    most = row.most + (30 * row.vcpus if name.startswith("t2") and not unlimited else 0)
    assert all(0 <= saved <= most + 1e-9 for saved in table["credits"]) and all(0 <= owed <= row.most for owed in table["surplus"])
    assert all(got <= wanted + 1e-9 for got, wanted in zip(table["cpu"], table["wanted"]))
    assert not any(saved > 1e-9 and owed > 1e-9 for saved, owed in zip(table["credits"], table["surplus"]))
    if not unlimited:
        assert not any(table["surplus"]) and not any(table["charged"])


def test_the_same_seed_gives_the_same_day_and_another_another():
    assert simulate(varies=0.5, seed=3) == simulate(varies=0.5, seed=3) != simulate(varies=0.5, seed=4)


@pytest.mark.parametrize("wrong", [{"load": 101}, {"idle": -1}, {"varies": 2}])
def test_nonsense_is_refused_in_words(wrong):
    with pytest.raises(ValueError, match="give loads"):
        simulate(**wrong)
