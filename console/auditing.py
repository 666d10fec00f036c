"""Show an audit, and hold audits against their hashes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from console.text import full_time, rowed, screen
from graphs.copilot import Records
from graphs.traces_of import trace_incident
from memory import keys
from memory.audit_chain import Chain, Checked, Link
from memory.audit_witness import untold, untold_of_glass, untold_of_switch, untraced
from memory.records.audit import AuditPayload, Deed
from memory.stores.audit import READS
from memory.stores.dossier import Dossier
from memory.stores.listings import Wanted

PAGE = 200


def show(records: Records, incident: str, *, as_json: bool) -> int:
    """Print an incident's audit: each entry, with what it is about unless that was erased.

    CloudTrail is asked first about the calls whose event is not noted yet.
    """
    incident_id = records.incidents.full_id(incident)
    scope, partition = records.incidents.scope_of(incident_id), _partition(records, incident_id)
    trace_incident(records, scope, incident_id)
    out = screen()
    links = list(records.audit.read(partition).links())
    events = _events(links)
    if as_json:
        out.file.write(json.dumps([_told(link) for link in links], indent=2, ensure_ascii=False) + "\n")
        return 0
    for link in links:
        entry, payload = link.entry, link.payload
        told = f"{payload.who}: {payload.what}" if payload else "(erased)"
        said = f"{entry.sequence:4}  {full_time(entry.at)}  {entry.deed.value:8}  {told}"
        out.print(rowed(said, out.width))
        if payload and payload.why:
            out.print(rowed(f"      why: {payload.why}", out.width))
        if payload and payload.policy_ids:
            out.print(rowed(f"      policies: {', '.join(payload.policy_ids)}", out.width))
        for line in (*_deed(payload), *_authority(link, events)):
            out.print(rowed(f"      {line}", out.width))
        out.print(f"      {entry.hash}", style="dim")
    for owed in records.traces.owed(scope, incident_id):
        trace = owed.trace
        text = f"CloudTrail has no event of {trace.what} yet; it is looked for again at {full_time(trace.next_at)}"
        out.print(rowed(text, out.width))
    return 0


def verify(records: Records, incident: str) -> int:
    """Hold one incident's audit, or all of a tenant's, against the hashes and against what is stored of the incident.

    The first broken entry is named, and each record that the audit does not tell of. Calls that CloudTrail has not
    shown are named too, and break no audit; of one incident, CloudTrail is asked first about those not looked for yet.
    """
    out, code = screen(), 0
    if incident:
        incident_id = records.incidents.full_id(incident)
        trace_incident(records, records.incidents.scope_of(incident_id), incident_id)
    for name, partition in _asked(records, incident):
        checked, told, missed = _held(records, name, partition)
        if checked.broken is not None:
            code = 1
            _complain(f"{name}: broken at entry {checked.broken}: {checked.why}", "red")
            continue
        for what in told:
            code = 1
            _complain(f"{name}: {what}", "red")
        for what in missed:
            _complain(f"{name}: {what}", "yellow")
        erased = f", {checked.erased} erased" if checked.erased else ""
        out.print(f"{name}: {checked.entries} entries hold{erased}; head {checked.head[:16]}")
    return code


def _held(records: Records, name: str, partition: str) -> tuple[Checked, list[str], list[str]]:
    """Hold a chain against its hashes and against what is stored; return what is told otherwise, and what is missed.

    What an incident that goes on stores and tells between the two looks is no fault: it is looked at again then.
    """
    for _ in range(READS):
        chain, checked = records.audit.hold(partition)
        if checked.broken is not None:
            return checked, [], []
        dossier = None if name == _tenant(records) else records.incidents.dossier(records.incidents.get(name))
        told = list(_untold(records, dossier, chain))
        if not told or records.audit.ends_still(partition, chain):
            break
    return checked, told, list(untraced(dossier)) if dossier else []


def _complain(text: str, style: str) -> None:
    err = screen(err=True)
    err.print(rowed(text, err.width), style=style)


def _events(links: Iterable[Link]) -> dict[str, tuple[str, int]]:
    """Return CloudTrail's event of each action of which it was noted, and the number of the entry that notes it."""
    noted = [(link.payload, link.entry) for link in links if link.entry.deed is Deed.TRACED and link.payload]
    return {
        payload.execution_id: (payload.event_id, entry.sequence)
        for payload, entry in noted
        if payload.execution_id and payload.event_id
    }


def _deed(payload: AuditPayload | None) -> Iterator[str]:
    """Yield what an action acts on, with which parameters, and the parameters of its way back."""
    facts = payload.facts if payload else {}
    if facts.get("targets"):
        yield f"on: {', '.join(facts['targets'])}"
    for name, label in (("parameters", "with"), ("inverse", "way back")):
        if facts.get(name):
            yield f"{label}: {', '.join(f'{key}={value}' for key, value in facts[name].items())}"


def _authority(link: Link, events: Mapping[str, tuple[str, int]]) -> Iterator[str]:
    """Yield on whose authority something was done, under which session, and where CloudTrail has it."""
    payload = link.payload
    if payload is None:
        return
    by = payload.facts.get("approved_by")
    if payload.approval:
        yield f"approval: {payload.approval[:12]}" + (f" by {', '.join(by)}" if by else "")
    if payload.session:
        yield f"session: {payload.session}"
    if payload.event_id:
        yield f"CloudTrail event: {payload.event_id}"
    elif payload.execution_id and payload.execution_id in events:
        event_id, noted = events[payload.execution_id]
        yield f"CloudTrail event: {event_id}, noted by entry {noted}"


def _untold(records: Records, dossier: Dossier | None, chain: Chain) -> Iterator[str]:
    """Yield what is stored and the audit does not tell: of an incident, or of a tenant how its kill switch stands."""
    links = list(chain.links())
    if dossier is None:
        yield from untold_of_switch(links, records.kill_switch.read())
        return
    kept, now = records.settings.retention, datetime.now(UTC)
    yield from untold(links, dossier, lambda of, at: kept.is_over(of, at, now))
    yield from untold_of_glass(links, dossier, lambda: records.approvals.break_glass(records.settings.tenant))


def _tenant(records: Records) -> str:
    return f"tenant {records.settings.tenant}"


def _asked(records: Records, incident: str) -> Iterator[tuple[str, str]]:
    if incident:
        incident_id = records.incidents.full_id(incident)
        yield incident_id, _partition(records, incident_id)
        return
    tenant = records.settings.tenant
    yield _tenant(records), keys.tenant_audit(tenant)
    after = ""
    while True:
        page = records.incidents.page(Wanted(), PAGE, after)
        for line in page.lines:
            yield line.incident_id, keys.incident(line.scope, line.incident_id).pk
        after = page.after
        if not after:
            return


def _partition(records: Records, incident_id: str) -> str:
    return keys.incident(records.incidents.scope_of(incident_id), incident_id).pk


def _told(link: Link) -> dict[str, object]:
    payload = link.payload.model_dump(mode="json", exclude={"salt"}) if link.payload else None
    return {**link.entry.model_dump(mode="json"), "payload": payload}
