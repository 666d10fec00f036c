"""Every delivered body at `cloudops run`: an incident, a note, or the reason why there is none."""

import json
from typing import Any

import pytest

from console.running import run_file
from console.session import Session
from tests.graphs.desk import Desk, desk_in
from tests.simulated import StartAccount
from tests.web.door import EVENTS
from tests.web.test_alarms import STARTS, cases
from tools.event_body import RefusedEvent


@pytest.fixture(scope="module")
def at(shared_accounts: StartAccount) -> Desk:
    return desk_in(shared_accounts("bad-deployment"), "run-events")


@pytest.mark.parametrize("case", list(cases()))
def test_a_published_event_in_a_file_takes_its_route(
    at: Desk, case: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    file, route = EVENTS / case["file"], case["suggested_route"]
    session, before = Session(at.records, at.copilot, at.runs), len(list(at.records.refusals.all()))
    if route == "reject_cleanly" or case["shape"] == "other":
        with pytest.raises(RefusedEvent):
            run_file(session, file, wait=True, as_json=True)
        assert len(list(at.records.refusals.all())) == before + 1
        return

    assert run_file(session, file, wait=True, as_json=True) == 0

    said = capsys.readouterr()
    if route == STARTS:
        record = json.loads(said.out)
        assert record["incident"]["alarm"]["name"] == case["facts"]["alarm_name"]
        assert record["status"] in {"escalated", "noise", "unresolved", "awaiting_approval"}
        return
    assert said.out == ""
    assert said.err.startswith("nothing to open: ")
    assert (route if route != "unlabelled" else "not_an_alarm") in said.err
