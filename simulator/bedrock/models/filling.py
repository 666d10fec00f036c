"""Fills a JSON schema from labelled facts.

For every property the best fact by name is made to fit; what no fact states gets the least value that
is honest: null, an empty list, false, an undecided choice, a sentence of the facts at hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulator.bedrock.models.facts import Fact, FactBook
from simulator.bedrock.models.least import least_string
from simulator.bedrock.models.prose import is_free_text
from simulator.bedrock.models.scalars import MISSING, fit_scalar, least_number, undecided
from simulator.bedrock.models.schema import Schema, unsupported

_DEEPEST = 12
_IDENTIFYING = ("id", "key", "name", "value")
_SHAPE_SHARE = 0.6
NOTHING = FactBook(())


@dataclass(frozen=True)
class Scope:
    """Where a property looks: claims that override all, the record at hand, then what encloses it."""

    books: tuple[FactBook, ...]
    claims: FactBook = NOTHING
    depth: int = 0

    def inside(self, book: FactBook) -> "Scope":
        """The scope of a record within this one."""
        return Scope((book, *self.books), self.claims, self.depth + 1)

    def near(self) -> "Scope":
        """Only the record at hand: optional properties are not filled from afar."""
        return Scope(self.books[:1], self.claims, self.depth)

    def deeper(self) -> "Scope":
        """The same books one level down."""
        return Scope(self.books, self.claims, self.depth + 1)

    def about(self, name: str, description: str) -> Iterator[Fact]:
        """Facts that may stand for a property, best first."""
        yield from self.claims.named(name)
        yield from self.claims.within(name)
        for book in self.books:
            yield from book.about(name, description)

    def denies(self, name: str) -> bool:
        """Whether the record at hand states that there is no such thing."""
        stated = [] if self.claims.within(name) else self.books[0].named(name)
        return bool(stated) and stated[0].value is None and not stated[0].in_list

    def silent(self) -> "Scope":
        """The scope of a thing that is stated not to be."""
        return Scope((NOTHING,), self.claims, self.depth)

    def named(self, name: str) -> Iterator[Fact]:
        """Facts of exactly that name."""
        for book in (self.claims, *self.books):
            yield from book.named(name)


def fill(document: dict[str, Any], book: FactBook, claims: FactBook = NOTHING) -> Any:
    """A value that satisfies the schema, from the facts and, before them, the claims."""
    schema, scope = Schema.of(document), Scope((book,), claims)
    if schema.properties or not schema.types:
        return least("", schema, scope)
    found = from_facts(str(schema.node.get("title", "")), schema, scope)
    return least("", schema, scope) if found is MISSING else found


def from_facts(name: str, schema: Schema, scope: Scope) -> Any:
    """The best fact for a property, made to fit; MISSING if none does."""
    if scope.denies(name):
        return None if schema.nullable else MISSING
    texts = any(branch.types == ["string"] for branch in schema.branches or [schema])
    prose = texts and is_free_text(name, schema.description)
    for fact in scope.about(name, schema.description):
        if prose and fact.in_list:
            continue  # what is written about one item is not written about the whole
        value = fit(name, fact.value, schema, scope)
        if value is not MISSING:
            return value
    if "const" in schema.node:
        return schema.node["const"]
    for branch in schema.branches or [schema]:
        value = _from_shape(name, branch, scope)
        if value is not MISSING:
            return value
    return MISSING


def fit(name: str, value: Any, schema: Schema, scope: Scope) -> Any:
    """A fact's value in the schema's form, or MISSING."""
    if schema.branches:
        fitted = (fit(name, value, branch, scope) for branch in schema.branches)
        return next((one for one in fitted if one is not MISSING), MISSING)
    if schema.types == ["object"]:
        return _fit_object(name, value, schema, scope)
    if schema.types == ["array"]:
        return _fit_array(name, value, schema, scope)
    if schema.types or "enum" in schema.node or "const" in schema.node:
        return fit_scalar(_plain(name, value), schema)
    return value


def least(name: str, schema: Schema, scope: Scope) -> Any:
    """The least value that is honest, objects filled from what encloses them."""
    if scope.depth > _DEEPEST:
        raise unsupported("it requires itself without end")
    node = schema.node
    if "const" in node or node.get("default") is not None:
        return node.get("const", node.get("default"))
    if schema.nullable:
        return None
    if schema.branches:
        return least(name, schema.branches[0], scope)
    if "enum" in node:
        return undecided(node["enum"])
    kind = schema.types[0]
    if kind == "object":
        return fill_object(name, schema, scope)
    if kind == "array":
        return _padded([], name, schema, scope)
    if kind == "boolean":
        return False
    return (
        least_number(schema) if kind in ("integer", "number") else least_string(name, schema, scope.books[0])
    )


def fill_object(name: str, schema: Schema, scope: Scope) -> dict[str, Any]:
    """An object with all required properties and those optional ones that a fact states."""
    filled: dict[str, Any] = {}
    for own, node in schema.properties.items():
        inner = schema.at(node)
        if own in schema.required:
            value = _qualified(name, own, inner, scope)
            if value is MISSING:
                value = least(own, inner, (scope.silent() if scope.denies(own) else scope).deeper())
        else:
            value = MISSING if scope.depth > _DEEPEST else _qualified(name, own, inner, scope.near())
        if value is not MISSING:
            filled[own] = value
    for own in schema.required:
        filled.setdefault(own, None)
    return filled


def _qualified(owner: str, name: str, schema: Schema, scope: Scope) -> Any:
    """A fact named after owner and property (`cause_service` for `cause.service`) comes first."""
    if owner:
        for fact in scope.named(f"{owner}_{name}"):
            value = fit(name, fact.value, schema, scope)
            if value is not MISSING:
                return value
    return from_facts(name, schema, scope)


def _fit_object(name: str, value: Any, schema: Schema, scope: Scope) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict) or scope.depth > _DEEPEST:
        return MISSING
    if schema.properties:
        record = FactBook.of([((), value)])
        shared = any(not fact.in_list for own in schema.properties for fact in record.named(own))
        # A record speaks for itself: no owner's name, which would find its neighbours in a list.
        return fill_object("", schema, scope.inside(record)) if shared else MISSING
    return _fit_mapping(value, schema, scope)


def _fit_mapping(value: dict[str, Any], schema: Schema, scope: Scope) -> Any:
    extra = schema.node.get("additionalProperties", True)
    if extra is False:
        return {} if not schema.required else MISSING
    fitted = {str(own): fit(str(own), item, schema.at(extra), scope.deeper()) for own, item in value.items()}
    kept = {own: item for own, item in fitted.items() if item is not MISSING}
    return kept if set(schema.required) <= set(kept) and (kept or not value) else MISSING


def _fit_array(name: str, value: Any, schema: Schema, scope: Scope) -> Any:
    given = value if isinstance(value, list) else [value]
    if "prefixItems" in schema.node or scope.depth > _DEEPEST:
        return MISSING
    items = schema.at(schema.node.get("items"))
    fitted = [fit(name, item, items, scope.deeper()) for item in given]
    kept = [item for item in fitted if item is not MISSING]
    if given and not kept:
        return MISSING
    return _padded(kept, name, schema, scope)


def _padded(kept: list[Any], name: str, schema: Schema, scope: Scope) -> list[Any]:
    """The list within its limits: repeats and surplus dropped, the least item added where too short."""
    node = schema.node
    if node.get("uniqueItems"):
        kept = [item for place, item in enumerate(kept) if item not in kept[:place]]
    kept = kept[: node.get("maxItems", len(kept))]
    if "prefixItems" in node:
        kept = [least(name, schema.at(item), scope.deeper()) for item in node["prefixItems"]]
    while len(kept) < node.get("minItems", 0):
        item = least(name, schema.at(node.get("items")), scope.deeper())
        if node.get("uniqueItems") and item in kept:
            raise unsupported("it demands more different items than there are facts")
        kept.append(item)
    return kept


def _from_shape(name: str, schema: Schema, scope: Scope) -> Any:
    """Without a fact of its name: a record whose own fields are all stated, or a list of such records."""
    if scope.depth > _DEEPEST:
        return MISSING
    if schema.types == ["object"] and schema.required:
        stated = all(
            _stated(schema.at(schema.properties.get(own)), name, own, scope) for own in schema.required
        )
        return fill_object(name, schema, scope.deeper()) if stated else MISSING
    if schema.types == ["array"] and scope.depth == 0:
        items = schema.at(schema.node.get("items"))
        for fact in reversed(scope.books[0].facts):
            if _alike(fact.value, items):
                return _fit_array(name, fact.value, schema, scope)
    return MISSING


def _stated(schema: Schema, owner: str, name: str, scope: Scope) -> bool:
    facts = [*scope.named(f"{owner}_{name}"), *scope.named(name)]
    return any(fit(name, fact.value, schema, scope.deeper()) is not MISSING for fact in facts)


def _alike(value: Any, items: Schema) -> bool:
    """Whether a list's records carry most of the fields that the items require."""
    records = value if isinstance(value, list) else []
    if not records or not isinstance(records[0], dict) or len(items.required) < 2:
        return False
    record = FactBook.of([((), records[0])])
    shared = sum(bool(record.named(own)) for own in items.required)
    return shared >= 2 and shared / len(items.required) >= _SHAPE_SHARE


def _plain(name: str, value: Any) -> Any:
    """A record stands for its field of that name, else for what identifies it; a list for its only item."""
    if isinstance(value, list) and len(value) == 1:
        return _plain(name, value[0])
    if not isinstance(value, dict):
        return value
    record = FactBook.of([((), value)])
    for own in (name, *_IDENTIFYING):
        found = [fact.value for fact in record.named(own) if len(fact.path) == 1]
        if found and not isinstance(found[0], dict | list):
            return found[0]
    return None
