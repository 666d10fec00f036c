"""The graph's state: small frozen records, one writer for each field.

Evidence and conversations stay outside and are referred to by id. The whole state stays under
`STATE_LIMIT_BYTES`; `tests/graphs` asserts it at every checkpoint.
"""

import operator
from datetime import datetime
from typing import Annotated, Any, TypedDict

from memory.records.assessment import Assessment, FirstLook
from memory.records.failure import Failure
from memory.records.incident import Incident, Status
from memory.records.outcome import Execution, Verification
from memory.records.plan import Plan, Review
from memory.records.spend import ModelUse, Spend

SCHEMA_VERSION = 1
STATE_LIMIT_BYTES = 64 * 1024


class IncidentInput(TypedDict, total=False):
    """What starts a run: a raw event as delivered, or the text of it."""

    event: dict[str, Any]


class IncidentState(TypedDict, total=False):
    """All that one incident carries between nodes."""

    event: dict[str, Any]
    schema_version: int
    incident: Incident
    joined: str
    status: Status
    reason: str
    first_look: FirstLook
    assessment: Assessment
    plan: Plan
    reviews: list[Review]
    attempt: int
    executions: Annotated[list[Execution], operator.add]
    watched_since: datetime
    due: bool
    verification: Verification
    failures: Annotated[list[Failure], operator.add]
    spend: Annotated[Spend, operator.add]
    models: Annotated[list[ModelUse], operator.add]
