"""What the agents are shown of an incident, and what they make of it.

This loads the model libraries, which takes about as long as a decision may take to reach its call. What runs without a
model has it from `Copilot.agents`, when it is first asked, and does not import it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from agents.claims import in_full
from agents.communicator import Communicator
from agents.critic import Critic, CriticResult, Looking
from agents.remediation import PlanContext, PlanResult, Remediation
from agents.triage import Triage, TriageResult
from graphs.copilot import Records
from graphs.similar import similar_incidents
from memory.records.assessment import Assessment, FirstLook
from memory.records.config import Topology
from memory.records.evidence import Evidence
from memory.records.incident import Incident
from memory.records.plan import Drift
from tools.actions.registry import ACTIONS
from tools.budget import IncidentBudget
from tools.inspection import planned_targets
from tools.observe.sources import RunbookSearch, Sources
from tools.options import options
from tools.runbook_drift import drift_of

RUNBOOKS = 2


@dataclass(frozen=True)
class Agents:
    """The four agents over the records. They propose, and have no way to change anything."""

    records: Records
    runbooks: RunbookSearch
    triage: Triage
    critic: Critic
    remediation: Remediation
    communicator: Communicator

    def assess(
        self, incident: Incident, first_look: FirstLook, stored: Mapping[str, Evidence], sources: Sources
    ) -> TriageResult:
        """Ask the triage agent, which starts from what the first look has stored."""
        shown = [stored[key] for key in first_look.evidence_ids if key in stored]
        return self.triage.assess(incident, first_look, shown, sources)

    def critique(
        self,
        incident: Incident,
        first_look: FirstLook,
        assessment: Assessment,
        stored: Mapping[str, Evidence],
        sources: Sources,
    ) -> CriticResult:
        """Hold an assessment against the evidence ledger."""
        ledger = self.records.evidence

        def look(key: str) -> Evidence | None:
            return stored.get(key) or ledger.get(incident.scope, incident.incident_id, key)

        return self.critic.review(
            first_look,
            assessment,
            in_full(look, ledger),
            [stored[key] for key in first_look.evidence_ids if key in stored],
            Looking(incident, sources),
        )

    def propose(
        self,
        incident: Incident,
        assessment: Assessment,
        topology: Topology,
        tried: Collection[str],
        attempt: int,
        budget: IncidentBudget,
    ) -> PlanResult:
        """Ask for a plan among the options that were not tried in this incident; `tried` holds their digests."""
        found = options(self.records.access, assessment, topology, self.records.clock)
        fresh = found.without(tried)
        wanted = " ".join(
            [assessment.summary, *(f"{one.kind.value} {one.statement}" for one in assessment.found_causes)]
        )
        books = tuple(self.runbooks.search(wanted, RUNBOOKS))
        context = PlanContext(
            considered=fresh.considered,
            runbooks=books,
            effects={action.name: action.effect for action in ACTIONS},
            similar=similar_incidents(self.records, incident, assessment),
            drift=tuple(one for book in books for one in self._drift(book)),
            targets=partial(planned_targets, catalogue=ACTIONS),
        )
        return self.remediation.propose(incident, assessment, fresh.offers, context, attempt, budget)

    def _drift(self, book: dict[str, Any]) -> tuple[Drift, ...]:
        """Say what a runbook that was found names and the account no longer has as it says."""
        return drift_of(self.records.access, str(book["runbook"]), book.get("names", {}))
