"""The exercises of 02_identity: the solution passes, and every misconception is recognized."""

import pytest

from kit.course.exercise import prove
from kit.identity import checks

LEARNERS = ["", *(f"learner {n}" for n in range(12))]


def decide(denied, guardrail_allows, identity_allows, resource_allows, same_account):
    if denied:
        return "explicitDeny"
    granted = identity_allows or resource_allows if same_account else identity_allows and resource_allows
    return "allowed" if guardrail_allows and granted else "implicitDeny"


def folder(bucket, prefix):
    objects, bucket = f"arn:aws:s3:::{bucket}/{prefix}/*", f"arn:aws:s3:::{bucket}"
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": objects},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket,
         "Condition": {"StringLike": {"s3:prefix": f"{prefix}/*"}}}]}


def folder_otherwise(bucket, prefix):
    """Another correct way: the list by StringEquals, the objects in two statements."""
    policy = folder(bucket, prefix)
    policy["Statement"][1]["Condition"] = {"StringEquals": {"s3:prefix": f"{prefix}/"}}
    first = policy["Statement"][0]
    return policy | {"Statement": [first | {"Action": action} for action in first["Action"]] + policy["Statement"][1:]}


def needs_mfa(actions):
    return {"Effect": "Deny", "Action": actions, "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}


def needs_mfa_otherwise(actions):
    return needs_mfa(actions) | {"Condition": {"StringNotEqualsIgnoreCase": {"aws:MultiFactorAuthPresent": "true"}}}


def trust(partner, external_id):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{partner}:root"}, "Action": "sts:AssumeRole",
         "Condition": {"StringEquals": {"sts:ExternalId": external_id}}}]}


def diagnose(said):
    if said["any Deny"] == "denies":
        return "any Deny"
    if said["service control policy"] == "nothing":
        return "service control policy"
    if said["identity policy"] != "allows":
        return "identity policy"
    if said["permissions boundary"] == "nothing":
        return "permissions boundary"
    return None


def code(digest):
    place = digest[-1] & 0xF
    number = int.from_bytes(digest[place:place + 4], "big") & 0x7FFF_FFFF
    return f"{number % 1_000_000:06}"


SOLUTIONS = [(checks.decide, decide), (checks.folder, folder), (checks.needs_mfa, needs_mfa), (checks.trust, trust),
             (checks.diagnose, diagnose), (checks.code, code)]


@pytest.mark.parametrize("exercise, solution", SOLUTIONS, ids=lambda one: getattr(one, "id", ""))
def test_the_solution_passes_and_each_misconception_gets_its_hint(exercise, solution):
    prove(exercise, solution, learners=LEARNERS)


@pytest.mark.parametrize("exercise, otherwise", [(checks.folder, folder_otherwise), (checks.needs_mfa,
                                                                                    needs_mfa_otherwise)])
def test_given_another_correct_answer_it_passes_too(exercise, otherwise):
    assert exercise.examine(otherwise).right


@pytest.mark.parametrize("exercise", [exercise for exercise, _ in SOLUTIONS], ids=lambda one: one.id)
@pytest.mark.parametrize("answer", ["text", 42, lambda *a, **k: "text", lambda *a, **k: 1 / 0],
                         ids=["a text", "a number", "returns a text", "raises"])
def test_given_an_odd_answer_it_is_answered_in_words(exercise, answer):
    verdict = exercise.examine(answer)
    assert not verdict.right and all(isinstance(word, str) for word in verdict.words)
