"""Test what the first look found, with read tools and within limits."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from agents.asking import ask
from agents.critic import OBSERVATION_CHARS, check_claims
from agents.errors import ModelFailure
from agents.guardrails import TextGuard
from agents.models import RoleModel
from agents.observations import Observations
from agents.prompting import fenced, labelled, load_prompt, tool_text
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.config import Service, Topology
from memory.records.evidence import Evidence
from memory.records.incident import Incident
from memory.records.spend import ModelUse, Spend
from tools.errors import CopilotError
from tools.observe.sources import ReadTool, Sources


class Cause(BaseModel):
    """One possible cause, as a model states it."""

    kind: CauseKind = Field(description="What kind of cause this is.")
    component: str = Field(description="The service, table or other part that is the cause, by its name.")
    change: str | None = Field(
        default=None,
        description="The change that caused it, such as a revision, or the property that limits it.",
    )
    statement: str = Field(description="One plain sentence saying what broke and why.")
    evidence_for: list[str] = Field(description="Ids of observations that support it.")
    evidence_against: list[str] = Field(default_factory=list, description="Ids of observations against it.")
    confidence: float = Field(ge=0.0, le=1.0, description="0 to 1; 0.5 means as likely as not.")


class Opinion(BaseModel):
    """A model's assessment. How bad it is has been measured and is not asked."""

    verdict: Verdict = Field(description="Whether a cause is shown, it is noise, or it stays unresolved.")
    summary: str = Field(description="One or two plain sentences for the engineer on call.")
    hypotheses: list[Cause] = Field(description="Possible causes, most likely first.")
    causal_path: list[str] = Field(
        default_factory=list, description="Parts from the cause to where it is felt, by name."
    )
    not_checked: list[str] = Field(default_factory=list, description="What was not looked at, and matters.")
    confidence: float = Field(ge=0.0, le=1.0, description="Confidence in the verdict, 0 to 1.")


@dataclass(frozen=True)
class TriageResult:
    """The assessment, and what it cost: the model's work and the reads it asked for."""

    assessment: Assessment
    spend: Spend = field(default_factory=Spend)
    model_use: tuple[ModelUse, ...] = ()
    failure: ModelFailure | None = None

    @property
    def models(self) -> list[ModelUse]:
        """Return the models used, as the state wants them."""
        return list(self.model_use)


@dataclass(frozen=True)
class Triage:
    """The triage agent: a model, what it may read, and a guard on what it reads."""

    model: RoleModel
    tools: tuple[ReadTool, ...]
    guard: TextGuard

    def assess(
        self, incident: Incident, first_look: FirstLook, evidence: Iterable[Evidence], sources: Sources
    ) -> TriageResult:
        """Return an assessment on stored evidence; without a usable answer the first look stands."""
        before = sources.recorder.spend
        seen = Observations(self.guard)
        shown = seen.show_all(evidence, OBSERVATION_CHARS)
        tools = [bound(tool, sources, seen) for tool in self.tools]
        content = _question(incident, first_look, sources.topology, shown)
        answer = ask(self.model, load_prompt("triage"), content, Opinion, tools)
        spend = answer.spend + _since(before, sources.recorder.spend)
        if answer.form is None:
            why = answer.failure.sentence if answer.failure else "no answer"
            stands = first_look_stands(first_look, why)
            return TriageResult(stands, spend, (answer.use,), answer.failure)
        ledger = sources.recorder.ledger
        assessment = check_claims(
            _assessment(answer.form, first_look),
            first_look,
            lambda key: seen.evidence.get(key) or ledger.get(incident.scope, incident.incident_id, key),
            seen.flagged,
        )
        return TriageResult(assessment, spend, (answer.use,))


def first_look_stands(first_look: FirstLook, why: str) -> Assessment:
    """Return the first look as an assessment, when no model has said anything usable."""
    leading = first_look.hypotheses[0] if first_look.hypotheses else None
    return Assessment(
        verdict=first_look.verdict,
        severity=first_look.severity,
        summary=first_look.reason,
        hypotheses=first_look.hypotheses,
        causal_path=_path(first_look),
        not_checked=(*first_look.not_checked, f"No model looked at this: {why}."),
        confidence=leading.confidence if leading else 0.0,
        by_model=False,
    )


def bound(tool: ReadTool, sources: Sources, seen: Observations) -> BaseTool:
    """Return a read tool that a model can call for one incident; its failure is an answer too."""

    def read(**asked: Any) -> str:
        try:
            evidence = tool.ask(sources, tool.question(**asked))
        except CopilotError as problem:
            raise ToolException(str(problem)) from problem
        return tool_text({"observation": seen.show(evidence, sources.limits.tool_result_chars)})

    return StructuredTool.from_function(
        read,
        name=tool.name,
        description=tool.description,
        args_schema=tool.question,
        handle_tool_error=True,
    )


def _assessment(opinion: Opinion, first_look: FirstLook) -> Assessment:
    return Assessment(
        verdict=opinion.verdict,
        severity=first_look.severity,
        summary=opinion.summary,
        hypotheses=tuple(Hypothesis(**cause.model_dump()) for cause in opinion.hypotheses),
        causal_path=tuple(opinion.causal_path),
        not_checked=tuple(dict.fromkeys((*first_look.not_checked, *opinion.not_checked))),
        confidence=opinion.confidence,
    )


def _question(
    incident: Incident, first_look: FirstLook, topology: Topology, shown: list[dict[str, Any]]
) -> str:
    leading = first_look.hypotheses[0] if first_look.hypotheses else None
    facts: dict[str, Any] = {
        "verdict": first_look.verdict.value,
        "summary": first_look.reason,
        "hypotheses": [h.model_dump(mode="json") for h in first_look.hypotheses],
        "causal_path": list(_path(first_look)),
        "not_checked": list(first_look.not_checked),
        "confidence": leading.confidence if leading else 0.0,
        "onset": first_look.onset,
        "impacts": [impact.model_dump(mode="json", exclude_none=True) for impact in first_look.impacts],
        "affected": list(first_look.affected),
        "healthy": list(first_look.healthy),
        **_addresses(incident, first_look, topology),
    }
    alarm = incident.alarm
    said = {"alarm_reason": alarm.reason, "alarm_description": alarm.description, "alarm_tags": alarm.tags}
    return "\n\n".join(
        (
            labelled(facts),
            "Words of the alarm.",
            fenced("alarm", said),
            "What was observed.",
            fenced("observations", shown),
        )
    )


def _addresses(incident: Incident, first_look: FirstLook, topology: Topology) -> dict[str, Any]:
    """Return where to read more, under the names that the read tools use."""
    found: dict[str, Any] = {"alarm_name": incident.alarm.name, "text": first_look.reason}
    if incident.alarm.metrics:
        metric = incident.alarm.metrics[0]
        found |= {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "dimensions": metric.dimensions,
            "stat": metric.stat,
        }
    service = _service(incident, first_look, topology)
    if service is not None:
        found |= {"service": service.name, "cluster": service.cluster, "log_group": service.log_group}
        tables = [part.name for part in service.depends_on if part.kind == "table"]
        found |= {"table": tables[0]} if tables else {}
    return {label: value for label, value in found.items() if value}


def _service(incident: Incident, first_look: FirstLook, topology: Topology) -> Service | None:
    """Return the service of the first cause, or the one that calls it, or the one that the alarm belongs to."""
    for hypothesis in first_look.hypotheses[:1]:
        callers = topology.upstream_of(hypothesis.component)
        named = topology.service(hypothesis.component) or (callers[0] if callers else None)
        if named is not None:
            return named
    return topology.of_alarm(incident.alarm.name)


def _path(first_look: FirstLook) -> tuple[str, ...]:
    if first_look.verdict is not Verdict.CAUSE or not first_look.hypotheses:
        return ()
    return tuple(dict.fromkeys((first_look.hypotheses[0].component, *first_look.affected)))


def _since(before: Spend, after: Spend) -> Spend:
    return Spend(**{name: getattr(after, name) - getattr(before, name) for name in Spend.model_fields})
