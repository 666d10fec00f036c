"""A records table in a simulated account, and incidents to put into it."""

import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from memory.records.alarm import Alarm, AlarmState, Metric
from memory.records.incident import Incident, Status, incident_id
from memory.records.incident_record import IncidentRecord
from memory.records.scope import Scope
from memory.stores.incidents import IncidentStore
from memory.table import RecordTable, table_definition
from tests.memory.checkpoints.conftest import CONFIG, NAMED, STORES
from tests.simulated import SimulatedAccount, boto_session

SCOPE = Scope(account="123456789012", region="us-east-1")
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NUMBERS = itertools.count(1)


def incident(
    number: int, service: str = "checkout", *, at: datetime | None = None, scope: Scope = SCOPE
) -> Incident:
    """The incident of an alarm of its own."""
    opened_at = at or START + timedelta(minutes=number)
    arn = f"arn:aws:cloudwatch:{scope.region}:{scope.account}:alarm:{service}-{number}"
    alarm = Alarm(
        name=f"{service}-{number}",
        arn=arn,
        scope=scope,
        state=AlarmState.ALARM,
        reason="too many errors",
        changed_at=opened_at,
        metrics=(Metric(namespace="Storefront", name="Errors", dimensions={"Service": service}),),
    )
    identity = incident_id(scope, arn, opened_at)
    return Incident(
        incident_id=identity,
        thread_id=identity,
        scope=scope,
        alarm=alarm,
        event_id=f"event-{number}",
        episode_started_at=opened_at,
        opened_at=opened_at,
    )


def record(of: Incident, status: Status, *, closed_at: datetime | None = None) -> IncidentRecord:
    return IncidentRecord(incident=of, status=status, updated_at=of.opened_at, closed_at=closed_at)


def ended(store: IncidentStore, of: Incident, status: Status = Status.RESOLVED) -> None:
    """Claim an incident and bring it to its end."""
    store.claim(of)
    store.save_record(record(of, status, closed_at=of.opened_at + timedelta(minutes=9)))


@dataclass
class WallTime:
    """Seconds that pass when a test says so."""

    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


def new_table(
    account: SimulatedAccount,
    expiry: Callable[[Any], int | None] = lambda _: None,
    now: Callable[[], float] = time.time,
) -> RecordTable:
    """An empty table of records."""
    name = f"records-{next(NUMBERS)}-{uuid.uuid4().hex[:8]}"
    client = account.client("dynamodb")
    client.create_table(**table_definition(name))
    return RecordTable(client, name, expiry, now)


class NamedStore:
    """A real DynamoDB, which remembers its calls as the simulated account does."""

    def __init__(self, endpoint: str) -> None:
        self._asked: list[dict[str, Any]] = []
        self._client = boto_session().client(
            *("dynamodb", "us-east-1"),
            endpoint_url=endpoint,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=CONFIG,
        )
        self._client.meta.events.register("after-call.dynamodb", self._noted)

    def client(self, service: str) -> Any:
        assert service == "dynamodb"
        return self._client

    def calls(self, operation: str | None = None) -> list[dict[str, Any]]:
        return [one for one in self._asked if operation in (None, one["operation"])]

    def _noted(self, model: Any, **_: Any) -> None:
        self._asked.append({"operation": model.name})


@contextmanager
def no_scan(account: SimulatedAccount) -> Iterator[None]:
    """Nothing within looks through a whole table."""
    before = account.calls("Scan")
    yield
    assert account.calls("Scan") == before


@pytest.fixture(params=STORES)
def account(request: pytest.FixtureRequest, shared_accounts: Callable[..., SimulatedAccount]) -> Any:
    """What holds tables: the simulated account, and the DynamoDB that the environment names."""
    return NamedStore(NAMED) if request.param == "named" else shared_accounts("bad-deployment")
