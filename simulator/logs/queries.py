"""The life of Logs Insights queries: Scheduled, Running, then Complete, Cancelled or Timeout.

A query reads the events that exist when it starts. It is Scheduled until its results are first asked
for; that first answer says Running and has no rows, as a client of AWS must expect; the next one waits
for the rows.

AWS gives a query an hour. Here only a regular expression can take long: a query that matches for longer than
the engine allows ends as AWS's overlong ones do, with the status Timeout and no rows.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from simulator.clock import AccountClock
from simulator.logs.insights.engine import Outcome, run_query
from simulator.logs.insights.errors import MalformedQuery
from simulator.logs.insights.parser import MOST_ROWS, parse_query
from simulator.logs.insights.syntax import Query
from simulator.logs.matching import OverrunError
from simulator.logs.refusals import constraint, group_name, invalid
from simulator.logs.store import LogEvent, LogStore, milliseconds
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call

_LARGEST_PAGE = 10_000
_MOST_GROUPS = 50
# A caller is answered before its client gives up, also where the rows are still to come.
_PATIENCE_SECONDS = 2.0
_LAST_SECOND = 253_402_300_799


class Status(StrEnum):
    """Where a query stands."""

    SCHEDULED = "Scheduled"
    RUNNING = "Running"
    COMPLETE = "Complete"
    CANCELLED = "Cancelled"
    TIMEOUT = "Timeout"


@dataclass
class StartedQuery:
    """A query of this account."""

    query_id: str
    text: str
    groups: tuple[str, ...]
    caller_arn: str
    created: datetime
    records: int
    bytes: int
    work: "asyncio.Task[Outcome]"
    status: Status = Status.SCHEDULED

    def end(self) -> None:
        """Note that its work is over, if it is; a query stopped while that was waited for stays stopped."""
        if self.status is Status.RUNNING and self.work.done():
            overrun = isinstance(self.work.exception(), OverrunError)
            self.status = Status.TIMEOUT if overrun else Status.COMPLETE


class LogQueries:
    """Starts, stops and reports queries."""

    def __init__(self, store: LogStore, clock: AccountClock, matching_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._matching_seconds = matching_seconds
        self._queries: dict[str, StartedQuery] = {}

    async def start(self, call: Call) -> Mapping[str, Any]:
        """StartQuery: the query is understood whole before it has an id."""
        given = call.parameters
        if given.get("queryLanguage", "CWLI") != "CWLI":
            raise invalid(f"Query language {given['queryLanguage']} is not supported.")
        groups = self._groups(given, call.account)
        start, end = _range(given)
        limit = _limit(given)
        query = _parsed(given["queryString"])
        events = list(self._store.events(groups, start, end))
        work = self._work(query, events, call.account, limit)
        started = StartedQuery(
            query_id=str(uuid.uuid4()),
            text=given["queryString"],
            groups=groups,
            caller_arn=call.caller_arn,
            created=self._clock.now(),
            records=len(events),
            bytes=sum(len(event.message.encode()) for event in events) + self._bulk(groups, start, end),
            work=asyncio.create_task(work),
        )
        self._queries[started.query_id] = started
        return {"queryId": started.query_id}

    async def results(self, call: Call) -> Mapping[str, Any]:
        """GetQueryResults."""
        query = self._query(call.parameters["queryId"])
        if query.status is Status.SCHEDULED:
            query.status = Status.RUNNING
            return _report(query, None, call.parameters)
        if query.status is Status.RUNNING:
            await asyncio.wait([query.work], timeout=_PATIENCE_SECONDS)
            query.end()
        outcome = query.work.result() if query.status is Status.COMPLETE else None
        return _report(query, outcome, call.parameters)

    async def stop(self, call: Call) -> Mapping[str, Any]:
        """StopQuery: an ended query cannot be stopped."""
        query = self._query(call.parameters["queryId"])
        if query.status not in {Status.SCHEDULED, Status.RUNNING}:
            raise invalid(f"Query with id {query.query_id} is not running. Status: {query.status}")
        query.status = Status.CANCELLED
        return {"success": True}

    async def describe(self, call: Call) -> Mapping[str, Any]:
        """DescribeQueries: the newest first."""
        given = call.parameters
        wanted_group, wanted_status = given.get("logGroupName"), given.get("status")
        chosen = [
            query
            for query in reversed(self._queries.values())
            if (wanted_group is None or wanted_group in query.groups)
            and (wanted_status is None or wanted_status == query.status)
            and given.get("queryLanguage", "CWLI") == "CWLI"
        ]
        try:
            shown, token = page(chosen, given.get("nextToken"), given.get("maxResults", 1000))
        except UnknownTokenError as error:
            raise invalid("The specified nextToken is invalid.") from error
        return {"queries": [_summary(query) for query in shown], "nextToken": token}

    def _bulk(self, groups: tuple[str, ...], start: datetime, end: datetime) -> int:
        until = min(end, self._clock.now())
        found = (self._store.groups[name].bulk for name in groups)
        return sum(bulk.between(start, until) for bulk in found if bulk is not None)

    async def _work(self, query: Query, events: list[LogEvent], account: str, limit: int | None) -> Outcome:
        now, seconds = self._clock.now(), self._matching_seconds
        return await asyncio.to_thread(run_query, query, events, now, account, limit, seconds)

    def _query(self, query_id: str) -> StartedQuery:
        query = self._queries.get(query_id)
        if query is None:
            raise AwsError("ResourceNotFoundException", f"Query with id {query_id} not found")
        return query

    def _groups(self, given: Mapping[str, Any], account: str) -> tuple[str, ...]:
        named = [key for key in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if given.get(key)]
        if len(named) != 1:
            raise invalid("Specify exactly one of logGroupName, logGroupNames and logGroupIdentifiers.")
        value = given[named[0]]
        identifiers = [value] if isinstance(value, str) else value
        if len(identifiers) > _MOST_GROUPS:
            raise invalid(f"At most {_MOST_GROUPS} log groups can be queried.")
        names = dict.fromkeys(map(group_name, identifiers))
        for name in names:
            if name not in self._store.groups:
                message = f"Log group '{name}' does not exist for account ID '{account}'"
                raise AwsError("ResourceNotFoundException", message)
        return tuple(names)


def _parsed(text: str) -> Query:
    try:
        return parse_query(text)
    except MalformedQuery as refusal:
        location = {"startCharOffset": refusal.start, "endCharOffset": refusal.end}
        raise AwsError(
            "MalformedQueryException",
            refusal.message,
            fields={"queryCompileError": {"location": location, "message": refusal.message}},
        ) from refusal


def _range(given: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = given["startTime"], given["endTime"]
    if end < start:
        raise invalid("End time should not be less than start time.")
    if end > _LAST_SECOND:
        raise invalid("startTime and endTime are seconds since January 1, 1970, 00:00:00 UTC.")
    return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)


def _limit(given: Mapping[str, Any]) -> int | None:
    limit = given.get("limit")
    if limit is not None and limit > MOST_ROWS:
        raise constraint("limit", limit, f"Member must have value less than or equal to {MOST_ROWS}")
    return limit


def _report(query: StartedQuery, outcome: Outcome | None, given: Mapping[str, Any]) -> dict[str, Any]:
    start = _offset(given.get("nextToken"))
    size = min(given.get("maxItems") or _LARGEST_PAGE, _LARGEST_PAGE)
    rows = outcome.rows if outcome else ()
    results = [[{"field": name, "value": value} for name, value in row] for row in rows[start : start + size]]
    return {
        "queryLanguage": "CWLI",
        "status": query.status.value,
        "results": results,
        "statistics": {
            "recordsMatched": float(outcome.records_matched if outcome else 0),
            # The events are read when the query starts, so that whoever watches its cost can stop it in time.
            "recordsScanned": float(query.records),
            "bytesScanned": float(query.bytes),
            "estimatedRecordsSkipped": 0.0,
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(query.groups)),
        },
        "nextToken": f"rows/{start + size}" if start + size < len(rows) else None,
    }


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    kind, _, digits = token.partition("/")
    if kind != "rows" or not (digits.isascii() and digits.isdigit() and len(digits) < 7):
        raise invalid("The specified nextToken is invalid.")
    return int(digits)


def _summary(query: StartedQuery) -> dict[str, Any]:
    return {
        "queryLanguage": "CWLI",
        "queryId": query.query_id,
        "queryString": query.text,
        "status": query.status.value,
        "createTime": milliseconds(query.created),
        "logGroupName": query.groups[0],
        "userIdentity": query.caller_arn,
    }
