"""Log events: taken in as PutLogEvents does, given out by filter or by stream."""

from collections.abc import Mapping
from typing import Any

from simulator.clock import AccountClock
from simulator.logs.matching import OverrunError
from simulator.logs.pages import event_page
from simulator.logs.patterns.errors import InvalidPatternError
from simulator.logs.patterns.pattern import Matcher, parse_pattern
from simulator.logs.refusals import checked_limit, identified_group, invalid, named_group, named_stream
from simulator.logs.store import LogEvent, LogStore, milliseconds, moment_of
from simulator.wire.protocol import Call

_DAY = 86_400_000
_TWO_HOURS = 7_200_000
_OLDEST_DAYS = 14
_LAST_STAMP = 253_402_300_799_999
_LARGEST_BATCH = 1_048_576
_LARGEST_PAGE = 10_000


class LogEvents:
    """Answers the operations on events."""

    def __init__(self, store: LogStore, clock: AccountClock) -> None:
        self._store = store
        self._clock = clock

    async def put(self, call: Call) -> Mapping[str, Any]:
        """PutLogEvents: events too old or too new are rejected, the rest is taken."""
        given = call.parameters
        group = named_group(self._store, given["logGroupName"])
        stream, events = named_stream(group, given["logStreamName"]).name, given["logEvents"]
        _check_batch(events)
        now = self._clock.now()
        oldest = milliseconds(now) - min(_OLDEST_DAYS, group.retention_days or _OLDEST_DAYS) * _DAY
        newest = milliseconds(now) + _TWO_HOURS
        for event in events:
            if oldest <= event["timestamp"] <= newest:
                moment = moment_of(event["timestamp"])
                self._store.append(group.name, stream, moment, event["message"], now)
        rejected = _rejections([event["timestamp"] for event in events], oldest, newest)
        return {"nextSequenceToken": f"{milliseconds(now):056d}", "rejectedLogEventsInfo": rejected or None}

    async def filter(self, call: Call) -> Mapping[str, Any]:
        """FilterLogEvents: a group's events by time, stream and pattern."""
        given = call.parameters
        group = identified_group(self._store, given)
        streams, prefix = given.get("logStreamNames"), given.get("logStreamNamePrefix")
        if streams is not None and prefix is not None:
            raise invalid("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.")
        for name in streams or ():
            named_stream(group, name)
        matches = _matcher(given.get("filterPattern", ""))
        candidates = [
            event
            for event in group.between(*_range(given))
            if (streams is None or event.stream in streams)
            and (prefix is None or event.stream.startswith(prefix))
        ]
        events = _matched(candidates, matches)
        limit, forward = checked_limit(given, _LARGEST_PAGE), given.get("startFromHead", True)
        page = event_page(events, given.get("nextToken"), limit, forward)
        records = [
            {**_event_record(event), "logStreamName": event.stream, "eventId": event.event_id}
            for event in page.items
        ]
        return {"events": records, "searchedLogStreams": [], "nextToken": page.next_token}

    async def get(self, call: Call) -> Mapping[str, Any]:
        """GetLogEvents: one stream's events; an event at endTime is left out, as FilterLogEvents does not."""
        given = call.parameters
        group = identified_group(self._store, given)
        stream = named_stream(group, given["logStreamName"])
        first, last = _range(given)
        last = last - 1 if "endTime" in given else last
        events = [event for event in group.between(first, last) if event.stream == stream.name]
        limit, forward = checked_limit(given, _LARGEST_PAGE), given.get("startFromHead", False)
        page = event_page(events, given.get("nextToken"), limit, forward)
        return {
            "events": [_event_record(event) for event in page.oldest_first],
            "nextForwardToken": page.forward_token,
            "nextBackwardToken": page.backward_token,
        }


def _matcher(pattern: str) -> Matcher:
    try:
        return parse_pattern(pattern)
    except InvalidPatternError as error:
        raise invalid(str(error)) from error


def _matched(events: list[LogEvent], matches: Matcher) -> list[LogEvent]:
    try:
        return [event for event in events if matches(event.message)]
    except OverrunError as error:
        raise invalid(f"Invalid filter pattern: {error}") from error


def _range(given: Mapping[str, Any]) -> tuple[int, int]:
    first, last = given.get("startTime", 0), given.get("endTime", _LAST_STAMP)
    if first > last:
        raise invalid("startTime cannot be greater than endTime.")
    return first, last


def _check_batch(events: list[dict[str, Any]]) -> None:
    stamps = [event["timestamp"] for event in events]
    if stamps != sorted(stamps):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if stamps[-1] - stamps[0] > _DAY:
        raise invalid("A batch of log events in a PutLogEvents request cannot span more than 24 hours.")
    size = sum(len(event["message"].encode()) + 26 for event in events)
    if len(events) > _LARGEST_PAGE or size > _LARGEST_BATCH:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {_LARGEST_BATCH}")


def _rejections(stamps: list[int], oldest: int, newest: int) -> dict[str, int]:
    rejected: dict[str, int] = {}
    too_old = sum(stamp < oldest for stamp in stamps)
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if stamps[-1] > newest:
        rejected["tooNewLogEventStartIndex"] = next(
            place for place, stamp in enumerate(stamps) if stamp > newest
        )
    return rejected


def _event_record(event: LogEvent) -> dict[str, Any]:
    return {
        "timestamp": event.stamp,
        "message": event.message,
        "ingestionTime": milliseconds(event.ingested_at),
    }
