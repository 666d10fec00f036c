"""Look at text before a model reads it and before people do.

Guardrails inside Converse do not look at tool results, so what tools return is looked at here. A guard that cannot
answer has not cleared anything: the text counts as unscanned.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from agents.models import Clients, ModelSettings
from memory.records.base import Record
from memory.records.spend import GuardUse
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
# https://aws.amazon.com/bedrock/pricing/: a text unit holds up to 1000 characters.
UNIT_CHARS = 1_000
LEAST_SCORE = 0.5
REMEMBERED_SECONDS = 900.0
MOST_REMEMBERED = 2_000


class Direction(StrEnum):
    """Whether a text is on its way to a model or to people."""

    IN = "INPUT"
    OUT = "OUTPUT"


class Findings(Record):
    """What a guard found: no flags means that the text may pass.

    `matches` are the texts that it would mask: where they are all that it found, the text may pass without them.
    `use` is what it took to look.
    """

    flags: tuple[str, ...] = ()
    detail: str = ""
    matches: tuple[str, ...] = ()
    use: GuardUse = GuardUse()

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
        use, chunk = GuardUse(), ""
        try:
            for chunk in _chunks(text):
                answer = self.client.invoke_guardrail_checks(
                    messages=[{"role": "user", "content": [{"text": chunk}]}], checks=checks
                )
                use += _checked(answer, chunk)
                found += self._reached(answer["results"])
        except (ClientError, BotoCoreError) as error:
            return _not_scanned(error, use, chunk)
        if found:
            return Findings(flags=(flag,), detail=", ".join(sorted(set(found))), use=use)
        return Findings(use=use)

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
        use, chunk = GuardUse(), ""
        try:
            for chunk in _chunks(text):
                answer = self.client.apply_guardrail(
                    guardrailIdentifier=self.guardrail_id,
                    guardrailVersion=self.version,
                    source=direction.value,
                    content=[{"text": {"text": chunk}}],
                )
                use += _applied(answer, chunk)
                if answer["action"] == "GUARDRAIL_INTERVENED":
                    matches = _masked(answer.get("assessments", []))
                    if not matches:
                        return Findings(flags=(BLOCKED,), detail=answer.get("actionReason", ""), use=use)
                    masked += matches
        except (ClientError, BotoCoreError) as error:
            return _not_scanned(error, use, chunk)
        if masked:
            return Findings(flags=(SENSITIVE,), matches=tuple(dict.fromkeys(masked)), use=use)
        return Findings(use=use)


def presumed(text: str) -> GuardUse:
    """Return what a look at a text takes, where nobody says it: of content and of personal data, and never less."""
    units = -(-len(text) // UNIT_CHARS)
    return GuardUse(calls=1, content_units=units, sensitive_units=units)


def _applied(answer: dict[str, Any], text: str) -> GuardUse:
    """Return what a call of ApplyGuardrail took, as it says."""
    usage = answer.get("usage")
    if usage is None:
        return presumed(text)
    return GuardUse(
        calls=1,
        content_units=usage.get("contentPolicyUnits", 0),
        topic_units=usage.get("topicPolicyUnits", 0),
        sensitive_units=usage.get("sensitiveInformationPolicyUnits", 0),
        grounding_units=usage.get("contextualGroundingPolicyUnits", 0),
    )


def _checked(answer: dict[str, Any], text: str) -> GuardUse:
    """Return what a call of InvokeGuardrailChecks took, as it says."""
    usage = answer.get("usage")
    if usage is None:
        return presumed(text)
    units = {name: one.get("textUnits", 0) for name, one in usage.items()}
    attacks = units.get("promptAttack", 0) + units.get("contentFilter", 0)
    return GuardUse(calls=1, content_units=attacks, sensitive_units=units.get("sensitiveInformation", 0))


def _not_scanned(error: Exception, use: GuardUse, text: str) -> Findings:
    """Return that a text was not looked at; what AWS refuses is not paid for, what it did not answer may be."""
    last = GuardUse(calls=1) if isinstance(error, ClientError) else presumed(text)
    return Findings(flags=(UNSCANNED,), detail=error_code(error), use=use + last)


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


class Remembering:
    """A guard that looks at a text once in a while: what one step has had looked at, the next need not pay for again.

    Kept are digests of texts and what was found in them, never the texts. What was not looked at is looked at anew, and
    what is masked too, since what was masked is a part of the text.
    """

    def __init__(self, guard: TextGuard, clock: Callable[[], float] = time.monotonic) -> None:
        self._guard = guard
        self._clock = clock
        self._known: OrderedDict[tuple[Direction, bytes], tuple[float, Findings]] = OrderedDict()
        self._lock = threading.Lock()

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        """Return what is known of a text, at no cost, or what the guard finds now."""
        key = direction, hashlib.sha256(text.encode()).digest()
        with self._lock:
            at, known = self._known.get(key, (0.0, None))
            if known is not None and self._clock() - at < REMEMBERED_SECONDS:
                return known
        found = self._guard.scan(text, direction)
        if UNSCANNED not in found.flags and not found.matches:
            with self._lock:
                self._known[key] = self._clock(), found.model_copy(update={"use": GuardUse()})
                self._known.move_to_end(key)
                while len(self._known) > MOST_REMEMBERED:
                    self._known.popitem(last=False)
        return found


def guard_for(access: Clients, settings: ModelSettings) -> TextGuard:
    """Return the account's guardrail if settings name one, else Bedrock's checks without one."""
    client = access.client("bedrock-runtime")
    if settings.guardrail_id:
        version = settings.guardrail_version or "DRAFT"
        return Remembering(AppliedGuardrail(client, settings.guardrail_id, version))
    return Remembering(GuardrailChecks(client))


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
