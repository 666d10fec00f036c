"""SimulatePrincipalPolicy, decided as the gate decides calls: by every policy of a user or role, resource by resource.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
As there, resources' own policies and tags count only where the request brings them, and every action is decided on
every resource. Which statements matched is not told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.iam.evaluation import Principal, decided
from simulator.iam.policies import Need, UnreadablePolicyError, read_policy
from simulator.iam.store import IdentityStore
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import REGION, AwsError, Call

_PAGE = 100
_UNSIMULATED = ("ResourceHandlingOption", "ResourceOwner")


@dataclass(frozen=True)
class SimulationOverlay:
    """Answers IAM's policy simulator over the account's own principals. All else of IAM is the emulator's."""

    store: IdentityStore
    service: str = "iam"
    operations: frozenset[str] = frozenset({"SimulatePrincipalPolicy"})
    exclusive: bool = False

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        given = call.parameters
        unsimulated = [name for name in _UNSIMULATED if name in given]
        if unsimulated:
            raise AwsError("InvalidInput", f"Not simulated: {', '.join(unsimulated)}")
        source = self.store.principal_of(given["PolicySourceArn"])
        if source is None:
            message = f"The entity {given['PolicySourceArn']} cannot be found."
            raise AwsError("NoSuchEntity", message, 404)
        results = list(_results(_with_given(source, given), given, call))
        try:
            listed, marker = page(results, given.get("Marker"), given.get("MaxItems", _PAGE))
        except UnknownTokenError as error:
            raise AwsError("InvalidInput", "The marker is not valid.") from error
        return {"EvaluationResults": listed, "IsTruncated": marker is not None, "Marker": marker}


def _with_given(source: Principal, given: Mapping[str, Any]) -> Principal:
    """The principal with the policies that the request adds and the boundary it puts in the place of its own."""
    added, limit = given.get("PolicyInputList", []), given.get("PermissionsBoundaryPolicyInputList")
    for document in [*added, *(limit or [])]:
        try:
            read_policy(document)
        except UnreadablePolicyError as error:
            raise AwsError("InvalidInput", f"A policy cannot be read: {error}") from error
    boundary = tuple(limit) if limit is not None else source.boundary
    return replace(source, identity=(*source.identity, *added), boundary=boundary)


def _results(principal: Principal, given: Mapping[str, Any], call: Call) -> Iterator[dict[str, Any]]:
    context = {
        "aws:currenttime": (call.at.isoformat(),),
        "aws:epochtime": (str(int(call.at.timestamp())),),
        "aws:requestedregion": (REGION,),
    }
    for entry in given.get("ContextEntries", []):
        context[entry["ContextKeyName"].lower()] = tuple(entry.get("ContextKeyValues", []))
    for action in given["ActionNames"]:
        for resource in given.get("ResourceArns", ["*"]):
            need = Need(action, resource, context)
            result = {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decided(principal, need, given.get("ResourcePolicy")),
                "MatchedStatements": [],
                "MissingContextValues": _missing(principal, need),
            }
            if principal.boundary is not None:
                free = replace(principal, identity=(_ANYTHING,))
                is_inside = decided(free, need, None) == "allowed"
                result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": is_inside}
            yield result


_ANYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


def _missing(principal: Principal, need: Need) -> list[str]:
    """The condition keys that the policies ask for and nobody has given."""
    known = {**principal.keys, **need.keys}
    documents = (*principal.identity, *(principal.boundary or ()))
    asked = {
        key
        for document in documents
        for statement in _statements(document)
        for _, key, _ in statement.conditions
    }
    return sorted(key for key in asked if key.lower() not in known)


def _statements(document: str) -> tuple[Any, ...]:
    try:
        return read_policy(document)
    except UnreadablePolicyError:
        return ()
