"""In the sandbox every call is decided by the model, with the policies written through boto3."""

import json

import pytest
from botocore.exceptions import ClientError

from kit import lab

IMAGE = "ami-03cf127a"  # one of moto's
ACCOUNT = "123456789012"


def allow(actions, resource="*", effect="Allow", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": resource, **more}]})


@pytest.fixture
def sandbox():
    sandbox = lab.start()
    sandbox.reset(seed=1)
    sandbox.client("iam").create_user(UserName="ada")
    sandbox.client("s3").create_bucket(Bucket="photos")
    sandbox.client("s3").put_object(Bucket="photos", Key="cat", Body=b"miau")
    yield sandbox
    sandbox.reset(seed=1)


@pytest.fixture
def may(sandbox):
    def may(document, name="p"):
        sandbox.client("iam").put_user_policy(UserName="ada", PolicyName=name, PolicyDocument=document)
    return may


def read(who):
    return who.client("s3").get_object(Bucket="photos", Key="cat")["Body"].read()


def test_given_no_keys_then_one_is_the_root_user(sandbox):
    assert sandbox.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_given_a_user_without_policies_then_all_is_refused_in_awss_words(sandbox):
    """IAM User Guide, "Troubleshoot access denied error messages"."""
    with pytest.raises(ClientError) as refused:
        read(sandbox.as_user("ada"))
    error = refused.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    assert error["Message"] == (f"User: arn:aws:iam::{ACCOUNT}:user/ada is not authorized to perform: s3:GetObject on resource: "
                                "arn:aws:s3:::photos/cat because no identity-based policy allows the s3:GetObject action")
    assert "No identity policy allows it" in sandbox.why()


def test_given_a_policy_then_what_it_allows_works_and_no_more(sandbox, may):
    may(allow("s3:GetObject", "arn:aws:s3:::photos/*"))
    assert read(sandbox.as_user("ada")) == b"miau"
    with pytest.raises(ClientError, match="s3:PutObject"):
        sandbox.as_user("ada").client("s3").put_object(Bucket="photos", Key="dog", Body=b"")
    assert "dog" not in str(sandbox.client("s3").list_objects_v2(Bucket="photos"))


def test_given_an_explicit_deny_then_the_message_says_so(sandbox, may):
    may(allow("s3:*"))
    may(allow("s3:GetObject", effect="Deny"), "no")
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        read(sandbox.as_user("ada"))


@pytest.mark.parametrize("condition, allowed", [
    ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
    ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, True),
    ({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, False),
    ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
    ({"DateLessThan": {"aws:CurrentTime": "2026-01-05T12:00:00Z"}}, True),
])
def test_conditions_count(sandbox, may, condition, allowed):
    may(allow("s3:GetObject", Condition=condition))
    if allowed:
        assert read(sandbox.as_user("ada")) == b"miau"
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            read(sandbox.as_user("ada"))


def test_given_a_date_when_the_clock_passes_it_then_access_ends(sandbox, may):
    may(allow("s3:GetObject", Condition={"DateLessThan": {"aws:CurrentTime": "2026-01-05T12:00:00Z"}}))
    sandbox.clock.advance(hours=13)
    with pytest.raises(ClientError, match="AccessDenied"):
        read(sandbox.as_user("ada"))


def test_given_a_bucket_policy_then_it_is_enough_within_the_account(sandbox):
    sandbox.client("s3").put_bucket_policy(Bucket="photos", Policy=allow("s3:GetObject", "arn:aws:s3:::photos/*", Principal={
        "AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}))
    assert read(sandbox.as_user("ada")) == b"miau"


def test_given_a_group_then_its_policies_are_the_users(sandbox):
    iam = sandbox.client("iam")
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=allow("s3:GetObject"))
    iam.add_user_to_group(GroupName="readers", UserName="ada")
    assert read(sandbox.as_user("ada")) == b"miau"


def test_given_awss_own_policy_then_it_can_be_attached(sandbox):
    sandbox.client("iam").attach_user_policy(UserName="ada", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert read(sandbox.as_user("ada")) == b"miau"


def test_given_a_boundary_then_it_limits_what_policies_grant(sandbox, may):
    iam, may_all = sandbox.client("iam"), allow("*")
    may(may_all)
    arn = iam.create_policy(PolicyName="only-sqs", PolicyDocument=allow("sqs:*"))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="ada", PermissionsBoundary=arn)
    assert iam.get_user(UserName="ada")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    with pytest.raises(ClientError, match="because no permissions boundary allows"):
        read(sandbox.as_user("ada"))
    iam.delete_user_permissions_boundary(UserName="ada")
    assert read(sandbox.as_user("ada")) == b"miau"


def keys_of(pair):
    return {"aws_access_key_id": pair["AccessKeyId"], "aws_secret_access_key": pair["SecretAccessKey"],
            "aws_session_token": pair.get("SessionToken")}


def test_given_access_keys_then_they_stand_for_their_user_until_switched_off(sandbox):
    iam = sandbox.client("iam")
    pair = iam.create_access_key(UserName="ada")["AccessKey"]
    client = sandbox.client("sts", **keys_of(pair))
    assert client.get_caller_identity()["Arn"].endswith("user/ada")
    iam.update_access_key(UserName="ada", AccessKeyId=pair["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        client.get_caller_identity()


def test_given_a_role_then_trust_and_time_decide(sandbox, may):
    """STS API Reference, "AssumeRole": one hour unless asked for; a root user cannot."""
    iam, sts = sandbox.client("iam"), sandbox.as_user("ada").client("sts")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                     "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}}]}
    arn = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=allow("s3:GetObject"))
    with pytest.raises(ClientError, match="Roles may not be assumed by root accounts"):
        sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    pair = sts.assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    s3 = sandbox.client("s3", **keys_of(pair))
    assert s3.get_object(Bucket="photos", Key="cat")["Body"].read() == b"miau"
    sandbox.clock.advance(minutes=61)
    with pytest.raises(ClientError, match="ExpiredToken"):
        s3.get_object(Bucket="photos", Key="cat")
    iam.update_assume_role_policy(RoleName="reader", PolicyDocument=json.dumps(trust).replace("user/ada", "root"))
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=arn, RoleSessionName="me")


def test_given_a_session_policy_then_it_narrows_the_role(sandbox):
    iam = sandbox.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                     "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}}]}
    arn = iam.create_role(RoleName="all", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="all", PolicyName="p", PolicyDocument=allow("*"))
    pair = sandbox.as_user("ada").client("sts").assume_role(RoleArn=arn, RoleSessionName="me", Policy=allow("sqs:*"))["Credentials"]
    sandbox.client("sqs", **keys_of(pair)).list_queues()
    with pytest.raises(ClientError, match="because no session policy allows"):
        sandbox.client("s3", **keys_of(pair)).list_buckets()


@pytest.mark.parametrize("service, call, code", [
    ("ec2", lambda c: c.describe_instances(), "UnauthorizedOperation"),
    ("dynamodb", lambda c: c.list_tables(), "AccessDeniedException"), ("sqs", lambda c: c.list_queues(), "AccessDenied"),
    ("sns", lambda c: c.list_topics(), "AuthorizationError"),
    ("lambda", lambda c: c.list_functions(), "AccessDeniedException"), ("iam", lambda c: c.list_users(), "AccessDenied"),
])
def test_each_service_refuses_with_its_own_code(sandbox, service, call, code):
    with pytest.raises(ClientError) as refused:
        call(sandbox.as_user("ada").client(service))
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_given_tags_then_a_user_stops_only_their_own_servers(sandbox, may):
    ec2 = sandbox.client("ec2")
    mine, other = (ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "owner", "Value": name}]}])["Instances"][0]["InstanceId"] for name in ("ada", "bo"))
    sandbox.clock.advance(minutes=5)
    may(allow("ec2:StopInstances", Condition={"StringEquals": {"ec2:ResourceTag/owner": "${aws:username}"}}))
    sandbox.as_user("ada").client("ec2").stop_instances(InstanceIds=[mine])
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        sandbox.as_user("ada").client("ec2").stop_instances(InstanceIds=[other])


def test_given_a_question_then_simulate_principal_policy_answers_from_the_model(sandbox, may):
    may(allow("s3:Get*"))
    results = sandbox.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/ada", ActionNames=["s3:GetObject", "s3:PutObject"])["EvaluationResults"]
    assert [one["EvalDecision"] for one in results] == ["allowed", "implicitDeny"]


def test_given_no_such_user_then_the_sandbox_says_so(sandbox):
    with pytest.raises(ClientError, match="The user with name bob cannot be found"):
        sandbox.as_user("bob").client("s3").list_buckets()


def under(condition):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}]})


def test_given_a_condition_on_mfa_then_only_a_session_with_a_code_meets_it(sandbox):
    """"AWS global condition context keys", aws:MultiFactorAuthPresent: in temporary credentials only."""
    iam = sandbox.client("iam")
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=under({"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    pair = iam.create_access_key(UserName="ada")["AccessKey"]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(UserName="ada", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321")
    sts = sandbox.client("sts", **keys_of(pair))
    without, with_code = sts.get_session_token(), sts.get_session_token(SerialNumber=device, TokenCode="123456")
    for keys in (keys_of(pair), keys_of(without["Credentials"])):
        with pytest.raises(ClientError, match="AccessDenied"):
            sandbox.client("sqs", **keys).list_queues()
    sandbox.client("sqs", **keys_of(with_code["Credentials"])).list_queues()
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=under({"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}))
    sandbox.client("sqs", **keys_of(with_code["Credentials"])).list_queues()
    sandbox.clock.advance(minutes=2)
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox.client("sqs", **keys_of(with_code["Credentials"])).list_queues()


@pytest.mark.parametrize("condition, region, allowed", [
    ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, "eu-west-1", True),
    ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, "us-east-1", False),
    ({"StringLike": {"aws:UserAgent": "Boto3/*"}}, "us-east-1", True),
    ({"Bool": {"aws:ViaAWSService": "true"}}, "us-east-1", False)])
def test_given_a_condition_on_the_call_itself_then_it_is_known(sandbox, condition, region, allowed):
    sandbox.client("iam").put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=under(condition))
    dynamodb = sandbox.as_user("ada").client("dynamodb", region_name=region)
    if allowed:
        dynamodb.list_tables()
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.list_tables()


def test_given_a_global_service_then_its_region_is_us_east_1(sandbox):
    """aws:RequestedRegion: IAM has one endpoint, in us-east-1, whatever the client's Region."""
    sandbox.client("iam").put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=under(
        {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}))
    sandbox.as_user("ada").client("iam", region_name="eu-west-1").list_users()
