"""Converse and ConverseStream: a checked request goes to its model, between the guardrail's two looks."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from simulator.bedrock.answer import Answer, Model, Piece, Stop, assemble, split
from simulator.bedrock.catalogue import base_id, unknown_model
from simulator.bedrock.events import Event, content_events
from simulator.bedrock.guardrails.assessment import Outcome
from simulator.bedrock.guardrails.definition import Guardrail
from simulator.bedrock.guardrails.in_converse import INTERVENED, Guard, guard_of
from simulator.bedrock.request import ConverseRequest
from simulator.bedrock.usage import InputUsage, PromptCache, output_tokens


class Clock(Protocol):
    """The account's clock."""

    def now(self) -> datetime:
        """The time in the account."""
        ...


@dataclass
class Conversations:
    """Answers Converse requests with the models it is given."""

    models: Mapping[str, Model]
    guardrails: Sequence[Guardrail]
    clock: Clock
    cache: PromptCache = field(default_factory=PromptCache)

    def begin(self, request: ConverseRequest) -> "Exchange":
        """The exchange for a request; AwsError where model or guardrail do not exist."""
        model = self.models.get(base_id(request.model_id))
        if model is None:
            raise unknown_model()
        guard = guard_of(self.guardrails, request)
        usage = self.cache.count(request, self.clock.now())
        return Exchange(request, model, guard, usage)


@dataclass
class Exchange:
    """One request and its answer."""

    request: ConverseRequest
    model: Model
    guard: Guard | None
    usage: InputUsage
    begun: float = field(default_factory=time.monotonic)
    judged: Outcome | None = None
    said: Answer | None = None

    async def answer(self) -> dict[str, Any]:
        """The body of a Converse answer."""
        answer = await self._whole()
        message = {"role": "assistant", "content": answer.content()}
        return {
            "output": {"message": message},
            "stopReason": answer.stop.reason,
            **self._metadata(answer),
        }

    async def events(self) -> AsyncIterator[Event]:
        """The events of a ConverseStream, each as soon as it is made."""
        sent: list[Piece] = []
        async for event in content_events(_noted(self._pieces(), sent)):
            yield event
        yield "metadata", self._metadata(assemble(sent))

    async def _pieces(self) -> AsyncIterator[Piece]:
        if self.guard is None:
            async for piece in self.model.pieces(self.request):
                yield piece
        elif self.guard.streams_at_once and self.guard.blocked_input() is None:
            async for piece in self._judged_afterwards(self.guard):
                yield piece
        else:
            for piece in split(await self._whole()):
                yield piece

    async def _judged_afterwards(self, guard: Guard) -> AsyncIterator[Piece]:
        """Text leaves before it is judged; only the stop reason can still tell."""
        sent: list[Piece] = []
        async for piece in _noted(self.model.pieces(guard.passed_request()), sent):
            if not isinstance(piece, Stop):
                yield piece
        self.said = assemble(sent)
        self.judged = guard.judge(self.said)
        stop = self.said.stop
        reason = INTERVENED if self.judged.blocked else stop.reason
        yield Stop(reason, stop.input_tokens, stop.output_tokens)

    async def _whole(self) -> Answer:
        if self.guard is None:
            return assemble(await _collected(self.model.pieces(self.request)))
        blocked = self.guard.blocked_input()
        if blocked is not None:
            return blocked
        self.said = assemble(await _collected(self.model.pieces(self.guard.passed_request())))
        self.judged = self.guard.judge(self.said)
        return self.guard.passed_answer(self.said, self.judged)

    def _metadata(self, answer: Answer) -> dict[str, Any]:
        """Usage, latency, trace, and what the request asked of the service."""
        stop = answer.stop
        usage = self.usage if stop.input_tokens is None else InputUsage(stop.input_tokens)
        output = output_tokens(answer) if stop.output_tokens is None else stop.output_tokens
        metadata: dict[str, Any] = {
            "usage": usage.fields(output),
            "metrics": {"latencyMs": int((time.monotonic() - self.begun) * 1000)},
        }
        trace = self.guard.trace(self.judged, self.said) if self.guard else None
        if trace is not None:
            metadata["trace"] = trace
        for name in ("performanceConfig", "serviceTier"):
            if name in self.request.body:
                metadata[name] = self.request.body[name]
        return metadata


async def _collected(pieces: AsyncIterator[Piece]) -> Iterable[Piece]:
    return [piece async for piece in pieces]


async def _noted(pieces: AsyncIterator[Piece], notes: list[Piece]) -> AsyncIterator[Piece]:
    async for piece in pieces:
        notes.append(piece)
        yield piece
