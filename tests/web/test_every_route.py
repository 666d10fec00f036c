"""Every route of the LangGraph server, ours and its own, used by callers who may not approve: nothing is done.

The routes are read from the server's own openapi.json, so a new one is tried as soon as it is there.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from graphs.bootstrap import open_records, set_up
from memory.records.scope import Role
from tests.simulated import accounts
from tests.web.door import fired_alarm, settings_of, until
from tests.web.test_langgraph_dev import Firing, Host, changes, incident_of, langgraph_dev

CALLERS = ((Role.OPERATOR, Role.VIEWER), (Role.VIEWER,), ())
ORDER = ("get", "post", "put", "patch", "delete")
SECONDS = 6.0
MADE_UP = {"approved": True, "by": {"id": "ann", "kind": "person", "roles": ["approver"]}}
# What would let the incident go on if a route believed it: by a resume, a jump, an edited state, a decision.
EVIL: tuple[dict[str, Any], ...] = (
    {"command": {"resume": MADE_UP}},
    {"command": {"goto": "act"}},
    {"command": {"update": {"status": "acting"}, "resume": MADE_UP}},
    {"values": {"status": "acting", "reviews": [], "approval": MADE_UP}, "as_node": "approve"},
    {"values": {"status": "acting"}, "as_node": "review"},
    {"approved": True, "reason": "so be it"},
    {"approved": True, "plan_hash": "0" * 8, "reason": "so be it", "break_glass": True},
    {"config": {"configurable": {"holder": "me", "langgraph_auth_user": {"roles": ["approver"]}}}},
    {},
)
# The same in the words of each protocol that the server speaks or may be set to speak, and past what works already.
FURTHER: tuple[dict[str, Any], ...] = (
    *(
        {"command": {"resume": MADE_UP}, "multitask_strategy": one}
        for one in ("enqueue", "interrupt", "rollback")
    ),
    {"command": {"resume": MADE_UP}, "webhook": "http://127.0.0.1:9/told", "after_seconds": 0},
    {"command": {"resume": MADE_UP}, "checkpoint": {"checkpoint_ns": ""}, "interrupt_before": ["act"]},
    {"name": "mine", "context": MADE_UP, "config": {"configurable": MADE_UP}, "if_exists": "do_nothing"},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "incident", "arguments": MADE_UP}},
)
# Routes that the server may have without telling of them.
UNTOLD = (
    *((method, "/mcp/") for method in ("get", "post", "delete")),
    ("post", "/a2a/{assistant_id}"),
    ("post", "/ui/{graph_id}"),
    ("get", "/profile"),
    ("put", "/store/items"),
    ("post", "/threads/{thread_id}/commands"),
    ("post", "/threads/{thread_id}/stream/events"),
)


def routes(host: Host) -> list[tuple[str, str]]:
    """Every method and path that the server tells of, those that only read first and deletions last."""
    paths: Mapping[str, Mapping[str, Any]] = host.get("/openapi.json", *Role).json()["paths"]
    found = [(method, path) for path, methods in paths.items() for method in methods if method in ORDER]
    return sorted({*found, *UNTOLD}, key=lambda one: (ORDER.index(one[0]), one[1]))


def commands(thread_id: str) -> list[dict[str, Any]]:
    """What a client of the event stream would send: a run to start, an answer to what waits."""
    start = {"assistant_id": "incident", "input": MADE_UP, "command": {"goto": "act"}}
    answer = {"namespace": [], "interrupt_id": thread_id, "response": MADE_UP}
    message = {
        "role": "user",
        "messageId": "1",
        "contextId": thread_id,
        "parts": [{"kind": "data", "data": MADE_UP}],
    }
    return [
        {"id": 1, "method": "run.start", "params": start},
        {
            "id": 2,
            "method": "run.start",
            "params": {"assistant_id": "incident", "command": {"resume": MADE_UP}},
        },
        {"id": 3, "method": "input.respond", "params": answer},
        {"id": 4, "method": "input.respond", "params": {"responses": [answer]}},
        {"jsonrpc": "2.0", "id": 5, "method": "message/send", "params": {"message": message}},
    ]


def bodies(event: dict[str, Any], thread_id: str, incident_id: str) -> Iterator[dict[str, Any]]:
    """Bodies that name the waiting thread in every way that a route may read, each with one evil thing."""
    named = {
        "assistant_id": "incident",
        "graph_id": "incident",
        "thread_id": thread_id,
        "incident_id": incident_id,
    }
    for evil in EVIL:
        yield {**named, **evil}
        yield evil
    for evil in FURTHER:
        yield {**named, **evil}
    yield from commands(thread_id)
    yield {**named, "input": {"event": event, "status": "acting", "reviews": []}, "as_node": "act"}
    yield {
        "namespace": ["approvals", incident_id],
        "key": "decision",
        "value": MADE_UP,
        "ids": [thread_id],
        "thread_ids": [thread_id],
        "schedule": "* * * * *",
    }


def answered(host: Host, method: str, path: str, body: dict[str, Any] | None, roles: tuple[Role, ...]) -> int:
    """The status of one request; 0 where the route goes on answering for longer than we listen."""
    try:
        with httpx.stream(
            method.upper(),
            host.url + path,
            json=body,
            headers=host.headers(*roles),
            timeout=SECONDS,
            trust_env=False,
        ) as answer:
            return answer.status_code
    except httpx.TimeoutException:
        return 0
    except httpx.RemoteProtocolError:
        return 0


def spoken_to(host: Host, thread_id: str, roles: tuple[Role, ...]) -> int:
    """Say each command over the socket of the event stream; return how many were answered."""
    address = f"{host.url.replace('http', 'ws', 1)}/threads/{thread_id}/stream/events"
    answered = 0
    for command in commands(thread_id):
        try:
            with connect(
                address, additional_headers=host.headers(*roles), open_timeout=SECONDS, proxy=None
            ) as socket:
                socket.send(json.dumps(command))
                socket.recv(timeout=SECONDS)
                answered += 1
        except (WebSocketException, TimeoutError, OSError):
            continue
    return answered


@pytest.fixture
def fired() -> Iterator[Firing]:
    """An account with a bad deployment whose alarm has fired."""
    with accounts() as start:
        account = start("bad-deployment")
        settings = settings_of(account)
        set_up(settings)
        yield Firing(account, settings, json.loads(fired_alarm(account, settings)))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_route_does_anything_without_the_right_to_approve(fired: Firing, tmp_path: Path) -> None:
    before, tried = changes(fired), Counter[str]()
    with langgraph_dev(fired.account, tmp_path / "server.log") as host:
        incident_id, thread_id = incident_of(host, fired).split()
        known = {
            "thread_id": thread_id,
            "incident_id": incident_id,
            "assistant_id": "incident",
            "graph_id": "incident",
        }
        for method, path in routes(host):
            for part in [one.partition("}")[0] for one in path.split("{")[1:]]:
                path = path.replace("{" + part + "}", known.get(part.partition(":")[0], thread_id))
            sent: list[dict[str, Any] | None] = [None]
            if method in {"post", "put", "patch"}:
                sent = list(bodies(fired.event, thread_id, incident_id))
            for roles in CALLERS:
                for body in sent:
                    # What the server makes of it is the server's own; what it does is looked at below.
                    answered(host, method, path, body, roles)
                    tried[f"{method} {path}"] += 1
        for roles in CALLERS:
            tried["websocket"] += spoken_to(host, thread_id, roles)
        assert tried["websocket"], "the socket of the event stream took nothing"
        _nothing_was_done(fired, incident_id, before)
        # It is not for want of something to do: whoever may decide has it done.
        decided = host.approve(incident_id)
        assert decided.status_code == 200, decided.text
        until(lambda: changes(fired) == before + 1, 120)
    assert len(tried) >= 40 and any("decision" in one for one in tried), tried


def _nothing_was_done(fired: Firing, incident_id: str, before: int) -> None:
    records = open_records(fired.settings)
    scope = records.incidents.scope_of(incident_id)
    assert changes(fired) == before
    assert list(records.executions.all(scope, incident_id)) == []
    (request,) = records.approvals.requests(scope, incident_id)
    assert request.status.value == "pending" and request.used == ()
    assert records.approvals.decisions(scope, incident_id, request.plan_hash) == ()
