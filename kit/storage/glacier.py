"""Amazon Glacier, the older service with vaults: what goes in at once comes out only by a job, hours later.

    account = Account(seed=1)
    account.create_vault("photos", now=0)
    archive_id = account.upload_archive("photos", b"...", now=0)["archiveId"]
    job_id = account.initiate_job("photos", {"Type": "archive-retrieval", "ArchiveId": archive_id}, now=60)["jobId"]
    account.describe_job("photos", job_id, now=3600)["StatusCode"]             # "InProgress": it takes 3 to 5 hours
    account.get_job_output("photos", job_id, now=6 * 3600)["body"]             # for 24 hours from then on

An upload is answered at once with the archive's ID; archives have no name and can't be changed. Whoever lost the ID
asks for the vault's inventory, by a job, too; the inventory is made about once a day and knows nothing newer. A vault
is deleted only if it was empty at its last inventory and nothing was written since.

This service takes no new customers since 15 December 2025 (``Account(customer=False)``). Today's way is an object in
one of the S3 Glacier storage classes. Every method takes ``now``, in seconds; nothing happens in between.

**Simplified** A job takes any time within the range that AWS calls typical, with equal chance; an inventory job as long
as a Standard retrieval (AWS gives no time). The first inventory is ready 12 to 24 hours after the first upload, then
one each 24 hours. What may happen at a time happens then: a job and its output are gone 24 hours after it is done, a
multipart upload after 24 hours without a part; a retrieval of an archive that is deleted meanwhile fails. A Standard
retrieval counts against BytesPerHour with its bytes spread over four hours, against FreeTier with its bytes that day
(AWS does not say how it reckons). Capacity units last 30 days. Policies take effect at once.
**Not modelled** Select jobs, parts of an inventory (StartDate, EndDate, Limit, Marker), pages of lists, longer
Expedited retrievals of archives above 250 MB, prices and the 90 days that are billed at least, SNS topic policies.

Amazon Glacier Developer Guide, notice on every page: closed to new customers. Read 2026-11-28 in the guide's copy on
GitHub: "Retrieving Amazon Glacier Archives", "Downloading a Vault Inventory", "Computing Checksums", "Receiving
Checksums When Downloading Data", "Uploading Large Archives in Parts", "Data Retrieval Policies", "Deleting a Vault",
"Configuring Vault Notifications", "Error Responses", API pages "Initiate Job", "Get Job Output", "Describe Vault"; the
operations' texts and errors in the copy of botocore. Not looked up: which code some refusals carry, beyond those that
botocore lists for the operation; the free 10 GB a month.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from random import Random

from kit.errors import ServiceError
from kit.storage.tree_hash import tree_hash, tree_hash_aligned
from kit.storage.vault_lock import VaultLock, check_vault_policy, may_delete_archive

CLOSED_TO_NEW_CUSTOMERS = "2025-12-15"
KB, MB, GB = 1024, 1024**2, 1024**3  # bytes
HOUR, DAY = 3600, 86_400  # seconds
TIERS = {"Expedited": (60, 300), "Standard": (3 * HOUR, 5 * HOUR), "Bulk": (5 * HOUR, 12 * HOUR)}  # seconds, typical
FIRST_INVENTORY = (12 * HOUR, 24 * HOUR)  # "typically half a day and up to a day"
KEPT = 24 * HOUR  # a finished job, and a multipart upload without activity
VAULTS = 1000  # in an account and Region
LARGEST_UPLOAD, LARGEST_PART, PARTS = 4 * GB, 4 * GB, 10_000
LARGEST_ARCHIVE = PARTS * LARGEST_PART
OVERHEAD = 32 * KB  # an archive of 3,145,728 bytes counts 3,178,496 ("Using Amazon S3 Glacier with the AWS CLI")
EVENTS = {"ArchiveRetrieval": "ArchiveRetrievalCompleted", "InventoryRetrieval": "InventoryRetrievalCompleted"}
FREE_A_DAY = 10 * GB / 30  # bytes (not looked up)


@dataclass(eq=False)
class Archive:
    id: str
    body: bytes = field(repr=False)
    description: str
    created: float
    checksum: str
    deleted: float | None = None


@dataclass(eq=False)
class Upload:
    """A multipart upload in progress: where each part begins, and its bytes."""

    part_size: int
    description: str
    created: float
    touched: float
    parts: dict = field(default_factory=dict, repr=False)


@dataclass(eq=False)
class Job:
    id: str
    action: str  # ArchiveRetrieval or InventoryRetrieval
    created: float
    done: float  # when it will be, or was
    tier: str | None = None
    archive: Archive | None = None
    bytes: tuple[int, int] | None = None  # the first and the last byte of the archive that are wanted
    body: bytes = field(default=b"", repr=False)  # of an inventory
    type: str = "application/octet-stream"
    topic: str | None = None
    description: str | None = None
    told: bool = False  # whether the notification went out

    def status(self, now: float) -> str:
        if now < self.done:
            return "InProgress"
        gone = self.archive is not None and self.archive.deleted is not None and self.archive.deleted < self.done
        return "Failed" if gone else "Succeeded"

    @property
    def output(self) -> bytes:
        return self.archive.body[self.bytes[0]:self.bytes[1] + 1] if self.archive else self.body


@dataclass(eq=False)
class Vault:
    name: str
    arn: str
    created: float
    lock: VaultLock
    archives: dict = field(default_factory=dict)  # by ID; deleted ones stay, with the time
    uploads: dict = field(default_factory=dict)
    completed: dict = field(default_factory=dict)  # upload ID -> what CompleteMultipartUpload answered
    jobs: dict = field(default_factory=dict)
    notifications: dict | None = None
    access: str | None = None
    tags: dict = field(default_factory=dict)
    first_inventory: float | None = None
    writes: list = field(default_factory=list)  # when archives came and went

    def inventory_time(self, now: float) -> float | None:
        """When the newest inventory was made that shows a change; None before the first."""
        newest = self._newest(now)
        if newest is None:
            return None
        seen = max(time for time in self.writes if time <= newest)
        return self.first_inventory + max(0, -(-(seen - self.first_inventory) // DAY)) * DAY

    def inventory(self, now: float) -> list[Archive]:
        """What the newest inventory lists."""
        newest = self._newest(now)
        return [] if newest is None else [archive for archive in self.archives.values() if archive.created <= newest
                                          and (archive.deleted is None or archive.deleted > newest)]

    def written_since_inventory(self, now: float) -> bool:
        newest = self._newest(now)
        return any(newest is None or time > newest for time in self.writes)

    def _newest(self, now):
        if self.first_inventory is None or now < self.first_inventory:
            return None
        return self.first_inventory + (now - self.first_inventory) // DAY * DAY


class Account:
    """One account's vaults in one Region, with boto3's operations of the client "glacier".

    customer: False for one that had no vaults when the service closed. busy: unusually high demand, in which Expedited
    retrievals need capacity that was bought. seed: for the time that jobs take.
    """

    def __init__(self, account: str = "123456789012", region: str = "us-east-1", seed: int = 1, customer: bool = True,
                 busy: bool = False):
        self.account, self.region, self.customer, self.busy = account, region, customer, busy
        self.vaults = {}
        self._random, self._seed, self._count = Random(seed), seed, 0
        self._policy = {"Rules": [{"Strategy": "None"}]}
        self._retrievals = []  # (when, bytes) of Standard retrievals
        self._capacity, self._expedited = [], []  # when units were bought, when Expedited retrievals began
        self._outbox = []

    def __repr__(self) -> str:
        return f"<Glacier account {self.account} in {self.region}: {len(self.vaults)} vaults>"

    # ------------------------------------------------------------------ out: jobs

    def initiate_job(self, vaultName: str, jobParameters: dict, now: float) -> dict:
        """Ask for an archive or an inventory: ``{"jobId": ...}``. The output is there when the job is done."""
        vault = self._vault(vaultName, now)
        kinds = {"archive-retrieval": self._archive_job, "inventory-retrieval": self._inventory_job}
        if jobParameters.get("Type") not in kinds:
            raise _invalid(f"The job type is not valid: {jobParameters.get('Type')}")
        description = _printable(jobParameters.get("Description"))
        job = kinds[jobParameters["Type"]](vault, jobParameters, now)
        job.topic, job.description = jobParameters.get("SNSTopic"), description
        vault.jobs[job.id] = job
        return {"jobId": job.id, "location": f"/{self.account}/vaults/{vaultName}/jobs/{job.id}"}

    def get_job_output(self, vaultName: str, jobId: str, now: float, range: str | None = None) -> dict:
        """The bytes, or those of "bytes=0-1023", counted within what the job asked for; the checksum only where the
        bytes are a node of the archive's tree."""
        job = self._job(vaultName, jobId, now)
        if job.status(now) != "Succeeded":
            raise _invalid(f"The job is not available for download, its status is {job.status(now)}: {jobId}")
        output = job.output
        first, last = (0, len(output) - 1) if range is None else _range(r"bytes=(\d+)-(\d+)", range, len(output))
        answer = {"body": output[first:last + 1], "status": 200 if range is None else 206, "contentType": job.type,
                  "acceptRanges": "bytes"}
        if range is not None:
            answer["contentRange"] = f"bytes {first}-{last}/{len(output)}"
        if job.archive:
            answer["archiveDescription"] = job.archive.description
            size, start = len(job.archive.body), job.bytes[0]
            if tree_hash_aligned(*job.bytes, size) and tree_hash_aligned(start + first, start + last, size):
                answer["checksum"] = tree_hash(answer["body"])
        return answer

    def describe_job(self, vaultName: str, jobId: str, now: float) -> dict:
        """Action, StatusCode (InProgress, Succeeded, Failed), Completed, CompletionDate and more; times in seconds."""
        return self._description(self._vault(vaultName, now), self._job(vaultName, jobId, now), now)

    def list_jobs(self, vaultName: str, now: float, statuscode: str | None = None,
                  completed: str | None = None) -> dict:
        """``{"JobList": [...]}``, by the time they were initiated; jobs that were done a day ago are gone."""
        if statuscode not in (None, "InProgress", "Succeeded", "Failed"):
            raise _invalid(f"The job status code is not valid: {statuscode}")
        if completed not in (None, "true", "false"):
            raise _invalid(f"completed is true or false, not {completed}")
        vault = self._vault(vaultName, now)
        jobs = [self._description(vault, job, now) for job in vault.jobs.values()]
        return {"JobList": [job for job in jobs if statuscode in (None, job["StatusCode"])
                            and completed in (None, str(job["Completed"]).lower())], "Marker": None}

    def next_done(self, now: float) -> float | None:
        """When the next job in progress will be done."""
        return min((job.done for vault in self.vaults.values() for job in vault.jobs.values() if job.done > now),
                   default=None)

    def take_notifications(self, now: float) -> list[dict]:
        """What was published since the last call: time, topic and message, the same that describe_job says."""
        self._settle(now)
        taken, self._outbox = self._outbox, []
        return taken

    # ------------------------------------------------------------------ in: archives

    def upload_archive(self, vaultName: str, body: bytes, now: float, archiveDescription: str = "",
                       checksum: str | None = None) -> dict:
        """Store it at once: ``{"archiveId": ..., "checksum": ..., "location": ...}``. No job is needed.

        checksum: the SHA-256 tree hash; without one it is computed, as boto3 does.
        """
        vault = self._vault(vaultName, now)
        check_size(len(body))
        return self._store(vault, bytes(body), archiveDescription, checksum, now)

    def delete_archive(self, vaultName: str, archiveId: str, now: float, principal: str | None = None,
                       identity=()) -> None:
        """Delete it for good, if the vault's two policies let this principal (the root user if not given; identity:
        its own policies). Deleting again is no error."""
        vault = self._vault(vaultName, now)
        archive = vault.archives.get(archiveId)
        if archive is None:
            raise _missing(f"The archive ID was not found: {archiveId}")
        decision = may_delete_archive(vault.arn, now - archive.created, vault.lock.policy(now), vault.access, principal,
                                      identity, vault.tags)
        if not decision.allowed:
            raise ServiceError("AccessDeniedException", " ".join(decision.because))
        if archive.deleted is None:
            archive.deleted = now
            vault.writes.append(now)

    def initiate_multipart_upload(self, vaultName: str, partSize: int | str, now: float,
                                  archiveDescription: str = "") -> dict:
        """``{"uploadId": ...}``. partSize: 1 MB times a power of two, up to 4 GB; the last part may be smaller."""
        vault, size = self._vault(vaultName, now), int(partSize)  # boto3 takes it as text
        if not MB <= size <= LARGEST_PART or size & (size - 1):
            raise _invalid(f"Part size must be 1 MB times a power of two, from 1 MB to 4 GB, not {partSize}")
        upload_id = self._id("upload")
        vault.uploads[upload_id] = Upload(size, _printable(archiveDescription), now, now)
        return {"uploadId": upload_id, "location": f"/{self.account}/vaults/{vaultName}/multipart-uploads/{upload_id}"}

    def upload_multipart_part(self, vaultName: str, uploadId: str, range: str, body: bytes, now: float,
                              checksum: str | None = None) -> dict:
        """One part, in any order, "bytes 0-1048575/*"; the same range again takes the place of the part before."""
        upload = self._upload(vaultName, uploadId, now)
        first, last = _range(r"bytes (\d+)-(\d+)/\*", range)
        if first % upload.part_size or last - first >= upload.part_size or last - first + 1 != len(body):
            raise _invalid(f"{range} does not fit: parts begin at multiples of {upload.part_size} bytes and have that "
                           f"size or, the last one, less; the body has {len(body)} bytes")
        if first // upload.part_size >= PARTS:
            raise _invalid(f"An upload has at most {PARTS:,} parts")
        upload.parts[first], upload.touched = bytes(body), now
        return {"checksum": _checked(body, checksum)}

    def complete_multipart_upload(self, vaultName: str, uploadId: str, archiveSize: int | str, checksum: str,
                                  now: float) -> dict:
        """Assemble the archive; answered like upload_archive. Once more is no error and makes no second archive."""
        vault = self._vault(vaultName, now)
        if uploadId in vault.completed:
            return vault.completed[uploadId]
        upload = self._upload(vaultName, uploadId, now)
        body = b""
        for first, part in sorted(upload.parts.items()):
            if first != len(body):
                raise _invalid(f"Bytes {len(body)}-{first - 1} are missing: a part was not uploaded, or is too short")
            body += part
        if int(archiveSize) != len(body) or not body:
            raise _invalid(f"The parts have {len(body)} bytes, not {archiveSize}")
        vault.completed[uploadId] = self._store(vault, body, upload.description, checksum, now)
        del vault.uploads[uploadId]
        return vault.completed[uploadId]

    def abort_multipart_upload(self, vaultName: str, uploadId: str, now: float) -> None:
        """Forget its parts. Aborting again is no error, aborting a completed one is."""
        vault = self._vault(vaultName, now)
        if uploadId in vault.completed:
            raise _missing(f"The upload ID was not found: {uploadId}")
        vault.uploads.pop(uploadId, None)

    def list_multipart_uploads(self, vaultName: str, now: float) -> dict:
        vault = self._vault(vaultName, now)
        return {"UploadsList": [{"MultipartUploadId": key, "VaultARN": vault.arn, "CreationDate": upload.created,
                                 "PartSizeInBytes": upload.part_size, "ArchiveDescription": upload.description}
                                for key, upload in vault.uploads.items()], "Marker": None}

    def list_parts(self, vaultName: str, uploadId: str, now: float) -> dict:
        """The parts that are there, by their range, each with its checksum."""
        upload = self._upload(vaultName, uploadId, now)
        return {"MultipartUploadId": uploadId, "PartSizeInBytes": upload.part_size, "CreationDate": upload.created,
                "Parts": [{"RangeInBytes": f"{first}-{first + len(part) - 1}", "SHA256TreeHash": tree_hash(part)}
                          for first, part in sorted(upload.parts.items())], "Marker": None}

    # ------------------------------------------------------------------ vaults

    def create_vault(self, vaultName: str, now: float) -> dict:
        """``{"location": ...}``; a vault that is there already is no error."""
        self._settle(now)
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", vaultName):
            raise _invalid("A vault's name has 1 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.'")
        if vaultName not in self.vaults:
            if len(self.vaults) >= VAULTS:
                raise ServiceError("LimitExceededException", f"An account has at most {VAULTS:,} vaults in a Region.")
            arn = f"arn:aws:glacier:{self.region}:{self.account}:vaults/{vaultName}"
            self.vaults[vaultName] = Vault(vaultName, arn, now, VaultLock(arn))
        return {"location": f"/{self.account}/vaults/{vaultName}"}

    def describe_vault(self, vaultName: str, now: float) -> dict:
        """As of the last inventory: NumberOfArchives and SizeInBytes are None before the first; times in seconds."""
        vault = self._vault(vaultName, now)
        last, archives = vault.inventory_time(now), vault.inventory(now)
        return {"VaultARN": vault.arn, "VaultName": vaultName, "CreationDate": vault.created, "LastInventoryDate": last,
                "NumberOfArchives": None if last is None else len(archives),
                "SizeInBytes": None if last is None else sum(len(archive.body) + OVERHEAD for archive in archives)}

    def list_vaults(self, now: float) -> dict:
        self._settle(now)
        return {"VaultList": [self.describe_vault(name, now) for name in sorted(self.vaults)], "Marker": None}

    def delete_vault(self, vaultName: str, now: float) -> None:
        """Only a vault that was empty at its last inventory and not written to since. Deleting again is no error."""
        self._settle(now)
        vault = self.vaults.get(vaultName)
        if vault and (vault.inventory(now) or vault.written_since_inventory(now)):
            raise _invalid(f"Vault not empty or recently written to: {vault.arn}")
        self.vaults.pop(vaultName, None)

    def set_vault_notifications(self, vaultName: str, vaultNotificationConfig: dict, now: float) -> None:
        """``{"SNSTopic": arn, "Events": [...]}`` with the events of EVENTS; one topic a vault."""
        vault, events = self._vault(vaultName, now), vaultNotificationConfig.get("Events") or []
        if not events or not set(events) <= set(EVENTS.values()):
            raise _invalid(f"Events are {' and '.join(EVENTS.values())}, not {events}")
        if not re.match(r"arn:aws[\w-]*:sns:", vaultNotificationConfig.get("SNSTopic") or ""):
            raise _invalid(f"Not the ARN of an SNS topic: {vaultNotificationConfig.get('SNSTopic')}")
        vault.notifications = dict(vaultNotificationConfig)

    def get_vault_notifications(self, vaultName: str, now: float) -> dict:
        vault = self._vault(vaultName, now)
        if vault.notifications is None:
            raise _missing(f"No notification configuration is set for vault: {vault.arn}")
        return {"vaultNotificationConfig": vault.notifications}

    def delete_vault_notifications(self, vaultName: str, now: float) -> None:
        self._vault(vaultName, now).notifications = None

    def set_vault_access_policy(self, vaultName: str, policy: dict, now: float) -> None:
        """``{"Policy": json}``: the policy that the owner may edit at any time, locked or not."""
        vault = self._vault(vaultName, now)
        check_vault_policy(policy["Policy"])
        vault.access = policy["Policy"]

    def delete_vault_access_policy(self, vaultName: str, now: float) -> None:
        self._vault(vaultName, now).access = None

    def add_tags_to_vault(self, vaultName: str, Tags: dict, now: float) -> None:
        """At most ten tags ("AddTagsToVault")."""
        vault = self._vault(vaultName, now)
        if len(vault.tags | Tags) > 10:
            raise ServiceError("LimitExceededException", "A vault has at most 10 tags.")
        vault.tags |= Tags

    def remove_tags_from_vault(self, vaultName: str, TagKeys: list[str], now: float) -> None:
        vault = self._vault(vaultName, now)
        vault.tags = {key: value for key, value in vault.tags.items() if key not in TagKeys}

    def initiate_vault_lock(self, vaultName: str, policy: dict, now: float) -> dict:
        """``{"lockId": ...}``; policy: ``{"Policy": json}``. See ``vault_lock``."""
        return self._vault(vaultName, now).lock.initiate_vault_lock(policy["Policy"], now)

    def complete_vault_lock(self, vaultName: str, lockId: str, now: float) -> None:
        self._vault(vaultName, now).lock.complete_vault_lock(lockId, now)

    def abort_vault_lock(self, vaultName: str, now: float) -> None:
        self._vault(vaultName, now).lock.abort_vault_lock(now)

    def get_vault_lock(self, vaultName: str, now: float) -> dict:
        return self._vault(vaultName, now).lock.get_vault_lock(now)

    # ------------------------------------------------------------------ how much may be retrieved

    def set_data_retrieval_policy(self, Policy: dict, now: float) -> None:
        """``{"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": n}]}``, or "FreeTier", or "None"; one rule. Jobs in
        progress go on."""
        self._settle(now)
        rules = Policy.get("Rules", [])
        if len(rules) != 1 or rules[0].get("Strategy") not in ("BytesPerHour", "FreeTier", "None"):
            raise _invalid("A data retrieval policy has one rule, with the Strategy BytesPerHour, FreeTier or None")
        if (rules[0]["Strategy"] == "BytesPerHour") != (rules[0].get("BytesPerHour") is not None):
            raise _invalid("BytesPerHour goes with the Strategy BytesPerHour, and only with it")
        self._policy = Policy

    def get_data_retrieval_policy(self, now: float) -> dict:
        self._settle(now)
        return {"Policy": self._policy}

    def purchase_provisioned_capacity(self, now: float) -> dict:
        """One unit for a month: at least three Expedited retrievals in five minutes, however busy the service is."""
        self._settle(now)
        self._capacity.append(now)
        return {"capacityId": self._id("capacity")}

    # ------------------------------------------------------------------ inside

    def _archive_job(self, vault, wanted, now):
        archive, tier = vault.archives.get(wanted.get("ArchiveId")), wanted.get("Tier", "Standard")
        if archive is None or archive.deleted is not None:
            raise _missing(f"The archive ID was not found: {wanted.get('ArchiveId')}")
        if tier not in TIERS:
            raise _invalid(f"The tier is one of {', '.join(TIERS)}, not {tier}")
        size = len(archive.body)
        first, last = 0, size - 1
        if "RetrievalByteRange" in wanted:
            first, last = _range(r"(\d+)-(\d+)", wanted["RetrievalByteRange"], size)
            if first % MB or (last + 1) % MB and last + 1 != size:
                raise _invalid(f"{wanted['RetrievalByteRange']} is not megabyte aligned")
        if tier == "Standard":
            self._check_policy(last - first + 1, now)
        if tier == "Expedited":
            self._check_capacity(now)
        return Job(self._id("job"), "ArchiveRetrieval", now, now + self._random.uniform(*TIERS[tier]), tier, archive,
                   (first, last))

    def _inventory_job(self, vault, wanted, now):
        for parameter in ("ArchiveId", "RetrievalByteRange"):
            if parameter in wanted:
                raise _invalid(f"{parameter} does not go with an inventory retrieval")
        if (form := wanted.get("Format", "JSON")) not in ("JSON", "CSV"):
            raise _invalid(f"The format is JSON or CSV, not {form}")
        made = vault.inventory_time(now)
        if made is None:
            raise _missing(f"No inventory is available yet for vault: {vault.arn}")
        body = _inventory(vault.arn, made, vault.inventory(now), form)
        return Job(self._id("job"), "InventoryRetrieval", now, now + self._random.uniform(*TIERS["Standard"]),
                   body=body, type={"JSON": "application/json", "CSV": "text/csv"}[form])

    def _check_policy(self, size, now):
        [rule] = self._policy["Rules"]
        four_hours = sum(taken for time, taken in self._retrievals if time > now - 4 * HOUR) + size
        today = sum(taken for time, taken in self._retrievals if time // DAY == now // DAY) + size
        if (rule["Strategy"] == "BytesPerHour" and four_hours / 4 > int(rule["BytesPerHour"])
                or rule["Strategy"] == "FreeTier" and today > FREE_A_DAY):
            raise ServiceError("PolicyEnforcedException", "InitiateJob request denied by current data retrieval "
                                                          "policy.")
        self._retrievals.append((now, size))

    def _check_capacity(self, now):
        units = sum(now - bought < 30 * DAY for bought in self._capacity)
        self._expedited = [time for time in self._expedited if now - time < 300]
        if self.busy and len(self._expedited) >= 3 * units:
            raise ServiceError("InsufficientCapacityException", "There is insufficient capacity to process this "
                                                                "expedited request.")
        self._expedited.append(now)

    def _store(self, vault, body, description, checksum, now):
        description = _printable(description)
        checksum = _checked(body, checksum)
        archive = Archive(self._id("archive"), body, description or "", now, checksum)
        vault.archives[archive.id] = archive
        vault.writes.append(now)
        if vault.first_inventory is None:
            vault.first_inventory = now + self._random.uniform(*FIRST_INVENTORY)
        return {"archiveId": archive.id, "checksum": checksum,
                "location": f"/{self.account}/vaults/{vault.name}/archives/{archive.id}"}

    def _vault(self, name, now) -> Vault:
        self._settle(now)
        if name not in self.vaults:
            raise _missing(f"Vault not found for ARN: arn:aws:glacier:{self.region}:{self.account}:vaults/{name}")
        return self.vaults[name]

    def _job(self, vaultName, jobId, now) -> Job:
        vault = self._vault(vaultName, now)
        if jobId not in vault.jobs:
            raise _missing(f"The job ID was not found: {jobId}")
        return vault.jobs[jobId]

    def _upload(self, vaultName, uploadId, now) -> Upload:
        vault = self._vault(vaultName, now)
        if uploadId not in vault.uploads:
            raise _missing(f"The upload ID was not found: {uploadId}")
        return vault.uploads[uploadId]

    def _settle(self, now):
        """What time brought: jobs done are told to their topics, old jobs and forgotten uploads are gone."""
        if not self.customer:
            raise ServiceError("NoLongerSupportedException", "This API is no longer supported for new accounts. Please "
                                                             "use Amazon S3 Glacier storage classes instead.")
        finished = []
        for vault in self.vaults.values():
            finished += [(job.done, vault, job) for job in vault.jobs.values() if job.done <= now]
            vault.uploads = {key: one for key, one in vault.uploads.items() if now - one.touched < KEPT}
        for done, vault, job in sorted(finished, key=lambda one: one[0]):
            self._tell(vault, job)
            if now - done >= KEPT:
                del vault.jobs[job.id]

    def _tell(self, vault, job):
        """The topic of the job, and that of the vault if it wants this event; each once."""
        if job.told:
            return
        job.told, wanted = True, vault.notifications or {"Events": []}
        topics = [job.topic] + ([wanted["SNSTopic"]] if EVENTS[job.action] in wanted["Events"] else [])
        self._outbox += [{"time": job.done, "topic": topic, "message": self._description(vault, job, job.done)}
                         for topic in topics if topic]

    def _description(self, vault, job, now) -> dict:
        status, archive = job.status(now), job.archive
        told = {"JobId": job.id, "JobDescription": job.description, "Action": job.action, "VaultARN": vault.arn,
                "CreationDate": job.created, "Completed": status != "InProgress", "StatusCode": status,
                "StatusMessage": status, "CompletionDate": None if status == "InProgress" else job.done,
                "SNSTopic": job.topic, "Tier": job.tier, "ArchiveId": None, "ArchiveSizeInBytes": None,
                "InventorySizeInBytes": None, "RetrievalByteRange": None, "ArchiveSHA256TreeHash": None,
                "SHA256TreeHash": None}
        if archive is None:
            return told | {"InventorySizeInBytes": len(job.body) if status == "Succeeded" else None}
        size = len(archive.body)
        whole = job.bytes == (0, size - 1)
        checksum = tree_hash(job.output) if tree_hash_aligned(*job.bytes, size) else None
        return told | {"ArchiveId": archive.id, "ArchiveSizeInBytes": size, "ArchiveSHA256TreeHash": archive.checksum,
                       "RetrievalByteRange": f"{job.bytes[0]}-{job.bytes[1]}",
                       "SHA256TreeHash": None if whole and status == "InProgress" else checksum}

    def _id(self, kind):
        """Opaque, as AWS's are: nothing about what it names can be read from it."""
        self._count += 1
        return sha256(f"{self._seed}/{self.account}/{kind}/{self._count}".encode()).hexdigest()


def check_size(size: int, multipart: bool = False) -> None:
    """1 byte to 4 GB in one upload, to 10,000 parts of 4 GB in many ("Uploading an Archive in Amazon Glacier")."""
    most = LARGEST_ARCHIVE if multipart else LARGEST_UPLOAD
    if not 1 <= size <= most:
        raise _invalid(f"An archive has 1 to {most:,} bytes {'in parts' if multipart else 'in a single upload'}, "
                       f"not {size:,}")


def _checked(body, checksum) -> str:
    computed = tree_hash(body)
    if checksum not in (None, computed):
        raise _invalid(f"Checksum mismatch: expected {checksum} but computed {computed}")
    return computed


def _range(pattern, text, size=None) -> tuple[int, int]:
    """The first and the last byte; the last at most the end of what there is."""
    found = re.fullmatch(pattern, text)
    if not found or int(found[1]) > int(found[2]) or size is not None and int(found[1]) >= size:
        raise _invalid(f"The range is not valid: {text}")
    return int(found[1]), int(found[2]) if size is None else min(int(found[2]), size - 1)


def _printable(text):
    if text and (len(text) > 1024 or not re.fullmatch(r"[\x20-\x7e]*", text)):
        raise _invalid("A description has at most 1,024 characters of printable ASCII")
    return text


def _inventory(arn, made, archives, form) -> bytes:
    rows = [{"ArchiveId": archive.id, "ArchiveDescription": archive.description, "CreationDate": _date(archive.created),
             "Size": len(archive.body), "SHA256TreeHash": archive.checksum} for archive in archives]
    if form == "JSON":
        return json.dumps({"VaultARN": arn, "InventoryDate": _date(made), "ArchiveList": rows}).encode()
    for row in rows:  # quotes are escaped by a backslash, backslashes are not ("Get Job Output")
        row["ArchiveDescription"] = '"' + row["ArchiveDescription"].replace('"', '\\"') + '"'
    lines = ["ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"]
    return "\n".join(lines + [",".join(map(str, row.values())) for row in rows]).encode()


def _date(now) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _invalid(message):
    return ServiceError("InvalidParameterValueException", message)


def _missing(message):
    return ServiceError("ResourceNotFoundException", message)
