"""Choices of `aws:branch`: checked when the document is made, evaluated when the step runs.

Rules: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-branch.html
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from simulator.ssm.placeholders import as_text
from simulator.wire.protocol import AwsError

_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": operator.eq,
    "EqualsIgnoreCase": lambda found, wanted: found.casefold() == wanted.casefold(),
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
    "Contains": operator.contains,
}
_NUMBER_TESTS: dict[str, Callable[[float, float], bool]] = {
    "NumericEquals": operator.eq,
    "NumericGreater": operator.gt,
    "NumericLesser": operator.lt,
    "NumericGreaterOrEquals": operator.ge,
    "NumericLesserOrEquals": operator.le,
}
_TESTS = frozenset({*_TEXT_TESTS, *_NUMBER_TESTS, "BooleanEquals"})


def check_choices(step: str, inputs: Mapping[str, Any]) -> list[str]:
    """The steps that a branch may lead to; InvalidDocumentContent where a choice is not understood."""
    choices = inputs.get("Choices")
    if not isinstance(choices, list) or not choices or set(inputs) - {"Choices", "Default"}:
        raise _invalid(f"Step {step} needs Choices")
    steps: list[str] = []
    for choice in choices:
        if not isinstance(choice, dict) or not isinstance(choice.get("NextStep"), str):
            raise _invalid(f"Each choice of step {step} needs a NextStep")
        steps.append(choice["NextStep"])
        _check(step, {key: value for key, value in choice.items() if key != "NextStep"})
    default = inputs.get("Default")
    return [*steps, default] if isinstance(default, str) else steps


def chosen_step(inputs: Mapping[str, Any]) -> str | None:
    """The step of the first true choice, or the default, or None. ValueError: a value is no number."""
    for choice in inputs["Choices"]:
        if _holds({key: value for key, value in choice.items() if key != "NextStep"}):
            return str(choice["NextStep"])
    default = inputs.get("Default")
    return default if isinstance(default, str) else None


def _check(step: str, condition: Any) -> None:
    if not isinstance(condition, dict):
        raise _invalid(f"A choice of step {step} is not an object")
    for key in ("And", "Or", "Not"):
        if key in condition:
            inner = [condition[key]] if key == "Not" else condition[key]
            if len(condition) != 1 or not isinstance(inner, list) or not inner:
                raise _invalid(f"A choice of step {step} mixes {key} with other operations")
            for part in inner:
                _check(step, part)
            return
    tests = set(condition) - {"Variable"}
    if "Variable" not in condition or len(tests) != 1 or not tests <= _TESTS:
        raise _invalid(f"A choice of step {step} has an unsupported operation: {', '.join(sorted(tests))}")


def _holds(condition: Mapping[str, Any]) -> bool:
    if "And" in condition:
        return all(_holds(part) for part in condition["And"])
    if "Or" in condition:
        return any(_holds(part) for part in condition["Or"])
    if "Not" in condition:
        return not _holds(condition["Not"])
    found = condition["Variable"]
    (name,) = set(condition) - {"Variable"}
    wanted = condition[name]
    if name in _TEXT_TESTS:
        return _TEXT_TESTS[name](as_text(found), as_text(wanted))
    if name in _NUMBER_TESTS:
        return _NUMBER_TESTS[name](float(found), float(wanted))
    return as_text(found).lower() == as_text(wanted).lower()


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidDocumentContent", message)
