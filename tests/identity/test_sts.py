"""Temporary credentials: who may assume a role, for how long, and what they then may do."""

import pytest

from kit.errors import ServiceError
from kit.identity.account import Account
from kit.identity.sts import SecurityTokenService

OWN, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OTHER}:role/team/reader"
OBJECT = "arn:aws:s3:::b/k"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def policy(effect, action, resource="*", **more):
    return {"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": action, "Resource": resource, **more}}


def trust(principal, action="sts:AssumeRole", **condition):
    more = {"Condition": condition} if condition else {}
    return {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": principal, "Action": action, **more}}


@pytest.fixture
def world():
    """A user ann in one account, and a role in another that trusts ann's account."""
    own, other = Account(OWN), Account(OTHER)
    own.create_user("ann")
    own.put_user_policy("ann", "assume", policy("Allow", ["sts:AssumeRole", "sts:TagSession"],
                                                f"arn:aws:iam::{OTHER}:role/*"))
    other.create_role("reader", trust({"AWS": OWN}), "/team/", 7_200)
    other.attach_role_policy("reader", READ_ONLY)
    return own, other, SecurityTokenService(own, other), own.create_access_key("ann").access_key_id


def refused(code, function, *arguments, **named):
    with pytest.raises(ServiceError) as refusal:
        function(*arguments, **named)
    assert refusal.value.code == code
    return refusal.value.message


def test_a_role_is_assumed_across_accounts_and_gives_its_own_permissions(world):
    """STS API Reference, AssumeRole: the trust policy and the caller's own policy must both allow."""
    own, other, sts, key = world
    session = sts.assume_role(key, ROLE, "monday", now=0)
    assert session.arn == f"arn:aws:sts::{OTHER}:assumed-role/reader/monday" and session.expiration == 3_600
    assert sts.authorize(session.access_key_id, "s3:GetObject", OBJECT, now=10).allowed
    assert sts.authorize(session.access_key_id, "s3:PutObject", OBJECT, now=10).outcome == "implicitDeny"
    assert sts.authorize(key, "s3:GetObject", OBJECT, now=10).outcome == "implicitDeny"  # ann has nothing of it
    own.delete_user_policy("ann", "assume")
    assert "both sides" in refused("AccessDenied", sts.assume_role, key, ROLE, "monday", now=0)
    own.put_user_policy("ann", "assume", policy("Allow", "sts:AssumeRole"))
    other.update_assume_role_policy("reader", trust({"AWS": OTHER}))
    assert "trust policy" in refused("AccessDenied", sts.assume_role, key, ROLE, "monday", now=0)
    refused("AccessDenied", sts.assume_role, key, f"{ROLE}s", "monday", now=0)  # whether it exists is not told


def test_credentials_expire(world):
    *_, sts, key = world
    session = sts.assume_role(key, ROLE, "monday", now=100, duration_seconds=900).access_key_id
    assert sts.authorize(session, "s3:GetObject", OBJECT, now=999).allowed
    refused("ExpiredToken", sts.authorize, session, "s3:GetObject", OBJECT, now=1_000)
    refused("ExpiredToken", sts.get_caller_identity, session, now=1_000)


@pytest.mark.parametrize("seconds, accepted", [(899, False), (900, True), (7_200, True), (7_201, False)])
def test_a_session_lasts_fifteen_minutes_up_to_the_roles_maximum(world, seconds, accepted):
    *_, sts, key = world
    if accepted:
        assert sts.assume_role(key, ROLE, "monday", now=0, duration_seconds=seconds).expiration == seconds
    else:
        refused("ValidationError", sts.assume_role, key, ROLE, "monday", now=0, duration_seconds=seconds)


def test_a_chained_role_lasts_an_hour_at_most(world):
    """"IAM roles", role chaining: one hour, whatever the role's maximum; longer fails."""
    own, other, sts, key = world
    other.create_role("second", trust({"AWS": ROLE}), max_session_duration=43_200)
    first = sts.assume_role(key, ROLE, "monday", now=0).access_key_id
    second = f"arn:aws:iam::{OTHER}:role/second"
    assert sts.assume_role(first, second, "chained", now=0).expiration == 3_600
    assert "role chaining" in refused("ValidationError", sts.assume_role, first, second, "chained", now=0,
                                      duration_seconds=3_601)


def test_the_external_id_stops_the_confused_deputy(world):
    """"Access to AWS accounts owned by third parties": without the customer's own ID the vendor's role call fails."""
    own, other, sts, key = world
    other.update_assume_role_policy("reader", trust({"AWS": OWN}, StringEquals={"sts:ExternalId": "customer-7"}))
    for wrong in (None, "customer-8"):
        message = refused("AccessDenied", sts.assume_role, key, ROLE, "vendor", now=0, external_id=wrong)
        assert "sts:ExternalId" in message
    assert sts.assume_role(key, ROLE, "vendor", now=0, external_id="customer-7")
    refused("ValidationError", sts.assume_role, key, ROLE, "vendor", now=0, external_id="two words")
    refused("ValidationError", sts.assume_role, key, ROLE, "a/b", now=0)
    refused("ValidationError", sts.assume_role, key, "reader", "vendor", now=0)


def test_session_policies_narrow_the_session(world):
    *_, sts, key = world
    only_list = policy("Allow", "s3:List*")
    session = sts.assume_role(key, ROLE, "monday", now=0, policy=only_list).access_key_id
    assert sts.authorize(session, "s3:GetObject", OBJECT, now=1).outcome == "implicitDeny"
    assert sts.authorize(session, "s3:ListBucket", "arn:aws:s3:::b", now=1).allowed
    both = sts.assume_role(key, ROLE, "monday", now=0, policy=only_list, policy_arns=[READ_ONLY]).access_key_id
    assert sts.authorize(both, "s3:GetObject", OBJECT, now=1).allowed
    everything = sts.assume_role(key, ROLE, "monday", now=0, policy=policy("Allow", "*")).access_key_id
    assert sts.authorize(everything, "s3:PutObject", OBJECT, now=1).outcome == "implicitDeny"
    refused("MalformedPolicyDocument", sts.assume_role, key, ROLE, "monday", now=0, policy="{}")
    long = policy("Allow", ["s3:Get"] * 400)
    refused("PackedPolicyTooLarge", sts.assume_role, key, ROLE, "monday", now=0, policy=long)
    refused("ValidationError", sts.assume_role, key, ROLE, "monday", now=0, policy_arns=[READ_ONLY] * 11)
    refused("ValidationError", sts.assume_role, key, ROLE, "monday", now=0, policy_arns=[f"{READ_ONLY}s"])


def mfa(account, sts):
    device = account.create_virtual_mfa_device("ann")
    account.enable_mfa_device("ann", device.serial_number, device.code(300), device.code(330), now=330)
    return device


def test_a_trust_policy_can_ask_for_mfa_and_for_a_fresh_code(world):
    """"Secure API access with MFA": MFA for cross-account delegation, tested in the trust policy."""
    own, other, sts, key = world
    device = mfa(own, sts)
    other.update_assume_role_policy("reader", trust({"AWS": OWN}, Bool={"aws:MultiFactorAuthPresent": "true"},
                                                    NumericLessThan={"aws:MultiFactorAuthAge": "600"}))
    message = refused("AccessDenied", sts.assume_role, key, ROLE, "mon", now=900)
    assert "MultiFactorAuthPresent is not in the request" in message
    show = {"serial_number": device.serial_number, "token_code": device.code(900)}
    assert sts.assume_role(key, ROLE, "mon", now=900, **show)
    assert "one time pass code" in refused("AccessDenied", sts.assume_role, key, ROLE, "mon", now=901, **show)  # used
    refused("AccessDenied", sts.assume_role, key, ROLE, "mon", now=930, token_code=device.code(930))
    with_mfa = sts.get_session_token(key, now=960, serial_number=device.serial_number, token_code=device.code(960))
    token = with_mfa.access_key_id
    assert sts.assume_role(token, ROLE, "mon", now=1_559)
    message = refused("AccessDenied", sts.assume_role, token, ROLE, "mon", now=1_560)
    assert "MultiFactorAuthAge is 600" in message


def test_get_session_token_gives_the_users_own_permissions_with_mfa(world):
    """"Secure API access with MFA": a policy that wants MFA, met by a token and not by the access key."""
    own, other, sts, key = world
    device = mfa(own, sts)
    own.put_user_policy("ann", "stop", policy("Allow", ["ec2:StopInstances", "iam:ListUsers"], Condition={
        "Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    assert sts.authorize(key, "ec2:StopInstances", now=900).outcome == "implicitDeny"
    plain = sts.get_session_token(key, now=900)
    assert plain.expiration == 900 + 43_200
    assert sts.authorize(plain.access_key_id, "ec2:StopInstances", now=900).outcome == "implicitDeny"
    strong = sts.get_session_token(key, now=900, serial_number=device.serial_number, token_code=device.code(900))
    assert sts.authorize(strong.access_key_id, "ec2:StopInstances", now=900).allowed
    assert sts.authorize(strong.access_key_id, "iam:ListUsers", now=900).allowed
    refused("InvalidClientTokenId", sts.authorize, plain.access_key_id, "iam:ListUsers", now=900)
    refused("InvalidClientTokenId", sts.authorize, strong.access_key_id, "sts:GetFederationToken", now=900)
    refused("AccessDenied", sts.get_session_token, strong.access_key_id, now=900)
    refused("ValidationError", sts.get_session_token, key, now=900, duration_seconds=129_601)
    root = own.create_access_key().access_key_id
    assert sts.get_session_token(root, now=0).expiration == 3_600
    refused("ValidationError", sts.get_session_token, root, now=0, duration_seconds=3_601)


def test_session_tags_need_their_own_permission_and_decide_what_one_sees(world):
    """"Pass session tags in AWS STS": sts:TagSession in the trust policy; aws:PrincipalTag in the session."""
    own, other, sts, key = world
    own_team = policy("Allow", "s3:PutObject", "arn:aws:s3:::b/${aws:PrincipalTag/team}/*")
    other.put_role_policy("reader", "own-team", own_team)
    assert "sts:TagSession" in refused("AccessDenied", sts.assume_role, key, ROLE, "mon", now=0, tags={"team": "red"})
    other.update_assume_role_policy("reader", trust({"AWS": OWN}, ["sts:AssumeRole", "sts:TagSession"]))
    tagged = sts.assume_role(key, ROLE, "mon", now=0, tags={"team": "red"}, transitive_tag_keys=["team"]).access_key_id
    assert sts.authorize(tagged, "s3:PutObject", "arn:aws:s3:::b/red/k", now=1).allowed
    assert not sts.authorize(tagged, "s3:PutObject", "arn:aws:s3:::b/blue/k", now=1).allowed
    other.create_role("second", trust({"AWS": ROLE}), tags={"team": "blue"})
    other.put_role_policy("second", "own-team", own_team)
    chained = sts.assume_role(tagged, f"arn:aws:iam::{OTHER}:role/second", "mon", now=0).access_key_id
    assert sts.authorize(chained, "s3:PutObject", "arn:aws:s3:::b/red/k", now=1).allowed  # a transitive tag stays
    refused("ValidationError", sts.assume_role, key, ROLE, "mon", now=0, tags={str(n): "" for n in range(51)})
    refused("ValidationError", sts.assume_role, key, ROLE, "mon", now=0, tags={"k": "v" * 257})


def test_a_service_assumes_the_role_made_for_it(world):
    _, other, sts, key = world
    other.create_role("instance", trust({"Service": "ec2.amazonaws.com"}), max_session_duration=3_600)
    role = f"arn:aws:iam::{OTHER}:role/instance"
    assert sts.assume_role("ec2.amazonaws.com", role, "i-1", now=0, duration_seconds=21_600).expiration == 21_600
    refused("AccessDenied", sts.assume_role, "lambda.amazonaws.com", role, "f1", now=0)
    refused("AccessDenied", sts.assume_role, key, role, "ann", now=0)


def test_the_root_user_cannot_assume_a_role(world):
    own, _, sts, _ = world
    key = own.create_access_key().access_key_id
    assert "root user cannot" in refused("AccessDenied", sts.assume_role, key, ROLE, "r1", now=0)


def test_authentication_comes_before_authorization(world):
    """Given keys that are unknown, inactive or deleted, then no policy is asked at all."""
    own, _, sts, key = world
    refused("InvalidClientTokenId", sts.authorize, "AKIANOBODY", "s3:GetObject", OBJECT, now=0)
    own.attach_user_policy("ann", "arn:aws:iam::aws:policy/AdministratorAccess")
    assert sts.authorize(key, "s3:GetObject", OBJECT, now=5).allowed
    assert own.users["ann"].access_keys[0].last_used == 5 and own.users["ann"].access_keys[0].last_used_service == "s3"
    own.update_access_key("ann", key, "Inactive")
    refused("InvalidClientTokenId", sts.authorize, key, "s3:GetObject", OBJECT, now=6)
    own.update_access_key("ann", key, "Active")
    own.delete_access_key("ann", key)
    refused("InvalidClientTokenId", sts.authorize, key, "s3:GetObject", OBJECT, now=7)


def test_get_caller_identity_tells_users_roles_and_root_apart(world):
    own, other, sts, key = world
    assert sts.get_caller_identity(key, now=0) == {"UserId": own.users["ann"].user_id, "Account": OWN,
                                                   "Arn": f"arn:aws:iam::{OWN}:user/ann"}
    session = sts.assume_role(key, ROLE, "monday", now=0)
    assert sts.get_caller_identity(session.access_key_id, now=0) == {
        "UserId": f"{other.roles['reader'].role_id}:monday", "Account": OTHER, "Arn": session.arn}
    root = own.create_access_key().access_key_id
    assert sts.get_caller_identity(root, now=0) == {"UserId": OWN, "Account": OWN, "Arn": f"arn:aws:iam::{OWN}:root"}


def test_the_time_and_the_sessions_age_are_keys_of_the_request(world):
    own, other, sts, key = world
    other.put_role_policy("reader", "young", policy("Allow", "s3:DeleteObject", Condition={
        "DateLessThan": {"aws:CurrentTime": "1970-01-01T00:10:00Z"},
        "DateGreaterThan": {"aws:TokenIssueTime": "1969-12-31"}}))
    session = sts.assume_role(key, ROLE, "monday", now=0).access_key_id
    assert sts.authorize(session, "s3:DeleteObject", OBJECT, now=599).allowed
    assert not sts.authorize(session, "s3:DeleteObject", OBJECT, now=600).allowed


def test_the_guardrails_of_both_accounts_count(world):
    own, other, sts, key = world
    own.scps = [policy("Allow", "*"), policy("Deny", "sts:AssumeRole")]
    assert "denies" in refused("AccessDenied", sts.assume_role, key, ROLE, "mon", now=0)
    own.scps, other.rcps = (), [{"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}}]
    assert "Resource control policy" in refused("AccessDenied", sts.assume_role, key, ROLE, "mon", now=0)
    other.rcps = ()
    session = sts.assume_role(key, ROLE, "mon", now=0).access_key_id
    other.scps = [policy("Allow", "ec2:*")]
    assert sts.authorize(session, "s3:GetObject", OBJECT, now=1).outcome == "implicitDeny"


def test_ids_repeat_from_run_to_run(world):
    def run():
        account = Account()
        account.create_user("ann")
        key = account.create_access_key("ann")
        return key, SecurityTokenService(account).get_session_token(key.access_key_id, now=0)

    assert run() == run()
