"""CloudTrail's view of what was called in the account.

LookupEvents shows management events only, of one attribute at a time, at most fifty a page, and
answers twice a second (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).
"""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulator.clock import AccountClock, iso
from simulator.trail.calls import CallLog, Recorded, plain
from simulator.trail.data_events import is_data_event
from simulator.trail.pace import Pace
from simulator.trail.resources import named_resources
from simulator.wire.protocol import ACCOUNT, REGION, AwsError, Call

KEPT = timedelta(days=90)
PAGE = 50
A_SECOND = 2
_ATTRIBUTES = frozenset(
    {
        "AccessKeyId",
        "EventId",
        "EventName",
        "EventSource",
        "ReadOnly",
        "ResourceName",
        "ResourceType",
        "Username",
    }
)
_SOURCES = {"cloudwatch": "monitoring", "bedrock-runtime": "bedrock", "service-quotas": "servicequotas"}


def _wall_pace() -> Pace:
    return Pace(A_SECOND, time.monotonic)


@dataclass(frozen=True)
class CloudTrailOverlay:
    """CloudTrail's event history over the call log. `source_identities` are those of sessions, by access key."""

    log: CallLog
    clock: AccountClock
    source_identities: Mapping[str, str] = field(default_factory=dict)
    pace: Pace = field(default_factory=_wall_pace)
    service: str = "cloudtrail"
    operations: frozenset[str] = frozenset({"LookupEvents"})
    exclusive: bool = False

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The management events asked for, newest first."""
        if not self.pace.lets_pass():
            raise AwsError("ThrottlingException", "Rate exceeded")
        parameters = call.parameters
        attribute = _attribute(parameters.get("LookupAttributes", []))
        since, until = self._range(parameters)
        size = parameters.get("MaxResults", PAGE)
        if not 1 <= size <= PAGE:
            raise AwsError("InvalidMaxResultsException", f"MaxResults must be between 1 and {PAGE}.")
        older_than = _read_token(parameters.get("NextToken"))
        if parameters.get("EventCategory") is not None:
            return _insights(parameters["EventCategory"])
        found = self._found(attribute, since, until, older_than)
        listed = list(islice(found, size))
        more = next(found, None)
        token = _token(listed[-1].number) if more is not None else None
        return {"Events": [trail_event(one, self._source(one)) for one in listed], "NextToken": token}

    def _found(
        self, attribute: tuple[str, str] | None, since: datetime, until: datetime, older_than: int | None
    ) -> Iterator[Recorded]:
        for one in reversed(self.log.after(0)):
            if older_than is not None and one.number >= older_than:
                continue
            if one.at < since:
                # Calls are recorded in the order of their times.
                return
            is_shown = one.at <= until and not is_data_event(one.service, one.operation)
            if is_shown and _has(one, attribute):
                yield one

    def _range(self, parameters: Mapping[str, Any]) -> tuple[datetime, datetime]:
        now = self.clock.now()
        since, until = parameters.get("StartTime", now - KEPT), parameters.get("EndTime", now)
        if since > until:
            raise AwsError("InvalidTimeRangeException", "The start time is after the end time.")
        return max(since, now - KEPT), until

    def _source(self, recorded: Recorded) -> str | None:
        return self.source_identities.get(recorded.caller.access_key)


def _insights(category: str) -> Mapping[str, Any]:
    """Events of CloudTrail Insights, which no trail of the account collects."""
    if category != "insight":
        message = "Only insight events may be asked for by category."
        raise AwsError("InvalidEventCategoryException", message)
    return {"Events": []}


def _token(number: int) -> str:
    """Where the next page begins. Calls made since do not move it, the look-up's own among them."""
    return urlsafe_b64encode(f"before:{number}".encode()).decode()


def _read_token(token: str | None) -> int | None:
    if token is None:
        return None
    try:
        mark, _, number = urlsafe_b64decode(token.encode()).decode().partition(":")
        if mark != "before":
            raise ValueError(token)
        return int(number)
    except ValueError as error:
        raise AwsError("InvalidNextTokenException", "The next token is not valid.") from error


def trail_event(recorded: Recorded, source_identity: str | None = None) -> dict[str, Any]:
    """One event of LookupEvents (API_Event) with its record as JSON."""
    resources = named_resources(recorded.service, recorded.parameters)
    record = _record(recorded, source_identity)
    return {
        "EventId": record["eventID"],
        "EventName": recorded.operation,
        "ReadOnly": "true" if recorded.is_read_only else "false",
        "AccessKeyId": record["userIdentity"]["accessKeyId"],
        "EventTime": recorded.at.replace(microsecond=0),
        "EventSource": record["eventSource"],
        "Username": recorded.caller.username,
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in resources],
        "CloudTrailEvent": json.dumps(record),
    }


def _event_source(recorded: Recorded) -> str:
    return f"{_SOURCES.get(recorded.service, recorded.service)}.amazonaws.com"


def _record(recorded: Recorded, source_identity: str | None) -> dict[str, Any]:
    """The record's contents (CloudTrail user guide, record contents)."""
    source = _event_source(recorded)
    record = {
        "eventVersion": "1.11",
        "userIdentity": recorded.caller.identity(source_identity),
        "eventTime": recorded.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source,
        "eventName": recorded.operation,
        "awsRegion": REGION,
        "sourceIPAddress": "10.0.12.7",
        "userAgent": "Boto3",
        "requestParameters": _lower_first(plain(recorded.parameters)) or None,
        "responseElements": None,
        "requestID": _event_id(recorded, "request"),
        "eventID": _event_id(recorded, "event"),
        "readOnly": recorded.is_read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    if recorded.error_code:
        record |= {"errorCode": recorded.error_code, "errorMessage": recorded.error_message or ""}
    return record


def _event_id(recorded: Recorded, kind: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{kind}/{recorded.number}/{iso(recorded.at)}/{recorded.operation}"))


def _lower_first(value: Any) -> Any:
    """CloudTrail writes parameters with a small first letter, whatever the API does."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower_first(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lower_first(item) for item in value]
    return value


def _attribute(given: list[dict[str, str]]) -> tuple[str, str] | None:
    if len(given) > 1:
        message = "You can specify only one lookup attribute."
        raise AwsError("InvalidLookupAttributesException", message)
    if not given:
        return None
    key, value = given[0]["AttributeKey"], given[0]["AttributeValue"]
    if key not in _ATTRIBUTES or (key == "ReadOnly" and value not in ("true", "false")):
        raise AwsError("InvalidLookupAttributesException", f"The lookup attribute {key} is not valid.")
    return key, value


def _has(recorded: Recorded, attribute: tuple[str, str] | None) -> bool:
    if attribute is None:
        return True
    key, wanted = attribute
    match key:
        case "AccessKeyId":
            return bool(recorded.caller.identity()["accessKeyId"] == wanted)
        case "EventId":
            return _event_id(recorded, "event") == wanted
        case "EventName":
            return recorded.operation == wanted
        case "EventSource":
            return _event_source(recorded) == wanted
        case "ReadOnly":
            return recorded.is_read_only == (wanted == "true")
        case "Username":
            return recorded.caller.username == wanted
    resources = named_resources(recorded.service, recorded.parameters)
    return any(wanted == (kind if key == "ResourceType" else name) for kind, name in resources)
