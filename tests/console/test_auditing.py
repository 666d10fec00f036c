"""What `cloudops audit show` prints of an action."""

from types import SimpleNamespace
from typing import Any

import pytest

from console.auditing import show
from memory.stores.audit import AuditTrail
from tests.tools.dials import WITH_APPROVAL, Dials, approve, executor, incident, plan
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import SCOPE


def test_an_action_is_shown_with_what_it_acts_on_its_parameters_and_its_way_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table, dials = MemoryTable(), Dials()
    approve(executor(table, dials), plan(), incident())
    executor(table, dials, stopped="the kill switch is on").execute(incident(), plan(), 0, WITH_APPROVAL)
    executor(table, dials).execute(incident(), plan(), 0, WITH_APPROVAL)
    incidents = SimpleNamespace(full_id=lambda beginning: beginning, scope_of=lambda _: SCOPE)
    nothing_owed = SimpleNamespace(owed=lambda *_: [])
    records: Any = SimpleNamespace(
        audit=AuditTrail(table), incidents=incidents, traces=nothing_owed, home=SCOPE
    )

    show(records, incident().incident_id, as_json=False)

    entries = capsys.readouterr().out.split("cloudops-copilot: ")
    refused, settled = (one for one in entries if one.startswith(("set_dial: refused", "set_dial: done")))
    for line in ("on: dial main", "with: dial=main, value=9", "way back: dial=main, value=7"):
        assert line in settled
    assert "the kill switch is on" in refused
    assert "with: dial=main, value=9" in refused and f"approval: {plan().plan_hash[:12]} by ada" in refused
