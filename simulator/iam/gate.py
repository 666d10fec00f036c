"""The gate before every service: who calls is found out, and what they may not do is refused there."""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from simulator.clock import AccountClock
from simulator.iam.evaluation import DeniedError, Principal, allow, trusts
from simulator.iam.matching import Keys
from simulator.iam.needs import UnmappedOperationError, context, needs_of
from simulator.iam.policies import Need
from simulator.iam.resources import Resources
from simulator.iam.signatures import Arrived, is_signed_with, signature_of
from simulator.iam.store import IdentityStore
from simulator.iam.templates import prefix_of
from simulator.iam.wording import Problem, refusal
from simulator.wire.protocol import REGION, AwsError
from simulator.wire.requests import Asked

# The request that is being answered, as it came. What the account asks of itself has none.
arriving: ContextVar[Arrived | None] = ContextVar("arriving", default=None)
# Everyone may ask this, whatever policies say.
_ALWAYS = frozenset({("sts", "GetCallerIdentity")})
_SESSION_KEY = re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>")
_SESSION_END = b"</AssumeRoleResult>"


class UnauthenticatedError(Exception):
    """Nobody the account knows has sent the request; `refusal` is what AWS answers to it."""

    def __init__(self, refusal: AwsError) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass(frozen=True)
class Gate:
    """Refuses what a caller may not do. What the account asks of itself passes."""

    store: IdentityStore
    clock: AccountClock
    resources: Resources

    def check(self, service: str, asked: Asked) -> None:
        """Return where the caller is who it says and may do what it asks; raise AWS's error otherwise.

        `UnauthenticatedError` where nobody knows who asks, else `AwsError`.
        """
        came = arriving.get()
        if came is None or came.is_asked:
            return
        came.is_asked = True
        principal = self._authenticated(service, asked, came)
        if principal.is_root or (service, asked.operation) in _ALWAYS:
            return
        parameters = asked.parameters if isinstance(asked.parameters, dict) else {}
        try:
            self._authorize(principal, service, asked.operation, parameters)
        except DeniedError as error:
            raise refusal(service, asked.form, Problem.DENIED, str(error)) from error
        except UnmappedOperationError as error:
            action = f"{prefix_of(service)}:{asked.operation}"
            sentence = (
                f"User: {principal.arn} is not authorized to perform: {action} because the simulated account "
                "does not know what it needs"
            )
            raise refusal(service, asked.form, Problem.DENIED, sentence) from error

    def assumed(self, asked: Asked, body: Any) -> Any:
        """The answer to AssumeRole with the source identity that the new session keeps."""
        came = arriving.get()
        signature = signature_of(came) if came is not None else None
        parent = self.store.source_identities.get(signature.access_key) if signature else None
        source = parent or asked.parameters.get("SourceIdentity")
        text = body if isinstance(body, bytes) else str(body).encode()
        found = _SESSION_KEY.search(text)
        if not source or found is None:
            return body
        self.store.source_identities[found[1].decode()] = source
        return text.replace(
            _SESSION_END, f"<SourceIdentity>{source}</SourceIdentity>".encode() + _SESSION_END
        )

    def _authenticated(self, service: str, asked: Asked, came: Arrived) -> Principal:
        signature = signature_of(came)
        if signature is None:
            raise UnauthenticatedError(refusal(service, asked.form, Problem.MISSING))
        credential = self.store.credential(signature.access_key)
        if credential is None:
            raise UnauthenticatedError(refusal(service, asked.form, Problem.UNKNOWN))
        if credential.problem:
            raise UnauthenticatedError(refusal(service, asked.form, Problem.EXPIRED))
        if (credential.token or "") != came.headers.get("x-amz-security-token", ""):
            raise UnauthenticatedError(refusal(service, asked.form, Problem.TOKEN))
        if not is_signed_with(came, signature, credential.secret):
            raise UnauthenticatedError(refusal(service, asked.form, Problem.SIGNATURE))
        return self.store.principal(signature.access_key, credential)

    def _authorize(
        self, principal: Principal, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> None:
        if (service, operation) == ("sts", "AssumeRole"):
            return self._assuming(principal, parameters)
        for listed in needs_of(service, operation, parameters):
            need = replace(listed, resource=self.resources.decided_on(listed.resource))
            allow(principal, self._completed(principal, need, service), self.resources.policy(need.resource))
        return None

    def _assuming(self, principal: Principal, parameters: Mapping[str, Any]) -> None:
        """Both sides must let a principal into a role, unless the role's trust names the principal itself."""
        role = str(parameters.get("RoleArn", ""))
        trust = self.store.trust_of(role)
        actions = ["sts:AssumeRole"]
        actions += ["sts:TagSession"] if parameters.get("Tags") else []
        actions += ["sts:SetSourceIdentity"] if parameters.get("SourceIdentity") else []
        for action in actions:
            need = self._completed(principal, Need(action, role, context("sts", parameters)), "sts")
            if trust is None:
                raise DeniedError(principal, need, "because no identity-based policy allows the action")
            ways = trusts(trust, principal, need)
            if not ways:
                text = f"because no resource-based policy allows the {action} action"
                raise DeniedError(principal, need, text)
            allow(principal, need, trust if "principal" in ways else None)

    def _completed(self, principal: Principal, need: Need, service: str) -> Need:
        """The need with the context that every request has, and the resource's tags."""
        now = self.clock.now()
        keys: dict[str, tuple[str, ...]] = {
            "aws:currenttime": (now.isoformat(),),
            "aws:epochtime": (str(int(now.timestamp())),),
            "aws:requestedregion": (REGION,),
            "aws:securetransport": ("false",),
            "aws:sourceip": ("127.0.0.1",),
        }
        prefix = prefix_of(service)
        tags = self.resources.tags(need.resource) if principal.asks_for_tags else {}
        for name, value in tags.items():
            keys[f"aws:resourcetag/{name.lower()}"] = keys[f"{prefix}:resourcetag/{name.lower()}"] = (value,)
        merged: Keys = {**keys, **need.keys}
        return Need(need.action, need.resource, {name: tuple(value) for name, value in merged.items()})
