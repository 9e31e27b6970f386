"""The notes' Windows server, held to AWS's pages on RDP, key pairs, free-tier types and security groups."""

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.ec2 import TYPES, architecture
from kit.compute.windows import FREE_TYPES, can_connect, check_launch


def verdicts(**choices):
    return {step.name: step.verdict for step in check_launch(**choices)}


def test_the_notes_choices_work_with_two_warnings():
    """t2.micro is no free-tier type of an account made since July 2025; RDP from anywhere works, and AWS advises against it (EC2.14)."""
    assert verdicts() == {"name": "fine", "image": "fine", "type": "careful", "key pair": "fine", "network": "careful", "storage": "fine",
                          "number": "fine", "launch": "fine"}
    assert all(step.because for step in check_launch())
    assert verdicts(new_account=False)["type"] == "fine"


def test_given_better_choices_then_nothing_is_left_to_say():
    assert set(verdicts(InstanceType="t3.micro", CidrIp="203.0.113.7/32").values()) == {"fine"}


@pytest.mark.parametrize("step, choice", [
    ("type", {"InstanceType": "t4g.micro"}),  # Arm: free, but not for Windows
    ("type", {"InstanceType": "huge"}),
    ("key pair", {"KeyType": "ed25519"}),  # API: CreateKeyPair
    ("network", {"CidrIp": "everybody"}),
    ("storage", {"VolumeSize": 8}), ("storage", {"VolumeSize": 100_000}),  # API: EbsBlockDevice
    ("number", {"MinCount": 2, "MaxCount": 1}), ("number", {"MinCount": 0})])
def test_given_a_refused_choice_then_the_launch_is_refused_and_names_it(step, choice):
    steps = {one.name: one for one in check_launch(**choice)}
    assert [name for name, one in steps.items() if one.verdict == "refused"] == [step, "launch"]
    assert step in steps["launch"].because


@pytest.mark.parametrize("step, choice", [("key pair", {"KeyType": "none"}), ("network", {"FromPort": 22}), ("image", {"image": "al2023-ami"}),
                                          ("name", {"Name": ""})])
def test_given_an_unwise_choice_then_it_says_so_and_launches(step, choice):
    found = verdicts(InstanceType="t3.micro", **({"CidrIp": "203.0.113.7/32"} | choice))
    assert found[step] == "careful" and found["launch"] == "fine"


@pytest.mark.parametrize("name", TYPES)
def test_free_types_that_run_windows_are_those_on_x86(name):
    """"Free Tier benefits before and after July 15, 2025"; t4g cannot run Windows."""
    wanted = "refused" if architecture(name) == "arm64" else "fine" if name in FREE_TYPES else "careful"
    assert verdicts(InstanceType=name)["type"] == wanted


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_range_lets_in_those_whose_first_bits_are_its_own(address, network, bits):
    """Computed without ipaddress's networks: the first ``bits`` bits agree."""
    rule = f"{ip_address(network)}/{bits}"
    same = address >> (32 - bits) == network >> (32 - bits)
    assert can_connect(str(ip_address(address)), [rule])[0] == same


def test_only_the_open_port_can_be_reached():
    """"Security group rules for different use cases": 3389 is RDP; what is not allowed is dropped."""
    assert can_connect("203.0.113.7") == (True, "0.0.0.0/0 may reach port 3389, and 203.0.113.7 is in it")
    assert not can_connect("203.0.113.7", port=22)[0] and not can_connect("203.0.113.7", rules=[])[0]
