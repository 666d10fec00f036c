"""What the copilot's checkpoints may hold, and the saver that reads back exactly that."""

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from memory.checkpoints.saver import DynamoSaver
from memory.records.alarm import Alarm, AlarmState, Metric
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Impact, Learned, Verdict
from memory.records.base import Record
from memory.records.failure import Failure
from memory.records.incident import Incident, Severity, Status
from memory.records.outcome import Execution, ExecutionState, Recovery, Signal, SignalState, Verification
from memory.records.plan import (
    Considered,
    Direction,
    Drift,
    ExpectedSignal,
    Plan,
    PlannedAction,
    Review,
    Risk,
    Ruling,
    SimilarIncident,
)
from memory.records.scope import Scope
from memory.records.spend import CallUse, ModelUse, Spend
from memory.upgrading import State, upgraded

RECORDS: tuple[type, ...] = (
    Alarm,
    AlarmState,
    Metric,
    Assessment,
    CauseKind,
    FirstLook,
    Hypothesis,
    Impact,
    Learned,
    Verdict,
    Failure,
    Incident,
    Severity,
    Status,
    Execution,
    ExecutionState,
    Recovery,
    Signal,
    SignalState,
    Verification,
    Considered,
    Direction,
    Drift,
    ExpectedSignal,
    Plan,
    PlannedAction,
    Review,
    Risk,
    Ruling,
    SimilarIncident,
    Scope,
    CallUse,
    ModelUse,
    Spend,
    Record,
)


def serializer() -> JsonPlusSerializer:
    """Return the serializer that reads back the types in `RECORDS` and no others of ours."""
    return JsonPlusSerializer(allowed_msgpack_modules=[(one.__module__, one.__qualname__) for one in RECORDS])


class IncidentSaver(DynamoSaver):
    """Hands out every state as of this version, whichever version has checkpointed it."""

    def __init__(
        self, client: Any, table: str, *, upgrade: Callable[[State], State] = upgraded, **options: Any
    ) -> None:
        super().__init__(client, table, **options)
        self._upgrade = upgrade

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that is asked for, or the newest, in this version."""
        return self._brought_up(super().get_tuple(config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that is asked for, or the newest, in this version."""
        return self._brought_up(await super().aget_tuple(config))

    def _brought_up(self, found: CheckpointTuple | None) -> CheckpointTuple | None:
        if found is None:
            return None
        values = self._upgrade(found.checkpoint["channel_values"])
        return found._replace(checkpoint={**found.checkpoint, "channel_values": values})


def open_checkpointer(client: Any, table: str, ttl_seconds: float | None = None) -> IncidentSaver:
    """Return the saver on a table that stands; a thread is kept so long after it was last written."""
    return IncidentSaver(client, table, serde=serializer(), ttl_seconds=ttl_seconds)
