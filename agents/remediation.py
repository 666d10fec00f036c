"""Remediation: choose among options that code has checked. A choice is a plan, never an act."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import Field

from agents.errors import MODEL_FAILURES, NoAnswerError, why
from agents.ledger import CallLedger
from agents.models import Model
from agents.prompting import Prompt, facts_block, fence
from memory.records.assessment import Assessment
from memory.records.base import Record
from memory.records.plan import Plan, PlannedAction
from memory.records.spend import ModelUse, Spend

MOST_ACTIONS = 3


class Choice(Record):
    """What the remediation agent answers."""

    option_ids: tuple[str, ...] = Field(
        description="Ids of the options to carry out, in order; may be empty."
    )
    summary: str = Field(description="What would be done and why, in one sentence.")
    expected_effect: str = Field(description="What should be seen afterwards.")
    no_action_reason: str | None = Field(default=None, description="Why nothing should be done.")
    alternatives: tuple[str, ...] = Field(default=(), description="What else was weighed.")


@dataclass(frozen=True)
class PlanResult:
    """A plan, and what it cost."""

    plan: Plan
    spend: Spend
    models: tuple[ModelUse, ...]


@dataclass(frozen=True)
class Remediation:
    """The remediation agent."""

    model: Model
    prompt: Prompt

    def propose(
        self,
        assessment: Assessment,
        options: Sequence[PlannedAction],
        runbooks: Sequence[dict[str, Any]],
        attempt: int,
        ledger: CallLedger,
    ) -> PlanResult:
        """Return a plan of the given options, or one without action and the reason."""
        if not options:
            reason = "no catalogue action fits the cause, or none is left that was not tried"
            return PlanResult(Plan(no_action_reason=reason, attempt=attempt), Spend(), ())
        try:
            plan = self._ask(assessment, options, runbooks, attempt, ledger)
        except MODEL_FAILURES as error:
            plan = Plan(no_action_reason=f"nobody chose among the options: {why(error)}", attempt=attempt)
        return PlanResult(plan, ledger.total(), (ledger.use(),))

    def _ask(
        self,
        assessment: Assessment,
        options: Sequence[PlannedAction],
        runbooks: Sequence[dict[str, Any]],
        attempt: int,
        ledger: CallLedger,
    ) -> Plan:
        ledger.check()
        listed = {f"option-{number}": option for number, option in enumerate(options, start=1)}
        facts = {
            "cause": assessment.summary,
            "summary": "; ".join(option.why for option in options),
            "expected_effect": "the alarm returns to OK",
            "no_action_reason": None,
            "alternatives": [],
            "options": [{"id": key, **option.model_dump(mode="json")} for key, option in listed.items()],
        }
        asked = "\n".join([facts_block(facts), fence("runbooks", list(runbooks))])
        answer = self.model.answering(Choice).invoke([SystemMessage(self.prompt.text), HumanMessage(asked)])
        ledger.count(answer["raw"])
        if not isinstance(answer["parsed"], Choice):
            raise NoAnswerError("the model gave no choice")
        return plan_of(answer["parsed"], listed, [str(r.get("title")) for r in runbooks], attempt)


def plan_of(choice: Choice, listed: dict[str, PlannedAction], runbooks: list[str], attempt: int) -> Plan:
    """Turn a choice into a plan; an id that was not offered makes the whole choice void."""
    unknown = [key for key in choice.option_ids if key not in listed]
    if unknown:
        reason = f"the choice names {', '.join(unknown)}, which was not offered"
        return Plan(no_action_reason=reason, attempt=attempt, runbooks=tuple(runbooks))
    chosen = tuple(listed[key] for key in dict.fromkeys(choice.option_ids))
    if not chosen or len(chosen) > MOST_ACTIONS:
        reason = choice.no_action_reason or "no option was chosen"
        if chosen:
            reason = f"{len(chosen)} actions are more than a plan may hold"
        return Plan(no_action_reason=reason, attempt=attempt, runbooks=tuple(runbooks))
    return Plan(
        actions=chosen,
        summary=choice.summary,
        expected_effect=choice.expected_effect,
        alternatives=choice.alternatives,
        runbooks=tuple(runbooks),
        attempt=attempt,
    )
