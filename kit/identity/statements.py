"""Does a statement apply to a request? Its Action, Resource, Principal and Condition must all match.

**Not modelled** That some actions look at several resources at once (ec2:RunInstances): ask once for each.

IAM User Guide, read 2026-11-23: "IAM JSON policy elements: Action", "NotAction", "Resource", "NotResource",
"Permissions boundaries for IAM entities" (the note on NotPrincipal), "Identify AWS resources with ARNs".
"""

from dataclasses import dataclass

from kit.identity.conditions import ANY, Context, conditions_hold, glob, pattern
from kit.identity.policy import Policy, Statement, read_policy
from kit.identity.principals import ITSELF, Principal, depth, exempt

KINDS = {"scp": "service control policy", "rcp": "resource control policy", "resource": "resource policy",
         "identity": "identity policy", "boundary": "permissions boundary", "session": "session policy"}
WITH_PRINCIPAL = ("resource", "rcp")


@dataclass(frozen=True)
class Finding:
    """What one statement said to the request."""

    kind: str  # a key of KINDS
    policy: str  # such as "identity policy ReadReports", "service control policy 1 of level 2"
    statement: str  # "statement AllowRead", or its number, counted from 1
    effect: str
    why: str
    differs: str = ""  # the element that did not match; "" when the statement applies
    level: int = 0  # of the organization, counted from its root, for service and resource control policies
    depth: str = ""  # how deep a resource policy named the principal: see principals.depth

    @property
    def applies(self) -> bool:
        return not self.differs

    def __str__(self) -> str:
        does, would = {"Allow": ("allows", "allow"), "Deny": ("denies", "deny")}[self.effect]
        name = f"{self.policy[0].upper()}{self.policy[1:]}, {self.statement}"
        return f"{name} {does}: {self.why}." if self.applies else f"{name} would {would}, but {self.why}."


class Asked:
    """One request, put to statement after statement."""

    def __init__(self, action: str, resource: str, principal: Principal, context: Context, bounded: bool = False,
                 titles: dict = KINDS):
        """bounded: whether a permissions boundary is set on the principal. titles: what to call each kind of policy."""
        self.action, self.resource, self.principal = action, resource, principal
        self.context, self.bounded, self.titles = context, bounded, titles
        self.userid = context.variable("aws:userid") or ""

    def findings(self, kind: str, documents: list, level: int = 0) -> list[Finding]:
        """One finding a statement of the policies. Raises MalformedPolicyDocument."""
        found = []
        for number, document in enumerate(documents, 1):
            name = getattr(document, "name", "") or (number if len(documents) > 1 else "")
            title = f"{self.titles[kind]} {name}".strip() + (f" of level {level}" if level else "")
            policy = read_policy(document, kind, title)
            found += [self._finding(policy, statement, level) for statement in policy.statements]
        return found

    def _finding(self, policy: Policy, statement: Statement, level: int) -> Finding:
        about = policy.kind, policy.name, statement.name, statement.effect
        reasons = []
        for element, test in (("Action", self._action), ("Resource", self._resource), ("Condition", self._condition)):
            matched, reason = test(policy, statement)
            if not matched:
                return Finding(*about, reason, element, level)
            reasons += [reason] if reason else []
        if policy.kind not in WITH_PRINCIPAL:
            return Finding(*about, "; ".join(reasons), "", level)
        met, reason = self._principal(statement)
        return Finding(*about, "; ".join((*reasons, reason)) if met else reason, "" if met else "Principal", level,
                       met or "")

    def _action(self, policy, statement):
        wanted = statement.action or statement.not_action
        hit = next((one for one in wanted if glob(pattern(one.lower()), self.action.lower())), None)
        return _listed(self.action, "Action", wanted, hit, statement.action is not None)

    def _resource(self, policy, statement):
        wanted = statement.resource or statement.not_resource
        if wanted is None:  # a policy of a resource may leave it out: the resource that carries it is meant
            return True, ""
        context = self.context if policy.variables else None
        hit = next((one for one in wanted if _covers(pattern(one, context), self.resource)), None)
        return _listed(self.resource, "Resource", wanted, hit, statement.resource is not None)

    def _condition(self, policy, statement):
        held, reasons = conditions_hold(statement.condition, self.context, policy.variables)
        return held, "; ".join(reasons if held else reasons[-1:])

    def _principal(self, statement) -> tuple[str | None, str]:
        """How deep the statement meets the principal, None for not at all; and a sentence."""
        who, named = self.principal.text, statement.principal or statement.not_principal
        listed = " or ".join(name for names in named.values() for name in names)
        if statement.principal is not None:
            met = depth(named, self.principal, self.userid)
            return met, f"Principal {listed} " + (f"names {met if met != ITSELF else who}" if met else
                                                  f"does not name {who}")
        if statement.effect == "Deny" and self.bounded:
            return ITSELF, f"{who} has a permissions boundary, and NotPrincipal with Deny hits all such principals"
        spared = exempt(named, self.principal, self.userid)
        return None if spared else ITSELF, f"NotPrincipal {listed} {'spares' if spared else 'does not spare'} {who}"


def _listed(value, element, wanted, hit, positive):
    """Whether the list covers the value, or, for the Not... elements, leaves it uncovered; and a sentence."""
    if positive:
        return hit is not None, f"{value} matches {element} {hit}" if hit else (
            f"{value} does not match {element} {' or '.join(wanted)}")
    return hit is None, f"{value} is excepted by Not{element} {hit}" if hit else (
        f"{value} is none of Not{element} {' or '.join(wanted)}")


def _covers(want: str | None, resource: str) -> bool:
    if want is None:  # a variable without a value: the element matches no resource
        return False
    missing = 5 - want.count(":") if want.startswith("arn:") else 0  # an incomplete ARN stands for all below it
    return glob(want + f":{ANY}" * missing, resource)
