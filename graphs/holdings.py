"""Hand over, or erase, everything that is stored about an incident or about somebody."""

import base64
import json
import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from pydantic import TypeAdapter

from graphs.copilot import Records
from memory import keys
from memory.records.audit import Deed
from memory.records.base import digest
from memory.records.incident import ERASED, Incident
from memory.stores.incidents import UnknownIncidentError
from memory.stores.listings import Wanted
from tools.errors import CopilotError

Saver = BaseCheckpointSaver[Any]
PAGE = 100
SHORTEST = 3


class StillOpenError(CopilotError):
    """An incident goes on, and what it rests on cannot be erased under it."""


class TooVagueError(CopilotError):
    """What is looked for is so short that it stands in data about nobody in particular."""


@dataclass(frozen=True)
class Sought:
    """What is looked for: text in whatever is stored of the tenant's newest incidents, so many at most."""

    text: str
    since: datetime | None = None
    most: int = 1000


@dataclass(frozen=True)
class About:
    """What was found, in how many incidents it was searched, and whether those were all there are."""

    incidents: tuple[Incident, ...]
    searched: int
    is_all: bool


@dataclass(frozen=True)
class Erased:
    """What an erasure of one incident took away."""

    incident_id: str
    items: int
    objects: int
    refusals: int
    head: str


def everything_of(records: Records, saver: Saver, incident: Incident) -> dict[str, Any]:
    """Return all that is stored of an incident, decoded: records, refused bodies, checkpoints and objects."""
    config: Any = {"configurable": {"thread_id": incident.thread_id}}
    return {
        "incident_id": incident.incident_id,
        "records": records.holdings.of(incident),
        "refusals": list(records.refusals.mentioning(_named_by(incident))),
        "checkpoints": [_decoded(one) for one in saver.list(config)],
        "objects": [
            {"of": one.of.value, "sha256": one.sha256, "content": _readable(one.content)}
            for one in records.objects.all(incident.scope, incident.incident_id)
        ],
    }


def incidents_about(records: Records, saver: Saver, sought: Sought) -> About:
    """Find the incidents that are about somebody or something.

    Those in which a principal of that id decided are found by an index; the others by a search that decodes all that
    is stored of each, newest first. Raises `TooVagueError` for what would be found everywhere.
    """
    if len(sought.text.strip()) < SHORTEST:
        raise TooVagueError(
            f"a subject has at least {SHORTEST} characters: less is found in what is no one's"
        )
    indexed = sorted(set(records.holdings.incidents_of(sought.text)))
    found = [one for incident_id in indexed if (one := _known(records, incident_id)) is not None]
    newest, is_all = _newest(records, sought)
    for incident_id in newest:
        if incident_id not in indexed:
            incident = records.incidents.get(incident_id)
            if mentions(everything_of(records, saver, incident), sought.text):
                found.append(incident)
    return About(tuple(found), len(newest), is_all)


def mentions(value: Any, text: str) -> bool:
    """Say whether some text stands anywhere in a decoded value."""
    return json.dumps(text, ensure_ascii=False)[1:-1] in json.dumps(value, ensure_ascii=False)


def erase(records: Records, saver: Saver, incident: Incident, who: str, why: str, *, force: bool) -> Erased:
    """Erase all that is stored of an incident but the hashes of its audit. It may be repeated after a stop.

    Raises `StillOpenError` while the incident goes on, unless forced, and `IncidentBusyError` while a run moves it.
    """
    scope, incident_id = incident.scope, incident.incident_id
    if not force and incident_id in set(records.incidents.unfinished()):
        raise StillOpenError(f"incident {incident_id} goes on: erase it once it has ended, or use --force")
    records.leases.hold(scope, incident_id, f"erase-{uuid.uuid4()}")
    partition, now = keys.incident(scope, incident_id).pk, records.clock.now()
    link = records.audit.erase(partition, now, who, why)
    saver.delete_thread(incident.thread_id)
    refusals = records.refusals.erase(_named_by(incident))
    objects = records.objects.erase(scope, incident_id)
    # The identity tells where all else is, so it goes last.
    items = records.holdings.erase(incident)
    records.incidents.forget(incident)
    shutil.rmtree(records.settings.out_dir / incident_id, ignore_errors=True)
    records.audit.commit(
        keys.tenant_audit(scope.tenant),
        [],
        now,
        Deed.ERASED,
        who=who,
        what=f"erased incident {incident_id}, whose audit ends in {link.hash}",
        why=why,
    )
    return Erased(incident_id, items, objects, refusals, link.hash)


def note_export(records: Records, who: str, incident_ids: list[str], subject: str) -> None:
    """Write into the tenant's audit who took a copy of what; of a subject only the digest."""
    records.audit.commit(
        keys.tenant_audit(records.settings.tenant),
        [],
        records.clock.now(),
        Deed.EXPORTED,
        who=who,
        what=f"exported {len(incident_ids)} incidents",
        facts={"incidents": incident_ids, "subject_sha256": digest(subject) if subject else ""},
    )


def erase_elsewhere(records: Records, who: str, subject: str) -> tuple[int, int]:
    """Erase what names a subject beside incidents; return how many refused bodies and audit payloads that were."""
    partition, now = keys.tenant_audit(records.settings.tenant), records.clock.now()
    records.kill_switch.erase_about(subject)
    return records.refusals.erase((subject,)), records.audit.erase_about(partition, now, who, subject)


def elsewhere(records: Records, subject: str) -> dict[str, Any]:
    """Return what names a subject beside incidents: refused bodies, who exported, erased or turned what."""
    switch = records.kill_switch.read().model_dump(mode="json")
    about = records.audit.about(keys.tenant_audit(records.settings.tenant), subject)
    return {
        "refusals": list(records.refusals.mentioning((subject,))),
        "audit": [item.body for item in about],
        "kill_switch": switch if mentions(switch, subject) else None,
    }


def _known(records: Records, incident_id: str) -> Incident | None:
    try:
        return records.incidents.get(incident_id)
    except UnknownIncidentError:
        return None


def _newest(records: Records, sought: Sought) -> tuple[list[str], bool]:
    """Return the ids of the newest incidents, and whether there are no more than these."""
    found: list[str] = []
    after = ""
    while len(found) < sought.most:
        page = records.incidents.page(Wanted(since=sought.since), min(PAGE, sought.most - len(found)), after)
        found += [line.incident_id for line in page.lines]
        after = page.after
        if not after:
            return found, True
    return found, False


def _named_by(incident: Incident) -> tuple[str, ...]:
    """Return the texts by which a refused body is told to be about an incident."""
    return tuple({incident.incident_id, incident.event_id, incident.alarm.arn} - {"", ERASED})


def _readable(content: bytes) -> Any:
    """Return the JSON that an object holds, its text, or its bytes in base64."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
    try:
        return json.loads(text)
    except ValueError:
        return text


def _decoded(one: CheckpointTuple) -> dict[str, Any]:
    told: dict[str, Any] = TypeAdapter(Any).dump_python(
        {
            "config": one.config,
            "checkpoint": one.checkpoint,
            "metadata": one.metadata,
            "writes": one.pending_writes,
        },
        mode="json",
        fallback=str,
    )
    return told
