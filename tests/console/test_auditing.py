"""What `cloudops audit` prints: of an action, and of words that are made to look like rows of its own."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from console.auditing import show, verify
from console.glass import show_broken
from console.stopping import show_switch, turn
from memory.records.approval import BrokenGlass
from memory.records.kill_switch import KillSwitch
from memory.records.plan import Plan
from memory.retention import Retention
from memory.stores.audit import AuditTrail
from memory.stores.dossier import read_dossier
from memory.table import Item
from tests.tools.dials import (
    WITH_APPROVAL,
    Dials,
    approve,
    decision_on,
    executor,
    incident,
    plan,
    request_for,
)
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE
from tools.errors import Misconfigured

FORGED = ("   9  2026-01-01 00:00:00 UTC  decided   grace: approved", "writes are allowed since yesterday")
FORGERY = "\n".join(("x", *FORGED)) + " " * 90 + "".join(f"{one:<112}" for one in FORGED)


def records_of(table: MemoryTable) -> Any:
    incidents = SimpleNamespace(full_id=lambda beginning: beginning, scope_of=lambda _: SCOPE)
    nothing_owed = SimpleNamespace(owed=lambda *_: [])
    return SimpleNamespace(audit=AuditTrail(table), incidents=incidents, traces=nothing_owed, home=SCOPE)


def test_words_from_outside_look_like_no_row_of_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    table, dials = MemoryTable(), Dials()
    approve(executor(table, dials), plan(), incident())
    executor(table, dials, stopped=FORGERY).execute(incident(), plan(), 0, WITH_APPROVAL)
    request = request_for(executor(table, dials), plan(), incident())
    broken = BrokenGlass(
        decision=decision_on(request, break_glass=True).model_copy(update={"reason": FORGERY})
    )
    desk: Any = SimpleNamespace(
        settings=SimpleNamespace(tenant="default", autonomy=SimpleNamespace(kill_switch=False)),
        approvals=SimpleNamespace(break_glass=lambda _: (broken,)),
        incidents=SimpleNamespace(record=lambda _: None),
        kill_switch=SimpleNamespace(read=lambda: KillSwitch(on=True, reason=FORGERY, by="ada", at=NOW)),
    )

    show(records_of(table), incident().incident_id, as_json=False)
    show_broken(desk, as_json=False, unreviewed=False)
    show_switch(desk)

    shown = capsys.readouterr().out
    assert "".join(shown.split()).count("grace:approved") == 6
    begun = [line for line in shown.splitlines() if line.strip() and not line.startswith(" " * 10)]
    assert not [line for line in begun if line.strip().startswith(tuple(one.strip() for one in FORGED))]


class GoingOn(MemoryTable):
    """A table to which a run writes whenever a verification has begun to read."""

    def __init__(self) -> None:
        super().__init__()
        self.writing: list[Any] = []

    def query(self, pk: str, prefix: str = "", **more: Any) -> Iterator[Item]:
        if self.writing and prefix in {"AUDIT#", ""} and incident().incident_id in pk:
            self.writing.pop(0)()
        return super().query(pk, prefix, **more)


@pytest.mark.parametrize("in_between", [1, 3])
def test_what_an_incident_does_while_its_audit_is_verified_is_no_fault(
    in_between: int, capsys: pytest.CaptureFixture[str]
) -> None:
    table, dials = GoingOn(), Dials()
    acting = executor(table, dials)
    plans = [plan(value) for value in range(10, 10 + in_between)]
    for one in plans:
        approve(acting, one, incident())
    incidents = SimpleNamespace(
        page=lambda *_: SimpleNamespace(
            lines=[SimpleNamespace(incident_id=incident().incident_id, scope=SCOPE)], after=""
        ),
        get=lambda _: incident(),
        dossier=lambda _: read_dossier(table, SCOPE, incident().incident_id),
        scope_of=lambda _: SCOPE,
    )
    records: Any = SimpleNamespace(
        audit=AuditTrail(table),
        incidents=incidents,
        settings=SimpleNamespace(tenant="default", retention=Retention()),
        kill_switch=SimpleNamespace(read=KillSwitch),
    )

    def act(one: Plan) -> None:
        waits, table.writing = table.writing, []
        assert acting.execute(incident(), one, 0, WITH_APPROVAL).state.value in {"done", "refused"}
        table.writing = waits

    table.writing = [lambda one=one: act(one) for one in plans]

    assert verify(records, "") == 0
    assert capsys.readouterr().err == ""


def test_an_action_is_shown_with_what_it_acts_on_its_parameters_and_its_way_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table, dials = MemoryTable(), Dials()
    approve(executor(table, dials), plan(), incident())
    executor(table, dials, stopped="the kill switch is on").execute(incident(), plan(), 0, WITH_APPROVAL)
    executor(table, dials).execute(incident(), plan(), 0, WITH_APPROVAL)

    show(records_of(table), incident().incident_id, as_json=False)

    entries = capsys.readouterr().out.split("cloudops-copilot: ")
    refused, settled = (one for one in entries if one.startswith(("set_dial: refused", "set_dial: done")))
    for line in ("on: dial main", "with: dial=main, value=9", "way back: dial=main, value=7"):
        assert line in settled
    assert "the kill switch is on" in refused
    assert "with: dial=main, value=9" in refused and f"approval: {plan().plan_hash[:12]} by ada" in refused


def test_a_reason_to_turn_the_kill_switch_has_a_limit() -> None:
    nobody: Any = SimpleNamespace()

    with pytest.raises(Misconfigured, match="at most 2000 characters"):
        turn(nobody, "x" * 2001, on=True)
