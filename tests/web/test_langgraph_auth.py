"""The rules on the LangGraph server's own routes."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from langgraph_sdk import Auth

from memory.records.scope import Role
from tests.web.door import Door
from web.doorkeeper import Doorkeeper
from web.langgraph_auth import Rules, check_run, langgraph_auth, studio_roles

GOOD: dict[str, Any] = {
    "thread_id": "t",
    "multitask_strategy": "reject",
    "kwargs": {"input": {"event": {}}, "config": {"configurable": {}}, "temporary": False},
}


@dataclass(frozen=True)
class Person:
    identity: str = "ann"


@dataclass(frozen=True)
class Context:
    user: Any
    permissions: tuple[str, ...] = ()


def kwargs(**changed: Any) -> dict[str, Any]:
    return {**GOOD, "kwargs": {**GOOD["kwargs"], **changed}}


def status_of(call: Any) -> int:
    with pytest.raises(Auth.exceptions.HTTPException) as refused:
        asyncio.run(call)
    return refused.value.status_code


def test_a_run_that_starts_or_resumes_is_let_through() -> None:
    check_run(GOOD)
    check_run(kwargs(command={"resume": {"approved": True}, "update": None, "goto": None}))
    check_run({**GOOD, "multitask_strategy": "enqueue"})


@pytest.mark.parametrize(
    "value",
    [
        kwargs(command={"update": {"status": "acting"}}),
        kwargs(command={"goto": "act"}),
        kwargs(command={"resume": 1, "goto": [{"node": "act"}]}),
        kwargs(config={"configurable": {"holder": "run-of-somebody"}}),
        kwargs(config={"configurable": {"checkpoint_id": "1ef"}}),
        kwargs(temporary=True),
        {**GOOD, "thread_id": None},
        {**GOOD, "multitask_strategy": "rollback"},
        {**GOOD, "multitask_strategy": "interrupt"},
        {**GOOD, "multitask_strategy": None},
    ],
)
def test_a_run_that_steers_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(Auth.exceptions.HTTPException) as refused:
        check_run(value)
    assert refused.value.status_code == 403


def test_roles_decide_and_everything_else_is_denied(door: Door) -> None:
    rules = Rules(Doorkeeper(lambda: door.settings))
    viewer, operator = Context(Person(), (Role.VIEWER.value,)), Context(Person(), (Role.OPERATOR.value,))
    asyncio.run(rules.reading(viewer, {}))
    asyncio.run(rules.running(operator, GOOD))
    asyncio.run(rules.creating(operator, {"if_exists": "raise"}))
    asyncio.run(rules.cancelling(operator, {"action": "interrupt"}))
    assert status_of(rules.reading(operator, {})) == 403
    assert status_of(rules.running(viewer, GOOD)) == 403
    assert status_of(rules.creating(operator, {"thread_id": "copy"})) == 403
    assert status_of(rules.cancelling(operator, {"thread_id": "state update"})) == 403
    assert status_of(rules.cancelling(operator, {"action": "rollback"})) == 403
    assert asyncio.run(rules.nothing_else(operator, {})) is False


def test_studio_reads_and_starts_in_the_simulated_world_only(door: Door) -> None:
    rules = Rules(Doorkeeper(lambda: door.settings))
    studio = Context(Auth.types.StudioUser("studio"))
    asyncio.run(rules.reading(studio, {}))
    asyncio.run(rules.running(studio, GOOD))
    assert Role.APPROVER not in studio_roles(True)
    assert studio_roles(False) == ()


def test_every_call_without_a_rule_falls_to_the_denial(door: Door) -> None:
    auth = langgraph_auth(Doorkeeper(lambda: door.settings))
    assert len(auth._global_handlers) == 1
    assert set(auth._handlers) == {
        ("assistants", "read"),
        ("assistants", "search"),
        ("threads", "read"),
        ("threads", "search"),
        ("threads", "create"),
        ("threads", "create_run"),
        ("threads", "update"),
    }


def test_a_token_is_needed(door: Door) -> None:
    rules = Rules(Doorkeeper(lambda: door.settings))
    assert status_of(rules.authenticate(None)) == 401
    user = asyncio.run(rules.authenticate(f"Bearer {door.token(Role.VIEWER)}"))
    assert user == {"identity": "ann", "permissions": ["viewer"]}
