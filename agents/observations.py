"""Evidence as a model may see it: cut to size, looked at by a guard, with what gives orders taken out."""

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from agents.guardrails import TextGuard
from memory.records.base import canonical_json
from memory.records.evidence import Evidence
from tools.evidence import cut
from tools.injection import flags_of

WITHHELD = "[withheld: text that gives orders]"
WITHHELD_WHOLE = {"withheld": "this observation was not cleared for reading"}
GUARD_THREADS = 8
# How much of each observation stands in a question; the rest is one read away.
OBSERVATION_CHARS = 2_000


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
        return frozenset(self._flagged)

    def show(self, evidence: Evidence, limit: int) -> dict[str, Any]:
        """Return one observation for a model to read."""
        flags, result = self._screened(evidence)
        with self._lock:
            self._evidence[evidence.evidence_id] = evidence
            if flags:
                self._flagged[evidence.evidence_id] = flags
        kept, was_cut = cut(result, limit)
        view: dict[str, Any] = {
            "evidence_id": evidence.evidence_id,
            "title": evidence.title,
            "source": evidence.source,
            "taken_at": evidence.taken_at.isoformat(),
        }
        if evidence.window_start and evidence.window_end:
            view["window"] = [evidence.window_start.isoformat(), evidence.window_end.isoformat()]
        gaps = [gap.value for gap in evidence.gaps]
        if was_cut:
            gaps.append("cut")
            view["whole"] = (
                f"{evidence.result_bytes} bytes are stored under this id; ask more narrowly to see more"
            )
        if gaps:
            view["gaps"], view["gap_detail"] = gaps, evidence.gap_detail
        if flags:
            view["flags"] = list(flags)
        return {**view, "result": kept}

    def show_all(self, evidence: Iterable[Evidence], limit: int) -> list[dict[str, Any]]:
        """Return several observations in their order; the guard looks at them at the same time."""
        with ThreadPoolExecutor(GUARD_THREADS, thread_name_prefix="guard") as threads:
            return list(threads.map(lambda one: self.show(one, limit), evidence))

    def words(self, said: Any) -> Any:
        """Return outside words that are no evidence, such as an alarm's, without those that give orders."""
        cleaned = _without_orders(said)
        if not flags_of(cleaned) and self.guard.scan(canonical_json(cleaned)).clear:
            return cleaned
        return WITHHELD_WHOLE

    def _screened(self, evidence: Evidence) -> tuple[tuple[str, ...], Any]:
        """Take out the texts that give orders; if the guard objects to something else, take out everything."""
        if not evidence.untrusted:
            return evidence.flags, evidence.result
        findings = self.guard.scan(canonical_json(evidence.result))
        flags = tuple(dict.fromkeys((*evidence.flags, *findings.flags)))
        if not flags:
            return (), evidence.result
        cleaned = _without_orders(evidence.result)
        # An order in a name, or spread over lines, stands in no text by itself.
        if not flags_of(cleaned) and (findings.clear or self.guard.scan(canonical_json(cleaned)).clear):
            return flags, cleaned
        return flags, WITHHELD_WHOLE


def _without_orders(value: Any) -> Any:
    if isinstance(value, str):
        return WITHHELD if flags_of(value) else value
    if isinstance(value, dict):
        return {key: _without_orders(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_orders(inner) for inner in value]
    return value
