"""Hold claims against the ledger: what cites no stored evidence is no claim."""

from collections.abc import Callable

from memory.records.assessment import Assessment, CauseKind, Hypothesis, Verdict
from memory.records.evidence import Evidence

Lookup = Callable[[str], Evidence | None]
LEAST_CONFIDENCE = 0.5


def check_claims(assessment: Assessment, lookup: Lookup) -> Assessment:
    """Drop citations that do not exist, and hypotheses left without one or resting on flagged text alone.

    What was dropped is counted. A cause or noise whose leading hypothesis falls becomes unresolved.
    """
    kept: list[Hypothesis] = []
    removed = 0
    for hypothesis in assessment.hypotheses:
        checked, dropped = _checked(hypothesis, lookup)
        removed += dropped
        if checked is None:
            removed += 1
        else:
            kept.append(checked)
    led = assessment.leading
    stands = bool(kept) and led is not None and kept[0].statement == led.statement
    removed += assessment.claims_removed
    if assessment.verdict is Verdict.UNRESOLVED or stands:
        return assessment.model_copy(update={"hypotheses": tuple(kept), "claims_removed": removed})
    return assessment.model_copy(
        update={
            "hypotheses": tuple(kept),
            "claims_removed": removed,
            "verdict": Verdict.UNRESOLVED,
            "confidence": min(assessment.confidence, 0.3),
            "summary": "Unresolved: what was claimed does not stand on stored evidence.",
        }
    )


def _checked(hypothesis: Hypothesis, lookup: Lookup) -> tuple[Hypothesis | None, int]:
    found = {key: lookup(key) for key in (*hypothesis.evidence_for, *hypothesis.evidence_against)}
    for_ = tuple(key for key in hypothesis.evidence_for if found[key] is not None)
    against = tuple(key for key in hypothesis.evidence_against if found[key] is not None)
    dropped = len(found) - len({*for_, *against})
    sound = [key for key in for_ if not _is_flagged(found[key])]
    if not sound and hypothesis.kind is not CauseKind.UNKNOWN and hypothesis.confidence >= LEAST_CONFIDENCE:
        return None, dropped
    if not for_ and not against:
        return None, dropped
    return hypothesis.model_copy(update={"evidence_for": for_, "evidence_against": against}), dropped


def _is_flagged(evidence: Evidence | None) -> bool:
    return evidence is not None and bool(evidence.flags)


def lower(assessment: Assessment, confidence: float) -> Assessment:
    """Take a critic's confidence where it is lower; a cause that falls below even odds is unresolved."""
    lowered = min(assessment.confidence, confidence)
    if assessment.verdict is Verdict.CAUSE and lowered < LEAST_CONFIDENCE:
        summary = f"Unresolved: the evidence does not carry it. {assessment.summary}"
        return assessment.model_copy(
            update={"confidence": lowered, "verdict": Verdict.UNRESOLVED, "summary": summary}
        )
    return assessment.model_copy(update={"confidence": lowered})
