"""Killed at every step's boundary and inside each, it ends with one change and a record that is right.

The account is brought to where the incident waits for its approval, once, and kept; each point begins with a copy.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from graphs.bootstrap import open_copilot, open_records, open_runs, set_up
from graphs.runs import InProcessRuns
from graphs.settings import World, load
from memory.audit_chain import Checked
from memory.keys import incident as incident_key
from memory.records.approval import ApprovalStatus
from memory.records.incident import Status
from memory.records.outcome import ExecutionState
from tests.graphs.cut_off import Cut, cut_off_at
from tests.graphs.desk import Desk
from tests.simulated import ROOT, START, SimulatedAccount

SPREAD = 20
AROUND_THE_CALL = 6
FRESH = ("--scenario", "bad-deployment", "--seed", "1", "--start", START, "--history-hours", "3")


@contextmanager
def _account(state_dir: Path, *how: str, keep: bool = False) -> Iterator[SimulatedAccount]:
    state_dir.mkdir(parents=True, exist_ok=True)
    words = ["--keep"] if keep else []
    command = [sys.executable, "-m", "simulator", *how, "--state-dir", str(state_dir), *words]
    with (state_dir / "stderr.txt").open("w") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready "), (state_dir / "stderr.txt").read_text()
    account = SimulatedAccount(process, state_dir)
    try:
        yield account
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        process.stdout.close()


def _desk(account: SimulatedAccount, endpoint: str = "") -> Desk:
    """A copilot over the account, straight or through the proxy."""
    settings = load({"CLOUDOPS_STATE_DIR": str(account.state_dir)}, ROOT, World.SIMULATED)
    if endpoint:
        through = settings.connection.model_copy(
            update={"endpoint_url": endpoint, "clock_url": f"{endpoint}/_sim/clock"}
        )
        settings = settings.model_copy(update={"connection": through})
    else:
        set_up(settings)
    records = open_records(settings)
    copilot = open_copilot(records)
    runs = open_runs(records, copilot)
    assert isinstance(runs, InProcessRuns)
    return Desk(account, records, copilot, runs)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of an account whose incident waits for its approval."""
    folder = tmp_path_factory.mktemp("waiting") / "state"
    with _account(folder, *FRESH, keep=True) as account:
        at = _desk(account)
        record = at.start()
        assert record.status is Status.AWAITING_APPROVAL
    return folder, record.incident.incident_id


def _go_on(at: Desk, incident_id: str) -> None:
    """Do what a person does who finds the incident: approve it if it waits, else let it go on, and follow it."""
    record = at.record(incident_id)
    request = record.approval
    decided = request and at.records.approvals.decision(record.incident.scope, incident_id, request.plan_hash)
    if decided is None:
        at.decide(record, approved=True)
    elif not record.status.is_end:
        at.runs.wake(incident_id)
    at.to_the_end(incident_id)


def _plays(waiting: tuple[Path, str], folder: Path, cut: Cut) -> bool:
    """Play from the decision to the end, cut off once; check what is left. Say whether it was cut off."""
    kept, incident_id = waiting
    state = Path(shutil.copytree(kept, folder))
    with _account(state, "--resume", keep=True) as account:

        def work(endpoint: str) -> None:
            _go_on(_desk(account, endpoint), incident_id)

        with cut_off_at(account.endpoint, cut, work) as was_killed:
            pass
        at = _desk(account)
        if was_killed:
            _go_on(at, incident_id)
            at.sweep()
        _is_right(at, incident_id, cut)
    shutil.rmtree(folder)
    return was_killed


def _is_right(at: Desk, incident_id: str, cut: Cut) -> None:
    where = (
        f"call {cut.at} ({cut.calls[cut.at - 1] if cut.at else 'none'}), {'after' if cut.after else 'before'}"
    )
    assert at.writes() == ["UpdateService"], where
    record = at.record(incident_id)
    assert record.status is Status.RESOLVED, (where, record.reason)
    assert [(one.state, one.is_revert) for one in record.executions] == [(ExecutionState.DONE, False)], where
    assert record.decision is not None and record.decision.approved, where
    request = record.approval
    assert request is not None and request.status is ApprovalStatus.APPROVED, where
    assert request.used == (record.executions[0].action_id,), where
    assert record.executions[0].event_id, where
    assert record.failures == (), where
    subjects = [one.subject for one in record.messages]
    assert len(subjects) == len(set(subjects)), where
    audited = at.records.audit.read(incident_key(record.incident.scope, incident_id).pk)
    checked: Checked = audited.check(time.time())
    assert checked.broken is None, (where, checked.why)


def _points(calls: list[str]) -> list[dict[str, Any]]:
    """Points over the whole play, and every call around the one that changes something, before and after it."""
    spread = {1 + index * (len(calls) - 1) // (SPREAD - 1) for index in range(SPREAD)}
    at = 1 + next(n for n, name in enumerate(calls) if "UpdateService" in name)
    near = range(max(1, at - AROUND_THE_CALL), min(len(calls), at + AROUND_THE_CALL) + 1)
    found = {(n, n % 2 == 0) for n in spread} | {(n, after) for n in near for after in (False, True)}
    return [{"at": n, "after": after} for n, after in sorted(found)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_any_call_it_ends_with_one_change(waiting: tuple[Path, str], tmp_path: Path) -> None:
    whole = Cut()
    assert not _plays(waiting, tmp_path / "whole", whole)
    points = _points(whole.calls)

    killed = [_plays(waiting, tmp_path / str(n), Cut(**point)) for n, point in enumerate(points)]

    # A play that was cut off for a call fewer than the whole one may have ended before.
    assert sum(killed) >= 40, f"{sum(killed)} of {len(points)} were cut off"
