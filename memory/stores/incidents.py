"""Incidents: claimed once, listed by time, closed once."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from memory import keys
from memory.records.alarm import Alarm
from memory.records.audit import Deed
from memory.records.incident import ERASED, Incident
from memory.records.incident_record import IncidentRecord
from memory.records.listing import Listing
from memory.records.message import Message, MessageState
from memory.records.scope import COPILOT, Scope
from memory.stores.audit import AuditTrail
from memory.stores.dossier import Dossier, read_dossier
from memory.stores.listings import ListingStore, Page, Wanted
from memory.table import ConflictError, Item, RecordTable, Write

# Of how many incidents it is remembered where they are: an id is never given to another account or region.
REMEMBERED = 1000


class Claimed(StrEnum):
    """What a claim came to."""

    OPENED = "opened"
    MINE = "mine"
    JOINED = "joined"


@dataclass(frozen=True)
class Claim:
    """Which incident an event belongs to, and whether this claim opened it."""

    outcome: Claimed
    incident: Incident


class UnknownIncidentError(LookupError):
    """No incident has this id, or more than one starts with it."""


class IncidentStore:
    """Claims, reads and closes incidents of one tenant."""

    def __init__(self, table: RecordTable, tenant: str) -> None:
        self._table = table
        self._tenant = tenant
        self._trail = AuditTrail(table)
        self._listings = ListingStore(table, tenant)
        self._directory: OrderedDict[str, Item] = OrderedDict()
        self._lock = threading.Lock()

    def claim(self, incident: Incident) -> Claim:
        """Open an incident for an event, or join the one that stands, in one transaction.

        The event id and the alarm's episode are claimed together: a redelivered event finds its own claim, a
        second event of an alarm whose incident is open joins it, and two callers can never both open one.
        """
        for _ in range(8):
            standing = self.standing(incident)
            if standing is not None:
                mine = (
                    standing.incident_id == incident.incident_id and standing.thread_id == incident.thread_id
                )
                return Claim(Claimed.MINE if mine else Claimed.JOINED, standing)
            try:
                self._open(incident)
            except ConflictError:
                continue
            return Claim(Claimed.OPENED, incident)
        raise ConflictError(f"could not claim {incident.incident_id}: too many callers at once")

    def join(self, scope: Scope, event_id: str, incident_id: str) -> bool:
        """Note that a further event belongs to a standing incident; say whether it does, now or since before.

        While the incident is still being claimed nothing is noted: the claim itself takes the event.
        """
        standing = self._table.get(keys.incident(scope, incident_id))
        if standing is None or standing.body["event_id"] == event_id:
            return False
        key = keys.event(scope, event_id)
        if self._table.create(key, {"incident_id": incident_id}):
            return True
        noted = self._table.get(key)
        return noted is not None and noted.body["incident_id"] == incident_id

    def standing(self, incident: Incident) -> Incident | None:
        """Find the incident that an event belongs to already: by event id, by own id, or by open episode."""
        scope = incident.scope
        event = self._table.get(keys.event(scope, incident.event_id))
        if event is not None:
            return self.get(event.body["incident_id"])
        own = self._table.get(keys.incident(scope, incident.incident_id))
        if own is not None:
            return Incident.model_validate(own.body)
        return self.open_for(scope, incident.alarm.arn)

    def open_for(self, scope: Scope, alarm_arn: str) -> Incident | None:
        """Return the open incident of an alarm, or None when its last episode is over."""
        episode = self._table.get(keys.episode(scope, alarm_arn))
        if episode is None or not episode.body["open"]:
            return None
        return self.get(episode.body["incident_id"])

    def _open(self, incident: Incident) -> None:
        scope, body = incident.scope, incident.model_dump(mode="json")
        episode_key = keys.episode(scope, incident.alarm.arn)
        episode = self._table.get(episode_key)
        if episode is not None and episode.body["open"]:
            raise ConflictError("the alarm's episode was opened meanwhile")
        expected = episode.version if episode else 0
        pointer = {"incident_id": incident.incident_id, "open": True}
        key = keys.incident(scope, incident.incident_id)
        directory = keys.directory(self._tenant, incident.incident_id)
        writes = [
            Write(Item(keys.event(scope, incident.event_id), {"incident_id": incident.incident_id}), 0),
            Write(Item(episode_key, pointer, expected + 1), expected),
            Write(Item(key, body), 0),
            Write(Item(directory, scope.model_dump(mode="json")), 0),
            *self._listings.opening(incident),
        ]
        self._trail.commit(
            key.pk,
            writes,
            incident.opened_at,
            Deed.OPENED,
            who=COPILOT.id,
            what=f"opened for {incident.alarm.arn}",
            why=incident.alarm.reason,
            facts={"event_id": incident.event_id},
        )

    def scope_of(self, incident_id: str) -> Scope:
        """Return the scope of an incident id, or raise `UnknownIncidentError`."""
        with self._lock:
            entry = self._directory.get(incident_id)
        if entry is None or not self._table.lives(entry):
            entry = self._table.get(keys.directory(self._tenant, incident_id))
        if entry is None:
            raise UnknownIncidentError(f"no incident has the id {incident_id!r}")
        return self._remembered(entry)

    def _remembered(self, entry: Item) -> Scope:
        """Return the scope that an entry of the directory names, and keep it: no incident ever moves to another."""
        with self._lock:
            self._directory[entry.key.sk] = entry
            while len(self._directory) > REMEMBERED:
                self._directory.popitem(last=False)
        return Scope.model_validate(entry.body)

    def full_id(self, prefix: str) -> str:
        """Complete the beginning of an incident id; raise `UnknownIncidentError` when it is not unique."""
        if len(prefix) < keys.DIRECTORY_CHARACTERS:
            raise UnknownIncidentError(
                f"{prefix!r} is too short: give at least {keys.DIRECTORY_CHARACTERS} characters of the id"
            )
        partition = keys.directory(self._tenant, prefix).pk
        found = list(self._table.query(partition, prefix, limit=2))
        if len(found) == 1:
            self._remembered(found[0])
            return found[0].key.sk
        what = "no incident id starts" if not found else "more than one incident id starts"
        raise UnknownIncidentError(f"{what} with {prefix!r}")

    def get(self, incident_id: str) -> Incident:
        """Read an incident's identity, or raise `UnknownIncidentError`."""
        item = self._table.get(keys.incident(self.scope_of(incident_id), incident_id))
        if item is None:
            raise UnknownIncidentError(f"no incident has the id {incident_id!r}")
        return Incident.model_validate(item.body)

    def newest(self, limit: int = 50) -> Iterator[Listing]:
        """Yield the tenant's incidents, newest first."""
        return self._listings.newest(limit)

    def page(self, wanted: Wanted, limit: int, after: str = "") -> Page:
        """Return the next lines of a list, newest first; `after` is what the page before ended with."""
        return self._listings.page(wanted, limit, after)

    def unfinished(self) -> Iterator[str]:
        """Yield the ids of all incidents that have not come to their end: what is told of it included."""
        return self._listings.unfinished()

    def dossier(self, incident: Incident) -> Dossier:
        """Read all that stands of an incident beside its evidence."""
        return read_dossier(self._table, incident.scope, incident.incident_id)

    def save_record(self, record: IncidentRecord, dossier: Dossier | None = None) -> None:
        """Store the public record; the holder of the incident's lease is its one writer.

        The dossier that it was made from spares reading how the incident is listed.
        """
        incident = record.incident
        self._table.put(keys.record(incident.scope, incident.incident_id), record.model_dump(mode="json"))
        self._listings.keep(record, dossier)

    def record(self, incident_id: str) -> IncidentRecord | None:
        """Read the public record, or None while intake has not finished.

        A message that waited when it was stored is read as it stands now: it may have been sent since.
        """
        scope = self.scope_of(incident_id)
        item = self._table.get(keys.record(scope, incident_id))
        if item is None:
            return None
        record = IncidentRecord.model_validate(item.body)
        if all(one.state is not MessageState.QUEUED for one in record.messages):
            return record
        now = tuple(self._as_it_stands(scope, one) for one in record.messages)
        return record.model_copy(update={"messages": now})

    def _as_it_stands(self, scope: Scope, message: Message) -> Message:
        if message.state is not MessageState.QUEUED:
            return message
        item = self._table.get(keys.message(scope, message.incident_id, message.send_key))
        return Message.model_validate(item.body) if item else message

    def close_episode(self, incident: Incident) -> None:
        """Let the alarm's next firing open a new incident."""
        key = keys.episode(incident.scope, incident.alarm.arn)
        item = self._table.get(key)
        if item is None or item.body["incident_id"] != incident.incident_id or not item.body["open"]:
            return
        self._table.replace(item, {"incident_id": incident.incident_id, "open": False})

    def list_again(self) -> Iterator[Incident]:
        """List what version 1 has stored as later versions do, and yield each incident before it counts as done."""
        for item in self._table.by_time(keys.incidents_of_version_1(self._tenant)):
            incident = Incident.model_validate(item.body)
            scope, incident_id = incident.scope, incident.incident_id
            self._table.create(keys.directory(self._tenant, incident_id), scope.model_dump(mode="json"))
            record = self._table.get(keys.record(scope, incident_id))
            known = IncidentRecord.model_validate(record.body) if record else None
            self._listings.list_again(incident, known)
            yield incident
            self._table.replace(item, item.body)
            self._table.delete(keys.directory_of_version_1(self._tenant, incident_id))

    def forget(self, incident: Incident) -> None:
        """Keep of an incident only that it was: its events still find it, and its alarm opens a new one."""
        scope, incident_id = incident.scope, incident.incident_id
        gone = Alarm(
            name=ERASED, arn=ERASED, scope=scope, state=incident.alarm.state, changed_at=incident.opened_at
        )
        episode = self._table.get(keys.episode(scope, incident.alarm.arn))
        if episode is not None and episode.body["incident_id"] == incident_id:
            self._table.delete(episode.key)
        self._listings.forget(incident)
        left = incident.model_copy(update={"alarm": gone})
        self._table.put(keys.incident(scope, incident_id), left.model_dump(mode="json"))
