"""The sandbox: one a process, the same ids for a seed, empty after a reset."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import boto3
import pytest

from kit import lab

ROOT = Path(__file__).parents[2]
ROLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}
IMAGE = "ami-03cf127a"  # one of moto's


def make_things(sandbox) -> dict:
    """Ids of many kinds, quick to make."""
    client = sandbox.client
    sqs, sns, s3 = client("sqs"), client("sns"), client("s3")
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    topic = sns.create_topic(Name="news")["TopicArn"]
    s3.create_bucket(Bucket="photos")
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    return {
        "message": sqs.send_message(QueueUrl=queue, MessageBody="x")["MessageId"],
        "receipt": sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"],
        "notification": sns.publish(TopicArn=topic, Message="x")["MessageId"],
        "object version": s3.put_object(Bucket="photos", Key="cat", Body=b"x")["VersionId"],
        "key": client("kms").create_key()["KeyMetadata"]["KeyId"],
        "hosted zone": client("route53").create_hosted_zone(Name="a.com", CallerReference="x")["HostedZone"]["Id"],
        "cluster": client("eks").create_cluster(
            name="c", roleArn="arn:aws:iam::123456789012:role/r", resourcesVpcConfig={})["cluster"]["identity"],
        "secret": client("secretsmanager").create_secret(Name="s", SecretString="x")["ARN"],
        "event": client("events").put_events(
            Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}])["Entries"][0]["EventId"],
    }


def make_machines(sandbox) -> dict:
    """And of some that moto makes much ado about."""
    client = sandbox.client
    ec2, iam = client("ec2"), client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    run = ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=2, MaxCount=2)
    iam.create_user(UserName="u")
    return {
        "VPCs": sorted(vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]),
        "subnet": ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"],
        "security group": ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"],
        "instances": [instance["InstanceId"] for instance in run["Instances"]],
        "addresses": [instance["PrivateIpAddress"] for instance in run["Instances"]],
        "volume": ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"],
        "target group": client("elbv2").create_target_group(
            Name="g", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"],
        "groups": client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        "file system": client("efs").create_file_system(CreationToken="x")["FileSystemId"],
        "role": iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]["RoleId"],
        "access key": iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"],
    }


def in_new_process(code):
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, capture_output=True, text=True,
                         env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


def test_given_a_seed_when_reset_then_ids_of_every_kind_repeat(sandbox):
    first = make_things(sandbox), make_machines(sandbox)
    sandbox.reset()
    assert (make_things(sandbox), make_machines(sandbox)) == first


def test_given_a_seed_when_in_another_process_then_ids_of_every_kind_repeat(sandbox):
    there = in_new_process(
        f"import importlib.util, json; spec = importlib.util.spec_from_file_location('t', {__file__!r}); "
        "t = importlib.util.module_from_spec(spec); spec.loader.exec_module(t); "
        "from kit import lab; print(json.dumps(t.make_things(lab.start())))")
    assert there == make_things(sandbox)


def test_given_another_seed_when_reset_then_ids_differ_until_the_first_seed_is_back(sandbox):
    def key():
        return sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]

    first = key()
    sandbox.reset(seed=2)
    second = key()
    sandbox.reset()
    assert sandbox.seed == 2 and key() == second != first
    sandbox.reset(seed=1)
    assert key() == first


def test_given_things_made_when_reset_then_all_are_gone_and_old_clients_work(sandbox):
    sqs, ec2, iam = sandbox.client("sqs"), sandbox.client("ec2"), sandbox.client("iam")
    sqs.create_queue(QueueName="orders")
    ec2.create_vpc(CidrBlock="10.9.0.0/16")
    sandbox.client("sqs", region_name="eu-west-1").create_queue(QueueName="orders")
    iam.create_user(UserName="u")
    sandbox.client("autoscaling").describe_auto_scaling_groups()
    sandbox.clock.advance(days=2)
    sandbox.reset()
    assert sandbox.clock.now == 0
    assert "QueueUrls" not in sqs.list_queues()
    assert [vpc["CidrBlock"] for vpc in ec2.describe_vpcs()["Vpcs"]] == ["172.31.0.0/16"]
    assert "QueueUrls" not in sandbox.client("sqs", region_name="eu-west-1").list_queues()
    assert iam.list_users()["Users"] == []


def test_given_cells_run_in_any_order_then_there_is_one_sandbox(sandbox):
    sandbox.client("sqs").create_queue(QueueName="orders")
    assert lab.start() is sandbox and lab.start(seed=1) is sandbox
    assert "QueueUrls" in lab.start().client("sqs").list_queues()
    sandbox.reset(seed=7)
    assert lab.start() is lab.start(seed=7) is sandbox


def test_given_a_running_sandbox_when_started_with_another_seed_then_it_says_what_to_do(sandbox):
    with pytest.raises(ValueError, match=r"sandbox\.reset\(seed=2\).*sandbox\.stop\(\)"):
        lab.start(seed=2)


def test_given_a_stopped_sandbox_when_started_again_then_it_is_fresh():
    told = in_new_process("""
import json
from kit import lab
first = lab.start(seed=5)
client = first.client("sqs")
client.create_queue(QueueName="orders")
first.clock.advance(days=1)
first.stop(); first.stop()
words = repr(first)
try:
    first.reset()
except RuntimeError as error:
    refused = str(error)
second = lab.start(seed=6)
first.stop()  # no longer concerns the second
print(json.dumps({"same": first is second, "seed": second.seed, "now": second.clock.now, "words": words,
                  "queues": second.client("sqs").list_queues().get("QueueUrls"), "refused": refused,
                  "old client": client.list_queues().get("QueueUrls")}))
""")
    assert "lab.start()" in told.pop("refused") and "stopped" in told.pop("words")
    assert told == {"same": False, "seed": 6, "now": 0, "queues": None, "old client": None}


def test_given_a_with_block_when_it_ends_then_the_sandbox_is_stopped():
    assert in_new_process("""
from kit import lab
with lab.start() as sandbox:
    client = sandbox.client("sqs")
    client.list_queues()
try:
    client.list_queues()
except lab.RealAWSBlocked:
    print("true")
""") is True


def test_given_plain_boto3_then_it_works_in_the_sandbox_too(sandbox):
    boto3.client("sqs").create_queue(QueueName="orders")
    assert boto3.client("sqs").meta.region_name == sandbox.region == "us-east-1"
    assert [queue.url for queue in sandbox.resource("sqs").queues.all()] == \
        [f"https://sqs.us-east-1.amazonaws.com/{sandbox.account_id}/orders"]
    assert boto3.client("sts").get_caller_identity()["Account"] == sandbox.account_id


def test_given_another_region_then_it_has_things_of_its_own(sandbox):
    sandbox.client("sqs").create_queue(QueueName="orders")
    assert "QueueUrls" not in sandbox.client("sqs", region_name="eu-west-1").list_queues()
    assert sandbox.resource("sqs", region_name="eu-west-1").meta.client.meta.region_name == "eu-west-1"


def test_given_what_moto_checks_only_when_told_then_it_is_checked(sandbox):
    """An unknown machine image, type or key is an error, as in AWS."""
    ec2 = sandbox.client("ec2")
    for wrong in ({"ImageId": "ami-11111111"}, {"InstanceType": "t9.giant"}, {"KeyName": "lost"}):
        with pytest.raises(ec2.exceptions.ClientError, match="ImageId|image|type|key"):
            ec2.run_instances(**{"ImageId": IMAGE, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1} | wrong)


def test_given_a_table_with_a_stream_then_plain_clients_reach_it(sandbox):
    """Endpoints that carry the account's id would not be answered: the seal turns them off."""
    sandbox.client("dynamodb").create_table(
        TableName="table", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    assert len(sandbox.client("dynamodbstreams").list_streams(TableName="table")["Streams"]) == 1


def test_it_says_what_it_is_in_words(sandbox):
    sandbox.clock.advance(hours=1)
    for text in repr(sandbox), sandbox._repr_html_():
        for part in ("without an account", "Monday 5 January 2026, 01:00:00 UTC", "3600 s", "sandbox.reset()",
                     "123456789012", "us-east-1"):
            assert part in text
    with warnings.catch_warnings(action="error"):
        assert sandbox._repr_html_().count("<") == sandbox._repr_html_().count(">")
