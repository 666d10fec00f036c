"""Every operation that the copilot calls has a contract, and is allowed to whom it comes with and no more."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from botocore import xform_name
from botocore.loaders import Loader
from botocore.waiter import WaiterModel

from console.permitted import declared_calls
from memory.records.scope import Scope
from simulator.iam.documents import policy_of
from simulator.wire.protocol import service_model
from tests.contracts.contract import GUIDES
from tests.contracts.test_contracts import CONTRACTS
from tools.actions.registry import ACTIONS

ROOT = Path(__file__).parents[2]
PRODUCT = ("agents", "console", "graphs", "memory", "tools", "web", "evals")
BY_LIBRARY = {
    ("bedrock", "GetInferenceProfile"),
    ("bedrock-runtime", "Converse"),
    ("bedrock-runtime", "ConverseStream"),
}
"""What langchain-aws calls for the copilot."""
BY_HAND = {"cloudwatch:SetAlarmState"}
"""What the evaluation does as the account's root."""
NOT_CALLS = {
    ("cloudtrail", "get_query_results"),
    ("cloudtrail", "start_query"),
    ("kms", "list_aliases"),
    ("kms", "update_alias"),
}
"""Operations that are called like those of another service."""


@cache
def trees() -> list[ast.Module]:
    paths = [
        path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py") if "bench" not in path.parts
    ]
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


@cache
def services() -> set[str]:
    """The services that the product's source makes clients of, by the names it writes."""
    found: set[str] = set()
    for tree in trees():
        for node in ast.walk(tree):
            found |= {_service(node)} - {""}
    return found | {service for service, _ in BY_LIBRARY}


@cache
def operations() -> dict[str, set[tuple[str, str]]]:
    """Operations by the name of the method that calls them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for service in services() & GUIDES.keys():
        for operation in service_model(service).operation_names:
            if (service, xform_name(operation)) not in NOT_CALLS:
                found.setdefault(xform_name(operation), set()).add((service, operation))
    return found


@cache
def waited() -> dict[str, set[tuple[str, str]]]:
    """Operations by the name of the waiter that calls them."""
    found: dict[str, set[tuple[str, str]]] = {}
    loader = Loader(include_default_search_paths=True)
    for service in services() & GUIDES.keys():
        if service not in loader.list_available_services("waiters-2"):
            continue
        model = WaiterModel(loader.load_service_model(service, "waiters-2"))
        for name in model.waiter_names:
            found.setdefault(xform_name(name), set()).add((service, model.get_waiter(name).operation))
    return found


def called_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The operations that a file calls on something that is, or is called like, a client."""
    clients = _clients(tree)
    made = {_service(one) for one in ast.walk(tree)} - {""}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_client(node.value, clients):
            yield from _of(node.value, clients, made, operations().get(node.attr, set()))
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        named = str(node.args[0].value) if isinstance(node.args[0], ast.Constant) else ""
        if node.func.attr == "get_paginator":
            yield from _of(node.func.value, clients, made, operations().get(named, set()))
        if node.func.attr == "get_waiter":
            yield from _of(node.func.value, clients, made, waited().get(named, set()))


def _of(
    node: ast.expr, clients: dict[str, str], made: set[str], found: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Of operations that are called alike, those of the service that a client is of.

    A client that came as an argument is of one of the services that its file makes clients of, if one of them fits.
    """
    named = {_service(node), clients.get(_name(node), ""), _name(node)}
    for services_of_client in (named, made):
        if own := {one for one in found if one[0] in services_of_client}:
            return own
    return found


def _clients(tree: ast.Module) -> dict[str, str]:
    """The names that a file gives to what `.client(...)` returns, and the service of each."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and _makes_client(node.value):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found[_name(target)] = _service(node.value)
    return found


def _makes_client(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client"


def _service(node: ast.AST | None) -> str:
    """The service that `.client(...)` is asked for, where it is written there."""
    if isinstance(node, ast.Call) and _makes_client(node) and node.args:
        return str(node.args[0].value) if isinstance(node.args[0], ast.Constant) else ""
    return ""


def _name(node: ast.expr) -> str:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.strip("_")


def _is_client(node: ast.expr, clients: dict[str, str]) -> bool:
    if isinstance(node, ast.Call):
        return _makes_client(node) or _name(node.func) in {"client", *services()}
    name = _name(node)
    return name in clients or name.endswith("client") or name in services()


@cache
def called() -> set[tuple[str, str]]:
    """The operations that the product's source calls, and those a library calls for it."""
    return {one for tree in trees() for one in called_in(tree)} | BY_LIBRARY


def test_the_source_is_read() -> None:
    assert {("ecs", "UpdateService"), ("dynamodb", "TransactWriteItems"), ("logs", "StartQuery")} <= called()


def test_a_client_is_seen_under_any_name_and_through_pages_and_waits() -> None:
    source = """
shop: Any = access.client("ecs")
shop.stop_task(task="1")
access.client("lambda").list_aliases(FunctionName="x")
access.client("sqs").purge_queue(QueueUrl="x")
queue_client.untag_queue(QueueUrl="x")
records.get_paginator("list_tables").paginate()
table.get_waiter("table_not_exists").wait()
stranger.delete_cluster()
"""

    assert set(called_in(ast.parse(source))) == {
        ("ecs", "StopTask"),
        ("lambda", "ListAliases"),
        ("sqs", "PurgeQueue"),
        ("sqs", "UntagQueue"),
        ("dynamodb", "ListTables"),
        ("dynamodb", "DescribeTable"),
    }


def test_every_service_that_is_called_has_its_pages() -> None:
    missing = services() - GUIDES.keys()
    assert not missing, f"name the API reference of {sorted(missing)} in tests/contracts/contract.py"


def test_every_operation_that_is_called_has_a_contract() -> None:
    missing = called() - {(contract.service, contract.operation) for contract in CONTRACTS}
    assert not missing, f"state what AWS documents of {sorted(missing)} in tests/contracts/"


def allowed(who: str) -> set[str]:
    document = json.loads(policy_of(who))
    return {action for statement in document["Statement"] for action in _listed(statement["Action"])}


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def declared() -> set[str]:
    """What the actions of the catalogue need."""
    home = Scope(account="123456789012", region="us-east-1")
    return {call for action in ACTIONS for call in declared_calls(action, home)}


def asked() -> set[str]:
    """What the calls in the product's source need."""
    return {
        contract.denied_action
        for contract in CONTRACTS
        if (contract.service, contract.operation) in called() and not contract.always
    }


def known() -> set[str]:
    """Everything that has a contract."""
    return {contract.denied_action for contract in CONTRACTS}


# A transaction also checks items that it does not write, and a session is taken on with tags and a source identity.
BESIDE = {"dynamodb:ConditionCheckItem", "sts:SetSourceIdentity", "sts:TagSession"}


def test_the_account_comes_with_the_permissions_that_are_needed() -> None:
    missing = (declared() | asked()) - BY_HAND - (allowed("operator") | allowed("executor"))
    assert not missing, f"allow {sorted(missing)} in simulator/iam/documents/operator.json or executor.json"


def test_the_executor_may_do_all_that_the_catalogue_does() -> None:
    missing = declared() - allowed("executor")
    assert not missing, f"allow {sorted(missing)} in simulator/iam/documents/executor.json"


def test_nothing_is_allowed_that_has_no_contract() -> None:
    assert allowed("operator") | allowed("executor") <= known() | BESIDE
