"""The stand-in that invents: its answers have the right form, and ids, numbers and times nobody stated."""

import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from simulator.bedrock.answer import Piece, split
from simulator.bedrock.models.names import words
from simulator.bedrock.models.reading import read
from simulator.bedrock.models.rules import Draft, digest, draft_from, spoken
from simulator.bedrock.models.scalars import admits
from simulator.bedrock.models.schema import Schema
from simulator.bedrock.request import ConverseRequest

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_ID = re.compile(r"\b(?=[\w:/.#-]*\d)[A-Za-z0-9]+(?:[-_:/#][A-Za-z0-9]+)+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b")
_NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])")
_IN_TEXT = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in (_TIME, _ID, _NUMBER)))
_MOST_TURNS = 20
_CITING = frozenset({"id", "ref", "reference", "citation", "source", "evidence"})


class InventsModel:
    """Calls tools as the rules model does; what it then states is changed, the same way every time."""

    async def pieces(self, request: ConverseRequest) -> AsyncIterator[Piece]:
        """The answer in small pieces."""
        for piece in split(spoken(request, self.draft(request))):
            yield piece

    def draft(self, request: ConverseRequest) -> Draft:
        """The rules' draft, its statements replaced."""
        draft = draft_from(request, read(request))
        invention = Invention(digest(request), json.dumps(request.body))
        if draft.schema is not None:
            return replace(draft, filled=invention.of("", draft.filled, Schema.of(draft.schema)))
        return replace(draft, prose=invention.in_text(draft.prose))


@dataclass(frozen=True)
class Invention:
    """Changes values by a seed; the result is as valid as what it replaces."""

    seed: bytes
    known: str

    def of(self, name: str, value: Any, schema: Schema) -> Any:
        """A value with every id, number and time in it changed where the schema lets it."""
        schema = _branch_for(value, schema)
        if isinstance(value, dict):
            extra = schema.node.get("additionalProperties", {})
            nodes = {own: schema.properties.get(own, extra) for own in value}
            return {own: self.of(own, item, schema.at(nodes[own] or {})) for own, item in value.items()}
        if isinstance(value, list):
            return [self.of(name, item, schema.at(schema.node.get("items"))) for item in value]
        for attempt in range(6):
            changed = self._changed(name, value, attempt)
            if changed != value and (not schema.types or admits(changed, schema)):
                return changed
        return value

    def in_text(self, text: str) -> str:
        """A text with every id, number and time in it changed."""
        return _IN_TEXT.sub(lambda match: self._token(match.group(), 0), text)

    def _changed(self, name: str, value: Any, attempt: int) -> Any:
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int):
            return value + self._step(str(value), attempt) * (-1) ** attempt
        if isinstance(value, float):
            return self._shifted(value, attempt)
        if " " not in value.strip() and set(words(name)) & _CITING and not _IN_TEXT.fullmatch(value):
            return self._id(value, attempt)
        return _IN_TEXT.sub(lambda match: self._token(match.group(), attempt), value)

    def _shifted(self, value: float, attempt: int) -> float:
        by = self._step(str(value), attempt) / (10.0 if abs(value) <= 1 else 1.0)
        return (
            round(value + by * (-1) ** attempt, 6) if attempt < 4 else round(abs(value - 0.5) / 2 + 0.07, 6)
        )

    def _token(self, token: str, attempt: int) -> str:
        if _TIME.fullmatch(token):
            return self._moved(token, attempt)
        if _NUMBER.fullmatch(token):
            number = float(token) if "." in token else int(token)
            return str(number + self._step(token, attempt))
        return self._id(token, attempt)

    def _moved(self, token: str, attempt: int) -> str:
        try:
            moment = datetime.fromisoformat(token)
        except ValueError:
            return token
        moved = (moment + timedelta(minutes=7 * self._step(token, attempt))).isoformat(sep=token[10])
        return moved.replace("+00:00", "Z") if token.endswith("Z") else moved

    def _id(self, token: str, attempt: int) -> str:
        """The id with other characters of the same kind after its first part."""
        at = next((place + 1 for place, sign in enumerate(token) if sign in "-_:/#"), 0)
        for turn in range(_MOST_TURNS):
            noise = hashlib.sha256(self.seed + token.encode() + bytes([attempt, turn])).digest()
            tail = "".join(_other(sign, noise[place % len(noise)]) for place, sign in enumerate(token[at:]))
            if token[:at] + tail not in self.known:
                break
        return token[:at] + tail

    def _step(self, token: str, attempt: int) -> int:
        return 1 + hashlib.sha256(self.seed + token.encode()).digest()[0] % 5 + attempt


def _other(sign: str, noise: int) -> str:
    """Another sign of the same kind: digit, hexadecimal letter, letter."""
    for alphabet in ("0123456789", "abcdef", "ABCDEF", "ghijklmnopqrstuvwxyz", "GHIJKLMNOPQRSTUVWXYZ"):
        if sign in alphabet:
            return alphabet[(alphabet.index(sign) + 1 + noise % (len(alphabet) - 1)) % len(alphabet)]
    return sign


def _branch_for(value: Any, schema: Schema) -> Schema:
    """The alternative of a union that a value was made for."""
    for branch in schema.branches:
        if isinstance(value, dict) and branch.types == ["object"] and _belongs(value, branch):
            return _branch_for(value, branch)
        if isinstance(value, list) and branch.types == ["array"]:
            return _branch_for(value, branch)
        if not isinstance(value, dict | list) and branch.types and admits(value, branch):
            return _branch_for(value, branch)
    return schema


def _belongs(value: dict[str, Any], branch: Schema) -> bool:
    consts = {own: node["const"] for own, node in branch.properties.items() if "const" in node}
    return set(branch.required) <= set(value) and all(value.get(own) == one for own, one in consts.items())
