"""CloudTrail's view of what was called in the account.

LookupEvents shows management events only, of one attribute at a time, at most fifty a
page (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulator.clock import AccountClock, iso
from simulator.trail.calls import CallLog, Recorded, plain
from simulator.trail.resources import named_resources
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import ACCOUNT, REGION, AwsError, Call

KEPT = timedelta(days=90)
PAGE = 50
# The data events of the services simulated here: CloudTrail user guide, "Logging data events".
_DATA_EVENTS = {
    "cloudwatch": frozenset({"PutMetricData", "GetMetricData", "GetMetricWidgetImage"}),
    "dynamodb": frozenset(
        {f"{verb}Item" for verb in ("Get", "Put", "Update", "Delete", "BatchGet", "BatchWrite")}
        | {"Query", "Scan", "TransactGetItems", "TransactWriteItems"}
        | {"ExecuteStatement", "ExecuteTransaction", "BatchExecuteStatement"}
    ),
    "events": frozenset({"PutEvents"}),
    "logs": frozenset({"PutLogEvents"}),
    "s3": frozenset({"GetObject", "PutObject", "DeleteObject", "HeadObject", "ListObjects", "ListObjectsV2"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "sqs": frozenset(
        {"ReceiveMessage"}
        | {f"{verb}Message{many}" for verb in ("Send", "Delete") for many in ("", "Batch")}
        | {"ChangeMessageVisibility", "ChangeMessageVisibilityBatch"}
    ),
}
_SOURCES = {"cloudwatch": "monitoring", "bedrock-runtime": "bedrock"}


@dataclass(frozen=True)
class CloudTrailOverlay:
    """CloudTrail's event history over the call log."""

    log: CallLog
    clock: AccountClock
    service: str = "cloudtrail"
    operations: frozenset[str] = frozenset({"LookupEvents"})
    exclusive: bool = False

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The management events asked for, newest first."""
        parameters = call.parameters
        if parameters.get("EventCategory"):
            raise AwsError(
                "InvalidEventCategoryException", "Only insight events may be asked for by category."
            )
        attribute = _attribute(parameters.get("LookupAttributes", []))
        since, until = self._range(parameters)
        found = [
            one
            for one in reversed(self.log.after(0))
            if since <= one.at <= until
            and not is_data_event(one.service, one.operation)
            and _has(one, attribute)
        ]
        size = parameters.get("MaxResults", PAGE)
        if not 1 <= size <= PAGE:
            raise AwsError("InvalidMaxResultsException", f"MaxResults must be between 1 and {PAGE}.")
        try:
            listed, token = page(found, parameters.get("NextToken"), size)
        except UnknownTokenError as error:
            raise AwsError("InvalidNextTokenException", "The next token is not valid.") from error
        return {"Events": [trail_event(one) for one in listed], "NextToken": token}

    def _range(self, parameters: Mapping[str, Any]) -> tuple[datetime, datetime]:
        now = self.clock.now()
        since, until = parameters.get("StartTime", now - KEPT), parameters.get("EndTime", now)
        if since > until:
            raise AwsError("InvalidTimeRangeException", "The start time is after the end time.")
        return max(since, now - KEPT), until


def is_data_event(service: str, operation: str) -> bool:
    """Whether CloudTrail counts the call among data events, which LookupEvents never shows."""
    return operation in _DATA_EVENTS.get(service, frozenset())


def trail_event(recorded: Recorded) -> dict[str, Any]:
    """One event of LookupEvents (API_Event) with its record as JSON."""
    resources = named_resources(recorded.service, recorded.parameters)
    record = _record(recorded)
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


def _record(recorded: Recorded) -> dict[str, Any]:
    """The record's contents (CloudTrail user guide, record contents)."""
    source = f"{_SOURCES.get(recorded.service, recorded.service)}.amazonaws.com"
    record = {
        "eventVersion": "1.11",
        "userIdentity": recorded.caller.identity(),
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
    return (given[0]["AttributeKey"], given[0]["AttributeValue"]) if given else None


def _has(recorded: Recorded, attribute: tuple[str, str] | None) -> bool:
    if attribute is None:
        return True
    key, wanted = attribute
    match key:
        case "EventName":
            return recorded.operation == wanted
        case "ReadOnly":
            return recorded.is_read_only == (wanted == "true")
        case "Username":
            return recorded.caller.username == wanted
        case "ResourceName" | "ResourceType":
            resources = named_resources(recorded.service, recorded.parameters)
            return any(wanted == (kind if key == "ResourceType" else name) for kind, name in resources)
    return bool(trail_event(recorded)[key] == wanted)
