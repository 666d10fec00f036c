"""The README's commands, run as they are pasted."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.simulated import ROOT
from tests.test_recipes import copy_of_the_tree
from tests.web.door import until
from tests.web.test_langgraph_dev import free_port

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
FIRST, DEV, CURL, SDK, SERVE, ASK = range(6)
READY_SECONDS = 120


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that was set up: nothing in it is newer than its set-up, so make does not repeat that."""
    copy_of_the_tree(tmp_path)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    for file in tmp_path.rglob("*"):
        os.utime(file, (0, 0))
    (tmp_path / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CLOUDOPS_", "MAKE"))}
    return {**own, "PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1"}


def pasted(folder: Path, text: str, seconds: float = 120) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@contextmanager
def kept_running(folder: Path, text: str, url: str) -> Iterator[None]:
    """A command that serves, in a terminal of its own, until Ctrl-C."""
    log = folder / "served.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["bash", "-c", text],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            return httpx.get(f"{url}/healthz", timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        until(answers, READY_SECONDS)
        yield
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def on_port(text: str, named: int, port: int) -> str:
    """The README's words with another port than the one it names, which may be in use on this machine."""
    return text.replace(str(named), str(port))


def test_the_readme_has_the_blocks_that_are_run_here() -> None:
    kinds = [kind for kind, _ in blocks()]
    assert kinds == ["sh", "sh", "sh", "python", "sh", "sh"]
    assert blocks()[FIRST][1] == "make demo\nmake test\n"


def test_make_demo_runs_without_a_terminal(checkout: Path) -> None:
    told = pasted(checkout, blocks()[FIRST][1].splitlines()[0], 170)
    assert "no one was there to approve" in told
    assert len(list(checkout.glob("out/*/report.html"))) == 1
    assert len(list(checkout.glob("out/*/incident.json"))) == 1


def test_the_development_server_answers_as_the_readme_says(checkout: Path) -> None:
    port = free_port()
    given = [(kind, on_port(text, 2024, port)) for kind, text in blocks()]
    assert given[DEV][1] == "make dev\n"
    with kept_running(checkout, f"make dev PORT={port}", f"http://127.0.0.1:{port}"):
        answered = pasted(checkout, given[CURL][1])
        opened = re.search(r'"incident_id":"([0-9a-f-]{36})","outcome":"opened"', answered)
        assert opened is not None, answered
        listed = answered[opened.end() :]
        assert opened[1] in listed
        (checkout / "snippet.py").write_text(given[SDK][1], encoding="utf-8")
        asked = given[CURL][1].splitlines()[0] + "\nexport TOKEN\n.venv/bin/python snippet.py"
        assert opened[1] in pasted(checkout, asked)
    assert not (checkout / ".cloudops" / "local.json").exists()


def test_a_taken_port_is_said_before_anything_starts(checkout: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            ["make", "dev", f"PORT={port}"],
            cwd=checkout,
            env=environment(checkout),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    assert f"port {port} is taken; name another with: make dev PORT={port + 1}" in done.stderr
    assert not (checkout / ".cloudops").exists()


def test_the_server_alone_takes_the_alarm_from_the_queue(checkout: Path) -> None:
    port = free_port()
    given = [(kind, on_port(text, 8000, port)) for kind, text in blocks()]
    try:
        with kept_running(checkout, given[SERVE][1], f"http://127.0.0.1:{port}"):
            listed = pasted(checkout, given[ASK][1])
            assert '"checkout-5xx"' in listed
            assert re.search(r'"status":"(open|awaiting_approval)"', listed), listed
    finally:
        pasted(checkout, ".venv/bin/cloudops sim down")
