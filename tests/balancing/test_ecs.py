"""Tasks of a service as targets: Amazon ECS developer guide, "Use load balancing to distribute Amazon ECS service
traffic"; ECS API reference, PortMapping."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.ecs import FIRST_EPHEMERAL_PORT, Service
from kit.balancing.targets import TargetGroup

THREE = {"i-1": "a", "i-2": "b", "i-3": "a"}
FEW = settings(derandomize=True, deadline=None, max_examples=60)


def registered(group, now):
    """(instance, port) of all targets that are not on their way out."""
    return {(one["Target"]["Id"], one["Target"]["Port"])
            for one in group.describe_target_health(now)["TargetHealthDescriptions"]
            if one["TargetHealth"]["State"] != "draining"}


@FEW
@given(st.lists(st.integers(0, 12), max_size=12))
def test_the_target_group_is_in_step_with_the_tasks_after_every_change(counts):
    """However the desired count moves: as many tasks, each at a port of its own, and just these registered."""
    group = TargetGroup()
    service = Service(group, THREE)
    for now, desired in enumerate(counts):
        tasks = service.update_service(desired, now)
        assert len(tasks) == len(set(tasks)) == desired
        assert registered(group, now) == set(tasks)


def test_dynamic_ports_let_tasks_share_an_instance():
    """PortMapping: host port 0 is a port of the ephemeral range, 32768 and up."""
    tasks = Service(TargetGroup(), {"i-1": "a"}).update_service(5, now=0)
    assert {instance for instance, _ in tasks} == {"i-1"}
    assert len({port for _, port in tasks}) == 5 and all(FIRST_EPHEMERAL_PORT <= port <= 60_999 for _, port in tasks)


def test_a_fixed_port_allows_one_task_an_instance():
    """Given three instances and host port 8080, when a fourth task is wanted, then there is no place for it."""
    service = Service(TargetGroup(), THREE, host_port=8080)
    assert sorted(service.update_service(3, now=0)) == [("i-1", 8080), ("i-2", 8080), ("i-3", 8080)]
    with pytest.raises(ValueError, match="port 8080 free"):
        service.update_service(4, now=1)
    assert len(service.tasks) == 3


def test_tasks_are_spread_over_the_instances_and_targets_stand_in_their_zones():
    group = TargetGroup(zones=("a", "b"), cross_zone=False)
    tasks = Service(group, THREE).update_service(6, now=0)
    assert set(Counter(instance for instance, _ in tasks).values()) == {2}
    for instance, port in tasks:
        group.health_check(instance, 200, now=1, port=port)
    assert {target.id for target in group.in_service(1, "b")} == {"i-2"}


def test_a_stopped_task_drains_and_gets_no_new_request():
    group = TargetGroup()
    service = Service(group, THREE)
    for instance, port in service.update_service(3, now=0):
        group.health_check(instance, 200, 0, port=port)
    (left,) = service.update_service(1, now=10)
    assert [(target.id, target.port) for target in group.in_service(10)] == [left]
    states = [one["TargetHealth"]["State"] for one in group.describe_target_health(309)["TargetHealthDescriptions"]]
    assert sorted(states) == ["draining", "draining", "healthy"]
    assert len(group.describe_target_health(310)["TargetHealthDescriptions"]) == 1


def test_a_desired_count_is_not_negative():
    with pytest.raises(ValueError, match="desired_count"):
        Service(TargetGroup(), THREE).update_service(-1, now=0)
