"""Load balancers in the sandbox: boto3 stories against the Application Load Balancer guide."""

import pytest
from botocore.exceptions import ClientError

from kit.balancing.lab import WORK

IMAGE = "ami-03cf127a"  # one of moto's


class Shop:
    """A balancer, a target group and their clients; ``listen`` connects the two."""

    def __init__(self, sandbox):
        self.sandbox, self.ec2, self.elb = sandbox, sandbox.client("ec2"), sandbox.client("elbv2")
        by_zone = {one["AvailabilityZone"]: one["SubnetId"] for one in self.ec2.describe_subnets()["Subnets"]}
        self.subnets = [by_zone["us-east-1a"], by_zone["us-east-1b"]]
        self.balancer = self.elb.create_load_balancer(Name="shop", Subnets=self.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        self.group = self.target_group("web")

    def target_group(self, name):
        vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        return self.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, HealthCheckIntervalSeconds=10,
                                            HealthCheckTimeoutSeconds=5)["TargetGroups"][0]["TargetGroupArn"]

    def listen(self, actions=None):
        return self.elb.create_listener(LoadBalancerArn=self.balancer, Protocol="HTTP", Port=80, DefaultActions=actions or [
            {"Type": "forward", "TargetGroupArn": self.group}])["Listeners"][0]["ListenerArn"]

    def servers(self, *zones, group=None):
        """A running, registered server for each zone."""
        made = [self.ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, Monitoring={"Enabled": True},
                                       Placement={"AvailabilityZone": zone})["Instances"][0]["InstanceId"] for zone in zones]
        self.sandbox.clock.advance(minutes=1)
        self.elb.register_targets(TargetGroupArn=group or self.group, Targets=[{"Id": one} for one in made])
        return made

    def health(self):
        told = self.elb.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return [(one["TargetHealth"]["State"], one["TargetHealth"].get("Reason")) for one in told]

    def label(self, group=None):
        return self.balancer.split("loadbalancer/")[1], (group or self.group).rsplit(":", 1)[1]

    def metric(self, name, *dimensions, statistic="Sum", group=None, minutes=5):
        balancer, target_group = self.label(group)
        values = {"LoadBalancer": balancer, "TargetGroup": target_group}
        clock = self.sandbox.clock
        found = self.sandbox.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApplicationELB", MetricName=name, Dimensions=[{"Name": one, "Value": values[one]} for one in dimensions],
            StartTime=clock.date_at(clock.now - 60 * minutes), EndTime=clock.date, Period=60, Statistics=[statistic])["Datapoints"]
        return [one[statistic] for one in sorted(found, key=lambda one: one["Timestamp"])]


@pytest.fixture
def shop(sandbox):
    return Shop(sandbox)


def test_given_targets_when_a_listener_comes_then_they_are_checked_and_become_healthy(sandbox, shop):
    """"Target health status": unused without a listener, initial until the first check, then healthy."""
    shop.servers("us-east-1a", "us-east-1b")
    assert shop.health() == 2 * [("unused", "Target.NotInUse")]
    shop.listen()
    assert shop.health() == 2 * [("initial", "Elb.RegistrationInProgress")]
    sandbox.clock.advance(seconds=11)
    assert shop.health() == 2 * [("healthy", None)]


def test_given_a_stopped_target_then_it_is_unused_and_begins_anew_when_it_starts(sandbox, shop):
    """TargetHealth, Target.InvalidState."""
    server, = shop.servers("us-east-1a")
    shop.listen()
    sandbox.clock.advance(minutes=1)
    shop.ec2.stop_instances(InstanceIds=[server])
    assert shop.health() == [("unused", "Target.InvalidState")]
    sandbox.clock.advance(minutes=5)
    shop.ec2.start_instances(InstanceIds=[server])
    assert shop.health()[0][0] == "initial"
    sandbox.clock.advance(minutes=2)
    assert shop.health() == [("healthy", None)]


def test_given_a_zone_that_fails_then_its_target_falls_after_two_checks_and_comes_back_after_five(sandbox, shop):
    """The defaults of HealthCheck: unhealthy threshold 2, healthy threshold 5, here each ten seconds."""
    shop.servers("us-east-1a", "us-east-1b")
    shop.listen()
    sandbox.clock.advance(seconds=15)
    sandbox.fail_zone("us-east-1a")
    sandbox.clock.advance(seconds=10)
    assert shop.health() == 2 * [("healthy", None)]
    sandbox.clock.advance(seconds=10)
    assert shop.health() == [("unhealthy", "Target.Timeout"), ("healthy", None)]
    sandbox.mend_zone("us-east-1a")
    sandbox.clock.advance(seconds=40)
    assert shop.health()[0][0] == "unhealthy"
    sandbox.clock.advance(seconds=15)
    assert shop.health() == 2 * [("healthy", None)]
    assert [row["what"] for row in sandbox.history().about("Load balancing")].count("target unhealthy") == 1


def test_given_visitors_then_they_are_counted_and_keep_the_servers_busy(sandbox, shop):
    """"CloudWatch metrics for your Application Load Balancer": sums of a minute; hosts as they are."""
    first, _ = shop.servers("us-east-1a", "us-east-1b")
    shop.listen()
    sandbox.clock.advance(minutes=1)
    sandbox.set_load("shop", 30)
    sandbox.clock.advance(minutes=3)
    assert shop.metric("RequestCount", "LoadBalancer")[-1] == shop.metric("HTTPCode_Target_2XX_Count", "LoadBalancer")[-1] == 1800
    assert shop.metric("RequestCountPerTarget", "TargetGroup")[-1] == shop.metric("RequestCountPerTarget", "TargetGroup", "LoadBalancer")[-1] == 900
    assert shop.metric("HealthyHostCount", "TargetGroup", "LoadBalancer", statistic="Maximum")[-1] == 2
    cpu = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "InstanceId", "Value": first}],
        StartTime=sandbox.clock.date_at(sandbox.clock.now - 60), EndTime=sandbox.clock.date, Period=60, Statistics=["Average"])
    assert cpu["Datapoints"][0]["Average"] == pytest.approx(100 * 15 * WORK)


def test_given_no_visitors_then_there_is_no_count(sandbox, shop):
    """RequestCount: reported only when there are requests."""
    shop.servers("us-east-1a")
    shop.listen()
    sandbox.clock.advance(minutes=5)
    assert shop.metric("RequestCount", "LoadBalancer") == []


def test_given_nobody_to_serve_then_visitors_get_503(sandbox, shop):
    """"Troubleshoot your Application Load Balancers": 503, the target groups have no registered targets."""
    shop.listen()
    sandbox.set_load("shop", 10)
    sandbox.clock.advance(minutes=2)
    assert shop.metric("HTTPCode_ELB_503_Count", "LoadBalancer")[-1] == 600 and shop.metric("RequestCount", "LoadBalancer") == []


def test_given_weights_then_each_target_group_has_its_share(sandbox, shop):
    other = shop.target_group("new")
    shop.servers("us-east-1a")
    shop.servers("us-east-1b", group=other)
    shop.listen([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": shop.group, "Weight": 9}, {"TargetGroupArn": other, "Weight": 1}]}}])
    sandbox.set_load("shop", 10)
    sandbox.clock.advance(minutes=2)
    assert shop.metric("RequestCountPerTarget", "TargetGroup")[-1] == pytest.approx(540)
    assert shop.metric("RequestCountPerTarget", "TargetGroup", group=other)[-1] == pytest.approx(60)


def test_given_a_rule_that_catches_the_plain_page_then_its_group_is_used(sandbox, shop):
    other = shop.target_group("new")
    shop.servers("us-east-1a", group=other)
    listener = shop.listen()
    shop.elb.create_rule(ListenerArn=listener, Priority=1, Actions=[{"Type": "forward", "TargetGroupArn": other}],
                         Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/"]}}])
    sandbox.set_load("shop", 10)
    sandbox.clock.advance(minutes=2)
    assert shop.metric("RequestCountPerTarget", "TargetGroup", group=other)[-1] == 600
    assert shop.metric("RequestCountPerTarget", "TargetGroup") == []


def group(shop, **more):
    shop.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={
        "ImageId": IMAGE, "InstanceType": "t3.micro", "Monitoring": {"Enabled": True}})
    scaling = shop.sandbox.client("autoscaling")
    scaling.create_auto_scaling_group(AutoScalingGroupName="web", MinSize=2, MaxSize=6, LaunchTemplate={"LaunchTemplateName": "web"},
                                      VPCZoneIdentifier=",".join(shop.subnets), TargetGroupARNs=[shop.group], **more)
    return scaling


def test_given_a_group_then_its_instances_are_targets_once_they_serve(sandbox, shop):
    shop.listen()
    scaling = group(shop)
    assert shop.health() == []
    sandbox.clock.advance(minutes=2)
    assert shop.health() == 2 * [("healthy", None)]
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    sandbox.clock.advance(minutes=2)
    assert shop.health() == 3 * [("healthy", None)]
    scaling.update_auto_scaling_group(AutoScalingGroupName="web", DesiredCapacity=2)
    assert sorted(shop.health())[0] == ("draining", "Target.DeregistrationInProgress")
    sandbox.clock.advance(minutes=6)
    assert shop.health() == 2 * [("healthy", None)]


def test_given_a_target_for_requests_then_the_group_grows_with_the_visitors(sandbox, shop):
    shop.listen()
    scaling = group(shop)
    sandbox.clock.advance(minutes=2)
    scaling.put_scaling_policy(AutoScalingGroupName="web", PolicyName="requests", PolicyType="TargetTrackingScaling",
                               TargetTrackingConfiguration={"TargetValue": 600, "PredefinedMetricSpecification": {
                                   "PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": "/".join(shop.label())}})
    sandbox.set_load("shop", 38)  # 2,280 a minute: 3.8 targets' worth
    sandbox.clock.advance(minutes=15)
    assert shop.health() == 4 * [("healthy", None)]


@pytest.mark.parametrize("kind, replaced", [("EC2", False), ("ELB", True)])
def test_given_an_unhealthy_target_then_only_a_group_that_asks_the_balancer_replaces_it(sandbox, shop, kind, replaced):
    """"Health checks for instances in an Auto Scaling group": ELB health checks are asked when they are turned on."""
    shop.listen()
    scaling = group(shop, HealthCheckType=kind, HealthCheckGracePeriod=300)
    sandbox.clock.advance(minutes=2)
    target = shop.elb.describe_target_health(TargetGroupArn=shop.group)["TargetHealthDescriptions"][0]["Target"]["Id"]
    sandbox.fail_server(target)
    sandbox.clock.advance(minutes=2)
    assert ("unhealthy", "Target.ResponseCodeMismatch") in shop.health()
    sandbox.clock.advance(minutes=5)
    causes = [one["Cause"] for one in scaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"]]
    assert any("in response to an ELB system health check failure" in cause for cause in causes) == replaced


@pytest.mark.parametrize("given", [{"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5}, {"Matcher": {"HttpCode": "600"}}])
def test_given_a_health_check_that_aws_refuses_then_the_sandbox_does(shop, given):
    with pytest.raises(ClientError, match="ValidationError"):
        shop.elb.create_target_group(Name="other", Protocol="HTTP", Port=80, VpcId=shop.ec2.describe_vpcs()["Vpcs"][0]["VpcId"], **given)


def test_given_a_quiet_year_then_nothing_needs_to_be_looked_at(sandbox, shop, happened):
    shop.servers("us-east-1a", "us-east-1b")
    shop.listen()
    sandbox.clock.advance(days=365)
    assert len(happened) < 10 and shop.health() == 2 * [("healthy", None)]


def test_given_a_new_balancer_then_it_is_provisioned_first(sandbox, shop):
    def state():
        return shop.elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"]
    assert state() == "provisioning"
    sandbox.clock.advance(minutes=5)
    assert state() == "active"


def test_given_a_program_that_is_mended_then_its_target_comes_back(sandbox, shop):
    server, = shop.servers("us-east-1a")
    shop.listen()
    sandbox.fail_server(server)
    sandbox.clock.advance(minutes=1)
    assert shop.health() == [("unhealthy", "Target.ResponseCodeMismatch")]
    sandbox.mend_server(server)
    sandbox.clock.advance(minutes=1)
    assert shop.health() == [("healthy", None)]


@pytest.mark.parametrize("command, words", [("fail_server", "is no instance"), ("mend_server", "has not failed")])
def test_given_no_such_server_then_it_is_told_in_words(sandbox, shop, command, words):
    with pytest.raises(ValueError, match=words):
        getattr(sandbox, command)("i-0")


def test_given_a_balancer_then_its_hours_are_on_the_bill_until_it_is_deleted(sandbox, shop):
    sandbox.clock.advance(hours=10)
    shop.elb.delete_load_balancer(LoadBalancerArn=shop.balancer)
    sandbox.clock.advance(hours=10)
    line, = [line for line in sandbox.bill().lines if line.item == "elb:application"]
    assert line.quantity == pytest.approx(10) and line.cost == pytest.approx(0.225)
    assert "0.0225 per hour" in repr(sandbox.quote("elbv2", "create_load_balancer", Name="x"))
