"""Simulated accounts for tests: each a child process of its own, spoken to with real boto3."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

ROOT = Path(__file__).parent.parent
START = "2026-11-23T09:00:00Z"
READY_SECONDS = 60


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str


class SimulatedAccount:
    """A running account. `local` is what its local.json says."""

    def __init__(self, process: "subprocess.Popen[str]", state_dir: Path) -> None:
        self.process = process
        self.state_dir = state_dir
        self.local: dict[str, Any] = json.loads((state_dir / "local.json").read_text())
        self.endpoint: str = self.local["endpoint"]
        self.credentials = Credentials(self.local["access_key_id"], self.local["secret_access_key"])
        self.root = Credentials(self.local["root_access_key_id"], self.local["root_secret_access_key"])
        self.client = cache(self._client)
        self._http = httpx.Client(base_url=self.endpoint, timeout=120)

    def _client(self, service: str) -> Any:
        """The root's client, which no policy holds back."""
        return self.client_of(service, self.root)

    def client_of(self, service: str, who: Credentials, token: str | None = None) -> Any:
        """A boto3 client that does not retry, so that a test sees what it is answered."""
        return boto_session().client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.local["region"],
            aws_access_key_id=who.access_key_id,
            aws_secret_access_key=who.secret_access_key,
            aws_session_token=token,
            config=Config(
                retries={"total_max_attempts": 1},
                inject_host_prefix=False,
                s3={"addressing_style": "path"},
            ),
        )

    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("GET", "clock")["now"])

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0) -> datetime:
        span = timedelta(seconds=seconds, minutes=minutes, hours=hours)
        answer = self.control("POST", "clock", {"advance_seconds": span.total_seconds()})
        return datetime.fromisoformat(answer["now"])

    def calls(self, operation: str | None = None, *, after: int = 0) -> list[dict[str, Any]]:
        found = self.control("GET", f"calls?after={after}")["calls"]
        return [one for one in found if operation in (None, one["operation"])]

    def faults(self, orders: list[dict[str, Any]]) -> None:
        self.control("POST", "faults", orders)

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        response = self._http.request(method, f"/_sim/{path}", json=body)
        if response.status_code != 200:
            raise ControlRefusedError(response.status_code, response.json()["error"])
        return response.json()

    def alarm(self, name: str) -> dict[str, Any]:
        return self.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    def advance_until(self, alarm: str, state: str, *, minutes: int) -> float:
        """Advance minute by minute until the alarm is in the state; the minutes that took."""
        for passed in range(minutes + 1):
            if self.alarm(alarm)["StateValue"] == state:
                return passed
            self.advance(60)
        raise AssertionError(f"{alarm} is not {state} after {minutes} minutes: {self.alarm(alarm)}")

    def end(self) -> None:
        self._http.close()
        self.process.terminate()
        self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()


@cache
def boto_session() -> boto3.Session:
    """One session for all tests: it reads each service's model once."""
    return boto3.Session(region_name="us-east-1")


class ControlRefusedError(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status
        self.error = error


StartAccount = Callable[..., SimulatedAccount]


def started_account(
    state_dir: Path,
    scenario: str = "bad-deployment",
    *,
    seed: int = 1,
    start: str = START,
    scenarios_dir: Path | None = None,
    history_hours: float = 1.0,
    parent_pid: int | None = None,
) -> SimulatedAccount:
    """Start an account and wait until it is ready. It ends with this process at the latest."""
    command = [sys.executable, "-m", "simulator", "--scenario", scenario, "--seed", str(seed)]
    command += ["--start", start, "--history-hours", str(history_hours), "--state-dir", str(state_dir)]
    command += ["--parent-pid", str(parent_pid or os.getpid())]
    if scenarios_dir is not None:
        command += ["--scenarios", str(scenarios_dir)]
    errors = state_dir / "stderr.txt"
    state_dir.mkdir(parents=True, exist_ok=True)
    with errors.open("w") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    deadline = time.monotonic() + READY_SECONDS
    line = process.stdout.readline()
    if not line.startswith("ready ") or time.monotonic() > deadline:
        process.kill()
        process.wait()
        raise AssertionError(f"no account: {line}{errors.read_text()}")
    return SimulatedAccount(process, state_dir)


@contextmanager
def opened(state_dir: Path, *how: str, keep: bool = False) -> Iterator[SimulatedAccount]:
    """An account of that folder, a fresh one or one that was kept: told to end with the block, and it ends well."""
    state_dir.mkdir(parents=True, exist_ok=True)
    words = ["--keep"] if keep else []
    command = [sys.executable, "-m", "simulator", *how, "--state-dir", str(state_dir), *words]
    with (state_dir / "stderr.txt").open("w") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready "), (state_dir / "stderr.txt").read_text()
    try:
        yield SimulatedAccount(process, state_dir)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, (state_dir / "stderr.txt").read_text()
        process.stdout.close()


@contextmanager
def accounts() -> Iterator[StartAccount]:
    """A factory of accounts that all end with the block."""
    running: list[SimulatedAccount] = []
    with tempfile.TemporaryDirectory(prefix="simulated-") as folder:

        def start(scenario: str = "bad-deployment", **options: Any) -> SimulatedAccount:
            account = started_account(Path(folder) / str(len(running)), scenario, **options)
            running.append(account)
            return account

        try:
            yield start
        finally:
            for account in running:
                account.process.terminate()
            for account in running:
                account.end()


@pytest.fixture
def simulated_account() -> Iterator[StartAccount]:
    """A factory of accounts for one test."""
    with accounts() as start:
        yield start


@pytest.fixture(scope="session")
def shared_accounts() -> Iterator[Callable[..., SimulatedAccount]]:
    """Accounts that tests share: one for each scenario, never reset. Leave others' things alone."""
    with accounts() as start:
        yield cache(start)
