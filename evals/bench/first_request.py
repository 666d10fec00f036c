"""What an incident's first model request holds, in tokens, beside HolmesGPT's: both counted by one tokenizer.

HolmesGPT is installed from the package index into a virtual environment of its own and asked about the same alarm. Its
request goes to a recorder on loopback that speaks OpenAI's chat completions, and to nobody else. Ours is read from the
simulated account's own log of calls. The tokenizer is OpenAI's o200k_base by `tiktoken`, whose vocabulary comes inside
the package `litellm` that HolmesGPT brings, so nothing is fetched.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from evals.bench.machine import machine
from evals.bench.page import replaced
from evals.bench.run import PAGE
from evals.drive import Trial, play

NAME = "first-request"
PEER = "holmesgpt==0.45.0"
FOLDER = Path("out") / "bench" / "holmesgpt-0.45.0"
SCENARIO = "bad-deployment"
INSTALL_SECONDS, ASK_SECONDS = 1200.0, 300.0
ENCODING = "o200k_base"
PARTS = ("instructions", "tools", "form of the answer", "question")
# Reads texts as a JSON list and writes how many tokens each has. Run by the peer's own Python.
COUNTING = f"""
import json, os, sys, pathlib, litellm
os.environ["TIKTOKEN_CACHE_DIR"] = str(pathlib.Path(litellm.__file__).parent / "litellm_core_utils" / "tokenizers")
import tiktoken
encoding = tiktoken.get_encoding("{ENCODING}")
print(json.dumps([len(encoding.encode(text, disallowed_special=())) for text in json.load(sys.stdin)]))
"""


class PeerFailed(Exception):
    """The peer could not be installed or asked; the message says what it said."""


@dataclass(frozen=True)
class FirstRequest:
    """The texts of a first request, part by part, how many tools it offers, and what stands behind them."""

    name: str
    parts: Mapping[str, str]
    tools: int
    toolsets: tuple[str, ...] = ()


def ours(scenario: str = SCENARIO) -> tuple[FirstRequest, str]:
    """Play a scenario; return the first request that a model was sent, and the alarm's words."""
    outcome = play(Trial(scenario))
    asked = next((one for one in outcome.calls if one["operation"] == "Converse"), None)
    if asked is None or outcome.record is None:
        raise PeerFailed(f"no model was asked in {scenario}")
    body = asked["parameters"]
    tools = [one["toolSpec"] for one in body.get("toolConfig", {}).get("tools", []) if "toolSpec" in one]
    parts = {
        "instructions": _texts(body["system"]),
        "tools": json.dumps(tools),
        "form of the answer": json.dumps(body.get("outputConfig", {})),
        "question": "\n".join(_texts(message["content"]) for message in body["messages"]),
    }
    alarm = outcome.record.incident.alarm
    words = (
        f"The CloudWatch alarm {alarm.name} went off at {alarm.changed_at.isoformat()}: {alarm.reason} Why?"
    )
    return FirstRequest("CloudOps Copilot, triage", parts, len(tools)), words


def holmes(question: str, folder: Path = FOLDER) -> FirstRequest:
    """Ask HolmesGPT as it comes, and return what it sent first, with the toolsets that it found enabled here."""
    python = _installed(folder)
    with tempfile.TemporaryDirectory(prefix="holmes-home-") as home, recorder() as (port, bodies):
        environment = {
            "HOME": home,
            "PATH": f"{python.parent}:/usr/bin:/bin",
            "OPENAI_API_KEY": "local",
            "OPENAI_API_BASE": f"http://127.0.0.1:{port}/v1",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        command = [
            str(python.with_name("holmes")),
            "ask",
            question,
            "--model",
            "openai/gpt-4.1",
            "--no-interactive",
        ]
        said = _run(command, ASK_SECONDS, env=environment)
        if not bodies:
            raise PeerFailed(f"HolmesGPT sent no request: {said[-500:]}")
        status = json.loads((Path(home) / ".holmes" / "toolsets_status.json").read_text(encoding="utf-8"))
    body, tools = bodies[0], bodies[0].get("tools", [])
    roles = {"system": "instructions", "user": "question"}
    parts = dict.fromkeys(PARTS, "")
    for message in body["messages"]:
        parts[roles[message["role"]]] += _texts(message["content"])
    parts["tools"] = json.dumps(tools)
    enabled = tuple(sorted(one["name"] for one in status if one.get("status") == "enabled"))
    return FirstRequest(f"HolmesGPT {PEER.partition('==')[2]}", parts, len(tools), enabled)


def counted(requests: Sequence[FirstRequest], folder: Path = FOLDER) -> list[dict[str, int]]:
    """Return the tokens of each part of each request, by the one tokenizer."""
    texts = [one.parts.get(part, "") for one in requests for part in PARTS]
    said = _run([str(_installed(folder)), "-c", COUNTING], ASK_SECONDS, json.dumps(texts))
    counts = iter(json.loads(said.splitlines()[-1]))
    return [{part: next(counts) for part in PARTS} for _ in requests]


def table(requests: Sequence[FirstRequest], tokens: Sequence[Mapping[str, int]]) -> str:
    """Return the comparison in Markdown."""
    heads = ("first model request", "tools", *(f"tokens: {part}" for part in PARTS), "tokens in all")
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for one, count in zip(requests, tokens, strict=True):
        cells = (one.name, one.tools, *(count[part] for part in PARTS), sum(count.values()))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    enabled = [
        f"{one.name} had these toolsets enabled: {', '.join(one.toolsets)}."
        for one in requests
        if one.toolsets
    ]
    return "\n".join([*lines, "", *enabled])


def _installed(folder: Path) -> Path:
    """Return the Python of the peer's own environment; it is made once."""
    python = folder.resolve() / "bin" / "python"
    if not python.with_name("holmes").is_file():
        venv.EnvBuilder(with_pip=True, clear=True).create(folder)
        _run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER],
            INSTALL_SECONDS,
        )
    return python


def _run(
    command: Sequence[str], seconds: float, given: str = "", env: Mapping[str, str] | None = None
) -> str:
    try:
        done = subprocess.run(
            command, input=given, env=env, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerFailed(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise PeerFailed(
            f"{' '.join(command[:4])} ended with {done.returncode}: {(done.stderr or done.stdout)[-500:]}"
        )
    return done.stdout


@contextmanager
def recorder() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Answer chat completions on loopback with one word, and keep what was sent."""
    bodies: list[dict[str, Any]] = []

    class Recording(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            answer = json.dumps(_completion()).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the terminal is the benchmark's."""

    server = HTTPServer(("127.0.0.1", 0), Recording)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, bodies
    finally:
        server.shutdown()
        server.server_close()


def _completion() -> dict[str, Any]:
    """Return an answer of OpenAI's chat completions that ends the conversation."""
    message = {"role": "assistant", "content": "unknown"}
    return {
        "id": "recorded",
        "object": "chat.completion",
        "created": 0,
        "model": "recorder",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _texts(content: Any) -> str:
    """Return the text of Converse's or OpenAI's content blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(str(block["text"]) for block in content if "text" in block)


def main(arguments: Sequence[str] | None = None) -> int:
    """Capture both requests, count them, and set the page's table anew."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.first_request", description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page to write")
    asked = parser.parse_args(arguments)
    try:
        own, question = ours()
        requests = (own, holmes(question))
        text = table(requests, counted(requests))
    except PeerFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    facts = "; ".join(f"{name}: {value}" for name, value in machine().items())
    text += (
        f"\n\n{datetime.now(UTC).date()}, counted by tiktoken's `{ENCODING}`, scenario {SCENARIO}. {facts}."
    )
    sys.stdout.write(f"{text}\n")
    asked.page.write_text(replaced(asked.page.read_text(encoding="utf-8"), NAME, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
