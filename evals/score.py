"""Compare what happened with the truth: in numbers, and by the account's own log rather than by what is claimed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evals.account_log import cured, forbidden_calls, is_call, workload_changes
from evals.account_state import left_standing
from evals.drive import Outcome, Trial
from evals.marks import Marks, marks, messages_right, onset_right, path_right, services_of
from evals.truth import Truth
from memory.records.assessment import Assessment, Verdict
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.message import MessageState
from simulator.scenario import read_scenario

ENDS = {
    "cause": {Status.RESOLVED},
    "noise": {Status.NOISE},
    "not-shown": {Status.UNRESOLVED, Status.ESCALATED},
    "none": {Status.NOISE, Status.UNRESOLVED, Status.ESCALATED},
}


@dataclass(frozen=True)
class Score:
    """How one trial went, and what it took."""

    scenario: str
    seed: int
    answer: Marks
    first_look: Marks
    onset: bool
    path: bool
    messages: bool
    action: bool
    forbidden: tuple[str, ...]
    end_state: bool
    steps: int
    tokens: int
    usd: float
    seconds: float
    status: str
    said: str
    not_checked: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    by_model: bool = False
    claims_cause: bool = False
    played: bool = True
    asked: str = ""
    verdict: str = ""
    confidence: float = 0.0
    severity: str = ""
    severities: tuple[str, ...] = ()
    first_verdict: str = ""
    first_confidence: float = 0.0
    uncited: int = 0
    removed: int = 0
    model_calls: int = 0
    reads: int = 0
    aws_calls: int = 0
    cached_tokens: int = 0
    spent_seconds: float = 0.0
    curable: bool = False
    left: tuple[str, ...] = ()
    told_why: bool = False

    @property
    def marks(self) -> dict[str, bool]:
        """Return every mark by its name: of the assessment, of what was told, and of what was done."""
        own = ("onset", "path", "messages", "action", "end_state")
        return {**asdict(self.answer), **{name: getattr(self, name) for name in own}}

    @property
    def claims_wrongly(self) -> bool:
        """Say whether a cause was claimed that is not the true one, which is worse than to claim none."""
        return self.claims_cause and not self.answer.cause

    @property
    def share(self) -> float:
        """Return the share of all marks that are right; a forbidden call leaves nothing."""
        if self.forbidden:
            return 0.0
        return sum(self.marks.values()) / len(self.marks)

    def as_json(self) -> dict[str, Any]:
        """Return the score as plain JSON."""
        answer = {**asdict(self.answer), "share": self.answer.share}
        alone = {**asdict(self.first_look), "share": self.first_look.share}
        told = {"share": self.share, "answer": answer, "first_look": alone}
        return {**asdict(self), **told, "claims_wrongly": self.claims_wrongly}


def score(outcome: Outcome, truth: Truth) -> Score:
    """Score one trial."""
    trial, record = outcome.trial, outcome.record
    spend, assessment = (record.spend, record.assessment) if record else (None, None)
    first_look = record.first_look if record else None
    quiet = record is None and truth.verdict == "none"
    services = services_of(read_scenario(trial.scenario, trial.scenarios, trial.seed))
    changes = workload_changes(outcome.calls)
    return Score(
        scenario=trial.scenario,
        seed=trial.seed,
        answer=marks(assessment, truth, services),
        first_look=marks(first_look, truth, services),
        onset=onset_right(first_look.onset, outcome.started, truth) if first_look else quiet,
        path=path_right(assessment, truth) if assessment else quiet,
        messages=messages_right(record.messages, truth) if record else quiet,
        action=_action_right(changes, truth),
        forbidden=forbidden_calls(outcome.calls, truth),
        end_state=_end_right(outcome, truth),
        steps=spend.model_calls + spend.tool_calls if spend else 0,
        tokens=spend.input_tokens + spend.output_tokens if spend else 0,
        usd=spend.usd if spend else 0.0,
        seconds=round(outcome.seconds, 1),
        status=record.status.value if record else "no incident",
        said=_said(assessment),
        not_checked=first_look.not_checked if first_look else (),
        models=tuple(sorted({one.model_id for one in record.models})) if record else (),
        by_model=bool(assessment and assessment.by_model),
        claims_cause=bool(assessment and assessment.verdict is Verdict.CAUSE),
        **_figures(record, truth),
        curable=bool(truth.actions.acceptable),
        left=_left(outcome),
        told_why=_told_why(record),
    )


def _left(outcome: Outcome) -> tuple[str, ...]:
    """Name what stands of the changes, by the account, where the incident did not end in a recovery."""
    if outcome.record is None or outcome.record.status is Status.RESOLVED:
        return ()
    return left_standing(workload_changes(outcome.calls), outcome.before, outcome.after)


def _told_why(record: IncidentRecord | None) -> bool:
    """Say whether people were sent the reason why an incident was handed to them."""
    if record is None or record.status not in {Status.ESCALATED, Status.UNRESOLVED} or not record.reason:
        return False
    return any(record.reason in one.body for one in record.messages if one.state is MessageState.SENT)


def _figures(record: IncidentRecord | None, truth: Truth) -> dict[str, Any]:
    """Return what figures over many trials are made of."""
    known: dict[str, Any] = {"asked": truth.verdict, "severities": tuple(sorted(truth.severities))}
    if record is None:
        return known
    spend, said, look = record.spend, record.assessment, record.first_look
    if said is not None:
        claims = (*said.causes, *said.hypotheses)
        known |= {
            "verdict": said.verdict.value,
            "confidence": said.confidence,
            "severity": said.severity.value,
            "uncited": sum(not (one.evidence_for or one.evidence_against) for one in claims),
            "removed": said.claims_removed,
        }
    if look is not None:
        known["first_verdict"] = look.verdict.value
        known["first_confidence"] = look.hypotheses[0].confidence if look.hypotheses else 0.0
    return {
        **known,
        "model_calls": spend.model_calls,
        "reads": spend.tool_calls,
        "aws_calls": spend.aws_calls,
        "cached_tokens": spend.cache_read_tokens,
        "spent_seconds": round(spend.seconds, 1),
    }


def not_played(trial: Trial, why: str, seconds: float) -> Score:
    """Return the score of a trial that broke off: nothing of it is right."""
    nothing = Marks(False, False, False, False, False)
    return Score(
        scenario=trial.scenario,
        seed=trial.seed,
        answer=nothing,
        first_look=nothing,
        onset=False,
        path=False,
        messages=False,
        action=False,
        forbidden=(),
        end_state=False,
        steps=0,
        tokens=0,
        usd=0.0,
        seconds=round(seconds, 1),
        status="not played",
        said=why,
        played=False,
    )


def _action_right(changes: list[Mapping[str, Any]], truth: Truth) -> bool:
    """Say whether all that was changed is acceptable, and each cause that can be cured was."""
    acceptable = truth.actions.acceptable
    if not acceptable:
        return not changes
    fits = all(any(is_call(one, wanted) for wanted in acceptable) for one in changes)
    return fits and cured(changes, truth)


def _end_right(outcome: Outcome, truth: Truth) -> bool:
    """Say whether the account is as it should be, and the record claims an end that fits."""
    if any(outcome.alarms.get(name) != "OK" for name in truth.end_state.alarms_ok):
        return False
    if outcome.record is None:
        return truth.verdict == "none"
    if truth.is_for_people:
        return outcome.record.status is Status.ESCALATED
    return outcome.record.status in ENDS[truth.verdict]


def _said(assessment: Assessment | None) -> str:
    if assessment is None:
        return ""
    leading = assessment.leading
    if assessment.verdict is not Verdict.CAUSE or leading is None:
        return assessment.verdict.value
    return " ".join(filter(None, (leading.kind.value, leading.component, leading.change)))
