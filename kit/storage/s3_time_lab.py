"""What time does to the sandbox's buckets: lifecycle rules at midnight, restores after their hours.

Each bucket has a calendar: on which midnight which keys are to be looked at. Nothing is done on a day on which nothing
falls due, and a bucket without rules has an empty calendar. At a due midnight the model of ``lifecycle`` is asked anew
about each key in question, so that what was deleted, overwritten or tagged meanwhile is no matter. Restores are decided
by ``restore``, one of its objects for each archived version.

**Simplified** All is done at the midnight it falls due. What was due before the rules came is done at the next one.
A lock keeps a version until it ends, then lifecycle goes on. An object of Intelligent-Tiering steps down at the midnight
after its 30th and 90th day without a read.

Pages: those of ``lifecycle`` and ``restore``. Amazon S3 User Guide, "Object Lock considerations" (lifecycle), read
2026-11-28.
"""

from collections import Counter
from datetime import UTC, timedelta
from math import ceil

from kit.errors import ServiceError
from kit.storage import notifications, s3_model_lab
from kit.storage.lifecycle import (DAY, EXPIRE, SMALL, abort_days, delete_marker_days, due_at, filter_of,
                                   lifecycle_actions, matching, noncurrent_actions)
from kit.storage.object_lock import may_delete
from kit.storage.restore import ArchivedObject, ExpeditedCapacity
from kit.storage.storage_classes import MONITORED, TIERS

STEP = "step down"  # of Intelligent-Tiering
NEVER = float("inf")
STEPS = [tier[1] for tier in TIERS if tier[3] and tier[1]]  # days without a read


class Calendar:
    """What falls due in the buckets of one sandbox."""

    def __init__(self, life, storage):
        self.life, self.storage = life, storage
        self.capacity = ExpeditedCapacity()

    def live(self) -> None:
        self.life.answer("s3", "RestoreObject", self.restore)
        self.life.then("s3", "RestoreObject", self.accepted)
        self.life.then("s3", "GetObject HeadObject", self.show_restore)
        self.life.then("s3", "PutObjectTagging DeleteObjectTagging", self.tagged)
        self.life.then("s3", "CreateMultipartUpload", self.upload_began)

    # planning

    def plan(self, bucket, key) -> None:
        """Note on which midnight this key is to be looked at next."""
        when = min((due for due, _, _ in self._pending(bucket, key)), default=NEVER)
        self._note(bucket, when, ("key", key))

    def configured(self, bucket, name) -> None:
        """Rules came or went: everything is planned anew."""
        if name != "BucketLifecycleConfiguration":
            return
        vars(bucket).setdefault("calendar", {}).clear()
        vars(bucket).pop("rules_read", None)
        if self._rules(bucket):
            for key in list(bucket.keys):
                self.plan(bucket, key)
            for upload in bucket.multiparts.values():
                self._plan_upload(bucket, upload)

    def tagged(self, call) -> None:
        self.plan(self.storage.bucket(call.parameters["Bucket"]), call.parameters["Key"])

    def upload_began(self, call) -> None:
        bucket = self.storage.bucket(call.parameters["Bucket"])
        self._plan_upload(bucket, bucket.multiparts[call.response["UploadId"]])

    def _plan_upload(self, bucket, upload):
        days = abort_days(self._rules(bucket), upload.key_name)
        if days is not None:
            self._note(bucket, due_at(upload.initiated, days), ("upload", upload.id))

    def _note(self, bucket, when, what):
        if when == NEVER:
            return
        now = self.life.clock.now
        when = max(when, (now // DAY + 1) * DAY)
        calendar = vars(bucket).setdefault("calendar", {})
        if when not in calendar:
            calendar[when] = {}
            self.life.clock.at(when, self.midnight, bucket, when)
        calendar[when][what] = None

    # at a midnight

    def midnight(self, bucket, when) -> None:
        due = bucket.calendar.pop(when, None)
        if not due or self.storage.bucket(bucket.name) is not bucket:
            return
        done = Counter()
        for kind, name in due:
            if kind == "upload":
                self._abort(bucket, name, done)
            else:
                self._look(bucket, name, done)
        for (what, to), number in done.items():
            if to in TRANSITIONS:
                self.storage.bill.transition(bucket, to, number)
            self.life.note("S3", what, bucket.name, f"{number:,} of them, by the lifecycle rules" if what != STEP else
                           f"{number:,} of them, not read for so long")
        self.storage.bill.flush()

    def _look(self, bucket, key, done):
        """Do what has fallen due for a key, and note when to look again."""
        now = self.life.clock.now
        while key in bucket.keys:
            pending = self._pending(bucket, key)
            first = min(pending, key=lambda one: one[0], default=(NEVER, None, None))
            if first[0] > now:
                self._note(bucket, first[0], ("key", key))
                return
            _, version, action = first
            if action == EXPIRE:
                self._expire(bucket, key, version, done)
            elif action == STEP:
                self.storage.facts(version).steps += 1
                self.storage.bill.settle(bucket, version)
                done[STEP, ""] += 1
            else:
                self._move(bucket, version, action, done)

    def _expire(self, bucket, key, version, done):
        current = bucket.keys.get(key)
        named = {} if version is current and hasattr(version, "contentsize") else {"VersionId": version.version_id}
        answer = self.storage.remove(bucket, key, by_lifecycle=True, **named)
        marked = answer.get("DeleteMarker") and not named
        done["delete markers set" if marked else "expired" if hasattr(version, "contentsize") else
             "delete markers removed", ""] += 1

    def _move(self, bucket, version, to, done):
        before, facts, now = version.storage_class, self.storage.facts(version), self.life.clock.now
        self.storage.bill.left(bucket, version)
        version._storage_class, facts.since, facts.read, facts.steps = to, now, now, 0
        if facts.archived is not None:
            facts.archived = version._expiry = None
        self.storage.bill.settle(bucket, version)
        done[f"moved to {to}", to] += 1
        self.storage.events.tell("s3:LifecycleTransition", bucket, version, destination_storage_class=to,
                                 source_storage_class=before)

    def _abort(self, bucket, identifier, done):
        if identifier in bucket.multiparts:
            del bucket.multiparts[identifier]
            self.storage.bill.uploads(bucket)
            done["unfinished uploads aborted", ""] += 1

    # what the model wants

    def _pending(self, bucket, key) -> list[tuple]:
        """(when, version, action) of the next thing for each version of a key."""
        versions = bucket.keys.getlist(key) or ()
        rules = self._rules(bucket)
        if not rules:
            return [step for one in versions if (step := self._next_step(one))]
        found, minimum = [], self._read(bucket).minimum
        for position, one in enumerate(versions):
            when, action = NEVER, None
            is_object, current = hasattr(one, "contentsize"), position == len(versions) - 1
            if current and not is_object:
                days, since = delete_marker_days(rules, key, len(versions) - 1), one.last_modified
                actions = [] if days is None else [(days, EXPIRE)]
            elif current:
                since = one.last_modified
                actions = self._of_current(bucket, one)
            else:
                since = versions[position + 1].last_modified
                actions = noncurrent_actions(rules, key, self._tags(bucket, one) if is_object else (),
                                             len(versions) - 2 - position, one.size if is_object else 0,
                                             one.storage_class if is_object else "STANDARD", minimum)
                actions = [pair for pair in actions if is_object or pair[1] == EXPIRE]
            if actions:
                when, action = due_at(self.storage.seconds(since), actions[0][0]), actions[0][1]
            if action == EXPIRE and is_object and (not current or bucket.versioning_status is None):
                when = self._unlocked(one, when)
            if when < NEVER:
                found.append((when, one, action))
            if step := self._next_step(one):
                found.append(step)
        return found

    def _unlocked(self, one, when) -> float:
        """A locked version waits until its lock ends: for a legal hold, nobody knows when."""
        if not (one.lock_mode or one.lock_legal_status == "ON"):
            return when
        zero = self.life.sandbox.clock.date_at(0).timestamp()
        version = s3_model_lab.version(one)
        if may_delete(version, max(when, self.life.clock.now) + zero).allowed:
            return when
        return NEVER if version.legal_hold else max(when, ceil((version.retain_until - zero) / DAY) * DAY)

    def _next_step(self, one):
        """Of an object in Intelligent-Tiering that is large enough to be watched."""
        if getattr(one, "storage_class", "") != "INTELLIGENT_TIERING" or one.size < MONITORED:
            return None
        facts = self.storage.facts(one)
        return (due_at(facts.read, STEPS[facts.steps]), one, STEP) if facts.steps < len(STEPS) else None

    def _of_current(self, bucket, one):
        """What the rules want of a current version. It is the same for all that the same rules take, so asked once."""
        read = self._read(bucket)
        tags, versioned = self._tags(bucket, one), bucket.versioning_status is not None
        found = list(matching(read.rules, one.name, tags, one.size))
        if not found:
            return []
        names, rules = zip(*found)
        of = names, one.size >= SMALL, one.storage_class, versioned, one.last_modified if read.dated else None
        if of not in read.known:
            read.known[of] = lifecycle_actions(rules, one.name, tags, size=one.size, StorageClass=one.storage_class,
                                               versioned=versioned, minimum_size=read.minimum, created=_aware(one.last_modified))
        return read.known[of]

    def _rules(self, bucket) -> list:
        return self._read(bucket).rules

    def _read(self, bucket) -> "Rules":
        """The rules of a bucket, read once."""
        if "rules_read" not in vars(bucket):
            bucket.rules_read = Rules(self.storage.configuration(bucket, "BucketLifecycleConfiguration") or {})
        return bucket.rules_read

    def _tags(self, bucket, one):
        return self.storage.tags(one) if self._read(bucket).tagged else ()

    # restores

    def restore(self, call) -> dict | None:
        given, bucket = call.parameters, self.storage.bucket(call.parameters["Bucket"])
        if bucket is None:
            return None
        version = self.storage.find(bucket, given["Key"], given.get("VersionId"))
        if not hasattr(version, "contentsize"):
            missing = "NoSuchVersion" if "VersionId" in given else "NoSuchKey"
            raise ServiceError(missing, "The specified key does not exist.", 404)
        facts, wanted = self.storage.facts(version), given.get("RestoreRequest", {})
        if facts.archived is None:
            facts.archived = ArchivedObject(version.name, version.size, version.storage_class, capacity=self.capacity,
                                            seed=f"{self.life.sandbox.seed} {bucket.name} {version.version_id}")
        tier = wanted.get("GlacierJobParameters", {}).get("Tier") or wanted.get("Tier") or "Standard"
        try:
            status = facts.archived.restore_object(self.storage.now, wanted.get("Days"), tier)
        except ServiceError as error:
            raise s3_model_lab.with_status(error) from None
        facts.tier = tier
        if status == 202:
            self.storage.events.tell("s3:ObjectRestore:Post", bucket, version, call.who,
                                     source_storage_class=version.storage_class)
        self._follow(bucket, version, facts.archived)
        call.status = status
        return {}

    def accepted(self, call) -> None:
        """202 if a copy is to come, 200 if one is there and stays longer."""
        call.response["ResponseMetadata"]["HTTPStatusCode"] = call.status

    def show_restore(self, call) -> None:
        bucket = self.storage.bucket(call.parameters["Bucket"])
        version = self.storage.find(bucket, call.parameters["Key"], call.parameters.get("VersionId"))
        facts = self.storage.facts(version) if version is not None else None
        if facts and facts.archived is not None and "Restore" in (shown := facts.archived.head_object(self.storage.now)):
            call.response["Restore"] = shown["Restore"]

    def _follow(self, bucket, version, archived):
        """Look again when the copy comes, and when it goes."""
        zero = self.life.sandbox.clock.date_at(0).timestamp()
        ahead = archived._ready if archived._ready is not None else archived._until
        if ahead is not None:
            version._expiry = self._expiry(archived)
            self.life.clock.at(max(self.life.clock.now, ceil(ahead - zero)), self._restored, bucket, version, archived)

    def _restored(self, bucket, version, archived):
        facts = self.storage.facts(version)
        if facts.archived is not archived or version not in (bucket.keys.getlist(version.name) or ()):
            return  # it was deleted, or is in another class by now
        had, seen = version._expiry, len(archived.events)
        archived.head_object(self.storage.now)
        version._expiry = self._expiry(archived)
        self.storage.bill.settle(bucket, version)
        for _, event in archived.events[seen:]:
            if event == "s3:ObjectRestore:Completed":
                self.storage.bill.restored(bucket, version, facts.tier)
                self.life.note("S3", "restored", f"{bucket.name}/{version.name}",
                               f"a copy is there until {version._expiry:%Y-%m-%d}" if version._expiry else "")
                self.storage.events.tell(
                    event, bucket, version, glacier=notifications.restored(archived._until or 0.0, version.storage_class),
                    restore_expiry_time=f"{version._expiry:%Y-%m-%dT%H:%M:%SZ}" if version._expiry else "",
                    source_storage_class=version.storage_class)
            elif event == "s3:ObjectRestore:Delete":
                self.life.note("S3", "restored copy gone", f"{bucket.name}/{version.name}", "its days are over")
                self.storage.events.tell(event, bucket, version)
        self.storage.bill.flush()
        if version._expiry is not None and version._expiry != had or archived._ready is not None:
            self._follow(bucket, version, archived)

    def _expiry(self, archived):
        """Until when moto lets the copy be read."""
        if archived._until is None:
            return None
        zero = self.life.sandbox.clock.date_at(0)
        return (zero + timedelta(seconds=archived._until - zero.timestamp())).replace(tzinfo=None)


class Rules:
    """A lifecycle configuration. known: what was asked of the model about it."""

    def __init__(self, kept):
        self.rules = dated(kept.get("Rules")) or []
        self.minimum = kept.get("TransitionDefaultMinimumObjectSize", "all_storage_classes_128K")
        self.tagged = any(filter_of(rule)["Tags"] for rule in self.rules)
        self.dated = any("Date" in one for rule in self.rules for one in (rule.get("Expiration", {}), *rule.get("Transitions", ())))
        self.known = {}


TRANSITIONS = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")


def _aware(date):
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def dated(rules):
    """The rules with their dates as dates, whatever boto3 was given."""
    from botocore.utils import parse_timestamp

    def read(part):
        if isinstance(part, dict):
            return {name: read_date(value) if name == "Date" else read(value) for name, value in part.items()}
        return [read(one) for one in part] if isinstance(part, list) else part

    def read_date(value):
        return _aware(value if hasattr(value, "tzinfo") else parse_timestamp(value))

    return read(rules) if rules else rules
