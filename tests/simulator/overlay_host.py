"""Overlays on a loopback port, for real boto3 clients; no emulator underneath."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from hypercorn.asyncio import serve
from hypercorn.config import Config as ServerConfig

from simulator.clock import AccountClock
from simulator.wire.protocol import ACCOUNT, REGION, Answer, AwsError, Call, Overlay, json_answer, json_error
from simulator.wire.protocol import read_parameters as read

TARGETS = {"Logs_20140328": "logs", "AmazonSSM": "ssm"}
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/tester/session"


class Host:
    """Clients of the overlays, and the clock they date things by."""

    def __init__(self, clock: AccountClock) -> None:
        self.clock = clock
        self.overlays: list[Overlay] = []
        self.loop = asyncio.new_event_loop()
        self.port = _free_port()

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"max_attempts": 0}, read_timeout=10),
        )

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        target = dict(scope["headers"]).get(b"x-amz-target", b"").decode()
        answer = await self._answer(target, body)
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, target: str, body: bytes) -> Answer:
        prefix, _, operation = target.partition(".")
        service = TARGETS[prefix]
        overlay = next(overlay for overlay in self.overlays if overlay.service == service)
        try:
            parameters = read(service, operation, json.loads(body))
            now = self.clock.now()
            call = Call(service, operation, parameters, CALLER, "AKIDEXAMPLE", REGION, ACCOUNT, now)
            return json_answer(service, operation, await overlay.answer(call))
        except AwsError as error:
            return json_error(service, error)

    def run(self, work: Any) -> Any:
        """Wait, from outside, for a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=10)


@contextmanager
def hosted(host: Host, overlays: Sequence[Overlay]) -> Iterator[Host]:
    host.overlays.extend(overlays)
    config = ServerConfig()
    config.bind = [f"127.0.0.1:{host.port}"]
    config.graceful_timeout = 0.1
    config.accesslog = config.errorlog = None
    stopping = asyncio.Event()

    async def main() -> None:
        await serve(host.app, config, shutdown_trigger=stopping.wait)  # type: ignore[arg-type]
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    thread = threading.Thread(target=host.loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    _await_port(host.port)
    try:
        yield host
    finally:
        host.loop.call_soon_threadsafe(stopping.set)
        thread.join(timeout=5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int) -> None:
    pause = threading.Event()
    for _ in range(1000):
        with socket.socket() as probe:
            probe.settimeout(0.05)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        # A refusal comes at once: without the pause a busy machine would use up all tries in milliseconds.
        pause.wait(0.01)
    raise TimeoutError(f"nothing listens on {port}")
