"""Stop a CodeDeploy deployment that moves a function's alias, and let CodeDeploy take back what it has moved.

CodeDeploy rolls back by a deployment of its own, which gives all traffic to the version that had it. An alias that is
shifted by hand meanwhile would be moved again by the deployment's next step.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from pydantic import Field

from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.lambda_function import (
    FUNCTION,
    SETTLING_SECONDS,
    found,
    function_arn,
    function_metric,
    one_function,
)
from tools.aws.access import AwsAccess
from tools.code_deployment import FUNCTIONS, ROLLBACK, UNDER_WAY, function_target

NAMED = r"^[A-Za-z0-9+=,.@_-]{1,100}$"
"""Names of applications and deployment groups (CodeDeploy API reference)."""
DEPLOYMENT = r"^d-[A-Z0-9]{9}$"
STOPPED, DONE = "Stopped", "Succeeded"
BACK_SECONDS = 180
_ABSENT = frozenset({"DeploymentDoesNotExistException", "DeploymentGroupDoesNotExistException"})
_READS = (
    "codedeploy:GetDeployment",
    "codedeploy:ListDeploymentTargets",
    "codedeploy:GetDeploymentTarget",
)


class CodeDeployStopParameters(Parameters):
    """Which deployment of which group, and which function it is about."""

    application: str = Field(pattern=NAMED, description="The CodeDeploy application's name.")
    group: str = Field(pattern=NAMED, description="The deployment group's name.")
    deployment: str = Field(pattern=DEPLOYMENT, description="The deployment's id.")
    function: str = Field(pattern=FUNCTION, description="The function whose alias it moves.")


@dataclass(frozen=True)
class CodeDeployStop:
    """Stops a deployment, with rollback."""

    name: str = "codedeploy_stop"
    description: str = (
        "Stop a CodeDeploy deployment of a function with rollback. Use it while the deployment is still moving the "
        "alias and the version that it brings caused the symptom."
    )
    effect: str = (
        "The deployment ends as Stopped, and CodeDeploy gives all invocations back to the version that had them, by a "
        "deployment of its own."
    )
    risk: Risk = Risk.MEDIUM
    repeatable: bool = True
    reads: tuple[str, ...] = (*_READS, "lambda:GetAlias")
    preconditions: tuple[str, ...] = (
        "the deployment is of that application, group and function, and is no rollback itself",
        "it is in progress: neither waiting, nor over, nor stopped already",
        "the alias names only the two versions that the deployment moves it between",
    )
    blast: str = "the share of the alias's invocations that the deployment has moved, which goes back"
    reversibility: Reversibility = Reversibility.NONE
    way_back: str = (
        "none: a deployment that was stopped does not go on; the revision goes out again by a new deployment, which is "
        "for people to make"
    )
    parameters: type[CodeDeployStopParameters] = CodeDeployStopParameters
    example: dict[str, Any] = field(
        default_factory=lambda: {
            "application": "mailer",
            "group": "production",
            "deployment": "d-A1B2C3D4E",
            "function": "mailer",
        }
    )
    example_state: State = field(
        default_factory=lambda: {
            "found": True,
            "status": "InProgress",
            "under_way": True,
            "application": "mailer",
            "group": "production",
            "config": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
            "creator": "user",
            "platform": FUNCTIONS,
            "rollback": "",
            "function": "mailer",
            "alias": "live",
            "current": "7",
            "wanted": "8",
            "share": 0.1,
            "versions": {"7": 0.9, "8": 0.1},
        }
    )

    def permissions(self, params: CodeDeployStopParameters, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more; CodeDeploy decides on the deployment's group.

        https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html
        """
        place = f"arn:{scope.partition}:codedeploy:{scope.region}:{scope.account}"
        group = f"{place}:deploymentgroup:{params.application}/{params.group}"
        return (
            IamStatement(actions=(*_READS, "codedeploy:StopDeployment"), resources=(group,)),
            IamStatement(actions=("lambda:GetAlias",), resources=(function_arn(scope, params.function),)),
        )

    def target(self, params: CodeDeployStopParameters) -> str:
        """Name what is acted on."""
        return f"CodeDeploy deployment {params.deployment} of {params.application}/{params.group}"

    def targets(self, params: CodeDeployStopParameters) -> tuple[str, ...]:
        """Name the function whose alias it moves: whatever else changes that meets this."""
        return (one_function(params.function),)

    def read_state(self, access: AwsAccess, params: CodeDeployStopParameters) -> State:
        """Read the deployment, its target, and how the alias shares out invocations."""
        client = access.client("codedeploy")
        try:
            told = client.get_deployment(deploymentId=params.deployment)["deploymentInfo"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return {"found": False}
            raise
        rolled = told.get("rollbackInfo") or {}
        return {
            "found": True,
            "status": told["status"],
            "under_way": told["status"] in UNDER_WAY,
            "application": told["applicationName"],
            "group": told["deploymentGroupName"],
            "config": told["deploymentConfigName"],
            "creator": told.get("creator", ""),
            "platform": told.get("computePlatform", ""),
            "rollback": rolled.get("rollbackDeploymentId", ""),
            **_moved(access, function_target(client, told)),
        }

    def bound(self, state: State) -> State:
        """Bind the deployment and that it goes on; how far it has come changes by itself."""
        keys = ("found", "under_way", "application", "group", "config", "creator", "rollback")
        return {key: state.get(key) for key in (*keys, "function", "alias", "current", "wanted")}

    def expected(self, params: CodeDeployStopParameters, state: State) -> tuple[ExpectedSignal, ...]:
        """The alias sends nothing to the new version any more, and fewer invocations fail."""
        if not state["found"] or state["share"] is None:
            return ()
        return (
            ExpectedSignal(
                text=f"no invocation of {params.function} through {state['alias']} runs version {state['wanted']}",
                direction=Direction.FALLS,
                within_seconds=BACK_SECONDS,
                state_key="share",
                level=0.0,
            ),
            ExpectedSignal(
                text=f"fewer invocations of {params.function} fail",
                direction=Direction.FALLS,
                within_seconds=SETTLING_SECONDS,
                metric=function_metric(params.function, "Errors"),
                no_points=0.0,
            ),
        )

    def blast_radius(self, params: CodeDeployStopParameters, state: State) -> BlastRadius:
        """Say which share of the invocations goes back, now; what cannot be told counts as all."""
        if not state["found"] or state["share"] is None:
            return BlastRadius(text=f"no {self.target(params)} that moves an alias", share=1.0)
        text = (
            f"{state['share']:.0%} of the invocations through {state['alias']} run version {state['current']} again, "
            f"and version {state['wanted']} goes out no further"
        )
        return BlastRadius(text=text, share=round(min(1.0, max(0.0, state["share"])), 6))

    def problems(
        self, params: CodeDeployStopParameters, state: State, *, undoing: bool = False
    ) -> tuple[str, ...]:
        """Return every reason not to do this to the deployment as it is."""
        if not state["found"]:
            return (f"there is no {self.target(params)}",)
        if state["platform"] != FUNCTIONS:
            return (f"{params.deployment} deploys no function but to {state['platform']}",)
        place = f"{state['application']}/{state['group']}"
        found_here = [
            (place != f"{params.application}/{params.group}", f"{params.deployment} is of {place}"),
            (state["creator"] == ROLLBACK, f"{params.deployment} takes another deployment back itself"),
            (not state["under_way"], f"{params.deployment} is {state['status']}, not in progress"),
            (bool(state["rollback"]), f"{params.deployment} is being taken back by {state['rollback']}"),
        ]
        if state["function"] is None:
            found_here.append((True, f"{params.deployment} has not begun to move an alias"))
        elif state["function"] != params.function:
            found_here.append((True, f"{params.deployment} moves an alias of {state['function']}"))
        else:
            others = sorted(set(state["versions"]) - {state["current"], state["wanted"]})
            away = f"{state['alias']} sends invocations to {', '.join(others) or 'nothing'} by now"
            found_here.append((bool(others) or not state["versions"], away))
        return tuple(text for stands, text in found_here if stands)

    def inverse(self, params: CodeDeployStopParameters, state: State) -> dict[str, Any] | None:
        """Return nothing: a stopped deployment does not go on."""
        return None

    def call(
        self, access: AwsAccess, params: CodeDeployStopParameters, state: State, token: str
    ) -> dict[str, Any]:
        """Stop the deployment and let it be rolled back."""
        answer = access.client("codedeploy").stop_deployment(
            deploymentId=params.deployment, autoRollbackEnabled=True
        )
        return {"status": answer.get("status", ""), "message": answer.get("statusMessage", "")}

    def holds(self, params: CodeDeployStopParameters, state: State) -> bool:
        """Say whether the deployment is stopped and is, or was, taken back."""
        return bool(state["found"]) and state["status"] == STOPPED and bool(state["rollback"])

    def settled(
        self, access: AwsAccess, params: CodeDeployStopParameters, answer: Mapping[str, Any]
    ) -> bool | None:
        """Say whether the rollback is done; a deployment that came to its end before the stop failed to be stopped."""
        state = self.read_state(access, params)
        if not state["found"] or state["status"] == DONE:
            return False
        if not state["rollback"]:
            return None
        client = access.client("codedeploy")
        back = client.get_deployment(deploymentId=state["rollback"])["deploymentInfo"]["status"]
        return True if back == DONE else False if back in {"Failed", STOPPED} else None


def _moved(access: AwsAccess, target: Mapping[str, Any] | None) -> State:
    """Return which alias goes from which version to which, and how its invocations are shared out now."""
    nothing = dict.fromkeys(("function", "alias", "current", "wanted", "share"))
    if target is None:
        return {**nothing, "versions": {}}
    wanted = target["targetVersion"]
    moved = {
        "function": target["functionName"],
        "alias": target["functionAlias"],
        "current": target["currentVersion"],
        "wanted": wanted,
    }
    client = access.client("lambda")
    alias = found(client.get_alias, FunctionName=moved["function"], Name=moved["alias"])
    if alias is None:
        return {**moved, "share": None, "versions": {}}
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    versions = {alias["FunctionVersion"]: round(1.0 - sum(weights.values()), 6), **weights}
    return {**moved, "share": float(versions.get(wanted, 0.0)), "versions": dict(sorted(versions.items()))}
