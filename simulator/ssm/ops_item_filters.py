"""Filters of DescribeOpsItems, with the operators that each key takes.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeOpsItems.html
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.wire.protocol import AwsError, aware

_TIMES = frozenset({"GreaterThan", "LessThan"})
_TEXTS = frozenset({"Equal", "Contains"})
_OPERATORS: dict[str, frozenset[str]] = {
    "Category": frozenset({"Equal"}),
    "CreatedBy": _TEXTS,
    "CreatedTime": _TIMES,
    "LastModifiedTime": _TIMES,
    "OperationalData": frozenset({"Equal"}),
    "OperationalDataKey": frozenset({"Equal"}),
    "OperationalDataValue": _TEXTS,
    "OpsItemId": frozenset({"Equal"}),
    "OpsItemType": frozenset({"Equal"}),
    "Priority": frozenset({"Equal"}),
    "Severity": frozenset({"Equal"}),
    "Source": _TEXTS,
    "Status": frozenset({"Equal"}),
    "Title": _TEXTS,
}


def passes(item: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether an OpsItem passes a filter: any of its values will do."""
    key, operator, wanted = given["Key"], given["Operator"], given["Values"]
    if operator not in _OPERATORS.get(key, frozenset()):
        raise AwsError("ValidationException", f"The filter {key} with {operator} is not supported.")
    if operator in _TIMES:
        return _is_after(item[key], wanted) if operator == "GreaterThan" else _is_before(item[key], wanted)
    if key == "OperationalData":
        return any(_holds_pair(item["OperationalData"], one) for one in wanted)
    found = _values(item, key)
    if operator == "Contains":
        return any(one in value for one in wanted for value in found)
    return any(one in found for one in wanted)


def _values(item: Mapping[str, Any], key: str) -> list[str]:
    if key == "OperationalDataKey":
        return list(item["OperationalData"])
    if key == "OperationalDataValue":
        return [str(one.get("Value", "")) for one in item["OperationalData"].values()]
    return [str(item[key])] if key in item else []


def _holds_pair(data: Mapping[str, Mapping[str, str]], wanted: str) -> bool:
    """Whether the data holds `{"key":...,"value":...}`, as the filter writes a pair."""
    try:
        pair = json.loads(wanted)
        return bool(data.get(pair["key"], {}).get("Value") == pair["value"])
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError("ValidationException", f"Not a pair of key and value: {wanted}") from error


def _is_after(at: datetime, wanted: list[str]) -> bool:
    return any(at > _moment(one) for one in wanted)


def _is_before(at: datetime, wanted: list[str]) -> bool:
    return any(at < _moment(one) for one in wanted)


def _moment(text: str) -> datetime:
    try:
        return aware(text)
    except ValueError as error:
        raise AwsError("ValidationException", f"Not a time: {text}") from error
