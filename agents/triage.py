"""Triage: from the first look to an assessment, with read tools and within limits."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from pydantic import Field

from agents.errors import MODEL_FAILURES, NoAnswerError, why
from agents.guardrails import TextGuard
from agents.ledger import Budget, CallLedger
from agents.models import Model
from agents.prompting import Prompt, facts_block, fence
from memory.records.assessment import Assessment, FirstLook, Hypothesis, Verdict
from memory.records.base import Record
from memory.records.evidence import Evidence
from memory.records.incident import Incident
from memory.records.spend import ModelUse, Spend
from tools.observe.sources import ReadTool, Sources


class Draft(Record):
    """What the triage agent answers. Severity is not asked: impact decides it, by the rubric."""

    verdict: Verdict = Field(description="Cause, noise or unresolved.")
    summary: str = Field(description="One or two plain sentences.")
    hypotheses: tuple[Hypothesis, ...] = Field(description="Most likely first, with ids of stored evidence.")
    causal_path: tuple[str, ...] = Field(description="From the cause to the alarm, one part a step.")
    not_checked: tuple[str, ...] = Field(description="What could not be seen.")
    confidence: float = Field(ge=0.0, le=1.0, description="How sure, from 0 to 1.")


@dataclass(frozen=True)
class TriageResult:
    """An assessment, and what it cost."""

    assessment: Assessment
    spend: Spend
    models: tuple[ModelUse, ...]


@dataclass(frozen=True)
class Triage:
    """The triage agent: a model, its prompt, and read tools bound to one incident's sources."""

    model: Model
    prompt: Prompt
    tools: Sequence[ReadTool]
    guard: TextGuard

    def assess(
        self, incident: Incident, first_look: FirstLook, sources: Sources, ledger: CallLedger
    ) -> TriageResult:
        """Return the agent's assessment; without a valid answer of the model the first look stands, marked so."""
        try:
            assessment = self._ask(incident, first_look, sources, ledger)
        except MODEL_FAILURES as error:
            assessment = first_look_stands(first_look, why(error))
        return TriageResult(assessment, ledger.total() + sources.recorder.spend, (ledger.use(),))

    def _ask(
        self, incident: Incident, first_look: FirstLook, sources: Sources, ledger: CallLedger
    ) -> Assessment:
        bound = [_bind(tool, sources, self.guard, ledger) for tool in self.tools]
        agent: Any = create_agent(
            self.model.chat,
            bound,
            system_prompt=self.prompt.text,
            response_format=Draft,
            middleware=[Budget(ledger)],
        )
        asked = facts_block(_facts(incident, first_look, sources))
        limit = {"recursion_limit": 4 * sources.limits.agent_steps}
        answer = agent.invoke({"messages": [("user", f"The first look, by code:\n{asked}")]}, limit)
        draft = answer.get("structured_response")
        if not isinstance(draft, Draft):
            raise NoAnswerError("the model ended without an assessment")
        return Assessment(**draft.model_dump(), severity=first_look.severity)


def first_look_stands(first_look: FirstLook, reason: str) -> Assessment:
    """Return the first look as the assessment, marked as made without a model."""
    leading = first_look.hypotheses[0] if first_look.hypotheses else None
    return Assessment(
        verdict=first_look.verdict,
        severity=first_look.severity,
        summary=f"{first_look.reason} (first look alone: {reason})",
        hypotheses=first_look.hypotheses,
        causal_path=tuple(first_look.affected),
        not_checked=first_look.not_checked,
        confidence=leading.confidence if leading else 0.0,
        by_model=False,
    )


def _facts(incident: Incident, first_look: FirstLook, sources: Sources) -> dict[str, Any]:
    """Label facts as the answer and the read tools name them."""
    leading = first_look.hypotheses[0] if first_look.hypotheses else None
    service = sources.topology.of_alarm(incident.alarm.name)
    if leading is not None and sources.topology.service(leading.component):
        service = sources.topology.service(leading.component)
    facts: dict[str, Any] = {
        "alarm_name": incident.alarm.name,
        "verdict": first_look.verdict.value,
        "summary": first_look.reason,
        "confidence": leading.confidence if leading else 0.0,
        "causal_path": [*([leading.component] if leading else []), *first_look.affected],
        "not_checked": list(first_look.not_checked),
        "hypotheses": [h.model_dump(mode="json") for h in first_look.hypotheses],
        "onset": first_look.onset,
        "healthy": list(first_look.healthy),
        "text": first_look.reason,
    }
    if service is not None:
        facts |= {"service": service.name, "cluster": service.cluster, "log_group": service.log_group}
        tables = [dependency.name for dependency in service.depends_on if dependency.kind == "table"]
        facts |= {"table": tables[0]} if tables else {}
    return {name: value for name, value in facts.items() if value is not None}


def _bind(tool: ReadTool, sources: Sources, guard: TextGuard, ledger: CallLedger) -> StructuredTool:
    """Bind a read tool to one incident; a question asked before is not asked again."""
    asked: set[str] = set()

    def ask(**arguments: Any) -> str:
        question = tool.question.model_validate(arguments)
        key = question.model_dump_json()
        if key in asked:
            return "this was asked before; its answer stands above"
        asked.add(key)
        ledger.count_tool()
        return shown(tool.ask(sources, question), guard, sources.limits.tool_result_chars)

    return StructuredTool.from_function(
        func=ask,
        name=tool.name,
        description=tool.description,
        args_schema=tool.question,
        handle_validation_error=True,
        handle_tool_error=True,
    )


def shown(evidence: Evidence, guard: TextGuard, limit: int) -> str:
    """Write evidence for a model: its id, its gaps, and its result; text that was written by others is fenced.

    What a detector flagged is named and withheld: the model learns that it is there, not what it says.
    """
    head: dict[str, Any] = {"evidence_id": evidence.evidence_id, "gaps": [gap.value for gap in evidence.gaps]}
    if evidence.gap_detail:
        head["gap_detail"] = evidence.gap_detail[:300]
    text = json.dumps(evidence.result, default=str, ensure_ascii=False)
    cut = text[:limit]
    if not evidence.untrusted:
        return json.dumps({**head, "result": evidence.result if len(text) <= limit else cut}, default=str)
    flags = (*evidence.flags, *guard.attacks_in(cut))
    if flags:
        return json.dumps({**head, "flags": sorted(set(flags)), "withheld": "text that gives orders"})
    return f"{json.dumps(head)}\n{fence(evidence.source, cut)}"
