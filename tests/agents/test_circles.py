"""A model that asks for the same in ever other words is ended by code, whatever it changes, and it is on record why."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.errors import Fault, WentInCircles
from agents.guardrails import LocalSigns
from agents.observations import Observations
from agents.reads import MOST_AT_A_PLACE, MOST_ON_A_PART, MOST_TURNED_DOWN, Reads
from agents.triage import Triage
from memory.records.config import Limits
from memory.records.evidence import Evidence
from tests.agents.desk import INCIDENT, SCOPE, STORED, first_look, look_up, sources
from tests.agents.scripted import calling, role
from tools.catalogue import OBSERVE
from tools.evidence import Answer
from tools.observe.sources import ReadTool, Sources
from tools.reach import Reach

GROUP, QUEUE = "/ecs/shop/basket", "baskets-events"
ASKED: dict[str, dict[str, Any]] = {
    "describe_alarm": {"alarm_name": "basket-errors"},
    "alarm_history": {},
    "get_metric": {"namespace": "Shop", "metric_name": "Errors", "dimensions": {"Service": "basket"}},
    "query_logs": {"log_group": GROUP},
    "trace_request": {"request_id": "8a1f00", "log_groups": [GROUP, "/ecs/shop/front"]},
    "service_health": {"cluster": "shop", "service": "basket"},
    "stopped_tasks": {"cluster": "shop", "service": "basket"},
    "function_health": {"function": "basket-events"},
    "queue_health": {"queue": QUEUE},
    "table_health": {"table": "baskets"},
    "parameter_history": {"name": "/shop/basket/timeout"},
    "what_changed": {},
    "code_deployments": {},
    "search_runbooks": {"text": "errors after a deployment"},
}
ARNS = {
    GROUP: f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}",
    QUEUE: f"https://sqs.us-east-1.amazonaws.com/123456789012/{QUEUE}",
    "baskets": "arn:aws:dynamodb:us-east-1:123456789012:table/baskets",
    "basket-events": "arn:aws:lambda:us-east-1:123456789012:function:basket-events",
    "basket": "arn:aws:ecs:us-east-1:123456789012:service/shop/basket",
}
NAMES = {
    "basket-errors",
    "Shop",
    "basket",
    "shop",
    GROUP,
    "/ecs/shop/front",
    "basket-events",
    QUEUE,
    "baskets",
}
REACH = Reach(SCOPE, frozenset({*NAMES, "/shop/basket/timeout", *ARNS.values(), *map(str.upper, NAMES)}))
TOOLS = {tool.name: tool for tool in OBSERVE}


def counting(name: str, read: list[str]) -> ReadTool:
    """A tool of the catalogue that notes what reaches the account; each answer is another."""

    def ask(given: Sources, question: Any) -> Evidence:
        read.append(name)
        return given.recorder.observe(
            name, "test", "Read", {"n": len(read)}, lambda: Answer({"n": len(read)})
        )

    return replace(TOOLS[name], ask=ask)


def reads() -> Reads:
    return Reads(sources(), Observations(LocalSigns()), REACH)


@st.composite
def disguised(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """The same question in other words: another window, spelling, order or address, and beside empty fields."""
    asked, schema = {**ASKED[name]}, TOOLS[name].question.model_json_schema()["properties"]
    for field, about in schema.items():
        if about.get("type") == "integer" and draw(st.booleans()):
            asked[field] = draw(st.integers(about.get("minimum", 1), about.get("maximum", 500)))
        if field == "stat" and draw(st.booleans()):
            asked[field] = draw(st.sampled_from(["Sum", "Average", "p99"]))
        if field == "query" and draw(st.booleans()):
            asked[field] = f"fields @message | limit {draw(st.integers(1, 999))}"
    way = draw(st.sampled_from(["", "case", "space", "address", "order", "empty"]))
    for field, value in asked.items():
        if isinstance(value, str) and field not in {"stat", "query", "request_id"}:
            asked[field] = {
                "case": value.upper(),
                "space": f"{value} ",
                "address": ARNS.get(value, value),
            }.get(way, value)
        if isinstance(value, list) and way == "order":
            asked[field] = draw(st.permutations(value))
        if isinstance(value, dict) and way == "empty":
            asked[field] = {**value, "Zone": ""}
    if way == "empty" and draw(st.booleans()):
        asked["note"] = ""
    return asked


def test_every_read_tool_is_tried() -> None:
    assert set(ASKED) == set(TOOLS)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.lists(st.sampled_from(sorted(ASKED)), min_size=1, max_size=4, unique=True))
def test_whoever_asks_the_same_in_turns_and_in_any_words_is_ended(
    data: st.DataObject, names: list[str]
) -> None:
    held, read = reads(), []  # type: ignore[var-annotated]
    tools = {name: held.bound(counting(name, read)) for name in names}
    most = len(names) * (MOST_ON_A_PART + MOST_TURNED_DOWN)
    with pytest.raises(WentInCircles):
        for turn in range(most):
            name = names[turn % len(names)]
            tools[name].invoke(data.draw(disguised(name)))
    assert max(map(read.count, names)) <= MOST_ON_A_PART
    assert sum(int(stop.split(": ")[1].split()[0]) for stop in held.stops) == MOST_TURNED_DOWN


@pytest.mark.parametrize("name", ["get_metric", "trace_request", "search_runbooks"])
def test_names_that_a_model_may_choose_freely_do_not_let_it_read_one_place_for_ever(name: str) -> None:
    free = {"get_metric": "metric_name", "trace_request": "request_id", "search_runbooks": "text"}[name]
    held, read = reads(), []  # type: ignore[var-annotated]
    tool = held.bound(counting(name, read))
    with pytest.raises(WentInCircles):
        for turn in range(100):
            tool.invoke({**ASKED[name], free: f"{turn:06x}-0{turn}"})
    assert len(read) == MOST_AT_A_PLACE
    assert held.stops == (f"{name}: {MOST_TURNED_DOWN} asked of the same place once too often",)


def test_dimensions_of_other_names_are_the_same_place() -> None:
    held, read = reads(), []  # type: ignore[var-annotated]
    tool = held.bound(counting("get_metric", read))
    with pytest.raises(WentInCircles):
        for turn in range(100):
            tool.invoke({**ASKED["get_metric"], "dimensions": {f"Service{turn}": "basket"}})
    assert len(read) == MOST_AT_A_PLACE


def test_questions_that_no_tool_can_read_are_counted_and_ended() -> None:
    asked: list[str] = []
    model, chat = role(lambda _: calling("look_up", service="basket", more=""), limits=Limits(agent_steps=30))
    triage = Triage(model, (look_up(["a line"], asked=asked),), LocalSigns())
    result = triage.assess(INCIDENT, first_look(), STORED.values(), sources(model.limits))
    assert asked == []
    assert len(chat.heard) == MOST_TURNED_DOWN
    assert result.failure is not None
    assert result.failure.fault is Fault.CIRCLES
    assert result.assessment.stops == ("look_up: 5 asked in a way that the tool does not know",)
    assert "more: Extra inputs are not permitted" in chat.heard[-1][-1].text
