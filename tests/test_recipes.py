"""CONTRIBUTING's recipes, followed word for word in a copy of the tree."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COPIED = (
    *(
        "console",
        "web",
        "graphs",
        "agents",
        "tools",
        "memory",
        "simulator",
        "evals",
        "settings",
        "docs",
        "tests",
    ),
    *("cli.py", "server.py", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile"),
    *("pyproject.toml", "langgraph.json"),
)
BLOCK = re.compile(r"^```\w+\n# (file|add to|replace in): (\S+?)(?::? after: |: |\n)(.*?)^```$", re.M | re.S)
RECIPES = ("node", "read tool", "action", "agent", "runbook", "scenario")


@dataclass(frozen=True)
class Block:
    recipe: str
    verb: str
    file: str
    rest: str


def blocks() -> list[Block]:
    found: list[Block] = []
    for section in re.split(
        r"^## (?=Add )", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.M
    ):
        recipe = re.sub(r"^Add an? ", "", section.splitlines()[0])
        found += [Block(recipe, *match.groups()) for match in BLOCK.finditer(section)]
    return found


def follow(tree: Path, block: Block) -> None:
    path = tree / block.file
    if block.verb == "file":
        assert not path.exists(), f"{block.file} exists already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.rest, encoding="utf-8")
        return
    anchor, _, lines = block.rest.partition("\n")
    text = path.read_text(encoding="utf-8")
    assert text.count(anchor) == 1, f"{anchor!r} stands {text.count(anchor)} times in {block.file}"
    if block.verb == "replace in":
        path.write_text(text.replace(anchor, lines.rstrip("\n")), encoding="utf-8")
    else:
        end = text.index("\n", text.index(anchor)) + 1
        path.write_text(text[:end] + lines + text[end:], encoding="utf-8")


def copy_of_the_tree(folder: Path) -> Path:
    left_out = shutil.ignore_patterns("__pycache__", "*.pyc", "simulated-*")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=left_out)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def run(tree: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command], cwd=tree, capture_output=True, text=True, timeout=150, check=False
    )


def architecture(tree: Path) -> "subprocess.CompletedProcess[str]":
    return run(
        tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/test_architecture.py"
    )


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = copy_of_the_tree(tmp_path_factory.mktemp("followed"))
    for block in blocks():
        follow(tree, block)
    return tree


CHECKS = {
    "node": "from graphs.wiring import wire; assert 'tag_owner' in wire(lambda: None).compile().get_graph().nodes",
    "read tool": "from tools.catalogue import OBSERVE; assert 'queue_depth' in [t.name for t in OBSERVE]",
    "action": (
        "from tools.actions.registry import ACTIONS, named; a = named(ACTIONS, 'sqs_set_visibility_timeout')\n"
        "p = a.parameters(**{**a.example, 'seconds': 60})\n"
        "s = {'found': True, 'seconds': 30}\n"
        "assert a.problems(p, s) == () and a.inverse(p, s)['seconds'] == 30 and not a.holds(p, s)\n"
        "assert a.problems(a.parameters(**{**a.example, 'seconds': 901}), s)\n"
        "from tests.tools.test_catalogue import faults; assert faults(a) == []"
    ),
    "agent": "import agents.retrospective; from agents.prompting import load_prompt; load_prompt('retrospective')",
    "runbook": (
        "from memory.retrieval import RunbookIndex\n"
        "assert RunbookIndex.open().search('messages wait, consumers stopped')[0]['runbook'] == 'queue-grows'"
    ),
    "scenario": (
        "from simulator.scenario import read_scenario, scenario_names\n"
        "assert 'web-slow' in scenario_names() and 'web-latency' in [a.name for a in read_scenario('web-slow').alarms]"
    ),
}


def test_there_is_a_recipe_for_each_thing() -> None:
    assert {block.recipe for block in blocks()} == set(RECIPES) == set(CHECKS)


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_a_recipe_adds_is_there(followed: Path, recipe: str) -> None:
    where = (
        "import graphs; from pathlib import Path; assert Path(graphs.__file__).is_relative_to(Path.cwd())\n"
    )
    done = run(followed, "-c", where + CHECKS[recipe])
    assert done.returncode == 0, done.stderr


def test_the_tree_stands_with_all_recipes_followed(followed: Path) -> None:
    done = architecture(followed)
    assert done.returncode == 0, done.stdout[-3000:]


def test_recipes_are_written_as_the_house_writes(followed: Path) -> None:
    files = [block.file for block in blocks() if block.file.endswith(".py")]
    for rule in (["format", "--check"], ["check", "--no-cache"]):
        done = run(followed, "-m", "ruff", *rule, *sorted(set(files)))
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_forgotten_registration_is_noticed(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    for block in blocks():
        if block.verb == "file" and block.recipe in {"node", "read tool", "action"}:
            follow(tree, block)

    said = architecture(tree).stdout

    assert "test_every_node_file_is_wired_and_named_like_its_function[tag_owner]" in said
    assert "test_every_read_tool_file_is_in_the_catalogue[queue_depth]" in said
    assert "test_every_action_file_is_in_the_registry[sqs_visibility]" in said
