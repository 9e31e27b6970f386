"""Who may do what with the sandbox's buckets: policies, ACLs, Object Ownership and Block Public Access, by ``access``.

The gate of identity asks here for everything that S3 decides, the account's root user too: a bucket policy's Deny holds
for everybody, but nothing keeps the root user from reading, replacing and deleting the policy itself. An object that is
not there is 404 for whoever may list the bucket, and 403 for all others.

**Simplified** All objects belong to the account of the bucket. Object ACLs of single versions are not told apart.
**Not modelled** Settings of Block Public Access of an organization.

Amazon S3 API Reference, "DeleteBucketPolicy" (the root user), "CreateBucket", "PutBucketPolicy" (MalformedPolicy);
the other pages stand in ``access`` and ``public_access``. Read 2026-11-28.
"""

import sys

from kit.errors import ServiceError
from kit.identity.authorization import Asked
from kit.identity.iam import check_policy, evaluate
from kit.identity.policy import read_policy
from kit.storage import access
from kit.storage.access import ENFORCED
from kit.storage.public_access import (SETTINGS, check_put_acl, check_put_policy, effective, policy_is_public)

__all__ = ["ENFORCED", "Access", "owner_id"]

ALWAYS_ROOTS = ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy")
READS = ("GetObject", "HeadObject", "GetObjectTagging", "GetObjectAcl", "GetObjectAttributes")
GRANTS = {"GrantFullControl": "FULL_CONTROL", "GrantRead": "READ", "GrantWrite": "WRITE", "GrantReadACP": "READ_ACP",
          "GrantWriteACP": "WRITE_ACP"}
PUT_ACL = {"PutBucketAcl": "s3:PutBucketAcl", "PutObjectAcl": "s3:PutObjectAcl", "PutObject": "s3:PutObject",
           "CopyObject": "s3:PutObject", "CreateMultipartUpload": "s3:PutObject"}


def owner_id() -> str:
    """The canonical user ID of the account: moto's."""
    from moto.s3.models import OWNER
    return OWNER


class Access:
    """S3's decisions, with moto's buckets for inputs."""

    def __init__(self, life, storage):
        self.life, self.storage = life, storage
        self.of_request = {}  # condition keys of a request that came without boto3

    def live(self) -> None:
        from moto.s3.models import FakeBucket
        self.life.state.setdefault("deciders", {})["s3"] = self
        self.life.patch(FakeBucket, "get_permission", self.permitted)
        self.life.answer("s3", "GetBucketPolicyStatus", self.status)
        self.life.then("s3", "PutBucketAcl PutObjectAcl", self.keep_acl)

    # for the gate

    def needed(self, call) -> list[Asked]:
        """The permissions that a call needs; none for a bucket that isn't there: that is a 404 for everybody."""
        name = call.parameters.get("Bucket")
        if name and call.operation != "CreateBucket" and self.storage.bucket(name) is None:
            return []
        return [Asked(one.action, one.resource, one.context | self._keys(one) | self.of_request)
                for one in access.needed(call.operation, call.parameters)]

    def decide(self, request, identity=(), boundary=None, session=None):
        name, _, key = request.resource.removeprefix("arn:aws:s3:::").partition("/")
        bucket = self.storage.bucket(name) if request.resource.startswith("arn:aws:s3:::") else None
        if bucket is None:
            return evaluate(request, identity, None, boundary, session)
        version = self.storage.find(bucket, key) if key else None
        item = access.Object(key, bucket.account_id, _grants(version.acl)) if hasattr(version, "contentsize") else None
        return access.decide(request, self.view(bucket), item, identity=identity, boundary=boundary, session=session,
                             canonical={bucket.account_id: owner_id()})

    def refusal(self, call, one, decision) -> ServiceError | None:
        """Where S3's words are not those of other services."""
        if call.operation.startswith("Head"):
            return ServiceError("403", "Forbidden", 403)  # a HEAD tells no more
        if call.who.kind == "Anonymous":
            return ServiceError("AccessDenied", "Access Denied", 403)
        if decision.by == "block":
            return ServiceError("AccessDenied", f"User: {call.who.arn} is not authorized to perform: {one.action} on "
                                f"resource: {one.resource} because public access is blocked by the RestrictPublicBuckets "
                                "block public access setting", 403)
        return None

    def view(self, bucket) -> access.Bucket:
        """A bucket of moto as the model takes it. Without ownership controls it is the object writer's."""
        return access.Bucket(bucket.name, bucket.account_id, bucket.policy.decode() if bucket.policy else None,
                             _grants(bucket.acl), bucket.ownership_rule or access.WRITER, _block(bucket.public_access_block),
                             self._block_of_account(bucket.account_id))

    # before a call

    def check(self, call, bucket) -> None:
        """What the gate doesn't see: the root user, what is missing, and settings that forbid what they are asked."""
        if call.who is self.life.owner and call.by in ("", "http") and bucket.policy and call.operation not in ALWAYS_ROOTS:
            self.life.gate(call, _Protocol)
        if call.operation in READS:
            self._check_missing(call, bucket)
        given, view = call.parameters, self.view(bucket)
        settings = effective(view.block, view.account_block)
        if call.operation == "PutBucketPolicy":
            _check_policy(given["Policy"], bucket.name)
            check_put_policy(given["Policy"], settings, call.who.arn, bucket.name)
        elif call.operation == "PutBucketOwnershipControls":
            access.check_ownership(view, given["OwnershipControls"]["Rules"][0]["ObjectOwnership"], owner_id())
        if call.operation in PUT_ACL and (asked := _asked_acl(given)):
            acl, grants = asked
            access.check_acl_allowed(view, acl, grants, owner_id())
            resource = view.arn + (f"/{given['Key']}" if "Key" in given else "")
            check_put_acl(grants or (), settings, call.who.arn, resource, PUT_ACL[call.operation])

    def check_new(self, call) -> None:
        """An ACL for a new bucket wants another Object Ownership; a public one is blocked as for all new buckets."""
        given = call.parameters
        asked = _asked_acl(given)
        ownership = given.get("ObjectOwnership", ENFORCED)
        new = access.Bucket(given["Bucket"], self.life.sandbox.account_id, grants=asked[1] if asked else ())
        access.check_ownership(new, ownership, owner_id())
        if asked:
            check_put_acl(asked[1], effective(new.block), call.who.arn, new.arn, "s3:PutBucketAcl")

    def _check_missing(self, call, bucket):
        given = call.parameters
        version = self.storage.find(bucket, given["Key"], given.get("VersionId"))
        if hasattr(version, "contentsize") or call.who is self.life.owner or call.who.kind == "AWSService":
            return
        decision = self.may(call.who, "s3:ListBucket", bucket.arn)
        if not decision.allowed:
            self.life.refusals.append((call, decision))
            raise self.refusal(call, None, decision) or ServiceError(
                "AccessDenied", f"User: {call.who.arn} is not authorized to perform: s3:ListBucket on resource: "
                f"{bucket.arn} because no identity-based policy allows the s3:ListBucket action", 403)

    def may(self, who, action, resource):
        """A decision, with its reasons."""
        return self.life.state["identity"].evaluate(who, Asked(action, resource, dict(self.of_request)))

    def permitted(self, before, bucket, action, resource):
        """moto asks the policy once more, without its conditions: it was decided before."""
        from moto.iam.access_control import PermissionResult
        return PermissionResult.PERMITTED

    def status(self, call) -> dict | None:
        bucket = self.storage.bucket(call.parameters["Bucket"])
        if bucket is None or not bucket.policy:
            return None
        return {"PolicyStatus": {"IsPublic": policy_is_public(bucket.policy.decode()).public}}

    def keep_acl(self, call) -> None:
        """moto takes a canned ACL only for an object, and of several grants in one header the first."""
        asked, bucket = _asked_acl(call.parameters), self.storage.bucket(call.parameters["Bucket"])
        if asked and asked[1]:
            target = self.storage.find(bucket, call.parameters["Key"], call.parameters.get("VersionId")) if (
                "Key" in call.parameters) else bucket
            target.acl = _moto_acl(asked[1])

    # inputs

    def _keys(self, one) -> dict:
        """Condition keys that the object has by itself."""
        name, _, key = one.resource.removeprefix("arn:aws:s3:::").partition("/")
        bucket = self.storage.bucket(name)
        version = self.storage.find(bucket, key) if bucket is not None and key else None
        if not hasattr(version, "contentsize"):
            return {}
        return {f"s3:ExistingObjectTag/{tag}": value for tag, value in self.storage.tags(version).items()}

    def _block_of_account(self, account):
        """Set by the client s3control, if that was ever used."""
        models = sys.modules.get("moto.s3control.models")
        return _block(models.s3control_backends[account]["aws"].public_access_block) if models else None


class _Protocol:
    """What the gate wants to know of the service."""

    metadata = {"protocol": "rest-xml"}
    service_name = "s3"


def _check_policy(text, bucket):
    """MalformedPolicy: the grammar, and a bucket policy speaks of S3's actions on its own bucket only."""
    try:
        check_policy(text, "resource")
        statements = read_policy(text, "resource").statements
    except ServiceError as error:
        raise ServiceError("MalformedPolicy", error.message, 400) from None
    for one in statements:
        if any(not action.lower().startswith(("s3:", "*")) for action in one.action or one.not_action or ()):
            raise ServiceError("MalformedPolicy", "Policy has invalid action", 400)
        own = f"arn:aws:s3:::{bucket}"
        if any(resource != own and not resource.startswith((f"{own}/", f"{own}*")) and resource != "*"
               for resource in one.resource or one.not_resource or ("",)):
            raise ServiceError("MalformedPolicy", "Policy has invalid resource", 400)


def _asked_acl(given) -> tuple | None:
    """(canned ACL or None, the grants it stands for) that a call brings; None if it brings no ACL."""
    if "ACL" in given:
        return given["ACL"], access.canned(given["ACL"], owner_id(), owner_id())
    if "AccessControlPolicy" in given:
        return None, tuple(given["AccessControlPolicy"].get("Grants", ()))
    grants = tuple({"Grantee": _grantee(text), "Permission": permission}
                   for name, permission in GRANTS.items() if name in given for text in given[name].split(","))
    return (None, grants) if grants else None


def _grantee(text) -> dict:
    """ "id=..." or "uri=..." of a header."""
    kind, _, value = text.strip().partition("=")
    value = value.strip('"')
    return {"Type": "Group", "URI": value} if kind == "uri" else {"Type": "CanonicalUser", "ID": value}


def _grants(acl) -> tuple:
    """moto's ACL as boto3 gives it."""
    return tuple({"Grantee": {"Type": one.type} | ({"URI": one.uri} if one.uri else {"ID": one.id}), "Permission": permission}
                 for grant in (acl.grants if acl else ()) for one in grant.grantees for permission in grant.permissions)


def _moto_acl(grants):
    from moto.s3.models import FakeAcl, FakeGrant, FakeGrantee
    return FakeAcl([FakeGrant([FakeGrantee(one["Grantee"].get("ID", ""), one["Grantee"].get("URI", ""))],
                              [one["Permission"]]) for one in grants])


def _block(settings) -> dict | None:
    """moto's settings of Block Public Access."""
    if not settings:
        return None
    names = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
    if isinstance(settings, dict):
        return settings
    return {name: bool(getattr(settings, one)) for name, one in zip(SETTINGS, names)}
