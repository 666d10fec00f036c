"""Hold an assessment against what is stored, and let a second reader look for what speaks against it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import Field

from agents.asking import Answered, ask
from agents.claims import LEAST_CONFIDENCE, Lookup, check_claims, known_of, same_cause
from agents.errors import ModelFailure
from agents.forms import ModelForm
from agents.grounding import unfounded
from agents.guardrails import TextGuard
from agents.models import RoleModel
from agents.observations import Observations, cleared
from agents.prompting import fenced, labelled, load_prompt
from agents.reads import Reads
from agents.scanning import Scans
from agents.triage import addresses, cited_by, gaps_of, rivals
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.config import Limits
from memory.records.evidence import UNREAD, Evidence
from memory.records.incident import Incident
from memory.records.spend import ModelUse, Spend
from tools.observe.sources import ReadTool, Sources
from tools.reach import reach_of

# A second reader is to be quick: people wait, and what it finds can only take away.
MOST_STEPS = 4
MOST_SECONDS = 45.0


class Doubt(ModelForm):
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
class Looking:
    """What look-ups need: the incident, and its access to the account."""

    incident: Incident
    sources: Sources


@dataclass(frozen=True)
class Critic:
    """Removes claims that rest on nothing, and asks a model for counter-evidence."""

    model: RoleModel
    guard: TextGuard
    tools: tuple[ReadTool, ...] = ()

    def review(
        self,
        first_look: FirstLook,
        assessment: Assessment,
        lookup: Lookup,
        evidence: Iterable[Evidence],
        looking: Looking | None = None,
    ) -> CriticResult:
        """Return the assessment checked by code; a model's doubt may only lower its confidence.

        The evidence is what the model is shown; with `looking` it may read more, and cite that too. `lookup` finds each
        of these, with its whole result where it has one.
        """
        checked = check_claims(assessment, first_look, lookup, assessment.flagged)
        if not checked.by_model or not _claims_something(checked):
            return CriticResult(checked)
        budget, found = looking.sources.recorder.budget if looking else None, list(evidence)
        scans = Scans(self.guard, self._limits.agent_seconds, budget)
        seen = Observations(scans)
        shown = seen.show_all(found, cited_by(checked.hypotheses))
        reads = _reads(looking, first_look, seen, found) if looking else None
        before = looking.sources.recorder.spend if looking else Spend()
        answer = self._ask(first_look, checked, shown, looking, reads, scans.started)
        spend = answer.spend + scans.spend
        if looking and reads:
            spend = spend + looking.sources.recorder.spend.minus(before)
            gaps = gaps_of(seen.evidence.values(), checked.gaps)
            told = {**gaps, "stops": _more(checked.stops, reads.stops)}
            told["gaps_unnamed"] += checked.gaps_unnamed
            checked = checked.model_copy(update=told)
        checked = _without_flagged(checked, seen, first_look, lookup)
        if answer.form is None:
            why = answer.failure.sentence if answer.failure else "no answer"
            unread = _more(checked.not_checked, (f"No second reader doubted this: {why}.",))
            checked = checked.model_copy(update={"not_checked": unread})
            return CriticResult(checked, spend, (answer.use,), answer.failure)
        return CriticResult(doubted(checked, answer.form, seen, lookup), spend, (answer.use,))

    @property
    def _limits(self) -> Limits:
        own = self.model.limits
        return own.model_copy(
            update={
                "agent_steps": min(MOST_STEPS, own.agent_steps),
                "agent_seconds": min(MOST_SECONDS, own.agent_seconds),
            }
        )

    def _ask(
        self,
        first_look: FirstLook,
        checked: Assessment,
        shown: list[dict[str, Any]],
        looking: Looking | None,
        reads: Reads | None,
        since: float,
    ) -> Answered[Doubt]:
        chosen = self.model.fit_for(checked.severity, rivals(checked.causes, checked.hypotheses))
        where = addresses(looking.incident, first_look, looking.sources.topology) if looking else {}
        return ask(
            replace(chosen, limits=self._limits),
            load_prompt("critic"),
            _question(checked, shown, where),
            Doubt,
            [reads.bound(tool) for tool in self.tools] if reads else (),
            looking.sources.recorder.budget if looking else None,
            since,
        )


def _claims_something(checked: Assessment) -> bool:
    """Say whether there is something to doubt: a cause, or that the alarm is noise, which would close it."""
    return checked.verdict is Verdict.NOISE or (checked.verdict is Verdict.CAUSE and bool(checked.causes))


def _noise(checked: Assessment) -> tuple[Hypothesis, ...]:
    """Return the explanation that it is noise, where that is the verdict."""
    if checked.verdict is not Verdict.NOISE:
        return ()
    return tuple(one for one in checked.hypotheses if one.kind is CauseKind.NOISE)


def _without_flagged(
    checked: Assessment, seen: Observations, first_look: FirstLook, lookup: Lookup
) -> Assessment:
    """Check the claims anew where a guard objects by now to what it let pass before, or could not look at it again."""
    flagged = tuple(sorted({*checked.flagged, *seen.flagged}))
    unscanned = tuple(sorted({*checked.unscanned, *seen.unscanned}))
    if (flagged, unscanned) == (checked.flagged, checked.unscanned):
        return checked
    known = checked.model_copy(update={"flagged": flagged, "unscanned": unscanned})
    return check_claims(known, first_look, lookup, flagged)


def doubted(checked: Assessment, doubt: Doubt, seen: Observations, lookup: Lookup) -> Assessment:
    """Lower the confidence and add what speaks against; never the other way round.

    What is cited must have been seen, cleared, and not be flagged: else whoever writes a log could clear a suspect.
    What could not be read speaks against nothing.
    What was seen is held against the objection as `lookup` has it, which may be more than was shown.
    """
    left_out = seen.flagged | seen.unscanned
    sound = {
        key: one for key, one in seen.evidence.items() if key not in left_out and UNREAD.isdisjoint(one.gaps)
    }
    confidence = min(checked.confidence, doubt.confidence)
    against = [one for one in doubt.evidence_against if one in sound]
    removed = len(doubt.evidence_against) - len(against)
    causes = tuple(_lowered(one, doubt.confidence, against) for one in checked.causes)
    others = [
        _lowered(one, doubt.confidence, against) if one in _noise(checked) else one
        for one in checked.hypotheses
        if not any(same_cause(one, cause) for cause in causes)
    ]
    known = [checked.model_dump(mode="json"), known_of(sound, lambda key: lookup(key) or sound[key])]
    update: dict[str, Any] = {"confidence": confidence, "causes": causes, "hypotheses": (*causes, *others)}
    objection = doubt.objection.strip()
    if objection and unfounded(objection, known):
        removed += 1
    elif objection:
        update["not_checked"] = _more(checked.not_checked, (f"Objection: {objection}",))
    if checked.verdict is not Verdict.UNRESOLVED and confidence < LEAST_CONFIDENCE:
        update |= {"verdict": Verdict.UNRESOLVED, "causes": ()}
        doubted_of = "that this is noise" if checked.verdict is Verdict.NOISE else "this explanation"
        update["summary"] = f"A second reader doubts {doubted_of}: {checked.summary}"
    return checked.model_copy(update={**update, "claims_removed": checked.claims_removed + removed})


def _lowered(cause: Hypothesis, most: float, against: Sequence[str]) -> Hypothesis:
    cited = tuple(dict.fromkeys((*cause.evidence_against, *against)))
    return cause.model_copy(update={"confidence": min(cause.confidence, most), "evidence_against": cited})


def _reads(looking: Looking, first_look: FirstLook, seen: Observations, found: list[Evidence]) -> Reads:
    topology = looking.sources.topology
    return Reads(looking.sources, seen, reach_of(looking.incident, first_look, topology, found))


def _more(told: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*told, *more)))


def _question(checked: Assessment, shown: list[dict[str, Any]], where: dict[str, Any]) -> str:
    claimed = checked.causes or _noise(checked)
    rest = [one for one in checked.hypotheses if not any(same_cause(one, own) for own in claimed)]
    causes = [one.model_dump(mode="json", exclude={"confidence", "evidence_against"}) for one in claimed]
    facts = {
        "confidence": checked.confidence,
        "evidence_against": [key for one in claimed[:1] for key in one.evidence_against],
        "explanation": causes or [{"statement": f"The alarm is noise and may be closed: {checked.summary}"}],
        "other_explanations": [one.model_dump(mode="json") for one in rest],
        "not_checked": list(checked.not_checked),
        **where,
    }
    return f"{labelled(cleared(facts))}\n\nWhat was observed.\n\n{fenced('observations', shown)}"
