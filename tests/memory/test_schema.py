import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from memory import schema
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / schema.FILE
EXAMPLE = ROOT / "docs/schema/incident.v1.example.json"


def test_the_file_is_what_the_model_says() -> None:
    assert FILE.read_text(encoding="utf-8") == schema.text_of(schema.generated()), "run `make schema`"


def test_the_committed_example_validates() -> None:
    example = json.loads(EXAMPLE.read_text(encoding="utf-8"))

    jsonschema.validate(example, json.loads(FILE.read_text(encoding="utf-8")))
    record = IncidentRecord.model_validate(example)

    assert record.model_dump(mode="json") == {
        **IncidentRecord.model_validate(example).model_dump(mode="json")
    }
    assert record.status.is_end


def test_a_reader_bears_a_field_that_is_added_later() -> None:
    example = json.loads(EXAMPLE.read_text(encoding="utf-8"))

    jsonschema.validate({**example, "added_later": 1}, schema.generated())


def test_what_is_not_a_record_does_not_validate() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema_version": 2}, schema.generated())


def changed(path: str, value: Any) -> dict[str, Any]:
    """The schema with one place set, or removed when the value is None."""
    new = copy.deepcopy(schema.generated())
    *way, last = path.split("/")
    place: Any = new
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return new


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/added", {"type": "string"}),
        ("$defs/Spend/properties/added", {"type": "integer"}),
        ("$defs/Added", {"type": "object"}),
        ("$defs/Status/enum", [*Status, "added"]),
        ("$defs/Execution/properties/detail", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("properties/reason/description", "Other words."),
    ],
)
def test_additions_break_nobody(path: str, value: Any) -> None:
    assert schema.breaks(schema.generated(), changed(path, value)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/reason", None),
        ("properties/reason", {"type": "integer"}),
        ("properties/events_joined", {"type": "integer", "minimum": 1}),
        ("properties/closed_at", {"type": "string", "format": "date-time"}),
        ("$defs/Spend", None),
        ("$defs/Spend/properties/usd", None),
        ("$defs/Plan/required", ["actions"]),
        ("$defs/Severity/enum", ["critical", "high"]),
    ],
)
def test_what_is_removed_or_narrowed_is_named(path: str, value: Any) -> None:
    assert schema.breaks(schema.generated(), changed(path, value)) != []


def test_a_breaking_change_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wider = changed("properties/once_there", {"type": "string"})
    schema.FILE.parent.mkdir(parents=True)
    schema.FILE.write_text(schema.text_of(wider))

    assert schema.main() == 1
    assert json.loads(schema.FILE.read_text()) == wider
    schema.FILE.unlink()
    assert schema.main() == 0
