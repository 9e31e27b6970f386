"""Types, quotas and the life of a server: held to the EC2 guides' tables and to what their words imply."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.burst import T2, T3, credits
from kit.compute.ec2 import (FAMILIES, INSTANCE_STORE, OPTIONS, TYPES, USER_DATA, Region, Type, architecture, bucket, check_quota, cpu_credits,
                             parse_type)
from kit.errors import ServiceError

BURSTABLE = [f"{family}.{size}" for family, sizes in (("t2", T2), ("t3", T3), ("t4g", T3)) for size in sizes]


def running(**settings):
    """A server that has booted: it is 30 s."""
    region = Region()
    server = region.run_instances(0, **settings)
    assert server.state(30) == "running"
    return region, server


def refused(code, call, *arguments, **named):
    with pytest.raises(ServiceError) as caught:
        call(*arguments, **named)
    assert caught.value.code == code
    return caught.value.message


# types

@pytest.mark.parametrize("name, expected", [
    ("t3.micro", Type("t", 3, (), "micro")), ("m7g.2xlarge", Type("m", 7, ("g",), "2xlarge")), ("c5n.18xlarge", Type("c", 5, ("n",), "18xlarge")),
    ("m7i-flex.large", Type("m", 7, ("i", "flex"), "large")), ("r6id.metal", Type("r", 6, ("i", "d"), "metal")), ("inf2.xlarge", Type("inf", 2, (), "xlarge")),
    ("m8g.metal-24xl", Type("m", 8, ("g",), "metal-24xl"))])
def test_a_types_name_is_taken_apart(name, expected):
    """Amazon EC2 Instance Types guide, "Naming conventions"."""
    assert parse_type(name) == expected


@pytest.mark.parametrize("name", ["micro", "t3", "t3.huge", "3t.micro", ""])
def test_what_is_no_type_is_refused(name):
    assert "like m7g.2xlarge" in refused("InvalidParameterValue", parse_type, name)


@pytest.mark.parametrize("name", TYPES)
def test_the_table_and_the_names_agree(name):
    """Each part of each name has a meaning; "d" means instance store volumes; Graviton types are arm64 ("Naming conventions")."""
    kind = parse_type(name)
    assert kind.family in FAMILIES and set(kind.options) <= set(OPTIONS) and all(number > 0 for number in TYPES[name])
    assert "d" not in kind.options or name in INSTANCE_STORE
    assert architecture(name) == ("arm64" if name[:3] in ("t4g", "m7g", "c6g", "c7g", "r7g") else "x86_64")


@pytest.mark.parametrize("name", BURSTABLE)
def test_the_credit_table_hangs_together(name):
    """"Key concepts": baseline = credits an hour / 60 a vCPU; the most that is saved is what 24 hours bring."""
    row = credits(name)
    assert row.an_hour / 60 / row.vcpus == pytest.approx(row.baseline / 100) and row.most == pytest.approx(24 * row.an_hour)
    assert cpu_credits(name) == (row.vcpus, row.baseline / 100, row.an_hour, row.most)
    assert name not in TYPES or TYPES[name][0] == row.vcpus


def test_types_without_credits_have_none():
    assert "no CPU credits" in refused("InvalidParameterValue", cpu_credits, "m7i.large")


def test_a_quota_of_vcpus_is_kept():
    """"Amazon EC2 service quotas"."""
    assert check_quota("t3.micro", 2, 0) == "1 vCPU left"
    refused("VcpuLimitExceeded", check_quota, "m7i.xlarge", 1, 2)
    assert "limit of 0 " in refused("VcpuLimitExceeded", check_quota, "g5.xlarge", 1, 0)  # another bucket, none in a new account
    assert [bucket(kind) for kind in ("t3.micro", "g4dn.xlarge", "trn1.2xlarge", "x2idn.16xlarge")] == ["Standard", "G and VT", "Trn", "X"]


# states: "Amazon EC2 instance state changes"

def test_a_server_passes_through_its_states_in_time():
    _, server = running()
    assert server.stop(100) == "stopping" and server.state(159) == "stopping" and server.state(160) == "stopped"
    assert server.start(200) == "pending" and server.state(229) == "pending" and server.state(230) == "running"
    assert server.terminate(300) == "shutting-down" and server.state(360) == "terminated"
    assert server.log["time"] == [0, 30, 100, 160, 200, 230, 300, 360]


def test_what_a_state_does_not_allow_is_refused():
    """"Error codes for the Amazon EC2 API": IncorrectInstanceState."""
    server = Region().run_instances(0)
    assert "never reached the 'running' state" in refused("IncorrectInstanceState", server.stop, 10)
    server.stop(40)
    for call in (server.start, server.reboot):
        assert "It is stopping." in refused("IncorrectInstanceState", call, 50)
    server.terminate(60)
    for call in (server.start, server.stop, server.reboot):
        refused("IncorrectInstanceState", call, 70)
    assert server.state(500) == "terminated"
    for call in (server.start, server.stop):
        refused("IncorrectInstanceState", call, 500)


def test_calls_that_change_nothing_are_no_errors():
    """API: TerminateInstances is idempotent; RebootInstances ignores terminated instances."""
    _, server = running()
    assert server.start(31) == "running"
    server.stop(40)
    assert server.stop(41) == "stopping" and server.stop(200) == "stopped"
    server.terminate(210)
    assert server.terminate(211) == "shutting-down" and server.terminate(400) == server.reboot(400) == "terminated"


def test_termination_protection_protects_from_the_api_and_not_from_inside():
    """"Change instance termination protection"."""
    _, server = running(DisableApiTermination=True, InstanceInitiatedShutdownBehavior="terminate")
    assert "'disableApiTermination'" in refused("OperationNotPermitted", server.terminate, 40)
    assert server.state(41) == "running" and server.shutdown(42) == "shutting-down"


def test_stop_protection_forbids_to_stop_and_to_terminate():
    _, server = running(DisableApiStop=True)
    for call in (server.stop, server.terminate):
        assert "'disableApiStop'" in refused("OperationNotPermitted", call, 40)
    assert server.shutdown(50) == "stopping"  # stop is the default from inside


def test_an_instance_store_root_cannot_be_stopped():
    _, server = running(root="instance-store", InstanceType="m5d.large")
    refused("UnsupportedOperation", server.stop, 40)
    assert server.shutdown(50) == "shutting-down"  # "always terminate an instance store-backed instance"


# what survives: the table "Differences between reboot, stop, hibernate, and terminate"

@pytest.mark.parametrize("how, root, memory, store, public, host", [
    ("reboot", True, False, True, True, True), ("stop", True, False, False, False, False), ("hibernate", True, True, False, False, False)])
def test_what_survives(how, root, memory, store, public, host):
    _, server = running(InstanceType="m5d.large", hibernation=True)
    for place in server.data.values():
        place["note"] = "mine"
    before, private, machine = server.public_ip, server.private_ip, server.host
    getattr(server, how)(100)
    if how != "reboot":
        assert server.state(200) == "stopped" and server.public_ip is None
        server.start(300)
    assert server.state(400) == "running"
    assert ("note" in server.data["root"], "note" in server.data["memory"], "note" in server.data["store"]) == (root, memory, store)
    assert (server.public_ip == before, server.host == machine, server.private_ip == private) == (public, host, True)


def test_an_elastic_ip_stays_until_the_end():
    _, server = running()
    server.associate_address(40, "203.0.113.9")
    server.stop(50)
    assert server.public_ip == "203.0.113.9"
    server.start(200)
    assert server.state(300) == "running" and server.public_ip == "203.0.113.9"
    server.terminate(400)
    assert server.public_ip is None and server.elastic_ip is None


@pytest.mark.parametrize("deletes, left", [(True, {}), (False, {"note": "mine"})])
def test_the_root_disk_goes_at_the_end_unless_told_otherwise(deletes, left):
    """DeleteOnTermination: by default the root volume is deleted."""
    _, server = running(DeleteOnTermination=deletes)
    server.data["root"]["note"] = "mine"
    server.terminate(100)
    assert server.data["root"] == left


def test_hibernation_has_to_be_asked_for_at_launch():
    _, server = running()
    refused("UnsupportedHibernationConfiguration", server.hibernate, 40)


def test_user_data_runs_once():
    """"Run commands at launch using instance user data": by default only at the first boot."""
    region, server = running(UserData="#!/bin/sh\necho hello")
    assert server.user_data_runs == 1
    server.stop(100), server.start(200)
    assert server.state(300) == "running" and server.user_data_runs == 1
    refused("InvalidParameterValue", region.run_instances, 300, UserData="x" * (USER_DATA + 1))


# money

def test_only_running_is_billed_and_at_least_a_minute_each_start():
    """"Amazon EC2 instance state changes": pending, stopping and stopped are not billed."""
    _, server = running()
    assert server.billed_seconds(30) == 60 and server.billed_seconds(130) == 100
    server.stop(230)
    assert server.billed_seconds(5000) == 200
    server.start(6000)
    assert server.state(6029) == "pending" and server.billed_seconds(6029) == 200 and server.billed_seconds(6031) == 260
    server.reboot(6100)
    assert server.billed_seconds(6130) == 300  # a reboot begins no new minute
    server.terminate(6230)
    assert server.billed_seconds(9999) == 400


def test_hibernating_is_billed_until_it_has_stopped():
    _, server = running(hibernation=True)
    server.hibernate(130)
    assert server.billed_seconds(160) == 130 and server.billed_seconds(9999) == 160


# status checks: "Status checks for Amazon EC2 instances"

def test_status_checks_begin_and_pass():
    _, server = running()
    assert server.status(40) == ("initializing", "initializing") and server.status(200) == ("ok", "ok")
    server.stop(210)
    assert server.status(220) == ("not-applicable", "not-applicable")


def test_a_failed_host_fails_both_checks_and_a_stop_and_start_leaves_it():
    _, server = running()
    server.fail(200, "system")
    assert server.status(201) == ("impaired", "impaired")
    server.reboot(210)
    assert server.status(211)[0] == "impaired"
    server.stop(220), server.start(300)
    assert server.status(500) == ("ok", "ok")


def test_a_fault_inside_is_mended_by_a_reboot_and_not_by_recovery():
    _, server = running()
    server.fail(200, "instance")
    assert server.status(201) == ("ok", "impaired") and not server.recover(202)
    server.reboot(210)
    assert server.status(211) == ("ok", "ok")


def test_recovery_moves_to_another_host_with_the_same_id_and_addresses():
    _, server = running()
    server.data["memory"]["note"] = server.data["root"]["note"] = "mine"
    before = server.id, server.private_ip, server.public_ip
    server.fail(200, "system")
    assert server.recover(210) and server.status(211) == ("ok", "ok") and server.host == 2
    assert (server.id, server.private_ip, server.public_ip) == before
    assert server.data["root"] == {"note": "mine"} and server.data["memory"] == {}
    _, other = running(InstanceType="m5d.large")
    other.fail(200, "system")
    assert not other.recover(210)


def test_a_zone_that_fails_can_only_come_back_by_itself():
    """"Amazon EC2 instance recovery": another host of the same zone takes over, and there is none."""
    _, server = running()
    server.fail(200, "zone")
    assert server.status(201) == ("impaired", "impaired") and not server.recover(202)
    server.stop(210), server.start(300)
    assert server.status(500) == ("impaired", "impaired")
    server.mend(510, "zone")
    assert server.status(511) == ("ok", "ok")


def test_asking_whether_it_may_changes_nothing():
    """What is refused is what the orders refuse, and the server is as it was."""
    _, server = running()
    for order in ("start", "stop", "reboot", "terminate", "image"):
        server.check(40, order)
    assert server.state(50) == "running" and server.due is None
    server.stop(60)
    assert server.due == 120 and "imaged" in refused("IncorrectInstanceState", server.check, 70, "image")


# images and keys

def test_an_image_belongs_to_one_region_until_it_is_copied():
    """"Error codes": InvalidAMIID.NotFound "ensure that you specify the Region in which the AMI is located"; API: CopyImage."""
    here, there = Region("us-east-1"), Region("eu-central-1")
    server = here.run_instances(0)
    refused("IncorrectInstanceState", here.create_image, 10, server, "too early")
    server.data["root"]["site"] = "v1"
    image = here.create_image(40, server, "site")
    refused("InvalidAMIID.NotFound", there.run_instances, 50, ImageId=image.id)
    copy = there.copy_image(here, image.id, "site")
    here.deregister_image(image.id)
    refused("InvalidAMIID.Unavailable", here.run_instances, 60, ImageId=image.id)
    assert server.state(70) == "running"  # those launched go on
    assert there.run_instances(80, ImageId=copy.id).data["root"] == {"site": "v1"} and copy.id != image.id


def test_an_image_keeps_what_was_on_the_disk_then():
    region, server = running()
    server.data["root"]["site"] = "v1"
    image = region.create_image(40, server, "site")
    server.data["root"]["site"] = "v2"
    twin = region.run_instances(50, ImageId=image.id)
    twin.data["root"]["log"] = "x"
    assert region.run_instances(60, ImageId=image.id).data["root"] == {"site": "v1"}


def test_an_image_for_one_processor_does_not_run_on_the_other():
    assert "'arm64'" in refused("InvalidParameterValue", Region().run_instances, 0, InstanceType="t4g.micro")


def test_the_private_key_is_shown_once():
    """API: CreateKeyPair: AWS stores the public key and displays the private key; a name can't be used twice."""
    region = Region()
    key = region.create_key_pair("mine")
    assert key.material and not region.keys["mine"].material and region.keys["mine"].fingerprint == key.fingerprint
    assert key.material not in repr(key)
    refused("InvalidKeyPair.Duplicate", region.create_key_pair, "mine")
    refused("InvalidKeyPair.NotFound", Region("eu-central-1").run_instances, 0, KeyName="mine")
    refused("InvalidParameterValue", region.create_key_pair, "other", KeyType="dsa")
    region.delete_key_pair("mine"), region.delete_key_pair("mine")
    assert region.create_key_pair("mine").material != key.material


def test_time_runs_forward_only():
    _, server = running()
    with pytest.raises(ValueError, match="only runs forward"):
        server.stop(10)


MOVES = {"pending": {"running", "shutting-down"}, "running": {"running", "stopping", "shutting-down"}, "stopping": {"stopped", "shutting-down"},
         "stopped": {"pending", "shutting-down"}, "shutting-down": {"terminated"}, "terminated": set()}


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(["start", "stop", "hibernate", "reboot", "terminate", "shutdown", "recover"]), st.integers(0, 90)), max_size=25))
def test_whatever_is_called_states_follow_the_guides_picture(story):
    """The figure of "Amazon EC2 instance state changes"; nothing is billed beyond the time since the launch and a minute a start."""
    now, server = 0, Region().run_instances(0, hibernation=True)
    for call, wait in story:
        now += wait
        try:
            getattr(server, call)(now)
        except ServiceError as error:
            assert error.code == "IncorrectInstanceState"
        except ValueError:
            assert call == "shutdown" and server.state(now) != "running"
    states = server.log["state"]
    assert all(after in MOVES[before] for before, after in zip(states, states[1:])) and server.log["time"] == sorted(server.log["time"])
    starts = sum(before == "pending" and after == "running" for before, after in zip(states, states[1:]))
    assert server.billed_seconds(now) <= now + 60 * starts
    assert (server.public_ip is not None) == (server.state(now) == "running")
