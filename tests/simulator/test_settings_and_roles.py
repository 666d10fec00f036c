"""What the account comes with beside its world: settings with a history, and the role that the copilot acts with.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameterHistory.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
"""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulated import START, SimulatedAccount, StartAccount
from tests.simulator.iam.accounts import ACCOUNT, Someone, document, session

LIMIT = "/storefront/checkout/payments-timeout-ms"
EXECUTOR = f"arn:aws:iam::{ACCOUNT}:role/cloudops-executor"
CHECKOUT = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/storefront/checkout"


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    account = shared_accounts("wrong-parameter", seed=5)
    account.advance(minutes=4)
    return account


@pytest.fixture
def operator(account: SimulatedAccount) -> Someone:
    return Someone(account, f"arn:aws:iam::{ACCOUNT}:user/operator", account.credentials)


def test_a_parameters_history_says_when_and_by_whom_in_account_time(account: SimulatedAccount) -> None:
    opened = datetime.fromisoformat(START)

    first, second, *_ = account.client("ssm").get_parameter_history(Name=LIMIT)["Parameters"]

    assert (first["Value"], second["Value"]) == ("2000", "60")
    assert first["LastModifiedDate"] < opened - timedelta(days=1)
    assert second["LastModifiedDate"] == opened + timedelta(minutes=3)
    assert ":assumed-role/storefront-operator/" in second["LastModifiedUser"]


def test_who_changes_a_parameter_is_named_wherever_it_is_described(
    account: SimulatedAccount, operator: Someone
) -> None:
    who = session(operator, EXECUTOR, "incident-12")

    who.client("ssm").put_parameter(Name="/storefront/web/recommendations", Value="off", Overwrite=True)

    wanted = [{"Key": "Name", "Values": ["/storefront/web/recommendations"]}]
    described = account.client("ssm").describe_parameters(ParameterFilters=wanted)["Parameters"][0]
    assert described["LastModifiedUser"] == who.arn
    assert described["LastModifiedDate"] == account.now()
    assert account.client("ssm").get_parameter(Name=described["Name"])["Parameter"]["Version"] == 2


@pytest.mark.parametrize(
    ("pattern", "code"),
    [("^(a|b|a,b)$", "ParameterPatternMismatchException"), ("^(a", "InvalidAllowedPatternException")],
)
def test_a_value_that_its_allowed_pattern_rules_out_is_refused(
    account: SimulatedAccount, pattern: str, code: str
) -> None:
    ssm, route = account.client("ssm"), "/storefront/payments/acquirers"

    with pytest.raises(ClientError) as refused:
        ssm.put_parameter(Name=route, Value="c", Type="String", AllowedPattern=pattern, Overwrite=True)

    assert refused.value.response["Error"]["Code"] == code
    wanted = [{"Key": "Name", "Values": [route]}]
    (described,) = ssm.describe_parameters(ParameterFilters=wanted)["Parameters"]
    assert (described["AllowedPattern"], described["Version"]) == ("^(a|b|a,b)$", 1)


def test_the_accounts_tables_are_older_than_its_history(account: SimulatedAccount) -> None:
    table = account.client("dynamodb").describe_table(TableName="orders")["Table"]

    assert table["CreationDateTime"] < datetime.fromisoformat(START) - timedelta(days=1)


def test_only_the_copilots_user_may_take_on_the_executors_role(
    account: SimulatedAccount, operator: Someone
) -> None:
    who = session(operator, EXECUTOR, "incident-1", Tags=[{"Key": "incident", "Value": "1"}])
    assert who.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/cloudops-executor/incident-1"

    account.client("iam").create_user(UserName="stranger")
    account.client("iam").put_user_policy(
        UserName="stranger",
        PolicyName="own",
        PolicyDocument=document({"Effect": "Allow", "Action": "*", "Resource": "*"}),
    )
    key = account.client("iam").create_access_key(UserName="stranger")["AccessKey"]
    stranger: Any = account.client_of("sts", type(account.root)(key["AccessKeyId"], key["SecretAccessKey"]))
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        stranger.assume_role(RoleArn=EXECUTOR, RoleSessionName="stranger")


def test_a_scoped_session_makes_the_one_call_and_the_trail_knows_for_whom(
    account: SimulatedAccount, operator: Someone
) -> None:
    policy = document({"Effect": "Allow", "Action": "ecs:UpdateService", "Resource": CHECKOUT})
    who = session(operator, EXECUTOR, "incident-2", Policy=policy, SourceIdentity="mara")

    who.client("ecs").update_service(cluster="storefront", service="checkout", desiredCount=6)
    with pytest.raises(ClientError, match="ecs:UpdateService"):
        who.client("ecs").update_service(cluster="storefront", service="web", desiredCount=6)
    with pytest.raises(ClientError, match="dynamodb:UpdateTable"):
        who.client("dynamodb").update_table(TableName="orders", BillingMode="PAY_PER_REQUEST")

    attribute = [{"AttributeKey": "Username", "AttributeValue": "incident-2"}]
    events = account.client("cloudtrail").lookup_events(LookupAttributes=attribute)["Events"]
    records = [json.loads(one["CloudTrailEvent"]) for one in events]
    done = [one for one in records if "errorCode" not in one]
    assert [one["eventName"] for one in done] == ["UpdateService"]
    assert done[0]["userIdentity"]["sessionContext"]["sourceIdentity"] == "mara"
    assert {one["errorCode"] for one in records if "errorCode" in one} == {"AccessDeniedException"}
