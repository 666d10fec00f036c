"""The graph on the LangGraph development server, as its users reach it: over langgraph-sdk and over our door."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import APIStatusError

from graphs.bootstrap import open_records, set_up
from graphs.settings import Settings
from memory.records.scope import Role
from tests.simulated import ROOT, SimulatedAccount, accounts
from tests.web.door import fired_alarm, settings_of, token_of, until
from tools.aws.queue import open_queue
from web.dev import KEPT, QUIET

READY_SECONDS = 90


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class Host:
    url: str
    settings: Settings
    process: "subprocess.Popen[bytes]"

    def headers(self, *roles: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {token_of(self.settings, *roles)}"}

    def sdk(self, *roles: Role) -> Any:
        return get_sync_client(url=self.url, headers=self.headers(*roles))

    def get(self, path: str, *roles: Role) -> httpx.Response:
        return httpx.get(self.url + path, headers=self.headers(*roles), timeout=30, trust_env=False)

    def post(self, path: str, body: Any, *roles: Role) -> httpx.Response:
        headers = self.headers(*roles)
        return httpx.post(self.url + path, json=body, headers=headers, timeout=30, trust_env=False)

    def approve(self, incident_id: str) -> httpx.Response:
        """Approve the plan that the incident's record shows."""
        plan = self.get(f"/incidents/{incident_id}", Role.VIEWER).json()["approval"]["plan_hash"]
        seen = {"approved": True, "plan_hash": plan}
        return self.post(f"/incidents/{incident_id}/decision", seen, Role.APPROVER)

    def answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}")
        try:
            return httpx.get(self.url + "/healthz", timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


def checkout(folder: Path) -> Path:
    """A folder that reads the checkout's files and is not the checkout."""
    for name in ("langgraph.json", "graphs", "server.py", "settings"):
        link = folder / name
        if not link.exists():
            link.symlink_to(ROOT / name)
    return folder


@contextmanager
def langgraph_dev(account: SimulatedAccount, log: Path) -> Iterator[Host]:
    """`langgraph dev` on a free port, ended hard, in a folder of its own: it keeps notes where it runs."""
    folder = checkout(log.parent)
    shutil.rmtree(folder / KEPT, ignore_errors=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n-jobs-per-worker", "10"]
    env = {
        **os.environ,
        **QUIET,
        "CLOUDOPS_STATE_DIR": str(account.state_dir),
        "CLOUDOPS_RUNS_URL": url,
        "CLOUDOPS_QUEUE": "off",
        "PYTHONPATH": str(ROOT),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    host = Host(url, settings_of(account), process)
    try:
        until(host.answers, READY_SECONDS)
        yield host
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class Firing:
    account: SimulatedAccount
    settings: Settings
    event: dict[str, Any]


@pytest.fixture(scope="module")
def firing() -> Iterator[Firing]:
    """An account with a bad deployment whose alarm has fired."""
    with accounts() as start:
        account = start("bad-deployment")
        settings = settings_of(account)
        set_up(settings)
        yield Firing(account, settings, json.loads(fired_alarm(account, settings)))


def status(call: Any, *args: Any, **kwargs: Any) -> int:
    """The HTTP status that a call of the SDK is refused with."""
    with pytest.raises(APIStatusError) as refused:
        call(*args, **kwargs)
    return int(refused.value.status_code)


def nobody_gets_in(host: Host) -> None:
    for path in ("/info", "/docs", "/openapi.json", "/metrics", "/threads/search", "/assistants/search"):
        answer = httpx.get(host.url + path, timeout=30, trust_env=False)
        assert answer.status_code == (200 if path == "/info" else 401), path
    erase = httpx.post(f"{host.url}/internal/truncate", json={}, timeout=30, trust_env=False)
    assert erase.status_code == 404
    assert host.get("/store/namespaces", *Role).status_code == 404
    assert host.get("/mcp", *Role).status_code == 404


def only_decisions_decide(host: Host, thread_id: str) -> None:
    """Nothing that the server's own routes offer moves an incident that waits for approval."""
    operator, viewer = host.sdk(Role.OPERATOR, Role.VIEWER), host.sdk(Role.VIEWER)
    made_up = {"approved": True, "by": {"id": "ann", "roles": ["approver"]}}
    resumed = operator.runs.wait(thread_id, "incident", command={"resume": made_up})
    assert "__interrupt__" in resumed
    assert status(viewer.runs.create, thread_id, "incident", command={"resume": made_up}) == 403
    edits: tuple[dict[str, Any], ...] = ({"status": "acting"}, {"plan": {}})
    for values in edits:
        assert status(operator.threads.update_state, thread_id, values, as_node="approve") == 403
    for command in ({"goto": "act"}, {"update": {"status": "acting"}}, {"resume": 1, "goto": "act"}):
        assert status(operator.runs.create, thread_id, "incident", command=command) == 403
    for reach in ({"holder": "me"}, {"checkpoint_id": "1f000000-0000-6000-8000-000000000000"}):
        assert status(operator.runs.create, thread_id, "incident", config={"configurable": reach}) == 403
    assert status(operator.threads.copy, thread_id) == 403
    assert status(operator.threads.delete, thread_id) == 403
    assert status(operator.runs.create, None, "incident", input={"event": {}}) == 403
    assert status(operator.crons.create, "incident", schedule="* * * * *", input={}) == 403
    state = operator.threads.get_state(thread_id)
    assert state["next"] == ["approve"]


def incident_of(host: Host, firing: Firing) -> str:
    """Start a run with the SDK, stream it and meet the interrupt."""
    sdk = host.sdk(Role.OPERATOR, Role.VIEWER)
    thread_id: str = sdk.threads.create()["thread_id"]
    seen: list[str] = []
    asked: list[Any] = []
    for chunk in sdk.runs.stream(
        thread_id, "incident", input={"event": firing.event}, stream_mode="updates", durability="sync"
    ):
        assert chunk.event != "error", chunk.data
        for node, update in chunk.data.items() if chunk.event == "updates" else ():
            seen.append(node)
            asked += update if node == "__interrupt__" else []
    assert seen[0] == "intake"
    assert asked, (seen, sdk.threads.get_state(thread_id)["values"])
    assert asked[0]["value"]["waiting_for"] == "approval"
    assert {"first_look", "triage", "critic", "remediation", "review"} <= set(seen)
    incident_id = str(sdk.threads.get_state(thread_id)["values"]["incident"]["incident_id"])
    return f"{incident_id} {thread_id}"


def changes(firing: Firing) -> int:
    """How often the service was changed by the copilot: the deployer's own call comes before the alarm."""
    mine = [call for call in firing.account.calls("UpdateService") if not call["read_only"]]
    return sum("deployer" not in call["caller_arn"] for call in mine)


@pytest.mark.timeout(400)
def test_an_incident_from_the_sdk_to_its_end_over_a_restart(firing: Firing, tmp_path: Path) -> None:
    before = changes(firing)
    with langgraph_dev(firing.account, tmp_path / "first.log") as host:
        nobody_gets_in(host)
        incident_id, thread_id = incident_of(host, firing).split()
        only_decisions_decide(host, thread_id)
        assert changes(firing) == before, "nothing but a decision lets anything happen"
        repeated = host.post("/alarms", firing.event, Role.OPERATOR)
        assert repeated.status_code == 202
        assert repeated.json()["incident_id"] == incident_id
        assert repeated.json()["outcome"] == "joined"
    with langgraph_dev(firing.account, tmp_path / "second.log") as host:
        sdk = host.sdk(Role.OPERATOR, Role.VIEWER)
        sdk.threads.create(thread_id=thread_id, graph_id="incident", if_exists="do_nothing")
        state = sdk.threads.get_state(thread_id)
        assert state["next"] == ["approve"], state
        assert state["values"]["incident"]["incident_id"] == incident_id
        decided = host.approve(incident_id)
        assert decided.status_code == 200, decided.text

        def ended() -> dict[str, Any] | None:
            firing.account.advance(30)
            record = host.get(f"/incidents/{incident_id}", Role.VIEWER).json()
            return record if record["closed_at"] else None

        record = until(ended, 120)
        assert record["status"] == "resolved", record["reason"]
        assert changes(firing) == before + 1
        stored = open_records(firing.settings).incidents.record(incident_id)
        assert stored is not None
        assert stored.status.value == "resolved"
        events = host.get(f"/incidents/{incident_id}/events", Role.VIEWER)
        assert events.text.endswith(f"event: end\ndata: {incident_id}\n\n")
        until(lambda: not sdk.threads.get_state(thread_id)["next"], 20)
        sdk.runs.wait(thread_id, "incident", input={"event": firing.event})
        again = host.get(f"/incidents/{incident_id}/events", Role.VIEWER)
        looks = '"text":"first_look started"'
        assert again.text.count(looks) == events.text.count(looks) == 1, "what has ended is not begun again"
        assert host.get(f"/incidents/{incident_id}", Role.VIEWER).json()["status"] == "resolved"


def two_fired(account: SimulatedAccount, settings: Settings) -> list[dict[str, Any]]:
    """The events of two alarms that watch the same errors and have both fired."""
    cloudwatch = account.client("cloudwatch")
    told = account.alarm("checkout-5xx")
    wanted = (
        "Namespace",
        "MetricName",
        "Dimensions",
        "Statistic",
        "Period",
        "EvaluationPeriods",
        "Threshold",
    )
    same = {
        name: told[name] for name in (*wanted, "ComparisonOperator", "TreatMissingData", "AlarmDescription")
    }
    cloudwatch.put_metric_alarm(AlarmName="checkout-5xx-again", **same)
    for name in ("checkout-5xx", "checkout-5xx-again"):
        account.advance_until(name, "ALARM", minutes=20)
    records = open_records(settings)
    queue = open_queue(records.access, records.backend.queue)
    events: dict[str, dict[str, Any]] = {}

    def both() -> bool:
        for delivery in queue.receive(1):
            event = json.loads(delivery.body)
            if event["detail"]["state"]["value"] == "ALARM":
                events[event["detail"]["alarmName"]] = event
        return len(events) == 2

    until(both, 30)
    return list(events.values())


@pytest.mark.timeout(500)
def test_what_waits_outlives_a_killed_server_and_all_that_it_kept(tmp_path: Path) -> None:
    """The records are the registry: a server in a new place, without any notes, lists and ends what waits."""
    with accounts() as start:
        account = start("bad-deployment")
        settings = settings_of(account)
        set_up(settings)
        events = two_fired(account, settings)

        def waiting(host: Host) -> list[str]:
            listed = host.get("/incidents?status=awaiting_approval", Role.VIEWER).json()["incidents"]
            return sorted(line["incident_id"] for line in listed)

        (tmp_path / "first").mkdir()
        with langgraph_dev(account, tmp_path / "first" / "server.log") as host:
            for event in events:
                assert host.post("/alarms", event, Role.OPERATOR).status_code == 202
            until(lambda: len(waiting(host)) == 2, 120)
            before = waiting(host)
        # The server was killed with SIGKILL; what it had written is left behind in the first place.
        shutil.rmtree(tmp_path / "first" / KEPT, ignore_errors=True)
        (tmp_path / "second").mkdir()
        with langgraph_dev(account, tmp_path / "second" / "server.log") as host:
            assert waiting(host) == before
            pending = open_records(settings).approvals.pending(settings.tenant)
            assert sorted(request.incident_id for request in pending) == before
            for incident_id in before:
                assert (
                    host.get(f"/incidents/{incident_id}", Role.VIEWER).json()["status"] == "awaiting_approval"
                )
                decided = host.approve(incident_id)
                assert decided.status_code == 200, decided.text

            def ended() -> list[dict[str, Any]] | None:
                account.advance(30)
                found = [host.get(f"/incidents/{one}", Role.VIEWER).json() for one in before]
                return found if all(record["closed_at"] for record in found) else None

            records = until(ended, 180)
        statuses = {record["status"] for record in records}
        assert "resolved" in statuses <= {"resolved", "escalated"}, [record["reason"] for record in records]
        done = [one for record in records for one in record["executions"] if one["state"] == "done"]
        mine = [c for c in account.calls("UpdateService") if not c["read_only"]]
        assert sum("deployer" not in call["caller_arn"] for call in mine) == len(done)
        assert list(open_records(settings).incidents.unfinished()) == []


@pytest.mark.timeout(200)
def test_make_dev_starts_both_and_ends_both(tmp_path: Path) -> None:
    port, state_dir = free_port(), tmp_path / "state"
    env = {**os.environ, "CLOUDOPS_STATE_DIR": str(state_dir), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "web.dev", "--port", str(port)]
    with (tmp_path / "dev.log").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=checkout(tmp_path), env=env, stdout=out, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}/healthz"

    def answers() -> dict[str, Any] | None:
        assert process.poll() is None, (tmp_path / "dev.log").read_text()[-2000:]
        try:
            answer = httpx.get(url, timeout=5, trust_env=False)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == 200 else None

    try:
        assert until(answers, READY_SECONDS)["world"] == "simulated"
        account = json.loads((state_dir / "local.json").read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert not (state_dir / "local.json").exists()
    for left in (url, account["endpoint"]):
        with pytest.raises(httpx.ConnectError):
            httpx.get(left, timeout=2, trust_env=False)
