"""Whatever read tool fails, in whatever way: the assessment names it, and calls nothing healthy for it."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from agents.guardrails import LocalSigns
from agents.notes import facts_of
from agents.triage import MOST_GAPS, Triage, gaps_of
from memory.records.evidence import Gap
from tests.agents.desk import INCIDENT, METRIC, STORED, assessment, evidence, first_look, sources
from tests.agents.scripted import calling, role
from tests.agents.test_circles import ASKED, TOOLS
from tests.agents.test_triage import AGREES
from tools.aws.access import AwsAccess
from tools.evidence import Answer

FAULTS: dict[Gap, Exception] = {
    Gap.DENIED: ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, "Read"),
    Gap.THROTTLED: ClientError({"Error": {"Code": "ThrottlingException", "Message": "slowly"}}, "Read"),
    Gap.TIMED_OUT: ReadTimeoutError(endpoint_url="https://aws.example"),
    Gap.FAILED: ClientError({"Error": {"Code": "InternalFailure", "Message": "broken"}}, "Read"),
}


class Failing:
    """A client of which every call, and every pager, fails in one way."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    def __getattr__(self, name: str) -> Any:
        def call(*_: Any, **__: Any) -> Any:
            raise self.problem

        return call


@dataclass(frozen=True)
class FailingAccess(AwsAccess):
    """Access to an account that fails in one way."""

    problem: Exception = FAULTS[Gap.DENIED]

    def client(self, service: str) -> Any:
        return Failing(self.problem)


def named_like(asked: dict[str, Any]) -> Any:
    """A first look after which a question is within reach."""
    names = [text for value in asked.values() for text in ([value] if isinstance(value, str) else value)]
    return first_look(changed_otherwise=tuple(names))


@pytest.mark.parametrize("gap", list(FAULTS))
@pytest.mark.parametrize("name", sorted(set(TOOLS) - {"search_runbooks"}))
def test_a_read_that_fails_is_named_with_the_reason(name: str, gap: Gap) -> None:
    look = named_like(ASKED[name])
    model, chat = role(calling(name, **ASKED[name]), AGREES)
    given = replace(sources(), access=FailingAccess("us-east-1", problem=FAULTS[gap]))
    left = (
        Triage(model, (TOOLS[name],), LocalSigns()).assess(INCIDENT, look, STORED.values(), given).assessment
    )
    assert len(chat.heard) == 2
    told = [text for text in left.gaps if text.endswith(gap.value.replace("_", " "))]
    assert told, (left.gaps, chat.heard[-1][-1])
    assert left.healthy == look.healthy == ()
    assert left.severity is look.severity
    assert told[0] in facts_of(INCIDENT, first_look=look, assessment=left)["gaps"]


@pytest.mark.parametrize("gap", list(Gap))
@pytest.mark.parametrize("name", sorted(TOOLS))
def test_what_is_missing_of_an_answer_is_named(name: str, gap: Gap) -> None:
    look = named_like(ASKED[name])

    def ask(given: Any, question: Any) -> Any:
        return given.recorder.observe(name, "test", "Read", {}, lambda: Answer({}, gaps=(gap,)))

    model, _ = role(calling(name, **ASKED[name]), AGREES)
    tool = replace(TOOLS[name], ask=ask)
    left = Triage(model, (tool,), LocalSigns()).assess(INCIDENT, look, STORED.values(), sources()).assessment
    assert f"{name}: {gap.value.replace('_', ' ')}" in left.gaps


def test_gaps_that_are_too_many_to_name_are_counted() -> None:
    many = [evidence(f"ev-{n:012x}", f"read {n}", {}, gaps=(Gap.DENIED,)) for n in range(40)]
    told = gaps_of([METRIC, *many])
    assert (len(told["gaps"]), told["gaps_unnamed"]) == (MOST_GAPS, 20)
    noted = facts_of(INCIDENT, assessment=assessment(**told))["gaps"]
    assert noted.endswith("read 13: denied; and 34 more")
    again = gaps_of(many[:2], told["gaps"])
    assert again == {"gaps": told["gaps"], "gaps_unnamed": 0}


@given(st.permutations([Gap.NO_DATA, Gap.TRUNCATED, Gap.DENIED, Gap.NARROWED, Gap.THROTTLED]))
def test_what_was_not_seen_is_told_first_in_whatever_order_reads_end(ended: list[Gap]) -> None:
    read = [evidence(f"ev-{n:012x}", f"read of {gap.value}", {}, gaps=(gap,)) for n, gap in enumerate(ended)]
    assert gaps_of(read)["gaps"] == (
        "read of denied: denied",
        "read of throttled: throttled",
        "read of narrowed: narrowed",
        "read of truncated: truncated",
        "read of no_data: no data",
    )
