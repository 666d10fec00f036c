"""Play scenarios with the plan taken from the truth, through the real review, approval, executor and verification.

It shows what the write path is worth by itself: whether a right plan is done, verified and kept, and whether a careless
one, forced on it, is refused, undone or handed to people. Only the assessment and the plan are given; all else is real.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.critic import CriticResult
from agents.remediation import PlanContext, PlanResult
from agents.triage import TriageResult
from console.account import Play, playing
from console.session import Session
from console.text import screen
from evals.at_once import LOST, at_once
from evals.bench.machine import machine
from evals.bench.page import replaced
from evals.course_page import NAME, results, summed_up
from evals.courses import Course, course_of_careless, course_of_cure, unplayed
from evals.drive import Outcome, Trial, follow
from evals.limits import BROKEN, within
from evals.truth import AcceptableCall, ForbiddenChange, Truth, read_truth
from evals.truth_plans import Untold, planned
from graphs.bootstrap import open_copilot, open_records, open_runs, set_up
from graphs.settings import World, from_environment
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.incident import Incident
from memory.records.plan import Plan, PlannedAction
from tools.budget import IncidentBudget

PLAN_SECONDS = 300.0


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
            three: Any = given
            opened = open_copilot(records)
            agents = replace(opened.agents(), triage=three, critic=three, remediation=three)
            copilot = replace(opened, agents=lambda: agents)
            return Session(records, copilot, open_runs(records, copilot))

        return follow(Trial(scenario, None, seed), account, records, on_alarm, began)


def cure(truth: Truth) -> list[list[AcceptableCall]]:
    """Return the ways to cure: for each, one acceptable call for each cause, the first choices first."""
    by_cause: dict[str, list[AcceptableCall]] = {}
    for call in truth.actions.acceptable:
        by_cause.setdefault(call.cures, []).append(call)
    most = max((len(calls) for calls in by_cause.values()), default=0)
    return [[calls[min(place, len(calls) - 1)] for calls in by_cause.values()] for place in range(most)]


@dataclass(frozen=True)
class Task:
    """One plan to be given: the cure of a scenario, or its forbidden change of that number."""

    scenario: str
    seed: int = 1
    forbidden: int | None = None


def played(task: Task) -> Course:
    """Play one given plan and judge what came of it; one that breaks off, or takes too long, is not right."""
    try:
        with within(PLAN_SECONDS):
            return _played(task)
    except BROKEN as error:
        return unplayed(task.scenario, task.seed, str(error), careless=task.forbidden is not None)


def _played(task: Task) -> Course:
    if task.forbidden is None:
        return cured(task.scenario, task.seed)
    truth = read_truth(task.scenario, None, task.seed)
    return held(task.scenario, truth.actions.forbidden_changes[task.forbidden], task.seed)


def cured(scenario: str, seed: int = 1) -> Course:
    """Play a scenario with the first cure that the catalogue has words for, and judge it."""
    began, truth = time.monotonic(), read_truth(scenario, None, seed)
    untold = "the truth accepts no change"
    for calls in cure(truth):
        try:
            return course_of_cure(play_given(scenario, calls, seed), truth, calls, seed, began)
        except Untold as error:
            untold = str(error)
    return unplayed(scenario, seed, untold)


def held(scenario: str, change: ForbiddenChange, seed: int = 1) -> Course:
    """Play a scenario with a careless plan, and judge whether it left nothing worse."""
    began, truth = time.monotonic(), read_truth(scenario, None, seed)
    return course_of_careless(play_given(scenario, [change], seed), truth, change, seed, began)


def tasks(scenarios: Iterable[str], *, careless: bool | None, seed: int = 1) -> Iterator[Task]:
    """Yield what each scenario has to play: cures, or careless plans, or with None both.

    A twin differs from its original in a text alone, and has the same forbidden changes: they are played once.
    """
    for scenario in scenarios:
        truth = read_truth(scenario, None, seed)
        if not careless and truth.actions.acceptable:
            yield Task(scenario, seed)
        if careless is not False and not truth.twin:
            yield from (
                Task(scenario, seed, number) for number in range(len(truth.actions.forbidden_changes))
            )


@dataclass(frozen=True)
class Asked:
    """What is to be played: which plans of which scenarios, how many at once, and the page to write."""

    scenarios: Sequence[str]
    careless: bool | None = None
    seed: int = 1
    jobs: int = 1
    page: Path | None = None


def play_all(asked: Asked) -> int:
    """Play given plans and say what came of each; end with 1 when one is not right."""
    out, wanted = screen(), list(tasks(asked.scenarios, careless=asked.careless, seed=asked.seed))
    here, found = machine(), dict[int, Course]()

    def begins(number: int, task: Task) -> bool:
        out.print(f"[{number + 1}/{len(wanted)}] {task.scenario}: {_named(task)}")
        return True

    for number, course in at_once(wanted, played, _lost, asked.jobs, begins):
        found[number] = course
        out.print(_line(course), soft_wrap=True)
    courses = [found[number] for number in sorted(found)]
    for sentence in summed_up(courses):
        out.print(sentence)
    if asked.page is not None:
        text = results(asked.scenarios, courses, here, datetime.now(UTC).date())
        asked.page.write_text(replaced(asked.page.read_text("utf-8"), NAME, text), "utf-8")
    return 0 if courses and all(one.right for one in courses) else 1


def _lost(task: Task) -> Course:
    return unplayed(task.scenario, task.seed, LOST, careless=task.forbidden is not None)


def _named(task: Task) -> str:
    return "the right plan" if task.forbidden is None else f"careless plan {task.forbidden + 1}"


def _line(course: Course) -> str:
    mark = "right" if course.right else "WRONG"
    return (
        f"{mark}  {course.scenario}: {course.plan} -> {course.status} in {course.seconds:.0f} s: {course.why}"
    )


def is_page(path: Path) -> bool:
    """Say whether the results could be written into a page, before anything is played."""
    try:
        replaced(path.read_text("utf-8"), NAME, "")
    except (OSError, ValueError):
        return False
    return True
