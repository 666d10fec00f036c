"""A Bedrock that fails, by the account's own log: each call is made again in one layer, or not at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

from agents.asking import Answered, ask
from agents.critic import Doubt
from agents.errors import Fault
from agents.models import ModelSettings, Patience, role_model
from agents.prompting import labelled, load_prompt
from memory.records.config import Limits
from tests.agents.scripted import PRICES
from tests.simulated import SimulatedAccount
from tools.aws.access import AwsAccess
from tools.aws.unrepeated import unrepeated

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Place:
    account: SimulatedAccount

    def ask(self, seconds: float = 20.0) -> Answered[Doubt]:
        keys = self.account.credentials
        access = AwsAccess(
            "us-east-1", self.account.endpoint, keys.access_key_id, keys.secret_access_key, None, seconds
        )
        chosen = ModelSettings(
            region="us-east-1", tiers={"small": "local.rules-v1:0"}, prompt_cache=("local.",)
        )
        model = role_model(unrepeated(access), chosen, "critic", PRICES, Limits())
        impatient = replace(model, patience=Patience(first_wait=0.0))
        return ask(impatient, load_prompt("critic"), labelled({"confidence": 0.4}), Doubt)

    def counted(self, operation: str, fault: dict[str, Any], asked: Callable[[], Any]) -> tuple[Any, int]:
        before = len(self.account.calls())
        self.account.faults([{"service": "bedrock-runtime", "operation": operation, **fault}])
        try:
            answer = asked()
        finally:
            self.account.clear_faults()
        return answer, sum(one["operation"] == operation for one in self.account.calls(after=before))


@pytest.fixture(scope="module")
def place(shared_accounts: Callable[..., SimulatedAccount]) -> Iterator[Place]:
    yield Place(shared_accounts("bad-deployment"))


def _error(code: str, status: int) -> dict[str, Any]:
    return {"kind": "error", "code": code, "status": status, "times": -1}


@pytest.mark.parametrize(
    ("fault", "told", "calls"),
    [
        ({"kind": "throttle", "times": -1}, Fault.BUSY, 3),
        (_error("ServiceUnavailableException", 503), Fault.UNREACHABLE, 3),
        (_error("InternalServerException", 500), Fault.UNREACHABLE, 3),
        (_error("ModelNotReadyException", 429), Fault.BUSY, 3),
        (_error("ModelTimeoutException", 408), Fault.TIMED_OUT, 1),
        (_error("ModelErrorException", 424), Fault.UNUSABLE, 1),
        (_error("AccessDeniedException", 403), Fault.DENIED, 1),
        (_error("ValidationException", 400), Fault.MISCONFIGURED, 1),
    ],
)
def test_a_failing_call_reaches_aws_as_often_as_one_layer_says(
    place: Place, fault: dict[str, Any], told: Fault, calls: int
) -> None:
    answer, seen = place.counted("Converse", fault, place.ask)
    assert answer.failure is not None
    assert answer.failure.fault is told
    assert (seen, answer.spend.model_calls) == (calls, calls)


def test_a_call_that_is_throttled_once_is_made_twice(place: Place) -> None:
    answer, seen = place.counted("Converse", {"kind": "throttle", "times": 1}, place.ask)
    assert answer.form is not None
    assert seen == 2


def test_a_model_that_hangs_is_given_up_once(place: Place) -> None:
    hang = {"kind": "hang", "seconds": 5.0, "times": -1}
    met: list[int] = []

    def asked() -> Answered[Doubt]:
        given_up = place.ask(seconds=0.4)
        # A call that hangs stands in no log yet; the fault has counted it.
        met.extend(one["met"] for one in place.account.control("GET", "faults")["faults"])
        return given_up

    answer, _ = place.counted("Converse", hang, asked)
    assert answer.failure is not None
    assert answer.failure.fault is Fault.TIMED_OUT
    assert met == [1]


class State(TypedDict, total=False):
    answer: Any


def _streamed(place: Place) -> Answered[Doubt]:
    """Ask as a host does that streams the models' words while the graph runs: then ConverseStream is called."""
    graph = StateGraph(State)
    graph.add_node("asks", lambda state: {"answer": place.ask()})
    graph.add_edge(START, "asks")
    parts: list[Any] = list(graph.compile().stream({}, stream_mode=["messages", "values"]))
    found: Answered[Doubt] = parts[-1][1]["answer"]
    return found


@pytest.mark.parametrize(
    ("exception", "told", "calls"),
    [
        ("throttlingException", Fault.BUSY, 3),
        ("modelStreamErrorException", Fault.CUT_OFF, 3),
        ("serviceUnavailableException", Fault.UNREACHABLE, 3),
        ("cut", Fault.CUT_OFF, 3),
        ("validationException", Fault.MISCONFIGURED, 1),
    ],
)
def test_a_stream_that_breaks_off_is_classified_by_the_code_in_it(
    place: Place, exception: str, told: Fault, calls: int
) -> None:
    fault = {"kind": "stream_error", "exception": exception, "times": -1}
    answer, seen = place.counted("ConverseStream", fault, lambda: _streamed(place))
    assert answer.failure is not None
    assert answer.failure.fault is told
    assert seen == calls
