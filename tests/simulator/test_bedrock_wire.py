"""Converse on the wire, as boto3 and langchain-aws read it."""

import json
import socket
import struct
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError

from simulator.bedrock import BedrockApp, StreamException, StreamFault
from simulator.bedrock.frames import event_frame, exception_frame
from tests.simulator.bedrock_host import Host, hosted

RULES = "local.rules-v1:0"
SAID = [{"role": "user", "content": [{"text": "colour: red\nshape: round\nweight: 12"}]}]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosted() as started:
        yield started


@pytest.fixture(autouse=True)
def no_faults_left(host: Host) -> Iterator[None]:
    yield
    host.app.faults.clear()


def converse(host: Host, model: str = RULES, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = host.runtime().converse(modelId=model, **{"messages": SAID, **more})
    return answer


def stream(host: Host, **more: Any) -> list[dict[str, Any]]:
    answer = host.runtime().converse_stream(modelId=RULES, **{"messages": SAID, **more})
    return list(answer["stream"])


def tool(name: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"toolSpec": {"name": name, "inputSchema": {"json": schema}}}


def test_a_frame_is_read_by_botocore_and_carries_both_checksums() -> None:
    frame = event_frame("contentBlockDelta", {"delta": {"text": "ä"}})
    buffer = EventStreamBuffer()
    buffer.add_data(frame)
    (message,) = list(buffer)
    assert message.headers[":event-type"] == "contentBlockDelta"
    assert json.loads(message.payload) == {"delta": {"text": "ä"}}
    assert struct.unpack("!I", frame[:4])[0] == len(frame)
    assert struct.unpack("!I", frame[8:12])[0] == zlib.crc32(frame[:8])
    assert struct.unpack("!I", frame[-4:])[0] == zlib.crc32(frame[:-4])


def test_an_exception_frame_names_the_exception() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(exception_frame("throttlingException", {"message": "slow"}))
    (message,) = list(buffer)
    assert message.headers[":message-type"] == "exception"
    assert message.headers[":exception-type"] == "throttlingException"


def test_converse_answers_with_message_usage_and_metrics(host: Host) -> None:
    answer = converse(host)
    assert answer["output"]["message"]["role"] == "assistant"
    assert "The colour is red." in answer["output"]["message"]["content"][0]["text"]
    assert answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > 0
    assert answer["metrics"]["latencyMs"] >= 0


def test_a_text_stream_has_the_events_in_order(host: Host) -> None:
    events = stream(host)
    kinds = [next(iter(event)) for event in events]
    assert kinds[0] == "messageStart"
    assert kinds[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert set(kinds[1:-3]) == {"contentBlockDelta"}
    assert len(kinds) > 5
    assert events[-1]["metadata"]["usage"]["outputTokens"] > 0


def test_a_tool_call_streams_as_fragments_of_json(host: Host) -> None:
    config = {"tools": [tool("paint", colour={"type": "string"}, shape={"type": "string"})]}
    events = stream(host, toolConfig=config)
    start = next(event["contentBlockStart"] for event in events if "contentBlockStart" in event)
    assert start["start"]["toolUse"]["name"] == "paint"
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    fragments = [delta["delta"]["toolUse"]["input"] for delta in deltas]
    assert len(fragments) > 1
    assert json.loads("".join(fragments)) == {"colour": "red", "shape": "round"}
    assert {"messageStop": {"stopReason": "tool_use"}} in events


def test_several_calls_in_one_turn_are_several_blocks(host: Host) -> None:
    config = {"tools": [tool("paint", colour={"type": "string"}), tool("weigh", weight={"type": "integer"})]}
    blocks = converse(host, toolConfig=config)["output"]["message"]["content"]
    assert [block["toolUse"]["input"] for block in blocks] == [{"colour": "red"}, {"weight": 12}]
    assert len({block["toolUse"]["toolUseId"] for block in blocks}) == 2
    starts = [event for event in stream(host, toolConfig=config) if "contentBlockStart" in event]
    assert [start["contentBlockStart"]["contentBlockIndex"] for start in starts] == [0, 1]


def test_each_frame_is_a_body_part_of_its_own(host: Host) -> None:
    body = json.dumps({"messages": SAID}).encode()
    request = (
        b"POST /model/local.rules-v1%3A0/converse-stream HTTP/1.1\r\nHost: x\r\n"
        b"Authorization: AWS4-HMAC-SHA256 Credential=AKIARAW/20261123/us-east-1/bedrock/aws4_request\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body
    )
    address, port = host.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((address, int(port))) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    chunks = answer.split(b"\r\n\r\n", 1)[1].split(b"\r\n")
    frames = [chunk for chunk in chunks if b":event-type" in chunk]
    assert len(frames) > 5
    assert all(frame.count(b":event-type") == 1 for frame in frames)


@pytest.mark.parametrize(
    "exception",
    [StreamException.THROTTLING, StreamException.MODEL_STREAM_ERROR, StreamException.INTERNAL_SERVER],
)
def test_a_stream_can_end_in_an_exception_after_some_frames(host: Host, exception: StreamException) -> None:
    host.app.faults.append(StreamFault(exception, after_frames=3, message="Too many."))
    events: list[Any] = []
    with pytest.raises(EventStreamError) as raised:
        events.extend(host.runtime().converse_stream(modelId=RULES, messages=SAID)["stream"])
    assert len(events) == 3
    assert raised.value.response["Error"] == {"Code": str(exception), "Message": "Too many."}
    assert host.calls[-1]["error"] == str(exception)
    assert len(stream(host)) > 3


def test_a_cut_stream_is_an_incomplete_one_to_langchain(host: Host) -> None:
    host.app.faults.append(StreamFault(StreamException.CUT))
    with pytest.raises(ConnectionError, match="messageStop"):
        list(host.chat().stream("colour: red"))


def test_the_answer_ends_at_the_token_limit_and_at_a_stop_sequence(host: Host) -> None:
    short = converse(host, inferenceConfig={"maxTokens": 3})
    assert short["stopReason"] == "max_tokens"
    assert short["usage"]["outputTokens"] <= 3
    stopped = converse(host, inferenceConfig={"stopSequences": [" is red"]})
    assert stopped["stopReason"] == "stop_sequence"
    assert stopped["output"]["message"]["content"] == [{"text": "The colour"}]


def test_a_cache_point_is_written_once_and_read_until_it_expires(host: Host) -> None:
    system = [{"text": "word " * 1200}, {"cachePoint": {"type": "default"}}]
    first = converse(host, system=system)["usage"]
    second = converse(host, system=system)["usage"]
    host.clock.advance(timedelta(minutes=6))
    third = converse(host, system=system)["usage"]
    assert first["cacheWriteInputTokens"] > 1024
    assert first["cacheDetails"] == [{"ttl": "5m", "inputTokens": first["cacheWriteInputTokens"]}]
    assert second["cacheReadInputTokens"] == first["cacheWriteInputTokens"]
    assert second["cacheWriteInputTokens"] == 0
    assert third["cacheWriteInputTokens"] == first["cacheWriteInputTokens"]
    assert first["inputTokens"] == second["inputTokens"] == third["inputTokens"]


def test_a_short_prefix_is_not_cached(host: Host) -> None:
    usage = converse(host, system=[{"text": "short"}, {"cachePoint": {"type": "default"}}])["usage"]
    assert usage["cacheWriteInputTokens"] == 0


def test_tier_and_latency_are_echoed(host: Host) -> None:
    answer = converse(host, serviceTier={"type": "flex"}, performanceConfig={"latency": "standard"})
    assert answer["serviceTier"] == {"type": "flex"}
    assert answer["performanceConfig"] == {"latency": "standard"}


def test_an_unknown_model_is_refused_in_aws_words(host: Host) -> None:
    client = host.runtime()
    for model in ("anthropic.claude-9-v1:0", "local.rules-v2:0"):
        with pytest.raises(client.exceptions.ValidationException, match="model identifier is invalid"):
            client.converse(modelId=model, messages=SAID)
        with pytest.raises(client.exceptions.ValidationException, match="model identifier is invalid"):
            client.converse_stream(modelId=model, messages=SAID)


def test_a_proxied_model_is_unknown_without_its_url(host: Host) -> None:
    client = host.runtime()
    with pytest.raises(client.exceptions.ValidationException, match="model identifier is invalid"):
        client.converse(modelId="local.openai-compatible-v1:0", messages=SAID)


def test_arns_and_profiles_name_the_same_model(host: Host) -> None:
    profile = host.control().list_inference_profiles()["inferenceProfileSummaries"][0]
    arn = host.control().list_foundation_models()["modelSummaries"][0]["modelArn"]
    text = converse(host)["output"]
    assert converse(host, profile["inferenceProfileArn"])["output"] == text
    assert converse(host, profile["inferenceProfileId"])["output"] == text
    assert converse(host, arn)["output"] == text


def test_every_call_is_recorded_with_its_key_and_error(host: Host) -> None:
    converse(host)
    done = host.calls[-1]
    assert (done["operation"], done["key"], done["error"]) == ("Converse", "AKIATEST", None)
    assert done["parameters"]["modelId"] == RULES
    with pytest.raises(ClientError):
        converse(host, "none.such")
    assert host.calls[-1]["error"] == "ValidationException"


def test_the_control_plane_lists_and_describes_models(host: Host) -> None:
    bedrock = host.control()
    ids = [model["modelId"] for model in bedrock.list_foundation_models()["modelSummaries"]]
    assert ids == ["local.rules-v1:0", "local.rules-large-v1:0", "local.obeys-v1:0", "local.invents-v1:0"]
    assert bedrock.list_foundation_models(byProvider="anthropic")["modelSummaries"] == []
    details = bedrock.get_foundation_model(modelIdentifier=RULES)["modelDetails"]
    assert details["modelLifecycle"] == {"status": "ACTIVE"}
    profile = bedrock.get_inference_profile(inferenceProfileIdentifier=f"us.{RULES}")
    assert profile["models"] == [{"modelArn": details["modelArn"]}]
    with pytest.raises(bedrock.exceptions.ResourceNotFoundException):
        bedrock.get_foundation_model(modelIdentifier="none.such-v1:0")
    with pytest.raises(bedrock.exceptions.ResourceNotFoundException):
        bedrock.get_inference_profile(inferenceProfileIdentifier="us.none.such")


def test_only_its_own_paths_are_served() -> None:
    assert BedrockApp.serves("POST", "/model/local.rules-v1%3A0/converse")
    assert BedrockApp.serves("GET", "/guardrails")
    assert not BedrockApp.serves("POST", "/model/x/invoke")
    assert not BedrockApp.serves("GET", "/model/x/converse")
    assert not BedrockApp.serves("POST", "/guardrails")
