"""A session for one call alone: the executor's role, cut down to the call's exact actions and resources.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: a session may do what both its role and its
session policy allow. CloudTrail shows the session's name and the source identity with the call.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from tools.actions.base import IamStatement
from tools.aws.access import AwsAccess
from tools.errors import CopilotError

SECONDS = 900
"""The shortest session that STS gives."""
POLICY_LIMIT = 2048
_NAME_LIMIT = 64
_FOREIGN = re.compile(r"[^\w+=,.@-]", re.ASCII)


class NotAssumedError(CopilotError):
    """There is no session to make the call with; nothing was sent. The message says why and what to do."""


@dataclass(frozen=True)
class ScopedCall:
    """What a session is for: one action of one incident, with all that it may call, and who stands behind it."""

    incident_id: str
    action_id: str
    action: str
    statements: tuple[IamStatement, ...]
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """A way to AWS for one call, with the names under which CloudTrail shows it."""

    access: AwsAccess
    name: str = ""
    source_identity: str = ""


class Sessions(Protocol):
    """Opens sessions."""

    @property
    def role_arn(self) -> str | None:
        """Name the role that calls are made with, or None where nothing can be written."""
        ...

    def open(self, call: ScopedCall) -> Session:
        """Return a session for one call, or raise `NotAssumedError`."""
        ...


@dataclass(frozen=True)
class RoleSessions:
    """Assumes one role for each call; without a role there is no session, so nothing is written."""

    access: AwsAccess
    role_arn: str | None

    def open(self, call: ScopedCall) -> Session:
        """Assume the role with a policy of the call's statements, tags, and the approver as source identity."""
        if not self.role_arn:
            raise NotAssumedError(
                "this account has no role to act with: name one in settings/autonomy.toml, under [roles]"
            )
        policy, wide = session_policy(call.statements), too_wide(call.action, call.statements)
        if wide is not None:
            raise NotAssumedError(wide)
        name, source = session_name(call), source_identity(call.approved_by)
        try:
            answer = self.access.client("sts").assume_role(
                RoleArn=self.role_arn,
                RoleSessionName=name,
                DurationSeconds=SECONDS,
                Policy=policy,
                Tags=[
                    {"Key": "incident", "Value": call.incident_id},
                    {"Key": "action", "Value": call.action},
                ],
                SourceIdentity=source,
            )
        except (ClientError, BotoCoreError) as error:
            raise NotAssumedError(f"the role {self.role_arn} cannot be assumed: {error}") from error
        given: Any = answer["Credentials"]
        own = replace(
            self.access,
            access_key_id=given["AccessKeyId"],
            secret_access_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
            _clients={},
        )
        return Session(own, name, source)


def sessions_of(role_arn: str) -> str:
    """Return the beginning of the ARN of every session of a role."""
    _, partition, _, _, account, role = role_arn.split(":", 5)
    return f"arn:{partition}:sts::{account}:assumed-role/{role.rpartition('/')[2]}/"


def session_policy(statements: Iterable[IamStatement]) -> str:
    """Return the JSON policy that allows some statements and nothing else."""
    allowed = [
        {"Effect": "Allow", "Action": list(one.actions), "Resource": list(one.resources)}
        for one in statements
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed}, separators=(",", ":"))


def too_wide(action: str, statements: Iterable[IamStatement]) -> str | None:
    """Return why no session can be opened with some statements, or None: their policy is longer than STS takes."""
    if len(session_policy(statements)) <= POLICY_LIMIT:
        return None
    return f"the session policy of {action} has more than {POLICY_LIMIT} characters"


def session_name(call: ScopedCall) -> str:
    """Return the name of a call's session: the same for every attempt at the same action of the same incident."""
    return fitting(f"{call.incident_id[:13]}.{call.action_id}")


def source_identity(approved_by: tuple[str, ...]) -> str:
    """Return who CloudTrail shall name behind the call: who approved it, or the copilot where nobody had to."""
    return fitting("+".join(approved_by)) if approved_by else "cloudops-copilot"


def fitting(text: str) -> str:
    """Return a text in the letters and length that STS takes; what had to be changed ends in its digest."""
    fits = _FOREIGN.sub("-", text)
    if fits == text and 2 <= len(text) <= _NAME_LIMIT:
        return text
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    # The end of an ARN says most.
    return f"{fits[-(_NAME_LIMIT - len(mark) - 1) :].lstrip('-')}.{mark}"
