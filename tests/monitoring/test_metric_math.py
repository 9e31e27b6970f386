"""Metric math, held to the examples of "Using metric math" (CloudWatch User Guide) and to arithmetic."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.monitoring.metric_math import Past, Series, evaluate

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=80)
GRID = [0, 60, 120, 180, 240]


def row(*values):
    """A series as the page writes it: one value a minute, None where it has a dash."""
    return [(60 * place, value) for place, value in enumerate(values) if value is not None]


def values(expression, times=GRID, **series):
    """The result as the page writes it; of an array a list of such."""
    result = evaluate(expression, series, times=times)
    lists = [[one.points.get(time) for time in times] for one in (result if isinstance(result, list) else [result])]
    return lists if isinstance(result, list) else lists[0]


def refusal(expression, **series):
    with pytest.raises(ServiceError) as error:
        evaluate(expression, series or {"m1": row(1, 2)}, times=[0, 60])
    assert error.value.code == "ValidationError"
    return error.value.message


ONE, TWO = row(30, 20, 0, 0), row(20, None, 20, None)


@pytest.mark.parametrize("expression, expected", [
    ("metric1 < metric2", [0, 0, 1, 0]), ("metric1 >= 30", [1, 0, 0, 0]), ("metric1 > 15 AND metric2 > 15", [1, 0, 0, 0]),
    ("metric1 > 15 && metric2 > 15", [1, 0, 0, 0]), ("metric1 > 15 OR metric2 > 15", [1, 1, 1, 0]),
    ("metric1 == 0 || metric1 != 0", [1, 1, 1, 1])])
def test_comparisons_as_on_the_page(expression, expected):
    """"Comparison and logical operators": a missing value counts as 0."""
    assert values(expression, times=GRID[:4], metric1=ONE, metric2=TWO) == expected


@pytest.mark.parametrize("expression, expected", [
    ("IF(m1, m2, m3)", [30, 0, 20, None, None]), ("IF(m1, 5, m3)", [5, 5, 20, None, None]),
    ("IF(m1, m2, 5)", [30, 0, 5, 5, None]), ("IF(m1, m2)", [30, 0, None, None, None]), ("IF(m1 < 1, 10, 2)", [2, 2, 10, 10, None]),
    ("IF(1, m2, m3)", [30, None, 0, 0, 30]), ("IF(0, m2, m3)", [0, 0, 20, None, 20]), ("IF(0, m2)", [None] * 5)])
def test_if_as_on_the_page(expression, expected):
    """"Using IF expressions", with the page's three tables."""
    assert values(expression, m1=row(1, 1, 0, 0, None), m2=row(30, None, 0, 0, 30), m3=row(0, 0, 20, None, 20)) == expected


def test_arithmetic_treats_missing_as_zero_and_drops_a_division_by_zero():
    """"Basic arithmetic functions"."""
    assert values("metric1 + metric2", metric1=ONE, metric2=TWO) == [50, 20, 20, 0, None]
    assert values("metric2 / metric1", metric1=ONE, metric2=TWO) == [20 / 30, 0, None, None, None]
    assert values("metric1 / metric2", metric1=ONE, metric2=TWO) == [1.5, None, 0, None, None]
    assert values("-m1 ^ 0.5", m1=row(4, -4)) == [-2, None, None, None, None]
    assert values("10 ^ m1", m1=row(2, 400))[:2] == [100, None]


@pytest.mark.parametrize("expression, value", [
    ("2 + 3 * 4", 14), ("(2 + 3) * 4", 20), ("2 * 3 ^ 2", 18), ("-2 ^ 2", -4), ("2 ^ -1", 0.5), ("2 ^ 3 ^ 2", 512), ("10 - 4 - 3", 3),
    ("64 / 4 / 2", 8), ("1 + 1 == 2 AND 3 > 2", 1), ("1 OR 0 AND 0", 1), ("(1 OR 0) AND 0", 0), ("1.5e2 - .5", 149.5), ("- - 3", 3)])
def test_precedence(expression, value):
    assert values(f"TIME_SERIES({expression})", times=[0], m1=row(1)) == [value]


@EXAMPLES
@given(st.recursive(st.integers(1, 9).map(str), lambda inner: st.one_of(
    st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join), inner.map("({})".format), inner.map("-({})".format)), max_leaves=8))
def test_arithmetic_agrees_with_python(text):
    """Python has the same precedence for these signs: an oracle that nobody here wrote."""
    try:
        expected = float(eval(text))  # of numbers and signs only; the model itself never evals
    except ZeroDivisionError:
        expected = None
    assert values(f"TIME_SERIES({text})", times=[0], m1=row(1)) == ([None] if expected is None else [pytest.approx(expected)])


@EXAMPLES
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=8))
def test_functions_of_one_series(numbers):
    """Each against the standard library."""
    grid = [60 * place for place in range(len(numbers))]
    get = lambda expression: values(expression, times=grid, m1=row(*numbers))
    for name, function in {"SUM": sum, "MIN": min, "MAX": max, "AVG": statistics.fmean, "STDDEV": statistics.pstdev, "DATAPOINT_COUNT": len}.items():
        assert get(f"TIME_SERIES({name}(m1))") == pytest.approx([function(numbers)] * len(numbers))
    assert get("ABS(m1)") == [abs(number) for number in numbers]
    assert get("CEIL(m1 / 3)") == [math.ceil(number / 3) for number in numbers]
    assert get("FLOOR(m1 / 3)") == [math.floor(number / 3) for number in numbers]
    assert get("LOG(m1)") == [math.log(number) if number > 0 else None for number in numbers]
    assert get("RUNNING_SUM(m1)") == [sum(numbers[:place + 1]) for place in range(len(numbers))]
    assert get("DIFF(m1)") == [None] + [after - before for before, after in zip(numbers, numbers[1:])]
    assert get("DIFF(RUNNING_SUM(m1))") == [None] + numbers[1:]
    assert get("RATE(m1) * 60") == pytest.approx(get("DIFF(m1)")) if len(numbers) > 1 else True


def test_rate_and_diff_look_at_the_point_before_however_long_ago():
    """RATE: "divided by the time difference in seconds between the two values"."""
    gap = row(60, None, 180)
    assert values("RATE(m1)", m1=gap) == [None, None, 1, None, None]
    assert values("DIFF_TIME(m1)", m1=gap) == [None, None, 120, None, None]


@pytest.mark.parametrize("filler, expected", [
    ("0", [0, 10, 0, 40, 0]), ("REPEAT", [None, 10, 10, 40, 40]), ("LINEAR", [None, 10, 25, 40, None]), ("m2", [1, 10, 3, 40, None]),
    ("MIN(m1)", [10, 10, 10, 40, 10])])
def test_fill(filler, expected):
    assert values(f"FILL(m1, {filler})", m1=row(None, 10, None, 40), m2=row(1, 2, 3)) == expected


def test_arrays():
    """Arrays are taken together time by time; AVG counts what is missing as 0."""
    series = {"errors4xx": row(1, 2), "errors5xx": row(3, None), "requests": row(8, 8)}
    get = lambda expression: values(expression, times=GRID[:2], **series)
    assert get("SUM(METRICS())") == [12, 10] and get("SUM(METRICS(\"errors\"))") == [4, 2] == get("SUM([METRICS('4xx'), METRICS('5xx')])")
    assert get("AVG([errors4xx, errors5xx])") == [2, 1] and get("MIN([errors4xx, errors5xx])") == [1, 2] == get("MIN(METRICS())")
    assert get("METRICS() / requests") == [[1 / 8, 2 / 8], [3 / 8, 0], [1, 1]]
    assert get("requests / METRIC_COUNT(METRICS())") == pytest.approx([8 / 3, 8 / 3]) and get("DATAPOINT_COUNT(METRICS())") == [3, 2]
    assert get("SORT(METRICS(), AVG, DESC)") == [[8, 8], [3, None], [1, 2]] and get("SORT(METRICS(), SUM, ASC, 1)") in ([[1, 2]], [[3, None]])
    assert get("SLICE(SORT(METRICS(), MAX, DESC), 1, 2)") == [[3, None]] and get("SLICE(METRICS(), 2)") == [[8, 8]]
    assert get("FIRST(SORT(METRICS(), AVG, DESC)) > 5") == [1, 1] and get("LAST(METRICS())") == [8, 8]
    assert values("REMOVE_EMPTY(METRICS())", times=[0], m1=row(1), m2=[]) == [[1]]


def test_period_and_the_calendar():
    """DAY counts from Monday, 1; these series have no gaps."""
    assert values("m1 / PERIOD(m1)", m1=row(60, 120))[:2] == [1, 2]
    monday = 4 * 86_400 + 9 * 3600 + 5 * 60  # 1970-01-05, 09:05 UTC
    get = lambda name: evaluate(f"{name}(m1)", {"m1": [(monday, 1)]}, times=[monday, monday + 86_400]).points[monday]
    assert [get(name) for name in ("MINUTE", "HOUR", "DAY", "DATE", "MONTH", "YEAR", "EPOCH")] == [5, 9, 1, 5, 1, 1970, monday]
    assert list(evaluate("IF(DAY(m1) < 6, m1)", {"m1": [(monday, 7)]}).points.values()) == [7]


def test_the_band_is_high_then_low_and_as_wide_as_told():
    """ANOMALY_DETECTION_BAND: LAST is the lower bound; two standard deviations if none are given."""
    past = Past({"m1": Series({60 * n: 100.0 + (-1) ** n for n in range(500)}, 60.0)})
    args = {"series": {"m1": [(30_000, 150)]}, "times": [30_000], "past": lambda: past}
    width = {}
    for text in ("m1", "m1, 2", "m1, 4"):
        high, low = (one.points[30_000] for one in evaluate(f"ANOMALY_DETECTION_BAND({text})", **args))
        width[text] = high - low
        assert low < 100 < high and evaluate(f"LAST(ANOMALY_DETECTION_BAND({text}))", **args).points[30_000] == low
    assert width["m1"] == width["m1, 2"] == pytest.approx(4, rel=0.05) and width["m1, 4"] == pytest.approx(2 * width["m1"])
    high, _ = evaluate("ANOMALY_DETECTION_BAND(m1 * 10)", **args)
    assert high.points[30_000] == pytest.approx(1020, rel=0.01)


@pytest.mark.parametrize("expression, says", [
    ("m1 +", "column 5"), ("m1 + m9", "column 6: 'm9'"), ("(m1", "expected ')'"), ("m1 m1", "column 4"), ("m1 $ 2", "'$'"), ("", "too early"),
    ("SUM(m1)", "not a number"), ("5", "not a number"), ("sum(m1)", "uppercase"), ("NOSUCH(m1)", "NOSUCH"), ("FILL(m1)", "2 arguments"),
    ("FILL(m1, NEXT)", "REPEAT"), ("SORT(METRICS(), STDDEV, ASC)", "SORT"), ("PERIOD(m1 * 2)", "PERIOD"), ("FIRST(m1)", "an array"),
    ("METRICS() + METRICS()", "two arrays"), ("NOT m1", "NOT"), ("ABS(3)", "a number"), ("SEARCH('x')", "not modelled"), ("M1", "lowercase"),
    ("TIME_SERIES(m1)", "a time series"), ("'text'", "text"), ("m1 = 1", "'='")])
def test_what_is_wrong_is_said_with_its_place(expression, says):
    assert says in refusal(expression)


@EXAMPLES
@given(st.text(alphabet="m1+-*/^()[],<>=&|! \"ASUMFILIR0.", max_size=20))
def test_any_text_is_worked_out_or_refused_and_nothing_else(text):
    try:
        evaluate(text, {"m1": row(1, 2)}, times=[0, 60])
    except ServiceError as error:
        assert error.code == "ValidationError"
