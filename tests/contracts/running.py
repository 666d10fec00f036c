"""Contracts of what the copilot looks at and changes in running services: ECS and Systems Manager."""

from typing import Any

from tests.contracts.contract import Asks, Contract
from tests.contracts.place import ABSENT, Place

NO_EXECUTION = "00000000-0000-4000-8000-000000000000"


def _service(**more: Any) -> Asks:
    return lambda place: {"cluster": place.the("cluster"), "service": place.the("service"), **more}


def _services(cluster: str = "") -> Asks:
    return lambda place: {"cluster": cluster or place.the("cluster"), "services": [place.the("service")]}


def _deployment(place: Place) -> dict[str, Any]:
    ecs = place.admin("ecs")
    listed = ecs.list_service_deployments(cluster=place.the("cluster"), service=place.the("service"))
    return {"serviceDeploymentArns": [listed["serviceDeployments"][0]["serviceDeploymentArn"]]}


def _revision(place: Place) -> dict[str, Any]:
    described = place.admin("ecs").describe_service_deployments(**_deployment(place))["serviceDeployments"]
    return {"serviceRevisionArns": [described[0]["targetServiceRevision"]["arn"]]}


ECS = (
    Contract(
        *("ecs", "ListClusters", lambda _: {}, "clusterArns"),
        *(lambda _: {"nextToken": "not a token"}, "InvalidParameterException"),
    ),
    Contract(
        *("ecs", "DescribeClusters", lambda place: {"clusters": [place.the("cluster")]}, "clusters"),
        *(lambda _: {"clusters": [f"c{number}" for number in range(101)]}, "InvalidParameterException"),
    ),
    Contract(
        "ecs", "DescribeServices", _services(), "services", _services(ABSENT), "ClusterNotFoundException"
    ),
    Contract(
        *("ecs", "ListServiceDeployments", _service(), "serviceDeployments"),
        *(lambda place: {"cluster": place.the("cluster"), "service": ABSENT}, "ServiceNotFoundException"),
    ),
    Contract(
        *("ecs", "DescribeServiceDeployments", _deployment, "serviceDeployments"),
        *(lambda _: {"serviceDeploymentArns": []}, "InvalidParameterException"),
    ),
    Contract(
        *("ecs", "DescribeServiceRevisions", _revision, "serviceRevisions"),
        *(lambda _: {"serviceRevisionArns": []}, "InvalidParameterException"),
    ),
    Contract(
        *("ecs", "DescribeTaskDefinition", lambda place: {"taskDefinition": place.the("task_definition")}),
        *("taskDefinition", lambda _: {"taskDefinition": ABSENT}, "ClientException"),
    ),
    Contract(
        *("ecs", "UpdateService", _service(), "service"),
        *(lambda place: {"cluster": place.the("cluster"), "service": ABSENT}, "ServiceNotFoundException"),
    ),
)
SSM = (
    Contract(
        *("ssm", "GetParameter", lambda place: {"Name": place.the("parameter")}, "Parameter"),
        *(lambda _: {"Name": ABSENT}, "ParameterNotFound"),
    ),
    Contract(
        *("ssm", "GetDocument", lambda place: {"Name": place.the("document")}, "Content"),
        *(lambda _: {"Name": ABSENT}, "InvalidDocument"),
    ),
    Contract(
        *("ssm", "ListDocuments", lambda _: {"MaxResults": 1}, "DocumentIdentifiers"),
        *(lambda _: {"NextToken": "not a token"}, "InvalidNextToken"),
    ),
    Contract(
        *("ssm", "StartAutomationExecution", lambda place: place.runbook(), "AutomationExecutionId"),
        *(lambda _: {"DocumentName": ABSENT}, "AutomationDefinitionNotFoundException"),
    ),
    Contract(
        "ssm",
        "GetAutomationExecution",
        lambda place: {"AutomationExecutionId": place.execution()},
        "AutomationExecution",
        lambda _: {"AutomationExecutionId": NO_EXECUTION},
        "AutomationExecutionNotFoundException",
    ),
)


def _said(model: str = "") -> Asks:
    message = {"role": "user", "content": [{"text": "hello"}]}
    return lambda place: {"modelId": model or place.the("model"), "messages": [message]}


def _silent(place: Place) -> dict[str, Any]:
    return {"modelId": place.the("model"), "messages": [{"role": "assistant", "content": [{"text": "x"}]}]}


def _guarded(guardrail: str = "") -> Asks:
    text = {"source": "INPUT", "content": [{"text": {"text": "hello"}}], "guardrailVersion": "DRAFT"}
    return lambda place: {**text, "guardrailIdentifier": guardrail or place.the("guardrail")}


_CHECK = {"promptAttack": {"categories": [{"category": "JAILBREAK"}]}}
BEDROCK = (
    Contract(
        *("bedrock", "ListFoundationModels", lambda _: {}, "modelSummaries"),
        *(lambda _: {"byInferenceType": "SOMETIMES"}, "ValidationException"),
    ),
    Contract(
        *("bedrock", "GetInferenceProfile"),
        lambda place: {"inferenceProfileIdentifier": place.the("profile")},
        "inferenceProfileArn",
        lambda _: {"inferenceProfileIdentifier": "us.absent.model-v1:0"},
        "ResourceNotFoundException",
    ),
    Contract(
        *("bedrock-runtime", "Converse", _said(), "output", _silent, "ValidationException"),
        "bedrock:InvokeModel",
    ),
    Contract(
        *("bedrock-runtime", "ConverseStream", _said(), "stream", _silent, "ValidationException"),
        "bedrock:InvokeModelWithResponseStream",
    ),
    Contract(
        *("bedrock-runtime", "ApplyGuardrail", _guarded(), "action"),
        *(_guarded("absent00"), "ResourceNotFoundException"),
    ),
    Contract(
        "bedrock-runtime",
        "InvokeGuardrailChecks",
        lambda _: {"messages": [{"role": "user", "content": [{"text": "hello"}]}], "checks": _CHECK},
        "results",
        lambda _: {"messages": [], "checks": _CHECK},
        "ValidationException",
    ),
)
CONTRACTS = (*ECS, *SSM, *BEDROCK)
