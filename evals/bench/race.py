"""Time commands as processes of their own, in turns, so that whatever else the machine does meets all of them."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


class CommandFailedError(Exception):
    """A command that was to be timed did not do its work: its time says nothing."""


@dataclass(frozen=True)
class Contender:
    """A command and how it is called in the table; `peer` when it is not ours."""

    name: str
    command: tuple[str, ...]
    peer: bool = False


@dataclass(frozen=True)
class Run:
    """One process: how long it took, and how much of a processor."""

    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Timed:
    """All runs of one contender."""

    contender: Contender
    runs: tuple[Run, ...]

    @property
    def median_seconds(self) -> float:
        """Return the median time from start to end."""
        return median(run.wall_seconds for run in self.runs)

    @property
    def least_seconds(self) -> float:
        """Return the shortest time from start to end."""
        return min(run.wall_seconds for run in self.runs)

    @property
    def least_cpu_seconds(self) -> float:
        """Return the shortest time of a processor, user and system: what others' work adds least to."""
        return min(run.cpu_seconds for run in self.runs)


def race(
    contenders: Sequence[Contender], rounds: int, environment: Mapping[str, str], folder: Path
) -> tuple[Timed, ...]:
    """Run every contender once in each round, in an order that moves on by one, after a round that is not counted."""
    runs: dict[str, list[Run]] = {one.name: [] for one in contenders}
    for turn in range(rounds + 1):
        shift = turn % len(contenders)
        for one in (*contenders[shift:], *contenders[:shift]):
            run = _run(one, environment, folder)
            if turn:
                runs[one.name].append(run)
    return tuple(Timed(one, tuple(runs[one.name])) for one in contenders)


def _run(one: Contender, environment: Mapping[str, str], folder: Path) -> Run:
    begun = time.perf_counter()
    with subprocess.Popen(
        one.command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandFailedError(f"{one.name} ended with {process.returncode}")
    return Run(wall, used.ru_utime + used.ru_stime)
