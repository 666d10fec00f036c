"""What a person decides on, in a few lines that fit a narrow terminal: they may read nothing else before they answer.

What would be done, why, and what would show that it is wrong is the signed request's. What it touches, its way back and
what policy says stand in the public record, as they were found when the plan was reviewed.
"""

import textwrap
from collections.abc import Iterable, Iterator

from console.text import full_time, plain
from memory.records.approval import ApprovalRequest
from memory.records.incident_record import IncidentRecord
from memory.records.plan import Plan, PlannedAction, Review, reviews_of

WIDEST = 100
LABEL = 10
UNKNOWN = "not in the record yet"
"""What is said of a plan or a review that the record does not hold: nothing would read as no drift, and no limit."""

Row = tuple[str, str]


def told_request(request: ApprovalRequest, record: IncidentRecord | None, width: int) -> str:
    """Return what is asked and all that it rests on, without control characters, in lines of at most `width`."""
    plan = _plan_asked(request, record)
    reviews = reviews_of(request.actions, record.reviews) if record and plan else ()
    lines = [_wrapped(f"plan {request.plan_hash[:12]}: ", told_actions(request.actions), width)]
    for number, action in enumerate(request.actions):
        if len(request.actions) > 1:
            lines.append(_wrapped(f"  {number + 1}. ", action.action, width))
        review = reviews[number] if reviews else None
        lines += _laid_out(_of_action(request, number, action, review), width)
    lines += _laid_out(_of_plan(request, plan, reviews), width)
    return "\n".join(lines)


def told_actions(actions: Iterable[PlannedAction]) -> str:
    """Return actions with their parameters."""
    return "; ".join(
        f"{one.action} ({', '.join(f'{name}={value}' for name, value in one.parameters.items())})"
        for one in actions
    )


def _plan_asked(request: ApprovalRequest, record: IncidentRecord | None) -> Plan | None:
    plans = record.plans if record else ()
    return next((one for one in reversed(plans) if one.plan_hash == request.plan_hash), None)


def _of_action(
    request: ApprovalRequest, number: int, action: PlannedAction, review: Review | None
) -> Iterator[Row]:
    yield "why", action.why
    yield "expected", action.told_expected
    yield "wrong if", action.falsified_by
    yield "touches", _touches(request, number, review)
    yield "way back", review.way_back if review else UNKNOWN
    yield "policy", f"{review.ruling.value}: {'; '.join(review.reasons)}" if review else UNKNOWN


def _touches(request: ApprovalRequest, number: int, review: Review | None) -> str:
    """Say what an action reaches. A target that changed between the review and the question is said to have."""
    if review is None:
        share = request.blast_percents[number : number + 1]
        return f"{share[0]} % of its target; the rest is {UNKNOWN}" if share else UNKNOWN
    as_asked = review.fingerprint in request.fingerprints
    return review.blast_radius + ("" if as_asked else " (at the review; its target has changed since)")


def _of_plan(request: ApprovalRequest, plan: Plan | None, reviews: Iterable[Review]) -> Iterator[Row]:
    yield "effect", plan.expected_effect if plan else UNKNOWN
    yield from (("way back", one) for one in request.no_way_back_beside(reviews))
    yield "frozen", request.freeze_beside(reviews)
    drifted = map(str, plan.drift) if plan else (f"{UNKNOWN}: whether a runbook has drifted",)
    yield from (("drifted", one) for one in drifted)
    yield "approve", f"{request.needed}, until {full_time(request.expires_at)}"


def _laid_out(rows: Iterable[Row], width: int) -> Iterator[str]:
    """Yield each row under its label."""
    for label, text in rows:
        if text:
            yield _wrapped(f"  {label:<{LABEL}}", text, width)


def _wrapped(head: str, text: str, width: int) -> str:
    """Wrap a text. Its own line breaks go: nothing from outside may look like a row of its own."""
    return textwrap.fill(
        plain(text),
        max(40, min(width, WIDEST)),
        initial_indent=head,
        subsequent_indent=" " * (LABEL + 2),
        break_on_hyphens=False,
    )
