"""IAM's policy simulator, which has to say what the gate then does.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulated import SimulatedAccount, StartAccount
from tests.simulator.iam.accounts import ACCOUNT, allowing, document, role, trusting

ECS = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/storefront"
CHECKOUT, WEB = f"{ECS}/checkout", f"{ECS}/web"


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("bad-deployment", seed=3)


def decisions(account: SimulatedAccount, arn: str, *actions: str, **given: Any) -> dict[tuple[str, str], str]:
    answer = account.client("iam").simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=list(actions), **given
    )
    return {
        (one["EvalActionName"], one["EvalResourceName"]): one["EvalDecision"]
        for one in answer["EvaluationResults"]
    }


def test_every_action_is_decided_on_every_resource(account: SimulatedAccount) -> None:
    deny = {"Effect": "Deny", "Action": "ecs:*", "Resource": WEB}
    arn = role(account, "deployer-1", trusting("*"), allowing("ecs:UpdateService", on=f"{ECS}/*"), deny)

    found = decisions(account, arn, "ecs:UpdateService", "ecs:DeleteService", ResourceArns=[CHECKOUT, WEB])

    assert found == {
        ("ecs:UpdateService", CHECKOUT): "allowed",
        ("ecs:UpdateService", WEB): "explicitDeny",
        ("ecs:DeleteService", CHECKOUT): "implicitDeny",
        ("ecs:DeleteService", WEB): "explicitDeny",
    }


def test_a_boundary_holds_and_is_told_apart(account: SimulatedAccount) -> None:
    iam = account.client("iam")
    limit = iam.create_policy(PolicyName="reading-2", PolicyDocument=document(allowing("ecs:Describe*")))
    arn = role(
        account,
        "deployer-2",
        trusting("*"),
        allowing("ecs:*"),
        PermissionsBoundary=limit["Policy"]["Arn"],
    )

    answer = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["ecs:UpdateService", "ecs:DescribeServices"]
    )

    told = {
        one["EvalActionName"]: (
            one["EvalDecision"],
            one["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"],
        )
        for one in answer["EvaluationResults"]
    }
    assert told == {"ecs:UpdateService": ("implicitDeny", False), "ecs:DescribeServices": ("allowed", True)}


def test_context_decides_and_what_is_missing_is_named(account: SimulatedAccount) -> None:
    condition = {"StringEquals": {"ecs:cluster": "arn:of:storefront"}}
    arn = role(
        account, "deployer-3", trusting("*"), allowing("ecs:UpdateService", on="*", Condition=condition)
    )
    given = {"ContextKeyName": "ecs:cluster", "ContextKeyType": "string"}

    without = account.client("iam").simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["ecs:UpdateService"]
    )["EvaluationResults"][0]
    entry = {**given, "ContextKeyValues": ["arn:of:storefront"]}
    within = decisions(account, arn, "ecs:UpdateService", ContextEntries=[entry])

    assert (without["EvalDecision"], without["MissingContextValues"]) == ("implicitDeny", ["ecs:cluster"])
    assert list(within.values()) == ["allowed"]


def test_policies_of_the_request_are_added(account: SimulatedAccount) -> None:
    arn = role(account, "deployer-4", trusting("*"), allowing("ecs:UpdateService"))
    deny = document({"Effect": "Deny", "Action": "ecs:UpdateService", "Resource": "*"})

    assert list(decisions(account, arn, "ecs:UpdateService", PolicyInputList=[deny]).values()) == [
        "explicitDeny"
    ]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "NoSuchEntity"),
        (
            {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/operator", "PolicyInputList": ["{"]},
            "InvalidInput",
        ),
        ({"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/operator", "Marker": "x"}, "InvalidInput"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    account: SimulatedAccount, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        account.client("iam").simulate_principal_policy(ActionNames=["ecs:UpdateService"], **given)

    assert error.value.response["Error"]["Code"] == code


def test_the_executors_role_may_change_services_and_not_delete_them(account: SimulatedAccount) -> None:
    found = decisions(
        account,
        f"arn:aws:iam::{ACCOUNT}:role/cloudops-executor",
        *("ecs:UpdateService", "ecs:DeleteService"),
        ResourceArns=[CHECKOUT],
    )

    assert list(found.values()) == ["allowed", "implicitDeny"]
