"""What elbv2 refuses when a listener rule is created: values, limits and actions, with AWS's codes.

``check_rule(conditions, actions)`` returns nothing or raises ServiceError. moto accepts most of what is refused here,
so a rule that the sandbox takes may still fail on AWS.

**Simplified** "Condition types" allows three match evaluations a condition and five a rule; the service itself counts
the values of the rule ("A rule can only have '5' condition values"), and so does this. The same page allows five
wildcards a rule, the quotas page six: five holds on every account. Where AWS documents a refusal but no code, the code
is ValidationError for values and InvalidLoadBalancerAction for actions, as seen for their neighbours.
**Not modelled** The configuration of authentication actions; HTTP/2 and gRPC target groups (forward only); whether
target groups with sticky targets oblige the rule to target group stickiness; the 100 target groups of a balancer.

Read 2026-11-23: Application Load Balancer guide, "Condition types for listener rules", "Action types for listener
rules", "Transforms for listener rules", "Quotas for your Application Load Balancers"; Elastic Load Balancing API
reference 2015-12-01, CreateRule, RuleCondition, Action, RuleTransform.
"""

import re
from ipaddress import ip_network

from kit.balancing.alb import ROUTING_ACTIONS, target_groups
from kit.balancing.conditions import CONFIGS
from kit.errors import ServiceError

VALUES_PER_RULE = 5
WILDCARDS_PER_RULE = 5
TARGET_GROUPS_PER_ACTION = 5
VALUE_LENGTH = 128  # characters; a header's name and a method: 40, a rewrite: 1,024
WEIGHTS = range(0, 1000)
STICKINESS_SECONDS = range(1, 604_801)  # up to 7 days
SHORT_FORM = {"Values": ("host-header", "path-pattern"),  # fields that may have these outside of their config
              "RegexValues": ("host-header", "path-pattern", "http-header")}
SEVERAL = ("http-header", "query-string")  # conditions that a rule may have more than once
ALLOWED = {"host-header": r"[A-Za-z0-9.*?-]+", "path-pattern": r"[A-Za-z0-9_.$/~\"'@:+&*?-]+",
           "http-request-method": r"[A-Z_-]+"}
TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # RFC 7230, a header's name
# lookarounds, atomic groups, recursion and subroutines; backreferences; Unicode classes; possessive quantifiers
UNSUPPORTED = re.compile(r"\(\?(?:[=!>&R\d]|<[=!]|P[=>])|\\[1-9k]|\\p|(?<!\\)[*+?}]\+")
AUTHENTICATION = ("authenticate-cognito", "authenticate-oidc", "jwt-validation")
CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
KEYWORDS = {"Protocol": {"protocol"}, "Host": {"host"}, "Port": {"port"}, "Path": {"host", "path", "port"},
            "Query": {"protocol", "host", "port", "path", "query"}}


def check_rule(conditions: list[dict], actions: list[dict], transforms=(), protocol: str = "HTTP", port: int = 80,
               known_groups=None) -> None:
    """Refuse what AWS refuses. protocol, port: of the listener; known_groups: ARNs that exist (None: any)."""
    if not conditions:
        raise ServiceError("ValidationError", "A rule needs at least one condition; the default rule has none.")
    for condition in conditions:
        _check_condition(condition)
    fields = [condition["Field"] for condition in conditions]
    for kind in {*fields} - {*SEVERAL}:
        if fields.count(kind) > 1:
            raise ServiceError("ValidationError", f"A rule can have one '{kind}' condition; give it several values.")
    values = [value for condition in conditions for value in _values(condition)]
    if len(values) + sum(len(_expressions(condition)) for condition in conditions) > VALUES_PER_RULE:
        raise ServiceError("ValidationError", f"A rule can only have '{VALUES_PER_RULE}' condition values; "
                                              "make it two rules with the same actions.")
    if sum(map(_wildcards, values)) > WILDCARDS_PER_RULE:
        raise ServiceError("ValidationError", f"A rule can only have '{WILDCARDS_PER_RULE}' wildcards.")
    check_actions(actions, protocol, port, known_groups)
    for kind in ("host-header-rewrite", "url-rewrite"):
        if sum(each["Type"] == kind for each in transforms) > 1:
            raise ServiceError("ValidationError", f"A rule can have one {kind} transform.")
    for each in transforms:
        for rewrite in each.get("HostHeaderRewriteConfig", each.get("UrlRewriteConfig", {})).get("Rewrites", []):
            _check_expression(rewrite["Regex"], 1024)


def check_actions(actions: list[dict], protocol: str = "HTTP", port: int = 80, known_groups=None) -> None:
    """The actions of a rule or of the default rule: exactly one that routes, and it comes last."""
    ordered = sorted(actions, key=lambda action: action.get("Order", 0))
    routing = [action for action in ordered if action["Type"] in ROUTING_ACTIONS]
    if len(routing) != 1 or ordered[-1] is not routing[0]:
        raise _bad_action("exactly one of forward, redirect and fixed-response is needed, and as the last action")
    for action in ordered[:-1]:
        if action["Type"] not in AUTHENTICATION:
            raise _bad_action(f"there is no action type '{action['Type']}'")
        if protocol != "HTTPS":
            raise _bad_action(f"{action['Type']} needs an HTTPS listener")
    action = routing[0]
    if action["Type"] == "forward":
        _check_forward(action, known_groups)
    elif action["Type"] == "redirect":
        _check_redirect(action.get("RedirectConfig", {}), protocol, port)
    else:
        _check_fixed_response(action.get("FixedResponseConfig", {}))


def _check_condition(condition) -> None:
    kind = condition.get("Field")
    if kind not in CONFIGS:
        raise ServiceError("ValidationError", f"Condition field '{kind}' must be one of {', '.join(CONFIGS)}")
    short = [name for name in ("Values", "RegexValues") if condition.get(name)]
    if short and kind not in SHORT_FORM[short[0]]:
        raise ServiceError("ValidationError", f"A '{kind}' condition has its {short[0]} in a {CONFIGS[kind]}.")
    values, expressions = _values(condition), _expressions(condition)
    if bool(values) == bool(expressions):
        raise ServiceError("ValidationError", f"A '{kind}' condition needs Values or RegexValues, not both.")
    if expressions and kind not in ("host-header", "path-pattern", "http-header"):
        raise ServiceError("ValidationError", f"A '{kind}' condition knows no regular expressions.")
    for expression in expressions:
        _check_expression(expression, VALUE_LENGTH)
    if kind == "http-header":
        name = condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "")
        if len(name) > 40 or not re.fullmatch(TOKEN, name):
            raise ServiceError("ValidationError", f"'{name}' is not a header name of up to 40 characters.")
        if name.lower() == "host":
            raise ServiceError("ValidationError", "For the host header use a host-header condition.")
    for value in values:
        _check_value(kind, value)


def _check_value(kind, value) -> None:
    if kind == "source-ip":
        try:
            good = "/" in value and value != "255.255.255.255/32" and ip_network(value, strict=False)
        except ValueError:
            good = False
        if not good:
            raise ServiceError("ValidationError", f"'{value}' is not a CIDR block such as 192.0.2.0/24 or "
                                                  "2001:db8::/32")
        return
    parts = [value.get("Key", ""), value.get("Value", "")] if kind == "query-string" else [value]
    if not parts[-1]:
        raise ServiceError("ValidationError", "A condition value must be specified")
    limit = 40 if kind == "http-request-method" else VALUE_LENGTH
    if max(map(len, parts)) > limit:
        raise ServiceError("ValidationError", f"The '{kind}' value is too long; the limit is '{limit}'")
    if kind in ALLOWED and not re.fullmatch(ALLOWED[kind], value):
        raise ServiceError("ValidationError", f"The '{kind}' value '{value}' has a character that is not allowed.")
    if kind == "host-header" and not re.fullmatch(r".*\.[A-Za-z]+", value):
        raise ServiceError("ValidationError", f"The host '{value}' needs a '.' with only letters after the last one.")


def _check_expression(expression, limit) -> None:
    if len(expression) > limit or UNSUPPORTED.search(expression):
        raise ServiceError("ValidationError", f"'{expression}': at most {limit} characters, and no lookarounds, "
                                              "backreferences, atomic groups, possessive quantifiers or \\p classes.")
    try:
        re.compile(expression)
    except re.error as error:
        raise ServiceError("ValidationError", f"'{expression}' is not a regular expression: {error}") from None


def _check_forward(action, known_groups) -> None:
    config = action.get("ForwardConfig", {})
    if not config.get("TargetGroups") and not action.get("TargetGroupArn"):
        raise _bad_action("forward needs a TargetGroupArn or a ForwardConfig with TargetGroups")
    groups = target_groups(action)
    arns = [group["TargetGroupArn"] for group in groups]
    if action.get("TargetGroupArn", arns[0]) != arns[0] or (len(arns) > 1 and "TargetGroupArn" in action):
        raise _bad_action("with both TargetGroupArn and ForwardConfig, they must name the same single target group")
    if len(groups) > TARGET_GROUPS_PER_ACTION or len({*arns}) < len(arns):
        raise _bad_action(f"a forward action takes up to {TARGET_GROUPS_PER_ACTION} different target groups")
    if len(groups) > 1 and not all("Weight" in group for group in groups):
        raise _bad_action("with several target groups each needs a Weight")
    for group in groups:
        if group.get("Weight", 1) not in WEIGHTS:
            raise ServiceError("ValidationError", f"A weight is from 0 to 999, not {group['Weight']}.")
        if known_groups is not None and group["TargetGroupArn"] not in known_groups:
            raise ServiceError("TargetGroupNotFound", f"Target group '{group['TargetGroupArn']}' not found")
    sticky = config.get("TargetGroupStickinessConfig", {})
    if sticky.get("Enabled") and sticky.get("DurationSeconds") not in STICKINESS_SECONDS:
        raise ServiceError("ValidationError", "Target group stickiness needs DurationSeconds from 1 to 604800.")


def _check_redirect(config, protocol, port) -> None:
    if config.get("StatusCode") not in ("HTTP_301", "HTTP_302"):
        raise ServiceError("ValidationError", "A redirect's StatusCode is HTTP_301 or HTTP_302.")
    for key, allowed in KEYWORDS.items():
        if len(config.get(key, "")) > VALUE_LENGTH:
            raise ServiceError("ValidationError", f"A redirect's {key} has up to {VALUE_LENGTH} characters.")
        if {*re.findall(r"#\{(\w+)\}", config.get(key, ""))} - allowed:
            raise _bad_action(f"the redirect's {key} can hold {' '.join('#{%s}' % word for word in sorted(allowed))}")
    if config.get("Protocol", "#{protocol}") not in ("HTTP", "HTTPS", "#{protocol}"):
        raise _bad_action("a redirect's Protocol is HTTP, HTTPS or #{protocol}")
    if protocol == "HTTPS" and config.get("Protocol") == "HTTP":
        raise _bad_action("You cannot redirect HTTPS to HTTP")
    if not config.get("Path", "/").startswith("/"):
        raise _bad_action("The Path parameter must start with a '/'")
    target = config.get("Port", "#{port}")
    if target != "#{port}" and not (target.isdecimal() and 1 <= int(target) <= 65535):
        raise _bad_action("a redirect's Port is 1 to 65535 or #{port}")
    same = {"Protocol": {"#{protocol}", protocol}, "Host": {"#{host}"}, "Port": {"#{port}", str(port)},
            "Path": {"/#{path}"}}
    if all(key not in config or config[key] in unchanged for key, unchanged in same.items()):
        raise _bad_action("The redirect configuration is not valid because it creates a loop: change the protocol, "
                          "host, port or path")


def _check_fixed_response(config) -> None:
    if not re.fullmatch(r"[245]\d\d", config.get("StatusCode", "")):
        raise ServiceError("ValidationError", "A fixed response's StatusCode is 2XX, 4XX or 5XX.")
    if config.get("ContentType", CONTENT_TYPES[0]) not in CONTENT_TYPES:
        raise _bad_action(f"a fixed response's ContentType is one of {', '.join(CONTENT_TYPES)}")
    if len(config.get("MessageBody", "")) > 1024:
        raise _bad_action("a fixed response's MessageBody has up to 1024 characters")


def _bad_action(message) -> ServiceError:
    return ServiceError("InvalidLoadBalancerAction", message)


def _values(condition) -> list:
    return condition.get(CONFIGS[condition["Field"]], {}).get("Values") or condition.get("Values") or []


def _expressions(condition) -> list:
    return condition.get(CONFIGS[condition["Field"]], {}).get("RegexValues") or condition.get("RegexValues") or []


def _wildcards(value) -> int:
    """How many * and ? a value has that are not escaped. An address has none."""
    text = value.get("Key", "") + value["Value"] if isinstance(value, dict) else value
    return len(re.findall(r"(?<!\\)[*?]", text))
