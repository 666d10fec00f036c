"""JSON schemas as tools and structured outputs write them: references resolved, unions opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.wire.protocol import AwsError

_UNSUPPORTED = (
    "not",
    "if",
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "contains",
    "unevaluatedProperties",
)
_MOST_REFERENCES = 32


@dataclass(frozen=True)
class Schema:
    """One schema with the document its references point into."""

    node: dict[str, Any]
    root: dict[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Schema":
        """A whole document."""
        return cls(dict(document), dict(document)).resolved()

    def at(self, node: object) -> "Schema":
        """A schema inside this document."""
        if node is True or node is None:
            node = {}
        if not isinstance(node, dict):
            raise unsupported(f"{node!r} is not a schema")
        return Schema(node, self.root).resolved()

    def resolved(self) -> "Schema":
        """This schema with its reference and its allOf folded in."""
        node = self.node
        for _ in range(_MOST_REFERENCES):
            if "$ref" in node:
                rest = {name: value for name, value in node.items() if name != "$ref"}
                node = {**self._target(node["$ref"]), **rest}
            elif "allOf" in node:
                rest = {name: value for name, value in node.items() if name != "allOf"}
                node = _merged([*node["allOf"], rest])
            else:
                break
        found = [name for name in _UNSUPPORTED if name in node]
        if found:
            raise unsupported(f"the keyword {found[0]} is not supported")
        return Schema(node, self.root)

    @property
    def types(self) -> list[str]:
        """The types allowed; empty where the schema names none."""
        declared = self.node.get("type", [])
        names: list[str] = [declared] if isinstance(declared, str) else list(declared)
        if not names and "properties" in self.node:
            return ["object"]
        return names or (["array"] if "items" in self.node else [])

    @property
    def branches(self) -> list["Schema"]:
        """The alternatives of a union, each with what surrounds the union; empty for one type."""
        for word in ("anyOf", "oneOf"):
            if word in self.node:
                around = {k: v for k, v in self.node.items() if k not in (word, "discriminator", "default")}
                return [self.at({**around, **branch}) for branch in self.node[word]]
        if len(self.types) > 1:
            return [self.at({**self.node, "type": name}) for name in self.types]
        return []

    @property
    def nullable(self) -> bool:
        """Whether null is allowed."""
        if self.branches:
            return any(branch.nullable for branch in self.branches)
        if "enum" in self.node:
            return None in self.node["enum"]
        return self.types == ["null"] or (not self.types and "const" not in self.node)

    @property
    def properties(self) -> dict[str, Any]:
        """The declared properties of an object."""
        found: dict[str, Any] = self.node.get("properties", {})
        return found

    @property
    def required(self) -> list[str]:
        """The properties an object must have."""
        return list(self.node.get("required", []))

    @property
    def description(self) -> str:
        """What the schema says of itself."""
        return str(self.node.get("description", ""))

    def _target(self, reference: str) -> dict[str, Any]:
        node: Any = self.root
        if not reference.startswith("#"):
            raise unsupported(f"the reference {reference} leaves the document")
        for part in reference.lstrip("#/").split("/") if reference != "#" else []:
            node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            raise unsupported(f"the reference {reference} leads nowhere")
        return node


def unsupported(reason: str) -> AwsError:
    """The refusal of a schema that cannot be followed."""
    return AwsError("ValidationException", f"The JSON schema is not supported: {reason}.")


def _merged(parts: list[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if name == "properties":
                value = {**merged.get("properties", {}), **value}
            elif name == "required":
                value = list(dict.fromkeys([*merged.get("required", []), *value]))
            elif name in merged and merged[name] != value and name not in ("description", "title", "default"):
                raise unsupported(f"allOf states {name} twice")
            merged[name] = value
    return merged
