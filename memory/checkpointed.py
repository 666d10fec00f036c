"""What the copilot's checkpoints may hold, and the saver that reads back exactly that."""

from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from memory.checkpoints.saver import DynamoSaver
from memory.records.alarm import Alarm, AlarmState, Metric
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Impact, Verdict
from memory.records.base import Record
from memory.records.failure import Failure
from memory.records.incident import Incident, Severity, Status
from memory.records.outcome import Execution, ExecutionState, Recovery, Verification
from memory.records.plan import Plan, PlannedAction, Review, Risk, Ruling
from memory.records.scope import Scope
from memory.records.spend import ModelUse, Spend

RECORDS: tuple[type, ...] = (
    Alarm,
    AlarmState,
    Metric,
    Assessment,
    CauseKind,
    FirstLook,
    Hypothesis,
    Impact,
    Verdict,
    Failure,
    Incident,
    Severity,
    Status,
    Execution,
    ExecutionState,
    Recovery,
    Verification,
    Plan,
    PlannedAction,
    Review,
    Risk,
    Ruling,
    Scope,
    ModelUse,
    Spend,
    Record,
)


def serializer() -> JsonPlusSerializer:
    """Return the serializer that reads back the types in `RECORDS` and no others of ours."""
    return JsonPlusSerializer(allowed_msgpack_modules=[(one.__module__, one.__qualname__) for one in RECORDS])


def open_checkpointer(client: Any, table: str) -> DynamoSaver:
    """Return the saver on a table that stands."""
    return DynamoSaver(client, table, serde=serializer())
