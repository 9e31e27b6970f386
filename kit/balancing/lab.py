"""Load balancers in the sandbox: targets are checked, visitors come, and CloudWatch counts them.

A target that is registered is ``initial`` until its first good health check, falls after the unhealthy threshold and
comes back after the healthy one: ``targets`` decides, each check on the sandbox's clock. A running instance answers
its check, one in a zone that has failed gives no sign. Visitors come at the rate that the learner sets:

    sandbox.set_load("shop", 120)       # the balancer's name: requests a second

Each is sent where the listener's rules send a plain GET / (``alb``), and evenly over the targets in service there,
which it keeps busy. A server whose program fails (``sandbox.fail_server``) answers its checks with 500. CloudWatch has
RequestCount, RequestCountPerTarget, the healthy and unhealthy hosts and the answers' codes. An Auto Scaling group with
the health check type ELB replaces the targets that fall.

**Simplified** A request is ``WORK`` seconds of one server's work, whatever it asks for. Targets are instances, by one
port each; a server that has more to do than it can still answers. All requests come to the first listener.
**Not modelled** Capacity units (LCU) on the bill, response times (see ``fleet``), Classic Load Balancers, lambda and IP targets (always healthy), NLB's
own metrics, which count flows.

Application Load Balancer guide, "Target health status", "CloudWatch metrics for your Application Load Balancer", read
2026-11-28.
"""

from kit.balancing.alb import route
from kit.balancing.conditions import Request
from kit.balancing.health import HealthCheck
from kit.balancing.targets import TargetGroup
from kit.compute.load import Load
from kit.errors import ServiceError
from kit.sim import Steps

WORK = 0.02  # s of one server's work in a request: 50 a second keep a server wholly busy
DRAWS = 100  # how finely the weights of target groups are measured
PROVISIONING = 120  # s until a new load balancer is active (AWS: a few minutes)
MINUTE = 60
ROUTING = ("CreateListener ModifyListener DeleteListener CreateRule ModifyRule DeleteRule SetRulePriorities SetSubnets "
           "DeleteLoadBalancer")


def live(life) -> None:
    for service in ("ec2", "cloudwatch"):
        life.wake(service)
    balancers = Balancers(life)
    from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup
    life.patch(FakeLoadBalancer, "activate", lambda before, moto: None)  # moto: as soon as somebody looks
    life.patch(FakeTargetGroup, "register", balancers.registered)
    life.patch(FakeTargetGroup, "deregister", balancers.deregistered)
    life.patch(FakeTargetGroup, "deregister_terminated_instances", balancers.terminated)
    life.before("elbv2", "CreateTargetGroup", balancers.check_settings)
    life.then("elbv2", "CreateLoadBalancer", balancers.created)
    life.then("elbv2", "DeleteLoadBalancer", balancers.deleted)
    life.then("elbv2", "ModifyTargetGroup", balancers.modified)
    life.then("elbv2", "ModifyTargetGroupAttributes", balancers.attributes)
    life.then("elbv2", ROUTING, balancers.rerouted)
    life.quotes["elbv2", "CreateLoadBalancer"] = lambda parameters: [(f"elb:{parameters.get('Type', 'application')}", 1)]
    life.answer("elbv2", "DescribeTargetHealth", balancers.health)
    servers = life.state["ec2"]
    servers.on_state.append(balancers.instance_state)
    servers.on_zone.append(balancers.zone)
    servers.on_program.append(balancers.program)
    servers.work.append(balancers.work)
    life.state.setdefault("restless", []).append(balancers.restless)


class Group:
    """A target group's model, and what it was over time."""

    def __init__(self, moto, settings: HealthCheck):
        self.moto = moto
        self.model = TargetGroup(moto.name, int(moto.port or 80), (), settings, in_use=False)
        self.healthy, self.unhealthy, self.serving = Steps(), Steps(), Steps()
        self.in_service = {}  # instance -> Steps: 1 while it gets requests
        self.seen = {}  # instance -> state
        self.balancer = None
        self.ticket = None


class Balancers:
    """The load balancers and target groups of a sandbox, by ARN."""

    def __init__(self, life):
        self.life = life
        self.groups: dict[str, Group] = {}
        self.loads, self.shares = {}, {}  # balancer -> Load; (balancer, target group or "nobody") -> Steps

    # what moto knows, and when

    def check_settings(self, call) -> None:
        """What AWS refuses of a health check, and moto takes."""
        given = call.parameters
        names = {"interval": "HealthCheckIntervalSeconds", "timeout": "HealthCheckTimeoutSeconds",
                 "healthy_threshold": "HealthyThresholdCount", "unhealthy_threshold": "UnhealthyThresholdCount"}
        settings = {name: given[key] for name, key in names.items() if key in given}
        if given.get("Protocol", "HTTP") in ("HTTP", "HTTPS") and "HttpCode" in given.get("Matcher", {}):
            settings["matcher"] = given["Matcher"]["HttpCode"]
        HealthCheck(**settings)

    def registered(self, before, moto, targets) -> None:
        before(moto, targets)
        group = self._group(moto)
        group.model.register_targets([self._entry(group, target) for target in targets], self.life.clock.now)
        self._plan(group)
        self._measure(group)

    def deregistered(self, before, moto, targets) -> None:
        before(moto, targets)
        group = self._group(moto)
        group.model.deregister_targets([self._entry(group, target) for target in targets], self.life.clock.now)
        self._measure(group)

    def terminated(self, before, moto, names) -> None:
        known = [name for name in names if name in moto.targets]
        before(moto, names)
        group = self._group(moto)
        group.model.deregister_targets([self._entry(group, {"Id": name}) for name in known], self.life.clock.now)
        self._measure(group)

    def created(self, call) -> None:
        for shown in call.response["LoadBalancers"]:
            arn, now = shown["LoadBalancerArn"], self.life.clock.now
            moto = self.life.backend("elbv2", call.region).load_balancers[arn]
            moto.state = shown["State"]["Code"] = "provisioning"
            self.life.clock.after(PROVISIONING, self._active, moto)
            self.loads[arn] = Load()
            self.life.meter.run(f"load balancer {moto.name}", f"elb:{moto.type}")
            self.life.state["ec2"].load_takers[moto.name] = lambda amount: self.loads[arn].set(self.life.clock.now, amount)
            self._count_requests(arn, now)

    def deleted(self, call) -> None:
        arn = call.parameters["LoadBalancerArn"]
        name = arn.split("/")[-2]
        self.life.meter.end(f"load balancer {name}")
        self.life.state["ec2"].load_takers.pop(name, None)
        self.loads[arn].set(self.life.clock.now, 0)

    def _active(self, moto):
        moto.state = "active"
        self.life.note("Load balancing", "load balancer active", moto.name, "it is provisioned")

    def modified(self, call) -> None:
        group = self.groups.get(call.parameters["TargetGroupArn"])
        if group is not None:
            group.model.check = _settings(group.moto)

    def attributes(self, call) -> None:
        group = self._group(self.life.backend("elbv2", call.region).target_groups[call.parameters["TargetGroupArn"]])
        group.model.modify_target_group_attributes([one for one in call.parameters["Attributes"]
                                                    if one["Key"] in group.model.attributes])
        self._measure(group)

    def health(self, call) -> dict:
        moto = self.life.backend("elbv2", call.region).target_groups.get(call.parameters["TargetGroupArn"])
        if moto is None:
            raise ServiceError("TargetGroupNotFound", "One or more target groups not found")
        group, wanted = self._group(moto), call.parameters.get("Targets")
        return group.model.describe_target_health(
            self.life.clock.now, [self._entry(group, one) for one in wanted] if wanted else None)

    def rerouted(self, call) -> None:
        """The listeners' rules may send requests elsewhere now."""
        backend, now, used = self.life.backend("elbv2", call.region), self.life.clock.now, {}
        for arn in self.loads:
            balancer = backend.load_balancers.get(arn)
            shares = self._shares(arn, call.region) if balancer is not None else {}
            for target_group in shares:
                used[target_group] = balancer
            for key in {(arn, one) for one in shares} | {key for key in self.shares if key[0] == arn}:
                self.shares.setdefault(key, Steps()).set(now, shares.get(key[1], 0.0))
        for arn, moto in backend.target_groups.items():
            group = self._group(moto)
            balancer = used.get(arn) or backend.load_balancers.get(next(iter(moto.load_balancer_arns), None))
            group.model.in_use = balancer is not None
            group.model.zones = tuple(sorted({one.availability_zone for one in balancer.subnets})) if balancer else ()
            if balancer is not None and group.balancer != balancer.arn:
                group.balancer = balancer.arn
                self._count_hosts(group)
            self._plan(group)
            self._measure(group)

    def _shares(self, arn, region):
        """target group (or "nobody") -> which part of the plain requests it gets, as the first listener's rules say."""
        client = self.life.client("elbv2", region)
        listeners = client.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        if not listeners:
            return {}
        if listeners[0]["Protocol"] in ("HTTP", "HTTPS"):
            rules = client.describe_rules(ListenerArn=listeners[0]["ListenerArn"])["Rules"]
        else:
            rules = [{"Priority": "default", "Conditions": [], "Actions": listeners[0]["DefaultActions"]}]
        request = Request.of("http://" + arn.split("/")[-2] + "/")
        shares = {}  # so many of the draws
        for number in range(DRAWS):
            chosen = route(rules, request, (number + 0.5) / DRAWS).target_group or "nobody"
            shares[chosen] = shares.get(chosen, 0) + 1
        return {chosen: number / DRAWS for chosen, number in shares.items()}

    # health checks

    def instance_state(self, instance, state) -> None:
        for group in self.groups.values():
            if instance.id in group.moto.targets:
                group.model.instance_state(instance.id, state)
                self._plan(group)
                self._measure(group)

    def zone(self, zone, down) -> None:
        for group in self.groups.values():
            self._plan(group)

    def program(self, name) -> None:
        for group in self.groups.values():
            if name in group.moto.targets:
                self._plan(group)

    def _plan(self, group):
        if group.ticket is None and group.model.in_use and group.moto.targets:
            group.ticket = self.life.clock.after(group.model.check.interval, self._check, group)

    def _check(self, group):
        """A round of health checks; the next one is due unless nothing can change any more."""
        group.ticket, settled = None, True
        for target in [self._entry(group, one) for one in group.moto.targets.values()]:
            answer = self._answer(group, target["Id"])
            state = group.model.health_check(target["Id"], answer, self.life.clock.now, target["Port"])
            settled &= state in (("healthy", "unused") if answer == 200 else ("unhealthy", "unused"))
        self._measure(group)
        if not settled:
            self._plan(group)

    def _answer(self, group, name):
        instance = self._instance(group, name)
        if instance is None:
            return 200
        if instance.placement.zone in self.life.state["ec2"].dark:
            return None
        if instance._state.name != "running":
            return "refused"
        return 500 if name in self.life.state["ec2"].failing else 200

    def _measure(self, group):
        """Note who is healthy and who gets requests from now on, and say what has changed."""
        now, model = self.life.clock.now, group.model
        states = {one["Target"]["Id"]: one["TargetHealth"] for one in model.describe_target_health(now)["TargetHealthDescriptions"]}
        group.healthy.set(now, sum(one["State"] == "healthy" for one in states.values()))
        group.unhealthy.set(now, sum(one["State"] == "unhealthy" for one in states.values()))
        serving = {target.id for target in model.in_service(now)} if model.in_use else set()
        group.serving.set(now, len(serving))
        for name in serving | set(group.in_service):
            group.in_service.setdefault(name, Steps()).set(now, float(name in serving))
        for name, health in states.items():
            before = group.seen.get(name)
            if health["State"] != before:
                if health["State"] in ("healthy", "unhealthy", "draining"):
                    self.life.note("Load balancing", f"target {health['State']}", name,
                                   health.get("Description", f"its health checks for {group.moto.name} pass"))
                for function in self.life.state.get("on_target_health", ()):
                    function(group.moto.arn, name, health["State"])
        group.seen = {name: health["State"] for name, health in states.items()}
        self.life.state["alarms"].wake_all()

    # visitors

    def work(self, name: str, now: float) -> float:
        """Which part of an instance's time its balancers' requests take."""
        return sum(WORK * self._rate(group, now) / group.serving.at(now) for group in self.groups.values()
                   if name in group.in_service and group.in_service[name].at(now))

    def restless(self, alarm) -> bool:
        return any(not load.steady for load in self.loads.values())

    def _rate(self, group, now):
        """Requests a second to a target group, from all balancers."""
        return sum(load.at(now) * self.shares[arn, group.moto.arn].at(now) for arn, load in self.loads.items()
                   if (arn, group.moto.arn) in self.shares)

    def _count_requests(self, arn, since):
        """CloudWatch's counts of a balancer; a count of nothing is no datapoint."""
        def per_minute(rate):
            return lambda start, end: ((at, MINUTE * rate(at)) for at in _minutes(max(start, since), end) if rate(at) > 0)

        def served(at):
            return self.loads[arn].at(at) * sum(
                steps.at(at) for (balancer, name), steps in self.shares.items()
                if balancer == arn and name in self.groups and self.groups[name].serving.at(at))

        def lost(at):
            return self.loads[arn].at(at) * sum(
                steps.at(at) for (balancer, name), steps in self.shares.items()
                if balancer == arn and name in self.groups and not self.groups[name].serving.at(at))

        dimensions = [{"Name": "LoadBalancer", "Value": arn.split("loadbalancer/", 1)[-1]}]
        supply = self.life.state["metrics"].supply
        for name, rate in (("RequestCount", served), ("HTTPCode_Target_2XX_Count", served),
                           ("HTTPCode_ELB_5XX_Count", lost), ("HTTPCode_ELB_503_Count", lost)):
            supply("AWS/ApplicationELB", name, dimensions, per_minute(rate), "Count", arn.split(":")[3])

    def _count_hosts(self, group):
        target = {"Name": "TargetGroup", "Value": group.moto.arn.rsplit(":", 1)[-1]}
        both = [target, {"Name": "LoadBalancer", "Value": group.balancer.split("loadbalancer/", 1)[-1]}]
        supply, since, region = self.life.state["metrics"].supply, self.life.clock.now, group.moto.arn.split(":")[3]
        for name, steps in (("HealthyHostCount", group.healthy), ("UnHealthyHostCount", group.unhealthy)):
            supply("AWS/ApplicationELB", name, both, lambda start, end, steps=steps: (
                (at, steps.at(at)) for at in _minutes(max(start, since), end)), "Count", region)
        for dimensions in ([target], both):
            supply("AWS/ApplicationELB", "RequestCountPerTarget", dimensions, lambda start, end: (
                (at, MINUTE * self._rate(group, at) / group.serving.at(at)) for at in _minutes(max(start, since), end)
                if group.serving.at(at) and self._rate(group, at)), "Count", region)

    # small things

    def _group(self, moto) -> Group:
        if moto.arn not in self.groups:
            self.groups[moto.arn] = Group(moto, _settings(moto))
        return self.groups[moto.arn]

    def _instance(self, group, name):
        return group.moto.ec2_backend.get_instance_by_id(name) if name.startswith("i-") else None

    def _entry(self, group, target) -> dict:
        """A target as the model takes it: with its port and its zone."""
        instance = self._instance(group, target["Id"])
        held = group.moto.targets.get(target["Id"], {})
        return {"Id": target["Id"], "Port": int(target.get("Port") or held.get("Port") or group.model.port)} | {
            "AvailabilityZone": instance.placement.zone if instance is not None else "all"}


def _settings(moto) -> HealthCheck:
    interval = float(moto.health_check_interval_seconds)
    return HealthCheck(interval, min(float(moto.health_check_timeout_seconds), interval - 1),
                       int(moto.healthy_threshold_count), int(moto.unhealthy_threshold_count),
                       (getattr(moto, "matcher", None) or {}).get("HttpCode", "200"))


def _minutes(start, end):
    return range(int(-(-start // MINUTE) * MINUTE), int(-(-end // MINUTE) * MINUTE), MINUTE)
