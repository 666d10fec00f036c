"""A policy document as statements that can be asked whether they apply to a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from simulator.iam.matching import AbsentVariableError, Keys, filled, holds, like, operator_of
from simulator.wire.protocol import ACCOUNT

_ELEMENTS = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
    | {"Principal", "NotPrincipal"}
)
_WITH_VARIABLES = "2012-10-17"


class UnreadablePolicyError(ValueError):
    """A document that AWS would not have taken: whoever it applies to is denied."""


@dataclass(frozen=True)
class Need:
    """One thing that a request needs to be allowed, and the context it is decided in."""

    action: str
    resource: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    allows: bool
    actions: tuple[str, ...]
    other_actions: bool
    resources: tuple[str, ...]
    other_resources: bool
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    principals: Mapping[str, tuple[str, ...]] | None
    other_principals: bool
    fills: bool

    def applies(self, need: Need, keys: Keys) -> bool:
        """Whether the statement speaks of this action on this resource in this context."""
        return (
            self._has_action(need.action)
            and self._has_resource(need.resource, keys)
            and all(holds(name, key, wanted, keys) for name, key, wanted in self.conditions)
        )

    def names(self, arn: str) -> str | None:
        """The way the statement's principals name a caller: itself, the whole account, or not at all."""
        if self.principals is None:
            return None
        named = self.principals.get("AWS", ())
        role = _role_of(arn)
        is_itself = any(one in ("*", arn, role) for one in named)
        if self.other_principals:
            return None if is_itself else "principal"
        if is_itself:
            return "principal"
        return "account" if any(one in (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root") for one in named) else None

    def _has_action(self, action: str) -> bool:
        found = any(like(action.lower(), one) for one in self.actions)
        return found != self.other_actions

    def _has_resource(self, resource: str, keys: Keys) -> bool:
        if not self.resources:
            # A trust policy and its like have none: they stand on their own resource.
            return True
        return any(self._is(resource, one, keys) for one in self.resources) != self.other_resources

    def _is(self, resource: str, pattern: str, keys: Keys) -> bool:
        try:
            return like(resource, filled(pattern, keys) if self.fills else pattern)
        except AbsentVariableError:
            return False


Policy = tuple[Statement, ...]


@lru_cache(maxsize=512)
def read_policy(text: str) -> Policy:
    """The statements of a document; `UnreadablePolicyError` where nobody can evaluate it."""
    try:
        document = json.loads(text)
        statements = document.get("Statement", []) if isinstance(document, dict) else None
        if statements is None:
            raise TypeError("not an object")
        fills = document.get("Version") == _WITH_VARIABLES
        return tuple(_statement(one, fills) for one in _listed(statements))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnreadablePolicyError(str(error)) from error


def _statement(given: dict[str, Any], fills: bool) -> Statement:
    unknown = set(given) - _ELEMENTS
    if unknown or given["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"not a statement: {sorted(unknown) or given['Effect']}")
    other_actions, other_resources = "NotAction" in given, "NotResource" in given
    actions = _listed(given["NotAction" if other_actions else "Action"])
    conditions = tuple(
        (name, key, tuple(_text(one) for one in _listed(wanted)))
        for name, lines in given.get("Condition", {}).items()
        for key, wanted in lines.items()
    )
    for name, _, _ in conditions:
        operator_of(name)
    other_principals = "NotPrincipal" in given
    return Statement(
        allows=given["Effect"] == "Allow",
        actions=tuple(one.lower() for one in actions),
        other_actions=other_actions,
        resources=tuple(_listed(given.get("NotResource" if other_resources else "Resource", []))),
        other_resources=other_resources,
        conditions=conditions,
        principals=_principals(given.get("NotPrincipal" if other_principals else "Principal")),
        other_principals=other_principals,
        fills=fills,
    )


def _principals(given: Any) -> Mapping[str, tuple[str, ...]] | None:
    if given is None:
        return None
    if given == "*":
        return {"AWS": ("*",)}
    return {kind: tuple(_listed(one)) for kind, one in given.items()}


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _role_of(arn: str) -> str:
    """The role behind a session, which principals may name as well as the session."""
    role = arn.partition(":assumed-role/")[2].partition("/")[0]
    return f"arn:aws:iam::{ACCOUNT}:role/{role}" if role else arn
