"""CloudTrail in the sandbox: who did what is on record, log files land in a bucket, and tampering shows."""

import gzip
import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from kit import lab
from kit.monitoring.trail_lab import validate_logs

ACCOUNT, IMAGE, BUCKET = "123456789012", "ami-03cf127a", "trail-bucket"


@pytest.fixture
def sandbox():
    sandbox = lab.start()
    sandbox.reset(seed=1)
    yield sandbox
    sandbox.reset(seed=1)


@pytest.fixture
def ct(sandbox):
    return sandbox.client("cloudtrail")


def bucket_policy(prefix="", bucket=BUCKET, source=None):
    """CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail"."""
    service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    condition = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **({"aws:SourceArn": source} if source else {})}}
    return json.dumps({"Version": "2012-10-17", "Statement": [
        service | {"Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
        service | {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/{prefix}AWSLogs/{ACCOUNT}/*", "Condition": condition}]})


def make_bucket(sandbox, **more):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy(**more))


@pytest.fixture
def trail(sandbox, ct):
    """A function that makes a trail named audit and lets it log."""
    def trail(**more):
        make_bucket(sandbox)
        ct.create_trail(Name="audit", S3BucketName=BUCKET, **more)
        ct.start_logging(Name="audit")
    return trail


def keys(sandbox, part="/CloudTrail/"):
    found = sandbox.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return [one["Key"] for one in found if part in one["Key"]]


def read(sandbox, key):
    return json.loads(gzip.decompress(sandbox.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()))


def delivered(sandbox, part="/CloudTrail/"):
    """The events in the log files, in the order of the files."""
    return [event for key in keys(sandbox, part) for event in read(sandbox, key)["Records"]]


def names(events):
    return [event["eventName"] for event in events]


def look(ct, **attribute):
    attributes = [{"AttributeKey": key, "AttributeValue": value} for key, value in attribute.items()]
    return ct.lookup_events(LookupAttributes=attributes)["Events"] if attributes else ct.lookup_events()["Events"]


def details(event):
    return json.loads(event["CloudTrailEvent"])


def let(sandbox, user, *actions):
    iam = sandbox.client("iam")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))


# the event history


def test_given_calls_before_anybody_asked_then_the_history_has_them_newest_first(sandbox, ct):
    """API Reference, "LookupEvents"."""
    sandbox.client("sqs").create_queue(QueueName="orders")
    sandbox.clock.advance(minutes=5)
    sandbox.client("ec2").create_key_pair(KeyName="mine")
    events = look(ct)
    assert [event["EventName"] for event in events] == ["CreateKeyPair", "CreateQueue"]
    assert [event["EventTime"] for event in events] == [sandbox.clock.date, sandbox.clock.date_at(0)]
    assert events[0]["EventSource"] == "ec2.amazonaws.com" and events[0]["Username"] == "root"
    assert details(events[0])["userIdentity"] == {
        "type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}


def test_given_a_server_that_is_gone_then_one_finds_who_ended_it(sandbox, ct):
    let(sandbox, "ada", "ec2:*")
    ec2 = sandbox.as_user("ada").client("ec2")
    server = sandbox.client("ec2").run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[server])
    events = look(ct, ResourceName=server)
    assert [(event["EventName"], event["Username"]) for event in events] == [("TerminateInstances", "ada"), ("RunInstances", "root")]
    assert {"ResourceType": "AWS::EC2::Instance", "ResourceName": server} in events[0]["Resources"]


def test_given_a_refused_call_then_it_is_on_record_as_refused(sandbox, ct):
    """User Guide, "CloudTrail record contents": errorCode and errorMessage."""
    let(sandbox, "ada", "s3:*")
    with pytest.raises(ClientError):
        sandbox.as_user("ada").client("iam").delete_user(UserName="ada")
    with pytest.raises(ClientError):
        sandbox.as_user("ada").client("ec2").describe_instances()
    with pytest.raises(ClientError):
        sandbox.client("iam").get_user(UserName="nobody")
    with pytest.raises(ClientError):
        sandbox.as_user("ada").client("dynamodb").list_tables()
    tables, unknown, ec2, iam = map(details, look(ct)[:4])
    assert tables["errorCode"] == "AccessDenied"  # boto3 gets DynamoDB's AccessDeniedException
    assert (iam["errorCode"], ec2["errorCode"]) == ("AccessDenied", "Client.UnauthorizedOperation")
    assert "not authorized to perform: iam:DeleteUser" in iam["errorMessage"] and iam["responseElements"] is None
    assert unknown["errorCode"] == "NoSuchEntity" and unknown["userIdentity"]["type"] == "Root"


def test_given_a_call_that_never_left_boto3_then_it_is_not_on_record(sandbox, ct):
    with pytest.raises(ParamValidationError):
        sandbox.client("sqs").create_queue(Name="wrong")
    with pytest.raises(ParamValidationError):
        ct.create_trail(S3BucketName=BUCKET)
    assert look(ct) == []


def test_given_a_role_then_its_session_is_on_record(sandbox, ct):
    """User Guide, "CloudTrail userIdentity element"."""
    let(sandbox, "ada", "sts:AssumeRole")
    role = sandbox.client("iam").create_role(RoleName="admin", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
            "AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}}]}))["Role"]["Arn"]
    sandbox.client("iam").put_role_policy(RoleName="admin", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}))
    pair = sandbox.as_user("ada").client("sts").assume_role(RoleArn=role, RoleSessionName="morning")["Credentials"]
    sandbox.clock.advance(minutes=10)
    sandbox.client("sqs", aws_access_key_id=pair["AccessKeyId"], aws_secret_access_key=pair["SecretAccessKey"],
                   aws_session_token=pair["SessionToken"]).create_queue(QueueName="q")
    event = look(ct, AccessKeyId=pair["AccessKeyId"])[0]
    identity = details(event)["userIdentity"]
    assert (event["EventName"], event["Username"], identity["type"]) == ("CreateQueue", "morning", "AssumedRole")
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "admin"
    assert identity["sessionContext"]["attributes"]["creationDate"] == "2026-01-05T00:00:00Z"


def test_given_secrets_then_they_are_hidden(sandbox, ct):
    iam = sandbox.client("iam")
    iam.create_user(UserName="ada")
    iam.create_login_profile(UserName="ada", Password="Sup3r-secret!")
    secret = iam.create_access_key(UserName="ada")["AccessKey"]["SecretAccessKey"]
    sandbox.client("ssm").put_parameter(Name="token", Type="SecureString", Value="hush-hush")
    shown = "".join(event["CloudTrailEvent"] for event in look(ct))
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" in shown
    assert not any(word in shown for word in ("Sup3r-secret!", secret, "hush-hush"))


def test_given_data_events_then_the_history_leaves_them_out(sandbox, ct):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="cat", Body=b"miau")
    sandbox.client("cloudwatch").put_metric_data(Namespace="shop", MetricData=[{"MetricName": "m", "Value": 1}])
    assert [event["EventName"] for event in look(ct)] == ["CreateBucket"]


def test_given_another_region_then_its_history_is_its_own_and_iams_is_in_virginia(sandbox, ct):
    sandbox.client("sqs", region_name="eu-west-1").create_queue(QueueName="q")
    sandbox.client("iam", region_name="eu-west-1").create_user(UserName="ada")
    there = sandbox.client("cloudtrail", region_name="eu-west-1")
    assert [event["EventName"] for event in look(there)] == ["CreateQueue"]
    assert [event["EventName"] for event in look(ct)] == ["CreateUser"]


def test_given_many_events_then_pages_lead_through_all_though_each_page_is_a_call_itself(sandbox, ct):
    for number in range(7):
        sandbox.client("sqs").create_queue(QueueName=f"q{number}")
    pages = ct.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 3})
    assert [details(event)["requestParameters"]["queueName"] for page in pages for event in page["Events"]] == [
        f"q{number}" for number in reversed(range(7))]


@pytest.mark.parametrize("given, code", [
    ({"MaxResults": 51}, "InvalidMaxResultsException"), ({"NextToken": "made-up"}, "InvalidNextTokenException"),
    ({"EventCategory": "other"}, "InvalidEventCategoryException"),
    ({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "A"}, {"AttributeKey": "EventId", "AttributeValue": "1"}]},
     "InvalidLookupAttributesException")])
def test_given_a_question_that_cannot_be_then_it_is_refused(ct, given, code):
    with pytest.raises(ClientError) as refused:
        ct.lookup_events(**given)
    assert refused.value.response["Error"]["Code"] == code


def test_given_times_then_only_events_between_them_are_found_for_ninety_days(sandbox, ct):
    sqs = sandbox.client("sqs")
    for name in ("a", "b", "c"):
        sqs.create_queue(QueueName=name)
        sandbox.clock.advance(hours=1)
    at = sandbox.clock.date_at
    found = ct.lookup_events(StartTime=at(1800), EndTime=at(5400))["Events"]
    assert [details(event)["requestParameters"]["queueName"] for event in found] == ["b"]
    with pytest.raises(ct.exceptions.InvalidTimeRangeException):
        ct.lookup_events(StartTime=at(9), EndTime=at(1))
    sandbox.clock.advance(days=91)
    assert look(ct, EventName="CreateQueue") == []


# what a handler and services do


CODE = """
import boto3
def handler(event, context):
    boto3.client("sqs").create_queue(QueueName="by-code")
"""


@pytest.fixture
def function(sandbox):
    iam = sandbox.client("iam")
    role = iam.create_role(RoleName="fn", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName="fn", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", CODE)
    sandbox.client("lambda").create_function(FunctionName="f", Runtime="python3.12", Role=role, Handler="app.handler",
                                             Code={"ZipFile": packed.getvalue()})
    return role


def test_given_a_handler_that_calls_aws_then_its_role_is_on_record(sandbox, ct, function):
    sandbox.client("lambda").invoke(FunctionName="f")
    event = look(ct, EventName="CreateQueue")[0]
    assert details(event)["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == function
    assert details(look(ct, EventName="CreateFunction")[0])["requestParameters"]["code"] == {}  # the zip file is not on record


def test_given_what_the_sandbox_does_by_itself_then_it_is_not_on_record(sandbox, ct):
    sandbox.life.clock.after(5, lambda: sandbox.life.client("sqs").create_queue(QueueName="inner"))
    sandbox.life.clock.after(6, lambda: sandbox.life.client("sqs", by="events.amazonaws.com").create_queue(QueueName="outer"))
    sandbox.clock.advance(seconds=10)
    event, = look(ct)
    assert details(event)["requestParameters"] == {"queueName": "outer"} and event["Username"] == "events.amazonaws.com"
    assert details(event)["sourceIPAddress"] == "events.amazonaws.com"


# trails


def test_given_a_trail_that_has_delivered_nothing_then_its_status_says_so(sandbox, ct, trail):
    """API Reference, "GetTrailStatus": moto alone calls every moment a delivery."""
    trail()
    assert "LatestDeliveryTime" not in ct.get_trail_status(Name="audit")
    ct.stop_logging(Name="audit")
    sandbox.clock.advance(minutes=5)
    assert names(delivered(sandbox)) == ["GetTrailStatus", "StopLogging"]


def test_given_a_trail_when_calls_are_made_then_a_file_lands_after_five_minutes(sandbox, ct, trail):
    """User Guide, "CloudTrail log file name format"."""
    trail()
    sandbox.client("sqs").create_queue(QueueName="orders")
    sandbox.clock.advance(minutes=4)
    assert keys(sandbox) == []
    sandbox.clock.advance(minutes=1)
    key, = keys(sandbox)
    assert key.startswith(f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/01/05/{ACCOUNT}_CloudTrail_us-east-1_20260105T0005Z_")
    assert names(delivered(sandbox)) == ["CreateQueue"]
    status = ct.get_trail_status(Name="audit")
    assert status["IsLogging"] and status["LatestDeliveryTime"] == sandbox.clock.date_at(300)
    assert status["StartLoggingTime"] == sandbox.clock.date_at(0)
    assert "log file delivered" in sandbox.history()["what"]


def test_given_a_trail_that_stops_then_the_stop_is_the_last_thing_on_record(sandbox, ct, trail):
    trail()
    sandbox.client("sqs").create_queue(QueueName="a")
    ct.stop_logging(Name="audit")
    sandbox.client("sqs").create_queue(QueueName="b")
    sandbox.clock.advance(minutes=10)
    assert names(delivered(sandbox)) == ["CreateQueue", "StopLogging"]
    assert ct.get_trail_status(Name="audit")["StopLoggingTime"] == sandbox.clock.date_at(0)
    ct.start_logging(Name="audit")
    sandbox.client("sqs").create_queue(QueueName="c")
    sandbox.clock.advance(minutes=5)
    assert delivered(sandbox)[-1]["requestParameters"] == {"queueName": "c"}


def test_given_selectors_then_they_choose_and_data_events_come_when_asked_for(sandbox, ct, trail):
    """API Reference, "PutEventSelectors", "DataResource"."""
    trail()
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="photos")
    ct.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": False, "DataResources": [
        {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::photos/"]}]}])
    sandbox.clock.advance(minutes=5)
    before = len(delivered(sandbox))
    s3.put_object(Bucket="photos", Key="cat", Body=b"miau")
    s3.get_object(Bucket="photos", Key="cat")
    s3.put_object(Bucket=BUCKET, Key="other", Body=b"x")
    sandbox.clock.advance(minutes=5)
    event, = delivered(sandbox)[before:]
    assert event["eventName"] == "PutObject" and event["eventCategory"] == "Data"
    assert event["requestParameters"] == {"bucketName": "photos", "key": "cat"}
    assert event["resources"][0]["ARN"] == "arn:aws:s3:::photos/cat"
    assert ct.get_trail(Name="audit")["Trail"]["HasCustomEventSelectors"]


def test_given_advanced_selectors_then_an_invocation_is_on_record_without_its_payload(sandbox, ct, trail, function):
    trail()
    ct.put_event_selectors(TrailName="audit", AdvancedEventSelectors=[{"FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]}]}])
    sandbox.clock.advance(minutes=5)
    sandbox.client("lambda").invoke(FunctionName="f", Payload=b'{"secret": "x"}')
    sandbox.clock.advance(minutes=5)
    event = delivered(sandbox)[-1]
    assert event["eventName"] == "Invoke" and event["resources"][0]["ARN"].endswith(":function:f")
    assert event["requestParameters"] == {"functionName": "f"} and "payload" not in (event["responseElements"] or {})
    ct.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "All"}])
    assert not ct.get_event_selectors(TrailName="audit")["AdvancedEventSelectors"]


def test_given_selectors_that_cannot_be_then_the_model_refuses_them(ct, trail):
    trail()
    assert ct.get_event_selectors(TrailName="audit")["EventSelectors"][0]["ReadWriteType"] == "All"
    with pytest.raises(ct.exceptions.InvalidEventSelectorsException, match="advanced event selector"):
        ct.put_event_selectors(TrailName="audit", EventSelectors=[{"DataResources": [{"Type": "AWS::SQS::Queue", "Values": ["arn:aws:sqs"]}]}])


@pytest.mark.parametrize("regions, expected", [(False, ["CreateUser"]), (True, ["CreateUser", "CreateQueue"])])
def test_given_one_region_or_all_then_the_trail_sees_as_much(sandbox, ct, trail, regions, expected):
    trail(IsMultiRegionTrail=regions)
    sandbox.client("sqs", region_name="us-west-2").create_queue(QueueName="q")
    sandbox.client("iam").create_user(UserName="ada")
    sandbox.clock.advance(minutes=5)
    assert names(delivered(sandbox)) == expected


@pytest.mark.parametrize("policy", [None, bucket_policy(source=f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/another"), bucket_policy("logs/")])
def test_given_a_bucket_that_does_not_let_cloudtrail_write_then_there_is_no_trail(sandbox, ct, policy):
    """User Guide, "Amazon S3 bucket policy for CloudTrail": the policy names service, bucket, prefix and account."""
    sandbox.client("s3").create_bucket(Bucket=BUCKET)
    if policy:
        sandbox.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy)
    with pytest.raises(ct.exceptions.InsufficientS3BucketPolicyException, match=f"for bucket: {BUCKET}"):
        ct.create_trail(Name="audit", S3BucketName=BUCKET)


def test_given_a_prefix_and_a_source_then_the_policy_may_be_as_narrow(sandbox, ct):
    make_bucket(sandbox, prefix="logs/", source=f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit")
    ct.create_trail(Name="audit", S3BucketName=BUCKET, S3KeyPrefix="logs")
    ct.start_logging(Name="audit")
    sandbox.client("sqs").create_queue(QueueName="q")
    sandbox.clock.advance(minutes=5)
    assert keys(sandbox)[0].startswith(f"logs/AWSLogs/{ACCOUNT}/CloudTrail/")


def test_given_a_policy_that_is_taken_away_later_then_the_trail_says_that_it_fails(sandbox, ct, trail):
    trail()
    sandbox.client("s3").delete_bucket_policy(Bucket=BUCKET)
    sandbox.clock.advance(minutes=5)
    assert keys(sandbox) == [] and ct.get_trail_status(Name="audit")["LatestDeliveryError"] == "AccessDenied"
    sandbox.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=bucket_policy())
    sandbox.clock.advance(minutes=5)
    assert "LatestDeliveryError" not in ct.get_trail_status(Name="audit") and keys(sandbox)


@pytest.mark.parametrize("call, code", [
    (lambda ct: ct.create_trail(Name="audit", S3BucketName="nowhere"), "S3BucketDoesNotExistException"),
    (lambda ct: ct.start_logging(Name="nobody"), "TrailNotFoundException"),
    (lambda ct: ct.delete_trail(Name="nobody"), "TrailNotFoundException")])
def test_given_what_is_not_there_then_it_is_not_found(ct, call, code):
    with pytest.raises(ClientError) as refused:
        call(ct)
    assert refused.value.response["Error"]["Code"] == code


def test_given_a_name_twice_or_a_trail_deleted_by_its_arn_then_it_is_as_on_aws(sandbox, ct, trail):
    trail()
    with pytest.raises(ct.exceptions.TrailAlreadyExistsException):
        ct.create_trail(Name="audit", S3BucketName=BUCKET)
    ct.delete_trail(Name=ct.describe_trails()["trailList"][0]["TrailARN"])
    assert ct.describe_trails()["trailList"] == []
    sandbox.clock.advance(minutes=5)
    assert keys(sandbox) == []


def test_given_a_year_with_a_trail_then_nothing_is_written_and_next_to_nothing_happens(sandbox, ct, trail, happened):
    trail(EnableLogFileValidation=True)
    sandbox.client("sqs").list_queues()
    sandbox.clock.advance(days=365)
    assert 0 < len(happened) < 20
    assert len(keys(sandbox, "AWSLogs")) == 2  # one log file and its digest


def test_given_data_events_of_all_buckets_then_a_trails_own_files_do_not_keep_it_busy(sandbox, ct, trail):
    trail()
    ct.put_event_selectors(TrailName="audit", EventSelectors=[{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}])
    sandbox.clock.advance(hours=1)
    sandbox.client("s3").list_buckets()
    sandbox.clock.advance(hours=1)
    assert sandbox.history()["what"].count("log file delivered") == 2


def test_given_a_topic_then_it_is_told_of_each_file(sandbox, ct):
    topic = sandbox.client("sns").create_topic(Name="files")["TopicArn"]
    sandbox.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
                                                "Action": "sns:Publish", "Resource": topic}]}))
    queue = sandbox.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    sandbox.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
                                                "Action": "sqs:SendMessage", "Resource": "*"}]})})
    sandbox.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q",
                                    Attributes={"RawMessageDelivery": "true"})
    make_bucket(sandbox)
    ct.create_trail(Name="audit", S3BucketName=BUCKET, SnsTopicName="files")
    ct.put_event_selectors(TrailName="audit", AdvancedEventSelectors=[
        {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
        {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::SNS::Topic"]}]}])
    ct.start_logging(Name="audit")
    sandbox.client("sqs").list_queues()
    sandbox.clock.advance(minutes=60)  # telling the topic is not itself a reason for another file
    assert len(keys(sandbox)) == 1
    message = sandbox.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]
    assert json.loads(message["Body"]) == {"s3Bucket": BUCKET, "s3ObjectKey": keys(sandbox)}


# digests


@pytest.fixture
def proved(sandbox, ct, trail):
    """Two hours with log files and their digests."""
    trail(EnableLogFileValidation=True)
    for hour in range(2):
        for number in range(2):
            sandbox.client("sqs").create_queue(QueueName=f"q{hour}{number}")
            sandbox.clock.advance(minutes=30)
    sandbox.clock.advance(minutes=2)
    ct.stop_logging(Name="audit")


def test_given_validation_then_each_hour_has_a_digest_that_names_the_one_before(sandbox, proved):
    """User Guide, "CloudTrail digest file structure"."""
    first, second = keys(sandbox, "/CloudTrail-Digest/")
    assert first.endswith(f"{ACCOUNT}_CloudTrail-Digest_us-east-1_audit_us-east-1_20260105T010000Z.json.gz")
    assert read(sandbox, first)["previousDigestS3Object"] is None and read(sandbox, second)["previousDigestS3Object"] == first
    assert [log["s3Object"] for log in read(sandbox, first)["logFiles"]] == [key for key in keys(sandbox) if "T00" in key]
    assert sandbox.client("cloudtrail").get_trail_status(Name="audit")["LatestDigestDeliveryTime"] == sandbox.clock.date_at(7260)
    assert validate_logs(sandbox, "audit") == []


def change(sandbox, key):
    events = read(sandbox, key)
    events["Records"][0]["userIdentity"]["arn"] = f"arn:aws:iam::{ACCOUNT}:user/somebody-else"
    sandbox.client("s3").put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(json.dumps(events).encode()))


def forge_digest(sandbox, key):
    s3 = sandbox.client("s3")
    found = s3.get_object(Bucket=BUCKET, Key=key)
    digest = json.loads(gzip.decompress(found["Body"].read())) | {"logFiles": []}
    s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(json.dumps(digest).encode()), Metadata=found["Metadata"])


def delete(sandbox, key):
    sandbox.client("s3").delete_object(Bucket=BUCKET, Key=key)


def insert(sandbox, key):
    s3 = sandbox.client("s3")
    s3.copy_object(Bucket=BUCKET, Key=key.replace("T0005Z", "T0010Z"), CopySource={"Bucket": BUCKET, "Key": key})


def overwrite(sandbox, key):
    sandbox.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"gone")


@pytest.mark.parametrize("touch, part, kind", [
    (change, "/CloudTrail/", "log file changed"), (delete, "/CloudTrail/", "log file missing"),
    (overwrite, "/CloudTrail/", "log file changed"), (insert, "/CloudTrail/", "log file inserted"),
    (forge_digest, "/CloudTrail-Digest/", "digest changed"), (delete, "/CloudTrail-Digest/", "digest missing"),
    (overwrite, "/CloudTrail-Digest/", "digest changed")])
def test_given_somebody_who_touches_the_bucket_then_validation_finds_it(sandbox, proved, touch, part, kind):
    """User Guide, "Validating CloudTrail log file integrity with the AWS CLI"."""
    key = keys(sandbox, part)[0]
    touch(sandbox, key)
    finding, *_ = validate_logs(sandbox, "audit")
    assert finding.kind == kind and (finding.key == key) is (touch is not insert)


def test_given_no_validation_then_there_are_no_digests(sandbox, trail):
    trail()
    sandbox.client("sqs").list_queues()
    sandbox.clock.advance(hours=2)
    assert keys(sandbox) and keys(sandbox, "/CloudTrail-Digest/") == []


def test_given_two_regions_then_each_has_a_chain(sandbox, ct, trail):
    trail(EnableLogFileValidation=True, IsMultiRegionTrail=True)
    for region in ("us-east-1", "eu-west-1"):
        sandbox.client("sqs", region_name=region).list_queues()
    sandbox.clock.advance(hours=2)
    assert [key.split("/")[3] for key in keys(sandbox, "/CloudTrail-Digest/")] == ["eu-west-1", "us-east-1"]
    assert validate_logs(sandbox, "audit") == []


# CloudWatch Logs and Insights


def logs_role(sandbox, resource):
    iam = sandbox.client("iam")
    role = iam.create_role(RoleName="to-logs", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "cloudtrail.amazonaws.com"}}]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName="to-logs", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": resource}]}))
    return role


GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/trail:*"
STREAM = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/trail:log-stream:{ACCOUNT}_CloudTrail_us-east-1*"


def test_given_a_log_group_then_refused_calls_raise_an_alarm(sandbox, ct, trail):
    """User Guide, "Sending events to CloudWatch Logs" and its example of an alarm on authorization failures."""
    logs = sandbox.client("logs")
    logs.create_log_group(logGroupName="/trail")
    logs.put_metric_filter(logGroupName="/trail", filterName="refused", filterPattern='{ $.errorCode = "AccessDenied*" }', metricTransformations=[
        {"metricName": "refused", "metricNamespace": "Security", "metricValue": "1"}])
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="refused", Namespace="Security", MetricName="refused", Statistic="Sum", Period=300, EvaluationPeriods=1, Threshold=3,
        ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching")
    trail(CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=logs_role(sandbox, STREAM))
    let(sandbox, "ada", "sqs:ListQueues")
    for _ in range(3):
        with pytest.raises(ClientError):
            sandbox.as_user("ada").client("s3").list_buckets()
    sandbox.clock.advance(minutes=15)
    messages = [json.loads(event["message"]) for event in logs.filter_log_events(
        logGroupName="/trail", logStreamNames=[f"{ACCOUNT}_CloudTrail_us-east-1"], filterPattern='{ $.eventName = "ListBuckets" }')["events"]]
    assert [message["userIdentity"]["userName"] for message in messages] == ["ada"] * 3
    assert "LatestCloudWatchLogsDeliveryTime" in ct.get_trail_status(Name="audit")
    assert any("→ ALARM" in row["what"] for row in sandbox.history().about("refused"))


@pytest.mark.parametrize("group, resource, code", [
    (GROUP, "arn:aws:logs:us-east-1:123456789012:log-group:/other:*", "InvalidCloudWatchLogsLogGroupArnException"),
    (GROUP.replace("/trail", "/none"), "*", "InvalidCloudWatchLogsLogGroupArnException"),
    (None, "*", "InvalidParameterCombinationException")])
def test_given_a_log_group_that_cannot_be_written_to_then_there_is_no_trail(sandbox, ct, group, resource, code):
    make_bucket(sandbox)
    sandbox.client("logs").create_log_group(logGroupName="/trail")
    given = {"CloudWatchLogsLogGroupArn": group} if group else {}
    with pytest.raises(ClientError) as refused:
        ct.create_trail(Name="audit", S3BucketName=BUCKET, CloudWatchLogsRoleArn=logs_role(sandbox, resource), **given)
    assert refused.value.response["Error"]["Code"] == code


def test_given_a_role_that_cloudtrail_may_not_assume_then_there_is_no_trail(sandbox, ct, function):
    make_bucket(sandbox)
    sandbox.client("logs").create_log_group(logGroupName="/trail")
    with pytest.raises(ct.exceptions.InvalidCloudWatchLogsRoleArnException):
        ct.create_trail(Name="audit", S3BucketName=BUCKET, CloudWatchLogsLogGroupArn=GROUP, CloudWatchLogsRoleArn=function)


def test_given_insights_when_one_call_comes_far_too_often_then_it_is_reported_until_it_is_over(sandbox, ct, trail):
    """User Guide, "CloudTrail Insights insightDetails element": a Start and an End event, after a week of normal days."""
    trail()
    with pytest.raises(ct.exceptions.InsightNotEnabledException):
        ct.get_insight_selectors(TrailName="audit")
    ct.put_insight_selectors(TrailName="audit", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
    sqs = sandbox.client("sqs")
    sandbox.clock.advance(days=8)
    for number in range(10):  # two full steps of five minutes; that it is over shows when nothing is recorded any more
        sqs.create_queue(QueueName=f"q{number}")
        sandbox.clock.advance(minutes=1)
    sandbox.clock.advance(minutes=15)
    start, end = delivered(sandbox, "/CloudTrail-Insight/")
    assert (start["insightDetails"]["state"], end["insightDetails"]["state"]) == ("Start", "End")
    assert start["insightDetails"]["eventName"] == "CreateQueue" and start["sharedEventID"] == end["sharedEventID"]
    found = ct.lookup_events(EventCategory="insight")["Events"]
    assert [event["EventId"] for event in found] == [end["eventID"], start["eventID"]]
    assert ct.describe_trails()["trailList"][0]["HasInsightSelectors"]
    assert sandbox.history().about("insight")["resource"] == ["CreateQueue"] * 2


# again and again


def test_given_what_was_saved_when_loaded_then_files_and_ids_are_the_same(sandbox, ct, proved, tmp_path):
    events, found = {key: read(sandbox, key) for key in keys(sandbox, "AWSLogs")}, look(ct, EventName="CreateQueue")
    lab.load(sandbox.save(tmp_path / "saved.json"))
    assert {key: read(sandbox, key) for key in keys(sandbox, "AWSLogs")} == events
    assert look(ct, EventName="CreateQueue") == found


def test_given_a_reset_then_nothing_is_on_record_and_calls_go_their_usual_way(sandbox, ct, trail):
    trail()
    life = sandbox.life
    sandbox.reset()
    assert "perform" not in vars(sandbox.life) and look(sandbox.client("cloudtrail")) == [] and sandbox.life is not life


# the bill


def trail_bill(sandbox, name="audit"):
    """item -> (quantity, cost) of one trail"""
    return {line.item: (line.quantity, line.cost) for line in sandbox.bill().lines if line.resource == f"trail {name}"}


def test_given_two_trails_then_the_first_copy_is_free_and_the_second_costs(sandbox, ct, trail):
    """AWS CloudTrail Pricing: the first copy of management events is free, additional ones are $2.00 per 100,000."""
    trail()
    ct.create_trail(Name="second", S3BucketName=BUCKET)
    ct.start_logging(Name="second")
    sandbox.clock.advance(minutes=5)  # second's own beginning is over
    before = trail_bill(sandbox), trail_bill(sandbox, "second")
    for name in "abc":
        sandbox.client("sqs").create_queue(QueueName=name)
    sandbox.clock.advance(minutes=5)
    first, second = trail_bill(sandbox), trail_bill(sandbox, "second")
    assert first["cloudtrail:management"][0] == before[0].get("cloudtrail:management", (0, 0))[0] + 3
    assert first["cloudtrail:management"][1] == 0 and "cloudtrail:management-copy" not in first
    assert second["cloudtrail:management-copy"] == (3, pytest.approx(3 * 0.00002))
    [row] = [row for row in sandbox.bill().table().rows if row[0] == "a management event on its first trail"]
    assert row[3] == "all of it"


def test_given_data_events_then_each_trail_pays_for_them(sandbox, ct, trail):
    """AWS CloudTrail Pricing: data events are $0.10 per 100,000; all deliveries cost."""
    trail()
    sandbox.client("s3").create_bucket(Bucket="photos")
    ct.put_event_selectors(TrailName="audit", EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": [
        {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::photos/"]}]}])
    sandbox.clock.advance(minutes=5)
    for _ in range(4):
        sandbox.client("s3").put_object(Bucket="photos", Key="cat", Body=b"miau")
    sandbox.clock.advance(minutes=5)
    assert trail_bill(sandbox)["cloudtrail:data"] == (4, pytest.approx(4 * 0.000001))


def test_given_insights_then_writes_are_analyzed_twice_and_reads_once(sandbox, ct, trail):
    """CloudTrail User Guide, "Costs for Insights events", example 1: writes for the call rate and the error rate."""
    trail()
    ct.put_insight_selectors(TrailName="audit", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}])
    sandbox.clock.advance(minutes=5)
    before = trail_bill(sandbox).get("cloudtrail:insights", (0, 0))[0]
    sandbox.client("sqs").create_queue(QueueName="a")  # a write
    sandbox.client("sqs").list_queues()
    sandbox.clock.advance(minutes=5)
    assert trail_bill(sandbox)["cloudtrail:insights"][0] - before == 3


def test_given_nothing_that_can_be_delivered_then_nothing_is_billed(sandbox, ct, trail):
    trail()
    sandbox.client("s3").delete_bucket_policy(Bucket=BUCKET)
    sandbox.client("sqs").create_queue(QueueName="a")
    sandbox.clock.advance(minutes=5)
    assert not trail_bill(sandbox)
