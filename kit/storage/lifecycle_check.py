"""Does S3 accept a lifecycle configuration? Which error answers one that it refuses.

    check_lifecycle([{"Filter": {}, "Status": "Enabled", "Expiration": {"Days": 0}}])     # ServiceError InvalidArgument

MalformedXML: the form is wrong, something is missing or twice. InvalidArgument: a number or a name is out of its
range. InvalidRequest: each part is right and together they are not.

**Simplified** The first fault found is the answer: the number and the names of the rules, then rule by rule. Texts are
the kit's own words where AWS's is not known. After GLACIER_IR a rule waits 90 days for the next class, as after GLACIER,
where S3 was seen to ask for them; for GLACIER_IR the guide does not say.
**Not modelled** The old form of a configuration (rules with a Prefix beside a Filter in others), in which overlapping
prefixes are refused; that AWS took more than the 100 newer versions its documentation allows.

Amazon S3 User Guide: "Lifecycle configuration elements", "Transitioning objects using Amazon S3 Lifecycle" (30 days);
Amazon S3 API Reference, in the copy that botocore carries: "LifecycleRule", "LifecycleExpiration", "Transition",
"NoncurrentVersionExpiration". The guide names hardly any code. Those here are recorded answers of S3, as the issues and
sources of public projects quote them: hashicorp/terraform-provider-aws, terraform-aws-modules/terraform-aws-s3-bucket
issue 109, noobaa/noobaa-core issue 8870, and a storage server's list of recorded answers. Read 2026-11-28.
"""

from itertools import pairwise

from kit.errors import ServiceError
from kit.storage.lifecycle import WATERFALL, filter_of
from kit.storage.storage_classes import CLASSES

RULES, ID_LENGTH, NEWER, PREFIX = 1000, 255, 100, 1024
INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
IN_STANDARD = 30  # days before a transition to these


def check_lifecycle(rules) -> None:
    """ServiceError with S3's code if it would refuse these rules (boto3's LifecycleConfiguration["Rules"])."""
    if not rules:
        raise _request("At least one lifecycle rule must be specified.")
    if len(rules) > RULES:
        raise _request(f"The number of lifecycle rules must not exceed the allowed limit of {RULES} rules.")
    names = [rule["ID"] for rule in rules if rule.get("ID")]
    if any(len(name) > ID_LENGTH for name in names):
        raise _argument(f"ID length should not exceed allowed limit of {ID_LENGTH}")
    if len(set(names)) < len(names):
        raise _argument("Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        _check_rule(rule)


def _check_rule(rule):
    if rule.get("Status") not in ("Enabled", "Disabled"):
        raise _malformed("A rule's Status is Enabled or Disabled.")
    if ("Filter" in rule) == ("Prefix" in rule):
        raise _malformed("A rule has a Filter, or else the older Prefix.")
    tags, sizes = _check_filter(rule)
    expiration, abort = rule.get("Expiration"), rule.get("AbortIncompleteMultipartUpload")
    moves, older_moves = rule.get("Transitions", []), rule.get("NoncurrentVersionTransitions", [])
    if not (expiration or abort or moves or older_moves or rule.get("NoncurrentVersionExpiration")):
        raise _request("At least one action needs to be specified in a rule")
    for name, action in (("ExpiredObjectDeleteMarker", expiration and "ExpiredObjectDeleteMarker" in expiration),
                         ("AbortIncompleteMultipartUpload", abort)):
        if action and tags:
            raise _request(f"{name} cannot be specified with Tags.")
        if action and sizes:
            raise _request(f"{name} cannot be specified with Object Size.")
    if abort:
        _positive(abort, "DaysAfterInitiation", "AbortIncompleteMultipartUpload")
    if expiration:
        _check_expiration(expiration)
    _check_moves(moves, expiration or {})
    _check_older(rule, older_moves)


def _check_filter(rule):
    parts, given = filter_of(rule), rule.get("Filter") or {}
    if len(given) > 1:
        raise _malformed("A Filter has one condition; put several into And.")
    if "And" in given and len(given["And"].keys() - {"Tags"}) + len(parts["Tags"]) < 2:
        raise _malformed("And needs two conditions or more.")
    if len(parts.get("Prefix", "")) > PREFIX:
        raise _argument(f"A prefix is no longer than a key: {PREFIX} bytes.")
    keys = [tag["Key"] for tag in parts["Tags"]]
    if len(set(keys)) < len(keys):
        raise _request("Duplicate Tag Keys are not allowed.")
    low, high = parts.get("ObjectSizeGreaterThan"), parts.get("ObjectSizeLessThan")
    if (low is not None and low < 0) or (high is not None and high < 1):
        raise _request("'ObjectSizeGreaterThan' is 0 or more, 'ObjectSizeLessThan' 1 or more.")
    if low is not None and high is not None and high <= low:
        raise _request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
    return keys, low is not None or high is not None


def _check_expiration(expiration):
    if len(expiration.keys() & {"Days", "Date", "ExpiredObjectDeleteMarker"}) != 1:
        raise _malformed("An Expiration has one of Days, Date and ExpiredObjectDeleteMarker.")
    if "Days" in expiration:
        _positive(expiration, "Days", "Expiration")
    _check_date(expiration)


def _check_moves(moves, expiration):
    """Transitions of a rule: each in form, all by days or all by date, downwards, and before the expiration."""
    _check_classes(moves)
    for move in moves:
        if len(move.keys() & {"Days", "Date"}) != 1:
            raise _malformed("A Transition has Days or a Date.")
        _check_date(move)
        if move.get("Days", 0) < 0:
            raise _argument("'Days' in Transition action must be nonnegative")
        if move.get("Days", IN_STANDARD) < IN_STANDARD and move["StorageClass"] in INFREQUENT:
            raise _argument(f"'Days' in Transition action must be greater than or equal to {IN_STANDARD} "
                            f"for storageClass '{move['StorageClass']}'")
    kinds = {kind for action in (*moves, expiration) for kind in ("Days", "Date") if kind in action}
    if len(kinds) > 1:
        raise _request("Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule")
    if kinds == {"Days"}:
        _check_order(moves, "Days")
        if moves and "Days" in expiration and expiration["Days"] <= max(move["Days"] for move in moves):
            raise _argument("'Days' in the Expiration action must be greater than 'Days' in the Transition action")
    if kinds == {"Date"} and moves and "Date" in expiration:
        if expiration["Date"] <= max(move["Date"] for move in moves):
            raise _argument("'Date' in the Expiration action must be later than 'Date' in the Transition action")


def _check_order(moves, days):
    """Each class down the waterfall from the one before, and no sooner than its minimum duration."""
    for warm, cold in pairwise(sorted(moves, key=lambda move: (move[days], -len(WATERFALL[move["StorageClass"]])))):
        apart = max(1, CLASSES[warm["StorageClass"]].minimum_days)
        if cold["StorageClass"] not in WATERFALL[warm["StorageClass"]]:
            raise _argument(f"There is no transition from '{warm['StorageClass']}' to '{cold['StorageClass']}'")
        if cold[days] < warm[days] + apart:
            raise _argument(f"'{days}' in the 'Transition' action for StorageClass '{cold['StorageClass']}' must be "
                            f"{apart} days more than in the 'Transition' action for StorageClass "
                            f"'{warm['StorageClass']}'")


def _check_older(rule, moves):
    """The actions for noncurrent versions."""
    _check_classes(moves)
    expiration = rule.get("NoncurrentVersionExpiration")
    for action in (*moves, *([expiration] if expiration is not None else [])):
        if "NoncurrentDays" not in action:
            raise _malformed("NoncurrentDays is missing.")
        if not 1 <= action.get("NewerNoncurrentVersions", 1) <= NEWER:
            raise _argument(f"'NewerNoncurrentVersions' must be a positive integer, {NEWER} at most")
        if "NewerNoncurrentVersions" in action and "Filter" not in rule:
            raise _request("NewerNoncurrentVersions needs a rule with a Filter.")
    for move in moves:
        if move["NoncurrentDays"] < (IN_STANDARD if move["StorageClass"] in INFREQUENT else 0):
            raise _argument(f"'NoncurrentDays' must be {IN_STANDARD} or more for storageClass '{move['StorageClass']}'")
    _check_order(moves, "NoncurrentDays")
    if expiration is not None:
        _positive(expiration, "NoncurrentDays", "NoncurrentVersionExpiration")
        if moves and expiration["NoncurrentDays"] <= max(move["NoncurrentDays"] for move in moves):
            raise _argument("'NoncurrentDays' in the NoncurrentVersionExpiration action must be greater than in the "
                            "NoncurrentVersionTransition action")


def _check_classes(moves):
    classes = [move.get("StorageClass") for move in moves]
    if any(name not in WATERFALL["STANDARD"] for name in classes):
        raise _malformed(f"A transition leads to one of {', '.join(WATERFALL['STANDARD'])}.")
    if len(set(classes)) < len(classes):
        raise _request("'StorageClass' must be different for 'Transition' actions in same 'Rule'")


def _check_date(action):
    date = action.get("Date")
    if date is not None and (date.hour, date.minute, date.second, date.microsecond) != (0, 0, 0, 0):
        raise _argument("'Date' must be at midnight GMT")


def _positive(action, name, of):
    if name not in action:
        raise _malformed(f"{of} needs {name}.")
    if action[name] < 1:
        raise _argument(f"'{name}' for {of} action must be a positive integer")


def _malformed(text):
    return ServiceError("MalformedXML", text)


def _argument(text):
    return ServiceError("InvalidArgument", text)


def _request(text):
    return ServiceError("InvalidRequest", text)
