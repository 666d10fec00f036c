"""What a guardrail makes of some texts, in the shapes of ApplyGuardrail.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.bedrock.guardrails.definition import Guardrail
from simulator.bedrock.guardrails.grounding import grounding_score
from simulator.bedrock.guardrails.prompt_attack import scores
from simulator.bedrock.guardrails.sensitive import findings

CHARACTERS_PER_UNIT = 1000
_LEVELS = ((0.8, "HIGH"), (0.5, "MEDIUM"), (0.3, "LOW"))
# A filter of this strength blocks these confidences.
_BLOCKED_AT = {"HIGH": ("LOW", "MEDIUM", "HIGH"), "MEDIUM": ("MEDIUM", "HIGH"), "LOW": ("HIGH",)}
_DONE = {"BLOCK": "BLOCKED", "ANONYMIZE": "ANONYMIZED", "NONE": "NONE"}


@dataclass(frozen=True)
class Part:
    """One text to judge and what it is said to be."""

    text: str
    qualifiers: tuple[str, ...] = ()

    @property
    def guarded(self) -> bool:
        """Whether all policies judge it; a source or a query alone is for the grounding check."""
        return not self.qualifiers or "guard_content" in self.qualifiers


@dataclass
class Outcome:
    """The judgement: policies that found something, the texts as they may pass, what it cost."""

    guardrail: Guardrail
    texts: list[str] = field(default_factory=list)
    policies: dict[str, Any] = field(default_factory=dict)
    blocked: bool = False
    masked: bool = False
    usage: dict[str, int] = field(default_factory=dict)
    guarded: int = 0
    total: int = 0

    @property
    def intervened(self) -> bool:
        """Whether the texts may not pass as they are."""
        return self.blocked or self.masked

    @property
    def reason(self) -> str:
        """AWS's `actionReason`."""
        return "Guardrail blocked." if self.blocked else "Guardrail masked." if self.masked else "No action."

    @property
    def coverage(self) -> dict[str, Any]:
        """AWS's `guardrailCoverage`."""
        return {"textCharacters": {"guarded": self.guarded, "total": self.total}}

    def assessment(self) -> dict[str, Any]:
        """One entry of AWS's `assessments`."""
        metrics = {"guardrailProcessingLatency": 1, "usage": self.usage, "guardrailCoverage": self.coverage}
        return {**self.policies, "invocationMetrics": metrics}


def assess(guardrail: Guardrail, source: str, parts: Sequence[Part], full: bool = False) -> Outcome:
    """Judge texts on their way in (`INPUT`) or out (`OUTPUT`); `full` names what was not found too."""
    outcome = Outcome(guardrail, [part.text for part in parts])
    guarded = [part.text for part in parts if part.guarded]
    outcome.total = sum(len(part.text) for part in parts)
    outcome.guarded = sum(map(len, guarded))
    _judge_topics(outcome, guarded, full)
    if source == "INPUT":
        _judge_attack(outcome, guarded, full)
    if guardrail.always_blocks:
        _find_misconduct(outcome)
    _judge_words(outcome, guarded, full)
    _judge_sensitive(outcome, parts)
    if source == "OUTPUT":
        _judge_grounding(outcome, parts, guarded, full)
    outcome.usage = _usage(outcome, source)
    return outcome


def _judge_topics(outcome: Outcome, texts: Sequence[str], full: bool) -> None:
    found = []
    for topic in outcome.guardrail.topics:
        hit = any(_holds(text, phrase) for text in texts for phrase in topic.phrases)
        outcome.blocked |= hit
        if hit or full:
            found.append({"name": topic.name, "type": "DENY", **_verdict(hit)})
    if found:
        outcome.policies["topicPolicy"] = {"topics": found}


def _judge_attack(outcome: Outcome, texts: Sequence[str], full: bool) -> None:
    strength = outcome.guardrail.prompt_attack
    if strength is None:
        return
    score = max(scores(texts).values())
    confidence = next((name for least, name in _LEVELS if score >= least), "NONE")
    hit = confidence in _BLOCKED_AT[strength]
    outcome.blocked |= hit
    if hit or full:
        entry = {"type": "PROMPT_ATTACK", "confidence": confidence, "filterStrength": strength}
        outcome.policies["contentPolicy"] = {"filters": [{**entry, **_verdict(hit)}]}


def _find_misconduct(outcome: Outcome) -> None:
    outcome.blocked = True
    found = {"type": "MISCONDUCT", "confidence": "HIGH", "filterStrength": "HIGH", **_verdict(True)}
    filters = outcome.policies.get("contentPolicy", {}).get("filters", [])
    outcome.policies["contentPolicy"] = {"filters": [*filters, found]}


def _judge_words(outcome: Outcome, texts: Sequence[str], full: bool) -> None:
    found = []
    for word in outcome.guardrail.words:
        hit = any(_holds(text, word) for text in texts)
        outcome.blocked |= hit
        if hit or full:
            found.append({"match": word, **_verdict(hit)})
    if found:
        outcome.policies["wordPolicy"] = {"customWords": found, "managedWordLists": []}


def _judge_sensitive(outcome: Outcome, parts: Sequence[Part]) -> None:
    entities: list[dict[str, Any]] = []
    regexes: list[dict[str, Any]] = []
    for place, part in enumerate(parts):
        if part.guarded:
            outcome.texts[place] = _masked(outcome, part.text, entities, regexes)
    if entities or regexes:
        policy = {"piiEntities": entities, "regexes": regexes}
        outcome.policies["sensitiveInformationPolicy"] = policy


def _masked(
    outcome: Outcome, text: str, entities: list[dict[str, Any]], regexes: list[dict[str, Any]]
) -> str:
    """The text with what is anonymized replaced by `{TYPE}`; what was found is noted."""
    rules = {rule.type: rule.action for rule in outcome.guardrail.pii}
    cuts: list[tuple[int, int, str]] = []
    for found in findings(text, rules):
        action = rules[found.type]
        entities.append({"match": found.match, "type": found.type, "action": _DONE[action], "detected": True})
        _note(outcome, action, (found.begin, found.end, found.type), cuts)
    for rule in outcome.guardrail.regexes:
        for match in re.finditer(rule.pattern, text):
            entry = {"name": rule.name, "match": match.group(), "regex": rule.pattern}
            regexes.append({**entry, "action": _DONE[rule.action], "detected": True})
            _note(outcome, rule.action, (*match.span(), rule.name), cuts)
    for begin, end, label in sorted(cuts, reverse=True):
        text = f"{text[:begin]}{{{label}}}{text[end:]}"
    return text


def _note(outcome: Outcome, action: str, cut: tuple[int, int, str], cuts: list[tuple[int, int, str]]) -> None:
    outcome.blocked |= action == "BLOCK"
    overlaps = any(cut[0] < end and begin < cut[1] for begin, end, _ in cuts)
    if action == "ANONYMIZE" and not overlaps:
        outcome.masked = True
        cuts.append(cut)


def _judge_grounding(outcome: Outcome, parts: Sequence[Part], guarded: Sequence[str], full: bool) -> None:
    threshold = outcome.guardrail.grounding_threshold
    sources = [part.text for part in parts if "grounding_source" in part.qualifiers]
    if threshold is None or not sources:
        return
    score = grounding_score("\n".join(guarded), sources)
    hit = score < threshold
    outcome.blocked |= hit
    if hit or full:
        entry = {"type": "GROUNDING", "threshold": threshold, "score": score, **_verdict(hit)}
        outcome.policies["contextualGroundingPolicy"] = {"filters": [entry]}


def _usage(outcome: Outcome, source: str) -> dict[str, int]:
    units = -(-outcome.guarded // CHARACTERS_PER_UNIT)
    rail = outcome.guardrail
    grounded = source == "OUTPUT" and rail.grounding_threshold is not None and outcome.total > outcome.guarded
    return {
        "topicPolicyUnits": units if rail.topics else 0,
        "contentPolicyUnits": units if rail.prompt_attack and source == "INPUT" else 0,
        "wordPolicyUnits": units if rail.words else 0,
        "sensitiveInformationPolicyUnits": units if rail.pii else 0,
        "sensitiveInformationPolicyFreeUnits": units if rail.regexes else 0,
        "contextualGroundingPolicyUnits": -(-outcome.total // CHARACTERS_PER_UNIT) if grounded else 0,
    }


def _verdict(hit: bool) -> dict[str, Any]:
    return {"action": "BLOCKED" if hit else "NONE", "detected": hit}


def _holds(text: str, phrase: str) -> bool:
    words = r"\s+".join(map(re.escape, phrase.split()))
    return re.search(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE) is not None
