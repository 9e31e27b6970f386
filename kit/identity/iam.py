"""May this principal do this? AWS's policy evaluation, with the reasons.

Every request to AWS is decided by the same few rules over up to six kinds of policy:

1. A Deny that applies, in any of them, ends it: **explicitDeny**.
2. Guardrails: if an organization uses them, the resource control policies (of the resource's account) and the service
   control policies (of the principal's account, at every level from the root down) must allow. They grant nothing.
3. A grant: an identity policy or the resource's own policy within one account; both across accounts.
4. Limits: what an identity policy grants, the permissions boundary and the session policy must allow too.
5. Otherwise nothing allowed it: **implicitDeny**.

What a resource policy grants by itself depends on how deep it names the principal: see ``principals``. Two resource
policies have the last word also within one account: without a role's trust policy nobody assumes the role, and without
a key's policy nobody uses the KMS key. The root user needs no grant in its own account; guardrails and resource
policies hold it back, policies of the other kinds cannot.

**Simplified** RCPFullAWSAccess is always attached, as AWS attaches it, so a resource control policy only denies; here
it reaches every service, on AWS those that support such policies (S3, STS, KMS, SQS, Secrets Manager and some more). An
ARN that names no account (S3) is taken to be in the principal's account unless the request says otherwise.
**Not modelled** VPC endpoint policies, KMS grants, S3 access control lists and Block Public Access, requests forwarded
by services, sts:AssumeRoot; that a root user may always repair a bucket or queue policy that shut it out.

IAM User Guide, read 2026-11-23: "Policy evaluation logic", "How AWS enforcement code logic evaluates requests to allow
or deny access", "Policy evaluation for requests within a single account", "Cross-account policy evaluation logic",
"Permissions boundaries for IAM entities". AWS Organizations User Guide: "SCP evaluation", "RCP evaluation".
STS API Reference: "GetCallerIdentity", "AssumeRole". KMS Developer Guide: "Key policies in AWS KMS".
"""

import re
from dataclasses import dataclass, field, replace

from kit.identity.conditions import Context
from kit.identity.policy import Named, check_policy
from kit.identity.principals import ITS_ACCOUNT, ITS_ROLE, ITSELF, Principal, keys_of, read_principal
from kit.identity.statements import KINDS, Asked, Finding

__all__ = ["Decision", "Finding", "Named", "Request", "check_policy", "evaluate"]

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"


@dataclass(frozen=True)
class Request:
    """Who wants to do what to which resource, under which circumstances.

    principal: an ARN (user, role, assumed-role session, federated user, root user, identity provider), an account's 12
    digits (its root user), a service such as "sns.amazonaws.com", or None for an anonymous caller.
    action: such as "s3:GetObject". resource: an ARN, or "*" for an action that is about no single resource.
    context: condition keys in any case, each with a value or a list of values. Keys that follow from the principal
    and the resource need not be given: aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:username,
    aws:userid (root, federated, anonymous), aws:PrincipalIsAWSService, aws:PrincipalServiceName, aws:ResourceAccount.
    Give aws:PrincipalArn for a role with a path: a session's ARN does not show the path.
    """

    principal: str | None
    action: str
    resource: str = "*"
    context: dict = field(default_factory=dict)
    principal_account: str | None = None
    resource_account: str | None = None


@dataclass(frozen=True)
class Decision:
    """outcome: "allowed", "explicitDeny" or "implicitDeny". because: the sentences that led there, in order.

    findings: every statement of every policy that was looked at, for drawing the whole tree. print() it to read it.
    by: the kind of policy that refused ("identity", "resource", "boundary", "session", "scp", "rcp"), "" if allowed.
    """

    outcome: str
    because: tuple[str, ...]
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    by: str = field(default="", compare=False)

    @property
    def allowed(self) -> bool:
        return self.outcome == ALLOWED

    def __str__(self) -> str:
        return "\n  ".join((self.outcome, *self.because))


def evaluate(request: Request, identity=(), resource=None, boundary=None, session=None, scps=(), rcps=()) -> Decision:
    """Decide a request as AWS does. A policy is a dict or JSON text; ``Named("title", policy)`` gives it a title.

    identity: the policies of the user and of its groups, or of the role (one or several). resource: the policy of the
    resource; for sts:AssumeRole the role's trust policy, for kms the key policy. boundary, session: one or several.
    scps, rcps: the policies attached at one level, or a list of lists: one for each level, from the organization's
    root through its units to the account. With none given they don't apply (no organization, or its management
    account). They are passed over for service-linked roles, and SCPs for callers that belong to no account.

    Raises ServiceError("MalformedPolicyDocument") naming the place, ValueError for a principal that is none.
    """
    case = _Case(request, {"identity": identity, "resource": resource, "boundary": boundary, "session": session},
                 {"scp": scps, "rcp": rcps})
    return (_identify_oneself(case) or _explicit_deny(case) or _guardrails(case) or _outsider(case)
            or _resource_has_last_word(case) or _root(case) or _resource_grants(case) or _identity_grants(case))


def _identify_oneself(case) -> Decision | None:
    if case.request.action.lower() == "sts:getcalleridentity":
        return case.decide(ALLOWED, "Anybody may ask who they are: sts:GetCallerIdentity needs no permission, and no "
                                    "policy can deny it.")


def _explicit_deny(case) -> Decision | None:
    denials = [finding for finding in case.findings() if finding.effect == "Deny" and finding.applies]
    if denials:
        return replace(case.decide(EXPLICIT_DENY, *denials, "A Deny that applies overrides every Allow."),
                       by=denials[0].kind)


def _guardrails(case) -> Decision | None:
    if case.findings("rcp"):
        case.because.append("No resource control policy denies, and RCPFullAWSAccess lets the rest pass.")
    for level in range(1, case.levels + 1):
        if not case.allows("scp", level):
            return case.refuse(f"The service control policies{f' of level {level}' if case.levels > 1 else ''} do not "
                               "allow it, so nobody in the account may do it, whatever other policies say.", "scp")


def _outsider(case) -> Decision | None:
    """Services, identity providers and anonymous callers have no policies of their own."""
    if case.principal.kind not in ("outside", "anonymous"):
        return None
    if case.grant:
        return case.decide(ALLOWED, case.grant, "The caller belongs to no account, so this is enough.")
    return case.refuse("Only a policy of the resource could let in a caller that belongs to no account.", "resource")


def _resource_has_last_word(case) -> Decision | None:
    """Across accounts always; within one account for roles and KMS keys."""
    if case.law == "role" and case.principal.kind == "root":
        return case.refuse("A root user cannot assume a role.")
    if case.grant or case.same_account and not case.law:
        return None
    return case.refuse({"role": "A role is assumed only if its trust policy allows it, and it does not.",
                        "key": "A KMS key is used only if its key policy allows it, and it does not.",
                        "": f"The resource is in account {case.account}, and no policy of the resource lets in this "
                            f"principal of account {case.own_account}."}[case.law], "resource")


def _root(case) -> Decision | None:
    if case.principal.kind == "root":
        return case.decide(ALLOWED, *filter(None, [case.grant]), "The root user needs no policy of its own account to "
                                                                 "do what nothing denies.")


def _resource_grants(case) -> Decision | None:
    """Within one account a resource policy is enough when it names the principal or its role, not just the account."""
    if not case.same_account or not case.grant or case.grant.depth == ITS_ACCOUNT:
        return None
    if case.grant.depth == ITSELF:
        return case.decide(ALLOWED, case.grant, "It names the principal itself, within one account: no identity policy "
                                                "is needed, and neither boundary nor session policy is asked.")
    case.because.append(str(case.grant))
    return _limits(case) or case.decide(ALLOWED, "It names what is behind the session, within one account: no identity "
                                                 "policy is needed.")


def _identity_grants(case) -> Decision:
    if case.grant:
        case.because.append(str(case.grant))
    if case.allows("identity"):
        return _limits(case) or case.decide(ALLOWED, "Within one account that is enough." if case.same_account else
                                            "Both accounts allow it.")
    if not case.grant:
        return case.refuse("No identity policy allows it, and no policy of the resource does.", "identity", "resource")
    if case.same_account:
        return case.refuse("No identity policy allows it, and the policy of the resource only lets the account decide.",
                           "identity")
    return case.refuse(f"No identity policy in account {case.own_account} allows it, and across accounts both sides "
                       "must.", "identity")


def _limits(case) -> Decision | None:
    """Boundary and session policy grant nothing, but what they don't allow is out of reach."""
    for kind in ("boundary", "session"):
        if case.given[kind] and not case.allows(kind):
            return case.refuse(f"The {KINDS[kind]} does not allow it, so it is out of reach.", kind)
    if case.principal.kind == "federated-user" and not case.given["session"]:
        return case.refuse("A federated user has only what a session policy passes on, and none was passed.")


class _Case:
    """A request, its facts and what all the statements said; ``because`` grows on the way to the decision."""

    def __init__(self, request: Request, given: dict, controls: dict):
        request = replace(request, resource=request.resource or "*", context=request.context or {})
        self.request, self.principal = request, read_principal(request.principal)
        self.own_account = request.principal_account or self.principal.account
        self.account = request.resource_account or _account_of(request.resource) or self.own_account
        self.same_account = self.own_account == self.account
        self.law = _law(request)
        self.ignored = _ignored(self.principal)
        self.given = {kind: [] if kind in self.ignored else _several(policies) for kind, policies in given.items()}
        titles = KINDS | {"resource": {"role": "trust policy", "key": "key policy", "": "resource policy"}[self.law]}
        asked = Asked(request.action, request.resource, self.principal, self._context(), bool(self.given["boundary"]),
                      titles)
        levels = {kind: [] if kind in self.ignored else _levels(policies) for kind, policies in controls.items()}
        self.levels = len(levels["scp"])
        self.all = [finding for kind in levels for level, policies in enumerate(levels[kind], 1)
                    for finding in asked.findings(kind, policies, level)]
        self.all += [finding for kind, policies in self.given.items() for finding in asked.findings(kind, policies)]
        order = (ITSELF, ITS_ROLE, ITS_ACCOUNT)
        self.grant = min((one for one in self.findings("resource") if one.effect == "Allow" and one.applies),
                         key=lambda one: order.index(one.depth), default=None)
        passed_over = {kind for kind, policies in (given | controls).items() if kind in self.ignored and policies}
        self.because = [f"No {KINDS[kind]} is asked: {self.ignored[kind]}." for kind in KINDS if kind in passed_over]

    def _context(self) -> Context:
        keys = keys_of(self.principal)
        if self.own_account:
            keys["aws:PrincipalAccount"] = self.own_account
        if self.account:
            keys["aws:ResourceAccount"] = self.account
        return Context({name.lower(): value for name, value in keys.items()}
                       | {name.lower(): value for name, value in self.request.context.items()})

    def findings(self, kind: str = "", level: int = 0) -> list[Finding]:
        return [finding for finding in self.all if kind in ("", finding.kind) and level in (0, finding.level)]

    def allows(self, kind: str, level: int = 0) -> bool:
        """Whether a statement of these policies allows it; it is then added to the reasons."""
        found = [str(one) for one in self.findings(kind, level) if one.effect == "Allow" and one.applies]
        self.because += found[:1]
        return bool(found)

    def refuse(self, reason: str, *kinds: str) -> Decision:
        """Implicitly denied; after the Allow statements about this very action and resource that came close."""
        close = [finding for kind in kinds for finding in self.findings(kind)
                 if finding.effect == "Allow" and finding.differs in ("Condition", "Principal")]
        return replace(self.decide(IMPLICIT_DENY, *close, reason), by=kinds[0] if kinds else "resource")

    def decide(self, outcome: str, *sentences) -> Decision:
        return Decision(outcome, (*self.because, *map(str, sentences)), tuple(self.all))


def _ignored(principal: Principal) -> dict[str, str]:
    """Kinds of policy that don't bear on this principal, and why."""
    own = ("identity", "boundary", "session")
    if principal.kind in ("outside", "anonymous"):
        return dict.fromkeys(("scp", *own), "the caller belongs to no account")
    if principal.kind == "root":
        return dict.fromkeys(own, "none can be attached to the root user")
    if principal.service_linked:
        return dict.fromkeys(("scp", "rcp"), "guardrails leave service-linked roles alone")
    return {}


def _law(request: Request) -> str:
    """The resources whose own policy has the last word also within one account: "role", "key", or ""."""
    action = request.action.lower()
    if ":role/" in request.resource and re.match("sts:(assumerole|tagsession|setsourceidentity|setcontext)", action):
        return "role"
    return "key" if action.startswith("kms:") and ":key/" in request.resource else ""


def _account_of(resource: str) -> str | None:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and re.fullmatch(r"\d{12}", parts[4]) else None


def _several(policies) -> list:
    """One policy, several or none, as a list."""
    return [] if policies is None else [policies] if isinstance(policies, (dict, str)) else list(policies)


def _levels(policies) -> list[list]:
    """Control policies by level of the organization: a flat list is one level."""
    given = _several(policies)
    if any(isinstance(one, (list, tuple)) for one in given):
        return [_several(one) for one in given]
    return [given] if given else []
