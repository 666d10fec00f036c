"""Triage starts from the first look, reads more, and never ends with less than the first look."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from agents.errors import Fault
from agents.guardrails import AppliedGuardrail, Findings, GuardrailChecks, LocalSigns, TextGuard
from agents.models import RoleModel
from agents.notes import facts_of
from agents.triage import Cause, Opinion, Triage, TriageResult
from memory.records.assessment import CauseKind, Verdict
from memory.records.config import Limits
from memory.records.evidence import Evidence
from memory.records.incident import Severity
from tests.agents.desk import INCIDENT, METRIC, ORDERS, POISON, ROLLOUT, STORED, first_look, look_up, sources
from tests.agents.scripted import calling, heard_text, role
from tools.errors import ToolProblem
from tools.evidence import Answer
from tools.observe.sources import Question, ReadTool, Sources

AGREES = Opinion(
    verdict=Verdict.CAUSE,
    summary="basket fails since basket:8 was rolled out.",
    hypotheses=[
        Cause(
            kind=CauseKind.DEPLOYMENT,
            component="basket",
            change="basket:8",
            statement="The rollout of basket:8 broke basket.",
            evidence_for=[METRIC.evidence_id, ROLLOUT.evidence_id],
            confidence=0.9,
        )
    ],
    causal_path=["basket", "front", "the moon"],
    confidence=0.9,
)
MOON = 1


def assess(model: RoleModel, *tools: ReadTool, guard: TextGuard | None = None) -> TriageResult:
    triage = Triage(model, tools, guard or LocalSigns())
    return triage.assess(INCIDENT, first_look(), STORED.values(), sources(model.limits))


def test_an_opinion_that_agrees_becomes_the_assessment() -> None:
    model, chat = role(AGREES)
    result = assess(model)
    assert result.assessment.verdict is Verdict.CAUSE
    assert result.assessment.by_model
    assert result.assessment.severity is Severity.HIGH
    assert result.assessment.causal_path == ("basket", "front")
    assert result.assessment.confidence == 0.9
    assert result.models[0].calls == 1
    assert METRIC.evidence_id in heard_text(chat)


def test_evidence_that_is_stored_and_was_not_shown_can_be_cited() -> None:
    model, _ = role(AGREES)
    given = sources()
    given.recorder.ledger.add(ROLLOUT)
    result = Triage(model, (), LocalSigns()).assess(INCIDENT, first_look(), [METRIC], given)
    assert result.assessment.hypotheses[0].evidence_for == (METRIC.evidence_id, ROLLOUT.evidence_id)
    assert result.assessment.claims_removed == MOON


def test_the_form_has_no_place_for_a_severity() -> None:
    assert "severity" not in json.dumps(Opinion.model_json_schema()).lower()


def test_what_a_tool_finds_can_be_cited() -> None:
    asked: list[str] = []

    def cite(messages: object) -> Opinion:
        observation = json.loads(heard_text(chat).split("\n")[-1])["observation"]
        own = AGREES.hypotheses[0].model_copy(update={"evidence_for": [observation["evidence_id"]]})
        return AGREES.model_copy(update={"hypotheses": [own]})

    model, chat = role(calling("look_up", service="basket"), cite)
    result = assess(model, look_up(["basket:8 KeyError"], asked=asked))
    assert asked == ["basket"]
    assert result.assessment.verdict is Verdict.CAUSE
    assert result.assessment.claims_removed == MOON
    assert (result.spend.model_calls, result.spend.tool_calls, result.spend.aws_calls) == (2, 1, 1)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), Fault.UNREACHABLE),
        ("I would rather not say.", Fault.UNUSABLE),
    ],
)
def test_without_a_usable_answer_the_first_look_stands(said: object, fault: Fault) -> None:
    model, _ = role(said)  # type: ignore[arg-type]
    result = assess(model)
    assert result.assessment.by_model is False
    assert result.assessment.verdict is Verdict.CAUSE
    assert result.assessment.hypotheses == first_look().hypotheses
    assert result.assessment.severity is Severity.HIGH
    assert result.assessment.summary == first_look().reason
    assert "No model looked at this" in result.assessment.not_checked[-1]
    assert result.failure is not None
    assert result.failure.fault is fault


def test_a_model_that_reads_for_ever_is_ended_and_the_first_look_stands() -> None:
    turns = iter(range(100))
    model, chat = role(lambda _: calling("look_up", service=f"s{next(turns)}"), limits=Limits(agent_steps=4))
    result = assess(model, look_up(["nothing"]))
    assert result.assessment.by_model is False
    assert len(chat.heard) == 4
    assert result.failure is not None
    assert result.failure.fault is Fault.BUDGET


def test_orders_in_observations_never_reach_the_model() -> None:
    model, chat = role(calling("look_up", service="basket"), AGREES)
    assess(model, look_up(["a plain line", ORDERS]))
    assert ORDERS not in heard_text(chat)
    assert "a plain line" in heard_text(chat)
    assert "KeyError price" in heard_text(chat)


def test_what_no_guard_has_cleared_is_withheld_and_carries_no_hypothesis() -> None:
    class Away:
        def scan(self, text: str, direction: object = None) -> Findings:
            return Findings(flags=("unscanned",))

    def cite(messages: object) -> Opinion:
        observation = json.loads(heard_text(chat).split("\n")[-1])["observation"]
        own = AGREES.hypotheses[0].model_copy(update={"evidence_for": [observation["evidence_id"]]})
        return AGREES.model_copy(update={"hypotheses": [own]})

    model, chat = role(calling("look_up", service="basket"), cite)
    result = assess(model, look_up(["basket:8 KeyError"]), guard=Away())
    left = result.assessment
    assert "KeyError" not in heard_text(chat)
    assert left.verdict is Verdict.UNRESOLVED
    # Nobody has given orders in it, as far as is known: it was not looked at, and that is what is told.
    assert left.flagged == (POISON.evidence_id,)
    assert len(left.unscanned) == 1
    told = facts_of(INCIDENT, assessment=left)
    assert left.unscanned[0] not in told["orders_found"]
    assert "no guard could look at" in told["not_scanned"]
    assert left.unscanned[0] in told["not_scanned"]


def test_a_hypothesis_on_flagged_evidence_alone_is_dropped() -> None:
    own = AGREES.hypotheses[0].model_copy(update={"evidence_for": [POISON.evidence_id]})
    model, _ = role(AGREES.model_copy(update={"hypotheses": [own]}))
    left = assess(model).assessment
    assert (left.verdict, left.causes) == (Verdict.UNRESOLVED, ())
    assert left.hypotheses == first_look().hypotheses
    assert left.flagged == (POISON.evidence_id,)


class Nothing(Question):
    """Nothing to ask."""


def test_a_tool_that_fails_answers_with_its_problem() -> None:
    def fail(given: Sources, question: Nothing) -> Evidence:
        raise ToolProblem("logs of basket", "MalformedQueryException")

    model, chat = role(calling("broken"), AGREES)
    result = assess(model, ReadTool("broken", "Breaks.", Nothing, fail, lambda *_: Answer({})))
    assert "MalformedQueryException" in heard_text(chat)
    assert result.assessment.by_model


def test_arguments_that_do_not_fit_are_answered_and_not_run() -> None:
    asked: list[str] = []
    model, _ = role(calling("look_up", srevice="basket"), AGREES)
    assert assess(model, look_up([], asked=asked)).assessment.by_model
    assert asked == []


def test_checks_that_cannot_be_reached_clear_nothing() -> None:
    class Broken:
        def invoke_guardrail_checks(self, **asked: object) -> None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    findings = GuardrailChecks(Broken()).scan("anything")
    assert findings.flags == ("unscanned",)
    assert not findings.clear


@pytest.mark.parametrize("length", [1, 19_999, 20_000, 20_001, 24_000, 45_000])
def test_what_stands_across_two_requests_to_a_guard_is_whole_in_one(length: int) -> None:
    asked: list[str] = []

    class Clear:
        def invoke_guardrail_checks(self, **request: Any) -> dict[str, Any]:
            asked.append(request["messages"][0]["content"][0]["text"])
            return {"results": {}}

    text = "".join(f"{number:05d} " for number in range(length // 6 + 1))[:length]
    assert GuardrailChecks(Clear()).scan(text).clear
    assert max(map(len, asked)) <= 20_000
    assert len(asked) == (1 if length <= 20_000 else 2 if length <= 38_000 else 3)
    orders = [text[at : at + 1_500] for at in range(0, length, 500)]
    assert all(any(order in one for one in asked) for order in orders)


def test_what_a_guard_only_masks_is_masked_and_flags_nothing() -> None:
    class Masks:
        def scan(self, text: str, direction: object = None) -> Findings:
            found = ("5198637902821572257",) if "5198637902821572257" in text else ()
            return Findings(flags=("sensitive",), matches=found) if found else Findings()

    model, chat = role(calling("look_up", service="basket"), AGREES)
    result = assess(model, look_up(["ecs-svc/5198637902821572257 completed", "a plain line"]), guard=Masks())
    assert "5198637902821572257" not in heard_text(chat)
    assert "ecs-svc/[masked] completed" in heard_text(chat)
    assert result.assessment.flagged == (POISON.evidence_id,)


def test_a_guardrail_that_masks_is_told_from_one_that_blocks() -> None:
    entry = {"match": "5198637902821572257", "type": "CREDIT_DEBIT_CARD_NUMBER", "action": "ANONYMIZED"}

    class Client:
        def __init__(self, **more: object) -> None:
            self.assessment = {"sensitiveInformationPolicy": {"piiEntities": [entry], "regexes": []}, **more}

        def apply_guardrail(self, **asked: object) -> dict[str, object]:
            return {"action": "GUARDRAIL_INTERVENED", "assessments": [self.assessment]}

    masks = AppliedGuardrail(Client(), "g", "1").scan("text")
    assert (masks.flags, masks.matches) == (("sensitive",), ("5198637902821572257",))
    blocks = AppliedGuardrail(Client(contentPolicy={"filters": [{"type": "PROMPT_ATTACK"}]}), "g", "1").scan(
        "text"
    )
    assert (blocks.flags, blocks.matches) == (("guardrail",), ())
    entry["action"] = "BLOCKED"
    assert AppliedGuardrail(Client(), "g", "1").scan("text").flags == ("guardrail",)
