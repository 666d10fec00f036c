"""The control plane under `/_sim/`: the clock, the calls that came in, the faults. Not AWS."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulator.account import Account
from simulator.clock import BackwardsError, aware_iso, iso
from simulator.control.faults import UnknownFaultError
from simulator.control.pacing import Pacer
from simulator.wire.protocol import ACCOUNT, REGION

PREFIX = "/_sim/"
LONGEST_ADVANCE = timedelta(hours=48)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class BadOrderError(ValueError):
    """The control plane cannot do what was asked, and why."""


class ClockOrder(BaseModel):
    """How the clock is to move: by a span, to a moment, or at a pace from now on."""

    model_config = ConfigDict(extra="forbid")

    advance_seconds: float | None = Field(default=None, ge=0)
    until: str | None = None
    pace: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_of(self) -> "ClockOrder":
        if sum(one is not None for one in (self.advance_seconds, self.until, self.pace)) != 1:
            raise ValueError("give exactly one of advance_seconds, until and pace")
        return self


@dataclass(frozen=True)
class Control:
    """Answers the control plane's requests."""

    account: Account
    pacer: Pacer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            status, answer = 200, await self._answer(scope, await read_body(receive))
        except (BadOrderError, BackwardsError, UnknownFaultError) as error:
            status, answer = 400, {"error": str(error)}
        except ValidationError as error:
            status, answer = (
                400,
                {"error": "; ".join(_worded(one["loc"], one["msg"]) for one in error.errors())},
            )
        await send_json(send, status, answer)

    async def _answer(self, scope: Scope, body: bytes) -> dict[str, Any]:
        match scope["method"], scope["path"].removeprefix(PREFIX):
            case "GET", "clock":
                return self._clock()
            case "POST", "clock":
                return await self._move(ClockOrder.model_validate(_json(body)))
            case "GET", "status":
                return self._status()
            case "GET", "calls":
                return self._calls(parse_qs(scope["query_string"].decode()))
            case "GET", "faults":
                return {"faults": [one.as_json() for one in self.account.dispatch.faults.standing()]}
            case "POST", "faults":
                return self._order(_json(body))
            case "DELETE", "faults":
                query = parse_qs(scope["query_string"].decode())
                return {"lifted": self.account.dispatch.faults.clear(query.get("id", [None])[0])}
        raise BadOrderError(f"there is no {scope['method']} {scope['path']}")

    def _clock(self) -> dict[str, Any]:
        return {"now": iso(self.account.clock.now()), "pace": self.pacer.pace}

    async def _move(self, order: ClockOrder) -> dict[str, Any]:
        # Nobody who hangs up half way leaves the account between two ticks.
        if order.pace is not None:
            self.pacer.pace = order.pace
        elif order.advance_seconds is not None:
            span = timedelta(seconds=order.advance_seconds)
            _check_span(span)
            await asyncio.shield(self.account.advance_by(span))
        elif order.until is not None:
            moment = _moment(order.until)
            _check_span(moment - self.account.clock.now())
            await asyncio.shield(self.account.advance_to(moment))
        return self._clock()

    def _order(self, orders: Any) -> dict[str, Any]:
        if not isinstance(orders, list):
            raise BadOrderError("faults are ordered as a list")
        return {"faults": [one.as_json() for one in self.account.dispatch.faults.add(orders)]}

    def _status(self) -> dict[str, Any]:
        return {
            "scenario": self.account.world.name,
            "title": self.account.world.title,
            "account": ACCOUNT,
            "region": REGION,
            "now": iso(self.account.clock.now()),
            "pid": os.getpid(),
        }

    def _calls(self, query: dict[str, list[str]]) -> dict[str, Any]:
        try:
            after = int(query.get("after", ["0"])[0])
        except ValueError as error:
            raise BadOrderError("after is the number of a call") from error
        calls = [one.as_json() for one in self.account.log.after(after)]
        return {"calls": calls, "next": calls[-1]["n"] if calls else after}


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


def _check_span(span: timedelta) -> None:
    if span > LONGEST_ADVANCE:
        raise BadOrderError(f"the clock advances by {LONGEST_ADVANCE} at most at a time")


def _moment(text: str) -> datetime:
    try:
        return aware_iso(text)
    except ValueError as error:
        raise BadOrderError(f"not a time: {text!r}") from error


def _worded(place: tuple[int | str, ...], said: str) -> str:
    said = said.removeprefix("Value error, ")
    return f"{'.'.join(str(part) for part in place)}: {said}" if place else said
