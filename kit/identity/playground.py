"""A small office with one bucket: who may do what, from where, with which proof, and at what hour?

Three kinds of people, the root user, and six policies between them. ``simulate`` asks ``iam.evaluate`` and lays the
answer out layer by layer, in the order in which AWS looks at them.

**Simplified** The office is one address range. The hour is an hour of one day, because no condition key knows the time
of day: aws:CurrentTime is compared with full dates.
**Not modelled** Groups, roles and sessions: their policies would stand beside these in the same layers.

IAM User Guide: "How AWS enforcement code logic evaluates requests to allow or deny access", "AWS
global condition context keys", "AWS: Allows MFA-authenticated IAM users to manage their own
credentials" (the BoolIfExists pattern).
"""

from dataclasses import dataclass

from kit.identity.iam import Decision, Named, Request, evaluate
from kit.sim import Records

ACCOUNT = "111122223333"
BUCKET = "arn:aws:s3:::reports"
DAY = "2026-11-23"
OFFICE, ELSEWHERE = "203.0.113.25", "198.51.100.7"  # addresses reserved for documentation, RFC 5737
WINDOW = (8, 18)  # hours of DAY, UTC, between which reports may be deleted

PEOPLE = ("reader", "developer", "administrator", "root user")
DEEDS = {"read a report": ("s3:GetObject", f"{BUCKET}/2026/november.csv"),
         "delete a report": ("s3:DeleteObject", f"{BUCKET}/2026/november.csv"),
         "start a server": ("ec2:RunInstances", "*"),
         "create a user": ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/newcomer")}

# The layers in AWS's order, with the kinds of policy that belong to each.
LAYERS = {"any Deny": "", "service control policy": "scp", "resource policy": "resource",
          "identity policy": "identity", "permissions boundary": "boundary"}


def _policy(name: str, *statements: dict) -> Named:
    return Named(name, {"Version": "2012-10-17", "Statement": list(statements)})


IDENTITY = {
    "reader": [_policy("ReadReports", {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
                                       "Resource": [BUCKET, f"{BUCKET}/*"]})],
    "developer": [_policy("Build", {"Sid": "Build", "Effect": "Allow", "Action": ["s3:*", "ec2:*", "iam:*"],
                                    "Resource": "*"})],
    "administrator": [_policy("AdministratorAccess", {"Sid": "All", "Effect": "Allow", "Action": "*",
                                                      "Resource": "*"})],
    "root user": [],
}
BOUNDARY = _policy("NoIdentities", {"Sid": "AllButIam", "Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
IN_OFFICE = _policy("OfficeOnly", {"Sid": "Outside", "Effect": "Deny", "Action": "*", "Resource": "*",
                                   "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}})
BUCKET_POLICY = _policy(
    "ReportsBucket",
    {"Sid": "DeleteNeedsMFA", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
     "Resource": f"{BUCKET}/*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}},
    {"Sid": "TooEarly", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": f"{BUCKET}/*",
     "Condition": {"DateLessThan": {"aws:CurrentTime": f"{DAY}T{WINDOW[0]:02}:00:00Z"}}},
    {"Sid": "TooLate", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": f"{BUCKET}/*",
     "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": f"{DAY}T{WINDOW[1]:02}:00:00Z"}}})
GUARDRAIL = _policy("NoServers", {"Sid": "AllButServers", "Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"})


@dataclass(frozen=True)
class Run:
    """layers: layer, said (allows, denies, nothing, not asked), statement, because. stopped_by: None if allowed."""

    request: Request
    decision: Decision
    layers: Records
    stopped_by: str | None


def simulate(who: str = "developer", what: str = "delete a report", office: bool = True, mfa: bool = False,
             hour: int = 10, guardrail: bool = False) -> Run:
    """Decide one request. hour: of the day, UTC; guardrail: whether the organization forbids servers (an SCP)."""
    if who not in PEOPLE or what not in DEEDS:
        raise ValueError(f"choose who from {', '.join(PEOPLE)} and what from {', '.join(DEEDS)}")
    if not 0 <= hour <= 23:
        raise ValueError(f"an hour of the day is 0 to 23, not {hour}")
    action, resource = DEEDS[what]
    request = Request(f"arn:aws:iam::{ACCOUNT}:{'root' if who == 'root user' else f'user/{who}'}", action, resource, {
        "aws:SourceIp": OFFICE if office else ELSEWHERE, "aws:MultiFactorAuthPresent": mfa,
        "aws:CurrentTime": f"{DAY}T{hour:02}:30:00Z"})
    decision = evaluate(request, identity=[*IDENTITY[who], IN_OFFICE],
                        resource=BUCKET_POLICY if action.startswith("s3:") else None,
                        boundary=BOUNDARY if who == "developer" else None, scps=[GUARDRAIL] if guardrail else ())
    return Run(request, decision, layers(decision), stopped_by(decision))


def stopped_by(decision: Decision) -> str | None:
    """The layer that refused, by the decision's own last reason."""
    if decision.allowed:
        return None
    if decision.outcome == "explicitDeny":
        return "any Deny"
    signs = {"service control": "service control policy", "permissions boundary does": "permissions boundary"}
    return next((layer for sign, layer in signs.items() if sign in decision.because[-1]), "identity policy")


def layers(decision: Decision) -> Records:
    """One row a layer: what it said to the request, which statement, and why. Works for any Decision."""
    rows = Records("layer", "said", "statement", "because")
    for layer, kind in LAYERS.items():
        found = [one for one in decision.findings if kind in ("", one.kind)]
        if layer == "any Deny":
            found = [one for one in found if one.effect == "Deny"]
        hit = next((one for effect in ("Deny", "Allow") for one in found if one.applies and one.effect == effect), None)
        if hit:
            rows.append(layer, "denies" if hit.effect == "Deny" else "allows",
                        hit.statement.removeprefix("statement "), str(hit))
        elif found:
            rows.append(layer, "nothing", "", str(found[0]))
        else:
            rows.append(layer, "not asked", "", "There is no such policy." if kind else "No statement denies.")
    return rows
