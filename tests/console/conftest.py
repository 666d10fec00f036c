"""One incident, played once, for all tests that only look at it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graphs.bootstrap import open_records
from graphs.copilot import Records
from graphs.settings import World, load
from tests.console.commands import ROOT, Desk


@dataclass(frozen=True)
class PlayedIncident:
    """A desk whose account goes on, and the record that the demo printed."""

    desk: Desk
    record: dict[str, Any]
    exit_code: int
    stderr: str

    @property
    def incident_id(self) -> str:
        return str(self.record["incident"]["incident_id"])

    @property
    def report(self) -> str:
        return (self.desk.out / self.incident_id / "report.html").read_text(encoding="utf-8")

    def records(self) -> Records:
        return open_records(load(self.desk.environment, ROOT, World.SIMULATED))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A fresh desk; an account that a test left running there is ended."""
    fresh = Desk(tmp_path)
    yield fresh
    if (fresh.state_dir / "local.json").exists():
        fresh.run("sim", "down")


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedIncident]:
    """A bad deployment, approved and resolved."""
    desk = Desk(tmp_path_factory.mktemp("played"))
    done = desk.run("demo", "--approve", "--keep", "--json")
    assert done.stdout, done.stderr
    yield PlayedIncident(desk, json.loads(done.stdout), done.returncode, done.stderr)
    desk.run("sim", "down")
