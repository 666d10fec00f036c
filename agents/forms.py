"""The forms that models fill, and the schemas of what they may ask: each is sent, and paid for, with every call."""

from typing import Any

from pydantic import BaseModel, ConfigDict


def _said_once(schema: dict[str, Any]) -> None:
    """Leave out the titles that pydantic makes of the fields' names."""
    for field in schema.get("properties", {}).values():
        field.pop("title", None)


class ModelForm(BaseModel):
    """A form whose schema says each field's name once."""

    model_config = ConfigDict(json_schema_extra=_said_once)


# What code holds a question to, and what tells a model nothing of what to ask.
_UNTOLD = frozenset({"title", "minLength", "maxLength", "minItems", "maxItems", "maxProperties", "pattern"})


def told_schema(question: type[BaseModel]) -> dict[str, Any]:
    """Return a question's JSON schema without what nobody who asks goes by."""
    schema = question.model_json_schema()
    fields = {name: _told(field) for name, field in schema["properties"].items()}
    told: dict[str, Any] = {name: schema[name] for name in ("$defs", "type", "required") if name in schema}
    return {**told, "properties": fields}


def _told(field: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a field and of what it holds."""
    return {
        key: _told(value) if isinstance(value, dict) else value
        for key, value in field.items()
        if key not in _UNTOLD | {"propertyNames"}
    }
