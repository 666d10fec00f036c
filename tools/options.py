"""What could be done about a cause, with exact parameters read from live state. A plan chooses among these."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory.records.assessment import Assessment, CauseKind, Hypothesis, Verdict
from memory.records.config import Topology
from memory.records.plan import PlannedAction
from tools.actions.registry import read_parameters
from tools.aws.access import AwsAccess
from tools.errors import classify

HEADROOM = 1.5
CAPACITY_PARAMETERS = {"TableName", "WriteCapacityUnits"}


@dataclass(frozen=True)
class _Place:
    access: AwsAccess
    topology: Topology


def options(access: AwsAccess, assessment: Assessment, topology: Topology) -> tuple[PlannedAction, ...]:
    """Return the catalogue actions that fit the leading hypothesis and whose preconditions hold now.

    Raises the copilot's own errors when AWS cannot be asked: not knowing is not the same as having no option.
    """
    leading = assessment.leading
    if assessment.verdict is not Verdict.CAUSE or leading is None:
        return ()
    find = _FINDERS.get(leading.kind)
    if find is None:
        return ()
    try:
        found = find(_Place(access, topology), leading)
        return tuple(planned for planned in found if _holds(access, planned))
    except (ClientError, BotoCoreError) as error:
        raise classify(error, f"options for {leading.component}") from error


def _holds(access: AwsAccess, planned: PlannedAction) -> bool:
    action, asked = read_parameters(planned)
    return not action.problems(asked, action.read_state(access, asked))


def _rollback(place: _Place, cause: Hypothesis) -> list[PlannedAction]:
    """Offer the newest earlier revision that the service has run."""
    service = place.topology.service(cause.component)
    if service is None or service.cluster is None or cause.change is None:
        return []
    previous = _previous_revision(place.access, service.cluster, service.name, cause.change)
    if previous is None:
        return []
    parameters = {"cluster": service.cluster, "service": service.name, "task_definition": previous}
    why = f"{cause.change} broke {service.name}; {previous} ran before it"
    return [PlannedAction(action="ecs_rollback_service", parameters=parameters, why=why)]


def _previous_revision(access: AwsAccess, cluster: str, service: str, change: str) -> str | None:
    """Return what ran before a change: by the service's own deployments, else the next older active revision."""
    client = access.client("ecs")
    rollouts = client.list_service_deployments(cluster=cluster, service=service, maxResults=20)
    arns = [r["serviceDeploymentArn"] for r in rollouts.get("serviceDeployments", [])]
    for arn in arns:
        described = client.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
        found = _source_of(client, described[0], change) if described else None
        if found:
            return found
    family = change.split(":")[0]
    listed = client.list_task_definitions(familyPrefix=family, status="ACTIVE", sort="DESC", maxResults=20)
    revisions = [str(arn).rsplit("/", 1)[-1] for arn in listed["taskDefinitionArns"]]
    number = int(change.rsplit(":", 1)[-1])
    return next((r for r in revisions if r.split(":")[0] == family and int(r.split(":")[1]) < number), None)


def _source_of(client: Any, deployment: dict[str, Any], change: str) -> str | None:
    """Return the revision that a deployment replaced, if the deployment is the one that brought the change."""
    target = deployment.get("targetServiceRevision", {}).get("arn")
    sources = [source["arn"] for source in deployment.get("sourceServiceRevisions", [])]
    if not target or not sources:
        return None
    revisions = client.describe_service_revisions(serviceRevisionArns=[target, *sources])["serviceRevisions"]
    definitions = {r["serviceRevisionArn"]: r["taskDefinition"].rsplit("/", 1)[-1] for r in revisions}
    if definitions.get(target) != change:
        return None
    return next((definitions[arn] for arn in sources if arn in definitions), None)


def _capacity(place: _Place, cause: Hypothesis) -> list[PlannedAction]:
    """Offer the capacity that the observed demand needs, with headroom, by a document that can set it."""
    document = _capacity_document(place.access)
    if document is None:
        return []
    table = place.access.client("dynamodb").describe_table(TableName=cause.component)["Table"]
    now = int(table["ProvisionedThroughput"]["WriteCapacityUnits"])
    units = max(math.ceil(now * HEADROOM), now + 1) * 2
    parameters = {"table": cause.component, "write_capacity_units": units, "document": document}
    why = f"{cause.component} throttles at {now} write units; {units} leave room"
    return [PlannedAction(action="dynamodb_set_write_capacity", parameters=parameters, why=why)]


def _capacity_document(access: AwsAccess) -> str | None:
    """Return the account's own Automation document whose parameters are a table and its write units."""
    ssm = access.client("ssm")
    filters = [{"Key": "Owner", "Values": ["Self"]}, {"Key": "DocumentType", "Values": ["Automation"]}]
    for listed in ssm.list_documents(Filters=filters)["DocumentIdentifiers"]:
        described = ssm.describe_document(Name=listed["Name"])["Document"]
        names = {parameter["Name"] for parameter in described.get("Parameters", [])}
        if names >= CAPACITY_PARAMETERS:
            return str(listed["Name"])
    return None


_FINDERS: dict[CauseKind, Callable[[_Place, Hypothesis], list[PlannedAction]]] = {
    CauseKind.DEPLOYMENT: _rollback,
    CauseKind.CAPACITY: _capacity,
}
