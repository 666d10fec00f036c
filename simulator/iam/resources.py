"""What resources carry themselves that decides who may use them: queue and topic policies, and tags."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from simulator.wire.protocol import ACCOUNT, REGION

TagsOf = Callable[[str], Mapping[str, str]]
GroupOf = Callable[[str], str | None]
_ANY_GROUP = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:*/*"
_DEPLOYMENT = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deployment:"


class Resources:
    """Finds a resource's own policy and its tags by ARN.

    `overlaid` finds the tags the overlays keep, `group_of` the deployment group of a deployment's id.
    """

    def __init__(self, overlaid: TagsOf, group_of: GroupOf = lambda _: None) -> None:
        self._overlaid = overlaid
        self._group_of = group_of
        self._policies: Any = importlib.import_module("ministack.core.iam_evaluator")
        self._tagging: Any = importlib.import_module("ministack.services.tagging")
        self._responses: Any = importlib.import_module("ministack.core.responses")

    def decided_on(self, arn: str) -> str:
        """The resource that policies name: a deployment has no ARN, and is its group's."""
        if not arn.startswith(_DEPLOYMENT):
            return arn
        return self._group_of(arn.removeprefix(_DEPLOYMENT)) or _ANY_GROUP

    def policy(self, arn: str) -> str | None:
        """The policy of a queue or topic, where it has one."""
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        if service not in ("sns", "sqs"):
            return None
        with self._responses.request_scope(ACCOUNT, REGION):
            found = self._policies._resource_policy(service, arn)
        return str(found[0]) if found and found[0] else None

    def tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a resource."""
        if not arn.startswith("arn:"):
            return {}
        if found := self._overlaid(arn):
            return found
        with self._responses.request_scope(ACCOUNT, REGION):
            return self._tagging.resource_tags(arn) or {}
