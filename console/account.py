"""The simulated account: started, asked and ended as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from tools.errors import Misconfigured, Transient

START_SECONDS = 60.0
# A long history takes a while to write down.
STOP_SECONDS = 60.0
ASK_SECONDS = 120.0
LOG = "simulator.log"
KEPT = "account.json"


@dataclass(frozen=True)
class Play:
    """Which scenario an account plays, and how; kept, its state outlives its process and can be resumed."""

    scenario: str
    scenarios: Path | None = None
    seed: int | None = None
    pace: float = 0.0
    keep: bool = False
    resume: bool = False


@dataclass(frozen=True)
class Account:
    """A simulated account that runs now, as it left its address."""

    endpoint: str
    clock_url: str
    pid: int
    scenario: str
    state_dir: Path
    environment: Mapping[str, str]

    def status(self) -> dict[str, Any]:
        """Ask the account what it plays and what time it has."""
        return self._ask("GET", "status")

    def pace(self, seconds_per_second: float) -> None:
        """Let the account's clock run by itself, or stand with 0."""
        self._ask("POST", "clock", {"pace": seconds_per_second})

    def calls(self, question: Mapping[str, str | float]) -> dict[str, Any]:
        """Ask for the calls that came in, and the number to ask after the next time."""
        return self._ask("GET", f"calls?{urlencode(question)}")

    def pulse(self, minutes: int) -> dict[str, Any]:
        """Ask how the services did in the last minutes."""
        return self._ask("GET", f"pulse?minutes={minutes}")

    def inject(self, scenario: str, folder: Path | None) -> dict[str, Any]:
        """Lay a scenario over the account, from now on."""
        where = str(folder.resolve()) if folder else None
        return self._ask("POST", "inject", {"scenario": scenario, "scenarios_dir": where})

    def reset(self) -> dict[str, Any]:
        """Put everything back to where the account began."""
        return self._ask("POST", "reset")

    def faults(self) -> list[dict[str, Any]]:
        """Ask which faults are in force."""
        found: list[dict[str, Any]] = self._ask("GET", "faults")["faults"]
        return found

    def order_fault(self, fault: Mapping[str, Any]) -> dict[str, Any]:
        """Put a fault in force."""
        ordered: dict[str, Any] = self._ask("POST", "faults", [dict(fault)])["faults"][0]
        return ordered

    def lift_faults(self, id_: str | None) -> int:
        """Lift one fault, or all of them, and return how many those were."""
        return int(self._ask("DELETE", f"faults?{urlencode({'id': id_})}" if id_ else "faults")["lifted"])

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        url = f"{self.endpoint}/_sim/{path}"
        try:
            answer = httpx.request(method, url, json=body, timeout=ASK_SECONDS, trust_env=False)
            if answer.status_code == httpx.codes.BAD_REQUEST:
                raise Misconfigured(str(answer.json()["error"]))
            answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(f"the simulated account at {self.endpoint} does not answer: {error}") from error
        answered: dict[str, Any] = answer.json()
        return answered


def running(state_dir: Path) -> Account | None:
    """Return the account whose address stands in a state directory, if its process runs."""
    path = state_dir / "local.json"
    try:
        facts = json.loads(path.read_text())
        pid = int(facts["pid"])
        os.kill(pid, 0)
        return Account(
            facts["endpoint"], facts["clock"], pid, facts["scenario"], state_dir, _environment(facts)
        )
    except (FileNotFoundError, ProcessLookupError):
        return None
    except (ValueError, KeyError) as error:
        raise Misconfigured(f"{path} is not what a simulated account writes; remove it") from error


def _environment(facts: Mapping[str, Any]) -> dict[str, str]:
    """What AWS's own tools read, so that they find the account, as its root: no policy holds a person back."""
    return {
        "AWS_ENDPOINT_URL": facts["endpoint"],
        "AWS_ACCESS_KEY_ID": facts["root_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": facts["root_secret_access_key"],
        "AWS_REGION": facts["region"],
        "AWS_DEFAULT_REGION": facts["region"],
        # Names like sync-states.127.0.0.1 lead nowhere.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


def start(play: Play, state_dir: Path, parent: int | None = None) -> Account:
    """Start an account and return once it answers; with a parent it ends when that process does."""
    standing = running(state_dir)
    if standing is not None:
        raise Misconfigured(
            f"an account that plays {standing.scenario} runs already: `cloudops sim down` ends it"
        )
    state_dir.mkdir(parents=True, exist_ok=True)
    log = state_dir / LOG
    with log.open("wb") as out:
        # A session of its own: Ctrl-C reaches the copilot, which then ends the account in order.
        process = subprocess.Popen(
            _command(play, state_dir, parent), stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        return _ready(process, state_dir, log)
    except BaseException:
        # Whatever cuts the wait short, Ctrl-C included, must not leave the account running; nothing is swallowed.
        _end(process.pid, process)
        raise


def _command(play: Play, state_dir: Path, parent: int | None) -> list[str]:
    begins = ["--resume"] if play.resume else ["--scenario", play.scenario]
    command = [sys.executable, "-m", "simulator", *begins, "--state-dir", str(state_dir)]
    if play.keep:
        command.append("--keep")
    if play.scenarios is not None:
        command += ["--scenarios", str(play.scenarios)]
    if play.seed is not None:
        command += ["--seed", str(play.seed)]
    if play.pace:
        command += ["--pace", str(play.pace)]
    if parent is not None:
        command += ["--parent-pid", str(parent)]
    return command


def _ready(process: "subprocess.Popen[bytes]", state_dir: Path, log: Path) -> Account:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        account = running(state_dir)
        if account is not None and account.pid == process.pid:
            return account
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()[-5:]
            raise Misconfigured("the simulated account did not start: " + " / ".join(said))
        time.sleep(0.05)
    raise Transient(f"the simulated account was not ready within {START_SECONDS:.0f} s; see {log}")


def stop(account: Account) -> None:
    """End an account, asked first whether the process with its id is this account at all."""
    if int(account.status()["pid"]) != account.pid:
        raise Misconfigured(f"{account.endpoint} is not the account of process {account.pid}; nothing ended")
    _end(account.pid, None)


def _end(pid: int, process: "subprocess.Popen[bytes] | None") -> None:
    for wish in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, wish)
        except ProcessLookupError:
            return
        give_up = time.monotonic() + STOP_SECONDS
        while time.monotonic() < give_up:
            if process.poll() is not None if process else not is_alive(pid):
                return
            time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; a child of ours that has ended is reaped on the way."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def playing(play: Play, state_dir: Path, *, keep: bool) -> Iterator[Account]:
    """Give an account for as long as the block runs; kept, it goes on until `cloudops sim down`."""
    account = start(replace(play, keep=keep or play.keep), state_dir, None if keep else os.getpid())
    try:
        yield account
    finally:
        if not keep:
            _end(account.pid, None)
