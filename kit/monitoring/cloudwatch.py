"""CloudWatch alarms: when one changes its state, why, and what it does then.

    alarm = Alarm(AlarmName="busy", Namespace="Shop", MetricName="Load", Statistic="Average", Period=60, Threshold=80,
                  ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=3, DatapointsToAlarm=2)
    transition = alarm.evaluate(store, now)    # None, or what changed and why
    alarm.actions(transition)                  # the ARNs to call

``evaluate_alarm`` is the decision; ``Alarm`` reads the data it needs from a MetricStore; ``CompositeAlarm`` looks at the
states of other alarms. Neither has a clock: call ``evaluate`` every minute (every ten seconds below a period of 60).

**Simplified** An alarm looks two data points further back than EvaluationPeriods (AWS does so in its example; how far in
general it doesn't say). Data is there at once, so there is no waiting for late points. The texts of reasons follow
AWS's, those about missing data only roughly. An alarm's band is learnt anew each hour.
**Not modelled** PromQL and Metrics Insights alarms, warm-up periods, time zones of wall clock windows, other accounts;
whether the alarms of a rule exist, and cycles of composite alarms: that is for who keeps them.

Amazon CloudWatch User Guide, read 2026-11-23: "Using Amazon CloudWatch alarms" ("Evaluating an alarm", "Configuring how
CloudWatch alarms treat missing data", "Avoiding premature transitions to alarm state", "Percentile-based alarms and low
data samples"), "Creating a composite alarm", "Suppressing composite alarm actions"; "Invoke a Lambda function from an
alarm", read 2026-11-28. API Reference, in the copy that botocore 1.44.5 carries: "PutMetricAlarm", "PutCompositeAlarm",
"SetAlarmState".
"""

import json
import operator
import re
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from kit.errors import ServiceError
from kit.monitoring.metric_math import Series, names_in
from kit.monitoring.metrics import (BASIC, DAY, DIMENSIONS, HOUR, MINUTE, UNITS, MetricStore, check_queries,
                                    metric_key, parse_statistic)

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
MISSING = ("missing", "ignore", "breaching", "notBreaching")
EXTRA = 2  # data points looked at before the last EvaluationPeriods ("... treat missing data": 5 where 3 are evaluated)
ACTIONS = 5  # of each kind (PutMetricAlarm)
MATH_METRICS = 10  # in an alarm on an expression ("Alarms on math expressions")
CHILDREN, ELEMENTS, RULE = 100, 500, 10_240  # of a rule: alarms, elements, characters (PutCompositeAlarm)
COMPARISONS = {"GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
               "GreaterThanThreshold": (operator.gt, "greater than"), "LessThanThreshold": (operator.lt, "less than"),
               "LessThanOrEqualToThreshold": (operator.le, "less than or equal to")}
BANDS = {"LessThanLowerOrGreaterThanUpperThreshold": (True, True), "LessThanLowerThreshold": (True, False),
         "GreaterThanUpperThreshold": (False, True)}  # breaches below, above the band
SINGLE = ("Namespace", "MetricName", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
METRIC = ("Namespace", "MetricName", "Dimensions")  # what makes a metric
COMMON = ("AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
          "Tags")
METRIC_ALARM = COMMON + SINGLE + ("EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator",
                                  "TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics",
                                  "ThresholdMetricId", "EvaluationWindow")
COMPOSITE = COMMON + ("AlarmRule", "ActionsSuppressor", "ActionsSuppressorWaitPeriod",
                      "ActionsSuppressorExtensionPeriod")
KINDS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


def evaluate_alarm(datapoints: list, *, datapoints_to_alarm: int, evaluation_periods: int, treat_missing_data: str,
                   state: str) -> str:
    """The state an alarm takes: M out of N, and what missing data does to it.

    datapoints: oldest first, True breaching, False not, None missing; more than evaluation_periods of them is the
    evaluation range, and what is missing is replaced by older points as far as there are any.
    User Guide, "Configuring how CloudWatch alarms treat missing data", "Avoiding premature transitions to alarm state".
    """
    if treat_missing_data not in MISSING:
        raise ValueError(f"treat_missing_data is one of {', '.join(MISSING)}, not {treat_missing_data!r}")
    if not 1 <= datapoints_to_alarm <= evaluation_periods:
        raise ValueError(f"datapoints_to_alarm lies between 1 and evaluation_periods ({evaluation_periods}), not at "
                         f"{datapoints_to_alarm}")
    real = [point for point in datapoints if point is not None][-evaluation_periods:]
    breaching, lacking = sum(real), evaluation_periods - len(real)
    if lacking and treat_missing_data == "breaching":
        breaching += lacking
    if breaching >= datapoints_to_alarm:
        return "ALARM"
    if not lacking or treat_missing_data in ("breaching", "notBreaching") or False in real:
        return "OK"
    if treat_missing_data == "ignore":
        return state
    oldest = next((len(datapoints) - index for index, point in enumerate(datapoints) if point), 0)  # 1 is the latest
    # All that is known breaches. Once it has had time for M points, nothing better is to come: ALARM with fewer than M.
    return "ALARM" if oldest >= datapoints_to_alarm else "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Transition:
    """An alarm changed its state at ``when``; or, with ``old == new``, a composite alarm's suppression ended.

    reason: a sentence as AWS writes it; reason_data: what AWS gives as JSON, here a dict.
    suppressed_by: WaitPeriod, ExtensionPeriod or Alarm if the actions are held back.
    """

    when: float
    old: str
    new: str
    reason: str
    reason_data: dict
    suppressed_by: str | None = None


class _State:
    """What all alarms have: a name, a state with its reason, actions."""

    state = "INSUFFICIENT_DATA"
    reason = "Unchecked: Initial alarm creation"

    def __init__(self, now: float = 0.0, **parameters):
        self.reason_data, self.since = {}, now
        self.update(**parameters)

    def actions(self, transition: Transition | None) -> list[str]:
        """The ARNs that this transition calls."""
        if transition is None or transition.suppressed_by or not self.parameters.get("ActionsEnabled", True):
            return []
        return list(self.parameters.get(KINDS[transition.new]) or ())

    def set_alarm_state(self, StateValue: str, StateReason: str, now: float, 
                        StateReasonData: str | None = None) -> Transition | None:
        """Force a state, to try the actions; the next evaluation puts it right. None if it is in that state already.

        Errors: ValidationError, InvalidFormat (StateReasonData is no JSON).
        """
        if StateValue not in STATES:
            raise ServiceError("ValidationError", f"The value {StateValue!r} for StateValue is invalid: one of "
                                                  f"{', '.join(STATES)}.")
        if len(StateReason) > 1023:
            raise ServiceError("ValidationError", "StateReason has at most 1023 characters.")
        try:
            data = json.loads(StateReasonData) if StateReasonData else {}
        except ValueError as error:
            raise ServiceError("InvalidFormat", f"StateReasonData is not JSON: {error}.") from None
        if StateValue == self.state:
            self.reason, self.reason_data = StateReason, data
            return None
        return self._move(StateValue, StateReason, data, now)

    def _move(self, new, reason, data, now, suppressed_by=None):
        transition = Transition(now, self.state, new, reason, data, suppressed_by)
        if new != self.state:
            self.since = now
        self.state, self.reason, self.reason_data = new, reason, data
        return transition


class Alarm(_State):
    """A metric alarm, made from the parameters of put_metric_alarm. It begins in INSUFFICIENT_DATA."""

    def evaluate(self, store, now: float) -> Transition | None:
        """Look at the data; what changed, or None."""
        window = self._window(now)
        points, samples = self._read(store, *window, now)
        if samples is not None and samples < self._samples_needed():
            return None
        count = self.evaluation_periods + EXTRA
        times = [window[1] - number * self.period for number in range(count, 0, -1)]
        points = [points.get(time) for time in times]
        new = evaluate_alarm([None if point is None else point[1] for point in points],
                             datapoints_to_alarm=self.datapoints_to_alarm,
                             evaluation_periods=self.evaluation_periods, treat_missing_data=self.treat_missing_data,
                             state=self.state)
        if new == self.state:
            return None
        real = [(time, *point) for time, point in zip(times, points) if point is not None][-self.evaluation_periods:]
        return self._move(new, self._reason(new, real), self._reason_data(real, now, window), now)

    def standing_actions(self) -> list[str]:
        """Auto Scaling policies that are called again each minute for as long as the state stays."""
        if not self.parameters.get("ActionsEnabled", True):
            return []
        return [arn for arn in self.parameters.get(KINDS[self.state]) or () if ":autoscaling:" in arn]

    def update(self, **parameters) -> None:
        """put_metric_alarm again: all parameters anew, the state stays. Errors: ValidationError."""
        _check_alarm(parameters)
        self.parameters, self.name = parameters, parameters["AlarmName"]
        self.evaluation_periods = parameters["EvaluationPeriods"]
        self.datapoints_to_alarm = parameters.get("DatapointsToAlarm", self.evaluation_periods)
        self.period = _period_of(parameters)
        stats = [query["MetricStat"] for query in parameters.get("Metrics") or () if "MetricStat" in query]
        namespaces = {stat["Metric"]["Namespace"] for stat in stats} | {parameters.get("Namespace")}
        told = parameters.get("TreatMissingData", "missing")
        self.treat_missing_data = "ignore" if "AWS/DynamoDB" in namespaces else told
        self.watched = {metric_key(**{name: one.get(name) for name in METRIC}) for one in (
            [stat["Metric"] for stat in stats] or [parameters])}

    def _window(self, now):
        """(start, end) of the evaluation range: it slides with each evaluation, unless it keeps to the wall clock."""
        step = 10 if self.period < MINUTE else MINUTE
        if "WallClockWindow" in (self.parameters.get("EvaluationWindow") or ()):
            step = self.period
        end = float(now // step * step)
        return end - (self.evaluation_periods + EXTRA) * self.period, end

    def _read(self, store, start, end, now):
        """({time: (value, breaching, lower, upper)}, samples for EvaluateLowSampleCountPercentile or None)."""
        given = self.parameters
        if "Metrics" in given:
            values = store.query(given["Metrics"], start, end, now, align=end)
            band_id = given.get("ThresholdMetricId")
            [watched] = [values[query["Id"]] for query in given["Metrics"] if query.get("ReturnData", True)
                         and query["Id"] != band_id]
            if not isinstance(watched, Series):
                raise ServiceError("ValidationError", f"The expression of alarm {self.name} gives no single time "
                                                      f"series.")
            if not band_id:
                return {time: self._judge(value) for time, value in watched.points.items()}, None
            upper, lower = values[band_id]
            return {time: self._judge(value, lower.points[time], upper.points[time])
                    for time, value in watched.points.items() if time in lower.points}, None
        name = given.get("Statistic") or given["ExtendedStatistic"]
        statistic = parse_statistic(name)
        slots = store.aggregates(given["Namespace"], given["MetricName"], given.get("Dimensions"), start, end,
                                 self.period,
                                 given.get("Unit"), align=end, now=now)
        points = {time: self._judge(value) for time, slot in slots if (value := statistic(slot)) is not None}
        if given.get("EvaluateLowSampleCountPercentile") != "ignore" or not name.startswith("p") or not points:
            return points, None
        return points, sum(slot.count for time, slot in slots if time >= end - self.evaluation_periods * self.period)

    def _judge(self, value, lower=None, upper=None):
        how = self.parameters["ComparisonOperator"]
        if how in COMPARISONS:
            return value, COMPARISONS[how][0](value, self.parameters["Threshold"]), None, None
        below, above = BANDS[how]
        return value, (below and value < lower) or (above and value > upper), lower, upper

    def _samples_needed(self):
        """"Percentile-based alarms and low data samples": 10 in the smaller tail of the percentile."""
        part = float(self.parameters["ExtendedStatistic"][1:]) / 100
        tail = 1 - part if part >= 0.5 else part
        return round(10 / tail, 6) if tail > 0 else 0

    def _reason(self, new, real):
        """Real is (time, value, breaching, lower, upper) of the points that were evaluated, oldest first."""
        periods, lacking = self.evaluation_periods, self.evaluation_periods - len(real)
        if new == "INSUFFICIENT_DATA":
            return f"Insufficient Data: {lacking} datapoint{'s were' if lacking > 1 else ' was'} unknown."
        filled = {"breaching": "Breaching",
                  "notBreaching": "NonBreaching"}.get(self.treat_missing_data) if lacking else None
        treated = f"{lacking} missing datapoint{'s were' if lacking > 1 else ' was'} treated as [{filled}]"
        alarm = new == "ALARM"
        shown = [point for point in reversed(real) if point[2] == alarm]
        if not shown:
            gap = f"{lacking} period{'s' * (lacking > 1)}"
            return f"Threshold Crossed: no datapoints were received for {gap} and {treated}."
        values = ", ".join(f"{value} ({_utc(time):%d/%m/%y %H:%M:%S})" for time, value, *_ in shown)
        needed, way = (self.datapoints_to_alarm, "OK -> ALARM") if alarm else (periods - self.datapoints_to_alarm + 1,
                                                                               "ALARM -> OK")
        return (f"Threshold{'s' * ('ThresholdMetricId' in self.parameters)} Crossed: {len(shown)} out of the last "
                f"{len(real)} datapoints "
                f"[{values}] {'were' if len(shown) > 1 else 'was'} {'' if alarm else 'not '}{self._beyond(shown)}"
                f"{' and ' + treated if filled else ''} (minimum {needed} datapoint{'s' * (needed > 1)} for {way} "
                f"transition).")

    def _beyond(self, shown):
        how = self.parameters["ComparisonOperator"]
        if how in COMPARISONS:
            return f"{COMPARISONS[how][1]} the threshold ({float(self.parameters['Threshold'])})"
        lower, upper = (", ".join(str(point[place]) for point in shown) for place in (3, 4))
        below, above = BANDS[how]
        return " or ".join([f"less than the lower thresholds [{lower}]"] * below
                           + [f"greater than the upper thresholds [{upper}]"] * above)

    def _reason_data(self, real, now, window):
        given = self.parameters
        data = {"version": "1.0", "queryDate": _stamp(now), "startDate": _stamp(real[0][0] if real else window[0])}
        for key, name in (("unit", "Unit"), ("statistic", "Statistic"), ("statistic", "ExtendedStatistic")):
            if given.get(name):
                data[key] = given[name]
        data |= {"period": self.period, "recentDatapoints": [value for _, value, *_ in real]}
        data |= {"threshold": float(given["Threshold"])} if "Threshold" in given else {
            "recentLowerThresholds": [point[3] for point in real],
            "recentUpperThresholds": [point[4] for point in real]}
        return data | {"evaluatedDatapoints": [{"timestamp": _stamp(time), "value": value} for time, value,
                                               *_ in reversed(real)]}


def configuration(parameters: dict) -> dict:
    """What an alarm looks at, as its news tells functions and EventBridge ("Invoke a Lambda function from an alarm")."""
    found = {"description": parameters["AlarmDescription"]} if parameters.get("AlarmDescription") else {}
    if "AlarmRule" in parameters:
        suppressor = {name[0].lower() + name[1:]: parameters[name] for name in COMPOSITE
                      if "Suppressor" in name and name in parameters}
        return found | {"alarmRule": parameters["AlarmRule"]} | suppressor
    stat = parameters.get("Statistic") or parameters.get("ExtendedStatistic")
    queries = parameters.get("Metrics") or [{"Id": "m1", "MetricStat": {
        "Metric": parameters, "Period": parameters.get("Period"), "Stat": stat, "Unit": parameters.get("Unit")}}]
    return found | {"metrics": [_told(query) for query in queries]}


class CompositeAlarm(_State):
    """An alarm on alarms, made from the parameters of put_composite_alarm: ALARM if its rule is true, OK if not.

    A suppressor holds the actions back (not the state) while it is in ALARM. When the composite alarm goes into ALARM,
    it first waits WaitPeriod seconds for the suppressor to do so; when the suppressor leaves ALARM, it waits
    ExtensionPeriod seconds for itself to go back to OK. At the end of it all, the actions of the state it is in then
    are carried out, unless those were the last already.
    """

    suppressed_by = None

    def evaluate(self, states: dict, now: float) -> Transition | None:
        """states: {alarm name: its state}, of at least ``children``. What changed, or that actions are due; or None."""
        if missing := sorted(name for name in self.children if name not in states):
            raise ServiceError("ValidationError", f"Alarms [{', '.join(missing)}] in the alarm rule of {self.name} do "
                                                  f"not exist.")
        watched = {name: states[name] for name in self.children}
        if self._forced == watched:  # set by set_alarm_state, until a child changes
            new = self.state
        else:
            new, self._forced = ("ALARM" if _is_true(self.rule, states) else "OK"), None
        before = self.suppressed_by
        self.suppressed_by = self._suppression(states, new, now)
        due = self.suppressed_by is None and new != self._acted
        if new == self.state and not (due and before):
            self._seen = watched
            return None
        triggers = [name for name, state in watched.items() if state != self._seen.get(name, state)]
        if new != self.state:
            reason = ", ".join(f"{name} transitioned to {watched[name]}"
                               for name in triggers) or f"The alarm rule is {new == 'ALARM'}"
            reason += f" at {_utc(now):%A %d %B, %Y %H:%M:%S} UTC"
            data = {"triggeringAlarms": [{"name": name, "state": {"value": watched[name], "timestamp": _stamp(now)}}
                                         for name in triggers]}
        else:
            reason, data = self.reason, self.reason_data  # as AWS has it: the reason of the state, actions late
        self._seen = watched
        held = self.suppressed_by or (None if due else "WaitPeriod")  # there and back within a wait: nothing to tell
        if held is None:
            self._acted = new
        return self._move(new, reason, data, now, held)

    def set_alarm_state(self, StateValue, StateReason, now, StateReasonData=None):
        """As of a metric alarm, but it lasts until a child alarm changes (SetAlarmState)."""
        transition = super().set_alarm_state(StateValue, StateReason, now, StateReasonData)
        self._forced = dict(self._seen)
        if self.suppressed_by is None:
            self._acted = self.state
        return transition and replace(transition, suppressed_by=self.suppressed_by)

    @property
    def next_check(self) -> float | None:
        """When a wait ends: call ``evaluate`` then, even if no child changes. None if there is no wait."""
        return self._until if self.suppressed_by in ("WaitPeriod", "ExtensionPeriod") else None

    def update(self, **parameters) -> None:
        """put_composite_alarm again: all parameters anew, the state stays. Errors: ValidationError."""
        _check_common(parameters, COMPOSITE, "put_composite_alarm")
        for kind in KINDS.values():
            if wrong := [arn for arn in parameters.get(kind) or () if re.search(r":(automate|swf|autoscaling):", arn)]:
                raise ServiceError("ValidationError", f"A composite alarm takes no EC2 or Auto Scaling actions: "
                                                      f"{wrong[0]}.")
        self.rule = parse_rule(parameters.get("AlarmRule"))
        self.children = sorted(_names(self.rule))
        suppressor = parameters.get("ActionsSuppressor")
        periods = [parameters.get(f"ActionsSuppressor{kind}Period") for kind in ("Wait", "Extension")]
        if suppressor and any(not isinstance(seconds, int) or seconds < 0 for seconds in periods):
            raise ServiceError("ValidationError", "With ActionsSuppressor go ActionsSuppressorWaitPeriod and "
                                                  "ActionsSuppressorExtensionPeriod, "
                                                  "in seconds.")
        if not suppressor and periods != [None, None]:
            raise ServiceError("ValidationError", "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod "
                                                  "go with an "
                                                  "ActionsSuppressor only.")
        self.suppressor = suppressor and _name(suppressor)
        self._wait, self._extension = periods
        self.parameters, self.name = parameters, parameters["AlarmName"]
        self._seen, self._forced, self._until, self.suppressed_by = {}, None, None, None
        if not hasattr(self, "_acted"):
            self._acted = self.state

    def _suppression(self, states, new, now):
        """What holds the actions back now; WaitPeriod and ExtensionPeriod last until self._until."""
        if self.suppressor is None:
            return None
        if self.suppressor not in states:
            raise ServiceError("ValidationError", f"The actions suppressor {self.suppressor} of {self.name} does not "
                                                  f"exist.")
        if states[self.suppressor] == "ALARM":
            return "Alarm"
        if self.suppressed_by == "Alarm":
            self._until = now + self._extension
            return "ExtensionPeriod" if self._extension else None
        if self.suppressed_by and now < self._until:
            return self.suppressed_by
        if new == "ALARM" != self.state:
            self._until = now + self._wait
            return "WaitPeriod" if self._wait else None
        return None


def _told(query):
    told = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if "Expression" in query:
        return told | {"expression": query["Expression"]}
    stat = query["MetricStat"]
    metric, unit = stat["Metric"], {"unit": stat["Unit"]} if stat.get("Unit") else {}
    return told | {"metricStat": {"period": stat["Period"], "stat": stat["Stat"], **unit, "metric": {
        "namespace": metric["Namespace"], "name": metric["MetricName"],
        "dimensions": {item["Name"]: item["Value"] for item in metric.get("Dimensions") or ()}}}}


# ---------------------------------------------------------------------- rules of composite alarms

RULE_TOKEN = re.compile(r"""\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|(?P<bare>[^"()]*[^"()\s]))\s*\)
                            |(?P<word>AND|OR|NOT|TRUE|FALSE|True|False|true|false)\b|(?P<sign>[()]))""", re.VERBOSE)


def parse_rule(rule: str | None) -> tuple:
    """The tree of an AlarmRule: ("ALARM", name), ("AND", left, right), ("NOT", one), ("TRUE",) ...; ValidationError.

    NOT binds closest, then AND, then OR.
    """
    if not rule or not rule.strip() or len(rule) > RULE:
        raise ServiceError("ValidationError", f"AlarmRule has 1 to {RULE:,} characters.")
    tokens, at = [], 0
    while rule[at:].strip():
        match = RULE_TOKEN.match(rule, at)
        if not match:
            at += len(rule[at:]) - len(rule[at:].lstrip())
            _refuse_rule(at, f"{rule[at:at + 20]!r} is neither ALARM(name), OK(name), INSUFFICIENT_DATA(name), TRUE, "
                             f"FALSE, AND, OR, NOT "
                             "nor a parenthesis")
        name = match["quoted"] or match["bare"]
        tokens.append(((match["state"], _name(name)) if match["state"] else ((match["word"] or match["sign"]).upper(),),
                       match.end() - len(match[0].lstrip())))
        at = match.end()
    elements = sum(token[0] in (*STATES, "TRUE", "FALSE", "(") for token, _ in tokens)
    if elements > ELEMENTS or len({token[1] for token, _ in tokens if len(token) == 2}) > CHILDREN:
        raise ServiceError("ValidationError", f"An AlarmRule has at most {ELEMENTS} elements and {CHILDREN} child "
                                              f"alarms.")
    tree, rest = _either(tokens)
    if rest:
        _refuse_rule(rest[0][1], f"{rest[0][0][0]} was not expected here")
    return tree


def _either(tokens):
    return _chain(tokens, "OR", lambda rest: _chain(rest, "AND", _one))


def _chain(tokens, word, part):
    left, tokens = part(tokens)
    while tokens and tokens[0][0] == (word,):
        right, tokens = part(tokens[1:])
        left = (word, left, right)
    return left, tokens


def _one(tokens):
    if not tokens:
        raise ServiceError("ValidationError", "AlarmRule ends too early.")
    (token, place), rest = tokens[0], tokens[1:]
    if token == ("NOT",):
        inner, rest = _one(rest)
        return ("NOT", inner), rest
    if token == ("(",):
        inner, rest = _either(rest)
        if not rest or rest[0][0] != (")",):
            _refuse_rule(place, "this parenthesis is not closed")
        return inner, rest[1:]
    if token[0] in ("AND", "OR", ")"):
        _refuse_rule(place, f"{token[0]} was not expected here")
    return token, rest


def _is_true(rule, states):
    kind = rule[0]
    if kind in STATES:
        return states[rule[1]] == kind
    if kind == "NOT":
        return not _is_true(rule[1], states)
    if kind in ("AND", "OR"):
        return (all if kind == "AND" else any)(_is_true(part, states) for part in rule[1:])
    return kind == "TRUE"


def _names(rule):
    return {rule[1]} if rule[0] in STATES else set().union(*(_names(part) for part in rule[1:]))


def _name(name_or_arn):
    return name_or_arn.split(":alarm:",
                             1)[1] if name_or_arn.startswith("arn:") and ":alarm:" in name_or_arn else name_or_arn


def _refuse_rule(place, why):
    raise ServiceError("ValidationError", f"AlarmRule, column {place + 1}: {why}.")


# ---------------------------------------------------------------------- parameters

def _check_common(given, known, operation):
    _demand(not (unknown := sorted(given.keys() - set(known))), f"{operation} knows no {', '.join(unknown)} (or the "
                                                                f"model doesn't).")
    name = given.get("AlarmName")
    _demand(isinstance(name, str) and 1 <= len(name) <= 255, "AlarmName has 1 to 255 characters.")
    _demand(len(given.get("AlarmDescription") or "") <= 1024, "AlarmDescription has at most 1024 characters.")
    for kind in KINDS.values():
        arns = given.get(kind) or ()
        _demand(len(arns) <= ACTIONS, f"{kind} has at most {ACTIONS} elements.")
        _demand(all(isinstance(arn, str) and arn.startswith("arn:") for arn in arns),
                f"{kind}: each action is an ARN, not {list(arns)}.")


def _check_alarm(given):
    _check_common(given, METRIC_ALARM, "put_metric_alarm")
    how, periods = given.get("ComparisonOperator"), given.get("EvaluationPeriods")
    _demand(how in COMPARISONS or how in BANDS, f"ComparisonOperator {how} is none of "
                                                f"{', '.join((*COMPARISONS, *BANDS))}.")
    _demand(_whole(periods), f"EvaluationPeriods is a whole number of at least 1, not {periods}.")
    needed = given.get("DatapointsToAlarm", periods)
    _demand(_whole(needed) and needed <= periods, f"DatapointsToAlarm lies between 1 and EvaluationPeriods "
                                                  f"({periods}), not at {needed}.")
    _demand(given.get("TreatMissingData", "missing") in MISSING, f"TreatMissingData is one of {', '.join(MISSING)}.")
    low = given.get("EvaluateLowSampleCountPercentile")
    _demand(low in (None, "evaluate", "ignore"), "EvaluateLowSampleCountPercentile is evaluate or ignore.")
    _demand(("Metrics" in given) != ("MetricName" in given), "Specify either MetricName or Metrics, but not both.")
    (_check_metrics if "Metrics" in given else _check_single)(given)
    if how in BANDS:
        _demand("Threshold" not in given, f"{how} compares with a band: no Threshold, but ThresholdMetricId.")
        _demand(given.get("ThresholdMetricId"), f"{how} needs a ThresholdMetricId, the Id of an "
                                                f"ANOMALY_DETECTION_BAND in Metrics.")
        _demand(not any(":autoscaling:" in arn for kind in KINDS.values() for arn in given.get(kind) or ()),
                "An alarm on an anomaly detection band cannot have Auto Scaling actions.")
    else:
        _demand("ThresholdMetricId" not in given, f"ThresholdMetricId goes with {', '.join(BANDS)}.")
        threshold = given.get("Threshold")
        _demand(isinstance(threshold, (int, float)) and not isinstance(threshold, bool),
                f"Threshold is a number, not {threshold}.")
    period = _period_of(given)
    _demand(period in (10, 20, 30) or (_whole(period) and period % MINUTE == 0),
            f"Period must be 10, 20, 30 or a multiple of 60, not {period}.")
    _demand(periods * period <= 7 * DAY, f"EvaluationPeriods times Period is {periods * period:,} s; it can't be over "
                                         f"7 days (604,800 s).")
    _demand(period >= HOUR or periods * period <= DAY,
            f"EvaluationPeriods times Period is {periods * period:,} s; it can't be over a day (86,400 s) with a "
            f"Period below an hour.")
    window = given.get("EvaluationWindow") or {}
    _demand(set(window) <= {"SlidingWindow", "WallClockWindow"} and len(window) <= 1,
            "EvaluationWindow is a SlidingWindow or a WallClockWindow.")
    zone = (window.get("WallClockWindow") or {}).get("Timezone", "UTC")
    _demand(zone == "UTC", f"The model has wall clock windows in UTC only, not {zone}.")


def _check_single(given):
    _demand(given.get("Namespace"), "With MetricName goes a Namespace.")
    _demand(bool(given.get("Statistic")) != bool(given.get("ExtendedStatistic")),
            "Specify either Statistic or ExtendedStatistic, but not both.")
    _demand(given.get("Statistic") in (None, *BASIC), f"Statistic is one of {', '.join(BASIC)}; others are "
                                                      f"ExtendedStatistic.")
    _demand(given.get("ExtendedStatistic") not in BASIC, f"{given.get('ExtendedStatistic')} is a Statistic, not an "
                                                         f"ExtendedStatistic.")
    parse_statistic(given.get("Statistic") or given["ExtendedStatistic"], "ValidationError")
    _demand(given.get("Period") is not None, "With MetricName goes a Period.")
    _demand(given.get("Unit") in (None, *UNITS), f"Unit is one of {', '.join(UNITS)}.")
    _demand(len(given.get("Dimensions") or ()) <= DIMENSIONS, f"A metric has at most {DIMENSIONS} dimensions.")


def _check_metrics(given):
    _demand(not (both := [key for key in SINGLE if key in given]), f"With Metrics go no {', '.join(both)}.")
    queries, band = given["Metrics"], given.get("ThresholdMetricId")
    check_queries(queries)
    names = [query["Id"] for query in queries]
    for query in queries:
        if "Expression" in query:
            _demand("SEARCH" not in query["Expression"], "An alarm can't watch a SEARCH expression.")
            unknown = names_in(query["Expression"]) - set(names)
            _demand(not unknown, f"The expression {query['Id']} refers to {', '.join(sorted(unknown))}, which is not "
                                 f"in Metrics.")
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    _demand(stats, "Metrics needs at least one MetricStat.")
    _demand(len(stats) <= MATH_METRICS, f"An alarm on an expression uses at most {MATH_METRICS} metrics.")
    _demand(len({stat["Period"] for stat in stats}) == 1, "All metrics of an alarm have the same Period.")
    values = MetricStore().query(queries, 0.0, 60.0,
                                 60.0)  # with no data: what doesn't parse or fit together is refused here
    returned = [query["Id"] for query in queries if query.get("ReturnData", True)]
    wrong = [name for name in returned if name != band and not isinstance(values[name], Series)]
    _demand(not wrong, f"{', '.join(wrong)}: an alarm watches a single time series, not a number or an array.")
    if band:
        expression = next((query.get("Expression", "") for query in queries if query["Id"] == band), "")
        _demand(expression.strip().startswith("ANOMALY_DETECTION_BAND"),
                f"ThresholdMetricId {band} is no ANOMALY_DETECTION_BAND in Metrics.")
        _demand(len(returned) == 2 and band in returned, "Exactly two elements of the metrics list should return "
                                                         "data: the metric and its band.")
    else:
        _demand(len(returned) == 1, f"Exactly one element of the metrics list should return data, not {len(returned)}.")


def _period_of(given):
    return given["Period"] if "Metrics" not in given else next(q["MetricStat"]["Period"] for q in given["Metrics"]
                                                               if "MetricStat" in q)


def _whole(number):
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1


def _demand(met, otherwise):
    if not met:
        raise ServiceError("ValidationError", otherwise)


def _utc(time):
    return datetime.fromtimestamp(time, timezone.utc)


def _stamp(time):
    """As AWS writes it in reason data: 2023-08-04T12:54:46.138+0000."""
    moment = _utc(time)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"
