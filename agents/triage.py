"""Test what the first look found, with read tools and within limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from agents.asking import ask
from agents.claims import check_claims, first_look_causes, in_full, measured_path, same_cause
from agents.errors import ModelFailure
from agents.forms import ModelForm
from agents.guardrails import TextGuard
from agents.models import RoleModel
from agents.observations import Observations, cleared
from agents.prompting import fenced, labelled, load_prompt
from agents.reads import Reads
from agents.scanning import Scans
from agents.views import shorter
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.config import Service, Topology
from memory.records.evidence import PARTIAL, UNREAD, Evidence
from memory.records.incident import Incident
from memory.records.spend import ModelUse, Spend
from tools.observe.sources import ReadTool, Sources
from tools.reach import reach_of

MOST_GAPS = 20
LIKELY = 0.2


class Cause(ModelForm):
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
    independent: bool = Field(
        default=False,
        description="True for each of the fewest causes that explain all together, false for what competes.",
    )


class Opinion(ModelForm):
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
        found, before = list(evidence), sources.recorder.spend
        scans = Scans(self.guard, self.model.limits.agent_seconds, sources.recorder.budget)
        seen = Observations(scans)
        shown = seen.show_all(found, cited_by(first_look.hypotheses))
        reads = Reads(sources, seen, reach_of(incident, first_look, sources.topology, found))
        model = self.model.fit_for(first_look.severity, rivals(first_look.causes, first_look.hypotheses))
        answer = ask(
            model,
            load_prompt("triage"),
            question_of(
                first_look,
                addresses(incident, first_look, sources.topology),
                seen.words(said_by(incident)),
                shown,
            ),
            Opinion,
            [reads.bound(tool) for tool in self.tools],
            sources.recorder.budget,
            scans.started,
        )
        spend = answer.spend + scans.spend + sources.recorder.spend.minus(before)
        told = {
            **gaps_of(seen.evidence.values()),
            "stops": reads.stops,
            "unscanned": tuple(sorted(seen.unscanned)),
        }
        if answer.form is None:
            why = answer.failure.sentence if answer.failure else "no answer"
            stands = first_look_stands(first_look, why)
            flagged = {"flagged": tuple(sorted(seen.flagged))}
            return TriageResult(
                stands.model_copy(update={**told, **flagged}), spend, (answer.use,), answer.failure
            )
        ledger = sources.recorder.ledger

        def stored(key: str) -> Evidence | None:
            return seen.evidence.get(key) or ledger.get(incident.scope, incident.incident_id, key)

        claimed = assessment_of(answer.form, first_look).model_copy(update=told)
        assessment = check_claims(claimed, first_look, in_full(stored, ledger), seen.flagged)
        return TriageResult(assessment, spend, (answer.use,))


def first_look_stands(first_look: FirstLook, why: str) -> Assessment:
    """Return the first look as an assessment, when no model has said anything usable."""
    leading = first_look.hypotheses[0] if first_look.hypotheses else None
    return Assessment(
        verdict=first_look.verdict,
        severity=first_look.severity,
        summary=first_look.reason,
        hypotheses=first_look.hypotheses,
        causes=first_look_causes(first_look),
        causal_path=measured_path(first_look),
        not_checked=(*first_look.not_checked, f"No model looked at this: {why}."),
        confidence=leading.confidence if leading else 0.0,
        by_model=False,
        affected=first_look.affected,
        healthy=first_look.healthy,
        changed_otherwise=first_look.changed_otherwise,
    )


def gaps_of(evidence: Iterable[Evidence], before: Sequence[str] = ()) -> dict[str, Any]:
    """Say what could not be read, or not whole, and why: by permission or for want of data; `before` is told already.

    Returns the assessment's `gaps`, of which there are no more than `MOST_GAPS`, and as `gaps_unnamed` how many are not
    among them. What was not seen at all comes before what was seen in part, and that before what holds no data; by name
    in each, so that reads that ran side by side are told in one order.
    """
    told = (
        f"{one.title}: {', '.join(gap.value.replace('_', ' ') for gap in one.gaps)}"
        for one in sorted((one for one in evidence if one.gaps), key=_gravest_first)
    )
    found = tuple(dict.fromkeys((*before, *told)))
    return {"gaps": found[:MOST_GAPS], "gaps_unnamed": max(0, len(found) - MOST_GAPS)}


def _gravest_first(evidence: Evidence) -> tuple[int, str]:
    gaps = set(evidence.gaps)
    return (0 if gaps & UNREAD else 1 if gaps & PARTIAL else 2), evidence.title


def cited_by(hypotheses: Iterable[Hypothesis]) -> frozenset[str]:
    """Return the ids of all that explanations cite which are not as good as ruled out."""
    likely = (one for one in hypotheses if one.confidence >= LIKELY)
    return frozenset(key for one in likely for key in (*one.evidence_for, *one.evidence_against))


def rivals(causes: Sequence[Hypothesis], hypotheses: Sequence[Hypothesis]) -> tuple[float, ...]:
    """Return how sure the least sure cause is, and the best of what competes with the causes."""
    own = causes or hypotheses[:1]
    others = [one.confidence for one in hypotheses if not any(same_cause(one, cause) for cause in own)]
    return tuple([min(one.confidence for one in own), *sorted(others, reverse=True)[:1]]) if own else ()


def assessment_of(opinion: Opinion, first_look: FirstLook) -> Assessment:
    """Return a model's opinion as the assessment that it claims, unchecked."""
    return Assessment(
        verdict=opinion.verdict,
        severity=first_look.severity,
        summary=opinion.summary,
        hypotheses=tuple(map(_hypothesis, opinion.hypotheses)),
        causes=tuple(_hypothesis(cause) for cause in opinion.hypotheses if cause.independent),
        causal_path=tuple(opinion.causal_path),
        not_checked=tuple(dict.fromkeys((*first_look.not_checked, *opinion.not_checked))),
        confidence=opinion.confidence,
    )


def _hypothesis(cause: Cause) -> Hypothesis:
    return Hypothesis(**cause.model_dump(exclude={"independent"}))


def said_by(incident: Incident) -> dict[str, Any]:
    """Return the words that an alarm came with, which people and machines outside wrote."""
    alarm = incident.alarm
    return {"alarm_reason": alarm.reason, "alarm_description": alarm.description, "alarm_tags": alarm.tags}


def question_of(first_look: FirstLook, places: dict[str, Any], said: Any, shown: list[dict[str, Any]]) -> str:
    """Write what was found, said and observed as the question that triage answers; `places` says where to read on."""
    leading = first_look.hypotheses[0] if first_look.hypotheses else None
    causes = first_look_causes(first_look)
    facts: dict[str, Any] = {
        "verdict": first_look.verdict.value,
        "summary": first_look.reason,
        "hypotheses": [
            {**_said(h), "independent": any(same_cause(h, cause) for cause in causes)}
            for h in first_look.hypotheses
        ],
        "causal_path": list(measured_path(first_look)),
        "not_checked": list(first_look.not_checked),
        "confidence": leading.confidence if leading else 0.0,
        "onset": first_look.onset,
        "impacts": [
            shorter(impact.model_dump(mode="json", exclude_none=True, exclude={"still_happening"}))
            for impact in first_look.impacts
        ],
        "affected": list(first_look.affected),
        "healthy": list(first_look.healthy),
        "changed_otherwise": list(first_look.changed_otherwise),
        **places,
    }
    return "\n\n".join(
        (
            labelled(cleared(facts)),
            "Words of the alarm.",
            fenced("alarm", said),
            "What was observed.",
            fenced("observations", shown),
        )
    )


def _said(hypothesis: Hypothesis) -> dict[str, Any]:
    """Return what an explanation says, and its evidence for it also where that is none."""
    told = hypothesis.model_dump(mode="json", exclude_defaults=True)
    return {**told, "evidence_for": list(hypothesis.evidence_for)}


def addresses(incident: Incident, first_look: FirstLook, topology: Topology) -> dict[str, Any]:
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
