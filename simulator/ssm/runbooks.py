"""SSM Automation documents, schema 0.3: read from JSON or YAML, checked as CreateDocument checks them.

Rules: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from simulator.ssm.placeholders import SYSTEM_VARIABLES, references
from simulator.ssm.runbook_choices import check_choices
from simulator.wire.protocol import AwsError

SIMULATED_ACTIONS = frozenset(
    {
        "aws:approve",
        "aws:assertAwsResourceProperty",
        "aws:branch",
        "aws:changeInstanceState",
        "aws:executeAwsApi",
        "aws:sleep",
        "aws:waitForAwsResourceProperty",
    }
)
_OTHER_ACTIONS = """copyImage createImage createStack
    createTags deleteImage deleteStack executeAutomation executeScript executeStateMachine invokeWebhook
    invokeLambdaFunction loop pause runCommand runInstances updateVariable"""
ACTIONS = SIMULATED_ACTIONS | {f"aws:{name}" for name in _OTHER_ACTIONS.split()}
_TYPES = frozenset({"String", "StringList", "Integer", "Boolean", "StringMap", "MapList"})
_DOCUMENT_KEYS = frozenset(
    {"description", "schemaVersion", "assumeRole", "parameters", "mainSteps", "outputs", "files", "variables"}
)
_LIMIT_KEYS = frozenset({"minItems", "maxItems", "minChars", "maxChars"})
_PARAMETER_KEYS = _LIMIT_KEYS | {
    "type",
    "description",
    "default",
    "allowedValues",
    "allowedPattern",
    "displayType",
}
_STEP_KEYS = frozenset(
    {"name", "action", "description", "inputs", "outputs", "maxAttempts", "timeoutSeconds", "onFailure"}
) | {"onCancel", "nextStep", "isEnd", "isCritical"}
_STEP_NAME = re.compile(r"[A-Za-z0-9_]{1,128}")


@dataclass(frozen=True)
class Parameter:
    """A parameter a document declares."""

    name: str
    type: str
    description: str = ""
    default: Any = None
    required: bool = True
    allowed_values: tuple[Any, ...] = ()
    allowed_pattern: str | None = None
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """What a step keeps of its response."""

    name: str
    selector: str
    type: str


@dataclass(frozen=True)
class Step:
    """One step. `on_failure` is Abort, Continue or the name of a step after `step:`."""

    name: str
    action: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    max_attempts: int = 1
    timeout_seconds: int | None = None
    on_failure: str = "Abort"
    on_cancel: str = "Abort"
    next_step: str | None = None
    is_end: bool = False
    is_critical: bool = True


@dataclass(frozen=True)
class Runbook:
    """What a document says."""

    description: str
    assume_role: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    variables: tuple[str, ...]

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)

    def after(self, step: Step) -> Step | None:
        """The step that follows in the document's order."""
        place = self.steps.index(step) + 1
        return self.steps[place] if place < len(self.steps) else None


def read_content(content: str, document_format: str) -> Any:
    """The document's content as data, or InvalidDocumentContent."""
    try:
        return yaml.safe_load(content) if document_format == "YAML" else json.loads(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _invalid(f"Content is not valid {document_format}: {error}") from error


def parse_runbook(content: Any) -> Runbook:
    """The runbook that the content says, or AWS's refusal of it."""
    document = _structure(content, "document", _DOCUMENT_KEYS)
    if str(document.get("schemaVersion")) != "0.3":
        message = f"Schema version {document.get('schemaVersion')} is not supported for Automation documents"
        raise AwsError("InvalidDocumentSchemaVersion", message)
    parameters = _structure(document.get("parameters") or {}, "parameters", None)
    main_steps = document.get("mainSteps")
    if not isinstance(main_steps, list) or not main_steps:
        raise _invalid("mainSteps must be a list of at least one step")
    runbook = Runbook(
        description=str(document.get("description", "")),
        assume_role=str(document.get("assumeRole", "")),
        parameters=tuple(_parameter(name, raw) for name, raw in parameters.items()),
        steps=tuple(_step(raw) for raw in main_steps),
        outputs=tuple(_texts(document.get("outputs") or [], "outputs")),
        variables=tuple(_structure(document.get("variables") or {}, "variables", None)),
    )
    _check_names(runbook)
    _check_references(runbook, [main_steps, runbook.assume_role])
    return runbook


def _parameter(name: str, raw: Any) -> Parameter:
    given = _structure(raw, f"parameter {name}", _PARAMETER_KEYS)
    kind = given.get("type")
    if not isinstance(kind, str) or not (kind in _TYPES or kind.startswith(("AWS::", "List<AWS::"))):
        raise _invalid(f"Parameter {name} has an unsupported type: {kind}")
    pattern = given.get("allowedPattern")
    if pattern is not None:
        _check_pattern(name, pattern)
    return Parameter(
        name=name,
        type=kind,
        description=str(given.get("description", "")),
        default=given.get("default"),
        required="default" not in given,
        allowed_values=tuple(given.get("allowedValues") or ()),
        allowed_pattern=pattern,
        limits={key: _whole(given[key], f"{key} of parameter {name}") for key in _LIMIT_KEYS & set(given)},
    )


def _check_pattern(name: str, pattern: Any) -> None:
    try:
        re.compile(str(pattern))
    except re.error as error:
        raise _invalid(f"Parameter {name} has an invalid allowedPattern: {error}") from error


def _step(raw: Any) -> Step:
    given = _structure(raw, "step", _STEP_KEYS)
    name, action = given.get("name"), given.get("action")
    if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
        raise _invalid(f"Invalid step name: {name}")
    if action not in ACTIONS:
        raise _invalid(f"Step {name} has an unsupported action: {action}")
    on_failure = str(given.get("onFailure", "Abort"))
    return Step(
        name=name,
        action=str(action),
        inputs=_structure(given.get("inputs") or {}, f"inputs of step {name}", None),
        outputs=tuple(_output(name, output) for output in given.get("outputs") or []),
        max_attempts=_whole(given.get("maxAttempts", 1), f"maxAttempts of step {name}"),
        timeout_seconds=_timeout(given.get("timeoutSeconds"), name),
        on_failure=on_failure,
        on_cancel=str(given.get("onCancel", "Abort")),
        next_step=given.get("nextStep"),
        is_end=_truth(given.get("isEnd", False)),
        is_critical=_truth(given.get("isCritical", on_failure != "Continue")),
    )


def _timeout(given: Any, step: str) -> int | None:
    return None if given is None else _whole(given, f"timeoutSeconds of step {step}")


def _output(step: str, raw: Any) -> Output:
    given = _structure(raw, f"output of step {step}", frozenset({"Name", "Selector", "Type"}))
    kind = given.get("Type", "String")
    if kind not in _TYPES or not all(isinstance(given.get(key), str) for key in ("Name", "Selector")):
        raise _invalid(f"Step {step} has an invalid output: {given}")
    return Output(given["Name"], given["Selector"], kind)


def _check_names(runbook: Runbook) -> None:
    names = [step.name for step in runbook.steps]
    if len(set(names)) != len(names):
        raise _invalid("Step names must be unique in the document")
    for step in runbook.steps:
        wanted = [step.next_step] if step.next_step else []
        if step.on_failure.startswith("step:"):
            wanted.append(step.on_failure.removeprefix("step:").strip())
        elif step.on_failure not in {"Abort", "Continue"}:
            raise _invalid(f"Step {step.name} has an invalid onFailure: {step.on_failure}")
        if step.action == "aws:branch":
            wanted += check_choices(step.name, step.inputs)
        _check_known(wanted, names, f"Step {step.name} names a step that does not exist")


def _check_references(runbook: Runbook, texts: list[Any]) -> None:
    parameters = {parameter.name for parameter in runbook.parameters}
    steps = {step.name for step in runbook.steps}
    for name in references(texts):
        owner = name.partition(".")[0]
        if name in SYSTEM_VARIABLES or name in parameters or (owner in steps and "." in name):
            continue
        if owner == "variable" and runbook.variables:
            continue
        raise _invalid(f"Variable {{{{ {name} }}}} is not defined in the document")
    _check_known((output.partition(".")[0] for output in runbook.outputs), steps, "Unknown step in outputs")


def _check_known(wanted: Iterable[str], names: Iterable[str], message: str) -> None:
    known = set(names)
    for name in wanted:
        if name not in known:
            raise _invalid(f"{message}: {name}")


def _structure(raw: Any, what: str, keys: frozenset[str] | None) -> dict[str, Any]:
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise _invalid(f"{what} must be an object")
    unknown = sorted(set(raw) - keys) if keys is not None else []
    if unknown:
        raise _invalid(f"{what} has unknown properties: {', '.join(unknown)}")
    return raw


def _texts(raw: Any, what: str) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise _invalid(f"{what} must be a list of strings")
    return raw


def _whole(raw: Any, what: str) -> int:
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 10:
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 1:
        raise _invalid(f"{what} must be a positive whole number: {raw}")
    return raw


def _truth(raw: Any) -> bool:
    if raw in (True, False):
        return bool(raw)
    if isinstance(raw, str) and raw.lower() in {"true", "false"}:
        return raw.lower() == "true"
    raise _invalid(f"must be true or false: {raw}")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidDocumentContent", message)
