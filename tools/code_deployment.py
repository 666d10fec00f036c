"""What CodeDeploy says of one deployment of a function: which alias it moves between which versions.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_LambdaTarget.html
"""

from collections.abc import Mapping
from typing import Any

FUNCTIONS = "Lambda"
"""The compute platform whose deployments move aliases."""
WAITING = frozenset({"Created", "Queued"})
UNDER_WAY = frozenset({"InProgress", "Baking", "Ready"})
ROLLBACK = "codeDeployRollback"
"""Who CodeDeploy says made a deployment that takes another one back."""


def function_target(client: Any, deployment: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the `lambdaFunctionInfo` of a deployment (API_DeploymentInfo); None before it begins, or of other kinds.

    Two calls, by the target's own id, whatever that is made of. botocore's errors where CodeDeploy refuses.
    """
    if deployment.get("computePlatform") != FUNCTIONS or deployment["status"] in WAITING:
        return None
    if not deployment.get("startTime"):
        return None
    named = {"deploymentId": deployment["deploymentId"]}
    ids = client.list_deployment_targets(**named)["targetIds"]
    if not ids:
        return None
    found = client.get_deployment_target(**named, targetId=ids[0])["deploymentTarget"]
    info = found.get("lambdaTarget", {}).get("lambdaFunctionInfo")
    return dict(info) if info else None
