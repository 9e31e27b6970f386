"""Types, credits, quotas: held to the EC2 guides' tables and to what the words of the guide imply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.compute.burst import T2, T3, credits, simulate
from kit.compute.ec2 import TYPES, Type, check_quota, cpu_credits, parse_type
from kit.errors import ServiceError

BURSTABLE = [f"{family}.{size}" for family, sizes in (("t2", T2), ("t3", T3), ("t4g", T3)) for size in sizes]


@pytest.mark.parametrize("name, expected", [
    ("t3.micro", Type("t", 3, (), "micro")), ("m7g.2xlarge", Type("m", 7, ("g",), "2xlarge")), ("c5n.18xlarge", Type("c", 5, ("n",), "18xlarge")),
    ("m7i-flex.large", Type("m", 7, ("i", "flex"), "large")), ("r6id.metal", Type("r", 6, ("i", "d"), "metal")), ("inf2.xlarge", Type("inf", 2, (), "xlarge"))])
def test_a_types_name_is_taken_apart(name, expected):
    """Amazon EC2 Instance Types guide, "Naming conventions"."""
    assert parse_type(name) == expected


@pytest.mark.parametrize("name", ["micro", "t3", "t3.huge", "3t.micro", ""])
def test_what_is_no_type_is_refused(name):
    with pytest.raises(ServiceError, match="InvalidParameterValue"):
        parse_type(name)


@pytest.mark.parametrize("name", BURSTABLE)
def test_the_table_hangs_together(name):
    """"Key concepts": baseline = credits an hour / 60 a vCPU; the most that is saved is what 24 hours bring."""
    row = credits(name)
    assert row.an_hour / 60 / row.vcpus == pytest.approx(row.baseline / 100)
    assert row.most == pytest.approx(24 * row.an_hour)
    assert cpu_credits(name) == (row.vcpus, row.baseline / 100, row.an_hour, row.most)


def test_types_without_credits_have_none():
    with pytest.raises(ServiceError, match="no CPU credits"):
        cpu_credits("m7i.large")


def test_the_guides_example_of_a_t3_micro():
    """"CPU credits and baseline utilization": at its baseline a server neither saves nor spends."""
    table = simulate("t3.micro", load=10, idle=10, hours=24)
    assert max(table["credits"]) == pytest.approx(0, abs=1e-6) and table["cpu"] == pytest.approx([10] * len(table))


def test_given_no_credits_left_then_a_standard_server_falls_to_its_baseline():
    table = simulate("t3.micro", load=100, idle=0, busy_from=2, busy_hours=10, hours=12)
    assert table["cpu"][-2] == pytest.approx(10) and max(table["cpu"]) == 100
    assert sum(got > 99 for got in table["cpu"]) * 5 == pytest.approx(2 * 12 / (2 - 0.2), abs=6)  # minutes: saved / (spent - earned)


def test_given_unlimited_then_it_goes_on_and_pays():
    """"Unlimited mode": $0.05 a vCPU-hour beyond 24 hours' earnings."""
    table = simulate("t3.micro", load=100, idle=100, hours=24, unlimited=True)
    assert set(table["cpu"]) == {100}
    spent_beyond = 24 * 60 * (2 - 0.2) - 288
    assert table["charged"][-1] == pytest.approx(0.05 * spent_beyond / 60, rel=0.01)


@given(st.sampled_from(BURSTABLE), st.floats(0, 100), st.floats(0, 100), st.booleans())
def test_credits_are_neither_made_nor_lost_below_the_limit(name, load, idle, unlimited):
    row, table = credits(name), simulate(name, load=load, idle=idle, hours=6, unlimited=unlimited)
    assert all(0 <= saved <= row.most + 1e-9 for saved in table["credits"]) and all(owed >= 0 for owed in table["surplus"])
    assert all(got <= wanted + 1e-9 for got, wanted in zip(table["cpu"], table["wanted"]))
    assert not any(saved > 1e-9 and owed > 1e-9 for saved, owed in zip(table["credits"], table["surplus"]))
    if not unlimited:
        assert not any(table["surplus"])


def test_a_quota_of_vcpus_is_kept():
    """"Amazon EC2 service quotas"."""
    assert check_quota("t3.micro", 2, 0) == "1 vCPU left"
    with pytest.raises(ServiceError, match="VcpuLimitExceeded"):
        check_quota("m7i.xlarge", 1, 2)
    assert all(vcpus > 0 and gib > 0 for vcpus, gib in TYPES.values())
