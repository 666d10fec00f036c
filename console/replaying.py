"""Ask a stored observation's question again."""

from console.evidence import find
from console.text import full_time, plain, screen
from graphs.copilot import Records
from graphs.observing import open_sources
from memory.records.evidence import Evidence
from memory.records.spend import Spend
from memory.retrieval import RunbookIndex
from memory.stores.objects import ObjectStoreError
from tools.budget import IncidentBudget
from tools.catalogue import OBSERVE
from tools.collectors.reads import COLLECTED
from tools.observe.sources import Sources
from tools.replay import Outcome, Replay, replay

STYLES = {Outcome.SAME: "green", Outcome.DIFFERS: "yellow", Outcome.CANNOT: "red"}
# A group grows between two estimates; what may be scanned again is a little more than what was scanned.
MORE = 1.25


def replay_evidence(records: Records, evidence_id: str, incident: str, *, as_json: bool) -> int:
    """Ask again and print whether the answer is the same; end with 1 when it differs and 3 when it cannot be asked."""
    evidence = find(records, evidence_id, incident)
    stored, lost = _stored(records, evidence)
    done = replay(_sources(records, evidence), evidence, stored, (*OBSERVE, *COLLECTED))
    out = screen()
    if as_json:
        out.file.write(plain(done.model_dump_json(indent=2)) + "\n")
    else:
        _tell(done, evidence, lost)
    return {Outcome.SAME: 0, Outcome.DIFFERS: 1, Outcome.CANNOT: 3}[done.outcome]


def _stored(records: Records, evidence: Evidence) -> tuple[object, str]:
    """Return what to compare with: the whole, or what the table holds of it where the whole is lost."""
    try:
        return records.evidence.whole(evidence), ""
    except ObjectStoreError as error:
        return evidence.result, str(error)


def _sources(records: Records, evidence: Evidence) -> Sources:
    """Return read access in these credentials' own scope, with a budget for this one question."""
    sources = open_sources(records, evidence.scope, evidence.incident_id, RunbookIndex.open())
    limits = sources.limits
    most = max(limits.query_bytes_scanned, int(evidence.bytes_scanned * MORE))
    given = limits.model_copy(update={"query_bytes_scanned": most, "logs_bytes_scanned": most})
    sources.recorder.budget = IncidentBudget(given, records.settings.prices.reads, before=Spend())
    home = records.home.model_copy(update={"tenant": evidence.scope.tenant})
    return Sources(**{**vars(sources), "scope": home})


def _tell(done: Replay, evidence: Evidence, lost: str) -> None:
    out = screen()
    out.print(f"{done.evidence_id}: {done.outcome.value}", style=STYLES[done.outcome])
    if done.why:
        out.print(plain(done.why), soft_wrap=True)
    for difference in done.differences:
        out.print(plain(f"  {difference}"), soft_wrap=True)
    if lost and done.outcome is Outcome.DIFFERS:
        out.print(plain(f"compared with the excerpt only: {lost}"), style="dim", soft_wrap=True)
    out.print(
        f"stored {full_time(evidence.taken_at)}, {done.stored_sha256[:16]}; "
        f"asked again {full_time(done.asked_at)}, {done.now_sha256[:16] or 'no answer'}; "
        f"{done.bytes_scanned} bytes scanned, ${done.usd:.6f}",
        style="dim",
    )
