"""Choose among the changes that code found possible, or none."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from agents.asking import ask
from agents.errors import ModelFailure
from agents.forms import ModelForm
from agents.grounding import unfounded
from agents.guardrails import TextGuard
from agents.models import RoleModel
from agents.notes import spoken
from agents.observations import cleared
from agents.prompting import fenced, labelled, load_prompt
from agents.scanning import Scans
from memory.records.assessment import Assessment, Verdict
from memory.records.base import canonical_json
from memory.records.incident import Incident
from memory.records.plan import Considered, Drift, Plan, PlannedAction, SimilarIncident
from memory.records.spend import ModelUse, Spend
from tools.budget import IncidentBudget

MOST_ACTIONS = 3
"""A plan does no more at once: each further change makes it harder to say which of them helped."""
# Who may decide, and what policy says, is told by records and code: whoever decides reads these words beside.
_OF_THE_DECISION = re.compile(
    r"\b(?:pre-?)?(approv\w*|authori[sz]\w*|sign(?:ed|s)?[ -]?offs?|permit\w*|permission\w*|den(?:y|ies|ied|ial)|"
    r"break[ -]glass|kill[ -]?switch|quorum|polic(?:y|ies))\b",
    re.I,
)


class Parameter(ModelForm):
    """One parameter, written as text."""

    name: str = Field(description="The parameter's name, as offered.")
    value: str = Field(description="The parameter's value, as offered.")


class Choice(ModelForm):
    """One of the offered changes, copied."""

    action: str = Field(description="The name of an offered change.")
    parameters: list[Parameter] = Field(description="All its parameters, as offered.")
    why: str = Field(default="", description="Why it follows from the cause, in one sentence.")


class Proposal(ModelForm):
    """What a model proposes to do."""

    actions: list[Choice] = Field(description="The chosen changes, one for each cause, or none.")
    summary: str = Field(description="What is proposed and why, in one or two plain sentences.")
    no_action_reason: str | None = Field(default=None, description="Why nothing is proposed, if nothing is.")
    expected_effect: str = Field(default="", description="What people should see if it works.")
    alternatives: list[str] = Field(default_factory=list, description="What else a person could do.")
    runbooks: list[str] = Field(default_factory=list, description="Names of runbooks relied on.")


@dataclass(frozen=True)
class PlanResult:
    """The plan, and what it cost."""

    plan: Plan
    spend: Spend = field(default_factory=Spend)
    model_use: tuple[ModelUse, ...] = ()
    failure: ModelFailure | None = None

    @property
    def models(self) -> list[ModelUse]:
        """Return the models used, as the state wants them."""
        return list(self.model_use)


TargetsOf = Callable[[PlannedAction], tuple[str, ...]]


def _unknown_targets(_: PlannedAction) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class PlanContext:
    """What stands around a plan: what was considered and left, runbooks, effects by action, and past incidents.

    `targets` names what an option changes: a plan changes each once.
    """

    considered: tuple[Considered, ...] = ()
    runbooks: tuple[dict[str, Any], ...] = ()
    effects: Mapping[str, str] = field(default_factory=dict)
    similar: tuple[SimilarIncident, ...] = ()
    drift: tuple[Drift, ...] = ()
    targets: TargetsOf = _unknown_targets


@dataclass(frozen=True)
class Remediation:
    """The remediation agent. It holds no way to act: options come in, one for each cause goes out."""

    model: RoleModel
    guard: TextGuard

    def propose(
        self,
        incident: Incident,
        assessment: Assessment,
        options: Sequence[PlannedAction],
        context: PlanContext | None = None,
        attempt: int = 1,
        budget: IncidentBudget | None = None,
    ) -> PlanResult:
        """Return a plan of offered changes with their exact parameters, one for each cause, or none and why."""
        around = context or PlanContext()
        if assessment.verdict is not Verdict.CAUSE:
            return PlanResult(_nothing("no cause is shown", attempt, around))
        if not options:
            return PlanResult(_nothing(_why_nothing(around.considered), attempt, around))
        scans = Scans(self.guard, self.model.limits.agent_seconds, budget)
        books = [book for book in around.runbooks if scans.scan(canonical_json(book)).clear]
        content = _question(incident, assessment, options, books, around)
        prompt = load_prompt("remediation")
        answer = ask(self.model, prompt, content, Proposal, budget=budget, since=scans.started)
        others = [spoken(option) for option in options]
        if answer.form is None:
            why = answer.failure.sentence if answer.failure else "no answer"
            plan = _nothing(why, attempt, around, others)
        else:
            plan = _plan(answer.form, options, books, assessment, attempt, around)
            if plan.actions and not plan.expected_effect:
                effect = around.effects.get(plan.actions[0].action, "")
                plan = plan.model_copy(update={"expected_effect": effect})
        return PlanResult(plan, answer.spend + scans.spend, (answer.use,), answer.failure)


def _plan(
    proposal: Proposal,
    options: Sequence[PlannedAction],
    books: list[dict[str, Any]],
    assessment: Assessment,
    attempt: int,
    around: PlanContext,
) -> Plan:
    """Take the first choice for each cause if all choices are offers word for word; one that is not spoils the plan.

    One change for a cause and of a target at a time: else nobody could say afterwards which of them helped or harmed.
    """
    chosen = [_offer(choice, options) for choice in proposal.actions]
    others = [spoken(option) for option in options]
    if not chosen:
        reason = _founded(proposal.no_action_reason, options) or "none was chosen"
        return _nothing(reason, attempt, around, others)
    if None in chosen:
        return _nothing("a change was proposed that was not offered", attempt, around, others)
    words = {id(offer): choice.why for offer, choice in zip(chosen, proposal.actions, strict=True)}
    taken = _one_for_each_cause([offer for offer in chosen if offer is not None], options, around.targets)
    facts = [_offered(option) for option in options] + [assessment.model_dump(mode="json"), books]
    names = {str(book.get("runbook", "")) for book in books}
    rest = [option for option in options if option not in taken]
    told = "; ".join(f"{spoken(one)}: {one.why}" for one in taken)
    return Plan(
        actions=tuple(
            one.model_copy(update={"why": _shown(words[id(one)], facts) or one.why}) for one in taken
        ),
        summary=_shown(proposal.summary, facts) or told,
        expected_effect=_shown(proposal.expected_effect, facts),
        alternatives=tuple(spoken(option) for option in rest)
        + tuple(text for text in proposal.alternatives if _shown(text, facts)),
        considered=(*(_passed_over(one, taken, around.targets) for one in rest), *around.considered),
        runbooks=tuple(name for name in dict.fromkeys(proposal.runbooks) if name in names),
        drift=around.drift,
        similar=around.similar,
        attempt=attempt,
    )


def _one_for_each_cause(
    chosen: Sequence[PlannedAction], options: Sequence[PlannedAction], targets: TargetsOf
) -> list[PlannedAction]:
    """Return the first choice for each cause and for each target, in the order in which the causes were found."""
    first: dict[str, PlannedAction] = {}
    for offer in chosen:
        first.setdefault(offer.cause, offer)
    order = [option.cause for option in options]
    taken: list[PlannedAction] = []
    for offer in sorted(first.values(), key=lambda one: order.index(one.cause)):
        if _on_the_same(offer, taken, targets) is None:
            taken.append(offer)
    return taken[:MOST_ACTIONS]


def _on_the_same(
    option: PlannedAction, taken: Sequence[PlannedAction], targets: TargetsOf
) -> PlannedAction | None:
    """Return the change of a plan that is on a target of this one, too."""
    own = targets(option)
    return next((one for one in taken if any(name in own for name in targets(one))), None)


def _passed_over(option: PlannedAction, taken: Sequence[PlannedAction], targets: TargetsOf) -> Considered:
    answers = next((one for one in taken if one.cause == option.cause), None)
    beside = _on_the_same(option, taken, targets)
    if answers:
        why = f"{answers.action} was chosen for this cause"
    elif beside:
        why = f"{beside.action} changes the same target in this plan, and a plan changes a target once"
    else:
        why = "the model left this cause alone"
    return Considered(action=option.action, parameters=option.parameters, cause=option.cause, why_not=why)


def _why_nothing(considered: Sequence[Considered]) -> str:
    """Say why there is no option: what was looked at, and why each was left."""
    if not considered:
        return "no safe action: the catalogue holds no change for this cause"
    reasons = dict.fromkeys(
        f"{one.action}: {one.why_not}" if one.action else one.why_not for one in considered
    )
    return f"no safe action: {'; '.join(reasons)}"


def _offer(choice: Choice, options: Sequence[PlannedAction]) -> PlannedAction | None:
    """Return the offer that a choice copies exactly."""
    given = sorted((one.name, one.value) for one in choice.parameters if one.value)
    for option in options:
        offered = sorted((one["name"], one["value"]) for one in _parameters(option))
        if choice.action == option.action and given == offered:
            return option
    return None


def _nothing(reason: str, attempt: int, around: PlanContext, alternatives: Iterable[str] = ()) -> Plan:
    return Plan(
        no_action_reason=reason,
        alternatives=tuple(alternatives),
        considered=around.considered,
        drift=around.drift,
        similar=around.similar,
        attempt=attempt,
    )


def _founded(text: str | None, facts: Any) -> str:
    return text.strip() if text and not unfounded(text, canonical_json(facts)) else ""


def _shown(text: str, facts: Any) -> str:
    """Return a model's words for whoever decides, or nothing where they speak of the decision itself."""
    return "" if _OF_THE_DECISION.search(text) else _founded(text, facts)


def _question(
    incident: Incident,
    assessment: Assessment,
    options: Sequence[PlannedAction],
    books: list[dict[str, Any]],
    around: PlanContext,
) -> str:
    leading = assessment.leading
    offered = {option.action for option in options}
    facts = {
        "actions": [_offered(option) for option in options],
        "summary": options[0].why or assessment.summary,
        "expected_effect": around.effects.get(options[0].action, ""),
        "cause": leading.model_dump(mode="json", exclude={"evidence_for", "evidence_against"})
        if leading
        else None,
        "alarm_name": incident.alarm.name,
        "past_incidents": [one.model_dump(mode="json") for one in around.similar],
        "runbooks": [book.get("runbook", "") for book in books if offered & set(book.get("actions", ()))],
    }
    others = [
        cause.model_dump(mode="json", include={"kind", "component"}) for cause in assessment.found_causes[1:]
    ]
    if others:
        facts["other_causes"] = others
    if around.drift:
        facts["runbook_drift"] = [one.model_dump(mode="json") for one in around.drift]
    return f"{labelled(cleared(facts))}\n\nThe team's runbooks.\n\n{fenced('runbook_texts', books)}"


def _offered(option: PlannedAction) -> dict[str, Any]:
    cause = {"cause": option.cause} if option.cause else {}
    return {"action": option.action, "parameters": _parameters(option), "why": option.why, **cause}


def _parameters(option: PlannedAction) -> list[dict[str, str]]:
    """Write parameters as pairs of text: a form with free keys is more than every model can fill.

    One that is empty says nothing, and nothing has to be copied for it.
    """
    return [
        {"name": name, "value": value if isinstance(value, str) else canonical_json(value)}
        for name, value in option.parameters.items()
        if value != ""
    ]
