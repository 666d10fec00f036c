"""Principals of an account, made for a test."""

import json
from dataclasses import dataclass
from typing import Any

from tests.simulated import Credentials, SimulatedAccount

ACCOUNT = "123456789012"


def document(*statements: dict[str, Any]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allowing(*actions: str, on: Any = "*", **given: Any) -> dict[str, Any]:
    """A statement that allows actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **given}


def trusting(*principals: str, actions: Any = ("sts:AssumeRole",), **given: Any) -> str:
    """A trust policy that lets principals in."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": list(actions), **given}
    return document(statement)


@dataclass(frozen=True)
class Someone:
    """A user or a session, and its way to the account."""

    account: SimulatedAccount
    arn: str
    keys: Credentials
    token: str | None = None

    def client(self, service: str) -> Any:
        """A client with this one's key."""
        return self.account.client_of(service, self.keys, self.token)


def user(account: SimulatedAccount, name: str, *statements: dict[str, Any], **given: Any) -> Someone:
    """A user with an inline policy of these statements."""
    iam = account.client("iam")
    arn = iam.create_user(UserName=name, **given)["User"]["Arn"]
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Someone(account, arn, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))


def role(account: SimulatedAccount, name: str, trust: str, *statements: dict[str, Any], **given: Any) -> str:
    """A role with an inline policy of these statements."""
    iam = account.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **given)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return str(arn)


def session(who: Someone, role_arn: str, name: str = "incident-7", **given: Any) -> Someone:
    """The session of a role that someone takes on."""
    answer = who.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=name, **given)
    keys = answer["Credentials"]
    return Someone(
        who.account,
        answer["AssumedRoleUser"]["Arn"],
        Credentials(keys["AccessKeyId"], keys["SecretAccessKey"]),
        keys["SessionToken"],
    )
