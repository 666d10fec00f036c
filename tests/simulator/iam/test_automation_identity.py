"""Whom the steps of an Automation document act as.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup.html
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulated import SimulatedAccount, StartAccount
from tests.simulator.iam.accounts import ACCOUNT, Someone, allowing, role, session, trusting, user

DOCUMENT = "Storefront-SetTableWriteCapacity"
STARTING = allowing("ssm:StartAutomationExecution", "ssm:GetAutomationExecution")
TABLES = allowing("dynamodb:UpdateTable", "dynamodb:DescribeTable")
SERVICE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/AutomationServiceRole"


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("bad-deployment", seed=3)


def ended(who: Someone, units: int, **parameters: list[str]) -> Any:
    """Run the account's document as somebody, to its end."""
    given = {"TableName": ["orders"], "WriteCapacityUnits": [str(units)], **parameters}
    ssm = who.client("ssm")
    started = ssm.start_automation_execution(DocumentName=DOCUMENT, Parameters=given)
    who.account.advance(minutes=2)
    answer = ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])
    return answer["AutomationExecution"]


def test_without_a_role_steps_may_do_what_their_starter_may(account: SimulatedAccount) -> None:
    able, unable = user(account, "able", STARTING, TABLES), user(account, "unable", STARTING)

    done, refused = ended(able, 21), ended(unable, 22)

    assert done["AutomationExecutionStatus"] == "Success"
    assert refused["AutomationExecutionStatus"] == "Failed"
    assert (
        f"User: {unable.arn} is not authorized to perform: dynamodb:UpdateTable" in refused["FailureMessage"]
    )
    changes = [(one["caller_arn"], one["error_code"]) for one in account.calls("UpdateTable")]
    assert (able.arn, None) in changes
    assert (unable.arn, "AccessDeniedException") in changes


def test_a_scoped_session_lends_its_scope_to_the_steps(account: SimulatedAccount) -> None:
    mara = user(account, "mara-automation", allowing("sts:AssumeRole"))
    arn = role(account, "tables", trusting(mara.arn), STARTING, TABLES)
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}'

    refused = ended(session(mara, arn, Policy=policy), 23)

    assert refused["AutomationExecutionStatus"] == "Failed"
    assert "dynamodb:UpdateTable" in refused["FailureMessage"]


def test_a_role_that_the_document_assumes_acts_in_the_place_of_its_starter(account: SimulatedAccount) -> None:
    passing = allowing("iam:PassRole", on=SERVICE_ROLE)
    starter = user(account, "starter", STARTING, passing)

    done = ended(starter, 24, AutomationAssumeRole=[SERVICE_ROLE])

    assert done["AutomationExecutionStatus"] == "Success"
    callers = [one["caller_arn"] for one in account.calls("UpdateTable")]
    assert any(":assumed-role/AutomationServiceRole/" in one for one in callers)


@pytest.mark.parametrize("name", ["cloudops-executor", "no-such-role"])
def test_a_role_that_does_not_trust_automation_is_refused(account: SimulatedAccount, name: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    starter = user(account, f"starter-of-{name}", STARTING, allowing("iam:PassRole"))

    with pytest.raises(ClientError) as error:
        ended(starter, 25, AutomationAssumeRole=[arn])

    assert error.value.response["Error"]["Code"] == "InvalidAutomationExecutionParametersException"
