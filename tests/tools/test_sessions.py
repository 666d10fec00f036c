import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.scope import Scope
from tests.simulated import SimulatedAccount
from tools.actions.base import IamStatement
from tools.aws.access import AwsAccess
from tools.aws.sessions import (
    NotAssumedError,
    RoleSessions,
    ScopedCall,
    fitting,
    session_policy,
    sessions_of,
    source_identity,
)
from tools.signing import KmsKey

ROLE = "arn:aws:iam::{}:role/cloudops-executor"
PERSON = "arn:aws:sts::123456789012:assumed-role/cloudops-approver/ada@example.com"


def _access(account: SimulatedAccount) -> AwsAccess:
    who = account.credentials
    region = account.local["region"]
    return AwsAccess(region, account.endpoint, who.access_key_id, who.secret_access_key)


@pytest.fixture
def account(shared_accounts: Callable[..., SimulatedAccount]) -> SimulatedAccount:
    return shared_accounts("bad-deployment")


def _sessions(account: SimulatedAccount, role: str | None = None) -> tuple[RoleSessions, Scope]:
    access = _access(account)
    number = access.client("sts").get_caller_identity()["Account"]
    return RoleSessions(access, role or ROLE.format(number)), Scope(account=number, region=access.region)


def _call(scope: Scope) -> ScopedCall:
    service = f"arn:aws:ecs:{scope.region}:{scope.account}:service/storefront/checkout"
    statements = (IamStatement(actions=("ecs:DescribeServices",), resources=(service,)),)
    return ScopedCall("5f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a001", "56de5fd6e4c3-0", "look", statements, (PERSON,))


def test_a_session_may_do_its_call_and_nothing_else(account: SimulatedAccount) -> None:
    sessions, scope = _sessions(account)
    ecs = sessions.open(_call(scope)).access.client("ecs")

    assert ecs.describe_services(cluster="storefront", services=["checkout"])["services"]
    refused: list[Callable[[], Any]] = [
        lambda: ecs.describe_services(cluster="storefront", services=["web"]),
        lambda: ecs.update_service(cluster="storefront", service="checkout", desiredCount=1),
        lambda: ecs.list_clusters(),
    ]
    for call in refused:
        with pytest.raises(ClientError, match=r"not authorized|AccessDenied"):
            call()


def test_the_account_sees_the_action_and_who_stands_behind_it(account: SimulatedAccount) -> None:
    sessions, scope = _sessions(account)
    session = sessions.open(_call(scope))
    arn = session.access.client("sts").get_caller_identity()["Arn"]

    assert arn == f"{sessions_of(sessions.role_arn or '')}{session.name}"
    assert session.name == "5f0a3ad8-91c1.56de5fd6e4c3-0"
    assert (
        session.source_identity == source_identity((PERSON,)) and "ada@example.com" in session.source_identity
    )


def test_without_a_role_there_is_no_session() -> None:
    with pytest.raises(NotAssumedError, match=r"settings/autonomy\.toml"):
        RoleSessions(AwsAccess("us-east-1"), None).open(ScopedCall("i", "a", "n", ()))


def test_a_role_that_does_not_trust_the_caller_opens_none(account: SimulatedAccount) -> None:
    sessions, scope = _sessions(account, ROLE.format("123456789012").replace("cloudops-executor", "nobody"))

    with pytest.raises(NotAssumedError, match="cannot be assumed"):
        sessions.open(_call(scope))


def test_a_policy_that_sts_would_not_take_is_refused_here() -> None:
    many = tuple(f"arn:aws:s3:::{n:0100}" for n in range(30))
    call = ScopedCall("i", "a", "n", (IamStatement(actions=("s3:GetObject",), resources=many),))

    with pytest.raises(NotAssumedError, match="2048"):
        RoleSessions(AwsAccess("us-east-1"), ROLE.format("1")).open(call)


def test_the_policy_names_exactly_what_was_declared() -> None:
    statement = IamStatement(actions=("ecs:UpdateService",), resources=("arn:1", "arn:2"))

    (said,) = json.loads(session_policy((statement,)))["Statement"]
    assert said == {"Effect": "Allow", "Action": ["ecs:UpdateService"], "Resource": ["arn:1", "arn:2"]}


@pytest.mark.parametrize("text", ["", "a", "ada", "a b", "ü", PERSON, "x" * 500])
def test_a_name_fits_what_sts_takes_and_tells_apart(text: str) -> None:
    made = fitting(text)

    assert 2 <= len(made) <= 64 and all(c.isalnum() or c in "_+=,.@-" for c in made) and made.isascii()
    assert fitting(text + "!") != made


def test_a_key_of_kms_signs_and_knows_its_own(account: SimulatedAccount) -> None:
    made = account.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    root = account.root
    access = AwsAccess(account.local["region"], account.endpoint, root.access_key_id, root.secret_access_key)
    key = KmsKey(access, made["KeyMetadata"]["KeyId"])

    signature = key.sign("yes" * 5000)
    assert key.knows("yes" * 5000, signature)
    assert not any(
        key.knows(*one) for one in [("no", signature), ("yes" * 5000, ""), ("yes" * 5000, "!"), ("x", "AAAA")]
    )
