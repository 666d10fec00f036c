"""Hand over or erase what is stored, as a person asks for it in a terminal."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.prompt import Confirm

from console.listing import moment
from console.session import StoredSession
from console.text import plain, screen
from graphs.callers import principal_of_caller
from graphs.holdings import (
    Sought,
    elsewhere,
    erase,
    erase_elsewhere,
    everything_of,
    incidents_about,
    note_export,
)
from memory.records.base import digest
from memory.records.incident import Incident
from memory.records.scope import Role
from tools.errors import CopilotError

PRIVATE = 0o600


class RefusedRequestError(CopilotError):
    """What was asked for is not done; the message says why."""


@dataclass(frozen=True)
class Choice:
    """Which incidents a request is about: one, or those about a subject."""

    incident: str
    subject: str
    since: str
    most: int


def export_to(at: StoredSession, choice: Choice, out: Path | None) -> int:
    """Write what is stored into one file, and say where it is."""
    who = _allowed(at)
    chosen = _chosen(at, choice)
    told = {
        "subject": choice.subject or None,
        "incidents": [everything_of(at.records, at.saver, one) for one in chosen],
        **(elsewhere(at.records, choice.subject) if choice.subject else {}),
    }
    named = choice.subject and f"subject-{digest(choice.subject)[:16]}"
    path = out or at.records.settings.out_dir / f"{named or chosen[0].incident_id}.export.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # It may hold what concerns people: nobody else on this machine is to read it.
    path.touch(mode=PRIVATE)
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    note_export(at.records, who, [one.incident_id for one in chosen], choice.subject)
    screen().print(f"{path}: {len(chosen)} incidents")
    return 0


def erase_chosen(at: StoredSession, choice: Choice, reason: str, *, yes: bool, force: bool) -> int:
    """Erase what is stored once somebody has said yes, and say what was erased."""
    who = _allowed(at)
    chosen = _chosen(at, choice)
    out = screen()
    for one in chosen:
        out.print(plain(f"{one.incident_id}  {one.opened_at:%Y-%m-%d %H:%M}  {one.alarm.name}"))
    if chosen and not yes and not _is_sure(len(chosen)):
        raise RefusedRequestError("nothing was erased: say yes at the prompt, or use --yes")
    for one in chosen:
        done = erase(at.records, at.saver, one, who, reason, force=force)
        out.print(
            f"erased {one.incident_id}: {done.items} items, {done.objects} objects; its audit ends in {done.head[:16]}"
        )
    if choice.subject:
        bodies, payloads = erase_elsewhere(at.records, who, choice.subject)
        out.print(f"erased {bodies} refused bodies and {payloads} payloads of the tenant's audit")
    return 0


def _chosen(at: StoredSession, choice: Choice) -> list[Incident]:
    if bool(choice.incident) == bool(choice.subject):
        raise RefusedRequestError("name either --incident or --subject")
    if choice.incident:
        incidents = at.records.incidents
        return [incidents.get(incidents.full_id(choice.incident))]
    since = moment(choice.since) if choice.since else None
    about = incidents_about(at.records, at.saver, Sought(choice.subject, since, choice.most))
    told = f"{len(about.incidents)} incidents are about it; {about.searched} were searched"
    if not about.is_all:
        told += ", the newest: there are more, which --most says to search too"
    screen(err=True).print(plain(told))
    return list(about.incidents)


def _allowed(at: StoredSession) -> str:
    """Return who asks; only an approver may have or erase everything."""
    caller = principal_of_caller(at.records.caller_arn, at.records.settings)
    if not caller.has(Role.APPROVER):
        raise RefusedRequestError(f"{caller.id} does not hold the role {Role.APPROVER.value}")
    return caller.id


def _is_sure(count: int) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return Confirm.ask(f"erase all of {count} incidents for good?", console=screen(err=True), default=False)
