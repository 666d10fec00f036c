"""Which commands the documents show; README's own are run in test_readme.py."""

import re

from tests.console.test_help import commands
from tests.simulated import ROOT
from tests.test_readme import BLOCK

SHELL = {"sh", "bash", "console"}


def blocks(document: str) -> list[str]:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return [block for kind, block in BLOCK.findall(text) if kind in SHELL]


def test_every_document_with_commands_has_them_run() -> None:
    """By tests/console/test_sim_commands.py; a further document needs a test that runs its own."""
    told = {path.name for path in (ROOT / "docs").glob("*.md") if blocks(path.name)}
    assert told == {"simulator.md"}


def test_the_readme_names_every_command() -> None:
    rows = [row for row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if row[:1] == "|"]
    for path, _ in commands():
        group, name = path[0], path[1] if path[1:] else path[0]
        named = [
            row for row in rows if f"`cloudops {group}" in row and re.search(rf"\b{re.escape(name)}\b", row)
        ]
        assert named, f"README's table of commands has no {' '.join(path)}"
