"""Outcomes of trials as a scenario could have brought them, for tests of what is made of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from evals.drive import Outcome, Trial
from evals.score import Score, score
from evals.truth import Truth, read_truth
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.incident import Severity, Status
from memory.records.incident_record import IncidentRecord
from memory.records.message import Audience, Message, MessageState
from memory.records.spend import ModelUse, Spend
from tests.agents.desk import INCIDENT

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
STARTED = NOW - timedelta(minutes=9)
ONSET = STARTED + timedelta(minutes=5)
TOLD = {
    "bad-deployment": "checkout: checkout:42 throws",
    "false-alarm": "web: no impact",
    "hidden-cause": "payments is slow, the cause is not known",
}
RIGHT = Hypothesis(
    kind=CauseKind.DEPLOYMENT,
    component="checkout",
    change="checkout:42",
    statement="it throws",
    confidence=0.9,
)
WRONG = RIGHT.model_copy(update={"component": "payments", "change": "payments:24"})


def call(api: str, parameters: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    service, operation = api.split(":")
    read = operation.startswith(("Describe", "Get"))
    return {
        "service": service,
        "operation": operation,
        "parameters": dict(parameters or {}),
        "read_only": read,
        "error_code": None,
        **more,
    }


ROLLBACK = call("ecs:UpdateService", {"service": "checkout", "taskDefinition": "checkout:41"})


def message(body: str, state: MessageState = MessageState.SENT) -> Message:
    return Message(
        incident_id=INCIDENT.incident_id,
        send_key="k",
        audience=Audience.ON_CALL,
        channel="sns",
        subject="s",
        body=body,
        state=state,
        queued_at=NOW,
    )


def record(
    leading: Hypothesis = RIGHT,
    status: Status = Status.RESOLVED,
    verdict: Verdict = Verdict.CAUSE,
    severity: Severity = Severity.HIGH,
    others: tuple[Hypothesis, ...] = (),
    path: tuple[str, ...] = ("checkout", "web"),
    told: str = TOLD["bad-deployment"],
) -> IncidentRecord:
    causes = (leading, *others)
    look = FirstLook(onset=ONSET, severity=severity, severity_reason="r", verdict=verdict, hypotheses=causes)
    said = Assessment(
        verdict=verdict,
        severity=severity,
        summary="s",
        hypotheses=causes,
        causal_path=path,
        confidence=0.9,
    )
    spend = Spend(model_calls=3, tool_calls=2, input_tokens=100, output_tokens=20, usd=0.01)
    return IncidentRecord(
        incident=INCIDENT,
        status=status,
        first_look=look,
        assessment=said,
        messages=(message(told),),
        spend=spend,
        models=(ModelUse(role="triage", model_id="local.rules-v1:0", prompt_sha256="0" * 64),),
        updated_at=NOW,
    )


def judged(
    made: IncidentRecord | None,
    *calls: dict[str, Any],
    scenario: str = "bad-deployment",
    alarms: Mapping[str, str] | None = None,
    truth: Truth | None = None,
) -> Score:
    shown = dict(alarms if alarms is not None else {"checkout-5xx": "OK"})
    outcome = Outcome(Trial(scenario), made, tuple(calls), shown, 1.0, STARTED)
    return score(outcome, truth or read_truth(scenario))


def rolled_back(trial: Trial, leading: Hypothesis = RIGHT) -> Outcome:
    """Return the outcome of a bad deployment that was taken back."""
    return Outcome(trial, record(leading), (ROLLBACK,), {"checkout-5xx": "OK"}, 1.0, STARTED)
