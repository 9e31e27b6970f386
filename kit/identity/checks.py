"""The exercises of 02_identity: decide, grant little, ask for MFA, trust the right one, diagnose, count a code."""

import hmac
from hashlib import sha1

from kit.course.exercise import Exercise, Misconception
from kit.identity import mfa, playground
from kit.identity.iam import Request, evaluate

ME = "arn:aws:iam::111122223333:user/reader"
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


# 1. Trace: four facts and a wall between accounts

FACTS = ("denied", "guardrail_allows", "identity_allows", "resource_allows", "same_account")


def _facts(*true):
    return {fact: fact in true for fact in FACTS}


def _decide(denied, guardrail_allows, identity_allows, resource_allows, same_account):
    """The same facts as policies, put to the model."""
    silent = _policy(ALLOW_ALL | {"Action": "sqs:*"})
    request = Request(ME, "s3:GetObject", "arn:aws:s3:::reports/2026.csv",
                      resource_account="111122223333" if same_account else "444455556666")
    named = {"Effect": "Allow", "Principal": {"AWS": ME}, "Resource": "*",
             "Action": "s3:GetObject" if resource_allows else "s3:PutObject"}
    deny = [_policy({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"})] if denied else []
    return evaluate(request, identity=[_policy(ALLOW_ALL) if identity_allows else silent, *deny],
                    resource=_policy(named), scps=[_policy(ALLOW_ALL) if guardrail_allows else silent]).outcome


def _any_allow_wins(denied, guardrail_allows, identity_allows, resource_allows, same_account):
    if identity_allows or resource_allows:
        return "allowed" if guardrail_allows else "implicitDeny"
    return "explicitDeny" if denied else "implicitDeny"


def _one_side_is_enough(denied, guardrail_allows, identity_allows, resource_allows, same_account):
    if denied:
        return "explicitDeny"
    return "allowed" if guardrail_allows and (identity_allows or resource_allows) else "implicitDeny"


def _guardrails_grant(denied, guardrail_allows, identity_allows, resource_allows, same_account):
    if denied:
        return "explicitDeny"
    return "allowed" if guardrail_allows else "implicitDeny"


decide = Exercise(
    id="02-decide", title="Decide as AWS does", points=2,
    cases=lambda rng: [_facts("guardrail_allows", "identity_allows", "same_account"),
                       _facts("denied", "guardrail_allows", "identity_allows", "same_account"),
                       _facts("guardrail_allows", "resource_allows"), _facts("guardrail_allows", "same_account"),
                       _facts("identity_allows", "resource_allows", "same_account"),
                       _facts("guardrail_allows", "resource_allows", "same_account"),
                       *({fact: rng.random() < 0.5 for fact in FACTS} for _ in range(8))],
    expected=lambda case: _decide(**case),
    why=lambda case, got, want: "A Deny that applies ends it. Then the guardrail must let it pass. Then somebody must "
                                "grant it: one side within an account, both sides across accounts.",
    misconceptions=[
        Misconception("an Allow beats a Deny", _any_allow_wins,
                      "You let an Allow win over a Deny. What does AWS look for first?"),
        Misconception("one side is enough everywhere", _one_side_is_enough,
                      "Within one account one side is enough. Who in the other account let the caller out?"),
        Misconception("guardrails grant", _guardrails_grant,
                      "A guardrail that allows lets pass what others grant. Who granted it?")])


# 2. Build: least privilege for one folder

def _folder(bucket, prefix):
    return _policy({"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
                    "Resource": f"arn:aws:s3:::{bucket}/{prefix}/*"},
                   {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}",
                    "Condition": {"StringLike": {"s3:prefix": f"{prefix}/*"}}})


def _tried(policy, case):
    """What the policy lets through, request by request."""
    bucket, prefix = (f"arn:aws:s3:::{case['bucket']}", case["prefix"])
    asked = {"read in the folder": ("s3:GetObject", f"{bucket}/{prefix}/a.csv", {}),
             "write in the folder": ("s3:PutObject", f"{bucket}/{prefix}/2026/b.csv", {}),
             "list the folder": ("s3:ListBucket", bucket, {"s3:prefix": f"{prefix}/"}),
             "list the whole bucket": ("s3:ListBucket", bucket, {}),
             "list a neighbour": ("s3:ListBucket", bucket, {"s3:prefix": "payroll/"}),
             "read a neighbour": ("s3:GetObject", f"{bucket}/payroll/a.csv", {}),
             "read a folder with a longer name": ("s3:GetObject", f"{bucket}/{prefix}-secret/a.csv", {}),
             "delete in the folder": ("s3:DeleteObject", f"{bucket}/{prefix}/a.csv", {}),
             "read in another bucket": ("s3:GetObject", f"{bucket}-backup/{prefix}/a.csv", {})}
    return {what: evaluate(Request(ME, action, resource, keys), identity=policy).allowed
            for what, (action, resource, keys) in asked.items()}


def _folder_why(case, got, want):
    if not isinstance(got, dict):
        return "The policy could not be read: give a dict with Version and Statement."
    wrong = [f"{what} should be {'allowed' if want[what] else 'refused'}" for what in want if got[what] != want[what]]
    return f"With your policy: {'; '.join(wrong)}."


folder = Exercise(
    id="02-folder", title="One folder and no more", points=3,
    cases=lambda rng: [{"bucket": "reports", "prefix": "team-a"},
                       {"bucket": f"data-{rng.randint(100, 999)}", "prefix": f"team-{rng.choice('bcdefgh')}"}],
    expected=lambda case: _tried(_folder(**case), case),
    run=lambda answer, case: _tried(answer(**case), case),
    why=_folder_why,
    misconceptions=[
        Misconception("the whole bucket", lambda bucket, prefix: _policy(
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
             "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}),
            "This opens the whole bucket. Put the prefix into the Resource for objects, and into a condition on "
            "s3:prefix for the list."),
        Misconception("lists on the objects", lambda bucket, prefix: _policy(
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
             "Resource": f"arn:aws:s3:::{bucket}/{prefix}/*"}),
            "s3:ListBucket is asked of the bucket, not of an object: its Resource is the bucket's ARN, with no path."),
        Misconception("no slash after the prefix", lambda bucket, prefix: _policy(
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
             "Resource": f"arn:aws:s3:::{bucket}/{prefix}*"},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}",
             "Condition": {"StringLike": {"s3:prefix": f"{prefix}*"}}}),
            "Without the slash the pattern also covers folders whose names merely begin the same.")])


# 3. Modify: no writing without MFA

def _needs_mfa(actions):
    return {"Effect": "Deny", "Action": actions, "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}


def _with_mfa(statement, case):
    asked = {"signed in with MFA": {"aws:MultiFactorAuthPresent": True},
             "signed in without MFA": {"aws:MultiFactorAuthPresent": False}, "access key (no such key)": {}}
    policies = [_policy(ALLOW_ALL), _policy(statement)]
    return {f"{action}, {how}": evaluate(Request(ME, action, "*", keys), identity=policies).outcome
            for how, keys in asked.items() for action in (*case["actions"], "s3:GetObject")}


def _mfa_why(case, got, want):
    if not isinstance(got, dict):
        return "Give one statement, a dict with Effect, Action, Resource and Condition."
    wrong = next(what for what in want if got[what] != want[what])
    return f"{wrong}: {got[wrong]}, and it should be {want[wrong]}."


needs_mfa = Exercise(
    id="02-mfa", title="Not without MFA", points=2,
    cases=lambda rng: [{"actions": ["s3:DeleteObject"]},
                       {"actions": rng.sample(["iam:CreateUser", "ec2:TerminateInstances", "kms:DisableKey",
                                               "s3:DeleteBucket", "rds:DeleteDBInstance"], 2)}],
    expected=lambda case: _with_mfa(_needs_mfa(**case), case),
    run=lambda answer, case: _with_mfa(answer(**case), case),
    why=_mfa_why,
    misconceptions=[
        Misconception("Bool lets a missing key through", lambda actions: {
            "Effect": "Deny", "Action": actions, "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
            "A request with a long-lived access key has no aws:MultiFactorAuthPresent at all. Which operator holds "
            "then?"),
        Misconception("denies those with MFA", lambda actions: {
            "Effect": "Deny", "Action": actions, "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}},
            "Read it aloud: deny when MFA is present. Whom do you want to stop?"),
        Misconception("an Allow does not take away", lambda actions: {
            "Effect": "Allow", "Action": actions, "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
            "Another policy already allows everything. One more Allow takes nothing away.")])


# 4. Modify: a trust policy for one partner and one customer

def _trust(partner, external_id):
    return _policy({"Effect": "Allow", "Principal": {"AWS": partner}, "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": external_id}}})


def _assumed(trust, case):
    partner, external_id = case["partner"], case["external_id"]
    asked = {"the partner with your ID": (f"arn:aws:iam::{partner}:role/Monitor", external_id),
             "the partner for another customer": (f"arn:aws:iam::{partner}:role/Monitor", external_id + "0"),
             "the partner without an ID": (f"arn:aws:iam::{partner}:role/Monitor", None),
             "a stranger who knows the ID": ("arn:aws:iam::999988887777:role/Monitor", external_id)}
    return {who: evaluate(Request(arn, "sts:AssumeRole", "arn:aws:iam::111122223333:role/Auditor",
                                  {"sts:ExternalId": sent} if sent else {}),
                          identity=_policy(ALLOW_ALL), resource=trust).allowed for who, (arn, sent) in asked.items()}


def _trust_why(case, got, want):
    if not isinstance(got, dict):
        return "The trust policy could not be read."
    wrong = [f"{who} {'gets in' if got[who] else 'stays out'}" for who in want if got[who] != want[who]]
    return f"With your trust policy: {'; '.join(wrong)}."


trust = Exercise(
    id="02-trust", title="The deputy is not confused", points=3,
    cases=lambda rng: [{"partner": "444455556666", "external_id": "customer-17"},
                       {"partner": f"{rng.randint(1, 9)}0{rng.randint(10**9, 10**10 - 1)}",
                        "external_id": f"customer-{rng.randint(100, 999)}"}],
    expected=lambda case: _assumed(_trust(**case), case),
    run=lambda answer, case: _assumed(answer(**case), case),
    why=_trust_why,
    misconceptions=[
        Misconception("no external ID", lambda partner, external_id: _policy(
            {"Effect": "Allow", "Principal": {"AWS": partner}, "Action": "sts:AssumeRole"}),
            "The partner comes in for any of its customers. Ask for the ID that only you were given."),
        Misconception("the ID is a password", lambda partner, external_id: _policy(
            {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole",
             "Condition": {"StringEquals": {"sts:ExternalId": external_id}}}),
            "The external ID is no secret. Name the partner's account as the Principal as well."),
        Misconception("IfExists", lambda partner, external_id: _policy(
            {"Effect": "Allow", "Principal": {"AWS": partner}, "Action": "sts:AssumeRole",
             "Condition": {"StringEqualsIfExists": {"sts:ExternalId": external_id}}}),
            "With IfExists a request that sends no ID at all passes.")])


# 5. Diagnose: which layer stopped it?

def _said(case):
    rows = playground.simulate(**case).layers
    return dict(zip(rows["layer"], rows["said"]))


def _diagnosed(said):
    if said["any Deny"] == "denies":
        return "any Deny"
    if said["service control policy"] == "nothing":
        return "service control policy"
    if said["identity policy"] != "allows":
        return "identity policy"
    return "permissions boundary" if said["permissions boundary"] == "nothing" else None


def _first_silence(said):
    if said["any Deny"] == "denies":
        return "any Deny"
    return next((layer for layer in ("service control policy", "resource policy", "identity policy",
                                     "permissions boundary") if said[layer] == "nothing"), None)


def _identity_only(said):
    if said["any Deny"] == "denies":
        return "any Deny"
    return None if said["identity policy"] == "allows" else "identity policy"


def _request(who, what, mfa=True, office=True, hour=10, guardrail=False):
    return {"who": who, "what": what, "office": office, "mfa": mfa, "hour": hour, "guardrail": guardrail}


diagnose = Exercise(
    id="02-diagnose", title="Who refused?", points=3,
    cases=lambda rng: [_request("reader", "read a report"), _request("reader", "create a user"),
                       _request("developer", "create a user"), _request("developer", "delete a report", mfa=False),
                       _request("administrator", "start a server", guardrail=True),
                       _request("reader", "start a server", guardrail=True),
                       _request("reader", "delete a report"),
                       *(_request(rng.choice(playground.PEOPLE[:3]), rng.choice(list(playground.DEEDS)),
                                  mfa=rng.random() < 0.7, office=rng.random() < 0.7, hour=rng.randrange(24),
                                  guardrail=rng.random() < 0.5) for _ in range(6))],
    expected=lambda case: playground.simulate(**case).stopped_by,
    run=lambda answer, case: answer(_said(case)),
    show=lambda case: f"{case['who']}, {case['what']}: " + ", ".join(f"{layer}: {said}" for layer, said
                                                                     in _said(case).items()),
    why="Go in AWS's order and stop at the first layer that ends it: a Deny, a guardrail that does not allow, no "
        "grant, a boundary that does not allow. A bucket policy that says nothing stops nobody within the account.",
    misconceptions=[
        Misconception("every silent layer refuses", _first_silence,
                      "Within one account the resource policy need not allow: an identity policy is enough."),
        Misconception("only the identity policy counts", _identity_only,
                      "An identity policy that allows can be cut off by a guardrail before it, or by a boundary "
                      "after it.")])


# 6. Build: the digits of a code

# of the secret of RFC 4226: counters whose code begins with 0, and whose number has its highest bit set
ZERO, HIGH = 30, 1


def _digits(digest):
    """What mfa.hotp does with a digest."""
    place = digest[-1] & 0xF
    return str((int.from_bytes(digest[place:place + 4], "big") & 0x7FFF_FFFF) % 10 ** mfa.DIGITS).zfill(mfa.DIGITS)


def _digest(counter, secret=b"12345678901234567890"):
    return hmac.digest(secret, counter.to_bytes(8, "big"), sha1)


code = Exercise(
    id="02-code", title="Six digits from a hash", points=3,
    cases=lambda rng: [{"digest": _digest(1)}, {"digest": _digest(ZERO)}, {"digest": _digest(HIGH)},
                       {"digest": _digest(rng.randrange(10 ** 6))}],
    expected=lambda case: _digits(case["digest"]),
    show=lambda case: f"digest={case['digest'].hex()}",
    why="The phone and AWS must get the same six digits from the same hash, in the same way, every time.",
    misconceptions=[
        Misconception("the first four bytes", lambda digest: str((int.from_bytes(digest[:4], "big") & 0x7FFF_FFFF)
                                                                 % 10 ** 6).zfill(6),
                      "Which four bytes count is said by the last half byte of the hash itself."),
        Misconception("zeros dropped", lambda digest: _digits(digest).lstrip("0"),
                      "A code has always six digits: 042137, not 42137."),
        Misconception("highest bit kept", lambda digest: str(int.from_bytes(
            digest[digest[-1] & 0xF:(digest[-1] & 0xF) + 4], "big") % 10 ** 6).zfill(6),
            "Clear the highest bit first (& 0x7FFF_FFFF), so that it cannot be taken for a sign.")])
