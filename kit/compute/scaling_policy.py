"""A scaling policy: what AWS takes and refuses in it, the two alarms of target tracking, and the capacity it asks for.

    policy = check_policy("web", {"PolicyName": "cpu50", "PolicyType": "TargetTrackingScaling", ...})
    alarms_for("web", policy, "1")     # as put_metric_alarm takes them

Target tracking brings its own alarms: a high one, quick (three minutes above the target), and a low one, slow (fifteen
minutes below 70 % of it). For simple and step scaling you make the alarms yourself.

**Simplified** The id in an alarm's name is a number, on AWS a UUID. **Not modelled** The high-resolution metric, metric
math in a CustomizedMetricSpecification, MetricAggregationType (the caller brings one value).

EC2 Auto Scaling API Reference, in the copy that botocore 1.44.5 carries, read 2026-11-23: "PutScalingPolicy",
"ExecutePolicy", "PredictiveScalingConfiguration". User Guide: "Target tracking scaling policies".
"""

from kit.compute.autoscaling import (HIGH_PERIODS, LOW_ALARM, LOW_PERIODS, Capacity, adjust_capacity, check_adjustment,
                                     check_steps, choose_step, step_adjustment, target_tracking)
from kit.errors import ServiceError

POLICY_TYPES = ("SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling")
PREDEFINED = {  # metric type: namespace, name, statistic ("Target tracking scaling policies", "Choose metrics")
    "ASGAverageCPUUtilization": ("AWS/EC2", "CPUUtilization", "Average"),
    "ASGAverageNetworkIn": ("AWS/EC2", "NetworkIn", "Average"),
    "ASGAverageNetworkOut": ("AWS/EC2", "NetworkOut", "Average"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum"),
}
ONLY = {  # parameters that go with some types only
    "ScalingAdjustment": ("SimpleScaling",), "Cooldown": ("SimpleScaling",), "StepAdjustments": ("StepScaling",),
    "MinAdjustmentMagnitude": ("SimpleScaling", "StepScaling"), "AdjustmentType": ("SimpleScaling", "StepScaling"),
    "MetricAggregationType": ("StepScaling",), "EstimatedInstanceWarmup": ("StepScaling", "TargetTrackingScaling"),
    "TargetTrackingConfiguration": ("TargetTrackingScaling",), "PredictiveScalingConfiguration": ("PredictiveScaling",)}


def capacity_out(policy: dict, warm: int, desired: int, metric: float, threshold: float | None) -> Capacity:
    """What a step or target tracking policy asks for on the way out: only instances that are warm count, and what is on
    its way already is not asked for twice."""
    if policy["PolicyType"] == "StepScaling":
        return step_adjustment(warm, metric, threshold, policy["StepAdjustments"], policy["AdjustmentType"],
                               policy.get("MinAdjustmentMagnitude"), desired)
    wanted = target_tracking(warm, metric, policy["TargetTrackingConfiguration"]["TargetValue"])
    return wanted if wanted >= desired else Capacity(desired, f"{wanted.because}; the group already wants {desired}")


def capacity_in(policy: dict, running: int, desired: int, metric: float, threshold: float | None) -> Capacity:
    """The same on the way in: instances that are terminating still count, so that not too many go.

    Of target tracking this is one policy's opinion; the group scales in if all have it.
    """
    if policy["PolicyType"] == "StepScaling":
        return step_adjustment(running, metric, threshold, policy["StepAdjustments"], policy["AdjustmentType"],
                               policy.get("MinAdjustmentMagnitude"), desired)
    tracking = policy["TargetTrackingConfiguration"]
    return target_tracking(running, metric, tracking["TargetValue"], tracking.get("DisableScaleIn", False))


def direction(policy: dict, desired: int, metric: float, threshold: float | None) -> int:
    """Above 0 out, below 0 in, 0 neither."""
    if policy["PolicyType"] == "TargetTrackingScaling":
        return 1 if metric > policy["TargetTrackingConfiguration"]["TargetValue"] else -1
    adjustment = choose_step(metric, threshold, policy["StepAdjustments"])["ScalingAdjustment"]
    return adjustment - desired if policy["AdjustmentType"] == "ExactCapacity" else adjustment


def simple_capacity(policy: dict, capacity: int) -> Capacity:
    return adjust_capacity(capacity, policy["ScalingAdjustment"], policy["AdjustmentType"], policy.get("MinAdjustmentMagnitude"))


def alarms_for(group: str, policy: dict, identity: str) -> dict[str, dict]:
    """``{"High": ..., "Low": ...}``, the alarms of a target tracking policy, as put_metric_alarm takes them."""
    tracking = policy["TargetTrackingConfiguration"]
    metric, target = _metric(group, tracking), tracking["TargetValue"]
    sides = [("High", HIGH_PERIODS, target, "GreaterThanThreshold")]
    if not tracking.get("DisableScaleIn", False):
        sides.append(("Low", LOW_PERIODS, round(LOW_ALARM * target, 10), "LessThanThreshold"))
    return {side: {
        "AlarmName": f"TargetTracking-{group}-Alarm{side}-{identity}",
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
        **metric, "Period": 60, "EvaluationPeriods": periods, "DatapointsToAlarm": periods, "Threshold": threshold,
        "ComparisonOperator": comparison, "AlarmActions": [policy["PolicyARN"]],
    } for side, periods, threshold, comparison in sides}


def check_policy(group: str, given: dict) -> dict:
    """The policy with its defaults, as DescribePolicies shows it; ServiceError ValidationError for what AWS refuses."""
    policy = {"PolicyType": "SimpleScaling", "Enabled": True} | {key: value for key, value in given.items() if value is not None}
    kind = policy["PolicyType"]
    if kind not in POLICY_TYPES:
        _refuse(f"PolicyType is one of {', '.join(POLICY_TYPES)}, not {kind!r}.")
    for key, kinds in ONLY.items():
        if key in policy and kind not in kinds:
            _refuse(f"{key} is not supported for policy type {kind}; it goes with {' and '.join(kinds)}.")
    for key in ("Cooldown", "EstimatedInstanceWarmup"):
        if policy.get(key, 0) < 0:
            _refuse(f"{key} is a number of seconds, 0 or more, not {policy[key]}.")
    if kind in ("SimpleScaling", "StepScaling"):
        if "MinAdjustmentMagnitude" in policy and policy.get("AdjustmentType") != "PercentChangeInCapacity":
            _refuse("MinAdjustmentMagnitude goes with the AdjustmentType PercentChangeInCapacity only.")
        if kind == "SimpleScaling":
            check_adjustment(policy.get("ScalingAdjustment"), policy.get("AdjustmentType"))
        else:
            check_steps(policy.get("StepAdjustments") or [], policy.get("AdjustmentType"))
    elif kind == "TargetTrackingScaling":
        _check_tracking(policy.get("TargetTrackingConfiguration") or {})
    elif not (policy.get("PredictiveScalingConfiguration") or {}).get("MetricSpecifications"):
        _refuse("PredictiveScalingConfiguration with one of MetricSpecifications is required for PredictiveScaling.")
    policy["PolicyARN"] = (f"arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:{group}:autoScalingGroupName/{group}:"
                           f"policyName/{policy['PolicyName']}")
    return policy


def _check_tracking(tracking):
    kinds = [key for key in ("PredefinedMetricSpecification", "CustomizedMetricSpecification") if tracking.get(key)]
    if len(kinds) != 1:
        _refuse("TargetTrackingConfiguration has either a PredefinedMetricSpecification or a CustomizedMetricSpecification.")
    target = tracking.get("TargetValue")
    if not isinstance(target, (int, float)) or target <= 0:
        _refuse(f"TargetValue is a number above 0, not {target!r}.")
    if kinds == ["PredefinedMetricSpecification"]:
        given = tracking["PredefinedMetricSpecification"]
        kind = given.get("PredefinedMetricType")
        if kind not in PREDEFINED:
            _refuse(f"PredefinedMetricType is one of {', '.join(PREDEFINED)}, not {kind!r}. There is none for memory: publish it "
                    "with the CloudWatch agent and give a CustomizedMetricSpecification.")
        if (kind == "ALBRequestCountPerTarget") != ("ResourceLabel" in given):
            _refuse("ResourceLabel is required for ALBRequestCountPerTarget, and for no other metric: "
                    "app/<balancer>/<id>/targetgroup/<target group>/<id>.")


def _metric(group, tracking):
    """Namespace, MetricName, Dimensions and Statistic of the metric that is tracked."""
    custom = tracking.get("CustomizedMetricSpecification")
    if custom:
        return {key: custom[key] for key in ("Namespace", "MetricName", "Dimensions", "Statistic", "Unit") if key in custom}
    given = tracking["PredefinedMetricSpecification"]
    namespace, name, statistic = PREDEFINED[given["PredefinedMetricType"]]
    dimensions = {"AutoScalingGroupName": group}
    if "ResourceLabel" in given:
        balancer, _, target_group = given["ResourceLabel"].partition("/targetgroup/")
        dimensions = {"TargetGroup": f"targetgroup/{target_group}", "LoadBalancer": balancer}
    return {"Namespace": namespace, "MetricName": name, "Statistic": statistic,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()]}


def _refuse(message):
    raise ServiceError("ValidationError", message)
