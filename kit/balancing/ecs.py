"""How an Amazon ECS service keeps a target group in step with its tasks: dynamic ports, automatic registration.

Several tasks of one service can run on one instance: with host port 0 (bridge network mode) each container gets a
free port of the instance, and the service registers instance and port as a target. A task that no service started
is registered nowhere.

**Simplified** The next free port instead of any; tasks are spread to the instance with the fewest. **Not modelled**
Task definitions, CPU and memory, deployments, awsvpc mode (there each task is a target by its own address).

Read 2026-11-23: Amazon ECS developer guide, "Use load balancing to distribute Amazon ECS service traffic"; ECS API
reference, PortMapping (hostPort).
"""

from kit.balancing.targets import TargetGroup

FIRST_EPHEMERAL_PORT = 32768  # Linux: the lower end of ip_local_port_range; below it, ports are not assigned


class Service:
    """A service with a desired count, on container instances, behind a target group."""

    def __init__(self, group: TargetGroup, instances: dict[str, str], host_port: int = 0):
        """instances: id and zone. host_port: 0 is dynamic; a fixed one allows one task an instance."""
        self.group, self.instances, self.host_port = group, dict(instances), host_port
        self.tasks: list[tuple[str, int]] = []  # instance, host port

    def update_service(self, desired_count: int, now: float) -> list[tuple[str, int]]:
        """Start or stop tasks until there are as many as desired; returns them as (instance, port)."""
        if desired_count < 0:
            raise ValueError(f"desired_count={desired_count}: give 0 or more tasks")
        while len(self.tasks) > desired_count:
            instance, port = self.tasks.pop()
            self.group.deregister_targets([{"Id": instance, "Port": port}], now)
        while len(self.tasks) < desired_count:
            place = self._place()
            if place is None:
                raise ValueError(f"no instance has port {self.host_port} free for another task: use host_port=0")
            instance, port = place
            self.tasks.append(place)
            self.group.register_targets([{"Id": instance, "Port": port,
                                          "AvailabilityZone": self.instances[instance]}], now)
        return list(self.tasks)

    def _place(self) -> tuple[str, int] | None:
        used = {instance: {port for other, port in self.tasks if other == instance} for instance in self.instances}
        for instance in sorted(used, key=lambda name: len(used[name])):
            port = self.host_port or next(port for port in range(FIRST_EPHEMERAL_PORT, 61000)
                                          if port not in used[instance])
            if port not in used[instance]:
                return instance, port
        return None
