"""Whom the steps of an execution act as: the role that the document assumes, else whoever started it.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup.html
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from simulator.emulator import Emulator
from simulator.iam.store import IdentityStore
from simulator.principals import Credentials
from simulator.ssm.runbook_parameters import refused_parameters
from simulator.wire.protocol import Call

SERVICE = "ssm.amazonaws.com"

acting: ContextVar[Credentials | None] = ContextVar("acting", default=None)
"""The credentials of the execution whose step is carried out."""

Identify = Callable[[Call, str], Awaitable[Credentials | None]]
"""From the call that starts an execution and the role that its document assumes to the credentials of its steps."""


async def nobody(call: Call, role: str) -> Credentials | None:
    """For an account without principals: clients are whoever their factory makes them."""
    return None


@dataclass(frozen=True)
class Identities:
    """Finds the credentials in an account's IAM. `own` are those of the world's own people, who have no keys."""

    store: IdentityStore
    emulator: Emulator
    own: Credentials

    async def __call__(self, call: Call, role: str) -> Credentials | None:
        """The credentials, or InvalidAutomationExecutionParametersException for a role that cannot be assumed."""
        if role:
            return await self._session(role)
        found = self.store.credential(call.access_key)
        if found is None or found.problem:
            return self.own
        return Credentials(call.access_key, found.secret, found.token)

    async def _session(self, role: str) -> Credentials:
        trust = self.store.trust_of(role)
        if trust is None or not _trusts_automation(json.loads(trust)):
            raise refused_parameters("The defined assume role is unable to be assumed.")
        session = await self.emulator.call_query(
            "sts", "AssumeRole", RoleArn=role, RoleSessionName="Automation"
        )
        return Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


def _trusts_automation(trust: Mapping[str, Any]) -> bool:
    """Whether Systems Manager may take on a role with this trust policy."""
    statements = trust.get("Statement", [])
    for one in statements if isinstance(statements, list) else [statements]:
        named = one.get("Principal", {})
        services = named.get("Service", []) if isinstance(named, dict) else []
        if one.get("Effect") == "Allow" and SERVICE in (
            services if isinstance(services, list) else [services]
        ):
            return True
    return False
