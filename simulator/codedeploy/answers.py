"""CodeDeploy's records in the shapes of the API reference."""

from collections.abc import Sequence
from typing import Any

from simulator.codedeploy.records import (
    PLATFORM,
    Application,
    Deployment,
    Group,
    Revision,
    Safeguards,
    Status,
)
from simulator.wire.protocol import ACCOUNT, REGION

STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
_TARGET_STATUS = {
    Status.CREATED: "Pending",
    Status.IN_PROGRESS: "InProgress",
    Status.SUCCEEDED: "Succeeded",
    Status.FAILED: "Failed",
    Status.STOPPED: "Failed",
}


def application_answer(application: Application) -> dict[str, Any]:
    """API_ApplicationInfo."""
    return {
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created_at,
        "linkedToGitHub": False,
        "computePlatform": PLATFORM,
    }


def group_answer(group: Group, deployments: Sequence[Deployment]) -> dict[str, Any]:
    """API_DeploymentGroupInfo. `deployments` are the group's, newest first."""
    succeeded = next((one for one in deployments if one.status is Status.SUCCEEDED), None)
    attempted = next(iter(deployments), None)
    return {
        "applicationName": group.application,
        "deploymentGroupId": group.id,
        "deploymentGroupName": group.name,
        "deploymentConfigName": group.config,
        "serviceRoleArn": group.role,
        "computePlatform": PLATFORM,
        "deploymentStyle": STYLE,
        "targetRevision": revision_answer(succeeded.revision) if succeeded else None,
        "lastSuccessfulDeployment": _last(succeeded) if succeeded else None,
        "lastAttemptedDeployment": _last(attempted) if attempted else None,
        **_safeguards(group.safeguards),
    }


def deployment_answer(deployment: Deployment) -> dict[str, Any]:
    """API_DeploymentInfo."""
    problem = deployment.problem
    return {
        "applicationName": deployment.application,
        "deploymentGroupName": deployment.group,
        "deploymentConfigName": deployment.config.name,
        "deploymentId": deployment.id,
        "previousRevision": revision_answer(deployment.previous) if deployment.previous else None,
        "revision": revision_answer(deployment.revision),
        "status": deployment.status.value,
        "errorInformation": {"code": problem[0], "message": problem[1]} if problem else None,
        "createTime": deployment.created_at,
        "startTime": deployment.started_at,
        "completeTime": deployment.completed_at,
        "deploymentOverview": _overview(deployment),
        "description": deployment.description or None,
        "creator": deployment.creator,
        "ignoreApplicationStopFailures": False,
        "updateOutdatedInstancesOnly": False,
        "rollbackInfo": _rollback(deployment),
        "deploymentStyle": STYLE,
        "instanceTerminationWaitTimeStarted": False,
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        "computePlatform": PLATFORM,
        "autoRollbackConfiguration": _safeguards(deployment.safeguards)["autoRollbackConfiguration"],
    }


def target_answer(deployment: Deployment) -> dict[str, Any]:
    """API_DeploymentTarget of a deployment that has started. A target's id is its function's name."""
    target, status = deployment.target, _TARGET_STATUS[deployment.status]
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{target.function}"
    info = {
        "functionName": target.function,
        "functionAlias": target.alias,
        "currentVersion": target.current,
        "targetVersion": target.target,
        "targetVersionWeight": float(deployment.shifted or 0),
    }
    return {
        "deploymentTargetType": "LambdaTarget",
        "lambdaTarget": {
            "deploymentId": deployment.id,
            "targetId": target.function,
            "targetArn": f"{function}:{target.alias}",
            "status": status,
            "lastUpdatedAt": deployment.updated_at,
            "lifecycleEvents": _lifecycle(deployment, status),
            "lambdaFunctionInfo": info,
        },
    }


def revision_answer(revision: Revision) -> dict[str, Any]:
    """API_RevisionLocation."""
    member = "appSpecContent" if revision.type == "AppSpecContent" else "string"
    return {
        "revisionType": revision.type,
        member: {"content": revision.content, "sha256": revision.digest},
    }


def _lifecycle(deployment: Deployment, status: str) -> list[dict[str, Any]]:
    """The events of API_LifecycleEvent: no hook runs, so traffic is all that takes time."""
    events = [
        {
            "lifecycleEventName": "BeforeAllowTraffic",
            "startTime": deployment.started_at,
            "endTime": deployment.started_at,
            "status": "Succeeded",
        },
        {
            "lifecycleEventName": "AllowTraffic",
            "startTime": deployment.started_at,
            "endTime": deployment.completed_at,
            "status": status,
        },
    ]
    done = deployment.status is Status.SUCCEEDED
    after = {
        "lifecycleEventName": "AfterAllowTraffic",
        "startTime": deployment.completed_at if done else None,
        "endTime": deployment.completed_at if done else None,
        "status": "Succeeded" if done else "Skipped" if deployment.is_over else "Pending",
    }
    return [*events, after]


def _overview(deployment: Deployment) -> dict[str, int]:
    names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
    return {name: int(name == _TARGET_STATUS[deployment.status]) for name in names}


def _rollback(deployment: Deployment) -> dict[str, Any] | None:
    if not (deployment.rollback or deployment.rolls_back or deployment.rollback_message):
        return None
    return {
        "rollbackDeploymentId": deployment.rollback,
        "rollbackTriggeringDeploymentId": deployment.rolls_back,
        "rollbackMessage": deployment.rollback_message or None,
    }


def _safeguards(safeguards: Safeguards) -> dict[str, Any]:
    return {
        "alarmConfiguration": {
            "enabled": safeguards.watches,
            "ignorePollAlarmFailure": safeguards.ignores_unread,
            "alarms": [{"name": name} for name in safeguards.alarms],
        },
        "autoRollbackConfiguration": {
            "enabled": safeguards.rolls_back,
            "events": sorted(one.value for one in safeguards.events),
        },
    }


def _last(deployment: Deployment) -> dict[str, Any]:
    """API_LastDeploymentInfo."""
    return {
        "deploymentId": deployment.id,
        "status": deployment.status.value,
        "endTime": deployment.completed_at,
        "createTime": deployment.created_at,
    }
