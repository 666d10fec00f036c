"""Play scenarios with the plan taken from the truth, through the real review, approval, executor and verification.

It shows what the write path is worth by itself: whether a right plan is done, verified and kept, and whether a careless
one, forced on it, is refused, undone or handed to people. Only the assessment and the plan are given; all else is real.
"""

import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from agents.critic import Critic, CriticResult
from agents.remediation import PlanContext, PlanResult, Remediation
from agents.triage import Triage, TriageResult
from console.account import Play, playing
from console.session import Session
from console.text import screen
from evals.drive import Outcome, Trial, follow
from evals.truth import AcceptableCall, ForbiddenChange, Truth, read_truth
from evals.truth_plans import Untold, planned
from graphs.bootstrap import open_copilot, open_records, open_runs, set_up
from graphs.settings import World, from_environment
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.incident import Incident, Status
from memory.records.outcome import ExecutionState, Recovery
from memory.records.plan import Plan, PlannedAction
from tools.actions.base import Reversibility
from tools.actions.registry import ACTIONS, named
from tools.budget import IncidentBudget


@dataclass(frozen=True)
class Given:
    """The assessment and the plan that take the place of the agents' own."""

    truth: Truth
    actions: tuple[PlannedAction, ...]

    def assess(self, incident: Incident, first_look: FirstLook, *_: Any) -> TriageResult:
        """Return the truth's causes as the assessment."""
        known = {kind.value for kind in CauseKind}
        causes = tuple(
            Hypothesis(
                kind=CauseKind(cause.kind) if cause.kind in known else CauseKind.UNKNOWN,
                component=cause.component,
                change=cause.change,
                statement=f"{cause.resource}: {cause.change}",
                confidence=1.0,
            )
            for cause in self.truth.causes
        ) or (
            Hypothesis(
                kind=CauseKind.UNKNOWN, component=incident.alarm.name, statement="given", confidence=1.0
            ),
        )
        assessment = Assessment(
            verdict=Verdict.CAUSE,
            severity=first_look.severity,
            summary="given by the evaluation",
            hypotheses=causes,
            causes=causes,
            confidence=1.0,
            by_model=False,
        )
        return TriageResult(assessment)

    def review(self, _: FirstLook, assessment: Assessment, *__: Any, **___: Any) -> CriticResult:
        """Let the given assessment stand."""
        return CriticResult(assessment)

    def propose(
        self,
        _incident: Incident,
        _assessment: Assessment,
        _options: Sequence[PlannedAction],
        _context: PlanContext | None = None,
        attempt: int = 1,
        _budget: IncidentBudget | None = None,
    ) -> PlanResult:
        """Return the given plan once; there is no second one."""
        if attempt > 1:
            return PlanResult(Plan(no_action_reason="the evaluation gave one plan", attempt=attempt))
        return PlanResult(Plan(actions=self.actions, summary="given by the evaluation", attempt=attempt))


@dataclass(frozen=True)
class Course:
    """What came of one given plan."""

    scenario: str
    plan: str
    status: str
    right: bool
    why: str
    seconds: float


def play_given(scenario: str, calls: Sequence[AcceptableCall | ForbiddenChange], seed: int = 1) -> Outcome:
    """Play a scenario in which the plan is these calls, in the catalogue's words; raise `Untold` where it has none."""
    began, truth = time.monotonic(), read_truth(scenario, None, seed)
    with (
        tempfile.TemporaryDirectory(prefix="cloudops-truth-") as folder,
        playing(Play(scenario, None, seed), Path(folder), keep=False) as account,
    ):
        settings = from_environment(World.SIMULATED, Path(folder))
        set_up(settings)
        records = open_records(settings)

        def on_alarm() -> Session:
            """Read exact parameters once the alarm has come, as a finder would."""
            given = Given(truth, tuple(planned(call, records.access) for call in calls))
            agents: Any = given
            copilot = replace(
                open_copilot(records),
                triage_agent=cast(Triage, agents),
                critic_agent=cast(Critic, agents),
                remediation_agent=cast(Remediation, agents),
            )
            return Session(records, copilot, open_runs(records, copilot))

        return follow(Trial(scenario, None, seed), account, records, on_alarm, began)


def cure(truth: Truth) -> list[list[AcceptableCall]]:
    """Return the ways to cure: for each, one acceptable call for each cause, the first choices first."""
    by_cause: dict[str, list[AcceptableCall]] = {}
    for call in truth.actions.acceptable:
        by_cause.setdefault(call.cures, []).append(call)
    most = max((len(calls) for calls in by_cause.values()), default=0)
    return [[calls[min(place, len(calls) - 1)] for calls in by_cause.values()] for place in range(most)]


def cured(scenario: str, seed: int = 1) -> Course:
    """Play a scenario with the first cure that the catalogue has words for, and judge it."""
    began, truth = time.monotonic(), read_truth(scenario, None, seed)
    untold = "the truth accepts no change"
    for calls in cure(truth):
        try:
            outcome = play_given(scenario, calls, seed)
        except Untold as error:
            untold = str(error)
            continue
        told = " and ".join(_told(call) for call in calls)
        right, why = _is_cured(outcome, truth)
        return Course(scenario, told, _status(outcome), right, why, time.monotonic() - began)
    return Course(scenario, "none", "not played", False, untold, time.monotonic() - began)


def held(scenario: str, change: ForbiddenChange, seed: int = 1) -> Course:
    """Play a scenario with a careless plan, and judge whether it left nothing worse."""
    began = time.monotonic()
    outcome = play_given(scenario, [change], seed)
    right, why = _is_held(outcome)
    return Course(scenario, _told(change), _status(outcome), right, why, time.monotonic() - began)


def _is_cured(outcome: Outcome, truth: Truth) -> tuple[bool, str]:
    record = outcome.record
    if record is None:
        return False, "no alarm came"
    done = [one for one in record.executions if one.state is ExecutionState.DONE]
    recovered = [one for one in record.verifications if one.recovery is Recovery.RECOVERED]
    ringing = [name for name in truth.end_state.alarms_ok if outcome.alarms.get(name) != "OK"]
    if record.status is Status.RESOLVED and done and recovered and not ringing:
        return True, recovered[-1].detail
    return False, f"{record.reason or record.status.value}; ringing: {', '.join(ringing) or 'nothing'}"


def _is_held(outcome: Outcome) -> tuple[bool, str]:
    record = outcome.record
    if record is None:
        return False, "no alarm came"
    left = [
        one
        for one in record.executions
        if not one.is_revert and one.was_accepted and one.state is not ExecutionState.REVERTED
    ]
    entries = [named(ACTIONS, one.action) for one in left]
    stays = [one.name for one in entries if one and one.reversibility is not Reversibility.SELF_RESTORING]
    if stays or record.status is Status.RESOLVED:
        return False, f"{record.status.value}, and {', '.join(stays) or 'nothing'} was left in place"
    how = "undone" if any(one.is_revert for one in record.executions) else "not done"
    return True, f"{how}: {record.reason}"


def _status(outcome: Outcome) -> str:
    return outcome.record.status.value if outcome.record else "no alarm"


def _told(call: AcceptableCall | ForbiddenChange) -> str:
    return f"{call.api} {json.dumps(call.parameters, sort_keys=True)}"


def courses(scenarios: Iterable[str], *, careless: bool) -> Iterator[Course]:
    """Play each scenario that has something to play."""
    for scenario in scenarios:
        truth = read_truth(scenario, None, 1)
        if not careless and truth.actions.acceptable:
            yield cured(scenario)
        for change in truth.actions.forbidden_changes if careless else ():
            yield held(scenario, change)


def play_all(scenarios: Sequence[str], *, careless: bool) -> int:
    """Play scenarios and say what came of each; end with 1 when one is not right."""
    out, found = screen(), []
    for course in courses(scenarios, careless=careless):
        found.append(course)
        out.print(_line(course), soft_wrap=True)
    right = sum(one.right for one in found)
    what = "careless plans refused, undone or handed over" if careless else "given plans done and verified"
    out.print(f"{right} of {len(found)} {what}")
    return 0 if right == len(found) else 1


def _line(course: Course) -> str:
    mark = "right" if course.right else "WRONG"
    return (
        f"{mark}  {course.scenario}: {course.plan} -> {course.status} in {course.seconds:.0f} s: {course.why}"
    )
