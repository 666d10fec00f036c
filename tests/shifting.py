"""A deployment of CodeDeploy that is under way, of a function of its own."""

import json

from tests.simulated import SimulatedAccount

IMAGES = "123456789012.dkr.ecr.us-east-1.amazonaws.com/order-confirmer"
SLOW = "CodeDeployDefault.LambdaLinear10PercentEvery10Minutes"
NAME = "shifted"
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}


def appspec(function: str, current: str, target: str) -> dict[str, object]:
    """The revision that moves the alias `live` of a function."""
    moved = {"Name": function, "Alias": "live", "CurrentVersion": current, "TargetVersion": target}
    resource = {function: {"Type": "AWS::Lambda::Function", "Properties": moved}}
    content = json.dumps({"version": 0.0, "Resources": [resource]})
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}


def shifting(account: SimulatedAccount) -> dict[str, str]:
    """A deployment that has moved a tenth of the traffic: its application, group, id and function.

    The one that is under way, or a new one of the same group.
    """
    deploys = account.client("codedeploy")
    where = {"applicationName": NAME, "deploymentGroupName": "production"}
    if NAME not in deploys.list_applications()["applications"]:
        _make(account, where)
    going = deploys.list_deployments(**where, includeOnlyStatuses=["InProgress"])["deployments"]
    if not going:
        # A rollback of the last one comes to its end first.
        account.advance(20)
        going = [deploys.create_deployment(**where, revision=appspec(NAME, "1", "2"))["deploymentId"]]
        account.advance(20)
    return {"application": NAME, "group": "production", "deployment": str(going[0]), "function": NAME}


def _make(account: SimulatedAccount, where: dict[str, str]) -> None:
    functions, deploys = account.client("lambda"), account.client("codedeploy")
    role = f"arn:aws:iam::{account.local['account']}:role/deploys"
    code = {"ImageUri": f"{IMAGES}:0.17.4"}
    functions.create_function(FunctionName=NAME, Code=code, Role=role, PackageType="Image", Publish=True)
    functions.update_function_code(FunctionName=NAME, ImageUri=f"{IMAGES}:0.18.0", Publish=True)
    functions.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
    deploys.create_application(applicationName=NAME, computePlatform="Lambda")
    deploys.create_deployment_group(
        **where, deploymentConfigName=SLOW, serviceRoleArn=role, deploymentStyle=STYLE
    )
