"""The copilot as the steps see it: records, agents, policy and executor, bound to one incident at a time."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from agents.notes import facts_of
from graphs.autonomy import AccountAutonomy
from graphs.copilot import Records
from graphs.observing import open_budget, open_sources
from graphs.record import last_approval, spent_waiting
from graphs.traces_of import trace_incident
from graphs.transient import PASSING
from memory.records.assessment import Assessment, FirstLook, Learned
from memory.records.config import Topology
from memory.records.evidence import Evidence
from memory.records.incident import Incident, Severity
from memory.records.message import CHANNEL, Audience, Message
from memory.records.outcome import DeadLetters, Execution, ExecutionState
from memory.records.plan import Plan, Review
from memory.records.spend import ModelUse, Spend
from memory.records.timeline import EntryKind
from memory.state import IncidentState
from tools.actions.base import Reversibility
from tools.actions.registry import named
from tools.analysis.tags import with_learned
from tools.budget import IncidentBudget
from tools.bulkhead import bulkhead
from tools.executor import Executor
from tools.freeze import closed_calendar
from tools.inspection import Inspection, inspect
from tools.left_letters import letters_left, queues_met
from tools.observe.sources import RunbookSearch, Sources
from tools.outbox import Flushed, Outbox
from tools.policy import Circumstances
from tools.rehearsal import both_ways
from tools.signals import promised_within
from tools.undo import why_not_taken_back

if TYPE_CHECKING:
    from agents.critic import CriticResult
    from agents.remediation import PlanResult
    from agents.triage import TriageResult
    from graphs.consulting import Agents

_UNDECIDED = frozenset({ExecutionState.CLAIMED, ExecutionState.CALLED, ExecutionState.UNDECIDED})


@dataclass(frozen=True)
class Copilot:
    """Everything a step may use.

    `agents` opens them when it is first asked: what goes on from an approval to its call needs none. `turn` names the
    go of the step that uses it, and is the same when a go that was cut off begins again.
    """

    records: Records
    agents: "Callable[[], Agents]"
    executor: Executor
    outbox: Outbox
    runbooks: RunbookSearch
    turn: str = ""

    def sources(self, incident: Incident, spent: Spend | None) -> Sources:
        """Return read access within the incident's scope; what is read becomes its evidence.

        `spent` is what the incident has cost so far, which its limits count.
        """
        opened = open_sources(self.records, incident.scope, incident.incident_id, self.runbooks, spent)
        return replace(opened, topology=self.topology(incident, opened.topology))

    def topology(self, incident: Incident, known: Topology | None = None) -> Topology:
        """Return the account's services with what the incident's first look learned of them from tags.

        That stands in the timeline, so that each step rests on the same, whatever becomes of tags or of the process.
        """
        return self._topology(self._first_look_told(incident), known)

    def _topology(self, look: Mapping[str, Any], known: Topology | None = None) -> Topology:
        learned = [Learned.model_validate(one) for one in look.get("learned", [])]
        return with_learned(known or self.records.topology(), learned)

    def tell(
        self, incident: Incident, kind: EntryKind, text: str, step: str, facts: dict[str, Any] | None = None
    ) -> None:
        """Append to the incident's timeline, unless this turn has said just that before it was cut off."""
        self.records.timeline.append(
            incident.scope, incident.incident_id, kind, text, step=step, facts=facts, turn=self.turn
        )

    def triage(self, incident: Incident, first_look: FirstLook, spent: Spend | None) -> "TriageResult":
        """Ask the triage agent, which starts from what the first look has stored."""
        sources = self.sources(incident, spent)
        return self.agents().assess(incident, first_look, self._stored(incident), sources)

    def critique(
        self, incident: Incident, first_look: FirstLook, assessment: Assessment, spent: Spend | None
    ) -> "CriticResult":
        """Hold an assessment against the evidence ledger."""
        sources = self.sources(incident, spent)
        return self.agents().critique(incident, first_look, assessment, self._stored(incident), sources)

    def _stored(self, incident: Incident) -> dict[str, Evidence]:
        """Read all observations of an incident at once: one by one they are a call each."""
        found = self.records.evidence.all(incident.scope, incident.incident_id)
        return {one.evidence_id: one for one in found}

    def propose(
        self,
        incident: Incident,
        assessment: Assessment,
        tried: Collection[str],
        attempt: int,
        spent: Spend | None,
    ) -> "PlanResult":
        """Ask for a plan among the options that were not tried in this incident; `tried` holds their digests."""
        budget = self._budget(incident, spent, asked=attempt > 1)
        topology = self.topology(incident)
        return self.agents().propose(incident, assessment, topology, tried, attempt, budget)

    def _budget(self, incident: Incident, spent: Spend | None, *, asked: bool) -> IncidentBudget:
        """Return what may still be spent; once people were asked, the words of that count too."""
        told = self.records.timeline.entries(incident.scope, incident.incident_id) if asked else ()
        return open_budget(self.records.settings, (spent or Spend()) + spent_waiting(told))

    def review(self, incident: Incident, plan: Plan) -> tuple[Review, ...]:
        """Let policy rule on a plan."""
        return self.executor.review(incident, plan, self._around(incident))

    def inspect(self, plan: Plan) -> tuple[Inspection, ...]:
        """Look at what a plan would act on, as it is now."""
        return tuple(
            inspect(self.records.access, planned, self.executor.catalogue) for planned in plan.actions
        )

    def no_way_back(self, incident: Incident, found: tuple[Inspection, ...]) -> tuple[str, ...]:
        """Return what of a plan the role could not take back, each with why, as IAM answers now."""
        access, role = self.records.access, self.executor.sessions.role_arn
        ahead = [both_ways(access, role, incident.scope, one) for one in found]
        return tuple(dict.fromkeys(why for one in ahead for why in one.no_way_back))

    def freeze(self) -> str:
        """Return which freeze of the settings or of a calendar holds now, or nothing."""
        autonomy = self._autonomy
        frozen = autonomy.frozen_by(self.records.clock.now())
        if frozen:
            return f"the freeze {frozen} holds"
        return closed_calendar(self.records.access, autonomy.calendars) or ""

    def quorum(self, incident: Incident, found: tuple[Inspection, ...]) -> int:
        """Return how many people have to approve a plan, by the severity that was measured and what it touches."""
        percent = max((one.blast.percent for one in found), default=100)
        return self._autonomy.approvers(_severity_in(self._first_look_told(incident)), percent)

    def execute(self, incident: Incident, plan: Plan, index: int) -> Execution:
        """Perform one action, once."""
        return self.executor.execute(incident, plan, index, self._around(incident))

    def confirmed(self, incident: Incident, execution: Execution) -> Execution:
        """Return an accepted action as the account says that it went on."""
        return self.executor.confirm(incident, execution)

    def settled(self, incident: Incident, plan: Plan) -> list[Execution]:
        """Return what a plan has done, as the account says that it went on; note CloudTrail's events that are there."""
        confirmed = [self.executor.confirm(incident, one) for one in self.executed(incident, plan)]
        self.note_events(incident)
        return confirmed

    def note_events(self, incident: Incident) -> None:
        """Note CloudTrail's events that are there by now. What fails ends no step: a sweep looks again."""
        with bulkhead(f"looking for CloudTrail's events of incident {incident.incident_id}", PASSING):
            trace_incident(self.records, incident.scope, incident.incident_id)

    def executed(self, incident: Incident, plan: Plan) -> list[Execution]:
        """Return what a plan has done so far, by the durable account; also what failed once AWS had accepted it."""
        mine = self._stored_of(incident, plan)
        return [e for e in mine if e.was_accepted or e.state is ExecutionState.REVERTED]

    def undecided(self, incident: Incident, plan: Plan) -> list[Execution]:
        """Return the actions of a plan that were begun and of which nobody knows whether they took effect."""
        return [e for e in self._stored_of(incident, plan) if e.state in _UNDECIDED]

    def _stored_of(self, incident: Incident, plan: Plan) -> list[Execution]:
        start = f"{plan.plan_hash[:12]}-"
        stored = self.records.executions.all(incident.scope, incident.incident_id)
        return [e for e in stored if e.action_id.startswith(start) and not e.is_revert]

    def needs_no_undo(self, execution: Execution) -> bool:
        """Say whether the account makes up by itself for what an action did."""
        action = named(self.executor.catalogue, execution.action)
        return action is not None and action.reversibility is Reversibility.SELF_RESTORING

    def kept(self, incident: Incident, execution: Execution) -> str:
        """Say of an action that it was not taken back, whether it still goes on, and why it was not."""
        going = " and still goes on" if self.is_under_way(incident, execution) else ""
        why = why_not_taken_back(execution, self.executor.catalogue)
        return f"{execution.action} was not taken back{going}: {why}"

    def undo(self, incident: Incident, execution: Execution) -> Execution:
        """Run the inverse of an action, once, and return how it went on."""
        undo = self.executor.revert(incident, execution, self._around(incident))
        # An undo that found nothing left to do has sent no call that could fail.
        return self.executor.confirm(incident, undo) if undo.accepted or undo.answer else undo

    def is_under_way(self, incident: Incident, execution: Execution) -> bool:
        """Say whether an accepted action may still take effect."""
        return self.executor.is_under_way(incident, execution)

    def time_for(self, execution: Execution) -> timedelta:
        """Return how long an accepted action may be under way: as a verification may, and no less than it promised."""
        minutes = timedelta(minutes=self.records.settings.limits.verification_minutes)
        return max(minutes, promised_within(self.executor.catalogue, execution))

    def letters_left(self, incident: Incident, spent: Spend | None) -> tuple[tuple[DeadLetters, ...], Spend]:
        """Return what waits in the dead-letter queues that the incident has met, and what it cost to look."""
        executed = self.records.executions.all(incident.scope, incident.incident_id)
        queues = queues_met(self._stored(incident).values(), executed)
        if not queues:
            return (), Spend()
        sources = self.sources(incident, spent)
        return letters_left(sources, queues), sources.recorder.spend

    def announce(
        self,
        state: IncidentState,
        kind: str,
        audience: Audience,
        *,
        waits: bool = False,
        left: Sequence[DeadLetters] = (),
    ) -> tuple[Spend, list[ModelUse]]:
        """Tell people where the incident stands; the same news goes out once.

        A step that then waits has no update in which to count what the words cost, so the timeline keeps it.
        """
        incident, plan = state["incident"], state.get("plan")
        scope, incident_id = incident.scope, incident.incident_id
        asked = last_approval(self.records, incident)
        plan_hash = plan.plan_hash if plan and plan.actions else asked.plan_hash if asked else ""
        facts = facts_of(
            incident,
            first_look=state.get("first_look"),
            assessment=state.get("assessment"),
            plan=plan,
            reviews=state.get("reviews", []),
            **self._asked_on(incident, plan_hash),
            executions=self.acted(incident, state.get("executions", [])),
            verification=state.get("verification"),
            status=state.get("status"),
            reason=state.get("reason", ""),
            left=left,
        )
        budget = self._budget(incident, state.get("spend"), asked=asked is not None)
        draft = self.agents().communicator.note(kind, audience, facts, budget)
        news = plan_hash[:12] if kind == "approval" else state["status"].value
        message = Message(
            incident_id=incident_id,
            send_key=send_key(incident_id, kind, news, audience),
            audience=audience,
            channel=CHANNEL,
            subject=draft.subject,
            body=draft.body,
            queued_at=self.records.clock.now(),
        )
        sent = self.outbox.send(scope, message)
        told: dict[str, Any] = {"send_key": sent.send_key, "state": sent.state.value, "body": sent.body}
        if waits:
            told["spend"] = draft.spend.model_dump(mode="json")
            told["models"] = [one.model_dump(mode="json") for one in draft.models]
        self.tell(incident, EntryKind.MESSAGE, f"{sent.state.value}: {sent.subject}", "communicate", told)
        return draft.spend, draft.models

    def _asked_on(self, incident: Incident, plan_hash: str) -> dict[str, Any]:
        """Return the request for a plan and what was decided on it, as `facts_of` takes them."""
        if not plan_hash:
            return {}
        approvals, about = self.records.approvals, (incident.scope, incident.incident_id, plan_hash)
        return {
            "approval": approvals.get(*about),
            "decision": approvals.decision(*about),
            "decisions": approvals.decisions(*about),
        }

    def acted(self, incident: Incident, heard_of: list[Execution]) -> list[Execution]:
        """Return what was done, in its order: all that is stored, and what was refused, of which the state alone knows.

        A step that fails after an action was done leaves the state without it.
        """
        stored = list(self.records.executions.all(incident.scope, incident.incident_id))
        known = {one.action_id for one in stored}
        refused = [one for one in heard_of if one.action_id not in known]
        return sorted([*stored, *refused], key=lambda one: one.claimed_at)

    def flush(self) -> Flushed:
        """Send what is still queued and has its turn."""
        return self.outbox.flush()

    @property
    def _autonomy(self) -> AccountAutonomy:
        return self.records.settings.autonomy_in(self.records.home.account)

    def _around(self, incident: Incident) -> Circumstances:
        autonomy, freeze = self._autonomy, self.freeze()
        look = self._first_look_told(incident)
        topology, severity = self._topology(look), _severity_in(look)
        hit = topology.of_alarm(incident.alarm.name)
        return Circumstances(
            account=autonomy.account,
            severity=severity,
            autonomy=autonomy.level,
            kill_switch=self.executor.stopped() is not None,
            freeze=bool(freeze),
            freeze_reason=freeze,
            changes_an_hour=autonomy.settings.changes_an_hour,
            services=frozenset({hit.name} if hit else ()),
            topology=topology,
            known=autonomy.named_services,
            level_of=autonomy.level_of,
            approvers=partial(autonomy.approvers, severity),
        )

    def _first_look_told(self, incident: Incident) -> dict[str, Any]:
        """Return the first look as the timeline has it; nothing where there was none."""
        for entry in self.records.timeline.entries(incident.scope, incident.incident_id):
            if entry.kind is EntryKind.FIRST_LOOK:
                told: dict[str, Any] = entry.facts["first_look"]
                return told
        return {}


def _severity_in(look: Mapping[str, Any]) -> Severity:
    """Return the severity that the first look stored: the graph's state can be edited, the timeline cannot.

    Without one nothing is known of the impact, and the gravest is assumed.
    """
    return Severity(look["severity"]) if look else Severity.CRITICAL


def send_key(incident_id: str, kind: str, news: str, audience: Audience) -> str:
    """Return the key under which a message to an audience goes out once; `news` is what makes it another."""
    return f"{incident_id}:{kind}:{news}:{audience.value}"
