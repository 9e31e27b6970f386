"""Servers in the sandbox take their time: they boot, stop and end as on AWS, work at the load they are given, and cost.

Every instance passes through its states, whoever launches it (boto3, an Auto Scaling group, CloudFormation): moto's
own instances are told when. CloudWatch gets CPUUtilization, each minute with detailed monitoring and each five minutes
without, the status checks each minute, and CPU credits. The bill gets the hours that instances run, their disks and
their public addresses. Each instance has its model (``ec2.Instance``), which says what it may do and when it is done.

**Simplified** The account's quota of running On-Demand Standard instances is not a new one's but QUOTA, so that groups
have room; an increase is granted after GRANTED seconds. User data is said to have run, and isn't. A machine that fails
(``sandbox.fail_host``) waits for a stop and start or an alarm's recover action: simplified automatic recovery, on by
default on AWS, is taken to be off. Spot Instances don't count against the quota.

Amazon EC2 User Guide, "Amazon EC2 instance state changes", read 2026-11-23. The status checks' metrics (0 or 1, each
minute, at no charge) as Pulumi's reference carries AWS's text of "List the available CloudWatch metrics for your
instances"; user data's codes as AWS answered users (RunInstances: InvalidParameterValue, launch templates:
InvalidUserData.Malformed). API: ModifyInstanceMaintenanceOptions (automatic recovery). Read 2026-11-28. What recovery
keeps and loses: see ``ec2``.
"""

from base64 import b64decode
from itertools import repeat

from kit.compute import ec2_bill_lab, ec2_credits_lab
from kit.compute.ec2 import BUCKETS, TYPES, Instance, bucket, check_quota, check_user_data
from kit.compute.load import Load
from kit.errors import ServiceError
from kit.monitoring.cloudwatch import EXTRA
from kit.sim import Steps

QUOTA = 64  # vCPUs of running On-Demand Standard instances, as an account that has asked for more might have
STANDARD, GRANTED = "L-1216C47A", 1800  # its code in Service Quotas; s until an increase is approved (not AWS's figure)
WHY = {"pending": "it has booted", "stopping": "it was told to stop", "shutting-down": "it was told to end"}
CHECKS = {"StatusCheckFailed": (0, 1), "StatusCheckFailed_System": (0,), "StatusCheckFailed_Instance": (1,)}
CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def live(life) -> None:
    servers = Servers(life)
    life.state["ec2"] = servers
    ec2_bill_lab.live(life)
    ec2_credits_lab.live(life, servers)
    from moto.ec2.models.elastic_block_store import EBSBackend
    from moto.ec2.models.instances import Instance as MotoInstance, InstanceBackend
    life.patch(MotoInstance, "__init__", servers.launched)
    life.before("ec2", "RunInstances", servers.asked)
    life.before("ec2", "DescribeSnapshots", servers.asked)
    life.patch(InstanceBackend, "run_instances", servers.launch)
    life.patch(EBSBackend, "describe_snapshots", servers.snapshots)
    for name in ("start", "stop", "reboot", "terminate"):
        life.patch(MotoInstance, name, lambda before, instance, name=name: servers.told(before, instance, name))
        life.before("ec2", f"{name.title()}Instances", lambda call, name=name: servers.check(call, name))
    life.before("ec2", "CreateImage", lambda call: servers.check(call, "image"))
    for operation in ("CreateLaunchTemplate", "CreateLaunchTemplateVersion"):
        life.before("ec2", operation, servers.check_template)
    life.answer("ec2", "DescribeInstanceStatus", servers.status)
    life.receive("arn:aws:automate:", servers.automate)
    life.commands |= {"set_load": servers.set_load, "fail_zone": servers.fail_zone, "mend_zone": servers.mend_zone,
                      "fail_server": servers.fail_server, "mend_server": servers.mend_server,
                      "fail_host": servers.fail_host}
    life.answer("service-quotas", "GetServiceQuota", servers.quota)
    life.answer("service-quotas", "RequestServiceQuotaIncrease", servers.ask_for_more)
    life.state.setdefault("restless", []).append(servers.restless)


def looks_at(alarm) -> list:
    """(namespace, metric, dimensions as a dict) of all that an alarm reads, through metric math too."""
    given = getattr(alarm, "parameters", {})
    metrics = [one["MetricStat"]["Metric"] for one in given.get("Metrics") or () if "MetricStat" in one]
    return [(one.get("Namespace"), one["MetricName"],
             {each["Name"]: each["Value"] for each in one.get("Dimensions") or ()})
            for one in ([given] if "MetricName" in given else metrics)]


class Servers:
    """All instances of a sandbox, of every region. ``groups``: see the lab of Auto Scaling."""

    def __init__(self, life):
        self.life = life
        self.models: dict[str, Instance] = {}
        self.checks: dict[str, tuple[Steps, Steps]] = {}  # id -> 1 while the system check fails, and the instance check
        self.quotas = BUCKETS | {"Standard": QUOTA}
        self.credits = None  # of burstable ones
        self.template_version = None  # for launches that moto makes with a template's default version
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
        self._asked, self._given = None, {}  # a call that moto passes over in part; what it or an order asks for

    # what moto passes over

    def asked(self, call):
        self._asked = call

    def _asks(self) -> dict:
        """The parameters of the learner's call, if moto is at it just now."""
        call, self._asked = self._asked, None
        return call.parameters if call is not None and call.response is None and call.error is None else {}

    def launch(self, before, backend, image_id, count, user_data, *arguments, **named):
        """As many as there is room for, up to MaxCount; moto launches MinCount."""
        self._given = self._asks()
        template = named.get("launch_template")
        if template and self.template_version:
            named["launch_template"] = template = template | {"Version": self.template_version}
        data = backend._get_template_from_args(template).data if template else {}
        user_data = data.get("UserData") if user_data is None else user_data
        if user_data is not None:
            check_user_data(b64decode(str(user_data)))
        kind = named.get("instance_type", "m1.small")
        if named.get("is_instance_type_default"):
            kind = data.get("InstanceType", kind)
        number = max(count, self._given.get("MaxCount", count))
        if not named.get("instance_market_options"):
            number = self._room(backend, kind, count, number)
        return before(backend, image_id, number, user_data, *arguments, **named)

    def _room(self, backend, kind, least, most):
        """How many of them the quota allows; VcpuLimitExceeded if those are fewer than asked for at least."""
        each = vcpus(kind)
        if each is None:
            return most
        quota, running = self.quotas[bucket(kind)], sum(
            vcpus(one.instance_type) or 0 for one in backend.all_instances() if one._state.name in ("pending", "running")
            and one.lifecycle != "spot" and bucket(one.instance_type) == bucket(kind))
        check_quota(kind, least, running, quota, each)
        return min(most, (quota - running) // each)

    def check_template(self, call) -> None:
        """A launch template takes user data in base64; the limit is for what is in it."""
        data = call.parameters["LaunchTemplateData"].get("UserData", "")
        try:
            check_user_data(b64decode(data))
        except ServiceError as error:
            raise ServiceError("InvalidUserData.Malformed", error.message) from None

    def snapshots(self, before, backend, *arguments, **named):
        """Those of the owners that were asked for; moto shows AWS's own too."""
        owners = self._asks().get("OwnerIds", [])
        owners = [backend.account_id if owner == "self" else owner for owner in owners]
        return [one for one in before(backend, *arguments, **named) if not owners or one.owner_id in owners]

    # what moto does, and when

    def launched(self, before, instance, *arguments, **named):
        before(instance, *arguments, **named)
        template, now, name = named.get("launch_template"), self.life.clock.now, instance.id
        data = instance.ec2_backend._get_template_from_args(template).data if template else {}
        if data.get("Monitoring", {}).get("Enabled") in (True, "true"):  # moto passes over it
            instance.monitoring_state = "enabled"
        self.models[name] = model = Instance(now, name, instance.instance_type, instance.private_ip, repeat(""),
                                             user_data=str(instance.user_data or ""),
                                             hibernation=bool((instance.hibernation_options or {}).get("Configured")))
        if instance.placement.zone in self.dark:
            model.fail(now, "zone")
        self.ran[name], self.checks[name] = Steps(), (Steps(), Steps())
        self._measured(instance)
        credits = self._given.get("CreditSpecification") or data.get("CreditSpecification") or {}
        self.credits.launched(instance, credits.get("CpuCredits"))
        instance._state.name = None  # moto says running
        self._follow(instance)

    def told(self, before, instance, order):
        """Who comes so far may: what protects an instance from the API was asked before."""
        model, was = self.models[instance.id], instance._state.name
        self._protect(model, False, False)
        hibernates = {"Hibernate": True} if order == "stop" and self._given.get("Hibernate") else {}
        getattr(model, order)(self.life.clock.now, **hibernates)
        result = before(instance)
        instance._state.name = was  # moto has it in its new state already
        self._follow(instance)
        return result

    def _follow(self, instance, why="it was launched"):
        """moto's instance becomes what its model is, and whoever wants to know is told."""
        model, now = self.models[instance.id], self.life.clock.now
        before, ran = instance._state.name, model.user_data_runs
        state = model.state(now)
        if instance.id in self._tickets:
            self.life.clock.cancel(self._tickets.pop(instance.id))
        if model.due is not None:
            self._tickets[instance.id] = self.life.clock.at(model.due, self._follow, instance, WHY[state])
        instance._state.name, instance._state.code = state, CODES[state]
        self._checked(instance)
        if state == before:
            return
        if state in ("running", "stopped", "terminated"):
            self.life.note("EC2", f"instance {state}", instance.id, why)
        if model.user_data_runs > ran:
            self.life.note("EC2", "user data run", instance.id, "its first boot: as root, once in its life")
        self.ran[instance.id].set(now, float(state == "running"))
        self.life.state["ec2 bill"].server(instance, state)
        for function in self.on_state:
            function(instance, state)
        self.life.state["alarms"].wake("AWS/EC2", region=instance.region_name)

    def _checked(self, instance):
        """What CloudWatch counts of the status checks: 1 for each that fails."""
        for steps, status in zip(self.checks[instance.id], self.models[instance.id].status(self.life.clock.now)):
            steps.set(self.life.clock.now, float(status == "impaired"))

    def check(self, call, order) -> None:
        """The model refuses what a state or a protection forbids, before anything has happened to any of them."""
        known = {one.id: one for one in self.life.backend("ec2", call.region).all_instances()}
        self._given = call.parameters
        for name in call.parameters.get("InstanceIds") or [call.parameters["InstanceId"]]:
            if name in known:
                moto = known[name]
                self._protect(self.models[name], moto.disable_api_termination is True, moto.disable_api_stop is True)
                hibernates = {"Hibernate": True} if order == "stop" and call.parameters.get("Hibernate") else {}
                self.models[name].check(self.life.clock.now, order, **hibernates)

    @staticmethod
    def _protect(model, ends, stops):
        model.protected, model.stop_protected = ends, stops

    def status(self, call) -> dict:
        """Status checks begin when an instance runs, and take a while until they pass."""
        wanted = call.parameters.get("InstanceIds")
        statuses = []
        for instance in self.life.backend("ec2", call.region).all_instances():
            state = instance._state.name
            asked = call.parameters.get("IncludeAllInstances") or state == "running"
            if wanted and instance.id not in wanted or not asked:
                continue
            shown = []
            for status in self.models[instance.id].status(self.life.clock.now):
                detail = {"ok": "passed", "impaired": "failed", "initializing": "initializing"}.get(status)
                details = [{"Name": "reachability", "Status": detail}] if detail else []
                shown.append({"Status": status, "Details": details})
            statuses.append({"InstanceId": instance.id, "AvailabilityZone": instance.placement.zone, "Events": [],
                             "InstanceState": {"Name": state, "Code": CODES[state]}, "SystemStatus": shown[0],
                             "InstanceStatus": shown[1]})
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
        self._zone(zone, "fail")
        self.life.note("EC2", "Availability Zone failed", zone, "sandbox.fail_zone()")
        for function in self.on_zone:
            function(zone, True)

    def mend_zone(self, zone: str) -> None:
        if zone not in self.dark:
            raise ValueError(f"{zone!r} has not failed; {', '.join(sorted(self.dark)) or 'no zone'} has")
        self.dark.discard(zone)
        self._zone(zone, "mend")
        self.life.note("EC2", "Availability Zone is back", zone, "sandbox.mend_zone()")
        for function in self.on_zone:
            function(zone, False)

    def _zone(self, zone, what):
        for instance in self.life.backend("ec2").all_instances():
            if instance.placement.zone == zone:
                getattr(self.models[instance.id], what)(self.life.clock.now, "zone")
                self._checked(instance)
        self.life.state["alarms"].wake_all()

    def fail_host(self, server: str) -> None:
        """The machine under it fails: both status checks do, and a group replaces it."""
        instance = self._known(server)
        self.models[server].fail(self.life.clock.now, "system")
        self._checked(instance)
        self.failing.add(server)
        self._told(server, "host failed", "sandbox.fail_host()")
        for function in self.on_state:
            function(instance, "impaired")
        self.life.state["alarms"].wake_all()

    def quota(self, call) -> dict | None:
        """Service Quotas knows the vCPUs of On-Demand Instances: only those of the Standard bucket here."""
        if (call.parameters["ServiceCode"], call.parameters["QuotaCode"]) != ("ec2", STANDARD):
            return None
        return {"Quota": {
            "ServiceCode": "ec2", "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)", "QuotaCode": STANDARD,
            "QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", "Adjustable": True,
            "Value": float(self.quotas["Standard"]), "Unit": "None", "GlobalQuota": False}}

    def ask_for_more(self, call) -> dict | None:
        shown, wanted = self.quota(call), call.parameters["DesiredValue"]
        if shown is None:
            return None
        if wanted <= self.quotas["Standard"]:
            raise ServiceError("IllegalArgumentException",
                               f"Ask for more than the {self.quotas['Standard']} vCPUs there are.")
        self.life.clock.after(GRANTED, self._granted, int(wanted))
        return {"RequestedQuota": {name: shown["Quota"][name] for name in ("ServiceCode", "QuotaCode", "QuotaName")} | {
            "Id": f"{call.number:032x}", "DesiredValue": wanted, "Status": "PENDING"}}

    def _granted(self, vcpus):
        self.quotas["Standard"] = max(vcpus, self.quotas["Standard"])
        self.life.note("EC2", f"quota {vcpus} vCPUs", STANDARD, "the increase was approved")

    def fail_server(self, server: str) -> None:
        """Its status checks pass all the same: they look at the machine, not at what runs on it."""
        self._known(server)
        self.failing.add(server)
        self._told(server, "program failed", "sandbox.fail_server()")

    def mend_server(self, server: str) -> None:
        if server not in self.failing:
            raise ValueError(f"{server!r} has not failed; {', '.join(sorted(self.failing)) or 'no server'} has")
        self.failing.discard(server)
        self._told(server, "program is well again", "sandbox.mend_server()")

    def _known(self, name):
        for instance in self.life.backend("ec2").all_instances():
            if instance.id == name:
                return instance
        raise ValueError(f"{name!r} is no instance of this sandbox: describe_instances() lists them")

    def _told(self, name, what, why):
        self.life.note("EC2", what, name, why)
        for function in self.on_program:
            function(name)

    def cpu(self, name: str, now: float) -> float:
        """Percent of its processor an instance uses, in its group or alone: what it wants, or what its credits allow."""
        return self.credits.gets(name, now, self.wanted(name, now))

    def wanted(self, name: str, now: float) -> float:
        share = self.members[name](now) if name in self.members else 0.0
        own = self.loads[name].at(now) if name in self.loads else 0.0
        return min(100.0, 100.0 * (share + own + sum(function(name, now) for function in self.work)))

    def restless(self, alarm) -> bool:
        """Does an alarm look at a server whose CPU or credits move by themselves?"""
        return any(self.moves(where.get("InstanceId"), metric, alarm)
                   for space, metric, where in looks_at(alarm) if space == "AWS/EC2")

    def moves(self, name: str | None, metric: str, alarm) -> bool:
        """Has a server's metric moved for as long as an alarm looks back, or is it going to?"""
        unsteady = name in self.loads and not self.loads[name].steady and metric.startswith("CPU")
        return unsteady or self.credits.moves(name, metric, (alarm.evaluation_periods + EXTRA + 1) * alarm.period)

    def _measured(self, instance):
        """CloudWatch reads this when somebody asks it: nothing is stored."""
        name, step, ran = instance.id, 60 if instance.monitored else 300, self.ran[instance.id]

        def times(start, end, step=step):
            return (at for at in range(int(-(-start // step) * step), int(-(-end // step) * step), step) if ran.at(at))

        self.life.wake("cloudwatch")
        supply, dimensions = self.life.state["metrics"].supply, [{"Name": "InstanceId", "Value": name}]
        supply("AWS/EC2", "CPUUtilization", dimensions, lambda start, end: (
            (at, self.cpu(name, at)) for at in times(start, end)), "Percent", instance.region_name)
        for metric, parts in CHECKS.items():
            steps = [self.checks[name][part] for part in parts]
            supply("AWS/EC2", metric, dimensions, lambda start, end, steps=steps: (
                (at, max(one.at(at) for one in steps)) for at in times(start, end, 60)), "Count", instance.region_name)

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
        why = f"alarm {message.get('name', '')}"
        if action == "recover":
            why = f"{why}: {self._recover(instance)}"
        self.life.note("EC2", f"alarm action {action}", instance, why)

    def _recover(self, name) -> str:
        """What comes of it."""
        model, now = self.models[name], self.life.clock.now
        zone = self._known(name).placement.zone
        if model.recover(now):
            self.failing.discard(name)
            self._checked(self._known(name))
            for function in self.on_program:
                function(name)
            self.life.state["alarms"].wake_all()
            return "moved to another host; id, addresses and disks stay, what was in memory is lost"
        if model.status(now)[0] != "impaired":
            return "nothing to recover: its system status check doesn't fail"
        if zone in self.dark:
            return f"it can't be: {zone} has no host that works, and an instance stays in its zone"
        return "it can't be: it has an instance store"


def vcpus(instance_type: str) -> int | None:
    """Of one server; None for a type of which nobody here knows it."""
    if instance_type in TYPES:
        return TYPES[instance_type][0]
    from moto.ec2.models.instance_types import INSTANCE_TYPES
    return INSTANCE_TYPES.get(instance_type, {}).get("VCpuInfo", {}).get("DefaultVCpus")
