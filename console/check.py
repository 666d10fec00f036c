"""Hold what a record claims against what the account itself shows."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from graphs.copilot import Records
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.outcome import Execution, ExecutionState
from tools.aws.backend import BackendNames
from tools.trail import LOOKUP_SECONDS

# A model call or a session changes nothing in the account, whatever CloudTrail says of its kind.
_NO_CHANGE = {"bedrock.amazonaws.com", "sts.amazonaws.com"}
# Nor does asking what an automation would do:
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartExecutionPreview.html
_NO_CHANGE_EVENTS = {"StartExecutionPreview"}
_HAPPENED = {
    ExecutionState.CALLED,
    ExecutionState.UNDECIDED,
    ExecutionState.REVERTED,
}


@dataclass(frozen=True)
class Claim:
    """One thing a record claims, and whether the account shows it."""

    text: str
    holds: bool


def check_claims(records: Records, record: IncidentRecord) -> list[Claim]:
    """Return the claims of an ended incident's record, each looked up in the account."""
    claims = [Claim(f"the incident ended: {record.status.value}", record.status.is_end)]
    if record.status is Status.RESOLVED:
        claims += [_alarm_is_ok(records, record), *_executions_done(record)]
    return [*claims, _only_claimed_writes(records, record)]


def _alarm_is_ok(records: Records, record: IncidentRecord) -> Claim:
    name = record.incident.alarm.name
    answer = records.access.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    state = found[0]["StateValue"] if found else "gone"
    return Claim(f"CloudWatch shows the alarm {name} as {state}", state == "OK")


def _executions_done(record: IncidentRecord) -> Iterator[Claim]:
    for execution in record.executions:
        if not execution.is_revert:
            done = execution.state is ExecutionState.DONE
            yield Claim(f"{execution.action} is {execution.state.value}", done)


def _only_claimed_writes(records: Records, record: IncidentRecord) -> Claim:
    """Every change CloudTrail shows of this caller belongs to an action on the record."""
    happened = [one for one in record.executions if one.was_accepted or one.state in _HAPPENED]
    writes = list(_writes(records, record))
    unclaimed = sorted({event for event, asked in writes if not _explained(asked, happened)})
    if unclaimed:
        return Claim(f"CloudTrail shows changes nobody claims: {', '.join(unclaimed)}", holds=False)
    if not happened:
        return Claim("CloudTrail shows no change by the copilot", holds=True)
    missing = [e.action for e in happened if not any(_explained(asked, [e]) for _, asked in writes)]
    if missing:
        return Claim(f"CloudTrail does not show {', '.join(missing)}", holds=False)
    events = ", ".join(dict.fromkeys(event for event, _ in writes))
    return Claim(f"CloudTrail shows the claimed change and no other: {events}", holds=True)


def _writes(records: Records, record: IncidentRecord) -> Iterator[tuple[str, str]]:
    """Yield the event name and the parameters of each change by this caller, its own backend left out."""
    client = records.access.client("cloudtrail")
    request: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        "StartTime": record.incident.opened_at - timedelta(seconds=1),
        "EndTime": records.clock.now() + timedelta(minutes=1),
        "MaxResults": 50,
    }
    own = _own_names(records)
    while True:
        time.sleep(LOOKUP_SECONDS)
        page = client.lookup_events(**request)
        for event in page["Events"]:
            detail = json.loads(event["CloudTrailEvent"])
            asked = json.dumps(detail.get("requestParameters") or {})
            by = (detail.get("userIdentity") or {}).get("arn")
            harmless = event["EventSource"] in _NO_CHANGE or event["EventName"] in _NO_CHANGE_EVENTS
            mine = records.is_own(by or "") and not any(name in asked for name in own)
            if mine and not harmless and not detail.get("errorCode"):
                yield str(event["EventName"]), asked
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _own_names(records: Records) -> tuple[str, ...]:
    names = BackendNames(records.settings.prefix)
    return (
        names.records_table,
        names.checkpoints_table,
        names.queue,
        names.dead_letters,
        names.rule,
        names.topic,
    )


def _explained(asked: str, executions: list[Execution]) -> bool:
    """Say whether a change names what an action was given: its service, its table or its document."""
    return any(
        json.dumps(value) in asked
        for execution in executions
        for name, value in execution.parameters.items()
        if isinstance(value, str) and name != "cluster"
    )
