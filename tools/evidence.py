"""Record what was seen: every read of the copilot becomes stored evidence, also one that failed."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory.clock import Clock
from memory.records.base import digest
from memory.records.evidence import Evidence, Gap
from memory.records.scope import Scope
from memory.records.spend import Spend
from memory.stores.evidence import EvidenceLedger
from tools.errors import Transient, error_code, is_denied, is_throttled
from tools.injection import flags_of
from tools.redaction import redact, redact_all

RESULT_CHARS = 24_000


@dataclass(frozen=True)
class Answer:
    """What a read returned: JSON, what it scanned, and what it could not see."""

    result: Any
    calls: int = 1
    bytes_scanned: int = 0
    gaps: tuple[Gap, ...] = ()
    gap_detail: str = ""
    newest_last: bool = False


Window = tuple[datetime, datetime]


@dataclass
class Recorder:
    """Runs reads for one incident and stores each as evidence; safe to share between threads."""

    ledger: EvidenceLedger
    clock: Clock
    scope: Scope
    incident_id: str
    _spend: Spend = field(default_factory=Spend)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def spend(self) -> Spend:
        """Return what the reads so far have cost."""
        return self._spend

    def observe(
        self,
        title: str,
        source: str,
        operation: str,
        asked: dict[str, Any],
        call: Callable[[], Answer],
        *,
        window: Window | None = None,
        untrusted: bool = False,
    ) -> Evidence:
        """Run a read and store what came back; a read that failed is stored with its gap, never as nothing."""
        answer = _run(call)
        cleaned = redact_all(answer.result)
        kept, was_cut = cut(cleaned, keep_tail=answer.newest_last)
        gaps = (*answer.gaps, Gap.TRUNCATED) if was_cut else answer.gaps
        whole = digest(answer.result)
        evidence = Evidence(
            evidence_id="ev-" + digest([source, operation, asked, whole])[:12],
            incident_id=self.incident_id,
            scope=self.scope,
            title=title,
            source=source,
            operation=operation,
            asked=asked,
            window_start=window[0] if window else None,
            window_end=window[1] if window else None,
            taken_at=self.clock.now(),
            result=kept,
            result_sha256=whole,
            result_bytes=len(json.dumps(answer.result, default=str)),
            bytes_scanned=answer.bytes_scanned,
            gaps=gaps,
            gap_detail=redact(answer.gap_detail),
            untrusted=untrusted,
            flags=flags_of(cleaned) if untrusted else (),
        )
        with self._lock:
            self._spend = self._spend + Spend(aws_calls=answer.calls, bytes_scanned=answer.bytes_scanned)
        return self.ledger.add(evidence)


def _run(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        if is_denied(error):
            gap = Gap.DENIED
        elif is_throttled(error):
            gap = Gap.THROTTLED
        else:
            gap = Gap.FAILED
        return Answer({"error": error_code(error)}, gaps=(gap,), gap_detail=str(error))
    except Transient as error:
        return Answer({"error": "Transient"}, gaps=(Gap.TIMED_OUT,), gap_detail=str(error))


def cut(result: Any, limit: int = RESULT_CHARS, *, keep_tail: bool = False) -> tuple[Any, bool]:
    """Return a result within a budget of characters, and whether anything was left out.

    The longest list gives up half of itself first, so that what is kept is still well formed. It loses its tail,
    or its head where the newest stands last, since what is newest matters most.
    """
    was_cut = False
    while len(json.dumps(result, default=str)) > limit:
        shorter = _halve_longest(result, keep_tail)
        if shorter is None:
            return json.dumps(result, default=str)[:limit], True
        result, was_cut = shorter, True
    return result, was_cut


def _halve_longest(result: Any, keep_tail: bool) -> Any:
    if isinstance(result, list) and len(result) > 1:
        return _half(result, keep_tail)
    if isinstance(result, dict):
        lists = {key: value for key, value in result.items() if isinstance(value, list) and len(value) > 1}
        if lists:
            longest = max(lists, key=lambda key: len(json.dumps(lists[key], default=str)))
            return {**result, longest: _half(lists[longest], keep_tail)}
    return None


def _half(entries: list[Any], keep_tail: bool) -> list[Any]:
    half = len(entries) // 2
    return entries[-half:] if keep_tail else entries[:half]
