"""List what was approved by break-glass, and mark it as reviewed."""

import json
from typing import Any

from console.text import full_time, rowed, screen
from graphs.callers import principal_of_caller
from graphs.copilot import Records
from graphs.decision import DecisionRefusedError
from graphs.glass_review import review_glass
from memory.records.approval import BrokenGlass
from tools.errors import CopilotError


class NotReviewedError(CopilotError):
    """The review was not taken; the message says why."""


def show_broken(records: Records, *, as_json: bool, unreviewed: bool) -> int:
    """Print a tenant's approvals by break-glass, what waits for review first.

    With `unreviewed` only those that wait are printed, and the end is 1 where there is one.
    """
    out, listed = screen(), records.approvals.break_glass(records.settings.tenant)
    waiting = [one for one in listed if one.review is None]
    shown = [(one, _status(records, one)) for one in (waiting if unreviewed else listed)]
    if as_json:
        out.file.write(json.dumps([_told(*pair) for pair in shown], indent=2, ensure_ascii=False) + "\n")
    else:
        for one, status in shown:
            _print(one, status)
        out.print(f"{len(waiting)} of {len(listed)} approvals by break-glass are not reviewed")
    return 1 if unreviewed and waiting else 0


def review(records: Records, incident: str, note: str) -> int:
    """Mark an incident's approvals by break-glass as reviewed by the STS caller."""
    incident_id = records.incidents.full_id(incident)
    by = principal_of_caller(records.caller_arn, records.settings)
    try:
        found = review_glass(records, incident_id, by, note)
    except DecisionRefusedError as error:
        raise NotReviewedError(str(error)) from error
    for one in found:
        _print_row(f"reviewed: {one.decision.by.id}'s approval of {incident_id[:8]}")
    return 0


def _print(one: BrokenGlass, status: str) -> None:
    made = one.decision
    line = f"{full_time(made.decided_at)}  {made.incident_id[:8]}  {status:12}  {made.by.id}: {made.reason}"
    _print_row(line, "" if one.review else "yellow")
    if one.review:
        _print_row(f"      reviewed {full_time(one.review.at)} by {one.review.by.id}: {one.review.note}")


def _print_row(text: str, style: str = "") -> None:
    out = screen()
    out.print(rowed(text, out.width), style=style)


def _status(records: Records, one: BrokenGlass) -> str:
    record = records.incidents.record(one.decision.incident_id)
    return record.status.value if record else "unknown"


def _told(one: BrokenGlass, status: str) -> dict[str, Any]:
    review = one.review.model_dump(mode="json") if one.review else None
    return {**one.decision.model_dump(mode="json"), "status": status, "review": review}
