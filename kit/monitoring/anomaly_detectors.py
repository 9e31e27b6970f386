"""Anomaly detectors: for which metrics CloudWatch learns a band, and from which times it does not.

    detectors = Detectors(store)                       # those of one Region; store: its MetricStore
    detectors.put_anomaly_detector(SingleMetricAnomalyDetector={
        "Namespace": "Shop", "MetricName": "Orders", "Dimensions": [], "Stat": "Sum"}, now=now)
    detectors.describe_anomaly_detectors(now=now)["AnomalyDetectors"][0]["StateValue"]      # TRAINED

The band itself is in anomaly.py, and ANOMALY_DETECTION_BAND in metric_math.py reads it. What a detector adds: it says
which times the band of its metric and statistic must not learn from, a deployment say, and whether there is enough to
learn from at all.

**Simplified** Learning takes no time, so no detector is ever PENDING_TRAINING. A detector of a metric math expression is
listed, but its excluded times are not. An alarm with a band has its detector without your putting one (as in AWS
Knowledge Center's example of such an alarm); whether AWS lists that one as well was not looked up.
**Not modelled** Time zones, periodic spikes, AdaptationSpeed, OutlierFilteringStrength (all are kept and told again),
metrics of other accounts, how many there may be.

CloudWatch API Reference, in the copy that botocore carries, read 2026-11-28: "PutAnomalyDetector",
"DescribeAnomalyDetectors", "DeleteAnomalyDetector".
"""

from kit.errors import ServiceError
from kit.monitoring import anomaly
from kit.monitoring.metric_math import names_in, parse
from kit.monitoring.metrics import HISTORY, check_queries, metric_key, parse_statistic

RANGES = 10  # "as many as 10 time ranges" (PutAnomalyDetector)
PAGE = 100  # "The maximum value that you can specify is 100" (DescribeAnomalyDetectors)
STEP = 300  # seconds: how finely a detector looks whether there is enough to learn from (the kit's own)
METRIC = ("Namespace", "MetricName", "Dimensions")
SINGLE = (*METRIC, "Stat")
KEPT = ("Configuration", "MetricCharacteristics")


class Detectors:
    """The anomaly detectors of one Region. Times are seconds, as the store counts them."""

    def __init__(self, store):
        self.store, self._all, self._made = store, {}, 0  # what it looks at -> its description

    def put_anomaly_detector(self, *, now: float, **given) -> dict:
        """Make one, or change the one there is. Errors: InvalidParameterCombination, InvalidParameterValue,
        MissingParameter."""
        looks_at, told = _looks_at(given)
        ranges = (given.get("Configuration") or {}).get("ExcludedTimeRanges") or []
        if len(ranges) > RANGES:
            raise ServiceError("InvalidParameterValue", f"At most {RANGES} ExcludedTimeRanges, not {len(ranges)}.")
        if any(one["StartTime"] >= one["EndTime"] for one in ranges):
            raise ServiceError("InvalidParameterValue", "Each of ExcludedTimeRanges ends after it starts.")
        if looks_at not in self._all:
            self._made += 1
        named = self._all.get(looks_at, {"AnomalyDetectorId": f"detector-{self._made}"})["AnomalyDetectorId"]
        self._all[looks_at] = {"AnomalyDetectorId": named} | told | {key: given[key] for key in KEPT if key in given}
        if "SingleMetricAnomalyDetector" in told:
            self.store.exclude(*looks_at, [(one["StartTime"], one["EndTime"]) for one in ranges])
        return {"AnomalyDetectorId": named}

    def describe_anomaly_detectors(self, *, now: float, Namespace: str | None = None, MetricName: str | None = None,
                                   Dimensions: list[dict] | None = None, AnomalyDetectorTypes: list[str] | None = None,
                                   AnomalyDetectorIds: list[str] | None = None, MaxResults: int = PAGE,
                                   NextToken: str | None = None) -> dict:
        """What there is, each with its StateValue. Errors: InvalidParameterCombination, InvalidNextToken."""
        if AnomalyDetectorIds and (Namespace or MetricName or Dimensions or AnomalyDetectorTypes):
            raise ServiceError("InvalidParameterCombination", "AnomalyDetectorIds goes with no other filter.")
        if NextToken is not None and not NextToken.isdecimal():
            raise ServiceError("InvalidNextToken", "This NextToken is none of DescribeAnomalyDetectors.")
        kinds = AnomalyDetectorTypes or ["SINGLE_METRIC"]
        found = []
        for told in self._all.values():
            single = told.get("SingleMetricAnomalyDetector", {})
            if AnomalyDetectorIds:
                wanted = told["AnomalyDetectorId"] in AnomalyDetectorIds
            else:
                wanted = ("SINGLE_METRIC" if single else "METRIC_MATH") in kinds and (
                    Namespace in (None, single.get("Namespace")) and MetricName in (None, single.get("MetricName"))
                    and (not Dimensions or _same(Dimensions, single.get("Dimensions"))))
            if wanted:
                found.append(told | {"StateValue": self._state(told, now)})
        first = int(NextToken or 0)
        more = {"NextToken": str(first + MaxResults)} if len(found) > first + MaxResults else {}
        return {"AnomalyDetectors": found[first:first + MaxResults]} | more

    def delete_anomaly_detector(self, *, AnomalyDetectorId: str | None = None, **given) -> dict:
        """Errors: ResourceNotFoundException, and those of ``put_anomaly_detector``."""
        looks_at = next((key for key, told in self._all.items() if told["AnomalyDetectorId"] == AnomalyDetectorId), None) \
            if AnomalyDetectorId else _looks_at(given)[0]
        if looks_at not in self._all:
            raise ServiceError("ResourceNotFoundException", "There is no such anomaly detector.")
        if "SingleMetricAnomalyDetector" in self._all.pop(looks_at):
            self.store.exclude(*looks_at, [])
        return {}

    def of_alarm(self, parameters: dict, now: float) -> None:
        """See to it that the band of an alarm has its detector: ``parameters`` as of put_metric_alarm."""
        queries = {query["Id"]: query for query in parameters.get("Metrics") or ()}
        band = queries.get(parameters.get("ThresholdMetricId"), {}).get("Expression", "")
        learns = next((queries[name] for name in sorted(names_in(band)) if name in queries), None) if band else None
        if learns is None:
            return
        if "MetricStat" in learns:
            stat = learns["MetricStat"]
            given = {"SingleMetricAnomalyDetector": {key: stat["Metric"][key] for key in METRIC if key in stat["Metric"]}
                     | {"Stat": stat["Stat"]}}
        else:
            given = {"MetricMathAnomalyDetector": {"MetricDataQueries": [
                query | {"ReturnData": query is learns} for query in queries.values()
                if "ANOMALY_DETECTION_BAND" not in query.get("Expression", "")]}}
        if _looks_at(given)[0] not in self._all:
            self.put_anomaly_detector(now=now, **given)

    def _state(self, told, now):
        if "SingleMetricAnomalyDetector" in told:
            one = told["SingleMetricAnomalyDetector"]
            stat = {"Metric": {key: one[key] for key in METRIC if key in one}, "Period": STEP, "Stat": one["Stat"]}
            queries = [{"Id": "m", "MetricStat": stat}]
            watched = "m"
        else:
            queries = told["MetricMathAnomalyDetector"]["MetricDataQueries"]
            watched = next(query["Id"] for query in queries if query.get("ReturnData", True))
        values = self.store.query(queries, now - HISTORY, now, now, learning=True)[watched]
        return "TRAINED" if anomaly.fit(values.points.items(), now) else "TRAINED_INSUFFICIENT_DATA"


def _looks_at(given):
    """(what makes it this detector, how it is described)"""
    kinds = [key for key in ("SingleMetricAnomalyDetector", "MetricMathAnomalyDetector") if given.get(key)]
    old = [key for key in SINGLE if given.get(key)]
    if len(kinds) > 1 or (kinds and old):
        raise ServiceError("InvalidParameterCombination", f"{' and '.join([*kinds, *old])} can't be used together.")
    if kinds == ["MetricMathAnomalyDetector"]:
        queries = given["MetricMathAnomalyDetector"].get("MetricDataQueries") or []
        check_queries(queries)
        for query in queries:
            parse(query.get("Expression", "0"))
        if sum(query.get("ReturnData", True) for query in queries) != 1:
            raise ServiceError("InvalidParameterValue", "Exactly one of MetricDataQueries has ReturnData true: what the "
                                                        "detector looks at.")
        return repr(queries), {"MetricMathAnomalyDetector": {"MetricDataQueries": queries}}
    one = given["SingleMetricAnomalyDetector"] if kinds else {key: given[key] for key in old}
    if missing := [key for key in ("Namespace", "MetricName", "Stat") if not one.get(key)]:
        raise ServiceError("MissingParameter", f"An anomaly detector needs {', '.join(missing)}.")
    parse_statistic(one["Stat"])
    single = {key: one.get(key) or [] for key in SINGLE}
    return (metric_key(*(single[key] for key in METRIC)), one["Stat"]), single | {"SingleMetricAnomalyDetector": single}


def _same(some, others):
    return metric_key("", "", some) == metric_key("", "", others)
