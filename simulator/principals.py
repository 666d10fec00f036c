"""Whom the account knows from the start: the copilot's user, the role it acts with, and the role of Automation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.emulator import Emulator
from simulator.iam.documents import policy_of
from simulator.wire.protocol import ACCOUNT

OPERATOR = "operator"
EXECUTOR_ROLE = "cloudops-executor"
AUTOMATION_ROLE = "AutomationServiceRole"
LONGEST_SESSION = 43_200


@dataclass(frozen=True)
class Credentials:
    """A key to the account."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


async def operator_credentials(emulator: Emulator) -> Credentials:
    """A user of the account with a key of its own, who may do what the account's copilot has to.

    What the copilot changes it changes with sessions of the executor's role, which only this user may take on.
    """
    await emulator.call_query("iam", "CreateUser", UserName=OPERATOR)
    policy = {"PolicyName": OPERATOR, "PolicyDocument": policy_of("operator")}
    await emulator.call_query("iam", "PutUserPolicy", UserName=OPERATOR, **policy)
    key = await emulator.call_query("iam", "CreateAccessKey", UserName=OPERATOR)
    trusted = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{OPERATOR}"},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }
    await _role(emulator, EXECUTOR_ROLE, "executor", [trusted])
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


async def automation_credentials(emulator: Emulator) -> Credentials:
    """A session of the role that Automation documents may assume, and that the world's own people act with."""
    service = {"Service": "ssm.amazonaws.com"}
    trusted = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    await _role(emulator, AUTOMATION_ROLE, "automation", [trusted])
    session = await emulator.call_query(
        "sts",
        "AssumeRole",
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{AUTOMATION_ROLE}",
        RoleSessionName="Automation",
        DurationSeconds=str(LONGEST_SESSION),
    )
    return Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


async def _role(emulator: Emulator, name: str, document: str, trusted: Sequence[Mapping[str, Any]]) -> None:
    """A role with one of the documents as its own policy."""
    trust = json.dumps({"Version": "2012-10-17", "Statement": list(trusted)})
    await emulator.call_query("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust)
    policy = {"PolicyName": name, "PolicyDocument": policy_of(document)}
    await emulator.call_query("iam", "PutRolePolicy", RoleName=name, **policy)
