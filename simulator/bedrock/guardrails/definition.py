"""What a guardrail of this account is made of, read from TOML.

The members are those of GetGuardrail that can be checked by rules:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetGuardrail.html
A policy that is not declared here cannot be checked here, so a file that asks for it is refused.
"""

import re
import tomllib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from simulator.bedrock.guardrails.sensitive import DETECTED_TYPES
from simulator.clock import iso
from simulator.wire.protocol import ACCOUNT, REGION, AwsError

DEFAULT_FILE = Path(__file__).with_name("guardrails.toml")
PiiAction = Literal["BLOCK", "ANONYMIZE", "NONE"]
Strength = Literal["LOW", "MEDIUM", "HIGH"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Topic(_Record):
    """A denied topic: found where one of its phrases stands."""

    name: str
    definition: str
    phrases: tuple[str, ...] = Field(min_length=1)


class PiiRule(_Record):
    """What happens to one kind of personal data or secret."""

    type: str
    action: PiiAction

    @field_validator("type")
    @classmethod
    def _detected(cls, value: str) -> str:
        if value not in DETECTED_TYPES:
            raise ValueError(f"no rule detects {value}")
        return value


class RegexRule(_Record):
    """A regular expression of the account's own."""

    name: str
    pattern: str
    action: PiiAction

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        re.compile(value)
        return value


class Guardrail(_Record):
    """One guardrail; every numbered version and DRAFT are the same."""

    id: str = Field(pattern=r"^[a-z0-9]+$")
    name: str = Field(pattern=r"^[0-9a-zA-Z-_]+$")
    description: str
    versions: tuple[str, ...] = ("1",)
    blocked_input: str
    blocked_output: str
    prompt_attack: Strength | None = None
    words: tuple[str, ...] = ()
    grounding_threshold: float | None = Field(default=None, ge=0.0, lt=1.0)
    topics: tuple[Topic, ...] = ()
    pii: tuple[PiiRule, ...] = ()
    regexes: tuple[RegexRule, ...] = ()
    # For drills: whatever it reads, it finds misconduct in it.
    always_blocks: bool = False

    @property
    def arn(self) -> str:
        """The guardrail's ARN."""
        return f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/{self.id}"


def load(path: Path = DEFAULT_FILE) -> tuple[Guardrail, ...]:
    """The guardrails of a file; pydantic's ValidationError where it asks for what cannot be checked."""
    declared = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(Guardrail.model_validate(entry) for entry in declared["guardrails"])


def unknown_guardrail() -> AwsError:
    """What AWS says of a guardrail that the account does not have."""
    text = "The guardrail identifier or version provided in the request does not exist."
    return AwsError("ResourceNotFoundException", text, 404)


def find(guardrails: Sequence[Guardrail], identifier: str, version: str) -> Guardrail:
    """The guardrail of that id or ARN in that version."""
    for guardrail in guardrails:
        if identifier in (guardrail.id, guardrail.arn) and version in ("DRAFT", *guardrail.versions):
            return guardrail
    raise unknown_guardrail()


def summaries(guardrails: Sequence[Guardrail], identifier: str | None, now: datetime) -> dict[str, Any]:
    """ListGuardrails: the drafts, or all versions of one guardrail."""
    if identifier is None:
        return {"guardrails": [_summary(guardrail, "DRAFT", now) for guardrail in guardrails]}
    guardrail = find(guardrails, identifier, "DRAFT")
    return {"guardrails": [_summary(guardrail, version, now) for version in ("DRAFT", *guardrail.versions)]}


def described(guardrail: Guardrail, version: str, now: datetime) -> dict[str, Any]:
    """GetGuardrail."""
    summary = _summary(guardrail, version, now)
    answer = {
        **{name: summary[name] for name in ("name", "description", "version", "status")},
        "guardrailId": guardrail.id,
        "guardrailArn": guardrail.arn,
        "createdAt": iso(now),
        "updatedAt": iso(now),
        "blockedInputMessaging": guardrail.blocked_input,
        "blockedOutputsMessaging": guardrail.blocked_output,
    }
    return {**answer, **_policies(guardrail)}


def _summary(guardrail: Guardrail, version: str, now: datetime) -> dict[str, Any]:
    return {
        "id": guardrail.id,
        "arn": guardrail.arn,
        "status": "READY",
        "name": guardrail.name,
        "description": guardrail.description,
        "version": version,
        "createdAt": iso(now),
        "updatedAt": iso(now),
    }


def _policies(guardrail: Guardrail) -> dict[str, Any]:
    policies: dict[str, Any] = {}
    if guardrail.topics:
        topics = [{"name": t.name, "definition": t.definition, "type": "DENY"} for t in guardrail.topics]
        policies["topicPolicy"] = {"topics": topics}
    if guardrail.prompt_attack:
        attack = {"type": "PROMPT_ATTACK", "inputStrength": guardrail.prompt_attack, "outputStrength": "NONE"}
        policies["contentPolicy"] = {"filters": [attack]}
    if guardrail.words:
        policies["wordPolicy"] = {"words": [{"text": word} for word in guardrail.words]}
    if guardrail.pii or guardrail.regexes:
        policies["sensitiveInformationPolicy"] = {
            "piiEntities": [rule.model_dump() for rule in guardrail.pii],
            "regexes": [rule.model_dump() for rule in guardrail.regexes],
        }
    if guardrail.grounding_threshold is not None:
        grounding = {"type": "GROUNDING", "threshold": guardrail.grounding_threshold, "action": "BLOCK"}
        policies["contextualGroundingPolicy"] = {"filters": [grounding]}
    return policies
