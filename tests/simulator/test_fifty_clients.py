"""Fifty clients at once: no lost update, no duplicate delivery, no exception in the account's log."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.simulated import SimulatedAccount, accounts, boto_session

pytestmark = pytest.mark.slow
CLIENTS = 50
WAIT = """schemaVersion: "0.3"
mainSteps:
  - name: rest
    action: aws:sleep
    inputs:
      Duration: PT1M
"""


class Crowd:
    """Fifty clients, each with connections of its own, that begin together."""

    def __init__(self, account: SimulatedAccount) -> None:
        self.account = account
        self._clients = [self._made() for _ in range(CLIENTS)]

    def _made(self) -> Callable[[str], Any]:
        made: dict[str, Any] = {}

        def client(service: str) -> Any:
            if service not in made:
                made[service] = boto_session().client(
                    service,
                    endpoint_url=self.account.endpoint,
                    aws_access_key_id=self.account.root.access_key_id,
                    aws_secret_access_key=self.account.root.secret_access_key,
                    config=Config(retries={"total_max_attempts": 1}, read_timeout=120),
                )
            return made[service]

        return client

    def each(self, service: str, work: Callable[[Any, int], Any]) -> list[Any]:
        """What every client's work gives; the first failure is raised."""
        ready = Barrier(CLIENTS)
        clients = [client(service) for client in self._clients]

        def one(number: int) -> Any:
            ready.wait(60)
            return work(clients[number], number)

        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(one, range(CLIENTS)))


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    with accounts() as start:
        account = start(history_hours=0.5)
        yield Crowd(account)
        assert (account.state_dir / "stderr.txt").read_text() == ""


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def test_a_conditional_counter_loses_no_update(crowd: Crowd) -> None:
    table = {"TableName": "counters"}
    dynamodb = crowd.account.client("dynamodb")
    dynamodb.create_table(
        **table,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"id": {"S": "one"}}
    dynamodb.put_item(**table, Item={**key, "count": {"N": "0"}, "added": {"N": "0"}})

    def count_up(client: Any, _: int) -> int:
        lost = 0
        for _ in range(4):
            while True:
                seen = client.get_item(**table, Key=key, ConsistentRead=True)["Item"]["count"]["N"]
                try:
                    client.update_item(
                        **table,
                        Key=key,
                        UpdateExpression="SET #c = :next ADD added :one",
                        ConditionExpression="#c = :seen",
                        ExpressionAttributeNames={"#c": "count"},
                        ExpressionAttributeValues={
                            ":next": {"N": str(int(seen) + 1)},
                            ":seen": {"N": seen},
                            ":one": {"N": "1"},
                        },
                    )
                    break
                except ClientError as error:
                    assert code_of(error) == "ConditionalCheckFailedException"
                    lost += 1
        return lost

    races = sum(crowd.each("dynamodb", count_up))

    item = dynamodb.get_item(**table, Key=key, ConsistentRead=True)["Item"]
    assert (item["count"], item["added"]) == ({"N": "200"}, {"N": "200"})
    assert races > 0


def test_a_lock_is_won_once(crowd: Crowd) -> None:
    def claim(client: Any, number: int) -> bool:
        try:
            client.put_item(
                TableName="counters",
                Item={"id": {"S": "lock"}, "owner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(id)",
            )
        except ClientError as error:
            assert code_of(error) == "ConditionalCheckFailedException"
            return False
        return True

    assert sum(crowd.each("dynamodb", claim)) == 1


def test_transactions_keep_what_they_promise(crowd: Crowd) -> None:
    dynamodb = crowd.account.client("dynamodb")
    for name in ("left", "right"):
        dynamodb.put_item(TableName="counters", Item={"id": {"S": name}, "count": {"N": "100"}})

    def update(name: str, change: int) -> dict[str, Any]:
        changed = {
            "TableName": "counters",
            "Key": {"id": {"S": name}},
            "UpdateExpression": "ADD #c :change",
            "ConditionExpression": "#c >= :least",
            "ExpressionAttributeNames": {"#c": "count"},
            "ExpressionAttributeValues": {":change": {"N": str(change)}, ":least": {"N": "4"}},
        }
        return {"Update": changed}

    def move(client: Any, number: int) -> int:
        sign = 1 if number % 2 else -1
        done = 0
        for _ in range(3):
            try:
                client.transact_write_items(
                    TransactItems=[update("left", sign * 3), update("right", -sign * 3)]
                )
                done += 1
            except ClientError as error:
                assert code_of(error) == "TransactionCanceledException"
        return done

    assert sum(crowd.each("dynamodb", move)) > 0

    counts = [
        int(dynamodb.get_item(TableName="counters", Key={"id": {"S": one}})["Item"]["count"]["N"])
        for one in ("left", "right")
    ]
    assert sum(counts) == 200
    assert min(counts) >= 1


def test_a_message_is_delivered_once_while_it_is_invisible(crowd: Crowd) -> None:
    sqs = crowd.account.client("sqs")
    url = sqs.create_queue(QueueName="crowded", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    sent = crowd.each(
        "sqs",
        lambda client, number: [
            client.send_message(QueueUrl=url, MessageBody=f"{number}/{one}")["MessageId"] for one in range(8)
        ],
    )

    def take(client: Any, _: int) -> list[tuple[str, str]]:
        taken: list[tuple[str, str]] = []
        while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=3).get("Messages"):
            for message in found:
                taken.append((message["MessageId"], message["Body"]))
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    taken = [one for some in crowd.each("sqs", take) for one in some]

    assert sorted(id_ for id_, _ in taken) == sorted(id_ for some in sent for id_ in some)
    assert sorted(body for _, body in taken) == sorted(f"{n}/{m}" for n in range(CLIENTS) for m in range(8))


def test_the_worlds_own_queue_delivers_once_while_time_passes(crowd: Crowd) -> None:
    account = crowd.account
    url = account.client("sqs").get_queue_url(QueueName="order-events.fifo")["QueueUrl"]
    marks = {f"mark-{number}" for number in range(CLIENTS)}

    def send(client: Any, number: int) -> None:
        # Twice, as a producer does that got no answer: the second is a duplicate that AWS drops.
        for _ in range(2):
            own = {"MessageGroupId": f"group-{number}", "MessageDeduplicationId": f"mark-{number}"}
            client.send_message(QueueUrl=url, MessageBody=f"mark-{number}", **own)

    crowd.each("sqs", send)

    def take(client: Any, number: int) -> list[str]:
        if number == 0:
            account.advance(minutes=3)
        found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [one["MessageId"] for one in found if one["Body"] in marks]

    taken = Counter(id_ for some in crowd.each("sqs", take) for id_ in some)
    assert set(taken.values()) == {1}


def test_parameters_have_a_version_for_every_write(crowd: Crowd) -> None:
    written = crowd.each(
        "ssm",
        lambda client, number: [
            client.put_parameter(Name="/crowd", Value=f"{number}", Type="String", Overwrite=True)["Version"]
            for _ in range(2)
        ],
    )
    assert sorted(one for some in written for one in some) == list(range(1, 2 * CLIENTS + 1))

    def create(client: Any, number: int) -> bool:
        try:
            client.put_parameter(Name="/first", Value=str(number), Type="String")
        except ClientError as error:
            assert code_of(error) == "ParameterAlreadyExists"
            return False
        return True

    assert sum(crowd.each("ssm", create)) == 1


def test_one_token_starts_one_execution(crowd: Crowd) -> None:
    ssm = crowd.account.client("ssm")
    ssm.create_document(Name="Rest", Content=WAIT, DocumentType="Automation", DocumentFormat="YAML")
    token = str(uuid4())

    started = crowd.each(
        "ssm",
        lambda client, _: client.start_automation_execution(DocumentName="Rest", ClientToken=token)[
            "AutomationExecutionId"
        ],
    )

    assert len(set(started)) == 1
    others = crowd.each(
        "ssm",
        lambda client, _: client.start_automation_execution(DocumentName="Rest")["AutomationExecutionId"],
    )
    assert len(set(others)) == CLIENTS
    crowd.account.advance(minutes=2)
    for one in others:
        execution = ssm.get_automation_execution(AutomationExecutionId=one)["AutomationExecution"]
        assert execution["AutomationExecutionStatus"] == "Success"


def test_published_values_add_up_and_alarms_see_them(crowd: Crowd) -> None:
    account = crowd.account
    cloudwatch = account.client("cloudwatch")
    at = account.now()
    cloudwatch.put_metric_alarm(
        AlarmName="crowded",
        Namespace="Crowd",
        MetricName="Done",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=249,
        ComparisonOperator="GreaterThanThreshold",
    )
    crowd.each(
        "cloudwatch",
        lambda client, _: [
            client.put_metric_data(
                Namespace="Crowd", MetricData=[{"MetricName": "Done", "Value": 1, "Timestamp": at}]
            )
            for _ in range(5)
        ],
    )

    (point,) = cloudwatch.get_metric_statistics(
        Namespace="Crowd",
        MetricName="Done",
        StartTime=at - timedelta(minutes=5),
        EndTime=at + timedelta(minutes=5),
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert (point["Sum"], point["SampleCount"]) == (250.0, 250.0)
    account.advance(minutes=2)
    states = crowd.each(
        "cloudwatch",
        lambda client, _: client.describe_alarms(AlarmNames=["crowded"])["MetricAlarms"][0]["StateReason"],
    )
    assert len(set(states)) == 1
    assert "250.0" in states[0]


def test_log_events_are_kept_once_and_read_by_all(crowd: Crowd) -> None:
    logs = crowd.account.client("logs")
    logs.create_log_group(logGroupName="/crowd")
    at = crowd.account.now()
    stamp = int(at.timestamp() * 1000)

    def write(client: Any, number: int) -> None:
        client.create_log_stream(logGroupName="/crowd", logStreamName=str(number))
        for one in range(4):
            client.put_log_events(
                logGroupName="/crowd",
                logStreamName=str(number),
                logEvents=[{"timestamp": stamp, "message": f"line {number}/{one}"}],
            )

    crowd.each("logs", write)

    def read(client: Any, _: int) -> tuple[list[str], str]:
        found = client.get_paginator("filter_log_events").paginate(logGroupName="/crowd")
        messages = [event["message"] for page in found for event in page["events"]]
        window = {"startTime": stamp // 1000 - 60, "endTime": stamp // 1000 + 60}
        asked = "filter @message like /line/ | stats count(*) as n"
        query = client.start_query(logGroupName="/crowd", queryString=asked, **window)["queryId"]
        while (answer := client.get_query_results(queryId=query))["status"] in {"Scheduled", "Running"}:
            continue
        return messages, answer["results"][0][0]["value"]

    wanted = sorted(f"line {number}/{one}" for number in range(CLIENTS) for one in range(4))
    for messages, counted in crowd.each("logs", read):
        assert sorted(messages) == wanted
        assert counted == "200"


def test_task_definitions_get_a_revision_each(crowd: Crowd) -> None:
    container = {"name": "app", "image": "crowd:1", "memory": 128}

    revisions = crowd.each(
        "ecs",
        lambda client, _: client.register_task_definition(family="crowd", containerDefinitions=[container])[
            "taskDefinition"
        ]["revision"],
    )

    assert sorted(revisions) == list(range(1, CLIENTS + 1))


def test_readers_are_answered_while_time_passes_and_every_call_is_logged(crowd: Crowd) -> None:
    account = crowd.account
    before = account.control("GET", "calls")["next"]

    def look(client: Any, number: int) -> int:
        if number == 0:
            account.advance(minutes=10)
            return 0
        for _ in range(3):
            assert len(client.describe_services(cluster="storefront", services=["web"])["services"]) == 1
        return 3

    made = sum(crowd.each("ecs", look))

    logged = account.control("GET", f"calls?after={before}")["calls"]
    numbers = [one["n"] for one in logged]
    assert numbers == list(range(before + 1, before + 1 + len(numbers)))
    assert Counter(one["operation"] for one in logged)["DescribeServices"] == made
