"""What is public, held to the Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage"."""

import pytest

from kit.errors import ServiceError
from kit.storage.public_access import (ALL_OFF, ALL_ON, ALL_USERS, AUTHENTICATED_USERS, SETTINGS, acl_is_public,
                                       check_put_acl, check_put_policy, effective, policy_is_public)

ANN = "arn:aws:iam::111122223333:user/ann"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def put(principal="*", effect="Allow", **condition):
    statement = {"Effect": effect, "Principal": principal, "Action": "s3:PutObject", "Resource": "*"}
    return statement | ({"Condition": condition} if condition else {})


def public(*statements):
    return policy_is_public(policy(*statements)).public


def grant(permission="READ", **grantee):
    return {"Grantee": grantee, "Permission": permission}


@pytest.mark.parametrize("statement, expected", [
    (put({"Federated": "graph.facebook.com"}), True),
    (put("*"), True),
    (put("*", StringLike={"aws:SourceVpc": "vpc-*"}), True),
    (put("*", StringEquals={"aws:SourceVpc": "vpc-91237329"}), False)])
def test_the_guides_own_examples(statement, expected):
    """"The meaning of public", Bucket policies: the four example statements."""
    assert public(statement) is expected


@pytest.mark.parametrize("cidr, expected", [
    ("0.0.0.0/1", True), ("3.0.0.0/7", True), ("3.0.0.0/8", False), ("203.0.113.10", False), ("10.0.0.0/8", False),
    ("2001:db8::/31", True), ("2001:db8::/32", False), ("0.0.0.0/0", True)])
def test_a_range_broader_than_a_slash_8_is_everybody(cidr, expected):
    """The note on aws:SourceIp: broader than /8 for IPv4 and /32 for IPv6."""
    assert public(put(IpAddress={"aws:SourceIp": cidr})) is expected


@pytest.mark.parametrize("condition, expected", [
    ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, False),
    ({"StringEquals": {"aws:SourceAccount": ["111122223333", "444455556666"]}}, False),
    ({"StringEquals": {"aws:SourceAccount": ["111122223333", "*"]}}, True),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1"}}, False),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/*"}}, True),
    ({"StringEquals": {"aws:SourceOwner": "${aws:PrincipalAccount}"}}, True),
    ({"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:us-east-1:111122223333:key/k"}},
     False),
    ({"StringEquals": {"aws:userid": "AIDAEXAMPLE"}}, False),
    ({"StringLike": {"aws:userid": "AROAEXAMPLE:*"}}, True),
    ({"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-west-2:123456789012:accesspoint/*"}}, False),
    ({"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-west-2:*:accesspoint/mine"}}, True),
    ({"StringEquals": {"s3:DataAccessPointAccount": "123456789012"}}, False),
    ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
    ({"StringEquals": {"aws:UserAgent": "secret"}}, True),
    ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, True),
    ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, True),
    ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:sourcevpc": "vpc-1"}}, False)])
def test_only_fixed_values_of_the_named_keys_limit_a_grant(condition, expected):
    """The list of condition keys, and "values that don't contain a wildcard or a policy variable"."""
    assert public(put(**condition)) is expected


@pytest.mark.parametrize("principal, expected", [
    ({"AWS": ANN}, False), ({"AWS": "444455556666"}, False), ({"Service": "cloudtrail.amazonaws.com"}, False),
    ({"AWS": "*"}, True), ({"AWS": [ANN, "*"]}, True)])
def test_a_fixed_principal_is_not_the_public(principal, expected):
    assert public(put(principal)) is expected


def test_one_public_statement_makes_the_whole_policy_public():
    """"How Amazon S3 evaluates a bucket policy that contains both public and non-public access grants"."""
    cloudtrail, account_2, everybody = put({"Service": "cloudtrail.amazonaws.com"}), put({"AWS": "444455556666"}), put()
    verdict = policy_is_public(policy(cloudtrail, account_2, everybody))
    assert verdict.public and len(verdict.because) == 3 and "anybody" in verdict.because[2]
    assert not public(cloudtrail, account_2)


def test_nothing_allowed_is_nothing_public():
    assert not policy_is_public(None).public and not public(put(effect="Deny"))


def test_all_but_one_principal_is_nearly_everybody():
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": ANN}, "Action": "s3:*", "Resource": "*"}
    assert public(statement)


def test_an_acl_is_public_when_it_names_a_group_that_anybody_belongs_to():
    """"The meaning of public", ACLs."""
    assert acl_is_public([grant(Type="Group", URI=ALL_USERS)]).public
    assert acl_is_public([grant("WRITE_ACP", Type="Group", URI=AUTHENTICATED_USERS)]).public
    log_delivery = "http://acs.amazonaws.com/groups/s3/LogDelivery"
    assert not acl_is_public([grant(Type="Group", URI=log_delivery), grant(Type="CanonicalUser", ID="x")]).public


def test_the_stricter_of_bucket_and_account_counts():
    """"...applies the most restrictive combination of the access point, bucket, and account settings"."""
    assert effective() == ALL_OFF and effective(ALL_ON) == ALL_ON == effective(ALL_OFF, ALL_ON)
    mixed = effective({"BlockPublicAcls": True}, {"RestrictPublicBuckets": True, "BlockPublicAcls": False})
    assert [name for name in SETTINGS if mixed[name]] == ["BlockPublicAcls", "RestrictPublicBuckets"]


def test_block_public_policy_refuses_a_public_policy_and_lets_others_pass():
    with pytest.raises(ServiceError) as refused:
        check_put_policy(policy(put()), ALL_ON, ANN, "photos")
    assert refused.value.code == "AccessDenied" and "BlockPublicPolicy" in refused.value.message
    check_put_policy(policy(put({"AWS": ANN})), ALL_ON, ANN, "photos")
    check_put_policy(policy(put()), ALL_ON | {"BlockPublicPolicy": False}, ANN, "photos")


def test_block_public_acls_refuses_a_public_acl_and_ignoring_them_does_not():
    """IgnorePublicAcls "doesn't prevent new public ACLs from being set"."""
    everybody = [grant(Type="Group", URI=ALL_USERS)]
    with pytest.raises(ServiceError) as refused:
        check_put_acl(everybody, ALL_ON, ANN, "arn:aws:s3:::photos")
    assert refused.value.code == "AccessDenied" and "s3:PutBucketAcl" in refused.value.message
    check_put_acl(everybody, ALL_OFF | {"IgnorePublicAcls": True}, ANN, "arn:aws:s3:::photos")
    check_put_acl([grant(Type="CanonicalUser", ID="x")], ALL_ON, ANN, "arn:aws:s3:::photos")
