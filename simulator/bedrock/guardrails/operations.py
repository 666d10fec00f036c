"""ApplyGuardrail and InvokeGuardrailChecks.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeGuardrailChecks.html
"""

from collections.abc import Sequence
from typing import Any

from simulator.bedrock.guardrails.assessment import CHARACTERS_PER_UNIT, Part, assess
from simulator.bedrock.guardrails.definition import Guardrail, find
from simulator.bedrock.guardrails.prompt_attack import scores
from simulator.bedrock.guardrails.sensitive import DETECTED_TYPES, findings
from simulator.wire.protocol import AwsError

MOST_BLOCKS = 10


def apply_guardrail(guardrails: Sequence[Guardrail], request: dict[str, Any]) -> dict[str, Any]:
    """Judge the content of a request by a guardrail of the account."""
    guardrail = find(guardrails, request["guardrailIdentifier"], request["guardrailVersion"])
    if any("image" in block for block in request["content"]):
        raise AwsError("ValidationException", "Image content is not supported by this guardrail.")
    texts = [block["text"] for block in request["content"]]
    parts = [Part(text["text"], tuple(text.get("qualifiers", ()))) for text in texts]
    outcome = assess(guardrail, request["source"], parts, request.get("outputScope") == "FULL")
    outputs: list[dict[str, str]] = []
    if outcome.blocked:
        blocked = guardrail.blocked_input if request["source"] == "INPUT" else guardrail.blocked_output
        outputs = [{"text": blocked}]
    elif outcome.masked:
        outputs = [{"text": text} for text, part in zip(outcome.texts, parts, strict=True) if part.guarded]
    return {
        "usage": outcome.usage,
        "action": "GUARDRAIL_INTERVENED" if outcome.intervened else "NONE",
        "actionReason": outcome.reason,
        "outputs": outputs,
        "assessments": [outcome.assessment()],
        "guardrailCoverage": outcome.coverage,
    }


def invoke_checks(request: dict[str, Any]) -> dict[str, Any]:
    """Score messages without a guardrail: numbers only, nothing is blocked or masked."""
    checks, messages = request["checks"], request["messages"]
    if not checks:
        raise AwsError("ValidationException", "At least one check must be specified.")
    if "contentFilter" in checks:
        raise AwsError("ValidationException", "The check contentFilter is not supported.")
    if any(len(message["content"]) > MOST_BLOCKS for message in messages):
        raise AwsError("ValidationException", f"A message can contain at most {MOST_BLOCKS} content blocks.")
    texts = [block["text"] for message in messages for block in message["content"]]
    units = {"textUnits": -(-sum(map(len, texts)) // CHARACTERS_PER_UNIT)}
    results: dict[str, Any] = {}
    if "promptAttack" in checks:
        results["promptAttack"] = {"results": _attack_results(checks["promptAttack"], texts)}
    if "sensitiveInformation" in checks:
        found = _sensitive_results(checks["sensitiveInformation"], messages)
        results["sensitiveInformation"] = {"results": found, "truncated": False}
    return {"results": results, "usage": {name: units for name in results}}


def _attack_results(check: dict[str, Any], texts: Sequence[str]) -> list[dict[str, Any]]:
    found = scores(texts)
    wanted = [entry["category"] for entry in check["categories"]]
    return [{"category": category, "severityScore": found[category]} for category in wanted]


def _sensitive_results(check: dict[str, Any], messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = [entity["type"] for entity in check["entities"]]
    beyond = [name for name in wanted if name not in DETECTED_TYPES]
    if beyond:
        raise AwsError("ValidationException", f"The entity type {beyond[0]} is not supported.")
    return [
        {
            "type": found.type,
            "confidenceScore": found.confidence,
            "beginOffset": found.begin,
            "endOffset": found.end,
            "messageIndex": place,
            "contentIndex": index,
        }
        for place, message in enumerate(messages)
        for index, block in enumerate(message["content"])
        for found in findings(block["text"], wanted)
    ]
