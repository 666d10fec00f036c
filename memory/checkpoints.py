"""Checkpoints in DynamoDB, with the types a checkpoint may hold.

`DynamoDBSaver` keeps the serializer it was built with, so the list of allowed types that LangGraph derives
from the state never reaches it; the list is put where it is used.
"""

from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_checkpoint_aws import DynamoDBSaver

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


def open_checkpointer(
    session: Any, table: str, region: str, endpoint_url: str | None, config: Any
) -> DynamoDBSaver:
    """Return a saver on a table that stands, which reads back exactly the types in `RECORDS`."""
    saver = DynamoDBSaver(
        table_name=table,
        session=session,
        region_name=region,
        endpoint_url=endpoint_url,
        boto_config=config,
        enable_checkpoint_compression=True,
    )
    allowed = [(kind.__module__, kind.__qualname__) for kind in RECORDS]
    serde = JsonPlusSerializer(allowed_msgpack_modules=allowed)
    saver.serde = serde
    saver.serializer.serde = serde
    return saver
