import json
import time
from collections import deque
from datetime import timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulator.trail.pace import Pace
from tests.simulated import SimulatedAccount, StartAccount, boto_session

DEPLOYER = "arn:aws:sts::123456789012:assumed-role/storefront-deployer/pipeline-881"


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    account = shared_accounts("bad-deployment", seed=2)
    account.advance(minutes=6)
    return account


@pytest.fixture(scope="module")
def cloudtrail(account: SimulatedAccount) -> Any:
    """A client that waits before it asks again, since only two look-ups a second are answered."""
    client = boto_session().client(
        "cloudtrail",
        endpoint_url=account.endpoint,
        aws_access_key_id=account.credentials.access_key_id,
        aws_secret_access_key=account.credentials.secret_access_key,
        config=Config(retries={"mode": "standard", "total_max_attempts": 20}),
    )
    asked = deque([0.0, 0.0], maxlen=2)

    def wait(**_: Any) -> None:
        time.sleep(max(0.0, asked[0] + 1.02 - time.monotonic()))
        asked.append(time.monotonic())

    client.meta.events.register("before-call.cloudtrail.LookupEvents", wait)
    return client


def by(key: str, value: str) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


def test_the_deploy_is_shown_with_its_role_session(account: SimulatedAccount, cloudtrail: Any) -> None:
    (event,) = cloudtrail.lookup_events(**by("EventName", "UpdateService"))["Events"]
    record = json.loads(event["CloudTrailEvent"])

    assert event["Username"] == "pipeline-881"
    assert event["ReadOnly"] == "false"
    assert event["EventSource"] == "ecs.amazonaws.com"
    assert event["EventTime"].isoformat() == (account.now() - timedelta(minutes=2)).isoformat()
    assert {"ResourceType": "AWS::ECS::Service", "ResourceName": "checkout"} in event["Resources"]
    assert record["userIdentity"]["arn"] == DEPLOYER
    assert record["userIdentity"]["type"] == "AssumedRole"
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "storefront-deployer"
    assert record["eventID"] == event["EventId"]
    assert record["requestParameters"] == {
        "cluster": "storefront",
        "service": "checkout",
        "taskDefinition": "checkout:42",
    }


def test_nothing_of_the_seeding_is_shown(account: SimulatedAccount, cloudtrail: Any) -> None:
    now = account.now()
    window = {"StartTime": now - timedelta(days=1), "EndTime": now}

    events = cloudtrail.lookup_events(**by("ReadOnly", "false"), **window)["Events"]

    assert [one["EventName"] for one in events if one["Username"] == "pipeline-881"] == [
        "UpdateService",
        "RegisterTaskDefinition",
    ]
    assert not [one for one in events if one["EventName"].startswith("Create")]


def test_data_events_are_not_shown(account: SimulatedAccount, cloudtrail: Any) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html"""
    table = account.client("dynamodb")
    table.put_item(TableName="orders", Item={"order_id": {"S": "1"}})
    table.describe_table(TableName="orders")
    topic = "arn:aws:sns:us-east-1:123456789012:storefront-alarms"
    account.client("sns").publish(TopicArn=topic, Message="x")
    sqs = account.client("sqs")
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName="looked-up")["QueueUrl"], MessageBody="x")

    for name in ("PutItem", "Publish", "SendMessage"):
        assert account.calls(name)
        assert not cloudtrail.lookup_events(**by("EventName", name))["Events"]
    assert cloudtrail.lookup_events(**by("EventName", "CreateQueue"))["Events"]
    (event,) = cloudtrail.lookup_events(**by("EventName", "DescribeTable"))["Events"]
    assert event["ReadOnly"] == "true"
    assert event["Resources"] == [{"ResourceType": "AWS::DynamoDB::Table", "ResourceName": "orders"}]


def test_fifty_events_a_page_and_newest_first(account: SimulatedAccount, cloudtrail: Any) -> None:
    sts = account.client("sts")
    for _ in range(55):
        sts.get_caller_identity()

    first = cloudtrail.lookup_events(**by("EventName", "GetCallerIdentity"))
    second = cloudtrail.lookup_events(**by("EventName", "GetCallerIdentity"), NextToken=first["NextToken"])

    assert (len(first["Events"]), len(second["Events"])) == (50, 5)
    assert "NextToken" not in second
    assert not {one["EventId"] for one in first["Events"]} & {one["EventId"] for one in second["Events"]}


def test_pages_stay_where_they_were_while_calls_are_made(account: SimulatedAccount, cloudtrail: Any) -> None:
    """Each look-up is an event itself, so pages counted from the newest would overlap."""
    sts = account.client("sts")
    first = cloudtrail.lookup_events(MaxResults=5)
    sts.get_caller_identity()
    second = cloudtrail.lookup_events(MaxResults=5, NextToken=first["NextToken"])

    times = [one["EventTime"] for page in (first, second) for one in page["Events"]]
    assert times == sorted(times, reverse=True)
    assert not {one["EventId"] for one in first["Events"]} & {one["EventId"] for one in second["Events"]}


@pytest.fixture(scope="module")
def deploy(cloudtrail: Any) -> dict[str, Any]:
    (event,) = cloudtrail.lookup_events(**by("EventName", "RegisterTaskDefinition"))["Events"]
    return dict(event)


@pytest.mark.parametrize("key", ["AccessKeyId", "EventId", "EventSource", "ResourceName", "Username"])
def test_every_attribute_finds_its_events(cloudtrail: Any, deploy: dict[str, Any], key: str) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupAttribute.html"""
    value = deploy["Resources"][0]["ResourceName"] if key == "ResourceName" else deploy[key]

    found = cloudtrail.lookup_events(**by(key, value))["Events"]

    assert deploy["EventId"] in {one["EventId"] for one in found}
    assert not cloudtrail.lookup_events(**by(key, "nothing"))["Events"]


def test_only_two_look_ups_a_second_are_answered(account: SimulatedAccount) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"""
    impatient = account.client("cloudtrail")
    refused = 0
    for _ in range(8):
        try:
            impatient.lookup_events(MaxResults=1)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ThrottlingException"
            refused += 1

    assert refused


def test_a_pace_lets_so_many_pass_in_any_second() -> None:
    now = [0.0]
    pace = Pace(2, lambda: now[0])

    passed = []
    for moment in (0.0, 0.4, 0.9, 1.0, 1.3, 1.5, 2.5):
        now[0] = moment
        passed.append(pace.lets_pass())

    assert passed == [True, True, False, True, False, True, True]


def test_a_refused_call_is_shown_with_its_error(account: SimulatedAccount, cloudtrail: Any) -> None:
    with pytest.raises(ClientError):
        account.client("ecs").delete_service(cluster="storefront", service="web")

    (event,) = cloudtrail.lookup_events(**by("EventName", "DeleteService"))["Events"]
    record = json.loads(event["CloudTrailEvent"])

    assert record["errorCode"] == "InvalidParameterException"
    assert record["userIdentity"]["type"] == "Root"
    assert event["Username"] == "root"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"NextToken": "bogus"}, "InvalidNextTokenException"),
        ({"EventCategory": "management"}, "InvalidEventCategoryException"),
        (by("ReadOnly", "yes"), "InvalidLookupAttributesException"),
        (
            {
                "LookupAttributes": [
                    {"AttributeKey": "EventName", "AttributeValue": "A"},
                    {"AttributeKey": "Username", "AttributeValue": "B"},
                ]
            },
            "InvalidLookupAttributesException",
        ),
    ],
)
def test_a_bad_lookup_is_refused(cloudtrail: Any, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        cloudtrail.lookup_events(**parameters)

    assert error.value.response["Error"]["Code"] == code


def test_a_range_that_ends_before_it_begins_is_refused(account: SimulatedAccount, cloudtrail: Any) -> None:
    now = account.now()

    with pytest.raises(ClientError) as error:
        cloudtrail.lookup_events(StartTime=now, EndTime=now - timedelta(hours=1))

    assert error.value.response["Error"]["Code"] == "InvalidTimeRangeException"


def test_every_call_is_in_the_accounts_own_log(account: SimulatedAccount) -> None:
    after = account.control("GET", "calls?after=0")["next"]
    account.client("sqs").create_queue(QueueName="logged")
    account.client("sns").publish(
        TopicArn="arn:aws:sns:us-east-1:123456789012:storefront-alarms", Message="x"
    )
    account.client("s3").create_bucket(Bucket="logged-bucket")
    account.client("s3").put_object(Bucket="logged-bucket", Key="a/b", Body=b"x")

    calls = account.calls(after=after)

    assert [(one["service"], one["operation"], one["read_only"]) for one in calls] == [
        ("sqs", "CreateQueue", False),
        ("sns", "Publish", False),
        ("s3", "CreateBucket", False),
        ("s3", "PutObject", False),
    ]
    assert calls[1]["parameters"] == {
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:storefront-alarms",
        "Message": "x",
    }
    assert calls[3]["parameters"]["Key"] == "a/b"
    assert {one["caller_arn"] for one in calls} == {"arn:aws:iam::123456789012:root"}


def test_asking_a_guardrail_or_a_query_changes_nothing(account: SimulatedAccount) -> None:
    after = account.control("GET", "calls?after=0")["next"]
    account.client("bedrock-runtime").invoke_guardrail_checks(
        messages=[{"role": "user", "content": [{"text": "hello"}]}],
        checks={"promptAttack": {"categories": [{"category": "JAILBREAK"}]}},
    )
    account.client("logs").start_query(
        logGroupName="/ecs/storefront/checkout", startTime=0, endTime=1, queryString="limit 1"
    )

    calls = account.calls(after=after)

    assert [(one["operation"], one["read_only"]) for one in calls] == [
        ("InvokeGuardrailChecks", True),
        ("StartQuery", True),
    ]


def test_a_session_carries_its_source_identity(account: SimulatedAccount, cloudtrail: Any) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"""
    iam = account.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
            }
        ],
    }
    role = iam.create_role(RoleName="traced", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allowed = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}}
    iam.put_role_policy(RoleName="traced", PolicyName="p", PolicyDocument=json.dumps(allowed))
    session = account.client("sts").assume_role(
        RoleArn=role, RoleSessionName="incident-8", SourceIdentity="maria"
    )["Credentials"]
    ecs = boto_session().client(
        "ecs",
        endpoint_url=account.endpoint,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    ecs.list_task_definitions()

    (event,) = cloudtrail.lookup_events(**by("Username", "incident-8"))["Events"]
    identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
    assert identity["sessionContext"]["sourceIdentity"] == "maria"
    assert identity["principalId"].endswith(":incident-8")


def test_a_session_is_named_as_its_role(account: SimulatedAccount) -> None:
    role = account.client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "ecs:ListClusters", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    account.client("iam").put_role_policy(RoleName="reader", PolicyName="reading", PolicyDocument=policy)
    session = account.client("sts").assume_role(RoleArn=role, RoleSessionName="incident-7")["Credentials"]
    ecs = boto_session().client(
        "ecs",
        endpoint_url=account.endpoint,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )

    ecs.list_clusters()

    (call,) = account.calls("ListClusters")
    assert call["caller_arn"] == "arn:aws:sts::123456789012:assumed-role/reader/incident-7"
