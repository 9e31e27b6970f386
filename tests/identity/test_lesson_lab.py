"""Model and sandbox agree, with the policies read back through boto3."""

import json

import pytest

from kit import lab
from kit.identity.iam import Request, evaluate
from kit.identity.lab import stored_policies

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}
DENY = {"Effect": "Deny", "Action": "s3:Get*", "Resource": "arn:aws:s3:::reports/secret*"}
NEEDS_MFA = READ | {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}


@pytest.fixture
def office():
    """A bucket with two objects, and a way to ask as a user with the statements given."""
    with lab.start() as sandbox:
        iam, s3 = sandbox.client("iam"), sandbox.client("s3")
        s3.create_bucket(Bucket="reports")
        for key in ("a.csv", "secret.csv"):
            s3.put_object(Bucket="reports", Key=key, Body=b"1")

        def ask(key, own=(), of_group=()):
            iam.create_user(UserName="reader")
            if own:
                arn = iam.create_policy(PolicyName="Own", PolicyDocument=_text(own))["Policy"]["Arn"]
                iam.attach_user_policy(UserName="reader", PolicyArn=arn)
            if of_group:
                iam.create_group(GroupName="readers")
                iam.put_group_policy(GroupName="readers", PolicyName="Group", PolicyDocument=_text(of_group))
                iam.add_user_to_group(GroupName="readers", UserName="reader")
            pair = iam.create_access_key(UserName="reader")["AccessKey"]
            client = sandbox.client("s3", aws_access_key_id=pair["AccessKeyId"],
                                    aws_secret_access_key=pair["SecretAccessKey"])
            try:
                answered = bool(client.get_object(Bucket="reports", Key=key))
            except client.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "AccessDenied"
                answered = False
            request = Request(iam.get_user(UserName="reader")["User"]["Arn"], "s3:GetObject",
                              f"arn:aws:s3:::reports/{key}")
            return answered, evaluate(request, identity=stored_policies(iam, "reader")).allowed

        yield ask


def _text(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize("key, own, of_group, allowed", [
    ("a.csv", [], [], False), ("a.csv", [READ], [], True), ("a.csv", [], [READ], True),
    ("a.csv", [READ, DENY], [], True), ("secret.csv", [READ], [DENY], False),
    ("secret.csv", [DENY], [READ], False), ("secret.csv", [READ | {"Resource": "arn:aws:s3:::other/*"}], [], False)])
def test_given_policies_model_and_sandbox_agree(office, key, own, of_group, allowed):
    """IAM User Guide, "Policy evaluation for requests within a single account"."""
    assert office(key, own, of_group) == (allowed, allowed)


def test_given_a_condition_model_and_sandbox_agree(office):
    """IAM User Guide, "IAM JSON policy elements: Condition"."""
    assert office("a.csv", [NEEDS_MFA]) == (False, False)
