"""The copilot is killed with SIGKILL at its worst moments; another process finishes what it began."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from memory.records.incident import Status
from memory.records.outcome import ExecutionState
from tests.graphs.desk import Desk, asked_plan, desk
from tests.simulated import ROOT

CLI = [sys.executable, "-c", "import cli; cli.main()"]


def _cloudops(at: Desk, *words: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "CLOUDOPS_STATE_DIR": str(at.account.state_dir), "PYTHONPATH": str(ROOT)}
    environment["CLOUDOPS_OUT"] = str(at.account.state_dir / "out")
    return subprocess.Popen(
        [*CLI, *words], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _kill_when(process: "subprocess.Popen[str]", happened: Callable[[], bool], seconds: float = 90) -> None:
    give_up = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < give_up, "it did not come to that"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _the_incident(at: Desk) -> str:
    return next(iter(at.records.incidents.newest(1))).incident_id


def _is_waiting(at: Desk) -> bool:
    for incident in at.records.incidents.newest(1):
        record = at.records.incidents.record(incident.incident_id)
        return record is not None and record.status is Status.AWAITING_APPROVAL
    return False


def test_killed_while_waiting_and_killed_after_the_call_it_ends_with_one_change(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        event = tmp_path / "event.json"
        event.write_text(json.dumps(at.alarm_event()))

        _kill_when(_cloudops(at, "run", str(event)), lambda: _is_waiting(at))
        incident_id = _the_incident(at)
        assert at.writes() == []

        seen = ("--plan", asked_plan(at.record(incident_id)))
        _kill_when(_cloudops(at, "approve", incident_id, *seen), lambda: at.writes() == ["UpdateService"])
        ended, _ = (again := _cloudops(at, "approve", incident_id)).communicate(timeout=120)

        done = at.record(incident_id)
        assert again.returncode == 0, ended
        assert done.status is Status.RESOLVED
        assert [e.state for e in done.executions] == [ExecutionState.DONE]
        assert at.writes() == ["UpdateService"]
