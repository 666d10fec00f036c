"""Set a parameter to another of the values that its owner allows.

A parameter's AllowedPattern is what its owner says of its values
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html). Only a pattern that lists them,
`^(a|b|a,b)$`, says which value may be chosen; one that describes them, `^[0-9]+$`, leaves the choice to people.
PutParameter has no client token, and asked twice it sets the same value.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.ssm_attributes import attributes_of
from tools.aws.access import AwsAccess
from tools.aws.pages import pages

_PAGES = 20
_TEXT = frozenset({"String", "StringList"})
_LIST = re.compile(r"\^\((?:\?:)?([^()]*)\)\$")
_VALUE = re.compile(r"(?:[A-Za-z0-9_,:/=-]|\\[.+-])+")
"""A value in a pattern: characters that stand for themselves, as they are or behind a backslash."""


class SsmAllowedValue(Parameters):
    """Which parameter is set to which of its values."""

    name: str = Field(pattern=r"^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", description="The parameter's name.")
    value: str = Field(
        pattern=r"^[A-Za-z0-9_.,:/=+-]{1,100}$",
        description="The value: one of those that the parameter's AllowedPattern lists.",
    )


@dataclass(frozen=True)
class SsmSetAllowedValue:
    """Chooses among the values that a parameter's owner has listed."""

    name: str = "ssm_set_allowed_value"
    description: str = (
        "Set a Systems Manager parameter to another of the values that its AllowedPattern lists. Use it when the team "
        "has declared that the parameter takes what is ill out of use."
    )
    effect: str = "The parameter gets a new version; what reads it follows at its next read."
    risk: Risk = Risk.HIGH
    repeatable: bool = True
    reads: tuple[str, ...] = ("ssm:DescribeParameters", "ssm:GetParameter")
    preconditions: tuple[str, ...] = (
        "the parameter is a plain text or list, and its AllowedPattern lists values: ^(one|other)$",
        "the value and the present one are both listed, and differ",
    )
    blast: str = "one parameter; who reads it cannot be measured, so half of what serves is assumed"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the parameter is set to the value it has now, which is listed too"
    parameters: type[SsmAllowedValue] = SsmAllowedValue
    example: dict[str, Any] = field(
        default_factory=lambda: {"name": "/shop/basket/providers", "value": "second"}
    )
    example_state: State = field(
        default_factory=lambda: {
            "found": True,
            "name": "/shop/basket/providers",
            "type": "String",
            "pattern": "^(first|second)$",
            "attributes": {"Description": "", "AllowedPattern": "^(first|second)$"},
            "allowed": ["first", "second"],
            "version": 1,
            "value": "first",
            "value_sha256": hashlib.sha256(b"first").hexdigest(),
        }
    )

    def permissions(self, params: SsmAllowedValue, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more; DescribeParameters knows no resources."""
        name = params.name.lstrip("/")
        arn = f"arn:{scope.partition}:ssm:{scope.region}:{scope.account}:parameter/{name}"
        return (
            IamStatement(actions=("ssm:DescribeParameters",), resources=("*",)),
            IamStatement(actions=("ssm:GetParameter", "ssm:PutParameter"), resources=(arn,)),
        )

    def target(self, params: SsmAllowedValue) -> str:
        """Name what is acted on."""
        return f"parameter {params.name}"

    def read_state(self, access: AwsAccess, params: SsmAllowedValue) -> State:
        """Read the parameter's value, and what its owner allows; never a secret's."""
        ssm = access.client("ssm")
        one = _described(ssm, params.name)
        if one is None:
            return {"found": False}
        pattern = str(one.get("AllowedPattern", ""))
        state = {
            "found": True,
            "name": params.name,
            "type": one["Type"],
            "pattern": pattern,
            "attributes": attributes_of(one, one),
            "allowed": listed_values(pattern),
        }
        if one["Type"] not in _TEXT:
            return {**state, "version": int(one["Version"]), "value": "", "value_sha256": ""}
        now = ssm.get_parameter(Name=params.name)["Parameter"]
        value = str(now["Value"])
        # A value that is not listed may be anything: it is bound, and not shown.
        shown = value if value in state["allowed"] else ""
        digest = hashlib.sha256(value.encode()).hexdigest()
        return {**state, "version": int(now["Version"]), "value": shown, "value_sha256": digest}

    def bound(self, state: State) -> State:
        """Bind the present version, its value and what is allowed."""
        keys = ("found", "name", "type", "version", "value_sha256", "pattern")
        return {key: state.get(key) for key in keys}

    def expected(self, params: SsmAllowedValue, state: State) -> tuple[ExpectedSignal, ...]:
        """The parameter has the value."""
        if not state["found"]:
            return ()
        return (
            ExpectedSignal(
                text=f"{params.name} is {params.value}",
                direction=Direction.BECOMES,
                within_seconds=60,
                state_key="value",
                level=params.value,
            ),
        )

    def blast_radius(self, params: SsmAllowedValue, state: State) -> BlastRadius:
        """Name both values; how many read the parameter is not known."""
        if not state["found"]:
            return BlastRadius(text=f"no parameter {params.name}", share=1.0)
        text = f"{params.name}: {state['value']} to {params.value}, for everything that reads it"
        return BlastRadius(text=text, share=0.5)

    def problems(self, params: SsmAllowedValue, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the parameter as it is; an undo is held to the list too."""
        if not state["found"]:
            return (f"there is no parameter {params.name}",)
        if state["type"] not in _TEXT:
            return (f"it is a {state['type']}: people set those",)
        if not state["allowed"]:
            return ("its AllowedPattern lists no values: people choose one",)
        among = ", ".join(state["allowed"])
        reasons = [
            (params.value not in state["allowed"], f"{params.value} is none of its values: {among}"),
            (not state["value"], f"its present value is none of those that are listed: {among}"),
            (state["value"] == params.value, f"it is {params.value} already"),
        ]
        return tuple(text for stands, text in reasons if stands)

    def inverse(self, params: SsmAllowedValue, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present value back, if it is listed."""
        if not state["found"] or not state["value"]:
            return None
        return {"name": params.name, "value": state["value"]}

    def call(self, access: AwsAccess, params: SsmAllowedValue, state: State, token: str) -> dict[str, Any]:
        """Set the value, with all that the parameter has; by its pattern AWS checks the value once more."""
        answer = access.client("ssm").put_parameter(
            Name=params.name,
            Value=params.value,
            Type=state["type"],
            Overwrite=True,
            **state["attributes"],
        )
        return {"version": int(answer["Version"])}

    def holds(self, params: SsmAllowedValue, state: State) -> bool:
        """Say whether the parameter has the value."""
        return bool(state["found"]) and bool(state["value"] == params.value)

    def settled(self, access: AwsAccess, params: SsmAllowedValue, answer: Mapping[str, Any]) -> bool | None:
        """A parameter is set at once; one with another value by now was set by somebody else."""
        return self.holds(params, self.read_state(access, params))


def _described(ssm: Any, name: str) -> Mapping[str, Any] | None:
    """Return what is told of a parameter beside its value, or None where there is none.

    A page may be empty though another follows: Systems Manager tells what it came across up to its own limit
    (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html).
    """
    request: dict[str, Any] = {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": [name]}]}
    told = pages(ssm.describe_parameters, request, _PAGES, f"what is told of the parameter {name}")
    return next((one for page in told for one in page["Parameters"]), None)


def listed_values(pattern: str) -> list[str]:
    """Return the values that an AllowedPattern lists; none where it describes values instead of listing them."""
    whole = _LIST.fullmatch(pattern)
    values = whole.group(1).split("|") if whole else []
    if not all(_VALUE.fullmatch(one) for one in values):
        return []
    return [one.replace("\\", "") for one in values]
