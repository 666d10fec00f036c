"""The field tables of docs/scenarios.md, written from the records: `python -m simulator.world.field_tables`."""

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.world import World, events, functions, services, settings
from simulator.world.base import LogTemplate, Slo
from simulator.world.faults import FaultWorld

PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
RECORDS: tuple[type[BaseModel], ...] = (
    World,
    services.ServiceWorld,
    services.Dependency,
    services.Reach,
    services.Writes,
    services.Sends,
    services.Flag,
    services.ExtraMetric,
    services.Revision,
    services.LogBulk,
    Slo,
    LogTemplate,
    services.Release,
    functions.FunctionWorld,
    functions.Version,
    functions.FunctionMetric,
    functions.QueueWorld,
    functions.ApplicationWorld,
    functions.DeploymentGroupWorld,
    functions.DeploymentConfigWorld,
    settings.TableWorld,
    settings.QuotaWorld,
    settings.ParameterWorld,
    settings.ExternalWorld,
    settings.AlarmWorld,
    settings.DocumentWorld,
    settings.Deployer,
    settings.Traffic,
    events.Deploy,
    events.FunctionDeploy,
    events.Through,
    events.ApiCall,
    events.ImageExpiry,
    events.TrafficChange,
    events.Batch,
    events.Slowdown,
    events.Illness,
    events.Outage,
    events.Poison,
    events.Backfill,
    FaultWorld,
)


def tables(records: Iterable[type[BaseModel]]) -> str:
    """A heading, what the record is, and its fields, for each record."""
    return "\n\n".join(_table(one) for one in records)


def placed(page: str, name: str, text: str) -> str:
    """The page with `text` between the marks of that name."""
    marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(marks[0])}.*?{re.escape(marks[1])}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no marks of {name}")
    return pattern.sub(lambda _: f"{marks[0]}\n\n{text}\n\n{marks[1]}", page)


def _table(record: type[BaseModel]) -> str:
    said = " ".join((record.__doc__ or "").split())
    rows = [
        f"| `{field.alias or name}` | {_type(field.annotation)} | {_default(field)} |"
        for name, field in record.model_fields.items()
    ]
    return "\n".join(
        [f"#### {record.__name__}", "", said, "", "| field | type | default |", "|---|---|---|", *rows]
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, timedelta):
        return f"`{int(value.total_seconds())}s`"
    return f"`{value}`" if value not in ([], {}, ()) and not isinstance(value, BaseModel) else "empty"


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_type(one) for one in arguments if one is not NoneType)
    if origin in (list, tuple):
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    if annotation is timedelta:
        return "offset"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{one.value}`" for one in annotation)
    return {str: "text", int: "integer", float: "number", bool: "true or false", Any: "anything"}.get(
        annotation, getattr(annotation, "__name__", str(annotation))
    )


if __name__ == "__main__":
    PAGE.write_text(placed(PAGE.read_text(encoding="utf-8"), "fields", tables(RECORDS)), encoding="utf-8")
