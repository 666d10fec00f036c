"""CloudWatch Logs over the account's LogStore: groups, streams, events and queries.

Errors carry AWS's codes and wording: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from simulator.clock import AccountClock
from simulator.logs.events import LogEvents
from simulator.logs.groups import LogGroups
from simulator.logs.insights.engine import MATCHING_SECONDS
from simulator.logs.queries import LogQueries
from simulator.logs.store import LogStore
from simulator.wire.protocol import Call, unknown_operation

Answering = Callable[[Call], Awaitable[Mapping[str, Any]]]


class LogsOverlay:
    """Answers CloudWatch Logs; an operation it does not know is refused."""

    service = "logs"
    exclusive = True

    def __init__(
        self, store: LogStore, clock: AccountClock, matching_seconds: float = MATCHING_SECONDS
    ) -> None:
        groups, events = LogGroups(store, clock), LogEvents(store, clock)
        queries = LogQueries(store, clock, matching_seconds)
        self._answers: dict[str, Answering] = {
            "CreateLogGroup": groups.create_group,
            "CreateLogStream": groups.create_stream,
            "DescribeLogGroups": groups.describe_groups,
            "DescribeLogStreams": groups.describe_streams,
            "DescribeQueries": queries.describe,
            "FilterLogEvents": events.filter,
            "GetLogEvents": events.get,
            "GetQueryResults": queries.results,
            "ListTagsForResource": groups.list_tags,
            "PutLogEvents": events.put,
            "PutRetentionPolicy": groups.put_retention,
            "StartQuery": queries.start,
            "StopQuery": queries.stop,
            "TagResource": groups.tag,
        }

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._answers)

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or AwsError."""
        answering = self._answers.get(call.operation)
        if answering is None:
            raise unknown_operation(call.operation)
        return await answering(call)
