"""Look at what is configured, reachable and permitted, and say the remedy of what is not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table
from rich.text import Text

from console.text import full_time, screen, styled
from graphs.connecting import open_access, open_clock
from graphs.principals import principal_of_caller
from graphs.settings import Settings, World, from_environment
from memory.records.config import Autonomy
from tools.actions.registry import ACTIONS
from tools.aws.access import AwsAccess
from tools.aws.backend import BackendNames, find_backend
from tools.aws.identity import caller
from tools.errors import CopilotError, Misconfigured, error_code, is_denied
from tools.topology import load_topology


class Finding(StrEnum):
    """What a look came to."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


CALLS = {
    "ecs_rollback_service": ("ecs:UpdateService",),
    "dynamodb_set_write_capacity": (
        "ssm:StartAutomationExecution",
        "dynamodb:UpdateTable",
        "dynamodb:DescribeTable",
    ),
}
SIGNS = {Finding.OK: ("✓", "green"), Finding.NOTE: ("·", "yellow"), Finding.BAD: ("✗", "bold red")}


@dataclass(frozen=True)
class Line:
    """One thing that was looked at; anything but ok says what to do."""

    area: str
    what: str
    finding: Finding = Finding.OK
    remedy: str = ""


def doctor(world: World | None = None) -> int:
    """Print every look as a line; end with 0 when nothing is bad, 1 when something is, 2 without settings."""
    out = screen()
    try:
        settings = from_environment(world)
    except Misconfigured as error:
        _print(Line("configured", "settings", Finding.BAD, str(error)))
        return 2
    bad = 0
    for line in _looks(settings):
        _print(line)
        bad += line.finding is Finding.BAD
    out.print(f"\n{bad} to mend" if bad else "\nall is well")
    return 1 if bad else 0


def _print(line: Line) -> None:
    sign, style = SIGNS[line.finding]
    row = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        row.add_column(overflow="fold")
    row.add_row(
        Text(sign, style), f"{line.area:10}", styled(line.what, style if line.finding is Finding.BAD else "")
    )
    if line.remedy:
        row.add_row("", "", styled(line.remedy, style))
    screen().print(row)


def _looks(settings: Settings) -> Iterator[Line]:
    access = open_access(settings)
    yield from _configured(settings)
    identity = _try(
        "reachable", "STS", lambda: caller(access), "check the credentials: aws sts get-caller-identity"
    )
    if isinstance(identity, Line):
        yield identity
        return
    account, arn = identity
    yield Line("reachable", f"STS: {arn} in account {account}, {access.region}")
    yield _clock(settings)
    yield from _backend(settings, access, account)
    yield from _door(settings, arn)
    yield _autonomy(settings, account)
    yield from _reads(settings, access)
    yield from _actions(settings, access, arn)


def _configured(settings: Settings) -> Iterator[Line]:
    connection = settings.connection
    where = connection.endpoint_url or "AWS's own endpoints"
    yield Line("configured", f"{connection.world.value} account, {connection.region}, {where}")
    chosen = settings.models
    models = ", ".join(
        dict.fromkeys(chosen.tiers.get(tier, f"no {tier} model") for tier in chosen.roles.values())
    )
    yield Line("configured", f"models: {models}")
    priced = {price.model_id for price in settings.prices.models}
    unpriced = [m for m in models.split(", ") if m not in priced]
    if unpriced:
        remedy = "add them to settings/prices.toml; without a price their cost is not counted"
        yield Line("configured", f"no price for {', '.join(unpriced)}", Finding.NOTE, remedy)
    else:
        yield Line("configured", f"prices as listed on {settings.prices.as_of}")
    guardrail = settings.models.guardrail_id
    if guardrail:
        yield Line("configured", f"guardrail {guardrail}")
    elif connection.world is World.AWS:
        remedy = "set guardrail_id in settings/models.toml; until then only this machine's checks read outside text"
        yield Line("configured", "no guardrail", Finding.NOTE, remedy)
    state = _writable(settings.state_dir)
    yield Line("configured", f"state in {settings.state_dir}", *state)


def _writable(folder: Path) -> tuple[Finding, str]:
    near = next(p for p in (folder, *folder.parents) if p.exists())
    if near.is_dir() and near.stat().st_mode & 0o200:
        return Finding.OK, ""
    return Finding.BAD, f"make {folder} writable, or set CLOUDOPS_STATE_DIR"


def _try(area: str, what: str, look: Callable[[], Any], remedy: str) -> Any:
    """Return what a look gives, or the line that says why it gave nothing."""
    try:
        return look()
    except (ClientError, BotoCoreError, CopilotError) as error:
        return Line(area, f"{what}: {error}", Finding.BAD, remedy)


def _clock(settings: Settings) -> Line:
    clock = open_clock(settings)
    now = _try("reachable", "clock", clock.now, "start the account again: cloudops sim start")
    return now if isinstance(now, Line) else Line("reachable", f"clock: {full_time(now)}")


def _backend(settings: Settings, access: AwsAccess, account: str) -> Iterator[Line]:
    names = BackendNames(settings.prefix)
    backend = _try(
        "reachable", "backend", lambda: find_backend(access, names, account), "run: cloudops setup"
    )
    if isinstance(backend, Line):
        yield backend
        return
    yield Line("reachable", f"tables {backend.records_table} and {backend.checkpoints_table}")
    looks: tuple[tuple[str, Callable[[], Any]], ...] = (
        (
            f"queue {names.queue}",
            lambda: access.client("sqs").get_queue_attributes(QueueUrl=backend.queue_url),
        ),
        (f"rule {names.rule}", lambda: access.client("events").describe_rule(Name=names.rule)),
        (
            f"topic {names.topic}",
            lambda: access.client("sns").get_topic_attributes(TopicArn=backend.topic_arn),
        ),
    )
    for what, look in looks:
        found = _try("reachable", what, look, "run: cloudops setup")
        yield found if isinstance(found, Line) else Line("reachable", what)


def _door(settings: Settings, arn: str) -> Iterator[Line]:
    roles = principal_of_caller(arn, settings).roles
    if roles:
        yield Line("permitted", f"at the doors you are {', '.join(role.value for role in roles)}")
    else:
        remedy = f"add a pattern that matches {arn} to settings/access.toml"
        yield Line("permitted", "at the doors you hold no role", Finding.NOTE, remedy)


def _autonomy(settings: Settings, account: str) -> Line:
    if settings.autonomy.kill_switch:
        remedy = "unset CLOUDOPS_KILL_SWITCH, or kill_switch in settings/autonomy.toml, to let it act again"
        return Line("permitted", "the kill switch is on: nothing is changed anywhere", Finding.NOTE, remedy)
    autonomy = settings.autonomy_of(account)
    if autonomy is Autonomy.OBSERVE:
        remedy = f'to let it propose, add "{account}" = "propose" to settings/autonomy.toml'
        return Line("permitted", f"account {account} is only observed", Finding.NOTE, remedy)
    return Line("permitted", f"autonomy in account {account}: {autonomy.value}")


def _reads(settings: Settings, access: AwsAccess) -> Iterator[Line]:
    """Make the cheapest call of each service that the read tools use."""
    looks: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("cloudwatch:DescribeAlarms", lambda: access.client("cloudwatch").describe_alarms(MaxRecords=1)),
        ("logs:DescribeLogGroups", lambda: access.client("logs").describe_log_groups(limit=1)),
        ("ecs:ListClusters", lambda: access.client("ecs").list_clusters(maxResults=1)),
        ("cloudtrail:LookupEvents", lambda: access.client("cloudtrail").lookup_events(MaxResults=1)),
        ("dynamodb:ListTables", lambda: access.client("dynamodb").list_tables(Limit=1)),
        ("ssm:ListDocuments", lambda: access.client("ssm").list_documents(MaxResults=1)),
        ("bedrock:ListFoundationModels", lambda: access.client("bedrock").list_foundation_models()),
    )
    for what, look in looks:
        found = _try("permitted", what, look, f"allow {what} to this caller")
        yield found if isinstance(found, Line) else Line("permitted", what)
    topology = _try(
        "configured",
        "topology",
        lambda: load_topology(access, settings.topology_parameter, settings.topology),
        "name the services in settings/topology.toml, or mend the parameter that it names",
    )
    if isinstance(topology, Line):
        yield topology
    elif topology.services:
        yield Line("configured", f"topology: {', '.join(s.name for s in topology.services)}")
    else:
        remedy = "name your services in settings/topology.toml, so that the first look knows what to compare"
        yield Line("configured", "topology: no services", Finding.NOTE, remedy)


def _actions(settings: Settings, access: AwsAccess, arn: str) -> Iterator[Line]:
    """Ask IAM whether each action's call would be allowed; where IAM cannot be asked, nothing is claimed."""
    if settings.connection.world is World.SIMULATED:
        names = ", ".join(action.name for action in ACTIONS)
        yield Line("permitted", f"actions: {names} (the simulated account has no IAM to ask)")
        return
    for name, calls in CALLS.items():
        yield _may(access, arn, name, calls)


def _may(access: AwsAccess, arn: str, name: str, calls: tuple[str, ...]) -> Line:
    try:
        answer = access.client("iam").simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(calls))
    except (ClientError, BotoCoreError) as error:
        why = "not permitted" if is_denied(error) else error_code(error)
        remedy = f"see that this caller may call {', '.join(calls)}"
        return Line("permitted", f"action {name}: iam:SimulatePrincipalPolicy is {why}", Finding.NOTE, remedy)
    denied = [r["EvalActionName"] for r in answer["EvaluationResults"] if r["EvalDecision"] != "allowed"]
    if denied:
        return Line("permitted", f"action {name}", Finding.BAD, f"allow {', '.join(denied)} to this caller")
    return Line("permitted", f"action {name}: {', '.join(calls)}")
