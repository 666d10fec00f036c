"""A guardrail inside Converse: what it reads, and what it does to the answer.

It reads guardContent blocks if there are any, else all text of the messages. It reads no tool result,
tool description or tool input:
https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.bedrock.answer import Answer, Stop
from simulator.bedrock.guardrails.assessment import Outcome, Part, assess
from simulator.bedrock.guardrails.definition import Guardrail, find
from simulator.bedrock.request import ConverseRequest
from simulator.wire.protocol import AwsError

INTERVENED = "guardrail_intervened"


@dataclass(frozen=True)
class Guard:
    """A guardrail at work on one request."""

    guardrail: Guardrail
    config: dict[str, Any]
    request: ConverseRequest
    judged_input: Outcome

    @property
    def streams_at_once(self) -> bool:
        """Whether text is sent before it is judged (`async`); such text is never masked."""
        return self.config.get("streamProcessingMode") == "async"

    def blocked_input(self) -> Answer | None:
        """The answer to a request that may not reach the model."""
        if not self.judged_input.blocked:
            return None
        return Answer((self.guardrail.blocked_input,), Stop(INTERVENED))

    def passed_request(self) -> ConverseRequest:
        """The request as the model may see it, masked where the guardrail masks."""
        masked = iter(self.judged_input.texts)
        body = {**self.request.body}
        for place in ("system", "messages"):
            if place in body:
                body[place] = _with_texts(self.request, place, lambda: next(masked))
        return ConverseRequest(self.request.model_id, body)

    def judge(self, answer: Answer) -> Outcome:
        """What the guardrail makes of an answer."""
        parts = [Part(text) for text in answer.texts()]
        sources = [
            part for part in _parts(self.request) if {"grounding_source", "query"} & set(part.qualifiers)
        ]
        plain = [Part(part.text, tuple(set(part.qualifiers) - {"guard_content"})) for part in sources]
        return assess(self.guardrail, "OUTPUT", [*parts, *plain], self._full)

    def passed_answer(self, answer: Answer, judged: Outcome) -> Answer:
        """The answer as it may leave: as it is, masked, or replaced."""
        if judged.blocked:
            return Answer((self.guardrail.blocked_output,), _intervened(answer.stop))
        if not judged.masked:
            return answer
        texts = iter(judged.texts)
        blocks = tuple(next(texts) if isinstance(block, str) else block for block in answer.blocks)
        return Answer(blocks, _intervened(answer.stop))

    def trace(self, judged: Outcome | None, answer: Answer | None) -> dict[str, Any] | None:
        """The `trace` of the answer, if the request asked for one."""
        if self.config.get("trace", "disabled") == "disabled":
            return None
        name = self.guardrail.id
        trace: dict[str, Any] = {"inputAssessment": {name: self.judged_input.assessment()}}
        last = judged or self.judged_input
        trace["actionReason"] = last.reason
        if judged is not None:
            trace["outputAssessments"] = {name: [judged.assessment()]}
        if judged is not None and judged.intervened and answer is not None:
            trace["modelOutput"] = answer.texts()
        return {"guardrail": trace}

    @property
    def _full(self) -> bool:
        return self.config.get("trace") == "enabled_full"


def guard_of(guardrails: Sequence[Guardrail], request: ConverseRequest) -> Guard | None:
    """The guardrail a request asks for, its input judged."""
    config = request.body.get("guardrailConfig")
    if config is None:
        return None
    identifier, version = config.get("guardrailIdentifier"), config.get("guardrailVersion")
    if not identifier or not version:
        text = "guardrailIdentifier and guardrailVersion must both be given in guardrailConfig."
        raise AwsError("ValidationException", text)
    guardrail = find(guardrails, identifier, version)
    full = config.get("trace") == "enabled_full"
    return Guard(guardrail, config, request, assess(guardrail, "INPUT", _parts(request), full))


def _parts(request: ConverseRequest) -> list[Part]:
    collected: list[Part] = []

    def keep(part: Part) -> str:
        collected.append(part)
        return part.text

    for place in ("system", "messages"):
        _visit(request, place, keep)
    return collected


def _with_texts(request: ConverseRequest, place: str, following: Callable[[], str]) -> list[Any]:
    return _visit(request, place, lambda part: following())


def _visit(request: ConverseRequest, place: str, replace: Callable[[Part], str]) -> list[Any]:
    """The system blocks or messages, every text the guardrail reads replaced."""
    if place == "system":
        return [_block(block, True, replace) for block in request.system]
    marked = any("guardContent" in block for message in request.messages for block in message["content"])
    return [
        {**message, "content": [_block(block, marked, replace) for block in message["content"]]}
        for message in request.messages
    ]


def _block(block: dict[str, Any], marked_only: bool, replace: Callable[[Part], str]) -> dict[str, Any]:
    guarded = block.get("guardContent", {}).get("text")
    if guarded is not None:
        qualifiers = tuple(guarded.get("qualifiers", ()))
        return {"guardContent": {"text": {**guarded, "text": replace(Part(guarded["text"], qualifiers))}}}
    if "text" in block and not marked_only:
        return {"text": replace(Part(block["text"]))}
    return block


def _intervened(stop: Stop) -> Stop:
    return Stop(INTERVENED, stop.input_tokens, stop.output_tokens)
