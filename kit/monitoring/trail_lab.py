"""CloudTrail in the sandbox: every call is on record, trails bring their log files to a bucket, digests prove them.

    sandbox.client("cloudtrail").lookup_events(LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "ada"}])
    validate_logs(sandbox, "audit")                 # like `aws cloudtrail validate-logs`: [] if nobody touched a file

The calls are the sandbox's own; they become records when somebody asks, or when a trail delivers: at each full five
minutes in which there was something to deliver. moto keeps the trails.

**Simplified** An event is in the event history at once. Hours without log files have no digest file (AWS writes those,
too), and the next digest follows the one before. Digests come a minute after the hour, signed with HMAC instead of RSA.
What cannot be written to the bucket is lost (AWS tries again for 30 days). What the sandbox's own behaviours do as the
account's owner is not recorded; what services and roles do is. Of a user agent its first word is kept. StartLogging
itself is not in the trail, StopLogging is.
On the bill are the events of log files: management events free on their first trail, dearer on each further one; data
events; and those analyzed for Insights (writes for the call rate, all for the error rate).
**Not modelled** Event data stores (CloudTrail Lake), encryption with KMS, organizations, Insights on data events.

"AWS CloudTrail Pricing" (stored copy), "Managing CloudTrail trail costs", "Costs for Insights events": read 2026-11-28.
AWS CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail" (excerpt of today's page), "Validating CloudTrail log
file integrity with the AWS CLI", "Sending events to CloudWatch Logs"; API Reference, "CreateTrail", "GetTrailStatus",
"PutInsightSelectors", "LookupEvents", as botocore carries them. Read 2026-11-23. Not opened anew: what
GetInsightSelectors and GetEventSelectors answer for a trail without selectors, five trails a Region.
"""

import builtins
import gzip
import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kit.errors import ServiceError
from kit.identity.authorization import Asked, asked
from kit.identity.lab import SOURCE_IP
from kit.lab.life import SERVICE_KEY, Who
from kit.monitoring import cloudtrail as model
from kit.monitoring.trail_digest import HOUR, SIGNER, Digest, Finding, make_digest, validate
from kit.monitoring.trail_insights import BASELINE, STEP, insight_events

DIGEST_WAIT = 60  # s after the hour
TRAILS = 5  # in a Region
DAY = 86_400
NO_ENTRY = {"InvalidClientTokenId", "ExpiredToken"}  # keys that belong to nobody: there is nobody to record
CLOUDTRAIL = Who("AWSService", "cloudtrail.amazonaws.com", "cloudtrail.amazonaws.com", SERVICE_KEY + "cloudtrail.amazonaws.com")


def live(life) -> None:
    recorder = Recorder(life)
    trails = Trails(life, recorder)
    life.state["cloudtrail"] = trails
    life.wake("iam")
    life.patch(life, "perform", trails.watch)
    life.answer("cloudtrail", "LookupEvents", trails.lookup)
    life.before("cloudtrail", "CreateTrail", trails.check_new)
    life.before("cloudtrail", "UpdateTrail", trails.check_update)
    life.before("cloudtrail", "PutEventSelectors", trails.check_selectors)
    life.before("cloudtrail", "GetInsightSelectors", trails.check_insights)
    life.before("cloudtrail", "DeleteTrail", trails.delete)
    for operation, function in (
            ("StartLogging", trails.start), ("StopLogging", trails.stop), ("GetTrailStatus", trails.status),
            ("PutEventSelectors", trails.put_selectors), ("GetEventSelectors", trails.get_selectors),
            ("PutInsightSelectors", trails.put_insights), ("GetTrail DescribeTrails", trails.describe)):
        life.then("cloudtrail", operation, function)


def validate_logs(sandbox, trail_name: str) -> list[Finding]:
    """What was changed, deleted or inserted in a trail's bucket: read through boto3, as anybody may who can read there.

    A bucket and prefix that two trails share are not told apart: the other's files count as inserted.
    """
    trail, s3 = sandbox.client("cloudtrail").get_trail(Name=trail_name)["Trail"], sandbox.client("s3")
    bucket, prefix = trail["S3BucketName"], f"{trail['S3KeyPrefix']}/" if trail.get("S3KeyPrefix") else ""
    files, digests = {}, []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}AWSLogs/"):
        for key in (one["Key"] for one in page.get("Contents", ())):
            if "/CloudTrail/" in key:
                files[key] = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            elif "/CloudTrail-Digest/" in key and f"_{trail['Name']}_" in key:
                found = s3.get_object(Bucket=bucket, Key=key)
                digests.append(Digest(key, _unpacked(found["Body"].read()), found["Metadata"].get("signature", "")))
    return validate(files, digests)


class Recorder:
    """From the sandbox's calls to CloudTrail's records."""

    def __init__(self, life):
        self.life, self.account = life, life.sandbox.account_id
        self.zero = life.sandbox.clock.date_at(0).timestamp()
        self._management, self._seen = [], 0  # records of management events, of so many calls
        self._sessions, self._searched = {}, 0  # access key of a role's session -> when it was assumed

    def recorded(self, call, data: bool = True) -> bool:
        """Is this a call that CloudTrail writes down? data: do data events count?"""
        source = model.event_source(call.service)
        if call.by and call.who.kind == "Root" or call.who == CLOUDTRAIL or (source, call.operation) in model.UNRECORDED:
            return False
        if call.error and (call.error[0] in NO_ENTRY or _never_sent(call.error[0])):
            return False
        return data or not model.is_data_event(source, call.operation)

    def management(self, until: int) -> list[dict]:
        """The records of all management events among the first ``until`` calls."""
        for call in self.life.calls[self._seen:until]:
            if self.recorded(call, data=False):
                self._management.append(self.record(call))
        self._seen = max(self._seen, until)
        return self._management

    def record(self, call) -> dict:
        made = {"eventTime": self.zero + call.at, "eventSource": model.event_source(call.service), "eventName": call.operation,
                "awsRegion": call.region, "userIdentity": self._identity(call), "requestParameters": call.parameters,
                "responseElements": call.response, "recipientAccountId": self.account, "resources": self._resources(call)}
        if call.who.kind != "AWSService":
            made |= {"userAgent": call.agent.split()[0] or "aws-sdk"} | ({"sourceIPAddress": SOURCE_IP} if not call.by else {})
        if call.error:
            made |= {"errorCode": self._error_code(call), "errorMessage": call.error[1]}
        return model.record(made, call.number)

    def _identity(self, call) -> dict:
        who = call.who
        key = who.access_key if who.access_key.startswith(("AKIA", "ASIA")) else ""
        if who.kind == "AWSService":
            return model.service(who.name)
        if who.kind == "IAMUser":
            return model.iam_user(who.name, self.account, key) | {"arn": who.arn}
        if who.kind == "AssumedRole":
            return model.assumed_role(who.name, who.arn.rsplit("/", 1)[-1], self.zero + self._assumed(key, call.at),
                                      self.account, key)
        if who.kind == "Anonymous":
            return {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
        return model.root(self.account, key)

    def _assumed(self, key, default) -> float:
        for call in self.life.calls[self._searched:]:
            if call.operation.startswith("AssumeRole") and call.response:
                self._sessions[call.response["Credentials"]["AccessKeyId"]] = call.at
        self._searched = len(self.life.calls) - 1  # the newest may be under way, without its answer
        return self._sessions.get(key, default)

    def _resources(self, call) -> list[dict]:
        if call.service == "s3":
            return []  # the model finds them itself
        arns = [one.resource for one in asked(call.service, call.operation, call.parameters, caller=call.who.arn,
                                              region=call.region, account=self.account)]
        if call.operation == "RunInstances" and call.response:
            arns += [f"arn:aws:ec2:{call.region}:{self.account}:instance/{one['InstanceId']}"
                     for one in call.response["Instances"]]
        found = [model.resource(arn) for arn in dict.fromkeys(arns)]
        return [one for one in found if one is not None]

    def _error_code(self, call) -> str:
        if call.service == "ec2":
            return f"Client.{call.error[0]}"
        refused = any(one is call for one, _ in self.life.refusals)
        return "AccessDenied" if refused else call.error[0]


@dataclass
class Recording:
    """What a trail has still to deliver, and what it has delivered."""

    trail: object
    first: int | None = None  # the first call that is not delivered yet; None while the trail does not log
    pending: list = field(default_factory=list)  # calls from before it was stopped
    times: dict = field(default_factory=dict)  # what GetTrailStatus tells, boto3's names
    hour: dict = field(default_factory=dict)  # log files that no digest has yet
    chains: dict = field(default_factory=dict)  # Region -> its newest digest
    streams: set = field(default_factory=set)  # of log streams that are made
    insights: set = field(default_factory=set)  # ids of Insights events that are delivered
    unusual: set = field(default_factory=set)  # (source, name, insight type) with a Start event and no End yet

    def take(self, calls: list, before: float) -> list:
        """The calls that come into the next log file."""
        taken, self.pending = self.pending, []
        while self.first is not None and self.first < len(calls) and calls[self.first].at < before:
            taken.append(calls[self.first])
            self.first += 1
        return taken

    @property
    def selectors(self) -> dict:
        return {"EventSelectors": self.trail.event_selectors or None,
                "AdvancedEventSelectors": self.trail.advanced_event_selectors or None}

    @property
    def wants_data(self) -> bool:
        return any(one.get("DataResources") for one in self.trail.event_selectors) or any(
            field.get("Equals") == ["Data"] for one in self.trail.advanced_event_selectors for field in one["FieldSelectors"])


class Trails:
    """The trails of one sandbox."""

    def __init__(self, life, recorder):
        self.life, self.recorder = life, recorder
        self.recordings = {}  # ARN -> Recording, of each trail that logs or has logged
        self._ticket, self._hours = None, set()
        self._copied = set()  # ids of the management events that a trail has delivered just now

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.recorder.zero + self.life.clock.now

    # the event history

    def lookup(self, call) -> dict:
        given = dict(call.parameters)
        category = given.pop("EventCategory", None)
        if category not in (None, "insight"):
            raise ServiceError("InvalidEventCategoryException", "The event category is insight, or left out.")
        for name in ("StartTime", "EndTime"):
            if name in given:
                given[name] = self.recorder.zero + self.life.sandbox.clock.seconds_at(_date(given[name]))
        records = self.recorder.management(call.number - 1)
        if category:
            return self._lookup_insights(records, given)
        found = model.lookup_events(records, self.now, region=call.region, **given)
        return found | {"Events": [one | {"EventTime": datetime.fromtimestamp(one["EventTime"], UTC)}
                                   for one in found["Events"]]}

    def _lookup_insights(self, records, given) -> dict:
        kinds = {kind for one in self.recordings.values() for kind in _insight_types(one.trail)}
        begin, end = max(self.recorder.zero, self.now - model.HISTORY - BASELINE), self.now
        begin -= (begin - self.recorder.zero) % STEP
        events = [event for kind in sorted(kinds) for event in insight_events(records, begin, end, kind)
                  if given.get("StartTime", 0) <= model.seconds(event["eventTime"]) <= given.get("EndTime", end)]
        shown = [{"EventId": event["eventID"], "EventName": event["insightDetails"]["eventName"],
                  "EventSource": event["insightDetails"]["eventSource"],
                  "EventTime": datetime.fromisoformat(event["eventTime"]),
                  "CloudTrailEvent": json.dumps(event)} for event in events]
        for one in given.get("LookupAttributes", ()):
            shown = [event for event in shown if event.get(one["AttributeKey"]) == one["AttributeValue"]]
        shown.sort(key=lambda event: event["EventTime"], reverse=True)
        return {"Events": shown[:given.get("MaxResults", model.PAGE)]}

    # trails: what AWS refuses and moto doesn't

    def check_new(self, call) -> None:
        given, backend = call.parameters, self.life.backend("cloudtrail", call.region)
        if "Name" not in given or "S3BucketName" not in given:
            return  # boto3 will say so
        if given["Name"] in backend.trails:
            raise ServiceError("TrailAlreadyExistsException", f"Trail {given['Name']} already exists for customer: "
                                                              f"{self.recorder.account}")
        if len(backend.trails) >= TRAILS:
            raise ServiceError("MaximumNumberOfTrailsExceededException", f"A Region has {TRAILS} trails at most.")
        self._check(given, call.region, given["Name"])

    def check_update(self, call) -> None:
        trail = self._trail(call.parameters["Name"], call.region)
        before = {"S3BucketName": trail.bucket_name, "S3KeyPrefix": trail.s3_key_prefix}
        self._check(before | call.parameters, call.region, trail.trail_name)

    def _check(self, given, region, name) -> None:
        bucket, arn = given["S3BucketName"], f"arn:aws:cloudtrail:{region}:{self.recorder.account}:trail/{name}"
        if bucket in self.life.backend("s3").buckets and not self._may_write(arn, bucket, given.get("S3KeyPrefix")):
            raise ServiceError("InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: "
                               f"{bucket}. It must allow cloudtrail.amazonaws.com s3:GetBucketAcl on the bucket and "
                               f"s3:PutObject on {_folder(given.get('S3KeyPrefix'), self.recorder.account)}*")
        group, role = given.get("CloudWatchLogsLogGroupArn"), given.get("CloudWatchLogsRoleArn")
        if bool(group) != bool(role):
            raise ServiceError("InvalidParameterCombinationException", "Give both CloudWatchLogsLogGroupArn and "
                                                                       "CloudWatchLogsRoleArn, or none.")
        if not group:
            return
        if role not in {one.arn for one in self.life.backend("iam").roles.values()} or not self._allowed(
                CLOUDTRAIL, "sts:AssumeRole", role):
            raise ServiceError("InvalidCloudWatchLogsRoleArnException", "There is no such role, or its trust policy does not "
                                                                        "let cloudtrail.amazonaws.com assume it.")
        if not group.endswith(":*") or _group_name(group) not in self.life.backend("logs", group.split(":")[3]).groups:
            raise ServiceError("InvalidCloudWatchLogsLogGroupArnException", "There is no such log group; its ARN ends with :*")
        if not self._may_log(group, role, region):
            raise ServiceError("InvalidCloudWatchLogsLogGroupArnException", "Access denied. Check the permissions for your "
                                                                            "role.")

    def check_selectors(self, call) -> None:
        given = call.parameters
        if not given.get("EventSelectors") and not given.get("AdvancedEventSelectors"):
            raise ServiceError("InvalidEventSelectorsException", "Give event selectors or advanced event selectors.")
        model.check_selectors(given.get("EventSelectors"), given.get("AdvancedEventSelectors"))

    def check_insights(self, call) -> None:
        name = call.parameters.get("TrailName")
        if name and not self._trail(name, call.region).insight_selectors:
            raise ServiceError("InsightNotEnabledException", f"Trail {name} has no Insights enabled.")

    # trails: what they are told

    def start(self, call) -> None:
        trail = self._trail(call.parameters["Name"], call.region)
        one = self.recordings.setdefault(trail.arn, Recording(trail))
        if one.first is None:
            one.first, one.times["StartLoggingTime"] = call.number, self.life.sandbox.clock.date
            self.life.note("CloudTrail", "logging", trail.trail_name, f"to the bucket {trail.bucket_name}")

    def stop(self, call) -> None:
        trail = self._trail(call.parameters["Name"], call.region)
        one = self.recordings.get(trail.arn)
        if one is not None and one.first is not None:
            one.pending += self.life.calls[one.first:call.number]
            one.first, one.times["StopLoggingTime"] = None, self.life.sandbox.clock.date
            self._plan()
            self.life.note("CloudTrail", "no longer logging", trail.trail_name, f"stopped by {call.who.arn}")

    def delete(self, call) -> None:
        trail = self._trail(call.parameters["Name"], call.region)
        self.recordings.pop(trail.arn, None)
        del self.life.backend("cloudtrail", call.region).trails[trail.trail_name]

    def put_selectors(self, call) -> None:
        if call.parameters.get("EventSelectors"):
            self._trail(call.parameters["TrailName"], call.region).advanced_event_selectors = []

    def get_selectors(self, call) -> None:
        if not call.response.get("EventSelectors") and not call.response.get("AdvancedEventSelectors"):
            call.response["EventSelectors"] = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
                                                "ExcludeManagementEventSources": []}]

    def put_insights(self, call) -> None:
        if call.parameters.get("TrailName"):
            self._trail(call.parameters["TrailName"], call.region).insight_selectors[:] = call.parameters["InsightSelectors"]

    def describe(self, call) -> None:
        for shown in call.response["trailList"] if "trailList" in call.response else [call.response["Trail"]]:
            trail = self._trail(shown["TrailARN"], shown["TrailARN"].split(":")[3])
            shown |= {"HomeRegion": trail.region_name, "HasInsightSelectors": bool(trail.insight_selectors),
                      "HasCustomEventSelectors": bool(trail.event_selectors or trail.advanced_event_selectors)}

    def status(self, call) -> None:
        """moto says that something was delivered just now; here it is what was."""
        for name in [name for name in call.response if name != "IsLogging" and name != "ResponseMetadata"]:
            del call.response[name]
        name = call.parameters["Name"]
        for arn, one in self.recordings.items():
            if name in (arn, one.trail.trail_name):
                call.response |= one.times

    def _trail(self, name, region):
        trails = self.life.backend("cloudtrail", region).trails
        for trail in trails.values():
            if name in (trail.trail_name, trail.arn):
                return trail
        raise ServiceError("TrailNotFoundException", f"Unknown trail: {name} for the user: {self.recorder.account}")

    # permissions of CloudTrail itself

    def _may_write(self, arn, bucket, prefix) -> bool:
        key = f"{_folder(prefix, self.recorder.account)}CloudTrail/x"
        with self.life.on_behalf_of(arn):
            return self._allowed(CLOUDTRAIL, "s3:GetBucketAcl", f"arn:aws:s3:::{bucket}") and self._allowed(
                CLOUDTRAIL, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", {"s3:x-amz-acl": "bucket-owner-full-control"})

    def _may_log(self, group, role, region) -> bool:
        try:
            who = self.life.state["identity"].who("ROLE:" + role.rsplit("/", 1)[-1], None)
        except ServiceError:
            return False
        stream = f"{group.removesuffix(':*')}:log-stream:{self._stream(region)}"
        return self._allowed(who, "logs:CreateLogStream", stream) and self._allowed(who, "logs:PutLogEvents", stream)

    def _allowed(self, who, action, resource, context=None) -> bool:
        return self.life.state["identity"].evaluate(who, Asked(action, resource, context or {})).allowed

    # the clock

    def watch(self, before, client, operation, parameters, inner):
        """Each call of the sandbox: if a trail logs and it is one to be recorded, a log file is due."""
        count = len(self.life.calls)
        try:
            return before(client, operation, parameters, inner)
        finally:
            if self._ticket is None and self.recordings:
                self._plan_for(self.life.calls[count:])

    def _plan_for(self, calls) -> None:
        logging = [one for one in self.recordings.values() if one.first is not None]
        data = any(one.wants_data for one in logging)
        if logging and any(self.recorder.recorded(call, data) for call in calls):
            self._plan()

    def _plan(self) -> None:
        if self._ticket is None:
            due = (self.life.clock.now // model.DELIVERY + 1) * model.DELIVERY
            self._ticket = self.life.clock.at(due, self._deliver)

    def _deliver(self) -> None:
        self._ticket, self._copied = None, set()
        for one in list(self.recordings.values()):
            trail, records = one.trail, []
            for call in one.take(self.life.calls, self.life.clock.now):
                if self.recorder.recorded(call, one.wants_data):
                    record = self.recorder.record(call)
                    if model.logged(record, **one.selectors, trail={
                            "IsMultiRegionTrail": trail.is_multi_region, "HomeRegion": trail.region_name}).logged:
                        records.append(record)
            if records:
                self._deliver_files(one, records)
                self._deliver_logs(one, records)
            if trail.insight_selectors:
                self._deliver_insights(one, records)
        left = [one.first for one in self.recordings.values() if one.first is not None]
        if left:
            self._plan_for(self.life.calls[min(left):])

    def _deliver_files(self, one, records) -> None:
        trail = one.trail
        files = model.log_files(records, self.recorder.account, trail.s3_key_prefix or "", trail.trail_name)
        written = [key for key, content in files.items() if self._put(one, key, content, "LatestDelivery")]
        if written:
            self._bill(trail, records)
        for key in written:
            one.hour[key] = files[key]
            self.life.note("CloudTrail", "log file delivered", f"{trail.bucket_name}/{key}",
                           f"{len(json.loads(gzip.decompress(files[key]))['Records'])} events")
        if written and trail.log_validation:
            end = -(-self.life.clock.now // HOUR) * HOUR
            if (trail.arn, end) not in self._hours:
                self._hours.add((trail.arn, end))
                self.life.clock.at(end + DIGEST_WAIT, self._digest, one, end)
        if written and trail.topic_arn:
            self._notify(one, written)

    def _bill(self, trail, records) -> None:
        add, name, types = self.life.meter.add, f"trail {trail.trail_name}", _insight_types(trail)
        for record in records:
            if not record["managementEvent"]:
                add(name, "cloudtrail:data", 1)
                continue
            add(name, "cloudtrail:management-copy" if record["eventID"] in self._copied else "cloudtrail:management", 1)
            self._copied.add(record["eventID"])
            analyzed = ("ApiErrorRateInsight" in types) + ("ApiCallRateInsight" in types and not record["readOnly"])
            if analyzed:
                add(name, "cloudtrail:insights", analyzed)

    def _digest(self, one, end) -> None:
        """One digest file for each Region that had log files in the hour."""
        self._hours.discard((one.trail.arn, end))
        trail, until = one.trail, self.recorder.zero + end
        mine = {key: content for key, content in one.hour.items() if _delivered(key) <= until}
        for region in sorted({key.split("/CloudTrail/")[1].split("/")[0] for key in mine}):
            files = {key: content for key, content in mine.items() if f"/CloudTrail/{region}/" in key}
            digest = make_digest(files, one.chains.get(region), until - HOUR, account=self.recorder.account, region=region,
                                 bucket=trail.bucket_name, trail=trail.trail_name, prefix=trail.s3_key_prefix or "",
                                 home_region=trail.region_name)
            if self._put(one, digest.key, gzip.compress(digest.body, mtime=0), "LatestDigestDelivery", {
                    "signature": digest.signature, "signature-algorithm": SIGNER.algorithm}):
                one.chains[region] = digest
                self.life.note("CloudTrail", "digest delivered", f"{trail.bucket_name}/{digest.key}",
                               f"{len(files)} log files of the hour")
        for key in mine:
            del one.hour[key]

    def _deliver_logs(self, one, records) -> None:
        trail = one.trail
        if not trail.cw_log_group_arn:
            return
        region, name = trail.cw_log_group_arn.split(":")[3], _group_name(trail.cw_log_group_arn)
        stream = self._stream(trail.region_name)
        self.life.wake("logs")
        logs = self.life.backend("logs", region)
        if name not in logs.groups or not self._may_log(trail.cw_log_group_arn, trail.cw_role_arn, trail.region_name):
            one.times["LatestCloudWatchLogsDeliveryError"] = "AccessDenied"
            self.life.note("CloudTrail", "not delivered", name, "the log group is gone, or the role may not write there")
            return
        with self.life.sandbox.clock:
            logs.ensure_log_stream(name, stream)
            logs.put_log_events(name, stream, [{"timestamp": int(model.seconds(record["eventTime"]) * 1000),
                                                "message": json.dumps(record)} for record in records])
        one.times["LatestCloudWatchLogsDeliveryTime"] = self.life.sandbox.clock.date
        one.times.pop("LatestCloudWatchLogsDeliveryError", None)

    def _deliver_insights(self, one, records) -> None:
        """Only calls that were made three times or more can be unusual; and what is unusual is watched until it is over."""
        made = Counter((record["eventSource"], record["eventName"]) for record in records)
        names = {name for name, count in made.items() if count >= 3} | {name[:2] for name in one.unusual}
        if not names:
            return
        begin = max(self.recorder.zero, self.now - BASELINE - DAY)
        history = [record for record in self.recorder.management(len(self.life.calls))
                   if (record["eventSource"], record["eventName"]) in names]
        found = [event for kind in _insight_types(one.trail) for event in insight_events(history, begin, self.now, kind)]
        one.unusual = {name for name, count in Counter(
            tuple(event["insightDetails"][part] for part in ("eventSource", "eventName", "insightType")) for event in found).items() if count % 2}
        new = [event for event in found if event["eventID"] not in one.insights]
        for region in sorted({event["awsRegion"] for event in new}):
            batch = [event for event in new if event["awsRegion"] == region]
            key = model.log_file_key(self.recorder.account, region, self.now, one.trail.s3_key_prefix or "",
                                     one.trail.trail_name)
            key = key.replace("/CloudTrail/", "/CloudTrail-Insight/").replace("_CloudTrail_", "_CloudTrail-Insight_")
            if self._put(one, key, gzip.compress(json.dumps({"Records": batch}).encode(), mtime=0), "LatestDelivery"):
                one.insights |= {event["eventID"] for event in batch}
                for event in batch:
                    details = event["insightDetails"]
                    self.life.note("CloudTrail", f"insight {details['state']}", details["eventName"], "{:.3g} a minute, where "
                                   "{:.3g} are normal".format(details["insightContext"]["statistics"]["insight"]["average"],
                                                              details["insightContext"]["statistics"]["baseline"]["average"]))
        if one.unusual:
            self._plan()

    def _put(self, one, key, content, times, metadata=None) -> bool:
        """Write into the bucket; GetTrailStatus tells whether that went well."""
        from botocore.exceptions import ClientError
        trail = one.trail
        try:
            if trail.bucket_name in self.life.backend("s3").buckets and not self._may_write(
                    trail.arn, trail.bucket_name, trail.s3_key_prefix):
                raise ServiceError("AccessDenied", "the bucket's policy does not let CloudTrail write")
            self.life.client("s3").put_object(Bucket=trail.bucket_name, Key=key, Body=content, Metadata=metadata or {},
                                              ContentType="application/json", ContentEncoding="gzip")
        except (ServiceError, ClientError) as error:
            code = error.code if isinstance(error, ServiceError) else error.response["Error"]["Code"]
            one.times[f"{times}Error"] = code
            self.life.note("CloudTrail", "not delivered", f"{trail.bucket_name}/{key}", str(error))
            return False
        one.times[f"{times}Time"] = self.life.sandbox.clock.date
        one.times.pop(f"{times}Error", None)
        return True

    def _notify(self, one, keys) -> None:
        from botocore.exceptions import ClientError
        message = json.dumps({"s3Bucket": one.trail.bucket_name, "s3ObjectKey": keys})
        try:
            with self.life.on_behalf_of(one.trail.arn):
                self.life.client("sns", one.trail.region_name, by="cloudtrail.amazonaws.com").publish(
                    TopicArn=one.trail.topic_arn, Message=message)
            one.times["LatestNotificationTime"] = self.life.sandbox.clock.date
        except ClientError as error:
            one.times["LatestNotificationError"] = error.response["Error"]["Code"]
            self.life.note("CloudTrail", "not notified", one.trail.topic_arn, str(error))

    def _stream(self, region) -> str:
        return f"{self.recorder.account}_CloudTrail_{region}"


def _insight_types(trail) -> list[str]:
    return [one["InsightType"] for one in trail.insight_selectors]


def _folder(prefix, account) -> str:
    return f"{prefix}/AWSLogs/{account}/" if prefix else f"AWSLogs/{account}/"


def _group_name(arn) -> str:
    return arn.split(":log-group:")[1].removesuffix(":*")


def _delivered(key) -> float:
    return datetime.strptime(key.rsplit("_", 2)[1], "%Y%m%dT%H%MZ").replace(tzinfo=UTC).timestamp()


def _unpacked(content: bytes) -> bytes:
    """A digest file; one that somebody has overwritten need not be compressed at all."""
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return content


def _never_sent(error: str) -> bool:
    """Did the call fail before it reached AWS: parameters that boto3 refuses, what moto cannot do?"""
    from botocore import exceptions
    return hasattr(builtins, error) or hasattr(exceptions, error)


def _date(value) -> datetime:
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(value) if isinstance(value, str) else value
