"""Invocations over the API.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulated import SimulatedAccount, StartAccount
from tests.simulator.automation_account import code_of

FUNCTION = "orders-events"


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("false-alarm", history_hours=3.0)


@pytest.fixture(scope="module")
def functions(account: SimulatedAccount) -> Any:
    return account.client("lambda")


@pytest.fixture
def own(functions: Any, request: pytest.FixtureRequest) -> str:
    """A function of a test's own with two versions behind an alias."""
    image = functions.get_function(FunctionName=FUNCTION)["Code"]["ImageUri"]
    name = str(request.node.name)[:60]
    role = "arn:aws:iam::123456789012:role/own"
    functions.create_function(FunctionName=name, Role=role, Code={"ImageUri": image}, PackageType="Image")
    functions.publish_version(FunctionName=name)
    functions.update_function_configuration(FunctionName=name, MemorySize=512)
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def test_an_invocation_names_the_version_that_ran(functions: Any, own: str) -> None:
    answers = [
        functions.invoke(FunctionName=own, Qualifier="2", Payload=b'{"Records": []}') for _ in range(5)
    ]

    whole = [one for one in answers if "FunctionError" not in one]
    assert {(one["StatusCode"], one["ExecutedVersion"]) for one in answers} == {(200, "2")}
    assert {one["Payload"].read() for one in whole} == {b"null"}
    assert functions.invoke(FunctionName=own)["ExecutedVersion"] == "$LATEST"


def test_an_aliass_weights_share_the_invocations(functions: Any, own: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html"""
    functions.update_alias(
        FunctionName=own, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}}
    )

    ran = [functions.invoke(FunctionName=f"{own}:live")["ExecutedVersion"] for _ in range(60)]

    assert set(ran) == {"1", "2"}
    assert 6 <= ran.count("2") <= 32
    functions.update_alias(FunctionName=own, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    assert functions.invoke(FunctionName=f"{own}:live")["ExecutedVersion"] == "1"


def test_a_reservation_of_nothing_throttles(account: SimulatedAccount, functions: Any, own: str) -> None:
    functions.put_function_concurrency(FunctionName=own, ReservedConcurrentExecutions=0)

    with pytest.raises(ClientError) as error:
        functions.invoke(FunctionName=own)

    response: Any = error.value.response
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    functions.delete_function_concurrency(FunctionName=own)
    assert functions.invoke(FunctionName=own)["StatusCode"] == 200
    metrics = account.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": own}]
    )["Metrics"]
    assert {one["MetricName"] for one in metrics} >= {"Invocations", "Throttles"}


def test_an_event_is_taken_in_and_a_dry_run_does_nothing(functions: Any, own: str) -> None:
    taken = functions.invoke(FunctionName=own, InvocationType="Event", Payload=b"{}")
    tried = functions.invoke(FunctionName=own, InvocationType="DryRun")

    assert (taken["StatusCode"], taken["Payload"].read()) == (202, b"")
    assert tried["StatusCode"] == 204


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"FunctionName": "nobody"}, "ResourceNotFoundException"),
        ({"FunctionName": FUNCTION, "Qualifier": "999"}, "ResourceNotFoundException"),
        ({"FunctionName": FUNCTION, "Payload": b"no json"}, "InvalidRequestContentException"),
        ({"FunctionName": FUNCTION, "LogType": "Tail"}, "InvalidParameterValueException"),
        ({"FunctionName": FUNCTION, "InvocationType": "Sometimes"}, "InvalidParameterValueException"),
    ],
)
def test_an_invocation_that_cannot_be_is_refused(functions: Any, given: dict[str, Any], code: str) -> None:
    assert code_of(functions.invoke, **given) == code


def test_lists_are_paged_as_asked(functions: Any, own: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html"""
    first = functions.list_versions_by_function(FunctionName=own, MaxItems=2)
    second = functions.list_versions_by_function(FunctionName=own, MaxItems=2, Marker=first["NextMarker"])

    assert [one["Version"] for one in first["Versions"]] == ["$LATEST", "1"]
    assert [one["Version"] for one in second["Versions"]] == ["2"]
    assert functions.delete_alias(FunctionName=own, Name="live")["ResponseMetadata"]["HTTPStatusCode"] == 204
