"""Approve or deny from a terminal: the caller is whoever STS says, and the door checks the role."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

from rich.console import Console
from rich.prompt import Confirm, Prompt

from console.asked import told_actions, told_request
from console.drive import drive, record_of
from console.inspecting import record_json
from console.live import Tail
from console.session import Deciding
from console.story import Story
from console.text import plain, screen
from graphs.callers import principal_of_caller
from graphs.copilot import Records
from graphs.decision import BUSY, Decided, DecisionRefusedError, decide, pending_request
from graphs.run_port import RunPort
from memory.records.approval import ApprovalRequest, Decision
from memory.records.incident_record import IncidentRecord
from memory.stores.leases import IncidentBusyError
from tools.errors import CopilotError, Misconfigured

NOBODY = "no one was there to approve"


class NotDecidedError(CopilotError):
    """The door did not take the decision; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What somebody says to the plan that they have seen, which `plan` is the hash of, or its first digits."""

    approved: bool
    plan: str
    reason: str = ""
    break_glass: bool = False


Answering = Callable[[IncidentRecord], Answer]


def standing_answer(choice: Literal["approve", "deny"] | None, *, asking: bool) -> Answering:
    """Return who answers: the option that was given, a person at the prompt, or the safe default."""
    if choice is not None:
        return lambda record: Answer(choice == "approve", plan_of(record), f"--{choice} was given")
    if asking and _at_a_terminal():
        return at_the_prompt
    return lambda record: Answer(approved=False, plan=plan_of(record), reason=NOBODY)


def at_the_prompt(record: IncidentRecord) -> Answer:
    """Ask the person at the terminal; anything but yes is a no."""
    console = screen(err=True)
    if Confirm.ask(f"\napprove {plain(asked_for(record))}?", console=console, default=False):
        return Answer(approved=True, plan=plan_of(record), reason="approved at the prompt")
    reason = Prompt.ask("why not", console=console, default="denied at the prompt")
    return Answer(approved=False, plan=plan_of(record), reason=reason)


def asked_for(record: IncidentRecord) -> str:
    """Return what a yes would do, with its parameters: nobody should have to look further up."""
    return told_actions(record.approval.actions) if record.approval else "nothing"


def plan_of(record: IncidentRecord) -> str:
    """Return the hash of the plan that `asked_for` tells of."""
    return record.approval.plan_hash if record.approval else ""


def put_decision(
    records: Records, runs: RunPort, incident_id: str, answer: Answer, seen: ApprovalRequest | None = None
) -> Decided:
    """Put one decision through the door as the STS caller; `seen` is the request where it was just read."""
    by = principal_of_caller(records.caller_arn, records.settings)
    try:
        return decide(
            records,
            runs,
            incident_id,
            by,
            plan=answer.plan,
            approved=answer.approved,
            reason=answer.reason,
            door="cli",
            break_glass=answer.break_glass,
            seen=seen,
        )
    except DecisionRefusedError as error:
        raise NotDecidedError(str(error)) from error


def decide_and_follow(session: Deciding, incident: str, answer: Answer, *, wait: bool, as_json: bool) -> int:
    """Tell what waits, decide on that very plan, and follow the incident to its end.

    Where the answer names a plan, another one is refused. An approval that names none is asked for again at a
    terminal, with the plan in sight, and is `Misconfigured` without one or with `as_json`.

    An approval that stands already, of an incident that a crash cut off, lets the incident go on.
    """
    records, runs, out = session.records, session.runs, screen()
    incident_id = records.incidents.full_id(incident)
    request = _asked_now(records, incident_id, answer)
    if request is not None:
        asking = None if as_json else session.load
        record = records.incidents.record(incident_id)
        answer = _on_what_is_told(request, record, answer, screen(err=as_json), asking)
    story = Story(out, records)
    tail = Tail(records, records.incidents.scope_of(incident_id), incident_id, story.tell)
    tail.skip()
    with _told_what_stands(incident_id), nullcontext() if as_json else tail.following():
        decided = _decide_or_go_on(records, runs, incident_id, answer, request)
        goes_on = wait and (decided is None or decided.woken)
        record = drive(records, runs, incident_id) if goes_on else record_of(records, incident_id)
    if as_json:
        out.file.write(record_json(record) + "\n")
    else:
        story.sum_up(record)
    if decided is not None and not decided.woken:
        said = (
            f"the approval stands; {decided.told}"
            if decided.missing
            else f"the decision stands; {decided.held_up}"
        )
        screen(err=as_json).print(plain(said), soft_wrap=True)
    return 0


@contextmanager
def _told_what_stands(incident_id: str) -> Iterator[None]:
    """Tell whoever interrupts the run of an incident what becomes of it."""
    try:
        yield
    except KeyboardInterrupt:
        short = incident_id[:8]
        screen(err=True).print(
            f"interrupted: what was decided stands. `cloudops show {short}` says where the incident is, and "
            "`cloudops tick` lets it go on",
            soft_wrap=True,
        )
        raise


def _asked_now(records: Records, incident_id: str, answer: Answer) -> ApprovalRequest | None:
    """Return what waits for the answer, or None where an approval like it stands already and its incident goes on."""
    try:
        return pending_request(records, incident_id)
    except DecisionRefusedError as error:
        if _stands(records, incident_id, answer):
            return None
        raise NotDecidedError(str(error)) from error


def _decide_or_go_on(
    records: Records, runs: RunPort, incident_id: str, answer: Answer, request: ApprovalRequest | None
) -> Decided | None:
    """Decide on what is asked now, or let go on what stands already."""
    if request is not None:
        return put_decision(records, runs, incident_id, answer, request)
    try:
        runs.wake(incident_id)
    except IncidentBusyError:
        screen(err=True).print(f"the approval stands; {BUSY}", soft_wrap=True)
    return None


def _stands(records: Records, incident_id: str, answer: Answer) -> bool:
    """Say whether an approval like the answer stands already, and its incident goes on."""
    record = record_of(records, incident_id)
    decision = record.decision or _stored_decision(records, record)
    stands = decision is not None and decision.approved and decision.plan_hash.startswith(answer.plan)
    return stands and answer.approved and not record.status.is_end


def _on_what_is_told(
    request: ApprovalRequest,
    record: IncidentRecord | None,
    answer: Answer,
    out: Console,
    asking: Callable[[], None] | None,
) -> Answer:
    """Tell which plan is asked now, and make sure that it is the one that is answered unless the answer names one.

    `asking` is called before a person is asked, and is None where nobody is to be. A denial needs no second word:
    whichever plan it meets, nothing is changed by it.
    """
    out.print(told_request(request, record, out.width), soft_wrap=True)
    if answer.approved and not answer.plan:
        _is_meant(request.incident_id, request.plan_hash, asking)
    return replace(answer, plan=answer.plan or request.plan_hash)


def _is_meant(incident_id: str, plan: str, asking: Callable[[], None] | None) -> None:
    """Return once a person at the terminal says yes to the plan that was just shown; raise otherwise."""
    if asking is None or not _at_a_terminal():
        raise Misconfigured(
            f"nothing was decided: an approval names the plan that was seen. To approve the one above: "
            f"cloudops approve {incident_id[:8]} --plan {plan[:12]}"
        )
    asking()
    if not Confirm.ask(f"approve plan {plan[:12]}?", console=screen(err=True), default=False):
        raise NotDecidedError("nothing was decided; the plan waits on")


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _stored_decision(records: Records, record: IncidentRecord) -> Decision | None:
    if record.approval is None:
        return None
    incident = record.incident
    return records.approvals.decision(incident.scope, incident.incident_id, record.approval.plan_hash)
