"""CloudWatch Logs in the sandbox: patterns that match as AWS's do, metrics and deliveries from what is logged, queries
that run, events that expire.

moto keeps log groups, streams and events. The models decide which line matches, what a metric filter makes of it and
what a query finds, whoever has written the line: boto3, a Lambda function, EventBridge, CloudTrail.

**Simplified** A query takes a second of the sandbox's time and sees what was logged when it was started; it may be asked
for five times in one moment. Events are gone the moment their retention ends (AWS: within 72 hours). Subscription
filters deliver at once, and not into the log group that the delivery itself writes to (AWS would go on and on). Policies
of log groups are not asked. Metric filters without a default value report each line as it comes, those with one at the
end of the minute.
**Not modelled** Data protection, transformers, field indexes, classes of log groups; query languages PPL and SQL.

On the bill is what is taken in, kept and scanned. What is kept is compressed to 15 %, as AWS's Pricing Calculator assumes
(dev.classmethod.jp, 2021-09-18, read 2026-11-28); what expires is on it until the hour is full.

Amazon CloudWatch Logs User Guide, "Real-time processing of log data with subscriptions", "Working with log groups and
log streams"; API Reference, "FilterLogEvents", "PutLogEvents", "PutMetricFilter", "PutRetentionPolicy", "StartQuery",
"GetQueryResults", "StopQuery", as botocore carries them. Read 2026-11-23. Not opened anew: how often GetQueryResults may
be called ("CloudWatch Logs quotas").
"""

import base64
import gzip
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256

from kit.errors import ServiceError
from kit.monitoring.log_filter import MetricFilter, compile_pattern
from kit.monitoring.log_insights import query

DAY, HOUR, MINUTE = 86_400, 3600.0, 60.0  # s
MEASURED = re.compile(r"Max Memory Used: \d+")  # in the REPORT lines of functions: what the computer really used
GB, COMPRESSED = 2 ** 30, 0.15  # bytes; which part of what was taken in is kept
QUERY_TIME = 1.0  # s of the sandbox that a query takes
ASKED_AT_ONCE = 5  # GetQueryResults calls a second ("CloudWatch Logs quotas")
PAGE = 10_000  # events of FilterLogEvents ("FilterLogEvents")
OLDEST, NEWEST = 14 * DAY, 7200  # s that an event may be old, or early ("PutLogEvents")
MEASURES = {"metricName", "metricNamespace", "metricValue"}  # what a metric transformation must have
METRIC_FILTERS = 100  # of one log group ("PutMetricFilter")
GROUPS = 50  # of one query ("StartQuery")


def live(life) -> None:
    logs = Logs(life)
    life.state["logs"] = logs
    from moto.logs import models
    models.LogEvent._event_id = 0  # moto counts events of the whole process; ids are to repeat
    life.patch(models.LogStream, "put_log_events", logs.arrived)
    life.patch(models.LogStream, "_send_log_events", logs.deliver)
    life.patch(models, "EventMessageFilter", lambda before, pattern: compile_pattern(pattern or ""))  # for StartLiveTail
    for operation, function in (
            ("FilterLogEvents", logs.filter), ("TestMetricFilter", logs.test_filter), ("StartQuery", logs.start_query),
            ("GetQueryResults", logs.query_results), ("StopQuery", logs.stop_query),
            ("DescribeQueries", logs.describe_queries)):
        life.answer("logs", operation, function)
    life.before("logs", "*", logs.expire)
    life.before("logs", "PutMetricFilter", logs.check_metric_filter)
    life.before("logs", "PutSubscriptionFilter", logs.check_subscription)
    life.before("logs", "StartLiveTail", lambda call: compile_pattern(call.parameters.get("logEventFilterPattern", "")))
    life.then("logs", "PutLogEvents", logs.tell_rejected)
    life.then("logs", "DescribeLogGroups", logs.count_filters)
    life.then("logs", "DeleteLogGroup DeleteLogStream PutRetentionPolicy DeleteRetentionPolicy", logs.weigh)
    life.receive("arn:aws:logs:", logs.receive)


@dataclass
class Query:
    """One run of a query. status: Running, Complete or Cancelled."""

    groups: list
    text: str
    started: float
    found: dict
    cancelled: bool = False
    asked: list = field(default_factory=list)  # when its results were last asked for

    def status(self, now: float) -> str:
        if self.cancelled:
            return "Cancelled"
        return "Complete" if now >= self.started + QUERY_TIME else "Running"


class Logs:
    """The log groups of one sandbox: what is found in them, and what happens when something is logged."""

    def __init__(self, life):
        self.life = life
        self.zero = life.sandbox.clock.date_at(0).timestamp()
        self.queries = {}  # id -> Query
        self._quiet = {}  # id of a metric filter with a default value -> the events of this minute
        self._regions = {}  # name of a log group -> the regions in which there is one
        self._delivering = []  # log groups whose events are being delivered just now

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.zero + self.life.clock.now

    # reading

    def filter(self, call) -> dict:
        """FilterLogEvents: the events that match, in the order of their time, from all streams."""
        given = call.parameters
        group = self._group(call)
        pattern = compile_pattern(given.get("filterPattern", ""))
        names, prefix = given.get("logStreamNames"), given.get("logStreamNamePrefix", "")
        if names and prefix:
            raise ServiceError("InvalidParameterException", "Give logStreamNames or logStreamNamePrefix, not both.")
        for name in names or ():
            if name not in group.streams:
                raise ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")
        start, end = given.get("startTime", 0), given.get("endTime", float("inf"))
        if start > end:
            raise ServiceError("InvalidParameterException", "startTime is after endTime.")
        found = [(event, stream) for stream in group.streams.values()
                 if (not names or stream.log_stream_name in names) and stream.log_stream_name.startswith(prefix)
                 for event in stream.events if start <= event.timestamp <= end and pattern.matches(event.message)]
        oldest_first = given.get("startFromHead", True)
        found.sort(key=lambda one: (one[0].timestamp, one[0].ingestion_time, one[0].event_id), reverse=not oldest_first)
        question = _digest(group.arn, pattern.text, names, prefix, start, end, oldest_first)
        first = _place(given.get("nextToken"), question)
        last = first + given.get("limit", PAGE)
        answer = {"events": [_shown(event) | {"logStreamName": stream.log_stream_name} for event, stream in found[first:last]],
                  "searchedLogStreams": []}
        return answer | ({"nextToken": f"{question}.{last}"} if last < len(found) else {})

    def test_filter(self, call) -> dict:
        pattern = compile_pattern(call.parameters["filterPattern"])
        return {"matches": [
            {"eventNumber": number, "eventMessage": message, "extractedValues": pattern.extract(message)}
            for number, message in enumerate(call.parameters["logEventMessages"], 1) if pattern.matches(message)]}

    def start_query(self, call) -> dict:
        given = call.parameters
        if given.get("queryLanguage", "CWLI") != "CWLI":
            raise ValueError("the sandbox knows the query language CWLI only: leave queryLanguage out")
        ways = [name for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if given.get(name)]
        if len(ways) != 1:
            raise ServiceError("InvalidParameterException", "Give exactly one of logGroupName, logGroupNames and "
                                                            "logGroupIdentifiers.")
        names = given[ways[0]] if ways[0] != "logGroupName" else [given["logGroupName"]]
        if len(names) > GROUPS:
            raise ServiceError("InvalidParameterException", f"A query looks into {GROUPS} log groups at most.")
        if given["startTime"] > given["endTime"]:
            raise ServiceError("InvalidParameterException", "The query's start time is after its end time.")
        groups = [self._named(name, call.region) for name in names]
        for group in groups:
            self._expire(group)
        events = [{"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingestion_time,
                   "logStreamName": stream.log_stream_name, "log": f"{group.account_id}:{group.name}",
                   "ptr": base64.b64encode(f"{group.arn}/{event.event_id}".encode()).decode()}
                  for group in groups for stream in group.streams.values() for event in stream.events]
        found = query(given["queryString"], events, given["startTime"], given["endTime"])
        found["results"] = found["results"][:given.get("limit")]
        self.life.meter.add(f"log group {groups[0].name}", "logs:scanned", found["statistics"]["bytesScanned"] / GB)
        from moto.moto_api._internal import mock_random
        identifier = str(mock_random.uuid4())
        self.queries[identifier] = Query([group.name for group in groups], given["queryString"], self.life.clock.now, found)
        return {"queryId": identifier}

    def query_results(self, call) -> dict:
        one, now = self._query(call), self.life.clock.now
        one.asked = [at for at in one.asked if at == now] + [now]
        status = one.status(now)
        if status == "Running" and len(one.asked) > ASKED_AT_ONCE:
            raise ServiceError("ThrottlingException", "Rate exceeded: the query is asked for again and again in the same "
                               "moment. The sandbox's time stands still until sandbox.clock.advance(seconds=1).")
        if status != "Complete":
            return {"queryLanguage": "CWLI", "results": [], "status": status, "statistics": dict.fromkeys(
                ("recordsMatched", "recordsScanned", "bytesScanned"), 0.0)}
        results, first = one.found["results"], _place(call.parameters.get("nextToken"), call.parameters["queryId"])
        last = first + (call.parameters.get("maxItems") or PAGE)
        answer = {"queryLanguage": "CWLI", "results": results[first:last], "status": status,
                  "statistics": one.found["statistics"]}
        return answer | ({"nextToken": f"{call.parameters['queryId']}.{last}"} if last < len(results) else {})

    def stop_query(self, call) -> dict:
        one = self._query(call)
        status = one.status(self.life.clock.now)
        if status != "Running":
            raise ServiceError("InvalidParameterException", f"The query is not running, it is {status}.")
        one.cancelled = True
        return {"success": True}

    def describe_queries(self, call) -> dict:
        wanted, state, now = call.parameters.get("logGroupName"), call.parameters.get("status"), self.life.clock.now
        return {"queries": [
            {"queryLanguage": "CWLI", "queryId": identifier, "queryString": one.text, "status": one.status(now),
             "createTime": int((self.zero + one.started) * 1000), "logGroupName": one.groups[0]}
            for identifier, one in reversed(self.queries.items())
            if (wanted is None or wanted in one.groups) and state in (None, one.status(now))]}

    def _query(self, call) -> Query:
        if call.parameters["queryId"] not in self.queries:
            raise ServiceError("ResourceNotFoundException", f"There is no query {call.parameters['queryId']}.")
        return self.queries[call.parameters["queryId"]]

    def count_filters(self, call) -> None:
        filters = self.life.backend("logs", call.region).filters.metric_filters
        for group in call.response["logGroups"]:
            group["metricFilterCount"] = sum(one["logGroupName"] == group["logGroupName"] for one in filters)

    # retention

    def expire(self, call) -> None:
        """Before anybody looks: events older than their group's retention are gone."""
        groups = self.life.backend("logs", call.region).groups
        name = call.parameters.get("logGroupName") or call.parameters.get("logGroupIdentifier", "")
        wanted = [_group_name(name)] if name else list(groups) if call.operation == "DescribeLogGroups" else []
        for one in wanted:
            if one in groups:
                self._expire(groups[one])

    def _expire(self, group) -> None:
        if not group.retention_in_days:
            return
        limit, gone = self._limit(group), 0
        for stream in group.streams.values():
            kept = [event for event in stream.events if event.timestamp >= limit]
            if len(kept) < len(stream.events):
                gone += len(stream.events) - len(kept)
                stream.events, stream.stored_bytes = kept, sum(len(event.message) for event in kept)
        if gone:
            self.life.note("CloudWatch Logs", f"{gone} events expired", group.name,
                           f"they were older than {group.retention_in_days} days, the group's retention")

    # the bill

    def _bill(self, group, events) -> None:
        size = sum(_size(event["message"]) for event in events)
        self.life.meter.add(f"log group {group.name}", "logs:ingested", size / GB)
        self._regions.setdefault(group.name, set()).add(group.region)
        self._keep(group, [(event["timestamp"], event["message"]) for event in events])

    def _keep(self, group, events) -> None:
        """Events are billed for being kept until they expire, to the full hour."""
        sizes = {}
        for timestamp, message in events:
            until = None
            if group.retention_in_days:
                until = ((timestamp / 1000 - self.zero + DAY * int(group.retention_in_days)) // HOUR + 1) * HOUR
            sizes[until] = sizes.get(until, 0) + _size(message)
        for until, size in sizes.items():
            self.life.meter.more(f"log group {group.name}", "logs:stored", size * COMPRESSED / GB, until)

    def weigh(self, call) -> None:
        """After something was deleted, or is kept for another time."""
        name = call.parameters["logGroupName"]
        self.life.meter.end(f"log group {name}", "logs:stored")
        for region in sorted(self._regions.get(name, ())):
            group = self.life.backend("logs", region).groups.get(name)
            if group is not None:
                limit = self._limit(group)
                self._keep(group, [(event.timestamp, event.message) for stream in group.streams.values()
                                   for event in stream.events if event.timestamp >= limit])

    def _limit(self, group) -> float:
        """The oldest time, in milliseconds, of an event that this group keeps."""
        return (self.now - DAY * int(group.retention_in_days)) * 1000 if group.retention_in_days else 0

    # what happens when something is logged, by whomever

    def arrived(self, before, stream, log_events):
        """moto's LogStream.put_log_events: metric filters see what is kept."""
        group, count = stream.log_group, len(stream.events)
        token = before(stream, [event for event in log_events if event["timestamp"] >= self._limit(group)])
        events = [{"timestamp": event.timestamp, "message": event.message} for event in stream.events[count:]]
        if events:
            self._bill(group, events)
            for one in self.life.backend("logs", group.region).filters.metric_filters:
                if one["logGroupName"] == group.name:
                    self.life.guarded(self._measure, one, events, group.region)
        return token

    def _measure(self, given: dict, events: list, region: str) -> None:
        for transformation in given["metricTransformations"]:
            metric = _metric_filter(given["filterPattern"], transformation)
            if metric.defaultValue is None:
                self._report(metric, events, region)
                continue
            key = region, given["logGroupName"], given["filterName"]
            if key not in self._quiet:
                self._quiet[key] = []
                self.life.clock.at((self.life.clock.now // MINUTE + 1) * MINUTE, self._minute_is_over, key, metric)
            self._quiet[key] += events

    def _minute_is_over(self, key, metric) -> None:
        self._report(metric, self._quiet.pop(key), key[0])

    def _report(self, metric, events, region) -> None:
        points = metric.data_points(events)
        if not points:
            return
        self.life.wake("cloudwatch")
        data = [{"MetricName": metric.metricName, "Value": point["Value"], "Unit": metric.unit,
                 "Timestamp": point["Timestamp"] - self.zero,
                 "Dimensions": [{"Name": name, "Value": value} for name, value in point["Dimensions"].items()]}
                for point in points]
        self.life.state["metrics"].put_metric_data(metric.metricNamespace, data, self.life.clock.now, region)

    def deliver(self, before, stream, service, destination_arn, filter_name, log_events) -> None:
        """moto's LogStream._send_log_events: what matches goes to the destination, the rest doesn't."""
        group = stream.log_group
        pattern = compile_pattern(group.subscription_filters[filter_name].filter_pattern or "")
        events = [event for event in log_events if pattern.matches(event["message"])]
        if not events:
            return
        if group.arn in self._delivering or destination_arn.endswith(f":function:{group.name.removeprefix('/aws/lambda/')}"):
            self.life.note("CloudWatch Logs", "not delivered", group.name, f"{filter_name}: the delivery itself is logged "
                           "here; on AWS this would go on and on, and cost")
            return
        self._delivering.append(group.arn)
        try:
            if service == "lambda":
                self._to_function(group, stream, destination_arn, filter_name, events)
            else:
                before(stream, service=service, destination_arn=destination_arn, filter_name=filter_name, log_events=events)
        except (LookupError, ServiceError, *_refusals()) as error:
            self.life.note("CloudWatch Logs", "delivery failed", group.name, f"{filter_name} to {destination_arn}: {error}")
        finally:
            self._delivering.pop()

    def _to_function(self, group, stream, arn, filter_name, events) -> None:
        message = {"messageType": "DATA_MESSAGE", "owner": group.account_id, "logGroup": group.name,
                   "logStream": stream.log_stream_name, "subscriptionFilters": [filter_name],
                   "logEvents": [event | {"id": str(event["id"])} for event in events]}
        data = gzip.compress(json.dumps(message).encode(), mtime=0)
        with self.life.on_behalf_of(f"{group.arn}:*"):
            self.life.send(arn, {"awslogs": {"data": base64.b64encode(data).decode()}}, "logs.amazonaws.com")

    def tell_rejected(self, call) -> None:
        """PutLogEvents answers which events it did not take, and the history says why."""
        group = self._group(call)
        at = [event["timestamp"] / 1000 for event in call.parameters["logEvents"]]  # in order of time, moto has seen to it
        old = sum(one < self.now - OLDEST for one in at)
        expired = sum(one < self._limit(group) / 1000 for one in at)
        new = sum(one > self.now + NEWEST for one in at)
        told = {name: index for name, index, count in (
            ("tooOldLogEventEndIndex", old, old), ("expiredLogEventEndIndex", expired, expired),
            ("tooNewLogEventStartIndex", len(at) - new, new)) if count}
        call.response.pop("rejectedLogEventsInfo", None)
        if told:
            call.response["rejectedLogEventsInfo"] = told
            self.life.note("CloudWatch Logs", f"{max(old, expired) + new} events rejected", group.name, "a timestamp is in "
                           "milliseconds since 1970, at most 14 days old (and within the retention), at most 2 hours early; "
                           f"the sandbox's time is {int(self.now * 1000)}")

    def receive(self, arn, message, source) -> None:
        """Something sent to a log group becomes an event in a stream of its own."""
        region = arn.split(":")[3]
        group = self._named(arn, region)
        from moto.moto_api._internal import mock_random
        stream = str(mock_random.uuid4())
        text = message if isinstance(message, str) else json.dumps(message)
        with self.life.sandbox.clock:
            logs = self.life.backend("logs", region)
            logs.create_log_stream(group.name, stream)
            logs.put_log_events(group.name, stream, [{"timestamp": int(self.now * 1000), "message": text}])

    # what is checked before moto keeps it

    def check_metric_filter(self, call) -> None:
        """Validated by the model; a filter of the same name is replaced."""
        given = call.parameters
        needed = {"logGroupName", "filterName", "filterPattern", "metricTransformations"}
        if needed - given.keys() or any(MEASURES - one.keys() for one in given["metricTransformations"]):
            return  # boto3 will say so
        group = self._group(call)
        for transformation in given["metricTransformations"]:
            _metric_filter(given["filterPattern"], transformation)
        filters = self.life.backend("logs", call.region).filters.metric_filters
        mine = [one for one in filters if one["logGroupName"] == group.name]
        same = [one for one in mine if one["filterName"] == given["filterName"]]
        if not same and len(mine) >= METRIC_FILTERS:
            raise ServiceError("LimitExceededException", f"A log group has {METRIC_FILTERS} metric filters at most.")
        filters[:] = [one for one in filters if one not in same]

    def check_subscription(self, call) -> None:
        given, group = call.parameters, self._group(call)
        compile_pattern(given.get("filterPattern", ""))
        arn = given.get("destinationArn", "")
        if not arn.startswith("arn:aws:lambda:"):
            return
        try:
            with self.life.on_behalf_of(f"{group.arn}:*"):
                self.life.client("lambda", call.region, by="logs.amazonaws.com").invoke(
                    FunctionName=arn, InvocationType="DryRun")
        except _refusals():
            raise ServiceError("InvalidParameterException", "Could not execute the lambda function. Make sure you have given "
                               "CloudWatch Logs permission to execute your function.") from None

    def _group(self, call):
        name = call.parameters.get("logGroupName") or call.parameters.get("logGroupIdentifier")
        if not name or call.parameters.get("logGroupName") and call.parameters.get("logGroupIdentifier"):
            raise ServiceError("InvalidParameterException", "Give logGroupName or logGroupIdentifier, one of them.")
        return self._named(name, call.region)

    def _named(self, name, region):
        group = self.life.backend("logs", region).groups.get(_group_name(name))
        if group is None:
            raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
        return group


def _size(message: str) -> int:
    """Bytes that are billed. What was measured counts as two digits, so that a story costs the same each time."""
    return len(MEASURED.sub("Max Memory Used: 64", message).encode())


def _group_name(name: str) -> str:
    """Of a log group given by its name or its ARN."""
    return name.split(":log-group:")[1].split(":")[0] if name.startswith("arn:") and ":log-group:" in name else name


def _metric_filter(pattern: str, transformation: dict) -> MetricFilter:
    return MetricFilter(pattern, **{"unit": "None"} | transformation)


def _shown(event) -> dict:
    return {"eventId": str(event.event_id), "timestamp": event.timestamp, "message": event.message,
            "ingestionTime": event.ingestion_time}


def _digest(*parts) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:16]


def _place(token: str | None, question: str) -> int:
    """Where a page begins: tokens are good for the question they were given for."""
    if token is None:
        return 0
    asked, _, place = token.rpartition(".")
    if asked != question or not place.isdigit():
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(place)


def _refusals():
    from botocore.exceptions import ClientError
    from moto.core.exceptions import ServiceException
    from werkzeug.exceptions import HTTPException
    return ClientError, ServiceException, HTTPException  # moto's own errors are one of the last two
