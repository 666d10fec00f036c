"""Where the points of the prompt cache stand: at most three in the conversation, each read by the next step."""

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agents.around_calls import marked

MOST_BESIDE_THE_PROMPT = 3


def conversation(results: list[int]) -> list[AnyMessage]:
    """A question, then steps that each make so many calls and get as many results."""
    said: list[AnyMessage] = [HumanMessage("what broke?")]
    for step, count in enumerate(results):
        said.append(AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": f"{step}"}]))
        said += [ToolMessage(f"found {n}", tool_call_id=f"{step}-{n}") for n in range(count)]
    return said


def points(messages: list[AnyMessage]) -> list[int]:
    return [n for n, one in enumerate(messages) if isinstance(one.content, list)]


@given(st.lists(st.integers(1, 4), max_size=8))
def test_what_a_step_marks_last_the_next_step_marks_too(results: list[int]) -> None:
    now = points(marked(conversation(results)))
    following = points(marked(conversation([*results, 2])))
    assert len(now) <= MOST_BESIDE_THE_PROMPT
    assert now[-1] == len(conversation(results)) - 1
    assert now[-1] in following
    assert now[0] == following[0] == 0


def test_a_model_that_takes_no_point_by_results_is_given_one_by_the_question_alone() -> None:
    assert points(marked(conversation([2, 1]), tool_results=False)) == [0]
