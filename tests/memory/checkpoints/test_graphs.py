"""Graphs over the saver: what a run returns is what is stored, and what is stored can be resumed."""

import operator
import uuid
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

from memory.checkpointed import open_checkpointer, serializer
from memory.records.alarm import Metric
from memory.records.scope import Scope
from tests.memory.checkpoints.conftest import OpenSaver

WIDTH = 14
HOME = Scope(tenant="acme", account="111122223333", region="us-east-1")


def together(state: list[str], writes: list[list[str]]) -> list[str]:
    return [*(state or []), *(one for write in writes for one in write)]


class Wide(TypedDict, total=False):
    items: Annotated[list[str], DeltaChannel(together, snapshot_frequency=7)]
    plain: Annotated[list[str], operator.add]


def wide(saver: Any) -> Any:
    drawing: Any = StateGraph(Wide)
    drawing.add_node("spread", lambda state: {"plain": ["begun"]})
    drawing.add_node("work", lambda told: {"items": [f"w{told['n']}"], "plain": [f"w{told['n']}"]})
    drawing.add_node("join", lambda state: {"items": [f"joined {len(state['items'])}"]})
    drawing.add_edge(START, "spread")
    drawing.add_conditional_edges(
        "spread", lambda state: [Send("work", {"n": n}) for n in range(WIDTH)], ["work"]
    )
    drawing.add_edge("work", "join")
    drawing.add_edge("join", END)
    return drawing.compile(checkpointer=saver)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_delta_channel_of_fourteen_tasks_is_read_as_the_run_left_it(
    open_saver: OpenSaver, thread: str, durability: Any, asynchronous: bool
) -> None:
    saver, peer = open_saver(), InMemorySaver()
    told: Any = {"configurable": {"thread_id": thread}}
    for _ in range(6):
        given = {"items": ["in"], "plain": []}
        if asynchronous:
            ran = await wide(saver).ainvoke(given, told, durability=durability)
            stored = (await wide(open_saver()).aget_state(told)).values
        else:
            ran = wide(saver).invoke(given, told, durability=durability)
            stored = wide(open_saver()).get_state(told).values
        wide(peer).invoke(given, told, durability=durability)
        assert stored == ran
    expected = [one.values for one in wide(peer).get_state_history(told)]
    assert [one.values for one in wide(open_saver()).get_state_history(told)] == expected


def test_pruning_keeps_what_delta_channels_are_rebuilt_from(open_saver: OpenSaver, thread: str) -> None:
    told: Any = {"configurable": {"thread_id": thread}}
    for _ in range(3):
        ran = wide(open_saver()).invoke({"items": ["in"], "plain": []}, told)
        open_saver().prune([thread])
        assert wide(open_saver()).get_state(told).values == ran


class Held(TypedDict, total=False):
    scope: Scope
    seen: Annotated[list[Any], operator.add]


def held(saver: Any) -> Any:
    drawing: Any = StateGraph(Held)
    drawing.add_node("look", lambda state: {"scope": HOME, "seen": [Metric(namespace="n", name="m")]})
    drawing.add_node(
        "ask", lambda state: {"seen": [interrupt({"about": state["scope"]}), interrupt("sure?")]}
    )
    drawing.add_edge(START, "look")
    drawing.add_edge("look", "ask")
    drawing.add_edge("ask", END)
    return drawing.compile(checkpointer=saver)


def test_records_come_back_as_records_in_another_process(client: Any, table: str, thread: str) -> None:
    told: Any = {"configurable": {"thread_id": thread}}
    held(open_checkpointer(client, table)).invoke({}, told)
    asked = held(open_checkpointer(client, table)).get_state(told)
    assert asked.values["scope"] == HOME
    assert type(asked.values["seen"][0]) is Metric
    assert asked.interrupts[0].value == {"about": HOME}
    held(open_checkpointer(client, table)).invoke(Command(resume=HOME), told)
    ended = held(open_checkpointer(client, table)).invoke(Command(resume="yes"), told)
    assert ended["seen"][1:] == [HOME, "yes"]
    assert held(open_checkpointer(client, table)).get_state(told).values == ended


def test_a_type_that_is_not_listed_is_not_read_back(open_saver: OpenSaver, thread: str) -> None:
    told: Any = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    held(open_saver(serde=serializer())).invoke({}, told)
    strict = open_saver(serde=JsonPlusSerializer(allowed_msgpack_modules=[]))
    found = strict.get_tuple(told)
    assert found is not None
    assert not isinstance(found.checkpoint["channel_values"]["scope"], Scope)
    listed = strict.with_allowlist([(Scope.__module__, Scope.__qualname__)]).get_tuple(told)
    assert listed is not None
    assert listed.checkpoint["channel_values"]["scope"] == HOME


async def test_a_thread_goes_on_over_versions_that_another_saver_made(open_saver: OpenSaver) -> None:
    for version in (3, "00000000000000000000000000000003.0.5512345678901234"):
        assert open_saver().get_next_version(version, None).startswith(f"{4:032}.")
        assert open_saver().get_next_version(None, None) < open_saver().get_next_version(version, None)


async def test_time_travel_forks_and_both_branches_stand(open_saver: OpenSaver, thread: str) -> None:
    told: Any = {"configurable": {"thread_id": thread}}
    ran = await wide(open_saver()).ainvoke({"items": ["in"], "plain": []}, told)
    history = [one async for one in wide(open_saver()).aget_state_history(told)]
    fork = next(one for one in history if one.next == ("spread",))
    again = await wide(open_saver()).ainvoke(None, fork.config)
    assert again == ran
    assert (await wide(open_saver()).aget_state(history[0].config)).values == ran
    assert uuid.UUID(fork.config["configurable"]["checkpoint_id"])
