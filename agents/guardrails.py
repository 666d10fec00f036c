"""Look at text before a model reads it and before people do.

Guardrails inside Converse do not look at tool results, so what tools return is looked at here. A guard that cannot
answer has not cleared anything: the text counts as unscanned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from agents.models import Clients, ModelSettings
from memory.records.base import Record
from tools.errors import error_code
from tools.injection import FLAG as INJECTION
from tools.injection import flags_of

UNSCANNED = "unscanned"
SENSITIVE = "sensitive"
BLOCKED = "guardrail"
# https://docs.aws.amazon.com/general/latest/gr/bedrock.html: a request holds 25 text units of 1000 characters.
CHUNK_CHARS = 20_000
# Longer than an order is that is read as one.
OVERLAP_CHARS = 2_000
LEAST_SCORE = 0.5


class Direction(StrEnum):
    """Whether a text is on its way to a model or to people."""

    IN = "INPUT"
    OUT = "OUTPUT"


class Findings(Record):
    """What a guard found: no flags means that the text may pass.

    `matches` are the texts that it would mask: where they are all that it found, the text may pass without them.
    """

    flags: tuple[str, ...] = ()
    detail: str = ""
    matches: tuple[str, ...] = ()

    @property
    def clear(self) -> bool:
        """Say whether nothing was found and everything was looked at."""
        return not self.flags


class TextGuard(Protocol):
    """Whatever looks at a text."""

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        """Return what was found; never raises because the service is away."""
        ...


@dataclass(frozen=True)
class LocalSigns:
    """Known phrasings only. No service is asked, so nothing can be away."""

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        """Flag text that gives orders to its reader."""
        return Findings(flags=flags_of(text)) if direction is Direction.IN else Findings()


@dataclass(frozen=True)
class GuardrailChecks:
    """Bedrock's InvokeGuardrailChecks: scores without a guardrail resource, judged by limits of our own."""

    client: Any
    least_score: float = LEAST_SCORE

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        """Flag attacks on the way in, secrets and personal data on the way out."""
        checks, flag = (_ATTACKS, INJECTION) if direction is Direction.IN else (_SECRETS, SENSITIVE)
        found: list[str] = []
        try:
            for chunk in _chunks(text):
                answer = self.client.invoke_guardrail_checks(
                    messages=[{"role": "user", "content": [{"text": chunk}]}], checks=checks
                )
                found += self._reached(answer["results"])
        except (ClientError, BotoCoreError) as error:
            return Findings(flags=(UNSCANNED,), detail=error_code(error))
        return Findings(flags=(flag,), detail=", ".join(sorted(set(found)))) if found else Findings()

    def _reached(self, results: dict[str, Any]) -> Iterator[str]:
        for result in results.get("promptAttack", {}).get("results", []):
            if result["severityScore"] >= self.least_score:
                yield result["category"]
        for result in results.get("sensitiveInformation", {}).get("results", []):
            if result["confidenceScore"] >= self.least_score:
                yield result["type"]


@dataclass(frozen=True)
class AppliedGuardrail:
    """A guardrail of the account, applied to text by ApplyGuardrail."""

    client: Any
    guardrail_id: str
    version: str

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        """Flag whatever the guardrail intervenes on; what it only masks is told apart from what it blocks."""
        masked: list[str] = []
        try:
            for chunk in _chunks(text):
                answer = self.client.apply_guardrail(
                    guardrailIdentifier=self.guardrail_id,
                    guardrailVersion=self.version,
                    source=direction.value,
                    content=[{"text": {"text": chunk}}],
                )
                if answer["action"] == "GUARDRAIL_INTERVENED":
                    matches = _masked(answer.get("assessments", []))
                    if not matches:
                        return Findings(flags=(BLOCKED,), detail=answer.get("actionReason", ""))
                    masked += matches
        except (ClientError, BotoCoreError) as error:
            return Findings(flags=(UNSCANNED,), detail=error_code(error))
        return Findings(flags=(SENSITIVE,), matches=tuple(dict.fromkeys(masked))) if masked else Findings()


def _masked(assessments: list[dict[str, Any]]) -> list[str]:
    """Return what a guardrail has masked, or nothing if it found anything else.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailAssessment.html
    """
    found: list[str] = []
    for one in assessments:
        sensitive = one.get("sensitiveInformationPolicy", {})
        entries = [*sensitive.get("piiEntities", []), *sensitive.get("regexes", [])]
        if any(name.endswith("Policy") and name != "sensitiveInformationPolicy" for name in one):
            return []
        if any(entry.get("action") not in {"ANONYMIZED", "NONE"} for entry in entries):
            return []
        found += [str(entry["match"]) for entry in entries if entry.get("action") == "ANONYMIZED"]
    return found


def guard_for(access: Clients, settings: ModelSettings) -> TextGuard:
    """Return the account's guardrail if settings name one, else Bedrock's checks without one."""
    client = access.client("bedrock-runtime")
    if settings.guardrail_id:
        return AppliedGuardrail(client, settings.guardrail_id, settings.guardrail_version or "DRAFT")
    return GuardrailChecks(client)


def _chunks(text: str) -> Iterator[str]:
    """Yield a text in parts that a request holds; what stands across the end of one is whole in the next."""
    step = CHUNK_CHARS - OVERLAP_CHARS
    for start in range(0, max(len(text) - OVERLAP_CHARS, 1), step):
        if text[start : start + CHUNK_CHARS].strip():
            yield text[start : start + CHUNK_CHARS]


_ATTACKS = {
    "promptAttack": {"categories": [{"category": "JAILBREAK"}, {"category": "PROMPT_INJECTION"}]},
}
_SECRETS = {
    "sensitiveInformation": {
        "entities": [
            {"type": "AWS_ACCESS_KEY"},
            {"type": "AWS_SECRET_KEY"},
            {"type": "PASSWORD"},
            {"type": "CREDIT_DEBIT_CARD_NUMBER"},
            {"type": "US_SOCIAL_SECURITY_NUMBER"},
            {"type": "EMAIL"},
        ]
    },
}
