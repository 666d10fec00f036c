"""Read access to the account for one incident: what is read becomes its evidence."""

from functools import partial

from graphs.copilot import Records
from graphs.settings import Settings
from memory.records.scope import Scope
from memory.records.spend import Spend
from tools.budget import IncidentBudget
from tools.evidence import Recorder
from tools.observe.sources import RunbookSearch, Sources
from tools.redaction import Redactor


def open_budget(settings: Settings, spent: Spend | None) -> IncidentBudget:
    """Return what an incident may still cost, when it has cost `spent` so far."""
    return IncidentBudget(settings.limits, settings.prices.reads, before=spent or Spend())


def open_sources(
    records: Records,
    scope: Scope,
    incident_id: str,
    runbooks: RunbookSearch,
    spent: Spend | None = None,
) -> Sources:
    """Return read access within an incident's scope; `spent` is what it has cost so far, which its limits count."""
    settings = records.settings
    recorder = Recorder(
        records.evidence,
        records.clock,
        scope,
        incident_id,
        open_budget(settings, spent),
        Redactor(partial(records.evidence.salt, scope, incident_id), settings.redaction.client_addresses),
    )
    return Sources(
        access=records.access,
        recorder=recorder,
        clock=records.clock,
        topology=records.topology(),
        scope=scope,
        limits=settings.limits,
        runbooks=runbooks,
    )
