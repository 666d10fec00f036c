"""The user guide's own examples of search expressions, each with what it finds and what it does not."""

import pytest

from simulator.cloudwatch.metric_math.search import searched
from simulator.cloudwatch.metric_math.values import ExpressionError
from simulator.cloudwatch.metrics import metric_name
from tests.simulator.cloudwatch_desk import BEGIN, Desk, expression, hidden


def finds(search: str, name: str, namespace: str = "MyNamespace", **dimensions: str) -> bool:
    return searched(search)(metric_name(namespace, name, dimensions))


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("count", True),
        ("Count", True),
        ("COUNT", True),
        ("couNT", False),
        ("CustomCount", True),
        ("Count1", True),
        ("customcount", False),
        ("count1", False),
        ("CustomCount1", True),
        ("customcount1", True),
        ("1", True),
        ("Cust", False),
        ('"CustomCount1"', True),
        ('"customcount1"', False),
        ('"Custom"', False),
    ],
)
def test_a_term_matches_tokens_and_a_quoted_one_the_whole(term: str, found: bool) -> None:
    assert finds(term, "CustomCount1") is found
    assert finds(f"{{MyNamespace}}, {term}", "CustomCount1") is found


@pytest.mark.parametrize(
    ("term", "name", "found"),
    [
        ("sdb", "SDBFailure", True),
        ("failure", "SDBFailure", True),
        ("db", "SDBFailure", False),
        ("trial", "Project2-trial333", True),
        ("333", "Project2-trial333", True),
        ("project2trial333", "Project2-trial333", True),
        ("network/errors", "Network-Errors-2", True),
        ("network+errors", "NetworkErrors2", True),
        ("network-errors", "Network-Errors-2", True),
        ("Network_Errors", "NetworkErrors2", True),
        ("errors-network", "NetworkErrors2", False),
        ('"Network-Errors-2"', "Network-Errors-2", True),
        ('"Network_Errors_2"', "Network-Errors-2", False),
        (r'"Europe\\France Traffic\(Network\)"', r"Europe\France Traffic(Network)", True),
    ],
)
def test_names_are_taken_apart_as_documented(term: str, name: str, found: bool) -> None:
    assert finds(term, name) is found


def test_a_schema_names_a_namespace_and_exactly_its_dimensions() -> None:
    search = "{AWS/EC2,InstanceId} MetricName=CPUUtilization"

    assert finds(search, "CPUUtilization", "AWS/EC2", InstanceId="i-1")
    assert not finds(search, "CPUUtilization", "AWS/EC2", InstanceId="i-1", Other="x")
    assert not finds(search, "CPUUtilization", "AWS/EC2")
    assert not finds(search, "CPUUtilization", "AWS/ECS", InstanceId="i-1")
    assert finds('{"My Namespace", "Dim@Name"} x', "x", "My Namespace", **{"Dim@Name": "1"})


def test_properties_say_where_to_look() -> None:
    assert finds("InstanceType=micro", "x", InstanceType="t2.micro")
    assert not finds("InstanceType=micro", "micro", InstanceType="t2.large")
    assert finds('InstanceType="t2.micro" Namespace="AWS/EC2"', "x", "AWS/EC2", InstanceType="t2.micro")
    assert finds('MetricName="CustomCount1"', "CustomCount1")
    assert not finds('MetricName="CustomCount1"', "x", Dim="CustomCount1")
    assert finds('"CustomCount1"', "x", Dim="CustomCount1")
    assert finds('"CustomCount1"', "x", CustomCount1="y")
    assert finds('"CPUUtilization"', "x", "CPUUtilization")


def test_terms_are_joined_by_and_or_and_not() -> None:
    lambda_errors = (
        '{AWS/Lambda,FunctionName} MetricName="Errors" '
        'OR (MetricName="Invocations" AND (ProjectA OR ProjectB))'
    )

    assert finds("network AND packets", "NetworkPacketsIn")
    assert finds("network packets", "NetworkPacketsIn")
    assert not finds("network packets", "NetworkIn")
    assert finds("(EC2 OR EBS) AND MetricName=ReadOps", "DiskReadOps", "AWS/EC2")
    assert finds("(EC2 OR EBS) MetricName=ReadOps", "VolumeReadOps", "AWS/EBS")
    assert not finds("(EC2 OR EBS) MetricName=ReadOps", "DiskReadOps", "AWS/RDS")
    assert finds(lambda_errors, "Errors", "AWS/Lambda", FunctionName="any")
    assert finds(lambda_errors, "Invocations", "AWS/Lambda", FunctionName="ProjectA-x")
    assert not finds(lambda_errors, "Invocations", "AWS/Lambda", FunctionName="other")
    assert finds("NOT Namespace=AWS", "x", "Custom")
    assert not finds("NOT Namespace=AWS", "x", "AWS/EC2")
    excluding = 'MetricName="CPUUtilization" NOT i-1234567890123456'
    assert finds(excluding, "CPUUtilization", InstanceId="i-1")
    assert not finds(excluding, "CPUUtilization", InstanceId="i-1234567890123456")
    # Lower-case words are no operators: they are looked for.
    assert not finds("network and packets", "NetworkPacketsIn")


@pytest.mark.parametrize(
    ("search", "why"),
    [
        ("", "needs a metric schema, a term, or both"),
        ("{}", "unexpected '}'"),
        ("{AWS/EC2", "unexpected end"),
        ("a OR", "unexpected end"),
        ("(a", "unexpected end"),
        ("a)", "unexpected ')'"),
        ("MetricName=", "unexpected end"),
        ("MetricName=(a OR b)", "unexpected '('"),
        ('"open', "unexpected '\"'"),
        ("---", "has no letter or digit"),
        (':aws.AccountId="1"', ":aws.AccountId is not supported"),
        ("x" * 1025, "longer than 1024"),
        ("(" * 60 + "a" + ")" * 60, "nested more than"),
    ],
)
def test_what_is_no_search_is_refused(search: str, why: str) -> None:
    with pytest.raises(ExpressionError) as error:
        searched(search)

    assert why in str(error.value)


def desk_with_functions() -> Desk:
    desk = Desk()
    for name, errors in (("one", 1.0), ("two", 2.0)):
        desk.put("Errors", {0: errors, 5: errors}, namespace="AWS/Lambda", FunctionName=name)
        desk.put("Invocations", {0: 9.0}, namespace="AWS/Lambda", FunctionName=name)
    return desk


SEARCH = """SEARCH('{AWS/Lambda,FunctionName} MetricName="Errors"', 'Sum', 300)"""


def test_a_search_gives_a_labelled_result_for_each_metric() -> None:
    results = desk_with_functions().data(expression("e", SEARCH), minutes=10)["MetricDataResults"]

    assert [(one["Id"], one["Label"], one["Values"]) for one in results] == [
        ("e", "one", [1.0, 1.0]),
        ("e", "two", [2.0, 2.0]),
    ]


def test_a_search_can_be_summed_where_it_stands_or_by_its_id() -> None:
    desk = desk_with_functions()

    assert desk.values(expression("e", f"SUM({SEARCH})"), minutes=10) == {0: 3.0, 5: 3.0}
    assert desk.values(hidden(expression("e", SEARCH)), expression("t", "SUM(e)"), minutes=10) == {0: 3, 5: 3}
    without_period = expression("e", SEARCH.replace(", 300", ""), Period=60)
    assert desk.values(hidden(without_period), expression("t", "SUM(e)"), minutes=10) == {0: 3, 5: 3}


def test_a_search_that_finds_nothing_gives_nothing() -> None:
    desk = desk_with_functions()
    nothing = SEARCH.replace("Errors", "Duration")

    assert desk.data(expression("e", nothing))["MetricDataResults"] == []
    assert desk.values(expression("e", f"SUM({nothing})")) == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SEARCH('x', 'Middle', 60)", "statistic Middle"),
        ("SEARCH('x', 'Sum', 61)", "period 61"),
        ("SEARCH('x', 'Sum')", "Period is needed"),
        ("SEARCH('x')", "got 1 arguments"),
        ("SEARCH(x, 'Sum', 60)", "in single quotes"),
    ],
)
def test_a_search_without_its_parts_is_refused(text: str, why: str) -> None:
    _, message = Desk().refusal(
        "GetMetricData",
        MetricDataQueries=[expression("e", text)],
        StartTime=BEGIN,
        EndTime=BEGIN.replace(hour=10),
    )

    assert why in message


def test_a_search_finds_only_what_had_data_in_two_weeks() -> None:
    desk = desk_with_functions()
    desk.clock.move_to(BEGIN.replace(month=12, day=8))

    assert desk.data(expression("e", SEARCH), minutes=10)["MetricDataResults"] == []
