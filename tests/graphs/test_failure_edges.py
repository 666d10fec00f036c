"""Whatever step fails, once or for good, people hear of it once, and nothing that was done is left to itself."""

import gc
import weakref
from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from langgraph.errors import NodeError, NodeTimeoutError

from graphs.failing import handler_of
from graphs.step import Turn, Wait, Work
from graphs.wiring import DECIDING, LAST_RESORTS, READING
from memory.records.assessment import FirstLook, Verdict
from memory.records.failure import Failure
from memory.records.incident import Severity, Status
from memory.records.timeline import EntryKind
from memory.state import IncidentState
from tests.graphs.failing_desk import FailingDesk, never
from tests.tools.dials import incident
from tests.tools.stand_ins import NOW
from tools.errors import Transient

# The way on which an incident meets each step.
WAYS = {"revert": "undone", "approve": "asked", "stand_by": "stand_by", "close": "noise"}
NODES = (*READING, *DECIDING)


class Failing:
    """Lets one step fail so often, and then work."""

    def __init__(self, step: str, error: Exception, times: int) -> None:
        self.step, self.error, self.times = step, error, times

    def __call__(self, name: str, work: Work) -> Work:
        return self._fail(work) if name == self.step else work

    def _fail(self, work: Work) -> Work:
        def failing(turn: Turn) -> dict[str, Any] | Wait:
            if self.times:
                self.times -= 1
                raise self.error
            return work(turn)

        return failing


def desk(step: str, error: Exception, times: int) -> FailingDesk:
    return FailingDesk(WAYS.get(step, "done"), Failing(step, error, times))


def assert_told_once(at: FailingDesk) -> None:
    """One escalation at most, one closing message, one end."""
    assert len(at.entries(EntryKind.STEP_ENDED, "escalate")) <= 1
    assert len(at.closing()) == 1
    assert len(at.entries(EntryKind.CLOSED)) == 1


@pytest.mark.parametrize("step", NODES)
def test_a_step_that_fails_for_good_leads_to_one_escalation_and_one_closing_note(step: str) -> None:
    if step in LAST_RESORTS:
        pytest.skip("there is no step behind it to go to; see the test of what fails once")
    at = desk(step, RuntimeError("a defect"), 10_000)

    # A watch only waits: where it cannot, the alarm is looked at without waiting.
    expected = Status.RESOLVED if step == "watch" else Status.ESCALATED
    assert at.run() is expected

    assert_told_once(at)
    assert len(at.entries(EntryKind.STEP_ENDED, "escalate")) == (expected is Status.ESCALATED)
    if step in {"act", "verify"}:
        assert at.dials.values["main"] == 7, "what was done stands, and nobody could look at it"


@pytest.mark.parametrize("step", NODES)
def test_a_step_that_fails_once_leads_to_one_closing_note(step: str) -> None:
    at = desk(step, Transient("throttled"), 1)

    at.run()

    assert_told_once(at)
    if step in READING:
        assert not at.entries(EntryKind.STEP_FAILED), "what only reads is tried again"


@pytest.mark.parametrize("step", sorted(LAST_RESORTS))
def test_a_step_with_none_behind_it_is_begun_again_by_the_next_wake(step: str) -> None:
    at = FailingDesk("done", Failing(step, RuntimeError("a defect"), 3))
    if step == "escalate":
        at = FailingDesk(
            "done",
            lambda name, work: (
                never if name == "triage" else Failing("escalate", RuntimeError(), 3)(name, work)
            ),
        )

    assert at.run() in {Status.RESOLVED, Status.ESCALATED}

    assert_told_once(at)
    assert at.runs_failed >= 1


def test_two_steps_that_fail_side_by_side_are_one_escalation() -> None:
    at = FailingDesk(failing=lambda name, work: never if name in {"notify_on_call", "triage"} else work)

    assert at.run() is Status.ESCALATED

    assert_told_once(at)
    assert {one.step for one in at.entries(EntryKind.STEP_FAILED)} == {"notify_on_call", "triage"}


def test_an_action_whose_step_failed_after_it_was_done_is_verified_all_the_same() -> None:
    def failing(name: str, work: Work) -> Work:
        def done_and_failed(turn: Turn) -> dict[str, Any] | Wait:
            work(turn)
            raise RuntimeError("the timeline does not answer")

        return done_and_failed if name == "act" else work

    at = FailingDesk(failing=failing)

    assert at.run() is Status.RESOLVED
    assert at.dials.writes == [("main", 9)]
    (facts,) = at.closing()
    assert "set_dial is done" in facts["done"] and "still_in_place" not in facts


def test_what_stays_in_place_is_named_with_the_way_to_undo_it_by_hand() -> None:
    at = desk("revert", RuntimeError("a defect"), 10_000)

    assert at.run() is Status.ESCALATED

    (facts,) = at.closing()
    assert at.dials.values["main"] == 9
    assert facts["still_in_place"] == "set_dial (dial=main, value=9), done since 2026-03-04 12:00:00 UTC"
    assert facts["undo_by_hand"] == "set_dial with dial=main, value=7"


def test_a_change_whose_undo_was_accepted_and_failed_is_told_as_still_in_place() -> None:
    ends = [None, False]

    def settling(name: str, work: Work) -> Work:
        def reverting(turn: Turn) -> dict[str, Any] | Wait:
            at.dials.settles = ends.pop(0) if len(ends) > 1 else ends[0]
            return work(turn)

        return reverting if name == "revert" else work

    at = FailingDesk("undone", settling)

    assert at.run() is Status.ESCALATED

    (facts,) = at.closing()
    assert "the undo is not certain" in facts["reason"]
    assert "and undone" not in facts["done"] and "undo of set_dial is failed" in facts["done"]
    assert facts["still_in_place"].startswith("set_dial (dial=main, value=9), whose undo is failed")
    assert facts["undo_by_hand"] == "set_dial with dial=main, value=7"


def test_an_undo_that_is_throttled_is_made_again_and_the_change_does_not_stay() -> None:
    at = desk("revert", RuntimeError("unused"), 0)
    executions = at.copilot.records.executions
    calls, all_of = [0], executions.all

    class Throttled:
        def __getattr__(self, name: str) -> Any:
            return getattr(executions, name)

        def all(self, *args: Any) -> Any:
            calls[0] += 1
            if at.dials.values["main"] == 9 and at.entries(EntryKind.STEP_STARTED, "revert") and calls[0] % 3:
                raise Transient("throttled")
            return all_of(*args)

    cast(Any, at.copilot.records).executions = Throttled()

    at.run()

    assert at.dials.values["main"] == 7
    assert_told_once(at)


def test_a_verification_that_fails_is_unknown_until_its_window_ends_and_then_undone() -> None:
    began: list[Any] = []

    def failing(name: str, work: Work) -> Work:
        def cannot(turn: Turn) -> dict[str, Any] | Wait:
            began.append(turn.copilot.records.clock.now())
            raise RuntimeError("the metrics do not answer")

        return cannot if name == "verify" else work

    at = FailingDesk(failing=failing)

    assert at.run() is Status.ESCALATED
    minutes = at.copilot.records.settings.limits.verification_minutes
    assert began[-1] - NOW >= timedelta(minutes=minutes)
    assert at.dials.values["main"] == 7
    (facts,) = at.closing()
    assert "could not be looked at" in facts["reason"] + facts.get("recovery", "")


def test_a_watch_that_fails_for_good_keeps_no_change_that_does_not_help() -> None:
    at = FailingDesk("undone", Failing("watch", RuntimeError("a defect"), 10_000))

    assert at.run() is Status.ESCALATED
    assert at.dials.values["main"] == 7
    assert_told_once(at)


def test_a_watch_that_finds_no_records_pauses_and_goes_on_when_they_answer() -> None:
    at = FailingDesk()
    timers = at.copilot.records.timers
    answers = iter([False, False])

    class Away:
        def __getattr__(self, name: str) -> Any:
            if name == "get" and at.dials.writes and not next(answers, True):
                raise Transient("throttled")
            return getattr(timers, name)

    cast(Any, at.copilot.records).timers = Away()

    assert at.run() is Status.RESOLVED
    assert not at.entries(EntryKind.STEP_FAILED)


def test_a_verification_that_fails_for_a_while_and_then_sees_recovery_is_resolved() -> None:
    at = desk("verify", RuntimeError("the metrics do not answer"), 4)

    assert at.run() is Status.RESOLVED
    assert at.dials.values["main"] == 9
    assert not at.entries(EntryKind.STEP_FAILED)


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeAlarms")


@pytest.mark.parametrize(
    "error", [ValueError("a defect in the look itself"), DENIED], ids=["defect", "denied"]
)
def test_what_nobody_could_look_at_until_the_window_ended_is_undone(error: Exception) -> None:
    at = FailingDesk()
    at.alarms.raising = error

    assert at.run() is Status.ESCALATED

    minutes = at.copilot.records.settings.limits.verification_minutes
    assert at.alarms.looks >= minutes
    # Undone, and no second plan: nobody could see how the service fares after the undo either.
    assert at.dials.writes == [("main", 9), ("main", 7)]
    assert_told_once(at)


def test_looks_that_fail_for_a_while_are_no_reason_to_undo_what_helped() -> None:
    at = FailingDesk()
    at.alarms.raising, at.alarms.raising_for = ValueError("a defect"), 3

    assert at.run() is Status.RESOLVED
    assert at.dials.values["main"] == 9
    told = at.entries(EntryKind.NOTE, "verify")
    assert [one.text for one in told] == ["it could not be looked at: ValueError: a defect"]


def test_an_error_that_was_handled_is_kept_so_that_no_other_gets_its_number() -> None:
    class Named(ValueError):
        """An error that can be referred to weakly."""

    at, error = FailingDesk(), Named("no")
    on_failure, alive = handler_of("triage", lambda: at.copilot), weakref.ref(error)

    on_failure(cast(IncidentState, {"incident": incident()}), NodeError(node="triage", error=error))
    del error
    gc.collect()

    assert alive() is not None


@pytest.mark.parametrize(
    "cause", [ValueError("no password=hunter2hunter2"), "ValueError('no password=hunter2hunter2')"]
)
def test_a_failure_is_dated_by_when_it_happened_and_its_words_are_redacted(cause: Any) -> None:
    at = FailingDesk()
    at.clock.at = NOW + timedelta(minutes=7)

    command = handler_of("triage", lambda: at.copilot)(
        cast(IncidentState, {"incident": incident()}), NodeError(node="triage", error=cause)
    )

    (failure,) = cast(list[Failure], cast(dict[str, Any], command.update)["failures"])
    assert (failure.step, failure.error, failure.at) == ("triage", "ValueError", NOW + timedelta(minutes=7))
    assert "hunter2" not in failure.detail


def test_a_handler_does_not_fail_where_the_clock_does() -> None:
    def broken() -> Any:
        raise ConnectionError("nothing answers")

    command = handler_of("triage", broken)(
        cast(IncidentState, {"incident": incident()}), NodeError(node="triage", error=ValueError("no"))
    )
    assert command.goto == "escalate"


def too_long(seen: list[IncidentState]) -> FailingDesk:
    """A triage that takes longer than it may, and what the critic is given then."""

    def failing(name: str, work: Work) -> Work:
        def cut_off(turn: Turn) -> dict[str, Any] | Wait:
            raise NodeTimeoutError("triage", 150.1, kind="run", run_timeout=150.0)

        def given(turn: Turn) -> dict[str, Any] | Wait:
            seen.append(turn.state)
            return {}

        return {"triage": cut_off, "critic": given}.get(name, work)

    return FailingDesk(failing=failing)


def test_a_triage_that_takes_too_long_leaves_the_first_look_standing_and_says_so() -> None:
    seen: list[IncidentState] = []
    at = too_long(seen)

    assert at.run() is Status.RESOLVED

    (state,) = seen
    assert state["assessment"].verdict is state["first_look"].verdict
    assert not state["assessment"].by_model
    assert state["assessment"].not_checked[-1].startswith("No model looked at this: the triage took longer")
    assert [one.step for one in at.entries(EntryKind.STEP_FAILED)] == ["triage"]
    assert_told_once(at)


def test_a_triage_that_fails_otherwise_goes_to_people_with_what_the_first_look_has_found() -> None:
    at = FailingDesk()
    look = FirstLook(severity=Severity.LOW, severity_reason="few are hit", verdict=Verdict.UNRESOLVED)
    state = cast(IncidentState, {"incident": incident(), "first_look": look})
    command = handler_of("triage", lambda: at.copilot)(
        state, NodeError(node="triage", error=KeyError("a defect"))
    )
    update = cast(dict[str, Any], command.update)
    assert (command.goto, len(update["failures"])) == ("escalate", 1)
    assert update["assessment"].verdict is Verdict.UNRESOLVED
    assert not update["assessment"].by_model
