"""Hold an assessment against what is stored, and let a second reader doubt it.

A model may explain, doubt and add leads for people. It cannot by itself make a cause that code would act on, call
off an alarm, or say how bad the incident is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from agents.asking import ask
from agents.errors import ModelFailure
from agents.grounding import mentions, unfounded
from agents.guardrails import TextGuard
from agents.models import RoleModel
from agents.observations import Observations
from agents.prompting import fenced, labelled, load_prompt
from memory.records.assessment import Assessment, FirstLook, Hypothesis, Verdict
from memory.records.evidence import Evidence
from memory.records.spend import ModelUse, Spend

Lookup = Callable[[str], Evidence | None]

# How far a model may go beyond what code measured, and what is too little to act on.
RAISE_AT_MOST = 0.2
NEW_LEAD_AT_MOST = 0.5
LEAST_CONFIDENCE = 0.35
# A suspect with evidence against it only is worth telling as ruled out, and nothing more.
RULED_OUT_AT_MOST = 0.1
OBSERVATION_CHARS = 2_000


class Doubt(BaseModel):
    """What speaks against an explanation."""

    confidence: float = Field(ge=0.0, le=1.0, description="How sure one may be of the explanation, 0 to 1.")
    evidence_against: list[str] = Field(
        default_factory=list, description="Ids of observations that speak against it."
    )
    objection: str = Field(default="", description="The strongest objection in one sentence, or empty.")


@dataclass(frozen=True)
class CriticResult:
    """The assessment that stands, and what the second reader cost."""

    assessment: Assessment
    spend: Spend = field(default_factory=Spend)
    model_use: tuple[ModelUse, ...] = ()
    failure: ModelFailure | None = None

    @property
    def models(self) -> list[ModelUse]:
        """Return the models used, as the state wants them."""
        return list(self.model_use)


@dataclass(frozen=True)
class Critic:
    """Removes claims that rest on nothing, and asks a model for counter-evidence."""

    model: RoleModel
    guard: TextGuard

    def review(
        self, first_look: FirstLook, assessment: Assessment, lookup: Lookup, evidence: Iterable[Evidence]
    ) -> CriticResult:
        """Return the assessment checked by code; a model's doubt may only lower its confidence.

        The evidence is what the model is shown, and all that it may cite.
        """
        checked = check_claims(assessment, first_look, lookup)
        leading = checked.leading
        if not checked.by_model or checked.verdict is not Verdict.CAUSE or leading is None:
            return CriticResult(checked)
        seen = Observations(self.guard)
        content = _question(checked, leading, seen.show_all(evidence, OBSERVATION_CHARS))
        answer = ask(self.model, load_prompt("critic"), content, Doubt)
        if answer.form is None:
            why = answer.failure.sentence if answer.failure else "no answer"
            unread = checked.model_copy(
                update={"not_checked": (*checked.not_checked, f"No second reader doubted this: {why}.")}
            )
            return CriticResult(unread, answer.spend, (answer.use,), answer.failure)
        doubted = _doubted(checked, leading, answer.form, seen.evidence)
        return CriticResult(doubted, answer.spend, (answer.use,))


def check_claims(
    assessment: Assessment, first_look: FirstLook, lookup: Lookup, flagged: Collection[str] = ()
) -> Assessment:
    """Return what is left of an assessment when every claim must rest on stored, unflagged evidence.

    Severity is the first look's, whatever the assessment says.
    """
    kept: list[Hypothesis] = []
    removed = 0
    for hypothesis in assessment.hypotheses:
        one, lost = _checked(hypothesis, first_look, lookup, flagged)
        removed += lost
        kept += [one] if one else []
    if assessment.by_model:
        kept.sort(key=lambda hypothesis: -hypothesis.confidence)
    verdict, why = _verdict(assessment, first_look, kept)
    confidence = min([assessment.confidence, *[h.confidence for h in kept[:1] if verdict is Verdict.CAUSE]])
    if verdict is Verdict.CAUSE and confidence < LEAST_CONFIDENCE:
        verdict, why = Verdict.UNRESOLVED, "The confidence is too small to act on."
    summary, lost = _summary(assessment, first_look, kept, lookup, why)
    known = [first_look.model_dump(mode="json"), [_known(h.evidence_for, lookup) for h in kept]]
    return assessment.model_copy(
        update={
            "verdict": verdict,
            "severity": first_look.severity,
            "summary": summary,
            "hypotheses": tuple(kept),
            "causal_path": tuple(part for part in assessment.causal_path if mentions(known, part)),
            "not_checked": tuple(
                text
                for text in assessment.not_checked
                if not assessment.by_model or not unfounded(text, known)
            ),
            "confidence": confidence,
            "claims_removed": assessment.claims_removed + removed + lost,
        }
    )


def same_cause(one: Hypothesis, other: Hypothesis) -> bool:
    """Say whether two hypotheses name the same cause; a change that one leaves out does not tell them apart."""
    changes = {one.change, other.change} - {None}
    return one.kind is other.kind and one.component == other.component and len(changes) <= 1


def _name(hypothesis: Hypothesis) -> tuple[str, str, str | None]:
    return hypothesis.kind.value, hypothesis.component, hypothesis.change


def _checked(
    hypothesis: Hypothesis, first_look: FirstLook, lookup: Lookup, flagged: Collection[str]
) -> tuple[Hypothesis | None, int]:
    """Return what is left of one hypothesis, and how many claims were taken out."""
    stored = [one for one in hypothesis.evidence_for if lookup(one) is not None]
    against = [one for one in hypothesis.evidence_against if lookup(one) is not None]
    removed = len(hypothesis.evidence_for) + len(hypothesis.evidence_against) - len(stored) - len(against)
    sound = [one for one in stored if one not in flagged and not _flags(lookup(one))]
    ours = next((h for h in first_look.hypotheses if same_cause(h, hypothesis)), None)
    ruled_out = not hypothesis.evidence_for and bool(against)
    known = _known(against if ruled_out else sound, lookup)
    if not (sound or ruled_out) or (ours is None and not mentions(known, hypothesis.component)):
        return None, removed + 1
    change, lost = _change(hypothesis, ours, known)
    removed += lost
    statement, lost = _statement(hypothesis, ours, [known, first_look.model_dump(mode="json")])
    removed += lost
    most = min(1.0, ours.confidence + RAISE_AT_MOST) if ours else NEW_LEAD_AT_MOST
    most = min(most, RULED_OUT_AT_MOST) if ruled_out else most
    checked = hypothesis.model_copy(
        update={
            "change": change,
            "statement": statement,
            "evidence_for": tuple(stored),
            "evidence_against": tuple(against),
            "confidence": min(hypothesis.confidence, most),
        }
    )
    return checked, removed


def _change(hypothesis: Hypothesis, ours: Hypothesis | None, known: Any) -> tuple[str | None, int]:
    if ours is not None:
        return ours.change, 0
    if hypothesis.change and not mentions(known, hypothesis.change):
        return None, 1
    return hypothesis.change, 0


def _statement(hypothesis: Hypothesis, ours: Hypothesis | None, known: Any) -> tuple[str, int]:
    facts = [known, hypothesis.component, ours.statement if ours else ""]
    if not unfounded(hypothesis.statement, facts):
        return hypothesis.statement, 0
    return (
        ours.statement if ours else f"It may be the {hypothesis.kind.value} of {hypothesis.component}."
    ), 1


def _verdict(
    assessment: Assessment, first_look: FirstLook, kept: list[Hypothesis]
) -> tuple[Verdict, str | None]:
    """Return the verdict that code and model share, else unresolved and why."""
    if assessment.verdict is Verdict.UNRESOLVED:
        return Verdict.UNRESOLVED, None
    if assessment.verdict is not first_look.verdict:
        said, measured = assessment.verdict.value, first_look.verdict.value
        return Verdict.UNRESOLVED, f"A model says {said}, what was measured says {measured}."
    if (assessment.verdict is Verdict.CAUSE or first_look.hypotheses) and not kept:
        return Verdict.UNRESOLVED, "No explanation is left that stored evidence supports."
    if assessment.verdict is Verdict.CAUSE and _name(kept[0]) != _name(first_look.hypotheses[0]):
        return Verdict.UNRESOLVED, "A model and what was measured point to different causes."
    return assessment.verdict, None


def _summary(
    assessment: Assessment, first_look: FirstLook, kept: list[Hypothesis], lookup: Lookup, why: str | None
) -> tuple[str, int]:
    """Return the summary if it says nothing unfounded and still fits the verdict, else one by code."""
    if why is not None:
        return f"{why} {first_look.reason}".strip(), 0
    known = [first_look.model_dump(mode="json"), [_known(h.evidence_for, lookup) for h in kept]]
    if assessment.summary and not unfounded(assessment.summary, known):
        return assessment.summary, 0
    plain = kept[0].statement if kept and assessment.verdict is Verdict.CAUSE else first_look.reason
    return plain, 1


def _doubted(
    checked: Assessment, leading: Hypothesis, doubt: Doubt, seen: Mapping[str, Evidence]
) -> Assessment:
    """Lower the confidence and add what speaks against; never the other way round."""
    shown = _known(seen, seen.get)
    confidence = min(checked.confidence, doubt.confidence)
    against = [one for one in doubt.evidence_against if one in seen]
    removed = len(doubt.evidence_against) - len(against)
    lowered = leading.model_copy(
        update={
            "confidence": min(leading.confidence, doubt.confidence),
            "evidence_against": tuple(dict.fromkeys((*leading.evidence_against, *against))),
        }
    )
    known = [checked.model_dump(mode="json"), shown]
    update: dict[str, Any] = {"confidence": confidence, "hypotheses": (lowered, *checked.hypotheses[1:])}
    if doubt.objection.strip() and unfounded(doubt.objection, known):
        removed += 1
    elif doubt.objection.strip():
        update["not_checked"] = (*checked.not_checked, f"Objection: {doubt.objection.strip()}")
    if confidence < LEAST_CONFIDENCE:
        update["verdict"] = Verdict.UNRESOLVED
        update["summary"] = f"A second reader doubts this explanation: {checked.summary}"
    return checked.model_copy(update={**update, "claims_removed": checked.claims_removed + removed})


def _question(checked: Assessment, leading: Hypothesis, shown: list[dict[str, Any]]) -> str:
    facts = {
        "confidence": checked.confidence,
        "evidence_against": list(leading.evidence_against),
        "explanation": leading.model_dump(mode="json", exclude={"confidence", "evidence_against"}),
        "other_explanations": [h.model_dump(mode="json") for h in checked.hypotheses[1:]],
        "not_checked": list(checked.not_checked),
    }
    return f"{labelled(facts)}\n\nWhat was observed.\n\n{fenced('observations', shown)}"


def _known(ids: Iterable[str], lookup: Lookup) -> list[Any]:
    found = [evidence for one in ids if (evidence := lookup(one)) is not None]
    return [[one.evidence_id, one.title, one.asked, one.result] for one in found]


def _flags(evidence: Evidence | None) -> tuple[str, ...]:
    return evidence.flags if evidence else ()
