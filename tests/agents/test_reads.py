"""What a model may read: within the incident, each question once, at the same time, and never in circles."""

import json
import threading
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from agents.errors import Fault
from agents.guardrails import LocalSigns
from agents.models import RoleModel
from agents.triage import Triage, TriageResult
from memory.records.assessment import Verdict
from memory.records.config import Limits
from memory.records.evidence import Evidence
from tests.agents.desk import INCIDENT, SCOPE, STORED, TOPOLOGY, LookUp, first_look, look_up, sources
from tests.agents.scripted import calling, heard_text, role
from tests.agents.test_triage import AGREES
from tools.evidence import Answer
from tools.observe import get_metric, query_logs, table_health, trace_request
from tools.observe.sources import ReadTool, Sources
from tools.reach import Reach, reach_of


def assess(model: RoleModel, *tools: ReadTool) -> TriageResult:
    triage = Triage(model, tools, LocalSigns())
    return triage.assess(INCIDENT, first_look(), STORED.values(), sources(model.limits))


def test_the_same_question_is_asked_of_the_account_once() -> None:
    asked: list[str] = []
    model, chat = role(calling("look_up", service="basket"), calling("look_up", service="basket"), AGREES)
    result = assess(model, look_up(["a line"], asked=asked))
    assert asked == ["basket"]
    assert "this was read already as ev-" in heard_text(chat)
    assert result.assessment.stops == ("look_up: 1 asked again",)
    assert result.assessment.verdict is Verdict.CAUSE


def test_going_back_and_forth_is_told_and_ended() -> None:
    asked: list[str] = []
    turns = iter(["basket", "front"] * 20)
    model, chat = role(lambda _: calling("look_up", service=next(turns)), limits=Limits(agent_steps=30))
    result = assess(model, look_up(["a line"], asked=asked))
    assert asked == ["basket", "front"]
    assert len(chat.heard) == 7
    assert result.failure is not None
    assert result.failure.fault is Fault.CIRCLES
    assert result.assessment.by_model is False
    assert result.assessment.verdict is Verdict.CAUSE
    assert result.assessment.stops == ("look_up: 5 asked again, back and forth",)
    assert "went in circles" in result.assessment.not_checked[-1]


def test_asking_about_one_part_in_ever_other_ways_is_ended() -> None:
    minutes = iter(range(5, 100))
    reads: list[int] = []

    def read(given: Sources, question: table_health.TableHealth) -> Evidence:
        reads.append(question.minutes)
        return given.recorder.observe("table", "dynamodb", "Look", {}, lambda: Answer({"n": len(reads)}))

    tool = ReadTool("table_health", "Read.", table_health.TableHealth, read, lambda *_: Answer({}))
    model, chat = role(
        lambda _: calling("table_health", table="baskets", minutes=next(minutes)),
        limits=Limits(agent_steps=30),
    )
    result = assess(model, tool)
    assert len(reads) == 4
    assert result.assessment.stops == ("table_health: 5 asked of the same part once too often",)
    assert len(chat.heard) == 9


def test_what_is_read_after_an_action_is_read_anew() -> None:
    asked: list[str] = []
    tool = look_up(["a line"], asked=asked)
    for _ in ("before the action", "after it"):
        model, _chat = role(calling("look_up", service="basket"), AGREES)
        assert assess(model, tool).assessment.stops == ()
    assert asked == ["basket", "basket"]


def test_reads_of_one_breath_run_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)

    def read(given: Sources, question: LookUp) -> Evidence:
        together.wait()
        return given.recorder.observe(
            "lines", "logs", "Look", question.model_dump(), lambda: Answer({"a": 1})
        )

    calls: list[Any] = [
        {"name": "look_up", "args": {"service": name}, "id": name} for name in ("basket", "front", "baskets")
    ]
    model, _ = role(AIMessage("", tool_calls=calls), AGREES)
    tool = ReadTool("look_up", "Read.", LookUp, read, lambda *_: Answer({}))
    assert assess(model, tool).spend.tool_calls == 3


def test_a_result_beyond_its_budget_is_cut_and_points_to_the_whole() -> None:
    limits = Limits(tool_result_chars=400)
    model, chat = role(calling("look_up", service="basket"), AGREES, limits=limits)
    assess(model, look_up([f"line {n} of many" for n in range(200)]))
    observation = json.loads(heard_text(chat).split("\n")[-1])["observation"]
    assert "cut" in observation["gaps"]
    assert len(json.dumps(observation["result"])) <= 400


@pytest.fixture(scope="module")
def reach() -> Reach:
    return reach_of(INCIDENT, first_look(), TOPOLOGY, STORED.values())


@pytest.mark.parametrize(
    "question",
    [
        query_logs.QueryLogs(log_group="/ecs/shop/basket"),
        table_health.TableHealth(table="baskets"),
        get_metric.GetMetric(namespace="Shop", metric_name="Errors", dimensions={"Service": "basket"}),
        get_metric.GetMetric(
            namespace="AWS/DynamoDB",
            metric_name="ConsumedReadCapacityUnits",
            dimensions={"TableName": "baskets"},
        ),
        trace_request.TraceRequest(request_id="8a1f00", log_groups=["/ecs/shop/basket"]),
    ],
)
def test_parts_of_the_incident_may_be_read(reach: Reach, question: Any) -> None:
    assert reach.refusal(question) == ""


OTHER_ACCOUNT = "arn:aws:logs:us-east-1:999999999999:log-group:/ecs/shop/basket"
OTHER_REGION = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop/basket"


@pytest.mark.parametrize(
    "question",
    [
        query_logs.QueryLogs(log_group="/aws/payroll"),
        query_logs.QueryLogs(log_group=OTHER_ACCOUNT),
        query_logs.QueryLogs(log_group=OTHER_REGION),
        query_logs.QueryLogs(
            log_group="/ecs/shop/basket", query="SOURCE logGroups(namePrefix: ['/']) | fields @message"
        ),
        query_logs.QueryLogs(log_group="/ecs/shop/basket", query="fields @message |  source '/aws/payroll'"),
        query_logs.QueryLogs(
            log_group="/ecs/shop/basket", query="# all of it\nSOURCE logGroups(namePrefix: ['/aws/payroll'])"
        ),
        query_logs.QueryLogs(
            log_group="/ecs/shop/basket", query="fields @message | filter a in (SOURCE '/aws/payroll')"
        ),
        table_health.TableHealth(table="salaries"),
        get_metric.GetMetric(namespace="Payroll", metric_name="Errors"),
        get_metric.GetMetric(
            namespace="AWS/DynamoDB", metric_name="Errors", dimensions={"TableName": "salaries"}
        ),
        trace_request.TraceRequest(request_id="8a1f00", log_groups=["/ecs/shop/basket", "/aws/payroll"]),
    ],
)
def test_what_is_no_part_of_the_incident_is_refused_without_repeating_it(reach: Reach, question: Any) -> None:
    refusal = reach.refusal(question)
    assert refusal
    assert not any(
        word in refusal for word in ("payroll", "Payroll", "salaries", "999999999999", "eu-west-1")
    )


def test_a_refused_read_never_reaches_the_account_and_is_on_record() -> None:
    asked: list[str] = []
    model, chat = role(calling("look_up", service="payroll"), AGREES)
    result = assess(model, look_up(["salaries"], asked=asked))
    assert asked == []
    assert "is not part of this incident" in heard_text(chat)
    assert result.assessment.stops == ("look_up: 1 refused, outside the incident",)
    assert "payroll" not in result.assessment.model_dump_json()


def test_what_the_first_look_asked_about_itself_may_be_read() -> None:
    told = STORED["ev-aaaaaaaaaaaa"].model_copy(update={"asked": {"name": "/shop/basket/timeout"}})
    found = reach_of(INCIDENT, first_look(), TOPOLOGY, [told])
    assert "/shop/basket/timeout" in found.names
    assert found.scope == SCOPE
