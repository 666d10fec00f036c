"""Record what was seen: every read of the copilot becomes stored evidence, also one that failed."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory.clock import Clock
from memory.records.base import canonical_json, digest
from memory.records.evidence import UNREAD, Evidence, Gap
from memory.records.scope import Scope
from memory.records.spend import Spend
from memory.stores.evidence import EvidenceLedger
from tools.budget import IncidentBudget
from tools.errors import OverAllowance, Transient, error_code, is_denied, is_throttled, is_timeout
from tools.progress import Progress
from tools.redaction import Redactor, is_redacted

RESULT_CHARS = 24_000
Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Answer:
    """What a read returned: JSON, what it cost, and what it could not see.

    `metrics` counts the metrics that were asked for, since those are charged. `reserved` is what was set aside of the
    budget for the read. `window` is the part of the window that was read, where that is not all of it.
    """

    result: Any
    calls: int = 1
    bytes_scanned: int = 0
    gaps: tuple[Gap, ...] = ()
    gap_detail: str = ""
    newest_last: bool = False
    metrics: int = 0
    reserved: int = 0
    window: Window | None = None


@dataclass(frozen=True)
class _Question:
    """What is asked, and of whom."""

    title: str
    source: str
    operation: str
    asked: dict[str, Any]
    window: Window | None
    untrusted: bool
    tool: str


@dataclass
class Recorder:
    """Runs reads for one incident and stores each as evidence; safe to share between threads.

    Nothing is kept from one read for the next: whatever is asked after an action is asked of the account.
    """

    ledger: EvidenceLedger
    clock: Clock
    scope: Scope
    incident_id: str
    budget: IncidentBudget = field(default_factory=IncidentBudget)
    redactor: Redactor = field(default_factory=Redactor)
    result_chars: int = RESULT_CHARS
    part_of: "Recorder | None" = None
    _progress: Progress[tuple[_Question, Answer]] | None = None
    _asked: _Question | None = None
    _spend: Spend = field(default_factory=Spend)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def within(self, budget: IncidentBudget) -> "Recorder":
        """Return a recorder for a part of these reads, with a budget of its own, of which all counts here too."""
        return replace(
            self, budget=budget, part_of=self, _progress=Progress(), _spend=Spend(), _lock=threading.Lock()
        )

    @property
    def spend(self) -> Spend:
        """Return what the reads so far have cost."""
        with self._lock:
            return self._spend

    def charge(self, spend: Spend, reserved: int = 0) -> None:
        """Add what a read has cost, here and to the incident's budget."""
        self._count(spend)
        self.budget.charge(spend, reserved)

    def _count(self, spend: Spend) -> None:
        with self._lock:
            self._spend = self._spend + spend
        if self.part_of is not None:
            self.part_of._count(spend)

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
        tool: str = "",
    ) -> Evidence:
        """Run a read and store what came back; a read that failed is stored with its gap, never as nothing.

        `tool` names the read tool whose question is in `asked`, so that the same can be asked again.
        """
        asked, title = self.redactor.all(asked), self.redactor.text(title)
        question = _Question(title, source, operation, asked, window, untrusted, tool)
        if self._progress is not None:
            self._asked = question
        return self._store(question, NAMELESS if is_nameless(asked) else self._ended(taken(call)))

    def so_far(self, answer: Answer) -> None:
        """Keep what a read by several calls has brought, with its gap, should a further call fail or take too long.

        Only a part's recorder keeps it, which `within` returns: that one asks one question at a time.
        """
        if self._progress is not None and self._asked is not None:
            self._progress.keep((self._asked, answer))

    def stop(self) -> Evidence | None:
        """End what is being read: store what it has brought so far, or return None where that is nothing."""
        kept = self._progress.stop() if self._progress else None
        return self._store(*kept) if kept else None

    def _ended(self, answer: Answer) -> Answer:
        """Return an answer, or where the last of several calls failed, what those before it have brought."""
        kept, was_stopped = self._progress.end() if self._progress else (None, False)
        if kept is None:
            return answer
        brought = kept[1]
        if was_stopped:
            self._charge_rest(answer, brought)
            raise Transient("it was stopped, and what it had brought by then is stored")
        if not _has_failed(answer):
            return answer
        return replace(
            brought,
            calls=max(answer.calls, brought.calls),
            bytes_scanned=answer.bytes_scanned,
            gaps=answer.gaps if set(brought.gaps) & UNREAD else brought.gaps,
            gap_detail="; ".join(one for one in (brought.gap_detail, answer.gap_detail) if one),
        )

    def _charge_rest(self, answer: Answer, brought: Answer) -> None:
        """Charge what a read that was stopped has cost after that."""
        calls, scanned, metrics = (
            max(0, one - other)
            for one, other in (
                (answer.calls, brought.calls),
                (answer.bytes_scanned, brought.bytes_scanned),
                (answer.metrics, brought.metrics),
            )
        )
        usd = self.budget.prices.of(scanned, metrics)
        self.charge(Spend(aws_calls=calls, bytes_scanned=scanned, usd=usd), answer.reserved)

    def _store(self, question: _Question, answer: Answer) -> Evidence:
        usd = self.budget.prices.of(answer.bytes_scanned, answer.metrics)
        self.charge(
            Spend(aws_calls=answer.calls, bytes_scanned=answer.bytes_scanned, usd=usd), answer.reserved
        )
        cleaned = self.redactor.all(answer.result)
        kept, was_cut = cut(cleaned, self.result_chars, keep_tail=answer.newest_last)
        gaps = (*answer.gaps, Gap.TRUNCATED) if was_cut else answer.gaps
        whole, content, read = (
            digest(cleaned),
            canonical_json(cleaned).encode(),
            answer.window or question.window,
        )
        evidence = Evidence(
            evidence_id="ev-" + digest([question.source, question.operation, question.asked, whole])[:12],
            incident_id=self.incident_id,
            scope=self.scope,
            title=question.title,
            source=question.source,
            operation=question.operation,
            tool=question.tool,
            asked=question.asked,
            window_start=read[0] if read else None,
            window_end=read[1] if read else None,
            taken_at=self.clock.now(),
            result=kept,
            result_sha256=whole,
            result_bytes=len(content),
            bytes_scanned=answer.bytes_scanned,
            calls=answer.calls,
            usd=usd,
            gaps=tuple(dict.fromkeys(gaps)),
            gap_detail=self.redactor.text(answer.gap_detail),
            untrusted=question.untrusted,
            flags=_flags_of(cleaned) if question.untrusted else (),
        )
        return self.ledger.add(evidence, *([content] if was_cut else []))


def _flags_of(cleaned: Any) -> tuple[str, ...]:
    # Only here: its patterns take long to make, and what goes on from an approval to its call reads no such text.
    from tools.injection import flags_of

    return flags_of(cleaned)


NAMELESS = Answer(
    {"error": "Redacted"},
    calls=0,
    gaps=(Gap.REFUSED,),
    gap_detail="what it is called by holds a secret or personal data and was taken out, so it cannot be asked for",
)
# Words to look for, and no names.
_WORDS = frozenset({"query", "text"})


def is_nameless(asked: dict[str, Any]) -> bool:
    """Say whether a name in a question was redacted: to ask for what is left would find nothing, and say so."""
    return any(is_redacted(canonical_json(value)) for name, value in asked.items() if name not in _WORDS)


def taken(call: Callable[[], Answer]) -> Answer:
    """Return what a read answers; what AWS refused or did not answer becomes a gap with its own words."""
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        return Answer({"error": error_code(error)}, gaps=(_gap_of(error),), gap_detail=str(error))
    except OverAllowance as error:
        told, gaps = {"error": "OverAllowance"}, (Gap.REFUSED,)
        return Answer(told, error.calls, gaps=gaps, gap_detail=str(error), metrics=error.metrics)
    except Transient as error:
        return Answer({"error": "Transient"}, gaps=(Gap.TIMED_OUT,), gap_detail=str(error))


def _has_failed(answer: Answer) -> bool:
    """Say whether a call failed, of which `taken` tells only the error."""
    return isinstance(answer.result, dict) and answer.result.keys() == {"error"}


def _gap_of(error: ClientError | BotoCoreError) -> Gap:
    if is_denied(error):
        return Gap.DENIED
    if is_throttled(error):
        return Gap.THROTTLED
    return Gap.TIMED_OUT if is_timeout(error) else Gap.FAILED


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
