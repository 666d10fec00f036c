"""Faults in the control plane, as clients of each of AWS's protocols meet them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError, ReadTimeoutError

from tests.simulated import (
    ControlRefusedError,
    Credentials,
    SimulatedAccount,
    StartAccount,
    accounts,
    boto_session,
)

SAID = [{"role": "user", "content": [{"text": "colour: red\nshape: round\nweight: 12"}]}]
RULES = "local.rules-v1:0"
RAIL = {"guardrailIdentifier": "localguardrail", "guardrailVersion": "1"}


@pytest.fixture(scope="module")
def one_account() -> Iterator[SimulatedAccount]:
    with accounts() as start:
        yield start(history_hours=0.1)


@pytest.fixture
def account(one_account: SimulatedAccount) -> Iterator[SimulatedAccount]:
    yield one_account
    one_account.clear_faults()


def refused(call: Any, **parameters: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    response = error.value.response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


def fault(service: str, operation: str, kind: str, **more: Any) -> list[dict[str, Any]]:
    return [{"service": service, "operation": operation, "kind": kind, **more}]


PROTOCOLS: list[tuple[str, str, str, dict[str, Any], tuple[str, str, int]]] = [
    ("ecs", "ListClusters", "list_clusters", {}, ("ThrottlingException", "Rate exceeded", 400)),
    (
        "dynamodb",
        "GetItem",
        "get_item",
        {"TableName": "orders", "Key": {"id": {"S": "1"}}},
        ("ProvisionedThroughputExceededException", "Rate exceeded", 400),
    ),
    ("sqs", "ListQueues", "list_queues", {}, ("RequestThrottled", "Rate exceeded", 400)),
    ("sts", "GetCallerIdentity", "get_caller_identity", {}, ("Throttling", "Rate exceeded", 400)),
    ("ec2", "DescribeVpcs", "describe_vpcs", {}, ("RequestLimitExceeded", "Request limit exceeded.", 503)),
    (
        "lambda",
        "GetFunction",
        "get_function",
        {"FunctionName": "orders-events"},
        ("TooManyRequestsException", "Rate exceeded", 429),
    ),
    ("s3", "ListBuckets", "list_buckets", {}, ("SlowDown", "Please reduce your request rate.", 503)),
    (
        "bedrock-runtime",
        "Converse",
        "converse",
        {"modelId": RULES, "messages": SAID},
        ("ThrottlingException", "Rate exceeded", 429),
    ),
]


@pytest.mark.parametrize(("service", "operation", "method", "parameters", "wanted"), PROTOCOLS)
def test_a_throttle_reads_as_the_services_own_on_every_protocol(
    account: SimulatedAccount,
    service: str,
    operation: str,
    method: str,
    parameters: dict[str, Any],
    wanted: tuple[str, str, int],
) -> None:
    account.faults(fault(service, operation, "throttle"))
    call = getattr(account.client(service), method)

    assert refused(call, **parameters) == wanted


@pytest.mark.parametrize(("service", "operation", "method", "parameters", "_"), PROTOCOLS)
def test_an_error_keeps_its_code_and_message_on_every_protocol(
    account: SimulatedAccount,
    service: str,
    operation: str,
    method: str,
    parameters: dict[str, Any],
    _: object,
) -> None:
    said = 'refused by <policy> & "rule"'
    account.faults(fault(service, operation, "error", code="AccessDenied", message=said, status=403))
    call = getattr(account.client(service), method)

    assert refused(call, **parameters) == ("AccessDenied", said, 403)


def test_an_error_has_the_status_of_the_services_model(account: SimulatedAccount) -> None:
    bedrock = account.client("bedrock-runtime")
    for code, status in {
        "ModelNotReadyException": 429,
        "ModelTimeoutException": 408,
        "ModelErrorException": 424,
        "ServiceUnavailableException": 503,
    }.items():
        account.faults(fault("bedrock-runtime", "Converse", "error", code=code, message="later"))
        assert refused(bedrock.converse, modelId=RULES, messages=SAID) == (code, "later", status)
    assert bedrock.converse(modelId=RULES, messages=SAID)["stopReason"] == "end_turn"


def test_a_fault_refuses_as_often_as_it_says_and_the_log_knows(account: SimulatedAccount) -> None:
    ecs = account.client("ecs")
    before = len(account.calls())
    account.faults(fault("ecs", "ListClusters", "throttle", after=1, times=2))

    answers = []
    for _ in range(4):
        try:
            ecs.list_clusters()
            answers.append(None)
        except ClientError as error:
            answers.append(error.response["Error"]["Code"])

    assert answers == [None, "ThrottlingException", "ThrottlingException", None]
    assert [one["error_code"] for one in account.calls("ListClusters", after=before)] == answers
    (standing,) = account.control("GET", "faults")["faults"]
    assert (standing["seen"], standing["met"]) == (3, 2)


def test_a_lost_answer_leaves_the_deed_done(account: SimulatedAccount) -> None:
    sqs, ecs = account.client("sqs"), account.client("ecs")
    account.faults(fault("ecs", "UpdateService", "lose_answer") + fault("sqs", "CreateQueue", "lose_answer"))

    with pytest.raises(ConnectionClosedError):
        ecs.update_service(cluster="storefront", service="web", desiredCount=3)
    with pytest.raises(ConnectionClosedError):
        sqs.create_queue(QueueName="lost")

    assert ecs.describe_services(cluster="storefront", services=["web"])["services"][0]["desiredCount"] == 3
    assert sqs.get_queue_url(QueueName="lost")["QueueUrl"]


def test_a_slow_call_is_performed_and_answered_late(account: SimulatedAccount) -> None:
    account.faults(fault("sts", "*", "slow", seconds=0.3))

    began = time.monotonic()
    account.client("sts").get_caller_identity()

    assert time.monotonic() - began >= 0.3


def test_a_hung_call_is_neither_performed_nor_answered(account: SimulatedAccount) -> None:
    before = len(account.calls())
    account.faults(fault("sqs", "CreateQueue", "hang"))
    impatient = client(account, "sqs", read_timeout=0.4)

    with pytest.raises(ReadTimeoutError):
        impatient.create_queue(QueueName="never")
    account.clear_faults()

    assert account.calls("CreateQueue", after=before) == []
    assert not account.client("sqs").list_queues(QueueNamePrefix="never").get("QueueUrls")


def test_a_hung_call_is_given_up_when_the_fault_is_lifted_or_its_time_is_over(
    account: SimulatedAccount,
) -> None:
    account.faults(fault("ecs", "ListClusters", "hang") + fault("ecs", "ListServices", "hang", seconds=0.2))
    ecs = account.client("ecs")
    with pytest.raises(ConnectionClosedError):
        ecs.list_services(cluster="storefront")
    with ThreadPoolExecutor(1) as beside:
        hanging = beside.submit(ecs.list_clusters)
        until(lambda: account.control("GET", "faults")["faults"][0]["met"] == 1)
        assert not hanging.done()
        account.control("DELETE", "faults?id=" + account.control("GET", "faults")["faults"][0]["id"])
        with pytest.raises(ConnectionClosedError):
            hanging.result(timeout=10)
    assert ecs.list_clusters()["clusterArns"]


def test_wildcards_and_the_caller_choose_who_meets_a_fault(account: SimulatedAccount) -> None:
    account.faults(fault("*", "Describe*", "error", code="Broken", caller="*:user/operator", times=-1))
    operator, other = client(account, "ecs", account.credentials), account.client("ecs")

    assert refused(operator.describe_clusters)[0] == "Broken"
    assert refused(client(account, "cloudwatch", account.credentials).describe_alarms)[0] == "Broken"
    assert operator.list_clusters()
    assert other.describe_clusters()


def test_a_share_of_calls_is_the_same_for_the_same_seed(account: SimulatedAccount) -> None:
    def met() -> list[bool]:
        account.clear_faults()
        account.faults(fault("ecs", "ListClusters", "throttle", share=0.3, seed=7))
        return [is_refused(account.client("ecs").list_clusters) for _ in range(40)]

    first = met()

    assert 4 <= sum(first) <= 20
    assert met() == first


def test_a_fault_is_in_force_between_two_moments_of_account_time(simulated_account: StartAccount) -> None:
    account = simulated_account(history_hours=0.1)
    now = account.now()
    span = {
        "from": (now + timedelta(minutes=2)).isoformat(),
        "until": (now + timedelta(minutes=4)).isoformat(),
    }
    account.faults(fault("ecs", "ListClusters", "throttle", **span))

    refusals = []
    for _ in range(6):
        refusals.append(is_refused(account.client("ecs").list_clusters))
        account.advance(minutes=1)

    assert refusals == [False, False, True, True, False, False]


@pytest.mark.parametrize(
    ("exception", "code"),
    [
        ("throttlingException", "throttlingException"),
        ("modelStreamErrorException", "modelStreamErrorException"),
        ("internalServerException", "internalServerException"),
    ],
)
def test_a_stream_breaks_in_its_middle(account: SimulatedAccount, exception: str, code: str) -> None:
    order = {"exception": exception, "after_frames": 2, "message": "no more"}
    account.faults(fault("bedrock-runtime", "ConverseStream", "stream_error", **order))
    bedrock = account.client("bedrock-runtime")
    events = []

    with pytest.raises(EventStreamError) as broken:
        stream = bedrock.converse_stream(modelId=RULES, messages=SAID)["stream"]
        events.extend(next(iter(event)) for event in stream)

    assert events == ["messageStart", "contentBlockDelta"]
    assert broken.value.response["Error"] == {"Code": code, "Message": "no more"}
    whole = [next(iter(one)) for one in bedrock.converse_stream(modelId=RULES, messages=SAID)["stream"]]
    assert whole[-1] == "metadata"


def test_a_guardrail_intervenes_on_demand(account: SimulatedAccount) -> None:
    bedrock = account.client("bedrock-runtime")
    guarded = {"modelId": RULES, "messages": SAID, "guardrailConfig": {**RAIL, "trace": "enabled"}}
    account.faults(fault("bedrock-runtime", "*", "guardrail", times=3))

    answer = bedrock.converse(**guarded)
    streamed = list(bedrock.converse_stream(**guarded)["stream"])
    content = [{"text": {"text": "harmless"}}]
    applied = bedrock.apply_guardrail(**RAIL, source="OUTPUT", content=content)

    assert answer["stopReason"] == "guardrail_intervened"
    (found,) = answer["trace"]["guardrail"]["inputAssessment"]["localguardrail"]["contentPolicy"]["filters"]
    assert (found["type"], found["action"]) == ("MISCONDUCT", "BLOCKED")
    assert {"messageStop": {"stopReason": "guardrail_intervened"}} in streamed
    assert applied["action"] == "GUARDRAIL_INTERVENED"
    assert bedrock.converse(**guarded)["stopReason"] == "end_turn"


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"service": "ecs", "operation": "UpdatService", "kind": "throttle"}, "did you mean UpdateService?"),
        ({"service": "esc", "kind": "throttle"}, "esc is no service"),
        ({"service": "ecs", "kind": "error"}, "an error needs its code"),
        ({"service": "ecs", "kind": "slow"}, "slow needs its seconds"),
        ({"service": "ecs", "kind": "throttle", "code": "X"}, "throttle has no code"),
        ({"service": "ecs", "kind": "throttle", "times": 2, "share": 0.5}, "either times or share"),
        ({"service": "ecs", "kind": "throttle", "times": 0}, "1 or more, or -1"),
        ({"service": "ecs", "kind": "guardrail"}, "for bedrock-runtime"),
        ({"service": "ecs", "kind": "explode"}, "kind: Input should be"),
        ({"service": "ecs", "kind": "throttle", "oops": 1}, "oops: Extra inputs"),
        (
            {"service": "ecs", "kind": "throttle", "from": "2026-11-23T10:00Z", "until": "2026-11-23T09:00Z"},
            "until is later than from",
        ),
        ("throttle", "Input should be"),
    ],
)
def test_an_order_that_could_not_be_met_is_refused_and_adds_nothing(
    account: SimulatedAccount, order: Any, said: str
) -> None:
    good = fault("ecs", "ListClusters", "throttle")

    with pytest.raises(ControlRefusedError) as error:
        account.faults([*good, order])

    assert error.value.status == 400
    assert said in error.value.error
    assert account.control("GET", "faults")["faults"] == []


def test_lifting_a_fault_that_does_not_stand_is_refused(account: SimulatedAccount) -> None:
    with pytest.raises(ControlRefusedError, match="no fault f99"):
        account.control("DELETE", "faults?id=f99")


def test_calls_of_bedrock_are_logged_under_the_api_that_has_them(account: SimulatedAccount) -> None:
    before = len(account.calls())
    account.faults(fault("bedrock-runtime", "Converse", "throttle"))

    refused(account.client("bedrock-runtime").converse, modelId="any", messages=SAID)
    account.client("bedrock").list_foundation_models()

    assert [(one["service"], one["error_code"]) for one in account.calls(after=before)] == [
        ("bedrock-runtime", "ThrottlingException"),
        ("bedrock", None),
    ]


def is_refused(call: Any) -> bool:
    try:
        call()
    except ClientError:
        return True
    return False


def client(
    account: SimulatedAccount, service: str, who: Credentials | None = None, *, read_timeout: float = 60
) -> Any:
    return boto_session().client(
        service,
        endpoint_url=account.endpoint,
        aws_access_key_id=(who or account.root).access_key_id,
        aws_secret_access_key=(who or account.root).secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout),
    )


def until(holds: Any) -> None:
    give_up = datetime.now(UTC) + timedelta(seconds=10)
    while not holds():
        assert datetime.now(UTC) < give_up
        time.sleep(0.02)
