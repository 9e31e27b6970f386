"""Replication in the sandbox: what is new in one bucket is copied to others, a little later, and says how far it is.

The model of ``replication`` says which objects, where to and as what. The copies come when the clock gets there: until
then the source is PENDING, then COMPLETED, or FAILED if the role may not do it. Replicas keep their version's id, date
and metadata.

**Simplified** A copy takes 5 seconds to 5 minutes, drawn from the sandbox's seed (AWS: most within 15 minutes, and
promises that only with Replication Time Control). The role must be allowed s3:GetObjectVersionForReplication on the
object and s3:ReplicateObject, or s3:ReplicateDelete, on the destination.
**Not modelled** Changes of tags and ACLs after the copy, replication events and metrics, destinations in other accounts.

Amazon S3 User Guide, "Setting up permissions for live replication", "Getting replication status information". Read
2026-11-28.
"""

from random import Random

from kit.storage import replication as model

TAKES = 5.0, 300.0  # seconds


class Replication:
    """The copies that are on their way."""

    def __init__(self, life, storage):
        self.life, self.storage = life, storage
        self._random = Random(f"{life.sandbox.seed} replication")

    def live(self) -> None:
        self.life.then("s3", "GetObject HeadObject", self.show)

    def check(self, call, bucket) -> None:
        buckets = self.storage.backend.buckets
        model.check_configuration(call.parameters["ReplicationConfiguration"], bucket.versioning_status,
                                  {one.arn: one.versioning_status for one in buckets.values()},
                                  {one.arn: one.account_id for one in buckets.values()})

    def configured(self, bucket, name) -> None:
        if name == "BucketReplication":
            bucket.replicated_from = self.life.clock.now

    def arrived(self, bucket, version) -> None:
        """Something new: plan its copies."""
        configuration = self.storage.configuration(bucket, "BucketReplication")
        if not configuration:
            return
        marker = not hasattr(version, "contentsize")
        source = model.Source(version.name, self.life.clock.now, {} if marker else self.storage.tags(version),
                              "STANDARD" if marker else version.storage_class,
                              "AES256" if marker else version.encryption or "AES256", delete_marker=marker,
                              replica=not marker and self.storage.facts(version).replication == "REPLICA")
        plan = model.plan(configuration, source, configured_at=bucket.replicated_from, owner=bucket.account_id)
        if not plan.eligible:
            return
        done = [None] * len(plan.copies)
        if not marker:
            self.storage.facts(version).replication = model.status(done)
        for number, copy in enumerate(plan.copies):
            self.life.clock.after(round(self._random.uniform(*TAKES), 3), self.carry_out, bucket, version, copy, done, number,
                                  configuration["Role"])

    def carry_out(self, bucket, version, copy, done, number, role) -> None:
        if version not in (bucket.keys.getlist(version.name) or ()):
            return  # it is gone before its copy was made
        marker = not hasattr(version, "contentsize")
        target = self.storage.bucket(copy.bucket.removeprefix("arn:aws:s3:::"))
        why = self._hindrance(bucket, version, target, role, marker)
        done[number] = not why
        if not why:
            self._copy(version, target, copy, marker)
            self.storage.bill.flush()
        self.life.note("S3", "not replicated" if why else "replicated", f"{bucket.name}/{version.name}",
                       why or f"to {target.name}, by {copy.rule}")
        if not marker:
            self.storage.facts(version).replication = model.status(done)

    def show(self, call) -> None:
        bucket = self.storage.bucket(call.parameters["Bucket"])
        version = self.storage.find(bucket, call.parameters["Key"], call.parameters.get("VersionId"))
        if version is not None and self.storage.facts(version).replication:
            call.response["ReplicationStatus"] = self.storage.facts(version).replication

    def _hindrance(self, bucket, version, target, role, marker) -> str:
        """Why it cannot be copied, or ""."""
        if target is None or target.versioning_status != "Enabled":
            return "the destination is gone, or not versioned any more"
        identity, name = self.life.state["identity"], role.rsplit("/", 1)[-1]
        if name not in {one.name for one in identity.iam.roles.values()}:
            return f"there is no role {name}"
        who = identity.who(f"ROLE:{name}", None)
        wanted = [("s3:ReplicateDelete" if marker else "s3:ReplicateObject", f"{target.arn}/{version.name}")]
        if not marker:
            wanted.insert(0, ("s3:GetObjectVersionForReplication", f"{bucket.arn}/{version.name}"))
        lacking = [action for action, resource in wanted if not self.storage.access.may(who, action, resource).allowed]
        return f"the role {name} may not {' or '.join(lacking)}" if lacking else ""

    def _copy(self, version, target, copy, marker):
        from moto.s3.models import FakeDeleteMarker, FakeKey
        there = list(target.keys.getlist(version.name) or ())
        if any(one.version_id == version.version_id for one in there):
            return
        if marker:
            replica = FakeDeleteMarker(key=version.key)
            replica._version_id, replica.last_modified = version.version_id, version.last_modified
        else:
            replica = FakeKey(version.name, version.value, account_id=version.account_id, region_name=version.region_name,
                              storage=copy.storage_class, etag=version.etag.strip('"'), is_versioned=True,
                              version_id=version.version_id, bucket_name=target.name, encryption=version.encryption,
                              lock_mode=version.lock_mode, lock_legal_status=version.lock_legal_status,
                              lock_until=version.lock_until, multipart=version.multipart)
            replica.last_modified = version.last_modified
            replica.set_metadata(dict(version.metadata))
            replica.set_acl(version.acl)
            self.storage.backend.tagger.copy_tags(version.arn, replica.arn)
            self.storage.facts(replica).replication = "REPLICA"
            self.storage.bill.settle(target, replica)
            self.life.meter.add(f"bucket {target.name}", f"s3:put-{copy.storage_class}", 1)
        dict.__setitem__(target.keys, version.name, there + [replica])
        self.storage.calendar.plan(target, version.name)
