"""Who decided on a plan, and why, as a message tells it."""

from collections.abc import Iterable

from memory.records.approval import Decision


def decided(closing: Decision | None, made: Iterable[Decision]) -> dict[str, str]:
    """Return everybody who approved a plan, or who denied it, and why; nothing while it waits.

    `closing` closed the request, and `made` are all decisions on it: before the last of a quorum others approved.
    """
    if closing is None:
        return {}
    before = [one for one in made if one.approved and one != closing] if closing.approved else []
    by = {one.by.id: one for one in (*before, closing)}
    told = [one_id + (" by break-glass" if one.break_glass else "") for one_id, one in by.items()]
    reasons = {one_id: one.reason for one_id, one in by.items() if one.reason}
    return {
        "decided": f"{'approved' if closing.approved else 'denied'} by {' and '.join(told)}",
        "decision_reason": (
            closing.reason
            if len(by) == 1
            else "; ".join(f"{one_id}: {reason}" for one_id, reason in reasons.items())
        ),
    }
