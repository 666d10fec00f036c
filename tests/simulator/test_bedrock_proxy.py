"""A local OpenAI-compatible server behind Bedrock's wire."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError, EventStreamError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

from tests.simulator.bedrock_host import Host, hosted

MODEL = "local.openai-compatible-v1:0"


class Server(BaseHTTPRequestHandler):
    """Answers chat completions with what the test put there, and remembers what it was asked."""

    asked: ClassVar[list[dict[str, Any]]] = []
    chunks: ClassVar[list[Any]] = []
    status: ClassVar[int] = 200
    streams: ClassVar[bool] = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Server.asked.append({"path": self.path, **json.loads(body)})
        self.send_response(Server.status)
        self.send_header("Content-Type", "text/event-stream" if Server.streams else "application/json")
        self.end_headers()
        for chunk in Server.chunks:
            written = chunk if isinstance(chunk, str) else json.dumps(chunk)
            self.wfile.write((f"data: {written}\n\n" if Server.streams else written).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"delta": fields, "finish_reason": finish}]}


TEXT = [
    delta(role="assistant", content="Hel"),
    delta(content="lo"),
    delta("stop"),
    {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 2}},
    "[DONE]",
]
CALL = [
    delta(tool_calls=[{"index": 0, "id": "call_1", "function": {"name": "find", "arguments": ""}}]),
    delta(tool_calls=[{"index": 0, "function": {"arguments": '{"member": '}}]),
    delta(tool_calls=[{"index": 0, "function": {"arguments": '"M-1"}'}}]),
    delta("tool_calls"),
    "[DONE]",
]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with hosted(model_url=f"http://127.0.0.1:{server.server_port}/v1", model_name="tiny") as started:
        yield started
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def fresh_server() -> None:
    Server.asked, Server.chunks, Server.status, Server.streams = [], [], 200, True


class Member(BaseModel):
    """Who it is."""

    member: str


def find(member: str) -> str:
    """Find a member."""
    return member


def test_text_comes_through_with_the_servers_own_token_counts(host: Host) -> None:
    Server.chunks = TEXT
    answer = host.chat(MODEL, max_tokens=50, temperature=0.5).invoke(
        [SystemMessage("Be kind."), HumanMessage("Hi")]
    )
    assert answer.text == "Hello"
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"]) == (11, 2)
    (asked,) = Server.asked
    assert asked["path"] == "/v1/chat/completions"
    assert asked["model"] == "tiny"
    assert asked["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
    ]
    assert (asked["max_tokens"], asked["temperature"]) == (50, 0.5)


def test_text_streams_as_the_server_sends_it(host: Host) -> None:
    Server.chunks = TEXT
    assert [chunk.text for chunk in host.chat(MODEL).stream("Hi") if chunk.text] == ["Hel", "lo"]


def test_a_server_that_does_not_stream_is_understood(host: Host) -> None:
    Server.streams = False
    Server.chunks = [{"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}]
    assert host.chat(MODEL).invoke("Hi").text == "Hello"


def test_tools_and_their_results_are_translated_both_ways(host: Host) -> None:
    Server.chunks = CALL
    turns = [
        HumanMessage("Who?"),
        AIMessage("", tool_calls=[{"name": "find", "args": {"member": "M-0"}, "id": "c0"}]),
        ToolMessage("nobody", tool_call_id="c0"),
    ]
    answer = host.chat(MODEL).bind_tools([find], tool_choice="any").invoke(turns)
    assert [(call["name"], call["args"], call["id"]) for call in answer.tool_calls] == [
        ("find", {"member": "M-1"}, "call_1")
    ]
    (asked,) = Server.asked
    assert asked["tool_choice"] == "required"
    assert asked["tools"][0]["function"]["name"] == "find"
    assert asked["messages"][1]["tool_calls"][0]["function"] == {
        "name": "find",
        "arguments": '{"member": "M-0"}',
    }
    assert asked["messages"][2] == {"role": "tool", "tool_call_id": "c0", "content": "nobody"}


def test_tool_calls_stream(host: Host) -> None:
    Server.chunks = CALL
    whole: Any = None
    for chunk in host.chat(MODEL).bind_tools([find]).stream("Who?"):
        whole = chunk if whole is None else whole + chunk
    assert whole.tool_calls[0]["args"] == {"member": "M-1"}


def test_a_demanded_schema_is_passed_on(host: Host) -> None:
    Server.chunks = [delta("stop", content='{"member": "M-1"}')]
    model = host.chat(MODEL).with_structured_output(Member, method="json_schema")
    assert model.invoke("Who?") == Member(member="M-1")
    schema = Server.asked[0]["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["member"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "ThrottlingException"),
        (503, "ServiceUnavailableException"),
        (500, "ModelErrorException"),
        (404, "ModelErrorException"),
    ],
)
def test_a_servers_error_is_an_error(host: Host, status: int, code: str) -> None:
    Server.status = status
    for call in (host.runtime().converse, host.runtime().converse_stream):
        with pytest.raises(ClientError) as raised:
            call(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "Hi"}]}])
        assert raised.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    "chunks",
    [
        ["not json"],
        [delta(content="Hel")],
        [{"error": {"message": "out of memory"}}],
        [CALL[0], CALL[1], delta("tool_calls")],
    ],
)
def test_a_broken_answer_is_an_error_and_never_a_text(host: Host, chunks: list[Any]) -> None:
    Server.chunks = chunks
    with pytest.raises(ClientError) as raised:
        host.runtime().converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "Hi"}]}])
    assert raised.value.response["Error"]["Code"] == "ModelErrorException"


def test_a_stream_that_breaks_off_ends_in_an_exception(host: Host) -> None:
    Server.chunks = TEXT[:2]
    with pytest.raises(EventStreamError) as raised:
        list(host.chat(MODEL).stream("Hi"))
    assert raised.value.response["Error"]["Code"] == "modelStreamErrorException"


def test_a_dead_server_is_unavailable() -> None:
    with hosted(model_url="http://127.0.0.1:9/v1") as alone:
        for call in (alone.runtime().converse, alone.runtime().converse_stream):
            with pytest.raises(ClientError) as raised:
                call(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "Hi"}]}])
            assert raised.value.response["Error"]["Code"] == "ServiceUnavailableException"
        models = alone.control().list_foundation_models()["modelSummaries"]
        assert models[-1]["modelId"] == MODEL
