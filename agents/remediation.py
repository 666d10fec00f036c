"""Choose among the changes that code found possible, or none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from agents.asking import ask
from agents.errors import ModelFailure
from agents.grounding import unfounded
from agents.guardrails import TextGuard
from agents.models import RoleModel
from agents.prompting import fenced, labelled, load_prompt
from memory.records.assessment import Assessment, Verdict
from memory.records.base import canonical_json
from memory.records.incident import Incident
from memory.records.plan import Plan, PlannedAction
from memory.records.spend import ModelUse, Spend


class Parameter(BaseModel):
    """One parameter, written as text."""

    name: str = Field(description="The parameter's name, as offered.")
    value: str = Field(description="The parameter's value, as offered.")


class Choice(BaseModel):
    """One of the offered changes, copied."""

    action: str = Field(description="The name of an offered change.")
    parameters: list[Parameter] = Field(description="All its parameters, as offered.")
    why: str = Field(default="", description="Why it follows from the cause, in one sentence.")


class Proposal(BaseModel):
    """What a model proposes to do."""

    actions: list[Choice] = Field(description="The chosen change, or none.")
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


@dataclass(frozen=True)
class Remediation:
    """The remediation agent. It holds no way to act: options come in, one of them goes out."""

    model: RoleModel
    guard: TextGuard

    def propose(
        self,
        incident: Incident,
        assessment: Assessment,
        options: Sequence[PlannedAction],
        runbooks: Iterable[dict[str, Any]] = (),
        attempt: int = 1,
        effects: Mapping[str, str] | None = None,
    ) -> PlanResult:
        """Return a plan of one offered change with its exact parameters, or a plan without action and why.

        `effects` says by an action's name what the catalogue expects of it.
        """
        if assessment.verdict is not Verdict.CAUSE:
            return PlanResult(_nothing("no cause is shown", attempt))
        if not options:
            return PlanResult(_nothing("the catalogue holds no change for this cause", attempt))
        books = [book for book in runbooks if self.guard.scan(canonical_json(book)).clear]
        known_effects = effects or {}
        content = _question(incident, assessment, options, books, known_effects)
        answer = ask(self.model, load_prompt("remediation"), content, Proposal)
        if answer.form is None:
            why = answer.failure.sentence if answer.failure else "no answer"
            plan = _nothing(why, attempt, [spoken(option) for option in options])
        else:
            plan = _plan(answer.form, options, books, assessment, attempt)
            if plan.actions and not plan.expected_effect:
                effect = known_effects.get(plan.actions[0].action, "")
                plan = plan.model_copy(update={"expected_effect": effect})
        return PlanResult(plan, answer.spend, (answer.use,), answer.failure)


def spoken(action: PlannedAction) -> str:
    """Write an action with its parameters, as people read it."""
    given = ", ".join(f"{name}={value}" for name, value in action.parameters.items())
    return f"{action.action} ({given})"


def _plan(
    proposal: Proposal,
    options: Sequence[PlannedAction],
    books: list[dict[str, Any]],
    assessment: Assessment,
    attempt: int,
) -> Plan:
    """Take the first choice if all choices are offers word for word; one that is not spoils the plan.

    One change at a time: else nobody could say afterwards which of them helped or harmed.
    """
    chosen = [_offer(choice, options) for choice in proposal.actions]
    others = [spoken(option) for option in options]
    if not chosen:
        return _nothing(_founded(proposal.no_action_reason, options) or "none was chosen", attempt, others)
    if None in chosen:
        return _nothing("a change was proposed that was not offered", attempt, others)
    first = next(offer for offer in chosen if offer is not None)
    facts = [_offered(option) for option in options] + [assessment.model_dump(mode="json"), books]
    names = {str(book.get("runbook", "")) for book in books}
    return Plan(
        actions=(first.model_copy(update={"why": _founded(proposal.actions[0].why, facts) or first.why}),),
        summary=_founded(proposal.summary, facts) or f"{spoken(first)}: {first.why}",
        expected_effect=_founded(proposal.expected_effect, facts),
        alternatives=tuple(spoken(option) for option in options if option is not first)
        + tuple(text for text in proposal.alternatives if _founded(text, facts)),
        runbooks=tuple(name for name in dict.fromkeys(proposal.runbooks) if name in names),
        attempt=attempt,
    )


def _offer(choice: Choice, options: Sequence[PlannedAction]) -> PlannedAction | None:
    """Return the offer that a choice copies exactly."""
    given = sorted((parameter.name, parameter.value) for parameter in choice.parameters)
    for option in options:
        offered = sorted((one["name"], one["value"]) for one in _parameters(option))
        if choice.action == option.action and given == offered:
            return option
    return None


def _nothing(reason: str, attempt: int, alternatives: Iterable[str] = ()) -> Plan:
    return Plan(no_action_reason=reason, alternatives=tuple(alternatives), attempt=attempt)


def _founded(text: str | None, facts: Any) -> str:
    return text.strip() if text and not unfounded(text, canonical_json(facts)) else ""


def _question(
    incident: Incident,
    assessment: Assessment,
    options: Sequence[PlannedAction],
    books: list[dict[str, Any]],
    effects: Mapping[str, str],
) -> str:
    leading = assessment.leading
    offered = {option.action for option in options}
    facts = {
        "actions": [_offered(option) for option in options],
        "summary": options[0].why or assessment.summary,
        "expected_effect": effects.get(options[0].action, ""),
        "cause": leading.model_dump(mode="json", exclude={"evidence_for", "evidence_against"})
        if leading
        else None,
        "alarm_name": incident.alarm.name,
        "runbooks": [book.get("runbook", "") for book in books if offered & set(book.get("actions", ()))],
    }
    return f"{labelled(facts)}\n\nThe team's runbooks.\n\n{fenced('runbook_texts', books)}"


def _offered(option: PlannedAction) -> dict[str, Any]:
    return {"action": option.action, "parameters": _parameters(option), "why": option.why}


def _parameters(option: PlannedAction) -> list[dict[str, str]]:
    """Write parameters as pairs of text: a form with free keys is more than every model can fill."""
    return [
        {"name": name, "value": value if isinstance(value, str) else canonical_json(value)}
        for name, value in option.parameters.items()
    ]
