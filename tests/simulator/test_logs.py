import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import AccountClock
from simulator.logs.overlay import LogsOverlay
from simulator.logs.store import LogStore, milliseconds
from tests.simulator.overlay_host import Host, hosted

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECOND = int(START.timestamp())


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[Any, LogStore, AccountClock]]:
    store, clock = LogStore(), AccountClock(START)
    with hosted(Host(clock), [LogsOverlay(store, clock, matching_seconds=0.3)]) as host:
        yield host.client("logs"), store, clock


@pytest.fixture
def client(account: tuple[Any, LogStore, AccountClock]) -> Any:
    return account[0]


@pytest.fixture(scope="module")
def shop(account: tuple[Any, LogStore, AccountClock]) -> str:
    store = account[1]
    for place in range(65):
        failed = place % 13 == 0
        message = json.dumps(
            {"level": "ERROR" if failed else "INFO", "code": 500 if failed else 200, "n": place}
        )
        store.append("/ecs/shop", f"task-{place % 3}", START - timedelta(seconds=650 - 10 * place), message)
    return "/ecs/shop"


def finished(client: Any, query_id: str) -> Any:
    for _ in range(50):
        answer = client.get_query_results(queryId=query_id)
        if answer["status"] not in {"Scheduled", "Running"}:
            return answer
        time.sleep(0.02)
    raise TimeoutError(query_id)


def ask(client: Any, group: str, query: str, **more: Any) -> Any:
    started = client.start_query(
        logGroupName=group, startTime=SECOND - 3600, endTime=SECOND, queryString=query, **more
    )
    return finished(client, started["queryId"])


def refused(call: Any, **parameters: Any) -> Any:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    return refusal.value.response


def test_events_put_are_given_back_by_stream_and_by_group(client: Any) -> None:
    client.create_log_group(logGroupName="/put", tags={"team": "shop"})
    client.create_log_stream(logGroupName="/put", logStreamName="a")
    events = [{"timestamp": SECOND * 1000 - 5 + place, "message": f"line {place}"} for place in range(3)]
    answer = client.put_log_events(logGroupName="/put", logStreamName="a", logEvents=events)
    assert "rejectedLogEventsInfo" not in answer
    given_back = client.get_log_events(logGroupName="/put", logStreamName="a", startFromHead=True)["events"]
    assert [(event["timestamp"], event["message"]) for event in given_back] == [
        (event["timestamp"], event["message"]) for event in events
    ]
    found = client.filter_log_events(logGroupName="/put", filterPattern='"line 1"')["events"]
    assert [(event["logStreamName"], event["message"]) for event in found] == [("a", "line 1")]
    assert found[0]["ingestionTime"] == SECOND * 1000
    arn = client.describe_log_groups(logGroupNamePrefix="/put")["logGroups"][0]["logGroupArn"]
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "shop"}


def test_events_too_old_or_too_new_are_rejected_and_the_rest_taken(client: Any) -> None:
    client.create_log_group(logGroupName="/bounds")
    client.create_log_stream(logGroupName="/bounds", logStreamName="a")
    now = SECOND * 1000
    answer = client.put_log_events(
        logGroupName="/bounds",
        logStreamName="a",
        logEvents=[{"timestamp": now, "message": "now"}, {"timestamp": now + 9_000_000, "message": "later"}],
    )
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    old = client.put_log_events(
        logGroupName="/bounds",
        logStreamName="a",
        logEvents=[{"timestamp": now - 15 * 86_400_000, "message": "old"}],
    )
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    kept = client.filter_log_events(logGroupName="/bounds")["events"]
    assert [event["message"] for event in kept] == ["now"]


def test_a_batch_out_of_order_is_refused_whole(client: Any) -> None:
    client.create_log_group(logGroupName="/order")
    client.create_log_stream(logGroupName="/order", logStreamName="a")
    events = [{"timestamp": SECOND * 1000, "message": "b"}, {"timestamp": SECOND * 1000 - 1, "message": "a"}]
    response = refused(client.put_log_events, logGroupName="/order", logStreamName="a", logEvents=events)
    assert response["Error"]["Code"] == "InvalidParameterException"
    assert client.filter_log_events(logGroupName="/order")["events"] == []


def test_what_exists_twice_or_not_at_all_is_named(client: Any) -> None:
    client.create_log_group(logGroupName="/twice")
    assert refused(client.create_log_group, logGroupName="/twice")["Error"] == {
        "Code": "ResourceAlreadyExistsException",
        "Message": "The specified log group already exists",
    }
    missing: dict[Any, dict[str, Any]] = {
        client.create_log_stream: {"logGroupName": "/no", "logStreamName": "a"},
        client.filter_log_events: {"logGroupName": "/no"},
        client.get_log_events: {"logGroupName": "/twice", "logStreamName": "no"},
        client.start_query: {"logGroupName": "/no", "startTime": 0, "endTime": 1, "queryString": "limit 1"},
        client.get_query_results: {"queryId": "no"},
        client.stop_query: {"queryId": "no"},
    }
    for call, parameters in missing.items():
        assert refused(call, **parameters)["Error"]["Code"] == "ResourceNotFoundException"


def test_an_operation_that_is_not_simulated_is_refused(client: Any) -> None:
    response = refused(client.describe_metric_filters)
    assert response["Error"]["Code"] == "UnknownOperationException"


def test_groups_and_streams_are_listed_in_pages(client: Any, shop: str) -> None:
    for place in range(3):
        client.create_log_group(logGroupName=f"/list/{place}")
    pages = client.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix="/list/", PaginationConfig={"PageSize": 2}
    )
    names = [[group["logGroupName"] for group in page["logGroups"]] for page in pages]
    assert names == [["/list/0", "/list/1"], ["/list/2"]]
    chosen = client.describe_log_groups(logGroupIdentifiers=["/list/1"])["logGroups"]
    assert [group["logGroupName"] for group in chosen] == ["/list/1"]
    streams = client.describe_log_streams(logGroupName=shop, orderBy="LastEventTime", descending=True)[
        "logStreams"
    ]
    assert [stream["logStreamName"] for stream in streams] == ["task-1", "task-0", "task-2"]
    assert streams[0]["lastEventTimestamp"] == SECOND * 1000 - 10_000


def test_retention_takes_only_the_values_aws_knows(client: Any) -> None:
    client.create_log_group(logGroupName="/kept")
    client.put_retention_policy(logGroupName="/kept", retentionInDays=30)
    (group,) = client.describe_log_groups(logGroupNamePrefix="/kept")["logGroups"]
    assert group["retentionInDays"] == 30
    response = refused(client.put_retention_policy, logGroupName="/kept", retentionInDays=31)
    assert response["Error"]["Code"] == "InvalidParameterException"


def test_filter_pages_give_every_match_once_while_events_arrive(
    account: tuple[Any, LogStore, AccountClock], shop: str
) -> None:
    client, store, _ = account
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = client.filter_log_events(logGroupName=shop, filterPattern="{ $.code = 200 }", limit=7, **token)
        seen += [event["eventId"] for event in page["events"]]
        store.append("/other", "s", START, "noise")
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert len(seen) == len(set(seen)) == 60
    latest = client.filter_log_events(
        logGroupName=shop, startTime=1_700_000_000_000, startFromHead=False, limit=1
    )
    assert json.loads(latest["events"][0]["message"])["n"] == 64


def test_stream_pages_end_where_the_token_comes_back(client: Any, shop: str) -> None:
    parameters = {"logGroupName": shop, "logStreamName": "task-0", "limit": 10, "startFromHead": True}
    page = client.get_log_events(**parameters)
    numbers: list[int] = []
    while page["events"]:
        numbers += [json.loads(event["message"])["n"] for event in page["events"]]
        page = client.get_log_events(**parameters, nextToken=page["nextForwardToken"])
    assert numbers == list(range(0, 65, 3))
    again = client.get_log_events(**parameters, nextToken=page["nextForwardToken"])
    assert again["nextForwardToken"] == page["nextForwardToken"]
    back = client.get_log_events(**parameters, nextToken=page["nextBackwardToken"])
    assert json.loads(back["events"][-1]["message"])["n"] == 63


def test_bad_patterns_and_limits_are_invalid_parameters(client: Any, shop: str) -> None:
    for more in (
        {"filterPattern": "[a, b"},
        {"filterPattern": "%a|(b)%"},
        {"filterPattern": "foo-bar"},
        {"nextToken": "x"},
        {"limit": 20_000},
    ):
        response = refused(client.filter_log_events, logGroupName=shop, **more)
        assert response["Error"]["Code"] == "InvalidParameterException"


def test_space_delimited_and_regular_patterns_are_answered(client: Any) -> None:
    client.create_log_group(logGroupName="/access")
    client.create_log_stream(logGroupName="/access", logStreamName="a")
    lines = [
        f'10.0.0.{place} - ann [10/Oct/2026] "GET /x" {200 + 204 * (place % 2)} {place}' for place in range(6)
    ]
    events = [{"timestamp": SECOND * 1000 + place, "message": line} for place, line in enumerate(lines)]
    client.put_log_events(logGroupName="/access", logStreamName="a", logEvents=events)

    def matched(pattern: str) -> list[str]:
        answer = client.filter_log_events(logGroupName="/access", filterPattern=pattern)
        return [event["message"] for event in answer["events"]]

    assert matched("[ip, ..., request, status = 4*, size > 2]") == [lines[3], lines[5]]
    assert matched("%^10\\.0\\.0\\.[0-2]%") == lines[:3]
    assert matched("[...]") == lines


def test_a_query_runs_and_completes_with_aws_shaped_rows(client: Any, shop: str) -> None:
    query = 'fields @timestamp, n | filter level = "ERROR" | sort @timestamp desc | limit 2'
    started = client.start_query(
        logGroupName=shop, startTime=SECOND - 3600, endTime=SECOND, queryString=query
    )
    first = client.get_query_results(queryId=started["queryId"])
    assert (first["status"], first["results"]) == ("Running", [])
    answer = finished(client, started["queryId"])
    assert answer["status"] == "Complete"
    assert [[pair["field"] for pair in row] for row in answer["results"]] == [["@timestamp", "n", "@ptr"]] * 2
    assert answer["results"][0][0]["value"] == "2026-11-23 08:57:50.000"
    assert answer["statistics"]["recordsMatched"] == 5.0
    assert answer["statistics"]["recordsScanned"] == 65.0
    assert answer["statistics"]["bytesScanned"] > 0


def test_a_query_reads_the_named_groups_and_the_inclusive_range(client: Any, shop: str) -> None:
    client.create_log_group(logGroupName="/empty")
    parameters = {
        "startTime": SECOND - 20,
        "endTime": SECOND - 10,
        "queryString": "stats count(*) as n by @log",
    }
    started = client.start_query(logGroupNames=[shop, "/empty"], **parameters)
    rows = finished(client, started["queryId"])["results"]
    assert rows == [[{"field": "@log", "value": f"123456789012:{shop}"}, {"field": "n", "value": "2"}]]
    arn = client.describe_log_groups(logGroupNamePrefix=shop)["logGroups"][0]["logGroupArn"]
    by_arn = client.start_query(logGroupIdentifiers=[arn], **parameters)
    assert finished(client, by_arn["queryId"])["results"] == rows


def test_long_results_come_in_pages(client: Any, shop: str) -> None:
    started = client.start_query(
        logGroupName=shop, startTime=SECOND - 3600, endTime=SECOND, queryString="fields n | sort n asc"
    )
    finished(client, started["queryId"])
    first = client.get_query_results(queryId=started["queryId"], maxItems=40)
    rest = client.get_query_results(queryId=started["queryId"], maxItems=40, nextToken=first["nextToken"])
    assert "nextToken" not in rest
    values = [row[0]["value"] for row in [*first["results"], *rest["results"]]]
    assert values == [str(number) for number in range(65)]


def test_a_malformed_query_says_what_and_where(client: Any, shop: str) -> None:
    parameters = {"logGroupName": shop, "startTime": SECOND - 60, "endTime": SECOND}
    response = refused(client.start_query, queryString="fields @message | anomaly", **parameters)
    assert response["Error"]["Code"] == "MalformedQueryException"
    assert "anomaly" in response["Error"]["Message"]
    assert response["queryCompileError"]["location"] == {"startCharOffset": 18, "endCharOffset": 25}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    "parameters",
    [
        {"startTime": SECOND, "endTime": SECOND - 1, "logGroupName": "/ecs/shop"},
        {"startTime": SECOND * 1000, "endTime": SECOND * 1000, "logGroupName": "/ecs/shop"},
        {"startTime": 0, "endTime": SECOND},
        {"startTime": 0, "endTime": SECOND, "logGroupName": "/ecs/shop", "logGroupNames": ["/ecs/shop"]},
        {"startTime": 0, "endTime": SECOND, "logGroupName": "/ecs/shop", "queryLanguage": "SQL"},
        {"startTime": 0, "endTime": SECOND, "logGroupName": "/ecs/shop", "limit": 100_001},
    ],
)
def test_a_query_with_bad_parameters_is_refused(client: Any, shop: str, parameters: dict[str, Any]) -> None:
    response = refused(client.start_query, queryString="limit 1", **parameters)
    assert response["Error"]["Code"] == "InvalidParameterException"


def test_a_running_query_can_be_stopped_and_an_ended_one_cannot(client: Any, shop: str) -> None:
    started = client.start_query(logGroupName=shop, startTime=0, endTime=SECOND, queryString="limit 1")
    assert client.stop_query(queryId=started["queryId"])["success"] is True
    stopped = client.get_query_results(queryId=started["queryId"])
    assert (stopped["status"], stopped["results"]) == ("Cancelled", [])
    for query_id in (started["queryId"], done(client, shop)):
        assert refused(client.stop_query, queryId=query_id)["Error"]["Code"] == "InvalidParameterException"


def done(client: Any, group: str) -> str:
    started = client.start_query(logGroupName=group, startTime=0, endTime=SECOND, queryString="limit 2")
    finished(client, started["queryId"])
    return str(started["queryId"])


def test_queries_are_listed_newest_first(client: Any, shop: str) -> None:
    query_id = done(client, shop)
    listed = client.describe_queries(logGroupName=shop, status="Complete")["queries"]
    assert (listed[0]["queryId"], listed[0]["queryString"]) == (query_id, "limit 2")
    assert client.describe_queries(logGroupName="/nothing")["queries"] == []


@given(st.lists(st.integers(-5000, 5000), max_size=30), st.integers(-5000, 5000), st.integers(0, 5000))
def test_a_range_read_gives_exactly_the_events_in_it_in_order(
    stamps: list[int], first: int, width: int
) -> None:
    store = LogStore()
    store.create_group("/g")
    for stamp in stamps:
        store.append("/g", "s", START + timedelta(milliseconds=stamp), str(stamp))
    start, end = START + timedelta(milliseconds=first), START + timedelta(milliseconds=first + width)
    found = [int(event.message) for event in store.events(["/g"], start, end)]
    assert found == sorted(stamp for stamp in stamps if first <= stamp <= first + width)
    assert [event.stamp for event in store.events(["/g"], start, end)] == [
        milliseconds(START) + stamp for stamp in found
    ]


def test_a_query_that_backtracks_times_out_and_the_account_answers_meanwhile(client: Any) -> None:
    client.create_log_group(logGroupName="/slow")
    client.create_log_stream(logGroupName="/slow", logStreamName="a")
    client.put_log_events(
        logGroupName="/slow",
        logStreamName="a",
        logEvents=[{"timestamp": SECOND * 1000, "message": "a" * 80 + "!"}],
    )
    query = "filter @message like /(a|aa)+$/"
    started = client.start_query(logGroupName="/slow", startTime=0, endTime=SECOND, queryString=query)
    began = time.monotonic()
    assert client.describe_queries(logGroupName="/slow")["queries"][0]["status"] == "Scheduled"
    assert time.monotonic() - began < 2
    ended = finished(client, started["queryId"])
    assert (ended["status"], ended["results"]) == ("Timeout", [])
    assert (
        refused(client.stop_query, queryId=started["queryId"])["Error"]["Code"] == "InvalidParameterException"
    )
