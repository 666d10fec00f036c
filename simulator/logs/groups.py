"""Log groups and streams: creation, settings, tags, lists."""

import re
from collections.abc import Mapping
from typing import Any

from simulator.clock import AccountClock
from simulator.logs.pages import name_page
from simulator.logs.refusals import (
    checked_limit,
    checked_name,
    group_name,
    identified_group,
    invalid,
    named_group,
)
from simulator.logs.store import LogGroup, LogStore, LogStream, milliseconds
from simulator.wire.protocol import AwsError, Call

_GROUP_NAME = re.compile(r"[\.\-_/#A-Za-z0-9]{1,512}")
_STREAM_NAME = re.compile(r"[^:*]{1,512}")
_SHORT_RETENTIONS = frozenset({1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731})
_LONG_RETENTIONS = frozenset({1096, 1827, 2192, 2557, 2922, 3288, 3653})
_RETENTIONS = _SHORT_RETENTIONS | _LONG_RETENTIONS
_LARGEST_LIST = 50


class LogGroups:
    """Answers the operations on groups and streams."""

    def __init__(self, store: LogStore, clock: AccountClock) -> None:
        self._store = store
        self._clock = clock

    async def create_group(self, call: Call) -> Mapping[str, Any]:
        """CreateLogGroup."""
        name = checked_name(call.parameters["logGroupName"], _GROUP_NAME, "logGroupName")
        if name in self._store.groups:
            raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
        group = self._store.create_group(name, self._clock.now())
        group.tags.update(call.parameters.get("tags", {}))
        group.log_class = call.parameters.get("logGroupClass", "STANDARD")
        return {}

    async def create_stream(self, call: Call) -> Mapping[str, Any]:
        """CreateLogStream."""
        group = named_group(self._store, call.parameters["logGroupName"])
        name = checked_name(call.parameters["logStreamName"], _STREAM_NAME, "logStreamName")
        if name in group.streams:
            raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists")
        self._store.create_stream(group.name, name, self._clock.now())
        return {}

    async def put_retention(self, call: Call) -> Mapping[str, Any]:
        """PutRetentionPolicy."""
        group = named_group(self._store, call.parameters["logGroupName"])
        days = call.parameters["retentionInDays"]
        if days not in _RETENTIONS:
            raise invalid(f"Invalid retention value. Valid values are: {sorted(_RETENTIONS)}")
        group.retention_days = days
        return {}

    async def tag(self, call: Call) -> Mapping[str, Any]:
        """TagResource."""
        self._of_arn(call).tags.update(call.parameters["tags"])
        return {}

    async def list_tags(self, call: Call) -> Mapping[str, Any]:
        """ListTagsForResource."""
        return {"tags": dict(self._of_arn(call).tags)}

    async def describe_groups(self, call: Call) -> Mapping[str, Any]:
        """DescribeLogGroups: by name."""
        given = call.parameters
        prefix, wanted = given.get("logGroupNamePrefix"), given.get("logGroupNamePattern")
        if prefix is not None and wanted is not None:
            raise invalid("logGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters.")
        identified = {group_name(item) for item in given.get("logGroupIdentifiers", self._store.groups)}
        names = [
            name
            for name, group in sorted(self._store.groups.items())
            if name in identified
            and name.startswith(prefix or "")
            and (wanted or "").lower() in name.lower()
            and given.get("logGroupClass", group.log_class) == group.log_class
        ]
        page = name_page(names, given.get("nextToken"), checked_limit(given, _LARGEST_LIST))
        groups = [_group_record(self._store.groups[name], call) for name in page.items]
        return {"logGroups": groups, "nextToken": page.next_token}

    async def describe_streams(self, call: Call) -> Mapping[str, Any]:
        """DescribeLogStreams: by name or by last event."""
        given = call.parameters
        group = identified_group(self._store, given)
        prefix, by_time = given.get("logStreamNamePrefix"), given.get("orderBy") == "LastEventTime"
        if prefix is not None and by_time:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        streams = [stream for name, stream in group.streams.items() if name.startswith(prefix or "")]
        streams.sort(key=_by_last_event if by_time else _by_name, reverse=given.get("descending", False))
        names = [stream.name for stream in streams]
        page = name_page(names, given.get("nextToken"), checked_limit(given, _LARGEST_LIST))
        records = [_stream_record(group.streams[name], group, call) for name in page.items]
        return {"logStreams": records, "nextToken": page.next_token}

    def _of_arn(self, call: Call) -> LogGroup:
        return named_group(self._store, group_name(call.parameters["resourceArn"]))


def _by_name(stream: LogStream) -> tuple[int, str]:
    return 0, stream.name


def _by_last_event(stream: LogStream) -> tuple[int, str]:
    return milliseconds(stream.last_at) if stream.last_at else 0, stream.name


def _group_record(group: LogGroup, call: Call) -> dict[str, Any]:
    arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{group.name}"
    created = group.earliest()
    return {
        "logGroupName": group.name,
        "creationTime": milliseconds(created) if created else None,
        "retentionInDays": group.retention_days,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "storedBytes": group.holds_at(call.at),
        "logGroupClass": group.log_class,
        "logGroupArn": arn,
    }


def _stream_record(stream: LogStream, group: LogGroup, call: Call) -> dict[str, Any]:
    arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{group.name}:log-stream:{stream.name}"
    times = {
        "creationTime": stream.created_at,
        "firstEventTimestamp": stream.first_at,
        "lastEventTimestamp": stream.last_at,
        "lastIngestionTime": stream.last_ingested_at,
    }
    known = {name: milliseconds(moment) for name, moment in times.items() if moment is not None}
    return {"logStreamName": stream.name, "arn": arn, "storedBytes": 0, **known}
