"""Point a Lambda alias to a version that was published before.

UpdateAlias takes the alias's revision: it is refused when the alias has changed since it was read, so a call that is
repeated never meets another alias than it was meant for
(https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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

_VERSION = r"^[1-9][0-9]{0,8}$"


class LambdaAlias(Parameters):
    """Which alias of which function goes to which version."""

    function: str = Field(pattern=FUNCTION, description="The function's name.")
    alias: str = Field(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="The alias's name.")
    version: str = Field(pattern=_VERSION, description="The version that the alias names.")
    second_version: str | None = Field(
        default=None, pattern=_VERSION, description="The version that takes a share beside it, if one does."
    )
    second_share: float | None = Field(
        default=None, gt=0.0, lt=1.0, description="The share of invocations that the second version takes."
    )


@dataclass(frozen=True)
class LambdaShiftAlias:
    """Shifts an alias to an earlier version."""

    name: str = "lambda_shift_alias"
    description: str = (
        "Point a Lambda alias to a version that was published before. Use it when the version that the alias names "
        "caused the symptom."
    )
    effect: str = "Invocations through the alias run the named version from now on."
    risk: Risk = Risk.MEDIUM
    repeatable: bool = True
    reads: tuple[str, ...] = ("lambda:GetAlias", "lambda:GetFunctionConfiguration")
    preconditions: tuple[str, ...] = (
        "function and alias are there",
        "the named version is active, has other code than the present one, and is older",
    )
    blast: str = "the share of the alias's invocations that runs another version afterwards"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the alias is pointed to the versions and shares it names now"
    parameters: type[LambdaAlias] = LambdaAlias
    example: dict[str, Any] = field(
        default_factory=lambda: {"function": "mailer", "alias": "live", "version": "7"}
    )
    example_state: State = field(
        default_factory=lambda: {
            "found": True,
            "alias_arn": "arn:aws:lambda:eu-west-1:111122223333:function:mailer:live",
            "version": "8",
            "weights": {},
            "revision": "a1b2c3d4-5678-90ab-cdef-11111example",
            "code_sha256": "YourCodeOfVersion8",
            "wanted": {"status": "Active", "code_sha256": "YourCodeOfVersion7"},
        }
    )

    def permissions(self, params: LambdaAlias, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        return (
            IamStatement(
                actions=("lambda:GetAlias", "lambda:GetFunctionConfiguration", "lambda:UpdateAlias"),
                resources=(function_arn(scope, params.function),),
            ),
        )

    def target(self, params: LambdaAlias) -> str:
        """Name what is acted on."""
        return f"alias {params.alias} of Lambda function {params.function}"

    def targets(self, params: LambdaAlias) -> tuple[str, ...]:
        """Name the function: whatever else changes it meets this."""
        return (one_function(params.function),)

    def read_state(self, access: AwsAccess, params: LambdaAlias) -> State:
        """Read the alias, and both versions."""
        client = access.client("lambda")
        alias = found(client.get_alias, FunctionName=params.function, Name=params.alias)
        if alias is None:
            return {"found": False}
        wanted = found(
            client.get_function_configuration, FunctionName=params.function, Qualifier=params.version
        )
        present = found(
            client.get_function_configuration,
            FunctionName=params.function,
            Qualifier=alias["FunctionVersion"],
        )
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        return {
            "found": True,
            "alias_arn": alias["AliasArn"],
            "version": alias["FunctionVersion"],
            "weights": dict(sorted(weights.items())),
            "revision": alias["RevisionId"],
            "code_sha256": present["CodeSha256"] if present else "",
            "wanted": {"status": wanted.get("State", "Active"), "code_sha256": wanted["CodeSha256"]}
            if wanted
            else None,
        }

    def bound(self, state: State) -> State:
        """Bind the alias as it stands, and the code of the wanted version."""
        keys = ("found", "alias_arn", "version", "weights", "revision", "wanted")
        return {key: state.get(key) for key in keys}

    def expected(self, params: LambdaAlias, state: State) -> tuple[ExpectedSignal, ...]:
        """The alias names the version, and fewer invocations fail."""
        if not state["found"]:
            return ()
        return (
            ExpectedSignal(
                text=f"{params.alias} of {params.function} is version {params.version}",
                direction=Direction.BECOMES,
                within_seconds=60,
                state_key="version",
                level=params.version,
            ),
            ExpectedSignal(
                text=f"fewer invocations of {params.function} fail",
                direction=Direction.FALLS,
                within_seconds=SETTLING_SECONDS,
                metric=function_metric(params.function, "Errors"),
                no_points=0.0,
            ),
        )

    def blast_radius(self, params: LambdaAlias, state: State) -> BlastRadius:
        """Sum the shares that change their version."""
        if not state["found"]:
            return BlastRadius(text=f"no {self.target(params)}", share=1.0)
        before, after = _shares(state["version"], state["weights"]), _wanted_shares(params)
        moved = sum(max(0.0, share - before.get(version, 0.0)) for version, share in after.items())
        text = (
            f"{moved:.0%} of the invocations through {params.alias} run version {params.version} afterwards"
        )
        return BlastRadius(text=text, share=min(1.0, round(moved, 6)))

    def problems(self, params: LambdaAlias, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the alias as it is."""
        if not state["found"]:
            return (f"there is no {self.target(params)}",)
        wanted, now = state["wanted"], state["version"]
        if wanted is None:
            return (f"there is no version {params.version} of {params.function}",)
        if not now.isdecimal():
            return (f"the alias names {now}, which is no published version",)
        reasons = [
            ((params.second_version is None) != (params.second_share is None), "a share needs its version"),
            (self.holds(params, state), f"the alias is version {now} already"),
            (wanted["status"] not in {"Active", "Inactive"}, f"version {params.version} is not ready"),
            (not undoing and params.second_version is not None, "a rollback goes to one version alone"),
            (
                not undoing and int(params.version) > int(now),
                f"version {params.version} is newer than {now}: that is no rollback",
            ),
            (
                params.version != now and wanted["code_sha256"] == state["code_sha256"],
                f"version {params.version} has the same code as {now}",
            ),
        ]
        return tuple(text for stands, text in reasons if stands)

    def inverse(self, params: LambdaAlias, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present versions and shares back."""
        if not state["found"] or not state["version"].isdecimal():
            return None
        second = next(iter(state["weights"].items()), (None, None))
        return {
            "function": params.function,
            "alias": params.alias,
            "version": state["version"],
            "second_version": second[0],
            "second_share": second[1],
        }

    def call(self, access: AwsAccess, params: LambdaAlias, state: State, token: str) -> dict[str, Any]:
        """Point the alias, as it was read, to the version."""
        weights = {params.second_version: params.second_share} if params.second_version else {}
        answer = access.client("lambda").update_alias(
            FunctionName=params.function,
            Name=params.alias,
            FunctionVersion=params.version,
            RoutingConfig={"AdditionalVersionWeights": weights},
            RevisionId=state["revision"],
        )
        return {"version": answer["FunctionVersion"], "revision": answer["RevisionId"]}

    def holds(self, params: LambdaAlias, state: State) -> bool:
        """Say whether the alias names the version, with the shares."""
        if not state["found"]:
            return False
        return _shares(state["version"], state["weights"]) == _wanted_shares(params)

    def settled(self, access: AwsAccess, params: LambdaAlias, answer: Mapping[str, Any]) -> bool | None:
        """An alias is shifted at once; one that names another version by now was shifted by somebody else."""
        return self.holds(params, self.read_state(access, params))


def _shares(version: str, weights: Mapping[str, float]) -> dict[str, float]:
    rest = round(1.0 - sum(weights.values()), 6)
    return {version: rest, **weights}


def _wanted_shares(params: LambdaAlias) -> dict[str, float]:
    if params.second_version is None or params.second_share is None:
        return {params.version: 1.0}
    return _shares(params.version, {params.second_version: params.second_share})
