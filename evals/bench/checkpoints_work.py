"""What the compared checkpointers are given to do: a run of six steps over a thread of thirty messages."""

import operator
import random
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import END, START, StateGraph, add_messages

STEPS, MESSAGES, WORDS = 6, 30, 85
VOCABULARY = 3000


class State(TypedDict, total=False):
    """A conversation with what a run keeps beside it."""

    messages: Annotated[list[AnyMessage], add_messages]
    log: Annotated[list[str], operator.add]
    done: int


@cache
def text(seed: int) -> str:
    """Return some 550 characters of words, the same for the same seed, that compress as prose does."""
    chance = random.Random(seed)
    # Few words are frequent and most are rare, as in any language.
    picked = (int(VOCABULARY * chance.random() ** 3) for _ in range(WORDS))
    return " ".join(word(number) for number in picked)


@cache
def word(number: int) -> str:
    """Return the word of a number: letters without a pattern, two to nine of them."""
    chance = random.Random(number * 7919)
    return "".join(chance.choice("etaoinshrdlucmfwypvbgkjqxz") for _ in range(chance.randint(2, 9)))


def graph(saver: Any, steps: int = STEPS) -> Any:
    """Return a graph of steps in a row, each of which adds a message, a line and a number."""
    drawing: Any = StateGraph(State)
    before = START
    for number in range(steps):
        name = f"step{number}"
        drawing.add_node(name, _step(number))
        drawing.add_edge(before, name)
        before = name
    drawing.add_edge(before, END)
    return drawing.compile(checkpointer=saver)


async def seeded(runner: Any, thread: str, messages: int = MESSAGES) -> dict[str, Any]:
    """Put a thread's first messages in place and return the config that names it."""
    told = {"configurable": {"thread_id": thread}}
    seed = sum(thread.encode())
    first = [_message(number)(content=text(seed + number), id=f"m{number}") for number in range(messages)]
    await runner.aupdate_state(told, {"messages": first, "log": ["begun"], "done": 0}, as_node="__start__")
    return told


async def run(runner: Any, told: dict[str, Any], durability: str = "sync") -> dict[str, Any]:
    """Run the graph once more over a thread that is there."""
    asked = {"messages": [HumanMessage(content=text(77), id="question")]}
    answer: dict[str, Any] = await runner.ainvoke(
        asked, {**told, "recursion_limit": 1000}, durability=durability
    )
    return answer


def _step(number: int) -> Callable[[State], Awaitable[dict[str, Any]]]:
    async def step(state: State) -> dict[str, Any]:
        said = AIMessage(content=text(1000 + number), id=f"answer{number}")
        return {"messages": [said], "log": [f"step {number} is done"], "done": number}

    return step


def _message(number: int) -> Any:
    return AIMessage if number % 2 else HumanMessage
