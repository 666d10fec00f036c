"""What a guard looks at is paid for: it is charged to the incident, told in its spend, and not paid for twice."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from agents.communicator import Communicator
from agents.critic import Critic, Looking
from agents.guardrails import AppliedGuardrail, Findings, GuardrailChecks, Remembering, presumed
from agents.notes import APPROVAL
from agents.remediation import PlanContext, Remediation
from agents.scanning import Scans
from agents.triage import Triage
from memory.records.config import Limits, ReadPrices
from memory.records.message import Audience
from memory.records.spend import GuardUse
from tests.agents.desk import INCIDENT, ROLLBACK, STORED, assessment, evidence, first_look, sources
from tests.agents.scripted import role
from tests.agents.test_triage import AGREES
from tools.budget import IncidentBudget

PRICES = ReadPrices().guard
USE = GuardUse(calls=1, content_units=3, sensitive_units=3)
LINES = [evidence(f"ev-{n:012x}", f"logs {n}", {"rows": [f"line {n}"]}, untrusted=True) for n in range(4)]


@dataclass
class Paid:
    """Clears all that it looks at, for three text units of two policies each."""

    asked: list[str] = field(default_factory=list)

    def scan(self, text: str, direction: object = None) -> Findings:
        self.asked.append(text)
        return Findings(use=USE)


@dataclass
class Client:
    """Bedrock's runtime, which answers or fails."""

    usage: dict[str, Any] | None = None
    error: Exception | None = None

    def apply_guardrail(self, **_: object) -> dict[str, Any]:
        if self.error:
            raise self.error
        return {"action": "NONE", **({"usage": self.usage} if self.usage else {})}

    def invoke_guardrail_checks(self, **asked: object) -> dict[str, Any]:
        return {"results": {}, **self.apply_guardrail()}


def test_a_look_costs_what_aws_says_it_took() -> None:
    usage = {
        "contentPolicyUnits": 18,
        "topicPolicyUnits": 1,
        "wordPolicyUnits": 18,
        "sensitiveInformationPolicyUnits": 18,
        "sensitiveInformationPolicyFreeUnits": 18,
        "contextualGroundingPolicyUnits": 0,
    }
    use = AppliedGuardrail(Client(usage), "g", "1").scan("x" * 18_000).use
    assert use == GuardUse(calls=1, content_units=18, topic_units=1, sensitive_units=18)
    assert use.units == 18
    # Per 1,000 text units: 0.15 for content and for topics, 0.10 for personal data.
    assert PRICES.of(use) == pytest.approx((18 * 0.15 + 1 * 0.15 + 18 * 0.10) / 1000)


def test_checks_without_a_guardrail_cost_what_they_say() -> None:
    usage = {"promptAttack": {"textUnits": 4}, "sensitiveInformation": {"textUnits": 5}}
    use = GuardrailChecks(Client(usage)).scan("x" * 4_000).use
    assert use == GuardUse(calls=1, content_units=4, sensitive_units=5)


@pytest.mark.parametrize("guard", [AppliedGuardrail(Client(), "g", "1"), GuardrailChecks(Client())])
def test_a_look_that_does_not_say_what_it_took_is_presumed_by_its_size(guard: Any) -> None:
    assert guard.scan("x" * 1_001).use == GuardUse(calls=1, content_units=2, sensitive_units=2)


def test_what_was_not_answered_may_be_paid_for_and_what_was_refused_is_not() -> None:
    late = AppliedGuardrail(Client(error=ReadTimeoutError(endpoint_url="x")), "g", "1").scan("x" * 2_500)
    assert late.use == presumed("x" * 2_500) == GuardUse(calls=1, content_units=3, sensitive_units=3)
    no = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "ApplyGuardrail")
    assert AppliedGuardrail(Client(error=no), "g", "1").scan("text").use == GuardUse(calls=1)


def test_looks_are_charged_to_the_incident_and_end_with_its_dollars() -> None:
    each = PRICES.of(USE)
    budget = IncidentBudget(Limits(incident_usd=2.5 * each))
    scans = Scans(Paid(), 90.0, budget)
    found = [scans.scan(f"text {n}") for n in range(6)]
    assert [one.clear for one in found] == [True] * 3 + [False] * 3
    assert found[-1].detail == "the incident's dollars are spent"
    assert (scans.spend.guard_calls, scans.spend.guard_units) == (3, 9)
    assert scans.spend.usd == pytest.approx(3 * each)
    assert budget.spent_here.usd == pytest.approx(3 * each)
    assert scans.scan("text 1").clear and scans.spend.guard_calls == 3


def test_triage_and_its_second_reader_count_what_the_guard_took() -> None:
    model, _ = role(AGREES)
    given, guard = sources(), Paid()
    result = Triage(model, (), guard).assess(INCIDENT, first_look(), LINES, given)
    # Four observations and the alarm's words.
    assert (result.spend.guard_calls, result.spend.guard_units, len(guard.asked)) == (5, 15, 5)
    assert result.spend.usd == pytest.approx(given.recorder.budget.spent_here.usd)
    assert result.spend.usd > 5 * PRICES.of(USE)
    model, _ = role("no form")
    read = Critic(model, Paid()).review(
        first_look(), assessment(), STORED.get, LINES, Looking(INCIDENT, sources())
    )
    assert read.spend.guard_calls == 4


def test_a_plan_and_a_message_count_what_the_guard_took() -> None:
    budget = IncidentBudget()
    model, _ = role("no form")
    context = PlanContext(runbooks=({"runbook": "a"}, {"runbook": "b"}))
    plan = Remediation(model, Paid()).propose(INCIDENT, assessment(), (ROLLBACK,), context, budget=budget)
    assert plan.spend.guard_calls == 2
    model, _ = role('{"opening": "Please look."}')
    draft = Communicator(model, Paid()).note(APPROVAL, Audience.ON_CALL, {"alarm": "a"}, budget)
    assert (draft.by_model, draft.spend.guard_calls) == (True, 1)
    assert plan.spend.usd + draft.spend.usd == pytest.approx(budget.spent_here.usd)


def test_what_one_step_has_had_looked_at_the_next_does_not_pay_for() -> None:
    at = [0.0]
    paid = Paid()
    guard = Remembering(paid, lambda: at[0])
    first, second = Scans(guard, 90.0), Scans(guard, 90.0)
    assert first.scan("same").clear and second.scan("same").clear
    assert (first.spend.guard_calls, second.spend.guard_calls, paid.asked) == (1, 0, ["same"])
    at[0] = 900.0
    assert Scans(guard, 90.0).scan("same").clear
    assert paid.asked == ["same", "same"], "a guardrail may be another by then"


def test_an_objection_is_remembered_and_what_nobody_looked_at_is_not() -> None:
    found = [Findings(flags=("guardrail",), use=USE), Findings(flags=("unscanned",)), Findings(use=USE)]

    class Saying:
        def scan(self, text: str, direction: object = None) -> Findings:
            return found.pop(0)

    guard = Remembering(Saying())
    assert guard.scan("orders").flags == guard.scan("orders").flags == ("guardrail",)
    assert guard.scan("text").flags == ("unscanned",)
    assert guard.scan("text").clear
    assert found == []


def test_no_text_is_kept_where_looks_are_remembered() -> None:
    masks = Findings(flags=("sensitive",), matches=("4111111111111111",), use=USE)

    class Masking:
        def scan(self, text: str, direction: object = None) -> Findings:
            return masks if "4111" in text else Findings()

    guard = Remembering(Masking())
    for text in ("card 4111111111111111", "a plain line"):
        guard.scan(text)
    assert "4111" not in repr(vars(guard)) and "plain line" not in repr(vars(guard))
