"""Measure the simulated account: how long it takes to be ready, and how much memory it holds over many runs."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import httpx

from evals.bench.machine import machine
from evals.bench.page import replaced
from evals.bench.run import PAGE
from simulator.scenario import scenario_names

NAME = "account"
RUNS = 30
ROUNDS = 5
MINUTES_A_RUN = 30
MOST_MIB, MOST_GROWTH = 400, 0.10
LIMITS = {0.0: 2.0, 24.0: 5.0}
"""Seconds from start to ready at most, by the hours of history."""
INJECTED = ("bad-deployment", "memory-leak", "dependency-outage", "false-alarm", "hidden-cause")
GROUPS = ("web", "checkout", "payments", "inventory")
_HEADS = ("start to ready", "median s", "least s", "least CPU s", "at most s", "held")


@dataclass(frozen=True)
class Start:
    """One start: seconds of the wall and of processors until the account said that it was ready."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Running:
    """An account in a process of its own."""

    process: "subprocess.Popen[str]"
    local: dict[str, Any]
    start: Start

    @property
    def memory_mib(self) -> float:
        """The memory that the process holds now."""
        return _status(self.process.pid, "VmRSS")

    @property
    def most_memory_mib(self) -> float:
        """The most memory that the process has held."""
        return _status(self.process.pid, "VmHWM")

    def control(self, path: str, body: Any) -> None:
        """Order something of the account's control plane."""
        answer = httpx.post(f"{self.local['endpoint']}/_sim/{path}", json=body, timeout=120)
        answer.raise_for_status()

    def client(self, service: str) -> Any:
        """A client of the account's root."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # The stubs know literal names only.
            endpoint_url=self.local["endpoint"],
            region_name=self.local["region"],
            aws_access_key_id=self.local["root_access_key_id"],
            aws_secret_access_key=self.local["root_secret_access_key"],
        )


@contextmanager
def running(scenario: str, history_hours: float) -> Iterator[Running]:
    """An account that ends with the block, and what its start took."""
    with tempfile.TemporaryDirectory(prefix="bench-account-") as folder:
        command = [sys.executable, "-m", "simulator", "--scenario", scenario, "--seed", "1"]
        command += ["--state-dir", folder, "--history-hours", str(history_hours)]
        command += ["--parent-pid", str(os.getpid())]
        begun = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            start = Start(time.perf_counter() - begun, _cpu_seconds(process.pid))
            if not line.startswith("ready "):
                raise RuntimeError(f"the account did not start: {line}")
            try:
                local = json.loads((Path(folder) / "local.json").read_text(encoding="utf-8"))
                yield Running(process, local, start)
            finally:
                process.terminate()
                process.wait(timeout=30)


def starts(history_hours: float, rounds: int) -> list[Start]:
    """Start an account so many times, after one start that is not counted."""
    found = []
    for turn in range(rounds + 1):
        with running("bad-deployment", history_hours) as account:
            if turn:
                found.append(account.start)
    return found


@dataclass(frozen=True)
class Held:
    """What one account's process held after each of its runs."""

    memory_mib: tuple[float, ...]
    most_mib: float
    calls: int

    @property
    def growth(self) -> float:
        """How much more the process holds at the end than after its first run, as a share."""
        return self.memory_mib[-1] / self.memory_mib[0] - 1


def runs(count: int, history_hours: float) -> Held:
    """Play so many scenarios one after the other in one process, each asked what an incident asks."""
    names = scenario_names()
    with running(names[0], history_hours) as account:
        held, calls = [], 0
        for number in range(count):
            account.control("reset", {})
            # Every other run has a scenario laid over it, where it can be: others need an account of their own.
            if number % 2:
                account.control("inject", {"scenario": INJECTED[number // 2 % len(INJECTED)]})
            for _ in range(MINUTES_A_RUN):
                account.control("clock", {"advance_seconds": 60})
            calls += _ask(account)
            held.append(account.memory_mib)
        return Held(tuple(held), account.most_memory_mib, calls)


def _ask(account: Running) -> int:
    """Ask what an incident asks, and return how many calls that were."""
    now = httpx.get(f"{account.local['endpoint']}/_sim/clock", timeout=30).json()["now"]
    until = datetime.fromisoformat(now)
    metrics, logs, calls = account.client("cloudwatch"), account.client("logs"), 0
    for service in GROUPS:
        metric = {
            "Namespace": "Storefront",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "Service", "Value": service}],
        }
        queries = [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]
        metrics.get_metric_data(MetricDataQueries=queries, StartTime=until.timestamp() - 7200, EndTime=until)
        query = logs.start_query(
            logGroupName=f"/ecs/storefront/{service}",
            startTime=int(until.timestamp()) - 7200,
            endTime=int(until.timestamp()),
            queryString="filter @message like /error|ERROR/ | stats count(*) by bin(1m)",
        )["queryId"]
        while logs.get_query_results(queryId=query)["status"] not in ("Complete", "Failed"):
            calls += 1
        calls += 3
    metrics.describe_alarms()
    account.client("cloudtrail").lookup_events(MaxResults=50)
    account.client("ecs").describe_services(cluster="storefront", services=list(GROUPS))
    return calls + 3


def _status(pid: int, name: str) -> float:
    """A line of what Linux says of a process's memory, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _cpu_seconds(pid: int) -> float:
    """The processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def written(found: dict[float, list[Start]], held: Held, history_hours: float) -> str:
    """Return both tables in Markdown: what was measured, what it may be at most, and whether that is held."""
    rows = [f"| {' | '.join(_HEADS)} |", "|---" + "|---:" * (len(_HEADS) - 1) + "|"]
    for hours, timed in found.items():
        name = f"with {hours:g} h of history" if hours else "empty"
        seconds = median(one.seconds for one in timed)
        least, cpu = min(one.seconds for one in timed), min(one.cpu_seconds for one in timed)
        is_held = "yes" if seconds <= LIMITS[hours] else "no"
        figures = f"{seconds:.2f} | {least:.2f} | {cpu:.2f} | {LIMITS[hours]:g} | {is_held}"
        rows.append(f"| {name} | {figures} |")
    first, last = held.memory_mib[0], held.memory_mib[-1]
    memory = [
        "| memory of one process | | at most | held |",
        "|---|---:|---:|---|",
        f"| after the first run | {first:.0f} MiB | | |",
        f"| after run {len(held.memory_mib)} | {last:.0f} MiB | {MOST_MIB} MiB | {_yes(last <= MOST_MIB)} |",
        f"| the most at any time | {held.most_mib:.0f} MiB | {MOST_MIB} MiB | {_yes(held.most_mib <= MOST_MIB)} |",
        f"| growth | {held.growth:.1%} | {MOST_GROWTH:.0%} | {_yes(held.growth <= MOST_GROWTH)} |",
    ]
    here = "; ".join(f"{name}: {value}" for name, value in machine().items())
    rounds, count = len(next(iter(found.values()))), len(held.memory_mib)
    told = (
        f"{datetime.now(UTC).date()}, {rounds} starts each; {count} runs of {MINUTES_A_RUN} minutes with "
        f"{history_hours:g} h of history each, {held.calls} calls of AWS's API. {here}."
    )
    return "\n".join([*rows, "", *memory, "", told])


def _yes(is_held: bool) -> str:
    return "yes" if is_held else "no"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and set the page's tables anew."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.account", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"starts of each kind; {ROUNDS} without")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs in one process; {RUNS} without")
    parser.add_argument("--history-hours", type=float, default=24.0, help="history of each run; 24 without")
    parser.add_argument("--no-page", action="store_true", help="write nothing")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page to write")
    asked = parser.parse_args(arguments)
    found = {hours: starts(hours, asked.rounds) for hours in LIMITS}
    text = written(found, runs(asked.runs, asked.history_hours), asked.history_hours)
    sys.stdout.write(f"{text}\n")
    if not asked.no_page:
        asked.page.write_text(replaced(asked.page.read_text(encoding="utf-8"), NAME, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
