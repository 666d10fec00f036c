"""What a change did is kept where it helped, and is over only when all that was promised is seen."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.incident import Status
from memory.records.outcome import ExecutionState, Verification
from memory.records.plan import Direction, ExpectedSignal
from memory.records.timeline import EntryKind
from tests.graphs.failing_desk import FailingDesk
from tests.tools.dials import Dials, SetDialAction, incident


class Rising(SetDialAction):
    """Promises that the dial comes to stand at 100; it is turned to 9."""

    def expected(self, params: Any, state: Any) -> tuple[ExpectedSignal, ...]:
        rises = ExpectedSignal(
            text="the dial stands at 100",
            direction=Direction.RISES,
            within_seconds=60,
            state_key="value",
            level=100,
        )
        return (rises,)


def _played(before: int) -> FailingDesk:
    desk = FailingDesk(dials=Dials(values={"main": before}))
    acting = replace(desk.copilot.executor, catalogue=(Rising(desk.dials),))
    desk.copilot = replace(desk.copilot, executor=acting)
    assert desk.run() is Status.ESCALATED
    return desk


def test_what_helped_and_is_not_enough_is_left_in_place_and_handed_over() -> None:
    desk = _played(before=2)

    [done] = desk.copilot.records.executions.all(incident().scope, incident().incident_id)
    [told] = desk.entries(EntryKind.VERIFICATION)
    [closing] = desk.closing()
    assert done.state is ExecutionState.DONE and desk.dials.values["main"] == 9
    assert Verification.model_validate(told.facts["verification"]).recovery.value == "better"
    assert "what was done helps and is left in place" in closing["reason"]
    assert "not seen: the dial stands at 100 (before 2, now 9)" in closing["reason"]
    assert "set_dial (dial=main, value=9)" in closing["still_in_place"]
    assert "set_dial with dial=main, value=2" in closing["undo_by_hand"]


@pytest.mark.parametrize("before", [8, 7])
def test_what_hardly_moved_is_undone_though_the_alarm_is_ok(before: int) -> None:
    desk = _played(before)

    assert desk.dials.values["main"] == before
    assert {one.recovery.value for one in _verified(desk)} == {"no_better"}


class Locked(SetDialAction):
    """Its effect can be looked at until it is done, and then no more."""

    def read_state(self, access: Any, params: Any) -> Any:
        if self.dials.writes:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "GetDial")
        return super().read_state(access, params)


def test_what_could_not_be_verified_is_left_in_place_and_handed_over_with_the_reason() -> None:
    desk = FailingDesk(dials=Dials(values={"main": 2}))
    acting = replace(desk.copilot.executor, catalogue=(Locked(desk.dials),))
    desk.copilot = replace(desk.copilot, executor=acting)

    assert desk.run() is Status.ESCALATED

    [closing] = desk.closing()
    assert desk.dials.values["main"] == 9 and len(desk.dials.writes) == 1
    assert {one.recovery.value for one in _verified(desk)} == {"unverified"}
    assert "dial main stands at 9 (could not be read: AccessDenied)" in closing["reason"]
    assert "what was done is left in place, since nothing is seen that speaks against it" in closing["reason"]
    assert "set_dial with dial=main, value=2" in closing["undo_by_hand"]


def _verified(desk: FailingDesk) -> list[Verification]:
    told = desk.entries(EntryKind.VERIFICATION)
    return [Verification.model_validate(one.facts["verification"]) for one in told]
