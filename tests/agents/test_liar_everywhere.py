"""What a liar makes up reaches no plan, no approval note, no message and no objection, whoever asks it."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.communicator import Communicator, Opening
from agents.critic import Doubt, doubted
from agents.guardrails import LocalSigns
from agents.notes import APPROVAL, CLOSING, UPDATE, facts_of, listed
from agents.observations import Observations
from agents.remediation import PlanContext, Proposal, Remediation
from memory.records.message import Audience
from tests.agents.desk import CAPACITY, INCIDENT, ROLLBACK, STORED, assessment, first_look
from tests.agents.scripted import role
from tests.agents.test_communicator import ENDED, FACTS
from tests.agents.test_liar import _INVENTED, IDS, PARTS, TEXTS
from tests.agents.test_remediation import choice

MADE_UP = [
    *(
        "91 s",
        "17 hours",
        "$4217",
        "4217 %",
        "six of them",
        "a fifth of requests",
        "tenfold",
        "yesterday",
        "at midnight",
    ),
    *(
        "on 3 October",
        "last Friday",
        "two hours ago",
        "nobody is hit",
        "no errors",
        "every request fails",
        "is healthy",
    ),
    *("is harmless", "by Alice", "the warehouse service", "in us-east-9", "ev-9aaaaaaaaaaa", "kaluro"),
]
LIES = st.lists(st.one_of(TEXTS, st.sampled_from(MADE_UP)), min_size=1, max_size=4).map(" ".join)
MADE = re.compile("|".join([_INVENTED.pattern, *map(re.escape, MADE_UP)]), re.I)


@settings(max_examples=25, deadline=None)
@given(LIES, st.sampled_from([APPROVAL, CLOSING, UPDATE]), st.sampled_from(Audience))
def test_no_message(text: str, kind: str, audience: Audience) -> None:
    model, _ = role(Opening(opening=text), name="communicator")
    draft = Communicator(model, LocalSigns()).note(kind, audience, ENDED if kind == CLOSING else FACTS)
    assert MADE.search(f"{draft.subject} {draft.body}") is None, draft.body


@settings(max_examples=25, deadline=None)
@given(LIES, st.lists(PARTS, max_size=2), st.booleans())
def test_no_plan_and_no_note_that_asks_for_approval(text: str, names: list[str], acts: bool) -> None:
    said = Proposal(
        actions=[choice(ROLLBACK).model_copy(update={"why": text})] if acts else [],
        summary=text,
        no_action_reason=text,
        expected_effect=text,
        alternatives=[text],
        runbooks=names,
    )
    model, _ = role(said, name="remediation")
    plan = (
        Remediation(model, LocalSigns())
        .propose(INCIDENT, assessment(), (ROLLBACK, CAPACITY), PlanContext())
        .plan
    )
    told = listed(facts_of(INCIDENT, first_look=first_look(), assessment=assessment(), plan=plan))
    assert MADE.search(f"{plan.model_dump_json()} {told}") is None, plan


@settings(max_examples=25, deadline=None)
@given(LIES, st.lists(IDS, max_size=3), st.floats(0, 1))
def test_no_objection(text: str, against: list[str], confidence: float) -> None:
    seen = Observations(LocalSigns())
    seen.show_all(STORED.values())
    doubt = Doubt(confidence=confidence, evidence_against=against, objection=text)
    left = doubted(assessment(), doubt, seen, STORED.get)
    assert MADE.search(left.model_dump_json()) is None, left
    assert left.confidence <= assessment().confidence
