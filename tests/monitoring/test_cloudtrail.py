"""CloudTrail, held to its User Guide ("CloudTrail record contents", "CloudTrail userIdentity element") and API Reference
("LookupEvents", "PutEventSelectors", "DataResource")."""

import gzip
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.monitoring.cloudtrail import (HIDDEN, assumed_role, iam_user, is_data_event, is_read_only, log_files, logged, lookup_events,
                                       record, root, seconds, service, stamp)

DAY = 86_400
ALICE = iam_user("Alice", access_key="AKIAIOSFODNN7EXAMPLE")


def event(name, source="ec2.amazonaws.com", serial=1, time=1000, region="eu-west-1", identity=ALICE, **more):
    return record({"eventTime": time, "eventSource": source, "eventName": name, "awsRegion": region, "userIdentity": identity} | more,
                  serial)


GET = event("GetObject", "s3.amazonaws.com", requestParameters={"Bucket": "photos", "Key": "cats/1.jpg"})
PUT = event("PutObject", "s3.amazonaws.com", requestParameters={"Bucket": "photos", "Key": "dogs/1.jpg"})
INVOKE = event("Invoke", "lambda.amazonaws.com", resources=[
    {"type": "AWS::Lambda::Function", "ARN": "arn:aws:lambda:us-west-2:111111111111:function:helloworld"}])
RUN, CONSOLE, DECRYPT = event("RunInstances"), event("GetConsoleOutput"), event("Decrypt", "kms.amazonaws.com")


def test_a_record_says_who_what_when_where():
    made = event("StartInstances", requestParameters={"InstanceIds": ["i-1"]}, responseElements={"State": "pending", "ResponseMetadata": {}},
                 sourceIPAddress="205.251.233.176", userAgent="aws-cli/2")
    assert made["userIdentity"] == {
        "type": "IAMUser", "principalId": ALICE["principalId"], "arn": "arn:aws:iam::123456789012:user/Alice",
        "accountId": "123456789012", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "Alice"}
    assert (made["eventTime"], made["eventSource"], made["awsRegion"], made["sourceIPAddress"], made["userAgent"]) == (
        "1970-01-01T00:16:40Z", "ec2.amazonaws.com", "eu-west-1", "205.251.233.176", "aws-cli/2")
    assert made["requestParameters"] == {"instanceIds": ["i-1"]} and made["responseElements"] == {"state": "pending"}
    assert (made["readOnly"], made["managementEvent"], made["eventCategory"], made["eventType"]) == (False, True, "Management", "AwsApiCall")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["eventID"]) and made["eventID"] != made["requestID"]
    assert made["recipientAccountId"] == "123456789012" and "errorCode" not in made
    json.dumps(made)


def test_given_a_call_that_reads_or_fails_then_there_are_no_response_elements():
    assert event("DescribeInstances", responseElements={"Reservations": []})["responseElements"] is None
    failed = event("RunInstances", responseElements={"x": 1}, errorCode="Client.UnauthorizedOperation", errorMessage="no")
    assert failed["responseElements"] is None and failed["errorCode"] == "Client.UnauthorizedOperation" and failed["errorMessage"] == "no"


def test_secrets_are_hidden_wherever_they_are():
    made = event("CreateThing", requestParameters={
        "MasterUserPassword": "s3cret", "Nested": [{"SecretString": "s3cret", "Name": "n"}], "NewPassword": "s3cret"},
        responseElements={"AccessKey": {"SecretAccessKey": "s3cret", "AccessKeyId": "AKIA"}, "SessionToken": "s3cret"})
    assert "s3cret" not in json.dumps(made)
    assert made["requestParameters"]["nested"] == [{"secretString": HIDDEN, "name": "n"}]
    assert made["responseElements"]["accessKey"] == {"secretAccessKey": HIDDEN, "accessKeyId": "AKIA"}
    assert event("CreateLoginProfile", requestParameters={"PasswordResetRequired": True})["requestParameters"] == {
        "passwordResetRequired": True}


def test_identities_of_the_four_kinds():
    """ "CloudTrail userIdentity element": Root, IAMUser, AssumedRole, AWSService."""
    role = assumed_role("Deploy", "session-7", created=0)
    assert root()["arn"] == "arn:aws:iam::123456789012:root" and root()["type"] == "Root"
    assert role["arn"] == "arn:aws:sts::123456789012:assumed-role/Deploy/session-7"
    assert role["principalId"] == role["sessionContext"]["sessionIssuer"]["principalId"] + ":session-7"
    assert role["sessionContext"]["attributes"] == {"creationDate": "1970-01-01T00:00:00Z", "mfaAuthenticated": "false"}
    made = event("RunInstances", identity=service("autoscaling.amazonaws.com"))
    assert made["sourceIPAddress"] == made["userAgent"] == "autoscaling.amazonaws.com"


@pytest.mark.parametrize("name, reads", [
    ("DescribeTrails", True), ("DeleteTrail", False), ("GetConsoleOutput", True), ("RunInstances", False), ("ListBuckets", True),
    ("AssumeRole", True), ("PutObject", False), ("HeadObject", True), ("LookupEvents", True), ("BatchGetItem", True),
    ("ConsoleLogin", False), ("Invoke", False), ("Decrypt", True)])
def test_reading_and_writing(name, reads):
    assert is_read_only(name) is reads


@pytest.mark.parametrize("source, name, data", [
    ("s3", "GetObject", True), ("s3", "PutObject", True), ("s3", "DeleteObjects", True), ("s3", "CreateBucket", False),
    ("s3", "GetBucketPolicy", False), ("s3", "PutObjectLockConfiguration", False), ("s3", "ListBuckets", False), ("lambda", "Invoke", True),
    ("lambda", "CreateFunction", False), ("dynamodb", "PutItem", True), ("dynamodb", "CreateTable", False), ("sns", "Publish", True),
    ("sqs", "SendMessage", True), ("sqs", "CreateQueue", False), ("ec2", "RunInstances", False)])
def test_data_events(source, name, data):
    assert is_data_event(f"{source}.amazonaws.com", name) is data


def test_global_services_are_in_us_east_1():
    """ "CloudTrail concepts", global service events."""
    assert event("CreateUser", "iam.amazonaws.com", region="eu-west-1")["awsRegion"] == "us-east-1"
    assert event("RunInstances", region="eu-west-1")["awsRegion"] == "eu-west-1"


# ---------------------------------------------------------------------- selectors


def basic(**selector):
    return [selector]


@pytest.mark.parametrize("made, selectors, kept", [
    (RUN, None, True), (CONSOLE, None, True), (GET, None, False), (INVOKE, None, False),
    (RUN, basic(ReadWriteType="WriteOnly"), True), (CONSOLE, basic(ReadWriteType="WriteOnly"), False),
    (RUN, basic(IncludeManagementEvents=False), False), (DECRYPT, basic(ExcludeManagementEventSources=["kms.amazonaws.com"]), False),
    (RUN, basic(ExcludeManagementEventSources=["kms.amazonaws.com"]), True),
    (GET, basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]), True),
    (GET, basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::photos/"]}]), True),
    (GET, basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::photos/cats"]}]), True),
    (PUT, basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::photos/cats"]}]), False),
    (INVOKE, basic(DataResources=[{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]), True),
    (INVOKE, basic(DataResources=[{"Type": "AWS::Lambda::Function", "Values": [
        "arn:aws:lambda:us-west-2:111111111111:function:helloworld"]}]), True),
    (INVOKE, basic(DataResources=[{"Type": "AWS::Lambda::Function", "Values": [
        "arn:aws:lambda:us-west-2:111111111111:function:hello"]}]), False),
    (GET, [{"ReadWriteType": "WriteOnly"}, {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}], True),
])
def test_event_selectors(made, selectors, kept):
    """PutEventSelectors' example (write-only: RunInstances yes, GetConsoleOutput no) and the values of "DataResource"."""
    decision = logged(made, selectors)
    assert decision.logged is kept and decision.because


def field(name, **operators):
    return {"Field": name, **operators}


S3_DATA = [field("eventCategory", Equals=["Data"]), field("resources.type", Equals=["AWS::S3::Object"])]


@pytest.mark.parametrize("made, fields, kept", [
    (RUN, [field("eventCategory", Equals=["Management"])], True), (GET, [field("eventCategory", Equals=["Management"])], False),
    (RUN, [field("eventCategory", Equals=["Management"]), field("readOnly", Equals=["false"])], True),
    (CONSOLE, [field("eventCategory", Equals=["Management"]), field("readOnly", Equals=["false"])], False),
    (DECRYPT, [field("eventCategory", Equals=["Management"]), field("eventSource", NotEquals=["kms.amazonaws.com"])], False),
    (GET, S3_DATA, True), (INVOKE, S3_DATA, False), (PUT, [*S3_DATA, field("eventName", StartsWith=["Get", "Delete"])], False),
    (GET, [*S3_DATA, field("eventName", StartsWith=["Get", "Delete"])], True),
    (GET, [*S3_DATA, field("resources.ARN", StartsWith=["arn:aws:s3:::photos/"], NotEndsWith=[".jpg"])], False),
    (GET, [*S3_DATA, field("resources.ARN", StartsWith=["arn:aws:s3:::photos/"], EndsWith=[".png"])], True),
    (GET, [*S3_DATA, field("userIdentity.arn", EndsWith=["/Alice"])], True),
])
def test_advanced_event_selectors(made, fields, kept):
    assert logged(made, AdvancedEventSelectors=[{"Name": "mine", "FieldSelectors": fields}]).logged is kept


@pytest.mark.parametrize("arguments", [
    dict(EventSelectors=[{}], AdvancedEventSelectors=[{"FieldSelectors": S3_DATA}]), dict(EventSelectors=[{}] * 6),
    dict(EventSelectors=basic(DataResources=[{"Type": "AWS::SNS::Topic", "Values": ["arn:aws:sns"]}])),
    dict(EventSelectors=basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"] * 251}])),
    dict(EventSelectors=basic(ReadWriteType="Some")), dict(EventSelectors=basic(ExcludeManagementEventSources=["s3.amazonaws.com"])),
    dict(AdvancedEventSelectors=[{"FieldSelectors": [field("readOnly", Equals=["true"])]}]),
    dict(AdvancedEventSelectors=[{"FieldSelectors": [field("eventCategory", Equals=["Data"])]}]),
    dict(AdvancedEventSelectors=[{"FieldSelectors": [field("eventCategory", Equals=["Management"]), field("readOnly", NotEquals=["true"])]}]),
    dict(AdvancedEventSelectors=[{"FieldSelectors": [*S3_DATA, field("eventName", Like=["x"])]}]),
    dict(AdvancedEventSelectors=[{"FieldSelectors": [*S3_DATA, field("eventName", Equals=["x"] * 500)]}]),
])
def test_selectors_that_are_refused(arguments):
    with pytest.raises(ServiceError) as caught:
        logged(RUN, **arguments)
    assert caught.value.code == "InvalidEventSelectorsException"


def test_given_a_trail_of_one_region_then_other_regions_are_missing():
    assert not logged(RUN, trail={"HomeRegion": "us-east-1"}).logged
    assert logged(RUN, trail={"HomeRegion": "us-east-1", "IsMultiRegionTrail": True}).logged


# ---------------------------------------------------------------------- event history and log files

NOW = 100 * DAY
EVENTS = [event("RunInstances", serial=1, time=5 * DAY), event("CreateUser", "iam.amazonaws.com", serial=2, time=20 * DAY),
          event("DescribeInstances", serial=3, time=30 * DAY, identity=root()), GET,
          event("DeleteBucket", "s3.amazonaws.com", serial=4, time=40 * DAY, requestParameters={"Bucket": "photos"},
                identity=assumed_role("Deploy", "session-7", created=0))]


def names(**arguments):
    return [one["EventName"] for one in lookup_events(EVENTS, NOW, **arguments)["Events"]]


def test_the_history_has_90_days_of_management_events_newest_first():
    assert names() == ["DeleteBucket", "DescribeInstances", "CreateUser"]
    assert names(StartTime=20 * DAY, EndTime=30 * DAY) == ["DescribeInstances", "CreateUser"]
    assert names(StartTime=0) == names(), "RunInstances of 95 days ago is forgotten"
    assert names(region="us-east-1") == ["CreateUser"]
    found = lookup_events(EVENTS, NOW, MaxResults=1)["Events"][0]
    assert json.loads(found["CloudTrailEvent"])["eventID"] == found["EventId"]
    assert found["ReadOnly"] == "false" and found["Resources"] == [{"ResourceType": "AWS::S3::Bucket", "ResourceName": "photos"}]


@pytest.mark.parametrize("key, value, expected", [
    ("EventName", "CreateUser", ["CreateUser"]), ("Username", "root", ["DescribeInstances"]), ("Username", "session-7", ["DeleteBucket"]),
    ("ReadOnly", "true", ["DescribeInstances"]), ("EventSource", "s3.amazonaws.com", ["DeleteBucket"]),
    ("ResourceName", "photos", ["DeleteBucket"]), ("ResourceType", "AWS::S3::Bucket", ["DeleteBucket"]),
    ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE", ["CreateUser"]), ("EventId", EVENTS[1]["eventID"], ["CreateUser"])])
def test_one_attribute_filters(key, value, expected):
    assert names(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}]) == expected


def test_pages_go_on_with_the_same_question_only():
    first = lookup_events(EVENTS, NOW, MaxResults=2)
    rest = lookup_events(EVENTS, NOW, MaxResults=2, NextToken=first["NextToken"])
    assert len(first["Events"]) == 2 and [one["EventName"] for one in rest["Events"]] == ["CreateUser"] and "NextToken" not in rest
    with pytest.raises(ServiceError, match="InvalidNextTokenException"):
        lookup_events(EVENTS, NOW, StartTime=0, NextToken=first["NextToken"])


@pytest.mark.parametrize("arguments, code", [
    (dict(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "a"}] * 2), "InvalidLookupAttributesException"),
    (dict(LookupAttributes=[{"AttributeKey": "Colour", "AttributeValue": "a"}]), "InvalidLookupAttributesException"),
    (dict(StartTime=2, EndTime=1), "InvalidTimeRangeException"), (dict(MaxResults=51), "InvalidMaxResultsException"),
    (dict(MaxResults=0), "InvalidMaxResultsException"), (dict(NextToken="x"), "InvalidNextTokenException")])
def test_lookups_that_are_refused(arguments, code):
    with pytest.raises(ServiceError) as caught:
        lookup_events(EVENTS, NOW, **arguments)
    assert caught.value.code == code


def test_log_files_of_five_minutes_and_a_region():
    """ "CloudTrail log file name format"."""
    files = log_files([event("A", time=10), event("B", time=299), event("C", time=300), event("D", "iam.amazonaws.com", time=10)])
    assert len(files) == 3
    first = next(key for key in files if "eu-west-1" in key and "T0005Z" in key)
    assert re.fullmatch(r"AWSLogs/123456789012/CloudTrail/eu-west-1/1970/01/01/"
                        r"123456789012_CloudTrail_eu-west-1_19700101T0005Z_[A-Z2-7]{16}\.json\.gz", first)
    assert [one["eventName"] for one in json.loads(gzip.decompress(files[first]))["Records"]] == ["A", "B"]
    assert files == log_files([event("A", time=10), event("B", time=299), event("C", time=300), event("D", "iam.amazonaws.com", time=10)])


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 95 * DAY), max_size=30), st.integers(1, 50))
def test_all_pages_together_are_the_whole_history(times, size):
    events = [event("RunInstances", serial=number, time=time) for number, time in enumerate(times)]
    found, token = [], None
    while True:
        page = lookup_events(events, NOW, MaxResults=size, NextToken=token)
        found += page["Events"]
        token = page.get("NextToken")
        if token is None:
            break
    assert [one["EventTime"] for one in found] == sorted((time for time in times if time >= NOW - 90 * DAY), reverse=True)
    assert all(seconds(stamp(time)) == time for time in times)
