"""How long the commands take that run no graph, beside what starting Python and its AWS client takes alone."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from evals.bench.race import CommandFailedError, Contender, Timed, race

NAME = "light-commands"
PEER = "langgraph --help"
OWN = (
    "cloudops --help",
    "cloudops scenarios",
    "cloudops show ID",
    "cloudops show ID --json",
    "cloudops list",
)
PEERS = ("python -c pass", "python -c 'import boto3'", PEER)
ROWS = (*OWN, *PEERS)


def bench(rounds: int) -> tuple[Timed, ...]:
    """Time the light commands and their peers over one ended incident in an account of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "CLOUDOPS_STATE_DIR": str(folder / "state"),
            "CLOUDOPS_OUT": str(folder / "out"),
        }
        environment.pop("CLOUDOPS_WORLD", None)
        with _incident(environment, folder) as incident_id:
            return race(contenders(incident_id), rounds, environment, folder)


def contenders(incident_id: str) -> tuple[Contender, ...]:
    """Return every row's command; `ID` is the incident's."""
    own = tuple(Contender(name, _ours(*name.replace("ID", incident_id).split()[1:])) for name in OWN)
    peers = (
        Contender(PEERS[0], (sys.executable, "-c", "pass"), peer=True),
        Contender(PEERS[1], (sys.executable, "-c", "import boto3"), peer=True),
        Contender(PEERS[2], (_beside("langgraph"), "--help"), peer=True),
    )
    return (*own, *peers)


def _ours(*arguments: str) -> tuple[str, ...]:
    return (_beside("cloudops"), *arguments)


def _beside(name: str) -> str:
    """Return the command that is installed beside this Python."""
    return str(Path(sys.executable).parent / name)


@contextmanager
def _incident(environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Play one incident to its end, and keep its account for as long as it is looked at."""
    try:
        played = _done(_ours("demo", "--approve", "--keep", "--json"), environment, folder)
        yield str(json.loads(played.stdout)["incident"]["incident_id"])
    finally:
        _done(_ours("sim", "down"), environment, folder)


def _done(
    command: tuple[str, ...], environment: Mapping[str, str], folder: Path
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise CommandFailedError(
            f"{' '.join(command[1:])} ended with {done.returncode}: {done.stderr.strip()}"
        )
    return done
