"""A served door over a simulated account, and the tokens to knock with."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from graphs.bootstrap import open_records, set_up
from graphs.copilot import Records
from graphs.principals import LocalIssuer
from graphs.settings import Settings, load
from memory.records.scope import Principal, PrincipalKind, Role
from tests.simulated import ROOT, SimulatedAccount
from tools.aws.queue import open_queue
from web.application import application
from web.doorkeeper import Doorkeeper

EVENTS = ROOT.parent / "shared" / "data" / "alarm_events"


@dataclass(frozen=True)
class Door:
    account: SimulatedAccount
    settings: Settings
    client: TestClient
    records: Records

    def token(self, *roles: Role, tenant: str = "default", minutes: int = 60, person: str = "ann") -> str:
        return token_of(self.settings, *roles, tenant=tenant, minutes=minutes, person=person)

    def headers(self, *roles: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(*(roles or tuple(Role)))}"}

    def post_alarm(self, body: bytes | str) -> Any:
        return self.client.post("/alarms", content=body, headers=self.headers(Role.OPERATOR))

    def decide(self, incident_id: str, approved: bool, reason: str = "") -> Any:
        plan = (self.record(incident_id).get("approval") or {}).get("plan_hash", "0" * 64)
        body = {"approved": approved, "plan_hash": plan, "reason": reason}
        return self.client.post(
            f"/incidents/{incident_id}/decision", json=body, headers=self.headers(Role.APPROVER)
        )

    def record(self, incident_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/incidents/{incident_id}", headers=self.headers(Role.VIEWER))
        return answer.json() if answer.status_code == 200 else {}

    def wait_for(self, incident_id: str, status: str) -> dict[str, Any]:
        """The record once it has a status."""

        def reached() -> dict[str, Any] | None:
            record = self.record(incident_id)
            return record if record.get("status") == status else None

        return until(reached, 90)

    def wait_for_end(self, incident_id: str) -> dict[str, Any]:
        """The record once the last step has ended, while the account's clock is moved on."""

        def ended() -> dict[str, Any] | None:
            scope = self.records.incidents.scope_of(incident_id)
            entries = list(self.records.timeline.entries(scope, incident_id))
            if any(e.kind.value == "step_ended" and e.step == "communicate" for e in entries):
                return self.record(incident_id)
            self.account.advance(30)
            return None

        return until(ended, 120)


def token_of(
    settings: Settings, *roles: Role, tenant: str = "default", minutes: int = 60, person: str = "ann"
) -> str:
    who = Principal(kind=PrincipalKind.PERSON, id=person, issuer="test", tenant=tenant, roles=roles)
    return LocalIssuer.open(settings.state_dir).sign(who, minutes)


def until(look: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not reached in {seconds} s: {look()}")


def settings_of(account: SimulatedAccount, **env: str) -> Settings:
    return load({"CLOUDOPS_STATE_DIR": str(account.state_dir), **env}, ROOT)


@contextmanager
def served(account: SimulatedAccount, **env: str) -> Iterator[Door]:
    """A door that leaves the queue to its test, unless it is told otherwise."""
    settings = settings_of(account, **{"CLOUDOPS_QUEUE": "off", **env})
    set_up(settings)
    with TestClient(application(Doorkeeper(lambda: settings))) as client:
        yield Door(account, settings, client, open_records(settings))


def fired_alarm(account: SimulatedAccount, settings: Settings, alarm: str = "checkout-5xx") -> str:
    """The event of an alarm that fired by itself, as EventBridge delivered it to the queue."""
    account.advance_until(alarm, "ALARM", minutes=20)
    records = open_records(settings)
    queue = open_queue(records.access, records.backend.queue)

    def delivered() -> str | None:
        for delivery in queue.receive(1):
            if json.loads(delivery.body)["detail"]["state"]["value"] == "ALARM":
                return delivery.body
        return None

    return str(until(delivered, 20))


def alarm_event(name: str, at: str, **detail: Any) -> dict[str, Any]:
    """A well-formed state change of an alarm that watches a metric nobody publishes."""
    arn = f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"
    metric = {"namespace": "Test", "name": "Depth", "dimensions": {"Queue": "q"}}
    return {
        "version": "0",
        "id": f"{name}-{at}",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "time": at,
        "region": "us-east-1",
        "resources": [arn],
        "detail": {
            "alarmName": name,
            "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": at},
            "previousState": {"value": "OK"},
            "configuration": {
                "metrics": [
                    {
                        "id": "m1",
                        "metricStat": {"metric": metric, "period": 60, "stat": "Sum"},
                        "returnData": True,
                    }
                ]
            },
            **detail,
        },
    }
