"""The account's commands, the worker, and a decision made in a process of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from console.controlling import read_span
from graphs.bootstrap import open_records
from graphs.copilot import Records
from graphs.settings import World, load
from memory.records.incident_record import IncidentRecord
from tests.console.commands import ROOT, SECONDS, Desk
from tests.console.conftest import PlayedIncident
from tools.errors import Misconfigured

# The models' libraries, the first look's arrays, tokens and pages: a second of loading that no approval needs.
NOT_FOR_A_DECISION = {
    "boto3",
    "drain3",
    "graphs.consulting",
    "jinja2",
    "jwt",
    "langchain.agents",
    "langchain_aws",
    "numpy",
    "phonenumbers",
    "spellchecker",
    "starlette",
    "tools.first_look",
    "tools.injection",
    "tools.options",
    "yaml",
}


def test_spans_are_read_as_written() -> None:
    assert read_span("+10m") == timedelta(minutes=10)
    assert read_span("90s") == timedelta(seconds=90)
    assert read_span("1h30m") == timedelta(minutes=90)
    for wrong in ("", "+", "10", "m10", "ten minutes"):
        with pytest.raises(Misconfigured, match="no span"):
            read_span(wrong)


def test_the_clock_moves_when_it_is_told_to(played: PlayedIncident) -> None:
    before = played.desk.run("sim", "clock").stdout
    after = played.desk.run("sim", "clock", "+10m").stdout
    assert before.endswith("UTC\n")
    assert after > before


def test_the_doctor_finds_a_set_up_account_well(played: PlayedIncident) -> None:
    done = played.desk.run("doctor")
    assert done.returncode == 0, done.stdout
    assert "all is well" in done.stdout


def test_a_second_account_is_refused_where_one_runs(played: PlayedIncident) -> None:
    done = played.desk.run("sim", "up")
    assert done.returncode == 2
    assert "cloudops sim down" in done.stderr


def test_an_ended_incident_takes_no_decision(played: PlayedIncident) -> None:
    done = played.desk.run("deny", played.incident_id, "--reason", "too late")
    assert done.returncode == 1
    assert "nothing waits for a decision" in done.stderr


def test_an_approval_killed_after_its_action_is_finished_by_the_next(desk: Desk) -> None:
    assert desk.run("sim", "up").returncode == 0
    worker = desk.start("worker")
    records = open_records(load(desk.environment, ROOT, World.SIMULATED))
    waiting = _waiting_incident(desk, records)
    incident_id = waiting.incident.incident_id
    worker.send_signal(signal.SIGINT)
    said, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0, said
    assert f"opened  {incident_id}" in said
    assert waiting.approval is not None
    plan = waiting.approval.plan_hash
    other = desk.run("approve", incident_id[:8], "--plan", "00000000")
    assert (other.returncode, f"plan {plan} is asked now" in other.stderr) == (1, True), other.stderr
    assert other.stdout.startswith(f"plan {plan[:12]}: ecs_"), "what is decided on is shown first"
    for words in ((), ("--json",)):
        unseen = desk.run("approve", incident_id[:8], *words)
        assert (unseen.returncode, f"--plan {plan[:12]}" in unseen.stderr) == (2, True), unseen.stderr
    code, shown = _at_a_terminal(desk, "n\n", "approve", incident_id[:8])
    assert (code, f"approve plan {plan[:12]}?" in shown, "nothing was decided" in shown) == (1, True, True), (
        shown
    )
    for label in ("why", "expected", "wrong if", "touches", "way back", "policy", "approve"):
        assert f"\n  {label:<10}" in other.stdout and f"\n  {label:<10}" in shown, label
    assert f"touches   {waiting.reviews[0].blast_radius[:40]}" in shown
    assert list(records.approvals.decisions(waiting.incident.scope, incident_id, plan)) == []
    at_the_wake = _stored_by_the_wake(desk, incident_id, plan)
    assert at_the_wake["decided"] == "approved"
    assert not {"langgraph", "langsmith", "langgraph_sdk", "cedarpy"} & set(at_the_wake["modules"])
    said = ("--reason", "as planned", "--plan", plan[:12])
    loaded = _loaded_until(lambda: bool(_rollbacks(records)), desk, "approve", incident_id[:8], *said)
    assert {"langgraph.pregel.main", "cedarpy", "graphs.nodes.act"} <= loaded
    assert loaded & NOT_FOR_A_DECISION == set(), "people wait for the call that they approve"
    done = desk.run("approve", incident_id[:8], "--json")
    assert done.returncode == 0, done.stderr
    ended = IncidentRecord.model_validate_json(done.stdout)
    assert ended.status.value == "resolved"
    assert ended.decision is not None
    assert ended.decision.reason == "as planned"
    assert len(_rollbacks(records)) == 1


DECIDE = """
import json, sys
from console.deciding import Answer, decide_and_follow
from console.session import Deciding, open_to_decide
from graphs.settings import from_environment

incident_id, plan = sys.argv[1:]
session = open_to_decide(from_environment())
records = session.records

class Noting:
    def wake(self, incident_id):
        scope = records.incidents.scope_of(incident_id)
        decided = records.approvals.get(scope, incident_id, plan).status.value
        modules = sorted({name.split(".")[0] for name in sys.modules})
        print(json.dumps({"decided": decided, "modules": modules}), flush=True)
        sys.exit(0)

decide_and_follow(
    Deciding(records, Noting(), session.load), incident_id, Answer(True, plan, "as planned"), wait=False, as_json=True
)
"""


def _stored_by_the_wake(desk: Desk, incident_id: str, plan: str) -> Any:
    """Approve, and end the process when it would wake the run: what stands then, and what was loaded."""
    done = subprocess.run(
        [sys.executable, "-c", DECIDE, incident_id, plan],
        cwd=desk.folder,
        env=desk.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return json.loads(done.stdout)


def _loaded_until(look: Callable[[], bool], desk: Desk, *arguments: str) -> set[str]:
    """Kill a command once something has happened, and return the modules that it had loaded by then."""
    path = desk.folder / "loaded.txt"
    with path.open("w") as file:
        killed = subprocess.Popen(
            desk.command(*arguments),
            cwd=desk.folder,
            env={**desk.environment, "PYTHONPROFILEIMPORTTIME": "1"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            _until(look)
        finally:
            killed.kill()
            killed.wait(timeout=60)
    lines = path.read_text().splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def _at_a_terminal(desk: Desk, said: str, *arguments: str) -> tuple[int, str]:
    """Run a command as somebody who sits at a terminal, types, and reads what it shows."""
    mine, its = os.openpty()
    process = subprocess.Popen(
        desk.command(*arguments), cwd=desk.folder, env=desk.environment, stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    os.write(mine, said.encode())
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody holds its other end any more
        while read := os.read(mine, 4096):
            shown += read
    os.close(mine)
    return process.wait(SECONDS), shown.decode()


def _waiting_incident(desk: Desk, records: Records) -> IncidentRecord:
    """Let the account's time pass until the worker has an incident that waits for approval."""
    found: list[IncidentRecord] = []

    def look() -> bool:
        if not list(records.incidents.newest(1)):
            records.clock.wait_until(records.clock.now() + timedelta(seconds=20))
        found[:] = [one for one in _records(desk) if one.status.value == "awaiting_approval"]
        return bool(found)

    _until(look)
    return found[0]


def _until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _rollbacks(records: Records) -> list[dict[str, Any]]:
    """Return the caller's UpdateService calls by the account's own log."""
    url = f"{records.settings.connection.endpoint_url}/_sim/calls"
    calls = httpx.get(url, timeout=60).json()["calls"]
    return [
        call for call in calls if call["operation"] == "UpdateService" and records.is_own(call["caller_arn"])
    ]


def _records(desk: Desk) -> list[IncidentRecord]:
    return [IncidentRecord.model_validate(one) for one in json.loads(desk.run("list", "--json").stdout)]


def test_a_file_that_is_no_alarm_opens_nothing(played: PlayedIncident) -> None:
    path = played.desk.folder / "event.json"
    path.write_text('{"hello": 1}')
    done = played.desk.run("run", str(path))
    assert done.returncode == 1
    assert done.stderr.startswith("refused (422)")


def test_the_graph_is_drawn_without_a_network(desk: Desk) -> None:
    assert "first_look" in desk.run("graph").stdout
    picture = desk.folder / "graph.svg"
    assert desk.run("graph", "--svg", str(picture)).returncode == 0
    drawn = picture.read_text()
    assert drawn.startswith("<svg")
    assert "escalate" in drawn
    assert drawn.count("http") == 1  # the namespace
