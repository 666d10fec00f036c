"""The documents' commands, run as they are pasted; README's own are run in test_readme.py."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.test_help import commands
from tests.simulated import ROOT
from tests.test_readme import BLOCK

SECONDS = 170
SHELL = {"sh", "bash", "console"}


def blocks(document: str) -> list[str]:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return [block for kind, block in BLOCK.findall(text) if kind in SHELL]


def test_every_document_with_commands_has_them_run_here() -> None:
    told = {path.name for path in (ROOT / "docs").glob("*.md") if blocks(path.name)}
    assert told == {"simulator.md"}


@pytest.mark.slow
def test_the_simulated_accounts_commands_do_what_they_say(tmp_path: Path) -> None:
    """One account goes through all blocks, in the order of the page."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CLOUDOPS_", "AWS_"))}
    environment = {
        **own,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CLOUDOPS_STATE_DIR": str(tmp_path / "state"),
    }
    script = "\n".join(["set -euo pipefail", "trap 'cloudops sim down' EXIT", *blocks("simulator.md")])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "false-alarm" in done.stdout
    assert re.search(r"ecs:UpdateService\s", done.stdout)
    assert "throttle" in done.stdout.split("ecs:UpdateService")[-1]
    assert done.stdout.splitlines()[-1].startswith("ended process")


def test_the_readme_names_every_command() -> None:
    rows = [row for row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if row[:1] == "|"]
    for path, _ in commands():
        group, name = path[0], path[1] if path[1:] else path[0]
        named = [
            row for row in rows if f"`cloudops {group}" in row and re.search(rf"\b{re.escape(name)}\b", row)
        ]
        assert named, f"README's table of commands has no {' '.join(path)}"
