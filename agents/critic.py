"""The critic: code drops what does not stand, a second reader may only lower confidence."""

from dataclasses import dataclass

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import Field

from agents.claims import Lookup, check_claims, lower
from agents.errors import MODEL_FAILURES, NoAnswerError
from agents.ledger import CallLedger
from agents.models import Model
from agents.prompting import Prompt, facts_block, fence
from agents.triage import TriageResult
from memory.records.assessment import Assessment, Verdict
from memory.records.base import Record

EXCERPT_CHARS = 800


class Critique(Record):
    """What the critic answers."""

    confidence: float = Field(ge=0.0, le=1.0, description="What the evidence carries, from 0 to 1.")
    doubts: tuple[str, ...] = Field(description="What the evidence leaves open.")


@dataclass(frozen=True)
class Critic:
    """Checks claims against the ledger, then asks a model to doubt what is left."""

    model: Model
    prompt: Prompt

    def critique(self, assessment: Assessment, lookup: Lookup, ledger: CallLedger) -> TriageResult:
        """Return the assessment with fewer claims and no more confidence than before."""
        checked = check_claims(assessment, lookup)
        if checked.verdict is not Verdict.UNRESOLVED:
            try:
                checked = self._doubt(checked, lookup, ledger)
            except MODEL_FAILURES:
                # No second reader is no reason for more or less confidence: the check by code stands.
                return TriageResult(checked, ledger.total(), (ledger.use(),))
        return TriageResult(checked, ledger.total(), (ledger.use(),))

    def _doubt(self, assessment: Assessment, lookup: Lookup, ledger: CallLedger) -> Assessment:
        ledger.check()
        leading = assessment.leading
        cited = [lookup(key) for key in leading.evidence_for] if leading else []
        excerpts = [fence(e.evidence_id, str(e.result)[:EXCERPT_CHARS]) for e in cited if e and not e.flags]
        facts = {"confidence": assessment.confidence, "doubts": [], "claim": assessment.summary}
        asked = "\n".join([facts_block(facts), *excerpts])
        answer = self.model.answering(Critique).invoke([SystemMessage(self.prompt.text), HumanMessage(asked)])
        ledger.count(answer["raw"])
        if not isinstance(answer["parsed"], Critique):
            raise NoAnswerError("the critic gave no critique")
        doubts = answer["parsed"].doubts
        lowered = lower(assessment, answer["parsed"].confidence)
        return lowered.model_copy(update={"not_checked": (*lowered.not_checked, *doubts)})
