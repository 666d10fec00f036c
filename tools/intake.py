"""Parse delivered events: whichever envelope an alarm comes in, the same facts come out.

Formats: EventBridge `CloudWatch Alarm State Change` and `... Configuration Change` (CloudWatch user guide,
"Alarm events and EventBridge"), alarm notifications by SNS (to Lambda, to SQS or as the bare notification), the
event of a direct Lambda alarm action, and a CloudWatch Logs subscription (gzipped JSON in base64).
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from memory.records.alarm import Alarm, AlarmState, Envelope, Metric, Route
from memory.records.base import canonical_json
from memory.records.scope import Scope
from tools.event_body import RefusedEvent, read_json
from tools.event_cleaning import clean_event, unpacked
from tools.redaction import is_redacted

_CHANGE = "CloudWatch Alarm State Change"
_ARN = re.compile(r"^arn:[^:]*:cloudwatch:(?P<region>[^:]*):(?P<account>[^:]*):alarm:.+$")
_CONFIGURATION = "CloudWatch Alarm Configuration Change"
# What reading a part that is not what its kind promises may raise: a missing member, a wrong type, a number or
# time out of range, nesting without end.
BROKEN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
# Ids and names become parts of keys, so they are held to what AWS allows; published examples use words for both.
_KEY_PART = re.compile(r"[A-Za-z0-9_-]{1,64}")
ID_CHARS = 256
ARN_CHARS = 1024


def parse_event(
    event: bytes | str | dict[str, Any], received_at: datetime, tenant: str = "default"
) -> Envelope:
    """Return what an event is and says, or raise `RefusedEvent`; nothing else is ever raised.

    Secrets and personal data are taken out first, so the digest is that of the cleaned body.
    """
    try:
        body = clean_event(event)
        digest = hashlib.sha256(canonical_json(body).encode()).hexdigest()
        return _envelope(body, digest, received_at, tenant)
    except BROKEN as error:
        said = f"{type(error).__name__}: {str(error)[:200]}"
        raise RefusedEvent(f"the event lacks what its kind promises ({said})", 400) from error


def _envelope(body: dict[str, Any], sha256: str, received_at: datetime, tenant: str) -> Envelope:
    common = {"received_at": received_at, "raw_sha256": sha256}
    if "detail-type" in body and "source" in body:
        return _eventbridge(body, common, tenant)
    if isinstance(body.get("Records"), list):
        return _records(body["Records"], common, tenant)
    if body.get("Type") == "Notification" and "Message" in body:
        return _sns(body, common, tenant)
    if "alarmData" in body and "alarmArn" in body:
        return _lambda_action(body, common, tenant)
    if isinstance(body.get("awslogs"), dict):
        return _logs(body["awslogs"], common)
    raise RefusedEvent("this is none of the events that are known here", 422)


def _eventbridge(body: dict[str, Any], common: dict[str, Any], tenant: str) -> Envelope:
    kind = str(body["detail-type"])
    detail = body.get("detail")
    facts = {"account": body.get("account"), "region": body.get("region"), "source": body["source"]}
    event_id = _event_id(body.get("id"), common)
    if (
        body["source"] != "aws.cloudwatch"
        or kind not in {_CHANGE, _CONFIGURATION}
        or not isinstance(detail, dict)
    ):
        return Envelope(
            event_id=event_id,
            source="eventbridge",
            kind=kind,
            route=Route.NOT_AN_ALARM,
            facts=facts,
            **common,
        )
    alarm = _alarm_of_detail(body, detail, tenant)
    facts |= {"operation": detail.get("operation")}
    route = Route.AUDIT_ONLY if kind == _CONFIGURATION else _route(alarm)
    return Envelope(
        event_id=event_id, source="eventbridge", kind=kind, route=route, alarm=alarm, facts=facts, **common
    )


def _alarm_of_detail(body: dict[str, Any], detail: dict[str, Any], tenant: str) -> Alarm:
    state, previous = detail["state"], detail.get("previousState") or {}
    configuration = detail.get("configuration") or {}
    name = str(detail.get("alarmName") or configuration["alarmName"])
    resources = body.get("resources") or []
    region, account = str(body["region"]), str(body["account"])
    arn = str(resources[0]) if resources else f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}"
    return Alarm(
        name=name,
        arn=arn,
        scope=_scope(tenant, arn, account, region),
        state=AlarmState(state["value"]),
        previous_state=AlarmState(previous["value"]) if previous.get("value") else None,
        reason=str(state.get("reason", "")),
        changed_at=_moment(state.get("timestamp") or body["time"]),
        description=str(configuration.get("description", "")),
        metrics=tuple(_metrics(configuration.get("metrics") or [])),
        expression=_expression(configuration.get("metrics") or []),
        threshold=_number(configuration.get("threshold")),
        alarm_rule=configuration.get("alarmRule"),
        suppressed_by=state.get("actionsSuppressedBy"),
        suppressor=configuration.get("actionsSuppressor"),
        tags={str(k): str(v) for k, v in (detail.get("alarmTags") or {}).items()},
    )


def _metrics(entries: list[dict[str, Any]]) -> list[Metric]:
    """Return the metrics of a configuration: each `metricStat`, expressions apart."""
    found = []
    for entry in entries:
        stat = entry.get("metricStat")
        if not stat:
            continue
        metric = stat["metric"]
        found.append(
            Metric(
                namespace=str(metric.get("namespace", "")),
                name=str(metric["name"]),
                dimensions={str(k): str(v) for k, v in (metric.get("dimensions") or {}).items()},
                stat=stat.get("stat"),
                period_seconds=_seconds(stat.get("period")),
            )
        )
    return found


def _expression(entries: list[dict[str, Any]]) -> str | None:
    """Return the expression that the alarm watches, if it watches one."""
    expressions = [entry for entry in entries if entry.get("expression")]
    returned = [entry for entry in expressions if entry.get("returnData")]
    chosen = returned or expressions
    return str(chosen[0]["expression"]) if chosen else None


def _records(records: list[Any], common: dict[str, Any], tenant: str) -> Envelope:
    """Read SNS's event to Lambda; one record a delivery is what SNS promises."""
    if len(records) != 1 or "Sns" not in records[0]:
        raise RefusedEvent("one SNS record is expected", 422)
    return _sns(records[0]["Sns"], common, tenant)


def _sns(notification: dict[str, Any], common: dict[str, Any], tenant: str) -> Envelope:
    event_id = _event_id(notification.get("MessageId"), common)
    facts = {"subject": notification.get("Subject"), "topic": notification.get("TopicArn")}
    try:
        message = read_json(notification["Message"])
    except ValueError:
        message = None
    if isinstance(message, dict) and "detail-type" in message:
        return _eventbridge(message, common, tenant)
    if not isinstance(message, dict) or "AlarmName" not in message:
        return Envelope(
            event_id=event_id, source="sns", kind="SNS", route=Route.NOT_AN_ALARM, facts=facts, **common
        )
    alarm = _alarm_of_sns(message, tenant)
    facts |= {"region_text": message.get("Region")}
    return Envelope(
        event_id=event_id,
        source="sns",
        kind="CloudWatch Alarm (SNS)",
        route=_route(alarm),
        alarm=alarm,
        facts=facts,
        **common,
    )


def _alarm_of_sns(message: dict[str, Any], tenant: str) -> Alarm:
    """Read the capitalised fields of an alarm notification; the region is taken from the ARN, not its name."""
    arn = str(message["AlarmArn"])
    match = _ARN.match(arn)
    account = str(message.get("AWSAccountId") or (match["account"] if match else ""))
    trigger = message.get("Trigger") or {}
    entries = trigger.get("Metrics") or [{"MetricStat": {"Metric": trigger, **_stat_of(trigger)}}]
    return Alarm(
        name=str(message["AlarmName"]),
        arn=arn,
        scope=_scope(tenant, arn, account, match["region"] if match else str(message.get("Region", ""))),
        state=AlarmState(message["NewStateValue"]),
        previous_state=AlarmState(message["OldStateValue"]) if message.get("OldStateValue") else None,
        reason=str(message.get("NewStateReason", "")),
        changed_at=_moment(message["StateChangeTime"]),
        description=str(message.get("AlarmDescription") or ""),
        metrics=tuple(_sns_metrics(entries)),
        expression=next((str(e["Expression"]) for e in entries if e.get("Expression")), None),
        threshold=_number(trigger.get("Threshold")),
        alarm_rule=message.get("AlarmRule"),
        suppressed_by=message.get("ActionsSuppressedBy"),
    )


def _stat_of(trigger: dict[str, Any]) -> dict[str, Any]:
    return {
        "Stat": trigger.get("Statistic") or trigger.get("ExtendedStatistic"),
        "Period": trigger.get("Period"),
    }


def _sns_metrics(entries: list[dict[str, Any]]) -> list[Metric]:
    found = []
    for entry in entries:
        metric = (entry.get("MetricStat") or {}).get("Metric") or {}
        if not metric.get("MetricName"):
            continue
        found.append(
            Metric(
                namespace=str(metric.get("Namespace", "")),
                name=str(metric["MetricName"]),
                dimensions={str(d["name"]): str(d["value"]) for d in metric.get("Dimensions") or []},
                stat=entry["MetricStat"].get("Stat"),
                period_seconds=_seconds(entry["MetricStat"].get("Period")),
            )
        )
    return found


def _lambda_action(body: dict[str, Any], common: dict[str, Any], tenant: str) -> Envelope:
    """Read the event of an alarm's Lambda action: EventBridge's detail under other names."""
    data = body["alarmData"]
    seed = canonical_json([body["alarmArn"], data["state"].get("timestamp"), data["state"]["value"]])
    arn = str(body["alarmArn"])
    match = _ARN.match(arn)
    if match is None:
        raise ValueError("alarmArn is no alarm's ARN")
    as_event = {
        "region": body.get("region") or match["region"],
        "account": body.get("accountId") or match["account"],
        "time": body.get("time"),
        "resources": [arn],
    }
    alarm = _alarm_of_detail(as_event, data, tenant)
    return Envelope(
        event_id=hashlib.sha256(seed.encode()).hexdigest()[:32],
        source="lambda_action",
        kind=_CHANGE,
        route=_route(alarm),
        alarm=alarm,
        **common,
    )


def _logs(awslogs: dict[str, Any], common: dict[str, Any]) -> Envelope:
    """Read a Logs subscription."""
    message = unpacked(awslogs["data"])
    facts = {
        "log_group": message["logGroup"],
        "log_stream": message["logStream"],
        "account": message["owner"],
        "events": len(message["logEvents"]),
    }
    return Envelope(
        event_id=common["raw_sha256"],
        source="logs",
        kind="CloudWatch Logs subscription",
        route=Route.DECODE_LOGS,
        facts=facts,
        **common,
    )


def _route(alarm: Alarm) -> Route:
    if alarm.state is not AlarmState.ALARM:
        return Route.NOTE_RECOVERY
    return Route.SUPPRESSED_NO_PAGE if alarm.suppressed_by else Route.OPEN_OR_UPDATE_INCIDENT


def _event_id(named: Any, common: dict[str, Any]) -> str:
    """Return the id that the sender gave, or the body's digest where it gave none that can be a key and be told."""
    usable = isinstance(named, str) and 0 < len(named) <= ID_CHARS and not is_redacted(named)
    return str(named if usable else common["raw_sha256"])


def _scope(tenant: str, arn: str, account: str, region: str) -> Scope:
    if not _KEY_PART.fullmatch(account) or not _KEY_PART.fullmatch(region):
        raise ValueError("the account and the region are letters, digits and hyphens")
    if len(arn) > ARN_CHARS:
        raise ValueError(f"an ARN has at most {ARN_CHARS} characters")
    return Scope(tenant=tenant, partition=_partition(arn), account=account, region=region)


def _moment(text: Any) -> datetime:
    """Read AWS's times: with `+0000`, with `Z`, with or without fractions; one without a zone is UTC."""
    moment = datetime.fromisoformat(str(text))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _partition(arn: str) -> str:
    parts = arn.split(":")
    return parts[1] if len(parts) > 1 and parts[1] else "aws"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _seconds(value: Any) -> int | None:
    is_count = isinstance(value, int | float) or (isinstance(value, str) and value.isdigit())
    return int(value) if is_count else None
