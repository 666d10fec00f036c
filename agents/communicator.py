"""The communicator: a model writes prose, code inserts every number, name and time."""

import json
import re
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage

from agents.errors import MODEL_FAILURES
from agents.guardrails import TextGuard
from agents.ledger import CallLedger
from agents.models import Model
from agents.prompting import Prompt, facts_block

_LITERAL = re.compile(r"\d[\d.,:%/-]*|\b[\w-]*[a-z]-[\w-]+\b|\b\w+[._/]\w[\w./-]*")
PROSE_CHARS = 900


@dataclass(frozen=True)
class Communicator:
    """Writes updates; what a model writes is used only if every literal in it is a fact."""

    model: Model
    prompt: Prompt
    guard: TextGuard

    def prose(self, facts: dict[str, Any], ledger: CallLedger) -> str | None:
        """Return a few sentences over the facts, or None when the model's text cannot be used."""
        try:
            ledger.check()
            answer = self.model.chat.invoke(
                [SystemMessage(self.prompt.text), HumanMessage(facts_block(facts))]
            )
        except MODEL_FAILURES:
            return None
        ledger.count(answer)
        text = " ".join(answer.text.split())[:PROSE_CHARS]
        if not text or not stands_on(text, facts) or self.guard.blocks(text):
            return None
        return text


def stands_on(text: str, facts: dict[str, Any]) -> bool:
    """Say whether every number, id and dotted or hyphenated name of a text stands in the facts."""
    known = json.dumps(facts, default=str, ensure_ascii=False)
    return all(literal.strip(".,:%/-") in known for literal in _LITERAL.findall(text))
