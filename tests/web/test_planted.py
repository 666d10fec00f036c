"""Secrets planted in every field of an event, sent to each door: no stored byte, log, report or message holds one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphs.bootstrap import set_up
from memory.records.scope import Role
from tests.console.commands import Desk
from tests.planted import TOLD, leaks, opened, planted, stored
from tests.simulated import SimulatedAccount, accounts
from tests.web.door import alarm_event, fired_alarm, served, settings_of
from tests.web.test_langgraph_dev import langgraph_dev, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def account() -> Iterator[SimulatedAccount]:
    """An account of this file alone: all that is stored in it is looked through."""
    with accounts() as start:
        one = start("bad-deployment")
        set_up(settings_of(one))
        yield one


def event(account: SimulatedAccount, name: str) -> dict[str, Any]:
    found = planted(alarm_event(name, account.now().isoformat()))
    assert leaks(opened("event", json.dumps(found).encode()))
    return found


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file in a folder and what is packed in it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield from opened(str(path), path.read_bytes())


def sent(account: SimulatedAccount) -> Iterator[tuple[str, bytes]]:
    """Whatever models and people were sent."""
    for call in account.calls():
        if call["service"] in {"bedrock-runtime", "sns"}:
            yield call["operation"], json.dumps(call["parameters"]).encode()


def test_the_http_door(account: SimulatedAccount, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with served(account) as door:
        answer = door.post_alarm(json.dumps(event(account, "planted-http")))
        assert answer.status_code == 202, answer.text
        record = door.wait_for_end(answer.json()["incident_id"])
        refused = door.post_alarm(json.dumps({"note": TOLD}))
        assert refused.status_code == 422
        told = door.post_alarm(json.dumps({"detail-type": TOLD, "source": "shop", "detail": {"note": TOLD}}))
        assert told.status_code == 202
        events = door.client.get(f"/incidents/{answer.json()['incident_id']}/events", headers=door.headers())
    shown = {
        "record": json.dumps(record),
        "log": caplog.text,
        "answers": answer.text + refused.text + told.text,
    }
    assert leaks(opened("events", events.content)) == []
    assert [one for place, text in shown.items() for one in leaks(opened(place, text.encode()))] == []
    assert leaks(stored(account)) == []
    assert leaks(sent(account)) == []


@pytest.mark.timeout(300)
def test_the_langgraph_servers_own_door_and_ours_in_it(account: SimulatedAccount, tmp_path: Path) -> None:
    with langgraph_dev(account, tmp_path / "server.log") as host:
        sdk = host.sdk(Role.OPERATOR, Role.VIEWER)
        thread_id = sdk.threads.create(metadata={"note": TOLD})["thread_id"]
        given = {"event": event(account, "planted-run"), "note": TOLD}
        sdk.runs.wait(thread_id, "incident", input=given, metadata={"note": TOLD}, durability="sync")
        sdk.runs.wait(thread_id, "incident", command={"resume": {"note": TOLD}})
        broken = {"event": {**event(account, "planted-broken"), "detail": {"note": TOLD}}}
        sdk.runs.wait(sdk.threads.create()["thread_id"], "incident", input=broken, raise_error=False)
        posted = host.post("/alarms", event(account, "planted-posted"), Role.OPERATOR)
        assert posted.status_code == 202, posted.text
        until(
            lambda: host.get(f"/incidents/{posted.json()['incident_id']}", Role.VIEWER).status_code == 200, 60
        )
        kept = [sdk.threads.search(), sdk.runs.list(thread_id), sdk.threads.get_history(thread_id)]
    assert leaks(opened("server", json.dumps(kept, default=str).encode())) == []
    assert leaks(written(tmp_path)) == []
    assert leaks(stored(account)) == []


def test_the_command_line(account: SimulatedAccount, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / ".cloudops").symlink_to(account.state_dir)
    file = tmp_path / "event.json"
    file.write_text(json.dumps(planted(json.loads(fired_alarm(account, settings_of(account))))))
    done = desk.run("run", str(file))
    assert "report.html" in done.stdout, done.stdout + done.stderr
    assert leaks(opened("terminal", (done.stdout + done.stderr).encode())) == []
    assert leaks(written(desk.out)) == []
    assert leaks(stored(account)) == []
    assert leaks(sent(account)) == []
