"""Who may do what with a bucket and its objects: policies, ACLs, ownership and Block Public Access in one decision.

S3 turns all that bears on a request into policies and evaluates them together, and so does this model: an ACL becomes
a resource policy beside the bucket policy, and ``kit.identity.iam.evaluate`` decides. What is S3's own:

- **Object Ownership.** BucketOwnerEnforced (the default since April 2023): ACLs count for nothing, the bucket owner
  owns every object. ObjectWriter, BucketOwnerPreferred: ACLs count, and an object may belong to another account.
- **A stranger's object.** Of an object that another account owns the bucket policy can only *deny*; its owner's
  policies and the object's ACL allow. Deleting and restoring it stay with the bucket owner.
- **Block Public Access.** IgnorePublicAcls leaves public grants out. RestrictPublicBuckets lets nobody but AWS services
  and the bucket owner's account into a bucket whose policy is public.
- **404 or 403.** That an object does not exist is told only to those who may list the bucket.

    bucket = Bucket("photos", owner="111122223333", policy={...})
    decide(Request(ann, "s3:GetObject", "arn:aws:s3:::photos/cat.jpg"), bucket, identity=[...])

**Simplified** In ACLs an account stands under its canonical user ID; ``canonical`` maps account numbers to them, and an
account that is not in it stands under its number. FULL_CONTROL of an owner is not needed as a grant: owners rule by
their policies. The Log Delivery group and Amazon EC2 (aws-exec-read) grant nothing to callers of the API.
**Not modelled** Access points, S3 Access Grants, VPC endpoint policies, Requester Pays (who pays must say so in the
request), KMS permissions of encrypted objects, e-mail grantees (refused by AWS since October 2025).

Amazon S3 User Guide, read 2026-11-28: "How Amazon S3 authorizes a request for an object operation", "... for a bucket
operation", "Access control list (ACL) overview", "Controlling ownership of objects and disabling ACLs for your
bucket" with "Troubleshooting", "Blocking public access to your Amazon S3 storage". S3 API Reference: "GetObject",
"PutObjectAcl", "Error responses". What the bucket owner may do with others' objects ("Amazon S3 bucket and object
ownership") was not looked up anew.
"""

from dataclasses import dataclass, field, replace

from kit.errors import ServiceError
from kit.identity.authorization import Asked, asked
from kit.identity.iam import Decision, Named, Request, evaluate
from kit.identity.policy import read_policy
from kit.identity.principals import read_principal
from kit.storage.public_access import (ALL_ON, ALL_USERS, AUTHENTICATED_USERS, GROUPS, effective, is_public,
                                       policy_is_public)

ENFORCED, PREFERRED, WRITER = "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"
GRANTS = {  # "Mapping of ACL permissions and access policy permissions": on a bucket, on an object
    "READ": (("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
             ("s3:GetObject", "s3:GetObjectVersion")),
    "WRITE": (("s3:PutObject",), ()),
    "READ_ACP": (("s3:GetBucketAcl",), ("s3:GetObjectAcl", "s3:GetObjectVersionAcl")),
    "WRITE_ACP": (("s3:PutBucketAcl",), ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"))}
OF_BUCKET_OWNER = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:RestoreObject")
WITH_ACL = {"s3:PutObject": "s3:PutObjectAcl", "s3:CreateBucket": "s3:PutBucketAcl"}


@dataclass(frozen=True)
class Bucket:
    """owner: an account's 12 digits. block, account_block: the settings of Block Public Access, None for none."""

    name: str
    owner: str
    policy: dict | str | None = None
    grants: tuple = ()
    ownership: str = ENFORCED
    block: dict | None = field(default_factory=lambda: ALL_ON)
    account_block: dict | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.name}"


@dataclass(frozen=True)
class Object:
    """An object that exists: its key, the account that owns it, its ACL."""

    key: str
    owner: str
    grants: tuple = ()


def decide(request: Request, bucket: Bucket, item: Object | None = None, *, identity=(), boundary=None, session=None,
           scps=(), rcps=(), canonical: dict | None = None) -> Decision:
    """Decide a request about the bucket, or about an object in it (item, if it exists).

    request: as for ``iam.evaluate``; the bucket's policies are added here. The Decision's ``by`` is "block" when Block
    Public Access refused.
    """
    settings = effective(bucket.block, bucket.account_block)
    owner, acl, of_object = _what_counts(request, bucket, item)
    policies, notes = [], []
    if bucket.policy:
        policies = [Named("of the bucket", bucket.policy)] if owner == bucket.owner else _denials(bucket.policy)
        if owner != bucket.owner:
            notes.append(f"Account {owner} owns the object, so of the bucket policy only a Deny counts.")
    if acl and bucket.ownership == ENFORCED:
        notes.append("ACLs are not asked: Object Ownership is BucketOwnerEnforced.")
    elif acl:
        hidden = [grant for grant in acl if settings["IgnorePublicAcls"] and is_public(grant)]
        if hidden:
            notes.append(f"IgnorePublicAcls is on: {len(hidden)} public grant(s) of the ACL count for nothing.")
        policies += _as_policy([grant for grant in acl if grant not in hidden], of_object, request, canonical or {})
    request = replace(request, resource_account=owner)
    decision = evaluate(request, identity, policies or None, boundary, session, scps, rcps)
    decision = replace(decision, because=(*notes, *decision.because))
    if decision.allowed and settings["RestrictPublicBuckets"] and _is_outsider(request, bucket):
        verdict = policy_is_public(bucket.policy)
        if verdict.public:
            return Decision("implicitDeny", (*decision.because, "RestrictPublicBuckets is on and the bucket policy is "
                                             "public, so only AWS services and the bucket owner's account get in.",
                                             *verdict.because), decision.findings, "block")
    return decision


def needed(operation: str, parameters: dict) -> list[Asked]:
    """The permissions an S3 call needs; like ``authorization.asked``, with those that parameters add.

    An ACL, tags, a retention date or a legal hold in a call want their own permission; so do a version and the source
    of a copy.
    """
    found = asked("s3", operation, parameters)
    if not found:
        return found
    target, extra = found[0].resource, []
    with_acl = parameters.get("ACL") or any(name.startswith("Grant") for name in parameters)
    if with_acl and found[0].action in WITH_ACL:
        extra.append(WITH_ACL[found[0].action])
    if operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        extra += [action for name, action in (
            ("Tagging", "s3:PutObjectTagging"), ("ObjectLockMode", "s3:PutObjectRetention"),
            ("ObjectLockLegalHoldStatus", "s3:PutObjectLegalHold")) if parameters.get(name)]
    if operation == "CreateBucket" and parameters.get("ObjectLockEnabledForBucket"):
        extra += ["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]
    if operation == "CreateBucket" and parameters.get("ObjectOwnership"):
        extra.append("s3:PutBucketOwnershipControls")
    if parameters.get("BypassGovernanceRetention"):
        extra.append("s3:BypassGovernanceRetention")
    if operation in ("CopyObject", "UploadPartCopy") and _source_has_version(parameters["CopySource"]):
        found = [replace(one, action="s3:GetObjectVersion") if one.action == "s3:GetObject" else one for one in found]
    if operation == "DeleteObjectTagging" and parameters.get("VersionId"):
        found = [replace(one, action="s3:DeleteObjectVersionTagging") for one in found]
    return found + [Asked(action, target, found[0].context) for action in extra]


def missing(read: Decision, listing: Decision, key: str = "") -> ServiceError:
    """What GetObject and HeadObject answer about an object that does not exist.

    read: the decision on the object itself; listing: the one on s3:ListBucket.
    """
    if read.allowed and listing.allowed:
        return ServiceError("NoSuchKey", f"The specified key does not exist.{f' ({key})' if key else ''}")
    return ServiceError("AccessDenied", "Access Denied")


def canned(acl: str, owner: str, bucket_owner: str = "") -> tuple:
    """The grants a canned ACL stands for. bucket_owner: for the ACL of an object. All by canonical user ID."""
    everybody, signed = {"Type": "Group", "URI": ALL_USERS}, {"Type": "Group", "URI": AUTHENTICATED_USERS}
    logs, other = {"Type": "Group", "URI": f"{GROUPS}s3/LogDelivery"}, {"Type": "CanonicalUser", "ID": bucket_owner}
    more = {"private": [], "public-read": [(everybody, "READ")], "aws-exec-read": [],
            "public-read-write": [(everybody, "READ"), (everybody, "WRITE")], "authenticated-read": [(signed, "READ")],
            "log-delivery-write": [(logs, "WRITE"), (logs, "READ_ACP")],
            "bucket-owner-read": [(other, "READ")], "bucket-owner-full-control": [(other, "FULL_CONTROL")]}
    if acl not in more:
        raise ServiceError("InvalidArgument", f"{acl!r} is no canned ACL: there are {', '.join(more)}.")
    given = more[acl] if bucket_owner or not acl.startswith("bucket-owner") else []  # ignored for a bucket
    full = ({"Type": "CanonicalUser", "ID": owner}, "FULL_CONTROL")
    return tuple({"Grantee": grantee, "Permission": permission}
                 for grantee, permission in (full, *(one for one in given if one != full)))


def check_acl_allowed(bucket: Bucket, acl: str | None = None, grants: tuple | None = None,
                      bucket_owner: str = "") -> None:
    """Refuse an ACL in a request to a bucket that has none: AccessControlListNotSupported.

    "Full control for the bucket owner" passes, as bucket-owner-full-control or written out.
    bucket_owner: its canonical user ID, if that is not the account's number.
    """
    if bucket.ownership != ENFORCED or acl == "bucket-owner-full-control" or acl is None and grants is None:
        return
    full = ({"Grantee": {"Type": "CanonicalUser", "ID": bucket_owner or bucket.owner}, "Permission": "FULL_CONTROL"},)
    if acl is not None or tuple(map(_bare, grants)) != full:
        raise ServiceError("AccessControlListNotSupported", "The bucket does not allow ACLs")


def check_ownership(bucket: Bucket, ownership: str, bucket_owner: str = "") -> None:
    """Refuse BucketOwnerEnforced for a bucket whose ACL lets others in: InvalidBucketAclWithObjectOwnership."""
    if ownership not in (ENFORCED, PREFERRED, WRITER):
        raise ServiceError("MalformedXML", f"{ownership!r}: ObjectOwnership is {ENFORCED}, {PREFERRED} or {WRITER}.")
    own = bucket_owner or bucket.owner
    if ownership == ENFORCED and any(grant["Grantee"].get("ID") != own for grant in bucket.grants):
        raise ServiceError("InvalidBucketAclWithObjectOwnership",
                           "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")


def owner_of_new(bucket: Bucket, writer: str, acl: str | None = None) -> str:
    """The account that owns an object which writer uploads with this canned ACL."""
    handed_over = bucket.ownership == PREFERRED and acl == "bucket-owner-full-control"
    return bucket.owner if bucket.ownership == ENFORCED or handed_over else writer


def _what_counts(request, bucket, item) -> tuple[str, tuple, bool]:
    """Whose policies allow, the ACL that bears on the request, and whether that is the object's."""
    of_object = item is not None and request.action not in OF_BUCKET_OWNER and request.resource != bucket.arn
    if bucket.ownership == ENFORCED or not of_object:
        return bucket.owner, item.grants if of_object else bucket.grants, of_object
    return item.owner, item.grants, True


def _denials(policy) -> list:
    """The bucket policy without what it allows."""
    document = Named("of the bucket", policy)
    written = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    kept = [one for one, read in zip(written, read_policy(document, "resource").statements) if read.effect == "Deny"]
    return [Named("of the bucket", {**document, "Statement": kept})] if kept else []


def _as_policy(grants, of_object, request, canonical) -> list:
    """The ACL as a resource policy: one statement for each grant that is to an account or a group of accounts."""
    accounts = {identifier: account for account, identifier in canonical.items()}
    statements = []
    for grant in grants:
        grantee, permission = grant["Grantee"], grant["Permission"]
        names = [permission] if permission != "FULL_CONTROL" else list(GRANTS)
        actions = [action for name in names for action in GRANTS[name][of_object]]
        uri, account = grantee.get("URI"), accounts.get(grantee.get("ID"), grantee.get("ID"))
        signed = read_principal(request.principal).kind not in ("anonymous", "outside")
        who = "*" if uri == ALL_USERS or uri == AUTHENTICATED_USERS and signed else None
        if uri is None and account and account.isdigit() and len(account) == 12:
            who = {"AWS": account}
        if who and actions:
            to = uri.rsplit("/", 1)[-1] if uri else account
            statements.append({"Sid": f"{permission} for {to} ({len(statements) + 1})", "Effect": "Allow",
                               "Principal": who, "Action": actions})
    title = "ACL of the object" if of_object else "ACL of the bucket"
    return [Named(title, {"Version": "2012-10-17", "Statement": statements})] if statements else []


def _is_outsider(request, bucket) -> bool:
    """Neither of the bucket owner's account nor an AWS service."""
    principal = read_principal(request.principal)
    service = principal.kind == "outside" and principal.text.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return not service and (request.principal_account or principal.account) != bucket.owner


def _source_has_version(source) -> bool:
    return bool(source.get("VersionId")) if isinstance(source, dict) else "?versionId=" in source


def _bare(grant) -> dict:
    """A grant without DisplayName and the like, for comparing."""
    return {"Grantee": {name: grant["Grantee"].get(name) for name in ("Type", "ID")}, "Permission": grant["Permission"]}
