"""What stands between `{{` and `}}` in a runbook, and the selectors that pick from an API's response.

Selectors are the JSONPath subset `$`, `.name`, `['name']`, `[0]`, `[*]`; any other is refused when the
execution is asked for.
Rules: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-variables.html
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Resolve = Callable[[str], Any]

SYSTEM_VARIABLES = frozenset(
    {"global:ACCOUNT_ID", "global:DATE", "global:DATE_TIME", "global:REGION", "automation:EXECUTION_ID"}
)
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_:.-]+)\s*\}\}")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[['\"]([^'\"]+)['\"]\]|(\[\*\])")


class SelectorError(ValueError):
    """A selector is not understood, or picks nothing."""


def references(value: Any) -> Iterator[str]:
    """Every name that stands in a placeholder anywhere in a value."""
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def substitute(value: Any, resolve: Resolve) -> Any:
    """The value with its placeholders resolved; one that is the whole text keeps its type."""
    if isinstance(value, dict):
        return {key: substitute(item, resolve) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, resolve) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value.strip())
    if whole:
        return resolve(whole[1])
    return _PLACEHOLDER.sub(lambda match: as_text(resolve(match[1])), value)


def as_text(value: Any) -> str:
    """A value as AWS writes it among text: strings as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def check_selector(selector: str) -> None:
    """Raise SelectorError where the selector is not understood."""
    _steps(selector)


def select(selector: str, response: Any) -> Any:
    """What the selector picks from a response; SelectorError where it picks nothing."""
    found, spread = [response], False
    for step in _steps(selector):
        if step is None:
            spread = True
            found = [item for value in found if isinstance(value, list) for item in value]
        else:
            found = [value[step] for value in found if _has(value, step)]
    if not spread and not found:
        raise SelectorError(f"Selector {selector} picks nothing from the response")
    return found if spread else found[0]


def _steps(selector: str) -> list[str | int | None]:
    if not selector.startswith("$"):
        raise SelectorError(f"Selector {selector} is not a JSONPath")
    steps: list[str | int | None] = []
    position = 1
    while position < len(selector):
        match = _STEP.match(selector, position)
        if match is None:
            raise SelectorError(f"Selector {selector} is not supported")
        name, index, quoted, _ = match.groups()
        steps.append(int(index) if index is not None else name or quoted)
        position = match.end()
    return steps


def _has(value: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list) and step < len(value)
    return isinstance(value, dict) and step in value
