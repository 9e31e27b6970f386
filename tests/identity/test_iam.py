"""Policy evaluation: AWS's own examples, the tables of its guide, and what must hold for any policies."""

import json
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.identity.iam import Decision, Named, Request, evaluate

OWN, OTHER = "111122223333", "444455556666"
USER, ROLE = f"arn:aws:iam::{OWN}:user/ann", f"arn:aws:iam::{OWN}:role/path/work"
SESSION, FEDERATED = f"arn:aws:sts::{OWN}:assumed-role/work/mon", f"arn:aws:sts::{OWN}:federated-user/ann"
ROOT, SERVICE = f"arn:aws:iam::{OWN}:root", "sns.amazonaws.com"
OBJECT = "arn:aws:s3:::b/k"


def policy(*statements, version="2012-10-17"):
    return {"Version": version, "Statement": list(statements)}


def statement(effect="Allow", action="*", resource="*", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def allow(action="*", resource="*", **more):
    return policy(statement("Allow", action, resource, **more))


def deny(action="*", resource="*", **more):
    return policy(statement("Deny", action, resource, **more))


def lets(principal, action="*", **more):
    """A resource policy that allows a principal."""
    return allow(action, Principal=principal if principal == "*" else {"AWS": principal}, **more)


def outcome(principal=USER, action="s3:GetObject", resource_arn=OBJECT, context=None, owner=None, **policies):
    return evaluate(Request(principal, action, resource_arn, context or {}, resource_account=owner), **policies).outcome


NOTHING = policy(statement("Allow", "ec2:*"))  # allows something else


# Policies of one account -----------------------------------------------------------------------------------------

def test_nothing_allowed_is_implicitly_denied():
    """"Policy evaluation logic": by default all requests are denied, except the root user's."""
    assert outcome() == "implicitDeny"
    assert outcome(ROOT) == "allowed"


def test_the_guides_example_of_identity_and_bucket_policy():
    """"Policy evaluation for requests within a single account", example: own bucket open, anything with log shut."""
    identity = policy(statement("Allow", ["s3:ListAllMyBuckets", "s3:GetBucketLocation"], "arn:aws:s3:::*"),
                      statement("Allow", "s3:*", ["arn:aws:s3:::ann", "arn:aws:s3:::ann/*"]),
                      statement("Deny", "s3:*", "arn:aws:s3:::*log*", Sid="NoLogs"))
    bucket = lets(USER, "s3:*")
    for key, policies, expected in (("ann-logs/k", {"identity": identity}, "explicitDeny"),
                                    ("ann/k", {"identity": identity}, "allowed"),
                                    ("ann/k", {"identity": identity, "resource": bucket}, "allowed"),
                                    ("ann-logs/k", {"identity": identity, "resource": bucket}, "explicitDeny"),
                                    ("other/k", {"identity": identity}, "implicitDeny"),
                                    ("other/k", {"resource": bucket}, "allowed")):
        assert outcome(action="s3:PutObject", resource_arn=f"arn:aws:s3:::{key}", **policies) == expected


def test_the_guides_example_of_explicit_and_implicit_denials():
    """"The difference between explicit and implicit denies": reading allowed, reports denied, the rest unmentioned."""
    identity = [policy(statement("Allow", ["iam:Get*", "iam:List*"]), statement("Deny", "iam:*Report")),
                allow("iam:GenerateCredentialReport")]
    answers = {action: outcome(action=action, resource_arn="*", identity=identity) for action in (
        "iam:GetUser", "iam:CreatePolicy", "iam:GetOrganizationsAccessReport", "iam:GenerateCredentialReport")}
    assert answers == {"iam:GetUser": "allowed", "iam:CreatePolicy": "implicitDeny",
                       "iam:GetOrganizationsAccessReport": "explicitDeny",
                       "iam:GenerateCredentialReport": "explicitDeny"}


def test_the_guides_example_of_a_boundary():
    """"Permissions boundaries for IAM entities": iam:CreateUser granted, but not within the boundary."""
    boundary = allow(["s3:*", "cloudwatch:*", "ec2:*"])
    assert outcome(action="iam:CreateUser", identity=allow("iam:CreateUser"), boundary=boundary) == "implicitDeny"
    assert outcome(action="s3:GetObject", identity=allow("s3:*"), boundary=boundary) == "allowed"
    assert outcome(action="s3:GetObject", boundary=boundary) == "implicitDeny"  # a boundary grants nothing


# "How AWS enforcement code logic evaluates requests", the table of resource policies and implicit denials: who asks,
# whom the bucket policy names, and what comes of it when the others allow nothing.
SAME_ACCOUNT = [
    (USER, USER, "allowed"), (USER, OWN, "implicitDeny"), (USER, ROOT, "implicitDeny"), (USER, "*", "allowed"),
    (SESSION, SESSION, "allowed"), (SESSION, ROLE, "implicitDeny"), (SESSION, OWN, "implicitDeny"),
    (SESSION, "*", "allowed"), (SESSION, f"{SESSION}day", "implicitDeny"), (ROLE, ROLE, "implicitDeny"),
    (FEDERATED, FEDERATED, "allowed"), (FEDERATED, USER, "implicitDeny"), (FEDERATED, OWN, "implicitDeny"),
    (ROOT, ROOT, "allowed"), (ROOT, USER, "allowed"), (USER, OTHER, "implicitDeny"),
]


@pytest.mark.parametrize("principal, named, expected", SAME_ACCOUNT)
def test_what_a_resource_policy_grants_against_implicit_denials(principal, named, expected):
    session = None if principal in (USER, ROOT) else NOTHING
    assert outcome(principal, identity=NOTHING, resource=lets(named), boundary=NOTHING, session=session) == expected


@pytest.mark.parametrize("principal, named, boundary, session, expected", [
    (SESSION, ROLE, None, None, "allowed"), (SESSION, ROLE, allow(), allow(), "allowed"),
    (SESSION, ROLE, NOTHING, allow(), "implicitDeny"), (SESSION, ROLE, allow(), NOTHING, "implicitDeny"),
    (ROLE, ROLE, None, None, "allowed"), (FEDERATED, USER, None, allow(), "allowed"),
    (FEDERATED, USER, NOTHING, allow(), "implicitDeny"), (FEDERATED, USER, None, None, "implicitDeny"),
    (SESSION, OWN, None, None, "implicitDeny")])
def test_a_grant_to_the_role_needs_boundary_and_session_policy_but_no_identity_policy(
        principal, named, boundary, session, expected):
    assert outcome(principal, resource=lets(named), boundary=boundary, session=session) == expected


def test_a_wildcard_with_a_condition_on_the_role_is_not_limited_by_the_boundary():
    """"AWS JSON policy elements: Principal", IAM role principals: the note on aws:PrincipalArn."""
    condition = {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/work"}}
    assert outcome(SESSION, resource=lets("*", Condition=condition), boundary=NOTHING, session=NOTHING) == "allowed"
    assert outcome(SESSION, resource=lets("*", Condition=condition), boundary=deny()) == "explicitDeny"
    other = f"arn:aws:sts::{OWN}:assumed-role/rest/mon"
    assert outcome(other, resource=lets("*", Condition=condition)) == "implicitDeny"


def test_session_policies_limit_the_role_and_several_add_up():
    """"Session policies": the session has what both the role's policies and the session policies allow."""
    identity = allow(["s3:*", "ec2:*"])
    assert outcome(SESSION, identity=identity) == "allowed"
    assert outcome(SESSION, identity=identity, session=allow("s3:*")) == "allowed"
    assert outcome(SESSION, identity=identity, session=NOTHING) == "implicitDeny"
    assert outcome(SESSION, identity=identity, session=[NOTHING, allow("s3:*")]) == "allowed"
    assert outcome(SESSION, session=allow("s3:*")) == "implicitDeny"  # a session policy grants nothing
    assert outcome(SESSION, identity=identity, session=[allow("s3:*"), deny("s3:Get*")]) == "explicitDeny"


def test_a_federated_user_has_nothing_without_a_session_policy():
    """STS API Reference, GetFederationToken: with no session policy passed, the session has no permissions."""
    assert outcome(FEDERATED, identity=allow()) == "implicitDeny"
    assert outcome(FEDERATED, identity=allow(), session=allow("s3:*")) == "allowed"
    assert outcome(FEDERATED, session=allow("s3:*")) == "implicitDeny"


# Across accounts -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("principal", [USER, SESSION, ROLE])
def test_across_accounts_both_sides_must_allow(principal):
    """"Cross-account policy evaluation logic"."""
    for named in (principal, OWN, ROOT, "*"):
        ask = {"principal": principal, "owner": OTHER}
        assert outcome(**ask, identity=allow(), resource=lets(named)) == "allowed"
        assert outcome(**ask, resource=lets(named)) == "implicitDeny"
        assert outcome(**ask, identity=allow()) == "implicitDeny"
        assert outcome(**ask, identity=allow(), resource=lets(OTHER)) == "implicitDeny"
        assert outcome(**ask, identity=allow(), resource=lets(named), boundary=NOTHING) == "implicitDeny"
        assert outcome(**ask, identity=allow(), resource=lets(named), session=NOTHING) == "implicitDeny"
        assert outcome(**ask, identity=deny(), resource=lets(named)) == "explicitDeny"
        assert outcome(**ask, identity=allow(), resource=policy(*lets(named)["Statement"],
                                                                statement("Deny", Principal="*"))) == "explicitDeny"


def test_the_account_of_a_resource_is_read_from_its_arn():
    queue = f"arn:aws:sqs:us-east-1:{OTHER}:q"
    assert outcome(action="sqs:SendMessage", resource_arn=queue, identity=allow()) == "implicitDeny"
    assert outcome(action="sqs:SendMessage", resource_arn=queue, identity=allow(), owner=OWN) == "allowed"
    assert outcome(action="iam:GetPolicy", resource_arn="arn:aws:iam::aws:policy/P", identity=allow()) == "allowed"
    decision = evaluate(Request(USER, "s3:GetObject", OBJECT, principal_account=OWN, resource_account=OTHER), allow())
    assert decision.outcome == "implicitDeny" and OTHER in decision.because[-1]


def test_root_needs_the_other_side_across_accounts():
    assert outcome(ROOT, owner=OTHER) == "implicitDeny"
    assert outcome(ROOT, owner=OTHER, resource=lets(OWN)) == "allowed"


# Principals ------------------------------------------------------------------------------------------------------

def test_services_and_identity_providers_are_let_in_by_the_resource_alone():
    """"AWS JSON policy elements: Principal", AWS service principals and OIDC federated principals."""
    queue = f"arn:aws:sqs:us-east-1:{OWN}:q"
    by_service = allow("sqs:SendMessage", Principal={"Service": [SERVICE, "s3.amazonaws.com"]})
    assert outcome(SERVICE, "sqs:SendMessage", queue, resource=by_service) == "allowed"
    assert outcome("events.amazonaws.com", "sqs:SendMessage", queue, resource=by_service) == "implicitDeny"
    assert outcome(SERVICE, "sqs:SendMessage", queue, resource=by_service, scps=[deny()]) == "allowed"
    assert outcome(SERVICE, "sqs:SendMessage", queue, identity=allow()) == "implicitDeny"
    assert outcome(USER, "sqs:SendMessage", queue, resource=by_service) == "implicitDeny"
    provider = f"arn:aws:iam::{OWN}:oidc-provider/token.example.com"
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal":
                            {"Federated": provider}, "Condition": {"StringEquals": {"token.example.com:sub": "repo"}}}]}
    for who, sub, expected in ((provider, "repo", "allowed"), (provider, "fork", "implicitDeny"),
                               ("accounts.google.com", "repo", "implicitDeny")):
        context = {"token.example.com:sub": sub}
        assert outcome(who, "sts:AssumeRoleWithWebIdentity", ROLE, context, resource=trust) == expected


def test_service_principals_bring_their_keys():
    """"AWS JSON policy elements: NotPrincipal", example: deny every service but one with aws:PrincipalServiceName."""
    bucket = policy(statement(Principal="*"), statement("Deny", Principal="*", Condition={
        "StringNotEqualsIfExists": {"aws:PrincipalServiceName": "codebuild.amazonaws.com"},
        "Bool": {"aws:PrincipalIsAWSService": "true"}}))
    assert outcome("codebuild.amazonaws.com", resource=bucket) == "allowed"
    assert outcome(SERVICE, resource=bucket) == "explicitDeny"
    assert outcome(USER, resource=bucket) == "allowed"


@pytest.mark.parametrize("anonymous", [None, "*", "anonymous"])
def test_anonymous_callers_are_let_in_by_everybody_only(anonymous):
    assert outcome(anonymous, resource=lets("*")) == "allowed"
    assert outcome(anonymous, resource=lets(OWN)) == "implicitDeny"
    assert outcome(anonymous, identity=allow()) == "implicitDeny"
    signed_in = lets("*", Condition={"StringNotEquals": {"aws:PrincipalType": "Anonymous"}})
    assert outcome(anonymous, resource=signed_in) == "implicitDeny" and outcome(USER, resource=signed_in) == "allowed"


def test_the_root_user_is_held_back_by_guardrails_and_resource_policies_only():
    """"AWS account root user"; "Service control policies": they bind the root user of a member account too."""
    assert outcome(ROOT, identity=deny(), boundary=deny(), session=deny()) == "allowed"
    assert outcome(ROOT, scps=[allow(), deny("s3:*")]) == "explicitDeny"
    assert outcome(ROOT, scps=[NOTHING]) == "implicitDeny"
    assert outcome(ROOT, rcps=[deny("s3:*", Principal="*")]) == "explicitDeny"
    assert outcome(ROOT, resource=deny(Principal="*")) == "explicitDeny"
    assert outcome(OWN) == "allowed"  # an account's number stands for its root user


def test_principals_match_by_name_whatever_the_path_and_by_unique_id():
    elsewhere = f"arn:aws:iam::{OTHER}:role/path/work"
    assert outcome(SESSION, resource=lets(elsewhere)) == "implicitDeny"
    assert outcome(SESSION, resource=lets(USER)) == "implicitDeny"
    assert outcome(f"arn:aws:iam::{OWN}:user/Ann", resource=lets(USER)) == "implicitDeny"  # capitals count
    ids = {"aws:userid": "AROADBQP57FF2AEXAMPLE:mon"}
    assert outcome(SESSION, context=ids, resource=lets("AROADBQP57FF2AEXAMPLE")) == "allowed"
    assert outcome(SESSION, context=ids, resource=lets("AROADBQP57FF2AEXAMPLE"), session=NOTHING) == "implicitDeny"
    by_id = lets("AIDACKCEVSQ6C2EXAMPLE")
    assert outcome(USER, context={"aws:userid": "AIDACKCEVSQ6C2EXAMPLE"}, resource=by_id) == "allowed"
    assert outcome(USER, resource=by_id) == "implicitDeny"


def test_what_is_no_principal_is_a_mistake_of_the_caller():
    for wrong in (f"arn:aws:iam::{OWN}:group/devs", "arn:aws:s3:::b", f"arn:aws:iam::{OWN[1:]}:user/a"):
        with pytest.raises(ValueError, match="no principal"):
            outcome(wrong)


NOT_PRINCIPAL = [  # listed, who asks, denied?
    ([USER, ROOT], USER, False), ([USER, ROOT], f"arn:aws:iam::{OWN}:user/bob", True), ([USER], USER, False),
    ([ROOT], USER, False), ([OWN], SESSION, False), ([OTHER], USER, True), ([OWN], SERVICE, True), ([OWN], None, True),
    ([ROLE, ROOT], SESSION, False), ([ROLE, ROOT], USER, True), ([SESSION, ROLE, ROOT], SESSION, False),
    ([SESSION, ROLE, ROOT], f"{SESSION}day", True), ([ROLE], SESSION, False), ([SESSION], f"{SESSION}day", True),
]


@pytest.mark.parametrize("listed, principal, denied", NOT_PRINCIPAL)
def test_not_principal_with_deny_spares_the_listed(listed, principal, denied):
    """"AWS JSON policy elements: NotPrincipal"."""
    bucket = policy(statement(Principal="*"), statement("Deny", NotPrincipal={"AWS": listed}))
    assert outcome(principal, resource=bucket) == ("explicitDeny" if denied else "allowed")


def test_not_principal_with_deny_always_hits_a_principal_with_a_boundary():
    """"AWS JSON policy elements: NotPrincipal", key points."""
    bucket = policy(statement(Principal="*"), statement("Deny", NotPrincipal={"AWS": [USER, ROOT]}))
    assert outcome(USER, resource=bucket) == "allowed"
    assert outcome(USER, resource=bucket, boundary=allow()) == "explicitDeny"


def test_not_principal_of_services():
    bucket = policy(statement(Principal="*"), statement("Deny", NotPrincipal={"Service": SERVICE}))
    assert outcome(SERVICE, resource=bucket) == "allowed" and outcome(USER, resource=bucket) == "explicitDeny"


# Role trust and KMS keys ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("trust, identity, expected", [
    (None, allow(), "implicitDeny"), (lets(OTHER), allow(), "implicitDeny"), (lets(OWN), None, "implicitDeny"),
    (lets(OWN), allow("sts:AssumeRole"), "allowed"), (lets(USER), None, "allowed"),
    (lets(OWN), deny("sts:AssumeRole"), "explicitDeny")])
def test_a_role_is_assumed_only_with_its_trust_policy(trust, identity, expected):
    """"How AWS enforcement code logic ...": trust policies must explicitly allow. STS API Reference, AssumeRole: within
    the account, a user named in the trust policy needs no permission of its own."""
    assert outcome(USER, "sts:AssumeRole", ROLE, identity=identity or (), resource=trust) == expected


@pytest.mark.parametrize("key_policy, identity, expected", [
    (None, allow(), "implicitDeny"), (lets(OTHER, "kms:*"), allow(), "implicitDeny"),
    (lets(OWN, "kms:*"), None, "implicitDeny"), (lets(OWN, "kms:*"), allow("kms:Decrypt"), "allowed"),
    (lets(USER, "kms:Decrypt"), None, "allowed")])
def test_a_key_is_used_only_with_its_key_policy(key_policy, identity, expected):
    """KMS Developer Guide, "Key policies in AWS KMS": the statement for the account is what lets IAM policies count."""
    key = f"arn:aws:kms:us-east-1:{OWN}:key/1234"
    assert outcome(USER, "kms:Decrypt", key, identity=identity or (), resource=key_policy) == expected
    assert outcome(ROOT, "kms:Decrypt", key, resource=key_policy) == (
        "allowed" if key_policy == lets(OWN, "kms:*") else "implicitDeny")
    assert outcome(USER, "kms:ListKeys", "*", identity=allow()) == "allowed"


def test_the_root_user_cannot_assume_a_role():
    assert outcome(ROOT, "sts:AssumeRole", ROLE, resource=lets(OWN)) == "implicitDeny"


def test_anybody_may_ask_who_they_are():
    """STS API Reference, GetCallerIdentity: works even against an explicit denial."""
    assert outcome(USER, "sts:GetCallerIdentity", "*", identity=deny(), scps=[deny()]) == "allowed"


# Guardrails ------------------------------------------------------------------------------------------------------

def test_service_control_policies_must_allow_at_every_level():
    """"SCP evaluation": from the root through the units to the account; several at one level add up."""
    full, s3 = allow(), allow("s3:*")
    for scps, expected in (
            ((), "allowed"), ([full], "allowed"), ([s3], "allowed"), (s3, "allowed"), ([NOTHING], "implicitDeny"),
            ([NOTHING, s3], "allowed"), ([[full], [s3], [full]], "allowed"), ([[]], "implicitDeny"),
            ([[full], [NOTHING], [full]], "implicitDeny"), ([[full, deny("s3:*")], [full]], "explicitDeny"),
            ([[full], full], "allowed"), ([full, deny("ec2:*")], "allowed"), (json.dumps(full), "allowed"),
            ([[json.dumps(NOTHING)]], "implicitDeny")):
        assert outcome(identity=allow(), scps=scps) == expected, scps
        assert outcome(resource=lets(USER), scps=scps) == expected, scps
        assert outcome(owner=OTHER, identity=allow(), resource=lets(OWN), scps=scps) == expected, scps
    assert outcome(scps=[full]) == "implicitDeny"  # a guardrail grants nothing


def test_the_level_that_does_not_allow_is_named():
    decision = evaluate(Request(USER, "s3:GetObject", OBJECT), allow(), scps=[[allow()], [NOTHING], [allow()]])
    assert "of level 2 do not allow" in decision.because[-1]


def test_resource_control_policies_deny_and_grant_nothing():
    """"RCP evaluation": RCPFullAWSAccess is always attached."""
    outside = deny("s3:*", Principal="*", Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-own"},
                                                     "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})
    for who in (USER, SESSION, ROOT):
        ask = {"principal": who, "identity": allow(), "rcps": [[outside]]}
        assert outcome(**ask) == "explicitDeny"
        assert outcome(**ask, context={"aws:PrincipalOrgID": "o-own"}) == "allowed"
    assert outcome(rcps=[outside], context={"aws:PrincipalOrgID": "o-own"}) == "implicitDeny"
    assert outcome(SERVICE, resource=allow(Principal={"Service": SERVICE}), rcps=[outside]) == "allowed"
    assert outcome(None, resource=lets("*"), rcps=[outside]) == "explicitDeny"


@pytest.mark.parametrize("principal", [
    f"arn:aws:iam::{OWN}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
    f"arn:aws:sts::{OWN}:assumed-role/AWSServiceRoleForX/session"])
def test_guardrails_leave_service_linked_roles_alone(principal):
    assert outcome(principal, identity=allow(), scps=[deny()], rcps=[deny("s3:*", Principal="*")]) == "allowed"


# Statements ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("wanted, action, matches", [
    ("s3:GetObject", "s3:GetObject", True), ("S3:getobject", "s3:GetObject", True), ("s3:Get*", "s3:GetObject", True),
    ("s3:*Object", "s3:GetObject", True), ("s3:?etObject", "s3:GetObject", True),
    ("s3:?GetObject", "s3:GetObject", False),
    ("*", "s3:GetObject", True), ("*:*", "s3:GetObject", True), ("s3:Get", "s3:GetObject", False),
    ("iam:*AccessKey*", "iam:UpdateAccessKey", True), ("s3:*", "s3express:CreateBucket", False),
    (["ec2:*", "s3:GetObject"], "s3:GetObject", True)])
def test_actions_match_in_any_case_and_with_wildcards(wanted, action, matches):
    assert (outcome(action=action, identity=allow(wanted)) == "allowed") is matches
    other = policy({"Effect": "Allow", "NotAction": wanted, "Resource": "*"})
    assert (outcome(action=action, identity=other) == "allowed") is not matches


BUCKET = "arn:aws:s3:::b"
# The first lines are the table of "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs".
RESOURCES = [(f"{BUCKET}/*/test/*", f"{BUCKET}/{key}", True) for key in (
    "1/test/object.jpg", "1/2/test/object.jpg", "1/2/test/3/object.jpg", "1///test///object.jpg", "1/test/.jpg",
    "/test/object.jpg", "1/test/")] + [(f"{BUCKET}/*/test/*", f"{BUCKET}/{key}", False) for key in (
        "1-test/object.jpg", "test/object.jpg", "1/2/test.jpg")] + [
    ("*", "*", True), ("*", BUCKET, True), ("arn:aws:s3:::*", "*", False), (BUCKET, f"{BUCKET}/k", False),
    (f"{BUCKET}/K", f"{BUCKET}/k", False), (f"{BUCKET}?", f"{BUCKET}1", True),
    ("arn:aws:sqs", "arn:aws:sqs:us-east-1:111122223333:q", True),
    ("arn:aws:sqs:eu-*", "arn:aws:sqs:us-east-1:1:q", False),
    ("arn:aws:ec2:*:111122223333:instance/*", "arn:aws:ec2:us-east-1:111122223333:instance/i-1", True),
    ("arn:aws:ec2:*:111122223333:instance/*", "arn:aws:ec2:us-east-1:444455556666:instance/i-1", False),
    ("arn:aws:logs:*:*:log-group:a:*", "arn:aws:logs:us-east-1:111122223333:log-group:a:log-stream:b", True),
    (f"{BUCKET}/${{aws:username}}/*", f"{BUCKET}/ann/k", True),
    (f"{BUCKET}/${{aws:username}}/*", f"{BUCKET}/bob/k", False),
    (f"{BUCKET}/${{aws:PrincipalTag/team, 'all'}}", f"{BUCKET}/all", True), (f"{BUCKET}/a${{*}}", f"{BUCKET}/a*", True),
    (f"{BUCKET}/a${{*}}", f"{BUCKET}/ab", False), (f"{BUCKET}/${{aws:PrincipalTag/team}}", f"{BUCKET}/", False),
]


@pytest.mark.parametrize("wanted, resource, matches", RESOURCES)
def test_resources_match_with_wildcards_and_variables(wanted, resource, matches):
    assert (outcome(resource_arn=resource, owner=OWN, identity=allow("*", wanted)) == "allowed") is matches
    other = policy({"Effect": "Allow", "Action": "*", "NotResource": wanted})
    assert (outcome(resource_arn=resource, owner=OWN, identity=other) == "allowed") is not matches


def test_an_unknown_variable_matches_no_resource_so_that_not_resource_excepts_nothing():
    """"IAM policy elements: Variables and tags", "Policy variables with no value"."""
    home = f"{BUCKET}/${{aws:PrincipalTag/team}}/*"
    shut = policy(statement(), {"Effect": "Deny", "Action": "*", "NotResource": home})
    assert outcome(resource_arn=f"{BUCKET}/red/k", context={"aws:PrincipalTag/team": "red"}, identity=shut) == "allowed"
    assert outcome(resource_arn=f"{BUCKET}/red/k", identity=shut) == "explicitDeny"


def test_variables_need_the_version_of_the_language():
    """"IAM JSON policy elements: Version": 2008-10-17 and none know no variables."""
    written = statement("Allow", "*", f"{BUCKET}/${{aws:username}}")
    for document in (policy(written, version="2008-10-17"), {"Statement": written}):
        assert outcome(resource_arn=f"{BUCKET}/ann", identity=document) == "implicitDeny"
        assert outcome(resource_arn=f"{BUCKET}/${{aws:username}}", identity=document) == "allowed"
    assert outcome(resource_arn=f"{BUCKET}/ann", identity=policy(written)) == "allowed"


@pytest.mark.parametrize("principal, keys", [
    (USER, {"aws:PrincipalArn": USER, "aws:PrincipalAccount": OWN, "aws:PrincipalType": "User", "aws:username": "ann"}),
    (f"arn:aws:iam::{OWN}:user/path/to/ann", {"aws:username": "ann"}),
    (SESSION, {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/work", "aws:PrincipalType": "AssumedRole"}),
    (ROOT, {"aws:PrincipalType": "Account", "aws:userid": OWN, "aws:PrincipalArn": ROOT}),
    (FEDERATED, {"aws:PrincipalType": "FederatedUser", "aws:userid": f"{OWN}:ann", "aws:PrincipalArn": FEDERATED}),
    (None, {"aws:PrincipalType": "Anonymous", "aws:userid": "anonymous", "aws:PrincipalAccount": "anonymous"}),
    (SERVICE, {"aws:PrincipalServiceName": SERVICE, "aws:PrincipalIsAWSService": "true"}),
    (USER, {"aws:ResourceAccount": OWN, "aws:PrincipalIsAWSService": "false"})])
def test_keys_that_follow_from_the_request_are_there(principal, keys):
    """"IAM policy elements: Variables and tags", the table of principal key values."""
    bucket = lets("*", Condition={"StringEquals": keys})
    assert outcome(principal, resource=bucket, owner=OWN) == "allowed"


def test_anonymous_callers_have_no_key_that_says_whether_they_are_a_service():
    """"AWS global condition context keys", aws:PrincipalIsAWSService: anonymous requests do not include this key."""
    closed = policy(statement("Allow", "*", "*", Principal="*"), statement(
        "Deny", "*", "*", Principal="*", Condition={"Bool": {"aws:PrincipalIsAWSService": "false"}}))
    assert outcome(None, resource=closed) == "allowed" and outcome(USER, resource=closed) == "explicitDeny"


def test_only_users_have_a_user_name_and_given_keys_win():
    named = lets("*", Condition={"Null": {"aws:username": "false"}})
    assert [outcome(who, resource=named, owner=OWN) for who in (USER, SESSION, FEDERATED, SERVICE, None)] == [
        "allowed", *["implicitDeny"] * 4]
    with_path = lets("*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}})
    assert outcome(SESSION, resource=with_path) == "implicitDeny"
    assert outcome(SESSION, context={"AWS:principalarn": ROLE}, resource=with_path) == "allowed"


def test_mfa_protects_only_when_a_missing_key_counts():
    """"AWS global condition context keys", aws:MultiFactorAuthPresent: requests with access keys lack the key, and only
    BoolIfExists catches them."""
    for operator, expected in (("Bool", "allowed"), ("BoolIfExists", "explicitDeny")):
        identity = policy(statement(), statement("Deny", "ec2:StopInstances", Condition={
            operator: {"aws:MultiFactorAuthPresent": "false"}}))
        ask = {"action": "ec2:StopInstances", "resource_arn": "*", "identity": identity}
        assert outcome(**ask) == expected
        assert outcome(**ask, context={"aws:MultiFactorAuthPresent": False}) == "explicitDeny"
        assert outcome(**ask, context={"aws:MultiFactorAuthPresent": True}) == "allowed"


# Reasons ---------------------------------------------------------------------------------------------------------

def test_reasons_name_policy_statement_and_what_matched():
    read = Named("ReadReports", policy(statement("Allow", "s3:Get*", "arn:aws:s3:::b/*", Sid="Read")))
    decision = evaluate(Request(USER, "s3:GetObject", OBJECT), [read, NOTHING])
    assert decision.allowed and decision.because[0] == (
        "Identity policy ReadReports, statement Read allows: s3:GetObject matches Action s3:Get*; arn:aws:s3:::b/k "
        "matches Resource arn:aws:s3:::b/*.")
    assert [(one.policy, one.statement, one.applies, one.differs) for one in decision.findings] == [
        ("identity policy ReadReports", "statement Read", True, ""),
        ("identity policy 2", "statement 1", False, "Action")]


def test_reasons_name_the_condition_that_failed():
    identity = allow("s3:*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    decision = evaluate(Request(USER, "s3:GetObject", OBJECT, {"aws:SourceIp": "198.51.100.1"}), identity)
    assert decision.because[0] == ("Identity policy, statement 1 would allow, but aws:SourceIp is 198.51.100.1: "
                                   "IpAddress 203.0.113.0/24 does not hold.")


def test_a_decision_can_be_printed():
    assert str(evaluate(Request(USER, "s3:GetObject", None, None))).splitlines() == [
        "implicitDeny", "  No identity policy allows it, and no policy of the resource does."]


def test_every_denial_is_named():
    decision = evaluate(Request(USER, "s3:GetObject", OBJECT), deny(), boundary=deny(), scps=[deny("s3:*")])
    assert [sentence.split(",")[0] for sentence in decision.because[:-1]] == [
        "Service control policy of level 1", "Identity policy", "Permissions boundary"]


# What must hold for any policies -------------------------------------------------------------------------------

ACTIONS, ARNS = ["s3:GetObject", "s3:PutObject", "ec2:StopInstances"], [OBJECT, "arn:aws:s3:::b", "*"]
PRINCIPALS = [USER, SESSION, ROOT, FEDERATED, SERVICE, None]
CONDITIONS = [{}, {"Bool": {"aws:x": "true"}}, {"StringNotEquals": {"aws:y": "1"}}, {"Null": {"aws:x": "true"}}]


@st.composite
def statements(draw, named=False, effects=("Allow", "Deny")):
    made = {"Effect": draw(st.sampled_from(effects)), draw(st.sampled_from(["Action", "NotAction"])):
            draw(st.sampled_from(["s3:*", "s3:GetObject", "*"])), draw(st.sampled_from(["Resource", "NotResource"])):
            draw(st.sampled_from(["*", "arn:aws:s3:::b/*"])), "Condition": draw(st.sampled_from(CONDITIONS))}
    if named:
        made["Principal"] = draw(st.sampled_from(["*", {"AWS": [USER, ROLE]}, {"AWS": OWN}, {"AWS": SESSION},
                                                  {"Service": SERVICE}, {"AWS": FEDERATED}]))
    return made


def documents(named=False, effects=("Allow", "Deny")):
    return st.lists(statements(named, effects), min_size=1, max_size=2).map(lambda made: policy(*made))


RCP = policy(statement("Deny", "s3:Put*", Principal="*"))
cases = st.fixed_dictionaries({
    "request": st.builds(Request, st.sampled_from(PRINCIPALS), st.sampled_from(ACTIONS), st.sampled_from(ARNS),
                         st.sampled_from([{}, {"aws:x": "true"}, {"aws:x": "false", "aws:y": "1"}]), st.none(),
                         st.sampled_from([OWN, OTHER])),
    "identity": st.lists(documents(), max_size=2), "resource": st.none() | documents(named=True),
    "boundary": st.none() | documents(), "session": st.none() | documents(),
    "scps": st.lists(st.lists(documents(), min_size=1, max_size=2), max_size=2), "rcps": st.sampled_from([(), [RCP]])})
repeatable = settings(derandomize=True, deadline=None, max_examples=250)
ALL = statement("Deny", Principal="*")


def more(case, place, *added):
    """The case with statements added to one kind of policy."""
    if place in ("identity", "rcps"):
        return case | {place: [*case[place], policy(*added)]}
    if place == "scps":
        return case | {place: [[*level, policy(*added)] for level in case["scps"]] or [[policy(statement(), *added)]]}
    present = case[place]["Statement"] if case[place] else [statement()] if place != "resource" else []
    return case | {place: policy(*present, *added)}


@repeatable
@given(cases, st.sampled_from(["identity", "resource", "boundary", "session", "scps", "rcps"]))
def test_an_explicit_denial_anywhere_wins(case, place):
    """Given any case, when a Deny on everything is added to a policy that counts for the caller, it is denied."""
    kind = case["request"].principal
    assume(place in ("resource", "rcps") or place == "scps" and kind not in (SERVICE, None)
           or kind not in (SERVICE, None, ROOT))
    added = {"resource": ALL, "rcps": ALL | {"Action": ["s3:*", "ec2:*"]}}.get(place, statement("Deny"))
    assert evaluate(**more(case, place, added)).outcome == "explicitDeny"


@repeatable
@given(cases, st.sampled_from(["identity", "resource", "boundary", "session", "scps"]), st.data())
def test_a_deny_added_never_lets_more_through_and_an_allow_added_never_less(case, place, data):
    assume(case[place])
    rank = {"explicitDeny": 0, "implicitDeny": 1, "allowed": 2}
    before = evaluate(**case)
    for effect, sign in (("Deny", -1), ("Allow", 1)):
        after = evaluate(**more(case, place, data.draw(statements(place == "resource", (effect,)))))
        assert (rank[after.outcome] - rank[before.outcome]) * sign >= 0
        assert (before.allowed, after.allowed) != ((False, True) if effect == "Deny" else (True, False))


@repeatable
@given(cases)
def test_order_does_not_matter(case):
    expected = evaluate(**case).outcome
    turned = {place: case[place] and policy(*case[place]["Statement"][::-1])
              for place in ("resource", "boundary", "session")}
    for identity in permutations(case["identity"]):
        scps = [[policy(*one["Statement"][::-1]) for one in level[::-1]] for level in case["scps"][::-1]]
        assert evaluate(**case | turned | {"identity": identity, "scps": scps}).outcome == expected


@repeatable
@given(cases, documents())
def test_boundary_session_and_guardrails_only_narrow(case, document):
    """Given what was not allowed, when a limit is put on top, then it is still not allowed."""
    for place in ("boundary", "session", "scps", "rcps"):
        bare = case | {place: None if place in ("boundary", "session") else ()}
        assume(not (place == "session" and case["request"].principal == FEDERATED))  # who has nothing without one
        added = {"rcps": [RCP], "scps": [[document]]}.get(place, document)
        if not evaluate(**bare).allowed:
            assert not evaluate(**bare | {place: added}).allowed


@repeatable
@given(cases)
def test_every_decision_gives_its_reasons(case):
    decision = evaluate(**case)
    assert isinstance(decision, Decision) and decision.because and all(len(one) > 20 and one.endswith(".")
                                                                      for one in decision.because)
    if decision.outcome == "explicitDeny":
        assert any(" denies: " in sentence for sentence in decision.because)


def test_policies_may_be_json_text_and_stay_as_they_were():
    document = allow("s3:*")
    before = json.dumps(document)
    assert outcome(identity=before) == outcome(identity=[before]) == outcome(identity=document) == "allowed"
    assert json.dumps(document) == before
    with pytest.raises(ServiceError, match="MalformedPolicyDocument"):
        outcome(identity="{")
