"""What holds of the whole tree, and fails when somebody forgets to register what they wrote."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from agents.prompting import FOLDER as PROMPTS
from graphs import routes, wiring
from graphs.settings import load
from memory.retrieval import NAMING, RunbookIndex
from memory.retrieval import words as words_of
from tests.conftest import SLOW
from tools.actions.registry import ACTIONS
from tools.catalogue import OBSERVE

ROOT = Path(__file__).parent.parent
PACKAGES = ("console", "web", "graphs", "agents", "tools", "memory", "simulator", "evals")
OURS = {*PACKAGES, "settings", "server", "cli"}
FILE_LINES, FUNCTION_LINES = 350, 50
# Files in tools/actions that hold what actions share.
SHARED = {
    "base",
    "registry",
    "capacity_document",
    "dynamodb_units",
    "ecs_service",
    "lambda_function",
    "sqs_queue",
    "ssm_attributes",
}
DOCS = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/dependencies.md", "docs/data-model.md")


def modules(folder: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__")


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))
    yield from (ROOT / "cli.py", ROOT / "server.py")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def wired() -> dict[str, Any]:
    work: dict[str, Any] = {name: one for name, (one, _) in wiring.READING.items()}
    return {**work, **wiring.DECIDING}


@pytest.mark.parametrize("name", modules("graphs/nodes"))
def test_every_node_file_is_wired_and_named_like_its_function(name: str) -> None:
    assert name in wired(), f"wire {name} in graphs/wiring.py"
    work = wired()[name]
    assert (work.__name__, work.__module__) == (name, f"graphs.nodes.{name}")


def test_every_wired_node_has_a_file() -> None:
    assert sorted(wired()) == modules("graphs/nodes")


def test_the_graph_compiles_and_every_node_is_the_end_of_an_edge() -> None:
    drawing = wiring.wire(lambda: None).compile().get_graph()  # type: ignore[arg-type, return-value]
    nodes = {name for name in drawing.nodes if not name.startswith("__error_handler__")}
    assert {edge.target for edge in drawing.edges} >= nodes - {"__start__"}


def test_acting_steps_are_neither_retried_nor_timed_out() -> None:
    assert {"act", "revert", "approve"} <= set(wiring.DECIDING)
    assert not {"act", "revert", "approve"} & set(wiring.READING)
    graph = wiring.wire(lambda: None)  # type: ignore[arg-type, return-value]
    for name in wiring.DECIDING:
        assert graph.nodes[name].retry_policy is None
        assert graph.nodes[name].timeout is None


@pytest.mark.parametrize("route", [n for n in dir(routes) if n.startswith("after_")])
def test_routes_return_literals_of_nodes_that_exist(route: str) -> None:
    answers = set(get_args(get_type_hints(getattr(routes, route))["return"]))
    assert answers, f"{route} returns no Literal"
    assert answers <= {*wired(), "__end__"}
    assert route.removeprefix("after_") in wired()


@pytest.mark.parametrize("name", modules("tools/observe"))
def test_every_read_tool_file_is_in_the_catalogue(name: str) -> None:
    listed = [tool.name for tool in OBSERVE]
    if "\nTOOL = " in (ROOT / "tools/observe" / f"{name}.py").read_text():
        assert name in listed, f"name {name} in OBSERVE, tools/catalogue.py"
    else:
        others = [p for p in (ROOT / "tools").rglob("*.py") if f"tools.observe.{name} " in p.read_text()]
        assert others, f"{name} is neither a tool nor used by one"


def test_read_tools_have_names_of_their_own_and_say_when_to_use_them() -> None:
    names = [tool.name for tool in OBSERVE]
    assert len(set(names)) == len(names)
    for tool in OBSERVE:
        assert len(tool.description) > 40, tool.name
        assert all(field.description for field in tool.question.model_fields.values()), tool.name


@pytest.mark.parametrize("name", [n for n in modules("tools/actions") if n not in SHARED])
def test_every_action_file_is_in_the_registry(name: str) -> None:
    homes = {type(action).__module__ for action in ACTIONS}
    assert f"tools.actions.{name}" in homes, (
        f"name the action of {name} in ACTIONS, tools/actions/registry.py"
    )


def test_every_prompt_is_used_and_every_used_prompt_is_there() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "agents").glob("*.py"))
    used = set(re.findall(r'load_prompt\("([a-z_]+)"\)', text))
    assert used == {path.stem for path in PROMPTS.glob("*.md")}


@pytest.mark.parametrize("book", RunbookIndex.open().runbooks, ids=lambda book: book.name)
def test_a_runbook_has_a_title_and_names_actions_of_the_catalogue(book: Any) -> None:
    assert {"title", "symptoms"} <= book.front.keys()
    assert book.front.keys() <= {"title", "symptoms", "services", "actions", *NAMING}
    assert words_of(book.text)
    assert set(book.actions) <= {action.name for action in ACTIONS}


def test_no_other_distribution_owns_one_of_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    for name in OURS:
        assert set(owners.get(name, [])) <= {"cloudops-copilot"}, name


def test_langgraph_json_names_what_exists() -> None:
    told = json.loads((ROOT / "langgraph.json").read_text())
    named = [
        *told["graphs"].values(),
        told["checkpointer"]["path"],
        told["auth"]["path"],
        told["http"]["app"],
    ]
    for one in named:
        file, _, variable = one.rpartition(":")
        assert re.search(rf"\b{variable}\b", (ROOT / file).read_text()), one


def test_files_and_functions_can_be_seen_whole() -> None:
    long_files = [str(p.relative_to(ROOT)) for p in sources() if len(p.read_text().splitlines()) > FILE_LINES]
    assert long_files == []
    for path in sources():
        for function in functions(path):
            lines = (function.end_lineno or 0) - function.lineno + 1
            name = f"{path.relative_to(ROOT).as_posix()}:{function.name}"
            assert lines <= FUNCTION_LINES, f"{name} has {lines} lines"


def test_packages_are_introduced_by_a_docstring_alone() -> None:
    for path in sources():
        if path.name == "__init__.py" and path.relative_to(ROOT).parts[0] != "simulator":
            body = ast.parse(path.read_text()).body
            assert len(body) == 1, path
            assert isinstance(body[0], ast.Expr), path


def test_memory_imports_nothing_of_ours() -> None:
    for path in (ROOT / "memory").rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & (OURS - {"memory"}), path


def test_agents_hold_no_way_to_act() -> None:
    for path in (ROOT / "agents").rglob("*.py"):
        for name in imports(path):
            assert not name.startswith(("tools.executor", "tools.actions", "tools.once", "tools.undo")), path


def test_only_evals_read_a_scenarios_truth() -> None:
    for path in sources():
        if path.relative_to(ROOT).parts[0] != "evals":
            assert "truth.toml" not in path.read_text(encoding="utf-8"), path


def test_the_settings_folder_parses() -> None:
    assert load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1"}, ROOT).rubric.rows


def test_every_make_target_that_is_documented_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in DOCS:
        named = set(re.findall(r"(?:`|^|\$ )make ([a-z-]+)", (ROOT / name).read_text(), re.MULTILINE))
        assert named <= targets, name


def test_every_command_that_is_documented_exists() -> None:
    text = (ROOT / "cli.py").read_text()
    commands = set(re.findall(r"^def ([a-z]+)\(", text, re.MULTILINE)) | {
        "list",
        "eval",
        "sim",
        "evidence",
        "data",
        "audit",
        "killswitch",
        "actions",
        "runbooks",
    }
    for name in DOCS:
        named = set(re.findall(r"(?:`|bin/)cloudops ([a-z]+)", (ROOT / name).read_text()))
        assert named <= commands, name


def test_every_test_and_file_that_the_documents_name_exists() -> None:
    for name in DOCS:
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text()):
            assert ((ROOT / name).parent / link).exists(), f"{name} names {link}"
    text = (ROOT / "docs/architecture.md").read_text()
    for file, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"


def test_every_runtime_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = {re.match(r"[A-Za-z0-9-]+", one)[0].lower() for one in wanted}  # type: ignore[index]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(names)


def declared(wanted: Iterable[str]) -> dict[str, set[str]]:
    """What each declared distribution brings to import."""
    brings: dict[str, set[str]] = {}
    for module, owners in importlib.metadata.packages_distributions().items():
        for owner in owners:
            brings.setdefault(owner.lower().replace("_", "-"), set()).add(module)
    names = (re.match(r"[A-Za-z0-9-]+", one)[0].lower() for one in wanted)  # type: ignore[index]
    return {name: brings[name] for name in names}


def test_every_runtime_dependency_is_imported_and_every_import_is_declared() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = told["project"]
    used = {name.split(".")[0] for path in sources() for name in imports(path)}
    runtime = declared(project["dependencies"])
    assert [name for name, modules in runtime.items() if not modules & used] == []
    extras = chain.from_iterable(project["optional-dependencies"].values())
    # Stubs are imported for the type checker alone.
    stubs = {name for name in used if name.startswith("mypy_boto3_")}
    # What ours is compared with is not shipped, and only evals may import it.
    peers = declared(
        one for one in told["dependency-groups"]["dev"] if one.startswith("langgraph-checkpoint-aws")
    )
    shipped = {
        name.split(".")[0] for path in sources() if "evals" not in path.parts for name in imports(path)
    }
    assert not shipped & {*chain.from_iterable(peers.values())}
    known = {
        *chain.from_iterable([*runtime.values(), *peers.values(), *declared(extras).values()]),
        *OURS,
        *stubs,
    }
    assert used - known - set(sys.stdlib_module_names) == set()


def test_doors_that_run_no_graph_load_no_model_library() -> None:
    code = "import sys, cli, graphs.settings, memory.keys; print([m for m in sys.modules if m[:9] == 'langchain'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def keeps_whatever_comes(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches every error, and does not pass it on."""
    names = (
        {one.id for one in ast.walk(handler.type) if isinstance(one, ast.Name)}
        if handler.type
        else {"BaseException"}
    )
    passes_on = isinstance(handler.body[-1], ast.Raise)
    return bool(names & {"Exception", "BaseException"}) and not passes_on


def test_only_the_bulkhead_keeps_whatever_comes() -> None:
    """Elsewhere an error is named that can be answered for; `tools/bulkhead.py` says where and why any may be."""
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and keeps_whatever_comes(node)
    }
    assert found == {"tools/bulkhead.py"}


def test_what_is_left_to_the_slow_tests_is_there() -> None:
    assert [one for one in SLOW if not (ROOT / "tests" / one).is_file()] == []
