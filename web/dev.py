"""`make dev`: the simulated account and the LangGraph development server, side by side until Ctrl-C."""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from graphs.bootstrap import set_up
from graphs.settings import World, from_environment

HOST = "127.0.0.1"
STUDIO = "https://smith.langchain.com/studio/?baseUrl="
END_SECONDS = 15.0
KEPT = Path(".langgraph_api")
QUIET = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGGRAPH_NO_VERSION_CHECK": "true"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Start both, wait until one ends or somebody says stop, and end both."""
    asked = _parser().parse_args(arguments)
    if not _is_free(asked.port):
        raise SystemExit(f"port {asked.port} is taken; name another with: make dev PORT={asked.port + 1}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    running: list[subprocess.Popen[bytes]] = []
    try:
        running.append(_account(asked.scenario, asked.pace))
        set_up(from_environment(World.SIMULATED))
        running.append(_server(asked.port))
        _say(asked.port)
        while all(process.poll() is None for process in running):
            time.sleep(0.2)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        for process in reversed(running):
            end(process)


def end(process: "subprocess.Popen[bytes]", seconds: float = END_SECONDS) -> None:
    """End a process and what it started: asked first, made to when it does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(seconds)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _is_free(port: int) -> bool:
    """Say whether the server could listen there now, before anything has been started."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, port))
        except OSError:
            return False
    return True


def _account(scenario: str, pace: float) -> "subprocess.Popen[bytes]":
    """Start the account and return once it says that it is ready."""
    command = [sys.executable, "-m", "simulator", "--scenario", scenario, "--pace", str(pace)]
    command += ["--state-dir", os.environ.get("CLOUDOPS_STATE_DIR", ".cloudops")]
    command += ["--parent-pid", str(os.getpid())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    line = process.stdout.readline() if process.stdout else b""
    if not line.startswith(b"ready "):
        end(process)
        raise SystemExit("the simulated account did not start; its reason is above")
    return process


def _server(port: int) -> "subprocess.Popen[bytes]":
    """Start the server without what an earlier one kept.

    A server that was killed would leave its runs to this one, to do again from their input on, in an account
    that has gone. What counts is in the account's own tables.
    """
    shutil.rmtree(KEPT, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser"]
    command += ["--host", HOST, "--port", str(port), "--n-jobs-per-worker", "10"]
    own = {"CLOUDOPS_WORLD": World.SIMULATED.value, "CLOUDOPS_RUNS_URL": f"http://{HOST}:{port}"}
    return subprocess.Popen(command, env={**os.environ, **QUIET, **own}, start_new_session=True)


def _say(port: int) -> None:
    url = f"http://{HOST}:{port}"
    lines = [f"server   {url}", f"health   {url}/healthz", f"studio   {STUDIO}{url}", "Ctrl-C ends both."]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _stop(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m web.dev", description=__doc__)
    parser.add_argument("--scenario", default="bad-deployment", help="what happens in the account")
    parser.add_argument("--pace", type=float, default=1.0, help="account seconds a second")
    parser.add_argument("--port", type=int, default=2024, help="of the LangGraph server")
    return parser


if __name__ == "__main__":
    sys.exit(main())
