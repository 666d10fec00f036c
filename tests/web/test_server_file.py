"""server.py and langgraph.json as files: what they name exists, and importing opens nothing."""

import json
import subprocess
import sys
from pathlib import Path

from tests.simulated import ROOT

SAYS = """
import socket, sys
def refuse(*args, **kwargs): raise SystemExit("a connection was opened at import")
socket.socket.connect = refuse
import server
print(type(server.app).__name__, type(server.auth).__name__, callable(server.checkpointer))
"""


def test_importing_the_server_opens_nothing(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{SAYS}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["Starlette", "Auth", "True"], done.stderr
    assert list(tmp_path.iterdir()) == []


def test_langgraph_json_names_files_that_stand_and_no_secret() -> None:
    config = json.loads((ROOT / "langgraph.json").read_text())
    paths = [*config["graphs"].values(), config["checkpointer"]["path"], config["auth"]["path"]]
    for path in [*paths, config["http"]["app"]]:
        assert (ROOT / path.split(":")[0]).is_file(), path
    assert config["env"] == {}
    closed = ("disable_mcp", "disable_a2a", "disable_store", "disable_webhooks")
    assert all(config["http"][one] for one in closed)


def test_the_langgraph_tool_accepts_the_configuration() -> None:
    tool = Path(sys.executable).with_name("langgraph")
    done = subprocess.run([str(tool), "validate"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
