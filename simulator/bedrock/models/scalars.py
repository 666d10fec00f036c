"""One fact made to fit one scalar schema, or the least value that schema allows."""

import re
from datetime import UTC, date, datetime
from typing import Any

from simulator.bedrock.models.names import key, words
from simulator.bedrock.models.schema import Schema, unsupported

MISSING = object()

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_UNIT = r"\s*(?:%|[A-Za-z]{1,12})?"
_TRUE, _FALSE = frozenset({"true", "yes"}), frozenset({"false", "no"})
_UNDECIDED_WORDS = """
unknown none unspecified undetermined inconclusive unresolved other na unsure undecided null unclear
"""
_UNDECIDED = frozenset(_UNDECIDED_WORDS.split())
_DENIALS = (("not",), ("no",))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def fit_scalar(value: Any, schema: Schema) -> Any:
    """The value in the schema's type, or MISSING if it is not such a value."""
    node = schema.node
    if "const" in node:
        return node["const"] if _same(value, node["const"]) else MISSING
    if "enum" in node:
        return next((choice for choice in node["enum"] if _same(value, choice)), MISSING)
    kind = schema.types[0] if schema.types else ""
    if kind == "boolean":
        return _boolean(value)
    if kind in ("integer", "number"):
        return _number(value, kind, node)
    if kind == "string":
        return _string(value, node)
    return None if kind == "null" and value is None else MISSING


def admits(value: Any, schema: Schema) -> bool:
    """Whether a scalar is valid as it stands."""
    fitted = fit_scalar(value, schema)
    return fitted is not MISSING and type(fitted) is type(value) and fitted == value


def least_number(schema: Schema) -> float:
    """Zero, or the allowed number nearest to it."""
    node = schema.node
    whole = schema.types[0] == "integer"
    step = node.get("multipleOf", 1 if whole else None)
    candidates = [0, *(node[word] for word in ("minimum", "maximum") if word in node)]
    for word, sign in (("exclusiveMinimum", 1), ("exclusiveMaximum", -1)):
        if word in node:
            candidates += [node[word] + sign * (step or 1), *_between(node)]
    if step:
        candidates += [step * (candidate // step + n) for candidate in list(candidates) for n in (0, 1)]
    for candidate in sorted(candidates, key=abs):
        fitted = _number(candidate, schema.types[0], node)
        if fitted is not MISSING:
            return float(fitted) if not whole else int(fitted)
    raise unsupported("no number satisfies its limits")


def undecided(choices: list[Any]) -> Any:
    """The choice that admits to knowing nothing, else the last."""
    for choice in choices:
        if isinstance(choice, str) and (key(choice) in _UNDECIDED or words(choice)[:1] in _DENIALS):
            return choice
    return None if None in choices else choices[-1]


def least_moment(kind: str) -> str:
    """A moment that is plainly not stated: the epoch."""
    if kind == "date":
        return _EPOCH.date().isoformat()
    return _EPOCH.isoformat().replace("+00:00", "Z")


def _same(value: Any, choice: Any) -> bool:
    if isinstance(value, bool) or isinstance(choice, bool) or not isinstance(choice, str):
        return type(value) is type(choice) and bool(value == choice)
    return isinstance(value, str) and (value == choice or (key(value) == key(choice) != ""))


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    said = value.strip().lower() if isinstance(value, str) else ""
    return said in _TRUE if said in _TRUE | _FALSE else MISSING


def _number(value: Any, kind: str, node: dict[str, Any]) -> Any:
    number = _as_number(value)
    if number is None or (kind == "integer" and not float(number).is_integer()):
        return MISSING
    if kind == "integer":
        number = int(number)
    step = node.get("multipleOf")
    allowed = (
        node.get("minimum", number) <= number <= node.get("maximum", number)
        and not number <= node.get("exclusiveMinimum", number - 1)
        and not number >= node.get("exclusiveMaximum", number + 1)
        and not (step and number % step)
    )
    return number if allowed else MISSING


def _as_number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, str) and re.fullmatch(_NUMBER.pattern + _UNIT, value.strip()):
        found = _NUMBER.match(value.strip())
        return float(found.group()) if found else None
    return None


def _between(node: dict[str, Any]) -> list[float]:
    low = node.get("exclusiveMinimum", node.get("minimum"))
    high = node.get("exclusiveMaximum", node.get("maximum"))
    return [(low + high) / 2] if low is not None and high is not None else []


def _string(value: Any, node: dict[str, Any]) -> Any:
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str | int | float):
        text = str(value)
    else:
        return MISSING
    moment = node.get("format")
    if moment in ("date-time", "date"):
        text = _moment(text, moment)
    least, most = node.get("minLength", 0), node.get("maxLength", len(text))
    fits = text and least <= len(text) <= most and re.search(node.get("pattern", ""), text)
    return text if fits and _known_format(text, moment) else MISSING


def _moment(text: str, kind: str) -> str:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return ""
    if kind == "date":
        return date(parsed.year, parsed.month, parsed.day).isoformat()
    return text if parsed.tzinfo else f"{parsed.isoformat()}Z"


def _known_format(text: str, name: str | None) -> bool:
    shape = {"uri": r"[A-Za-z][\w+.-]*:\S+", "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"}
    return name not in shape or re.fullmatch(shape[name], text) is not None
