"""The JSON Schema of the public record, and what a change to it may not do.

`python -m memory.schema` writes `docs/schema/incident.v1.json`, and refuses to where readers of version 1 would
break. The schema leaves every object open: a reader must bear fields it does not know, since fields are added.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from memory.records.incident_record import IncidentRecord

FILE = Path("docs/schema/incident.v1.json")
TITLE = "CloudOps Copilot incident record, version 1"


def generated() -> dict[str, Any]:
    """Return the schema of version 1, as the model says it now."""
    schema: dict[str, Any] = _opened(IncidentRecord.model_json_schema(mode="validation"))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": TITLE}


def text_of(schema: Mapping[str, Any]) -> str:
    """Write a schema as it stands in the file."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what a reader of `old` would stumble over in records of `new`; additions break nobody."""
    found: list[str] = []
    for where, before, after in _objects(old, new):
        if after is None:
            found.append(f"{where} is gone")
            continue
        fresh = set(after.get("required", ())) - set(before.get("required", ()))
        found += [f"{where}.{name} is required now" for name in sorted(fresh)]
        found += [f"{where} no longer knows {value!r}" for value in _lost_values(before, after)]
        for name, was in before.get("properties", {}).items():
            now = after.get("properties", {}).get(name)
            if now is None:
                found.append(f"{where}.{name} is gone")
            elif not _covers(now, was):
                found.append(f"{where}.{name} is narrower or of another kind")
    return found


def main() -> int:
    """Write the schema where it is compatible with the one that stands."""
    fresh = generated()
    if FILE.is_file():
        broken = breaks(json.loads(FILE.read_text(encoding="utf-8")), fresh)
        if broken:
            sys.stderr.write("version 1 would break: " + "; ".join(broken) + "\n")
            return 1
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text_of(fresh), encoding="utf-8")
    return 0


def _opened(node: Any) -> Any:
    """Take away every `additionalProperties: false`."""
    if isinstance(node, list):
        return [_opened(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _opened(part)
        for name, part in node.items()
        if not (name == "additionalProperties" and part is False)
    }


def _objects(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]]:
    yield "record", old, new
    for name, definition in old.get("$defs", {}).items():
        yield name, definition, new.get("$defs", {}).get(name)


def _lost_values(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Any]:
    return [value for value in before.get("enum", ()) if value not in after.get("enum", ())]


def _covers(now: Mapping[str, Any], was: Mapping[str, Any]) -> bool:
    """Say whether whatever fitted before still fits: the same shape, or a choice that holds all earlier ones."""
    choices = [_shape(one) for one in now.get("anyOf", [now])]
    return all(_shape(one) in choices for one in was.get("anyOf", [was]))


def _shape(node: Mapping[str, Any]) -> str:
    plain = {name: part for name, part in node.items() if name not in {"title", "description", "default"}}
    return json.dumps(plain, sort_keys=True)


if __name__ == "__main__":
    sys.exit(main())
