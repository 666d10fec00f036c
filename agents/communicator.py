"""Write messages: a model may write the opening, code writes everything that can be wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import Field

from agents.asking import ask
from agents.forms import ModelForm
from agents.grounding import unfounded
from agents.guardrails import Direction, TextGuard
from agents.models import RoleModel
from agents.notes import FIRST_NOTE, PEOPLE_NEEDED, listed, opening_of, subject_of
from agents.observations import cleared
from agents.prompting import labelled, load_prompt
from agents.scanning import Scans
from memory.records.message import Audience
from memory.records.spend import ModelUse, Spend
from tools.budget import IncidentBudget
from tools.redaction import redact

OPENING_CHARS = 800
# Telling stakeholders the machinery helps nobody.
FOR_STAKEHOLDERS = frozenset(
    ("alarm", "severity", "status", "reason", "impact", "onset", "recovery", "recovered_at", "alarm_since")
)
# People are called by code alone, at once and whatever else is down.
WITHOUT_MODEL = frozenset((FIRST_NOTE, PEOPLE_NEEDED))
_PLACEHOLDER = re.compile(r"\{([a-z_]{1,40})\}")
_ENDS = re.compile(
    r"\b(resolved|fixed|recovered|restored|mitigated|repaired|rolled back|over now|back to normal|approved|denied)\b",
    re.I,
)


class Opening(ModelForm):
    """The first sentences of a message."""

    opening: str = Field(description="Two to four plain sentences; facts by {label} or copied unchanged.")


@dataclass(frozen=True)
class Draft:
    """A message ready for the outbox, who wrote its opening, and what that cost."""

    subject: str
    body: str
    by_model: bool = False
    refused: str = ""
    spend: Spend = field(default_factory=Spend)
    model_use: tuple[ModelUse, ...] = ()

    @property
    def models(self) -> list[ModelUse]:
        """Return the models used, as the state wants them."""
        return list(self.model_use)


@dataclass(frozen=True)
class Communicator:
    """The communicator: words by a model where they can be checked, else by code."""

    model: RoleModel
    guard: TextGuard

    def note(
        self, kind: str, audience: Audience, facts: Mapping[str, str], budget: IncidentBudget | None = None
    ) -> Draft:
        """Return a message; one that calls people asks no model, so that it goes out whatever else is down."""
        told = {label: redact(text) for label, text in facts.items() if _is_for(audience, label)}
        subject, plain = redact(subject_of(kind, facts)), opening_of(kind, told)
        if kind in WITHOUT_MODEL:
            return Draft(subject, _body(plain, told))
        content = labelled(
            cleared({"reader": audience.value, "occasion": kind, "opening": plain, "facts": told})
        )
        answer = ask(self.model, load_prompt("communicator"), content, Opening, budget=budget)
        if answer.form is None:
            refused = answer.failure.sentence if answer.failure else "no answer"
            return Draft(subject, _body(plain, told), False, refused, answer.spend, (answer.use,))
        opening = _filled(answer.form.opening, told)
        scans = Scans(self.guard, self.model.limits.agent_seconds, budget)
        refused = _objection(opening, told, plain, scans)
        body = _body(plain if refused else opening, told)
        return Draft(subject, body, not refused, refused, answer.spend + scans.spend, (answer.use,))


def _objection(opening: str, facts: Mapping[str, str], plain: str, guard: TextGuard) -> str:
    """Say why an opening may not go out, or nothing."""
    if not opening.strip() or len(opening) > OPENING_CHARS:
        return "it is empty or too long"
    if "{" in opening or "}" in opening:
        return "it names a fact that does not exist"
    known = "\n".join((*facts.values(), plain))
    strange = unfounded(opening, known)
    if strange:
        return f"it holds what no fact says: {', '.join(strange[:5])}"
    claimed = [word for word in _ENDS.findall(opening) if word.lower() not in known.lower()]
    if claimed:
        return f"it claims what no fact says: {', '.join(claimed)}"
    findings = guard.scan(opening, Direction.OUT)
    return "" if findings.clear else f"the guard objects: {', '.join(findings.flags)}"


def _is_for(audience: Audience, label: str) -> bool:
    return audience is Audience.ON_CALL or label in FOR_STAKEHOLDERS


def _filled(opening: str, facts: Mapping[str, str]) -> str:
    """Put facts in the place of their labels; a label that is no fact stays and gives the text away."""
    return _PLACEHOLDER.sub(lambda match: facts.get(match.group(1), match.group()), opening).strip()


def _body(opening: str, facts: Mapping[str, str]) -> str:
    return f"{opening}\n\n{listed(facts)}\n"
