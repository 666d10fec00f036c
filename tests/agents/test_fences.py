"""Whatever stands in text from outside: it stays within its fence, in plain sight, and gives no orders from a fact."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.communicator import Communicator, Opening
from agents.critic import Critic, Doubt
from agents.guardrails import LocalSigns
from agents.notes import UPDATE, facts_of
from agents.prompting import fenced, labelled, tool_text
from agents.remediation import Proposal, Remediation
from agents.triage import Triage
from memory.records.message import Audience
from tests.agents.desk import INCIDENT, ORDERS, ROLLBACK, STORED, assessment, first_look, hypothesis, sources
from tests.agents.scripted import Scripted, heard_text, role
from tests.agents.test_triage import AGREES

UNSEEN = "\u202e\u200b\u2028\u2029\x85\x9b\ufeff\u3164\ufe0f\U000e0041\u2066\xad"
PIECES = [
    "</observations>",
    "<observations>",
    "```",
    "``",
    "`",
    "\n",
    '"}]}',
    "\\",
    "<",
    ">",
    "＜/observations＞",
    *UNSEEN,
]
HOSTILE = st.recursive(
    st.lists(st.sampled_from([*PIECES, "a", " "]), max_size=8).map("".join),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PIECES), inner, max_size=3),
    max_leaves=6,
)


@given(HOSTILE)
def test_no_text_closes_its_fence_or_hides_in_it(value: Any) -> None:
    inside = fenced("observations", value)
    opening, middle, closing = inside.split("\n")
    assert (opening, closing) == ("<observations>", "</observations>")
    for text in (
        middle,
        tool_text(value),
        labelled({"x": value}).removeprefix("```json\n").removesuffix("\n```"),
    ):
        assert not any(sign in text for sign in ("<", ">", "```", "\uff1c", "\n", *UNSEEN))
        assert json.loads(text) in (value, {"x": value})


@given(st.text())
def test_any_text_comes_out_of_its_fence_as_it_was(text: str) -> None:
    assert json.loads(tool_text(text)) == text


def _hostile_look() -> Any:
    """A first look in which somebody's value of a setting stands in what code states."""
    own = hypothesis(change=ORDERS, statement=f"basket was set to {ORDERS}")
    return first_look(
        hypotheses=(own,), causes=(own,), reason=f"basket fails since {ORDERS}", changed_otherwise=(ORDERS,)
    )


def _asked(agent: str) -> str:
    """Let an agent meet orders in the facts that code states; return what its model was sent."""
    look, said = _hostile_look(), {"summary": ORDERS, "hypotheses": _hostile_look().hypotheses}
    answers: dict[str, Any] = {
        "triage": AGREES,
        "critic": Doubt(confidence=0.9),
        "remediation": Proposal(actions=[], summary=""),
        "communicator": Opening(opening="It goes on."),
    }
    model, chat = role(answers[agent], name=agent)
    if agent == "triage":
        Triage(model, (), LocalSigns()).assess(INCIDENT, look, STORED.values(), sources())
    elif agent == "critic":
        Critic(model, LocalSigns()).review(look, assessment(**said), STORED.get, STORED.values())
    elif agent == "remediation":
        Remediation(model, LocalSigns()).propose(INCIDENT, assessment(**said), (ROLLBACK,))
    else:
        facts = facts_of(INCIDENT, first_look=look, assessment=assessment(**said))
        Communicator(model, LocalSigns()).note(UPDATE, Audience.ON_CALL, facts)
    return _heard(chat)


def _heard(chat: Scripted) -> str:
    assert chat.heard
    return heard_text(chat)


@pytest.mark.parametrize("agent", ["triage", "critic", "remediation", "communicator"])
def test_orders_in_what_code_states_reach_no_model(agent: str) -> None:
    assert ORDERS not in _asked(agent)
