"""What a model may ask has a bound everywhere: no text, list or number of a read tool is as long as it likes."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import Field, ValidationError

from agents.forms import told_schema
from memory.records.alarm import Metric
from tests.agents.desk import ALARM
from tools.catalogue import OBSERVE
from tools.observe.alarm_metric import metric_of
from tools.observe.get_metric import GetMetric
from tools.observe.sources import Question

BOUNDS = {
    "string": {"maxLength"},
    "array": {"maxItems", "items"},
    "object": {"maxProperties", "propertyNames", "additionalProperties"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set(),
    "null": set(),
}


def unbounded(question: type[Question]) -> list[str]:
    """Return where a question's schema leaves something without a bound."""
    schema = question.model_json_schema()
    return [
        f"{name}{where}" for name, field in schema["properties"].items() for where in _loose(field, schema)
    ]


def _loose(field: dict[str, Any], schema: dict[str, Any], where: str = "") -> Iterator[str]:
    if "$ref" in field:
        field = schema["$defs"][field["$ref"].rpartition("/")[2]]
    if "enum" in field or "const" in field:
        return
    for option in field.get("anyOf", ()):
        yield from _loose(option, schema, where)
    if "anyOf" in field:
        return
    wanted = BOUNDS.get(field.get("type", ""))
    if wanted is None:
        yield f"{where}: any type"
    elif field.get("type") == "object" and "properties" in field:
        for name, inner in field["properties"].items():
            yield from _loose(inner, schema, f"{where}.{name}")
    else:
        yield from (f"{where}: no {bound}" for bound in sorted(wanted - field.keys()))
        for part in ("items", "additionalProperties", "propertyNames"):
            if isinstance(field.get(part), dict):
                # The names of a JSON object are texts, whatever its schema says of them.
                yield from _loose({"type": "string", **field[part]}, schema, f"{where}.{part}")


@pytest.mark.parametrize("tool", OBSERVE, ids=lambda tool: tool.name)
def test_every_parameter_of_a_read_tool_is_bounded(tool: Any) -> None:
    assert unbounded(tool.question) == []


def test_a_parameter_without_a_bound_is_found_wherever_it_stands() -> None:
    class Loose(Question):
        text: str
        texts: list[str] = Field(max_length=3)
        named: dict[str, str] = Field(max_length=3)
        count: int = Field(ge=1)
        maybe: str | None = None

    assert unbounded(Loose) == [
        "text: no maxLength",
        "texts.items: no maxLength",
        "named: no propertyNames",
        "named.additionalProperties: no maxLength",
        "count: no maximum",
        "maybe: no maxLength",
    ]


STATISTICS = """
Sum Average Minimum Maximum SampleCount IQM p99 p99.9 p100 p50 tm99 wm98 tc90 ts95.5 PR(:300) PR(100:2000) TM(10%:90%)
TM(150:1000) WM(:95%) TC(0.005:0.030)
"""


@pytest.mark.parametrize("stat", STATISTICS.split())
def test_every_statistic_of_cloudwatch_may_be_asked_for(stat: str) -> None:
    assert GetMetric(namespace="Shop", metric_name="Errors", stat=stat).stat == stat


@pytest.mark.parametrize(
    "stat", ["", "x" * 100_000, "sum", "p101", "p", "p99; drop", "Sum\n", "TM(10%)", "p1000", "PR(a:b)"]
)
def test_any_other_statistic_is_refused(stat: str) -> None:
    with pytest.raises(ValidationError):
        GetMetric(namespace="Shop", metric_name="Errors", stat=stat)


@pytest.mark.parametrize("stat", ["x" * 100_000, "Sum of all"])
def test_a_metric_that_an_event_names_as_cloudwatch_names_none_is_no_metric(stat: str) -> None:
    alarm = ALARM.model_copy(update={"metrics": (Metric(namespace="Shop", name="Errors", stat=stat),)})
    assert metric_of(alarm, {}, 60) is None
    assert metric_of(alarm, {"stat": "Sum"}, 60) is not None


def test_bounds_are_not_told_to_a_model_that_pays_for_them() -> None:
    told = told_schema(GetMetric)["properties"]
    assert told["dimensions"]["additionalProperties"] == {"type": "string"}
    assert "pattern" not in str(told) and "maxLength" not in str(told)
