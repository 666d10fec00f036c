"""Incidents are found by time, status, service and account, in a bounded number of calls and without a scan."""

from datetime import UTC, datetime, timedelta

import pytest

from memory import keys
from memory.records.approval import ApprovalRequest, Decision
from memory.records.incident import Status
from memory.records.plan import PlannedAction
from memory.records.scope import COPILOT, Principal, PrincipalKind, Role
from memory.stores.approvals import ApprovalStore
from memory.stores.incidents import IncidentStore, UnknownIncidentError
from memory.stores.listings import Wanted
from tests.memory.filed import SCOPE, START, account, ended, incident, new_table, no_scan, record
from tests.simulated import SimulatedAccount

__all__ = ["account"]

ELSEWHERE = SCOPE.model_copy(update={"account": "210987654321"})


def ids(store: IncidentStore, wanted: Wanted, limit: int = 50) -> list[str]:
    """All pages of a list, as the numbers in the alarms' names."""
    found, after = [], ""
    while True:
        page = store.page(wanted, limit, after)
        found += [line.alarm.rpartition("-")[2] for line in page.lines]
        if not page.after:
            return found
        after = page.after


def test_each_list_holds_what_belongs_in_it_newest_first(account: SimulatedAccount) -> None:
    store = IncidentStore(new_table(account), "default")
    with no_scan(account):
        ended(store, incident(1))
        ended(store, incident(2, "web"), Status.NOISE)
        store.claim(incident(3))
        store.claim(incident(4, "web", scope=ELSEWHERE))
        store.save_record(record(incident(4, "web", scope=ELSEWHERE), Status.AWAITING_APPROVAL))

        assert ids(store, Wanted()) == ["4", "3", "2", "1"]
        assert ids(store, Wanted(service="checkout")) == ["3", "1"]
        assert ids(store, Wanted(service="web", status=Status.NOISE)) == ["2"]
        assert ids(store, Wanted(status=Status.RESOLVED)) == ["1"]
        assert ids(store, Wanted(status=Status.OPEN)) == ["3"]
        assert ids(store, Wanted(status=Status.AWAITING_APPROVAL)) == ["4"]
        assert ids(store, Wanted(account=ELSEWHERE.account)) == ["4"]
        assert ids(store, Wanted(account=SCOPE.account, since=START + timedelta(minutes=2))) == ["3", "2"]
        assert ids(store, Wanted(service="nobody")) == []


def test_a_list_goes_over_months_page_by_page(account: SimulatedAccount) -> None:
    store = IncidentStore(new_table(account), "default")
    days = [datetime(2026, month, day, tzinfo=UTC) for month in (8, 9, 11) for day in (1, 15, 30)]
    for number, day in enumerate(days):
        ended(store, incident(number, at=day))
    newest_first = [str(number) for number in reversed(range(len(days)))]

    for limit in (1, 2, 3, 9, 50):
        assert ids(store, Wanted(), limit) == newest_first
        assert ids(store, Wanted(service="checkout"), limit) == newest_first
    assert ids(store, Wanted(since=datetime(2026, 9, 15, tzinfo=UTC))) == newest_first[:5]


def test_incidents_of_the_same_moment_are_all_listed(account: SimulatedAccount) -> None:
    store = IncidentStore(new_table(account), "default")
    for number in range(5):
        ended(store, incident(number, at=START))
    assert sorted(ids(store, Wanted(), 2)) == ["0", "1", "2", "3", "4"]


def test_a_page_takes_a_call_for_the_months_and_one_for_the_lines(
    account: SimulatedAccount,
) -> None:
    store = IncidentStore(new_table(account), "default")
    for number in range(60):
        ended(store, incident(number, "checkout" if number % 2 else "web"))
    before = len(account.calls())
    page = store.page(Wanted(service="web"), 20)
    assert len(page.lines) == 20
    assert page.after
    assert [one["operation"] for one in account.calls()[before:]] == ["Query", "Query"]


def test_what_has_not_come_to_its_end_is_listed_until_its_people_were_told(account: SimulatedAccount) -> None:
    store = IncidentStore(new_table(account), "default")
    one, other = incident(1), incident(2)
    store.claim(one)
    store.claim(other)
    store.save_record(record(one, Status.RESOLVED))
    assert list(store.unfinished()) == [one.incident_id, other.incident_id]

    store.save_record(record(one, Status.RESOLVED, closed_at=one.opened_at))
    assert list(store.unfinished()) == [other.incident_id]


def test_an_id_is_completed_within_one_of_the_directorys_parts(account: SimulatedAccount) -> None:
    table = new_table(account)
    store = IncidentStore(table, "default")
    every = [incident(number) for number in range(30)]
    for one in every:
        store.claim(one)

    assert all(store.full_id(one.incident_id[:12]) == one.incident_id for one in every)
    assert len({keys.directory("default", one.incident_id).pk for one in every}) > 10
    with pytest.raises(UnknownIncidentError, match="no incident id starts"):
        store.full_id("zzz")
    with pytest.raises(UnknownIncidentError, match="too short"):
        store.full_id(every[0].incident_id[:1])


def test_requests_are_listed_while_they_wait(account: SimulatedAccount) -> None:
    store = ApprovalStore(new_table(account))
    asked = [_request(number) for number in (1, 2, 3)]
    with no_scan(account):
        for request in asked:
            store.request(request)
        assert [one.incident_id for one in store.pending("default")] == ["3", "2", "1"]
        ann = Principal(kind=PrincipalKind.PERSON, id="ann", issuer="i", roles=(Role.APPROVER,))
        decision = Decision(
            incident_id="2", plan_hash="p2", approved=True, by=ann, decided_at=START, door="test"
        )
        store.decide(SCOPE, decision)
        store.expire(asked[0], asked[0].expires_at)
        assert [one.incident_id for one in store.pending("default")] == ["3"]
        assert list(store.pending("other")) == []


def _request(number: int) -> ApprovalRequest:
    return ApprovalRequest(
        incident_id=str(number),
        scope=SCOPE,
        plan_hash=f"p{number}",
        actions=(PlannedAction(action="ecs_rollback", parameters={}),),
        fingerprints=("f",),
        proposer=COPILOT,
        requested_at=START,
        expires_at=START + timedelta(minutes=30 - number),
    )
