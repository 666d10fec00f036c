"""What has no way back is never called undone: the record and the message say what stays, and why."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from graphs.nodes.act import act
from graphs.nodes.revert import revert
from graphs.step import Turn
from memory.records.incident import Status
from memory.records.outcome import ExecutionState
from memory.records.plan import Plan, PlannedAction, Review
from memory.records.timeline import EntryKind
from tests.graphs.failing_desk import FailingDesk
from tests.graphs.test_unwinding import after, dials_of, turn_of
from tests.tools.dials import Dials, Fate, SetDialAction, incident
from tools.actions.base import Reversibility

WHY = "what was poured out does not come back"


@dataclass(frozen=True)
class Pouring(SetDialAction):
    """Sets a dial for good."""

    name: str = "pour"
    reversibility: Reversibility = Reversibility.NONE
    way_back: str = f"none: {WHY}"

    def inverse(self, params: Any, state: Any) -> dict[str, Any] | None:
        return None


@dataclass(frozen=True)
class Replacing(Pouring):
    """Does what the account makes up for by itself."""

    name: str = "replace"
    reversibility: Reversibility = Reversibility.SELF_RESTORING
    way_back: str = "none is needed: another takes its place"


@dataclass
class AskedDesk(FailingDesk):
    """Everything is approved, and nothing helps."""

    way: str = "asked"
    steps: tuple[tuple[str, str], ...] = (("pour", "main"),)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.alarms.state = "ALARM"
        catalogue = (SetDialAction(self.dials), Pouring(self.dials), Replacing(self.dials))
        acting = replace(self.copilot.executor, catalogue=catalogue)
        self.copilot = replace(self.copilot, executor=acting)

    def _plan(self) -> Plan:
        return Plan(actions=tuple(_step(*one) for one in self.steps))

    def _review(self) -> Review:
        return super()._review().model_copy(update={"action": "pour", "inverse": f"none: {WHY}"})


def _step(action: str, dial: str) -> PlannedAction:
    return PlannedAction(action=action, parameters={"dial": dial, "value": 9})


def test_what_did_not_help_and_has_no_way_back_goes_to_people_who_are_told_that_it_stays() -> None:
    desk = AskedDesk(dials=Dials(values={"main": 2}))

    assert desk.run() is Status.ESCALATED

    [done] = desk.copilot.records.executions.all(incident().scope, incident().incident_id)
    [closing] = desk.closing()
    [told] = desk.entries(EntryKind.REVERT)
    assert done.state is ExecutionState.DONE and desk.dials.writes == [("main", 9)]
    assert f"pour was not taken back: {WHY}" in closing["reason"]
    assert "nothing to take back" not in closing["reason"] and "undone" not in closing["reason"]
    assert "pour (dial=main, value=9)" in closing["still_in_place"]
    assert told.text == f"undo of pour: refused ({WHY})"


def test_who_is_asked_is_told_beforehand_that_there_is_no_way_back() -> None:
    desk = AskedDesk(dials=Dials(values={"main": 2}))
    desk.run()

    [asked] = [facts for kind, facts in desk.telling.told if kind == "approval"]
    assert asked["way_back"] == f"none: {WHY}"
    assert "way_back" not in desk.closing()[0]


def test_what_came_before_a_step_without_a_way_back_stays_and_is_named() -> None:
    steps = (("set_dial", "main"), ("pour", "other"), ("set_dial", "third"))
    dials = dials_of(Fate.ANSWERED, Fate.ANSWERED, Fate.REFUSED)
    desk = AskedDesk(dials=dials, steps=steps)

    assert desk.run() is Status.ESCALATED

    [closing] = desk.closing()
    assert dials.values == {"main": 9, "other": 9, "third": 1}
    assert f"pour was not taken back: {WHY}" in closing["reason"]
    assert "set_dial, which came before it, was left as it is" in closing["reason"]
    assert "set_dial with dial=main, value=7" in closing["undo_by_hand"]


def test_what_came_after_a_step_without_a_way_back_is_undone_and_said_to_be() -> None:
    steps = (("pour", "main"), ("set_dial", "other"))
    desk = AskedDesk(dials=dials_of(), steps=steps)

    assert desk.run() is Status.ESCALATED

    [closing] = desk.closing()
    assert desk.dials.values == {"main": 9, "other": 3, "third": 1}
    assert "set_dial was undone; pour was not taken back" in closing["reason"]


def test_what_is_still_under_way_is_said_to_go_on() -> None:
    desk = AskedDesk(dials=Dials(values={"main": 2}, settling={"main": None}))

    assert desk.run() is Status.ESCALATED

    assert f"pour was not taken back and still goes on: {WHY}" in desk.closing()[0]["reason"]


def test_an_undo_that_is_under_way_is_not_said_to_be_over() -> None:
    steps = (("pour", "main"), ("set_dial", "other"))
    desk = AskedDesk(dials=dials_of(), steps=steps)
    desk.dials.settling["other"] = None

    assert desk.run() is Status.ESCALATED

    assert "set_dial is being undone; pour was not taken back" in desk.closing()[0]["reason"]


@pytest.mark.parametrize("attempt", [1, 2])
def test_what_the_account_makes_up_for_is_said_to_be_that_and_a_further_plan_may_follow(attempt: int) -> None:
    turn = turn_of(dials := dials_of())
    acting = replace(turn.copilot.executor, catalogue=(Replacing(dials),))
    turn = Turn(replace(turn.copilot, executor=acting), turn.state, "thread")
    turn.state["plan"], turn.state["attempt"] = Plan(actions=(_step("replace", "main"),)), attempt
    turn = after(turn, act(turn))

    ended = after(turn, revert(turn))

    assert dials.writes == [("main", 9)]
    assert "replace was not taken back: another takes its place" in ended.state["reason"]
    assert "nothing to take back" not in ended.state["reason"]
    assert ended.state["status"] is (Status.OPEN if attempt == 1 else Status.ESCALATED)
