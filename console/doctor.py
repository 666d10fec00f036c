"""Look at what is configured, reachable and permitted, and say the remedy of what is not."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from console.failures import FAILED, MISCONFIGURED, UNREACHABLE
from console.findings import Finding, Line, drawn
from console.named_rows import look_at_accounts, look_at_services
from console.permitted import look_at_actions
from console.text import full_time, screen
from graphs.callers import principal_of_caller
from graphs.connecting import open_access, open_clock
from graphs.decision import TELL_APART
from graphs.settings import Settings, World, from_environment
from memory.records.config import Autonomy
from memory.records.scope import Scope
from memory.stores.approvals import ApprovalStore
from memory.table import RecordTable
from tools.actions.registry import ACTIONS
from tools.aws.access import AwsAccess
from tools.aws.backend import BackendNames, find_backend
from tools.aws.identity import caller
from tools.aws.queue import open_queue
from tools.errors import CopilotError, Misconfigured, is_denied
from tools.topology import load_topology

SETTINGS, CALLER = "settings", "STS"
EXIT_CODES = {SETTINGS: MISCONFIGURED, CALLER: UNREACHABLE}
"""What keeps every other look from being made ends with a code of its own."""


def doctor(world: World | None = None, *, as_json: bool = False) -> int:
    """Print every look as a line, or all as JSON.

    Return 0 when nothing is bad, 1 when something is, 2 without settings, 3 when the account cannot be asked.
    """
    lines: list[Line] = []
    for line in _all_looks(world):
        lines.append(line)
        if not as_json:
            screen().print(drawn(line))
    bad = [line for line in lines if line.finding is Finding.BAD]
    code = max((EXIT_CODES.get(line.what.partition(":")[0], FAILED) for line in bad), default=0)
    if as_json:
        told = {"well": not bad, "exit_code": code, "looks": [asdict(line) for line in lines]}
        screen().file.write(json.dumps(told, indent=2) + "\n")
    else:
        screen().print(f"\n{len(bad)} to mend" if bad else "\nall is well")
    return code


def _all_looks(world: World | None) -> Iterator[Line]:
    try:
        settings = from_environment(world)
    except Misconfigured as error:
        yield Line("configured", SETTINGS, Finding.BAD, str(error))
        return
    yield from _looks(settings)


def _looks(settings: Settings) -> Iterator[Line]:
    access = open_access(settings)
    yield from _configured(settings)
    identity = _caller(access)
    if isinstance(identity, Line):
        yield identity
        return
    account, arn = identity
    yield Line("reachable", f"{CALLER}: {arn} in account {account}, {access.region}")
    yield _clock(settings)
    yield from _backend(settings, access, account)
    yield from _door(settings, arn)
    yield _autonomy(settings, account)
    yield from look_at_accounts(settings.autonomy, account)
    yield from _reads(settings, access)
    home = Scope(tenant=settings.tenant, account=account, region=access.region)
    yield from _actions(settings, access, arn, home)


def _caller(access: AwsAccess) -> tuple[str, str] | Line:
    """Return who the credentials belong to, or the line that says what is wrong with them or with the way."""
    try:
        return caller(access)
    except (ClientError, BotoCoreError) as error:
        return Line("reachable", f"{CALLER}: {error}", Finding.BAD, _remedy(access, error))


def _remedy(access: AwsAccess, error: Exception) -> str:
    if isinstance(error, ProfileNotFound):
        return "name a profile that exists in AWS_PROFILE, or unset it"
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in: aws login"
    if is_denied(error):
        return "sign in anew, or correct the access key and its secret: STS refuses these credentials"
    if isinstance(error, HTTPClientError | BotoConnectionError):
        where = access.endpoint_url or f"STS of region {access.region}"
        return f"nothing answers at {where}: check AWS_ENDPOINT_URL, AWS_REGION and the network"
    return "check the credentials and the region: aws sts get-caller-identity"


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
    now = _try("reachable", "clock", clock.now, "start the account again: cloudops sim up")
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
    yield from _glass(settings, access, backend.records_table)
    looks: tuple[tuple[str, Callable[[], Any]], ...] = (
        (
            f"queue {names.queue}",
            lambda: access.client("sqs").get_queue_attributes(QueueUrl=open_queue(access, names.queue).url),
        ),
        (f"queue {names.dead_letters}", lambda: open_queue(access, names.dead_letters)),
        (f"rule {names.rule}", lambda: access.client("events").describe_rule(Name=names.rule)),
        (
            f"topic {names.topic}",
            lambda: access.client("sns").get_topic_attributes(TopicArn=backend.topic_arn),
        ),
        (
            f"bucket {backend.bucket}",
            lambda: access.client("s3").list_objects_v2(Bucket=backend.bucket, MaxKeys=1),
        ),
    )
    for what, look in looks:
        found = _try("reachable", what, look, "run: cloudops setup")
        yield found if isinstance(found, Line) else Line("reachable", what)


def _glass(settings: Settings, access: AwsAccess, table: str) -> Iterator[Line]:
    """Count the approvals by break-glass that nobody has reviewed."""
    approvals = ApprovalStore(RecordTable(access.client("dynamodb"), table))
    listed = _try(
        "permitted", "break-glass", lambda: approvals.break_glass(settings.tenant), "run: cloudops setup"
    )
    if isinstance(listed, Line):
        yield listed
        return
    waiting = sum(one.review is None for one in listed)
    if waiting:
        remedy = "look at each and say what you found: cloudops audit break-glass"
        what = f"break-glass: {waiting} of {len(listed)} approvals are not reviewed"
        yield Line("permitted", what, Finding.NOTE, remedy)
    else:
        yield Line("permitted", f"break-glass: {len(listed)} approvals, none waits for review")


def _door(settings: Settings, arn: str) -> Iterator[Line]:
    me = principal_of_caller(arn, settings)
    if me.roles:
        yield Line("permitted", f"at the doors you are {', '.join(role.value for role in me.roles)}")
    else:
        remedy = f"add a pattern that matches {arn} to settings/access.toml"
        yield Line("permitted", "at the doors you hold no role", Finding.NOTE, remedy)
    if settings.connection.world is World.AWS and not me.identity.directory:
        what = f"in a quorum, all that is decided as {me.identity.name} counts as one person"
        yield Line("permitted", what, Finding.NOTE, f"if you are to be told from others: {TELL_APART}")


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
        ("codedeploy:ListApplications", lambda: access.client("codedeploy").list_applications()),
        ("dynamodb:ListTables", lambda: access.client("dynamodb").list_tables(Limit=1)),
        ("lambda:ListFunctions", lambda: access.client("lambda").list_functions(MaxItems=1)),
        ("sqs:ListQueues", lambda: access.client("sqs").list_queues(MaxResults=1)),
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
        return
    yield from look_at_services(settings.autonomy, [service.name for service in topology.services])
    if topology.services:
        yield Line("configured", f"topology: {', '.join(s.name for s in topology.services)}")
    else:
        remedy = "name your services in settings/topology.toml, so that the first look knows what to compare"
        yield Line("configured", "topology: no services", Finding.NOTE, remedy)


def _actions(settings: Settings, access: AwsAccess, arn: str, home: Scope) -> Iterator[Line]:
    if settings.connection.world is World.SIMULATED:
        names = ", ".join(action.name for action in ACTIONS)
        yield Line("permitted", f"actions: {names} (the account's operator may do what its policy lists)")
        return
    yield from look_at_actions(access, arn, home, ACTIONS)
