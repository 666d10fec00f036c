"""What a team sets: topology and service levels, severity rubric, prices, autonomy and limits.

Only `graphs/settings.py` reads the files; every other floor is handed these records.
"""

from enum import StrEnum

from pydantic import Field

from memory.records.base import Record
from memory.records.incident import Severity
from memory.records.spend import GuardUse

GIGABYTE = 1_000_000_000


class Switch(Record):
    """A parameter's value under which a service does without something it calls, as its team declares it."""

    parameter: str
    value: str


class Dependency(Record):
    """Something that a service calls, and how the team lets the service do without it, if it can."""

    kind: str
    name: str
    switch: Switch | None = None


class ServiceLevel(Record):
    """What a service promises."""

    availability: float = Field(default=0.99, gt=0.0, lt=1.0)
    latency_ms_p99: float = Field(default=1000.0, gt=0.0)


class ServiceMetrics(Record):
    """The metrics that tell a service's requests, errors and latency."""

    namespace: str
    dimensions: dict[str, str]
    requests: str
    errors: str
    latency: str


class Service(Record):
    """One service as its team publishes it."""

    name: str
    cluster: str | None = None
    log_group: str | None = None
    alarms: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    metrics: ServiceMetrics | None = None
    target_group: str | None = None
    load_balancer: str | None = None
    tier: int = 2
    slo: ServiceLevel = Field(default_factory=ServiceLevel)
    owner: str = ""


class Topology(Record):
    """The services of one account and how they call each other."""

    services: tuple[Service, ...] = ()

    def service(self, name: str) -> Service | None:
        """Return a service by its name."""
        return next((s for s in self.services if s.name == name), None)

    def of_alarm(self, alarm_name: str) -> Service | None:
        """Return the service that lists an alarm as its own."""
        return next((s for s in self.services if alarm_name in s.alarms), None)

    def upstream_of(self, name: str) -> tuple[Service, ...]:
        """Return the services that call a service or table."""
        return tuple(s for s in self.services if any(d.name == name for d in s.depends_on))


class RubricRow(Record):
    """One row of the rubric: all limits that are set must be reached, and requests have stopped where that is asked.

    A row `when_unread` is of a service that the alarm speaks of and of which it is not known how many requests fail; of
    what the alarm watches, where it speaks of no known service.
    """

    severity: Severity
    min_error_share: float | None = None
    min_latency_factor: float | None = None
    min_slo_burn: float | None = None
    when_stopped: bool = False
    when_unread: bool = False
    max_tier: int | None = None
    reason: str


class Rubric(Record):
    """Impact to severity, most severe row first; no row means `otherwise`."""

    rows: tuple[RubricRow, ...]
    otherwise: Severity = Severity.LOW


class Price(Record):
    """Dollars for a million tokens of one model.

    Without prices for its prompt cache, cached input costs as any. A request of more than `long_prompt_tokens` costs
    `long_prompt_factor` times as much, all of it.
    """

    model_id: str
    input_usd: float
    output_usd: float
    source: str
    cache_read_usd: float | None = None
    cache_write_usd: float | None = None
    long_prompt_tokens: int | None = None
    long_prompt_factor: float = 1.0


class GuardPrices(Record):
    """Dollars for a text unit of a thousand characters by the policy that looks at it; words and patterns are free.

    https://aws.amazon.com/bedrock/pricing/ (Guardrails): denied topics and content filters, of which prompt attack is
    one, at the same price; names of kinds of personal data, and the grounding check, at another.
    """

    content_unit_usd: float = Field(default=0.00015, ge=0)
    topic_unit_usd: float = Field(default=0.00015, ge=0)
    sensitive_unit_usd: float = Field(default=0.0001, ge=0)
    grounding_unit_usd: float = Field(default=0.0001, ge=0)
    source: str = ""

    def of(self, use: GuardUse) -> float:
        """Return the dollars of what a guard has looked at."""
        return (
            use.content_units * self.content_unit_usd
            + use.topic_units * self.topic_unit_usd
            + use.sensitive_units * self.sensitive_unit_usd
            + use.grounding_units * self.grounding_unit_usd
        )


class ReadPrices(Record):
    """What reads of an account cost; those that are not named are free of charge.

    CloudWatch's public prices (https://aws.amazon.com/cloudwatch/pricing/): Logs Insights by what is scanned,
    GetMetricData by the metrics that are asked for. `guard` is what it costs to have a guard look at what was read.
    """

    logs_scanned_gb_usd: float = Field(default=0.005, ge=0)
    metric_usd: float = Field(default=0.00001, ge=0)
    source: str = ""
    guard: GuardPrices = Field(default_factory=GuardPrices)

    def of(self, bytes_scanned: int, metrics: int) -> float:
        """Return the dollars of a read."""
        return bytes_scanned / GIGABYTE * self.logs_scanned_gb_usd + metrics * self.metric_usd


class PriceList(Record):
    """Listed prices, with the day they were read."""

    as_of: str
    models: tuple[Price, ...]
    reads: ReadPrices = Field(default_factory=ReadPrices)


class LargerRule(Record):
    """When a role is given the larger tier: the incident is this severe, or two explanations are this close."""

    roles: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    margin: float = Field(default=0.0, ge=0.0, le=1.0)


class Autonomy(StrEnum):
    """How far the copilot may go by itself in an account."""

    OBSERVE = "observe"
    PROPOSE = "propose"
    ACT_ON_LOW = "act_on_low"
    ACT_ON_MEDIUM = "act_on_medium"


class RedactionSettings(Record):
    """What a team wants taken out beside secrets and personal data, which always are."""

    client_addresses: bool = False


class Limits(Record):
    """Limits in code on every loop; the record says what was spent.

    `incident_usd` is a hard stop over all of an incident, models and log queries together, and `logs_bytes_scanned`
    one over its log queries. `query_bytes_scanned` is the most that one log query may scan. The `collector_` three are
    what one of the first look's collectors may take of these: calls, dollars, bytes.
    """

    agent_steps: int = 12
    agent_tokens: int = 120_000
    agent_usd: float = 1.0
    agent_seconds: float = 90.0
    tool_result_chars: int = 6_000
    incident_usd: float = Field(default=5.0, ge=0)
    logs_bytes_scanned: int = Field(default=2_000_000_000, ge=0)
    query_bytes_scanned: int = Field(default=1_000_000_000, ge=0)
    collector_calls: int = Field(default=30, ge=1)
    collector_usd: float = Field(default=0.05, ge=0)
    collector_bytes_scanned: int = Field(default=1_000_000_000, ge=0)
    plan_attempts: int = 2
    approval_minutes: int = 30
    verification_minutes: int = 6
    self_recovery_minutes: int = 10
    first_look_seconds: float = 30.0
