"""What an Application Load Balancer does with a request: listener rules as a Decision with its reasons.

``route(rules, request)`` takes the very list that boto3's ``describe_rules(...)["Rules"]`` returns. Rules are looked
at from the lowest priority number to the highest; the first whose conditions all hold decides; the default rule
comes last.

    decision = route(rules, Request.of("https://shop.example.com/img/cat.jpg?size=2"))
    decision.action, decision.target_group     # "forward", "arn:..."
    print(*decision.because, sep="\\n")

**Simplified** The AWSALBTG cookie is a plain value, not encrypted. A rewrite replaces its first match, in the path
and query together. See also ``conditions.py``.
**Not modelled** authenticate-cognito, authenticate-oidc and jwt-validation: taken as passed. Choosing the target
inside the group: ``algorithms.py`` and ``targets.py``. Creating rules: ``rules.py``; what AWS refuses:
``validation.py``.

Application Load Balancer guide, read 2026-11-23: "Listener rules for your Application Load Balancer", "Action types
for listener rules", "Transforms for listener rules".
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate

from kit.balancing.conditions import GroupCookie, Request, condition_holds

ROUTING_ACTIONS = ("forward", "redirect", "fixed-response")


@dataclass(frozen=True)
class Decision:
    """What happens to the request, by which rule, and why: one sentence per rule looked at, in order."""

    action: str  # forward, redirect or fixed-response
    rule: dict
    because: tuple[str, ...]
    target_group: str | None = None  # forward: the group's ARN; None when no group has a weight above 0
    status: int | None = None  # what the balancer itself answers: 301, 302, a fixed response's code, 500, 503
    location: str | None = None  # redirect
    body: str = field(default="", repr=False)  # fixed-response
    content_type: str | None = None  # fixed-response
    forwarded: Request | None = None  # forward: the request as the target sees it, after transforms
    cookie: GroupCookie | None = None  # forward with target group stickiness: to be sent back by the client


def route(rules: list[dict], request: Request, draw: float = 0.0, now: float = 0.0) -> Decision:
    """Decide by the listener's rules.

    rules: dicts as from elbv2's describe_rules, in any order, one of them the default rule (Priority "default").
    draw: a number from 0 up to 1, such as ``rng.random()``, that picks among weighted target groups.
    now: seconds, for the life of the stickiness cookie.
    Raises ValueError when a rule list has no default rule (no listener is without one).
    """
    if not 0 <= draw < 1:
        raise ValueError(f"a draw of {draw}: give a number from 0 up to, not including, 1")
    if not any(_is_default(rule) for rule in rules):
        raise ValueError("these rules have no default rule: add {'Priority': 'default', 'Conditions': [], "
                         "'Actions': [...]}, or take the list that describe_rules returns")
    because = []
    for rule in sorted(rules, key=_order):
        holds, reason = matches(rule, request)
        because.append(f"{_name(rule)}: {reason}")
        if holds:
            return _perform(rule, request, because, draw, now)


def matches(rule: dict, request: Request) -> tuple[bool, str]:
    """Whether all conditions of a rule hold (AND), and why or why not."""
    if _is_default(rule):
        return True, "no rule before it matched"
    reasons = []
    for condition in rule["Conditions"]:
        holds, reason = condition_holds(condition, request)
        if not holds:
            return False, f"no, {reason}"
        reasons.append(reason)
    return True, "yes, " + ("; ".join(reasons) or "it has no conditions")


def pick_weighted(groups: list[dict], draw: float) -> str | None:
    """The target group whose stretch of the weights holds ``draw``; None when all weigh 0. A missing weight is 1."""
    sums = list(accumulate(group.get("Weight", 1) for group in groups))
    return groups[bisect_right(sums, draw * sums[-1])]["TargetGroupArn"] if sums[-1] else None


def target_groups(action: dict) -> list[dict]:
    """The weighted target groups of a forward action, whichever of its two shapes it has."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups")
    return groups or [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]


def transform(transforms: list[dict], request: Request) -> Request:
    """The request after the rule's rewrites. Without a match it stays as it is."""
    for each in transforms:
        if each["Type"] == "host-header-rewrite":
            host = _rewrite(each["HostHeaderRewriteConfig"], request.host)
            request = replace(request, host=host)
        else:
            url = _rewrite(each["UrlRewriteConfig"], request.path + (f"?{request.query}" if request.query else ""))
            path, _, query = url.partition("?")
            request = replace(request, path=path, query=query)
    return request


def _perform(rule, request, because, draw, now) -> Decision:
    actions = sorted(rule["Actions"], key=lambda action: action.get("Order", 0))
    action = next(action for action in actions if action["Type"] in ROUTING_ACTIONS)
    for other in actions:
        if other is not action:
            because.append(f"{other['Type']}: not modelled, taken as passed")
    decide = {"forward": _forward, "redirect": _redirect, "fixed-response": _fixed_response}[action["Type"]]
    return decide(action, rule, request, because, draw, now)


def _forward(action, rule, request, because, draw, now) -> Decision:
    groups = target_groups(action)
    sticky = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
    cookie = request.cookie if sticky.get("Enabled") else None
    if cookie and now < cookie.expires and cookie.target_group in [group["TargetGroupArn"] for group in groups]:
        chosen = cookie.target_group
        because.append(f"forward to {chosen}: the AWSALBTG cookie says so until {cookie.expires:g} s")
    else:
        chosen = pick_weighted(groups, draw)
        if chosen is None:
            because.append("no target group has a weight above 0: answer 503")
            return Decision("forward", rule, tuple(because), status=503)
        weights = ", ".join(f"{group.get('Weight', 1)} for {group['TargetGroupArn']}" for group in groups)
        because.append(f"forward to {chosen}" + (f": the draw {draw:.3g} fell to it (weights: {weights})"
                                                if len(groups) > 1 else ""))
    given = GroupCookie(chosen, now + sticky["DurationSeconds"]) if sticky.get("Enabled") else None
    try:
        forwarded = transform(rule.get("Transforms", []), request)
    except re.error as error:
        because.append(f"the rewrite matched and failed ({error}): answer 500")
        return Decision("forward", rule, tuple(because), status=500)
    if forwarded != request:
        because.append(f"rewritten for the target: host {forwarded.host}, path {forwarded.path}"
                       + (f", query {forwarded.query}" if forwarded.query else ""))
    return Decision("forward", rule, tuple(because), target_group=chosen, forwarded=forwarded, cookie=given)


def _redirect(action, rule, request, because, draw, now) -> Decision:
    config = action["RedirectConfig"]
    parts = {"#{protocol}": request.protocol, "#{host}": request.host, "#{port}": str(request.port),
             "#{path}": request.path.removeprefix("/"), "#{query}": request.query}

    def fill(key, default):
        return re.sub(r"#\{(protocol|host|port|path|query)\}", lambda word: parts[word[0]], config.get(key, default))

    query = fill("Query", "#{query}")
    location = (f"{fill('Protocol', '#{protocol}').lower()}://{fill('Host', '#{host}')}:{fill('Port', '#{port}')}"
                f"{fill('Path', '/#{path}')}{'?' if query else ''}{query}")
    status = int(config["StatusCode"].removeprefix("HTTP_"))
    because.append(f"redirect with {status} to {location}")
    return Decision("redirect", rule, tuple(because), status=status, location=location)


def _fixed_response(action, rule, request, because, draw, now) -> Decision:
    config = action["FixedResponseConfig"]
    because.append(f"answer {config['StatusCode']} without any target")
    return Decision("fixed-response", rule, tuple(because), status=int(config["StatusCode"]),
                    body=config.get("MessageBody", ""), content_type=config.get("ContentType"))


def _is_default(rule) -> bool:
    return bool(rule.get("IsDefault")) or rule["Priority"] == "default"


def _order(rule) -> float:
    return float("inf") if _is_default(rule) else int(rule["Priority"])


def _name(rule) -> str:
    return "default rule" if _is_default(rule) else f"rule {rule['Priority']}"


def _rewrite(config, text) -> str:
    for rewrite in config["Rewrites"]:
        replacement = re.sub(r"\$(\d)", r"\\g<\1>", rewrite["Replace"].replace("\\", r"\\"))  # $1 is Python's \g<1>
        if re.search(rewrite["Regex"], text):  # Python refuses a wrong replacement even where nothing matches
            text = re.sub(rewrite["Regex"], replacement, text, count=1)
    return text
