"""CloudWatch Logs in the sandbox: real patterns, metrics from lines, queries that take time, deliveries, retention."""

import base64
import gzip
import io
import json
import zipfile
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from kit import lab

JSON_PATTERN = '{ $.level = "ERROR" && $.ms > 100 }'


@pytest.fixture
def sandbox():
    sandbox = lab.start()
    sandbox.reset(seed=1)
    logs = sandbox.client("logs")
    logs.create_log_group(logGroupName="/shop")
    for stream in ("a", "b"):
        logs.create_log_stream(logGroupName="/shop", logStreamName=stream)
    yield sandbox
    sandbox.reset(seed=1)


@pytest.fixture
def logs(sandbox):
    return sandbox.client("logs")


def milliseconds(sandbox, ago=0.0):
    return int((sandbox.clock.date.timestamp() - ago) * 1000)


def say(sandbox, *messages, stream="a", ago=0.0, group="/shop"):
    """Messages as log events, some seconds ago; objects become JSON."""
    return sandbox.client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": milliseconds(sandbox, ago), "message": one if isinstance(one, str) else json.dumps(one)} for one in messages])


def found(logs, **more):
    return [event["message"] for event in logs.filter_log_events(logGroupName="/shop", **more)["events"]]


def code(error):
    return error.value.response["Error"]["Code"]


# FilterLogEvents


@pytest.mark.parametrize("pattern, expected", [
    ("", 4), ("ERROR", 1), ('-"GET /"', 3), (JSON_PATTERN, 1), ("{ $.ms IS NULL }", 0), ("[method=GET, path, status>=400]", 1)])
def test_given_events_when_filtered_then_the_pattern_decides(sandbox, logs, pattern, expected):
    """CloudWatch Logs User Guide, "Filter and pattern syntax": moto alone would let every JSON pattern match all."""
    say(sandbox, {"level": "ERROR", "ms": 250}, {"level": "info", "ms": 250}, {"level": "info", "ms": 9}, "GET / 404")
    assert len(found(logs, filterPattern=pattern)) == expected


def test_given_a_pattern_that_cannot_be_read_then_it_is_refused_with_its_place(logs):
    with pytest.raises(logs.exceptions.InvalidParameterException, match="character 3"):
        found(logs, filterPattern="{ level = 3 }")


def test_given_two_streams_then_events_come_in_the_order_of_time(sandbox, logs):
    """API Reference, "FilterLogEvents": sorted by timestamp; startFromHead=False begins with the newest."""
    for stream, ago in (("a", 30), ("b", 20), ("a", 10)):
        say(sandbox, f"{ago} s ago", stream=stream, ago=ago)
    assert found(logs) == ["30 s ago", "20 s ago", "10 s ago"]
    assert found(logs, startFromHead=False)[0] == "10 s ago"
    assert found(logs, logStreamNames=["b"]) == ["20 s ago"] == found(logs, logStreamNamePrefix="b")
    assert found(logs, startTime=milliseconds(sandbox, 20), endTime=milliseconds(sandbox, 20)) == ["20 s ago"]


def test_given_more_than_a_page_then_tokens_lead_through_all_of_it(sandbox, logs):
    say(sandbox, *map(str, range(7)))
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName="/shop", PaginationConfig={"PageSize": 3}))
    assert [[event["message"] for event in page["events"]] for page in pages] == [list("012"), list("345"), list("6")]
    with pytest.raises(logs.exceptions.InvalidParameterException, match="nextToken"):
        found(logs, nextToken=logs.filter_log_events(logGroupName="/shop", limit=1)["nextToken"], filterPattern="ERROR")


def test_given_no_such_group_then_it_is_not_found(logs):
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.filter_log_events(logGroupName="/nowhere")


def test_given_a_reset_then_ids_repeat(sandbox, logs):
    def story():
        sandbox.client("logs").create_log_group(logGroupName="/again")
        sandbox.client("logs").create_log_stream(logGroupName="/again", logStreamName="a")
        say(sandbox, "once", group="/again")
        query = sandbox.client("logs").start_query(logGroupName="/again", startTime=0, endTime=9, queryString="limit 1")
        return sandbox.client("logs").filter_log_events(logGroupName="/again")["events"], query["queryId"]
    sandbox.reset(seed=1)
    first = story()
    sandbox.reset(seed=1)
    assert story() == first


def test_given_events_of_the_wrong_time_then_they_are_rejected_and_the_history_says_why(sandbox, logs):
    """API Reference, "PutLogEvents", "RejectedLogEventsInfo": 14 days back, 2 hours ahead."""
    day = 86_400
    answer = logs.put_log_events(logGroupName="/shop", logStreamName="a", logEvents=[
        {"timestamp": milliseconds(sandbox, ago), "message": str(ago)} for ago in (16 * day, 15 * day, 60, -day, -2 * day)])
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 3}
    assert found(logs) == ["60"] and "4 events rejected" in sandbox.history()["what"]
    assert "rejectedLogEventsInfo" not in say(sandbox, "well timed")


# metric filters


def put_filter(logs, pattern="ERROR", name="errors", **more):
    logs.put_metric_filter(logGroupName="/shop", filterName=name, filterPattern=pattern, metricTransformations=[
        {"metricName": "errors", "metricNamespace": "Shop", "metricValue": "1"} | more])


def metric(sandbox, statistic="Sum", until=None, **more):
    """The metric's values, minute by minute, from the start (until so many seconds after it)."""
    points = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="Shop", MetricName="errors", StartTime=sandbox.clock.date_at(0), Period=60, Statistics=[statistic],
        EndTime=sandbox.clock.date_at(until) if until else sandbox.clock.date + timedelta(minutes=1), **more)["Datapoints"]
    return [point[statistic] for point in sorted(points, key=lambda point: point["Timestamp"])]


def test_given_a_metric_filter_when_lines_arrive_then_the_metric_appears(sandbox, logs):
    say(sandbox, "ERROR before the filter was there")
    put_filter(logs)
    say(sandbox, "ERROR 1", "fine", "ERROR 2")
    sandbox.clock.advance(minutes=3)
    say(sandbox, "ERROR 3", stream="b", ago=100)  # it belongs where its timestamp says
    assert metric(sandbox) == [2.0, 1.0]
    sandbox.clock.advance(minutes=1)
    assert metric(sandbox, until=120) == [2.0, 1.0]


def test_given_values_and_dimensions_then_they_come_from_the_line(sandbox, logs):
    """API Reference, "MetricTransformation"."""
    put_filter(logs, "{ $.ms > 100 }", metricValue="$.ms", dimensions={"Path": "$.path"}, unit="Milliseconds")
    say(sandbox, {"ms": 150, "path": "/cart"}, {"ms": 350, "path": "/cart"}, {"ms": 50, "path": "/cart"}, {"ms": 999, "path": "/"})
    assert metric(sandbox, "Average", Dimensions=[{"Name": "Path", "Value": "/cart"}]) == [250.0]


def test_given_a_default_value_then_a_quiet_minute_reports_it_and_a_loud_one_doesnt(sandbox, logs):
    put_filter(logs, defaultValue=0.0)
    say(sandbox, "fine")
    say(sandbox, "ERROR")
    sandbox.clock.advance(minutes=1)
    say(sandbox, "fine")
    sandbox.clock.advance(minutes=3)
    assert metric(sandbox, "SampleCount") == [1.0, 1.0] and metric(sandbox) == [1.0, 0.0]


def test_given_a_second_filter_of_the_same_name_then_it_replaces_the_first(sandbox, logs):
    put_filter(logs, "ERROR")
    put_filter(logs, "WARN")
    assert [one["filterPattern"] for one in logs.describe_metric_filters(logGroupName="/shop")["metricFilters"]] == ["WARN"]
    assert logs.describe_log_groups()["logGroups"][0]["metricFilterCount"] == 1


@pytest.mark.parametrize("pattern, more", [
    ("{ level }", {}), ("ERROR", {"metricValue": "$.ms"}), ("ERROR", {"metricValue": "many"}),
    ("{ $.a = 1 }", {"dimensions": {"A": "$.a"}, "defaultValue": 0.0})])
def test_given_a_metric_filter_that_cannot_be_then_it_is_refused(logs, pattern, more):
    with pytest.raises(logs.exceptions.InvalidParameterException):
        put_filter(logs, pattern, **more)
    assert logs.describe_metric_filters(logGroupName="/shop")["metricFilters"] == []


def test_given_no_such_group_then_a_metric_filter_has_no_place(logs):
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.put_metric_filter(logGroupName="/nowhere", filterName="f", filterPattern="", metricTransformations=[
            {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}])


def test_given_an_alarm_on_the_metric_when_errors_are_logged_then_it_rings(sandbox, logs):
    put_filter(logs)
    cloudwatch = sandbox.client("cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName="errors", Namespace="Shop", MetricName="errors", Statistic="Sum", Period=60,
                                EvaluationPeriods=1, Threshold=2, ComparisonOperator="GreaterThanThreshold",
                                TreatMissingData="notBreaching")
    sandbox.clock.advance(minutes=2)
    say(sandbox, *["ERROR"] * 3)
    sandbox.clock.advance(minutes=2)
    assert "errors" in sandbox.history()["resource"]
    assert any("→ ALARM" in what for what in sandbox.history()["what"])


def test_given_a_line_logged_inside_moto_then_it_counts_as_well(sandbox, logs):
    put_filter(logs)
    with sandbox.clock:
        sandbox.life.backend("logs").put_log_events("/shop", "a", [{"timestamp": milliseconds(sandbox), "message": "ERROR"}])
    assert metric(sandbox) == [1.0]


def test_given_a_pattern_when_tested_then_matches_and_fields_are_told(logs):
    """API Reference, "TestMetricFilter"."""
    matches = logs.test_metric_filter(filterPattern="[ip, status=4*]", logEventMessages=["1.1.1.1 200", "2.2.2.2 404"])["matches"]
    assert matches == [{"eventNumber": 2, "eventMessage": "2.2.2.2 404", "extractedValues": {"$ip": "2.2.2.2", "$status": "404"}}]


# queries


def ask(sandbox, text, **more):
    end = int(sandbox.clock.date.timestamp()) + 1
    return sandbox.client("logs").start_query(logGroupName="/shop", startTime=end - 3600, endTime=end, queryString=text, **more)["queryId"]


def test_given_a_query_then_it_runs_for_a_second_and_has_its_results(sandbox, logs):
    say(sandbox, {"path": "/cart", "ms": 10}, {"path": "/cart", "ms": 30}, {"path": "/", "ms": 5}, "no JSON")
    asked = ask(sandbox, "filter ispresent(ms) | stats count(*) as n, avg(ms) as mean by path | sort n desc")
    say(sandbox, {"path": "/late", "ms": 1})
    assert logs.get_query_results(queryId=asked)["status"] == "Running"
    assert [one["status"] for one in logs.describe_queries(logGroupName="/shop")["queries"]] == ["Running"]
    sandbox.clock.advance(seconds=1)
    answer = logs.get_query_results(queryId=asked)
    assert answer["status"] == "Complete" and answer["statistics"]["recordsMatched"] == 3
    assert [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]] == [
        {"path": "/cart", "n": "2", "mean": "20"}, {"path": "/", "n": "1", "mean": "5"}]


def test_given_a_query_that_cannot_be_read_then_it_is_malformed(sandbox, logs):
    with pytest.raises(logs.exceptions.MalformedQueryException, match="position"):
        ask(sandbox, "filter ms >")


def test_given_a_running_query_when_stopped_then_it_is_cancelled_and_cannot_be_stopped_again(sandbox, logs):
    asked = ask(sandbox, "limit 1")
    assert logs.stop_query(queryId=asked)["success"]
    sandbox.clock.advance(minutes=1)
    assert logs.get_query_results(queryId=asked)["status"] == "Cancelled"
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.stop_query(queryId=asked)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_query_results(queryId="another")


def test_given_a_loop_that_waits_without_moving_the_clock_then_it_is_told_how(sandbox, logs):
    asked = ask(sandbox, "limit 1")
    with pytest.raises(ClientError, match=r"sandbox\.clock\.advance") as error:
        while logs.get_query_results(queryId=asked)["status"] == "Running":
            pass
    assert code(error) == "ThrottlingException"


def test_given_many_results_then_they_can_be_limited_and_read_in_pages(sandbox, logs):
    say(sandbox, *map(str, range(9)))
    asked = ask(sandbox, "fields @message", limit=5)
    sandbox.clock.advance(seconds=2)
    first = logs.get_query_results(queryId=asked, maxItems=3)
    rest = logs.get_query_results(queryId=asked, maxItems=3, nextToken=first["nextToken"])
    assert (len(first["results"]), len(rest["results"])) == (3, 2) and "nextToken" not in rest


# subscriptions


def test_given_a_subscription_to_a_stream_then_only_what_matches_is_delivered(sandbox, logs):
    """User Guide, "Real-time processing of log data with subscriptions"; moto alone delivers every line."""
    kinesis = sandbox.client("kinesis")
    kinesis.create_stream(StreamName="out", ShardCount=1)
    stream = kinesis.describe_stream(StreamName="out")["StreamDescription"]
    logs.put_subscription_filter(logGroupName="/shop", filterName="slow", filterPattern=JSON_PATTERN, destinationArn=stream["StreamARN"],
                                 roleArn="arn:aws:iam::123456789012:role/logs")
    say(sandbox, {"level": "ERROR", "ms": 5})
    say(sandbox, {"level": "ERROR", "ms": 500}, {"level": "info", "ms": 500})
    shard = kinesis.get_shard_iterator(StreamName="out", ShardId=stream["Shards"][0]["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = kinesis.get_records(ShardIterator=shard["ShardIterator"])["Records"]
    messages = [json.loads(gzip.decompress(one["Data"])) for one in records]
    assert [[json.loads(event["message"])["ms"] for event in one["logEvents"]] for one in messages] == [[500]]
    assert messages[0]["logGroup"] == "/shop" and messages[0]["subscriptionFilters"] == ["slow"]


CODE = """
import base64, gzip, json
def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    print("GOT", data["logStream"], [one["message"] for one in data["logEvents"]])
"""


@pytest.fixture
def function(sandbox):
    """The ARN of a function that prints what it gets."""
    role = sandbox.client("iam").create_role(RoleName="watch", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                "Principal": {"Service": "lambda.amazonaws.com"}}]}))["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", CODE)
    return sandbox.client("lambda").create_function(FunctionName="watch", Runtime="python3.12", Role=role, Handler="app.handler",
                                                    Code={"ZipFile": packed.getvalue()})["FunctionArn"]


def let(sandbox, source="arn:aws:logs:us-east-1:123456789012:log-group:/shop:*"):
    sandbox.client("lambda").add_permission(FunctionName="watch", StatementId="logs", Action="lambda:InvokeFunction",
                                            Principal="logs.amazonaws.com", SourceArn=source)


def subscribe(logs, function, pattern="ERROR", group="/shop"):
    logs.put_subscription_filter(logGroupName=group, filterName="errors", filterPattern=pattern, destinationArn=function)


def test_given_a_function_with_leave_then_it_is_called_with_the_lines_that_match(sandbox, logs, function):
    """User Guide, "Real-time processing of log data with subscriptions", example 2: a Lambda function."""
    let(sandbox)
    subscribe(logs, function)
    say(sandbox, "ERROR 1", "fine", "ERROR 2")
    sandbox.clock.advance(seconds=1)
    got = logs.filter_log_events(logGroupName="/aws/lambda/watch", filterPattern="GOT")["events"]
    assert [one["message"] for one in got] == ["GOT a ['ERROR 1', 'ERROR 2']"]


@pytest.mark.parametrize("source", [None, "arn:aws:logs:us-east-1:123456789012:log-group:/another:*"])
def test_given_a_function_without_leave_then_it_cannot_be_subscribed(sandbox, logs, function, source):
    if source:
        let(sandbox, source)
    with pytest.raises(logs.exceptions.InvalidParameterException, match="Could not execute the lambda function"):
        subscribe(logs, function)


def test_given_a_function_that_watches_its_own_log_then_it_does_not_go_on_and_on(sandbox, logs, function):
    let(sandbox, "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/watch:*")
    logs.create_log_group(logGroupName="/aws/lambda/watch")
    logs.create_log_stream(logGroupName="/aws/lambda/watch", logStreamName="a")
    subscribe(logs, function, "", "/aws/lambda/watch")
    say(sandbox, "x", group="/aws/lambda/watch")
    sandbox.clock.advance(minutes=1)
    assert sandbox.history()["what"] == ["not delivered"]


def test_given_a_destination_that_is_gone_then_logging_goes_on_and_the_history_tells(sandbox, logs):
    kinesis = sandbox.client("kinesis")
    kinesis.create_stream(StreamName="out", ShardCount=1)
    arn = kinesis.describe_stream(StreamName="out")["StreamDescription"]["StreamARN"]
    logs.put_subscription_filter(logGroupName="/shop", filterName="all", filterPattern="", destinationArn=arn,
                                 roleArn="arn:aws:iam::123456789012:role/logs")
    kinesis.delete_stream(StreamName="out")
    say(sandbox, "still here")
    assert found(logs) == ["still here"] and sandbox.history()["what"] == ["delivery failed"]


def test_given_a_subscription_with_a_wrong_pattern_then_it_is_refused(logs):
    with pytest.raises(logs.exceptions.InvalidParameterException, match="Invalid filter pattern"):
        logs.put_subscription_filter(logGroupName="/shop", filterName="f", filterPattern="{ a }", destinationArn="arn:aws:kinesis:::x")


# retention, and what others send


def test_given_a_retention_when_time_passes_then_events_are_gone_wherever_one_looks(sandbox, logs):
    """API Reference, "PutRetentionPolicy"."""
    logs.put_retention_policy(logGroupName="/shop", retentionInDays=7)
    say(sandbox, "old")
    sandbox.clock.advance(days=6)
    say(sandbox, "new")
    assert found(logs) == ["old", "new"]
    sandbox.clock.advance(days=2)
    assert [event["message"] for event in logs.get_log_events(logGroupName="/shop", logStreamName="a")["events"]] == ["new"]
    assert found(logs) == ["new"] and "1 events expired" in sandbox.history()["what"]
    sandbox.clock.advance(days=30)
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 0


def test_given_a_retention_then_older_events_are_not_even_taken(sandbox, logs):
    logs.put_retention_policy(logGroupName="/shop", retentionInDays=1)
    answer = say(sandbox, "too late", ago=2 * 86_400)
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1} and found(logs) == []


def test_given_a_year_then_retention_waits_until_somebody_looks(sandbox, logs, happened):
    logs.put_retention_policy(logGroupName="/shop", retentionInDays=1)
    say(sandbox, "x")
    sandbox.clock.advance(days=365)
    assert happened == [] and found(logs) == [] and "1 events expired" in sandbox.history()["what"]


@pytest.mark.parametrize("message, text", [("plain", "plain"), ({"a": 1}, '{"a": 1}')])
def test_given_something_sent_to_a_log_group_then_it_is_an_event(sandbox, logs, message, text):
    sandbox.life.send("arn:aws:logs:us-east-1:123456789012:log-group:/shop:*", message, "events.amazonaws.com")
    assert found(logs) == [text]


def test_given_a_live_tail_then_its_pattern_is_real_as_well(sandbox, logs):
    say(sandbox, {"level": "ERROR", "ms": 500}, {"level": "info", "ms": 500})
    stream = logs.start_live_tail(logGroupIdentifiers=["arn:aws:logs:us-east-1:123456789012:log-group:/shop"],
                                  logEventFilterPattern=JSON_PATTERN)["responseStream"]
    shown = [one["message"] for part in stream if "sessionUpdate" in part for one in part["sessionUpdate"]["sessionResults"]]
    assert [json.loads(one)["level"] for one in shown] == ["ERROR"]


def test_given_what_was_saved_when_loaded_then_ids_are_the_same(sandbox, logs, tmp_path):
    say(sandbox, "x")
    asked = ask(sandbox, "fields @message")
    sandbox.clock.advance(seconds=5)
    events, results = logs.filter_log_events(logGroupName="/shop")["events"], logs.get_query_results(queryId=asked)["results"]
    path = sandbox.save(tmp_path / "saved.json")
    lab.load(path)
    assert logs.filter_log_events(logGroupName="/shop")["events"] == events
    assert logs.get_query_results(queryId=asked)["results"] == results
    assert base64.b64decode(results[0][1]["value"]).decode().endswith(f"/shop/{events[0]['eventId']}")


# the bill


def gigabytes(sandbox, item):
    return sum(line.quantity for line in sandbox.bill().lines if line.item == item)


def test_given_logs_then_what_comes_in_and_what_is_kept_is_billed_until_it_expires(sandbox, logs, happened):
    """Amazon CloudWatch Pricing: ingestion by the GB, storage by the GB-month, 5 GB of each free; kept is 15 % of it."""
    logs.put_retention_policy(logGroupName="/shop", retentionInDays=3)
    say(sandbox, "x" * 1000)
    sandbox.clock.advance(days=1)
    say(sandbox, "y" * 3000)
    sandbox.clock.advance(days=10)
    assert happened == [] and gigabytes(sandbox, "logs:ingested") == pytest.approx(4000 / 2 ** 30)
    kept = gigabytes(sandbox, "logs:stored")
    assert kept == pytest.approx(0.15 * 4000 / 2 ** 30 * (3 * 24 + 1) / 744, rel=1e-6)
    assert sandbox.bill().an_hour == 0 and sandbox.bill().total == 0


def test_given_logs_kept_for_ever_then_they_are_billed_until_they_are_deleted(sandbox, logs):
    say(sandbox, "x" * 1000)
    sandbox.clock.advance(days=10)
    sandbox.client("logs", region_name="eu-west-1").create_log_group(logGroupName="/shop")
    logs.put_retention_policy(logGroupName="/shop", retentionInDays=365)
    assert sandbox.bill().an_hour > 0
    logs.delete_log_group(logGroupName="/shop")
    sandbox.clock.advance(days=10)
    assert gigabytes(sandbox, "logs:stored") == pytest.approx(0.15 * 1000 / 2 ** 30 * 10 / 31) and sandbox.bill().an_hour == 0


def test_given_gigabytes_of_logs_then_five_are_free_and_the_rest_costs(sandbox, logs):
    logs_bill = sandbox.life.meter
    logs_bill.add("log group /shop", "logs:ingested", 7)
    assert sandbox.bill().total == pytest.approx(2 * 0.50)


def test_given_a_query_then_what_it_scans_is_billed(sandbox, logs):
    say(sandbox, "x" * 1000)
    sandbox.clock.advance(minutes=1)
    now = int(sandbox.clock.date.timestamp())
    logs.start_query(logGroupName="/shop", startTime=now - 3600, endTime=now, queryString="fields @message")
    assert gigabytes(sandbox, "logs:scanned") * 2 ** 30 == pytest.approx(1000, rel=0.1)
