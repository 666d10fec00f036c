"""Every operation that the copilot calls has a contract, and is allowed to the user it comes with and no more."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from botocore import xform_name

from console.permitted import declared_calls
from memory.records.scope import Scope
from simulator.iam.documents import policy_of
from simulator.wire.protocol import service_model
from tests.contracts.test_contracts import CONTRACTS
from tools.actions.registry import ACTIONS

ROOT = Path(__file__).parents[2]
PRODUCT = ("agents", "console", "graphs", "memory", "tools", "web", "evals")
SERVICES = sorted({contract.service for contract in CONTRACTS})
BY_LIBRARY = {
    ("bedrock", "GetInferenceProfile"),
    ("bedrock-runtime", "Converse"),
    ("bedrock-runtime", "ConverseStream"),
}
"""What langchain-aws calls for the copilot."""
BY_HAND = {"cloudwatch:SetAlarmState"}
"""What the evaluation does as the account's root."""
NOT_CALLS = {"get_query_results", "start_query"}
"""Operations of CloudTrail's that are called like those of Logs."""


@cache
def operations() -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for service in SERVICES:
        for operation in service_model(service).operation_names:
            if not (service == "cloudtrail" and xform_name(operation) in NOT_CALLS):
                found.setdefault(xform_name(operation), set()).add((service, operation))
    return found


def receivers(path: Path) -> Iterator[str]:
    """Methods that are called on something that is, or is called like, a client."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and _is_client(node.value):
            yield node.attr


def _is_client(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "client"
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.strip("_") in {"client", *SERVICES}


@cache
def called() -> set[tuple[str, str]]:
    """The operations that the product's source calls, and those a library calls for it."""
    paths = [
        path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py") if "bench" not in path.parts
    ]
    methods = {method for path in paths for method in receivers(path)}
    return {one for method in methods for one in operations().get(method, set())} | BY_LIBRARY


def test_the_source_is_read() -> None:
    assert {("ecs", "UpdateService"), ("dynamodb", "TransactWriteItems"), ("logs", "StartQuery")} <= called()


def test_every_operation_that_is_called_has_a_contract() -> None:
    missing = called() - {(contract.service, contract.operation) for contract in CONTRACTS}
    assert not missing, f"state what AWS documents of {sorted(missing)} in tests/contracts/"


def allowed() -> set[str]:
    document = json.loads(policy_of("operator"))
    return {action for statement in document["Statement"] for action in _listed(statement["Action"])}


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def needed() -> set[str]:
    home = Scope(account="123456789012", region="us-east-1")
    declared = {call for action in ACTIONS for call in declared_calls(action, home)}
    asked = {
        contract.denied_action
        for contract in CONTRACTS
        if (contract.service, contract.operation) in called() and not contract.always
    }
    # A transaction also checks items that it does not write, and a batch never goes by other names.
    return declared | asked | {"dynamodb:ConditionCheckItem"}


def test_the_account_comes_with_exactly_the_permissions_that_are_needed() -> None:
    assert allowed() == needed() - BY_HAND
