"""Access to buckets and objects, held to the Amazon S3 User Guide and API Reference (pages named in the tests)."""

import pytest

from kit.errors import ServiceError
from kit.identity.iam import Request
from kit.storage.access import (ENFORCED, PREFERRED, WRITER, Bucket, Object, canned, check_acl_allowed, check_ownership,
                                decide, missing, needed, owner_of_new)
from kit.storage.public_access import ALL_OFF, ALL_ON

OWNER, OTHER, THIRD = "222222222222", "111111111111", "333333333333"
JILL, ANN = f"arn:aws:iam::{OTHER}:user/jill", f"arn:aws:iam::{OWNER}:user/ann"
KEY, ARN = "arn:aws:s3:::photos/cat.jpg", "arn:aws:s3:::photos"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def lets(principal, action="s3:GetObject", resource=f"{ARN}/*", effect="Allow", **more):
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource, **more}


def may(action="s3:GetObject", resource=KEY):
    return policy({"Effect": "Allow", "Action": action, "Resource": resource})


def bucket(*statements, acl=(), ownership=ENFORCED, block=ALL_OFF, account_block=None):
    return Bucket("photos", OWNER, policy(*statements) if statements else None, tuple(acl), ownership, block, account_block)


def outcome(principal, a_bucket, item=None, action="s3:GetObject", resource=KEY, **more):
    return decide(Request(principal, action, resource), a_bucket, item, **more).outcome


def cat(owner=OWNER, acl="private"):
    return Object("cat.jpg", owner, canned(acl, owner, OWNER))


# Bucket operations -----------------------------------------------------------------------------------------------

def test_the_guides_four_bucket_operations():
    """"How Amazon S3 authorizes a request for a bucket operation", examples 1 to 4."""
    listing = {"action": "s3:ListBucket", "resource": ARN}
    root = f"arn:aws:iam::{OWNER}:root"
    assert outcome(root, bucket(), **listing) == "allowed"
    stranger = f"arn:aws:iam::{OTHER}:root"
    assert outcome(stranger, bucket(), **listing) == "implicitDeny"
    opened = bucket(lets({"AWS": OTHER}, "s3:ListBucket", ARN))
    assert outcome(stranger, opened, **listing) == "allowed"
    assert outcome(ANN, bucket(), identity=may("s3:ListBucket", ARN), **listing) == "allowed"
    assert outcome(JILL, opened, **listing) == "implicitDeny"  # both accounts must say yes
    assert outcome(JILL, opened, identity=may("s3:ListBucket", ARN), **listing) == "allowed"


def test_a_bucket_acl_grants_listing_and_writing():
    """"Mapping of ACL permissions and access policy permissions"."""
    grant = [{"Grantee": {"Type": "CanonicalUser", "ID": "jills-id"}, "Permission": "WRITE"}]
    open_bucket = bucket(acl=grant, ownership=WRITER)
    identity = may("s3:*", "*")
    known = {"identity": identity, "canonical": {OTHER: "jills-id"}}
    assert outcome(JILL, open_bucket, action="s3:PutObject", **known) == "allowed"
    assert outcome(JILL, open_bucket, action="s3:ListBucket", resource=ARN, **known) == "implicitDeny"
    assert outcome(JILL, open_bucket, action="s3:DeleteObject", **known) == "implicitDeny"
    assert outcome(JILL, open_bucket, action="s3:PutObject", canonical={OTHER: "another"}, identity=identity) == "implicitDeny"


# Object operations -----------------------------------------------------------------------------------------------

def test_jill_needs_her_account_the_bucket_owner_and_the_object_owner():
    """"How Amazon S3 authorizes a request for an object operation", example 1: three accounts."""
    plain, shut = bucket(ownership=WRITER), bucket(lets({"AWS": JILL}, effect="Deny"), ownership=WRITER)
    granted = Object("cat.jpg", THIRD, ({"Grantee": {"Type": "CanonicalUser", "ID": OTHER}, "Permission": "READ"},))
    assert outcome(JILL, plain, granted, identity=may()) == "allowed"
    assert outcome(JILL, plain, granted) == "implicitDeny"
    assert outcome(JILL, plain, cat(THIRD), identity=may()) == "implicitDeny"
    assert outcome(JILL, shut, granted, identity=may()) == "explicitDeny"


def test_a_bucket_policy_cannot_open_a_strangers_object():
    """"If the owners are different, the object owners must use an object ACL to grant permissions"."""
    opened = lets("*")
    foreign = cat(THIRD)
    assert outcome(None, bucket(opened, ownership=WRITER), foreign) == "implicitDeny"
    assert outcome(ANN, bucket(opened, ownership=WRITER), foreign, identity=may("s3:*", "*")) == "implicitDeny"
    assert outcome(None, bucket(opened, ownership=WRITER), cat(OWNER)) == "allowed"
    assert outcome(None, bucket(opened, ownership=ENFORCED), foreign) == "allowed"  # enforced: the bucket owner owns it
    assert outcome(ANN, bucket(ownership=WRITER), cat(THIRD, "bucket-owner-full-control"), identity=may()) == "allowed"
    assert outcome(f"arn:aws:iam::{THIRD}:user/eve", bucket(ownership=WRITER), foreign, identity=may()) == "allowed"


def test_the_bucket_owner_may_delete_a_strangers_object():
    delete = {"action": "s3:DeleteObject", "identity": may("s3:DeleteObject")}
    assert outcome(ANN, bucket(ownership=WRITER), cat(THIRD), **delete) == "allowed"
    assert outcome(f"arn:aws:iam::{THIRD}:user/eve", bucket(ownership=WRITER), cat(THIRD), **delete) == "implicitDeny"


def test_public_read_is_for_anybody_and_authenticated_read_for_signed_callers():
    """"Canned ACL" and "Amazon S3 predefined groups"."""
    acls = bucket(ownership=WRITER)
    assert outcome(None, acls, cat(acl="public-read")) == "allowed"
    assert outcome(None, acls, cat(acl="authenticated-read")) == "implicitDeny"
    assert outcome(JILL, acls, cat(acl="authenticated-read"), identity=may()) == "allowed"
    assert outcome(None, acls, cat(acl="private")) == "implicitDeny"
    assert outcome(None, acls, cat(acl="public-read"), action="s3:PutObjectAcl") == "implicitDeny"


def test_enforced_ownership_switches_acls_off_and_says_so():
    """"Controlling ownership of objects": ACLs no longer affect permissions."""
    decision = decide(Request(None, "s3:GetObject", KEY), bucket(ownership=ENFORCED), cat(acl="public-read"))
    assert decision.outcome == "implicitDeny" and "BucketOwnerEnforced" in decision.because[0]


def test_conditions_of_a_bucket_policy_count():
    tls = bucket(lets("*"), lets("*", effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}))
    asked = Request(None, "s3:GetObject", KEY, {"aws:SecureTransport": "false"})
    assert decide(asked, tls).outcome == "explicitDeny"
    assert outcome(None, tls) == "allowed"


# Block Public Access ---------------------------------------------------------------------------------------------

def test_restrict_public_buckets_shuts_out_all_but_services_and_the_account():
    """"...a bucket policy that contains both public and non-public access grants": CloudTrail, account 2, everybody."""
    mixed = (lets({"Service": "cloudtrail.amazonaws.com"}), lets({"AWS": OTHER}), lets("*"))
    on = bucket(*mixed, block=ALL_OFF | {"RestrictPublicBuckets": True})
    assert outcome("cloudtrail.amazonaws.com", on) == "allowed"
    assert outcome(ANN, on) == "allowed"
    assert outcome(JILL, on, identity=may()) == outcome(None, on) == "implicitDeny"
    assert decide(Request(None, "s3:GetObject", KEY), on).by == "block"
    without = bucket(*mixed[:2], block=ALL_OFF | {"RestrictPublicBuckets": True})
    assert outcome(JILL, without, identity=may()) == "allowed"
    assert outcome(None, bucket(*mixed, account_block=ALL_ON)) == "implicitDeny"  # the account's setting is enough
    assert outcome(None, bucket(*mixed)) == "allowed"


def test_ignore_public_acls_leaves_public_grants_out_and_others_in():
    ignoring = bucket(ownership=WRITER, block=ALL_OFF | {"IgnorePublicAcls": True})
    assert outcome(None, ignoring, cat(acl="public-read")) == "implicitDeny"
    for_jill = Object("cat.jpg", OWNER, ({"Grantee": {"Type": "CanonicalUser", "ID": OTHER}, "Permission": "READ"},))
    assert outcome(JILL, ignoring, for_jill, identity=may()) == "allowed"


def test_a_new_bucket_is_shut():
    """All four settings on and ACLs off since April 2023."""
    new = Bucket("photos", OWNER, policy(lets("*")), canned("public-read", OWNER))
    assert outcome(None, new, cat(acl="public-read")) == "implicitDeny"


# 404 or 403 ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("read, list_too, code", [
    (True, True, "NoSuchKey"), (True, False, "AccessDenied"), (False, True, "AccessDenied"), (False, False, "AccessDenied")])
def test_only_who_may_list_is_told_that_nothing_is_there(read, list_too, code):
    """GetObject (API Reference), Permissions: 404 with s3:ListBucket, 403 without."""
    identity = [may(), may("s3:ListBucket", ARN)]
    given = [one for one, wanted in zip(identity, (read, list_too)) if wanted] or ()
    reading = decide(Request(ANN, "s3:GetObject", KEY), bucket(), identity=given)
    listing = decide(Request(ANN, "s3:ListBucket", ARN), bucket(), identity=given)
    assert missing(reading, listing).code == code


# ACLs in requests, ownership --------------------------------------------------------------------------------------

def test_a_bucket_without_acls_takes_none_but_the_owners_full_control():
    """"Troubleshooting" of Object Ownership: AccessControlListNotSupported."""
    off = bucket()
    for acl in ("private", "public-read"):
        with pytest.raises(ServiceError) as refused:
            check_acl_allowed(off, acl)
        assert refused.value.code == "AccessControlListNotSupported"
        assert refused.value.message == "The bucket does not allow ACLs"
    with pytest.raises(ServiceError):
        check_acl_allowed(off, grants=canned("public-read", OWNER))
    check_acl_allowed(off)
    check_acl_allowed(off, "bucket-owner-full-control")
    named = {"Grantee": {"Type": "CanonicalUser", "ID": OWNER, "DisplayName": "me"}, "Permission": "FULL_CONTROL"}
    check_acl_allowed(off, grants=(named,))
    check_acl_allowed(bucket(ownership=WRITER), "public-read")


def test_acls_cannot_be_switched_off_while_the_bucket_acl_lets_others_in():
    """"Example: Existing bucket ACL grants public read access"."""
    with pytest.raises(ServiceError) as refused:
        check_ownership(bucket(acl=canned("public-read", OWNER), ownership=WRITER), ENFORCED)
    assert refused.value.code == "InvalidBucketAclWithObjectOwnership"
    check_ownership(bucket(acl=canned("private", OWNER), ownership=WRITER), ENFORCED)
    check_ownership(bucket(acl=canned("public-read", OWNER), ownership=WRITER), PREFERRED)


@pytest.mark.parametrize("ownership, acl, owner", [
    (ENFORCED, None, OWNER), (PREFERRED, "bucket-owner-full-control", OWNER), (PREFERRED, "private", OTHER),
    (PREFERRED, None, OTHER), (WRITER, "bucket-owner-full-control", OTHER)])
def test_who_owns_an_upload(ownership, acl, owner):
    """The table "Object Ownership settings"."""
    assert owner_of_new(bucket(ownership=ownership), OTHER, acl) == owner


def test_canned_acls_are_what_the_table_says():
    def said(acl, **more):
        return [(one["Grantee"].get("URI", one["Grantee"].get("ID")).rsplit("/", 1)[-1], one["Permission"])
                for one in canned(acl, "me", **more)]

    assert said("private") == [("me", "FULL_CONTROL")]
    assert said("public-read-write") == [("me", "FULL_CONTROL"), ("AllUsers", "READ"), ("AllUsers", "WRITE")]
    assert said("log-delivery-write")[1:] == [("LogDelivery", "WRITE"), ("LogDelivery", "READ_ACP")]
    assert said("bucket-owner-read", bucket_owner="you") == [("me", "FULL_CONTROL"), ("you", "READ")]
    assert said("bucket-owner-full-control") == [("me", "FULL_CONTROL")]  # ignored when creating a bucket
    with pytest.raises(ServiceError):
        canned("public", "me")


# Permissions of calls ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("operation, more, actions", [
    ("GetObject", {}, ["GetObject"]), ("GetObject", {"VersionId": "v"}, ["GetObjectVersion"]),
    ("HeadObject", {}, ["GetObject"]), ("DeleteObject", {"VersionId": "v"}, ["DeleteObjectVersion"]),
    ("PutObject", {}, ["PutObject"]),
    ("PutObject", {"ACL": "public-read", "Tagging": "a=b"}, ["PutObject", "PutObjectAcl", "PutObjectTagging"]),
    ("PutObject", {"ObjectLockMode": "GOVERNANCE"}, ["PutObject", "PutObjectRetention"]),
    ("DeleteObject", {"VersionId": "v", "BypassGovernanceRetention": True},
     ["DeleteObjectVersion", "BypassGovernanceRetention"]),
    ("CopyObject", {"CopySource": {"Bucket": "b", "Key": "k"}}, ["PutObject", "GetObject"]),
    ("CopyObject", {"CopySource": "b/k?versionId=3"}, ["PutObject", "GetObjectVersion"]),
    ("DeleteObjectTagging", {"VersionId": "v"}, ["DeleteObjectVersionTagging"]),
    ("CreateBucket", {"ACL": "public-read", "ObjectOwnership": "ObjectWriter"},
     ["CreateBucket", "PutBucketAcl", "PutBucketOwnershipControls"])])
def test_what_a_call_needs(operation, more, actions):
    """"Required permissions for Amazon S3 API operations"; Service Authorization Reference, Amazon S3 (CopyObject)."""
    parameters = {"Bucket": "photos", **({} if operation == "CreateBucket" else {"Key": "cat.jpg"}), **more}
    assert [one.action for one in needed(operation, parameters)] == [f"s3:{action}" for action in actions]
