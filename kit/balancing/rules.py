"""A listener of an Application Load Balancer: its rules as a state machine, with elbv2's operations and codes.

    listener = Listener([{"Type": "forward", "TargetGroupArn": "web"}])
    listener.create_rule([{"Field": "path-pattern", "Values": ["/img/*"]}], 10,
                         [{"Type": "forward", "TargetGroupArn": "images"}])
    route(listener.describe_rules()["Rules"], Request.of("http://example.com/img/cat.jpg"))

**Simplified** A change holds from the next request on (AWS takes a moment). Rule ARNs are numbered, not random.
**Not modelled** Certificates, tags, several listeners that share the balancer's quota of 100 rules.

Read 2026-11-23: Application Load Balancer guide, "Listener rules for your Application Load Balancer", "Quotas for your
Application Load Balancers"; Elastic Load Balancing API reference 2015-12-01, CreateListener, CreateRule, ModifyRule,
DeleteRule, SetRulePriorities, DescribeRules.
"""

from copy import deepcopy

from kit.balancing.validation import check_actions, check_rule
from kit.errors import ServiceError

RULES_PER_LOAD_BALANCER = 100  # default quota, adjustable; default rules don't count
PRIORITIES = range(1, 50_001)
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/model/"


class Listener:
    """Checks for connection requests on one protocol and port; its rules say what becomes of the requests."""

    def __init__(self, default_actions: list[dict], protocol: str = "HTTP", port: int = 80, target_groups=None):
        """target_groups: the ARNs that exist; None takes any."""
        if protocol not in ("HTTP", "HTTPS"):
            raise ServiceError("ValidationError", f"Listener protocol '{protocol}' must be HTTP or HTTPS; WebSocket "
                                                  "comes through these as an upgrade, TCP and UDP need a Network Load "
                                                  "Balancer.")
        if not 1 <= port <= 65535:
            raise ServiceError("ValidationError", f"A port is from 1 to 65535, not {port}.")
        check_actions(default_actions, protocol, port, target_groups)
        self.protocol, self.port, self.target_groups = protocol, port, target_groups
        self._created = 0
        self._rules = {}  # by ARN, in the order of creation
        self._default = {"RuleArn": ARN + "default", "Priority": "default", "Conditions": [],
                         "Actions": deepcopy(default_actions), "IsDefault": True}

    def create_rule(self, conditions: list[dict], priority: int, actions: list[dict], transforms=()) -> dict:
        """Add a rule; the answer has boto3's shape. Raises PriorityInUse, TooManyRules, and ``validation``'s."""
        self._check_priority(priority)
        if len(self._rules) >= RULES_PER_LOAD_BALANCER:
            raise ServiceError("TooManyRules", f"This load balancer has its {RULES_PER_LOAD_BALANCER} rules; delete "
                                               "one, or ask for a higher quota.")
        check_rule(conditions, actions, transforms, self.protocol, self.port, self.target_groups)
        self._created += 1
        rule = {"RuleArn": f"{ARN}{self._created:016x}", "Priority": str(priority), "Conditions": deepcopy(conditions),
                "Actions": deepcopy(actions), "IsDefault": False}
        if transforms:
            rule["Transforms"] = deepcopy(list(transforms))
        self._rules[rule["RuleArn"]] = rule
        return {"Rules": [deepcopy(rule)]}

    def modify_rule(self, rule_arn: str, conditions=None, actions=None, transforms=None) -> dict:
        """Replace what is given, keep the rest. Of the default rule only the actions can change."""
        rule = self._find(rule_arn)
        new = {"Conditions": rule["Conditions"] if conditions is None else conditions,
               "Actions": rule["Actions"] if actions is None else actions,
               "Transforms": rule.get("Transforms", []) if transforms is None else list(transforms)}
        if rule is self._default:
            if new["Conditions"] or new["Transforms"]:
                raise ServiceError("OperationNotPermitted", "The default rule can't have conditions or transforms.")
            check_actions(new["Actions"], self.protocol, self.port, self.target_groups)
        else:
            check_rule(*new.values(), self.protocol, self.port, self.target_groups)
        if not new["Transforms"]:
            del new["Transforms"]
            rule.pop("Transforms", None)
        rule.update(deepcopy(new))
        return {"Rules": [deepcopy(rule)]}

    def delete_rule(self, rule_arn: str) -> dict:
        if self._find(rule_arn) is self._default:
            raise ServiceError("OperationNotPermitted", "The default rule can't be deleted.")
        del self._rules[rule_arn]
        return {}

    def set_rule_priorities(self, rule_priorities: list[dict]) -> dict:
        """Reorder: ``[{"RuleArn": ..., "Priority": 5}, ...]``, all at once, so that two rules can swap places."""
        wanted = {pair["RuleArn"]: pair["Priority"] for pair in rule_priorities}
        if any(self._find(arn) is self._default for arn in wanted):
            raise ServiceError("OperationNotPermitted", "The priority of the default rule can't be changed.")
        others = {rule["Priority"] for arn, rule in self._rules.items() if arn not in wanted}
        for priority in wanted.values():
            self._check_priority(priority, others)
            others.add(str(priority))
        for arn, priority in wanted.items():
            self._rules[arn]["Priority"] = str(priority)
        return {"Rules": [deepcopy(self._rules[arn]) for arn in wanted]}

    def describe_rules(self) -> dict:
        """``{"Rules": [...]}`` in the order in which they are looked at; the default rule is last."""
        ordered = sorted(self._rules.values(), key=lambda rule: int(rule["Priority"]))
        return {"Rules": deepcopy([*ordered, self._default])}

    def _check_priority(self, priority, taken=None) -> None:
        if type(priority) is not int or priority not in PRIORITIES:  # True and 10.0 would be found in the range
            raise ServiceError("ValidationError", f"A priority is a whole number from 1 to 50000, not {priority!r}.")
        if str(priority) in (taken if taken is not None else {rule["Priority"] for rule in self._rules.values()}):
            raise ServiceError("PriorityInUse", f"Priority '{priority}' is currently in use")

    def _find(self, rule_arn) -> dict:
        if rule_arn == self._default["RuleArn"]:
            return self._default
        if rule_arn not in self._rules:
            raise ServiceError("RuleNotFound", f"There is no rule '{rule_arn}'; describe_rules lists them.")
        return self._rules[rule_arn]
