"""The attributes of an Application Load Balancer's target group: defaults, ranges, and what can't go together.

As on AWS, keys and values are strings: ``{"slow_start.duration_seconds": "30"}``.

**Simplified** The code is ValidationError for a value out of its range and InvalidConfigurationRequest for two settings
that exclude each other; AWS's pages name the rules, not the codes.
**Not modelled** app_cookie stickiness, Lambda and optimizer groups, the attributes of Network and Gateway Load
Balancers.

Read 2026-11-23: Elastic Load Balancing API reference 2015-12-01, TargetGroupAttribute; Application Load Balancer
guide, "Edit target group attributes for your Application Load Balancer", "Target group health".
"""

from kit.errors import ServiceError

DELAY = "deregistration_delay.timeout_seconds"
ALGORITHM = "load_balancing.algorithm.type"
MITIGATION = "load_balancing.algorithm.anomaly_mitigation"
CROSS_ZONE = "load_balancing.cross_zone.enabled"
SLOW_START = "slow_start.duration_seconds"
STICKY = "stickiness.enabled"
STICKY_SECONDS = "stickiness.lb_cookie.duration_seconds"
DNS_COUNT = "target_group_health.dns_failover.minimum_healthy_targets.count"
DNS_PERCENT = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
ROUTING_COUNT = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
ROUTING_PERCENT = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"

DEFAULTS = {
    DELAY: "300", ALGORITHM: "round_robin", MITIGATION: "off", CROSS_ZONE: "use_load_balancer_configuration",
    SLOW_START: "0", STICKY: "false", "stickiness.type": "lb_cookie", STICKY_SECONDS: "86400",
    DNS_COUNT: "1", DNS_PERCENT: "off", ROUTING_COUNT: "1", ROUTING_PERCENT: "off",
}
CHOICES = {
    ALGORITHM: ("round_robin", "least_outstanding_requests", "weighted_random"), MITIGATION: ("on", "off"),
    CROSS_ZONE: ("true", "false", "use_load_balancer_configuration"), STICKY: ("true", "false"),
    "stickiness.type": ("lb_cookie",),
}
RANGES = {  # lowest, highest, and a word that is good as well
    DELAY: (0, 3600, "0"), SLOW_START: (30, 900, "0"), STICKY_SECONDS: (1, 604_800, "1"),
    DNS_COUNT: (1, 1000, "off"), DNS_PERCENT: (1, 100, "off"), ROUTING_COUNT: (1, 1000, "1"),
    ROUTING_PERCENT: (1, 100, "off"),
}


def changed(attributes: dict, changes: list[dict], cross_zone: bool = True) -> dict:
    """The attributes after ``[{"Key": ..., "Value": ...}, ...]``; the old ones stay as they are.

    cross_zone: what the load balancer itself is set to (an Application Load Balancer: always on).
    """
    new = dict(attributes)
    for change in changes:
        _check_value(change["Key"], change["Value"])
        new[change["Key"]] = change["Value"]
    zonal = new[CROSS_ZONE] == "false" or new[CROSS_ZONE] != "true" and not cross_zone
    for wrong, message in (
        (new[SLOW_START] != "0" and new[ALGORITHM] != "round_robin", f"slow start doesn't go with {new[ALGORITHM]}"),
        (new[STICKY] == "true" and new[ALGORITHM] == "weighted_random", "stickiness doesn't go with weighted_random"),
        (new[STICKY] == "true" and zonal, "stickiness needs cross-zone load balancing"),
        (new[MITIGATION] == "on" and new[ALGORITHM] != "weighted_random", "anomaly mitigation needs weighted_random"),
        (_number(new[DNS_COUNT]) < _number(new[ROUTING_COUNT]) and new[DNS_COUNT] != "off"
         or _number(new[DNS_PERCENT]) < _number(new[ROUTING_PERCENT]) and new[DNS_PERCENT] != "off",
         "the threshold of DNS failover can't be below that of routing failover"),
    ):
        if wrong:
            raise ServiceError("InvalidConfigurationRequest", f"{message[0].upper()}{message[1:]}.")
    return new


def _check_value(key, value) -> None:
    if key not in DEFAULTS:
        raise ServiceError("ValidationError", f"Target group attribute key '{key}' is not recognized; "
                                              f"there are {', '.join(DEFAULTS)}")
    if not isinstance(value, str):
        raise ServiceError("ValidationError", f"The value of {key} is a string: '{value}', in quotes.")
    if key in CHOICES and value not in CHOICES[key]:
        raise ServiceError("ValidationError", f"{key} is one of {', '.join(CHOICES[key])}, not '{value}'.")
    if key in RANGES:
        low, high, word = RANGES[key]
        if value != word and not (value.isdecimal() and low <= int(value) <= high):
            raise ServiceError("ValidationError", f"{key} is a number from {low} to {high} or {word}, not '{value}'.")


def _number(value) -> int:
    return 0 if value == "off" else int(value)
