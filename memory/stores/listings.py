"""Lists of incidents by time, status, service and account; each answer is a page, read in a bounded number of calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from memory import keys
from memory.records.incident import Incident, Status
from memory.records.incident_record import IncidentRecord
from memory.records.listing import Listing, emptied, listing_of, opened
from memory.stores.dossier import Dossier
from memory.table import INDEX, ConflictError, Item, Key, RecordTable, Write

# How many lines one page looks through for those that are wanted.
LOOKED_THROUGH = 1000
# How many lines are read with one call where only some of them may be wanted.
LINES_A_CALL = 250


@dataclass(frozen=True)
class Wanted:
    """Which incidents a list shows; what is not given narrows nothing."""

    status: Status | None = None
    service: str | None = None
    account: str | None = None
    since: datetime | None = None

    @property
    def is_one_partitions(self) -> bool:
        """Say whether an index's partition holds nothing that is not wanted."""
        return sum(one is not None for one in (self.status, self.service, self.account)) <= 1

    def includes(self, line: Listing) -> bool:
        """Say whether an incident belongs in the list."""
        return (
            self.status in {None, line.status}
            and self.service in {None, line.service}
            and self.account in {None, line.scope.account}
            and (self.since is None or line.opened_at >= self.since)
        )


@dataclass(frozen=True)
class Page:
    """Some lines, newest first, and where the next page begins; nothing when there is none."""

    lines: tuple[Listing, ...]
    after: str = ""


class ListingStore:
    """One small item for each incident, which four indexes list; and a mark while it has not come to its end."""

    def __init__(self, table: RecordTable, tenant: str) -> None:
        self._table = table
        self._tenant = tenant
        self._months: set[str] = set()

    def opening(self, incident: Incident) -> list[Write]:
        """Return the writes that list a new incident, for the transaction that opens it."""
        self.note_month(incident.opened_at)
        key = keys.unfinished(incident.scope, incident.incident_id)
        index = keys.unfinished_by_time(self._tenant, incident.opened_at, incident.incident_id)
        mark = Item(key, {"incident_id": incident.incident_id, "thread_id": incident.thread_id}, 1, index)
        return [Write(self.item(opened(incident), 1), 0), Write(mark, 0)]

    def keep(self, record: IncidentRecord, dossier: Dossier | None = None) -> None:
        """Let the lists show what a record says. Its writer holds the incident's lease."""
        line = listing_of(record)
        scope, incident_id = line.scope, line.incident_id
        key = keys.listing(scope, incident_id)
        standing = dossier.items.get(key.sk) if dossier else self._table.get(key)
        if standing is None or Listing.model_validate(standing.body) != line:
            version = standing.version if standing else 0
            self._table.write(Write(self.item(line, version + 1), version))
        if line.closed_at is not None:
            self._table.delete(keys.unfinished(scope, incident_id))

    def list_again(self, incident: Incident, record: IncidentRecord | None) -> None:
        """List an incident that an earlier version has stored; one that is listed already stays as it is."""
        for write in self.opening(incident):
            try:
                self._table.write(write)
            except ConflictError:
                return
        if record is not None:
            self.keep(record)

    def forget(self, incident: Incident) -> None:
        """Keep of a line only that the incident was; it is listed by time, account and status as before."""
        key = keys.listing(incident.scope, incident.incident_id)
        standing = self._table.get(key)
        if standing is not None:
            line = emptied(Listing.model_validate(standing.body))
            self._table.write(Write(self.item(line, standing.version + 1), standing.version))
        self._table.delete(keys.unfinished(incident.scope, incident.incident_id))

    def unfinished(self) -> Iterator[str]:
        """Yield the ids of the tenant's incidents that have not come to their end, oldest first."""
        partition = keys.unfinished_by_time(self._tenant, keys.EPOCH, "").pk
        for item in self._table.by_time(partition):
            yield item.body["incident_id"]

    def page(self, wanted: Wanted, limit: int, after: str = "") -> Page:
        """Return the next lines of a list, newest first; `after` is what the page before ended with.

        A page may hold fewer lines than asked for, and still have one after it.
        """
        lines: list[Listing] = []
        for looked, line in enumerate(self._newest_first(wanted, limit, after), start=1):
            if wanted.includes(line):
                lines.append(line)
            if len(lines) >= limit or looked >= LOOKED_THROUGH:
                return Page(tuple(lines), keys.place(line.opened_at, line.incident_id))
        return Page(tuple(lines))

    def newest(self, limit: int) -> Iterator[Listing]:
        """Yield the tenant's incidents, newest first."""
        yield from self.page(Wanted(), limit).lines

    def _newest_first(self, wanted: Wanted, limit: int, after: str) -> Iterator[Listing]:
        low = keys.place(wanted.since, "") if wanted.since else ""
        a_call = limit + 1 if wanted.is_one_partitions else LINES_A_CALL
        for index, partition in self._partitions(wanted, after):
            found = self._table.listed(
                index, partition, low=low, high=after or None, page=a_call, newest_first=True
            )
            for item in found:
                if item.index is not None and item.index.sk != after:
                    yield Listing.model_validate(item.body)

    def _partitions(self, wanted: Wanted, after: str) -> Iterator[tuple[str, str]]:
        """Yield the partitions that hold what is wanted, of the narrowest index, newest month first."""
        tenant = self._tenant
        if wanted.status is not None and not wanted.status.is_end:
            yield "by_status", keys.status_in(tenant, wanted.status, "")
            return
        for of_month in self._months_in_use(wanted.since, after):
            if wanted.service is not None:
                yield "by_service", keys.service_in(tenant, wanted.service, of_month)
            elif wanted.status is not None:
                yield "by_status", keys.status_in(tenant, wanted.status, of_month)
            elif wanted.account is not None:
                yield "by_account", keys.account_in(tenant, wanted.account, of_month)
            else:
                yield INDEX, keys.incidents_in(tenant, of_month)

    def _months_in_use(self, since: datetime | None, after: str) -> Iterator[str]:
        oldest = keys.month(since) if since else ""
        partition = keys.calendar(self._tenant, "").pk
        for item in self._table.query(partition, newest_first=True):
            if oldest <= item.key.sk and (not after or item.key.sk <= after):
                yield item.key.sk

    def note_month(self, moment: datetime) -> None:
        """Let lists look in a month; noted once by each process."""
        named = keys.month(moment)
        if named not in self._months:
            self._table.create(keys.calendar(self._tenant, named), {})
            self._months.add(named)

    def item(self, line: Listing, version: int = 1) -> Item:
        """Return the item of a line, with its place in each index."""
        tenant, of_month = self._tenant, keys.month(line.opened_at)
        index = keys.incidents_in(tenant, of_month)
        also = {
            "by_status": keys.status_in(tenant, line.status, of_month),
            "by_service": keys.service_in(tenant, line.service, of_month),
            "by_account": keys.account_in(tenant, line.scope.account, of_month),
        }
        place = Key(index, keys.place(line.opened_at, line.incident_id))
        key = keys.listing(line.scope, line.incident_id)
        return Item(key, line.model_dump(mode="json"), version, place, also)
