"""Logs Insights as a client of AWS meets it: over HTTP, from the start of a query to its end."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError

from simulator.clock import AccountClock
from simulator.logs.overlay import LogsOverlay
from simulator.logs.store import LogStore
from tests.simulator.insights_events import START, database, events_by_name
from tests.simulator.overlay_host import Host, hosted
from tests.simulator.test_insights_cases import CASES, Row, expected_rows, in_order, same

SETS = events_by_name()
HOUR = 3600
FIRST = int(START.timestamp())
WIRE_CASES = [case for case in CASES if case["file"] == "samples"]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    store, clock = LogStore(), AccountClock(START)
    for events in SETS.values():
        for event in events:
            store.append(event.group, event.stream, event.at, event.message, event.ingested_at)
    for place in range(10_500):
        store.append("/many", "s", START, str(place))
    with hosted(Host(clock), [LogsOverlay(store, clock)]) as host:
        yield host.client("logs")


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with database(SETS) as connection:
        yield connection


def start(client: Any, group: str, query: str, **more: Any) -> str:
    answer = client.start_query(
        logGroupName=group, startTime=FIRST - HOUR, endTime=FIRST + 4 * HOUR, queryString=query, **more
    )
    return str(answer["queryId"])


def results(client: Any, query_id: str, **more: Any) -> Any:
    for _ in range(20):
        answer = client.get_query_results(queryId=query_id, **more)
        if answer["status"] not in {"Scheduled", "Running"}:
            return answer
    raise TimeoutError(query_id)


def refusal(call: Any, **parameters: Any) -> Any:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize("case", WIRE_CASES, ids=lambda case: case["name"])
def test_aws_sample_queries_are_answered_over_the_wire(
    case: dict[str, Any], client: Any, tables: duckdb.DuckDBPyConnection
) -> None:
    answer = results(client, start(client, SETS[case["events"]][0].group, case["query"]))
    found: list[Row] = [
        {pair["field"]: pair["value"] for pair in row if pair["field"] != "@ptr"} for row in answer["results"]
    ]
    wanted = expected_rows(tables, case["sql"])
    if not case.get("ordered"):
        found, wanted = in_order(found), in_order(wanted)
    assert [sorted(row) for row in found] == [sorted(row) for row in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert all(same(value, other[name], 1e-9) for name, value in one.items())


def test_a_query_is_scheduled_then_runs_then_is_complete(client: Any) -> None:
    query_id = start(client, "/ecs/shop", "stats count(*)")
    (listed,) = [one for one in client.describe_queries()["queries"] if one["queryId"] == query_id]
    assert listed["status"] == "Scheduled"
    running = client.get_query_results(queryId=query_id)
    assert (running["status"], running["results"]) == ("Running", [])
    assert results(client, query_id)["status"] == "Complete"
    complete = client.describe_queries(status="Complete")["queries"]
    assert query_id in [one["queryId"] for one in complete]


def test_what_was_scanned_is_counted_in_records_and_bytes(client: Any) -> None:
    answer = results(client, start(client, "/ecs/shop", 'filter level = "ERROR" | limit 3'))
    events = SETS["requests"]
    assert len(answer["results"]) == 3
    assert answer["statistics"] == {
        "recordsMatched": 12.0,
        "recordsScanned": float(len(events)),
        "bytesScanned": float(sum(len(event.message.encode()) for event in events)),
        "estimatedRecordsSkipped": 0.0,
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": 1.0,
    }


def test_a_running_query_says_what_it_has_scanned_so_that_it_can_be_stopped(client: Any) -> None:
    query_id = start(client, "/ecs/shop", "stats count(*)")
    running = client.get_query_results(queryId=query_id)
    assert running["status"] == "Running"
    assert running["statistics"]["bytesScanned"] > 0
    assert running["statistics"]["recordsMatched"] == 0
    assert client.stop_query(queryId=query_id)["success"] is True


def test_more_than_ten_thousand_rows_come_in_pages(client: Any) -> None:
    query_id = start(client, "/many", "fields @message | limit 10500")
    first = results(client, query_id)
    assert len(first["results"]) == 10_000
    rest = results(client, query_id, nextToken=first["nextToken"])
    assert len(rest["results"]) == 500
    assert "nextToken" not in rest
    rows = [row[0]["value"] for row in [*first["results"], *rest["results"]]]
    assert sorted(map(int, rows)) == list(range(10_500))


def test_without_a_limit_there_are_ten_thousand_rows(client: Any) -> None:
    answer = results(client, start(client, "/many", "fields @message"))
    assert len(answer["results"]) == 10_000
    assert "nextToken" not in answer


def test_queries_are_described_in_pages_each_once(client: Any) -> None:
    for _ in range(5):
        start(client, "/vpc/flows", "limit 1")
    whole = [one["queryId"] for one in client.describe_queries(logGroupName="/vpc/flows")["queries"]]
    seen: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = client.describe_queries(logGroupName="/vpc/flows", maxResults=2, **more)
        assert len(page["queries"]) <= 2
        seen += [one["queryId"] for one in page["queries"]]
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    assert seen == whole
    assert refusal(client.describe_queries, nextToken="made up") == "InvalidParameterException"


def test_a_query_that_has_ended_cannot_be_stopped(client: Any) -> None:
    query_id = start(client, "/ecs/shop", "limit 1")
    assert client.stop_query(queryId=query_id)["success"] is True
    assert client.get_query_results(queryId=query_id)["status"] == "Cancelled"
    assert refusal(client.stop_query, queryId=query_id) == "InvalidParameterException"
    complete = start(client, "/ecs/shop", "limit 1")
    results(client, complete)
    assert refusal(client.stop_query, queryId=complete) == "InvalidParameterException"


def test_a_message_made_to_backtrack_in_patterns_is_read_once(client: Any) -> None:
    client.create_log_group(logGroupName="/dashes")
    client.create_log_stream(logGroupName="/dashes", logStreamName="s")
    event = {"timestamp": FIRST * 1000, "message": "a-" * 100_000}
    client.put_log_events(logGroupName="/dashes", logStreamName="s", logEvents=[event])
    answer = results(client, start(client, "/dashes", "pattern @message | display @sampleCount"))
    assert [[pair["value"] for pair in row] for row in answer["results"]] == [["1"]]
