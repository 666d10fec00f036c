"""Ask again what an observation asked, in its own window, and hold the answer against what was stored."""

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from memory.records.base import Record, UtcTime, canonical_json, digest
from memory.records.evidence import UNREAD, Evidence, Gap
from memory.records.spend import Spend
from tools.evidence import Answer, is_nameless, taken
from tools.observe.sources import ReadTool, Sources

MOST_DIFFERENCES = 20
SHOWN_CHARS = 120


class Outcome(StrEnum):
    """What came of asking again."""

    SAME = "same"
    DIFFERS = "differs"
    CANNOT = "cannot be asked now"


class Replay(Record):
    """An observation asked again: the digests of both answers, and where they differ.

    A difference names its place, as `rows[2].status`, and what stood there then and stands there now.
    """

    evidence_id: str
    outcome: Outcome
    why: str = ""
    differences: tuple[str, ...] = ()
    asked_at: UtcTime
    stored_sha256: str
    now_sha256: str = ""
    gaps: tuple[Gap, ...] = ()
    bytes_scanned: int = 0
    usd: float = 0.0


def replay(sources: Sources, evidence: Evidence, stored: Any, tools: Iterable[ReadTool]) -> Replay:
    """Ask the exact question of some evidence again. Nothing is stored.

    `stored` is the result to compare with: the whole of it, where that is kept.
    """
    base = Replay(
        evidence_id=evidence.evidence_id,
        outcome=Outcome.CANNOT,
        asked_at=sources.clock.now(),
        stored_sha256=evidence.result_sha256,
    )
    tool = next((one for one in tools if one.name == evidence.tool), None)
    why = _hindrance(sources, evidence, tool)
    if why or tool is None:
        return base.model_copy(update={"why": why})
    answer = _ask(sources, evidence, tool)
    told = sources.recorder.redactor.all(answer.result)
    cost = sources.recorder.budget.prices.of(answer.bytes_scanned, answer.metrics)
    found = {
        "now_sha256": digest(told),
        "gaps": answer.gaps,
        "bytes_scanned": answer.bytes_scanned,
        "usd": cost,
        "why": sources.recorder.redactor.text(answer.gap_detail),
    }
    if set(answer.gaps) & UNREAD and not set(evidence.gaps) & UNREAD:
        return base.model_copy(update=found)
    if found["now_sha256"] == evidence.result_sha256:
        return base.model_copy(update={**found, "outcome": Outcome.SAME})
    differences = tuple(_differences(stored, _plain(told)))[:MOST_DIFFERENCES]
    return base.model_copy(update={**found, "outcome": Outcome.DIFFERS, "differences": differences})


def _hindrance(sources: Sources, evidence: Evidence, tool: ReadTool | None) -> str:
    scope = evidence.scope
    if not evidence.tool:
        return "it was stored without the question, by an earlier version or by code that asked on its own"
    if is_nameless(evidence.asked):
        return "what it is called by was redacted"
    if tool is None:
        return f"there is no read tool {evidence.tool} any more"
    if (scope.account, scope.region) != (sources.scope.account, sources.scope.region):
        return f"it is of account {scope.account} in {scope.region}, and these credentials are not"
    return ""


def _ask(sources: Sources, evidence: Evidence, tool: ReadTool) -> Answer:
    asked = {name: value for name, value in evidence.asked.items() if name in tool.question.model_fields}
    question = tool.question.model_validate(asked)
    window = (
        (evidence.window_start, evidence.window_end)
        if evidence.window_start and evidence.window_end
        else None
    )
    answer = taken(lambda: tool.again(sources, question, window))
    usd = sources.recorder.budget.prices.of(answer.bytes_scanned, answer.metrics)
    spend = Spend(aws_calls=answer.calls, bytes_scanned=answer.bytes_scanned, usd=usd)
    sources.recorder.charge(spend, answer.reserved)
    return answer


def _plain(value: Any) -> Any:
    """Return a value as it is once it has been stored: JSON's types only."""
    return json.loads(canonical_json(value))


def _differences(then: Any, now: Any, place: str = "") -> Iterator[str]:
    """Name each place where two JSON values are not the same, plain values before what holds others."""
    if then == now:
        return
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now}, key=lambda key: (isinstance(then.get(key), list | Mapping), key)):
            where = f"{place}.{key}" if place else str(key)
            if key not in now:
                yield f"{where}: is gone, was {_short(then[key])}"
            elif key not in then:
                yield f"{where}: is new, {_short(now[key])}"
            else:
                yield from _differences(then[key], now[key], where)
    elif isinstance(then, list) and isinstance(now, list):
        if len(then) != len(now):
            yield f"{place or 'result'}: {len(then)} entries then, {len(now)} now"
        for number, (one, other) in enumerate(zip(then, now, strict=False)):
            yield from _differences(one, other, f"{place}[{number}]")
    else:
        yield f"{place or 'result'}: {_short(then)} then, {_short(now)} now"


def _short(value: Any) -> str:
    text = canonical_json(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
