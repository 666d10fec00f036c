"""What callers may not do, on the wire: who they are, what they lack, and how AWS says so."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from simulator.iam.needs import mapped_operations
from tests.simulated import START, Credentials, SimulatedAccount, StartAccount, boto_session
from tests.simulator.iam.accounts import ACCOUNT, Someone, allowing, document, role, session, trusting, user
from tests.simulator.iam.asking import ask, expected_action, is_expected_resource

CHECKOUT = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/storefront/checkout"


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("bad-deployment", seed=3)


@pytest.fixture(scope="module")
def nobody(account: SimulatedAccount) -> Someone:
    return user(account, "nobody")


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """Code and sentence of the refusal."""
    with pytest.raises(ClientError) as error:
        call()
    given = error.value.response["Error"]
    return given["Code"], given["Message"]


ALWAYS_ALLOWED = ("sts", "GetCallerIdentity")


@pytest.mark.parametrize(
    ("service", "operation"), [one for one in mapped_operations() if one != ALWAYS_ALLOWED]
)
def test_whoever_has_no_policies_is_denied_under_awss_name(
    nobody: Someone, service: str, operation: str
) -> None:
    code, sentence = refusal(lambda: ask(nobody.client(service), service, operation))

    if operation.startswith("Head"):
        # Answers to HEAD have no body that could say more.
        assert code == "403"
        return
    assert code in ("AccessDenied", "AccessDeniedException", "AuthorizationError")
    before, _, after = sentence.partition(" on resource: ")
    assert before == f"User: {nobody.arn} is not authorized to perform: {expected_action(service, operation)}"
    assert is_expected_resource(service, operation, after.partition(" because no ")[0]), sentence


def test_an_operation_that_nobody_has_mapped_is_refused(account: SimulatedAccount) -> None:
    everything = user(account, "everything", allowing("*"))

    code, sentence = refusal(everything.client("ecs").describe_capacity_providers)

    assert code == "AccessDeniedException"
    assert "ecs:DescribeCapacityProviders because the simulated account does not know" in sentence


@pytest.mark.parametrize(
    ("service", "call"),
    [("codepipeline", "list_pipelines"), ("xray", "get_groups"), ("application-signals", "list_services")],
)
def test_a_service_that_the_account_lacks_lets_nobody_pass_and_says_so(
    account: SimulatedAccount, nobody: Someone, service: str, call: str
) -> None:
    span = {"StartTime": START, "EndTime": START} if service == "application-signals" else {}

    denied, _ = refusal(lambda: getattr(nobody.client(service), call)(**span))
    code, sentence = refusal(lambda: getattr(account.client(service), call)(**span))

    assert denied == "AccessDeniedException"
    assert (code, sentence) == ("UnknownOperationException", f"The simulated account has no {service}.")


def test_everyone_may_ask_who_they_are(nobody: Someone) -> None:
    assert nobody.client("sts").get_caller_identity()["Arn"] == nobody.arn


@pytest.mark.parametrize(
    ("service", "operation", "wrong_secret", "unknown_key"),
    [
        ("ecs", "list_clusters", "InvalidSignatureException", "UnrecognizedClientException"),
        ("dynamodb", "list_tables", "InvalidSignatureException", "UnrecognizedClientException"),
        ("lambda", "list_functions", "InvalidSignatureException", "UnrecognizedClientException"),
        ("bedrock", "list_foundation_models", "InvalidSignatureException", "UnrecognizedClientException"),
        ("sqs", "list_queues", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("cloudwatch", "list_metrics", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("sns", "list_topics", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("s3", "list_buckets", "SignatureDoesNotMatch", "InvalidAccessKeyId"),
    ],
)
def test_a_key_is_no_good_without_its_secret(
    account: SimulatedAccount, service: str, operation: str, wrong_secret: str, unknown_key: str
) -> None:
    key = account.credentials.access_key_id
    forged = account.client_of(service, Credentials(key, "a-guess"))
    stranger = account.client_of(service, Credentials("AKIAIOSFODNN7EXAMPLE", "a-guess"))
    emulators_own = account.client_of(service, Credentials("test", "test"))

    assert refusal(getattr(forged, operation))[0] == wrong_secret
    assert refusal(getattr(stranger, operation))[0] == unknown_key
    assert refusal(getattr(emulators_own, operation))[0] == unknown_key


def test_an_unsigned_request_is_refused(account: SimulatedAccount) -> None:
    ecs = boto_session().client(
        "ecs", endpoint_url=account.endpoint, config=Config(signature_version=UNSIGNED)
    )

    assert refusal(ecs.list_clusters)[0] == "MissingAuthenticationTokenException"


def test_a_session_key_is_no_good_without_its_token(account: SimulatedAccount) -> None:
    ann = user(account, "tokenless", allowing("sts:AssumeRole"))
    reader = role(account, "tokenless-role", trusting(ann.arn), allowing("ecs:ListClusters"))
    taken = session(ann, reader)

    assert taken.client("ecs").list_clusters()
    assert refusal(account.client_of("ecs", taken.keys).list_clusters)[0] == "UnrecognizedClientException"
    assert (
        refusal(account.client_of("ecs", taken.keys, "x").list_clusters)[0] == "UnrecognizedClientException"
    )


def test_a_key_that_is_made_inactive_opens_nothing(account: SimulatedAccount) -> None:
    bob = user(account, "bob", allowing("ecs:ListClusters"))
    assert bob.client("ecs").list_clusters()

    key = bob.keys.access_key_id
    account.client("iam").update_access_key(UserName="bob", AccessKeyId=key, Status="Inactive")

    assert refusal(bob.client("ecs").list_clusters)[0] == "UnrecognizedClientException"


def test_a_policy_holds_for_its_resources_only(account: SimulatedAccount) -> None:
    eve = user(account, "eve", allowing("ecs:DescribeServices", on=CHECKOUT))
    ecs = eve.client("ecs")

    assert ecs.describe_services(cluster="storefront", services=["checkout"])["services"]
    _, sentence = refusal(lambda: ecs.describe_services(cluster="storefront", services=["checkout", "web"]))
    assert "service/storefront/web because no identity-based policy allows" in sentence


def test_a_managed_policy_and_a_group_allow_too(account: SimulatedAccount) -> None:
    iam, gil = account.client("iam"), user(account, "gil")
    arn = iam.create_policy(PolicyName="listing", PolicyDocument=document(allowing("ecs:ListClusters")))[
        "Policy"
    ]["Arn"]
    iam.create_group(GroupName="readers")
    iam.put_group_policy(
        GroupName="readers", PolicyName="own", PolicyDocument=document(allowing("sqs:ListQueues"))
    )
    assert refusal(gil.client("ecs").list_clusters)
    assert refusal(gil.client("sqs").list_queues)

    iam.attach_user_policy(UserName="gil", PolicyArn=arn)
    iam.add_user_to_group(GroupName="readers", UserName="gil")

    assert gil.client("ecs").list_clusters()
    assert gil.client("sqs").list_queues()


def test_a_permissions_boundary_narrows(account: SimulatedAccount) -> None:
    boundary = account.client("iam").create_policy(
        PolicyName="boundary", PolicyDocument=document(allowing("ecs:List*"))
    )["Policy"]["Arn"]
    kim = user(account, "kim", allowing("*"), PermissionsBoundary=boundary)

    assert kim.client("ecs").list_clusters()
    assert "because no permissions boundary allows" in refusal(kim.client("ecs").describe_clusters)[1]


def test_a_session_policy_narrows(account: SimulatedAccount) -> None:
    ann = user(account, "narrowing", allowing("sts:AssumeRole"))
    wide = role(account, "wide", trusting(ann.arn), allowing("ecs:*"))
    taken = session(ann, wide, Policy=document(allowing("ecs:List*", "s3:*")))

    assert taken.client("ecs").list_clusters()
    assert "because no session policy allows" in refusal(taken.client("ecs").describe_clusters)[1]
    assert "because no identity-based policy allows" in refusal(taken.client("s3").list_buckets)[1]


def test_both_sides_must_let_someone_into_a_role(account: SimulatedAccount) -> None:
    may, may_not = user(account, "may", allowing("sts:AssumeRole")), user(account, "may-not")
    whole = role(account, "trusts-the-account", trusting(f"arn:aws:iam::{ACCOUNT}:root"))
    closed = role(account, "trusts-nobody", trusting("arn:aws:iam::123456789012:user/other"))

    assert session(may, whole).token
    assert refusal(lambda: session(may_not, whole))[0] == "AccessDenied"
    assert refusal(lambda: session(may, closed))[0] == "AccessDenied"
    assert refusal(lambda: session(may, f"arn:aws:iam::{ACCOUNT}:role/absent"))[0] == "AccessDenied"


def test_a_source_identity_needs_trust_and_stays_through_chains(account: SimulatedAccount) -> None:
    trust = ("sts:AssumeRole", "sts:SetSourceIdentity")
    ann = user(account, "sourced", allowing(*trust))
    only = {"StringEquals": {"aws:SourceIdentity": "incident-7"}}
    first = role(account, "first", trusting(ann.arn, actions=trust), allowing("sts:*"))
    second = role(account, "second", trusting(first), allowing("ecs:ListClusters", Condition=only))
    plain = role(account, "plain", trusting(ann.arn))

    sentence = refusal(lambda: session(ann, plain, SourceIdentity="incident-7"))[1]
    assert "sts:SetSourceIdentity" in sentence
    chained = session(session(ann, first, SourceIdentity="incident-7"), second)
    assert chained.client("ecs").list_clusters()
    unsourced = session(session(ann, first), second)
    assert refusal(unsourced.client("ecs").list_clusters)


def test_tags_of_session_request_and_resource_decide(account: SimulatedAccount) -> None:
    ann = user(account, "tagging", allowing("sts:AssumeRole", "sts:TagSession"))
    same = {"StringEquals": {"aws:ResourceTag/owner": "${aws:PrincipalTag/owner}"}}
    tagged = role(
        account,
        "tagged",
        trusting(ann.arn, actions=["sts:AssumeRole", "sts:TagSession"]),
        allowing("ecs:DescribeServices", Condition=same),
        allowing("ecs:TagResource", Condition={"StringEquals": {"aws:RequestTag/cost": "none"}}),
    )
    tags = account.client("ecs").list_tags_for_resource(resourceArn=CHECKOUT)["tags"]
    owner = next(one["value"] for one in tags if one["key"] == "owner")
    mine = session(ann, tagged, Tags=[{"Key": "owner", "Value": owner}]).client("ecs")
    others = session(ann, tagged, Tags=[{"Key": "owner", "Value": "somebody"}]).client("ecs")

    assert mine.describe_services(cluster="storefront", services=["checkout"])["services"]
    assert refusal(lambda: others.describe_services(cluster="storefront", services=["checkout"]))
    mine.tag_resource(resourceArn=CHECKOUT, tags=[{"key": "cost", "value": "none"}])
    assert refusal(lambda: mine.tag_resource(resourceArn=CHECKOUT, tags=[{"key": "cost", "value": "x"}]))


def test_a_role_is_passed_only_by_whom_may_and_to_which_service(account: SimulatedAccount) -> None:
    passing = allowing(
        "iam:PassRole",
        on=f"arn:aws:iam::{ACCOUNT}:role/task",
        Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    )
    without = user(account, "without", allowing("ecs:RegisterTaskDefinition"))
    may = user(account, "passing", allowing("ecs:RegisterTaskDefinition", "lambda:CreateFunction"), passing)

    def register(who: Someone, named: str) -> Any:
        container = {"name": "c", "image": "i", "memory": 128}
        arn = f"arn:aws:iam::{ACCOUNT}:role/{named}"
        return who.client("ecs").register_task_definition(
            family="passed", containerDefinitions=[container], taskRoleArn=arn
        )

    assert register(may, "task")
    assert (
        f"iam:PassRole on resource: arn:aws:iam::{ACCOUNT}:role/task"
        in refusal(lambda: register(without, "task"))[1]
    )
    assert "iam:PassRole" in refusal(lambda: register(may, "other"))[1]


def test_converse_and_its_guardrail_are_decided_apart(account: SimulatedAccount) -> None:
    model = account.client("bedrock").list_foundation_models()["modelSummaries"][0]["modelId"]
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{model}"
    ann = user(account, "conversing", allowing("bedrock:InvokeModel", on=arn))
    asked = {"modelId": model, "messages": [{"role": "user", "content": [{"text": "hello"}]}]}
    guarded = {**asked, "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "DRAFT"}}
    bedrock = ann.client("bedrock-runtime")

    assert bedrock.converse(**asked)["output"]
    assert "bedrock:InvokeModelWithResponseStream" in refusal(lambda: bedrock.converse_stream(**asked))[1]
    assert "bedrock:ApplyGuardrail on resource" in refusal(lambda: bedrock.converse(**guarded))[1]


def test_a_transaction_needs_the_action_of_each_item(account: SimulatedAccount) -> None:
    table = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
    ann = user(account, "transacting", allowing("dynamodb:PutItem", on=table))
    put = {"Put": {"TableName": "orders", "Item": {"order_id": {"S": "t"}}}}
    delete = {"Delete": {"TableName": "orders", "Key": {"order_id": {"S": "u"}}}}
    dynamodb = ann.client("dynamodb")

    assert dynamodb.transact_write_items(TransactItems=[put])
    sentence = refusal(lambda: dynamodb.transact_write_items(TransactItems=[put, delete]))[1]
    assert f"dynamodb:DeleteItem on resource: {table}" in sentence


def test_a_queues_own_policy_lets_in_whom_it_names(account: SimulatedAccount) -> None:
    ann, sqs = user(account, "named"), account.client("sqs")
    url = sqs.create_queue(QueueName="shared")["QueueUrl"]
    assert refusal(lambda: ann.client("sqs").send_message(QueueUrl=url, MessageBody="x"))
    named = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sqs:SendMessage", "Resource": "*"}

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(named)})

    assert ann.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    assert refusal(lambda: ann.client("sqs").receive_message(QueueUrl=url))


def test_a_policy_may_end_at_a_moment_of_the_account(account: SimulatedAccount) -> None:
    past = {"DateLessThan": {"aws:CurrentTime": START}}
    future = {"DateLessThan": {"aws:CurrentTime": "2036-01-01T00:00:00Z"}}

    assert refusal(user(account, "late", allowing("ecs:*", Condition=past)).client("ecs").list_clusters)
    assert user(account, "early", allowing("ecs:*", Condition=future)).client("ecs").list_clusters()


def test_a_denial_is_in_the_trail_under_who_was_denied(account: SimulatedAccount, nobody: Someone) -> None:
    refusal(lambda: nobody.client("ecs").stop_task(cluster="storefront", task="x"))

    call = account.calls("StopTask")[-1]
    assert (call["caller_arn"], call["error_code"]) == (nobody.arn, "AccessDeniedException")
