"""`cloudops serve` as people run it: a process that serves, works, and ends when it is told to."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphs.bootstrap import open_records, set_up
from graphs.copilot import Records
from graphs.settings import Settings
from memory.records.scope import Role
from tests.simulated import ROOT, SimulatedAccount
from tests.web.door import alarm_event, fired_alarm, settings_of, token_of, until
from tools.aws.queue import open_queue

SECONDS = 60


@dataclass(frozen=True)
class Serving:
    process: "subprocess.Popen[str]"
    url: str
    settings: Settings
    records: Records

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token_of(self.settings, *Role)}"}
        return httpx.request(method, self.url + path, json=body, headers=headers, timeout=30, trust_env=False)

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, said


def environment(account: SimulatedAccount, **more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDOPS_")}
    return {
        **own,
        "CLOUDOPS_STATE_DIR": str(account.state_dir),
        "CLOUDOPS_PREFIX": "serve",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "cli", "serve", *options]


@contextmanager
def serve(account: SimulatedAccount, folder: Path, *options: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        command("--port", "0", *options),
        cwd=folder,
        env=environment(account),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        found = re.match(r"serving (http://127\.0\.0\.1:\d+); account ", line)
        assert found, line + process.communicate(timeout=SECONDS)[0]
        settings = settings_of(account, CLOUDOPS_PREFIX="serve")
        yield Serving(process, found[1], settings, open_records(settings))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def account(shared_accounts: Any) -> SimulatedAccount:
    found: SimulatedAccount = shared_accounts("bad-deployment")
    set_up(settings_of(found, CLOUDOPS_PREFIX="serve"))
    return found


def refused(account: SimulatedAccount, folder: Path, *options: str, **more: str) -> str:
    """What the command says when it does not serve."""
    done = subprocess.run(
        command(*options),
        cwd=folder,
        env=environment(account, **more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_it_works_until_it_is_told_to_end_and_finishes_what_is_under_way(
    account: SimulatedAccount, tmp_path: Path, number: signal.Signals
) -> None:
    with serve(account, tmp_path) as serving:
        health = serving.call("GET", "/healthz").json()
        assert (health["world"], health["sweeping"], health["consuming"]) == ("simulated", True, True)
        event = alarm_event(f"until-{number.name}", "2026-11-23T09:01:00Z")
        taken = serving.call("POST", "/alarms", event).json()
        assert taken["outcome"] == "opened"
        code, said = serving.end(number)
        assert code == 0, said
        assert said.splitlines()[0].startswith("ending; ")
        assert said.splitlines()[-1].startswith("ended; ")
        assert "Traceback" not in said
        record = serving.records.incidents.record(taken["incident_id"])
        assert record is not None
        assert record.status.is_end, record.status
        scope = record.incident.scope
        serving.records.leases.hold(scope, taken["incident_id"], "another")
        serving.records.leases.release(scope, taken["incident_id"], "another")
        with pytest.raises(httpx.ConnectError):
            serving.call("GET", "/healthz")


def test_neither_a_reader_nor_an_approval_to_come_keeps_it_from_its_end(
    simulated_account: Any, tmp_path: Path
) -> None:
    account = simulated_account("bad-deployment")
    settings = settings_of(account, CLOUDOPS_PREFIX="serve")
    set_up(settings)
    event = json.loads(fired_alarm(account, settings))
    with serve(account, tmp_path, "--no-queue") as serving:
        incident_id = serving.call("POST", "/alarms", event).json()["incident_id"]

        def asked() -> bool:
            found = serving.call("GET", f"/incidents/{incident_id}")
            return found.status_code == 200 and found.json()["status"] == "awaiting_approval"

        until(asked, 60)
        headers = {"Authorization": f"Bearer {token_of(settings, *Role)}"}
        path = f"{serving.url}/incidents/{incident_id}/events"
        with httpx.stream("GET", path, headers=headers, timeout=30, trust_env=False) as stream:
            assert next(stream.iter_lines())
            began = time.monotonic()
            code, said = serving.end(signal.SIGTERM)
        assert code == 0, said
        assert "Traceback" not in said
        assert time.monotonic() - began < 15
    with serve(account, tmp_path, "--no-queue") as serving:
        plan = serving.call("GET", f"/incidents/{incident_id}").json()["approval"]["plan_hash"]
        seen = {"approved": False, "plan_hash": plan, "reason": "seen"}
        decided = serving.call("POST", f"/incidents/{incident_id}/decision", seen)
        assert decided.status_code == 200, decided.text
        until(lambda: serving.call("GET", f"/incidents/{incident_id}").json()["closed_at"], 60)
        assert serving.end(signal.SIGTERM)[0] == 0


def test_an_event_of_the_queue_becomes_an_incident(account: SimulatedAccount, tmp_path: Path) -> None:
    with serve(account, tmp_path) as serving:
        body = json.dumps(alarm_event("from-the-queue", "2026-11-23T09:03:00Z"))
        queue = open_queue(serving.records.access, serving.records.backend.queue)
        account.client("sqs").send_message(QueueUrl=queue.url, MessageBody=body)

        def listed() -> bool:
            incidents = serving.call("GET", "/incidents").json()["incidents"]
            return "from-the-queue" in [one["alarm"] for one in incidents]

        until(listed, 20)
        assert serving.end(signal.SIGTERM)[0] == 0


def test_without_the_queue_it_says_so(account: SimulatedAccount, tmp_path: Path) -> None:
    with serve(account, tmp_path, "--no-queue") as serving:
        assert serving.call("GET", "/healthz").json()["consuming"] is False
        assert serving.end(signal.SIGTERM)[0] == 0


def test_a_port_that_is_taken_is_said_with_the_remedy(account: SimulatedAccount, tmp_path: Path) -> None:
    with serve(account, tmp_path) as serving:
        port = serving.url.rpartition(":")[2]
        said = refused(account, tmp_path, "--port", port)
        assert f"port {port} of 127.0.0.1 is taken" in said
        assert "--port" in said


def test_what_keeps_it_from_serving_is_said_with_the_remedy(
    account: SimulatedAccount, tmp_path: Path
) -> None:
    assert "cloudops sim up" in refused(account, tmp_path, CLOUDOPS_STATE_DIR=str(tmp_path))
    assert "cloudops setup" in refused(account, tmp_path, CLOUDOPS_PREFIX="nothing-is-set-up")
    assert "[[issuers]]" in refused(account, tmp_path, "--host", "0.0.0.0")
    assert "CLOUDOPS_RUNS_URL" in refused(account, tmp_path, CLOUDOPS_RUNS_URL="http://127.0.0.1:2024")
