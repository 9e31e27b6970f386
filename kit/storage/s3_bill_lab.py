"""What S3 costs in the sandbox: bytes in each class by the second, requests, retrieval, transfer out.

Every version is billed, noncurrent ones as well, and so are the parts of uploads that nobody finished. Small objects of
the infrequent classes count as 128 KB, archived ones 40 KB more; what leaves a class before its minimum duration pays
for the rest at once. The rules and prices are those of ``storage_classes``.

**Simplified** Delete markers cost nothing (AWS: their key's bytes). Parts and objects of an upload into an archive class
are at Standard's price until it is complete. What a role reads is read within the Region, all else goes out to the
Internet. Refused requests cost nothing. Lists cost as much in each Region.
**Not modelled** Transfer Acceleration's, replication's and inventory's own fees, transfer between Regions.

Transfer: AWS Global Network FAQs ("Data transfer charges"), read 2026-11-28.
"""

from collections import Counter

from kit.storage.storage_classes import CLASSES, GB, MONITORED, MONTH, tier_at
from kit.storage.storage_cost import early_deletion

DAY = 86_400
FREE = ("Delete", "Abort")  # how the names of operations begin that cost nothing
DEAR = ("Put", "Copy", "Create", "Complete", "Upload", "List")  # of the dearer kind; Get, Head and all others: the other one
TIERS = {"Frequent Access": "s3:INTELLIGENT_TIERING", "Infrequent Access": "s3:INTELLIGENT_TIERING-infrequent",
         "Archive Instant Access": "s3:INTELLIGENT_TIERING-archive"}


class Bill:
    """What is held in each bucket now, told to the meter when it changes."""

    def __init__(self, life, storage):
        self.life, self.storage = life, storage
        self.held, self._changed = Counter(), set()

    def live(self) -> None:
        self.life.then("s3", "*", self.asked)
        self.life.quotes["s3", "PutObject"] = lambda given: _quote(given, _size(given.get("Body", b"")))
        self.life.quotes["s3", "RestoreObject"] = self.quote_restore
        self.life.quotes["s3", "GetObject"] = self.quote_read

    # what is kept

    def settle(self, bucket, version) -> None:
        """A version is there, perhaps in another class than before."""
        facts = self.storage.facts(version)
        parts = tuple(self._parts(version, facts))
        for item, amount in parts:
            self._change(bucket, item, amount)
        for item, amount in facts.billed:
            self._change(bucket, item, -amount)
        facts.billed = parts

    def gone(self, bucket, version) -> None:
        """It was deleted or overwritten."""
        if not hasattr(version, "contentsize"):
            return
        facts = self.storage.facts(version)
        self.left(bucket, version)
        for item, amount in facts.billed:
            self._change(bucket, item, -amount)
        facts.billed = ()

    def left(self, bucket, version) -> None:
        """It leaves its class: what is missing of the minimum duration is charged."""
        kind, facts = CLASSES.get(version.storage_class), self.storage.facts(version)
        if kind is None:
            return
        stayed = (self.life.clock.now - facts.since) / DAY
        if early_deletion(kind.name, version.size, stayed / MONTH) > 0:
            self.life.meter.add_time(f"bucket {bucket.name}", f"s3:early-{kind.name}", (kind.minimum_days - stayed) * DAY,
                                     (max(version.size, kind.minimum_bytes) + kind.overhead) / GB)

    def part(self, bucket, upload, size) -> None:
        """So many bytes more, or less, of an unfinished upload."""
        kind = CLASSES.get(upload.storage or "STANDARD")
        self._change(bucket, "s3:STANDARD" if kind is None or kind.archived else f"s3:{kind.name}", size)

    def closed(self, bucket) -> None:
        """A bucket was deleted, and with it what was left of unfinished uploads."""
        for name, item in [key for key in self.held if key[0] == bucket]:
            del self.held[name, item]
        self.life.meter.end(f"bucket {bucket}")

    def flush(self) -> None:
        for bucket, item in sorted(self._changed):
            if self.life.meter.knows(item):
                unit = 1 if item == "s3:monitoring" else GB
                self.life.meter.run(f"bucket {bucket}", item, self.held[bucket, item] / unit)
            else:
                self.life.meter.unpriced(f"bucket {bucket} {item}", item.removeprefix("s3:"))
        self._changed.clear()

    def _change(self, bucket, item, amount):
        self.held[bucket.name, item] += amount
        self._changed.add((bucket.name, item))

    def _parts(self, version, facts):
        """(item, bytes or objects) that are billed for a version."""
        kind, size = CLASSES.get(version.storage_class), version.size
        if kind is None:
            yield f"s3:{version.storage_class}", size
            return
        if kind.name == "INTELLIGENT_TIERING":
            idle = (self.life.clock.now - facts.read) / DAY
            yield TIERS[tier_at(idle if size >= MONITORED else 0.0)[0]], size
            if size >= MONITORED:
                yield "s3:monitoring", 1
            return
        yield f"s3:{kind.name}", max(size, kind.minimum_bytes) + kind.overhead
        if kind.overhead_standard:
            yield "s3:STANDARD", kind.overhead_standard
        if version._expiry is not None:  # a restored copy
            yield "s3:STANDARD", size

    # what is asked

    def asked(self, call) -> None:
        """After each request."""
        if call.by != "console" and "Bucket" in call.parameters:
            self._request(call)
        elif call.operation == "ListBuckets" and call.by != "console":
            self.life.meter.add("buckets (all)", "s3:put-STANDARD", 1)
        self._parts_of_uploads(call)
        self.flush()

    def _request(self, call):
        given, name = call.parameters, call.operation
        resource, bucket = f"bucket {given['Bucket']}", self.storage.bucket(given["Bucket"])
        if name.startswith(FREE) or name == "RestoreObject" or bucket is None:
            return
        dear = name.startswith(DEAR)
        kind = given.get("StorageClass", "STANDARD")
        if not dear and "Key" in given:
            version = self.storage.find(bucket, given["Key"], given.get("VersionId"))
            kind = getattr(version, "storage_class", "STANDARD")
        kind = kind if kind in CLASSES else "STANDARD"
        self.life.meter.add(resource, f"s3:{'put' if dear else 'get'}-{kind}", 1)
        if name == "GetObject":
            self.sent(bucket, version, call.response.get("ContentLength", 0), call.who.kind == "AssumedRole", counted=True)

    def sent(self, bucket, version, size, within_region=False, counted=False) -> None:
        """Bytes of an object were read."""
        resource, kind = f"bucket {bucket.name}", CLASSES.get(version.storage_class, CLASSES["STANDARD"])
        if not counted:
            self.life.meter.add(resource, f"s3:get-{kind.name}", 1)
        if kind.retrieval and not kind.archived:
            self.life.meter.add(resource, f"s3:retrieval-{kind.name}", size / GB)
        if not within_region and size:
            self.life.meter.add(resource, "s3:transfer-out", size / GB)
        facts = self.storage.facts(version)
        facts.read, facts.steps = self.life.clock.now, 0
        if version.storage_class == "INTELLIGENT_TIERING":
            self.settle(bucket, version)
            self.storage.calendar.plan(bucket, version.name)

    def _parts_of_uploads(self, call):
        if call.operation in ("UploadPart", "UploadPartCopy", "AbortMultipartUpload", "CompleteMultipartUpload"):
            self.uploads(self.storage.bucket(call.parameters["Bucket"]))

    def uploads(self, bucket) -> None:
        """Count the parts that lie about in a bucket."""
        before, now = vars(bucket).setdefault("billed_parts", {}), {}
        for upload in bucket.multiparts.values():
            now[upload.id] = upload, sum(part.size for part in upload.parts.values())
        for identifier in sorted({*before, *now}):
            upload, size = now.get(identifier, (before.get(identifier, (None, 0))[0], 0))
            self.part(bucket, upload, size - before.get(identifier, (None, 0))[1])
        bucket.billed_parts = now

    def restored(self, bucket, version, tier) -> None:
        kind = f"{version.storage_class}-{tier}"
        self.life.meter.add(f"bucket {bucket.name}", f"s3:restore-{kind}", 1)
        self.life.meter.add(f"bucket {bucket.name}", f"s3:retrieval-{kind}", version.size / GB)

    def transition(self, bucket, to, number=1) -> None:
        self.life.meter.add(f"bucket {bucket.name}", f"s3:transition-{to}", number)

    def quote_restore(self, given):
        version, wanted = self._there(given), given.get("RestoreRequest", {})
        tier = wanted.get("GlacierJobParameters", {}).get("Tier") or wanted.get("Tier") or "Standard"
        kind = f"{version.storage_class}-{tier}"
        return [(f"s3:restore-{kind}", 1), (f"s3:retrieval-{kind}", version.size / GB),
                ("s3:STANDARD", version.size / GB)]

    def quote_read(self, given):
        version = self._there(given)
        kind = CLASSES.get(version.storage_class, CLASSES["STANDARD"])
        found = [(f"s3:get-{kind.name}", 1), ("s3:transfer-out", version.size / GB)]
        return found + ([(f"s3:retrieval-{kind.name}", version.size / GB)] if kind.retrieval and not kind.archived else [])

    def _there(self, given):
        bucket = self.storage.bucket(given["Bucket"])
        version = bucket and self.storage.find(bucket, given["Key"], given.get("VersionId"))
        if version is None:
            raise ValueError(f"there is no {given['Key']} in {given['Bucket']} to quote for")
        return version


def _quote(given, size):
    kind = CLASSES[given.get("StorageClass", "STANDARD")]
    found = [(f"s3:put-{kind.name}", 1), (f"s3:{kind.name}", (max(size, kind.minimum_bytes) + kind.overhead) / GB)]
    return found + ([("s3:STANDARD", kind.overhead_standard / GB)] if kind.overhead_standard else [])


def _size(body) -> int:
    """Of bytes, text, or a number of bytes that stands for them in a quote."""
    return body if isinstance(body, int) else len(body.encode() if isinstance(body, str) else body)
