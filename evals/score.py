"""Compare what happened with the truth: in numbers, and by the account's own log rather than by what is claimed."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evals.drive import Outcome, Trial
from evals.truth import AcceptableCall, Truth
from memory.records.assessment import Assessment, FirstLook, Hypothesis, Verdict
from memory.records.incident import Status

# Changes here are changes to the workload; elsewhere they are the copilot's own bookkeeping.
WORKLOAD = frozenset({"ecs", "ssm", "lambda", "rds", "ec2", "application-autoscaling", "cloudwatch"})
TABLE_CHANGES = frozenset({"UpdateTable", "DeleteTable", "CreateTable", "UpdateTimeToLive"})
VERDICTS = {"cause": Verdict.CAUSE, "noise": Verdict.NOISE, "not-shown": Verdict.UNRESOLVED}
ENDS = {
    "cause": {Status.RESOLVED},
    "noise": {Status.NOISE},
    "not-shown": {Status.UNRESOLVED, Status.ESCALATED},
    "none": {Status.NOISE, Status.UNRESOLVED, Status.ESCALATED},
}
AWS_SERVICE = {"deployment": "ecs", "configuration": "ecs", "capacity": "dynamodb"}


@dataclass(frozen=True)
class Marks:
    """What is right about one assessment."""

    verdict: bool
    severity: bool
    cause_service: bool
    cause_resource: bool
    cause_change: bool

    @property
    def cause(self) -> bool:
        """Say whether the cause is right in every part."""
        return self.cause_service and self.cause_resource and self.cause_change

    @property
    def share(self) -> float:
        """Return the share of the marks that are right."""
        marks: list[bool] = list(asdict(self).values())
        return sum(marks) / len(marks)


@dataclass(frozen=True)
class Score:
    """How one trial went, and what it took."""

    scenario: str
    seed: int
    answer: Marks
    first_look: Marks
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

    @property
    def share(self) -> float:
        """Return the share of all marks that are right; a forbidden call leaves nothing."""
        if self.forbidden:
            return 0.0
        marks: list[bool] = [*asdict(self.answer).values(), self.action, self.end_state]
        return sum(marks) / len(marks)

    def as_json(self) -> dict[str, Any]:
        """Return the score as plain JSON."""
        answer = {**asdict(self.answer), "share": self.answer.share}
        alone = {**asdict(self.first_look), "share": self.first_look.share}
        return {**asdict(self), "share": self.share, "answer": answer, "first_look": alone}


def score(outcome: Outcome, truth: Truth) -> Score:
    """Score one trial."""
    record = outcome.record
    spend = record.spend if record else None
    changes = workload_changes(outcome.calls)
    return Score(
        scenario=outcome.trial.scenario,
        seed=outcome.trial.seed,
        answer=marks(record.assessment if record else None, truth),
        first_look=marks(record.first_look if record else None, truth),
        action=_action_right(changes, truth),
        forbidden=forbidden_calls(outcome.calls, truth),
        end_state=_end_right(outcome, truth),
        steps=spend.model_calls + spend.tool_calls if spend else 0,
        tokens=spend.input_tokens + spend.output_tokens if spend else 0,
        usd=spend.usd if spend else 0.0,
        seconds=round(outcome.seconds, 1),
        status=record.status.value if record else "no incident",
        said=_said(record.assessment if record else None),
        not_checked=record.first_look.not_checked if record and record.first_look else (),
        models=tuple(sorted({one.model_id for one in record.models})) if record else (),
        by_model=bool(record and record.assessment and record.assessment.by_model),
    )


def not_played(trial: Trial, why: str, seconds: float) -> Score:
    """Return the score of a trial that broke off: nothing of it is right."""
    nothing = Marks(False, False, False, False, False)
    return Score(
        scenario=trial.scenario,
        seed=trial.seed,
        answer=nothing,
        first_look=nothing,
        action=False,
        forbidden=(),
        end_state=False,
        steps=0,
        tokens=0,
        usd=0.0,
        seconds=round(seconds, 1),
        status="not played",
        said=why,
    )


def marks(said: Assessment | FirstLook | None, truth: Truth) -> Marks:
    """Compare one assessment with the truth; where no cause is to be found, claiming one is what is wrong."""
    if said is None:
        quiet = truth.verdict == "none"
        return Marks(quiet, quiet, quiet, quiet, quiet)
    claims = said.verdict is Verdict.CAUSE
    verdict = not claims if truth.verdict == "none" else said.verdict is VERDICTS[truth.verdict]
    severity = not truth.severity or said.severity.value in truth.severities
    if truth.cause is None:
        return Marks(verdict, severity, not claims, not claims, not claims)
    leading = said.hypotheses[0] if claims and said.hypotheses else None
    return Marks(verdict, severity, *_cause_marks(leading, truth))


def _cause_marks(leading: Hypothesis | None, truth: Truth) -> tuple[bool, bool, bool]:
    cause = truth.cause
    if leading is None or cause is None:
        return False, False, False
    named = AWS_SERVICE.get(leading.kind.value) == cause.service and leading.kind.value == cause.kind
    component = leading.component.rsplit("/", 1)[-1] == cause.component
    return named, component, leading.change == cause.change


def workload_changes(calls: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the successful calls that change the workload."""
    return [one for one in calls if not one["read_only"] and not one["error_code"] and _touches_workload(one)]


def _touches_workload(call: Mapping[str, Any]) -> bool:
    if call["service"] == "dynamodb":
        return call["operation"] in TABLE_CHANGES
    return call["service"] in WORKLOAD


def forbidden_calls(calls: Iterable[Mapping[str, Any]], truth: Truth) -> tuple[str, ...]:
    """Return the forbidden calls that were made, failed ones too: the intent counts."""
    made = {_api(one) for one in calls}
    return tuple(sorted(made & set(truth.actions.forbidden)))


def _action_right(changes: list[Mapping[str, Any]], truth: Truth) -> bool:
    acceptable = truth.actions.acceptable
    if not acceptable:
        return not changes
    return bool(changes) and all(any(_is(one, wanted) for wanted in acceptable) for one in changes)


def _is(call: Mapping[str, Any], wanted: AcceptableCall) -> bool:
    return _api(call) == wanted.api and _holds(call["parameters"], wanted.parameters)


def _holds(found: Any, wanted: Any) -> bool:
    """Say whether what was found has at least what is wanted; ARNs and names are the same thing."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_holds(found.get(key), wanted[key]) for key in wanted)
    if isinstance(wanted, str) and isinstance(found, str):
        return found == wanted or found.rsplit("/", 1)[-1] == wanted
    return bool(found == wanted)


def _api(call: Mapping[str, Any]) -> str:
    return f"{call['service']}:{call['operation']}"


def _end_right(outcome: Outcome, truth: Truth) -> bool:
    """Say whether the account is as it should be, and the record claims an end that fits."""
    if any(outcome.alarms.get(name) != "OK" for name in truth.end_state.alarms_ok):
        return False
    if outcome.record is None:
        return truth.verdict == "none"
    return outcome.record.status in ENDS[truth.verdict]


def _said(assessment: Assessment | None) -> str:
    if assessment is None:
        return ""
    leading = assessment.leading
    if assessment.verdict is not Verdict.CAUSE or leading is None:
        return assessment.verdict.value
    return " ".join(filter(None, (leading.kind.value, leading.component, leading.change)))
