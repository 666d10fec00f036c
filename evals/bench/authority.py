"""Measure a policy decision, and the way from an approval to the call that changes something."""

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.account import Play, playing
from console.drive import PATIENCE, await_event
from console.session import Session, open_session
from evals.bench.machine import machine
from evals.bench.page import replaced
from evals.bench.run import PAGE
from graphs.bootstrap import set_up
from graphs.decision import pending_request
from graphs.principals import LocalIssuer
from graphs.settings import Settings, World, from_environment
from memory.records.config import Autonomy
from memory.records.incident import Severity, Status
from memory.records.plan import PlannedAction
from memory.records.scope import Principal, PrincipalKind, Role
from tools.actions.base import BlastRadius
from tools.actions.registry import ACTIONS
from tools.inspection import Inspection
from tools.policy import Circumstances, Policy

NAME = "authority"
DECISIONS = 5000
ROUNDS = 3
CHANGE = "UpdateService"
DECISION = "DECISION#"
LOOK_SECONDS = 0.01
READING_SECONDS = 2.0
WAIT_SECONDS = 120
HEADS = ("what", "measured", "p50", "p99", "most", "asked for")
CLI = [sys.executable, "-c", "import cli; cli.main()"]


def decisions(count: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of so many rulings, each on another action, share and severity; most ask twice.

    First by the clock, then of the processor: what else the machine does is in the first alone.
    """
    policy, took, worked = Policy.load(), [], []
    for number in range(count):
        action = ACTIONS[number % len(ACTIONS)]
        planned = PlannedAction(action=action.name, parameters=dict(action.example))
        looked = Inspection(
            planned=planned,
            action=action,
            params=action.parameters.model_validate(action.example),
            state={"found": True},
            fingerprint="f",
            blast=BlastRadius(text="some", share=number % 101 / 100),
            inverse={} if number % 3 else None,
        )
        severity = list(Severity)[number % len(Severity)]
        level = list(Autonomy)[number % len(Autonomy)]
        around = Circumstances("111122223333", severity, level, approvers=lambda _: 1)
        around = replace(around, kill_switch=number % 17 == 0, freeze=number % 11 == 0)
        began, work = time.perf_counter(), time.thread_time()
        policy.rule(looked, around)
        worked.append((time.thread_time() - work) * 1000)
        took.append((time.perf_counter() - began) * 1000)
    return took, worked


def at_the_prompt() -> float:
    """Return the seconds from a yes typed at the prompt of `cloudops approve ID` to the call.

    Whoever types it has read the plan for `READING_SECONDS`; the command loads the graph meanwhile.
    """
    with _waiting() as (_, incident_id, settings):
        mine, its = os.openpty()
        words = [*CLI, "approve", incident_id, "--no-wait"]
        process = subprocess.Popen(words, env=_environment(settings), stdin=its, stdout=its, stderr=its)
        os.close(its)
        shown = b""
        while b"[y/n]" not in shown:
            shown += os.read(mine, 4096)
        time.sleep(READING_SECONDS)

        def yes() -> "subprocess.Popen[Any]":
            os.write(mine, b"y\n")
            return process

        try:
            return _until_called(settings, yes).seconds
        finally:
            os.close(mine)


@dataclass(frozen=True)
class Typed:
    """The seconds to the call: from the start of a command of its own, and from the decision that it stores."""

    from_start: float
    from_decision: float


def by_a_command() -> Typed:
    """Measure one `cloudops approve ID --plan HASH`."""
    with _waiting() as (session, incident_id, settings):
        words = [*CLI, "approve", incident_id, "--plan", _plan_asked(session, incident_id), "--no-wait"]
        took = _until_called(
            settings, lambda: subprocess.Popen(words, env=_environment(settings), stdout=subprocess.DEVNULL)
        )
        if took.decided_at is None:
            raise RuntimeError("the command stored no decision before the call")
        return Typed(took.seconds, took.called_at - took.decided_at)


def over_http() -> float:
    """Return the seconds from a decision posted to `cloudops serve` to the call."""
    with _waiting() as (session, incident_id, settings), _served(settings) as url:
        person = Principal(kind=PrincipalKind.PERSON, id="ada", issuer="local", roles=(Role.APPROVER,))
        token = LocalIssuer.open(settings.state_dir).sign(person)
        words = [sys.executable, "-c", _POST, f"{url}/incidents/{incident_id}/decision", token]
        words.append(_plan_asked(session, incident_id))
        # Python's own start is taken off: the clock starts when the request is sent.
        return _until_called(
            settings, lambda: subprocess.Popen(words, stdout=subprocess.PIPE), starts_late=True
        ).seconds


_POST = """
import json, sys, time, urllib.request
body = json.dumps({"approved": True, "plan_hash": sys.argv[3], "reason": "measured"}).encode()
headers = {"Authorization": f"Bearer {sys.argv[2]}", "Content-Type": "application/json"}
request = urllib.request.Request(sys.argv[1], body, headers)
print(time.time(), flush=True)
urllib.request.urlopen(request, timeout=120).read()
"""


def _environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a command beside the account."""
    folder = settings.state_dir
    return {**os.environ, "CLOUDOPS_STATE_DIR": str(folder), "CLOUDOPS_OUT": str(folder / "out")}


@contextmanager
def _waiting() -> Iterator[tuple[Session, str, Settings]]:
    """An account of its own in which an incident waits for its approval."""
    with (
        tempfile.TemporaryDirectory(prefix="cloudops-bench-") as folder,
        playing(Play("bad-deployment"), Path(folder), keep=False),
    ):
        settings = from_environment(World.SIMULATED, Path(folder))
        set_up(settings)
        session = open_session(settings)
        started = session.runs.start(await_event(session.records, PATIENCE))
        incident_id = started.incident_id or ""
        record = session.records.incidents.record(incident_id)
        if record is None or record.status is not Status.AWAITING_APPROVAL:
            raise RuntimeError("the incident does not wait for an approval")
        yield session, incident_id, settings


def _plan_asked(session: Session, incident_id: str) -> str:
    return pending_request(session.records, incident_id).plan_hash


@contextmanager
def _served(settings: Settings) -> Iterator[str]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    words = [*CLI, "serve", "--port", str(port), "--no-queue"]
    silent = subprocess.DEVNULL
    server = subprocess.Popen(words, env=_environment(settings), stdout=silent, stderr=silent)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(lambda: _answers(f"{url}/healthz"))
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass(frozen=True)
class _Took:
    began_at: float
    decided_at: float | None
    """When the decision was first seen in the account's log of calls; None where it was not seen before the call."""
    called_at: float

    @property
    def seconds(self) -> float:
        return self.called_at - self.began_at


def _until_called(
    settings: Settings, start: Callable[[], "subprocess.Popen[Any]"], *, starts_late: bool = False
) -> _Took:
    """Start a process, and say when that was and when the account had seen the call."""
    url = f"{settings.connection.endpoint_url}/_sim/calls"
    before = len(_calls(f"{url}?after=0"))
    began, process = time.time(), start()
    if starts_late and process.stdout is not None:
        began = float(process.stdout.readline())
    decided: list[float] = []

    def called() -> bool:
        calls = _calls(f"{url}?after={before}")
        if not decided and any(_stores_a_decision(one) for one in calls):
            decided.append(time.time())
        return any(one["operation"] == CHANGE for one in calls)

    try:
        _wait_for(called)
        return _Took(began, decided[0] if decided else None, time.time())
    finally:
        process.wait(timeout=WAIT_SECONDS)


def _stores_a_decision(call: dict[str, Any]) -> bool:
    """Say whether a call is the transaction that takes the request and stores the decision on it."""
    return call["operation"] == "TransactWriteItems" and DECISION in json.dumps(call["parameters"])


def _calls(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(url, timeout=60) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["calls"]
        return found


def _wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not happened():
        if time.monotonic() > until:
            raise RuntimeError("it did not come to that")
        time.sleep(LOOK_SECONDS)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(ruled: dict[str, list[float]], ways: dict[str, list[float]]) -> str:
    """Return the results in Markdown."""
    lines = [f"| {' | '.join(HEADS)} |", "|---" * 2 + "|---:" * (len(HEADS) - 2) + "|"]
    for name, took in ruled.items():
        figures = f"{percentile(took, 0.5):.2f} ms | {percentile(took, 0.99):.2f} ms | {max(took):.2f} ms"
        lines.append(f"| {name} | {len(took)} rulings | {figures} | p99 at most 2 ms |")
    for name, took in ways.items():
        figures = f"{percentile(took, 0.5):.2f} s | {percentile(took, 0.99):.2f} s | {max(took):.2f} s"
        lines.append(f"| {name} | {len(took)} incidents | {figures} | under 1 s |")
    facts = "; ".join(f"{key}: {value}" for key, value in machine().items())
    return "\n".join([*lines, "", f"{datetime.now(UTC).date()}. {facts}."])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and set the page's table anew."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.authority", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"incidents of each way; {ROUNDS} without")
    parser.add_argument("--no-page", action="store_true", help="write nothing")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page to write")
    asked = parser.parse_args(arguments)
    measured = {
        "from a yes at the prompt of `cloudops approve` to the call": at_the_prompt,
        "from a decision posted to `cloudops serve` to the call": over_http,
    }
    by_the_clock, of_the_processor = decisions(DECISIONS)
    ruled = {
        "one policy decision": by_the_clock,
        "one policy decision, the processor's time": of_the_processor,
    }
    ways = {name: [measure() for _ in range(asked.rounds)] for name, measure in measured.items()}
    typed = [by_a_command() for _ in range(asked.rounds)]
    ways["from the decision that `cloudops approve --plan` stores to the call"] = [
        one.from_decision for one in typed
    ]
    ways["`cloudops approve --plan`, to the call, with the process's start"] = [
        one.from_start for one in typed
    ]
    text = table(ruled, ways)
    sys.stdout.write(f"{text}\n")
    if not asked.no_page:
        asked.page.write_text(replaced(asked.page.read_text(encoding="utf-8"), NAME, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
