"""How metric data is published, kept, and read back: pages, labels, units, resolutions, ages."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.simulator.cloudwatch_desk import BEGIN, Desk, expression, hidden, stat


def published(desk: Desk, **datum: Any) -> None:
    desk.ask("PutMetricData", Namespace="N", MetricData=[{"MetricName": "m", **datum}])


def read(desk: Desk, statistic: str = "Sum", period: int = 60, **more: Any) -> list[float]:
    query = stat("q", "m", statistic, period)
    query["MetricStat"] |= more
    now = desk.clock.now()
    span = {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(minutes=1)}
    (result,) = desk.ask("GetMetricData", MetricDataQueries=[query], **span)["MetricDataResults"]
    found: list[float] = result["Values"]
    return found


def test_points_come_in_pages_of_the_wanted_size() -> None:
    desk = Desk()
    for name in ("a", "b"):
        desk.put(name, {minute: float(minute) for minute in range(5)})
    queries = [stat("a", "a"), stat("b", "b")]

    first = desk.data(*queries, MaxDatapoints=3)
    second = desk.data(*queries, MaxDatapoints=3, NextToken=first["NextToken"])
    third = desk.data(*queries, MaxDatapoints=4, NextToken=second["NextToken"])

    def shown(page: dict[str, Any]) -> list[tuple[str, list[float], str]]:
        return [(one["Id"], one["Values"], one["StatusCode"]) for one in page["MetricDataResults"]]

    assert shown(first) == [("a", [0.0, 1.0, 2.0], "PartialData"), ("b", [], "PartialData")]
    assert shown(second) == [("a", [3.0, 4.0], "Complete"), ("b", [0.0], "PartialData")]
    assert shown(third) == [("b", [1.0, 2.0, 3.0, 4.0], "Complete")]
    assert third["NextToken"] is None


def test_the_newest_points_are_on_the_first_page_unless_told_otherwise() -> None:
    desk = Desk()
    desk.put("a", {minute: float(minute) for minute in range(5)})

    page = desk.data(stat("a", "a"), MaxDatapoints=2, ScanBy="TimestampDescending")

    assert page["MetricDataResults"][0]["Values"] == [4.0, 3.0]


def test_with_an_expression_a_cut_result_has_no_next_page() -> None:
    desk = Desk()
    desk.put("a", {minute: float(minute) for minute in range(5)})

    page = desk.data(hidden(stat("a", "a")), expression("e", "a * 2"), MaxDatapoints=2)

    assert page["NextToken"] is None
    assert [(one["Values"], one["StatusCode"]) for one in page["MetricDataResults"]] == [
        ([0.0, 2.0], "PartialData")
    ]


def test_a_token_continues_its_own_request_only() -> None:
    desk = Desk()
    desk.put("a", {minute: 1.0 for minute in range(5)})
    token = desk.data(stat("a", "a"), MaxDatapoints=2)["NextToken"]
    span = {"StartTime": BEGIN, "EndTime": BEGIN + timedelta(minutes=4), "ScanBy": "TimestampAscending"}

    for wrong in (token, "bogus", "é"):
        code, _ = desk.refusal("GetMetricData", MetricDataQueries=[stat("a", "a")], NextToken=wrong, **span)
        assert code == "InvalidNextToken"


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("plain", "plain"),
        ("[max: ${MAX}] ${LABEL}", "[max: 30] m"),
        ("${AVG} of ${DATAPOINT_COUNT}, ${SUM} in all", "17.5 of 4, 70 in all"),
        ("${MIN} ${FIRST} ${LAST}", "0.5 0.5 19.5"),
        ("${MIN_MAX_RANGE} ${FIRST_LAST_RANGE}", "29.5 19"),
        ("${FIRST_TIME} to ${LAST_TIME}", "2026-11-23T10:30:00+01:30 to 2026-11-23T10:33:00+01:30"),
        ("${MAX_TIME} ${MIN_TIME}", "2026-11-23T10:32:00+01:30 2026-11-23T10:30:00+01:30"),
        ("${FIRST_LAST_TIME_RANGE} ${MIN_MAX_TIME_RANGE}", "0:03:00 0:02:00"),
        ("${LAST_TIME_RELATIVE}", "0:07:00"),
        ("${PROP('Namespace')}/${PROP('MetricName')} ${PROP('Dim.S')}", "N/m web"),
        ("${PROP('Stat')} ${PROP('Period')} ${PROP('Region')}", "Sum 60 us-east-1"),
        ("${PROP('Dim.Nothing')}", "--"),
    ],
)
def test_a_dynamic_label_is_answered_from_the_data(label: str, written: str) -> None:
    desk = Desk(BEGIN + timedelta(minutes=10))
    desk.put("m", {0: 0.5, 1: 20.0, 2: 30.0, 3: 19.5}, S="web")

    results = desk.data({**stat("q", "m", S="web"), "Label": label}, LabelOptions={"Timezone": "+0130"})

    assert results["MetricDataResults"][0]["Label"] == written


@pytest.mark.parametrize(
    ("label", "zone", "why"),
    [
        ("${MEDIAN}", "+0000", "${MEDIAN} is not supported"),
        ("${PROP('Colour')}", "+0000", "Colour"),
        ("${LABEL} ${LABEL}", "+0000", "once"),
        ("${MIN}${MAX}${AVG}${SUM}${FIRST}${LAST}${MIN}", "+0000", "at most 6"),
        ("x", "Berlin", "Timezone"),
    ],
)
def test_a_label_that_cannot_be_answered_is_refused(label: str, zone: str, why: str) -> None:
    desk = Desk()
    desk.put("m", {0: 1.0})
    span = {"StartTime": BEGIN, "EndTime": BEGIN + timedelta(minutes=5)}

    code, message = desk.refusal(
        "GetMetricData",
        MetricDataQueries=[{**stat("q", "m"), "Label": label}],
        LabelOptions={"Timezone": zone},
        **span,
    )

    assert code == "ValidationError"
    assert why in message


def test_a_dynamic_label_applies_to_every_metric_that_a_search_finds() -> None:
    desk = Desk()
    for service, value in (("a", 1.0), ("b", 2.0)):
        desk.put("m", {0: value}, S=service)
    query = expression("e", "SEARCH('{N,S} m', 'Sum', 60)", Label="${PROP('Dim.S')} ${MAX}")

    labels = [one["Label"] for one in desk.data(query)["MetricDataResults"]]

    assert labels == ["a 1", "b 2"]


def test_values_with_counts_and_statistic_sets_add_up() -> None:
    desk = Desk()
    published(desk, Values=[1.0, 2.0, 10.0], Counts=[8.0, 1.0, 1.0])
    published(desk, Value=4.0)

    assert read(desk) == [24.0]
    assert read(desk, "p50") == [1.0]
    published(desk, StatisticValues={"SampleCount": 2, "Sum": 6, "Minimum": 1, "Maximum": 5})
    assert read(desk) == [30.0]
    assert read(desk, "SampleCount") == [13.0]
    assert read(desk, "p50") == []


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [float(one) for one in range(151)]}, "InvalidParameterValue"),
        ({"Values": [1.0], "Counts": [-1.0]}, "InvalidParameterValue"),
        ({"Value": 2.0**361}, "InvalidParameterValue"),
        ({"Value": float("nan")}, "InvalidParameterValue"),
        ({"Value": 1.0, "StorageResolution": 5}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": BEGIN - timedelta(days=15)}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": BEGIN + timedelta(hours=3)}, "InvalidParameterValue"),
        (
            {"Value": 1.0, "Dimensions": [{"Name": f"d{one}", "Value": "x"} for one in range(31)]},
            "InvalidParameterValue",
        ),
        ({"Value": 1.0, "Dimensions": [{"Name": "d", "Value": "x"}] * 2}, "InvalidParameterValue"),
        (
            {"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}},
            "InvalidParameterValue",
        ),
        (
            {"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}},
            "InvalidParameterCombination",
        ),
    ],
)
def test_wrong_data_is_refused_and_none_of_its_call_is_kept(datum: dict[str, Any], code: str) -> None:
    desk = Desk()
    data = [{"MetricName": "good", "Value": 1.0}, {"MetricName": "m", **datum}]

    assert desk.refusal("PutMetricData", Namespace="N", MetricData=data)[0] == code
    assert desk.ask("ListMetrics")["Metrics"] == []


def test_a_call_takes_a_thousand_metrics() -> None:
    data = [{"MetricName": "m", "Value": 1.0}] * 1001

    assert Desk().refusal("PutMetricData", Namespace="N", MetricData=data)[0] == "InvalidParameterValue"
    assert Desk().refusal("PutMetricData", Namespace=":N", MetricData=data[:1])[0] == "InvalidParameterValue"


def test_data_is_told_apart_by_its_unit() -> None:
    desk = Desk()
    published(desk, Value=1.0, Unit="Bytes")
    published(desk, Value=2.0, Unit="Count")

    assert read(desk, Unit="Bytes") == [1.0]
    assert read(desk, Unit="Percent") == []
    span = {"StartTime": BEGIN - timedelta(minutes=1), "EndTime": BEGIN + timedelta(minutes=1), "Period": 60}
    points = desk.ask("GetMetricStatistics", Namespace="N", MetricName="m", Statistics=["Sum"], **span)
    assert [(one["Unit"], one["Sum"]) for one in points["Datapoints"]] == [("Bytes", 1.0), ("Count", 2.0)]
    _, message = desk.refusal(
        "GetMetricData",
        MetricDataQueries=[stat("q", "m")],
        StartTime=BEGIN - timedelta(minutes=1),
        EndTime=BEGIN + timedelta(minutes=1),
    )
    assert "Specify the Unit" in message


def test_services_of_aws_publish_in_their_own_units() -> None:
    desk = Desk()
    desk.put("CPUUtilization", {0: 50.0}, namespace="AWS/ECS", ServiceName="web")

    points = desk.ask(
        "GetMetricStatistics",
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "ServiceName", "Value": "web"}],
        Statistics=["Average"],
        StartTime=BEGIN,
        EndTime=BEGIN + timedelta(minutes=1),
        Period=60,
    )

    assert points["Datapoints"][0]["Unit"] == "Percent"


def test_only_high_resolution_data_has_periods_below_a_minute() -> None:
    desk = Desk()
    for second in range(20):
        at = BEGIN + timedelta(seconds=second)
        published(desk, Value=1.0, Timestamp=at, StorageResolution=1)
        desk.ask(
            "PutMetricData", Namespace="N", MetricData=[{"MetricName": "slow", "Value": 1.0, "Timestamp": at}]
        )
    span = {"StartTime": BEGIN, "EndTime": BEGIN + timedelta(seconds=20)}

    def counted(name: str, period: int) -> list[float]:
        answer = desk.ask("GetMetricData", MetricDataQueries=[stat("q", name, period=period)], **span)
        found: list[float] = answer["MetricDataResults"][0]["Values"]
        return found

    assert counted("m", 5) == [5.0] * 4
    assert counted("m", 10) == [10.0] * 2
    assert counted("m", 60) == [20.0]
    assert counted("slow", 10) == []
    desk.clock.move_to(BEGIN + timedelta(hours=4))
    assert counted("m", 5) == []
    assert counted("m", 60) == [20.0]


@pytest.mark.parametrize(
    ("days", "minute", "five_minutes", "hour"),
    [(14, 1, 1, 1), (16, 0, 1, 1), (64, 0, 0, 1), (456, 0, 0, 0)],
)
def test_older_data_is_kept_in_longer_periods(days: int, minute: int, five_minutes: int, hour: int) -> None:
    desk = Desk()
    desk.put("m", {0: 1.0})
    desk.clock.move_to(BEGIN + timedelta(days=days))
    span = {"StartTime": BEGIN, "EndTime": BEGIN + timedelta(hours=1)}

    def points(period: int) -> int:
        answer = desk.ask("GetMetricData", MetricDataQueries=[stat("q", "m", period=period)], **span)
        return len(answer["MetricDataResults"][0]["Values"])

    assert (points(60), points(300), points(3600)) == (minute, five_minutes, hour)


@pytest.mark.parametrize(
    ("age", "asked", "begins"),
    [
        (timedelta(hours=1), "12:32:34", "12:32:00"),
        (timedelta(days=16), "12:32:34", "12:30:00"),
        (timedelta(days=64), "12:32:34", "12:00:00"),
    ],
)
def test_a_start_is_rounded_down_the_more_the_longer_ago(age: timedelta, asked: str, begins: str) -> None:
    """The API reference's own example."""
    at = datetime.fromisoformat(f"2026-11-23T{asked}+00:00")
    desk = Desk(at)
    desk.metrics.put("N", "m", {}, at, 1.0)
    desk.clock.move_to(at + age)

    answer = desk.ask(
        "GetMetricData",
        MetricDataQueries=[stat("q", "m", period=3600)],
        StartTime=at,
        EndTime=at + timedelta(minutes=1),
    )

    (first,) = answer["MetricDataResults"][0]["Timestamps"]
    assert f"{first:%H:%M:%S}" == begins


def test_metrics_are_listed_while_they_had_data_in_two_weeks() -> None:
    desk = Desk()
    for number in range(501):
        desk.put(f"m{number:03}", {0: 1.0})

    first = desk.ask("ListMetrics")
    rest = desk.ask("ListMetrics", NextToken=first["NextToken"])

    assert (len(first["Metrics"]), len(rest["Metrics"]), rest["NextToken"]) == (500, 1, None)
    desk.clock.move_to(BEGIN + timedelta(hours=4))
    desk.put("fresh", {240: 1.0})
    active = desk.ask("ListMetrics", RecentlyActive="PT3H")["Metrics"]
    assert [one["MetricName"] for one in active] == ["fresh"]
    desk.clock.move_to(BEGIN + timedelta(days=14, hours=1))
    assert [one["MetricName"] for one in desk.ask("ListMetrics")["Metrics"]] == ["fresh"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Statistics": ["Sum"], "ExtendedStatistics": ["p99"]}, "InvalidParameterCombination"),
        ({}, "MissingParameter"),
        ({"ExtendedStatistics": ["p101"]}, "InvalidParameterValue"),
        ({"Statistics": ["Median"]}, "InvalidParameterValue"),
        ({"Statistics": ["Sum"], "Period": 45}, "InvalidParameterValue"),
        ({"Statistics": ["Sum"], "EndTime": BEGIN}, "InvalidParameterCombination"),
        ({"Statistics": ["Sum"], "EndTime": BEGIN + timedelta(days=2)}, "InvalidParameterCombination"),
    ],
)
def test_wrong_questions_for_statistics_are_refused(wrong: dict[str, Any], code: str) -> None:
    asked = {"StartTime": BEGIN, "EndTime": BEGIN + timedelta(hours=1), "Period": 60, **wrong}

    assert Desk().refusal("GetMetricStatistics", Namespace="N", MetricName="m", **asked)[0] == code


def test_a_band_follows_what_the_metric_was_before() -> None:
    desk = Desk()
    begin = BEGIN - timedelta(hours=3)
    for minute in range(180):
        desk.metrics.put("N", "m", {}, begin + timedelta(minutes=minute), 10.0 + minute % 2)
    desk.put("m", {0: 50.0})

    upper, lower = desk.data(
        hidden(stat("m", "m")), expression("b", "ANOMALY_DETECTION_BAND(m, 2)"), minutes=1
    )["MetricDataResults"]

    assert (upper["Values"], lower["Values"]) == ([11.5], [9.5])
    assert desk.values(
        hidden(stat("m", "m")), expression("b", "LAST(ANOMALY_DETECTION_BAND(m))"), minutes=1
    ) == {0: 9.5}


def test_a_band_knows_the_same_time_on_earlier_days() -> None:
    desk = Desk()
    for day in range(1, 15):
        for minute in range(-30, 31):
            at = BEGIN - timedelta(days=day) + timedelta(minutes=minute)
            desk.metrics.put("N", "m", {}, at, 100.0)

    upper, lower = desk.data(hidden(stat("m", "m")), expression("b", "ANOMALY_DETECTION_BAND(m)"), minutes=1)[
        "MetricDataResults"
    ]

    assert (upper["Values"], lower["Values"]) == ([100.0], [100.0])


def test_without_a_past_there_is_no_band() -> None:
    desk = Desk()
    desk.put("m", {0: 50.0})

    results = desk.data(hidden(stat("m", "m")), expression("b", "ANOMALY_DETECTION_BAND(m)"), minutes=1)

    assert [one["Values"] for one in results["MetricDataResults"]] == [[], []]


def test_five_hundred_queries_are_the_most() -> None:
    desk = Desk()
    desk.put("m", {0: 1.0})
    queries = [stat(f"q{number}", "m") for number in range(500)]

    assert len(desk.data(*queries)["MetricDataResults"]) == 500
    assert (
        desk.refusal(
            "GetMetricData",
            MetricDataQueries=[*queries, stat("more", "m")],
            StartTime=BEGIN,
            EndTime=BEGIN + timedelta(minutes=5),
        )[0]
        == "ValidationError"
    )


def test_data_that_comes_late_moves_the_band() -> None:
    desk = Desk(BEGIN + timedelta(minutes=30))
    desk.put("m", {minute: 10.0 for minute in range(30)})
    band = expression("b", "FIRST(ANOMALY_DETECTION_BAND(m))")

    before = desk.values(hidden(stat("m", "m")), band, minutes=30)[29]
    desk.put("m", {12: 200.0})

    assert before == 10.0
    assert desk.values(hidden(stat("m", "m")), band, minutes=30)[29] > 50
