"""Who did what, when, from where: the records of CloudTrail, which of them a trail keeps, and how to look them up.

    event = record({"eventTime": 0, "eventSource": "s3.amazonaws.com", "eventName": "DeleteBucket",
                    "awsRegion": "eu-west-1", "userIdentity": iam_user("ana"), "requestParameters":
                    {"Bucket": "invoices"}}, serial=1)
    logged(event)                                                # a management event: every trail keeps it, by default
    lookup_events([event], now=60)                               # and so does the event history, for 90 days

**Simplified** Each service hides its secrets in its own way (a fixed text, asterisks, leaving them out); here it is
always the text that CloudTrail itself uses, and files and payloads are left out. Whether a call only reads is told from
its name. Events are in a log file within five minutes (AWS: about five on average, without promise), in order (AWS: in
none). STS counts as regional. A call's resources are listed for all services (AWS: for some, in the record itself).
**Not modelled** Network activity events, organization trails, service events, CloudTrail Lake, the wait for the event
history, the two lookups a second.

AWS CloudTrail User Guide, "CloudTrail record contents", "CloudTrail userIdentity element" (their published
source), "Understanding CloudTrail events" (excerpt of today's page); API Reference, "LookupEvents", "PutEventSelectors",
"EventSelector", "DataResource", "AdvancedFieldSelector",
as botocore carries them. Read 2026-11-23. Not opened anew: "CloudTrail log file name
format", which services are global ("CloudTrail concepts"), which calls only read, are data events or are not recorded at
all, and the rules for several conditions on one field ("Logging data events").
"""

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone

from kit.errors import ServiceError

EVENT_VERSION = "1.11"  # of the record format; could not be read on a page of today
HISTORY = 90 * 86_400  # seconds that the event history goes back ("LookupEvents")
PAGE = 50  # events a LookupEvents call returns, at most and by default
DELIVERY = 300  # seconds between two log files, about
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
SECRETS = re.compile(r"password|secret(accesskey|string|binary|key)|sessiontoken|authtoken|privatekey|plaintext|"
                     r"samlassertion|webidentitytoken", re.I)
NO_SECRETS = {"passwordResetRequired", "secretArn", "passwordLastUsed"}
OWN_SECRETS = {  # what a service hides beside these
    "sqs.amazonaws.com": {"messageBody"}, "sns.amazonaws.com": {"message", "subject"}, "ssm.amazonaws.com": {"value"},
    "ec2.amazonaws.com": {"userData"}, "lambda.amazonaws.com": {"variables"}}

READS = re.compile(r"(Get|List|Describe|Head|Lookup|BatchGet|Search|Query|Scan|Select|Simulate|Validate|Estimate|"
                   r"Filter|AssumeRole|Decrypt$|Encrypt$|GenerateDataKey)")
DATA_EVENTS = {  # event source -> (resource type, the calls); all else is a management event
    "s3.amazonaws.com": ("AWS::S3::Object", re.compile(
        r"(Get|Put|Delete|Head|Copy|Restore|Select)Object(?!LockConfiguration)|DeleteObjects|ListObject|ListParts|"
        r"UploadPart|(Create|Complete|Abort)MultipartUpload")),
    "lambda.amazonaws.com": ("AWS::Lambda::Function", re.compile(r"Invoke")),
    "dynamodb.amazonaws.com": ("AWS::DynamoDB::Table", re.compile(
        r"(Get|Put|Update|Delete)Item$|Batch(Get|Write)Item|Transact|Query$|Scan$|ExecuteStatement|BatchExecute")),
    "sns.amazonaws.com": ("AWS::SNS::Topic", re.compile(r"Publish")),
    "sqs.amazonaws.com": ("AWS::SQS::Queue", re.compile(r"(Send|Receive|Delete)Message|ChangeMessageVisibility")),
    "kinesis.amazonaws.com": ("AWS::Kinesis::Stream", re.compile(
        r"PutRecord|GetRecords|GetShardIterator|SubscribeToShard")),
    "monitoring.amazonaws.com": ("AWS::CloudWatch::Metric", re.compile(r"PutMetricData|GetMetric|ListMetrics$")),
}
UNRECORDED = {("logs.amazonaws.com", "PutLogEvents")}
SOURCES = {  # boto3's names of clients, where the event source begins otherwise
    "apigatewayv2": "apigateway", "cloudwatch": "monitoring", "dynamodbstreams": "dynamodb", "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "emr": "elasticmapreduce", "neptune": "rds",
    "opensearch": "es", "resourcegroupstaggingapi": "tagging", "s3control": "s3", "service-quotas": "servicequotas",
    "sesv2": "ses", "stepfunctions": "states"}
TYPES = {  # the service and the kind in an ARN -> the type that CloudTrail gives the resource
    "ec2:instance": "AWS::EC2::Instance", "ec2:volume": "AWS::EC2::Volume", "ec2:snapshot": "AWS::EC2::Snapshot",
    "ec2:image": "AWS::EC2::Ami", "ec2:key-pair": "AWS::EC2::KeyPair", "ec2:security-group": "AWS::EC2::SecurityGroup",
    "ec2:vpc": "AWS::EC2::VPC", "ec2:subnet": "AWS::EC2::Subnet", "iam:user": "AWS::IAM::User",
    "iam:group": "AWS::IAM::Group", "iam:role": "AWS::IAM::Role", "iam:policy": "AWS::IAM::Policy",
    "lambda:function": "AWS::Lambda::Function", "dynamodb:table": "AWS::DynamoDB::Table",
    "kinesis:stream": "AWS::Kinesis::Stream", "logs:log-group": "AWS::Logs::LogGroup", "kms:key": "AWS::KMS::Key",
    "cloudtrail:trail": "AWS::CloudTrail::Trail", "cloudwatch:alarm": "AWS::CloudWatch::Alarm",
    "sns": "AWS::SNS::Topic", "sqs": "AWS::SQS::Queue"}
BASIC_TYPES = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table")  # "DataResource"
EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")  # "EventSelector"
GLOBAL = ("iam.amazonaws.com", "cloudfront.amazonaws.com", "route53.amazonaws.com", "organizations.amazonaws.com")
LOOKUPS = {"EventId": lambda e: [e["EventId"]], "EventName": lambda e: [e["EventName"]],
           "ReadOnly": lambda e: [e["ReadOnly"]], "Username": lambda e: [e.get("Username")],
           "EventSource": lambda e: [e["EventSource"]],
           "AccessKeyId": lambda e: [e.get("AccessKeyId")],
           "ResourceType": lambda e: [one["ResourceType"] for one in e["Resources"]],
           "ResourceName": lambda e: [one["ResourceName"] for one in e["Resources"]]}
OPERATORS = {"Equals": str.__eq__, "StartsWith": str.startswith, "EndsWith": str.endswith}


@dataclass(frozen=True)
class Decision:
    logged: bool
    because: str


# ---------------------------------------------------------------------- what is recorded


def record(call: dict, serial: int = 1) -> dict:
    """A call as CloudTrail writes it down.

    call: eventTime (seconds since 1970), eventSource, eventName, awsRegion, userIdentity; optional
    requestParameters and responseElements (in boto3's spelling), errorCode, errorMessage, sourceIPAddress, userAgent,
    resources (``[{"type", "ARN"}]``). serial: of the call in its run; the ids are made from it.
    """
    source, name = call["eventSource"], call["eventName"]
    reads, data, failed = is_read_only(name), is_data_event(source, name), "errorCode" in call
    identity = call["userIdentity"]
    parameters = call.get("requestParameters") or {}
    resources = call.get("resources") or _resources(source, name, parameters)
    account = call.get("recipientAccountId") or identity.get("accountId", "123456789012")
    made = {
        "eventVersion": EVENT_VERSION, "userIdentity": identity, "eventTime": stamp(call["eventTime"]),
        "eventSource": source, "eventName": name,
        "awsRegion": "us-east-1" if source in GLOBAL else call["awsRegion"],
        "sourceIPAddress": call.get("sourceIPAddress", identity.get("invokedBy", "192.0.2.1")),
        "userAgent": call.get("userAgent", identity.get("invokedBy", "aws-sdk")),
        "errorCode": call.get("errorCode"), "errorMessage": call.get("errorMessage"),
        "requestParameters": _spelled(source, parameters) or None,
        "responseElements": None if reads or failed else _spelled(source, call.get("responseElements") or {}) or None,
        "requestID": guid("request", serial), "eventID": guid("event", serial), "readOnly": reads,
        "resources": [{"accountId": account, **one} for one in resources], "eventType": "AwsApiCall",
        "managementEvent": not data, "recipientAccountId": account, "eventCategory": "Data" if data else "Management",
    }
    return {key: value for key, value in made.items()
            if value is not None and value != [] or key in ("requestParameters", "responseElements")}


def is_read_only(event_name: str) -> bool:
    """Does a call of this name change nothing? DescribeTrails: True; DeleteTrail: False."""
    return READS.match(event_name) is not None


def is_data_event(source: str, name: str) -> bool:
    """Is it about what is inside a resource (an object, an item, a message), not about the resource?"""
    return source in DATA_EVENTS and DATA_EVENTS[source][1].match(name) is not None


def event_source(client: str) -> str:
    """Who records the calls of a boto3 client: cloudwatch's are those of monitoring.amazonaws.com."""
    return f"{SOURCES.get(client, client)}.amazonaws.com"


def resource(arn: str) -> dict | None:
    """``{"type", "ARN"}``; None for what is no single resource or has no type here."""
    service, _, _, name = arn.split(":", 5)[2:] if arn.count(":") > 4 else (None, None, None, "*")
    kind = TYPES.get(service) or TYPES.get(f"{service}:{re.split('[:/]', name)[0]}")
    return {"type": kind, "ARN": arn.split("/index/")[0]} if kind and "*" not in name else None


def root(account: str = "123456789012", access_key: str = "") -> dict:
    """userIdentity of the account's root user."""
    return _identity("Root", account, f"arn:aws:iam::{account}:root", account, access_key)


def iam_user(name: str, account: str = "123456789012", access_key: str = "") -> dict:
    """userIdentity of an IAM user."""
    return _identity("IAMUser", "AIDA" + _letters(account, name), f"arn:aws:iam::{account}:user/{name}", account,
                     access_key) | {"userName": name}


def assumed_role(role: str, session: str, created: float, account: str = "123456789012", access_key: str = "",
                 mfa: bool = False) -> dict:
    """userIdentity of a session of a role; created: seconds since 1970."""
    issuer = {"type": "Role", "principalId": "AROA" + _letters(account, role), "accountId": account, "userName": role,
              "arn": f"arn:aws:iam::{account}:role/{role}"}
    return _identity("AssumedRole", f"{issuer['principalId']}:{session}",
                     f"arn:aws:sts::{account}:assumed-role/{role}/{session}", account, access_key) | {
        "sessionContext": {"sessionIssuer": issuer,
                           "attributes": {"creationDate": stamp(created), "mfaAuthenticated": str(mfa).lower()}}}


def service(name: str) -> dict:
    """userIdentity of a service of AWS, such as autoscaling.amazonaws.com."""
    return {"type": "AWSService", "invokedBy": name}


# ---------------------------------------------------------------------- what a trail keeps


def logged(event: dict, EventSelectors: list[dict] | None = None, AdvancedEventSelectors: list[dict] | None = None,
           trail: dict | None = None) -> Decision:
    """Does a trail with these selectors keep this event? One selector that fits is enough.

    Without selectors: every management event, no data event. trail: boto3's ``IsMultiRegionTrail`` and ``HomeRegion``.
    ServiceError InvalidEventSelectorsException as in ``check_selectors``.
    """
    check_selectors(EventSelectors, AdvancedEventSelectors)
    if trail and not trail.get("IsMultiRegionTrail") and event["awsRegion"] != trail["HomeRegion"]:
        return Decision(False, f"the trail looks at {trail['HomeRegion']} only, the event is from {event['awsRegion']}")
    if AdvancedEventSelectors:
        for number, selector in enumerate(AdvancedEventSelectors, 1):
            if all(_fits(field, event) for field in selector["FieldSelectors"]):
                return Decision(True, f"advanced event selector {selector.get('Name') or number} fits")
        return Decision(False, "no advanced event selector fits")
    reasons = []
    for selector in EventSelectors or [{}]:
        because = _refused(selector, event)
        if because is None:
            return Decision(True, "an event selector fits" if EventSelectors else
                            "by default all management events are kept")
        reasons.append(because)
    return Decision(False, "; ".join(dict.fromkeys(reasons)))


def check_selectors(EventSelectors=None, AdvancedEventSelectors=None) -> None:
    """ServiceError InvalidEventSelectorsException for what PutEventSelectors refuses."""
    def refuse(why):
        raise ServiceError("InvalidEventSelectorsException", why)

    if EventSelectors and AdvancedEventSelectors:
        refuse("A trail has event selectors or advanced event selectors, not both.")
    if len(EventSelectors or ()) > 5:
        refuse("A trail has at most 5 event selectors.")
    resources = [one for selector in EventSelectors or () for one in selector.get("DataResources", ())]
    if sum(len(one.get("Values", ())) for one in resources) > 250:
        refuse("The data resources of a trail are at most 250.")
    for one in resources:
        if one["Type"] not in BASIC_TYPES:
            refuse(f"{one['Type']} needs an advanced event selector; these know {', '.join(BASIC_TYPES)}.")
    for selector in EventSelectors or ():
        if selector.get("ReadWriteType", "All") not in ("ReadOnly", "WriteOnly", "All"):
            refuse("ReadWriteType is ReadOnly, WriteOnly or All.")
        for source in selector.get("ExcludeManagementEventSources", ()):
            if source not in EXCLUDABLE:
                refuse(f"Only {' and '.join(EXCLUDABLE)} can be excluded, not {source}.")
    values = 0
    for selector in AdvancedEventSelectors or ():
        fields = {field["Field"]: field for field in selector.get("FieldSelectors", ())}
        category = fields.get("eventCategory", {}).get("Equals")
        if category not in (["Management"], ["Data"]):
            refuse("An advanced event selector says eventCategory Equals Management or Data.")
        if category == ["Data"] and not fields.get("resources.type", {}).get("Equals"):
            refuse("A selector of data events says resources.type Equals one type.")
        for field in fields.values():
            operators = set(field) - {"Field"}
            if not operators or operators - set(OPERATORS) - {f"Not{name}" for name in OPERATORS}:
                refuse(f"The field {field['Field']} needs Equals, StartsWith, EndsWith or Not before these.")
            if field["Field"] in ("readOnly", "eventCategory", "resources.type") and operators != {"Equals"}:
                refuse(f"The field {field['Field']} knows Equals only.")
            values += sum(len(field[name]) for name in operators)
    if values > 500:
        refuse("The advanced event selectors of a trail have at most 500 values.")


def log_files(records: list[dict], account: str = "123456789012", prefix: str = "", trail: str = "") -> dict[str, bytes]:
    """``{S3 key: gzipped JSON}``: what a trail puts into its bucket; a file for a Region and five minutes."""
    batches = {}
    for event in records:
        delivered = (seconds(event["eventTime"]) // DELIVERY + 1) * DELIVERY
        batches.setdefault((delivered, event["awsRegion"]), []).append(event)
    return {log_file_key(account, region, delivered, prefix, trail):
            gzip.compress(json.dumps({"Records": batch}, separators=(",", ":")).encode(), mtime=0)
            for (delivered, region), batch in sorted(batches.items())}


def log_file_key(account: str, region: str, delivered: float, prefix: str = "", trail: str = "") -> str:
    """Where a log file lies; the end of its name keeps the files of two trails apart."""
    day = datetime.fromtimestamp(delivered, timezone.utc)
    return (f"{prefix + '/' if prefix else ''}AWSLogs/{account}/CloudTrail/{region}/{day:%Y/%m/%d}/"
            f"{account}_CloudTrail_{region}_{day:%Y%m%dT%H%MZ}_"
            f"{_letters(account, region, delivered, *[trail] * bool(trail))}.json.gz")


# ---------------------------------------------------------------------- the event history


def lookup_events(records: list[dict], now: float, LookupAttributes=(), StartTime: float | None = None,
                  EndTime: float | None = None, MaxResults: int = PAGE, NextToken: str | None = None,
                  region: str | None = None) -> dict:
    """``{"Events": [...], "NextToken": ...}``: management events of the last 90 days, newest first, with boto3's keys.

    Times in seconds, both ends inside. region: the one that is asked; None for all. ServiceErrors:
    InvalidLookupAttributesException, InvalidTimeRangeException, InvalidMaxResultsException, InvalidNextTokenException.
    """
    attributes = list(LookupAttributes)
    if len(attributes) > 1 or any(one.get("AttributeKey") not in LOOKUPS for one in attributes):
        raise ServiceError("InvalidLookupAttributesException", f"Give one attribute at most, of {', '.join(LOOKUPS)}.")
    if StartTime is not None and EndTime is not None and StartTime > EndTime:
        raise ServiceError("InvalidTimeRangeException", "The start time is after the end time.")
    if not 1 <= MaxResults <= PAGE:
        raise ServiceError("InvalidMaxResultsException", f"MaxResults is from 1 to {PAGE}, not {MaxResults}.")
    same = hashlib.sha256(repr((attributes, StartTime, EndTime, region)).encode()).hexdigest()[:16]
    left = None  # how many are still to come: the newest may have become more since the page before
    if NextToken is not None:
        question, _, left = NextToken.partition(".")
        if question != same or not left.isdigit():
            raise ServiceError("InvalidNextTokenException", "A NextToken continues the very same question.")
    begin = max(now - HISTORY, StartTime if StartTime is not None else now - HISTORY)
    end = min(now, EndTime if EndTime is not None else now)
    found = [_looked_up(event) for event in reversed(records) if event["managementEvent"]
             and begin <= seconds(event["eventTime"]) <= end and region in (None, event["awsRegion"])]
    for one in attributes:
        found = [event for event in found if one["AttributeValue"] in LOOKUPS[one["AttributeKey"]](event)]
    found.sort(key=lambda event: -event["EventTime"])
    first = 0 if left is None else max(0, len(found) - int(left))
    answer = {"Events": [one | {"CloudTrailEvent": json.dumps(one["CloudTrailEvent"])}
                         for one in found[first:first + MaxResults]]}
    if len(found) > first + MaxResults:
        answer["NextToken"] = f"{same}.{len(found) - first - MaxResults}"
    return answer


def stamp(moment: float) -> str:
    """Seconds since 1970 as CloudTrail writes them."""
    return f"{datetime.fromtimestamp(int(moment), timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def seconds(text: str) -> float:
    """The other way round."""
    return datetime.fromisoformat(text).timestamp()


# ---------------------------------------------------------------------- helpers


def _identity(kind, principal, arn, account, access_key) -> dict:
    made = {"type": kind, "principalId": principal, "arn": arn, "accountId": account}
    return made | ({"accessKeyId": access_key} if access_key else {})


def _spelled(source: str, node, key: str = ""):
    """boto3's parameters as CloudTrail spells them, a small letter first; secrets are hidden."""
    if key in OWN_SECRETS.get(source, ()) or not isinstance(node, dict) and SECRETS.search(key) and key not in NO_SECRETS:
        return HIDDEN
    if isinstance(node, dict):
        names = {"Bucket": "bucketName"} if source == "s3.amazonaws.com" else {}
        return {(small := names.get(name) or name[:1].lower() + name[1:]): _spelled(source, value, small)
                for name, value in node.items() if name != "ResponseMetadata" and not _content(value)}
    if isinstance(node, (list, tuple)):
        return [_spelled(source, one, key) for one in node]
    return node if node is None or isinstance(node, (str, int, float)) else str(node)


def _content(value) -> bool:
    """Is it a file or a payload? CloudTrail records that it was there, not what was in it."""
    return isinstance(value, (bytes, bytearray)) or hasattr(value, "read")


def _resources(source: str, name: str, parameters: dict) -> list[dict]:
    """What an S3 call is about; other services' ARNs come with the call."""
    if source != "s3.amazonaws.com" or not isinstance(parameters.get("Bucket"), str):
        return []
    bucket = {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{parameters['Bucket']}"}
    if not is_data_event(source, name):
        return [bucket]
    return [{"type": "AWS::S3::Object", "ARN": f"{bucket['ARN']}/{parameters.get('Key', '')}"}, bucket]


def _refused(selector: dict, event: dict) -> str | None:
    """Why a basic event selector does not fit; None if it does."""
    wanted = selector.get("ReadWriteType", "All")
    if wanted != "All" and event["readOnly"] != (wanted == "ReadOnly"):
        return f"it {'reads' if event['readOnly'] else 'writes'}, and the selector says {wanted}"
    if event["managementEvent"]:
        if not selector.get("IncludeManagementEvents", True):
            return "the selector leaves management events out"
        if event["eventSource"] in selector.get("ExcludeManagementEventSources", ()):
            return f"the selector excludes {event['eventSource']}"
        return None
    for wanted in selector.get("DataResources", ()):
        for one in event.get("resources", ()):
            if one["type"] == wanted["Type"] and any(_covers(value, one) for value in wanted["Values"]):
                return None
    return "it is a data event, and no data resource of a selector covers it"


def _covers(value: str, resource: dict) -> bool:
    """ARNs of objects are beginnings; of functions and tables exact, or a whole service ("DataResource")."""
    arn = resource["ARN"]
    whole_service = value.count(":") == 2 and arn.startswith(value)
    return whole_service or (arn.startswith(value) if resource["type"] == "AWS::S3::Object" else arn == value)


def _fits(selector: dict, event: dict) -> bool:
    """Operators that select are joined by or, those that deselect by and, the two by and."""
    path = selector["Field"]
    if path.startswith("resources."):
        key = path.split(".")[1]
        values = [one[key] for one in event.get("resources", ()) if key in one][:1]
    else:
        node = event
        for step in path.split("."):
            node = node.get(step, "") if isinstance(node, dict) else ""
        values = [str(node).lower() if isinstance(node, bool) else str(node)]
    wanted = [(name, value) for name in OPERATORS for value in selector.get(name, ())]
    unwanted = [(name, value) for name in OPERATORS for value in selector.get(f"Not{name}", ())]
    return (not wanted or any(OPERATORS[name](one, value) for one in values for name, value in wanted)) and not any(
        OPERATORS[name](one, value) for one in values for name, value in unwanted)


def _looked_up(event: dict) -> dict:
    identity = event["userIdentity"]
    user = {"Root": "root", "AssumedRole": identity.get("principalId", "").rpartition(":")[2],
            "AWSService": identity.get("invokedBy")}.get(identity["type"], identity.get("userName"))
    made = {"EventId": event["eventID"], "EventName": event["eventName"], "ReadOnly": str(event["readOnly"]).lower(),
            "AccessKeyId": identity.get("accessKeyId"), "EventTime": seconds(event["eventTime"]),
            "EventSource": event["eventSource"], "Username": user,
            "Resources": [{"ResourceType": one["type"], "ResourceName": _name(one["ARN"])}
                          for one in event.get("resources", ())],
            "CloudTrailEvent": event}
    return {key: value for key, value in made.items() if value is not None}


def _name(arn: str) -> str:
    """A resource's own name: of an object with its bucket, of a log group with its slashes, of others the end."""
    name = arn.rpartition(":")[2]
    return name if arn.startswith("arn:aws:s3:") or name.startswith("/") else name.rpartition("/")[2]


def guid(*parts) -> str:
    """The id that always belongs to these parts."""
    digits = hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def _letters(*parts) -> str:
    """Sixteen letters and digits that always belong to these parts."""
    number = int(hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest(), 16)
    return "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[number >> 5 * place & 31] for place in range(16))
