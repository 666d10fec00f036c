"""Decisions on policies, each as AWS's policy reference documents it."""

import json
from typing import Any

import pytest

from simulator.iam.evaluation import DeniedError, Principal, allow
from simulator.iam.matching import arn_like
from simulator.iam.policies import Need

ANN = "arn:aws:iam::123456789012:user/ann"
SERVICE = "arn:aws:ecs:us-east-1:123456789012:service/storefront/checkout"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allows(**given: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **given}


def denies(**given: Any) -> dict[str, Any]:
    return {**allows(**given), "Effect": "Deny"}


def may(
    *identity: str,
    need: Need | None = None,
    boundary: tuple[str, ...] | None = None,
    session: tuple[str, ...] | None = None,
    own: str | None = None,
    **keys: str,
) -> str:
    """`yes`, or the end of the sentence that says why not."""
    named = {name.replace("__", "/").replace("_", ":", 1): (value,) for name, value in keys.items()}
    principal = Principal(ANN, identity=identity, boundary=boundary, session=session, keys=named)
    try:
        allow(principal, need or Need("ecs:UpdateService", SERVICE), own)
    except DeniedError as error:
        return str(error).partition(f"on resource: {(need or Need('', SERVICE)).resource} ")[2]
    return "yes"


def test_without_a_policy_nothing_is_allowed() -> None:
    assert may() == "because no identity-based policy allows the ecs:UpdateService action"


def test_an_explicit_deny_beats_every_allow() -> None:
    everything = document(allows())
    assert (
        may(everything, document(denies(Action="ecs:*")))
        == "with an explicit deny in an identity-based policy"
    )
    denied = (document(allows(), denies(Action="ecs:Update*")),)
    assert may(everything, boundary=denied) == "with an explicit deny in a permissions boundary"
    assert may(everything, session=denied) == "with an explicit deny in a session policy"


def test_boundary_and_session_policy_only_narrow() -> None:
    everything, reading = document(allows()), (document(allows(Action="ecs:Describe*")),)
    assert may(everything, boundary=reading).startswith("because no permissions boundary allows")
    assert may(everything, session=reading).startswith("because no session policy allows")
    assert may(session=(everything,)).startswith("because no identity-based policy allows")
    assert may(everything, boundary=(everything,), session=(everything,)) == "yes"
    assert may(everything, session=()).startswith("because no session policy allows")


def test_a_resources_own_policy_allows_whom_it_names() -> None:
    queue = Need("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:orders")
    named = document(allows(Principal={"AWS": ANN}, Resource=queue.resource))
    whole_account = document(allows(Principal={"AWS": "arn:aws:iam::123456789012:root"}))
    service = document(allows(Principal={"Service": "events.amazonaws.com"}))
    assert may(need=queue, own=named) == "yes"
    assert may(need=queue, own=whole_account).startswith("because no identity-based")
    assert may(need=queue, own=service).startswith("because no identity-based")
    refused = document(denies(Principal="*"))
    assert (
        may(document(allows()), need=queue, own=refused) == "with an explicit deny in a resource-based policy"
    )


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "ECS:updateservice"}, True),
        ({"Action": ["ecs:Describe*", "ecs:Update?ervice"]}, True),
        ({"Action": "ecs:UpdateServicePrimaryTaskSet"}, False),
        ({"Resource": "arn:aws:ecs:*:*:service/storefront/*"}, True),
        ({"Resource": "arn:aws:ecs:*:*:service/Storefront/*"}, False),
        ({"Resource": "arn:aws:ecs:*:*:service/storefront"}, False),
        ({"Resource": "arn:aws:ecs:*:*:service/${aws:PrincipalTag/team}/*"}, True),
        ({"Resource": "arn:aws:ecs:*:*:service/${aws:PrincipalTag/absent}/*"}, False),
        ({"Resource": "arn:aws:ecs:*:*:service/${aws:PrincipalTag/absent, 'storefront'}/*"}, True),
    ],
)
def test_statements_match_as_documented(statement: dict[str, Any], expected: bool) -> None:
    assert (may(document(allows(**statement)), aws_principaltag__team="storefront") == "yes") is expected


def test_not_action_and_not_resource_are_all_the_others() -> None:
    other = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert may(document(other)) == "yes"
    assert may(document({**other, "NotAction": "ecs:*"})) != "yes"
    assert (
        may(document({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:ecs:*:*:service/*"})) != "yes"
    )


def test_a_wildcard_in_a_tag_is_a_letter_of_its_value() -> None:
    policy = document(allows(Resource="arn:aws:ecs:*:*:service/${aws:PrincipalTag/team}/*"))
    assert may(policy, aws_principaltag__team="*") != "yes"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:SourceIdentity": "incident-7"}}, True),
        ({"StringEquals": {"aws:SourceIdentity": ["x", "incident-7"]}}, True),
        ({"StringEquals": {"aws:SourceIdentity": "Incident-7"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:SourceIdentity": "Incident-7"}}, True),
        ({"StringNotEquals": {"aws:SourceIdentity": "x"}}, True),
        ({"StringNotEquals": {"aws:SourceIdentity": ["x", "incident-7"]}}, False),
        ({"StringNotEquals": {"aws:absent": "x"}}, True),
        ({"StringEquals": {"aws:absent": "x"}}, False),
        ({"StringEqualsIfExists": {"aws:absent": "x"}}, True),
        ({"StringLike": {"AWS:sourceidentity": "incident-*"}}, True),
        ({"StringNotLike": {"aws:SourceIdentity": "incident-*"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}, True),
        ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/ann"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2026-11-23T10:00:00Z"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-11-23T10:00:00Z"}}, False),
        ({"NumericLessThanEquals": {"aws:EpochTime": "10"}}, True),
        ({"NumericGreaterThan": {"aws:EpochTime": "many"}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"Bool": {"aws:SecureTransport": True}}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
        ({"Null": {"aws:absent": "true"}}, True),
        ({"Null": {"aws:SourceIdentity": "true"}}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:absent": ["team"]}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["cost"]}}, False),
        ({"ForAllValues:StringEquals": {"aws:absent": ["cost"]}}, True),
        ({"StringEquals": {"aws:username": "${aws:SourceIdentity}"}}, False),
        ({"StringEquals": {"aws:SourceIdentity": "x"}, "Bool": {"aws:SecureTransport": "false"}}, False),
    ],
)
def test_conditions_hold_as_documented(condition: dict[str, Any], expected: bool) -> None:
    answer = may(
        document(allows(Condition=condition)),
        aws_sourceidentity="incident-7",
        aws_principalarn=ANN,
        aws_currenttime="2026-11-23T09:00:00+00:00",
        aws_epochtime="9",
        aws_securetransport="false",
        aws_sourceip="127.0.0.1",
        aws_tagkeys="team",
        aws_username="ann",
    )

    assert (answer == "yes") is expected


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        document(allows(Condition={"StringSounds": {"aws:username": "ann"}})),
        document(allows(Effect="Maybe")),
        document(allows(Resorce="*")),
        document({"Effect": "Allow", "Resource": "*"}),
    ],
)
def test_whoever_has_a_policy_that_cannot_be_read_is_denied(broken: str) -> None:
    assert "cannot be read" in may(document(allows()), broken)


def test_an_arn_is_compared_part_by_part() -> None:
    assert arn_like("arn:aws:s3:::b", "arn:*:s3:::*")
    assert not arn_like("arn:aws:sqs:us-east-1:1:a:b", "arn:aws:s*:b")
