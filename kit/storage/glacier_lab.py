"""S3 Glacier's vaults in the sandbox: every call is answered by the model of ``glacier``, jobs take their hours.

moto's vaults are not used: they know no locks, policies, notifications or inventories. When a job is done the topics
that are to hear of it get a message, if their policies let Glacier in.

**Simplified** The sandbox's account had vaults before the service closed to new customers. A vault is billed for each
archive as soon as it is there.
**Not modelled** What ``glacier`` doesn't; listing in pages (all is in the first).

Pages: those of ``glacier`` and ``vault_lock``. That an archive deleted before its 90 days is billed for the rest, and
adds 32 KB to what is billed: Amazon Glacier Developer Guide, in the model. Prices: see prices.yaml.
"""

import json
import re
from datetime import UTC, datetime
from io import BytesIO
from math import ceil

from kit.errors import ServiceError
from kit.identity.authorization import Asked
from kit.identity.iam import Named, evaluate
from kit.storage import glacier

DAY, GB = 86_400, 2**30
MINIMUM = 90 * DAY  # s that an archive is billed at least ("Amazon S3 Glacier storage classes": 90 days)
GLACIER = "glacier.amazonaws.com"
STATUS = {"ResourceNotFoundException": 404, "AccessDeniedException": 403}
READ_ELSEWHERE = ("GetVaultAccessPolicy", "ListTagsForVault", "ListProvisionedCapacity")  # the model keeps, but doesn't tell


def live(life) -> None:
    from botocore.session import get_session
    life.wake("iam")
    vaults = Vaults(life)
    life.state["glacier"] = vaults
    life.state.setdefault("deciders", {})["glacier"] = vaults
    for operation in get_session().get_service_model("glacier").operation_names:
        life.answer("glacier", operation, vaults.read if operation in READ_ELSEWHERE else vaults.asked)
    life.quotes["glacier", "InitiateJob"] = vaults.quote
    life.quotes["glacier", "UploadArchive"] = lambda given: [("glacier:request", 1), (
        "glacier:archive", (len(given.get("body", b"")) + glacier.OVERHEAD) / GB)]


class Vaults:
    """The vaults of one sandbox, Region by Region."""

    def __init__(self, life):
        self.life, self.accounts = life, {}

    def account(self, region) -> glacier.Account:
        if region not in self.accounts:
            self.accounts[region] = glacier.Account(self.life.sandbox.account_id, region, self.life.sandbox.seed)
        return self.accounts[region]

    @property
    def now(self) -> float:
        return self.life.sandbox.clock.date.timestamp()

    def asked(self, call) -> dict:
        """Let the model answer, and tell the bill and the clock what that means."""
        given = {name: value for name, value in call.parameters.items() if name not in ("accountId", "limit", "marker")}
        account, method = self.account(call.region), re.sub(r"(?<!^)(?=[A-Z])", "_", call.operation).lower()
        gone = self._archive(account, given) if call.operation == "DeleteArchive" else None
        try:
            answer = getattr(account, method)(**given, now=self.now) or {}
        except ServiceError as error:
            raise ServiceError(error.code, error.message, error.status or STATUS.get(error.code)) from None
        self._count(call, account, given, answer, gone)
        if call.operation == "InitiateJob":
            self.life.clock.at(max(self.life.clock.now, self._seconds(self._job(account, given, answer).done)), self.tell,
                               call.region)
        return _shown(call.operation, answer)

    def tell(self, region) -> None:
        """A job is done: tell whoever is to hear of it."""
        for one in self.account(region).take_notifications(self.now):
            message = json.dumps(_dated(one["message"]))
            try:
                self.life.send(one["topic"], message, GLACIER)
                self.life.note("S3 Glacier", "job done", one["message"]["JobId"][:12], f"told to {one['topic']}")
            except (LookupError, ServiceError) as error:
                self.life.note("S3 Glacier", "notification not sent", one["topic"], str(error))
            except Exception as error:
                if not hasattr(error, "response"):
                    raise
                self.life.note("S3 Glacier", "notification not sent", one["topic"], str(error))

    def read(self, call) -> dict:
        account = self.account(call.region)
        if call.operation == "ListProvisionedCapacity":
            return {"ProvisionedCapacityList": [
                {"CapacityId": f"capacity-{number}", "StartDate": _iso(bought), "ExpirationDate": _iso(bought + 30 * DAY)}
                for number, bought in enumerate(account._capacity, 1)]}
        account.describe_vault(call.parameters["vaultName"], self.now)
        vault = account.vaults[call.parameters["vaultName"]]
        if call.operation == "ListTagsForVault":
            return {"Tags": dict(vault.tags)}
        if vault.access is None:
            raise ServiceError("ResourceNotFoundException", f"No vault access policy is set for: {vault.arn}", 404)
        return {"policy": {"Policy": vault.access}}

    # who may

    def needed(self, call) -> list[Asked]:
        """One action, on the vault."""
        home = f"arn:aws:glacier:{call.region}:{self.life.sandbox.account_id}:vaults/"
        name, context = call.parameters.get("vaultName"), {}
        vault = self.account(call.region).vaults.get(name)
        if vault is not None:
            context = {f"glacier:ResourceTag/{key}": value for key, value in vault.tags.items()}
            archive = vault.archives.get(call.parameters.get("archiveId"))
            if archive is not None:
                context["glacier:ArchiveAgeInDays"] = str(int((self.now - archive.created) // DAY))
        return [Asked(f"glacier:{call.operation}", home + name if name else "*", context)]

    def decide(self, request, identity=(), boundary=None, session=None):
        policies, parts = [], request.resource.split(":")
        vault = self.account(parts[3]).vaults.get(request.resource.rsplit("/", 1)[-1]) if len(parts) > 5 else None
        if vault is not None:
            policies = [Named(title, text) for title, text in (
                ("vault access policy", vault.access), ("vault lock policy", vault.lock.policy(self.now))) if text]
        return evaluate(request, identity, policies or None, boundary, session)

    def refusal(self, call, one, decision) -> None:
        """In the words of all services."""

    # the bill

    def _count(self, call, account, given, answer, gone):
        name = given.get("vaultName")
        resource, meter = f"vault {name}", self.life.meter
        if call.operation in ("UploadArchive", "UploadMultipartPart"):
            meter.add(resource, "glacier:request", 1)
        elif call.operation == "InitiateJob":
            job = self._job(account, given, answer)
            meter.add(resource, f"glacier:job-{job.tier or 'Standard'}", 1)
            if job.archive is not None:
                meter.add(resource, f"glacier:retrieval-{job.tier}", (job.bytes[1] + 1 - job.bytes[0]) / GB)
        elif call.operation == "PurchaseProvisionedCapacity":
            meter.more("provisioned capacity", "glacier:capacity", 1, until=self.life.clock.now + 30 * DAY)
        elif gone is not None:
            missing = MINIMUM - (self.now - gone.created)
            if missing > 0:
                meter.add_time(resource, "glacier:early", missing, (len(gone.body) + glacier.OVERHEAD) / GB)
        if name in account.vaults:
            kept = sum(len(one.body) + glacier.OVERHEAD for one in account.vaults[name].archives.values() if one.deleted is None)
            meter.run(resource, "glacier:archive", kept / GB)
        elif call.operation == "DeleteVault":
            meter.end(resource)

    def quote(self, given):
        wanted, account = given["jobParameters"], self.account(self.life.sandbox.region)
        tier = wanted.get("Tier", "Standard")
        vault = account.vaults.get(given["vaultName"])
        archive = vault and vault.archives.get(wanted.get("ArchiveId"))
        size = len(archive.body) if archive else 0
        return [(f"glacier:job-{tier}", 1), (f"glacier:retrieval-{tier}", size / GB)]

    def _archive(self, account, given):
        """The archive that is about to go."""
        vault = account.vaults.get(given["vaultName"])
        archive = vault and vault.archives.get(given["archiveId"])
        return archive if archive is not None and archive.deleted is None else None

    def _job(self, account, given, answer):
        return account.vaults[given["vaultName"]].jobs[answer["jobId"]]

    def _seconds(self, unix) -> float:
        """Of the sandbox's clock; whole ones, so that what is to be done by then is done."""
        return ceil(unix - self.life.sandbox.clock.date_at(0).timestamp())


def _shown(operation, answer) -> dict:
    """As boto3 shows it: dates in ISO 8601, a body to be read, and nothing of what isn't there."""
    found = _dated(answer)
    if operation == "GetJobOutput":
        from botocore.response import StreamingBody
        found["body"] = StreamingBody(BytesIO(answer["body"]), len(answer["body"]))
    if operation == "GetVaultLock":
        found = {name: value for name, value in found.items() if value is not None}
    return found


def _dated(value, name=""):
    if isinstance(value, dict):
        return {key: _dated(part, key) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_dated(part) for part in value]
    return _iso(value) if name.endswith("Date") and isinstance(value, (int, float)) else value


def _iso(unix) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
