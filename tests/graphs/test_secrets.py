"""What is secret in the team's logs and alarms reaches nobody, and what triage works with does."""

import json
import logging
from pathlib import Path

import pytest

from memory.records.incident import Status
from tests.graphs.desk import Desk, desk
from tests.graphs.scenarios import hostile
from tests.planted import SECRETS, TOLD, leaks, planted, stored

LINE = f"unhandled exception {TOLD}"
DESCRIPTION = (
    f"Checkout fails. Ask {SECRETS['mail']} or {SECRETS['telephone']}; password={SECRETS['password']}"
)


def everything_that_went_out(at: Desk, incident_id: str) -> dict[str, str]:
    """All that models were sent, people were told, and the records hold of an incident."""
    records, scope = at.records, at.records.incidents.scope_of(incident_id)
    entries = records.timeline.entries(scope, incident_id)
    evidence = list(records.evidence.all(scope, incident_id))
    return {
        "models": json.dumps(
            [c["parameters"] for c in at.account.calls() if c["service"] == "bedrock-runtime"]
        ),
        "messages": json.dumps([c["parameters"] for c in at.account.calls("Publish")]),
        "timeline": json.dumps([entry.model_dump(mode="json") for entry in entries]),
        "evidence": json.dumps([one.model_dump(mode="json") for one in evidence]),
        "whole results": json.dumps([records.evidence.whole(one) for one in evidence]),
        "record": at.record(incident_id).model_dump_json(),
    }


def test_a_planted_secret_reaches_no_model_no_log_no_record_and_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="graphs")
    scenarios = hostile(tmp_path, description=DESCRIPTION, log_line=LINE)
    with desk(tmp_path, "hostile", scenarios_dir=scenarios) as at:
        at.on_call_queue()
        at.event = planted(at.alarm_event())
        assert leaks(iter([("event", json.dumps(at.event).encode())]))
        waiting = at.start()
        at.decide(waiting, approved=True)
        done = at.to_the_end(waiting.incident.incident_id)
        out = everything_that_went_out(at, done.incident.incident_id)

        assert done.status is Status.RESOLVED
        assert LINE.split(" key=")[0] in out["evidence"]
        for place, text in {**out, "log": caplog.text}.items():
            for kind, secret in SECRETS.items():
                assert secret not in text, f"a {kind} is in {place}"
        assert leaks(stored(at.account)) == []
        # The same person and key in two lines stay the same.
        assert len({part[:4] for part in out["evidence"].split("[email#")[1:]}) == 1
        for known in (done.incident.scope.account, "checkout:", "arn:aws:"):
            assert known in out["evidence"]
        assert "[email" in out["models"]
