"""The user guide's own examples of metric math, with its numbers, and what it says in words."""

import math

import pytest

from tests.simulator.cloudwatch_desk import BEGIN, Desk, expression, hidden, stat


def drawn(*values: float | None) -> dict[int, float]:
    return {minute: value for minute, value in enumerate(values) if value is not None}


def answered(text: str, metrics: dict[str, dict[int, float]], minutes: int = 5) -> dict[int, float]:
    """An expression's values over the minutes, for metrics of those values."""
    desk = Desk()
    for name, values in metrics.items():
        desk.put(name, values)
    queries = [hidden(stat(name, name)) for name in metrics]
    return desk.values(*queries, expression("e", text), minutes=minutes)


# "Comparison and logical operators", with - for no value.
TWO = {"metric1": drawn(30, 20, 0, 0), "metric2": drawn(20, None, 20, None)}


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("(metric1 < metric2)", [0, 0, 1, 0]),
        ("(metric1 >= 30)", [1, 0, 0, 0]),
        ("(metric1 > 15 AND metric2 > 15)", [1, 0, 0, 0]),
        ("metric1 > 15 && metric2 > 15", [1, 0, 0, 0]),
        ("metric1 > 25 OR metric2 > 15", [1, 0, 1, 0]),
        ("metric1 > 25 || metric2 > 15", [1, 0, 1, 0]),
        ("metric1 == metric2", [0, 0, 0, 1]),
        ("metric1 != metric2", [1, 1, 1, 0]),
        ("metric2 <= 20", [1, None, 1, None]),
    ],
)
def test_comparisons_count_a_missing_value_as_zero(text: str, output: list[float | None]) -> None:
    assert answered(text, TWO, 4) == drawn(*output)


# "Using IF expressions".
THREE = {
    "metric1": drawn(1, 1, 0, 0, None),
    "metric2": drawn(30, None, 0, 0, 30),
    "metric3": drawn(0, 0, 20, None, 20),
}


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, None, None]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, None, None]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, None]),
        ("IF(metric1, 1, 0)", [1, 1, 0, 0, None]),
        ("IF(metric1, metric2)", [30, 0, None, None, None]),
        ("IF(1, metric2, metric3)", [30, None, 0, 0, 30]),
        ("IF(0, metric2, metric3)", [0, 0, 20, None, 20]),
        ("IF(0, metric2)", []),
        ("IF(metric3 < 10, metric3)", [0, 0, None, None, None]),
        ("IF(-metric1, 7, 3)", [7, 7, 3, 3, None]),
    ],
)
def test_if_chooses_point_by_point(text: str, output: list[float | None]) -> None:
    assert answered(text, THREE) == drawn(*output)


ONE = {"m1": drawn(4, None, 6, 1, 9), "m2": drawn(2, 5, None, 0, 3)}


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("m1 + m2", [6, 5, 6, 1, 12]),
        ("m1 / m2", [2, 0, None, None, 3]),
        ("5 * m1", [20, None, 30, 5, 45]),
        ("-m1", [-4, None, -6, -1, -9]),
        ("m1 - 2 * 3", [-2, None, 0, -5, 3]),
        ("(m1 - 2) * 3", [6, None, 12, -3, 21]),
        ("m1 ^ 2", [16, None, 36, 1, 81]),
        ("-m1 ^ 2", [-16, None, -36, -1, -81]),
        ("4 ^ -1 * m1", [1, None, 1.5, 0.25, 2.25]),
        ("1 / m2", [0.5, 0.2, None, None, 1 / 3]),
        ("m1 - AVG(m1)", [-1, None, 1, -4, 4]),
        ("AVG([m1, m2])", [3, 2.5, 3, 0.5, 6]),
        ("SUM([m1, m2])", [6, 5, 6, 1, 12]),
        ("SUM(METRICS())", [6, 5, 6, 1, 12]),
        ('SUM(METRICS("2"))', [2, 5, None, 0, 3]),
        ('SUM([METRICS("1"), METRICS("2")])', [6, 5, 6, 1, 12]),
        ("MAX(METRICS())", [4, 5, 6, 1, 9]),
        ("MIN(METRICS())", [2, 5, 6, 0, 3]),
        ("STDDEV(METRICS())", [1, 0, 0, 0.5, 3]),
        ("DATAPOINT_COUNT(METRICS())", [2, 1, 1, 2, 2]),
        ("m1 / METRIC_COUNT(METRICS())", [2, None, 3, 0.5, 4.5]),
        ("SUM(100 / [m1, m2])", [75, 20, 100 / 6, 100, 100 / 9 + 100 / 3]),
        ("AVG([m1, m2] / m1)", [0.75, None, 0.5, 0.5, (1 + 1 / 3) / 2]),
        ("SUM(-[m1, m2])", [-6, -5, -6, -1, -12]),
        ("MAX(m1) / m1", [2.25, None, 1.5, 9, 1]),
        ("m1 / STDDEV(m1)", [4 / 2.9154759474, None, 6 / 2.9154759474, 1 / 2.9154759474, 9 / 2.9154759474]),
        ("TIME_SERIES(MAX(m1))", [9, 9, 9, 9, 9]),
        ("TIME_SERIES(5 * AVG(m1))", [25] * 5),
        ("TIME_SERIES(SUM(m1) / DATAPOINT_COUNT(m1))", [5] * 5),
        ("m1 / PERIOD(m1)", [4 / 60, None, 0.1, 1 / 60, 0.15]),
        ("ABS(m2 - m1)", [2, 5, 6, 1, 6]),
        ("CEIL(m1 / 4)", [1, None, 2, 1, 3]),
        ("FLOOR(m1 / 4)", [1, None, 1, 0, 2]),
        ("LOG(m2)", [math.log(2), math.log(5), None, None, math.log(3)]),
        ("LOG10(m1 * 10 - 40)", [None, None, math.log10(20), None, math.log10(50)]),
        ("DIFF(m1)", [None, None, 2, -5, 8]),
        ("DIFF_TIME(m1)", [None, None, 120, 60, 60]),
        ("RATE(m1)", [None, None, 2 / 120, -5 / 60, 8 / 60]),
        ("RUNNING_SUM(m1)", [4, None, 10, 11, 20]),
        ("SUM(RUNNING_SUM([m1, m2]))", [6, 7, 10, 18, 30]),
        ("FILL(m1, 10)", [4, 10, 6, 1, 9]),
        ("FILL(m1, m2)", [4, 5, 6, 1, 9]),
        ("FILL(m1, MIN(m1))", [4, 1, 6, 1, 9]),
        ("FILL(m1, REPEAT)", [4, 4, 6, 1, 9]),
        ("FILL(m1, LINEAR)", [4, 5, 6, 1, 9]),
        ("FIRST(SORT(METRICS(), AVG, DESC))", [4, None, 6, 1, 9]),
        ("IF(FIRST(SORT(METRICS(), AVG, DESC)) > 5, 1, 0)", [0, None, 1, 0, 1]),
        ("LAST(SORT(METRICS(), MAX, DESC))", [2, 5, None, 0, 3]),
        ("SUM(SLICE(SORT(METRICS(), SUM, ASC), 0, 1))", [2, 5, None, 0, 3]),
        ("SUM(SLICE(SORT(METRICS(), SUM, ASC), 1))", [4, None, 6, 1, 9]),
        ("SUM(SORT(METRICS(), MIN, DESC, 1))", [4, None, 6, 1, 9]),
        ("MINUTE(m1)", [0, 1, 2, 3, 4]),
        ("HOUR(m1)", [9] * 5),
        ("DAY(m1)", [1] * 5),
        ("DATE(m1)", [23] * 5),
        ("MONTH(m1)", [11] * 5),
        ("YEAR(m1)", [2026] * 5),
        ("EPOCH(m1)", [BEGIN.timestamp() + 60 * minute for minute in range(5)]),
        ("IF(DAY(m1) < 6, m1)", [4, 0, 6, 1, 9]),
        ("IF(MONTH(m1) == 4, m1)", []),
        ("m1 * (1 / SUM(m2 - m2))", []),
        ("m1 / 1e-300 / 1e-300", []),
        ("(m1 - 5) ^ 0.5", [None, None, 1, None, 2]),
    ],
)
def test_functions_answer_as_documented(text: str, output: list[float | None]) -> None:
    found = answered(text, ONE)

    assert found.keys() == drawn(*output).keys()
    assert found == pytest.approx(drawn(*output))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("AVG(m1)", "must be a time series, got a Scalar"),
        ("5", "must be a time series"),
        ("m1 > m2 > m1", "Invalid syntax at position 9"),
        ("m1 ^ 2 ^ 3", "group '^'"),
        ("[m1, m2] + [m1, m2]", "Unsupported operand type(s) for +: '[TimeSeries[], TimeSeries[]]'"),
        ("METRICS() > 5", "Unsupported operand type(s) for >: '[TimeSeries[], Scalar]'"),
        ("avg(m1)", "Unsupported function avg"),
        ("MEDIAN(m1)", "Unsupported function MEDIAN"),
        ("SUM(m1, m2)", "got 2 arguments"),
        ("SUM()", "got 0 arguments"),
        ("SUM(5) * m1", "takes a TimeSeries or TimeSeries[], not Scalar"),
        ("SUM([m1, 5])", "An array takes time series"),
        ("SUM([])", "an empty array"),
        ("PERIOD(m1 + m2) * m1", "PERIOD takes the id of a metric"),
        ("IF(METRICS(), 1, 0)", "IF takes scalars and time series"),
        ("IF(1, 2, 3)", "IF with a scalar condition"),
        ("FILL(m1, BACKWARDS)", "Undefined variable BACKWARDS"),
        ("FILL(m1, METRICS())", "FILL takes"),
        ("SORT(METRICS(), MEDIAN, ASC)", "SORT takes one of"),
        ("SORT(METRICS(), AVG, UP)", "SORT takes ASC or DESC"),
        ("SLICE(METRICS(), -1)", "whole numbers"),
        ("FIRST(m1)", "FIRST takes a TimeSeries[], not TimeSeries"),
        ("METRICS(m1)", "METRICS takes nothing or a string"),
        ("TIME_SERIES(m1)", "TIME_SERIES takes a Scalar"),
        ("ANOMALY_DETECTION_BAND(m1 + m2)", "takes the id of a metric"),
        ("ANOMALY_DETECTION_BAND(m1, -2)", "above 0"),
        ("m1 + 'text'", "Unexpected string"),
        ("m1 + nothing", "Undefined variable nothing"),
        ("m1 and m2", "Invalid syntax at position 4"),
        ("NOT m1", "Invalid syntax"),
        ("m1 % 2", "Invalid syntax at position 4: unexpected '%'"),
        ("m1 +", "unexpected end"),
        ("(m1", "unexpected end"),
        ("m1 m2", "Invalid syntax at position 4"),
        (" ", "unexpected end"),
        ("+m1", "Invalid syntax"),
        ("1.2.3 * m1", "Invalid syntax"),
        ("(" * 60 + "m1" + ")" * 60, "nested more than"),
        ("m1" + "+m1" * 200, "more than 150 operators"),
        ("m1" + " " * 3000, "longer than"),
        ("__import__('os')", "Invalid syntax"),
        ("e * 2", "refers to itself"),
        ("DB_PERF_INSIGHTS('RDS', 'db', 'os')", "Unsupported function DB_PERF_INSIGHTS"),
    ],
)
def test_what_is_no_expression_is_refused_by_name(text: str, why: str) -> None:
    desk = Desk()
    queries = [hidden(stat("m1", "m1")), hidden(stat("m2", "m2")), expression("e", text)]

    code, message = desk.refusal(
        "GetMetricData", MetricDataQueries=queries, StartTime=BEGIN, EndTime=BEGIN.replace(hour=10)
    )

    assert code == "ValidationError"
    assert message.startswith("Error in expression 'e': ")
    assert why in message


def test_expressions_use_each_other_in_any_order_and_any_depth() -> None:
    desk = Desk()
    desk.put("m", {0: 1.0, 1: 2.0})
    chain = [expression(f"e{at}", f"e{at + 1} + 1") for at in range(400)]

    values = desk.values(*reversed(chain), expression("e400", "m + 0"), stat("m", "m"), expression("z", "e0"))

    assert values == {0: 401.0, 1: 402.0}


def test_two_expressions_that_need_each_other_are_refused() -> None:
    queries = [expression("a", "b + 1"), expression("b", "a + 1")]

    _, message = Desk().refusal(
        "GetMetricData", MetricDataQueries=queries, StartTime=BEGIN, EndTime=BEGIN.replace(hour=10)
    )

    assert "refers to itself" in message


def test_metrics_of_different_periods_are_not_mixed() -> None:
    desk = Desk()
    queries = [hidden(stat("a", "m")), hidden(stat("b", "m", period=300)), expression("e", "a + b")]

    code, message = desk.refusal(
        "GetMetricData", MetricDataQueries=queries, StartTime=BEGIN, EndTime=BEGIN.replace(hour=10)
    )

    assert (code, message) == (
        "ValidationError",
        "Error in expression 'e': All metrics must have the same period.",
    )


def test_a_time_series_without_metrics_needs_a_period() -> None:
    desk = Desk()

    assert desk.values(expression("e", "TIME_SERIES(3)", Period=60), minutes=3) == {0: 3.0, 1: 3.0, 2: 3.0}
    _, message = desk.refusal(
        "GetMetricData",
        MetricDataQueries=[expression("e", "TIME_SERIES(3)")],
        StartTime=BEGIN,
        EndTime=BEGIN.replace(hour=10),
    )
    assert "Period is needed" in message


def test_an_array_gives_one_result_for_each_of_its_series() -> None:
    desk = Desk()
    desk.put("a", {0: 1.0})
    desk.put("b", {0: 2.0})

    results = desk.data(hidden(stat("a", "a")), hidden(stat("b", "b")), expression("e", "METRICS() * 10"))

    assert [(one["Id"], one["Label"], one["Values"]) for one in results["MetricDataResults"]] == [
        ("e", "a", [10.0]),
        ("e", "b", [20.0]),
    ]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("FILL(m1, LINEAR)", [1e308, None, -1e308, None, None]),
        ("RUNNING_SUM(ABS(m1))", [1e308, None, None, None, None]),
        ("DIFF(m1)", []),
        ("TIME_SERIES(STDDEV(m1))", []),
        ("STDDEV([m1, -m1])", []),
        ("FIRST(ANOMALY_DETECTION_BAND(m1))", []),
    ],
)
def test_what_is_too_large_for_a_number_is_dropped(text: str, output: list[float | None]) -> None:
    assert answered(text, {"m1": drawn(1e308, None, -1e308)}) == drawn(*output)


def test_a_band_and_a_label_of_numbers_too_large_are_none() -> None:
    desk = Desk()
    desk.put("m1", {minute: -1e308 if minute < 15 else 1e308 for minute in range(30)})
    band = expression("e", "FIRST(ANOMALY_DETECTION_BAND(m1))")

    results = desk.data({**stat("m1", "m1"), "Label": "${SUM}"}, band, minutes=30)

    assert results["MetricDataResults"][0]["Label"] == "--"
    assert results["MetricDataResults"][1]["Values"] == []
