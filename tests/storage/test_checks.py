"""Each exercise: the solution passes, a blank is the learner's turn, each misconception gets its own hint."""

from datetime import timedelta

import pytest

from kit.course.exercise import Exercise, prove
from kit.storage import checks

LEARNERS = ["", *(f"learner {number}" for number in range(12))]
AUDITOR = {"AWS": "arn:aws:iam::111122223333:role/auditor"}
RULES = [{"Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Transitions": [
    {"Days": 90, "StorageClass": "GLACIER"}, {"Days": 30, "StorageClass": "STANDARD_IA"}], "Expiration": {"Days": 400}},
    {"Status": "Enabled", "Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]
POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": AUDITOR, "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::ledger/2026/*"},
    {"Effect": "Allow", "Principal": AUDITOR, "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::ledger",
     "Condition": {"StringLike": {"s3:prefix": ["2026/*"]}}}]}


def last_get(steps):
    there = []
    for verb, text in steps:
        if verb != "undo":
            there.append(text if verb == "put" else "404")
        elif there:
            there.pop()
    return there[-1] if there else "404"


def due(created, days):
    return (created + timedelta(days=days + 1)).replace(hour=0, minute=0, second=0, microsecond=0)


def saved(size, months):
    """The prices are those that storage_classes names; 128 KB at least ("Using Amazon S3 storage classes")."""
    return months * (size * 0.023 - max(size, 128 * 1024) * 0.0125) / 2**30 - 0.00001


SOLUTIONS = {
    "what_is_there": last_get,
    "moved_at": due,
    "old_logs": RULES,
    "one_prefix": POLICY,
    "worth_moving": saved,
    "hidden_bytes": lambda versions, markers, parts: sum(parts) + sum(v["Size"] for v in versions if not v["IsLatest"]),
}


@pytest.mark.parametrize("name", [name for name, value in vars(checks).items() if isinstance(value, Exercise)])
def test_an_exercise_tells_right_from_wrong(name):
    prove(getattr(checks, name), SOLUTIONS[name], LEARNERS)


def test_rules_and_policies_that_s3_would_refuse_are_told_in_words():
    verdict = checks.old_logs.examine([{"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 0}}])
    assert not verdict.right and not verdict.blank and "InvalidArgument" in " ".join(verdict.words)
    verdict = checks.one_prefix.examine({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})
    assert not verdict.right and not verdict.blank and "MalformedPolicy" in " ".join(verdict.words)


def test_who_is_wrong_about_money_is_told_how_much_it_is():
    verdict = checks.worth_moving.examine(lambda size, months: 1.0 if size < 100_000 else saved(size, months))
    words = " ".join(verdict.words)
    assert saved(64 * 1024, 12) < 0 and f"costs {-saved(64 * 1024, 12):.2g} dollars more" in words
    assert "64 KB for 12 months" in words
