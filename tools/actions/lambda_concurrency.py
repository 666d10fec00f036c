"""Raise a Lambda function's reserved concurrency, or take the reservation away.

Both calls set a value, so that a repeated one changes nothing more. Lambda itself refuses a reservation that would
leave the account's other functions fewer than a hundred
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).
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

MOST_FACTOR = 20


class LambdaConcurrency(Parameters):
    """Which function may run how often at once."""

    function: str = Field(pattern=FUNCTION, description="The function's name.")
    reserved: int | None = Field(
        ge=1, le=1000, description="How often it may run at once; none takes the reservation away."
    )


@dataclass(frozen=True)
class LambdaSetReservedConcurrency:
    """Sets or removes a function's reserved concurrency."""

    name: str = "lambda_set_reserved_concurrency"
    description: str = (
        "Raise or remove the reserved concurrency of a Lambda function. Use it when the function is throttled by its "
        "own reservation."
    )
    effect: str = "The function may run more often at once; what it calls gets more load."
    risk: Risk = Risk.LOW
    repeatable: bool = True
    reads: tuple[str, ...] = ("lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency")
    preconditions: tuple[str, ...] = (
        "the function has a reservation that is not zero: zero is how people stop a function on purpose",
        f"the new one is higher, at most {MOST_FACTOR} times as high, or none",
    )
    blast: str = "the share of the function's present concurrency that is taken away"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the reservation is set to what it is now"
    parameters: type[LambdaConcurrency] = LambdaConcurrency
    example: dict[str, Any] = field(default_factory=lambda: {"function": "mailer", "reserved": 10})
    example_state: State = field(
        default_factory=lambda: {
            "found": True,
            "function_arn": "arn:aws:lambda:eu-west-1:111122223333:function:mailer",
            "reserved": 5,
            "is_reserved": True,
        }
    )

    def permissions(self, params: LambdaConcurrency, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        write = (
            "lambda:DeleteFunctionConcurrency" if params.reserved is None else "lambda:PutFunctionConcurrency"
        )
        return (
            IamStatement(
                actions=("lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency", write),
                resources=(function_arn(scope, params.function),),
            ),
        )

    def target(self, params: LambdaConcurrency) -> str:
        """Name what is acted on."""
        return f"reserved concurrency of Lambda function {params.function}"

    def targets(self, params: LambdaConcurrency) -> tuple[str, ...]:
        """Name the function: whatever else changes it meets this."""
        return (one_function(params.function),)

    def read_state(self, access: AwsAccess, params: LambdaConcurrency) -> State:
        """Read the reservation."""
        client = access.client("lambda")
        function = found(client.get_function_configuration, FunctionName=params.function)
        if function is None:
            return {"found": False}
        answer = client.get_function_concurrency(FunctionName=params.function)
        reserved = answer.get("ReservedConcurrentExecutions")
        return {
            "found": True,
            "function_arn": function["FunctionArn"],
            "reserved": reserved,
            "is_reserved": reserved is not None,
        }

    def bound(self, state: State) -> State:
        """Bind the reservation in place."""
        return {key: state.get(key) for key in ("found", "function_arn", "reserved")}

    def expected(self, params: LambdaConcurrency, state: State) -> tuple[ExpectedSignal, ...]:
        """The function may run more often at once, and is throttled no more."""
        if not state["found"]:
            return ()
        none = params.reserved is None
        return (
            ExpectedSignal(
                text=f"{params.function} has {_told(params.reserved)}",
                direction=Direction.BECOMES,
                within_seconds=60,
                state_key="is_reserved" if none else "reserved",
                level=False if none else params.reserved,
            ),
            ExpectedSignal(
                text=f"{params.function} is throttled no more",
                direction=Direction.FALLS,
                within_seconds=SETTLING_SECONDS,
                metric=function_metric(params.function, "Throttles"),
                level=0.0,
                no_points=0.0,
            ),
        )

    def blast_radius(self, params: LambdaConcurrency, state: State) -> BlastRadius:
        """More takes nothing away; less takes a share away."""
        if not state["found"]:
            return BlastRadius(text=f"no Lambda function {params.function}", share=1.0)
        now, wanted = state["reserved"], params.reserved
        text = f"{params.function}: {_told(now)} to {_told(wanted)}"
        if wanted is None:
            return BlastRadius(text=text, share=0.0)
        # Without a reservation the function may take all that the account has left.
        return BlastRadius(text=text, share=1.0 if now is None else max(0.0, (now - wanted) / max(now, 1)))

    def problems(self, params: LambdaConcurrency, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the function as it is."""
        if not state["found"]:
            return (f"there is no function {params.function}",)
        wanted, now = params.reserved, state["reserved"]
        reasons = [
            (wanted == now, f"it has {_told(now)} already"),
            (not undoing and now is None, "it has no reservation that could hold it back"),
            (now == 0, "its reservation is zero: somebody has stopped it on purpose"),
            (
                not undoing and wanted is not None and now is not None and wanted < now,
                f"{wanted} at once are fewer than the {now} it has",
            ),
            (
                not undoing and wanted is not None and bool(now) and wanted > (now or 0) * MOST_FACTOR,
                f"more than {MOST_FACTOR} times the {now} it has",
            ),
        ]
        return tuple(text for stands, text in reasons if stands)

    def inverse(self, params: LambdaConcurrency, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present reservation back."""
        return {"function": params.function, "reserved": state["reserved"]} if state["found"] else None

    def call(self, access: AwsAccess, params: LambdaConcurrency, state: State, token: str) -> dict[str, Any]:
        """Set the reservation, or take it away."""
        client = access.client("lambda")
        if params.reserved is None:
            client.delete_function_concurrency(FunctionName=params.function)
        else:
            client.put_function_concurrency(
                FunctionName=params.function, ReservedConcurrentExecutions=params.reserved
            )
        return {"reserved": params.reserved}

    def holds(self, params: LambdaConcurrency, state: State) -> bool:
        """Say whether the function has the reservation."""
        return bool(state["found"]) and state["reserved"] == params.reserved

    def settled(self, access: AwsAccess, params: LambdaConcurrency, answer: Mapping[str, Any]) -> bool | None:
        """Say whether the reservation is in place; Lambda may take a moment."""
        return True if self.holds(params, self.read_state(access, params)) else None


def _told(reserved: int | None) -> str:
    return "no reservation" if reserved is None else f"{reserved} at once"
