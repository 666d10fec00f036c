"""A plan of several steps: each is claimed by itself, the first that fails ends it, and what was done is unwound."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphs.autonomy import AutonomySettings
from graphs.copilot import Records
from graphs.nodes.act import act
from graphs.nodes.remediation import remediation
from graphs.nodes.revert import revert
from graphs.routes import after_act
from graphs.settings import World, load
from graphs.step import Turn, Wait
from graphs.thinking import Copilot
from memory import keys
from memory.records.audit import Deed
from memory.records.base import digest
from memory.records.config import Autonomy, Topology
from memory.records.incident import Severity, Status
from memory.records.outcome import ExecutionState
from memory.records.plan import Plan, PlannedAction
from memory.records.scope import Scope
from memory.records.spend import Spend
from memory.records.timeline import EntryKind
from memory.state import IncidentState
from memory.stores.audit import AuditTrail
from memory.stores.evidence import EvidenceLedger
from memory.stores.timeline import TimelineStore
from memory.stores.timers import TimerStore
from memory.stores.traces import TraceStore
from tests.graphs.failing_desk import Alarms, MovingClock
from tests.graphs.test_routes import RELEASE
from tests.simulated import ROOT
from tests.tools.dials import Dials, Fate, executor, incident
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, ScriptedAccess, StillClock
from tools.executor import Executor

STEPS = Plan(
    actions=tuple(
        PlannedAction(action="set_dial", parameters={"dial": dial, "value": 50})
        for dial in ("main", "other", "third")
    )
)


@cache
def _settings() -> Any:
    found = load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": SCOPE.region}, ROOT, World.AWS)
    return found.model_copy(update={"autonomy": AutonomySettings(default=Autonomy.ACT_ON_MEDIUM)})


class Trail:
    """CloudTrail, which has the event of each session's change from some time on."""

    def __init__(self, is_late: bool) -> None:
        self.is_late = is_late

    def lookup_events(self, **request: Any) -> dict[str, Any]:
        session = request["LookupAttributes"][0]["AttributeValue"]
        event = {"EventId": f"of {session}", "EventSource": "dials", "ReadOnly": "false", "EventTime": NOW}
        return {"Events": [] if self.is_late else [event]}


def turn_of(
    dials: Dials,
    at: Any = NOW,
    table: MemoryTable | None = None,
    *,
    is_traced: bool = False,
    home: Scope = SCOPE,
) -> Turn:
    """A turn over real stores in memory; nothing but the account is made up."""
    table = table or MemoryTable()
    clock = StillClock(at)
    acting = executor(table, dials, at=at)
    clients = {"cloudwatch": Alarms(MovingClock(at), "ALARM"), "cloudtrail": Trail(not is_traced)}
    access = ScriptedAccess(SCOPE.region, clients=clients)
    acting = Executor(**{**vars(acting), "access": access})
    timeline = TimelineStore(table, clock)
    found = {"first_look": {"severity": Severity.LOW.value}}
    timeline.append(SCOPE, incident().incident_id, EntryKind.FIRST_LOOK, "seen", facts=found)
    records = SimpleNamespace(
        settings=_settings(),
        access=access,
        clock=clock,
        home=home,
        executions=acting.executions,
        traces=TraceStore(table),
        evidence=EvidenceLedger(table),
        timeline=timeline,
        timers=TimerStore(table, SCOPE.tenant),
        topology=Topology,
    )
    unused: Any = None
    copilot = Copilot(
        records=cast(Records, records),
        agents=unused,
        executor=acting,
        outbox=unused,
        runbooks=unused,
    )
    state: IncidentState = {"incident": incident(), "plan": STEPS, "executions": [], "attempt": 1}
    return Turn(copilot, state, "thread")


def after(turn: Turn, update: dict[str, Any] | Wait) -> Turn:
    assert isinstance(update, dict)
    more = update.pop("executions", [])
    state = {**turn.state, **update, "executions": [*turn.state["executions"], *more]}
    return Turn(turn.copilot, cast(IncidentState, state), turn.thread_id)


def dials_of(*fates: Fate) -> Dials:
    return Dials(values={"main": 7, "other": 3, "third": 1}, fates=list(fates))


def test_every_step_is_claimed_and_done_in_order() -> None:
    dials = dials_of()

    turn = after(turn_of(dials), act(turn_of(dials)))

    assert dials.writes == [("main", 50), ("other", 50), ("third", 50)]
    assert [e.action_id[-2:] for e in turn.state["executions"]] == ["-0", "-1", "-2"]
    assert turn.state["status"] is Status.VERIFYING and after_act(turn.state) == "watch"


@pytest.mark.parametrize("fates", [[Fate.REFUSED], [Fate.NOT_CONNECTED, Fate.NOT_CONNECTED]])
def test_a_step_that_fails_ends_the_plan_and_those_before_are_unwound_in_reverse(fates: list[Fate]) -> None:
    dials, table = dials_of(Fate.ANSWERED, Fate.ANSWERED, *fates), MemoryTable()
    turn = turn_of(dials, table=table)

    turn = after(turn, act(turn))
    assert after_act(turn.state) == "revert"
    assert [e.state for e in turn.state["executions"]] == [
        ExecutionState.DONE,
        ExecutionState.DONE,
        ExecutionState.FAILED,
    ]
    waiting = revert(turn)
    later = turn_of(dials, NOW.replace(minute=10), table)
    ended = after(
        Turn(later.copilot, turn.state, "thread"), revert(Turn(later.copilot, turn.state, "thread"))
    )

    assert isinstance(waiting, Wait)
    assert dials.writes[2:] == [("other", 3), ("main", 7)]
    assert dials.values == {"main": 7, "other": 3, "third": 1}
    assert ended.state["status"] is Status.OPEN and ended.state["attempt"] == 2
    assert "it was undone" in ended.state["reason"] and "set_dial is failed" in ended.state["reason"]
    # What the look after the undo has read counts against the incident's limits.
    assert ended.state["spend"].aws_calls > 0


@pytest.mark.parametrize("steps", [1, 3])
def test_a_step_whose_answer_was_lost_and_that_fails_later_is_undone_as_well(steps: int) -> None:
    dials, table = dials_of(Fate.ANSWER_LOST, *([Fate.ANSWERED] * (steps - 1))), MemoryTable()
    turn = turn_of(dials, table=table)
    turn.state["plan"] = Plan(actions=STEPS.actions[:steps])
    turn = after(turn, act(turn))
    dials.settles = False
    first = turn.copilot.executor.confirm(incident(), turn.state["executions"][0])
    dials.settles = True

    assert isinstance(revert(turn), Wait)
    later = Turn(turn_of(dials, NOW.replace(minute=10), table).copilot, turn.state, "thread")
    ended = after(later, revert(later))

    assert first.state is ExecutionState.FAILED
    assert dials.values == {"main": 7, "other": 3, "third": 1}
    assert len(dials.writes) == 2 * steps
    assert ended.state["status"] is Status.OPEN and "it was undone" in ended.state["reason"]


def test_an_undo_whose_answer_was_lost_and_that_fails_later_is_not_certain() -> None:
    dials, table = dials_of(Fate.ANSWERED, Fate.REFUSED, Fate.ANSWER_LOST), MemoryTable()
    turn = turn_of(dials, table=table)
    turn = after(turn, act(turn))
    dials.settles = None
    assert isinstance(revert(turn), Wait)
    dials.settles = False

    ended = after(turn, revert(turn))

    assert ended.state["status"] is Status.ESCALATED and "not certain" in ended.state["reason"]


def test_what_cannot_be_decided_stops_there_and_goes_to_people() -> None:
    dials = dials_of(Fate.ANSWERED, Fate.BROKEN_BEFORE)
    dials_action_is_not_repeatable = executor(MemoryTable(), dials, repeatable=False)
    turn = turn_of(dials)
    acting = Executor(
        **{**vars(turn.copilot.executor), "catalogue": dials_action_is_not_repeatable.catalogue}
    )
    turn = Turn(Copilot(**{**vars(turn.copilot), "executor": acting}), turn.state, "thread")

    turn = after(turn, act(turn))

    assert turn.state["executions"][-1].state is ExecutionState.UNDECIDED
    assert after_act(turn.state) == "escalate"
    assert dials.sent == 2


def test_an_undo_that_is_not_certain_leaves_what_came_before_it() -> None:
    dials, table = dials_of(Fate.ANSWERED, Fate.ANSWERED, Fate.REFUSED), MemoryTable()
    turn = turn_of(dials, table=table)
    turn = after(turn, act(turn))
    dials.values["other"] = 99

    ended = after(turn, revert(turn))

    assert dials.writes == [("main", 50), ("other", 50)]
    assert ended.state["status"] is Status.ESCALATED and "not certain" in ended.state["reason"]


def test_the_event_of_an_undo_is_noted_once_cloudtrail_has_it_and_is_no_news() -> None:
    dials, table = dials_of(Fate.ANSWERED, Fate.REFUSED), MemoryTable()
    turn = turn_of(dials, table=table)
    turn = after(turn, act(turn))

    assert isinstance(revert(turn), Wait)
    later = turn_of(dials, NOW.replace(minute=10), table, is_traced=True)
    revert(Turn(later.copilot, turn.state, "thread"))

    links = list(AuditTrail(table).read(keys.incident(SCOPE, incident().incident_id).pk).links())
    noted = [link.payload for link in links if link.payload and link.entry.deed is Deed.TRACED]
    (undo,) = [one for one in noted if one.what.startswith("undo, ")]
    assert undo.session is not None and undo.event_id == f"of {undo.session}"
    told = later.copilot.records.timeline.entries(SCOPE, incident().incident_id)
    assert sum(one.kind is EntryKind.REVERT for one in told) == 1


def _left_half(dials: Dials, table: MemoryTable) -> Turn:
    """A plan whose second step was refused, so that its first one is to be undone, and cannot be just now."""
    turn = turn_of(dials, table=table)
    turn = after(turn, act(turn))
    dials.busy = "the dial is being turned"
    return turn


def test_an_undo_waits_for_what_it_needs_and_is_done_once_that_holds() -> None:
    dials, table = dials_of(Fate.ANSWERED, Fate.REFUSED), MemoryTable()
    turn = _left_half(dials, table)

    waits = [
        revert(Turn(turn_of(dials, NOW.replace(minute=minute), table).copilot, turn.state, "thread"))
        for minute in (0, 1, 2)
    ]
    dials.busy = ""
    revert(Turn(turn_of(dials, NOW.replace(minute=3), table).copilot, turn.state, "thread"))

    assert all(isinstance(one, Wait) for one in waits)
    assert dials.values == {"main": 7, "other": 3, "third": 1}
    told = turn.copilot.records.timeline.entries(SCOPE, incident().incident_id)
    said = [one.text for one in told if one.kind is EntryKind.REVERT]
    assert len(said) == 2 and "refused (a precondition does not hold" in said[0]
    assert said[1] == "undo of set_dial: done"


def test_an_undo_that_never_gets_what_it_needs_goes_to_people_with_the_reason() -> None:
    dials, table = dials_of(Fate.ANSWERED, Fate.REFUSED), MemoryTable()
    turn = _left_half(dials, table)
    minutes = turn.copilot.records.settings.limits.verification_minutes

    def at(minute: int) -> Turn:
        late = turn_of(dials, NOW.replace(minute=minute), table)
        return Turn(late.copilot, turn.state, "thread")

    assert isinstance(revert(at(minutes - 1)), Wait)
    ended = after(turn, revert(at(minutes)))

    assert ended.state["status"] is Status.ESCALATED and dials.values["main"] == 50
    assert (
        "the undo is not certain (a precondition does not hold; the dial is being turned)"
        in (ended.state["reason"])
    )


def test_an_undo_is_not_waited_for_while_people_hold_the_kill_switch() -> None:
    dials, table = dials_of(Fate.ANSWERED, Fate.REFUSED), MemoryTable()
    turn = _left_half(dials, table)
    dials.busy = ""
    stopped = Executor(**{**vars(turn.copilot.executor), "stopped": lambda: "the kill switch is on"})
    turn = Turn(Copilot(**{**vars(turn.copilot), "executor": stopped}), turn.state, "thread")

    ended = after(turn, revert(turn))

    assert ended.state["status"] is Status.ESCALATED
    assert "not certain (the kill switch is on)" in ended.state["reason"]


def test_a_further_plan_is_asked_without_what_was_done_before_its_step_failed() -> None:
    dials, asked = dials_of(), []
    turn = turn_of(dials)
    act(turn)
    turn.state["executions"], turn.state["attempt"] = [], 2
    turn.state["assessment"] = RELEASE

    def propose(*given: Any) -> Any:
        asked.append(given[3])
        return SimpleNamespace(plan=Plan(), spend=Spend(), models=[], failure=None)

    agents: Any = SimpleNamespace(propose=propose)
    remediation(replace(turn, copilot=replace(turn.copilot, agents=lambda: agents)))

    assert asked == [{digest([one.action, one.parameters]) for one in STEPS.actions}]


@pytest.mark.parametrize("state", ["OK", "ALARM"])
def test_no_further_plan_is_made_for_what_is_well_again_once_all_was_undone(state: str) -> None:
    dials, table = dials_of(Fate.ANSWERED, Fate.ANSWERED, Fate.REFUSED), MemoryTable()
    turn = turn_of(dials, table=table)
    turn = after(turn, act(turn))
    revert(turn)
    later = turn_of(dials, NOW.replace(minute=10), table)
    clients = {"cloudwatch": Alarms(MovingClock(NOW.replace(minute=9)), state), "cloudtrail": Trail(True)}
    access = ScriptedAccess(SCOPE.region, clients=clients)
    seen: Any = SimpleNamespace(**{**vars(later.copilot.records), "access": access})
    seeing = replace(later.copilot, records=seen)

    ended = after(turn, revert(Turn(seeing, turn.state, "thread")))

    assert dials.values == {"main": 7, "other": 3, "third": 1}
    is_well = state == "OK"
    assert ended.state["status"] is (Status.ESCALATED if is_well else Status.OPEN)
    assert ("the alarm is OK after the undo, and no further plan is made" in ended.state["reason"]) == is_well
