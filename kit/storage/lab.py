"""S3 in the sandbox: moto keeps the buckets, the models of this folder decide what becomes of a call.

Before moto has a call, the model of ``s3`` and ``multipart`` is given the versions of the key it is about, as they
stand in moto, and what it refuses is refused. Deletes are the model's altogether: moto loses versions. What happens
later is in ``s3_time_lab`` (lifecycle, restores) and ``s3_replication_lab``, who may do what in ``s3_access_lab``, requests
without boto3 (presigned URLs, websites) in ``s3_web_lab``, events in ``s3_events_lab``, the bill in ``s3_bill_lab``.

    what_if(sandbox, "photos", months=12, reads=0.1)      # the bucket's objects in each class, before anything is moved

**Simplified** One account. Version ids look like moto's, numbers that a seed repeats.
**Not modelled** S3 Select for new customers, access points, inventory, analytics, POST uploads by a browser's form;
HeadObject of a version of a suspended bucket (moto says 400).

The pages are those of the models. Amazon S3 API Reference, "CreateBucket" (new buckets are BucketOwnerEnforced and block
public access); Amazon S3 User Guide, "Using server-side encryption with Amazon S3 managed keys" (every new object is
encrypted, since 5 January 2023). Read 2026-11-28.
"""

from hashlib import sha256

from kit.errors import ServiceError
from kit.sim.records import Table
from kit.storage import (lifecycle_check, names, s3, s3_access_lab, s3_bill_lab, s3_events_lab, s3_replication_lab,
                         s3_time_lab, s3_web_lab, website)
from kit.storage import s3_model_lab as model
from kit.storage.storage_classes import CLASSES, MONTH
from kit.storage.storage_cost import early_deletion, keep

ENCRYPTED = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}


def live(life) -> None:
    life.wake("iam")
    storage = Storage(life)
    life.state["s3"] = storage
    storage.bill = s3_bill_lab.Bill(life, storage)
    storage.access = s3_access_lab.Access(life, storage)
    storage.events = s3_events_lab.Events(life, storage)
    storage.calendar = s3_time_lab.Calendar(life, storage)
    storage.replication = s3_replication_lab.Replication(life, storage)
    s3_web_lab.live(life, storage)
    from moto.s3.models import FakeMultipart, S3Backend
    life.patch(FakeMultipart, "__init__", storage.upload_began)
    life.patch(S3Backend, "create_bucket", storage.bucket_made)
    life.patch(S3Backend, "put_object", storage.stored)
    life.before("s3", "*", storage.check)
    for operation, function in (("DeleteObject", storage.delete), ("DeleteObjects", storage.delete_many),
                                ("ListObjectVersions", storage.list_versions), ("PutObjectLockConfiguration", storage.lock),
                                *((f"Get{name}", storage.kept_configuration) for name in KEPT)):
        life.answer("s3", operation, function)
    life.then("s3", " ".join(f"{verb}{name}" for verb in ("Put", "Delete") for name in KEPT) + " DeleteBucketLifecycle",
              storage.keep_configuration)
    life.then("s3", "PutObject CopyObject CompleteMultipartUpload", storage.settle_put)
    life.then("s3", "DeleteBucket", lambda call: storage.bill.closed(call.parameters["Bucket"]))
    life.then("s3", "ListMultipartUploads", storage.show_uploads)
    life.then("s3", "ListBuckets", storage.show_regions)
    life.then("s3", "DeleteBucketEncryption", storage.encryption_deleted)
    storage.events.live()
    storage.access.live()
    storage.calendar.live()
    storage.replication.live()
    storage.bill.live()


KEPT = {  # operations on configurations of which moto forgets a part: -> the parameter, and what a Get answers
    "BucketLifecycleConfiguration": ("LifecycleConfiguration", lambda kept: dict(kept)),
    "BucketReplication": ("ReplicationConfiguration", lambda kept: {"ReplicationConfiguration": kept}),
    "BucketNotificationConfiguration": ("NotificationConfiguration", lambda kept: dict(kept))}


class Facts:
    """What moto doesn't keep about a version: from when it is in its class, when it was read, what is billed for it."""

    def __init__(self, now):
        self.since = self.read = now  # seconds of the sandbox
        self.steps = 0  # of Intelligent-Tiering since it was read
        self.billed = ()
        self.archived = None  # a model of ``restore``, once it was asked for
        self.replication = None  # PENDING, COMPLETED, FAILED or REPLICA


class Storage:
    """The buckets of one sandbox."""

    def __init__(self, life):
        self.life = life
        self.bill = self.access = self.events = self.calendar = self.replication = None

    # moto's state as the models see it

    @property
    def backend(self):
        return self.life.backend("s3")

    @property
    def now(self) -> float:
        """In Unix seconds, as S3 dates what it keeps."""
        return self.life.sandbox.clock.date.timestamp()

    def bucket(self, name):
        return self.backend.buckets.get(name)

    def find(self, bucket, key, version_id=None):
        """moto's version or delete marker; None if there is none."""
        versions = bucket.keys.getlist(key) or []
        if version_id is None:
            return versions[-1] if versions else None
        return next((one for one in versions if one.version_id == version_id), None)

    def configuration(self, bucket, name) -> dict | None:
        """One of KEPT, as the learner has put it."""
        return vars(bucket).setdefault("kept", {}).get(name)

    def facts(self, version) -> Facts:
        if "facts" not in vars(version):
            version.facts = Facts(self.life.clock.now)
        return version.facts

    def tags(self, version) -> dict:
        return self.backend.tagger.get_tag_dict_for_resource(version.arn)

    def date(self, unix):
        clock = self.life.sandbox.clock
        return clock.date_at(unix - clock.date_at(0).timestamp())

    def seconds(self, date) -> float:
        """moto's date on the sandbox's clock."""
        return self.life.sandbox.clock.seconds_at(date)

    # before a call

    def check(self, call) -> None:
        """Refuse what AWS refuses."""
        try:
            self._check(call)
        except ServiceError as error:
            raise model.with_status(error) from None

    def _check(self, call):
        given, bucket = call.parameters, self.bucket(call.parameters.get("Bucket"))
        if call.operation == "CreateBucket":
            self._check_new(call)
        if bucket is None:
            return
        if given.get("ExpectedBucketOwner", bucket.account_id) != bucket.account_id:
            raise ServiceError("AccessDenied", "Access Denied")
        self.access.check(call, bucket)
        if call.operation in model.OF_OBJECTS | model.OF_UPLOADS:
            model.ask(call, bucket, self.bucket, self.now)
        elif call.operation == "PutBucketVersioning":
            model.mirror(bucket, "").put_bucket_versioning(given["VersioningConfiguration"], self.now)
        elif call.operation == "PutBucketLifecycleConfiguration":
            lifecycle_check.check_lifecycle(s3_time_lab.dated(given.get("LifecycleConfiguration", {}).get("Rules")))
        elif call.operation == "PutBucketReplication":
            self.replication.check(call, bucket)
        elif call.operation == "PutBucketNotificationConfiguration":
            self.events.check(call, bucket)
        elif call.operation == "PutBucketWebsite":
            website.check_website(given["WebsiteConfiguration"])

    def _check_new(self, call):
        given = call.parameters
        region = given.get("CreateBucketConfiguration", {}).get("LocationConstraint") or call.region
        if given["Bucket"] not in self.backend.buckets:
            names.check_name(given["Bucket"], given.get("BucketNamespace", "global"), self.life.sandbox.account_id, region)
        self.access.check_new(call)

    # what moto does otherwise

    def bucket_made(self, before, backend, name, *arguments, **named):
        from moto.s3.models import PublicAccessBlock
        bucket = before(backend, name, *arguments, **named)
        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
        bucket.ownership_rule = s3_access_lab.ENFORCED
        bucket.encryption = ENCRYPTED
        return bucket

    def encryption_deleted(self, call) -> None:
        """Back to the default: there is no bucket without encryption."""
        self.backend.buckets[call.parameters["Bucket"]].encryption = ENCRYPTED

    def upload_began(self, before, upload, *arguments, **named):
        """moto's id is drawn by the computer; here it repeats with the seed."""
        from moto.moto_api._internal import mock_random
        before(upload, *arguments, **named)
        upload.id, upload.initiated = mock_random.get_random_hex(86), self.life.clock.now

    def stored(self, before, backend, bucket_name, key_name, *arguments, **named):
        """Wherever moto stores an object: what it takes the place of goes, what is above it stays."""
        bucket = backend.get_bucket(bucket_name)
        there = list(bucket.keys.getlist(key_name) or ())
        replaced = there if bucket.versioning_status is None else [
            one for one in there if bucket.versioning_status == "Suspended" and one.version_id == "null"]
        for one in replaced:
            self.bill.gone(bucket, one)
        if bucket.versioning_status == "Suspended":
            dict.__setitem__(bucket.keys, key_name, replaced)
        new = before(backend, bucket_name, key_name, *arguments, **named)
        if bucket.versioning_status == "Suspended":
            dict.__setitem__(bucket.keys, key_name, [one for one in there if one not in replaced] + [new])
        self.bill.settle(bucket, new)
        self.calendar.plan(bucket, key_name)
        return new

    def settle_put(self, call) -> None:
        """After an object came: its ACL is private unless one was given, whatever the bucket's is."""
        from moto.s3.models import get_canned_acl
        bucket = self.bucket(call.parameters["Bucket"])
        version = self.find(bucket, call.parameters["Key"])
        if call.operation == "CompleteMultipartUpload":
            if bucket.versioning_status is None:
                call.response.pop("VersionId", None)
        elif not any(name == "ACL" or name.startswith("Grant") for name in call.parameters):
            version.acl = get_canned_acl("private")
        if version.acl is None:
            version.acl = get_canned_acl("private")
        if call.parameters.get("Tagging") or call.operation != "PutObject":
            self.calendar.plan(bucket, version.name)
        self.replication.arrived(bucket, version)

    def delete(self, call) -> dict | None:
        bucket, given = self.bucket(call.parameters["Bucket"]), call.parameters
        if bucket is None:
            return None
        taken = {name: given[name] for name in ("VersionId", "IfMatch", "BypassGovernanceRetention") if name in given}
        try:
            return self.remove(bucket, given["Key"], **taken)
        except ServiceError as error:
            raise model.with_status(error) from None

    def delete_many(self, call) -> dict | None:
        bucket, given = self.bucket(call.parameters["Bucket"]), call.parameters
        if bucket is None:
            return None
        delete = {**given["Delete"], "Objects": [dict(one) for one in given["Delete"]["Objects"]]}
        if not 1 <= len(delete["Objects"]) <= s3.MOST_DELETES:
            model.mirror(bucket, "").delete_objects(delete)  # says no
        deleted, errors = [], []
        for one in delete["Objects"]:
            named = {name: one[name] for name in ("Key", "VersionId") if name in one}
            try:
                gone = self.remove(bucket, **named, IfMatch=one.get("ETag"),
                                   BypassGovernanceRetention=given.get("BypassGovernanceRetention", False))
            except ServiceError as error:
                errors.append(named | {"Code": error.code, "Message": error.message})
                continue
            if gone.get("DeleteMarker"):
                named |= {"DeleteMarker": True, "DeleteMarkerVersionId": gone["VersionId"]}
            deleted.append(named)
        found = {"Deleted": [] if delete.get("Quiet") else deleted, "Errors": errors}
        return {name: value for name, value in found.items() if value}

    def remove(self, bucket, Key, by_lifecycle: bool = False, **more) -> dict:
        """Delete as the model says, in moto: versions go, a marker comes. Its answer, with moto's id of the marker."""
        from moto.s3.models import FakeDeleteMarker
        copy = model.mirror(bucket, Key)
        before = copy.versions(Key)
        answer = copy.delete_object(Key, self.now, **more)
        left = copy.versions(Key)[::-1]
        current = bucket.keys.get(Key)
        there = []
        for version in left:
            if hasattr(version, "moto"):
                there.append(version.moto)
                continue
            marker = FakeDeleteMarker(key=current or _Nothing(Key))
            marker._version_id = "null" if version.version_id == "null" else marker._version_id
            marker.last_modified = self.life.sandbox.clock.date.replace(tzinfo=None)
            answer["VersionId"] = marker.version_id
            there.append(marker)
        gone = [version.moto for version in before if version not in left]
        for one in gone:
            self.bill.gone(bucket, one)
            if hasattr(one, "dispose"):
                one.dispose()
        if there:
            dict.__setitem__(bucket.keys, Key, there)
        elif Key in bucket.keys:
            dict.pop(bucket.keys, Key)
        self.calendar.plan(bucket, Key)
        self.events.removed(bucket, Key, gone, there, answer, "VersionId" in more, by_lifecycle)
        if not by_lifecycle and answer.get("DeleteMarker") and "VersionId" not in more:
            self.replication.arrived(bucket, there[-1])
        return answer

    def list_versions(self, call) -> dict | None:
        bucket, given = self.bucket(call.parameters["Bucket"]), call.parameters
        if bucket is None:
            return None
        taken = ("Prefix", "Delimiter", "KeyMarker", "VersionIdMarker", "MaxKeys")
        found = model.mirror(bucket).list_object_versions(self.now, **{name: given[name] for name in taken if name in given})
        for one in (*found["Versions"], *found["DeleteMarkers"]):
            one["LastModified"] = self.date(one["LastModified"])
            one["Owner"] = {"ID": s3_access_lab.owner_id()}
        return {name: value for name, value in found.items() if value or not isinstance(value, list)}

    def lock(self, call) -> dict | None:
        """Also a bucket that has objects may get a lock."""
        bucket, given = self.bucket(call.parameters["Bucket"]), call.parameters.get("ObjectLockConfiguration", {})
        if bucket is None:
            return None
        try:
            model.mirror(bucket, "").put_object_lock_configuration(given, self.now)
        except ServiceError as error:
            raise model.with_status(error) from None
        rule = given.get("Rule", {}).get("DefaultRetention", {})
        bucket.object_lock_enabled = True
        bucket.default_lock_mode = rule.get("Mode", "")
        bucket.default_lock_days, bucket.default_lock_years = rule.get("Days", 0), rule.get("Years", 0)
        return {}

    def keep_configuration(self, call) -> None:
        bucket, name = self.bucket(call.parameters["Bucket"]), call.operation.removeprefix("Put")
        if call.operation == "DeleteBucketLifecycle":
            name = "DeleteBucketLifecycleConfiguration"
        parameter, _ = KEPT[name.removeprefix("Delete")]
        kept = vars(bucket).setdefault("kept", {})
        kept.pop(name.removeprefix("Delete"), None)
        if not name.startswith("Delete"):
            kept[name] = _named_rules(call.parameters[parameter], bucket.name)
        self.calendar.configured(bucket, name.removeprefix("Delete"))
        self.replication.configured(bucket, name.removeprefix("Delete"))

    def kept_configuration(self, call) -> dict | None:
        bucket, name = self.bucket(call.parameters["Bucket"]), call.operation.removeprefix("Get")
        kept = bucket is not None and self.configuration(bucket, name)
        return KEPT[name][1](kept) if kept else None

    def show_uploads(self, call) -> None:
        multiparts = self.bucket(call.parameters["Bucket"]).multiparts
        for one in call.response.get("Uploads", ()):
            upload = multiparts[one["UploadId"]]
            one["Initiated"] = self.life.sandbox.clock.date_at(upload.initiated)
            one["StorageClass"] = upload.storage or "STANDARD"

    def show_regions(self, call) -> None:
        for one in call.response.get("Buckets", ()):
            one["BucketRegion"] = self.backend.buckets[one["Name"]].region_name


def what_if(sandbox, bucket: str, months: float = 12, reads: float = 0.0) -> Table:
    """What a bucket's objects would cost from now on in each class, for so many months, and what moving them costs.

    reads: of each object a month. Nothing is moved. Moving: a transition or a copy of each object, and what is missing
    of the minimum duration where it is now.
    """
    storage = sandbox.life.state["s3"]
    objects = [one for versions in storage.bucket(bucket).keys.lists() for one in versions[1] if hasattr(one, "contentsize")]
    rows = []
    for name, kind in CLASSES.items():
        stay = move = 0.0
        for one in objects:
            cost, own = keep(name, one.size, months, reads), one.storage_class
            stay += cost.total - kind.put
            if own in CLASSES and own != name:
                stayed = (sandbox.clock.now - storage.facts(one).since) / 86_400 / MONTH
                move += (kind.transition or kind.put) + early_deletion(own, one.size, stayed)
        rows.append((kind.says, f"{sum(one.storage_class == name for one in objects):,}", f"${stay:,.4f}", f"${move:,.4f}",
                     f"${stay + move:,.4f}"))
    return Table(("class", "objects now", f"{months:g} months there", "moving", "together"), rows)


class _Nothing:
    """The key of a delete marker where nothing was."""

    def __init__(self, name):
        self.name = name


def _named_rules(configuration, bucket) -> dict:
    """S3 gives a name to what has none."""
    found = dict(configuration)
    for kind, name in (("Rules", "ID"), ("QueueConfigurations", "Id"), ("TopicConfigurations", "Id"),
                       ("LambdaFunctionConfigurations", "Id")):
        if kind in found:
            found[kind] = [one if one.get(name) else one | {name: sha256(f"{bucket} {kind} {number}".encode()).hexdigest()[:48]}
                           for number, one in enumerate(found[kind])]
    return found
