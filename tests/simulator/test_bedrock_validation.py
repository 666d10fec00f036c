"""What Converse refuses, in AWS's words."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.simulator.bedrock_host import CONFIG, KEYS, Host, hosted

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIARAW/20261123/us-east-1/bedrock/aws4_request"
USE = {"toolUse": {"toolUseId": "t1", "name": "find", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "x"}]}}
TOOLS = {"tools": [{"toolSpec": {"name": "find", "inputSchema": {"json": {"type": "object"}}}}]}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosted() as started:
        yield started


@pytest.fixture(scope="module")
def client(host: Host) -> Any:
    unchecked = CONFIG.merge(Config(parameter_validation=False))
    return boto3.client("bedrock-runtime", endpoint_url=host.endpoint, config=unchecked, **KEYS)


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks) or [{"text": "hello"}]}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks) or [{"text": "hello"}]}


def refusal(client: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        client.converse(modelId="local.rules-v1:0", **request)
    response = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationException"
    text: str = response["Error"]["Message"]
    return text


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "A conversation must start with a user message."),
        ([assistant()], "A conversation must start with a user message."),
        ([user(), user()], "A conversation must alternate between user and assistant roles."),
        ([user(), assistant()], "The conversation must end with a user message."),
        (
            [{"role": "user", "content": []}],
            "The content field in the Message object at messages.0 is empty.",
        ),
        (
            [user({"text": " "})],
            "The text field in the ContentBlock object at messages.0.content.0 is blank.",
        ),
        ([user(), assistant(USE), user(RESULT)], "The toolConfig field must be defined"),
    ],
)
def test_a_conversation_against_the_rules_is_refused(client: Any, messages: Any, words: str) -> None:
    assert words in refusal(client, messages=messages)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (
            [user(), assistant(USE), user()],
            "Expected toolResult blocks at messages.2.content for the following Ids: t1",
        ),
        (
            [user(RESULT)],
            "The number of toolResult blocks at messages.0.content exceeds "
            "the number of toolUse blocks of previous turn.",
        ),
        ([user(), assistant(USE, USE), user(RESULT)], "duplicate Ids"),
    ],
)
def test_calls_and_results_must_pair(client: Any, messages: Any, words: str) -> None:
    assert words in refusal(client, messages=messages, toolConfig=TOOLS)


@pytest.mark.parametrize(
    ("request_part", "words"),
    [
        ({"inferenceConfig": {"maxTokens": 0}}, "maxTokens"),
        ({"inferenceConfig": {"temperature": 2.0}}, "less than or equal to 1"),
        ({"serviceTier": {"type": "cheap"}}, "Member must satisfy enum value set"),
        ({"toolConfig": {"tools": []}}, "tools"),
        ({"toolConfig": {**TOOLS, "toolChoice": {"tool": {"name": "lost"}}}}, "not found in provided tools"),
        ({"toolConfig": {"tools": TOOLS["tools"] * 2}}, "already defined"),
        ({"guardrailConfig": {"guardrailIdentifier": "x", "guardrailVersion": "0"}}, "regular expression"),
        ({"guardrailConfig": {"guardrailIdentifier": "x"}}, "must both be given"),
        (
            {
                "outputConfig": {
                    "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{"}}}
                }
            },
            "not valid JSON",
        ),
        ({"system": [{"text": "x"}, *[{"cachePoint": {"type": "default"}}] * 5]}, "maximum of 4"),
    ],
)
def test_a_member_against_the_model_is_refused(client: Any, request_part: Any, words: str) -> None:
    assert words in refusal(client, messages=[user()], **request_part)


def test_media_are_refused(client: Any) -> None:
    image = {"image": {"format": "png", "source": {"bytes": b"x"}}}
    assert "doesn't support the image field" in refusal(client, messages=[user(image)])


def test_the_model_accepts_what_langchain_sends(host: Host) -> None:
    assert host.chat().invoke([("system", "Be brief."), ("user", "colour: red")]).text


@pytest.mark.parametrize(
    "part",
    [
        {"inferenceConfig": {"temprature": 0.1}},
        {"guardrailConfig": {"guardrailIdentifier": "x", "streamProcessingMode": "sync"}},
        {"mesages": []},
    ],
)
def test_a_member_the_api_does_not_have_is_refused(host: Host, part: dict[str, Any]) -> None:
    body = json.dumps({"messages": [user()], **part}).encode()
    status, code, answer = _raw(host, body, Authorization=SIGNED)
    assert (status, code) == (400, "ValidationException")
    assert "Unknown parameter" in answer["message"]


def _raw(host: Host, body: bytes, **headers: str) -> tuple[int, str, dict[str, Any]]:
    url = f"{host.endpoint}/model/local.rules-v1%3A0/converse"
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    error = raised.value
    return error.code, error.headers["x-amzn-errortype"], json.loads(error.read())


def test_an_unsigned_request_is_refused(host: Host) -> None:
    status, code, body = _raw(host, b"{}")
    assert (status, code) == (403, "MissingAuthenticationTokenException")
    assert body == {"message": "Missing Authentication Token"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_not_an_object_is_refused(host: Host, body: bytes) -> None:
    status, code, _ = _raw(host, body, Authorization=SIGNED)
    assert (status, code) == (400, "SerializationException")
