"""Bring a parameter or feature flag back to the value of an earlier version.

Parameter Store keeps the last hundred versions. PutParameter makes a new version with the old value; it has no client
token, and asked twice it sets the same value
(https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from pydantic import Field

from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.ssm_attributes import attributes_of
from tools.aws.access import AwsAccess
from tools.aws.pages import pages
from tools.redaction import redact
from tools.secret_names import parameter_holds_secret

_PAGE = 50
_PAGES = 100
_TEXT = frozenset({"String", "StringList"})
_SHOWN = 60


class SsmRevert(Parameters):
    """Which parameter goes back to which version's value."""

    name: str = Field(pattern=r"^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", description="The parameter's name.")
    version: int = Field(ge=1, description="The version whose value is put back.")


@dataclass(frozen=True)
class SsmRevertParameter:
    """Puts an earlier value of a parameter back."""

    name: str = "ssm_revert_parameter"
    description: str = (
        "Put the value of an earlier version of a Systems Manager parameter back. Use it when a change of a parameter "
        "or feature flag caused the symptom."
    )
    effect: str = (
        "The parameter gets a new version with the old one's value, description, pattern and data type; what reads it "
        "follows at its next read."
    )
    risk: Risk = Risk.MEDIUM
    repeatable: bool = True
    reads: tuple[str, ...] = ("ssm:GetParameterHistory",)
    preconditions: tuple[str, ...] = (
        "the parameter is a plain text or list: secrets are put back by people",
        "the version is in its history, older than the present one, and has another value",
    )
    blast: str = "one parameter; who reads it cannot be measured, so half of what serves is assumed"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the value of the version that is current now is put back"
    parameters: type[SsmRevert] = SsmRevert
    example: dict[str, Any] = field(default_factory=lambda: {"name": "/shop/basket/timeout-ms", "version": 3})
    example_state: State = field(
        default_factory=lambda: {
            "found": True,
            "name": "/shop/basket/timeout-ms",
            "type": "String",
            "version": 4,
            "value_sha256": _sha256("50"),
            "value": "50",
            "wanted_value": "2000",
            "pattern": "",
            "wanted_pattern": "",
            "versions": {"3": _sha256("2000"), "4": _sha256("50")},
        }
    )

    def permissions(self, params: SsmRevert, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        name = params.name.lstrip("/")
        arn = f"arn:{scope.partition}:ssm:{scope.region}:{scope.account}:parameter/{name}"
        return (IamStatement(actions=("ssm:GetParameterHistory", "ssm:PutParameter"), resources=(arn,)),)

    def target(self, params: SsmRevert) -> str:
        """Name what is acted on."""
        return f"parameter {params.name}"

    def read_state(self, access: AwsAccess, params: SsmRevert) -> State:
        """Read the digest of each version's value; of the present and the wanted one also the beginning.

        Of a parameter whose name says that it is a secret, neither is read, but which versions are equal.
        """
        try:
            history = list(_history(access, params.name))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return {"found": False}
            raise
        current = max(history, key=lambda one: int(one["Version"]))
        wanted = next((one for one in history if one["Version"] == params.version), None)
        digests = _digests(history, params.name)
        return {
            "found": True,
            "name": params.name,
            "type": current["Type"],
            "version": int(current["Version"]),
            "value_sha256": digests[str(current["Version"])],
            "value": _shown(current, params.name),
            "wanted_value": _shown(wanted, params.name) if wanted else None,
            "pattern": current.get("AllowedPattern", ""),
            "wanted_pattern": wanted.get("AllowedPattern", "") if wanted else None,
            "versions": digests,
        }

    def bound(self, state: State) -> State:
        """Bind the present version, which no write leaves as it was, and its value."""
        return {key: state.get(key) for key in ("found", "name", "type", "version", "value_sha256")}

    def expected(self, params: SsmRevert, state: State) -> tuple[ExpectedSignal, ...]:
        """The parameter has the earlier value."""
        wanted = state["versions"].get(str(params.version)) if state["found"] else None
        if wanted is None:
            return ()
        return (
            ExpectedSignal(
                text=f"{params.name} has the value of its version {params.version}",
                direction=Direction.BECOMES,
                within_seconds=60,
                state_key="value_sha256",
                level=wanted,
            ),
        )

    def blast_radius(self, params: SsmRevert, state: State) -> BlastRadius:
        """Name both values; how many read the parameter is not known."""
        if not state["found"]:
            return BlastRadius(text=f"no parameter {params.name}", share=1.0)
        text = f"{params.name}: {state['value']} to {state['wanted_value']}, for everything that reads it"
        if state["wanted_pattern"] not in {None, state["pattern"]}:
            text += f"; its pattern {state['pattern'] or 'none'} to {state['wanted_pattern'] or 'none'}"
        return BlastRadius(text=text, share=0.5)

    def problems(self, params: SsmRevert, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the parameter as it is."""
        if not state["found"]:
            return (f"there is no parameter {params.name}",)
        wanted = state["versions"].get(str(params.version))
        reasons = [
            (state["type"] not in _TEXT, f"it is a {state['type']}: people put those back"),
            (wanted is None, f"its history has no version {params.version}"),
            (wanted == state["value_sha256"], f"it has the value of version {params.version} already"),
            (
                params.version >= state["version"],
                f"version {params.version} is no earlier one: {state['version']} is current",
            ),
        ]
        return tuple(text for stands, text in reasons if stands)

    def inverse(self, params: SsmRevert, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present value back."""
        return {"name": params.name, "version": state["version"]} if state["found"] else None

    def call(self, access: AwsAccess, params: SsmRevert, state: State, token: str) -> dict[str, Any]:
        """Put the version's value, as the history has it.

        A version never changes, but PutParameter takes no condition on the current one: what somebody else sets
        between the look at the state and this call is replaced, and stays in the history. A version that has left
        the history since is botocore's ParamValidationError: nothing was sent.
        """
        history = {int(one["Version"]): one for one in _history(access, params.name)}
        if params.version not in history:
            why = f"the history of {params.name} has no version {params.version} any more"
            raise ParamValidationError(report=why)
        wanted, current = history[params.version], history[max(history)]
        answer = access.client("ssm").put_parameter(
            Name=params.name,
            Value=wanted["Value"],
            Type=wanted["Type"],
            Overwrite=True,
            **attributes_of(wanted, current),
        )
        return {"version": int(answer["Version"])}

    def holds(self, params: SsmRevert, state: State) -> bool:
        """Say whether the parameter has that version's value."""
        wanted = state["versions"].get(str(params.version)) if state["found"] else None
        return wanted is not None and state["value_sha256"] == wanted

    def settled(self, access: AwsAccess, params: SsmRevert, answer: Mapping[str, Any]) -> bool | None:
        """A parameter is set at once; one with another value by now was set by somebody else."""
        return self.holds(params, self.read_state(access, params))


def _history(access: AwsAccess, name: str) -> Iterator[Mapping[str, Any]]:
    """Tell every version, the oldest first: a history that breaks off would lack the present one."""
    request: dict[str, Any] = {"Name": name, "MaxResults": _PAGE, "WithDecryption": False}
    for page in pages(access.client("ssm").get_parameter_history, request, _PAGES, f"the history of {name}"):
        yield from page["Parameters"]


def _sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _digests(history: Sequence[Mapping[str, Any]], name: str) -> dict[str, str]:
    """Return what is equal for versions of equal value.

    A digest of a weak password tells it to whoever tries a list, so a secret has that of its value's first version.
    """
    if not parameter_holds_secret(name):
        return {str(one["Version"]): _sha256(one["Value"]) for one in history}
    first: dict[str, str] = {}
    for one in sorted(history, key=lambda one: int(one["Version"])):
        first.setdefault(one["Value"], f"{name} since version {one['Version']}")
    return {str(one["Version"]): _sha256(first[one["Value"]]) for one in history}


def _shown(version: Mapping[str, Any], name: str) -> str:
    """Return a value as people may read it: never a secret's, and never all of a long one."""
    if version["Type"] not in _TEXT or parameter_holds_secret(name):
        return f"the value of version {version['Version']}"
    text = redact(str(version["Value"]))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
