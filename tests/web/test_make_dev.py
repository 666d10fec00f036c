"""`make dev`, left to itself: the alarm fires, and the server makes an incident of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from graphs.settings import load
from memory.records.scope import Role
from tests.simulated import ROOT
from tests.web.door import until
from tests.web.test_langgraph_dev import READY_SECONDS, Host, checkout, free_port

# Fast enough for the alarm to fire within a minute, slow enough for an approval to be given before it expires.
PACE = 15.0


@contextmanager
def make_dev(folder: Path) -> Iterator[Host]:
    port, state_dir = free_port(), folder / "state"
    env = {**os.environ, "CLOUDOPS_STATE_DIR": str(state_dir), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "web.dev", "--port", str(port), "--pace", str(PACE)]
    with (folder / "dev.log").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=checkout(folder), env=env, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: (state_dir / "local.json").exists(), READY_SECONDS)
        settings = load({"CLOUDOPS_STATE_DIR": str(state_dir)}, ROOT)
        host = Host(f"http://127.0.0.1:{port}", settings, process)
        until(host.answers, READY_SECONDS)
        yield host
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.timeout(400)
def test_an_alarm_that_fires_by_itself_waits_for_approval_and_is_resolved(tmp_path: Path) -> None:
    with make_dev(tmp_path) as host:

        def asked() -> dict[str, Any] | None:
            incidents = host.get("/incidents", Role.VIEWER).json()["incidents"]
            return next((one for one in incidents if one["status"] == "awaiting_approval"), None)

        incident_id = until(asked, 150)["incident_id"]
        decided = host.approve(incident_id)
        assert decided.status_code == 200, decided.text

        def ended() -> dict[str, Any] | None:
            record: dict[str, Any] = host.get(f"/incidents/{incident_id}", Role.VIEWER).json()
            return record if record["closed_at"] else None

        record = until(ended, 150)
        assert record["status"] == "resolved", record["reason"]
        assert record["incident"]["alarm"]["name"] == "checkout-5xx"
        assert [one["action"] for one in record["executions"]] == ["ecs_rollback_service"]
