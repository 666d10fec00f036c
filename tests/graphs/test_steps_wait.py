"""A step of a plan is sent once the one before it is over at AWS, and never after one that failed."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from graphs.nodes.act import act
from graphs.nodes.revert import revert
from graphs.routes import after_act
from graphs.step import Turn, Wait, Work
from memory.records.incident import Status
from memory.records.outcome import ExecutionState
from memory.records.timeline import EntryKind, TimerKind
from tests.graphs.failing_desk import FailingDesk, MovingClock
from tests.graphs.test_unwinding import STEPS, after, dials_of, turn_of
from tests.tools.dials import Dials, SetDialAction, incident
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE

LATER = NOW + timedelta(minutes=2)
# CloudTrail is asked at home only, and not more than twice a second.
ELSEWHERE = SCOPE.model_copy(update={"region": "eu-west-1"})


def _told(turn: Turn) -> list[tuple[str, str]]:
    entries = turn.copilot.records.timeline.entries(SCOPE, incident().incident_id)
    told = [one.facts["execution"] for one in entries if one.kind is EntryKind.ACTION]
    return [(one["action_id"][-2:], one["state"]) for one in told]


def test_the_next_step_waits_until_the_one_before_it_is_over() -> None:
    dials, table = dials_of(), MemoryTable()
    dials.settling["main"] = None
    turn = turn_of(dials, table=table)

    waiting, woken = act(turn), act(replace(turn, woken=True))

    assert isinstance(waiting, Wait) and waiting.asking["waiting_for"] == "time"
    assert turn.copilot.records.timers.get(SCOPE, incident().incident_id, TimerKind.VERIFICATION) is not None
    assert after_act(after(turn, woken).state) == "act"
    assert dials.writes == [("main", 50)]

    dials.settling["main"] = True
    turn = turn_of(dials, LATER, table)
    turn = after(turn, act(turn))

    assert dials.writes == [("main", 50), ("other", 50), ("third", 50)]
    assert after_act(turn.state) == "watch"
    assert _told(turn) == [("-0", "done"), ("-1", "done"), ("-2", "done")]
    assert turn.copilot.records.timers.get(SCOPE, incident().incident_id, TimerKind.VERIFICATION) is None


def test_nothing_is_sent_after_a_step_that_aws_took_and_did_not_finish() -> None:
    dials, table = dials_of(), MemoryTable()
    dials.settling["main"] = None
    act(turn_of(dials, table=table))
    dials.settling["main"] = False
    turn = turn_of(dials, LATER, table)

    turn = after(turn, act(turn))

    assert dials.writes == [("main", 50)]
    assert [one.state for one in turn.state["executions"]] == [ExecutionState.FAILED]
    assert turn.state["status"] is Status.VERIFYING and after_act(turn.state) == "watch"
    assert _told(turn) == [("-0", "done"), ("-0", "failed")]


def test_a_step_that_is_never_over_ends_the_plan_there_and_is_verified() -> None:
    dials, table = dials_of(), MemoryTable()
    dials.settling["main"] = None
    act(turn_of(dials, table=table))
    minutes = turn_of(dials).copilot.records.settings.limits.verification_minutes
    early = turn_of(dials, NOW + timedelta(minutes=minutes - 1), table)
    late = turn_of(dials, NOW + timedelta(minutes=minutes), table)

    assert isinstance(act(early), Wait)
    late = after(late, act(late))

    assert dials.writes == [("main", 50)]
    assert after_act(late.state) == "watch" and late.state["status"] is Status.VERIFYING
    assert late.state["reason"] == "set_dial is still under way, so that the rest was not sent"
    told = late.copilot.records.timeline.entries(SCOPE, incident().incident_id)
    assert [one.text for one in told if one.kind is EntryKind.NOTE] == [late.state["reason"]]


def test_a_step_is_waited_for_as_long_as_it_promised_to_take() -> None:
    dials, table = dials_of(), MemoryTable()
    dials.settling["main"] = None
    promises = (SetDialAction(dials, within_seconds=600),)

    def acted(minutes: int) -> Any:
        turn = turn_of(dials, NOW + timedelta(minutes=minutes), table)
        executor = replace(turn.copilot.executor, catalogue=promises)
        return act(Turn(replace(turn.copilot, executor=executor), turn.state, "thread"))

    assert isinstance(acted(0), Wait) and isinstance(acted(9), Wait)
    assert isinstance(acted(10), dict) and dials.writes == [("main", 50)]


@dataclass(frozen=True)
class Slow(SetDialAction):
    """Takes two minutes for each dial, by the clock, and keeps when each was turned."""

    clock: MovingClock = field(default_factory=MovingClock)
    turned_at: dict[str, Any] = field(default_factory=dict)

    def call(self, access: Any, params: Any, state: Any, token: str) -> dict[str, Any]:
        self.turned_at[params.dial] = self.clock.at
        return super().call(access, params, state, token)

    def settled(self, access: Any, params: Any, answer: Any) -> bool | None:
        return True if self.clock.at >= self.turned_at[params.dial] + timedelta(minutes=2) else None


def _with_steps(name: str, work: Work) -> Work:
    return (lambda _: {"plan": STEPS, "status": Status.OPEN}) if name == "remediation" else work


def test_a_run_is_woken_for_each_step_and_ends_as_one_of_a_single_step() -> None:
    dials = Dials(values={"main": 7, "other": 3, "third": 1})
    desk = FailingDesk(dials=dials, failing=_with_steps)
    slow = Slow(dials, clock=desk.clock)
    desk.copilot = replace(desk.copilot, executor=replace(desk.copilot.executor, catalogue=(slow,)))

    assert desk.run() is Status.RESOLVED

    at = list(slow.turned_at.values())
    assert dials.writes == [("main", 50), ("other", 50), ("third", 50)]
    assert all(later - sooner >= timedelta(minutes=2) for sooner, later in pairwise(at))
    assert len(desk.entries(EntryKind.ACTION)) == 3 and len(desk.closing()) == 1


def _played(table: MemoryTable, dials: Dials) -> Turn:
    """Go through a plan that waits for its first two steps, and unwind it, as runs do that are woken each minute."""
    turned: dict[str, int] = {}
    done: dict[str, Any] = {}
    for minute in range(30):
        for dial, _ in dials.writes:
            turned.setdefault(dial, minute)
            dials.settling[dial] = True if minute >= turned[dial] + 2 else None
        dials.busy = "the dial is being turned" if "executions" in done and minute % 3 else ""
        try:
            turn = turn_of(dials, NOW + timedelta(minutes=minute), table, home=ELSEWHERE)
            if "executions" not in done:
                went = act(turn)
                done = went if isinstance(went, dict) else {}
                continue
            turn = after(turn, {**done, "executions": list(done["executions"])})
            ended = revert(turn)
        except Killed:
            table.bury()
            continue
        if isinstance(ended, dict):
            return after(turn, ended)
    raise AssertionError("it does not end")


def test_killed_at_any_write_while_steps_and_undos_wait_each_is_done_once_and_in_order() -> None:
    steps = [("main", 50), ("other", 50), ("third", 50)]
    undos = [("third", 1), ("other", 3), ("main", 7)]
    whole = MemoryTable()
    assert _played(whole, dials_of()).state["status"] is Status.OPEN

    killed = 0
    for dies_at in range(1, whole.writes + 1):
        table = MemoryTable(dies_at, after_writing=bool(dies_at % 2))
        dials = dials_of()
        ended = _played(table, dials)
        killed += table.writes >= dies_at

        assert dials.writes == [*steps, *undos], dies_at
        assert ended.state["status"] is Status.OPEN
        stored = ended.copilot.records.executions.all(SCOPE, incident().incident_id)
        assert {one.state for one in stored if not one.is_revert} == {ExecutionState.REVERTED}
    assert killed == whole.writes >= 40
