"""A copilot over a simulated account, driven as a door would drive it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from graphs.bootstrap import open_copilot, open_records, open_runs, set_up
from graphs.callers import principal_of_caller
from graphs.copilot import Records
from graphs.decision import Decided, decide
from graphs.runs import InProcessRuns
from graphs.settings import World, load
from graphs.sweeper import Swept, sweep, wake_due
from graphs.thinking import Copilot
from memory.records.incident_record import IncidentRecord
from memory.records.scope import Principal
from tests.simulated import ROOT, SimulatedAccount, started_account
from tools.aws.queue import open_queue


@dataclass
class Desk:
    account: SimulatedAccount
    records: Records
    copilot: Copilot
    runs: InProcessRuns
    event: dict[str, Any] = field(default_factory=dict)

    def alarm_event(self) -> dict[str, Any]:
        """Let account time pass until the alarm's event arrives on the queue."""
        queue = open_queue(self.records.access, self.records.backend.queue)
        for _ in range(60):
            found = queue.receive(wait_seconds=0)
            if found:
                queue.done(found[0])
                self.event = json.loads(found[0].body)
                return self.event
            self.account.advance(30)
        raise AssertionError("no alarm fired in thirty minutes")

    def start(self) -> IncidentRecord:
        started = self.runs.start(self.event or self.alarm_event())
        assert started.incident_id is not None
        return self.record(started.incident_id)

    def record(self, incident_id: str) -> IncidentRecord:
        found = self.records.incidents.record(incident_id)
        assert found is not None
        return found

    def me(self) -> Principal:
        return principal_of_caller(self.records.caller_arn, self.records.settings)

    def decide(self, record: IncidentRecord, *, approved: bool) -> Decided:
        given = {"plan": asked_plan(record), "approved": approved, "reason": "seen", "door": "test"}
        return decide(self.records, self.runs, record.incident.incident_id, self.me(), **given)

    def sweep(self) -> Swept:
        return sweep(partial(wake_due, self.records, self.runs), self.copilot.flush)

    def to_the_end(self, incident_id: str) -> IncidentRecord:
        """Step the account's clock from timer to timer until the incident has ended."""
        for _ in range(40):
            record = self.record(incident_id)
            if record.status.is_end:
                return record
            wake = self.records.timers.next_wake()
            assert wake is not None, f"{record.status} waits for nothing"
            self.records.clock.wait_until(wake + timedelta(seconds=1))
            self.sweep()
        raise AssertionError("the incident does not end")

    def on_call_queue(self) -> str:
        """Subscribe a queue to what on-call is told."""
        sqs, sns = self.account.client("sqs"), self.account.client("sns")
        url = sqs.create_queue(QueueName=f"{self.records.settings.prefix}-on-call")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.records.backend.topic_arn, Protocol="sqs", Endpoint=arn)
        return str(url)

    def told(self, url: str) -> list[str]:
        """Take the subjects of all messages that reached on-call."""
        sqs, subjects = self.account.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                subjects.append(json.loads(message["Body"])["Subject"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return subjects

    def writes(self) -> list[str]:
        """What was changed in the team's account by the copilot, by the account's own log."""
        names = {"UpdateService", "StartAutomationExecution", "UpdateTable", "StopTask", "UpdateAlias"}
        return [
            c["operation"]
            for c in self.account.calls()
            if c["operation"] in names and self.records.is_own(c["caller_arn"])
        ]


def asked_plan(record: IncidentRecord) -> str:
    """The hash of the plan that people are asked about."""
    assert record.approval is not None
    return record.approval.plan_hash


@contextmanager
def desk(
    folder: Path, scenario: str = "bad-deployment", *, scenarios_dir: Path | None = None, **settings: Any
) -> Iterator[Desk]:
    account = started_account(
        folder / "state",
        scenario,
        start="2026-11-23T09:00:00Z",
        history_hours=3,
        scenarios_dir=scenarios_dir,
    )
    try:
        yield desk_in(account, **settings)
    finally:
        account.end()


def desk_in(account: SimulatedAccount, prefix: str = "", **settings: Any) -> Desk:
    """A copilot set up in an account; with a prefix it has tables, a queue and a topic of its own there."""
    environment = {"CLOUDOPS_STATE_DIR": str(account.state_dir)}
    if prefix:
        environment["CLOUDOPS_PREFIX"] = prefix
    found = load(environment, ROOT, World.SIMULATED).model_copy(update=settings)
    set_up(found)
    records = open_records(found)
    copilot = open_copilot(records)
    runs = open_runs(records, copilot)
    assert isinstance(runs, InProcessRuns)
    return Desk(account, records, copilot, runs)
