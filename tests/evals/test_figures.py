"""Figures over trials: exact causes, abstention, severity, and how right the sure answers are."""

from dataclasses import replace

import pytest

from evals.figures import LEVELS, bars, confusion, ends, first_look_alone, whole_path
from evals.score import Score
from memory.records.assessment import Verdict
from memory.records.incident import Severity, Status
from memory.records.message import MessageState
from tests.evals.outcomes import RIGHT, ROLLBACK, TOLD, WRONG, judged, message, record


def right() -> Score:
    return judged(record(RIGHT), ROLLBACK)


def wrong() -> Score:
    return judged(record(WRONG), ROLLBACK)


def unanswerable(verdict: Verdict) -> Score:
    made = record(RIGHT, Status.UNRESOLVED, verdict, path=(), told=TOLD["hidden-cause"])
    return judged(made, scenario="hidden-cause", alarms={})


def test_the_cause_set_is_exact_or_it_is_not() -> None:
    figures = whole_path([right(), right(), wrong()])

    assert (figures.exact_causes.part, figures.exact_causes.of) == (2, 3)
    assert figures.never_exact == ()
    assert whole_path([wrong()]).never_exact == ("bad-deployment",)


def test_the_first_look_is_counted_by_itself() -> None:
    mixed = record(WRONG).model_copy(update={"first_look": record().first_look})
    scored = judged(mixed, ROLLBACK)

    assert first_look_alone([scored]).exact_causes.value == 1.0
    assert whole_path([scored]).exact_causes.value == 0.0


def test_to_abstain_is_right_where_nothing_shows_the_cause() -> None:
    scores = [unanswerable(Verdict.UNRESOLVED), unanswerable(Verdict.CAUSE)]

    figures = whole_path(scores)
    assert (figures.abstained.part, figures.abstained.of) == (1, 2)
    assert figures.exact_causes.of == 0


@pytest.mark.parametrize(
    ("said", "true", "over", "by_two"),
    [
        (Severity.HIGH, "high", 0, 0),
        (Severity.CRITICAL, "critical", 0, 0),
        (Severity.MEDIUM, "high", 0, 0),
        (Severity.LOW, "high", 0, 1),
        (Severity.NONE, "high", 0, 1),
    ],
)
def test_a_severity_is_held_against_the_nearest_that_is_allowed(
    said: Severity, true: str, over: int, by_two: int
) -> None:
    scored = judged(record(severity=said), ROLLBACK)
    figures, grid = whole_path([scored]), confusion([scored])

    assert (figures.over_triaged.part, figures.under_by_two) == (over, by_two)
    assert figures.severity_exact.part == (said.value in scored.severities)
    assert grid[LEVELS.index(true)][LEVELS.index(said.value)] == 1
    assert sum(map(sum, grid)) == 1


def test_too_grave_a_severity_is_over_triage() -> None:
    over = replace(right(), severity="critical", severities=("low", "none"))

    assert whole_path([over]).over_triaged.value == 1.0
    assert confusion([over])[LEVELS.index("low")][0] == 1


def test_sure_answers_are_counted_with_how_many_of_them_are_right() -> None:
    figures = whole_path(
        [right(), wrong(), replace(right(), confidence=0.5), unanswerable(Verdict.UNRESOLVED)]
    )

    assert (figures.sure.part, figures.sure.of) == (2, 4)
    assert (figures.sure_and_right.part, figures.sure_and_right.of) == (1, 2)


def test_a_claim_without_a_citation_is_counted() -> None:
    assert right().uncited == 1
    cited = RIGHT.model_copy(update={"evidence_for": ("ev-aaaaaaaaaaaa",)})
    assert judged(record(cited), ROLLBACK).uncited == 0


def test_of_nothing_no_bar_is_reached_by_default() -> None:
    reached = {one.name: one.reached for one in bars([])}

    assert not reached["exact cause set"]
    assert not reached["abstained where unanswerable"]
    assert not reached["severity exact"]


def test_how_incidents_end_is_counted_of_those_that_a_change_can_cure() -> None:
    handed = replace(right(), status="escalated", end_state=False, told_why=True)
    silent = replace(handed, told_why=False)
    worse = replace(handed, left=("ecs_rollback_service",))
    incurable = unanswerable(Verdict.UNRESOLVED)

    found = ends([right(), right(), handed, silent, worse, incurable])

    assert (found.resolved.part, found.resolved.of) == (2, 5)
    assert (found.handed_over.part, found.handed_over.of) == (2, 3)
    assert found.left_worse == 1


def test_an_incident_that_is_closed_while_its_alarm_rings_is_left_worse() -> None:
    assert ends([replace(right(), end_state=False)]).left_worse == 1


def test_the_reason_counts_as_told_only_where_it_was_sent() -> None:
    handed = record(RIGHT, Status.ESCALATED).model_copy(update={"reason": "the plan was denied"})
    told = handed.model_copy(update={"messages": (message("reason: the plan was denied"),)})
    queued = handed.model_copy(
        update={"messages": (message("reason: the plan was denied", MessageState.QUEUED),)}
    )

    assert [judged(one).told_why for one in (handed, told, queued)] == [False, True, False]
