"""The control plane under `/_sim/`: the clock, the calls that came in, faults, injections, resets. Not AWS."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError

from simulator.clock import BackwardsError, iso
from simulator.control.faults import UnknownFaultError
from simulator.control.orders import (
    BadOrderError,
    CallsQuestion,
    ClockOrder,
    InjectOrder,
    PulseQuestion,
    check_span,
    worded,
)
from simulator.control.pacing import Pacer
from simulator.control.pulse import pulse
from simulator.control.running import Running
from simulator.scenario import ScenarioError
from simulator.wire.protocol import ACCOUNT, REGION

PREFIX = "/_sim/"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Control:
    """Answers the control plane's requests."""

    running: Running
    pacer: Pacer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            status, answer = 200, await self._answer(scope, await read_body(receive))
        except (BadOrderError, BackwardsError, ScenarioError, UnknownFaultError) as error:
            status, answer = 400, {"error": str(error)}
        except ValidationError as error:
            status, answer = 400, {"error": worded(error)}
        await send_json(send, status, answer)

    async def _answer(self, scope: Scope, body: bytes) -> dict[str, Any]:
        await self.running.opened.wait()
        query = dict(parse_qsl(scope["query_string"].decode()))
        match scope["method"], scope["path"].removeprefix(PREFIX):
            case "GET", asked:
                return self._read(asked, query)
            case "POST", "clock":
                return await self._move(ClockOrder.model_validate(_json(body)))
            case "POST", "faults":
                return self._order(_json(body))
            case "DELETE", "faults":
                return {"lifted": self.running.account.dispatch.faults.clear(query.get("id"))}
            case "POST", "inject":
                order = InjectOrder.model_validate(_json(body))
                return self.running.inject(order.scenario, order.scenarios_dir).as_json()
            case "POST", "reset":
                # Nobody who hangs up half way leaves an account half made.
                await asyncio.shield(self.running.reset())
                return self._status()
        raise BadOrderError(f"there is no {scope['method']} {scope['path']}")

    def _read(self, asked: str, query: Mapping[str, str]) -> dict[str, Any]:
        match asked:
            case "clock":
                return self._clock()
            case "status":
                return self._status()
            case "calls":
                return CallsQuestion.model_validate(query).answered(self.running.account)
            case "faults":
                faults = self.running.account.dispatch.faults.standing()
                return {"faults": [one.as_json() for one in faults]}
            case "pulse":
                return pulse(self.running.account, PulseQuestion.model_validate(query).minutes)
        raise BadOrderError(f"there is no GET {PREFIX}{asked}")

    def _clock(self) -> dict[str, Any]:
        return {"now": iso(self.running.account.clock.now()), "pace": self.pacer.pace}

    async def _move(self, order: ClockOrder) -> dict[str, Any]:
        # Nobody who hangs up half way leaves the account between two ticks.
        account = self.running.account
        if order.pace is not None:
            self.pacer.pace = order.pace
        elif order.advance_seconds is not None:
            span = timedelta(seconds=order.advance_seconds)
            check_span(span)
            await asyncio.shield(account.advance_by(span))
        elif order.until is not None:
            check_span(order.until - account.clock.now())
            await asyncio.shield(account.advance_to(order.until))
        return self._clock()

    def _order(self, orders: Any) -> dict[str, Any]:
        if not isinstance(orders, list):
            raise BadOrderError("faults are ordered as a list")
        return {"faults": [one.as_json() for one in self.running.account.dispatch.faults.add(orders)]}

    def _status(self) -> dict[str, Any]:
        account = self.running.account
        return {
            "scenario": account.world.name,
            "title": account.world.title,
            "account": ACCOUNT,
            "region": REGION,
            "now": iso(account.clock.now()),
            "pace": self.pacer.pace,
            "pid": os.getpid(),
            "seed": self.running.opening.seed,
            "started": iso(self.running.opening.start),
            "injected": [one.as_json() for one in self.running.injections],
            "faults": len(account.dispatch.faults.standing()),
            "calls": len(account.log.after(0)),
        }


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def send_json(send: Send, status: int, answer: Any) -> None:
    """Send an answer as JSON."""
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _json(body: bytes) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError as error:
        raise BadOrderError(f"not JSON: {error}") from error
