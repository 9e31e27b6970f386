"""The exercises of the object storage lesson: what is right is asked from the models."""

from datetime import UTC, datetime, timedelta

from kit.course.exercise import Exercise, Misconception
from kit.identity.iam import Request, check_policy
from kit.storage import access
from kit.storage.lifecycle import abort_days, lifecycle_actions, lifecycle_due
from kit.storage.lifecycle_check import check_lifecycle
from kit.storage.multipart import MultipartUploads
from kit.storage.s3 import Bucket
from kit.storage.storage_classes import CLASSES, GB, KB, object_rate
from kit.storage.storage_cost import early_deletion

# ------------------------------------------------------------------ trace


def _story(steps):
    """What a get says at the end, in a versioned bucket. undo: the newest version is deleted by its id."""
    bucket = Bucket("album")
    bucket.put_bucket_versioning({"Status": "Enabled"})
    for verb, text in steps:
        if verb == "put":
            bucket.put_object("list.txt", text)
        elif verb == "delete":
            bucket.delete_object("list.txt")
        elif bucket.versions("list.txt"):
            bucket.delete_object("list.txt", VersionId=bucket.versions("list.txt")[0].version_id)
    there = bucket.versions("list.txt")
    return "404" if not there or there[0].is_delete_marker else there[0].read().decode()


def _stack(steps, deletes):
    """The same for those who think that a delete does something else to the versions."""
    there = []
    for verb, text in steps:
        if verb == "put":
            there.append(text)
        elif verb == "delete":
            deletes(there)
        elif there:
            there.pop()
    return there[-1] if there else "404"


def _steps(rng):
    steps = [("put", "towel"), ("put", "hat")]
    for number in range(6):
        verb = rng.choice(["put", "delete", "undo"])
        steps.append((verb, f"item {number}" if verb == "put" else ""))
    return {"steps": steps}


what_is_there = Exercise(
    id="07-what-is-there", title="What does a get say?", points=1,
    cases=lambda rng: [{"steps": [("put", "towel"), ("put", "hat"), ("delete", "")]},
                       {"steps": [("put", "towel"), ("put", "hat"), ("delete", ""), ("undo", "")]},
                       {"steps": [("put", "towel"), ("put", "hat"), ("undo", ""), ("delete", ""), ("put", "ball")]},
                       _steps(rng), _steps(rng)],
    expected=lambda case: _story(**case),
    show=lambda case: ", then ".join(f"{verb} {text}".strip() for verb, text in case["steps"]),
    why="A delete without a version puts a marker on top. A delete that names a version takes just that one away, and a "
        "marker is one, too: so a deletion is undone.",
    misconceptions=[
        Misconception("a delete takes the newest version",
                      lambda steps: _stack(steps, lambda there: there and there.pop()),
                      "A delete takes nothing away in a versioned bucket. What does it put on top, and what does a get "
                      "say to that?"),
        Misconception("a delete takes all versions", lambda steps: _stack(steps, list.clear),
                      "The versions are still there under the delete marker. What happens if the marker itself is "
                      "deleted?")])

# ------------------------------------------------------------------ modify


def _moment(rng):
    return datetime(2026, rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), rng.randint(1, 59), tzinfo=UTC)


moved_at = Exercise(
    id="07-moved-at", title="When does it move?", points=1,
    cases=lambda rng: [{"created": datetime(2026, 1, 15, 10, 30, tzinfo=UTC), "days": 3},
                       {"created": datetime(2026, 2, 27, 23, 59, tzinfo=UTC), "days": 30},
                       {"created": _moment(rng), "days": rng.randint(1, 400)}],
    expected=lambda case: lifecycle_due(**case),
    show=lambda case: f"created {case['created']:%d %B %Y, %H:%M} UTC, {case['days']} days",
    why="S3 adds the days to the time of creation and goes on to the next midnight UTC. Whoever expects it a day earlier "
        "looks for an error that isn't there.",
    misconceptions=[
        Misconception("to the minute", lambda created, days: created + timedelta(days=days),
                      "Lifecycle rules are carried out at a midnight. Which is the first one after that moment?"),
        Misconception("the midnight before",
                      lambda created, days: (created + timedelta(days=days)).replace(hour=0, minute=0),
                      "At that midnight the object is not yet so many whole days old. Round up, not down.")])

# ------------------------------------------------------------------ build

_RULES = [
    {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 400},
     "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}]},
    {"ID": "uploads", "Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]


def _keys(rng):
    fixed = [("logs/monday", True, 2**20), ("photos/cat", True, 2**20), ("photos/film", False, 2**30)]
    drawn = [(rng.choice(["logs/", "photos/", "old-logs/"]) + f"{rng.randint(1, 99)}", rng.random() < 0.7,
              rng.randint(200, 4000) * KB) for _ in range(6)]
    return [{"key": key, "complete": complete, "size": size} for key, complete, size in fixed + drawn]


def _befalls(rules, key, complete, size):
    """What a bucket's rules do to an object, or to an upload that nobody completed."""
    if isinstance(rules, list):
        check_lifecycle(rules)  # rules that S3 refuses are told so
    return lifecycle_actions(rules, key=key, size=size) if complete else abort_days(rules, key)


def _with(number, **changes):
    return [rule | changes if position == number else rule for position, rule in enumerate(_RULES)]


old_logs = Exercise(
    id="07-old-logs", title="Rules for old logs", points=2, cases=_keys,
    run=lambda rules, case: _befalls(rules, **case), expected=lambda case: _befalls(_RULES, **case),
    show=lambda case: f"{case['key']}, " + (f"{case['size'] // KB:,} KB" if case["complete"] else
                                             "an upload never completed"),
    why="The days of every action are counted from the creation of the object, whatever was done to it meanwhile; and a "
        "rule without a filter takes everything in the bucket.",
    misconceptions=[
        Misconception("counts from the last move", _with(0, Expiration={"Days": 310}),
                      "The days of an expiration count from the creation, not from the last transition."),
        Misconception("for every key", _with(0, Filter={}),
                      "Your rule about the logs takes the photos, too. Give its filter the prefix."),
        Misconception("forgets the uploads", _RULES[:1],
                      "An upload that nobody completes is no object: no transition or expiration takes it. There is an "
                      "action of its own for these, for the whole bucket.")])

_ARN, _ACCOUNT = "arn:aws:s3:::ledger", "111122223333"
_AUDITOR = f"arn:aws:iam::{_ACCOUNT}:role/auditor"


def _policy(objects, listing, condition=True):
    lists = {"Effect": "Allow", "Principal": {"AWS": _AUDITOR}, "Action": "s3:ListBucket", "Resource": listing}
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": _AUDITOR}, "Action": "s3:GetObject", "Resource": objects},
        lists | ({"Condition": {"StringLike": {"s3:prefix": "2026/*"}}} if condition else {})]}


def _may(policy, who, action, what):
    if isinstance(policy, dict):
        check_policy(policy, "resource")  # a policy that S3 refuses is told so
    bucket = access.Bucket("ledger", owner=_ACCOUNT, policy=policy)
    if action == "s3:ListBucket":
        return access.decide(Request(who, action, _ARN, {"s3:prefix": what}), bucket).allowed
    return access.decide(Request(who, action, f"{_ARN}/{what}"), bucket, access.Object(what, _ACCOUNT)).allowed


def _requests(rng):
    fixed = [(_AUDITOR, "s3:GetObject", "2026/january.csv"), (_AUDITOR, "s3:GetObject", "2025/january.csv"),
             (_AUDITOR, "s3:ListBucket", "2026/"), (_AUDITOR, "s3:ListBucket", ""),
             (_AUDITOR, "s3:PutObject", "2026/january.csv"),
             (f"arn:aws:iam::{_ACCOUNT}:role/intern", "s3:GetObject", "2026/january.csv")]
    drawn = [(rng.choice([_AUDITOR, "arn:aws:iam::444455556666:role/auditor"]),
              rng.choice(["s3:GetObject", "s3:ListBucket", "s3:DeleteObject"]),
              f"{rng.choice([2024, 2025, 2026])}/{rng.choice(['march', 'april', 'may'])}") for _ in range(6)]
    return [{"who": who, "action": action, "what": what} for who, action, what in fixed + drawn]


one_prefix = Exercise(
    id="07-one-prefix", title="One prefix for the auditor", points=2, cases=_requests,
    run=lambda policy, case: _may(policy, **case),
    expected=lambda case: _may(_policy(f"{_ARN}/2026/*", _ARN), **case),
    show=lambda case: f"{case['who'].split(':', 4)[4]} asks for {case['action']} "
                      + (f"with the prefix {case['what']!r}" if case["action"] == "s3:ListBucket" else
                         f"on {case['what']}"),
    why="s3:GetObject is about objects (arn:aws:s3:::ledger/...), s3:ListBucket about the bucket (arn:aws:s3:::ledger). "
        "Too much is a leak, too little an auditor who calls you at night.",
    misconceptions=[
        Misconception("lists the objects' ARN", _policy(f"{_ARN}/2026/*", f"{_ARN}/2026/*"),
                      "s3:ListBucket is asked of the bucket, whose ARN has no key in it."),
        Misconception("the whole bucket", _policy(f"{_ARN}/*", _ARN, condition=False),
                      "That opens every year. Objects are limited by their ARN, a listing by the condition key "
                      "s3:prefix."),
        Misconception("lists everything", _policy(f"{_ARN}/2026/*", _ARN, condition=False),
                      "The objects are right. But a listing without a condition shows the keys of all years.")])

# ------------------------------------------------------------------ modify: money

_IA, _STANDARD = CLASSES["STANDARD_IA"], CLASSES["STANDARD"]


def _saved(size, months):
    """Dollars that one object saves which nobody reads, moved from Standard to Standard-IA for so many months."""
    kept = months * (object_rate("STANDARD", size) - object_rate("STANDARD_IA", size))
    return kept - _IA.transition - early_deletion("STANDARD_IA", size, months)


worth_moving = Exercise(
    id="07-worth-moving", title="Is it worth moving?", points=2,
    cases=lambda rng: [{"size": GB, "months": 12}, {"size": 64 * KB, "months": 12}, {"size": 256 * KB, "months": 2},
                       {"size": rng.randint(20, 120) * KB, "months": rng.randint(2, 24)},
                       {"size": rng.randint(200, 9000) * KB, "months": rng.randint(2, 24)}],
    expected=lambda case: _saved(**case), show=lambda case: f"{case['size'] // KB:,} KB for {case['months']} months",
    why=lambda case, got, want: f"At {case['size'] // KB:,} KB and {case['months']} months the move "
                                + (f"saves {want:.2g} dollars an object." if want > 0 else
                                   f"costs {-want:.2g} dollars more an object than it saves. Times a billion."),
    misconceptions=[
        Misconception("forgets the request",
                      lambda size, months: months * (object_rate("STANDARD", size) - object_rate("STANDARD_IA", size)),
                      "Each transition is a request, and has a price: CLASSES[\"STANDARD_IA\"].transition."),
        Misconception("forgets the least size",
                      lambda size, months: months * size / GB * (_STANDARD.storage - _IA.storage) - _IA.transition,
                      "In Standard-IA an object is billed as 128 KB at least: CLASSES[\"STANDARD_IA\"].minimum_bytes.")])

# ------------------------------------------------------------------ diagnose


def _found(rng):
    """A bucket with a past, as three calls tell of it."""
    bucket = Bucket("photos")
    bucket.put_bucket_versioning({"Status": "Enabled"})
    uploads = MultipartUploads(bucket)
    for number in range(rng.randint(3, 5)):
        for _ in range(rng.randint(1, 3)):
            bucket.put_object(f"{number}.jpg", rng.randint(1, 900) * KB)
        if number % 2:
            bucket.delete_object(f"{number}.jpg")
    for number in range(2):
        upload = uploads.create_multipart_upload(f"film {number}")["UploadId"]
        for part in range(rng.randint(1, 4)):
            uploads.upload_part(f"film {number}", upload, part + 1, rng.randint(5, 50) * 2**20)
    listing = bucket.list_object_versions()
    return {"versions": [{name: one[name] for name in ("Key", "Size", "IsLatest")} for one in listing["Versions"]],
            "markers": [{name: one[name] for name in ("Key", "IsLatest")} for one in listing["DeleteMarkers"]],
            "parts": [part["Size"] for one in uploads.list_multipart_uploads()["Uploads"]
                      for part in uploads.list_parts(one["Key"], one["UploadId"])["Parts"]]}


def _hidden(versions, markers, parts):
    return sum(one["Size"] for one in versions if not one["IsLatest"]) + sum(parts)


hidden_bytes = Exercise(
    id="07-hidden-bytes", title="Why is the bill so high?", points=2,
    cases=lambda rng: [{"versions": [{"Key": "a.jpg", "Size": 300, "IsLatest": True},
                                     {"Key": "a.jpg", "Size": 200, "IsLatest": False},
                                     {"Key": "b.jpg", "Size": 500, "IsLatest": False}],
                        "markers": [{"Key": "b.jpg", "IsLatest": True}], "parts": [5000, 70]}, _found(rng), _found(rng)],
    expected=lambda case: _hidden(**case),
    show=lambda case: f"{len(case['versions'])} versions, {len(case['markers'])} delete markers, parts of "
                      f"{sum(case['parts']):,} bytes",
    why="A listing shows current objects only. Older versions, those under a delete marker and the parts of unfinished "
        "uploads are billed like all others, until somebody or a lifecycle rule takes them away.",
    misconceptions=[
        Misconception("forgets the parts", lambda versions, markers, parts: _hidden(versions, markers, []),
                      "Parts of an upload that was never completed are stored, too."),
        Misconception("deleted is gone", lambda versions, markers, parts: _hidden(
            [one for one in versions if one["Key"] not in {marker["Key"] for marker in markers}], markers, parts),
            "What lies under a delete marker is still stored."),
        Misconception("all versions", lambda versions, markers, parts: sum(one["Size"] for one in versions) + sum(parts),
                      "That is the whole bill. The current versions are in the listing: only what it doesn't show is "
                      "asked for.")])
