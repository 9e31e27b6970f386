"""Servers in the sandbox take their time: they boot, stop and end as on AWS, work at the load they are given, and cost.

Every instance passes through its states, whoever launches it (boto3, an Auto Scaling group, CloudFormation): moto's
own instances are told when. CloudWatch gets CPUUtilization, each minute with detailed monitoring and each five minutes
without, and the status checks. The bill gets the hours that instances run, their disks and their public addresses.

Amazon EC2 User Guide, "Amazon EC2 instance state changes", read 2026-11-23. Amazon CloudWatch metrics for EC2: "List
the available CloudWatch metrics for your instances".
"""

from kit.compute.load import Load
from kit.errors import ServiceError
from kit.sim import Steps

BOOT, STOP, END = 30, 60, 60  # s from pending to running, stopping to stopped, shutting-down to terminated
CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
PUBLIC_ADDRESS = "ec2:public-ipv4"


def live(life) -> None:
    servers = Servers(life)
    life.state["ec2"] = servers
    from moto.ec2.models.instances import Instance
    from moto.ec2.models.elastic_block_store import EBSBackend
    from moto.ec2.models.instances import InstanceBackend
    life.patch(Instance, "__init__", servers.launched)
    life.before("ec2", "RunInstances", servers.asked)
    life.before("ec2", "DescribeSnapshots", servers.asked)
    life.patch(InstanceBackend, "run_instances", servers.launch)
    life.patch(EBSBackend, "describe_snapshots", servers.snapshots)
    life.patch(Instance, "start", servers.started)
    life.patch(Instance, "stop", servers.stopped)
    life.patch(Instance, "terminate", servers.terminated)
    for operation, done, *allowed in (("StartInstances", "started", "stopped", "running"),
                                      ("StopInstances", "stopped", "running", "stopped"),
                                      ("RebootInstances", "rebooted", "running")):
        life.before("ec2", operation, lambda call, allowed=allowed, done=done: servers.check(call, allowed, done))
    life.answer("ec2", "DescribeInstanceStatus", servers.status)
    life.receive("arn:aws:automate:", servers.automate)
    life.commands |= {"set_load": servers.set_load, "fail_zone": servers.fail_zone, "mend_zone": servers.mend_zone,
                      "fail_server": servers.fail_server, "mend_server": servers.mend_server}
    life.quotes["ec2", "RunInstances"] = servers.quote


class Servers:
    """All instances of a sandbox, of every region. ``groups``: see the lab of Auto Scaling."""

    def __init__(self, life):
        self.life = life
        self.loads: dict[str, Load] = {}
        self.ran: dict[str, Steps] = {}  # id -> 1 while it runs
        self.members: dict[str, object] = {}  # id -> function(now) that says which part of a group's load it has
        self.load_takers = {}  # name of a group -> function(amount)
        self.work = []  # functions(id, now) of others that say which part of its time an instance works for them
        self.on_state = []  # functions(instance, state) of others who want to know
        self.on_zone = []  # functions(zone, down) likewise
        self.on_program = []  # functions(id) when an instance's program fails or is well again
        self.dark = set()  # zones that have failed
        self.failing = set()  # ids of instances whose program answers with errors
        self._tickets = {}
        self._asked = {}

    # what moto passes over

    def asked(self, call):
        self._asked = call.parameters

    def launch(self, before, backend, image_id, count, *arguments, **named):
        """As many as there is room for, up to MaxCount; moto launches MinCount."""
        most, self._asked = self._asked.get("MaxCount", count), {}
        return before(backend, image_id, max(count, most), *arguments, **named)

    def snapshots(self, before, backend, *arguments, **named):
        """Those of the owners that were asked for; moto shows AWS's own too."""
        owners, self._asked = self._asked.get("OwnerIds", []), {}
        owners = [backend.account_id if owner == "self" else owner for owner in owners]
        return [one for one in before(backend, *arguments, **named) if not owners or one.owner_id in owners]

    # what moto does, and when

    def launched(self, before, instance, *arguments, **named):
        before(instance, *arguments, **named)
        template = named.get("launch_template")
        data = instance.ec2_backend._get_template_from_args(template).data if template else {}
        if data.get("Monitoring", {}).get("Enabled") in (True, "true"):  # moto passes over it
            instance.monitoring_state = "enabled"
        self._become(instance, "pending", BOOT, "running", "it has booted")

    def started(self, before, instance):
        previous = before(instance)
        if previous.name != "running":
            self._become(instance, "pending", BOOT, "running", "it has booted")
        return previous

    def stopped(self, before, instance):
        previous = before(instance)
        if previous.name != "stopped":
            self._become(instance, "stopping", STOP, "stopped", "it was told to stop")
        return previous

    def terminated(self, before, instance):
        previous = before(instance)
        if previous.name != "terminated":
            self._become(instance, "shutting-down", END, "terminated", "it was told to end")
        return previous

    def _become(self, instance, state, delay, then, why):
        if instance.id in self._tickets:
            self.life.clock.cancel(self._tickets[instance.id])
        self._tickets[instance.id] = self.life.clock.after(delay, self._set, instance, then, why)
        self._set(instance, state, why)  # last: who is told of it may have the instance stop or end in turn

    def _set(self, instance, state, why):
        instance._state.name, instance._state.code = state, CODES[state]
        if state in ("running", "stopped", "terminated"):
            self.life.note("EC2", f"instance {state}", instance.id, why)
            self._tickets.pop(instance.id, None)
        meter, item = self.life.meter, f"ec2:{instance.instance_type}"
        if instance.id not in self.ran:
            self.ran[instance.id] = Steps()
            self._measured(instance)
        self.ran[instance.id].set(self.life.sandbox.clock.now, float(state == "running"))
        if meter.knows(item):
            meter.run(instance.id, item, 1 if state == "running" else 0)
        meter.run(instance.id, PUBLIC_ADDRESS, 1 if state == "running" and instance.associate_public_ip else 0)
        for function in self.on_state:
            function(instance, state)

    def check(self, call, allowed, done) -> None:
        """IncorrectInstanceState for what a state does not allow ("Error codes for the Amazon EC2 API")."""
        states = {one.id: one._state.name for one in self.life.backend("ec2", call.region).all_instances()}
        for name in call.parameters["InstanceIds"]:
            if states.get(name, allowed[0]) not in allowed:
                raise ServiceError("IncorrectInstanceState", f"The instance '{name}' is not in a state from which it can be "
                                                             f"{done}. It is {states[name]}.")

    def status(self, call) -> dict:
        """Status checks are initializing while an instance boots, and pass afterwards."""
        wanted = call.parameters.get("InstanceIds")
        statuses = []
        for instance in self.life.backend("ec2", call.region).all_instances():
            state = instance._state.name
            if wanted and instance.id not in wanted or not (call.parameters.get("IncludeAllInstances") or state == "running"):
                continue
            good = instance.placement.zone not in self.dark
            check = {"Status": "not-applicable" if state != "running" else "ok" if good else "impaired",
                     "Details": [{"Name": "reachability", "Status": "passed" if good else "failed"}] if state == "running" else []}
            statuses.append({"InstanceId": instance.id, "AvailabilityZone": instance.placement.zone,
                             "InstanceState": {"Name": state, "Code": CODES[state]}, "SystemStatus": check,
                             "InstanceStatus": check, "Events": []})
        return {"InstanceStatuses": statuses}

    # what they do

    def set_load(self, target: str, amount) -> None:
        now = self.life.sandbox.clock.now
        if target in self.load_takers:
            self.load_takers[target](amount)
        elif target in {one.id for one in self.life.backend("ec2").all_instances()}:
            self.loads.setdefault(target, Load()).set(now, amount)
        else:
            raise ValueError(f"{target} is no instance, Auto Scaling group or load balancer of this sandbox")
        self.life.note("EC2", "load set", target, f"{amount}")
        self.life.wake("cloudwatch")
        self.life.state["alarms"].wake_all()

    def fail_zone(self, zone: str) -> None:
        """Its instances do nothing any more: their status checks fail, and groups move elsewhere."""
        if zone not in {one["ZoneName"] for one in self.life.client("ec2").describe_availability_zones()["AvailabilityZones"]}:
            raise ValueError(f"{zone!r} is no Availability Zone of {self.life.sandbox.region}: us-east-1a, say")
        self.dark.add(zone)
        self.life.note("EC2", "Availability Zone failed", zone, "sandbox.fail_zone()")
        for function in self.on_zone:
            function(zone, True)

    def mend_zone(self, zone: str) -> None:
        if zone not in self.dark:
            raise ValueError(f"{zone!r} has not failed; {', '.join(sorted(self.dark)) or 'no zone'} has")
        self.dark.discard(zone)
        self.life.note("EC2", "Availability Zone is back", zone, "sandbox.mend_zone()")
        for function in self.on_zone:
            function(zone, False)

    def fail_server(self, server: str) -> None:
        """Its status checks pass all the same: they look at the machine, not at what runs on it."""
        if server not in {one.id for one in self.life.backend("ec2").all_instances()}:
            raise ValueError(f"{server!r} is no instance of this sandbox: describe_instances() lists them")
        self.failing.add(server)
        self._told(server, "program failed", "sandbox.fail_server()")

    def mend_server(self, server: str) -> None:
        if server not in self.failing:
            raise ValueError(f"{server!r} has not failed; {', '.join(sorted(self.failing)) or 'no server'} has")
        self.failing.discard(server)
        self._told(server, "program is well again", "sandbox.mend_server()")

    def _told(self, name, what, why):
        self.life.note("EC2", what, name, why)
        for function in self.on_program:
            function(name)

    def cpu(self, name: str, now: float) -> float:
        """Percent of its processor an instance uses, in its group or alone."""
        share = self.members[name](now) if name in self.members else 0.0
        own = self.loads[name].at(now) if name in self.loads else 0.0
        return min(100.0, 100.0 * (share + own + sum(function(name, now) for function in self.work)))

    def steady(self, name: str) -> bool:
        return name not in self.loads or self.loads[name].steady

    def _measured(self, instance):
        """CloudWatch reads this when somebody asks it: nothing is stored."""
        name, step, ran = instance.id, 60 if instance.monitored else 300, self.ran[instance.id]

        def minutes(start, end):
            return (at for at in range(int(-(-start // step) * step), int(-(-end // step) * step), step) if ran.at(at))

        self.life.wake("cloudwatch")
        supply, dimensions = self.life.state["metrics"].supply, [{"Name": "InstanceId", "Value": name}]
        supply("AWS/EC2", "CPUUtilization", dimensions, lambda start, end: (
            (at, self.cpu(name, at)) for at in minutes(start, end)), "Percent")
        supply("AWS/EC2", "StatusCheckFailed", dimensions, lambda start, end: ((at, 0.0) for at in minutes(start, end)), "Count")

    # what alarms and learners ask

    def automate(self, arn: str, message, source: str) -> None:
        """An alarm's action: arn:aws:automate:region:ec2:stop (terminate, reboot, recover)."""
        action, region = arn.rsplit(":", 1)[-1], arn.split(":")[3]
        instance = next((one["value"] for metric in message.get("metrics", []) for one in metric if one["name"] == "InstanceId"), None)
        if instance is None:
            raise LookupError(f"{arn} needs an alarm on a metric with the dimension InstanceId")
        client = self.life.client("ec2", region)
        if action in ("stop", "terminate", "reboot"):
            getattr(client, f"{action}_instances")(InstanceIds=[instance])
        self.life.note("EC2", f"alarm action {action}", instance, f"alarm {message.get('name', '')}")

    def quote(self, parameters) -> list:
        kind = parameters.get("InstanceType", "m1.small")
        number = parameters.get("MaxCount", 1)
        return [(f"ec2:{kind}", number), (PUBLIC_ADDRESS, number)]
