"""Evidence as a model may see it: cut to size, looked at by a guard, with what gives orders taken out."""

import json
import threading
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from agents.guardrails import SENSITIVE, UNSCANNED, Findings, TextGuard
from agents.views import span, view_of
from memory.records.base import canonical_json
from memory.records.evidence import Evidence
from tools.injection import flags_of
from tools.observe.moments import utc_text

WITHHELD = "[withheld: text that gives orders]"
WITHHELD_WHOLE = {"withheld": "this observation was not cleared for reading"}
MASKED = "[masked]"
GUARD_THREADS = 8
# How much of an observation stands in a question: of one that an explanation cites, of any other. The rest is one read
# away, and what stands here is paid for at every step.
CITED_CHARS, OTHER_CHARS = 700, 240


@dataclass
class Observations:
    """All evidence that one agent has met in one run; safe to share between threads."""

    guard: TextGuard
    _evidence: dict[str, Evidence] = field(default_factory=dict)
    _flagged: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def evidence(self) -> Mapping[str, Evidence]:
        """Return the evidence by id."""
        return MappingProxyType(self._evidence)

    @property
    def flagged(self) -> frozenset[str]:
        """Return the ids of evidence that a detector or the guard objects to."""
        return frozenset(key for key, flags in self._flagged.items() if {*flags} - {UNSCANNED})

    @property
    def unscanned(self) -> frozenset[str]:
        """Return the ids of evidence that no guard could look at, and that no detector objects to."""
        return frozenset(self._flagged) - self.flagged

    def show(self, evidence: Evidence, limit: int) -> dict[str, Any]:
        """Return one observation for a model to read."""
        flags, result = self._screened(evidence)
        with self._lock:
            self._evidence[evidence.evidence_id] = evidence
            if flags:
                self._flagged[evidence.evidence_id] = flags
        kept, was_cut = view_of(result, limit)
        view: dict[str, Any] = {
            "evidence_id": evidence.evidence_id,
            "title": evidence.title,
        }
        if evidence.window_start and evidence.window_end:
            view["window"] = span(utc_text(evidence.window_start), utc_text(evidence.window_end))
        gaps = [gap.value for gap in evidence.gaps]
        if was_cut:
            gaps.append("cut")
        if gaps:
            view["gaps"] = gaps
        if evidence.gap_detail:
            view["gap_detail"] = evidence.gap_detail
        if flags:
            view["flags"] = list(flags)
        return {**view, "result": kept}

    def show_all(self, evidence: Iterable[Evidence], cited: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return several observations in their order, most of each that is cited; the guard looks at all at once."""

        def shown(one: Evidence) -> dict[str, Any]:
            return self.show(one, CITED_CHARS if one.evidence_id in cited else OTHER_CHARS)

        with ThreadPoolExecutor(GUARD_THREADS, thread_name_prefix="guard") as threads:
            return list(threads.map(shown, evidence))

    def words(self, said: Any) -> Any:
        """Return outside words that are no evidence, such as an alarm's, without those that give orders."""
        cleaned = without_orders(said)
        if not flags_of(cleaned) and self.guard.scan(canonical_json(cleaned)).clear:
            return cleaned
        return WITHHELD_WHOLE

    def _screened(self, evidence: Evidence) -> tuple[tuple[str, ...], Any]:
        """Take out what is masked and the texts that give orders; if the guard objects to more, take out everything.

        What a guard only masks is no order, and flags nothing: a deployment's number may look like that of a card.
        """
        if not evidence.untrusted:
            return evidence.flags, evidence.result
        result = evidence.result
        findings = self.guard.scan(canonical_json(result))
        if _is_masked_only(findings):
            result = _without(result, _forms(findings.matches))
            findings = self.guard.scan(canonical_json(result))
            if _is_masked_only(findings):
                # It found the mask itself, or what no mask reaches, which nobody is shown. Neither is an order.
                result = result if _are_masks(findings.matches) else WITHHELD_WHOLE
                findings = Findings()
        flags = tuple(dict.fromkeys((*evidence.flags, *findings.flags)))
        if not flags:
            return (), result
        cleaned = without_orders(result)
        # An order over several texts stands in none of them.
        if not flags_of(cleaned) and (findings.clear or self.guard.scan(canonical_json(cleaned)).clear):
            return flags, cleaned
        return flags, WITHHELD_WHOLE


def _is_masked_only(findings: Findings) -> bool:
    return findings.flags == (SENSITIVE,) and bool(findings.matches)


def _are_masks(matches: tuple[str, ...]) -> bool:
    return all(not match.replace(MASKED, "").strip("\\") for match in matches)


def _forms(matches: tuple[str, ...]) -> tuple[str, ...]:
    """Return matches as they stand in the guard's JSON and in the texts within: an escape may end or hold one."""
    found = [*matches]
    for match in matches:
        bare = match.rstrip("\\")
        try:
            found += [bare, json.loads(f'"{bare}"')]
        except ValueError:
            found.append(bare)
    return tuple(dict.fromkeys(sorted(filter(None, found), key=len, reverse=True)))


def _without(value: Any, matches: tuple[str, ...]) -> Any:
    """Return a result in which what a guard masks is masked, a number as a whole: the digits of a share, too."""
    if isinstance(value, dict):
        return {_without(key, matches): _without(inner, matches) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without(inner, matches) for inner in value]
    if isinstance(value, str):
        for match in matches:
            value = value.replace(match, MASKED)
        return value
    return MASKED if any(match in canonical_json(value) for match in matches) else value


def cleared(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts without the texts that give orders: code states them, and names in them may be anybody's."""
    cleaned = {label: without_orders(fact) for label, fact in facts.items()}
    return {label: WITHHELD if flags_of(fact) else fact for label, fact in cleaned.items()}


def without_orders(value: Any) -> Any:
    """Return a value without its texts that give orders, keys as they are."""
    if isinstance(value, str):
        return WITHHELD if flags_of(value) else value
    if isinstance(value, dict):
        return {key: without_orders(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_orders(inner) for inner in value]
    return value
