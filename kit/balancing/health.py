"""What a health check asks, which answers are good, and how elbv2 words the state of a target.

Read 2026-11-23: Application Load Balancer guide, "Health checks for Application Load Balancer target groups"; API
reference 2015-12-01, CreateTargetGroup, TargetHealth.
"""

import re
from dataclasses import dataclass

from kit.errors import ServiceError

DESCRIPTIONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.ResponseCodeMismatch": "Health checks failed with these codes: [{code}]",
    "Target.Timeout": "Request timed out",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.NotRegistered": "Target is not registered to the target group",
    "Target.InvalidState": "Target is in the stopped state",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
}
MATCHED_CODES = (200, 499)  # an Application Load Balancer's lowest and highest; API reference, Matcher
ZONE_NOT_ENABLED = "Target is in an Availability Zone that is not enabled for the load balancer"


@dataclass(frozen=True)
class HealthCheck:
    """elbv2's settings with its defaults for HTTP; seconds, checks in a row, codes such as "200,202" or "200-299"."""

    interval: float = 30.0
    timeout: float = 5.0  # the guide's default; the API reference says 6 for HTTP
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    matcher: str = "200"

    def __post_init__(self):
        for name, low, high in (("interval", 5, 300), ("timeout", 2, 120), ("healthy_threshold", 2, 10),
                                ("unhealthy_threshold", 2, 10)):
            if not low <= getattr(self, name) <= high:
                raise ServiceError("ValidationError", f"The health check's {name} is from {low} to {high}, "
                                                      f"not {getattr(self, name)}.")
        if self.timeout >= self.interval:
            raise ServiceError("ValidationError", "The health check's timeout must be shorter than its interval.")
        low, high = MATCHED_CODES
        if not (re.fullmatch(r"\d{3}(-\d{3})?(, ?\d{3}(-\d{3})?)*", self.matcher)
                and all(low <= first <= last <= high for first, last in self._ranges())):
            raise ServiceError("ValidationError", f"The health check's matcher names codes from {low} to {high}, such "
                                                  f"as 200,202 or 200-299, not '{self.matcher}'.")

    def accepts(self, code: int) -> bool:
        return any(first <= code <= last for first, last in self._ranges())

    def _ranges(self) -> list[tuple[int, int]]:
        bounds = [part.split("-") for part in self.matcher.split(",")]
        return [(int(bound[0]), int(bound[-1])) for bound in bounds]


def reason_for(answer) -> str:
    """Why a check failed: None is no answer in time, a number the wrong code, anything else no usable answer."""
    if answer is None:
        return "Target.Timeout"
    return "Target.ResponseCodeMismatch" if isinstance(answer, int) else "Target.FailedHealthChecks"


def target_health(state, reason=None, code=None, description=None) -> dict:
    """The TargetHealth of describe_target_health; a healthy target has no reason."""
    if reason is None:
        return {"State": state}
    return {"State": state, "Reason": reason, "Description": description or DESCRIPTIONS[reason].format(code=code)}
