"""What DynamoDB bills for a request: read and write units, by the rules of its documentation."""

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any

Item = Mapping[str, Mapping[str, Any]]


def item_bytes(item: Item) -> int:
    """Return the size of an item: its names and its values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """Return the size of an attribute's value as DynamoDB's JSON has it."""
    ((kind, held),) = value.items()
    if kind == "S":
        return len(held.encode())
    if kind == "B":
        return len(held if isinstance(held, bytes) else base64.b64decode(held))
    if kind == "N":
        return len(held.lstrip("-0.").replace(".", "")) // 2 + 2
    if kind == "M":
        return 3 + sum(len(name.encode()) + value_bytes(one) + 1 for name, one in held.items())
    if kind == "L":
        return 3 + sum(value_bytes(one) + 1 for one in held)
    if kind in {"BOOL", "NULL"}:
        return 1
    raise ValueError(f"values of the type {kind} are not counted here")


def write_units(item: Item) -> int:
    """Return what writing an item costs."""
    return max(1, math.ceil(item_bytes(item) / 1024))


def read_units(items: Iterable[Item], *, consistent: bool) -> float:
    """Return what reading items in one query costs; reading one by one is a query each."""
    units = max(1, math.ceil(sum(item_bytes(item) for item in items) / 4096))
    return units if consistent else units / 2
