"""Event notifications in the sandbox: queues, topics, functions and EventBridge hear of what happens to objects.

moto's own way is shut off; the model says who is told what, and each destination gets it through whatever brings its
service to life, as S3, on behalf of the bucket. A destination that does not exist or does not let S3 in is refused
when the configuration is put; queues and topics get a test event then.

**Simplified** An event is delivered at once, each once (AWS: usually within seconds, at least once). What a destination
refuses later is lost, and the history says so.
**Not modelled** Events of ACLs, annotations and retention but ObjectAcl:Put; Replication events.

Amazon S3 API Reference, "PutBucketNotificationConfiguration" (what is verified); Amazon S3 User Guide, "Granting
permissions to publish event notification messages to a destination". Read 2026-11-28.
"""

from kit.errors import ServiceError
from kit.identity.authorization import Asked
from kit.lab.life import Who
from kit.storage import notifications as model

S3 = "s3.amazonaws.com"
SENDS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}
CREATED = {"PutObject": "s3:ObjectCreated:Put", "CopyObject": "s3:ObjectCreated:Copy",
           "CompleteMultipartUpload": "s3:ObjectCreated:CompleteMultipartUpload"}
OTHERS = {"PutObjectTagging": "s3:ObjectTagging:Put", "DeleteObjectTagging": "s3:ObjectTagging:Delete",
          "PutObjectAcl": "s3:ObjectAcl:Put"}


class Events:
    """What the buckets of one sandbox tell."""

    def __init__(self, life, storage):
        self.life, self.storage = life, storage
        self._serial = 0

    def live(self) -> None:
        from moto.s3 import notifications
        for name in ("send_event", "send_test_event"):
            self.life.patch(notifications, name, lambda before, *arguments, **named: None)
        self.life.then("s3", " ".join((*CREATED, *OTHERS)), self.changed)
        self.life.then("s3", "PutBucketNotificationConfiguration", self.configured)

    # the configuration

    def check(self, call, bucket) -> None:
        wanted = call.parameters["NotificationConfiguration"]
        model.check_configuration(wanted, bucket.region_name)
        if call.parameters.get("SkipDestinationValidation"):
            return
        bad = [entry.arn for entry in model.entries(wanted) if not self._takes(entry.arn, bucket)]
        if bad:
            raise ServiceError("InvalidArgument", "Unable to validate the following destination configurations: "
                               f"{', '.join(dict.fromkeys(bad))} (it does not exist, or its policy does not let {S3} in)", 400)

    def configured(self, call) -> None:
        bucket = self.storage.bucket(call.parameters["Bucket"])
        entries = model.entries(call.parameters["NotificationConfiguration"])
        for arn in dict.fromkeys(entry.arn for entry in entries if entry.arn.split(":")[2] in ("sqs", "sns")):
            self._send(bucket, arn, model.s3_test_event(bucket.name, self.storage.now, f"{call.number:016X}"))

    def _takes(self, arn, bucket) -> bool:
        """Is the destination there, and may S3 send to it for this bucket?"""
        service, region, name = arn.split(":")[2], arn.split(":")[3], arn.rsplit(":", 1)[-1]
        there = {"sqs": lambda: name in self.life.backend("sqs", region).queues,
                 "sns": lambda: arn in self.life.backend("sns", region).topics,
                 "lambda": lambda: self._function(region, arn)}[service]()
        if not there:
            return False
        with self.life.on_behalf_of(bucket.arn):
            return self.life.state["identity"].evaluate(Who("AWSService", S3, S3), Asked(SENDS[service], arn)).allowed

    def _function(self, region, arn) -> bool:
        from moto.awslambda.exceptions import UnknownFunctionException
        try:
            return self.life.backend("lambda", region).get_function(arn) is not None
        except UnknownFunctionException:
            return False

    # what happens

    def changed(self, call) -> None:
        """After a call that made or changed an object."""
        bucket, given = self.storage.bucket(call.parameters["Bucket"]), call.parameters
        version = self.storage.find(bucket, given["Key"], None if call.operation in CREATED else given.get("VersionId"))
        self.tell((CREATED | OTHERS)[call.operation], bucket, version, call.who)

    def removed(self, bucket, key, gone, there, answer, of_version, by_lifecycle) -> None:
        """A delete has done what it did. Deletes of nothing tell nothing."""
        group = "s3:LifecycleExpiration" if by_lifecycle else "s3:ObjectRemoved"
        if answer.get("DeleteMarker") and not of_version:
            self.tell(f"{group}:DeleteMarkerCreated", bucket, there[-1])
        else:
            for version in gone:
                self.tell(f"{group}:Delete", bucket, version)

    def tell(self, event, bucket, version, who=None, **more) -> None:
        """Tell it to whoever the configuration names. more: of the record for EventBridge; glacier: of the record."""
        configuration = self.storage.configuration(bucket, "BucketNotificationConfiguration")
        if not configuration:
            return
        glacier = more.pop("glacier", None)
        self._serial += 1
        about = {"size": getattr(version, "size", None), "etag": version.etag.strip('"') if hasattr(version, "etag") else None,
                 "version_id": version.version_id if bucket.versioning_status else None,
                 "sequencer": model.sequence(self.storage.now, self._serial), "request_id": f"{self._serial:016X}"}
        account, caller = bucket.account_id, (who or self.life.owner)
        for entry in model.matching(configuration, event, version.name):
            record = model.record(event, bucket.name, version.name, self.storage.now, region=bucket.region_name,
                                  configuration_id=entry.id, owner=account, principal=f"AWS:{caller.name or account}",
                                  source_ip="203.0.113.10", **about, **({"glacierEventData": glacier} if glacier else {}))
            self._send(bucket, entry.arn, {"Records": [record]})
        if "EventBridgeConfiguration" in configuration:
            shown = model.eventbridge(event, bucket.name, version.name, self.storage.now, region=bucket.region_name,
                                      account=account, requester=account, source_ip="203.0.113.10",
                                      event_id=f"{self._serial:08x}-0000-4000-8000-53e0e0000000", **about, **more)
            if shown:
                self._to_eventbridge(bucket, shown)

    def _send(self, bucket, arn, message):
        with self.life.on_behalf_of(bucket.arn):
            try:
                self.life.send(arn, message, S3)
            except (LookupError, ServiceError) as error:
                self.life.note("S3", "event not delivered", arn, str(error))
            except Exception as error:
                if not hasattr(error, "response"):
                    raise
                self.life.note("S3", "event not delivered", arn, str(error))

    def _to_eventbridge(self, bucket, event):
        """AWS's own events come on the default bus, free of charge."""
        self.life.wake("events")
        for rule in list(self.life.backend("events", bucket.region_name).event_buses["default"].rules.values()):
            if str(rule.state).startswith("ENABLED"):
                rule.send_to_targets(event)
