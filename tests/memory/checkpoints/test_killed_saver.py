"""A process that is killed at any moment of a run: nothing that was acknowledged is lost or in another order.

Each run is a process forked when everything is imported, and killed after a random time. What it was told to be
durable it has written to a pipe first, so that the test knows more than the table does.
"""

import json
import operator
import os
import random
import signal
import time
import uuid
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

from memory.checkpoints.saver import DynamoSaver
from tests.memory.checkpoints.conftest import CONFIG
from tests.memory.checkpoints.drawn import config
from tests.simulated import boto_session

KILLS, STEPS, WIDTH, SEED = 200, 5, 4, 20261123


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


class Telling(DynamoSaver):
    """Says what was acknowledged, after it was."""

    told: int

    def put(self, *args: Any, **kwargs: Any) -> Any:
        stored = super().put(*args, **kwargs)
        self._tell("put", stored["configurable"]["checkpoint_id"])
        return stored

    def put_writes(self, told: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        super().put_writes(told, writes, task_id, task_path)
        self._tell("writes", told["configurable"]["checkpoint_id"], task_id, [value for _, value in writes])

    def _tell(self, *what: Any) -> None:
        os.write(self.told, json.dumps(what, default=str).encode() + b"\n")


def work(saver: Any) -> Any:
    """Steps in a row, each with tasks side by side, and a question in the middle."""
    drawing: Any = StateGraph(State)
    before = START
    for step in range(STEPS):
        gate, side = f"gate{step}", f"side{step}"
        drawing.add_node(gate, _gate(step))
        drawing.add_node(side, lambda told: {"log": [told["line"]]})
        drawing.add_edge(before, gate)
        drawing.add_conditional_edges(gate, _sends(step), [side])
        before = side
    drawing.add_edge(before, END)
    return drawing.compile(checkpointer=saver)


def _gate(step: int) -> Any:
    def gate(state: State) -> Any:
        answer = interrupt("go on?") if step == 2 else "yes"
        return {"log": [f"{step}: {answer}"]}

    return gate


def _sends(step: int) -> Any:
    return lambda state: [Send(f"side{step}", {"line": f"{step}.{number}"}) for number in range(WIDTH)]


EXPECTED = [
    line
    for step in range(STEPS)
    for line in (f"{step}: yes", *(f"{step}.{number}" for number in range(WIDTH)))
]


def attempt(open_saver: Any, thread: str, pipe: int) -> None:
    """Carry the run as far as it goes."""
    saver = open_saver(pipe)
    runner, told = work(saver), config(thread)
    state = runner.get_state(told)
    # A step whose tasks have all written is not done: its checkpoint is to come.
    if state.created_at and not state.tasks:
        return
    given: Any = None if state.created_at else {"log": []}
    if any(task.interrupts for task in state.tasks):
        given = Command(resume="yes")
    while True:
        runner.invoke(given, told, durability=random.choice(["sync", "async"]))
        if not runner.get_state(told).tasks:
            break
        given = Command(resume="yes")
    saver.close()


def forked(open_saver: Any, thread: str, after: float | None) -> tuple[bool, list[Any]]:
    """Run in a process of its own, killed after some seconds; say whether it ended, and what it was told."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            attempt(open_saver, thread, writing)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as lines:
        told = [json.loads(line) for line in lines.read().splitlines()]
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0, told


@pytest.mark.timeout(1500)
def test_two_hundred_kills_lose_nothing_and_bring_nothing_old_back(client: Any, table: str) -> None:
    signed, chance = client._request_signer._credentials, random.Random(SEED)
    endpoint, keys = client.meta.endpoint_url, (signed.access_key, signed.secret_key)

    def open_saver(pipe: int) -> Any:
        own = boto_session().client(
            "dynamodb",
            endpoint_url=endpoint,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            config=CONFIG,
        )
        saver = Telling(own, table)
        saver.told = pipe
        return saver

    warm = uuid.uuid4().hex
    begin = time.monotonic()
    ended, _ = forked(open_saver, warm, None)
    span = time.monotonic() - begin
    assert ended
    kills = 0
    while kills < KILLS:
        thread, known = uuid.uuid4().hex, [("put", "")]
        for _ in range(6):
            ended, told = forked(open_saver, thread, chance.uniform(0.01, span))
            kills += not ended
            known += told
            check(DynamoSaver(client, table), thread, known)
            if ended:
                break
        assert ended or forked(open_saver, thread, None)[0]
        assert work(DynamoSaver(client, table)).get_state(config(thread)).values["log"] == EXPECTED


def check(saver: DynamoSaver, thread: str, known: list[Any]) -> None:
    """What was acknowledged stands: the newest checkpoint is no older, and every write is in its place."""
    newest = max(one[1] for one in known if one[0] == "put")
    found = saver.get_tuple(config(thread))
    assert (found.config["configurable"]["checkpoint_id"] if found else "") >= newest
    stands = {one.checkpoint["id"]: one for one in saver.list(config(thread))}
    for kind, checkpoint, *rest in known:
        if kind == "put":
            assert not checkpoint or checkpoint in stands
        elif checkpoint in stands:
            task, values = rest
            pending = stands[checkpoint].pending_writes or []
            held = [json.loads(json.dumps(one[2], default=str)) for one in pending if one[0] == task]
            assert [one for one in held if one in values] == values
    saver.close()
