"""Which services an action may be about, by what it acts on: its parameters hold names, and the topology says whose."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from memory.records.config import Service, Topology

_SERVICE = "service"
_BETWEEN = re.compile(r"[/:]")
_WORDS = re.compile(r"[^a-z0-9]+")


def touched(
    parameters: Mapping[str, Any], topology: Topology, known: Collection[str] = ()
) -> frozenset[str] | None:
    """Return every service that an action with these parameters may be about, or None where that is not known.

    A text at any depth stands for the service that it names, whole or as a part of a path or ARN; for each service
    whose table, queue, function, log group or switch it is; and else for each whose name stands in it. `known` are
    names of services beside the topology's.
    """
    names = {*known, *(service.name for service in topology.services)}
    found: set[str] = set()
    for text in _texts(parameters):
        parts = {text, *_BETWEEN.split(text)}
        owners = {one.name for one in topology.services if parts & set(_parts_of(one, topology))}
        found |= (names & parts) | owners or {name for name in names if _stands_in(name, text)}
        folded = {part.casefold() for part in parts}
        found |= {name for name in names if name.casefold() in folded}
    named = parameters.get(_SERVICE)
    if isinstance(named, str) and named:
        found.add(named)
    return frozenset(found) or None


def _parts_of(service: Service, topology: Topology) -> Iterable[str]:
    """Yield what belongs to a service; what it calls is another's."""
    told = (service.log_group, service.target_group, service.load_balancer)
    yield from (name for name in told if name)
    for part in service.depends_on:
        if part.kind != _SERVICE and topology.service(part.name) is None:
            yield part.name
        if part.switch is not None:
            yield part.switch.parameter


def _stands_in(name: str, text: str) -> bool:
    """Say whether a name stands in a text as whole words, whatever joins them."""
    words, within = _worded(name), _worded(text)
    return bool(words.strip()) and words in within


def _worded(text: str) -> str:
    return f" {_WORDS.sub(' ', text.lower()).strip()} "


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
