"""A decision that stands though no run takes it: what `cloudops approve --json` and `deny --json` say, and where."""

import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import Result

from graphs.bootstrap import open_records, set_up
from graphs.copilot import Records
from graphs.settings import World, load
from memory.records.approval import ApprovalRequest
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.scope import COPILOT
from memory.records.timeline import TimerKind
from tests.console.commands import ROOT, Desk
from tests.graphs.test_remote_runs import server
from tests.simulated import SimulatedAccount
from tests.tools.dials import incident, plan
from tools.signing import signed_request

PREFIX = "held-up"


@dataclass(frozen=True)
class HeldUp(Desk):
    """A desk at which one plan waits, and whose settings name a LangGraph server for the runs."""

    runs_url: str
    incident_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            **super().environment,
            "CLOUDOPS_PREFIX": PREFIX,
            "CLOUDOPS_RUNS_URL": self.runs_url,
        }

    @property
    def records(self) -> Records:
        return open_records(load(self.environment, ROOT, World.SIMULATED))

    def ask(self) -> None:
        """Let the incident wait for its approval."""
        records = self.records
        now, scope = records.clock.now(), records.home
        alone = incident(scope, self.incident_id)
        alarm = alone.alarm.model_copy(update={"name": self.incident_id, "arn": f"arn:{self.incident_id}"})
        about = alone.model_copy(update={"alarm": alarm, "event_id": self.incident_id})
        records.incidents.claim(about)
        asked = ApprovalRequest(
            incident_id=about.incident_id,
            scope=scope,
            plan_hash=plan().plan_hash,
            actions=plan().actions,
            fingerprints=("f",),
            proposer=COPILOT,
            requested_at=now,
            expires_at=now + timedelta(minutes=30),
        )
        request = signed_request(records.signer, asked)
        records.approvals.request(request)
        waits = IncidentRecord(
            incident=about, status=Status.AWAITING_APPROVAL, plans=(plan(),), approval=request, updated_at=now
        )
        records.incidents.save_record(waits)

    def says(self, word: str) -> Result:
        """What a decision on that very plan comes to."""
        named = ("--plan", plan().plan_hash, "--reason", "seen")
        return self.run_here(word, self.incident_id, *named, "--json")


@pytest.fixture(scope="module")
def account(shared_accounts: Callable[..., SimulatedAccount]) -> SimulatedAccount:
    found = shared_accounts("false-alarm")
    environment = {"CLOUDOPS_STATE_DIR": str(found.state_dir), "CLOUDOPS_PREFIX": PREFIX}
    set_up(load(environment, ROOT, World.SIMULATED))
    return found


@contextmanager
def refuses() -> Iterator[tuple[str, str]]:
    with server(403) as url:
        yield url, "the LangGraph server {url} does not take it"


@contextmanager
def is_gone() -> Iterator[tuple[str, str]]:
    with socket.socket() as taken:
        # Bound and not listened to: whoever calls is refused, and nobody else gets the port meanwhile.
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}", "the LangGraph server {url} does not take it"


@contextmanager
def cannot_be_opened() -> Iterator[tuple[str, str]]:
    yield "http://127.0.0.1:1", "the runs cannot be opened: {key} holds no key"


@pytest.mark.parametrize(
    # A host that is gone is called again for some seconds.
    "host",
    [refuses, cannot_be_opened, pytest.param(is_gone, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(("word", "approved"), [("approve", True), ("deny", False)])
def test_a_decision_that_is_held_up_is_said_beside_the_record_and_not_in_it(
    account: SimulatedAccount,
    tmp_path: Path,
    word: str,
    approved: bool,
    host: Callable[[], AbstractContextManager[tuple[str, str]]],
) -> None:
    with host() as (url, why):
        at = HeldUp(tmp_path, url)
        at.state_dir.mkdir()
        shutil.copy(account.state_dir / "local.json", at.state_dir)
        at.ask()
        key = at.state_dir / "issuer.pem"
        if host is cannot_be_opened:
            key.touch(mode=0o600)
            key.write_text("no key")

        done = at.says(word)

    assert done.exit_code == 0, done.output
    record = IncidentRecord.model_validate_json(done.stdout)
    assert (record.incident.incident_id, record.status) == (at.incident_id, Status.AWAITING_APPROVAL)
    stands = "the decision stands"
    said = f"{stands}; the next sweep lets the incident go on, since {why.format(url=url, key=key)}"
    assert said in done.stderr, done.stderr
    assert stands not in done.stdout
    scope = record.incident.scope
    (decision,) = at.records.approvals.decisions(scope, at.incident_id, plan().plan_hash)
    assert (decision.approved, decision.reason) == (approved, "seen")
    due = at.records.timers.get(scope, at.incident_id, TimerKind.CADENCE)
    assert due is not None and due.wake_at <= at.records.clock.now()
