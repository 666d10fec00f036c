"""CloudTrail's event of a call comes late: it is looked for after the incident has ended, and noted in its audit."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.copilot import Records
from graphs.traces_of import trace_incident
from graphs.tracing import EVERY_SECONDS, Traced, TraceWatch, trace_due
from memory import keys
from memory.audit_chain import Chain
from memory.audit_witness import untold, untraced
from memory.records.audit import AuditPayload, Deed
from memory.records.outcome import Execution, ExecutionState
from memory.records.scope import Scope
from memory.records.trace import TraceState
from memory.stores.audit import AuditTrail
from memory.stores.dossier import read_dossier
from memory.stores.executions import ExecutionStore
from memory.stores.leases import LeaseStore
from memory.stores.traces import TraceStore
from tests.tools.dials import BY_ITSELF, INCIDENT_ID, Dials, Fate, executor, incident, plan
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, ScriptedAccess
from tools.trail import LATEST, MOST_UNANSWERED, find_event

ELSEWHERE = Scope(account=SCOPE.account, region="eu-central-1")


@dataclass
class Trail:
    """CloudTrail: which has every event from so long on after `NOW`, or never, or does not answer."""

    clock: "Clock"
    late: timedelta | None = timedelta()
    error: str = ""
    asked: list[str] = field(default_factory=list)

    def lookup_events(self, **request: Any) -> dict[str, Any]:
        session = request["LookupAttributes"][0]["AttributeValue"]
        self.asked.append(session)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "LookupEvents")
        event = {"EventId": f"of {session}", "EventSource": "dials", "ReadOnly": "false", "EventTime": NOW}
        is_there = self.late is not None and self.clock.now() >= NOW + self.late
        return {"Events": [event] if is_there else []}


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


class CountingTable(MemoryTable):
    reads = 0

    def get(self, key: Any) -> Any:
        self.reads += 1
        return super().get(key)

    def query(self, *given: Any, **named: Any) -> Any:
        self.reads += 1
        return super().query(*given, **named)


@dataclass
class Place:
    """The records of one account, with a call that was made in an incident that nobody runs any more."""

    table: MemoryTable = field(default_factory=MemoryTable)
    clock: Clock = field(default_factory=Clock)
    home: Scope = SCOPE

    @cached_property
    def trail(self) -> Trail:
        return Trail(self.clock)

    @cached_property
    def records(self) -> Records:
        return self.records_of(self.home)

    def records_of(self, home: Scope) -> Records:
        found = SimpleNamespace(
            home=home,
            clock=self.clock,
            access=ScriptedAccess(home.region, clients={"cloudtrail": self.trail}),
            traces=TraceStore(self.table),
            leases=LeaseStore(self.table),
        )
        return cast(Records, found)

    def call(self, *fates: Fate, value: int = 9, dials: Dials | None = None) -> Execution:
        dials = dials or Dials(fates=list(fates))
        return executor(self.table, dials, repeatable=False).execute(incident(), plan(value), 0, BY_ITSELF)

    def look(self, *, minutes: float) -> Traced:
        """Look so many minutes after the call, in a process of its own, as often as there is something due."""
        self.clock.at = NOW + timedelta(minutes=minutes)
        return trace_due(self.records, wait=lambda _: None)

    @property
    def chain(self) -> Chain:
        return AuditTrail(self.table).read(keys.incident(SCOPE, INCIDENT_ID).pk)

    @property
    def traced(self) -> list[tuple[str, str | None, Any]]:
        links = [link for link in self.chain.links() if link.entry.deed is Deed.TRACED]
        told = cast(list[AuditPayload], [link.payload for link in links])
        return [(one.what, one.event_id, one.facts["entries"]) for one in told]

    def state(self, action_id: str) -> TraceState:
        found = self.table.get(keys.trace(SCOPE, INCIDENT_ID, action_id))
        assert found is not None
        return TraceState(found.body["state"])

    @property
    def broken(self) -> list[str]:
        """What `cloudops audit verify` would find."""
        checked = self.chain.check(time.time())
        dossier = read_dossier(self.table, SCOPE, INCIDENT_ID)
        return [*([checked.why] if checked.broken else []), *untold(list(self.chain.links()), dossier)]


def test_an_event_that_comes_after_the_end_is_noted_and_nothing_else_is_written() -> None:
    at = Place()
    done = at.call()
    at.trail.late = timedelta(minutes=12)
    before = {key: item for key, item in at.table.items.items() if key.sk.startswith("ACTION")}

    early, not_yet = at.look(minutes=4), at.look(minutes=6)
    assert (early.looked, not_yet, at.traced) == (False, Traced(looked=True), [])
    found, after = at.look(minutes=17), at.look(minutes=600)

    assert found.noted == 1 and not after.looked
    assert at.traced == [("set_dial: CloudTrail has its event", f"of {done.session}", [1, 2])]
    assert {key: at.table.items[key] for key in before} == before
    assert len(at.trail.asked) == 2 and at.broken == []


def test_what_cloudtrail_never_has_is_told_once_and_looked_for_no_more() -> None:
    at = Place()
    at.call()
    at.trail.late = None
    seen = [at.look(minutes=minutes) for minutes in range(5, 26 * 60, 10)]

    assert sum(one.missing for one in seen) == 1 and sum(one.noted for one in seen) == 0
    assert [(what, event) for what, event, _ in at.traced] == [
        ("set_dial: CloudTrail has no event of it", None)
    ]
    assert len(at.trail.asked) < 40
    (gap,) = untraced(read_dossier(at.table, SCOPE, INCIDENT_ID))
    assert "24 hours after the call" in gap and at.broken == []


def test_what_cloudtrail_does_not_answer_is_never_called_missing() -> None:
    at = Place()
    done = at.call()
    at.trail.error = "AccessDeniedException"
    for hours in range(1, 24 + MOST_UNANSWERED):
        at.look(minutes=hours * 60)

    assert at.state(done.action_id) is TraceState.UNASKED
    (gap,) = untraced(read_dossier(at.table, SCOPE, INCIDENT_ID))
    assert "could not be asked" in gap and "AccessDeniedException" in gap
    assert len(at.trail.asked) >= MOST_UNANSWERED


def test_a_copilot_that_was_away_for_days_finds_the_event_still() -> None:
    at = Place()
    at.call()
    at.trail.error = "ThrottlingException"
    assert at.look(minutes=3 * 24 * 60) == Traced(looked=True)
    at.trail.error = ""

    assert at.look(minutes=3 * 24 * 60 + 6).noted == 1


@settings(max_examples=15)
@given(late=st.integers(0, 23 * 60), away=st.integers(0, 600))
def test_whatever_comes_within_the_age_is_noted(late: int, away: int) -> None:
    at = Place()
    at.call()
    at.trail.late = timedelta(minutes=late)
    for minutes in range(5 + away, int(LATEST.total_seconds() // 60) + away + 120, 60):
        at.look(minutes=minutes)

    assert [event is not None for _, event, _ in at.traced] == [True]


def test_an_undo_and_a_call_of_which_nobody_knows_are_looked_for_and_what_was_never_sent_is_not() -> None:
    undone, unknown, refused = Place(), Place(), Place()
    acting = executor(undone.table, Dials())
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    acting.revert(incident(), done, BY_ITSELF)
    left = unknown.call(Fate.LOST_ON_THE_WAY)
    never = refused.call(Fate.REFUSED)

    assert undone.look(minutes=6).noted == 2 and undone.broken == []
    assert [what for what, _, _ in undone.traced] == [
        "set_dial: CloudTrail has its event",
        "undo, set_dial: CloudTrail has its event",
    ]
    assert left.state is ExecutionState.UNDECIDED and unknown.look(minutes=6).noted == 1
    assert never.state is ExecutionState.FAILED and not refused.look(minutes=6).looked


def test_what_a_step_has_found_is_not_looked_for_again() -> None:
    at = Place()
    at.call()

    trace_incident(at.records, SCOPE, INCIDENT_ID)
    trace_incident(at.records, SCOPE, INCIDENT_ID)

    assert len(at.trail.asked) == 1 and len(at.traced) == 1 and not at.look(minutes=60).looked


def test_a_thousand_closed_incidents_are_not_read_and_nothing_owed_is_no_work() -> None:
    at = Place(CountingTable())
    executions, told = ExecutionStore(at.table), at.call()
    for number in range(1000):
        other = told.model_copy(update={"incident_id": f"{number:08d}-0000-8000-8000-000000000000"})
        executions.claim(SCOPE, other)
        item = at.table.items[keys.trace(SCOPE, other.incident_id, other.action_id)]
        at.table.put(item.key, {**item.body, "state": "found", "event_id": f"e-{number}"})
    assert at.look(minutes=6).noted == 1
    counted, asked, now = cast(CountingTable, at.table), len(at.trail.asked), 0.0
    counted.reads, watch = 0, TraceWatch(at.records, lambda: now)

    assert all(watch.look() == Traced() for _ in range(5))
    assert (counted.reads, asked, len(at.trail.asked)) == (0, 1, 1)


def test_one_process_looks_at_a_time_and_another_takes_over() -> None:
    at, now = Place(), 0.0
    at.call()
    at.trail.late = timedelta(minutes=8)
    at.clock.at = NOW + timedelta(minutes=6)
    first, second = (TraceWatch(at.records, lambda: now) for _ in range(2))

    assert first.look().looked
    at.clock.at = NOW + timedelta(minutes=12)
    assert not second.look().looked
    first.end()
    now += EVERY_SECONDS
    assert second.look().noted == 1


@pytest.mark.parametrize("after_writing", [False, True])
@pytest.mark.parametrize("dies_at", range(1, 6))
def test_killed_at_any_write_of_a_look_the_event_is_noted_once(dies_at: int, *, after_writing: bool) -> None:
    at = Place()
    at.call()
    at.table.dies_at, at.table.after_writing = at.table.writes + dies_at, after_writing
    died = False
    try:
        at.look(minutes=6)
    except Killed:
        died = True
    at.table.bury()
    at.look(minutes=30)

    assert died == (dies_at < 5)
    assert [event is not None for _, event, _ in at.traced] == [True] and at.broken == []


def test_a_call_that_cannot_be_looked_for_hides_no_other() -> None:
    at = Place()
    at.call()
    at.call(value=11, dials=Dials())
    broken = keys.trace(SCOPE, INCIDENT_ID, plan().plan_hash[:12] + "-0")
    at.table.items[broken].body["next_at"] = "soon"

    swept = at.look(minutes=6)

    assert swept.noted == 1 and set(swept.failed) == {INCIDENT_ID}


def test_another_regions_copilot_does_not_look() -> None:
    at = Place(home=ELSEWHERE)
    done = at.call()

    trace_incident(at.records, SCOPE, INCIDENT_ID)

    assert not at.look(minutes=60).looked and at.trail.asked == []
    assert at.state(done.action_id) is TraceState.OWED


def test_an_incident_that_is_erased_during_a_look_stays_erased() -> None:
    at = Place()
    done = at.call()
    (owed,) = at.records.traces.owed(SCOPE, INCIDENT_ID)
    at.table.delete(keys.trace(SCOPE, INCIDENT_ID, done.action_id))
    ended = owed.trace.model_copy(update={"state": TraceState.FOUND, "event_id": "e"})

    assert not at.records.traces.settle(SCOPE, owed, ended, NOW)
    assert at.records.traces.put_off(SCOPE, owed, NOW) is None
    assert at.table.get(keys.trace(SCOPE, INCIDENT_ID, done.action_id)) is None and at.traced == []


def test_an_event_that_was_edited_or_taken_back_is_named() -> None:
    at = Place()
    done = at.call()
    at.look(minutes=6)
    body = at.table.items[keys.trace(SCOPE, INCIDENT_ID, done.action_id)].body
    said = f"CloudTrail's event of action {done.action_id} is stored otherwise than its entry tells"

    for edit in ({"event_id": "another"}, {"state": "owed"}, {"state": "absent", "event_id": None}):
        kept = dict(body)
        body |= edit
        assert said in at.broken, edit
        body |= kept
    assert at.broken == []


class Pages:
    """CloudTrail with events in pages, newest first."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.pages = pages

    def lookup_events(self, **request: Any) -> dict[str, Any]:
        page = int(request.get("NextToken", 0))
        more = {"NextToken": str(page + 1)} if page + 1 < len(self.pages) else {}
        return {"Events": self.pages[page], **more}


def events(*told: tuple[str, str, str]) -> Iterator[dict[str, Any]]:
    for minutes, (event_id, read_only, detail) in enumerate(reversed(told)):
        at = NOW + timedelta(minutes=minutes)
        yield {"EventId": event_id, "ReadOnly": read_only, "EventTime": at, "CloudTrailEvent": detail}


def test_of_a_sessions_events_the_call_is_the_first_that_aws_did_not_refuse() -> None:
    told = (
        ("step", "false", "{}"),
        ("call", "false", "{}"),
        ("read", "true", "{}"),
        ("refused", "false", '{"errorCode": "ThrottlingException"}'),
    )
    newest, *older = reversed(list(events(*told)))
    access = ScriptedAccess(SCOPE.region, clients={"cloudtrail": Pages([newest], older)})
    waited: list[float] = []

    assert find_event(access, "s", NOW, waited.append).event_id == "call"
    assert waited[0] == 0 and waited[1] > 0.5
    only = ScriptedAccess(SCOPE.region, clients={"cloudtrail": Pages(list(events(told[-1])))})
    assert find_event(only, "s", NOW).event_id == "refused"
