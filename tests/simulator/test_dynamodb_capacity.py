"""Changes of a table's capacity.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

from typing import Any

import pytest

from tests.simulated import SimulatedAccount, StartAccount
from tests.simulator.automation_account import code_of


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("false-alarm", history_hours=3.0)


@pytest.fixture
def table(account: SimulatedAccount, request: pytest.FixtureRequest) -> str:
    name = str(request.node.name).translate(str.maketrans("[]", "--"))[:200]
    account.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 100, "WriteCapacityUnits": 100},
    )
    return name


def units(write: int, read: int = 100) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def described(account: SimulatedAccount, table: str) -> dict[str, Any]:
    found: dict[str, Any] = account.client("dynamodb").describe_table(TableName=table)["Table"]
    return found


def test_a_table_is_updating_for_a_while(account: SimulatedAccount, table: str) -> None:
    dynamodb = account.client("dynamodb")

    answer = dynamodb.update_table(TableName=table, **units(200))["TableDescription"]

    assert answer["TableStatus"] == "UPDATING"
    assert described(account, table)["TableStatus"] == "UPDATING"
    busy = code_of(dynamodb.update_table, TableName=table, **units(300))
    assert busy == "ResourceInUseException"
    account.advance(30)
    now = described(account, table)
    assert now["TableStatus"] == "ACTIVE"
    assert now["ProvisionedThroughput"]["WriteCapacityUnits"] == 200
    increased = now["ProvisionedThroughput"]["LastIncreaseDateTime"]
    assert (account.now() - increased).total_seconds() == 30


def test_decreases_are_limited_in_a_day(account: SimulatedAccount, table: str) -> None:
    dynamodb = account.client("dynamodb")
    for write in (90, 80, 70, 60):
        dynamodb.update_table(TableName=table, **units(write))
        account.advance(30)

    assert described(account, table)["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 4
    fifth = code_of(dynamodb.update_table, TableName=table, **units(50))
    assert fifth == "LimitExceededException"
    dynamodb.update_table(TableName=table, **units(70))
    account.advance(minutes=60)
    dynamodb.update_table(TableName=table, **units(50))
    account.advance(30)
    sixth = code_of(dynamodb.update_table, TableName=table, **units(100, read=99))
    assert sixth == "LimitExceededException"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (units(100), "ValidationException"),
        ({"TableName": "missing", **units(200)}, "ResourceNotFoundException"),
    ],
)
def test_a_change_that_is_none_is_refused(
    account: SimulatedAccount, table: str, given: dict[str, Any], code: str
) -> None:
    refused = code_of(account.client("dynamodb").update_table, **{"TableName": table, **given})

    assert refused == code
    assert described(account, table)["TableStatus"] == "ACTIVE"


def test_a_table_on_demand_is_described_whole(account: SimulatedAccount) -> None:
    dynamodb = account.client("dynamodb")
    index = {
        "IndexName": "by-day",
        "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    dynamodb.create_table(
        TableName="on-demand",
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in ("id", "day")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        SSESpecification={"Enabled": True},
        Tags=[{"Key": "stage", "Value": "test"}],
    )

    now = described(account, "on-demand")

    assert now["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert now["GlobalSecondaryIndexes"][0]["IndexName"] == "by-day"
    dynamodb.update_table(TableName="on-demand", BillingMode="PROVISIONED", **units(5, 5))
    account.advance(30)
    assert described(account, "on-demand")["ProvisionedThroughput"]["WriteCapacityUnits"] == 5


def test_a_table_that_is_not_there_is_named(account: SimulatedAccount) -> None:
    missing = code_of(account.client("dynamodb").describe_table, TableName="missing")

    assert missing == "ResourceNotFoundException"
