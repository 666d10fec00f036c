"""Severity from measured impact, by the rubric."""

from collections.abc import Iterable

from memory.records.assessment import Impact
from memory.records.config import Rubric, RubricRow
from memory.records.incident import Severity

_ORDER = (Severity.NONE, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


def rate(rubric: Rubric, impacts: Iterable[Impact], unread: Iterable[Impact] = ()) -> tuple[Severity, str]:
    """Return the gravest severity that any impact reaches, measured or `unread`, with the reason."""
    best, reason = rubric.otherwise, "no row of the rubric is reached"
    for impact, is_unread in (*((one, False) for one in impacts), *((one, True) for one in unread)):
        rows = (row for row in rubric.rows if row.when_unread is is_unread)
        row = next((row for row in rows if _reaches(impact, row)), None)
        if row is not None and _ORDER.index(row.severity) > _ORDER.index(best):
            best, reason = row.severity, f"{impact.component}: {row.reason}"
    return best, reason


def _reaches(impact: Impact, row: RubricRow) -> bool:
    if row.max_tier is not None and (impact.tier is None or impact.tier > row.max_tier):
        return False
    if row.min_error_share is not None and (impact.error_share or 0.0) < row.min_error_share:
        return False
    if row.min_slo_burn is not None and (impact.slo_burn or 0.0) < row.min_slo_burn:
        return False
    if row.when_stopped and not impact.stopped:
        return False
    return row.min_latency_factor is None or latency_factor(impact) >= row.min_latency_factor


def latency_factor(impact: Impact) -> float:
    """Return how many times slower requests are than before; 1 where it is not known."""
    if not impact.latency_ms or not impact.latency_ms_before:
        return 1.0
    return impact.latency_ms / impact.latency_ms_before
