"""What a world's team has set up beside its services: tables, parameters, alarms, documents, deployers."""

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from simulator.world.base import Offset, Record, Share


class TableWorld(Record):
    """A DynamoDB table with provisioned capacity."""

    name: str
    key: str
    read_capacity: int = 10
    write_capacity: int = Field(ge=1)
    burst_seconds: int = Field(default=30, ge=0, le=300)


class QuotaWorld(Record):
    """How much the account has been given of a quota, by the codes of Service Quotas."""

    service: str
    code: str
    value: float = Field(ge=0)


class ParameterWorld(Record):
    """A parameter of the Parameter Store that services read: a setting or a feature flag.

    `allowed_pattern` is the regular expression that its values must match.
    """

    name: str
    value: str
    description: str = ""
    allowed_pattern: str = ""


class ExternalWorld(Record):
    """A system that is not in the account. Its usual time is part of its callers' own."""

    name: str


class AlarmWorld(Record):
    """A metric alarm, with the parameters of PutMetricAlarm."""

    name: str
    service: str
    parameters: dict[str, Any]
    notifies: str | None = None


class DocumentWorld(Record):
    """A Systems Manager document, with its content as a string: a runbook, or a change calendar as TEXT."""

    name: str
    type: Literal["Automation", "ChangeCalendar"] = "Automation"
    format: Literal["YAML", "JSON", "TEXT"] = "YAML"
    content: str


class Deployer(Record):
    """The role whose sessions deploy."""

    role: str
    session: str


class Traffic(Record):
    """Requests at the front door. The daily wave peaks at `peak` after the account's start."""

    requests_per_minute: float = Field(gt=0)
    daily_swing: Share = 0.15
    peak: Offset = timedelta(hours=5)
    noise: Share = 0.03
