"""What EC2 puts on the bill: servers while they run, and what lies beside them whether they run or not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab
from kit.lab.meter import prices

LINUX, WINDOWS = "ami-760aaa0f", "ami-03cf127a"  # two of moto's
MINUTE, HOUR, MONTH = 60, 3600, 31 * 86_400  # all in January 2026


@pytest.fixture
def ec2(sandbox):
    return sandbox.client("ec2")


def launch(ec2, kind="t3.micro", image=LINUX, **more):
    return ec2.run_instances(ImageId=image, InstanceType=kind, MinCount=1, MaxCount=1, **more)["Instances"][0]["InstanceId"]


def used(sandbox, name):
    """item -> quantity of one resource."""
    return {line.item: line.quantity for line in sandbox.bill().lines if line.resource == name}


def test_given_a_launch_then_its_disk_is_billed_at_once_and_goes_on_while_it_is_stopped(sandbox, ec2):
    """Amazon EC2 User Guide, "Amazon EC2 instance state changes": no charge for usage while stopped, but for its volumes."""
    name = launch(ec2, "m5.large")
    [volume] = [one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]]
    sandbox.clock.advance(seconds=30 + HOUR)
    ec2.stop_instances(InstanceIds=[name])
    sandbox.clock.advance(seconds=HOUR)
    assert used(sandbox, name) == {"ec2:m5.large": pytest.approx(1), "ec2:public-ipv4": pytest.approx(1)}
    assert used(sandbox, volume) == {"ec2:volume:gp2": pytest.approx(8 * (2 * HOUR + 30) / MONTH)}
    assert sandbox.bill().an_hour == pytest.approx(8 * 0.10 / 730)
    ec2.terminate_instances(InstanceIds=[name])
    assert sandbox.bill().an_hour == 0


def test_given_seconds_then_a_minute_is_billed_at_each_start(sandbox, ec2):
    """ "Amazon EC2 instance state changes": a minimum of one minute each time an instance is started."""
    name = launch(ec2)
    for _ in range(2):
        sandbox.clock.advance(seconds=30 + 10)
        ec2.stop_instances(InstanceIds=[name])
        sandbox.clock.advance(minutes=5)
        ec2.start_instances(InstanceIds=[name])
    assert used(sandbox, name)["ec2:t3.micro"] == pytest.approx(2 * MINUTE / HOUR)
    sandbox.clock.advance(seconds=30 + 600)
    ec2.stop_instances(InstanceIds=[name])
    assert used(sandbox, name)["ec2:t3.micro"] == pytest.approx((2 * MINUTE + 600) / HOUR)


def test_given_windows_then_each_vcpu_costs_more_and_on_T_types_the_bill_says_what_it_does_not_know(sandbox, ec2):
    """Amazon EC2 User Guide, "Optimize CPUs for License-Included instances": Windows Server, $0.046 a vCPU-hour."""
    name, other = launch(ec2, "m5.xlarge", WINDOWS), launch(ec2, "t3.micro", WINDOWS)
    sandbox.clock.advance(seconds=30 + HOUR)
    cost = {line.item: line.cost for line in sandbox.bill().lines if line.resource == name}
    assert cost["ec2:windows"] == pytest.approx(4 * 0.046) and cost["ec2:m5.xlarge"] == pytest.approx(0.192)
    assert used(sandbox, other)["ec2:t3.micro"] == pytest.approx(1)
    assert "No price here for: 1 licence of Windows on a t3.micro; not counted." in repr(sandbox.bill())


def test_given_types_without_a_price_and_spot_then_the_bill_says_so_in_words(sandbox, ec2):
    launch(ec2, "m6a.large"), launch(ec2, "m6a.large"), launch(ec2, InstanceMarketOptions={"MarketType": "spot"})
    assert not sandbox.bill().unpriced  # they boot
    sandbox.clock.advance(hours=1)
    assert "No price here for: 2 m6a.large, 1 Spot Instance t3.micro; not counted." in repr(sandbox.bill())
    assert not any(line.item == "ec2:t3.micro" for line in sandbox.bill().lines)


def test_given_detailed_monitoring_then_seven_metrics_are_paid_and_ten_are_free(sandbox, ec2):
    launch(ec2, Monitoring={"Enabled": True}), launch(ec2, Monitoring={"Enabled": True})
    sandbox.clock.advance(seconds=30)
    sandbox.clock.advance(days=26)
    [row] = [row for row in sandbox.bill().table().rows if "detailed" in row[0]]
    assert float(row[2].split()[0]) == pytest.approx(14 * 26 / 31, rel=1e-4) and row[3] == "10"


@pytest.mark.parametrize("given, items", [
    ({"VolumeType": "gp3", "Size": 100}, {"gp3": 100}),
    ({"VolumeType": "gp3", "Size": 100, "Iops": 4000, "Throughput": 250}, {"gp3": 100, "gp3-iops": 1000, "gp3-throughput": 125}),
    ({"VolumeType": "io2", "Size": 30, "Iops": 300}, {"io2": 30, "io2-iops": 300}),
    ({"VolumeType": "st1", "Size": 500}, {"st1": 500}), ({"VolumeType": "sc1", "Size": 500}, {"sc1": 500}),
    ({"Size": 10}, {"gp2": 10})])
def test_given_a_volume_then_its_gigabytes_are_billed_until_it_is_deleted(sandbox, ec2, given, items):
    """Amazon EBS pricing, Example 1: gp3 has 3,000 IOPS and 125 MB/s for nothing."""
    name = ec2.create_volume(AvailabilityZone="us-east-1a", **given)["VolumeId"]
    sandbox.clock.advance(days=10)
    ec2.delete_volume(VolumeId=name)
    sandbox.clock.advance(days=10)
    assert used(sandbox, name) == {f"ec2:volume:{kind}": pytest.approx(n * 10 / 31) for kind, n in items.items()}
    quoted = sandbox.quote("ec2", "create_volume", AvailabilityZone="us-east-1a", **given)
    assert [float(row[1]) for row in quoted.rows] == list(items.values())


def test_given_a_volume_that_is_modified_then_each_time_has_its_own_price(sandbox, ec2):
    name = ec2.create_volume(AvailabilityZone="us-east-1a", Size=100, VolumeType="gp2")["VolumeId"]
    sandbox.clock.advance(days=3)
    ec2.modify_volume(VolumeId=name, VolumeType="gp3", Size=200)
    sandbox.clock.advance(days=3)
    assert used(sandbox, name) == {"ec2:volume:gp2": pytest.approx(100 * 3 / 31), "ec2:volume:gp3": pytest.approx(200 * 3 / 31)}


def test_given_snapshots_of_one_volume_then_unchanged_blocks_are_billed_once(sandbox, ec2):
    """AWS whitepaper "AWS Storage Services Overview", Cost Model: snapshots are incremental; charged for what is stored."""
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=50)["VolumeId"]
    first, second = (ec2.create_snapshot(VolumeId=volume)["SnapshotId"] for _ in range(2))
    ec2.delete_volume(VolumeId=volume)
    sandbox.clock.advance(days=5)
    ec2.delete_snapshot(SnapshotId=first)
    sandbox.clock.advance(days=5)
    ec2.delete_snapshot(SnapshotId=second)
    sandbox.clock.advance(days=5)
    for name in (first, second):
        assert used(sandbox, name) == {"ec2:snapshot": pytest.approx(50 * 5 / 31)}
    assert sum(line.cost for line in sandbox.bill().lines if line.item == "ec2:snapshot") == pytest.approx(0.05 * 50 * 10 / 31)


def test_given_an_elastic_address_then_it_is_billed_idle_and_in_use_and_never_beside_the_servers_own(sandbox, ec2):
    """AWS blog "Identify and optimize public IPv4 address usage on AWS": idle ones cost as much as those in use."""
    name, address = launch(ec2), ec2.allocate_address(Domain="vpc")["AllocationId"]
    sandbox.clock.advance(seconds=30 + HOUR)
    link = ec2.associate_address(InstanceId=name, AllocationId=address)["AssociationId"]
    sandbox.clock.advance(seconds=HOUR)
    ec2.stop_instances(InstanceIds=[name])
    sandbox.clock.advance(seconds=HOUR)
    ec2.start_instances(InstanceIds=[name])
    sandbox.clock.advance(seconds=30)
    ec2.disassociate_address(AssociationId=link)
    sandbox.clock.advance(seconds=HOUR)
    ec2.release_address(AllocationId=address)
    sandbox.clock.advance(seconds=HOUR)
    own = used(sandbox, name)["ec2:public-ipv4"]
    assert used(sandbox, address) == {"ec2:public-ipv4": pytest.approx(1), "ec2:public-ipv4-idle": pytest.approx(3 + MINUTE / HOUR)}
    assert own == pytest.approx(3)  # before, and after the address was taken away


def test_given_a_nat_gateway_then_it_and_its_address_are_billed_until_it_is_deleted(sandbox, ec2):
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    name = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    assert sandbox.bill().forgotten == pytest.approx(720 * (0.045 + 0.005))
    assert f"what runs now costs ${720 * 0.05:.2f} more" in repr(sandbox.bill())
    sandbox.clock.advance(hours=10)
    ec2.delete_nat_gateway(NatGatewayId=name)
    sandbox.clock.advance(hours=10)
    assert used(sandbox, name) == {"ec2:nat-gateway": pytest.approx(10)} and used(sandbox, address) == {
        "ec2:public-ipv4": pytest.approx(20)}


def test_given_something_dear_without_a_price_then_the_bill_says_so(sandbox, ec2):
    ec2.allocate_hosts(AvailabilityZone="us-east-1a", InstanceType="m5.large", Quantity=1)
    assert "No price here for: 1 Dedicated Host; not counted." in repr(sandbox.bill())


def test_given_images_of_AWS_then_their_disks_and_snapshots_are_not_yours(sandbox, ec2):
    ec2.describe_images()
    sandbox.clock.advance(days=1)
    assert not sandbox.bill().lines


def test_given_a_stack_then_what_it_makes_is_billed_too(sandbox, ec2):
    ec2.describe_volumes()  # EC2 is awake
    template = '{"Resources": {"Disk": {"Type": "AWS::EC2::Volume", "Properties": {"AvailabilityZone": "us-east-1a", "Size": 20}}}}'
    sandbox.client("cloudformation").create_stack(StackName="s", TemplateBody=template)
    sandbox.clock.advance(days=1)
    assert [line.quantity for line in sandbox.bill().lines if line.item == "ec2:volume:gp2"] == [pytest.approx(20 / 31)]


def test_given_a_launch_to_be_quoted_then_the_quote_is_what_the_bill_says_an_hour(sandbox, ec2):
    given = {"ImageId": WINDOWS, "InstanceType": "m5.large", "MinCount": 2, "MaxCount": 2, "Monitoring": {"Enabled": True},
             "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 50, "VolumeType": "gp3"}}]}
    quoted = sandbox.quote("ec2", "run_instances", **given)
    ec2.run_instances(**given)
    sandbox.clock.advance(minutes=1)
    assert {row[0]: float(row[1]) for row in quoted.rows} == {
        "m5.large, On-Demand": 2, "Windows, for each vCPU (not T types)": 4, "a custom or detailed-monitoring metric": 14,
        "a public IPv4 address": 2, "a gp3 volume": 100}
    assert sum(float(row[3].lstrip("$")) for row in quoted.rows) == pytest.approx(sandbox.bill().an_hour, abs=3e-4)


def test_given_a_type_without_a_price_then_the_quote_says_so(sandbox):
    rows = sandbox.quote("ec2", "run_instances", InstanceType="m6a.large", MaxCount=1).rows
    assert rows[0][:3] == ["m6a.large", "1", "no price here"] and rows[1][0] == "a public IPv4 address"


def test_given_a_group_to_be_quoted_then_its_servers_are(sandbox, ec2):
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": LINUX, "InstanceType": "m7g.large"})
    given = {"AutoScalingGroupName": "g", "MinSize": 2, "MaxSize": 9, "LaunchTemplate": {"LaunchTemplateName": "web", "Version": "1"}}
    rows = sandbox.quote("autoscaling", "create_auto_scaling_group", **given).rows
    assert rows[0][:2] == ["m7g.large, On-Demand", "2"] and rows[0][3:] == ["$0.1632", "$117.50"]
    assert sandbox.quote("autoscaling", "create_auto_scaling_group", **given | {"DesiredCapacity": 5}).rows[0][1] == "5"


def test_given_addresses_gateways_and_snapshots_then_they_can_be_quoted(sandbox, ec2):
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=50)["VolumeId"]
    assert sandbox.quote("ec2", "allocate_address").rows[0][4] == "$3.60"
    assert sandbox.quote("ec2", "create_nat_gateway", SubnetId="s").rows[0][4] == "$32.40"
    assert sandbox.quote("ec2", "create_snapshot", VolumeId=volume).rows[0][1] == "50"


STORY = st.lists(st.tuples(st.sampled_from(["launch", "stop", "start", "end", "volume", "delete", "address", "release", "look"]),
                           st.integers(0, 5), st.integers(0, 90)), max_size=14)


@settings(max_examples=12)
@given(STORY)
def test_the_bill_of_any_story_is_the_integral_of_what_boto3_shows(story):
    """Looked at by describe calls after each step: sum of price times time. Steps are whole minutes, all in one month."""
    sandbox = lab.start()
    sandbox.reset(seed=1)
    ec2, items, expected = sandbox.client("ec2"), prices()["items"], 0.0

    def rate():
        """US dollars a second, from boto3's answers alone; a month has 744 hours."""
        a_second = 0.0
        for one in (one for group in ec2.describe_instances()["Reservations"] for one in group["Instances"]):
            if one["State"]["Name"] == "running":
                a_second += (items[f"ec2:{one['InstanceType']}"]["price"] + items["ec2:public-ipv4"]["price"]) / HOUR
        for one in ec2.describe_volumes()["Volumes"]:
            a_second += one["Size"] * items[f"ec2:volume:{one['VolumeType']}"]["price"] / MONTH
        return a_second + len(ec2.describe_addresses()["Addresses"]) * items["ec2:public-ipv4"]["price"] / HOUR

    def states(*wanted):
        return [one["InstanceId"] for group in ec2.describe_instances()["Reservations"] for one in group["Instances"]
                if one["State"]["Name"] in wanted]

    for what, number, minutes in story:
        running, stopped = states("running"), states("stopped")
        volumes = [one["VolumeId"] for one in ec2.describe_volumes()["Volumes"] if not one["Attachments"]]
        addresses = [one["AllocationId"] for one in ec2.describe_addresses()["Addresses"]]
        if what == "launch":
            launch(ec2, ["t3.micro", "m5.large"][number % 2])
        elif what == "stop" and running:
            ec2.stop_instances(InstanceIds=[running[number % len(running)]])
        elif what == "start" and stopped:
            ec2.start_instances(InstanceIds=[stopped[number % len(stopped)]])
        elif what == "end" and running + stopped:
            ec2.terminate_instances(InstanceIds=[(running + stopped)[number % len(running + stopped)]])
        elif what == "volume":
            ec2.create_volume(AvailabilityZone="us-east-1a", Size=10 * (number + 1), VolumeType=["gp2", "gp3", "st1"][number % 3])
        elif what == "delete" and volumes:
            ec2.delete_volume(VolumeId=volumes[number % len(volumes)])
        elif what == "address":
            ec2.allocate_address(Domain="vpc")
        elif what == "release" and addresses:
            ec2.release_address(AllocationId=addresses[number % len(addresses)])
        elif what == "look":
            sandbox.bill()
        for seconds in (30, 30, MINUTE * (minutes + 1)):  # states change after 30 s and 60 s
            expected += rate() * seconds
            sandbox.clock.advance(seconds=seconds)
    assert sandbox.bill().total == pytest.approx(expected, abs=1e-9)
