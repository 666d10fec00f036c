"""Keep of an assessment what stored evidence carries, and count what is taken out.

A model may explain, doubt and add leads for people. It cannot by itself make a cause that code would act on, call
off an alarm, or say how bad the incident is.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from agents.grounding import mentions, names, unfounded
from memory.records.assessment import Assessment, FirstLook, Hypothesis, Verdict
from memory.records.evidence import UNREAD, Evidence
from memory.stores.evidence import EvidenceLedger
from memory.stores.objects import ObjectStoreError

Lookup = Callable[[str], Evidence | None]

# How far a model may go beyond what code measured, and what is too little to act on.
RAISE_AT_MOST = 0.2
NEW_LEAD_AT_MOST = 0.5
LEAST_CONFIDENCE = 0.35
# A suspect with evidence against it only is worth telling as ruled out, and nothing more.
RULED_OUT_AT_MOST = 0.1


def check_claims(
    assessment: Assessment, first_look: FirstLook, lookup: Lookup, flagged: Collection[str] = ()
) -> Assessment:
    """Return what is left of an assessment when every claim must rest on stored, unflagged evidence.

    Severity and the groups of parts are the first look's, whatever the assessment says. What the first look found
    and the assessment leaves out stays among the hypotheses. `flagged` names evidence beside that which is stored as
    flagged; what no guard could look at carries nothing either, nor does what could not be read. What carries a cause
    speaks of its part, or is what the first look rests it on.
    """
    judged = _Judge(first_look, lookup, frozenset((*flagged, *assessment.unscanned)))
    kept = judged.hypotheses(assessment.hypotheses, ranked=assessment.by_model)
    causes, removed = _causes(assessment, kept), judged.removed
    verdict, why = _verdict(assessment, first_look, causes, kept)
    confidence = min([assessment.confidence, *[one.confidence for one in causes if verdict is Verdict.CAUSE]])
    if verdict is Verdict.CAUSE and confidence < LEAST_CONFIDENCE:
        verdict, why = Verdict.UNRESOLVED, "The confidence is too small to act on."
    causes = causes if verdict is Verdict.CAUSE else ()
    summary, lost = judged.summary(assessment, kept, causes, why)
    path, strays = judged.path(assessment, kept, causes)
    not_checked, more = judged.not_checked(assessment, kept)
    return assessment.model_copy(
        update={
            "verdict": verdict,
            "severity": first_look.severity,
            "summary": summary,
            "hypotheses": judged.with_competitors(causes, kept),
            "causes": causes,
            "causal_path": path,
            "not_checked": not_checked,
            "affected": first_look.affected,
            "healthy": first_look.healthy,
            "changed_otherwise": first_look.changed_otherwise,
            "flagged": tuple(sorted({*assessment.flagged, *flagged})),
            "confidence": confidence,
            "claims_removed": assessment.claims_removed + removed + lost + strays + more,
        }
    )


def first_look_causes(first_look: FirstLook) -> tuple[Hypothesis, ...]:
    """Return the causes that code found; an older record lists none and means the one that leads."""
    if first_look.verdict is not Verdict.CAUSE:
        return ()
    return first_look.causes or first_look.hypotheses[:1]


def measured_path(first_look: FirstLook) -> tuple[str, ...]:
    """Return how the causes spread, by code."""
    if first_look.causal_path:
        return first_look.causal_path
    begun = [one.component for one in first_look_causes(first_look)]
    return tuple(dict.fromkeys((*begun, *first_look.affected))) if begun else ()


def same_cause(one: Hypothesis, other: Hypothesis) -> bool:
    """Say whether two hypotheses name the same cause; a change that one leaves out does not tell them apart."""
    changes = {one.change, other.change} - {None}
    return one.kind is other.kind and one.component == other.component and len(changes) <= 1


def in_full(lookup: Lookup, ledger: EvidenceLedger) -> Lookup:
    """Return a lookup of observations with all of their stored results, each read once.

    A fact may stand in the part that was cut. Where the whole cannot be read, the excerpt stands: then a claim may be
    taken out that would have been left, and none is left that nothing carries.
    """
    read: dict[str, Evidence | None] = {}

    def look(evidence_id: str) -> Evidence | None:
        if evidence_id not in read:
            read[evidence_id] = _in_full(lookup(evidence_id), ledger)
        return read[evidence_id]

    return look


def _in_full(evidence: Evidence | None, ledger: EvidenceLedger) -> Evidence | None:
    if evidence is None or not evidence.whole:
        return evidence
    try:
        return evidence.model_copy(update={"result": ledger.whole(evidence)})
    except (ObjectStoreError, ClientError, BotoCoreError):
        return evidence


def known_of(ids: Iterable[str], lookup: Lookup) -> list[Any]:
    """Return what stored evidence says, as facts to hold a text against."""
    found = [evidence for one in ids if (evidence := lookup(one)) is not None]
    return [
        [one.evidence_id, one.title, one.asked, one.result, one.window_start, one.window_end] for one in found
    ]


class _Judge:
    """Holds the claims of one assessment against the ledger, and counts what it takes out."""

    def __init__(self, first_look: FirstLook, lookup: Lookup, flagged: frozenset[str]) -> None:
        self._look = first_look
        self._lookup = lookup
        self._flagged = flagged
        self._measured = first_look.model_dump(mode="json")
        self.removed = 0

    def hypotheses(self, claimed: Sequence[Hypothesis], *, ranked: bool) -> list[Hypothesis]:
        """Return what is left of each hypothesis, the most likely first where a model has ranked them."""
        kept = [left for one in claimed if (left := self._checked(one)) is not None]
        return sorted(kept, key=lambda one: -one.confidence) if ranked else kept

    def with_competitors(
        self, causes: Sequence[Hypothesis], kept: Sequence[Hypothesis]
    ) -> tuple[Hypothesis, ...]:
        """Return the causes, then what competes with them, also what only the first look had."""
        most = min((one.confidence for one in causes), default=1.0)
        before, own = (
            self.removed,
            [one for one in kept if not any(same_cause(one, cause) for cause in causes)],
        )
        for measured in self._look.hypotheses:
            if any(same_cause(measured, one) for one in (*causes, *kept)):
                continue
            left = self._checked(measured)
            own += [left.model_copy(update={"confidence": min(left.confidence, most)})] if left else []
        # What code had ranked is no claim of the assessment's.
        self.removed = before
        return (*causes, *own)

    def summary(
        self,
        assessment: Assessment,
        kept: Sequence[Hypothesis],
        causes: Sequence[Hypothesis],
        why: str | None,
    ) -> tuple[str, int]:
        """Return the summary if it says nothing unfounded and still fits the verdict, else one by code."""
        said = assessment.summary
        lost = int(bool(said) and bool(unfounded(said, self._known(kept))))
        if why is not None:
            return f"{why} {self._look.reason}".strip(), lost
        if said and not lost:
            return said, 0
        return " ".join(one.statement for one in causes) or self._look.reason, lost

    def path(
        self, assessment: Assessment, kept: Sequence[Hypothesis], causes: Sequence[Hypothesis]
    ) -> tuple[tuple[str, ...], int]:
        """Return the path through parts that are known, from a cause; else the one that code measured."""
        parts = names(self._known(kept))
        path = tuple(part for part in assessment.causal_path if part in parts)
        lost = len(assessment.causal_path) - len(path)
        if causes and path[:1] != (causes[0].component,):
            return measured_path(self._look), lost
        return path, lost

    def not_checked(self, assessment: Assessment, kept: Sequence[Hypothesis]) -> tuple[tuple[str, ...], int]:
        """Return what was not looked at, without what only a model says and no fact holds."""
        if not assessment.by_model:
            return assessment.not_checked, 0
        known, own = self._known(kept), set(self._look.not_checked)
        left = tuple(text for text in assessment.not_checked if text in own or not unfounded(text, known))
        return left, len(assessment.not_checked) - len(left)

    def _known(self, kept: Sequence[Hypothesis]) -> list[Any]:
        cited = [one for hypothesis in kept for one in hypothesis.evidence_for if self._is_sound(one)]
        return [self._measured, known_of(cited, self._lookup)]

    def _checked(self, claim: Hypothesis) -> Hypothesis | None:
        """Return what is left of one hypothesis, or None if nothing carries it."""
        stored = tuple(one for one in claim.evidence_for if self._lookup(one) is not None)
        against = tuple(one for one in claim.evidence_against if self._lookup(one) is not None)
        self.removed += len(claim.evidence_for) + len(claim.evidence_against) - len(stored) - len(against)
        ours = next((one for one in self._look.hypotheses if same_cause(one, claim)), None)
        ruled_out = not claim.evidence_for and bool(against)
        sound = [one for one in (against if ruled_out else stored) if self._is_sound(one)]
        known = known_of(sound, self._lookup)
        shared = ours is not None and not {*sound}.isdisjoint(_cited(ours))
        if not sound or not (shared or claim.component in names(known)):
            self.removed += 1
            return None
        statement, rests_on = self._statement(claim, ours if shared else None, known), stored
        if ours and statement is None:
            statement, rests_on = ours.statement, (*stored, *ours.evidence_for)
        most = min(1.0, ours.confidence + RAISE_AT_MOST) if ours else NEW_LEAD_AT_MOST
        return claim.model_copy(
            update={
                "change": self._change(claim, ours, known),
                "statement": statement or f"It may be the {claim.kind.value} of {claim.component}.",
                "evidence_for": tuple(dict.fromkeys(rests_on)),
                "evidence_against": against,
                "confidence": min(claim.confidence, most, RULED_OUT_AT_MOST if ruled_out else 1.0),
            }
        )

    def _is_sound(self, evidence_id: str) -> bool:
        """Say whether an observation can carry a claim: something was read, and nobody objects to it."""
        evidence = self._lookup(evidence_id)
        if evidence is None or evidence_id in self._flagged:
            return False
        return not evidence.flags and UNREAD.isdisjoint(evidence.gaps)

    def _change(self, claim: Hypothesis, ours: Hypothesis | None, known: Any) -> str | None:
        if ours is not None:
            return ours.change
        if claim.change and not mentions(known, claim.change):
            self.removed += 1
            return None
        return claim.change

    def _statement(self, claim: Hypothesis, ours: Hypothesis | None, known: Any) -> str | None:
        """Return the statement if the cited evidence holds all it says; `ours` is code's own on some of the same."""
        facts = [known, claim.component, *([ours.statement, ours.change] if ours else [])]
        if not unfounded(claim.statement, facts):
            return claim.statement
        self.removed += 1
        return None


def _cited(hypothesis: Hypothesis) -> tuple[str, ...]:
    return (*hypothesis.evidence_for, *hypothesis.evidence_against)


def _causes(assessment: Assessment, kept: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    """Return the causes that the assessment claims, as far as they are left."""
    if assessment.verdict is not Verdict.CAUSE:
        return ()
    if not assessment.causes:
        return tuple(kept[:1])
    left = [next((one for one in kept if same_cause(one, cause)), None) for cause in assessment.causes]
    return tuple(dict.fromkeys(one for one in left if one is not None))


def _verdict(
    assessment: Assessment, first_look: FirstLook, causes: Sequence[Hypothesis], kept: Sequence[Hypothesis]
) -> tuple[Verdict, str | None]:
    """Return the verdict that code and model share, else unresolved and why."""
    if assessment.verdict is Verdict.UNRESOLVED:
        return Verdict.UNRESOLVED, None
    if assessment.verdict is not first_look.verdict:
        said, measured = assessment.verdict.value, first_look.verdict.value
        return Verdict.UNRESOLVED, f"A model says {said}, what was measured says {measured}."
    if (assessment.verdict is Verdict.CAUSE or first_look.hypotheses) and not kept:
        return Verdict.UNRESOLVED, "No explanation is left that stored evidence supports."
    if assessment.verdict is Verdict.CAUSE and not _same_set(causes, first_look_causes(first_look)):
        return Verdict.UNRESOLVED, "A model and what was measured point to different causes."
    return assessment.verdict, None


def _same_set(one: Sequence[Hypothesis], other: Sequence[Hypothesis]) -> bool:
    return bool(one) and {_name(cause) for cause in one} == {_name(cause) for cause in other}


def _name(hypothesis: Hypothesis) -> tuple[str, str, str | None]:
    return hypothesis.kind.value, hypothesis.component, hypothesis.change
