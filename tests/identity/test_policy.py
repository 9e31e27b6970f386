"""The grammar of policies: what is refused, and where ("Grammar of the IAM JSON policy language")."""

import json

import pytest

from kit.errors import ServiceError
from kit.identity.iam import Request, evaluate
from kit.identity.policy import KINDS, RCP_FULL_AWS_ACCESS, Named, check_policy

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
OPEN = READ | {"Principal": "*"}
TRUST = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
FORBID = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}


def policy(*statements, **more):
    return {"Version": "2012-10-17", "Statement": list(statements)} | more


def without(statement, *names):
    return {name: value for name, value in statement.items() if name not in names}


REFUSED = [  # kind, policy, the place, a word of what would be right
    ("identity", "no json", "policy", "JSON"), ("identity", [READ], "policy", "object"),
    ("identity", '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', "Version", "twice"),
    ("identity", '{"Statement": {"Effect": "Allow", "Effect": "Deny"}}', "Effect", "twice"),
    ("identity", {"Version": "2012-10-17"}, "Statement", "missing"), ("identity", policy(), "Statement", "empty"),
    ("identity", policy(READ, Version="2026-11-23"), "Version", "2012-10-17"),
    ("identity", policy(READ, Version=20121017), "Version", "2012-10-17"),
    ("identity", policy(READ, Id=["a"]), "Id", "text"), ("identity", policy(READ, Sids="a"), "Sids", "no such element"),
    ("identity", policy(READ, Statements=[]), "Statements", "Statement?"),
    ("identity", policy("s3:*"), "Statement[0]", "object"),
    ("identity", policy(READ, READ | {"Efect": "Deny"}), "Statement[1].Efect", "Effect?"),
    ("identity", policy(without(READ, "Effect")), "Statement[0].Effect", "missing"),
    ("identity", policy(READ | {"Effect": "allow"}), "Statement[0].Effect", "capitals"),
    ("identity", policy(READ | {"Effect": ["Allow"]}), "Statement[0].Effect", "Allow"),
    ("identity", {"Statement": READ | {"Effect": "Permit"}}, "Statement.Effect", "Deny"),
    ("identity", policy(without(READ, "Action")), "Statement[0].Action", "NotAction"),
    ("identity", policy(READ | {"NotAction": "s3:*"}), "Statement[0].NotAction", "one or the other"),
    ("identity", policy(READ | {"Action": []}), "Statement[0].Action", "empty"),
    ("identity", policy(READ | {"Action": {"s3": "Get"}}), "Statement[0].Action", "list of texts"),
    ("identity", policy(READ | {"Action": ["s3:Get*", 5]}), "Statement[0].Action", "list of texts"),
    ("identity", policy(READ | {"Action": "GetObject"}), "Statement[0].Action", "service:action"),
    ("identity", policy(READ | {"Action": ""}), "Statement[0].Action", "service:action"),
    ("identity", policy(READ | {"Action": "s3:Get:Object"}), "Statement[0].Action", "one colon"),
    ("identity", policy(READ | {"Action": "s 3:Get"}), "Statement[0].Action", "prefix"),
    ("identity", policy(READ | {"Action": "s*:Get"}), "Statement[0].Action", "prefix"),
    ("identity", policy(without(READ, "Resource")), "Statement[0].Resource", "NotResource"),
    ("identity", policy(READ | {"NotResource": "*"}), "Statement[0].NotResource", "one or the other"),
    ("identity", policy(READ | {"Resource": []}), "Statement[0].Resource", "empty"),
    ("identity", policy(READ | {"Resource": "my-bucket"}), "Statement[0].Resource", "ARN"),
    ("identity", policy(READ | {"Resource": ""}), "Statement[0].Resource", "ARN"),
    ("identity", policy(READ | {"Resource": "arn:aws"}), "Statement[0].Resource", "ARN"),
    ("identity", policy(READ | {"Resource": "arn:aws::bucket"}), "Statement[0].Resource", "ARN"),
    ("identity", policy(READ | {"Resource": "arn:azure:s3:::b"}), "Statement[0].Resource", "partition"),
    ("identity", policy(READ | {"Resource": "arn:aws:s3::b"}), "Statement[0].Resource", "colons"),
    ("identity", policy(READ | {"Resource": "arn:aws:s3:::\u4e2d"}), "Statement[0].Resource", "Latin-1"),
    ("identity", policy(READ | {"Sid": "two words"}), "Statement[0].Sid", "A-Z"),
    ("identity", policy(READ | {"Sid": 7}), "Statement[0].Sid", "text"),
    ("identity", policy(READ | {"Sid": "A"}, READ, READ | {"Sid": "A"}), "Statement[2].Sid", "differ"),
    ("identity", policy(OPEN), "Statement[0].Principal", "whoever carries it"),
    ("boundary", policy(OPEN), "Statement[0].Principal", "boundary"),
    ("session", policy(READ | {"NotPrincipal": "*"}), "Statement[0].NotPrincipal", "session"),
    ("session", policy(READ | {"Resource": "arn:aws:s3"}), "Statement[0].Resource", "six parts"),
    ("identity", policy(READ | {"Condition": []}), "Statement[0].Condition", "object"),
    ("identity", policy(READ | {"Condition": {"StringEqual": {"a": "b"}}}), "Statement[0].Condition.StringEqual",
     "StringEquals?"),
    ("identity", policy(READ | {"Condition": {"NullIfExists": {"a": "true"}}}), "Statement[0].Condition.NullIfExists",
     "no such operator"),
    ("identity", policy(READ | {"Condition": {"ForAnyValue::Bool": {"a": "true"}}}),
     "Statement[0].Condition.ForAnyValue::Bool", "no such operator"),
    ("identity", policy(READ | {"Condition": {"Bool": "true"}}), "Statement[0].Condition.Bool", "keys and values"),
    ("identity", policy(READ | {"Condition": {"Bool": {"aws:x": {}}}}), "Statement[0].Condition.Bool.aws:x", "list"),
    ("identity", policy(READ | {"Condition": {"Bool": {"a:x": [None]}}}), "Statement[0].Condition.Bool.a:x", "null"),
    ("identity", policy(READ | {"Condition": {"DateLessThan": {"aws:x": "tomorrow"}}}),
     "Statement[0].Condition.DateLessThan.aws:x", "no date"),
    ("identity", policy(READ | {"Condition": {"DateLessThan": {"aws:x": "2026-13"}}}),
     "Statement[0].Condition.DateLessThan.aws:x", "no date"),
    ("resource", policy(READ), "Statement[0].Principal", "NotPrincipal"),
    ("resource", policy(OPEN | {"NotPrincipal": "*"}), "Statement[0].NotPrincipal", "one or the other"),
    ("resource", policy(OPEN | {"Principal": "111122223333"}), "Statement[0].Principal", "object"),
    ("resource", policy(OPEN | {"Principal": {}}), "Statement[0].Principal", "object"),
    ("resource", policy(OPEN | {"Principal": {"Aws": "*"}}), "Statement[0].Principal.Aws", "AWS?"),
    ("resource", policy(OPEN | {"Principal": {"AWS": []}}), "Statement[0].Principal.AWS", "empty"),
    ("resource", policy(OPEN | {"Principal": {"AWS": "ann"}}), "Statement[0].Principal.AWS", "no account"),
    ("resource", policy(OPEN | {"Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}}),
     "Statement[0].Principal.AWS", "aws:PrincipalArn"),
    ("resource", policy(OPEN | {"Principal": {"AWS": "arn:aws:iam::111122223333:group/devs"}}),
     "Statement[0].Principal.AWS", "group"),
    ("resource", policy(OPEN | {"Principal": {"Service": "*"}}), "Statement[0].Principal.Service", "wildcard"),
    ("trust", policy(TRUST | {"Resource": "*"}), "Statement[0].Resource", "trust policy"),
    ("trust", policy(TRUST | {"Action": "s3:GetObject"}), "Statement[0].Action", "sts:AssumeRole"),
    ("trust", policy(without(TRUST, "Principal")), "Statement[0].Principal", "missing"),
    ("trust", policy(without(TRUST, "Principal") | {"NotPrincipal": "*"}), "Statement[0].NotPrincipal", "trust"),
    ("scp", policy(OPEN), "Statement[0].Principal", "every principal"),
    ("scp", {"Statement": [READ]}, "Version", "SCP"), ("scp", policy(READ, Version="2008-10-17"), "Version", "2012"),
    ("scp", policy(READ, Id="x"), "Id", "no such element"),
    ("rcp", policy(FORBID | {"Effect": "Allow"}), "Statement[0].Effect", "RCPFullAWSAccess"),
    ("rcp", policy(FORBID | {"Principal": {"AWS": "111122223333"}}), "Statement[0].Principal", "condition"),
    ("rcp", policy(FORBID | {"Action": "*"}), "Statement[0].Action", "name the service"),
    ("rcp", policy(without(FORBID, "Action") | {"NotAction": "s3:*"}), "Statement[0].NotAction", "not supported"),
    ("rcp", policy(without(FORBID, "Principal") | {"NotPrincipal": "*"}), "Statement[0].NotPrincipal", "not supported"),
]


@pytest.mark.parametrize("kind, document, place, word", REFUSED)
def test_a_malformed_policy_is_refused_with_its_place_and_what_would_be_right(kind, document, place, word):
    with pytest.raises(ServiceError) as refusal:
        check_policy(document, kind)
    assert refusal.value.code == "MalformedPolicyDocument"
    where, _, what = refusal.value.message.partition(": ")
    assert where == place and word in what


ACCEPTED = [
    ("identity", {"Statement": READ}), ("identity", policy(READ, Version="2008-10-17")),
    ("identity", policy(READ, Id="x")),
    ("identity", policy(READ | {"Sid": ""}, READ | {"Sid": ""})), ("identity", policy(READ | {"Action": "*"})),
    ("identity", policy(READ | {"Action": ["*:*", "S3:get*", "any-service.x:Do?it"]})),
    ("identity", policy(READ | {"Resource": ["*", "arn:aws:s3", "arn:aws:sqs:*", "arn:*:s3:::b"]})),
    ("identity", policy(READ | {"Resource": "arn:aws-us-gov:s3:::b"})),
    ("identity", policy(READ | {"Resource": "arn:aws:iam::*:user/${aws:username, 'nobody'}"})),
    ("identity", policy(without(READ, "Action", "Resource") | {"NotAction": "iam:*", "NotResource": "arn:aws:s3:::b"})),
    ("identity", policy(READ | {"Condition": {}})), ("identity", policy(READ | {"Condition": {"Bool": {}}})),
    ("identity", policy(READ | {"Condition": {"Unknown": {}}})),  # asks for nothing, and AWS lets it pass
    ("identity", policy(READ | {"Condition": {
        "StringEquals": {"a:b": []}, "NumericLessThan": {"s3:max-keys": 10}, "Bool": {"aws:x": True},
        "ForAllValues:StringLikeIfExists": {"k:x": "*"}}})),
    ("identity", policy(READ | {"Condition": {"DateGreaterThan": {"aws:CurrentTime": [
        "2026", "2026-11", "2026-11-23", "2026-11-23T08:00Z", "2026-11-23t08:00:00.5+01:00", "1795420800"]}}})),
    ("identity", policy(READ | {"Condition": {"IpAddress": {"aws:SourceIp": "anywhere"}}})),
    ("boundary", policy(READ)), ("session", policy(READ)),
    ("resource", policy(OPEN | {"Sid": "two words"})), ("resource", policy(without(OPEN, "Resource"))),
    ("resource", policy(without(OPEN, "Principal") | {"NotPrincipal": {"AWS": "111122223333"}, "Effect": "Deny"})),
    ("resource", policy(OPEN | {"Principal": {"AWS": ["*", "111122223333", "arn:aws:iam::111122223333:root",
                                                      "arn:aws:iam::111122223333:role/path/r", "AIDACKCEVSQ6C2EXAMPLE",
                                                      "arn:aws:sts::111122223333:assumed-role/r/s",
                                                      "arn:aws:sts::111122223333:federated-user/f",
                                                      "arn:aws:iam::cloudfront:user/Origin Access Identity E1"],
                                              "Service": ["sns.amazonaws.com"], "CanonicalUser": "79a59df9",
                                              "Federated": "cognito-identity.amazonaws.com"}})),
    ("trust", policy(TRUST | {"Action": ["sts:AssumeRole", "sts:TagSession"]})), ("trust", {"Statement": TRUST}),
    ("scp", policy(READ | {"Condition": {"Bool": {"aws:x": "true"}}})), ("rcp", policy(FORBID)),
    ("rcp", RCP_FULL_AWS_ACCESS),
    ("rcp", policy({"Sid": "Full", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["*"], "Resource": ["*"]})),
]


@pytest.mark.parametrize("kind, document", ACCEPTED)
def test_what_aws_accepts_is_accepted_as_a_dict_and_as_json_text(kind, document):
    check_policy(document, kind)
    check_policy(json.dumps(document), kind)
    check_policy(Named("some name", document), kind)


def test_evaluate_refuses_a_malformed_policy_of_any_kind():
    """Given a misspelt operator in each place a policy can be, when a request is evaluated, it is refused."""
    request = Request("arn:aws:iam::111122223333:user/ann", "s3:GetObject", "arn:aws:s3:::b/k")
    bad = {"Condition": {"StringEqual": {"a:b": "c"}}}
    for place, broken in (("identity", READ | bad), ("resource", OPEN | bad), ("boundary", READ | bad),
                          ("session", READ | bad), ("scps", READ | bad), ("rcps", FORBID | bad)):
        with pytest.raises(ServiceError, match=r"Statement\[0\].Condition.StringEqual"):
            evaluate(request, **{place: [policy(broken)]})


def test_an_unknown_kind_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="identity, boundary"):
        check_policy(policy(READ), "bucket")
    assert len(KINDS) == 7
